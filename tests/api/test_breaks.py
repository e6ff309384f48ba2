"""Breaks over HTTP: rules B1, B2, B4 and B6, schemes, the referral that goes with them, series, lists. The machine: test_break_states.py."""
import datetime

import pytest
from support.breaks import AGREEMENT, BODIES, break_body, path_of
from support.callers import CALLERS, answer
from support.client import faults, problem
from support.tokens import ISLINGTON

STAFF = {"role": "practitioner"}
ADMIN = {"role": "council_admin"}


@pytest.fixture
def sides(carer, organisation, grant):
    """A carer, and a provider and a charity that see her."""
    class Sides:
        of, provider_org, charity_org = carer(known_to_social_care=False), organisation(), organisation()
        provider = {"role": "break_provider", "org": provider_org}
        charity = {"role": "assessor", "org": charity_org}
    grant(Sides.of["id"], Sides.provider_org)
    grant(Sides.of["id"], Sides.charity_org)
    return Sides


@pytest.fixture
def ask(api, sides):
    """ask(caller, members...): the response to createBreak for the carer and the provider."""
    def create(caller=None, of=None, **members):
        members = {"provider_organisation_id": sides.provider_org, **members}
        return api.post(f"/v1/carers/{(of or sides.of)['id']}/breaks", json=break_body(**members), **(caller or STAFF))
    return create


@pytest.fixture
def make(api, ask, sides, db):
    """make(state, members...): a break, brought into its state by the provider over HTTP."""
    def create(state="referred", caller=None, **members):
        response = ask(caller, **members)
        assert response.status_code == 201, response.text
        one = response.json()
        for action, reached in (("conversation", "conversation_held"), ("agree", "agreed"), ("start", "active")):
            if one["state"] == state:
                break
            one = do(api, one, action, **sides.provider)
            assert one["state"] == reached
        return one
    return create


def do(api, one, action, body=None, **caller):
    response = api.post(path_of(one, action), json=BODIES.get(action, {}) if body is None else body, **caller)
    assert response.status_code == 200, response.text
    return response.json()


def rule(response, ident):
    body = problem(response, 422, "rule-violated")
    assert body["rule"] == ident, body
    return body


class TestSchemes:
    """By which rules a council gives breaks."""

    def test_two_are_shipped(self, api):
        items = {item["scheme"]: item for item in api.get("/v1/break-schemes?council=E09000002", **STAFF).json()["items"]}

        assert {key: one["requires_statutory_assessment"] for key, one in items.items()} == {"assessed_breaks": True, "open_breaks": False}

    def test_a_council_makes_its_own_and_replaces_it_with_if_match(self, api, db):
        admin = {"role": "council_admin", "council": "E09000003"}
        path, body = "/v1/break-schemes/open_breaks?council=E09000003", {"title": "Ours", "requires_statutory_assessment": True}
        made = api.put(path, json=body, **admin)
        assert (made.status_code, made.json()["council"], made.json()["active"]) == (201, "E09000003", True)
        problem(api.put(path, json=body, **admin), 428, "precondition-required")
        problem(api.put(path, json=body, headers={"If-Match": '"v7"'}, **admin), 412, "precondition-failed")
        changed = api.put(path, json={**body, "active": False}, headers={"If-Match": made.headers["ETag"]}, **admin)
        assert changed.status_code == 200 and changed.json()["version"] == 2
        items = api.get("/v1/break-schemes", **admin).json()["items"]
        assert [(i["scheme"], i["title"]) for i in items if i["scheme"] == "open_breaks"] == [("open_breaks", "Ours")]
        db.execute("SELECT count(*) FROM audit_entry WHERE subject_table = 'break_scheme' AND council = 'E09000003'")
        assert db.fetchone() == (2,)

    @pytest.mark.parametrize("caller, slug", [({"role": "practitioner"}, "insufficient-scope"), ({"role": "council_admin", "council": "E09000007"}, "forbidden"),
                                              ({"role": "practitioner", "scope": "admin"}, "forbidden")])
    def test_only_its_administrators_do(self, api, caller, slug):
        body = {"title": "x", "requires_statutory_assessment": False}
        assert answer(api.put(f"/v1/break-schemes/x?council={ISLINGTON}", json=body, **caller)) == slug

    def test_no_new_break_under_one_that_is_unknown_or_closed(self, api, ask):
        admin = {"role": "council_admin"}
        assert ("/scheme", "rule") in faults(ask(scheme="nowhere"))
        body = {"title": "Closed", "requires_statutory_assessment": False, "active": False}
        assert api.put(f"/v1/break-schemes/closed_one?council={ISLINGTON}", json=body, **admin).status_code == 201
        assert ("/scheme", "rule") in faults(ask(scheme="closed_one"))


