"""Search in the directory over HTTP: rules D1 and D2. Every test's entries share a word that nothing else has."""
import uuid

import pytest
from support.client import faults, problem
from support.directory import EDITOR, SERVICES, STAFF, place
from support.tokens import CAMDEN, ISLINGTON

SEARCH = "/v1/directory/search"


@pytest.fixture
def mark():
    """A word of this test alone; letters, so that spelling works as with any other."""
    return "mark" + "".join(chr(ord("a") + int(sign, 16)) for sign in uuid.uuid4().hex[:10])


@pytest.fixture
def entry(service, mark):
    """entry(name, ...): a published entry whose description has the mark; its id."""
    def make(name="Plain", words="", **members):
        return service(name=name, description=f"{mark} {words}", **members)["id"]
    return make


@pytest.fixture
def find(api, mark):
    """find(q, ...): ids of what is found among this test's entries, by both ways of asking."""
    def ask(q="", **filters):
        words = f"{mark} {q}".strip()
        params = [("q", words)] + [(name, one) for name, value in filters.items() for one in (value if isinstance(value, list) else [value])]
        params = [(name, str(value).lower() if isinstance(value, bool) else value) for name, value in params]
        by_get = api.get(SERVICES, params=params)
        assert by_get.status_code == 200, by_get.text
        by_post = api.post(SEARCH, json={"q": words, **filters})
        assert by_post.status_code == 200, by_post.text
        items = [item["id"] for item in by_get.json()["items"]]
        assert items == [item["id"] for item in by_post.json()["items"]] and by_get.json()["found"] == len(items)
        return items
    return ask


class TestWords:
    """Full text: stems, beginnings, spelling, synonyms; the name before the text."""

    def test_stems_are_the_same_word(self, entry, find):
        one = entry("Gardening for carers")
        assert find("gardens") == find("garden") == find("carer") == [one]

    def test_a_word_is_found_by_its_beginning(self, entry, find):
        one = entry("Befriending visits")
        assert find("befr") == find("befriendi") == [one]

    @pytest.mark.parametrize("typed", ["trampolin", "trampolene", "tarmpoline", "trampoliine", "Trampoline's"])
    def test_a_typing_error_is_forgiven(self, entry, find, typed):
        one = entry("Trampoline afternoons")
        assert find(typed) == [one]

    @pytest.mark.parametrize("said", ["sitter", "sitters", "someone to sit", "siter"])
    def test_a_synonym_of_the_taxonomy_finds_what_is_coded_so(self, entry, find, said):
        one, _ = entry("Evenings out", support_areas=["sitting_service"]), entry("Choir", support_areas=["arts_leisure"])
        assert find(said) == [one]

    def test_the_name_comes_before_the_text(self, entry, find):
        text, name = entry("Club", "with a harpsichord"), entry("Harpsichord club")
        assert find("harpsichord") == [name, text]

    def test_all_words_must_be_there(self, entry, find):
        one = entry("Harpsichord walks")
        assert find("harpsichord walk") == [one] and find("harpsichord swimming") == []

    def test_accents_case_and_signs_do_not_matter(self, entry, find):
        one = entry("Café Zoë (carers' corner)")
        assert find("CAFE zoe") == find("carers corner") == [one]

    def test_small_words_are_passed_over(self, entry, find):
        one = entry("Help with the garden")
        assert find("the garden of") == [one]

    def test_signs_alone_find_nothing(self, api):
        assert api.get(SERVICES, params={"q": "'!&|:*()"}).json()["items"] == []

    def test_words_of_a_query_language_are_words(self, api, entry):
        for q in ("a & b | !c", "':* <-> \\", "100%_"):
            assert api.get(SERVICES, params={"q": q}).status_code == 200

    def test_the_organisation_is_found_by_its_name_also_after_it_has_another(self, api, entry, find, listed):
        one = entry()
        api.patch(f"/v1/directory/organisations/{listed['id']}", etag="*", json={"name": "Quincunx Trust"}, **EDITOR)
        assert find("quincunx") == [one]


