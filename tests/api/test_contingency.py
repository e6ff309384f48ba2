"""Contingency plans: put whole, read by who helps, masked in the trail; and emergency access, by in-reach teams with a reason."""
import datetime
import threading
import uuid

import pytest
from support.callers import CALLERS, answer
from support.client import faults, problem
from support.tokens import CAMDEN
from test_audit import only, request_id, trail  # noqa: F401 (a fixture)

COUNCIL = {"her council", "her council's administrator"}
PARTNER = {"her support worker", "her assessor", "her in-reach team"}
PROVIDER, HERSELF = {"her breaks provider"}, {"herself"}
ELSEWHERE = {"another council", "another council's administrator", "another organisation", "another in-reach team",
             "another carer"}
LEAST = {"emergency_contacts": [{"name": "Joan Petty", "relationship": "neighbour", "phone": "+441632960177"}],
         "instructions": "Call Joan, then the council's duty team."}
FULL = {
    "emergency_contacts": [
        {"name": "Zoë Rahman", "relationship": "daughter", "phone": "+447700900188", "email": "zoe@example.org",
         "holds_key": True, "has_agreed": True},
        {"name": "Joan Petty", "relationship": "neighbour", "phone": "+441632960177"}],
    "instructions": "Call Zoë first.\nShe comes within the hour.", "cared_for_needs": "Tablets at 8 and 20 o'clock.",
    "medication_location": "Over the kettle.", "access_notes": "Key safe left of the door.",
    "who_knows": [{"name": "Joan Petty", "has_copy": True}, {"organisation": "Invented Lane Surgery"}],
    "session_held_on": "2026-03-02", "reviewed_on": "2026-03-04", "review_due_on": "2026-09-04"}
OPEN = {name: value for name, value in FULL.items() if name != "access_notes"}  # what every role that writes may send
REASON = {"reason": "Admitted by ambulance; her mother is alone at home."}
STAFF = {"role": "practitioner"}


def plan_of(one):
    return f"/v1/carers/{one['id']}/contingency-plan"


def emergency(one):
    return f"/v1/carers/{one['id']}/emergency-access"


def today(days=0):
    return (datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=days)).isoformat()


@pytest.fixture
def planned(api, carer):
    """planned(plan, ...): a carer with that plan."""
    def make(plan=FULL, **members):
        one = carer(**members)
        made = api.put(plan_of(one), role="practitioner", council=one["council"], json=plan)
        assert made.status_code == 201, made.text
        return one
    return make


@pytest.fixture
def closed(api, carer):
    """A carer whose record is closed, with a plan from before."""
    one = carer()
    assert api.put(plan_of(one), **STAFF, json=FULL).status_code == 201
    assert api.post(f"/v1/carers/{one['id']}/close", **STAFF, json={"reason": "moved_away"}).status_code == 200
    return one


