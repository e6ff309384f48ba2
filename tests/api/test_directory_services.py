"""Services and organisations of the directory over HTTP: who sees, makes, publishes, assures; what is refused. Rules D2, D3."""
import datetime

import pytest
from support.callers import answer
from support.client import faults, problem
from support.directory import (ADMIN, EDITOR, ORGANISATIONS, OTHER_EDITOR, SERVICES, STAFF, organisation_body, place,
                               service_body)
from support.tokens import CAMDEN, ISLINGTON

PUBLIC = {}
TODAY = datetime.date.today().isoformat()


@pytest.fixture
def own(listed):
    return {"role": "vcfse_editor", "org": listed["id"]}


def path_of(one, action=""):
    return f"{SERVICES}/{one['id']}" + (f"/{action}" if action else "")


class TestServices:
    """Drafts, published ones, archived ones."""

    def test_an_entry_is_a_draft_then_published_then_found_by_the_public(self, api, listed):
        made = api.post(SERVICES, json=service_body(listed["id"], locations=[place()]), **EDITOR)
        one = made.json()
        assert made.status_code == 201 and made.headers["Location"].endswith(one["id"])
        assert (one["state"], one["currency"], one["available_actions"]) == ("draft", "stale", ["update", "publish", "assure", "archive"])
        problem(api.get(path_of(one)), 404, "not-found")

        shown = api.post(path_of(one, "publish"), json={}, **EDITOR).json()

        assert (shown["state"], shown["currency"], shown["assured_on"]) == ("published", "fresh", TODAY)
        public = api.get(path_of(one))
        assert public.json()["available_actions"] == [] and public.headers["Access-Control-Allow-Origin"] == "*"
        assert api.get(path_of(one), headers={"If-None-Match": public.headers["ETag"]}).status_code == 304

    def test_places_are_found_by_their_postcode_and_everything_in_lists_has_an_id(self, api, listed):
        body = service_body(listed["id"], locations=[place("nr321xx"), place(latitude=52.0, longitude=1.0)],
                            contacts=[{"name": "Desk", "phones": [{"number": "+441632960201"}]}])
        one = api.post(SERVICES, json=body, **EDITOR).json()

        first, second = one["locations"]
        assert (first["postcode"], first["latitude"], first["longitude"]) == ("NR32 1XX", 52.4811, 1.7534)
        assert (second["latitude"], second["longitude"]) == (52.0, 1.0)
        ids = {first["id"], first["service_at_location_id"], second["id"], second["service_at_location_id"], one["contacts"][0]["id"],
               one["contacts"][0]["phones"][0]["id"]}
        assert len(ids) == 6
        again = api.patch(path_of(one), etag="*", json={"locations": [first]}, **EDITOR).json()
        assert again["locations"] == [first]

    @pytest.mark.parametrize("members, pointer", [
        ({"locations": [{"kind": "physical", "postcode": "ZZ1 1ZZ"}]}, "/locations/0/postcode"),
        ({"locations": [{"kind": "physical", "latitude": 91, "longitude": 0}]}, "/locations/0/latitude"),
        ({"locations": [{"kind": "physical", "latitude": 51.5}]}, "/locations/0/latitude"),
        ({"support_areas": ["transport", "teleport"]}, "/support_areas/1"), ({"access_routes": ["by_ship"]}, "/access_routes/0"),
        ({"eligibility": {"minimum_age": 60, "maximum_age": 18}}, "/eligibility/maximum_age"),
        ({"schedule": [{"freq": "MONTHLY", "bymonthday": "31", "valid_from": "2026-02-01", "valid_to": "2026-02-28"}]}, "/schedule/0"),
        ({"schedule": [{"freq": "WEEKLY", "byday": "MO", "valid_from": "2026-02-01", "valid_to": "2026-01-31"}]}, "/schedule/0/valid_to"),
        ({"schedule": [{"freq": "WEEKLY", "byday": "MO"}, {"freq": "WEEKLY", "opens_at": "10:00"}]}, "/schedule/1"),
        ({"organisation_id": "019a98d2-cd00-7000-8000-00000000dead"}, "/organisation_id"), ({"council": CAMDEN}, "/council")],
        ids=lambda value: value if isinstance(value, str) else next(iter(value)))
    def test_what_cannot_be_is_named(self, api, listed, members, pointer):
        assert pointer in {p for p, _ in faults(api.post(SERVICES, json=service_body(**{"organisation_id": listed["id"], **members}), **EDITOR))}

    def test_all_schedules_that_never_happen_are_told_at_once(self, api, listed):
        never = {"freq": "MONTHLY", "bymonthday": "31", "valid_from": "2026-02-01", "valid_to": "2026-02-28"}
        response = api.post(SERVICES, json=service_body(listed["id"], schedule=[never, {"freq": "WEEKLY", "byday": "MO"}, never]), **EDITOR)
        assert {p for p, _ in faults(response)} == {"/schedule/0", "/schedule/2"}

    @pytest.mark.parametrize("action, slug", [("publish", "state-conflict"), ("archive", "200"), ("assure", "200")])
    def test_what_is_published_is_not_published_again(self, api, service, action, slug):
        assert answer(api.post(path_of(service(), action), json={"reason": "x"} if action == "archive" else {}, **EDITOR)) == slug

    def test_what_is_archived_is_gone_and_comes_back_by_publishing(self, api, service):
        one = service()
        assert api.post(path_of(one, "archive"), json={"reason": "Closed."}, **EDITOR).json()["state_reason"] == "Closed."
        problem(api.get(path_of(one)), 404, "not-found")
        problem(api.patch(path_of(one), etag="*", json={"name": "x"}, **EDITOR), 409, "state-conflict")
        problem(api.post(path_of(one, "assure"), json={}, **EDITOR), 409, "state-conflict")
        assert api.post(path_of(one, "publish"), json={}, **EDITOR).json()["state"] == "published"

    def test_a_patch_needs_its_etag_and_replaces_what_it_names(self, api, service):
        one = service(capacity="yes", offers=["lifts"], email="a@example.org")
        problem(api.patch(path_of(one), json={"capacity": "no"}, **EDITOR), 428, "precondition-required")
        problem(api.patch(path_of(one), etag='"v1"', json={"capacity": "no"}, **EDITOR), 412, "precondition-failed")
        changed = api.patch(path_of(one), etag="*", json={"capacity": "no", "offers": None, "email": None}, **EDITOR).json()
        assert changed["capacity"] == "no" and "offers" not in changed and "email" not in changed

    def test_changes_are_in_the_audit_trail_of_the_council(self, api, service, db):
        one = service()
        api.patch(path_of(one), etag="*", json={"capacity": "waitlist"}, **EDITOR)
        db.execute("SELECT after FROM audit_entry WHERE subject_table = 'service' AND council = %s AND action = 'updateService'"
                   " AND target = %s", (ISLINGTON, one["id"]))
        assert [row[0] for row in db.fetchall()] == [{"capacity": "waitlist"}]