class TestFilters:
    """Each filter alone, and all of them together."""

    @pytest.mark.parametrize("filters, members", [
        ({"support_area": ["transport"]}, {"support_areas": ["transport", "meals"]}),
        ({"support_area": ["transport", "wraparound"]}, {"support_areas": ["transport", "wraparound"]}),
        ({"area": "lowestoft"}, {"areas_served": ["Lowestoft"]}), ({"area": "E07000244"}, {"areas_served": ["E07000244"]}),
        ({"area": "Lowestoft"}, {"locations": [place()]}), ({"access_route": "drop_in"}, {"access_routes": ["drop_in"]}),
        ({"free": True}, {"cost": {"free": True}}), ({"age": 70}, {"eligibility": {"minimum_age": 65}}),
        ({"age": 10}, {"eligibility": {"minimum_age": 8, "maximum_age": 11}}), ({"language": "pl"}, {"languages": ["en", "pl"]}),
        ({"referral_accepting": True}, {"referral_accepting": True}),
        ({"day": "TU"}, {"schedule": [{"freq": "WEEKLY", "byday": "TU", "opens_at": "10:00", "closes_at": "12:00"}]}),
        ({"day": "TU", "from": "11:30", "to": "14:00"}, {"schedule": [{"freq": "WEEKLY", "byday": "MO,TU", "opens_at": "10:00", "closes_at": "12:00"}]}),
        ({"day": "WE", "from": "01:00", "to": "02:00"}, {"schedule": [{"freq": "WEEKLY", "byday": "TU", "opens_at": "22:00", "closes_at": "06:00"}]}),
        ({"day": "MO", "from": "01:00", "to": "02:00"}, {"schedule": [{"freq": "WEEKLY", "byday": "SU", "opens_at": "22:00", "closes_at": "06:00"}]}),
        ({"day": "TH"}, {"schedule": [{"freq": "MONTHLY", "byday": "1TH,2TH,3TH"}]}),
        ({"open_now": True}, {"schedule": [{"freq": "WEEKLY", "byday": "MO,TU,WE,TH,FR,SA,SU"}]}),
        ({"open_now": True}, {"schedule": [{"freq": "WEEKLY", "byday": "MO,TU,WE,TH,FR,SA,SU", "interval": 1, "valid_to": "2099-01-01"}]}),
        ({"postcode": "NR32 9XX", "within_metres": 3000}, {"locations": [place()]}),
        ({"lat": 52.4811, "lon": 1.7534, "within_metres": 10}, {"locations": [place("IP19 8XX"), place()]})], ids=str)
    def test_a_filter_finds_what_has_it_and_nothing_else(self, entry, find, filters, members):
        other = {"support_areas": ["meals"], "areas_served": ["Elsewhere"], "eligibility": {"minimum_age": 12, "maximum_age": 60},
                 "schedule": [{"freq": "WEEKLY", "byday": "FR", "opens_at": "10:00", "closes_at": "11:00", "valid_to": "2026-01-09", "valid_from": "2026-01-01"}]}
        entry(**{name: value for name, value in other.items() if "age" not in filters or name == "eligibility"})
        one = entry(**members)
        assert find(**filters) == [one]

    def test_what_is_not_free_and_what_takes_no_referrals(self, entry, find):
        free, dear = entry(cost={"free": True}, referral_accepting=True), entry(cost={"free": False})
        assert (find(free=False), find(referral_accepting=False)) == ([dear], [dear]) and free not in find(free=False)

    def test_filters_are_cumulative(self, entry, find):
        both = entry("Lifts", support_areas=["transport", "wraparound"], locations=[place()], cost={"free": True})
        entry("Lifts", support_areas=["transport"], locations=[place()], cost={"free": True})
        entry("Lifts", support_areas=["transport", "wraparound"], locations=[place("IP19 8XX")], cost={"free": True})
        entry("Lifts", support_areas=["transport", "wraparound"], locations=[place()])
        assert find("lift", support_area=["transport", "wraparound"], postcode="nr32 1xx", within_metres=5000, free=True) == [both]

    def test_as_many_filters_as_the_contract_has_may_be_sent_at_once(self, api):
        areas = [("support_area", f"area_{number}") for number in range(30)]
        others = [("limit", "5"), ("free", "true"), ("age", "40"), ("language", "en"), ("referral_accepting", "true")]
        found = faults(api.get(SERVICES, params=[*areas, *others]), 400, "invalid-parameter")
        assert {keyword for _, keyword in found} == {"rule"}  # every one was read, and none is in the taxonomy

    def test_councils_organisations_and_their_types(self, entry, find, listed):
        one = entry()
        assert find(council=ISLINGTON, organisation_id=listed["id"], organisation_type="community") == [one]
        assert find(council=CAMDEN) == find(organisation_type="faith") == []

    @pytest.mark.parametrize("params, pointer", [
        ({"postcode": "ZZ1 1ZZ"}, "postcode"), ({"within_metres": 500}, "within_metres"), ({"lat": 91, "lon": 0}, "lat"), ({"lat": 51.5}, "lat"),
        ({"lat": "x", "lon": 0}, "lat"), ({"support_area": "teleport"}, "support_area/0"), ({"access_route": "by_ship"}, "access_route"),
        ({"from": "10:00"}, "from"), ({"day": "MO", "from": "12:00", "to": "10:00"}, "to"), ({"cursor": "A" * 40}, "cursor"),
        ({"postcode": "NR32 1XX", "lat": 52, "lon": 1}, "postcode"), ({"facets": "colour"}, "facets"), ({"colour": "red"}, "colour"),
        ({"free": "perhaps"}, "free")], ids=str)
    def test_what_cannot_be_asked_is_named(self, api, postcodes, params, pointer):
        assert {p for p, _ in faults(api.get(SERVICES, params=params), 400, "invalid-parameter")} == {f"/query/{pointer}"}

    @pytest.mark.parametrize("body, pointer", [
        ({"postcode": "ZZ1 1ZZ"}, "/postcode"), ({"within_metres": 500}, "/within_metres"), ({"lat": 91, "lon": 0}, "/lat"),
        ({"support_area": ["transport", "teleport"]}, "/support_area/1"), ({"cursor": "A" * 40}, "/cursor"), ({"in_query": True}, "/in_query")], ids=str)
    def test_in_a_body_the_fault_is_of_the_body(self, api, postcodes, body, pointer):
        assert pointer in {p for p, _ in faults(api.post(SEARCH, json=body))} | {""}
        problem(api.post(SEARCH, json=body), 422, "validation-failed")


