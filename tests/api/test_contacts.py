"""createContact, listContacts, getContact: by role, by rule, and what consent to share opens and closes."""
import uuid

import pytest
from support.callers import CALLERS, NOBODY, answer
from support.client import faults, problem
from support.tokens import ISLINGTON

COUNCIL = {"her council", "her council's administrator"}
PARTNER = {"her support worker", "her assessor", "her in-reach team"}
WRITERS = COUNCIL | PARTNER | {"her breaks provider"}
STRANGERS = {"another council", "another council's administrator", "another organisation", "another in-reach team",
             "another carer"}  # she does not exist for them
STAFF = {"role": "practitioner"}
CALL = {"channel": "phone", "direction": "inbound", "reason": "first_contact", "outcome": "navigation"}
FULL = {**CALL, "at": "2026-03-02T10:05:00Z", "needs": ["break_from_caring", "own_health"], "duration_minutes": 25,
        "notes": "Asked about sitting visits.", "practitioner_notes": "Sounded exhausted."}


@pytest.fixture
def record(api):
    """record(carer, members..., role=, org=): a contact recorded over HTTP."""
    def make(carer, role="practitioner", org=None, **members):
        response = api.post(f"/v1/carers/{carer['id']}/contacts", role=role, org=org, json={**CALL, **members})
        assert response.status_code == 201, response.text
        return response.json()
    return make


def ids(response):
    assert response.status_code == 200, response.text
    return [item["id"] for item in response.json()["items"]]


class TestRoles:
    """Every caller asks for every operation."""

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_a_contact_is_recorded_by_who_meets_carers(self, world, caller):
        expected = {**dict.fromkeys(WRITERS, "201"), **dict.fromkeys(STRANGERS - {"another carer"}, "not-found")}

        assert answer(world.ask(caller, "POST", "/contacts", json=CALL)) == expected.get(caller, "forbidden")

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_the_list_is_read_by_who_may_see_her(self, world, caller):
        expected = {**dict.fromkeys(WRITERS | {"herself"}, "200"), **dict.fromkeys(STRANGERS, "not-found")}

        assert answer(world.ask(caller, "GET", "/contacts")) == expected.get(caller, "forbidden")

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_a_councils_contact_is_not_for_organisations(self, world, record, caller):
        expected = {**dict.fromkeys(COUNCIL | {"herself"}, "200"),
                    **dict.fromkeys(PARTNER | STRANGERS | {"her breaks provider"}, "not-found")}

        path = f"/contacts/{record(world.carer)['id']}"

        assert answer(world.ask(caller, "GET", path)) == expected.get(caller, "forbidden")

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_an_organisations_contact_is_for_it_its_council_and_herself(self, world, record, caller):
        expected = {**dict.fromkeys(WRITERS | {"herself"}, "200"), **dict.fromkeys(STRANGERS, "not-found")}

        path = f"/contacts/{record(world.carer, role='support_worker', org=world.org)['id']}"

        assert answer(world.ask(caller, "GET", path)) == expected.get(caller, "forbidden")

    @pytest.mark.parametrize("method, path, body", [("GET", "/contacts", None), ("POST", "/contacts", CALL),
                                                    ("GET", f"/contacts/{NOBODY}", None)])
    def test_a_carer_who_is_not_there_has_none(self, world, method, path, body):
        assert answer(world.ask("her council", method, f"/v1/carers/{NOBODY}{path}", json=body)) == "not-found"

    @pytest.mark.parametrize("scope, method, path, body", [
        ("carers:write", "GET", "/contacts", None), ("carers:write", "GET", f"/contacts/{NOBODY}", None),
        ("carers:read", "POST", "/contacts", CALL)])
    def test_the_scope_is_asked_for(self, world, scope, method, path, body):
        assert answer(world.ask("her council", method, path, scope=scope, json=body)) == "insufficient-scope"