class TestAssessed:
    """Rule B1: under a scheme that asks for it, a completed statutory assessment that recommends a break."""

    @pytest.fixture
    def assessed(self, assessment, sides, db):
        def make(kind="statutory", state="completed", recommended=True, of=None, on="2026-01-05"):
            one = assessment(kind, of=of or sides.of, role="assessor" if kind == "light_touch" else "practitioner",
                             org=sides.charity_org if kind == "light_touch" else None)
            db.execute("SET session_replication_role = replica")
            db.execute("UPDATE assessment SET state = %s, break_recommended = %s, completed_on = CASE WHEN %s = 'completed' THEN %s::date END"
                       " WHERE id = %s", (state, recommended, state, on, one["id"]))
            db.execute("SET session_replication_role = origin")
            return one["id"]
        return make

    def test_without_one_it_is_refused(self, ask):
        rule(ask(scheme="assessed_breaks"), "B1")

    @pytest.mark.parametrize("what", [{"state": "in_progress"}, {"recommended": False}, {"recommended": None}, {"kind": "light_touch"}], ids=str)
    @pytest.mark.parametrize("named", [True, False])
    def test_another_than_that_does_not_do(self, ask, assessed, what, named):
        one = assessed(**what)
        rule(ask(scheme="assessed_breaks", assessment_id=one if named else None), "B1")

    def test_another_carers_does_not_do(self, ask, assessed, carer):
        other = assessed(of=carer(known_to_social_care=False))
        rule(ask(scheme="assessed_breaks"), "B1")
        assert ("/assessment_id", "rule") in faults(ask(scheme="assessed_breaks", assessment_id=other))

    def test_with_it_the_break_is_made_and_names_it(self, api, ask, assessed, sides):
        one = assessed()
        named, found = ask(scheme="assessed_breaks", assessment_id=one), ask(scheme="assessed_breaks")

        assert named.status_code == found.status_code == 201 and named.json()["assessment_id"] == found.json()["assessment_id"] == one
        assert "assessment_id" not in api.get(path_of(named.json()), **sides.provider).json()

    def test_the_latest_counts_when_none_is_named(self, ask, assessed):
        assessed()
        assessed(recommended=False, on="2026-02-05")
        rule(ask(scheme="assessed_breaks"), "B1")

    def test_a_provider_makes_one_without_seeing_the_assessment(self, ask, assessed, sides):
        one = assessed()
        assert ask(sides.provider, scheme="assessed_breaks").status_code == 201
        assert ("/assessment_id", "rule") in faults(ask(sides.provider, scheme="assessed_breaks", assessment_id=one))

    def test_a_patch_is_asked_again(self, api, ask, assessed):
        good, bad = assessed(), assessed(recommended=False, on="2025-01-05")
        one = ask(scheme="assessed_breaks", assessment_id=good).json()
        rule(api.patch(path_of(one), etag="*", json={"assessment_id": bad}, **STAFF), "B1")

    def test_other_schemes_need_none(self, ask):
        assert ask(scheme="open_breaks").status_code == 201


