"""Referrals over HTTP: rules R1 to R6, both sides, matching, access, routes, lists, races. The machine: test_referral_states.py."""
import concurrent.futures
import contextlib
import datetime
import zoneinfo

import pytest
from support.callers import CALLERS, answer
from support.client import Api, faults, problem
from support.referrals import BODIES, CONSENT, path_of, person, referral_body, today
from support.tokens import ISLINGTON

STAFF = {"role": "practitioner"}
LONDON = zoneinfo.ZoneInfo("Europe/London")


@pytest.fixture
def sides(carer, organisation, grant):
    """Two organisations and a carer whom the first may see."""
    class Sides:
        of, sender_org, receiver_org = carer(), organisation(), organisation()
        sender = {"role": "support_worker", "org": sender_org}
        receiver = {"role": "assessor", "org": receiver_org}
        practice = {"role": "referrer", "org": sender_org}
    grant(Sides.of["id"], Sides.sender_org)
    return Sides


@pytest.fixture
def make(api, sides):
    """make(body members, caller): a draft from the sender to the receiver."""
    def create(caller=None, **members):
        members = {"carer_id": sides.of["id"], "to": {"organisation_id": sides.receiver_org}, **members}
        response = api.post("/v1/referrals", json=referral_body(**members), **(caller or sides.sender))
        assert response.status_code == 201, response.text
        return response.json()
    return create


@pytest.fixture
def say(api, sides):
    """say(organisation, decision): the carer's word on sharing with it, which the council records."""
    def record(organisation_id, decision):
        said = {"purpose": "share_with_organisation", "organisation_id": organisation_id, "decision": decision, "method": "verbal",
                "wording_version": "1"}
        assert api.post(f"/v1/carers/{sides.of['id']}/consents", json=said, **STAFF).status_code == 201
    return record


def do(api, one, action, body=None, status=200, **caller):
    response = api.post(path_of(one, action), json=BODIES.get(action, {}) if body is None else body, **caller)
    assert response.status_code == status, response.text
    return response.json()


def rule(response, ident):
    assert problem(response, 422, "rule-violated")["rule"] == ident
    return response.json()


