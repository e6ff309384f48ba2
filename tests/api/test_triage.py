"""Triages and in-depth conversations: by role, and rule C4."""
import datetime
import threading
import zoneinfo

import pytest
from support.callers import CALLERS, NOBODY, answer
from support.client import faults, problem

COUNCIL = {"her council", "her council's administrator"}
PARTNER = {"her support worker", "her assessor", "her in-reach team"}
STAFF_ELSEWHERE = {"another council", "another council's administrator", "another organisation", "another in-reach team"}
HERSELF, OTHER = {"herself"}, {"another carer"}
LIGHT = {"level": "light", "needs": ["break_from_caring"], "answers": {"hours_a_week": 35, "wants": ["peer group"]},
         "completed_on": "2026-03-02"}
INTENSIVE = {**LIGHT, "level": "intensive"}
TALK = {"held_on": "2026-03-04", "summary": "You sleep badly, and would like a break.",
        "practitioner_notes": "ring her again on Friday", "assessment_wanted_by": ["carer"]}


def day(offset=0):
    return (datetime.datetime.now(zoneinfo.ZoneInfo("Europe/London")).date() + datetime.timedelta(offset)).isoformat()


@pytest.fixture
def triage(api):
    """triage(carer, members...): a triage recorded by a practitioner."""
    def make(carer, **members):
        response = api.post(f"/v1/carers/{carer['id']}/triage", role="practitioner", json={**INTENSIVE, **members})
        assert response.status_code == 201, response.text
        return response.json()
    return make


def path_of(one):
    return f"/v1/carers/{one['carer_id']}/triage/{one['id']}"


class TestRoles:
    """Every caller, every operation."""

    READERS = {**dict.fromkeys(COUNCIL | PARTNER | HERSELF, "200"), **dict.fromkeys(STAFF_ELSEWHERE | OTHER, "not-found")}
    WRITERS = {**dict.fromkeys(COUNCIL | PARTNER, "200"), **dict.fromkeys(STAFF_ELSEWHERE, "not-found")}

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_a_triage_is_recorded_by_who_meets_the_carer(self, world, caller):
        expected = {**self.WRITERS, **dict.fromkeys(COUNCIL | PARTNER, "201")}

        assert answer(world.ask(caller, "POST", "/triage", json=LIGHT)) == expected.get(caller, "forbidden")

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_triages_are_listed_and_read_by_who_sees_the_carer(self, world, triage, caller):
        one = triage(world.carer)

        assert answer(world.ask(caller, "GET", "/triage")) == self.READERS.get(caller, "forbidden")
        assert answer(world.ask(caller, "GET", path_of(one))) == self.READERS.get(caller, "forbidden")

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_a_conversation_is_recorded_by_who_meets_the_carer(self, world, triage, caller):
        one = triage(world.carer)

        response = world.ask(caller, "POST", path_of(one) + "/conversation", json=TALK)

        assert answer(response) == self.WRITERS.get(caller, "forbidden")

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_what_may_be_done_now_is_what_this_caller_may_do(self, world, triage, caller):
        one = triage(world.carer)

        response = world.ask(caller, "GET", path_of(one))

        if response.status_code == 200:
            assert response.json()["available_actions"] == ([] if caller == "herself" else ["record_conversation"])

    @pytest.mark.parametrize("caller", sorted(COUNCIL | PARTNER | HERSELF))
    def test_the_carer_is_not_shown_the_practitioners_notes(self, world, triage, caller):
        one = triage(world.carer)
        assert world.ask("her council", "POST", path_of(one) + "/conversation", json=TALK).status_code == 200

        for body in (world.ask(caller, "GET", path_of(one)).json(), world.ask(caller, "GET", "/triage").json()["items"][0]):
            talk = body["conversation"]
            assert talk["summary"] == TALK["summary"]
            assert talk.get("practitioner_notes") == (None if caller == "herself" else TALK["practitioner_notes"])


