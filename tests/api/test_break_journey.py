"""From her assessment to the council's reports: a referral, a break, a fortnightly series over a clock change and Christmas, an award; to the
hour and the penny."""
import pytest
from support.breaks import path_of
from support.client import faults, problem
from support.funding import DECIDE

COUNCIL, SMALL = "E09000028", "E09000029"  # whose breaks no other test makes
OFFER = {"offered_on": "2025-09-08", "response": "later"}
PERIOD = "from=2025-10-01&to=2026-01-31"


class Journey:
    """One carer's way, asked of the service as each of those who take part."""

    def __init__(self, api, db, council, provider):
        self.api, self.db, self.council = api, db, council
        self.staff, self.provider = {"role": "practitioner", "council": council}, {"role": "break_provider", "org": provider, "council": council}

    def post(self, path, body, status=200, **caller):
        response = self.api.post(path, json=body, **(caller or self.staff))
        assert response.status_code == status, response.text
        return response.json()

    def assess(self, of):
        path = f"/v1/assessments/{self.post(f'/v1/carers/{of}/assessments', {'kind': 'statutory'}, 201)['id']}"
        self.post(f"{path}/schedule", {"scheduled_for": "2025-09-08T09:00:00Z"})
        self.post(f"{path}/start", {})
        eligible = {"decided_on": "2025-09-08", "necessary_care": True, "circumstances": ["health_deteriorating"], "significant_impact": True,
                    "decision": "eligible", "reasons": "She is up every night."}
        assert self.api.put(f"{path}/eligibility", json=eligible, **self.staff).status_code == 201
        said = {"break_recommended": True, "contingency_offer": OFFER}
        assert self.api.patch(path, etag="*", json=said, **self.staff).status_code == 200
        return self.post(f"{path}/complete", {})["id"]

    def refer(self, of):
        body = {"carer_id": of, "kind": "break", "reason": "She needs to sleep.", "needs": ["break_from_caring"], "current_situation": "Up every night.",
                "information_as_of": self.today(), "to": {"organisation_id": self.provider["org"]},
                "consent": {"given": True, "method": "verbal", "recorded_on": "2025-09-08"}}
        one = self.post("/v1/referrals", body, 201)["id"]
        self.post(f"/v1/referrals/{one}/submit", {})
        self.db.execute("SET session_replication_role = replica")
        self.db.execute("UPDATE referral SET submitted_at = '2025-09-01 12:00:00+00' WHERE id = %s", (one,))
        self.db.execute("SET session_replication_role = origin")
        self.post(f"/v1/referrals/{one}/accept", {}, **self.provider)
        return one

    def today(self):
        self.db.execute("SELECT today()")
        return self.db.fetchone()[0].isoformat()

    def arrange(self, of):
        assessment, referral = self.assess(of), self.refer(of)
        body = {"scheme": "assessed_breaks", "referral_id": referral, "delivery": "sitting_service", "purpose": "rest", "with_cared_for": "without"}
        one = self.post(f"/v1/carers/{of}/breaks", body, 201)
        assert (one["assessment_id"], one["provider_organisation_id"]) == (assessment, self.provider["org"])
        self.post(path_of(one, "conversation"), {"held_on": "2025-10-06", "notes": "Thursdays at ten."}, **self.provider)
        self.post(path_of(one, "agree"), {"hours_per_session": 3, "frequency": "fortnightly", "starts_on": "2025-10-16"}, **self.provider)
        return self.post(path_of(one, "start"), {}, **self.provider)

    def plan(self, one):
        rule = {"rule": "FREQ=WEEKLY;INTERVAL=2;UNTIL=20260122", "starts_on": "2025-10-16", "starts_time": "10:00", "ends_time": "13:00",
                "skip_bank_holidays": True}
        return self.post(path_of(one, "session-series"), rule, 201, **self.provider)

    def give(self, one, sessions):
        """The second half an hour longer, the fourth cancelled by her, the last by the provider."""
        for number, session in enumerate(sessions, 1):
            path = f"{path_of(one, 'sessions')}/{session['id']}"
            if number in (4, 7):
                self.post(f"{path}/cancel", {"side": "carer" if number == 4 else "provider", "reason": "A cold."}, **self.provider)
            else:
                self.post(f"{path}/deliver", {"delivered_by": "volunteer", **({"hours": 3.5} if number == 2 else {})}, **self.provider)

    def fund(self, of):
        """417.53 pounds of a personal budget, paid; what would cross the ceiling of low support is refused. What she is told is left."""
        path, award = f"/v1/carers/{of}/funding-awards", {"scheme": "carers_personal_budget", "level": "low", "purpose": "rest"}
        one = self.post(path, {**award, "amount_pence": 41_753}, 201)
        for action, body in (("approve", {}), ("pay", {"method": "bank_transfer", "reference": "AP-2025/7"})):
            one = self.post(f"/v1/funding-awards/{one['id']}/{action}", body, **self.staff, scope=DECIDE)
        over = self.api.post(path, json={**award, "amount_pence": 8_248}, **self.staff)
        assert problem(over, 422, "rule-violated")["rule"] == "B5"
        herself = {"role": "carer", "carer": of, "scope": "breaks:read"}
        told = self.api.get(f"/v1/carers/{of}/funding", **herself).json()["schemes"]
        return {level["level"]: level["left_pence"] for scheme in told if scheme["scheme"] == award["scheme"] for level in scheme["levels"]}

    def report(self, query=PERIOD, **caller):
        return self.api.get(f"/v1/reports/breaks?{query}", **(caller or {"role": "commissioner", "council": self.council}))