CALLERS = {"its editor": EDITOR, "its administrator": ADMIN, "a practitioner": STAFF, "another council's editor": OTHER_EDITOR,
           "another council's practitioner": {"role": "practitioner", "council": CAMDEN}, "its organisation": "own",
           "another organisation": "other", "a support worker": "partner", "a carer": {"role": "carer"}, "a commissioner": {"role": "commissioner"},
           "the public": PUBLIC}


class TestRoles:
    """Who reads and who does what, by state."""

    @pytest.fixture
    def caller(self, own, listed, organisation, carer):
        def of(name):
            claims = {"own": own, "other": {"role": "vcfse_editor", "org": organisation()},
                      "partner": {"role": "support_worker", "org": organisation()}}
            found = CALLERS[name]
            found = claims.get(found, found) if isinstance(found, str) else found
            return {**found, "carer": carer()["id"]} if found.get("role") == "carer" else found
        return of

    @pytest.mark.parametrize("state", ["draft", "published", "confidential", "archived"])
    @pytest.mark.parametrize("name", list(CALLERS))
    def test_an_entry_is_read_by_who_may(self, api, service, caller, name, state):
        one = service(state="published" if state == "confidential" else state, confidential=state == "confidential")
        keepers = {"its editor", "its administrator", "its organisation"}
        seen = {"published": set(CALLERS), "confidential": keepers | {"a practitioner"}}.get(state, keepers)

        assert answer(api.get(path_of(one), **caller(name))) == ("200" if name in seen else "not-found")

    @pytest.mark.parametrize("action", ["update", "publish", "archive", "assure"])
    @pytest.mark.parametrize("name", list(CALLERS))
    def test_a_published_entry_is_changed_by_who_keeps_it(self, api, service, caller, name, action):
        one, asks = service(), caller(name)
        if asks:
            asks = {**asks, "scope": "directory:write directory:publish"}

        if action == "update":
            got = answer(api.patch(path_of(one), etag="*", json={"capacity": "no"}, **asks))
        else:
            got = answer(api.post(path_of(one, action), json={"reason": "x"} if action == "archive" else {}, **asks))

        editors = {"its editor", "its administrator"}
        organisation = {"update": "202", "assure": "200"}.get(action, "forbidden")
        expected = {**dict.fromkeys(editors, "state-conflict" if action == "publish" else "200"), "its organisation": organisation,
                    "the public": "unauthenticated"}
        assert got == expected.get(name, "forbidden")

    @pytest.mark.parametrize("name", list(CALLERS))
    def test_an_entry_is_added_by_the_council_and_by_the_organisation_for_itself(self, api, listed, caller, name):
        asks = caller(name)
        response = api.post(SERVICES, json=service_body(listed["id"]), **({**asks, "scope": "directory:write"} if asks else asks))

        expected = {"its editor": "201", "its administrator": "201", "its organisation": "201", "the public": "unauthenticated",
                    "another council's editor": "validation-failed"}
        got = answer(response)
        if name == "another council's editor":
            assert got == "validation-failed"
        else:
            assert got == expected.get(name, "forbidden")

    def test_a_practitioner_finds_the_confidential_entries_of_her_council(self, api, service, listed):
        one = service(confidential=True)
        service(state="draft")
        query = f"/v1/directory/entries?confidential=true&organisation_id={listed['id']}"
        assert [item["id"] for item in api.get(query, **STAFF).json()["items"]] == [one["id"]]
        assert api.get(query, role="practitioner", council=CAMDEN).json()["items"] == []
        problem(api.get(query, role="commissioner"), 403, "forbidden")

    def test_another_organisations_draft_does_not_exist_for_an_editor(self, api, service, caller):
        one = service(state="draft")
        problem(api.patch(path_of(one), etag="*", json={"capacity": "no"}, **caller("another organisation")), 404, "not-found")
        problem(api.post(path_of(one, "assure"), json={}, **caller("another organisation")), 404, "not-found")

    def test_a_bad_token_is_refused_where_none_is_needed(self, api, service):
        problem(api.get(path_of(service()), token="x.y.z"), 401, "unauthenticated")


