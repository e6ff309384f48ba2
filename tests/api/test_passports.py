"""Carer passports: by role, rule C5, and the check that anybody may make."""
import datetime
import re
import threading
import zoneinfo

import pytest
from support.callers import CALLERS, NOBODY, answer
from support.client import faults, problem

ISSUERS = {"her council", "her council's administrator", "her support worker", "her in-reach team"}
ASSESSOR, HERSELF = {"her assessor"}, {"herself"}
ELSEWHERE = {"another council", "another council's administrator", "another organisation", "another in-reach team"}
NUMBER = re.compile(r"CP(-[0-9A-HJKMNP-TV-Z]{4}){4}")
LOST = {"reason": "lost"}
TRIAGE = {"triage": {"level": "light"}}
NEVER_ISSUED = "CP-1000-0000-0000-000Z"


def day(offset=0):
    return (datetime.datetime.now(zoneinfo.ZoneInfo("Europe/London")).date() + datetime.timedelta(offset)).isoformat()


def path_of(one):
    return f"/v1/carers/{one['id']}/passport"


def valid(api, number):
    response = api.get(f"/v1/passports/{number}")
    assert response.status_code == 200, response.text
    assert response.json() in ({"valid": True}, {"valid": False})
    return response.json()["valid"]


@pytest.fixture
def registered(api, carer):
    """registered(): a carer who is registered."""
    def make(**members):
        one = carer(**members)
        assert api.post(f"/v1/carers/{one['id']}/register", role="practitioner", json=TRIAGE).status_code == 200
        return one
    return make


@pytest.fixture
def passport(api, registered):
    """passport(carer): a passport of that carer, or of a new one."""
    def make(one=None, **body):
        response = api.post(path_of(one or registered()), role="practitioner", json=body)
        assert response.status_code == 201, response.text
        return response.json()
    return make


@pytest.fixture
def of_world(api, world):
    """The passport of the world's carer."""
    assert api.post(f"{world.path}/register", role="practitioner", json=TRIAGE).status_code == 200
    response = api.post(f"{world.path}/passport", role="practitioner", json={})
    return response.json()


@pytest.fixture
def past(db):
    """past(passport): moves it so far back that it expired yesterday, which time alone does."""
    def move(one):
        db.execute("UPDATE passport SET issued_on = current_date - 500, expires_on = (now() AT TIME ZONE 'Europe/London')::date - 1"
                   " WHERE id = %s", (one["id"],))
    return move


class TestRoles:
    """Every caller, every operation."""

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_a_passport_is_issued_by_council_support_workers_and_in_reach_teams(self, api, world, caller):
        api.post(f"{world.path}/register", role="practitioner", json=TRIAGE)
        expected = {**dict.fromkeys(ISSUERS, "201"), **dict.fromkeys(ELSEWHERE, "not-found")}

        assert answer(world.ask(caller, "POST", "/passport", json={})) == expected.get(caller, "forbidden")

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_a_passport_is_read_by_who_works_with_the_carer_and_by_herself(self, world, of_world, caller):
        expected = {**dict.fromkeys(ISSUERS | ASSESSOR | HERSELF, "200"),
                    **dict.fromkeys(ELSEWHERE | {"another carer"}, "not-found")}

        response = world.ask(caller, "GET", "/passport")

        assert answer(response) == expected.get(caller, "forbidden")
        if response.status_code == 200:
            assert response.json()["available_actions"] == ([] if caller in ASSESSOR else ["revoke"])

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_a_passport_is_revoked_by_who_issues_them_and_reported_lost_by_herself(self, world, of_world, caller):
        expected = {**dict.fromkeys(ISSUERS | HERSELF, "200"), **dict.fromkeys(ELSEWHERE | {"another carer"}, "not-found")}

        assert answer(world.ask(caller, "POST", "/passport/revoke", json=LOST)) == expected.get(caller, "forbidden")

    @pytest.mark.parametrize("reason, answered", [("lost", "200"), ("stolen", "200"), ("no_longer_caring", "forbidden"),
                                                  ("recorded_in_error", "forbidden"), ("other", "forbidden")])
    def test_the_carer_reports_it_lost_or_stolen_and_no_more(self, world, of_world, reason, answered):
        response = world.ask("herself", "POST", "/passport/revoke", json={"reason": reason, "note": "x"})

        assert answer(response) == answered

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_anybody_may_check_with_or_without_a_token(self, api, world, of_world, caller):
        response = world.ask(caller, "GET", f"/v1/passports/{of_world['number']}")

        assert response.json() == api.get(f"/v1/passports/{of_world['number']}").json() == {"valid": True}