class TestAgreement:
    """Rule B2: length and frequency are the provider's word."""

    @pytest.mark.parametrize("members", [{"agreement": {"hours_per_session": 3}}, {"agreement": {"frequency": "weekly"}},
                                         {"conversation": {"held_on": "2026-01-05"}}], ids=str)
    @pytest.mark.parametrize("who", ["council", "charity", "provider"])
    def test_nobody_sets_them_when_a_break_is_asked_for(self, ask, sides, who, members):
        caller = {"council": STAFF, "charity": sides.charity, "provider": sides.provider}[who]
        rule(ask(caller, **members), "B2")

    @pytest.mark.parametrize("state", ["referred", "conversation_held", "agreed", "active"])
    @pytest.mark.parametrize("who", ["council", "charity"])
    def test_nobody_else_sets_them_later(self, api, make, sides, who, state):
        one = make(state, sides.charity)
        caller = {"council": STAFF, "charity": sides.charity}[who]
        for body in ({"agreement": {"hours_per_session": 8}}, {"agreement": {"frequency": "monthly"}}, {"conversation": {"notes": "x"}}):
            rule(api.patch(path_of(one), etag="*", json=body, **caller), "B2")
        rule(api.post(path_of(one, "agree"), json=AGREEMENT, **caller), "B2")
        rule(api.post(path_of(one, "conversation"), json=BODIES["conversation"], **caller), "B2")
        before = {name: value for name, value in one.items() if name in ("agreement", "conversation")}
        assert before.items() <= api.get(path_of(one), **caller).json().items()

    def test_agree_comes_after_the_conversation(self, api, make, sides):
        one = make("referred")
        assert problem(api.post(path_of(one, "agree"), json=AGREEMENT, **sides.provider), 409, "state-conflict")["state"] == "referred"
        held = do(api, one, "conversation", {"held_on": "2026-01-05", "notes": "Thursdays"}, **sides.provider)
        assert held["conversation"] == {"held_on": "2026-01-05", "notes": "Thursdays"}
        assert do(api, one, "agree", **sides.provider)["agreement"] == AGREEMENT

    def test_the_provider_changes_what_was_agreed_and_the_council_reads_it(self, api, make, sides):
        one = make("active")
        response = api.patch(path_of(one), etag="*", json={"agreement": {"hours_per_session": 4.5}}, **sides.provider)
        assert response.json()["agreement"] == {**AGREEMENT, "hours_per_session": 4.5}
        assert api.get(path_of(one), **STAFF).json()["agreement"]["hours_per_session"] == 4.5

    def test_there_is_none_to_change_before_it_is_made(self, api, make, sides):
        one = make("conversation_held")
        problem(api.patch(path_of(one), etag="*", json={"agreement": AGREEMENT}, **sides.provider), 409, "state-conflict")

    def test_it_ends_after_it_starts(self, api, make, sides):
        one = make("conversation_held")
        body = {**AGREEMENT, "ends_on": "2026-01-07"}
        assert ("/agreement/ends_on", "rule") in faults(api.post(path_of(one, "agree"), json=body, **sides.provider))

    def test_the_carer_is_not_shown_the_notes(self, api, make, sides):
        one = make("referred")
        do(api, one, "conversation", {"held_on": "2026-01-05", "notes": "Tired"}, **sides.provider)
        seen = api.get(path_of(one), role="carer", carer=sides.of["id"]).json()
        assert seen["conversation"] == {"held_on": "2026-01-05"} and seen["available_actions"] == []


@pytest.mark.parametrize("delivery, told", [("shared_lives_respite", "B6"), ("short_stay", "B6"), ("activity", None)])
def test_an_introductory_visit_comes_before_the_first_night(api, make, sides, delivery, told):
    one = make("agreed", delivery=delivery)
    if told:
        rule(api.post(path_of(one, "start"), json={}, **sides.provider), told)
        assert one["available_actions"] == ["update"]
        visits = [{"held_on": "2026-01-06", "note": "Tea"}]
        assert api.patch(path_of(one), etag="*", json={"introductory_visits": visits}, **sides.provider).json()["introductory_visits"] == visits
    assert do(api, one, "start", **sides.provider)["state"] == "active"


def test_what_it_is_for_is_settled_when_it_starts(api, make, sides):
    one = make("agreed")
    assert api.patch(path_of(one), etag="*", json={"purpose": "holiday"}, **STAFF).json()["purpose"] == "holiday"
    do(api, one, "start", **sides.provider)
    problem(api.patch(path_of(one), etag="*", json={"purpose": "rest"}, **STAFF), 409, "state-conflict")
    assert api.patch(path_of(one), etag="*", json={"approach": "whole_family"}, **STAFF).json()["approach"] == "whole_family"


