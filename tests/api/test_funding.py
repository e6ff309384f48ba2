"""Funding over HTTP: rule B5 by its sentences, who may what, and what a carer is told. The machine: test_funding_states.py."""
import concurrent.futures
import datetime

import pytest
from support.callers import CALLERS, answer
from support.client import Api, faults, problem
from support.funding import APPLY, BODIES, BUDGET, DECIDE, FUND, READ, award_body, decide, path_of

STAFF = {"role": "practitioner", "scope": DECIDE}


@pytest.fixture
def of(carer, db):
    """of("eligible"): a new carer of whom it was decided so; of(None): nothing was decided."""
    def make(decision="eligible", **members):
        one = carer(**members)
        if decision:
            one["assessment"] = decide(db, one["id"], decision)
        return one
    return make


def apply(api, one, caller=None, status=201, **members):
    response = api.post(f"/v1/carers/{one['id']}/funding-awards", json=award_body(**members), **(caller or STAFF))
    assert response.status_code == status, response.text
    return response.json()


def do(api, award, action, status=200, **caller):
    response = api.post(path_of(award, action), json=BODIES[action], **(caller or STAFF))
    assert response.status_code == status, response.text
    return response.json()


def granted(api, one, **members):
    return do(api, apply(api, one, **members), "approve")


def rule(response):
    """The pointers of a breach of B5."""
    body = problem(response, 422, "rule-violated")
    assert body["rule"] == "B5"
    return {error["pointer"] for error in body["errors"]}


def refused(api, one, caller=None, **members):
    return rule(api.post(f"/v1/carers/{one['id']}/funding-awards", json=award_body(**members), **(caller or STAFF)))


class TestCeilings:
    """Of a level, for all of a carer's awards of a year."""

    @pytest.mark.parametrize("scheme, decision, level, ceiling", [
        (BUDGET, "eligible", "low", 50_000), (BUDGET, "eligible", "high", 150_000),
        (FUND, "not_eligible", "individual", 20_000), (FUND, "not_eligible", "family", 60_000)])
    def test_a_penny_more_than_the_ceiling_is_refused(self, api, of, scheme, decision, level, ceiling):
        one = of(decision)

        assert refused(api, one, scheme=scheme, level=level, amount_pence=ceiling + 1) == {"/amount_pence"}
        award = granted(api, one, scheme=scheme, level=level, amount_pence=ceiling)
        assert (award["amount_pence"], award["state"]) == (ceiling, "approved")

    def test_a_second_award_that_leads_over_it_is_refused(self, api, of):
        one = of()
        do(api, granted(api, one, amount_pence=30_000), "pay")

        assert refused(api, one, amount_pence=20_001) == {"/amount_pence"}
        granted(api, one, amount_pence=20_000)
        assert refused(api, one, amount_pence=1) == {"/amount_pence"}

    def test_a_higher_level_has_the_room_that_is_left_to_it(self, api, of):
        one = of()
        granted(api, one, amount_pence=50_000)

        assert refused(api, one, level="high", amount_pence=100_001) == {"/amount_pence"}
        granted(api, one, level="high", amount_pence=100_000)

    def test_what_is_only_applied_for_or_refused_counts_for_nothing(self, api, of):
        one = of()
        first, second, third = (apply(api, one, amount_pence=40_000) for _ in range(3))

        do(api, first, "approve")
        assert rule(api.post(path_of(second, "approve"), json={}, **STAFF)) == {"/amount_pence"}
        do(api, first, "refuse")
        do(api, second, "approve")
        assert do(api, third, "refuse")["reason"] == BODIES["refuse"]["reason"]

    def test_what_she_adds_herself_counts_for_nothing(self, api, of):
        one = of()

        assert granted(api, one, amount_pence=50_000, top_up_pence=12_000)["top_up_pence"] == 12_000
        assert "top_up_pence" not in apply(api, one, level="high", amount_pence=100_000)

    def test_last_years_awards_are_last_years(self, api, of):
        one = of()
        today = datetime.date.today()
        last = (today.replace(year=today.year - 1, day=1)).isoformat()

        before = granted(api, one, amount_pence=50_000, applied_on=last)
        now = granted(api, one, amount_pence=50_000)

        assert int(before["financial_year"][:4]) + 1 == int(now["financial_year"][:4])
        assert refused(api, one, amount_pence=1, applied_on=last) == {"/amount_pence"}

    @pytest.mark.parametrize("day, year", [("2025-03-31", "2024-25"), ("2025-04-01", "2025-26"), ("2026-03-31", "2025-26")])
    def test_a_financial_year_begins_on_the_first_of_april(self, api, of, day, year):
        assert apply(api, of(), applied_on=day)["financial_year"] == year

    def test_fifty_approvals_at_once_leave_exactly_the_ceiling(self, server, tokens, api, of):
        one = of()
        awards = [apply(api, one, amount_pence=2_500) for _ in range(50)]

        def approve(award):
            client = Api(server, tokens)
            try:
                return client.post(path_of(award, "approve"), json={}, **STAFF)
            finally:
                client.close()
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            responses = list(pool.map(approve, awards))

        told = sorted(answer(response) for response in responses)
        assert told == ["200"] * 20 + ["rule-violated"] * 30
        assert all(rule(response) == {"/amount_pence"} for response in responses if response.status_code == 422)
        budget = api.get(f"/v1/carers/{one['id']}/funding", **STAFF).json()["schemes"][0]
        assert (budget["used_pence"], budget["awards"], budget["levels"][0]["left_pence"]) == (50_000, 20, 0)