class TestSubmit:
    """Rules R1, R2, R5, R6: what is sent is up to date, agreed to, and goes where it may."""

    @pytest.mark.parametrize("change, pointers", [
        ({"reason": None}, {"/reason"}), ({"needs": None, "current_situation": None}, {"/needs", "/current_situation"}),
        ({"information_as_of": today(29)}, {"/information_as_of"}), ({"information_as_of": None, "reason": None}, {"/information_as_of", "/reason"}),
        ({"information_as_of": today(-2)}, {"/information_as_of"})])
    def test_what_is_missing_or_old_is_named_all_at_once(self, api, make, sides, change, pointers):
        one = make(**change)

        found = rule(api.post(path_of(one, "submit"), json={}, **sides.sender), "R1")

        assert {fault["pointer"] for fault in found["errors"]} == pointers
        assert api.get(path_of(one), **sides.sender).json()["state"] == "draft"

    def test_information_of_28_days_is_new_enough(self, api, make, sides):
        assert do(api, make(information_as_of=today(28)), "submit", **sides.sender)["state"] == "requested"

    @pytest.mark.parametrize("consent", [None, {**CONSENT, "given": False}])
    def test_without_consent_nothing_is_sent(self, api, make, sides, consent):
        one = make(consent=consent)

        assert problem(api.post(path_of(one, "submit"), json={}, **sides.sender), 409, "consent-required")["rule"] == "R2"
        assert rows_of(api, one, sides.receiver) == "not-found"

    def test_to_a_council_team_a_legal_basis_stands_for_consent(self, api, make, sides):
        team = {"consent": None, "to": {"team": "adult_social_care"}}

        problem(api.post(path_of(make(**team), "submit"), json={}, **sides.sender), 409, "consent-required")
        assert do(api, make(**team, legal_basis="Care Act 2014, section 42"), "submit", **sides.sender)["state"] == "requested"

    def test_a_handover_goes_with_its_light_touch_assessment(self, api, make, sides):
        team = {"role": "hospital_in_reach", "org": sides.sender_org}
        bare = make(team, kind="hospital_handover")
        rule(api.post(path_of(bare, "submit"), json={}, **team), "R6")
        light = api.post(f"/v1/carers/{sides.of['id']}/assessments", json={"kind": "light_touch"}, **team).json()

        one = make(team, kind="hospital_handover", recent_assessment_id=light["id"])

        assert do(api, one, "submit", **team)["recent_assessment_id"] == light["id"]

    def test_a_carer_refers_herself_to_a_team_or_along_a_route_that_says_so(self, api, sides, carer, db):
        herself, kind = {"role": "carer", "carer": sides.of["id"]}, {"kind": "gp"}
        to = {"to": {"organisation_id": sides.receiver_org}}
        one = api.post("/v1/referrals", json=referral_body(**kind, **to, consent=None), **herself).json()
        assert (one["type"], one["from"]) == ("self", {"side": "carer"})
        rule(api.post(path_of(one, "submit"), json={}, **herself), "R5")
        db.execute("INSERT INTO referral_route (council, kind, area, organisation_id, self_referral) VALUES (%s, 'gp', %s, %s, true)",
                   (ISLINGTON, "R5T", sides.receiver_org))

        assert do(api, one, "submit", **herself)["state"] == "requested"
        team = api.post("/v1/referrals", json=referral_body(**kind, to={"team": "x"}, consent=None), **herself).json()
        assert do(api, team, "submit", **herself)["state"] == "requested"

    def test_a_second_one_that_is_open_for_the_same_is_a_conflict(self, api, make, sides):
        first, second, other = make(), make(), make(kind="break")
        do(api, first, "submit", **sides.sender)

        problem(api.post(path_of(second, "submit"), json={}, **sides.sender), 409, "conflict")
        do(api, other, "submit", **sides.sender)
        do(api, first, "withdraw", **sides.sender)
        do(api, second, "submit", **sides.sender)

    def test_what_was_returned_is_submitted_again_with_newer_information(self, api, make, sides):
        one = make(information_as_of=today(5))
        do(api, one, "submit", **sides.sender)
        assert do(api, one, "return", {"missing": "Which ward?"}, **sides.receiver)["missing"] == "Which ward?"

        found = rule(api.post(path_of(one, "submit"), json={}, **sides.sender), "R1")
        assert found["errors"][0]["pointer"] == "/information_as_of"
        newer = {"current_situation": "She is on Elm ward.", "information_as_of": today(1)}
        assert api.patch(path_of(one), etag="*", json=newer, **sides.sender).status_code == 200
        again = do(api, one, "submit", **sides.sender)

        assert again["state"] == "requested" and "missing" not in again

    @pytest.mark.parametrize("change, slug, pointer", [
        (lambda elsewhere: {"to": {"organisation_id": elsewhere}}, "validation-failed", "/to"),
        (lambda _: {"to": {"team": "adult_social_care"}}, "validation-failed", "/to"),
        (lambda _: {"consent": {**CONSENT, "given": False}}, "consent-required", None)])
    def test_what_came_back_goes_to_no_other_place_and_stays_agreed_to(self, api, make, sides, organisation, change, slug, pointer):
        elsewhere = organisation()
        one = make()
        do(api, one, "submit", **sides.sender)
        do(api, one, "return", **sides.receiver)

        refused = api.patch(path_of(one), etag="*", json=change(elsewhere), **sides.sender)

        assert problem(refused, refused.status_code, slug) and (pointer is None or (pointer, "rule") in faults(refused))
        assert rows_of(api, one, {"role": "assessor", "org": elsewhere}) == "not-found"

    def test_nothing_is_sent_to_an_organisation_that_the_carer_has_refused(self, api, make, sides, say):
        one = make()
        say(sides.receiver_org, "refused")

        problem(api.post(path_of(one, "submit"), json={}, **sides.sender), 409, "consent-required")
        assert rows_of(api, one, sides.receiver) == "not-found"