def test_a_provider_must_see_the_carer_or_be_referred_to(ask, organisation, carer, sides):
    assert ("/provider_organisation_id", "rule") in faults(ask(provider_organisation_id=organisation()))
    assert ("/provider_organisation_id", "rule") in faults(ask(of=carer()))
    assert ("/provider_organisation_id", "rule") in faults(ask(provider_organisation_id=None))
    assert ("/provider_organisation_id", "rule") in faults(ask(sides.provider, provider_organisation_id=sides.charity_org))


class TestReferral:
    """The referral that asked for the break goes with it, in the same transaction."""

    @pytest.fixture
    def referred(self, api, referral, sides):
        """referred(state): a referral for a break to the provider, and a break that it asked for."""
        def make(state="accepted", action=None):
            asked = referral(to=sides.provider_org, of=sides.of, kind="break")
            for step in ("submit", "accept")[:1 if state == "requested" else 2]:
                caller = STAFF if step == "submit" else sides.provider
                assert api.post(f"/v1/referrals/{asked['id']}/{step}", json={}, **caller).status_code == 200
            one = api.post(f"/v1/carers/{sides.of['id']}/breaks", json=break_body(referral_id=asked["id"]), **STAFF)
            assert one.status_code == 201, one.text
            return asked, one.json()
        return make

    def state(self, api, asked):
        return api.get(f"/v1/referrals/{asked['id']}", **STAFF).json()

    def test_it_is_in_progress_on_hold_and_completed_with_what_was_delivered(self, api, db, referred, sides):
        asked, one = referred()
        assert one["referral_id"] == asked["id"] and one["provider_organisation_id"] == sides.provider_org
        for action in ("conversation", "agree"):
            do(api, one, action, **sides.provider)
        assert self.state(api, asked)["state"] == "accepted"
        for action, state in (("start", "in_progress"), ("pause", "on_hold"), ("resume", "in_progress"), ("pause", "on_hold")):
            do(api, one, action, **sides.provider)
            assert self.state(api, asked)["state"] == state
        do(api, one, "resume", **sides.provider)
        deliver(api, one, sides.provider, "-3 hours", 2)
        do(api, one, "pause", **sides.provider)
        do(api, one, "end", **sides.provider)

        told = self.state(api, asked)
        assert (told["state"], told["outcome"]) == ("completed", "It is over.") and told["delivered"].startswith("1 sessions, 2.00 hours, ")
        history = api.get(f"/v1/referrals/{asked['id']}/history", **STAFF).json()["items"]
        assert [item["action"] for item in history] == ["create", "submit", "accept", "start", "hold", "resume", "hold", "resume", "hold", "resume",
                                                        "complete"]
        db.execute("SELECT count(*) FROM carer_access WHERE referral_id = %s AND ends_at > now()", (asked["id"],))
        assert db.fetchone() == (1,)  # the record closes some days later

    def test_it_fails_when_nothing_was_delivered(self, api, referred, sides):
        asked, one = referred()
        for action in ("conversation", "agree", "start", "end"):
            do(api, one, action, **sides.provider)
        assert (self.state(api, asked)["state"], self.state(api, asked)["action_reason"]) == ("failed", "It is over.")

    @pytest.mark.parametrize("state, told", [("requested", "declined"), ("accepted", "failed")])
    def test_it_is_declined_or_failed_with_a_break_that_is_declined(self, api, referred, state, told):
        asked, one = referred(state)
        do(api, one, "decline", **STAFF)
        assert self.state(api, asked)["state"] == told

    def test_her_support_starts_with_the_break(self, api, referred, sides):
        assert api.post(f"/v1/carers/{sides.of['id']}/register", json={"triage": {"level": "light"}}, **STAFF).status_code == 200
        _, one = referred()
        for action in ("conversation", "agree", "start"):
            do(api, one, action, **sides.provider)
        assert api.get(f"/v1/carers/{sides.of['id']}", **STAFF).json()["state"] == "active"

    def test_one_referral_leads_to_one_break(self, api, referred, ask):
        asked, one = referred()
        problem(ask(referral_id=asked["id"]), 409, "conflict")
        do(api, one, "decline", **STAFF)
        assert ("/referral_id", "rule") in faults(ask(referral_id=asked["id"]))  # it has failed with it

    def test_another_ones_or_another_kind_is_refused(self, referral, carer, ask, sides):
        for asked in (referral("accepted", to=sides.provider_org, of=carer(), kind="break"), referral("accepted", to=sides.provider_org, of=sides.of),
                      referral("draft", to=sides.provider_org, of=sides.of, kind="break")):
            assert ("/referral_id", "rule") in faults(ask(referral_id=asked["id"]))