class TestOrder:
    """Relevance, then distance; stale ones last; pages without gap or repeat."""

    def test_around_a_place_the_nearest_is_first_and_says_how_far(self, api, entry, find, mark):
        far, near = entry(locations=[place("IP19 8XX")]), entry(locations=[place("NR32 9XX")])
        assert find(postcode="NR32 1XX") == [near, far]
        items = api.post(SEARCH, json={"q": mark, "postcode": "NR32 1XX"}).json()["items"]
        assert 2200 < items[0]["distance_metres"] < 2400 < 20_000 < items[1]["distance_metres"] < 25_000

    def test_what_is_stale_comes_last_and_says_so(self, api, entry, find, assured, mark):
        stale, fresh = entry("Zither evenings"), entry("Evenings", "with a zither")
        assured({"id": stale}, 181)
        assert find("zither") == [fresh, stale] and find("zither", include_stale=False) == [fresh]
        items = api.post(SEARCH, json={"q": f"{mark} zither"}).json()["items"]
        assert [item["currency"] for item in items] == ["fresh", "stale"]
        assert find("zither", currency="stale") == [stale]

    @pytest.mark.parametrize("limit", [1, 2, 5])
    def test_pages_have_everything_once(self, api, entry, mark, limit):
        ids = {entry(f"Place {n}", locations=[place()]) for n in range(5)}
        seen, body = [], {"q": mark, "postcode": "NR32 1XX", "limit": limit}
        while True:
            page = api.post(SEARCH, json=body).json()
            seen += [item["id"] for item in page["items"]]
            assert page["found"] == 5
            if "next_cursor" not in page:
                break
            body["cursor"] = page["next_cursor"]
        assert len(seen) == 5 and set(seen) == ids

    def test_the_link_leads_to_the_next_page(self, api, entry, mark):
        entry("One"), entry("Two")
        first = api.get(SERVICES, params={"q": mark, "limit": 1})
        link = first.headers["Link"]
        second = api.get(link[1:link.index(">")])
        assert first.json()["items"][0]["id"] != second.json()["items"][0]["id"] and "Link" not in second.headers