class TestServices:
    """A referral to a service of the directory goes to its organisation (rules R4, R5)."""

    @pytest.fixture
    def offered(self, service, sides, listed):
        """offered(members): a published service of the receiver, an organisation that is listed in the directory."""
        sides.receiver_org, sides.receiver = listed["id"], {"role": "assessor", "org": listed["id"]}
        return service

    def test_it_reaches_the_organisation_that_offers_it(self, api, make, sides, offered):
        one = make(to={"service_id": offered()["id"]})

        sent = do(api, one, "submit", **sides.sender)

        assert sent["to"] == {"organisation_id": sides.receiver_org, "service_id": one["to"]["service_id"]}
        assert do(api, one, "accept", **sides.receiver)["state"] == "accepted"

    def test_two_services_of_one_organisation_are_two_places(self, api, make, sides, offered):
        first, second, again = make(to={"service_id": offered()["id"]}), make(to={"service_id": offered()["id"]}), make()
        for one in (first, second, again):
            do(api, one, "submit", **sides.sender)
        third = make(to=first["to"] and {"service_id": first["to"]["service_id"]})

        problem(api.post(path_of(third, "submit"), json={}, **sides.sender), 409, "conflict")

    @pytest.mark.parametrize("state", ["draft", "archived"])
    def test_a_service_that_is_not_published_is_not_there(self, api, sides, service, state):
        one = service(state)

        response = api.post("/v1/referrals", json=referral_body(carer_id=sides.of["id"], to={"service_id": one["id"]}), **sides.sender)

        assert faults(response) == {("/to/service_id", "rule")}

    def test_one_that_takes_none_is_not_submitted_to(self, api, make, sides, offered):
        one = make(to={"service_id": offered(referral_accepting=False)["id"]})

        assert faults(api.post(path_of(one, "submit"), json={}, **sides.sender)) == {("/to/service_id", "rule")}

    def test_another_target_takes_its_place(self, api, make, sides, offered):
        one = make(to={"service_id": offered()["id"]})

        team = api.patch(path_of(one), etag="*", json={"to": {"service_id": None, "team": "adult_social_care"}}, **sides.sender)
        back = api.patch(path_of(one), etag="*", json={"to": {"service_id": offered()["id"], "team": None}}, **sides.sender)

        assert team.json()["to"] == {"team": "adult_social_care"}
        assert back.json()["to"]["organisation_id"] == sides.receiver_org

    @pytest.mark.parametrize("routes, good", [(["self_referral", "telephone"], True), (["professional_referral"], False), ([], False)])
    def test_a_carer_refers_herself_where_the_entry_says_so(self, api, sides, offered, routes, good):
        herself, to = {"role": "carer", "carer": sides.of["id"]}, {"service_id": offered(access_routes=routes)["id"]}
        one = api.post("/v1/referrals", json=referral_body(kind="vcfse_service", to=to, consent=None), **herself).json()

        answered = api.post(path_of(one, "submit"), json={}, **herself)

        assert answered.json()["state"] == "requested" if good else rule(answered, "R5")

    def test_a_signpost_names_a_service_of_the_directory(self, api, make, sides, offered, service):
        one, draft, there = make(), service("draft"), offered()
        do(api, one, "submit", **sides.sender)
        both = [{"text": "Ask there."}, {"service_id": draft["id"]}]

        assert faults(api.post(path_of(one, "not_eligible"), json={"signposts": both}, **sides.receiver)) == {("/signposts/1/service_id", "rule")}
        sent_on = do(api, one, "not_eligible", {"signposts": [{"service_id": there["id"], "text": "On Thursdays"}]}, **sides.receiver)
        assert sent_on["signposts"] == [{"text": "On Thursdays", "service_id": there["id"]}]


def rows_of(api, one, caller):
    return answer(api.get(path_of(one), **caller))