def at(span):
    """An instant so far from now, as SQL says it."""
    number, unit = span.split()
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**{unit: float(number)})).replace(microsecond=0)


def session_body(start, hours, **members):
    return {"starts_at": start.isoformat(), "ends_at": (start + datetime.timedelta(hours=hours)).isoformat(), **members}


def plan(api, one, provider, start, hours, **members):
    response = api.post(path_of(one, "sessions"), json=session_body(at(start), hours, **members), **provider)
    assert response.status_code == 201, response.text
    return response.json()


def deliver(api, one, provider, start, hours, **body):
    session = plan(api, one, provider, start, hours)
    response = api.post(f"{path_of(one, 'sessions')}/{session['id']}/deliver", json={"delivered_by": "paid", **body}, **provider)
    assert response.status_code == 200, response.text
    return response.json()


class TestSessions:
    """Rule B4."""

    def test_one_is_planned_moved_and_delivered(self, api, make, sides):
        one = make("active")
        session = plan(api, one, sides.provider, "-5 hours", 3, note="Bring the key.")
        path = f"{path_of(one, 'sessions')}/{session['id']}"
        assert (session["hours"], session["state"], session["available_actions"]) == (3, "planned", ["update", "deliver", "cancel"])
        moved = api.patch(path, etag='"v1"', json={"ends_at": at("-1 hours").isoformat()}, **sides.provider)
        assert (moved.status_code, moved.headers["ETag"]) == (200, '"v2"')
        problem(api.patch(path, etag='"v1"', json={"note": "x"}, **sides.provider), 412, "precondition-failed")
        done = api.post(f"{path}/deliver", json={"hours": 3.25, "delivered_by": "volunteer"}, headers={"If-Match": '"v2"'}, **sides.provider).json()
        assert (done["state"], done["delivered_hours"], done["delivered_by"], done["available_actions"]) == ("delivered", 3.25, "volunteer", [])
        assert "warnings" not in done
        assert api.get(path, **STAFF).json() == {**done, "available_actions": []}
        assert "note" not in api.get(path, role="carer", carer=sides.of["id"]).json()
        problem(api.post(f"{path}/cancel", json={"side": "carer", "reason": "x"}, **sides.provider), 409, "state-conflict")

    def test_without_hours_it_was_as_long_as_it_was_planned(self, api, make, sides):
        assert deliver(api, make("active"), sides.provider, "-5 hours", 2.5)["delivered_hours"] == 2.5

    def test_one_over_another_is_refused_but_not_over_a_cancelled_one(self, api, make, sides):
        one = make("agreed")
        first = plan(api, one, sides.provider, "48 hours", 3)
        other = session_body(at("50 hours"), 3)
        rule(api.post(path_of(one, "sessions"), json=other, **sides.provider), "B4")
        second = plan(api, one, sides.provider, "72 hours", 3)
        rule(api.patch(f"{path_of(one, 'sessions')}/{second['id']}", etag="*", json=session_body(at("49 hours"), 1), **sides.provider), "B4")
        cancelled = api.post(f"{path_of(one, 'sessions')}/{first['id']}/cancel", json={"side": "carer", "reason": "A cold"}, **sides.provider)
        assert (cancelled.json()["state"], cancelled.json()["cancel_reason"]) == ("cancelled_by_carer", "A cold")
        assert api.post(path_of(one, "sessions"), json=other, **sides.provider).status_code == 201

    def test_it_is_delivered_after_it_began(self, api, make, sides):
        one = make("active")
        session = plan(api, one, sides.provider, "1 hours", 3)
        assert session["available_actions"] == ["update", "cancel"]
        rule(api.post(f"{path_of(one, 'sessions')}/{session['id']}/deliver", json={"delivered_by": "paid"}, **sides.provider), "B4")

    def test_it_is_delivered_once_its_break_has_started(self, api, make, sides):
        one = make("agreed")
        session = plan(api, one, sides.provider, "-5 hours", 3)
        assert session["available_actions"] == ["update", "cancel"]
        rule(api.post(f"{path_of(one, 'sessions')}/{session['id']}/deliver", json={"delivered_by": "paid"}, **sides.provider), "B4")

    @pytest.mark.parametrize("state", ["referred", "conversation_held", "paused", "ended"])
    def test_none_is_planned_in_a_break_that_is_not_agreed_or_active(self, api, make, sides, state):
        one = make("active" if state in ("paused", "ended") else state)
        if state in ("paused", "ended"):
            do(api, one, state[:-1] if state == "paused" else "end", **sides.provider)
        rule(api.post(path_of(one, "sessions"), json=session_body(at("5 hours"), 1), **sides.provider), "B4")
        series = {"rule": "FREQ=DAILY;COUNT=2", "starts_on": "2027-01-01", "starts_time": "10:00", "ends_time": "11:00"}
        rule(api.post(path_of(one, "session-series"), json=series, **sides.provider), "B4")

    def test_it_ends_after_it_starts(self, api, make, sides):
        assert ("/ends_at", "rule") in faults(api.post(path_of(make("agreed"), "sessions"), json=session_body(at("5 hours"), -1), **sides.provider))

    def test_those_that_have_not_begun_end_with_their_break(self, api, make, sides):
        one = make("active")
        begun, later = plan(api, one, sides.provider, "-5 hours", 3), plan(api, one, sides.provider, "5 hours", 3)
        do(api, one, "end", **sides.provider)
        listed = {item["id"]: item for item in api.get(path_of(one, "sessions"), **sides.provider).json()["items"]}
        assert (listed[begun["id"]]["state"], listed[begun["id"]]["available_actions"]) == ("planned", ["deliver", "cancel"])
        assert listed[later["id"]]["state"] == "cancelled_by_provider"
        done = api.post(f"{path_of(one, 'sessions')}/{begun['id']}/deliver", json={"delivered_by": "paid"}, **sides.provider)
        assert done.status_code == 200, done.text

    def test_they_are_listed_in_order_in_pages_and_by_state(self, api, make, sides):
        one = make("active")
        late, soon = plan(api, one, sides.provider, "50 hours", 1), plan(api, one, sides.provider, "10 hours", 1)
        deliver(api, one, sides.provider, "-5 hours", 1)
        path = path_of(one, "sessions")
        assert [i["id"] for i in api.get(f"{path}?state=planned", **STAFF).json()["items"]] == [soon["id"], late["id"]]
        seen, query = [], "?limit=1"
        while query:
            page = api.get(path + query, **sides.provider).json()
            seen += [item["starts_at"] for item in page["items"]]
            query = page.get("next_cursor") and f"?limit=1&cursor={page['next_cursor']}"
        assert seen == sorted(seen) and len(seen) == 3
        assert len(api.get(f"{path}?updated_since=2026-01-01T00:00:00Z", **STAFF).json()["items"]) == 3

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_only_the_provider_plans(self, world, api, caller, db):
        one = api.post(f"{world.path}/breaks", json=break_body(provider_organisation_id=world.org), **STAFF).json()
        db.execute("SET session_replication_role = replica")
        db.execute("UPDATE carer_break SET state = 'agreed' WHERE id = %s", (one["id"],))
        db.execute("SET session_replication_role = origin")
        expected = "201" if caller == "her breaks provider" else "forbidden"
        response = world.ask(caller, "POST", path_of(one, "sessions"), json=session_body(at("5 hours"), 1), scope="breaks:write")
        assert answer(response) == expected