class TestTriage:
    """recordTriage, getTriage, listTriages."""

    def test_it_is_read_back_as_it_was_sent(self, api, carer):
        one = carer()

        made = api.post(f"/v1/carers/{one['id']}/triage", role="practitioner", json=LIGHT)

        assert made.status_code == 201, made.text
        body = made.json()
        assert {name: body[name] for name in LIGHT} == LIGHT
        assert body["carer_id"] == one["id"] and body["recorded_by"] == {"role": "practitioner"}
        read = api.get(made.headers["Location"], role="practitioner")
        assert read.json() == body and read.headers["ETag"] == made.headers["ETag"]
        again = api.get(made.headers["Location"], role="practitioner", headers={"If-None-Match": read.headers["ETag"]})
        assert again.status_code == 304

    def test_the_level_alone_is_enough_and_absent_members_are_absent(self, api, carer):
        body = api.post(f"/v1/carers/{carer()['id']}/triage", role="practitioner", json={"level": "light"}).json()

        assert not {"needs", "answers", "completed_on", "conversation"} & body.keys() and None not in body.values()

    def test_who_recorded_it_is_told_by_role_and_organisation(self, world):
        body = world.ask("her support worker", "POST", "/triage", json=LIGHT).json()

        assert body["recorded_by"] == {"role": "support_worker", "organisation_id": world.org}

    def test_the_latest_stands_in_the_carers_record_one_version_further(self, api, carer):
        one = carer()
        path = f"/v1/carers/{one['id']}"
        for triage in (INTENSIVE, LIGHT):
            before = api.get(path, role="practitioner").headers["ETag"]
            api.post(f"{path}/triage", role="practitioner", json=triage)
            now = api.get(path, role="practitioner")
            assert now.json()["triage"] == triage
            assert int(now.headers["ETag"].strip('"v')) == int(before.strip('"v')) + 1

        assert [item["level"] for item in api.get(f"{path}/triage", role="practitioner").json()["items"]] == \
            ["light", "intensive"]

    def test_a_carer_is_registered_on_the_triage_that_is_on_record(self, api, carer, triage):
        one = carer()
        triage(one)

        response = api.post(f"/v1/carers/{one['id']}/register", role="practitioner", json={})

        assert response.status_code == 200 and response.json()["triage"] == INTENSIVE

    def test_a_registration_leaves_its_triage_here_and_the_carer_one_version_further(self, api, carer):
        one = carer()
        path = f"/v1/carers/{one['id']}"
        before = api.get(path, role="practitioner").headers["ETag"]

        done = api.post(f"{path}/register", role="practitioner", json={"triage": INTENSIVE})

        assert int(done.headers["ETag"].strip('"v')) == int(before.strip('"v')) + 1
        item, = api.get(f"{path}/triage", role="practitioner").json()["items"]
        assert {name: item[name] for name in INTENSIVE} == INTENSIVE and item["state"] == "conversation_proposed"

    @pytest.mark.parametrize("path, body, pointer", [("triage", lambda t: t, "/completed_on"),
                                                     ("register", lambda t: {"triage": t}, "/triage/completed_on")])
    def test_a_triage_of_tomorrow_is_refused_where_it_stands(self, api, carer, path, body, pointer):
        one = carer()

        response = api.post(f"/v1/carers/{one['id']}/{path}", role="practitioner",
                            json=body({**LIGHT, "completed_on": day(1)}))

        assert faults(response) == {(pointer, "rule")}
        assert api.post(f"/v1/carers/{one['id']}/{path}", role="practitioner",
                        json=body({**LIGHT, "completed_on": day()})).status_code in (200, 201)

    def test_a_misspelt_member_and_a_level_that_does_not_exist_are_both_told(self, api, carer):
        response = api.post(f"/v1/carers/{carer()['id']}/triage", role="practitioner", json={"level": "heavy", "need": []})

        assert faults(response) == {("/level", "enum"), ("/need", "additionalProperties")}

    def test_the_record_of_a_closed_carer_takes_no_triage_and_no_conversation(self, api, carer, triage):
        one = carer()
        talk = path_of(triage(one)) + "/conversation"
        api.post(f"/v1/carers/{one['id']}/close", role="practitioner", json={"reason": "moved_away"})

        for path, body in ((f"/v1/carers/{one['id']}/triage", LIGHT), (talk, TALK)):
            assert problem(api.post(path, role="practitioner", json=body), 409, "state-conflict")["state"] == "closed"
        listed, = api.get(f"/v1/carers/{one['id']}/triage", role="practitioner").json()["items"]
        assert listed["state"] == "conversation_proposed" and listed["available_actions"] == []

    def test_the_list_goes_on_without_gap_or_repeat(self, api, carer, triage):
        one = carer()
        made = [triage(one)["id"] for _ in range(5)]

        found, path = [], f"/v1/carers/{one['id']}/triage?limit=2"
        while path:
            page = api.get(path, role="practitioner")
            found += [item["id"] for item in page.json()["items"]]
            path = page.links["next"]["url"] if "next" in page.links else None
        assert found == made[::-1]

    def test_a_carer_without_triage_has_an_empty_list(self, api, carer):
        assert api.get(f"/v1/carers/{carer()['id']}/triage", role="practitioner").json() == {"items": []}

    def test_another_carers_triage_is_not_below_this_one(self, api, carer, triage):
        one, other = triage(carer()), carer()
        path = f"/v1/carers/{other['id']}/triage/{one['id']}"

        problem(api.get(path, role="practitioner"), 404, "not-found")
        problem(api.post(f"{path}/conversation", role="practitioner", json=TALK), 404, "not-found")
        problem(api.get(f"/v1/carers/{other['id']}/triage/{NOBODY}", role="practitioner"), 404, "not-found")

    def test_a_key_that_is_sent_twice_records_once(self, api, carer):
        one, key = carer(), {"Idempotency-Key": "triage-once"}

        first, second = (api.post(f"/v1/carers/{one['id']}/triage", role="practitioner", sub=f"s-{one['id']}", json=LIGHT,
                                  headers=key) for _ in range(2))

        assert first.json() == second.json() and second.headers["Idempotency-Replayed"] == "true"
        assert len(api.get(f"/v1/carers/{one['id']}/triage", role="practitioner").json()["items"]) == 1


