"""What commissioners are told of funding: by scheme and level, small numbers hidden, nobody named."""
import pytest
from support.callers import CALLERS, answer
from support.client import faults, problem
from support.people import carer_body
from support.tokens import ISLINGTON

LARGE, SMALL, EMPTY = "E09000015", "E09000016", "E09000017"  # councils that no other test uses
PATH = "/v1/reports/funding"
YEAR = "2025-26"
BEGAN = {"approved": "now(), NULL, NULL, NULL", "paid": "now(), NULL, now(), 'cheque'", "refused": "now(), 'x', NULL, NULL",
         "applied": "NULL, NULL, NULL, NULL"}


@pytest.fixture(scope="module")
def award(api, db):
    """award(council, scheme, level, state, pence, count, carers=count): awards of the year, of so many carers."""
    def make(council, scheme, level, state, pence, count, carers=None):
        ids = [api.post("/v1/carers", json=carer_body(council), role="practitioner", council=council).json()["id"] for _ in range(carers or count)]
        db.execute("SET session_replication_role = replica")
        db.execute("INSERT INTO funding_award (id, carer_id, council, scheme, scheme_id, level, amount_pence, purpose, financial_year, state,"
                   " decided_at, reason, paid_at, payment_method)"
                   f" SELECT gen_random_uuid(), (%s::uuid[])[1 + n %% %s], %s, %s, gen_random_uuid(), %s, %s, 'rest', %s, %s, {BEGAN[state]}"
                   "  FROM generate_series(1, %s) AS n", (ids, len(ids), council, scheme, level, pence, YEAR, state, count))
        db.execute("SET session_replication_role = origin")
    return make


@pytest.fixture(scope="module")
def large(award):
    for level, state, pence, count in (("low", "paid", 30_000, 12), ("low", "approved", 10_000, 5), ("low", "refused", 500, 6),
                                       ("high", "paid", 100_000, 7), ("low", "applied", 1, 9)):
        award(LARGE, "carers_personal_budget", level, state, pence, count)
    award(LARGE, "flexible_breaks_fund", "family", "paid", 60_000, 8)


@pytest.fixture(scope="module")
def small(award):
    award(SMALL, "carers_personal_budget", "low", "paid", 10_000, 9)
    award(SMALL, "carers_personal_budget", "high", "paid", 99_999, 3)
    award(SMALL, "flexible_breaks_fund", "family", "paid", 20_000, 20)
    award(SMALL, "flexible_breaks_fund", "individual", "paid", 1_000, 30, carers=2)


def report(api, council, year=YEAR, role="commissioner"):
    response = api.get(f"{PATH}?financial_year={year}", role=role, council=council)
    assert response.status_code == 200, response.text
    return response.json()


def test_figures_are_exact(api, large):
    body = report(api, LARGE)

    def n(awards, each):
        return {"awards": awards, "amount_pence": awards * each}
    assert (body["from"], body["to"], body["suppression"]["under"]) == ("2025-04-01", "2026-03-31", 5)
    assert body["schemes"] == [
        {"scheme": "carers_personal_budget", "level": "high", "approved": n(0, 0), "paid": n(7, 100_000), "refused": n(0, 0),
         "total": n(7, 100_000), "suppressed": []},
        {"scheme": "carers_personal_budget", "level": "low", "approved": n(5, 10_000), "paid": n(12, 30_000), "refused": n(6, 500),
         "total": {"awards": 23, "amount_pence": 413_000}, "suppressed": []},
        {"scheme": "flexible_breaks_fund", "level": "family", "approved": n(0, 0), "paid": n(8, 60_000), "refused": n(0, 0),
         "total": n(8, 60_000), "suppressed": []}]
    assert body["total"] == {"approved": n(5, 10_000), "paid": {"awards": 27, "amount_pence": 1_540_000}, "refused": n(6, 500),
                             "total": {"awards": 38, "amount_pence": 1_593_000}, "suppressed": []}


def test_few_awards_and_few_carers_are_hidden_and_cannot_be_computed(api, small):
    body = report(api, SMALL)

    hidden = {(line["scheme"], line["level"]): line["suppressed"] for line in body["schemes"]}
    assert "paid" in hidden["carers_personal_budget", "high"] and "total" in hidden["carers_personal_budget", "high"]
    assert "paid" in hidden["flexible_breaks_fund", "individual"]  # thirty awards of two carers
    shown = sum(line["paid"]["awards"] for line in body["schemes"] if "paid" in line)
    left = body["total"]["paid"]["awards"] - shown if "paid" in body["total"] else None
    assert left is None or left >= 5
    assert "99999" not in str(body) and "299997" not in str(body)


def test_a_year_without_awards_is_all_zeros(api):
    nothing = {"awards": 0, "amount_pence": 0}
    body = report(api, EMPTY)
    assert body["schemes"] == [] and body["total"] == {**dict.fromkeys(("approved", "paid", "refused", "total"), nothing), "suppressed": []}


def test_without_a_year_it_is_this_one(api):
    body = api.get(PATH, role="council_admin", council=EMPTY).json()
    assert body["financial_year"][:4] == body["from"][:4] and body["council"] == EMPTY


def test_one_council_is_asked_for(api):
    assert faults(api.get(PATH, role="commissioner", council=[LARGE, SMALL]), 400, "invalid-parameter") == {("/query/council", "rule")}
    assert faults(api.get(f"{PATH}?council={LARGE}", role="commissioner", council=SMALL), 400, "invalid-parameter") == {("/query/council", "rule")}
    assert api.get(f"{PATH}?council={LARGE}", role="commissioner", council=[LARGE, SMALL]).status_code == 200
    problem(api.get(f"{PATH}?financial_year=2025", role="commissioner", council=LARGE), 400, "invalid-parameter")


@pytest.mark.parametrize("caller", list(CALLERS))
def test_commissioners_and_administrators_read_it(world, caller):
    may = {"a commissioner", "her council's administrator"}
    elsewhere = {"another council's administrator"}
    told = answer(world.ask(caller, "GET", f"{PATH}?council={ISLINGTON}", scope="reports:read"))
    assert told == ("200" if caller in may else "invalid-parameter" if caller in elsewhere else "forbidden")