class TestIssue:
    """issuePassport and getPassport (rule C5)."""

    def test_it_is_made_read_back_and_says_that_it_is_no_proof_of_identity(self, api, registered):
        one = registered()

        made = api.post(path_of(one), role="practitioner")

        assert made.status_code == 201, made.text
        body = made.json()
        assert NUMBER.fullmatch(body["number"]) and body["notice"] == "A carer passport is not proof of identity."
        assert (body["state"], body["valid"], body["available_actions"]) == ("active", True, ["revoke"])
        assert body["carer_id"] == one["id"] and body["issued_by"] == {"role": "practitioner"}
        assert made.headers["Location"].endswith(path_of(one))
        read = api.get(made.headers["Location"], role="practitioner")
        assert read.json() == body and read.headers["ETag"] == made.headers["ETag"]
        again = api.get(path_of(one), role="practitioner", headers={"If-None-Match": read.headers["ETag"]})
        assert again.status_code == 304

    def test_it_is_valid_for_24_months_or_less_when_so_asked(self, api, passport, registered):
        today = day()
        usual = passport()
        assert usual["issued_on"] == today
        assert usual["expires_on"][:4] == str(int(today[:4]) + 2) and usual["expires_on"][4:8] in (today[4:8], "-02-")
        assert passport(expires_on=day(1))["expires_on"] == day(1)

        for wrong in (day(), day(-1), day(732)):
            response = api.post(path_of(registered()), role="practitioner", json={"expires_on": wrong})
            assert faults(response) == {("/expires_on", "rule")}

    def test_a_second_one_is_a_conflict_until_the_first_is_revoked(self, api, passport, registered):
        one = registered()
        first = passport(one)

        refusal = problem(api.post(path_of(one), role="practitioner", json={}), 409, "conflict")
        assert refusal["detail"] == "the carer has a passport: revoke it before another is issued"
        api.post(f"{path_of(one)}/revoke", role="practitioner", json=LOST)

        second = passport(one)
        assert second["number"] != first["number"]
        assert (valid(api, first["number"]), valid(api, second["number"])) == (False, True)

    def test_an_etag_never_stands_for_two_numbers(self, api, passport, registered):
        one, seen = registered(), set()
        for _ in range(3):
            passport(one)
            seen.add(api.get(path_of(one), role="practitioner").headers["ETag"])
            seen.add(api.post(f"{path_of(one)}/revoke", role="practitioner", json=LOST).headers["ETag"])

        assert len(seen) == 6

    def test_an_expired_one_is_shown_as_such_and_does_not_stand_in_the_way(self, api, passport, registered, past):
        one = registered()
        first = passport(one)
        past(first)

        shown = api.get(path_of(one), role="practitioner").json()
        assert (shown["state"], shown["valid"], shown["available_actions"]) == ("expired", False, [])
        assert not valid(api, first["number"])
        refusal = api.post(f"{path_of(one)}/revoke", role="practitioner", json=LOST)
        assert problem(refusal, 409, "state-conflict")["state"] == "expired"
        second = passport(one)
        assert api.get(path_of(one), role="practitioner").json()["number"] == second["number"]
        assert (valid(api, first["number"]), valid(api, second["number"])) == (False, True)

    def test_who_is_not_registered_has_none(self, api, carer):
        one = carer()

        refusal = api.post(path_of(one), role="practitioner", json={})

        assert problem(refusal, 409, "state-conflict")["state"] == "identified"
        problem(api.get(path_of(one), role="practitioner"), 404, "not-found")

    def test_when_her_record_is_closed_it_is_not_valid_any_more_and_no_other_is_issued(self, api, passport, registered):
        one = registered()
        mine = passport(one)
        assert valid(api, mine["number"])

        api.post(f"/v1/carers/{one['id']}/close", role="practitioner", json={"reason": "moved_away"})

        assert not valid(api, mine["number"])
        shown = api.get(path_of(one), role="practitioner").json()
        assert (shown["state"], shown["valid"], shown["available_actions"]) == ("active", False, [])
        for path, body in ((path_of(one), {}), (path_of(one) + "/revoke", LOST)):
            assert problem(api.post(path, role="practitioner", json=body), 409, "state-conflict")["state"] == "closed"

    def test_a_carer_who_is_not_there_has_none(self, api):
        for method, path, body in (("POST", "", {}), ("GET", "", None), ("POST", "/revoke", LOST)):
            response = api.request(method, f"/v1/carers/{NOBODY}/passport{path}", role="practitioner", json=body)
            problem(response, 404, "not-found")

    def test_a_key_that_is_sent_twice_gives_the_same_number(self, api, registered):
        one = registered()

        first, second = (api.post(path_of(one), role="practitioner", json={}, headers={"Idempotency-Key": one["id"]})
                         for _ in range(2))

        assert first.json() == second.json() and second.headers["Idempotency-Replayed"] == "true"

    def test_of_two_at_once_one_is_issued(self, registered, server, client):
        path, first, answers = path_of(registered()), threading.Barrier(2), []

        def issue():
            one = client(server)
            first.wait()
            answers.append(answer(one.post(path, role="practitioner", json={})))
        workers = [threading.Thread(target=issue) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)

        assert sorted(answers) == ["201", "conflict"]


