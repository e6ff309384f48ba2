"""What commissioners are told of wellbeing: exact figures of two little councils, small counts hidden, by role."""
import pytest
from support.callers import CALLERS, answer
from support.client import faults, problem
from support.people import carer_body
from support.tokens import CAMDEN, ISLINGTON

LARGE, SMALL = "E09000011", "E09000012"  # councils that no other test uses
PATH = "/v1/reports/wellbeing"
PERIOD = "from=2026-04-01&to=2026-09-30"
ITEMS = ["optimism", "usefulness", "relaxation", "problem_handling", "clear_thinking", "closeness", "own_decisions"]
BETTER, SAME, WORSE = (19, 25), (19, 20), (25, 19)  # raw scores: metric 17.98 and 22.35, 17.98 and 18.59
SWEMWBS = ["pairs", "mean_change", "improved", "no_reliable_change", "deteriorated"]


def responses(raw):
    """Seven answers with this sum."""
    return {item: raw // 7 + (number < raw % 7) for number, item in enumerate(ITEMS)}


class Council:
    """Carers who were assessed twice, over HTTP."""

    def __init__(self, api, grant, council):
        self.api, self.grant, self.council = api, grant, council

    def carer(self, org=None):
        made = self.api.post("/v1/carers", json=carer_body(self.council, known_to_social_care=False), role="practitioner",
                             council=self.council)
        assert made.status_code == 201, made.text
        if org:
            self.grant(made.json()["id"], org)
        return made.json()

    def result(self, one, day, org=None, **results):
        caller = {"role": "assessor" if org else "practitioner", "council": self.council, "org": org}
        made = self.api.post(f"/v1/carers/{one['id']}/assessments", json={"kind": "light_touch"}, **caller)
        path = f"/v1/assessments/{made.json()['id']}"
        for name, body in results.items():
            put = self.api.put(f"{path}/{name.replace('_', '-', 1)}", json={"completed_on": day, **body}, **caller)
            assert put.status_code == 201, put.text
        assert self.api.post(f"{path}/complete", json={}, **caller).status_code == 200

    def pair(self, scores, org=None, days=("2026-05-10", "2026-09-10"), first=None, later=None):
        one = self.carer(org)
        for day, raw, others in zip(days, scores, (first or {}, later or {})):
            self.result(one, day, org, swemwbs={"responses": responses(raw)}, **others)
        return one


def statements(*statuses):
    return {"i_statements": {"statements": [{"text": f"I am {n}.", "status": status} for n, status in enumerate(statuses)]}}


@pytest.fixture(scope="module")
def large(api, organisation, grant):
    """The council's own assessors: 5 better, 5 the same, 6 worse. A provider: 5 better."""
    council, org = Council(api, grant, LARGE), organisation(LARGE)
    for scores in [BETTER] * 5 + [SAME] * 5 + [WORSE] * 6:
        council.pair(scores, first=statements("met", "not_met", "absent"),
                     later=statements("met", "met", "partially_met", "not_met", "absent"))
    for _ in range(5):
        council.pair(BETTER, org)
    return org


@pytest.fixture(scope="module")
def small(api, organisation, grant):
    """The council's own assessors: 6 better, 7 the same, 3 worse. Two providers: 5 better, and 2."""
    council, orgs = Council(api, grant, SMALL), [organisation(SMALL), organisation(SMALL)]
    for scores in [BETTER] * 6 + [SAME] * 7 + [WORSE] * 3:
        council.pair(scores)
    for org, number in zip(orgs, (5, 2)):
        for _ in range(number):
            council.pair(BETTER, org)
    return orgs


@pytest.fixture
def report(api):
    def ask(query, role="commissioner", **claims):
        response = api.get(f"{PATH}?{query}", role=role, **claims)
        assert response.status_code == 200, response.text
        return response
    return ask


class TestFigures:
    """Exact, to two decimals and three."""

    def test_of_a_council(self, report, large):
        response = report(PERIOD, council=LARGE)

        body = response.json()
        assert (body["council"], body["from"], body["to"]) == (LARGE, "2026-04-01", "2026-09-30") and "provider" not in body
        assert body["suppression"]["under"] == 5
        assert body["swemwbs"] == {
            "pairs": 21, "mean_change": 0.98, "improved": {"count": 10, "share": 0.476},
            "no_reliable_change": {"count": 5, "share": 0.238}, "deteriorated": {"count": 6, "share": 0.286}, "suppressed": []}
        assert body["i_statements"] == {"carers": 16, "rated": 64, "met": 32, "partially_met": 16, "not_met": 16,
                                        "share_met": 0.5, "first_share_met": 0.5, "suppressed": []}
        assert body["ratings"] == []

    def test_decimals_are_printed_as_they_are(self, report, large):
        text = report(PERIOD, council=LARGE).text

        assert '"mean_change":0.98,' in text and '"share":0.476}' in text

    def test_of_a_provider_and_of_the_councils_own(self, report, large):
        provider = report(f"{PERIOD}&provider={large.upper()}", council=LARGE).json()
        own = report(f"{PERIOD}&provider=council", council=LARGE).json()

        assert provider["provider"] == large.upper() and own["provider"] == "council"
        assert provider["swemwbs"] == {
            "pairs": 5, "mean_change": 4.37, "improved": {"count": 5, "share": 1.0},
            "no_reliable_change": {"count": 0, "share": 0.0}, "deteriorated": {"count": 0, "share": 0.0}, "suppressed": []}
        assert provider["i_statements"] == {"carers": 0, "rated": 0, "met": 0, "partially_met": 0, "not_met": 0, "suppressed": []}
        assert own["swemwbs"] == {
            "pairs": 16, "mean_change": -0.08, "improved": {"count": 5, "share": 0.313},
            "no_reliable_change": {"count": 5, "share": 0.313}, "deteriorated": {"count": 6, "share": 0.375}, "suppressed": []}

    def test_outside_the_period_there_is_nothing_and_no_mean_of_it(self, report, large):
        for query in ("from=2026-04-01&to=2026-08-31", "from=2026-10-01&to=2026-10-31", f"{PERIOD}&provider={CARER_LESS}"):
            assert report(query, council=LARGE).json()["swemwbs"] == {
                "pairs": 0, "improved": {"count": 0}, "no_reliable_change": {"count": 0}, "deteriorated": {"count": 0},
                "suppressed": []}

    def test_a_later_result_takes_the_place_of_an_earlier_one(self, api, report, grant):
        council = Council(api, grant, "E09000013")
        for _ in range(5):
            one = council.pair(BETTER)
            council.result(one, "2026-10-05", swemwbs={"responses": responses(14)})  # 15.32

        before = report(PERIOD, council="E09000013").json()["swemwbs"]
        after = report("from=2026-04-01&to=2026-10-31", council="E09000013").json()["swemwbs"]

        assert (before["improved"]["count"], before["mean_change"]) == (5, 4.37)
        assert (after["pairs"], after["no_reliable_change"]["count"], after["mean_change"]) == (5, 5, -2.66)

    def test_ratings_are_told_by_area(self, api, report, grant):
        council = Council(api, grant, "E09000014")
        for health in range(6):
            one = council.carer()
            for day, rating in (("2026-05-10", 3), ("2026-09-10", 4 + health % 2)):
                council.result(one, day, **{"ratings/gtmool": {"ratings": [
                    {"area": "health", "rating": rating}, {"area": "home", "rating": 10 - rating}]}})

        ratings = report(PERIOD, council="E09000014").json()["ratings"]

        assert ratings == [
            {"instrument": "gtmool", "area": area, "pairs": 6, "mean_change": sign * 1.5,
             "improved": {"count": 6 * (sign > 0), "share": float(sign > 0)}, "unchanged": {"count": 0, "share": 0.0},
             "deteriorated": {"count": 6 * (sign < 0), "share": float(sign < 0)}, "suppressed": []}
            for area, sign in (("health", 1), ("home", -1))]


CARER_LESS = "0195e6a0-0000-7000-8000-0000000000aa"  # no organisation has this id


class TestSuppression:
    """What is hidden is absent and named; nothing tells of it."""

    def test_small_counts_go_and_one_beside_them(self, report, small):
        swemwbs = report(PERIOD, council=SMALL).json()["swemwbs"]

        assert swemwbs == {"pairs": 23, "mean_change": 2.09, "no_reliable_change": {"count": 7, "share": 0.304},
                           "suppressed": ["improved", "deteriorated"]}

    def test_too_few_pairs_hide_all_of_the_part(self, report, small):
        assert report(f"{PERIOD}&provider={small[1]}", council=SMALL).json()["swemwbs"] == {"suppressed": SWEMWBS}

    def test_the_council_less_the_others_does_not_tell_of_the_smallest(self, report, small):
        parts = [report(f"{PERIOD}&provider={provider}", council=SMALL).json()["swemwbs"] for provider in (*small, "council")]
        whole = report(PERIOD, council=SMALL).json()["swemwbs"]

        for name in SWEMWBS:
            hidden = sum(name not in part for part in parts) + (name not in whole)
            assert hidden != 1, name
        assert ["pairs" in part for part in parts] == [False, False, True]

    def test_asking_again_hides_the_same(self, report, small):
        def ask():
            return [report(f"{PERIOD}&provider={provider}", council=SMALL).text for provider in small]
        assert ask() == ask()


class TestAsked:
    """Period and council."""

    @pytest.mark.parametrize("query, pointer, keyword", [
        ("from=2026-04-02", "/query/from", "rule"), ("to=2026-09-29", "/query/to", "rule"),
        ("from=2026-10-01&to=2026-09-30", "/query/from", "rule"), ("from=yesterday", "/query/from", "format"),
        ("to=0001-01-31", "/query/to", "pattern"), ("provider=somebody", "/query/provider", "pattern"),
        ("council=Islington", "/query/council", "pattern"), (f"council={CAMDEN}", "/query/council", "rule")])
    def test_what_is_wrong_is_named(self, api, query, pointer, keyword):
        found = faults(api.get(f"{PATH}?{query}", role="commissioner"), 400, "invalid-parameter")
        assert (pointer, keyword) in found

    def test_a_sentence_says_what_to_do(self, api):
        found = problem(api.get(f"{PATH}?to=2026-09-29", role="commissioner"), 400, "invalid-parameter")
        assert found["errors"][0]["message"] == "must be the last day of a month: results are summed by month"

    def test_with_several_councils_one_must_be_named(self, api, report):
        both = [ISLINGTON, CAMDEN]
        found = problem(api.get(PATH, role="commissioner", council=both), 400, "invalid-parameter")
        assert found["errors"][0]["pointer"] == "/query/council" and "must be given" in found["errors"][0]["message"]
        assert report(f"council={CAMDEN}", council=both).json()["council"] == CAMDEN

    def test_without_days_it_is_the_financial_year_as_far_as_it_has_gone(self, report, db):
        db.execute("SELECT to_char(date_trunc('month', today()::timestamp) + interval '1 month' - interval '1 day', 'YYYY-MM-DD')")
        last = db.fetchone()[0]
        body = report("").json()
        assert body["to"] == last and body["from"][4:] == "-04-01"
        assert int(body["from"][:4]) == int(last[:4]) - (last[5:7] < "04")

    def test_an_unknown_parameter_is_refused(self, api):
        problem(api.get(f"{PATH}?area=health", role="commissioner"), 400, "invalid-parameter")


@pytest.mark.parametrize("caller", list(CALLERS))
def test_a_report_is_for_commissioners_and_administrators_of_their_council(world, caller):
    own = {"her council's administrator", "another council's administrator", "a commissioner"}
    scope = "reports:read carers:read"

    mine = answer(world.ask(caller, "GET", PATH, scope=scope))
    islington = answer(world.ask(caller, "GET", f"{PATH}?council={ISLINGTON}", scope=scope))

    assert mine == ("200" if caller in own else "forbidden")
    assert islington == {"her council's administrator": "200", "a commissioner": "200",
                         "another council's administrator": "invalid-parameter"}.get(caller, "forbidden")
    assert answer(world.ask(caller, "GET", PATH, scope="carers:read")) == "insufficient-scope"


def test_without_a_token_there_is_nothing(api):
    problem(api.get(PATH), 401, "unauthenticated")


def test_a_report_names_no_person(report, large, db):
    text = report(PERIOD, council=LARGE).text
    db.execute("SELECT id::text FROM carer WHERE council = %s UNION SELECT given_name FROM carer WHERE council = %s", (LARGE, LARGE))
    assert not [word for (word,) in db.fetchall() if word in text]