class TestWhom:
    """For whom a scheme is, how often, and beside what."""

    def test_a_flexible_break_is_not_for_an_eligible_carer(self, api, of):
        assert refused(api, of("eligible"), scheme=FUND) == {"/scheme"}

    def test_a_personal_budget_is_for_an_eligible_carer(self, api, of):
        assert refused(api, of("not_eligible")) == {"/scheme"}

    @pytest.mark.parametrize("scheme", [BUDGET, FUND])
    def test_without_a_decision_nobody_is_eligible_or_not(self, api, of, scheme):
        assert refused(api, of(None), scheme=scheme) == {"/scheme"}

    def test_the_latest_completed_decision_counts(self, api, of, db):
        one = of("eligible")
        award = apply(api, one)
        assert award["assessment_id"] == one["assessment"]
        decide(db, one["id"], "not_eligible", "2026-05-01")  # before the other one
        again = apply(api, one)
        decide(db, one["id"], "not_eligible", "2026-07-01")

        assert rule(api.post(path_of(again, "approve"), json={}, **STAFF)) == {"/scheme"}
        assert apply(api, one, scheme=FUND)["assessment_id"] != one["assessment"]

    def test_an_assessment_that_is_not_completed_decides_nothing(self, api, carer, db):
        one = carer(known_to_social_care=False)
        made = api.post(f"/v1/carers/{one['id']}/assessments", json={"kind": "statutory"}, role="practitioner").json()
        path = f"/v1/assessments/{made['id']}"
        for step, body in (("schedule", {"scheduled_for": "2026-12-03T10:00:00Z"}), ("start", {})):
            assert api.post(f"{path}/{step}", json=body, role="practitioner").status_code == 200
        eligible = {"decided_on": "2026-11-20", "necessary_care": True, "circumstances": ["recreation"], "significant_impact": True,
                    "decision": "eligible", "reasons": "Her health."}
        assert api.put(f"{path}/eligibility", json=eligible, role="practitioner").status_code == 201
        assert refused(api, one) == {"/scheme"}
        offer = {"contingency_offer": {"offered_on": "2026-11-20", "response": "later"}}
        assert api.patch(path, etag="*", json=offer, role="practitioner").status_code == 200
        assert api.post(f"{path}/complete", json={}, role="practitioner").status_code == 200

        assert apply(api, one)["assessment_id"] == made["id"]

    def test_a_second_flexible_award_in_the_year_is_refused(self, api, of):
        one = of("not_eligible")
        other = apply(api, one, scheme=FUND, amount_pence=5_000)
        granted(api, one, scheme=FUND, amount_pence=5_000)

        assert refused(api, one, scheme=FUND, level="family", amount_pence=5_000) == {"/scheme"}
        assert rule(api.post(path_of(other, "approve"), json={}, **STAFF)) == {"/scheme"}

    @pytest.mark.parametrize("first, second", [(BUDGET, FUND), (FUND, BUDGET)])
    def test_both_funds_in_one_year_are_refused(self, api, of, db, first, second):
        decisions = {BUDGET: "eligible", FUND: "not_eligible"}
        one = of(decisions[first])
        granted(api, one, scheme=first)
        decide(db, one["id"], decisions[second], "2026-07-01")

        response = api.post(f"/v1/carers/{one['id']}/funding-awards", json=award_body(second), **STAFF)

        assert rule(response) == {"/scheme"}
        assert response.json()["errors"][0]["message"] == f"is not given in one financial year with: {first}"

    def test_all_that_stands_against_it_is_told_at_once(self, api, of):
        one = of("not_eligible")
        assert refused(api, one, level="medium") == {"/scheme", "/level"}
        assert refused(api, one, level="high", amount_pence=150_001) == {"/scheme", "/amount_pence"}