class TestConversation:
    """recordInDepthConversation (rule C4)."""

    def test_a_light_triage_is_complete_and_takes_no_conversation(self, api, carer, triage):
        one = triage(carer(), level="light")

        assert (one["state"], one["proposes"], one["available_actions"]) == ("completed", [], [])
        response = api.post(path_of(one) + "/conversation", role="practitioner", json=TALK)
        assert problem(response, 422, "rule-violated")["rule"] == "C4"

    @pytest.mark.parametrize("wanted, proposes", [([], []), (["carer"], ["carers_assessment"]),
                                                  (["organisation"], ["carers_assessment"]),
                                                  (["carer", "organisation"], ["carers_assessment"])])
    def test_an_assessment_is_proposed_when_anybody_thinks_that_it_would_help(self, api, carer, triage, wanted, proposes):
        one = triage(carer())
        assert (one["state"], one["proposes"]) == ("conversation_proposed", ["in_depth_conversation"])

        response = api.post(path_of(one) + "/conversation", role="practitioner", json={**TALK, "assessment_wanted_by": wanted})

        assert response.status_code == 200, response.text
        body = response.json()
        assert (body["state"], body["proposes"], body["available_actions"]) == ("conversation_held", proposes, [])
        assert body["conversation"] == {**TALK, "assessment_wanted_by": wanted, "recorded_by": {"role": "practitioner"}}
        read = api.get(path_of(one), role="practitioner")
        assert read.json() == body and read.headers["ETag"] == response.headers["ETag"]

    def test_it_is_held_once(self, api, carer, triage):
        one = triage(carer())
        assert api.post(path_of(one) + "/conversation", role="practitioner", json=TALK).status_code == 200

        again = api.post(path_of(one) + "/conversation", role="practitioner", json=TALK)

        assert problem(again, 409, "state-conflict")["state"] == "conversation_held"

    def test_it_leaves_the_carers_own_version_as_it_is(self, api, carer, triage):
        one = triage(carer())
        path = f"/v1/carers/{one['carer_id']}"
        before = api.get(path, role="practitioner").headers["ETag"]

        api.post(path_of(one) + "/conversation", role="practitioner", json=TALK)

        assert api.get(path, role="practitioner").headers["ETag"] == before

    @pytest.mark.parametrize("held_on", ["before", "tomorrow"])
    def test_it_lies_between_the_triage_and_today(self, api, carer, triage, held_on):
        one, when = triage(carer(), completed_on=day()), {"before": day(-1), "tomorrow": day(1)}[held_on]

        response = api.post(path_of(one) + "/conversation", role="practitioner", json={**TALK, "held_on": when})

        assert faults(response) == {("/held_on", "rule")}
        assert api.post(path_of(one) + "/conversation", role="practitioner", json={**TALK, "held_on": day()}).status_code == 200

    def test_what_is_missing_and_what_is_unknown_are_told_at_once(self, api, carer, triage):
        response = api.post(path_of(triage(carer())) + "/conversation", role="practitioner",
                            json={"held_on": "2026-03-04", "assessment_wanted_by": ["council", "carer", "carer"]})

        assert faults(response) >= {("", "required"), ("/assessment_wanted_by/0", "enum")}

    def test_if_match_is_compared_when_it_is_sent(self, api, carer, triage):
        one = triage(carer())
        etag = api.get(path_of(one), role="practitioner").headers["ETag"]

        stale = api.post(path_of(one) + "/conversation", role="practitioner", json=TALK, headers={"If-Match": '"v99"'})
        problem(stale, 412, "precondition-failed")
        good = api.post(path_of(one) + "/conversation", role="practitioner", json=TALK, headers={"If-Match": etag})
        assert good.status_code == 200, good.text

    def test_of_two_at_once_one_is_on_record(self, carer, triage, server, client):
        path, first, answers = path_of(triage(carer())) + "/conversation", threading.Barrier(2), []

        def talk(who):
            one = client(server)
            first.wait()
            answers.append(answer(one.post(path, role="practitioner", json={**TALK, "summary": who})))
        workers = [threading.Thread(target=talk, args=(who,)) for who in ("one", "two")]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)

        assert sorted(answers) == ["200", "state-conflict"]