class TestClocks:
    """Rule R3: five working days or two hours, or what the council has set for the kind; overdue is a filter."""

    def test_a_routine_one_is_due_when_the_fifth_working_day_ends_in_london(self, api, make, sides):
        one = do(api, make(), "submit", **sides.sender)

        off = {item["day"] for item in api.get("/v1/bank-holidays", **STAFF).json()["days"]}
        day, count = datetime.datetime.now(LONDON).date(), 0
        while count < 5:
            day += datetime.timedelta(1)
            count += day.weekday() < 5 and day.isoformat() not in off
        due = datetime.datetime.combine(day + datetime.timedelta(1), datetime.time(), LONDON)
        assert datetime.datetime.fromisoformat(one["contact_due_at"]) == due and one["contact_overdue"] is False

    def test_an_urgent_one_is_due_two_hours_later(self, api, make, sides):
        one = do(api, make(priority="urgent"), "submit", **sides.sender)

        span = datetime.datetime.fromisoformat(one["contact_due_at"]) - datetime.datetime.fromisoformat(one["submitted_at"])
        assert span == datetime.timedelta(hours=2)

    def test_a_council_sets_other_times_for_a_kind(self, api, carer):
        council = "E09000031"
        admin = {"role": "council_admin", "council": council}
        times = {"routine_working_days": 3, "urgent_minutes": 60, "kinds": {"break": {"urgent_minutes": 15}}}
        patched = api.patch(f"/v1/councils/{council}/settings", etag="*", json={"referral_contact": times}, **admin)
        assert patched.json()["referral_contact"] == times
        spans = []
        for kind in ("gp", "break"):
            body = referral_body(carer_id=carer(council=council)["id"], kind=kind, priority="urgent", to={"team": "x"})
            one = do(api, api.post("/v1/referrals", json=body, **admin).json(), "submit", **admin)
            spans.append(datetime.datetime.fromisoformat(one["contact_due_at"]) - datetime.datetime.fromisoformat(one["submitted_at"]))

        assert spans == [datetime.timedelta(minutes=60), datetime.timedelta(minutes=15)]

    def test_the_first_contact_stops_the_clock_and_later_ones_do_not_move_it(self, api, make, sides, db):
        one = do(api, make(), "submit", **sides.sender)
        db.execute("SET session_replication_role = replica")
        db.execute("UPDATE referral SET contact_due_at = now() - interval '1 minute' WHERE id = %s", (one["id"],))
        db.execute("SET session_replication_role = origin")
        listed = {"overdue": "contact_overdue=true&limit=200", "others": "contact_overdue=false&limit=200"}

        def lists():
            return {name for name, query in listed.items()
                    if one["id"] in {item["id"] for item in api.get(f"/v1/referrals?{query}", **sides.receiver).json()["items"]}}
        assert lists() == {"overdue"} and api.get(path_of(one), **sides.receiver).json()["contact_overdue"] is True
        first = do(api, one, "contact", {"channel": "phone"}, **sides.receiver)
        assert do(api, one, "contact", {"channel": "email"}, **sides.receiver)["first_contact_at"] == first["first_contact_at"]
        assert lists() == {"overdue"}  # it was made too late, which is what the report on referrals counts