class TestSeries:
    """Sessions by an RFC 5545 rule, at the time on the wall in London, all or none."""

    def body(self, rule_text, **members):
        return {"rule": rule_text, "starts_on": "2027-03-18", "starts_time": "10:00", "ends_time": "13:00", **members}

    def test_ten_o_clock_is_ten_o_clock_in_winter_and_in_summer(self, api, make, sides):
        one = make("agreed")
        made = api.post(path_of(one, "session-series"), json=self.body("FREQ=WEEKLY;COUNT=4"), **sides.provider)
        assert made.status_code == 201, made.text
        starts = [session["starts_at"] for session in made.json()["sessions"]]
        assert starts == ["2027-03-18T10:00:00.000Z", "2027-03-25T10:00:00.000Z", "2027-04-01T09:00:00.000Z", "2027-04-08T09:00:00.000Z"]
        assert {session["hours"] for session in made.json()["sessions"]} == {3}
        listed = api.get(made.headers["Location"], **STAFF).json()["items"]
        assert [item["id"] for item in listed] == [session["id"] for session in made.json()["sessions"]]
        assert {item["series_id"] for item in listed} == {made.json()["series_id"]}

    @pytest.mark.parametrize("start, hours", [("2027-03-27", 7), ("2027-10-30", 9), ("2027-06-01", 8)])
    def test_a_night_has_the_hours_that_the_clock_gives_it(self, api, make, sides, start, hours):
        body = self.body("FREQ=DAILY;COUNT=1", starts_on=start, starts_time="22:00", ends_time="06:00")
        assert [s["hours"] for s in api.post(path_of(make("agreed"), "session-series"), json=body, **sides.provider).json()["sessions"]] == [hours]

    def test_bank_holidays_are_skipped_on_request(self, api, make, sides):
        one = make("agreed")
        body = self.body("FREQ=WEEKLY;BYDAY=MO;COUNT=3", starts_on="2027-03-22")
        made = api.post(path_of(one, "session-series"), json={**body, "skip_bank_holidays": True}, **sides.provider).json()
        assert [s["starts_at"][:10] for s in made["sessions"]] == ["2027-03-22", "2027-04-05"]
        assert made["skipped"] == [{"day": "2027-03-29", "name": "Easter Monday"}]
        assert len(api.post(path_of(make("agreed"), "session-series"), json=body, **sides.provider).json()["sessions"]) == 3

    def test_a_dry_run_keeps_nothing_and_tells_what_it_overlaps(self, api, make, sides):
        one, body = make("agreed"), self.body("FREQ=WEEKLY;COUNT=2")
        path = path_of(one, "session-series")
        dry = api.post(f"{path}?dry_run=true", json=body, **sides.provider)
        assert dry.status_code == 200 and [p["overlaps"] for p in dry.json()["planned"]] == [False, False]
        assert api.get(path_of(one, "sessions"), **STAFF).json()["items"] == []
        assert api.post(f"{path}?dry_run=false", json={**body, "rule": "FREQ=WEEKLY;COUNT=1"}, **sides.provider).status_code == 201
        again = api.post(f"{path}?dry_run=true", json=body, **sides.provider).json()
        assert [(p["starts_at"], p["overlaps"]) for p in again["planned"]] == [("2027-03-18T10:00:00.000Z", True), ("2027-03-25T10:00:00.000Z", False)]

    def test_all_or_none(self, api, make, sides):
        one = make("agreed")
        api.post(path_of(one, "session-series"), json=self.body("FREQ=DAILY;COUNT=1", starts_on="2027-03-25"), **sides.provider)
        rule(api.post(path_of(one, "session-series"), json=self.body("FREQ=WEEKLY;COUNT=4"), **sides.provider), "B4")
        assert len(api.get(path_of(one, "sessions"), **STAFF).json()["items"]) == 1

    @pytest.mark.parametrize("rule_text", ["FREQ=WEEKLY", "FREQ=MONTHLY;BYDAY=-1FR"])
    def test_one_without_an_end_is_refused(self, api, make, sides, rule_text):
        assert "end" in rule(api.post(path_of(make("agreed"), "session-series"), json=self.body(rule_text), **sides.provider), "B4")["detail"]

    @pytest.mark.parametrize("rule_text", ["every week", "FREQ=HOURLY;COUNT=3", "FREQ=WEEKLY;COUNT=54", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2",
                                           "FREQ=DAILY;UNTIL=20270701"])
    def test_what_is_no_rule_or_plans_too_much_is_refused(self, api, make, sides, rule_text):
        assert faults(api.post(path_of(make("agreed"), "session-series"), json=self.body(rule_text), **sides.provider)) == {("/rule", "rrule")}

    def test_53_are_not_too_many(self, api, make, sides):
        made = api.post(path_of(make("agreed"), "session-series"), json=self.body("FREQ=WEEKLY;COUNT=53"), **sides.provider)
        assert len(made.json()["sessions"]) == 53

    def test_one_event_tells_of_all_of_them(self, api, make, sides):
        one = make("agreed")
        api.post(path_of(one, "session-series"), json=self.body("FREQ=WEEKLY;COUNT=5"), **sides.provider)
        items = api.get(f"/v1/carers/{sides.of['id']}/timeline", **STAFF).json()["items"]
        assert [(i["kind"], i["summary"]) for i in items if i["kind"].startswith("session.")] == [
            ("session.planned", "5 sessions of a break were planned")]