class TestWhatIsShown:
    """Published, not confidential; why it was found; counts."""

    def test_drafts_archived_and_confidential_ones_are_not_found_by_anybody(self, api, entry, find, mark):
        for state in ("draft", "archived"):
            entry(state=state)
        entry(confidential=True)
        one = entry()
        assert find() == [one]
        assert [i["id"] for i in api.get(SERVICES, params={"q": mark}, **STAFF).json()["items"]] == [one]

    def test_what_becomes_confidential_is_gone_and_what_is_corrected_is_found_anew(self, api, entry, find):
        one = entry("Bassoon group")
        api.patch(f"{SERVICES}/{one}", etag="*", json={"name": "Clarinet group"}, **EDITOR)
        assert find("clarinet") == [one] and find("bassoon") == []
        api.patch(f"{SERVICES}/{one}", etag="*", json={"confidential": True}, **EDITOR)
        assert find("clarinet") == []

    def test_it_is_told_why(self, api, entry, mark):
        entry("Trombone lifts", support_areas=["transport"], locations=[place()])
        body = {"q": f"{mark} trombnoe taxi", "support_area": ["transport"], "postcode": "NR32 1XX", "within_metres": 1000}
        matched = api.post(SEARCH, json=body).json()["items"][0]["matched"]
        assert matched == [{"by": "text", "word": mark}, {"by": "spelling", "word": "trombnoe", "found": "trombone"},
                           {"by": "synonym", "word": "taxi", "found": "taxi"}, {"by": "support_area", "value": "transport"},
                           {"by": "postcode", "value": "NR32 1XX"}]

    def test_counts_by_support_area_and_area_on_request(self, api, entry, mark):
        entry(support_areas=["transport", "meals"], areas_served=["Lowestoft"])
        entry(support_areas=["transport"], areas_served=["Southwold"])
        found = api.get(SERVICES, params={"q": mark, "facets": "support_area,area", "limit": 1}).json()
        assert found["facets"]["support_area"] == [{"value": "transport", "count": 2}, {"value": "meals", "count": 1}]
        assert found["facets"]["area"] == [{"value": "Lowestoft", "count": 1}, {"value": "Southwold", "count": 1}]
        assert "facets" not in api.get(SERVICES, params={"q": mark}).json()

    def test_every_origin_may_read_it_and_the_log_has_no_query(self, api, server, entry, mark):
        response = api.get(SERVICES, params={"q": mark}, headers={"Origin": "https://elsewhere.example"})
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert mark not in server.log()
        preflight = api.options(SEARCH, headers={"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"})
        assert "POST" in preflight.headers["Allow"] and preflight.headers["Access-Control-Allow-Origin"] == "*"

    def test_the_taxonomy_is_for_everybody(self, api):
        terms = {(t["taxonomy"], t["code"]): t for t in api.get("/v1/directory/taxonomy").json()["items"]}
        assert "sitter" in terms["support_area", "sitting_service"]["synonyms"]
        assert {t["taxonomy"] for t in api.get("/v1/directory/taxonomy?taxonomy=need").json()["items"]} == {"need"}