class TestRoles:
    """Every caller, every operation."""

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_a_plan_is_read_by_who_may_see_the_carer(self, api, world, caller):
        api.put(plan_of(world.carer), **STAFF, json=FULL)
        expected = {**dict.fromkeys(COUNCIL | PARTNER | PROVIDER | HERSELF, "200"), **dict.fromkeys(ELSEWHERE, "not-found")}

        assert answer(world.ask(caller, "GET", "/contingency-plan")) == expected.get(caller, "forbidden")

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_a_plan_is_made_by_who_helps_the_carer_and_by_herself(self, world, caller):
        expected = {**dict.fromkeys(COUNCIL | PARTNER | HERSELF, "201"), **dict.fromkeys(ELSEWHERE, "not-found")}

        assert answer(world.ask(caller, "PUT", "/contingency-plan", json=LEAST)) == expected.get(caller, "forbidden")

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_a_plan_is_replaced_by_the_same(self, api, world, caller):
        api.put(plan_of(world.carer), **STAFF, json=FULL)
        expected = {**dict.fromkeys(COUNCIL | PARTNER | HERSELF, "200"), **dict.fromkeys(ELSEWHERE, "not-found")}

        response = world.ask(caller, "PUT", "/contingency-plan", json=LEAST, headers={"If-Match": '"v1"'})

        assert answer(response) == expected.get(caller, "forbidden")

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_the_glass_is_broken_by_in_reach_teams_alone(self, world, caller):
        expected = dict.fromkeys({"her in-reach team", "another in-reach team"}, "200")

        assert answer(world.ask(caller, "POST", "/emergency-access", json=REASON)) == expected.get(caller, "forbidden")

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_emergency_access_is_listed_for_the_council_and_the_carer(self, world, caller):
        strangers = {"another council", "another council's administrator", "another carer"}
        expected = {**dict.fromkeys(COUNCIL | HERSELF, "200"), **dict.fromkeys(strangers, "not-found")}

        assert answer(world.ask(caller, "GET", "/emergency-access")) == expected.get(caller, "forbidden")

    @pytest.mark.parametrize("method, path, scope", [("GET", "/contingency-plan", "carers:write"),
                                                     ("PUT", "/contingency-plan", "carers:read"),
                                                     ("POST", "/emergency-access", "carers:write"),
                                                     ("GET", "/emergency-access", "carers:write")])
    def test_each_operation_wants_its_scope(self, world, method, path, scope):
        caller = "her in-reach team" if method == "POST" else "her council"

        assert answer(world.ask(caller, method, path, json=LEAST, scope=scope)) == "insufficient-scope"