class TestCreate:
    """createContact."""

    def test_what_was_recorded_is_read_where_location_says(self, api, carer):
        one = carer()

        made = api.post(f"/v1/carers/{one['id']}/contacts", json=FULL, **STAFF)

        assert made.status_code == 201, made.text
        body = made.json()
        assert body == {**FULL, "at": "2026-03-02T10:05:00.000Z", "id": body["id"], "carer_id": one["id"],
                        "recorded_by": {"role": "practitioner"}, "created_at": body["created_at"]}
        read = api.get(made.headers["Location"], **STAFF)
        assert read.json() == body and read.headers["ETag"] == made.headers["ETag"]
        assert api.get(made.headers["Location"], headers={"If-None-Match": made.headers["ETag"]}, **STAFF).status_code == 304

    def test_without_a_time_it_is_now(self, carer, record):
        body = record(carer())

        assert body["at"][:16] == body["created_at"][:16]

    @pytest.mark.parametrize("lacks", list(CALL))
    def test_how_and_why_are_asked_for(self, api, carer, lacks):
        body = {name: value for name, value in CALL.items() if name != lacks}

        assert faults(api.post(f"/v1/carers/{carer()['id']}/contacts", json=body, **STAFF)) == {("", "required")}

    @pytest.mark.parametrize("member, value", [
        ("channel", "fax"), ("direction", "both"), ("reason", ""), ("outcome", "lost"), ("duration_minutes", 0),
        ("duration_minutes", 1441), ("notes", ""), ("notes", "x" * 5001), ("at", "yesterday"), ("recorded_by", {}),
        ("organisation_id", NOBODY), ("corrects_contact_id", "1"), ("needs", ["a rest"])])
    def test_what_is_no_value_or_not_for_clients_is_refused(self, api, carer, member, value):
        found = faults(api.post(f"/v1/carers/{carer()['id']}/contacts", json={**CALL, member: value}, **STAFF))

        assert {pointer.split("/")[1] for pointer, _ in found} == {member}

    def test_a_contact_has_been(self, api, carer):
        response = api.post(f"/v1/carers/{carer()['id']}/contacts", json={**CALL, "at": "2090-01-01T00:00:00Z"}, **STAFF)

        assert faults(response) == {("/at", "rule")}

    def test_a_carer_whose_record_is_closed_may_call_back(self, api, carer, record):
        one = carer()
        api.post(f"/v1/carers/{one['id']}/close", json={"reason": "lost_contact"}, **STAFF)

        assert record(one)["carer_id"] == one["id"]

    def test_a_wrong_one_is_corrected_by_another_once(self, api, carer, record):
        one = carer()
        wrong = record(one)

        right = record(one, corrects_contact_id=wrong["id"], outcome="referral")

        assert right["corrects_contact_id"] == wrong["id"]
        again = api.post(f"/v1/carers/{one['id']}/contacts", json={**CALL, "corrects_contact_id": wrong["id"]}, **STAFF)
        assert "corrected already" in problem(again, 409, "conflict")["detail"]
        record(one, corrects_contact_id=right["id"])
        for method in ("PATCH", "PUT", "DELETE"):
            problem(api.request(method, f"/v1/carers/{one['id']}/contacts/{wrong['id']}", **STAFF), 405, "method-not-allowed")

    def test_what_another_side_recorded_is_not_corrected(self, api, carer, organisation, record):
        org = organisation()
        one = carer(role="support_worker", org=org)
        theirs = record(one, role="support_worker", org=org)

        response = api.post(f"/v1/carers/{one['id']}/contacts", json={**CALL, "corrects_contact_id": theirs["id"]}, **STAFF)

        assert faults(response) == {("/corrects_contact_id", "rule")}

    def test_the_same_key_gives_the_first_answer_again(self, api, carer):
        path, headers = f"/v1/carers/{carer()['id']}/contacts", {"Idempotency-Key": str(uuid.uuid4())}

        first, second = (api.post(path, json=CALL, headers=headers, **STAFF) for _ in range(2))

        assert first.json() == second.json() and second.headers["Idempotency-Replayed"] == "true"
        assert len(ids(api.get(path, **STAFF))) == 1