class TestWho:
    """What each side is told, and when the record opens."""

    def test_the_receiver_is_told_who_and_sees_the_record_from_accept_on(self, api, make, sides, db):
        one = make()
        record = f"/v1/carers/{sides.of['id']}"
        assert rows_of(api, one, sides.receiver) == "not-found"
        do(api, one, "submit", **sides.sender)
        seen = api.get(path_of(one), **sides.receiver).json()
        assert seen["person"]["family_name"] == sides.of["family_name"] and "carer_id" not in seen
        assert answer(api.get(record, **sides.receiver)) == "not-found"

        accepted = do(api, one, "accept", **sides.receiver)

        assert accepted["carer_id"] == sides.of["id"] and answer(api.get(record, **sides.receiver)) == "200"
        granted = [item for item in api.get(f"{record}/access", **STAFF).json()["items"] if item["organisation"]["id"] == sides.receiver_org]
        assert [item["reason"] for item in granted] == ["referral"]
        do(api, one, "start", **sides.receiver)
        do(api, one, "complete", **sides.receiver)
        db.execute("SELECT ended_because, ends_at - now() BETWEEN '29 days' AND '30 days' FROM carer_access WHERE referral_id = %s", (one["id"],))
        assert db.fetchone() == ("referral_closed", True)

    def test_a_carer_who_has_refused_since_is_not_opened_to_it(self, api, make, sides, say):
        one = make()
        do(api, one, "submit", **sides.sender)
        say(sides.receiver_org, "refused")

        problem(api.post(path_of(one, "accept"), json={}, **sides.receiver), 409, "consent-required")

    def test_an_organisation_does_not_open_a_record_by_its_own_referral(self, api, make, sides, carer):
        known, own = carer(address={"postcode": "N1 2UD"}, date_of_birth="1944-05-07"), {"to": {"organisation_id": sides.sender_org}}
        seen_no_more = make(**own)
        guessed = make(sides.practice, carer_id=None, **own,
                       person=person(family_name=known["family_name"], date_of_birth="1944-05-07"))
        do(api, seen_no_more, "submit", **sides.sender)
        do(api, guessed, "submit", **sides.practice)
        for access in api.get(f"/v1/carers/{sides.of['id']}/access", **STAFF).json()["items"]:
            revoke = f"/v1/carers/{sides.of['id']}/access/{access['id']}/revoke"
            assert api.post(revoke, json={"note": "It is over."}, **STAFF).status_code == 200

        for one, record in ((seen_no_more, sides.of), (guessed, known)):
            problem(api.post(path_of(one, "accept"), json={}, **sides.sender), 403, "forbidden")
            assert answer(api.get(f"/v1/carers/{record['id']}", **sides.sender)) == "not-found"

    def test_its_own_referral_of_a_carer_whom_it_sees_goes_on_and_gives_no_more_sight(self, api, make, sides, db):
        one = make(to={"organisation_id": sides.sender_org})
        do(api, one, "submit", **sides.sender)

        assert do(api, one, "accept", **sides.sender)["state"] == "accepted"
        db.execute("SELECT count(*) FROM carer_access WHERE carer_id = %s AND organisation_id = %s", (sides.of["id"], sides.sender_org))
        assert db.fetchone() == (1,)

    def test_a_colleague_of_the_referrer_is_not_told_either(self, api, make, sides, carer):
        known = carer(date_of_birth="1944-05-08", address={"postcode": "N1 2UD"})
        one = make(sides.practice, carer_id=None, person=person(family_name=known["family_name"], date_of_birth="1944-05-08"))

        assert known["id"] not in api.get(path_of(one), **sides.sender).text
        for caller in (sides.practice, sides.sender):
            assert api.get(f"/v1/referrals?carer_id={known['id']}", **caller).json()["items"] == []

    def test_the_version_does_not_tell_who_was_on_record(self, api, make, sides, carer):
        known = carer(date_of_birth="1944-05-09", address={"postcode": "N1 2UD"})
        tags = []
        for born in ("1944-05-09", "1944-05-10"):
            one = make(sides.practice, carer_id=None, person=person(family_name=known["family_name"], date_of_birth=born))
            do(api, one, "submit", **sides.practice)
            do(api, one, "accept", **sides.receiver)
            tags.append(api.get(path_of(one), **sides.practice).headers["ETag"])

        assert tags[0] == tags[1]

    def test_a_referrer_names_the_person_and_is_never_told_that_she_is_on_record(self, api, make, sides, carer, db):
        known = carer(date_of_birth="1944-05-06", address={"postcode": "N1 2UD"})
        whom = person(given_name="Whoever", family_name=known["family_name"].upper(), date_of_birth="1944-05-06", postcode="n12ud")
        one = make(sides.practice, carer_id=None, person=whom)
        db.execute("SELECT carer_id::text FROM referral WHERE id = %s", (one["id"],))
        assert db.fetchone() == (known["id"],) and "carer_id" not in one and known["id"] not in str(one)

        do(api, one, "submit", **sides.practice)
        accepted = do(api, one, "accept", **sides.receiver)

        assert accepted["carer_id"] == known["id"]
        told = api.get(path_of(one), **sides.practice)
        assert known["id"] not in told.text and told.json()["state"] == "accepted"

    def test_a_person_who_is_not_on_record_is_recorded_when_it_is_accepted(self, api, make, sides):
        one = make(sides.practice, carer_id=None, person=person(family_name=f"Unknown{sides.of['id'][-6:]}", phone="+447700900123"))
        do(api, one, "submit", **sides.practice)

        accepted = do(api, one, "accept", **sides.receiver)

        record = api.get(f"/v1/carers/{accepted['carer_id']}", **sides.receiver).json()
        assert record["state"] == "identified" and record["contact"] == {"phone": "+447700900123"}
        assert record["identification"]["organisation_id"] == sides.sender_org

    def test_a_referrer_gives_no_carer_and_a_charity_no_stranger(self, api, sides, carer):
        unseen, body = carer(), {"to": {"organisation_id": sides.receiver_org}}

        practice = api.post("/v1/referrals", json=referral_body(carer_id=unseen["id"], **body), **sides.practice)
        charity = api.post("/v1/referrals", json=referral_body(carer_id=unseen["id"], **body), **sides.sender)
        elsewhere = api.post("/v1/referrals", json=referral_body(person=person(council="E09000007"), **body), **sides.practice)

        assert ("/carer_id", "rule") in faults(practice) and ("/carer_id", "rule") in faults(charity)
        assert ("/person/council", "rule") in faults(elsewhere)

    def test_no_personal_data_is_in_events(self, api, make, sides, db):
        one = make()
        do(api, one, "submit", **sides.sender)
        do(api, one, "decline", {"reason": "other", "note": "Zwetschge"}, **sides.receiver)

        db.execute("SELECT string_agg(summary || coalesce(state, ''), ' ') FROM event WHERE resource_id = %s", (one["id"],))
        text = db.fetchone()[0]
        assert "declined" in text and sides.of["family_name"] not in text and "Zwetschge" not in text