class TestRevoke:
    """revokePassport."""

    def test_it_says_when_by_whom_and_why_and_the_check_says_so_at_once(self, api, passport, registered):
        one = registered()
        number = passport(one)["number"]

        response = api.post(f"{path_of(one)}/revoke", role="carer", carer=one["id"], json={"reason": "stolen", "note": "on the bus"})

        assert response.status_code == 200, response.text
        body = response.json()
        assert (body["state"], body["valid"], body["available_actions"]) == ("revoked", False, [])
        assert {name: body["revoked"][name] for name in ("reason", "note", "by")} == \
            {"reason": "stolen", "note": "on the bus", "by": {"role": "carer"}}
        assert not valid(api, number)
        problem(api.get(path_of(one), role="practitioner"), 404, "not-found")

    def test_a_revoked_one_is_not_revoked_again(self, api, passport, registered):
        one = registered()
        passport(one)
        api.post(f"{path_of(one)}/revoke", role="practitioner", json=LOST)

        again = api.post(f"{path_of(one)}/revoke", role="practitioner", json=LOST)

        assert problem(again, 409, "state-conflict")["state"] == "revoked"

    def test_who_has_none_is_not_found(self, api, registered):
        response = api.post(f"{path_of(registered())}/revoke", role="practitioner", json=LOST)

        assert problem(response, 404, "not-found")["detail"] == "a carer of this id has no passport"

    def test_another_reason_needs_a_note(self, api, passport, registered):
        one = registered()
        passport(one)

        assert ("", "required") in faults(api.post(f"{path_of(one)}/revoke", role="practitioner", json={"reason": "other"}))
        assert api.post(f"{path_of(one)}/revoke", role="practitioner", json={"reason": "other", "note": "misprinted"}
                        ).status_code == 200

    def test_if_match_is_compared_when_it_is_sent(self, api, passport, registered):
        one = registered()
        passport(one)
        etag = api.get(path_of(one), role="practitioner").headers["ETag"]

        stale = api.post(f"{path_of(one)}/revoke", role="practitioner", json=LOST, headers={"If-Match": '"v99"'})
        problem(stale, 412, "precondition-failed")
        assert api.post(f"{path_of(one)}/revoke", role="practitioner", json=LOST, headers={"If-Match": etag}).status_code == 200

    def test_of_two_at_once_one_counts(self, passport, registered, server, client):
        one, first, answers = registered(), threading.Barrier(2), []
        passport(one)

        def revoke():
            mine = client(server)
            first.wait()
            answers.append(answer(mine.post(f"{path_of(one)}/revoke", role="practitioner", json=LOST)))
        workers = [threading.Thread(target=revoke) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)

        assert sorted(answers) == ["200", "state-conflict"]