@pytest.mark.parametrize("caller", list(CALLERS))
def test_a_carers_breaks_are_listed_for_who_may_see_them(world, api, caller):
    one = api.post(f"{world.path}/breaks", json=break_body(provider_organisation_id=world.org), **STAFF).json()
    shown = {"her council", "her council's administrator", "her breaks provider", "herself"}
    strangers = {"another council", "another council's administrator", "another organisation", "another in-reach team", "another carer"}
    persons = {"her support worker", "her assessor", "her in-reach team"}

    response = world.ask(caller, "GET", "/breaks", scope="breaks:read")

    if caller in shown | persons:
        assert [item["id"] for item in response.json()["items"]] == ([one["id"]] if caller in shown else [])
    else:
        assert answer(response) == ("not-found" if caller in strangers else "forbidden")


def test_lists_are_filtered_paged_and_followed(api, make, sides):
    first, second = make("referred", purpose="holiday"), make("agreed")
    listed = [item["id"] for item in api.get("/v1/breaks", **sides.provider).json()["items"]]
    assert listed == [second["id"], first["id"]]
    for query, wanted in (("state=agreed", [second]), ("purpose=holiday", [first]), ("scheme=open_breaks&delivery=sitting_service", [second, first]),
                          (f"provider={sides.provider_org}&state=referred", [first])):
        assert [item["id"] for item in api.get(f"/v1/breaks?{query}", **sides.provider).json()["items"]] == [one["id"] for one in wanted], query
    mine = [i["id"] for i in api.get(f"/v1/breaks?provider={sides.provider_org}&limit=200", **STAFF).json()["items"]]
    assert mine == listed
    api.patch(path_of(first), etag="*", json={"approach": "individual"}, **STAFF)
    for caller in (sides.provider, STAFF):
        changed = api.get(f"/v1/breaks?updated_since=2026-01-01T00:00:00Z&provider={sides.provider_org}&limit=200", **caller).json()["items"]
        assert [item["id"] for item in changed] == [second["id"], first["id"]]
    page = api.get("/v1/breaks?limit=1", **sides.provider).json()
    assert [i["id"] for i in api.get(f"/v1/breaks?limit=1&cursor={page['next_cursor']}", **sides.provider).json()["items"]] == [first["id"]]


