"""Demographics over HTTP: who may, only with consent, replaced whole, gone with the consent, never in the trail."""
import threading

import pytest
from support.callers import CALLERS, NOBODY, answer
from support.client import faults, problem

COUNCIL = {"her council", "her council's administrator"}
MAY = COUNCIL | {"her support worker", "her assessor", "herself"}
STRANGERS = {"another council", "another council's administrator", "another organisation", "another carer"}
SAID = {"purpose": "demographics", "method": "online", "wording_version": "2026-04"}
TOLD = {"ethnicity": "white_gypsy_or_irish_traveller", "gender": "woman", "sexual_orientation": "gay_or_lesbian",
        "religion": "buddhist", "disability": "yes_limited_a_little"}


def expected(good, caller):
    return {**dict.fromkeys(MAY, good), **dict.fromkeys(STRANGERS, "not-found")}.get(caller, "forbidden")


@pytest.fixture
def asked(world):
    """The world of a carer who consents; `world.consent` is its id."""
    response = world.ask("herself", "POST", "/consents", json=SAID)
    assert response.status_code == 201, response.text
    world.consent = response.json()["id"]
    return world


def put(world, caller="her council", etag=None, **members):
    return world.ask(caller, "PUT", "/demographics", json=members or TOLD, headers={"If-Match": etag} if etag else {})


def withdraw(world, caller="herself"):
    response = world.ask(caller, "POST", f"/consents/{world.consent}/withdraw", json={"method": "online"})
    assert response.status_code == 200, response.text


class TestWho:
    """Every caller, both operations, with the consent and without it."""

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_they_are_told_to_who_supports_her(self, asked, caller):
        assert answer(put(asked, caller)) == expected("201", caller)

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_they_are_read_by_them(self, asked, caller):
        put(asked)
        assert answer(asked.ask(caller, "GET", "/demographics")) == expected("200", caller)

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_after_a_withdrawal_by_nobody(self, asked, caller):
        put(asked)
        withdraw(asked)
        assert answer(asked.ask(caller, "GET", "/demographics")) == expected("not-found", caller)

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_without_consent_they_are_told_to_nobody(self, world, caller):
        assert answer(put(world, caller)) == expected("consent-required", caller)

    @pytest.mark.parametrize("caller", sorted(MAY))
    def test_of_a_carer_who_is_not_there_nothing_is_told(self, world, caller):
        path = f"/v1/carers/{NOBODY}/demographics"
        problem(world.ask(caller, "GET", path), 404, "not-found")
        problem(world.ask(caller, "PUT", path, json=TOLD), 404, "not-found")


class TestConsent:
    """C2."""

    def test_the_refusal_says_what_to_do(self, world):
        assert "record her consent" in problem(put(world), 409, "consent-required")["detail"]

    @pytest.mark.parametrize("how", ["withdraw", "refuse"])
    def test_a_new_yes_does_not_bring_them_back(self, asked, how):
        put(asked)
        if how == "withdraw":
            withdraw(asked)
            problem(put(asked), 409, "consent-required")
        else:
            asked.ask("herself", "POST", "/consents", json={**SAID, "decision": "refused"})

        assert asked.ask("herself", "POST", "/consents", json=SAID).status_code == 201
        problem(asked.ask("her council", "GET", "/demographics"), 404, "not-found")
        assert put(asked, gender="man").json().keys() & TOLD.keys() == {"gender"}

    def test_a_closed_carers_do_not_change(self, asked):
        asked.ask("her council", "POST", "/close", json={"reason": "moved_away"})
        assert problem(put(asked), 409, "state-conflict")["state"] == "closed"

    def test_writers_and_a_withdrawal_at_once_leave_nothing_behind(self, asked):
        answers, first = [], threading.Barrier(5)

        def write():
            first.wait()
            answers.append(answer(put(asked)))

        def take_back():
            first.wait()
            withdraw(asked)
        workers = [threading.Thread(target=work) for work in (write, write, take_back, write, write)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)

        assert set(answers) <= {"201", "precondition-required", "consent-required"} and answers.count("201") <= 1
        asked.ask("herself", "POST", "/consents", json=SAID)
        problem(asked.ask("her council", "GET", "/demographics"), 404, "not-found")


