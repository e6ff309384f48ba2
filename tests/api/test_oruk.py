"""Open Referral UK 3.0: the directory for everybody, every page and every document valid, in an order that holds. Rule D4."""
import pytest
from support.client import faults, problem
from support.directory import EDITOR, ORGANISATIONS, SERVICES, organisation_body, place
from support.oruk import COLLECTIONS, FEED, contents, findings, ids, pages

FULL = {"website": "https://example.org/a", "email": "a@example.org", "support_areas": ["transport", "sitting_service"], "needs": ["money"],
        "access_routes": ["telephone"], "eligibility": {"minimum_age": 18, "maximum_age": 99, "text": "For carers.", "for": "carers"},
        "cost": {"free": False, "amount_pence": 350, "text": "a lift"}, "funding_types": ["direct_payment"], "languages": ["en", "pl"],
        "schedule": [{"freq": "WEEKLY", "byday": "MO,WE", "opens_at": "10:00", "closes_at": "16:00", "description": "Term time."}],
        "contacts": [{"name": "Desk", "title": "Manager", "email": "d@example.org", "phones": [{"number": "01632 960201"}]}],
        "locations": [place(name="Hall", uprn="10092008082", accessibility=["Ramp"], address={"line_1": "1 High Street", "town": "Lowestoft"}),
                      {"kind": "virtual", "name": "Online"}],
        "areas_served": ["E07000244", "Waveney"], "alert": "Closed in August.", "accreditations": "None."}


@pytest.fixture
def full(service):
    return service(**FULL)


