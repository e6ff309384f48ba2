"""Consents over HTTP: who may say, read and take back, the newest word, and that a withdrawal is felt by the next request."""
import datetime
import threading
import uuid

import pytest
from support.callers import CALLERS, NOBODY, answer
from support.client import faults, problem
from support.tokens import ISLINGTON

COUNCIL = {"her council", "her council's administrator"}
PARTNER = {"her support worker", "her assessor", "her in-reach team"}
PROVIDER, HERSELF = {"her breaks provider"}, {"herself"}
MAY = COUNCIL | PARTNER | HERSELF
STRANGERS = {"another council", "another council's administrator", "another organisation", "another in-reach team",
             "another carer"}
SAID = {"purpose": "research", "method": "verbal", "wording_version": "2026-04"}
TOLD = {"method": "verbal", "note": "She rang."}


def expected(good, caller):
    return {**dict.fromkeys(MAY, good), **dict.fromkeys(STRANGERS, "not-found")}.get(caller, "forbidden")


def sharing(org, **members):
    return {**SAID, "purpose": "share_with_organisation", "organisation_id": org, **members}


def say(world, caller="her council", **members):
    response = world.ask(caller, "POST", "/consents", json={**SAID, **members})
    assert response.status_code == 201, response.text
    return response.json()


def take_back(world, consent, caller="her council", **options):
    return world.ask(caller, "POST", f"/consents/{consent['id']}/withdraw", **{"json": TOLD, **options})


class TestWho:
    """Every caller, every operation."""

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_a_consent_is_recorded_by_who_meets_her_and_herself(self, world, caller):
        assert answer(world.ask(caller, "POST", "/consents", json=SAID)) == expected("201", caller)

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_consents_are_listed_for_them(self, world, caller):
        say(world)
        assert answer(world.ask(caller, "GET", "/consents")) == expected("200", caller)

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_one_consent_is_read_by_them(self, world, caller):
        assert answer(world.ask(caller, "GET", f"/consents/{say(world)['id']}")) == expected("200", caller)

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_a_consent_is_taken_back_through_them(self, world, caller):
        assert answer(take_back(world, say(world), caller)) == expected("200", caller)

    @pytest.mark.parametrize("caller", sorted(MAY))
    @pytest.mark.parametrize("method, path", [("GET", "/consents"), ("POST", "/consents"),
                                              ("GET", f"/consents/{NOBODY}"), ("POST", f"/consents/{NOBODY}/withdraw")])
    def test_of_a_carer_who_is_not_there_nothing_is_told(self, world, caller, method, path):
        body = None if method == "GET" else SAID if path == "/consents" else TOLD
        problem(world.ask(caller, method, f"/v1/carers/{NOBODY}{path}", json=body), 404, "not-found")

    @pytest.mark.parametrize("caller", sorted(PARTNER))
    def test_what_concerns_another_organisation_is_not_there_for_this_one(self, world, caller):
        consent = say(world, **sharing(world.other_org))

        problem(world.ask(caller, "GET", f"/consents/{consent['id']}"), 404, "not-found")
        problem(take_back(world, consent, caller), 404, "not-found")
        assert world.ask(caller, "GET", "/consents").json()["items"] == []

    def test_another_carers_consent_is_not_below_this_one(self, world):
        consent = say(world)
        path = f"/v1/carers/{world.other_carer['id']}/consents/{consent['id']}"

        problem(world.ask("her council", "GET", path), 404, "not-found")
        problem(world.ask("her council", "POST", f"{path}/withdraw", json=TOLD), 404, "not-found")

    @pytest.mark.parametrize("scope, method", [("carers:read", "POST"), ("carers:write", "GET")])
    def test_the_scope_is_asked_first(self, world, scope, method):
        body = SAID if method == "POST" else None
        problem(world.ask("her council", method, "/consents", scope=scope, json=body), 403, "insufficient-scope")