class TestPut:
    """The whole of it, 201 first, then 200 with If-Match."""

    def test_the_first_is_201_and_where_it_is(self, asked):
        response = put(asked, "herself")

        assert response.status_code == 201 and response.headers["Location"] == f"{asked.path}/demographics"
        again = asked.ask("her assessor", "GET", "/demographics")
        assert again.json() == response.json() and again.headers["ETag"] == response.headers["ETag"] == '"v1"'
        assert again.json() == {**again.json(), **TOLD, "carer_id": asked.carer["id"]}

    def test_the_next_replaces_all_of_it(self, asked):
        etag = put(asked).headers["ETag"]
        response = put(asked, etag=etag, religion="prefer_not_to_say")

        assert response.status_code == 200 and "Location" not in response.headers and response.headers["ETag"] == '"v2"'
        assert {name: value for name, value in response.json().items() if name in TOLD} == {"religion": "prefer_not_to_say"}

    def test_what_changes_nothing_keeps_its_version(self, asked):
        etag = put(asked).headers["ETag"]
        response = put(asked, etag=etag)
        assert response.status_code == 200 and response.headers["ETag"] == etag

    def test_if_match_belongs_to_what_is_there(self, asked):
        problem(put(asked, etag='"v1"'), 412, "precondition-failed")
        put(asked)
        problem(put(asked), 428, "precondition-required")
        problem(put(asked, etag='"v7"'), 412, "precondition-failed")

    def test_unchanged_is_304(self, asked):
        etag = put(asked).headers["ETag"]
        response = asked.ask("herself", "GET", "/demographics", headers={"If-None-Match": etag})
        assert response.status_code == 304

    @pytest.mark.parametrize("field", list(TOLD))
    def test_each_may_be_left_out_or_kept_back(self, asked, field):
        assert put(asked, **{field: "prefer_not_to_say"}).status_code == 201

    @pytest.mark.parametrize("body, fault", [({}, ""), ({"ethnicity": "martian"}, "/ethnicity"), ({"gender": None}, "/gender"),
                                             ({"age": 40}, "/age"), ({"religion": "jedi"}, "/religion"),
                                             ({"disability": True}, "/disability"), ({"sexual_orientation": ""}, "/sexual_orientation")])
    def test_what_is_wrong_is_named(self, asked, body, fault):
        found = faults(asked.ask("her council", "PUT", "/demographics", json=body))
        assert {pointer for pointer, _ in found} == {fault}


def test_the_trail_says_that_and_never_what(asked, db):
    etag = put(asked).headers["ETag"]
    put(asked, etag=etag, gender="non_binary")
    withdraw(asked)

    db.execute("SELECT action, coalesce(before::text, '') || coalesce(after::text, '') FROM audit_entry"
               " WHERE carer_ids = ARRAY[%s::uuid] AND subject_table = 'carer_demographics' ORDER BY id", (asked.carer["id"],))
    rows = db.fetchall()
    assert [action for action, _ in rows] == ["putDemographics", "putDemographics", "withdrawConsent"]
    assert all("(masked)" in text and not any(code in text for code in (*TOLD.values(), "non_binary")) for _, text in rows)


def test_reading_is_written_to_the_trail(asked, db):
    put(asked)
    asked.ask("her assessor", "GET", "/demographics", headers={"X-Request-ID": asked.consent})
    db.execute("SELECT action, carer_ids::text[] FROM audit_entry WHERE request = %s", (asked.consent,))
    assert db.fetchall() == [("getDemographics", [asked.carer["id"]])]