class TestBadInput:
    """Its own problem for each."""

    @pytest.mark.parametrize("members, pointer", [
        ({"amount_pence": -1}, "/amount_pence"), ({"amount_pence": 0}, "/amount_pence"), ({"amount_pence": 100.5}, "/amount_pence"),
        ({"amount_pence": "100"}, "/amount_pence"), ({"amount_pence": 100_000_001}, "/amount_pence"), ({"top_up_pence": 0}, "/top_up_pence"),
        ({"purpose": "gold"}, "/purpose"),
        ({"scheme": "Budget"}, "/scheme"), ({"year": 2026}, "/year"), ({"state": "approved"}, "/state"), ({"applied_on": "soon"}, "/applied_on")])
    def test_a_body_that_breaks_the_contract(self, api, of, members, pointer):
        response = api.post(f"/v1/carers/{of()['id']}/funding-awards", json=award_body(**members), **STAFF)
        assert pointer in {where for where, _ in faults(response)} and response.json()["rule"] == "B5"

    @pytest.mark.parametrize("members, pointer", [
        ({"scheme": "no_such_scheme"}, "/scheme"), ({"applied_on": "2999-01-01"}, "/applied_on"), ({"applied_on": "2014-03-31"}, "/scheme")])
    def test_what_it_refers_to_is_not_there(self, api, of, members, pointer):
        if "applied_on" in members and members["applied_on"].startswith("2999"):
            members["applied_on"] = (datetime.date.today() + datetime.timedelta(2)).isoformat()
        response = api.post(f"/v1/carers/{of()['id']}/funding-awards", json=award_body(**members), **STAFF)
        assert faults(response) == {(pointer, "rule")}

    def test_a_refusal_without_a_reason(self, api, of):
        response = api.post(path_of(apply(api, of()), "refuse"), json={}, **STAFF)
        assert faults(response) == {("", "required")} and response.json()["rule"] == "B5"

    def test_a_payment_before_an_approval(self, api, of):
        body = problem(api.post(path_of(apply(api, of()), "pay"), json=BODIES["pay"], **STAFF), 409, "state-conflict")
        assert body["state"] == "applied"

    @pytest.mark.parametrize("reference", ["Mrs Ada Okonjo", "ada@example.org", "NOBODY", "", "1" * 41])
    def test_a_reference_that_is_no_code(self, api, of, reference):
        response = api.post(path_of(granted(api, of()), "pay"), json={"method": "cheque", "reference": reference}, **STAFF)
        assert {pointer for pointer, _ in faults(response)} == {"/reference"}

    def test_a_closed_carer_is_given_nothing(self, api, of):
        one = of()
        award, payable = apply(api, one), granted(api, one)
        assert api.post(f"/v1/carers/{one['id']}/close", json={"reason": "lost_contact"}, role="practitioner").status_code == 200

        problem(api.post(f"/v1/carers/{one['id']}/funding-awards", json=award_body(), **STAFF), 409, "state-conflict")
        assert rule(api.post(path_of(award, "approve"), json={}, **STAFF)) == {"/scheme"}
        assert api.get(path_of(award), **STAFF).json()["available_actions"] == ["refuse"]
        assert do(api, payable, "pay")["state"] == "paid"

    def test_a_stale_version(self, api, of):
        award = apply(api, of())
        response = api.post(path_of(award, "approve"), json={}, headers={"If-Match": '"v7"'}, **STAFF)
        problem(response, 412, "precondition-failed")

    def test_the_same_key_applies_once(self, api, of):
        one, headers = of(), {"Idempotency-Key": "once"}
        first, again = (api.post(f"/v1/carers/{one['id']}/funding-awards", json=award_body(), headers=headers, **STAFF) for _ in range(2))
        assert first.json() == again.json() and again.headers["Idempotency-Replayed"] == "true"