class TestQuery:
    """The private search by the HTTP method QUERY: what POST answers, safe to repeat."""

    JSON = {"Content-Type": "application/json"}

    def test_query_answers_what_post_answers(self, api, entry, mark):
        one = entry("Harpsichord club", support_areas=["transport"])
        body = {"q": mark, "support_area": ["transport"], "facets": ["area"], "limit": 1}

        asked, posted = api.request("QUERY", SEARCH, json=body), api.post(SEARCH, json=body)

        assert asked.status_code == posted.status_code == 200
        assert asked.json() == posted.json() and [item["id"] for item in asked.json()["items"]] == [one]

    def test_query_leads_on_by_the_cursor_in_its_body(self, api, entry, mark):
        made, found, cursor = {entry(), entry(), entry()}, [], {}
        for _ in range(3):
            page = api.request("QUERY", SEARCH, json={"q": mark, "limit": 1, **cursor}).json()
            found += [item["id"] for item in page["items"]]
            cursor = {"cursor": page.get("next_cursor")}

        assert set(found) == made and cursor == {"cursor": None}

    def test_query_works_on_a_bare_socket_in_chunks_and_keeps_the_connection(self, raw):
        connection = raw()
        for _ in range(2):
            answer = connection.request("QUERY", SEARCH, self.JSON, b'{"q":"nothing-is-called-so"}')
            assert answer.status_code == 200 and answer.json() == {"items": [], "found": 0}
        connection.send(f"QUERY {SEARCH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")

        assert connection.chunks(b'{"q":"nothing-', b'is-called-so"}').answer().json() == {"items": [], "found": 0}

    def test_options_and_every_answer_say_that_query_is_answered_and_with_what(self, api):
        options, refused = api.options(SEARCH), api.get(SEARCH)

        assert set(options.headers["Allow"].split(", ")) == {"OPTIONS", "POST", "QUERY"}
        problem(refused, 405, "method-not-allowed")
        assert "QUERY" in refused.headers["Allow"].split(", ")
        for response in (options, refused, api.post(SEARCH, json={"q": "x"}), api.request("QUERY", SEARCH, json={"q": "x"})):
            assert response.headers["Accept-Query"] == "application/json"
        assert "Accept-Query" not in api.options(SERVICES).headers

    @pytest.mark.parametrize("path", [SERVICES, "/v1/carers/search", "/v1/me"])
    def test_elsewhere_query_is_not_allowed(self, api, path):
        refused = api.request("QUERY", path, json={"q": "x"}, **STAFF)

        problem(refused, 405, "method-not-allowed")
        assert "QUERY" not in refused.headers["Allow"]

    def test_query_is_held_to_media_types_and_to_the_schema(self, raw, api):
        problem(raw().request("QUERY", SEARCH, {"Content-Type": "text/plain"}, b"x"), 415, "unsupported-media-type")
        problem(raw().request("QUERY", SEARCH, {}, b"{}"), 415, "unsupported-media-type")
        problem(raw().request("QUERY", SEARCH, self.JSON), 400, "malformed-json")
        problem(raw().request("QUERY", SEARCH, self.JSON, b"{"), 400, "malformed-json")
        problem(api.request("QUERY", SEARCH, json={}, headers={"Accept": "text/html"}), 406, "not-acceptable")
        assert faults(api.request("QUERY", SEARCH, json={"fre": True})) == {("/fre", "additionalProperties")}
        assert faults(api.request("QUERY", f"{SEARCH}?q=x", json={}), 400, "invalid-parameter") == {("/query/q", "additionalProperties")}

    def test_query_needs_no_idempotency_key_and_keeps_no_record_of_one(self, api, db):
        key = str(uuid.uuid4())
        first = api.request("QUERY", SEARCH, json={"q": "first"}, headers={"Idempotency-Key": key}, **STAFF)
        second = api.request("QUERY", SEARCH, json={"q": "second"}, headers={"Idempotency-Key": key}, **STAFF)

        assert first.status_code == second.status_code == 200 and "Idempotency-Replayed" not in second.headers
        db.execute("SELECT count(*) FROM idempotency WHERE key = %s", (key,))
        assert db.fetchone() == (0,)

    def test_no_cache_keeps_an_answer_and_no_log_the_question(self, api, server, entry, mark):
        entry()
        for method in ("QUERY", "POST"):
            response = api.request(method, SEARCH, json={"q": mark})
            assert response.json()["found"] == 1 and response.headers["Cache-Control"] == "no-store"
        assert mark not in server.log()

    def test_a_browser_app_of_any_origin_may_ask_by_query(self, api):
        asks = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "QUERY",
                "Access-Control-Request-Headers": "content-type"}
        preflight = api.options(SEARCH, headers=asks)

        assert preflight.status_code == 204 and preflight.headers["Access-Control-Allow-Origin"] == "*"
        assert "QUERY" in preflight.headers["Access-Control-Allow-Methods"].split(", ")
        assert "content-type" in preflight.headers["Access-Control-Allow-Headers"].lower()
        closed = api.options("/v1/carers/search", headers={**asks, "Access-Control-Request-Method": "POST"})
        assert "Access-Control-Allow-Origin" not in closed.headers

    def test_metrics_count_query_apart_from_post(self, serve, client):
        private = client(serve())
        for method in ("QUERY", "QUERY", "POST"):
            assert private.request(method, SEARCH, json={"q": "x"}).status_code == 200
        private.request("QUERY", SEARCH, json={"fre": 1})

        lines = private.get("/metrics").text.splitlines()

        for labels, count in (('method="QUERY",status="2xx"', 2), ('method="QUERY",status="4xx"', 1), ('method="POST",status="2xx"', 1)):
            assert f'carers_requests_total{{operation="searchServicesPrivately",{labels}}} {count}' in lines
        assert 'carers_request_seconds_count{operation="searchServicesPrivately",method="QUERY"} 3' in lines

    def test_the_contract_says_that_the_path_answers_query(self, api):
        operation = api.get("/openapi.json").json()["paths"][SEARCH]["post"]

        assert operation["x-query"] is True and "`QUERY`" in operation["description"]