@pytest.fixture
def journey(api, db, organisation):
    return lambda council: Journey(api, db, council, organisation(council))


def test_the_way_of_five_carers_to_the_hour_and_the_penny(journey, carer):
    way = journey(COUNCIL)
    ends = []
    for _ in range(5):
        one = way.arrange(carer(council=COUNCIL)["id"])
        made = way.plan(one)
        assert [session["starts_at"] for session in made["sessions"]] == [
            "2025-10-16T09:00:00.000Z", "2025-10-30T10:00:00.000Z", "2025-11-13T10:00:00.000Z", "2025-11-27T10:00:00.000Z",
            "2025-12-11T10:00:00.000Z", "2026-01-08T10:00:00.000Z", "2026-01-22T10:00:00.000Z"]
        assert made["skipped"] == [{"day": "2025-12-25", "name": "Christmas Day"}]
        way.give(one, made["sessions"])
        way.post(path_of(one, "end"), {"reason": "She has slept."}, **way.provider)
        assert way.fund(one["carer_id"]) == {"low": 8_247, "high": 108_247}
        ends.append(way.api.get(f"/v1/referrals/{one['referral_id']}", **way.staff).json())

    between = way.api.get(f"/v1/carers/{one['carer_id']}/outcomes", **way.staff).json()["support"]
    assert between["breaks"] == [{"break_id": one["id"], "delivery": "sitting_service", "purpose": "rest", "state": "ended", "sessions": 5,
                                  "hours": 15.5, "first_on": "2025-10-16", "last_on": "2026-01-08"}]
    assert [(r["referral_id"], r["kind"], r["state"]) for r in between["referrals"]] == [(one["referral_id"], "break", "completed")]
    assert {(end["state"], end["outcome"], end["delivered"]) for end in ends} == {
        ("completed", "She has slept.", "5 sessions, 15.50 hours, 2025-10-16 to 2026-01-08")}
    told = way.report().json()
    whole = {"breaks": 5, "sessions": 25, "hours": 77.5, "suppressed": []}
    assert told["total"] == whole
    assert told["by_purpose"] == [{"purpose": "rest", **whole}] and told["by_delivery"] == [{"delivery": "sitting_service", **whole}]
    assert told["by_provider"] == [{"provider": way.provider["org"], **whole}] and told["by_frequency"] == [{"frequency": "fortnightly", **whole}]
    assert [(m["month"], m["breaks"], m["sessions"], m["hours"]) for m in told["by_month"]] == [
        ("2025-10", 5, 10, 32.5), ("2025-11", 5, 5, 15), ("2025-12", 5, 5, 15), ("2026-01", 5, 5, 15)]
    assert told["wait"] == {"breaks": 5, "under_1_month": 0, "1_to_3_months": 5, "over_3_months": 0, "mean_days": 45, "suppressed": []}
    paid = way.api.get("/v1/reports/funding", role="commissioner", council=COUNCIL).json()
    assert paid["total"]["paid"] == {"awards": 5, "amount_pence": 208_765} and paid["schemes"][0]["level"] == "low"
    later = way.report("from=2025-12-01&to=2026-01-31").json()
    assert later["total"] == {"breaks": 5, "sessions": 10, "hours": 30, "suppressed": []}
    assert later["wait"] == {"breaks": 0, "under_1_month": 0, "1_to_3_months": 0, "over_3_months": 0, "suppressed": []}


def test_four_are_too_few_to_be_shown(journey, carer):
    way = journey(SMALL)
    for _ in range(4):
        one = way.arrange(carer(council=SMALL)["id"])
        way.give(one, way.plan(one)["sessions"])

    told = way.report(role="council_admin", council=SMALL).json()
    hidden = ["breaks", "sessions", "hours"]
    assert told["total"] == {"suppressed": hidden} and {tuple(m["suppressed"]) for m in told["by_month"]} == {tuple(hidden)}
    assert told["by_purpose"] == [{"purpose": "rest", "suppressed": hidden}]
    assert set(told["wait"]) == {"suppressed"} | {name for name in ("under_1_month", "over_3_months") if name in told["wait"]}
    assert told["suppression"]["under"] == 5


def test_who_asks_and_for_what(journey):
    way = journey(COUNCIL)
    problem(way.report(**way.staff), 403, "insufficient-scope")
    problem(way.report(role="practitioner", council=COUNCIL, scope="reports:read"), 403, "forbidden")
    assert faults(way.report("from=2025-10-02"), 400, "invalid-parameter") == {("/query/from", "rule")}
    empty = way.report("from=2001-01-01&to=2001-12-31").json()
    assert empty["total"] == {"breaks": 0, "sessions": 0, "hours": 0, "suppressed": []} and empty["by_month"] == []