def test_a_charity_lists_what_it_has_arranged(api, make, sides):
    one = make("referred", sides.charity)
    make("referred")
    assert [item["id"] for item in api.get("/v1/breaks", **sides.charity).json()["items"]] == [one["id"]]


def test_its_history_tells_who_when_and_why(api, make, sides):
    one = make("active")
    do(api, one, "pause", **sides.provider)
    items = api.get(f"{path_of(one)}/history", **STAFF).json()["items"]
    assert [(i["action"], i["to_state"], i["actor"]["role"]) for i in items] == [
        ("create", "referred", "practitioner"), ("conversation", "conversation_held", "break_provider"), ("agree", "agreed", "break_provider"),
        ("start", "active", "break_provider"), ("pause", "paused", "break_provider")]
    assert items[-1]["reason"] == "She is away."
    kinds = [i["kind"] for i in api.get(f"/v1/carers/{sides.of['id']}/timeline", **STAFF).json()["items"] if i["kind"].startswith("break.")]
    assert kinds == ["break.paused", "break.started", "break.agreed", "break.conversation_held", "break.created"]


def test_a_stale_version_and_a_closed_carer_change_nothing(api, make, ask, carer, sides):
    one = make("referred")
    problem(api.post(path_of(one, "decline"), json=BODIES["decline"], headers={"If-Match": '"v9"'}, **STAFF), 412, "precondition-failed")
    problem(api.patch(path_of(one), json={"approach": "individual"}, **STAFF), 428, "precondition-required")
    assert api.post(f"/v1/carers/{sides.of['id']}/close", json={"reason": "moved_away"}, **STAFF).status_code == 200
    problem(ask(), 409, "state-conflict")