class TestDocuments:
    """What stands in them."""

    def test_the_feed_says_what_it_is(self, api):
        response = api.get(FEED)
        assert response.json() == {"version": "HSDS-UK-3.0", "profile": "https://github.com/OpenReferralUK/uk-profile/blob/main/docs/index.md",
                                   "openapi_url": "https://openreferraluk.org/specifications/3.0/openapi.json"}
        assert response.headers["Access-Control-Allow-Origin"] == "*"

    def test_the_root_is_answered_with_a_slash_too_and_nothing_else_is(self, api):
        with_slash = api.get(f"{FEED}/")
        assert (with_slash.status_code, with_slash.json()) == (200, api.get(FEED).json())
        assert with_slash.headers["Access-Control-Allow-Origin"] == "*"
        assert "GET" in api.options(f"{FEED}/").headers["Allow"]
        problem(api.post(f"{FEED}/"), 405, "method-not-allowed")
        for path in (f"{FEED}//", f"{FEED}/services/", f"/{FEED}/"):
            problem(api.get(path), 404, "not-found")

    def test_every_page_and_every_document_is_valid(self, api, full, service, tmp_path):
        service()
        for collection, schema in COLLECTIONS.items():
            items = contents(api, collection)
            assert items and findings(tmp_path, schema, items) == []
            documents = [api.get(f"{FEED}/{collection}/{ident}").json() for ident in ids(items)]
            assert findings(tmp_path, schema, documents) == []
            if collection == "service_at_locations":
                assert findings(tmp_path, "service", documents) == [], "the profile's OpenAPI names this schema for them"
                assert findings(tmp_path, "service", [document["service"] for document in documents]) == []

    def test_a_document_says_what_the_entry_says(self, api, full):
        one = api.get(f"{FEED}/services/{full['id']}").json()
        assert (one["url"], one["minimum_age"], one["assured_date"]) == (FULL["website"], 18, full["assured_on"])
        assert one["organization"]["id"] == full["organisation_id"]
        assert {a["taxonomy_term"]["term"] for a in one["attributes"]} == {"transport", "sitting_service", "money", "telephone"}
        assert one["cost_options"][0]["amount"] == 3.5 and [x["code"] for x in one["languages"]] == ["en", "pl"]
        assert one["schedules"][0]["byday"] == "MO,WE" and one["contacts"][0]["phones"][0]["number"] == "01632 960201"
        hall = one["service_at_locations"][0]
        assert hall["location"]["addresses"][0]["city"] == "Lowestoft"
        listed = next(item for item in contents(api, "services") if item["id"] == one["id"])
        assert listed == {**{name: value for name, value in one.items() if not isinstance(value, list)},
                          "organization": {name: value for name, value in one["organization"].items() if not isinstance(value, list)}}
        there = api.get(f"{FEED}/service_at_locations/{hall['id']}").json()
        assert there["location"] == hall["location"]
        assert there["service"] == {name: value for name, value in one.items() if name != "service_at_locations"}

    def test_what_has_no_value_is_left_out(self, api, service):
        one = api.get(f"{FEED}/services/{service()['id']}").json()
        assert all(value not in (None, "", [], {}) for value in one.values())

    @pytest.mark.parametrize("state, members", [("draft", {}), ("archived", {}), ("published", {"confidential": True})],
                             ids=["a draft", "archived", "confidential"])
    def test_what_is_not_for_everybody_is_not_there_whoever_asks(self, api, service, state, members):
        one = service(state=state, locations=[place()], **members)
        at = one["locations"][0]["service_at_location_id"]
        for who in ({}, EDITOR):
            problem(api.get(f"{FEED}/services/{one['id']}", **who), 404, "not-found")
            problem(api.get(f"{FEED}/service_at_locations/{at}", **who), 404, "not-found")
        assert one["id"] not in ids(contents(api, "services")) and at not in ids(contents(api, "service_at_locations"))

    def test_a_confidential_organisation_is_in_nothing(self, api):
        one = api.post(ORGANISATIONS, json=organisation_body(confidential=True), **EDITOR).json()
        problem(api.get(f"{FEED}/organizations/{one['id']}"), 404, "not-found")
        assert one["id"] not in ids(contents(api, "organizations"))

    def test_an_organisation_brings_its_services(self, api, full):
        one = api.get(f"{FEED}/organizations/{full['organisation_id']}").json()
        assert ids(one["services"]) == [full["id"]] and "organization" not in one["services"][0]

    def test_a_taxonomy_brings_its_terms_and_a_term_is_one_of_them(self, api):
        for taxonomy in contents(api, "taxonomies"):
            terms = api.get(f"{FEED}/taxonomies/{taxonomy['id']}").json()["taxonomy_terms"]
            assert api.get(f"{FEED}/taxonomy_terms/{terms[0]['id']}").json() == terms[0]

    @pytest.mark.parametrize("collection", list(COLLECTIONS))
    def test_an_unchanged_answer_is_not_sent_again(self, api, full, collection):
        first = api.get(f"{FEED}/{collection}")
        assert api.get(f"{FEED}/{collection}", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304

    def test_a_document_has_another_etag_when_its_organisation_changes(self, api, full):
        path = f"{FEED}/services/{full['id']}"
        tag = api.get(path).headers["ETag"]
        assert api.get(path, headers={"If-None-Match": tag}).status_code == 304
        api.patch(f"{ORGANISATIONS}/{full['organisation_id']}", etag="*", json={"description": "Another."}, **EDITOR)
        assert api.get(path, headers={"If-None-Match": tag}).status_code == 200

    def test_what_an_organisation_becomes_stands_in_every_list(self, api, full):
        ident = full["organisation_id"]
        assert api.patch(f"{ORGANISATIONS}/{ident}", etag="*", json={"description": "Another word."}, **EDITOR).status_code == 200
        of = [one["organization"] for one in contents(api, "services") if one["organization"]["id"] == ident]
        of += [one["service"]["organization"] for one in contents(api, "service_at_locations") if one["service"]["organization"]["id"] == ident]
        of += [one for one in contents(api, "organizations") if one["id"] == ident]
        assert [one["description"] for one in of] == ["Another word."] * (2 + len(FULL["locations"]))


class TestOrder:
    """Pages by number, over rows that change."""

    @pytest.mark.parametrize("collection", ["services", "service_at_locations"])
    def test_nothing_comes_twice_and_nothing_is_missing_while_entries_change(self, api, service, collection):
        many = [service(locations=[place()]) for _ in range(9)]
        before = set(ids(contents(api, collection)))
        read, gone, fresh = [], [], []
        for page in pages(api, collection, per_page=3):
            read += ids(page["contents"])
            if many:
                one = many.pop(len(many) // 2)
                gone.append(one)
                api.post(f"{SERVICES}/{one['id']}/archive", json={"reason": "Closed."}, **EDITOR)
                fresh.append(service(locations=[place()]))
                api.patch(f"{SERVICES}/{fresh[-1]['id']}", etag="*", json={"name": "Renamed"}, **EDITOR)

        def known(entries):
            return {e["id"] if collection == "services" else e["locations"][0]["service_at_location_id"] for e in entries}

        assert len(read) == len(set(read)), "an entry came twice"
        assert before - known(gone) <= set(read), "an entry that was there throughout was not read"
        assert known(fresh) <= set(read), "what was published meanwhile comes last"

    def test_what_is_published_again_comes_last_and_the_count_is_right(self, api, service):
        one, _ = service(), service()
        api.post(f"{SERVICES}/{one['id']}/archive", json={"reason": "Closed."}, **EDITOR)
        api.post(f"{SERVICES}/{one['id']}/publish", json={}, **EDITOR)
        every = list(pages(api, "services"))
        read = [ident for page in every for ident in ids(page["contents"])]
        assert read[-1] == one["id"] and every[-1]["total_items"] == len(read)

    def test_a_place_that_is_kept_keeps_its_number_and_one_that_is_dropped_goes(self, api, service):
        one = service(locations=[place(), place("IP19 8XX")])
        first, second = (location["service_at_location_id"] for location in one["locations"])
        last = service(locations=[place()])["locations"][0]["service_at_location_id"]
        api.patch(f"{SERVICES}/{one['id']}", etag="*", json={"locations": [one["locations"][1]]}, **EDITOR)
        assert [ident for ident in ids(contents(api, "service_at_locations")) if ident in (first, second, last)] == [second, last]


class TestFilters:
    """All of them must hold."""

    @pytest.mark.parametrize("filters, found", [
        ({}, True), ({"day": "MO"}, True), ({"day": "TU"}, False), ({"day": "WE", "start_time": "09:30"}, True), ({"start_time": "10:30"}, False),
        ({"end_time": "16:00"}, True), ({"day": "MO", "end_time": "15:59"}, False), ({"minimum_age": 18}, True), ({"minimum_age": 19}, False),
        ({"maximum_age": 99}, True), ({"maximum_age": 98}, False), ({"search": "xylophone"}, True), ({"search": "trombone"}, False),
        ({"search": "xylophone", "day": "SU"}, False)], ids=str)
    def test_a_service_is_found_by_what_it_says(self, api, service, filters, found):
        one = service(**{**FULL, "description": "We play the xylophone."})
        assert (one["id"] in ids(contents(api, "services", **filters))) is found
        at = {location["service_at_location_id"] for location in one["locations"]}
        assert (at <= set(ids(contents(api, "service_at_locations", **filters)))) is found

    def test_terms_and_taxonomies_find_what_is_coded_with_them(self, api, full, service):
        other = service(support_areas=["meals"])
        terms = {term.get("term"): term for term in contents(api, "taxonomy_terms")}
        assert full["id"] in ids(contents(api, "services", taxonomy_term_id=terms["transport"]["id"]))
        assert other["id"] not in ids(contents(api, "services", taxonomy_term_id=terms["transport"]["id"]))
        assert full["id"] in ids(contents(api, "services", taxonomy_id=terms["money"]["taxonomy_id"]))
        assert other["id"] not in ids(contents(api, "services", taxonomy_id=terms["money"]["taxonomy_id"]))
        assert ids(contents(api, "services", taxonomy_term_id=terms["transport"]["id"], taxonomy_id=terms["money"]["taxonomy_id"],
                            organization_id=full["organisation_id"])) == [full["id"]]

    def test_proximity_is_around_the_postcode_and_a_postcode_alone_is_about_areas(self, api, service):
        near = service(locations=[place()])["locations"][0]["service_at_location_id"]
        far = service(locations=[place("IP19 8XX")])["locations"][0]["service_at_location_id"]
        elsewhere = service(locations=[place()], areas_served=["E07000001"])["locations"][0]["service_at_location_id"]
        around = set(ids(contents(api, "service_at_locations", postcode="nr321xx", proximity=5000)))
        assert near in around and elsewhere in around and far not in around
        serving = set(ids(contents(api, "service_at_locations", postcode="NR32 1XX")))
        assert {near, far} <= serving and elsewhere not in serving


@pytest.mark.parametrize("path, pointer", [
    ("/services?page=100000", "/query/page"), ("/services?page=0", "/query/page"), ("/services?page=two", "/query/page"),
    ("/taxonomies?page=2", "/query/page"), ("/services?per_page=101", "/query/per_page"), ("/services?day=XX", "/query/day"),
    ("/services?search=nothinglikethis&page=2", "/query/page"), ("/services?start_time=25:00", "/query/start_time"),
    ("/services?taxonomy_term_id=7", "/query/taxonomy_term_id"), ("/service_at_locations?proximity=100", "/query/proximity"),
    ("/service_at_locations?postcode=ZZ1+1ZZ", "/query/postcode"), ("/services/7", "/path/id")])
def test_what_is_asked_wrongly_is_named(api, path, pointer):
    assert pointer in {p for p, _ in faults(api.get(FEED + path), 400, "invalid-parameter")}


def test_a_search_that_finds_nothing_is_an_empty_page_and_no_unmet_need(api, db):
    db.execute("SELECT coalesce(sum(searches), 0) FROM unmet_search")
    before = db.fetchone()
    page = api.get(f"{FEED}/services", params={"search": "nothinglikethis"}).json()
    assert (page["total_items"], page["total_pages"], page["empty"], page["contents"]) == (0, 1, True, [])
    db.execute("SELECT coalesce(sum(searches), 0) FROM unmet_search")
    assert db.fetchone() == before