class TestReads:
    """listContacts, getContact."""

    def test_she_reads_what_was_noted_but_not_the_practitioners_notes(self, api, carer, record):
        one = carer()
        made = record(one, **FULL)
        caller = {"role": "carer", "carer": one["id"]}

        shown = api.get(f"/v1/carers/{one['id']}/contacts/{made['id']}", **caller).json()

        assert shown == {name: value for name, value in made.items() if name != "practitioner_notes"}
        assert api.get(f"/v1/carers/{one['id']}/contacts", **caller).json()["items"] == [shown]

    def test_a_breaks_provider_reads_its_own_and_writes_no_practitioners_notes(self, api, carer, organisation, grant, db):
        one, org = carer(), organisation(kind="breaks_provider")
        grant(one["id"], org)
        path, caller = f"/v1/carers/{one['id']}/contacts", {"role": "break_provider", "org": org,
                                                           "scope": "carers:read carers:write"}

        made = api.post(path, json=CALL, **caller).json()

        assert ids(api.get(path, **caller)) == [made["id"]]
        assert faults(api.post(path, json=FULL, **caller)) == {("/practitioner_notes", "rule")}

    def test_others_contacts_are_seen_while_she_shares_them(self, api, carer, organisation, grant, record, db):
        one, mine, other = carer(), organisation(), organisation()
        for org in (mine, other):
            grant(one["id"], org)
        own, theirs = (record(one, role="support_worker", org=org) for org in (mine, other))
        councils = record(one, practitioner_notes="for colleagues")
        path, caller = f"/v1/carers/{one['id']}/contacts", {"role": "support_worker", "org": mine}
        assert ids(api.get(path, **caller)) == [own["id"]]

        db.execute("INSERT INTO consent (id, carer_id, council, purpose, method, wording_version) VALUES"
                   " (gen_random_uuid(), %s, %s, 'share_between_services', 'verbal', 'v1')", (one["id"], ISLINGTON))
        assert ids(api.get(path, **caller)) == [councils["id"], theirs["id"], own["id"]]
        assert api.get(f"{path}/{councils['id']}", **caller).json()["practitioner_notes"] == "for colleagues"

        db.execute("UPDATE consent SET ended_at = now(), ended_how = 'withdrawn' WHERE carer_id = %s", (one["id"],))
        assert ids(api.get(path, **caller)) == [own["id"]]
        problem(api.get(f"{path}/{theirs['id']}", **caller), 404, "not-found")

    @pytest.mark.parametrize("query, wanted", [("channel=sms", [2, 1]), ("reason=review", [2, 0]), ("outcome=no_answer", [1]),
                                               ("channel=sms&reason=review", [2]), ("channel=web", [])])
    def test_the_list_is_filtered(self, api, carer, record, query, wanted):
        one = carer()
        made = [record(one, reason="review")["id"], record(one, channel="sms", outcome="no_answer")["id"],
                record(one, channel="sms", reason="review")["id"]]

        assert ids(api.get(f"/v1/carers/{one['id']}/contacts?{query}", **STAFF)) == [made[number] for number in wanted]

    @pytest.mark.parametrize("query", ["", "updated_since=2020-01-01T00:00:00Z&", "channel=phone&"])
    def test_pages_lead_to_the_end_by_their_links(self, api, carer, record, query):
        one = carer()
        made = [record(one)["id"] for _ in range(5)]

        found, path = [], f"/v1/carers/{one['id']}/contacts?{query}limit=2"
        while path:
            response = api.get(path, **STAFF)
            found += ids(response)
            path = response.headers["Link"].split("<")[1].split(">")[0] if "Link" in response.headers else None

        assert found == (made if "since" in query else made[::-1])

    @pytest.mark.parametrize("query, name", [("channel=fax", "channel"), ("reason=x", "reason"), ("outcome=x", "outcome"),
                                             ("limit=0", "limit"), ("updated_since=now", "updated_since")])
    def test_a_wrong_parameter_is_named(self, api, carer, query, name):
        response = api.get(f"/v1/carers/{carer()['id']}/contacts?{query}", **STAFF)

        assert {pointer for pointer, _ in faults(response, 400, "invalid-parameter")} == {f"/query/{name}"}

    def test_under_another_carer_it_is_not_there(self, api, carer, record):
        made = record(carer())

        problem(api.get(f"/v1/carers/{carer()['id']}/contacts/{made['id']}", **STAFF), 404, "not-found")

    @pytest.mark.parametrize("single", [False, True])
    def test_a_read_leaves_its_audit_row(self, api, carer, record, db, single):
        one, ident = carer(), f"contact-{uuid.uuid4()}"
        made = record(one)

        api.get(f"/v1/carers/{one['id']}/contacts" + (f"/{made['id']}" if single else ""),
                headers={"X-Request-ID": ident}, **STAFF)

        db.execute("SELECT action, council, carer_ids::text[] FROM audit_entry WHERE request = %s", (ident,))
        assert db.fetchall() == [("getContact" if single else "listContacts", ISLINGTON, [one["id"]])]