class TestWho:
    """Scopes, roles, and rows."""

    COUNCIL = {"her council", "her council's administrator"}
    PARTNER = {"her support worker", "her assessor"}
    STRANGERS = {"another council", "another council's administrator", "another organisation", "another carer"}

    def expected(self, caller, may, word):
        return word if caller in may else "not-found" if caller in self.STRANGERS else "forbidden"

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_who_applies_and_who_reads(self, world, db, caller):
        decide(db, world.carer["id"], "eligible")
        may = self.COUNCIL | self.PARTNER | {"herself"}
        award = world.ask("her council", "POST", "/funding-awards", json=award_body(), scope=DECIDE).json()
        told = {method + path: answer(world.ask(caller, method, path, scope=DECIDE, **options)) for method, path, options in (
            ("POST", "/funding-awards", {"json": award_body()}), ("GET", "/funding-awards", {}), ("GET", "/funding", {}),
            ("GET", path_of(award), {}), ("GET", path_of(award, "check"), {}))}

        assert told == {where: self.expected(caller, may, "201" if where.startswith("POST") else "200") for where in told}

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_council_staff_decide(self, world, db, caller):
        decide(db, world.carer["id"], "eligible")
        award = world.ask("her council", "POST", "/funding-awards", json=award_body(), scope=DECIDE).json()

        told = answer(world.ask(caller, "POST", path_of(award, "approve"), json={}, scope=DECIDE))

        strangers = {"another council", "another council's administrator"}
        assert told == ("200" if caller in self.COUNCIL else "not-found" if caller in strangers else "forbidden")

    @pytest.mark.parametrize("action", list(BODIES))
    def test_nobody_decides_without_the_scope(self, api, of, action):
        award = granted(api, of()) if action == "pay" else apply(api, of())
        response = api.post(path_of(award, action), json=BODIES[action], role="council_admin", scope=APPLY)

        problem(response, 403, "insufficient-scope")
        assert api.get(path_of(award), role="council_admin", scope=APPLY).json()["available_actions"] == []
        assert action in api.get(path_of(award), role="council_admin", scope=DECIDE).json()["available_actions"]

    def test_an_organisations_application_names_it_and_the_carer_reads_the_reason(self, world, db, api):
        decide(db, world.carer["id"], "eligible")
        award = world.ask("her support worker", "POST", "/funding-awards", json=award_body(), scope=APPLY).json()
        assert award["applied_by"] == {"role": "support_worker", "organisation_id": world.org}
        do(api, award, "refuse")

        seen = world.ask("herself", "GET", path_of(award), scope=READ).json()
        assert (seen["state"], seen["reason"], seen["decided_by"]) == ("refused", BODIES["refuse"]["reason"], {"role": "practitioner"})

    def test_events_and_the_trail_tell_no_amount(self, api, of, db):
        one = of()
        do(api, granted(api, one, amount_pence=12_345), "pay")

        told = api.get(f"/v1/carers/{one['id']}/timeline?kind=funding_award", role="practitioner").json()["items"]
        assert [item["kind"] for item in told] == [f"funding_award.{state}" for state in ("paid", "approved", "applied")]
        assert "12345" not in str(told) and "AP-2026" not in str(told)
        db.execute("SELECT action FROM audit_entry WHERE subject_table = 'funding_award' AND carer_ids = ARRAY[%s]::uuid[] ORDER BY id", (one["id"],))
        assert [action for (action,) in db.fetchall()] == ["createAward", "approveAward", "payAward"]