class TestRecord:
    """What is answered, what is refused."""

    def test_what_is_created_is_found_where_location_says(self, world, api):
        response = world.ask("her support worker", "POST", "/consents", json=sharing(world.org, decided_at="2026-01-05T10:00:00Z"))

        made = response.json()
        assert response.headers["Location"] == f"{world.path}/consents/{made['id']}"
        again = world.ask("her support worker", "GET", response.headers["Location"])
        assert again.json() == made and again.headers["ETag"] == response.headers["ETag"] == '"v1"'
        assert made == {**made, "carer_id": world.carer["id"], "purpose": "share_with_organisation", "decision": "given",
                        "state": "active", "available_actions": ["withdraw"], "method": "verbal", "wording_version": "2026-04",
                        "decided_at": "2026-01-05T10:00:00.000Z",
                        "recorded_by": {"role": "support_worker", "organisation_id": world.org}}
        assert made["organisation"]["id"] == world.org and made["organisation"]["name"].startswith("Organisation")
        assert "ended_at" not in made

    def test_an_unchanged_consent_is_304(self, world):
        consent = say(world)
        assert world.ask("herself", "GET", f"/consents/{consent['id']}", headers={"If-None-Match": '"v1"'}).status_code == 304

    @pytest.mark.parametrize("caller, role", [("her council", "practitioner"), ("herself", "carer")])
    def test_who_recorded_it_is_a_role_and_not_a_person(self, world, caller, role):
        assert say(world, caller)["recorded_by"] == {"role": role}
        assert "@" not in world.ask("her council's administrator", "GET", "/consents").text

    @pytest.mark.parametrize("body, fault", [
        ({**SAID, "organisation_id": NOBODY}, "/organisation_id"), ({**SAID, "purpose": "share_with_organisation"}, ""),
        ({**SAID, "purpose": "marketing"}, "/purpose"), ({**SAID, "decision": "perhaps"}, "/decision"),
        ({**SAID, "method": "telepathy"}, "/method"), ({**SAID, "wording_version": ""}, "/wording_version"),
        ({**SAID, "decided_at": "yesterday"}, "/decided_at"), ({**SAID, "recorded_by": "me"}, "/recorded_by"),
        ({"purpose": "research", "method": "verbal"}, ""), ({**SAID, "decided_at": "2090-01-01T00:00:00Z"}, "/decided_at"),
        (sharing(NOBODY), "/organisation_id")])
    def test_what_is_wrong_is_named(self, world, body, fault):
        found = faults(world.ask("her council", "POST", "/consents", json=body))
        assert {pointer for pointer, _ in found} == {fault}

    def test_the_next_word_replaces_the_one_before(self, world):
        first, second = say(world), say(world, "herself", decision="refused")

        items = world.ask("her council", "GET", "/consents").json()["items"]

        assert [(item["id"], item["state"], item["available_actions"]) for item in items] == [
            (second["id"], "refused", []), (first["id"], "replaced", [])]
        assert items[1]["ended_at"] >= first["decided_at"] and "end_method" not in items[1]

    def test_a_word_told_late_does_not_bring_back_what_was_taken_back(self, world):
        consent = say(world, decided_at="2026-01-05T10:00:00Z")
        take_back(world, consent, "herself")

        found = faults(world.ask("her council", "POST", "/consents", json={**SAID, "decided_at": "2026-01-06T10:00:00Z"}))

        assert found == {("/decided_at", "rule")}
        assert world.ask("her council", "GET", "/consents?state=active").json()["items"] == []

    def test_a_closed_carer_gives_nothing_and_takes_back_at_any_moment(self, world):
        consent = say(world)
        assert world.ask("her council", "POST", "/close", json={"reason": "moved_away"}).status_code == 200

        refusal = problem(world.ask("herself", "POST", "/consents", json=SAID), 409, "state-conflict")
        assert refusal["state"] == "closed"
        assert take_back(world, consent, "herself").json()["state"] == "withdrawn"

    def test_the_same_key_records_it_once(self, world):
        key = {"Idempotency-Key": str(uuid.uuid4())}
        first, second = (world.ask("her council", "POST", "/consents", json=SAID, headers=key) for _ in range(2))

        assert first.json() == second.json() and second.headers["Idempotency-Replayed"] == "true"
        assert len(world.ask("her council", "GET", "/consents").json()["items"]) == 1

    def test_of_many_words_at_once_one_holds_and_none_fails(self, world):
        answers, first = [], threading.Barrier(8)

        def speak(decision):
            first.wait()
            answers.append(answer(world.ask("herself", "POST", "/consents", json={**SAID, "decision": decision})))
        workers = [threading.Thread(target=speak, args=(decision,)) for decision in ("given", "refused") * 4]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)

        states = [item["state"] for item in world.ask("her council", "GET", "/consents").json()["items"]]
        assert answers == ["201"] * 8
        assert states.count("replaced") == 7 and states.count("active") + states.count("refused") == 1


class TestList:
    """Pages and filters."""

    def test_pages_lead_through_all_newest_first(self, world):
        made = [say(world)["id"] for _ in range(5)]
        seen, path = [], f"{world.path}/consents?limit=2"
        while path:
            response = world.ask("herself", "GET", path)
            seen += [item["id"] for item in response.json()["items"]]
            path = response.links["next"]["url"] if "next" in response.links else None
        assert seen == made[::-1]

    def test_filters_are_cumulative(self, world):
        say(world), say(world, purpose="demographics")
        for query, purposes in (("state=active&purpose=research", ["research"]), ("purpose=demographics&state=refused", []),
                                ("state=active", ["demographics", "research"])):
            items = world.ask("her council", "GET", f"/consents?{query}").json()["items"]
            assert [item["purpose"] for item in items] == purposes

    @pytest.mark.parametrize("query, fault", [("purpose=marketing", "/query/purpose"), ("state=open", "/query/state"),
                                              (f"cursor={'A' * 32}", "/query/cursor"), ("limit=0", "/query/limit")])
    def test_a_wrong_parameter_is_named(self, world, query, fault):
        found = faults(world.ask("her council", "GET", f"/consents?{query}"), 400, "invalid-parameter")
        assert {pointer for pointer, _ in found} == {fault}

    def test_reading_is_written_to_the_audit_trail(self, world, db):
        ident, consent = f"consents-{uuid.uuid4()}", say(world)
        for path in ("/consents", f"/consents/{consent['id']}"):
            world.ask("herself", "GET", path, headers={"X-Request-ID": ident})
        db.execute("SELECT action, target, carer_ids::text[], council FROM audit_entry WHERE request = %s ORDER BY id", (ident,))
        assert db.fetchall() == [("listConsents", world.carer["id"], [world.carer["id"]], ISLINGTON),
                                 ("getConsent", consent["id"], [world.carer["id"]], ISLINGTON)]