class TestOrganisations:
    """A listed organisation is an organisation."""

    def test_it_is_listed_read_and_changed(self, api):
        made = api.post(ORGANISATIONS, json=organisation_body(identifiers=[{"identifier_type": "Charity number", "identifier": "0"}]), **EDITOR)
        one = made.json()
        assert made.status_code == 201 and one["identifiers"][0]["id"]
        assert api.get(f"{ORGANISATIONS}/{one['id']}").json()["name"] == one["name"]
        changed = api.patch(f"{ORGANISATIONS}/{one['id']}", etag=made.headers["ETag"], json={"carer_friendly_employer": "gold"}, **EDITOR)
        assert changed.json()["carer_friendly_employer"] == "gold"
        problem(api.patch(f"{ORGANISATIONS}/{one['id']}", etag=made.headers["ETag"], json={"name": "x"}, **EDITOR), 412, "precondition-failed")
        problem(api.patch(f"{ORGANISATIONS}/{one['id']}", etag="*", json={"name": "x"}, **OTHER_EDITOR), 403, "forbidden")

    def test_its_token_proposes(self, api, listed, own):
        response = api.patch(f"{ORGANISATIONS}/{listed['id']}", etag="*", json={"name": "Another name"}, **own)
        assert response.status_code == 202 and response.json()["diff"] == [{"field": "name", "from": listed["name"], "to": "Another name"}]

    def test_an_organisation_that_is_archived_takes_its_entries_along(self, api, listed, service):
        one = service()
        api.patch(f"{ORGANISATIONS}/{listed['id']}", etag="*", json={"state": "archived"}, **EDITOR)
        assert api.get(path_of(one), **EDITOR).json()["state"] == "archived"
        problem(api.get(path_of(one)), 404, "not-found")

    def test_a_confidential_one_hides_its_entries(self, api, listed, service):
        one = service()
        api.patch(f"{ORGANISATIONS}/{listed['id']}", etag="*", json={"confidential": True}, **EDITOR)
        problem(api.get(path_of(one)), 404, "not-found")
        problem(api.get(f"{ORGANISATIONS}/{listed['id']}"), 404, "not-found")
        assert api.get(path_of(one), **EDITOR).json()["confidential"] is True

    def test_organisations_that_are_not_listed_are_not_shown(self, api, organisation):
        problem(api.get(f"{ORGANISATIONS}/{organisation()}"), 404, "not-found")

    def test_they_are_listed_by_words_of_their_name(self, api):
        one = api.post(ORGANISATIONS, json=organisation_body(name="Zephyr Lifts"), **EDITOR).json()
        draft = api.post(ORGANISATIONS, json=organisation_body(name="Zephyr Drafts", state="draft"), **EDITOR).json()
        found = {item["id"] for item in api.get(f"{ORGANISATIONS}?q=zephyr").json()["items"]}
        assert one["id"] in found and draft["id"] not in found
        assert draft["id"] in {item["id"] for item in api.get(f"{ORGANISATIONS}?q=zephyr", **EDITOR).json()["items"]}