class TestUnmetNeeds:
    """What was not found is counted, without its words."""

    def counts(self, api, **who):
        items = api.get("/v1/reports/unmet-needs", **(who or EDITOR)).json()["items"]
        return {(item.get("area"), item.get("support_area")): item["searches"] for item in items}

    def test_it_is_counted_by_area_and_support_area(self, api, postcodes, service):
        service(areas_served=["Halesworth"])
        before = self.counts(api)
        nothing = "qqqqxxxqqq"
        api.get(SERVICES, params={"q": nothing, "support_area": "digital", "area": "Halesworth"})
        api.post(SEARCH, json={"q": nothing, "support_area": ["digital", "meals"], "postcode": "NR32 1XX"})
        api.post(SEARCH, json={"q": nothing, "area": "Ms Jane Doe of 4 Elm Street"})
        after = self.counts(api)
        for key, more in ((("halesworth", "digital"), 1), (("E07000244", "digital"), 1), (("E07000244", "meals"), 1), ((None, None), 1)):
            assert after.get(key, 0) - before.get(key, 0) >= more, key
        assert "jane" not in str(after).lower() and nothing not in str(after)

    def test_what_was_found_is_not_counted(self, api, entry, find):
        entry(support_areas=["advocacy"], areas_served=["Nowhereville"])
        find(support_area=["advocacy"], area="Nowhereville")
        assert ("nowhereville", "advocacy") not in self.counts(api)

    def test_it_is_for_who_plans(self, api):
        assert api.get("/v1/reports/unmet-needs", role="commissioner").status_code == 200
        problem(api.get("/v1/reports/unmet-needs", **STAFF), 403, "forbidden")
        problem(api.get("/v1/reports/unmet-needs"), 401, "unauthenticated")