class TestWithdraw:
    """Once, at any moment, felt at once."""

    def test_it_says_how_and_when(self, world):
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        response = take_back(world, say(world), "her support worker")

        consent = response.json()
        assert (consent["state"], consent["end_method"], consent["end_note"]) == ("withdrawn", "verbal", "She rang.")
        assert consent["available_actions"] == [] and consent["ended_at"][:10] >= now[:10]
        assert response.headers["ETag"] == '"v2"'

    def test_twice_is_a_conflict_that_names_the_state(self, world):
        consent = say(world)
        take_back(world, consent)
        assert problem(take_back(world, consent), 409, "state-conflict")["state"] == "withdrawn"

    def test_a_refusal_is_not_taken_back(self, world):
        refusal = say(world, decision="refused")
        assert problem(take_back(world, refusal), 409, "state-conflict")["state"] == "refused"

    def test_what_was_replaced_is_not_taken_back(self, world):
        first, _ = say(world), say(world)
        assert problem(take_back(world, first), 409, "state-conflict")["state"] == "replaced"

    def test_a_stale_etag_is_412_and_a_fresh_one_is_taken(self, world):
        consent = say(world)
        problem(take_back(world, consent, headers={"If-Match": '"v9"'}), 412, "precondition-failed")
        assert take_back(world, consent, headers={"If-Match": '"v1"'}).status_code == 200

    @pytest.mark.parametrize("body, fault", [({}, ""), ({"method": "fax"}, "/method"), ({"method": "verbal", "x": 1}, "/x")])
    def test_how_she_said_so_is_needed(self, world, body, fault):
        found = faults(take_back(world, say(world), json=body))
        assert {pointer for pointer, _ in found} == {fault}

    def test_of_many_at_once_one_withdraws(self, world):
        consent, answers, first = say(world), [], threading.Barrier(6)

        def withdraw():
            first.wait()
            answers.append(answer(take_back(world, consent, "herself")))
        workers = [threading.Thread(target=withdraw) for _ in range(6)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert sorted(answers) == ["200"] + ["state-conflict"] * 5


class TestAtOnce:
    """The organisation that she does not share with any more."""

    @pytest.mark.parametrize("caller", sorted(MAY))
    def test_the_answer_is_given_and_the_next_request_finds_nobody(self, world, caller):
        consent = say(world, **sharing(world.org))
        assert answer(world.ask("her support worker", "GET")) == "200"

        response = take_back(world, consent, caller)

        assert response.status_code == 200 and response.json()["state"] == "withdrawn"
        for worker in sorted(PARTNER | PROVIDER):
            problem(world.ask(worker, "GET"), 404, "not-found")
        problem(world.ask("her support worker", "GET", "/consents"), 404, "not-found")
        assert world.carer["id"] not in world.ask("her support worker", "GET", "/v1/carers").text
        assert answer(world.ask("herself", "GET")) == "200"

    @pytest.mark.parametrize("caller", sorted(PARTNER))
    def test_a_worker_who_records_the_refusal_has_his_answer_too(self, world, caller):
        response = world.ask(caller, "POST", "/consents", json=sharing(world.org, decision="refused"))

        assert response.status_code == 201 and response.json()["state"] == "refused"
        problem(world.ask(caller, "GET"), 404, "not-found")

    def test_his_key_gives_him_the_answer_again(self, world):
        consent, key = say(world, **sharing(world.org)), {"Idempotency-Key": str(uuid.uuid4())}
        first, second = (take_back(world, consent, "her support worker", headers=key) for _ in range(2))
        assert first.status_code == second.status_code == 200 and first.json() == second.json()

    def test_another_organisation_keeps_its_sight(self, world, grant):
        grant(world.carer["id"], world.other_org)
        take_back(world, say(world, **sharing(world.other_org)), "herself")
        assert answer(world.ask("another organisation", "GET")) == "not-found"
        assert answer(world.ask("her support worker", "GET")) == "200"