class TestRaces:
    """Two at once, and what is stale."""

    def test_of_two_accepts_one_wins_and_the_other_is_told_the_state_that_won(self, api, make, sides, server, tokens):
        one = make()
        do(api, one, "submit", **sides.sender)

        def ask(action):
            with contextlib.closing(Api(server, tokens)) as client:
                return client.post(path_of(one, action), json=BODIES.get(action, {}), **sides.receiver)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = sorted(pool.map(ask, ("accept", "accept")), key=lambda response: response.status_code)

        assert [response.status_code for response in answers] == [200, 409]
        assert problem(answers[1], 409, "state-conflict")["state"] == "accepted"

    def test_a_stale_etag_is_412_before_anything_is_done(self, api, make, sides):
        one = make()
        do(api, one, "submit", **sides.sender)

        stale = api.post(path_of(one, "accept"), json={}, headers={"If-Match": '"v1"'}, **sides.receiver)

        problem(stale, 412, "precondition-failed")
        assert api.get(path_of(one), **sides.receiver).json()["state"] == "requested"

    def test_what_is_over_is_not_withdrawn(self, api, make, sides):
        one = make()
        for action, caller in (("submit", sides.sender), ("accept", sides.receiver), ("start", sides.receiver), ("complete", sides.receiver)):
            do(api, one, action, **caller)

        assert problem(api.post(path_of(one, "withdraw"), json=BODIES["withdraw"], **sides.sender), 409, "state-conflict")["state"] == "completed"

    @pytest.mark.parametrize("action, body, told", [
        ("decline", {}, ("", "required")), ("decline", {"reason": "no_time"}, ("/reason", "enum")), ("decline", {"reason": "other"}, ("", "required")),
        ("not_eligible", {"signposts": []}, ("/signposts", "minItems")), ("waitlist", {}, ("", "required")), ("return", {}, ("", "required")),
        ("withdraw", {}, ("", "required"))])
    def test_what_an_action_must_carry_is_asked_for(self, api, make, sides, action, body, told):
        one = make()
        do(api, one, "submit", **sides.sender)
        response = api.post(path_of(one, action), json=body, **(sides.sender if action == "withdraw" else sides.receiver))

        assert told in faults(response) and response.json()["rule"] == ("R4" if action == "not_eligible" else "R7")


class TestHistory:
    """Who, when, why."""

    def test_it_tells_every_step_and_no_name(self, api, make, sides):
        one = make()
        do(api, one, "submit", **sides.sender)
        do(api, one, "decline", {"reason": "at_capacity", "note": "In May again."}, **sides.receiver)
        onward = do(api, one, "refer_onward", status=201, **sides.sender)

        items = api.get(path_of(one, "history"), **sides.sender).json()["items"]

        assert [(item.get("from_state"), item["action"], item["to_state"]) for item in items] == [
            (None, "create", "draft"), ("draft", "submit", "requested"), ("requested", "decline", "declined"),
            ("declined", "refer_onward", "declined")]
        assert (items[2]["reason"], items[2]["note"], items[2]["actor"]) == (
            "at_capacity", "In May again.", {"role": "assessor", "organisation_id": sides.receiver_org})
        assert (onward["replaces_id"], onward["correlation_id"], onward["reason"]) == (one["id"], one["correlation_id"], one["reason"])
        assert "to" not in onward