class TestCurrency:
    """Fresh, due, stale; the work list; how good the directory is."""

    @pytest.mark.parametrize("days, currency", [(0, "fresh"), (89, "fresh"), (90, "due"), (180, "due"), (181, "stale")])
    def test_it_goes_by_the_days_since_it_was_assured(self, api, service, assured, days, currency):
        one = service()
        assured(one, days)
        assert api.get(path_of(one)).json()["currency"] == currency
        listing = api.get(f"/v1/directory/entries?currency={currency}&organisation_id={one['organisation_id']}", **EDITOR).json()["items"]
        assert [item["id"] for item in listing] == [one["id"]] and 0 <= listing[0]["completeness"] <= 100
        others = {"fresh", "due", "stale"} - {currency}
        for other in others:
            assert api.get(f"/v1/directory/entries?currency={other}&organisation_id={one['organisation_id']}", **EDITOR).json()["items"] == []

    def test_the_work_list_begins_with_what_was_assured_longest_ago(self, api, service, assured):
        ids = []
        for days in (200, 100, 10):
            ids.append(service()["id"])
            assured({"id": ids[-1]}, days)
        org = api.get(path_of({"id": ids[0]})).json()["organisation_id"]
        seen, url = [], f"/v1/directory/entries?limit=1&organisation_id={org}"
        while url:
            page = api.get(url, **EDITOR).json()
            seen += [item["id"] for item in page["items"]]
            url = page.get("next_cursor") and f"/v1/directory/entries?limit=1&organisation_id={org}&cursor={page['next_cursor']}"
        assert seen == ids

    def test_who_assures_is_told(self, api, service, assured, own):
        one = service()
        assured(one, 200)
        fresh = api.post(path_of(one, "assure"), json={}, **own).json()
        assert (fresh["currency"], fresh["assured_by"]) == ("fresh", "organisation")

    def test_quality_is_told_per_council(self, api, service, assured):
        before = {item["council"]: item for item in api.get("/v1/directory/quality", **EDITOR).json()["items"]}.get(ISLINGTON, {})
        assured(service(), 200)
        service()
        after = {item["council"]: item for item in api.get("/v1/directory/quality", **EDITOR).json()["items"]}[ISLINGTON]
        assert after["published"] == before.get("published", 0) + 2 and after["stale"] == before.get("stale", 0) + 1
        assert answer(api.get("/v1/directory/quality", **STAFF)) == "forbidden"