class TestCheck:
    """checkPassport: yes or no, and nothing else."""

    def test_it_tells_nothing_but_valid(self, api, passport):
        for number in (passport()["number"], NEVER_ISSUED):
            response = api.get(f"/v1/passports/{number}")
            assert response.text in ('{"valid":true}', '{"valid":false}') and response.headers["Cache-Control"] == "no-store"
            assert "ETag" not in response.headers

    def test_a_number_is_read_as_people_type_it(self, api, passport):
        number = passport()["number"]

        for typed in (number.lower(), number.replace("-", ""), number.replace("0", "o").replace("1", "l")):
            assert valid(api, typed)

    def test_every_typing_error_is_told(self, api, passport):
        number = passport()["number"]
        for at in (3, 8, 21):
            wrong = number[:at] + ("7" if number[at] != "7" else "8") + number[at + 1:]
            assert not valid(api, wrong)

    @pytest.mark.parametrize("number", ["1000-0000-0000-000Z", "CP-1000", "CP-1000-0000-0000-000U", "CP-1000-0000-0000-000Z-0",
                                        "CP-1000-0000-0000-000%20"])
    def test_what_is_no_number_is_a_wrong_parameter_and_is_not_echoed(self, api, number):
        response = api.get(f"/v1/passports/{number}")

        assert {pointer for pointer, _ in faults(response, 400, "invalid-parameter")} == {"/path/number"}
        assert "1000" not in response.text

    def test_neither_a_check_nor_an_error_leaves_the_number_in_the_log_or_a_row_in_the_trail(self, api, db, passport, server):
        number = passport()["number"]
        typed = [number, number.lower(), number[:-1] + ("7" if number[-1] != "7" else "8"), number + "-X"]

        idents = [api.get(f"/v1/passports/{one}").headers["X-Request-ID"] for one in typed]

        for ident in idents:
            line = server.request_line(ident)
            assert line["operation"] == "checkPassport"
        log = server.log().upper()
        assert not [one for one in typed if one.upper()[:18] in log or one.upper().replace("-", "")[:14] in log]
        db.execute("SELECT count(*) FROM audit_entry WHERE request = ANY (%s)", (idents,))
        assert db.fetchone() == (0,)

    def test_audit_and_events_hold_no_number(self, api, db, passport, registered):
        one = registered()
        number = passport(one)["number"]
        api.post(f"{path_of(one)}/revoke", role="practitioner", json=LOST)

        db.execute("SELECT after ->> 'number', after ->> 'reason', before::text, after::text FROM audit_entry"
                   " WHERE carer_ids = ARRAY[%s]::uuid[] AND subject_table = 'passport' ORDER BY id", (one["id"],))
        rows = db.fetchall()
        assert [row[:2] for row in rows] == [("(masked)", None), (None, "lost")] and number not in str(rows)
        db.execute("SELECT kind, version, state, summary FROM event WHERE carer_id = %s AND kind LIKE 'passport%%' ORDER BY id",
                   (one["id"],))
        assert db.fetchall() == [("passport.issued", 1, "active", "A carer passport was issued"),
                                 ("passport.revoked", 2, "revoked", "The carer passport was revoked: lost")]

    def test_a_reading_of_the_passport_leaves_its_audit_row(self, api, db, passport, registered):
        one = registered()
        passport(one)

        ident = api.get(path_of(one), role="carer", carer=one["id"]).headers["X-Request-ID"]

        db.execute("SELECT action, carer_ids::text[] FROM audit_entry WHERE request = %s", (ident,))
        assert db.fetchall() == [("getPassport", [one["id"]])]

    def test_checks_are_dear_and_other_requests_of_that_address_are_not(self, serve, client, registered):
        one = registered()
        api = client(serve(CARERS_RATE_PER_MINUTE="1100"))

        for _ in range(5):
            assert api.get(f"/v1/passports/{NEVER_ISSUED}").json() == {"valid": False}
        refusal = api.get(f"/v1/passports/{NEVER_ISSUED}")
        problem(refusal, 429, "too-many-requests")
        assert 1 <= int(refusal.headers["Retry-After"]) <= 60 and refusal.headers["Cache-Control"] == "no-store"

        assert api.get("/openapi.json").status_code == 200
        assert api.get(f"/v1/carers/{one['id']}", role="practitioner").status_code == 200