class TestTrails:
    """What a triage leaves behind: audit and events."""

    @pytest.mark.parametrize("path", ["", "/one"])
    def test_a_reading_leaves_its_audit_row(self, api, db, carer, triage, path):
        one = triage(carer())
        where = f"/v1/carers/{one['carer_id']}/triage" + (f"/{one['id']}" if path else "")

        ident = api.get(where, role="practitioner").headers["X-Request-ID"]

        db.execute("SELECT action, council, carer_ids::text[], subject_table FROM audit_entry WHERE request = %s", (ident,))
        assert db.fetchall() == [("getTriage" if path else "listTriages", "E09000019", [one["carer_id"]], None)]

    def test_changes_leave_audit_rows_and_events_without_what_was_said(self, api, db, carer, triage):
        one = triage(carer())
        talk = api.post(path_of(one) + "/conversation", role="practitioner", json=TALK).headers["X-Request-ID"]

        db.execute("SELECT before, after -> 'summary' FROM audit_entry WHERE request = %s", (talk,))
        assert db.fetchall() == [(None, TALK["summary"])]
        db.execute("SELECT kind, state, version, summary FROM event WHERE resource_id = %s ORDER BY id", (one["id"],))
        events = db.fetchall()
        assert [event[:3] for event in events] == [("triage.recorded", "conversation_proposed", 1),
                                                   ("triage.conversation_held", "conversation_held", 2)]
        assert not [word for _, _, _, words in events for word in ("sleep", "Friday", "peer") if word in words]

    @pytest.mark.parametrize("role", ["break_provider", "carer", "support_worker"])
    def test_a_breaks_provider_learns_of_no_triage(self, db, role):
        db.execute("SELECT bool_and(%s = ANY (roles)) FROM event_kind WHERE resource = 'triage'", (role,))
        assert db.fetchone() == (role != "break_provider",)