class TestFunding:
    """What is left, and why."""

    def funding(self, api, one, **caller):
        body = api.get(f"/v1/carers/{one['id']}/funding", **(caller or STAFF)).json()
        return body, {scheme["scheme"]: scheme for scheme in body["schemes"]}

    def test_an_eligible_carers_year(self, api, of):
        one = of()
        granted(api, one, amount_pence=32_000)
        apply(api, one, amount_pence=10_000)

        body, schemes = self.funding(api, one, role="carer", carer=one["id"], scope=READ)

        assert body["eligibility"] == {"decision": "eligible", "assessment_id": one["assessment"], "decided_on": "2026-06-02"}
        assert (body["from"][4:], body["to"][4:]) == ("-04-01", "-03-31") and body["from"][:4] == body["financial_year"][:4]
        assert schemes[BUDGET]["available"] is True and schemes[BUDGET]["used_pence"] == 32_000 and schemes[BUDGET]["awards"] == 1
        assert [(level["level"], level["ceiling_pence"], level["left_pence"]) for level in schemes[BUDGET]["levels"]] == [
            ("low", 50_000, 18_000), ("high", 150_000, 118_000)]
        assert schemes[FUND]["obstacles"] == ["for_not_eligible_carers", "excluded"] and schemes[FUND]["excluded_by"] == [BUDGET]
        assert {level["left_pence"] for level in schemes[FUND]["levels"]} == {0}

    def test_without_a_decision_nothing_is_left(self, api, of):
        body, schemes = self.funding(api, of(None))

        assert "eligibility" not in body
        assert all(scheme["obstacles"] == ["eligibility_undecided"] for scheme in schemes.values())

    def test_the_one_award_of_the_fund_is_gone(self, api, of):
        one = of("not_eligible")
        granted(api, one, scheme=FUND, amount_pence=20_000)

        _, schemes = self.funding(api, one)

        assert schemes[FUND]["obstacles"] == ["no_awards_left"] and schemes[FUND]["awards_per_year"] == 1
        assert schemes[BUDGET]["excluded_by"] == [FUND]

    def test_a_check_tells_what_an_approval_would(self, api, of):
        one = of()
        first, second = apply(api, one, amount_pence=30_000), apply(api, one, amount_pence=30_000)
        check = {"approvable": True, "state": "applied", "errors": []}
        assert api.get(path_of(first, "check"), **STAFF).json() == check
        do(api, first, "approve")

        assert api.get(path_of(first, "check"), **STAFF).json() == {"approvable": False, "state": "approved", "errors": []}
        told = api.get(path_of(second, "check"), **STAFF).json()
        refusal = problem(api.post(path_of(second, "approve"), json={}, **STAFF), 422, "rule-violated")
        assert told == {"approvable": False, "state": "applied", "errors": refusal["errors"]}


class TestList:
    """Newest first, by filters, and in order of change."""

    def test_pages_and_filters(self, api, of):
        one = of()
        awards = [apply(api, one, amount_pence=1_000 + n) for n in range(5)]
        do(api, awards[1], "approve")
        path = f"/v1/carers/{one['id']}/funding-awards"

        def listed(query):
            return [item["amount_pence"] - 1_000 for item in api.get(f"{path}?{query}", **STAFF).json()["items"]]
        first = api.get(f"{path}?limit=3", **STAFF).json()
        assert [item["id"] for item in first["items"]] == [award["id"] for award in awards[:1:-1]]
        assert listed(f"limit=3&cursor={first['next_cursor']}") == [1, 0]
        assert listed("state=approved") == [1] and listed(f"scheme={FUND}") == [] and listed("financial_year=2019-20") == []
        assert listed(f"updated_since={awards[0]['updated_at']}") == [0, 2, 3, 4, 1]

    def test_a_councils_list_is_what_waits(self, api, of):
        council = "E09000018"  # whose awards no other test makes
        staff = {**STAFF, "council": council}
        one, other = of(council=council), of(council=council)
        awards = [apply(api, whose, staff) for whose in (one, other, one)]
        do(api, awards[1], "approve", **staff)

        def listed(query, **caller):
            return [item["id"] for item in api.get(f"/v1/funding-awards?{query}", **(caller or staff)).json()["items"]]
        assert listed("limit=200") == [award["id"] for award in awards[::-1]]
        assert listed("state=applied") == [awards[2]["id"], awards[0]["id"]] and listed("state=approved") == [awards[1]["id"]]
        first = api.get("/v1/funding-awards?limit=2", **staff).json()
        assert listed(f"limit=2&cursor={first['next_cursor']}") == [awards[0]["id"]]
        since = f"updated_since={awards[0]['updated_at']}"
        assert listed(since) == [awards[0]["id"], awards[2]["id"], awards[1]["id"]] and listed(f"{since}&state=paid") == []
        assert listed("limit=200", role="council_admin", council="E09000007", scope=READ) == []
        problem(api.get("/v1/funding-awards", role="support_worker", org=one["id"], scope=READ), 403, "forbidden")