class TestPut:
    """putContingencyPlan: the first makes, the others replace."""

    def test_the_first_put_makes_the_plan_and_says_where_it_is(self, api, carer):
        one = carer()

        made = api.put(plan_of(one), **STAFF, json=FULL)

        assert made.status_code == 201 and made.headers["Location"].endswith(plan_of(one))
        assert {name: made.json()[name] for name in FULL} == FULL and made.json()["carer_id"] == one["id"]
        read = api.get(made.headers["Location"], **STAFF)
        assert read.json() == made.json() and read.headers["ETag"] == made.headers["ETag"]
        assert api.get(plan_of(one), **STAFF, headers={"If-None-Match": read.headers["ETag"]}).status_code == 304

    def test_the_least_is_enough_and_what_is_absent_is_absent(self, api, carer):
        one = carer()

        body = api.put(plan_of(one), **STAFF, json=LEAST).json()

        assert body.keys() == LEAST.keys() | {"carer_id", "created_at", "updated_at"}

    def test_a_second_put_replaces_the_whole(self, api, planned):
        one = planned()
        etag = api.get(plan_of(one), **STAFF).headers["ETag"]

        changed = api.put(plan_of(one), **STAFF, json=LEAST, headers={"If-Match": etag})

        assert changed.status_code == 200 and "Location" not in changed.headers and changed.headers["ETag"] != etag
        assert changed.json().keys() == LEAST.keys() | {"carer_id", "created_at", "updated_at"}

    def test_without_if_match_nothing_is_replaced(self, api, planned):
        one = planned()

        problem(api.put(plan_of(one), **STAFF, json=LEAST), 428, "precondition-required")

        assert api.get(plan_of(one), **STAFF).json()["instructions"] == FULL["instructions"]

    def test_a_stale_version_is_refused_before_any_rule(self, api, planned):
        one, wrong = planned(), {**LEAST, "reviewed_on": today(2)}

        problem(api.put(plan_of(one), **STAFF, json=wrong, headers={"If-Match": '"v7"'}), 412, "precondition-failed")

    @pytest.mark.parametrize("wanted", ['"v1"', "*"])
    def test_with_if_match_nothing_is_made(self, api, carer, wanted):
        problem(api.put(plan_of(carer()), **STAFF, json=LEAST, headers={"If-Match": wanted}), 412, "precondition-failed")

    def test_the_same_again_leaves_the_version(self, api, planned, trail):  # noqa: F811
        one, (ident, headers) = planned(), request_id()

        again = api.put(plan_of(one), **STAFF, json=FULL, headers={**headers, "If-Match": '"v1"'})

        assert again.status_code == 200 and again.headers["ETag"] == '"v1"' and trail(ident) == []

    def test_of_eight_first_puts_one_makes_the_plan(self, server, client, carer):
        one, answers, start = carer(), [], threading.Barrier(8)

        def put():
            own = client(server)
            start.wait()
            answers.append(own.put(plan_of(one), **STAFF, json=LEAST))
        threads = [threading.Thread(target=put) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(a.status_code for a in answers) == [201] + [428] * 7
        for refused in (a for a in answers if a.status_code == 428):
            problem(refused, 428, "precondition-required")

    def test_the_record_of_a_closed_carer_does_not_change(self, api, closed):
        body = problem(api.put(plan_of(closed), **STAFF, json=LEAST, headers={"If-Match": '"v1"'}), 409, "state-conflict")

        assert body["state"] == "closed" and body["detail"] == "the record of a closed carer does not change"
        assert api.get(plan_of(closed), **STAFF).status_code == 200

    def test_no_plan_is_another_sentence_than_no_carer(self, api, carer):
        nobody = {"id": str(uuid.uuid4())}

        missing = problem(api.get(plan_of(carer()), **STAFF), 404, "not-found")
        unknown = problem(api.get(plan_of(nobody), **STAFF), 404, "not-found")

        assert (missing["detail"], unknown["detail"]) == ("no contingency plan is on record", "no carer has this id")
        problem(api.put(plan_of(nobody), **STAFF, json=LEAST), 404, "not-found")


class TestRules:
    """What a plan holds, and who reads which of it."""

    @pytest.mark.parametrize("change, fault", [
        ({"emergency_contacts": []}, ("/emergency_contacts", "minItems")),
        ({"emergency_contacts": LEAST["emergency_contacts"] * 11}, ("/emergency_contacts", "maxItems")),
        ({"emergency_contacts": [{"name": "A", "relationship": "b"}]}, ("/emergency_contacts/0", "required")),
        ({"emergency_contacts": [{"name": " ", "relationship": "b", "phone": "999"}]}, ("/emergency_contacts/0/name", "pattern")),
        ({"instructions": ""}, ("/instructions", "minLength")), ({"instructions": "\n "}, ("/instructions", "pattern")),
        ({"who_knows": [{"name": "A", "organisation": "B"}]}, ("/who_knows/0", "oneOf")),
        ({"who_knows": [{"has_copy": True}]}, ("/who_knows/0", "oneOf")),
        ({"reviewed_on": "2026-02-30"}, ("/reviewed_on", "format")), ({"version": 1}, ("/version", "additionalProperties")),
        ({"session_held_on": today(2)}, ("/session_held_on", "rule")), ({"reviewed_on": today(2)}, ("/reviewed_on", "rule")),
        ({"reviewed_on": "2026-03-04", "review_due_on": "2026-03-04"}, ("/review_due_on", "rule"))], ids=str)
    def test_what_does_not_hold_is_named(self, api, carer, change, fault):
        assert fault in faults(api.put(plan_of(carer()), **STAFF, json={**LEAST, **change}))

    @pytest.mark.parametrize("missing", list(LEAST))
    def test_whom_to_call_and_what_to_do_are_asked_for(self, api, carer, missing):
        body = {name: value for name, value in LEAST.items() if name != missing}

        assert {keyword for _, keyword in faults(api.put(plan_of(carer()), **STAFF, json=body))} == {"required"}

    def test_a_review_is_due_twelve_months_later_unless_it_is_said(self, api, carer):
        for sent, due in (({"reviewed_on": "2024-02-29"}, "2025-02-28"), ({"review_due_on": "2030-01-01"}, "2030-01-01"),
                          ({"reviewed_on": "2026-03-04", "review_due_on": "2026-06-04"}, "2026-06-04"), ({}, None)):
            assert api.put(plan_of(carer()), **STAFF, json={**LEAST, **sent}).json().get("review_due_on") == due

    def test_an_empty_list_of_who_knows_is_absent(self, api, carer):
        assert "who_knows" not in api.put(plan_of(carer()), **STAFF, json={**LEAST, "who_knows": []}).json()

    @pytest.mark.parametrize("caller, hidden", [
        ("her council", set()), ("her council's administrator", set()), ("herself", set()),
        ("her support worker", {"access_notes"}), ("her assessor", {"access_notes"}), ("her in-reach team", {"access_notes"}),
        ("her breaks provider", {"access_notes", "who_knows"})])
    def test_each_reads_what_her_help_needs(self, api, world, caller, hidden):
        api.put(plan_of(world.carer), **STAFF, json=FULL)

        body = world.ask(caller, "GET", "/contingency-plan").json()

        assert FULL.keys() - body.keys() == hidden

    @pytest.mark.parametrize("caller", sorted(PARTNER))
    def test_who_is_not_shown_how_to_get_in_leaves_it_as_it_is(self, api, world, caller):
        api.put(plan_of(world.carer), **STAFF, json=FULL)

        changed = world.ask(caller, "PUT", "/contingency-plan", json={**OPEN, "instructions": "Call me."},
                            headers={"If-Match": '"v1"'})

        assert changed.status_code == 200 and "access_notes" not in changed.json()
        kept = api.get(plan_of(world.carer), **STAFF).json()
        assert (kept["instructions"], kept["access_notes"]) == ("Call me.", FULL["access_notes"])

    @pytest.mark.parametrize("caller", sorted(PARTNER))
    def test_nor_does_she_write_it(self, world, caller):
        assert faults(world.ask(caller, "PUT", "/contingency-plan", json=FULL)) == {("/access_notes", "rule")}


class TestTrail:
    """What is left behind: in the audit trail, and as events."""

    def test_a_read_leaves_its_row_and_none_when_there_is_no_plan(self, api, carer, planned, trail):  # noqa: F811
        one, (ident, headers), (other, others) = planned(), request_id(), request_id()

        api.get(plan_of(one), **STAFF, headers=headers)
        api.get(plan_of(carer()), **STAFF, headers=others)

        row = only(trail(ident))
        assert (row["action"], row["carer_ids"], row["subject_table"]) == ("getContingencyPlan", [one["id"]], None)
        assert trail(other) == []

    def test_a_change_is_told_but_third_persons_and_the_way_in_are_masked(self, api, planned, trail):  # noqa: F811
        one, (ident, headers) = planned(), request_id()
        plan = {**FULL, "instructions": "Call me.", "access_notes": "Ring twice.", "who_knows": [{"name": "Ada Lund"}],
                "emergency_contacts": [{"name": "Ada Lund", "relationship": "friend", "phone": "+441632960111"}]}

        assert api.put(plan_of(one), **STAFF, json=plan, headers={**headers, "If-Match": '"v1"'}).status_code == 200

        row = only(trail(ident))
        masked = {"emergency_contacts": "(masked)", "who_knows": "(masked)", "access_notes": "(masked)"}
        assert (row["action"], row["subject_table"], row["carer_ids"]) == ("putContingencyPlan", "contingency_plan", [one["id"]])
        assert row["before"] == {"instructions": FULL["instructions"], **masked}
        assert row["after"] == {"instructions": "Call me.", **masked}

    def test_events_tell_that_there_is_a_plan_and_nothing_of_it(self, api, planned, db):
        one = planned()
        api.put(plan_of(one), **STAFF, json=LEAST, headers={"If-Match": '"v1"'})

        db.execute("SELECT kind, resource_id::text, version, summary FROM event WHERE carer_id = %s AND kind LIKE 'plan.%%'"
                   " ORDER BY id", (one["id"],))

        assert db.fetchall() == [("plan.recorded", one["id"], 1, "The contingency plan was recorded"),
                                 ("plan.recorded", one["id"], 2, "The contingency plan was changed")]


class TestBreakGlass:
    """breakGlass: what an emergency needs, with a reason, without access."""

    CARER = {"date_of_birth": "1961-05-04", "preferred_language": "bn", "interpreter_required": True,
             "contact": {"phone": "+447700900123", "email": "n@example.org"}, "kind": "adult",
             "cared_for": [{"relationship": "parent", "given_name": "Amina", "date_of_birth": "1938-01-01",
                            "setting": "home", "needs": ["dementia"], "end_of_life": True},
                           {"relationship": "child"}]}

    @pytest.fixture
    def team(self, organisation):
        """An in-reach team of her council, without access to anybody."""
        return {"role": "hospital_in_reach", "org": organisation(kind="hospital_trust")}

    def test_it_answers_what_an_emergency_needs_and_no_more(self, api, planned, team):
        one = planned(**self.CARER)

        body = api.post(emergency(one), **team, json=REASON).json()

        plan = body.pop("contingency_plan")
        assert {name: plan.get(name) for name in FULL} == {**FULL, "access_notes": None}
        assert body == {"id": body["id"], "carer_id": one["id"], "at": body["at"], **REASON,
                        "carer": {"given_name": one["given_name"], "family_name": one["family_name"],
                                  "date_of_birth": "1961-05-04", "preferred_language": "bn", "interpreter_required": True,
                                  "contact": {"phone": "+447700900123"}},
                        "cared_for": [{"relationship": "parent", "given_name": "Amina", "setting": "home",
                                       "needs": ["dementia"]}, {"relationship": "child"}]}

    def test_without_a_plan_it_tells_who_she_is(self, api, carer, team):
        one = carer(date_of_birth=None)

        body = api.post(emergency(one), **team, json=REASON).json()

        assert body.keys() == {"id", "carer_id", "at", "reason", "carer"}
        assert body["carer"] == {"given_name": one["given_name"], "family_name": one["family_name"]}

    def test_it_gives_no_access(self, api, planned, team, db):
        one = planned()

        assert api.post(emergency(one), **team, json=REASON).status_code == 200

        problem(api.get(f"/v1/carers/{one['id']}", **team), 404, "not-found")
        problem(api.get(plan_of(one), **team), 404, "not-found")
        db.execute("SELECT count(*) FROM carer_access WHERE carer_id = %s", (one["id"],))
        assert db.fetchone() == (0,)

    def test_who_sees_her_anyway_gives_a_reason_too(self, api, planned, team, grant):
        one = planned()
        grant(one["id"], team["org"])

        assert api.post(emergency(one), **team, json=REASON).status_code == 200

    def test_a_closed_record_is_opened_as_well(self, api, closed, team):
        assert api.post(emergency(closed), **team, json=REASON).json()["contingency_plan"]["instructions"]

    def test_beyond_the_councils_of_the_organisation_she_is_not_there(self, api, planned, organisation, team):
        far, near = planned(council=CAMDEN), planned()
        claims = {**team, "council": [CAMDEN]}  # the token's councils are not asked
        nobody = {"id": str(uuid.uuid4())}

        for one, caller in ((far, team), (far, claims), (nobody, team), (near, {**team, "org": organisation(CAMDEN)}),
                            (near, {**team, "org": str(uuid.uuid4())})):
            body = problem(api.post(emergency(one), **caller, json=REASON), 404, "not-found")
            assert body["detail"] == "no carer has this id"
        assert api.post(emergency(near), **claims, json=REASON).status_code == 200

    @pytest.mark.parametrize("body, fault", [({}, ("", "required")), ({"reason": ""}, ("/reason", "minLength")),
                                             ({"reason": "too short"}, ("/reason", "minLength")),
                                             ({"reason": " " * 10}, ("/reason", "pattern")),
                                             ({"reason": "x" * 1001}, ("/reason", "maxLength"))], ids=str)
    def test_without_a_reason_it_stays_closed(self, api, planned, team, body, fault, db):
        one = planned()

        assert fault in faults(api.post(emergency(one), **team, json=body))

        db.execute("SELECT count(*) FROM emergency_access WHERE carer_id = %s", (one["id"],))
        assert db.fetchone() == (0,)

    def test_no_body_is_no_reason(self, api, planned, team):
        response = api.post(emergency(planned()), **team, data=b"", headers={"Content-Type": "application/json"})

        problem(response, 400, "malformed-json")

    def test_repeated_with_its_key_it_is_one_entry(self, api, planned, team):
        one, headers = planned(), {"Idempotency-Key": str(uuid.uuid4())}

        first, second = (api.post(emergency(one), **team, json=REASON, headers=headers) for _ in range(2))

        assert second.json() == first.json() and second.headers["Idempotency-Replayed"] == "true"
        problem(api.post(emergency(one), **team, json={"reason": "another reason"}, headers=headers), 422,
                "idempotency-key-reused")
        assert len(api.get(emergency(one), **STAFF).json()["items"]) == 1

    def test_it_is_audited_with_its_reason(self, api, planned, team, trail):  # noqa: F811
        one, (ident, headers) = planned(), request_id()

        api.post(emergency(one), **team, json=REASON, headers=headers)

        row = only(trail(ident))
        assert (row["action"], row["role"], str(row["organisation_id"])) == ("breakGlass", "hospital_in_reach", team["org"])
        assert (row["subject_table"], row["carer_ids"], row["council"]) == ("emergency_access", [one["id"]], one["council"])
        assert row["after"]["reason"] == REASON["reason"] and row["before"] is None

    def test_an_event_tells_the_council_and_the_carer(self, api, planned, carer, team, db):
        with_plan, without = planned(), carer()
        made = [api.post(emergency(one), **team, json=REASON).json() for one in (with_plan, without)]

        db.execute("SELECT resource_id::text, summary, about_organisation FROM event WHERE kind = 'emergency.access'"
                   " AND carer_id = ANY (%s::uuid[]) ORDER BY id", ([with_plan["id"], without["id"]],))

        assert db.fetchall() == [
            (made[0]["id"], "The contingency plan was read in an emergency by hospital_in_reach", None),
            (made[1]["id"], "The record was read in an emergency by hospital_in_reach: it has no contingency plan", None)]


class TestList:
    """listEmergencyAccess: who looked, why, when."""

    def test_the_council_sees_who_and_the_carer_from_where(self, api, planned, organisation, db):
        one, org = planned(), organisation()
        made = api.post(emergency(one), role="hospital_in_reach", org=org, json=REASON).json()
        db.execute("SELECT name FROM organisation WHERE id = %s", (org,))
        entry = {"id": made["id"], "carer_id": one["id"], "at": made["at"], "role": "hospital_in_reach", **REASON,
                 "organisation": {"id": org, "name": db.fetchone()[0]}}

        council = api.get(emergency(one), **STAFF).json()
        herself = api.get(emergency(one), role="carer", carer=one["id"]).json()

        assert council == {"items": [{**entry, "subject": "hospital_in_reach@example.org"}]}
        assert herself == {"items": [entry]}

    def test_pages_have_all_once_newest_first(self, api, planned, organisation):
        one, org = planned(), organisation()
        made = [api.post(emergency(one), role="hospital_in_reach", org=org, json=REASON).json()["id"] for _ in range(5)]
        seen, path = [], f"{emergency(one)}?limit=2"
        while path:
            response = api.get(path, **STAFF)
            seen.append([item["id"] for item in response.json()["items"]])
            path = response.links["next"]["url"] if "next_cursor" in response.json() else None

        assert [len(page) for page in seen] == [2, 2, 1] and sum(seen, []) == made[::-1]

    def test_where_nothing_happened_the_list_is_empty_and_the_reading_is_noted(self, api, carer, trail):  # noqa: F811
        one, (ident, headers) = carer(), request_id()

        assert api.get(emergency(one), **STAFF, headers=headers).json() == {"items": []}

        assert (only(trail(ident))["action"], only(trail(ident))["carer_ids"]) == ("listEmergencyAccess", [one["id"]])