class TestRoutes:
    """Where it goes when it does not say."""

    def test_the_longest_area_is_taken_and_without_a_route_the_referral_waits(self, api, carer, organisation):
        council = "E09000032"
        admin = {"role": "council_admin", "council": council}
        near, far = organisation(council=council), organisation(council=council)

        def send(postcode):
            body = referral_body(carer_id=carer(council=council, address={"postcode": postcode})["id"], kind="break")
            one = api.post("/v1/referrals", json=body, **admin).json()
            return api.post(path_of(one, "submit"), json={}, **admin)
        assert ("/to", "rule") in faults(send("SW4 7AA"))
        for area, org in (("SW", far), ("SW4", near)):
            made = api.post("/v1/referral-routes", json={"council": council, "kind": "break", "area": area, "organisation_id": org}, **admin)
            assert made.status_code == 201, made.text
        problem(api.post("/v1/referral-routes", json={"council": council, "kind": "break", "area": "SW4", "team": "x"}, **admin), 409, "conflict")

        assert [send(code).json()["to"]["organisation_id"] for code in ("SW4 7AA", "SW9 8PR")] == [near, far]
        routes = {item["area"]: item["id"] for item in api.get("/v1/referral-routes", **admin).json()["items"] if item["council"] == council}
        dropped = api.delete(f"/v1/referral-routes/{routes['SW4']}", **admin)
        assert dropped.status_code == 204 and dropped.text == ""
        assert send("SW4 8AA").json()["to"]["organisation_id"] == far
        problem(api.delete(f"/v1/referral-routes/{routes['SW4']}", **admin), 404, "not-found")

    @pytest.mark.parametrize("body, pointer", [
        ({"kind": "gp"}, ""), ({"kind": "gp", "team": "x", "organisation_id": "0195e6a0-0000-7000-8000-000000000001"}, ""),
        ({"kind": "gp", "organisation_id": "0195e6a0-0000-7000-8000-000000000001"}, "/organisation_id")])
    def test_a_route_leads_somewhere(self, api, body, pointer):
        response = api.post("/v1/referral-routes", json={"council": ISLINGTON, **body}, role="council_admin")

        assert pointer in {where for where, _ in faults(response)}

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_administrators_set_them_and_who_refers_knows_them(self, world, caller):
        reads = answer(world.ask(caller, "GET", "/v1/referral-routes", scope="referrals:read"))
        sets = answer(world.ask(caller, "POST", "/v1/referral-routes", json={"council": ISLINGTON, "kind": "gp", "team": "x"}, scope="admin"))

        assert reads == ("forbidden" if caller in ("a commissioner", "a directory editor") else "200")
        assert sets in {"her council's administrator": ("201", "conflict"), "another council's administrator": ("forbidden",)
                        }.get(caller, ("forbidden",))


class TestLists:
    """Both directions, filters, pages."""

    def test_each_side_lists_its_own(self, api, make, sides):
        ids = [make(kind=kind)["id"] for kind in ("gp", "break", "signpost")]
        for ident in ids[:2]:
            do(api, {"id": ident}, "submit", **sides.sender)

        def listed(query="", caller=sides.sender):
            return [item["id"] for item in api.get(f"/v1/referrals?{query}", **caller).json()["items"]]
        assert listed() == listed("direction=sent") == ids[::-1] and listed("direction=received") == []
        assert listed("", sides.receiver) == listed("direction=received", sides.receiver) == ids[1::-1]
        assert listed("state=draft") == [ids[2]] and listed("kind=gp&state=requested") == [ids[0]]
        assert listed(f"carer_id={sides.of['id']}&limit=2") == ids[:0:-1]
        herself = {"role": "carer", "carer": sides.of["id"]}
        assert listed("", herself) == ids[1::-1] and listed("kind=gp", herself) == [ids[0]]
        page = api.get("/v1/referrals?limit=2", **sides.sender).json()
        assert [item["id"] for item in api.get(f"/v1/referrals?cursor={page['next_cursor']}", **sides.sender).json()["items"]] == [ids[0]]
        assert ids[0] in listed(f"kind=gp&carer_id={sides.of['id']}&limit=200", STAFF)

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_they_are_listed_and_made_by_role(self, world, caller):
        reads = answer(world.ask(caller, "GET", "/v1/referrals", scope="referrals:read"))
        body = referral_body(to={"team": "x"}, **({"person": person()} if caller == "a referrer" else {"carer_id": world.carer["id"]}))
        makes = answer(world.ask(caller, "POST", "/v1/referrals", json=body, scope="referrals:write"))

        assert reads == ("forbidden" if caller in ("a commissioner", "a directory editor") else "200")
        strangers = ("another council", "another council's administrator", "another organisation", "another in-reach team")
        refused = ("her breaks provider", "a commissioner", "a directory editor", "a listed organisation")
        assert makes == ("validation-failed" if caller in strangers else "forbidden" if caller in refused else "201")
