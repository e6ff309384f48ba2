"""How PostgreSQL goes about each query for each class of caller, among many carers: never over the others' rows."""
import json
import pathlib

import psycopg2
import pytest
from support.sql import QUERIES, Session, new_id

PEOPLE = 200_000
FEW = {"organisation", "carer_transition", "carer_available", "event_kind", "schema_migration"}  # all others grow
COUNCILS = [f"E09{number:06d}" for number in range(1, 13)]
LARGE, SMALL = (f"00000000-0000-7000-9000-{number:012d}" for number in (1, 2))
SINCE = "2023-11-14T00:00:00Z"
TRIAGE = "049a98d2-cd00-7000-8000-000000000004"  # somebody's latest
CALLERS = {
    "a council": ("practitioner", {"councils": COUNCILS[:1]}), "twelve councils": ("council_admin", {"councils": COUNCILS}),
    "a large organisation": ("support_worker", {"org": LARGE}), "a small organisation": ("assessor", {"org": SMALL}),
    "a carer": ("carer", {}),
}
FILTERS = {"no filter": (None, None, None, None), "a council": (COUNCILS[1], None, None, None),
           "a state": (None, "inactive", None, None), "a rare source": (None, None, "ambulance", None),
           "known to social care": (None, None, None, "true"), "all filters": (COUNCILS[0], "active", "ambulance", "true")}


@pytest.fixture(scope="module")
def crowd(cluster, new_database):
    """A connection of the service to a database with many carers."""
    name = new_database()
    text = (pathlib.Path(__file__).parent / "crowd.sql").read_text(encoding="utf-8")
    cluster.sql(f"\\set people {PEOPLE}\n{text}", database=name)
    connection = psycopg2.connect(cluster.conninfo("carers_service", name))
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def somebody(crowd):
    """Ids and names of a carer whom every caller of CALLERS sees, made for the small organisation in the first council."""
    session = Session(crowd)
    session.take_on("support_worker", COUNCILS[:1], org=SMALL)
    one = new_id().replace("019a", "029a")
    session.execute("carer_insert", one, json.dumps({
        "council": COUNCILS[0], "given_name": "Some", "family_name": "Body", "date_of_birth": "1950-01-01",
        "nhs_number": "9990012377", "address": {"postcode": "N1 2UD"}, "identification": {"source": "self"},
        "external_refs": [{"system": "case-system", "id": "somebody"}]}), None)
    for number in range(5):
        session.execute("triage_record", f"{TRIAGE[:-1]}{number}", one, '{"level": "intensive"}')
    crowd.commit()
    return one


def nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def look(crowd, caller, name, *arguments, carer=None):
    """Runs the query under the caller's claims; the plan's nodes, and the rows that it touched in growing tables."""
    role, claims = CALLERS[caller]
    session = Session(crowd)
    session.take_on(role, **{**claims, **({"carer": carer} if carer else {})})
    try:
        rows = session.execute(name, *arguments, explain="EXPLAIN (ANALYZE, FORMAT JSON) ")
        found = list(nodes(rows[0][0][0]["Plan"]))
        session.sql("SELECT set_config('role', 'none', true)")
        # what triggers, functions and foreign keys did, too
        walked = dict(session.sql("SELECT relname, seq_tup_read FROM pg_stat_xact_user_tables WHERE seq_scan > 0"))
        assert {table for table, read in walked.items() if read} <= FEW, walked
        assert [n for n in found if n["Node Type"] == "Seq Scan" and n["Relation Name"] not in FEW] == []
        return found
    finally:
        crowd.rollback()


def touched(plan):
    return sum((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"] for node in plan
               if node.get("Relation Name", "organisation") not in FEW and "Scan" in node["Node Type"])


@pytest.mark.parametrize("cursor", [None, "AY2AAAAAcACAAAAAAAAAAA"], ids=["first page", "later page"])
@pytest.mark.parametrize("filters", list(FILTERS))
@pytest.mark.parametrize("caller", ["a council", "twelve councils"])
def test_a_councils_list_touches_few_rows_whatever_is_asked(crowd, caller, filters, cursor):
    plan = look(crowd, caller, "carers_of_councils", 50, cursor, *FILTERS[filters])

    pairs = 15 if filters != "no filter" and filters != "a council" else 1
    assert touched(plan) <= 51 * len(CALLERS[caller][1]["councils"]) * pairs + 50
    walks = [node for node in plan if node.get("Index Name", "").startswith("carer_by_")]
    assert {node["Index Name"] for node in walks} == {"carer_by_council", "carer_by_state", "carer_by_source"}
    assert all("id <" in node["Index Cond"] for node in walks), "the cursor is a filter: a late page would walk"


@pytest.mark.parametrize("filters", list(FILTERS))
@pytest.mark.parametrize("caller", ["a council", "twelve councils"])
def test_a_councils_changes_are_read_in_bounded_walks(crowd, caller, filters):
    plan = look(crowd, caller, "carers_changed_of_councils", 50, None, SINCE, *FILTERS[filters])

    walk, councils = (51, len(CALLERS[caller][1]["councils"])) if FILTERS[filters][1:] == (None,) * 3 else (5000, 1)
    assert touched(plan) <= walk * councils + 50
    assert all("ROW(updated_at, id) >" in node["Index Cond"] for node in plan if node.get("Index Name") == "carer_by_change")


@pytest.mark.parametrize("filters", list(FILTERS))
@pytest.mark.parametrize("changed", [False, True], ids=["list", "changes"])
@pytest.mark.parametrize("caller", ["a large organisation", "a small organisation"])
def test_an_organisations_list_touches_its_own_rows_only(crowd, caller, changed, filters):
    name = "carers_changed_of_organisation" if changed else "carers_of_organisation"
    plan = look(crowd, caller, name, 50, None, *([SINCE] if changed else []), *FILTERS[filters])

    own = 11 if caller == "a small organisation" else 51 if filters == "no filter" else PEOPLE // 50
    assert touched(plan) <= own + 2 * 51  # its access rows, then a page of carers and the policy's look at their access


@pytest.mark.parametrize("caller", list(CALLERS))
@pytest.mark.parametrize("name", ["carer_by_id", "carer_read", "carers_of_self"])
def test_one_carer_is_found_by_key(crowd, somebody, caller, name):
    arguments = {"carers_of_self": [None] * 6}
    plan = look(crowd, caller, name, *arguments.get(name, [somebody]), carer=somebody)

    assert touched(plan) <= 10


@pytest.mark.parametrize("caller", list(CALLERS))
@pytest.mark.parametrize("wanted", [{"nhs_number": "9990012377"}, {"nhs_number": "9990012377", "q": "some boddy"},
                                    {"external_ref": {"system": "case-system", "id": "somebody"}, "date_of_birth": "1950-01-01"},
                                    {"external_ref": {"system": "case-system", "id": "somebody"}, "nhs_number": "9990012377"}], ids=str)
def test_who_has_a_key_is_found_by_it(crowd, somebody, caller, wanted):
    plan = look(crowd, caller, "carers_by_key", json.dumps(wanted), carer=somebody)

    assert 0 < touched(plan) <= 20


# What is asked, and how many rows at most a council's, twelve councils', a large and a small organisation's search touch
# beside the page. `Nadia` is borne by 8,000, `family` begins all names of 200,000.
SEARCHES = [
    ({"q": "nadia"}, (120, 1000, 400, 60)), ({"q": "nadja"}, (120, 1000, 400, 60)), ({"q": "nadia family7"}, (600, 2000, 400, 60)),
    ({"q": "nad family7"}, (600, 2000, 400, 60)), ({"q": "nadja", "date_of_birth": "1950-01-01"}, (100, 500, 100, 60)),
    ({"postcode": "ZZ7 7AA"}, (300, 1500, 300, 60)), ({"date_of_birth": "1950-01-01"}, (60, 300, 60, 60)),
    ({"q": "family77", "date_of_birth": "1961-02-03", "postcode": "ZZ7 7AA"}, (100, 500, 100, 60)),
    ({"q": "nobody"}, (60, 300, 60, 60)), ({"q": "family"}, (20_500, 21_000, 9_000, 60)),
    ({"q": "family given"}, (80_000, 90_000, 30_000, 100)), ({"q": "f"}, (20_500, 21_000, 9_000, 60)),
]


@pytest.mark.parametrize("wanted, most", SEARCHES, ids=[str(wanted) for wanted, _ in SEARCHES])
@pytest.mark.parametrize("caller", ["a council", "twelve councils", "a large organisation", "a small organisation"])
def test_a_search_touches_the_rows_that_fit_among_ones_own(crowd, somebody, caller, wanted, most):
    plan = look(crowd, caller, "carers_by_terms", json.dumps(wanted))

    print(caller, wanted, touched(plan), most)
    terms = [node for node in plan if node.get("Relation Name") == "carer_term"]
    assert len(terms) == 2 and all(node["Index Cond"].count("term") == 2 and "scope =" in node["Index Cond"] for node in terms)
    assert all(node["Node Type"] == "Index Only Scan" for node in terms)
    assert touched(plan) <= dict(zip(CALLERS, most))[caller]


@pytest.mark.parametrize("wanted", [{"q": "some body"}, {"q": "sme"}, {"date_of_birth": "1950-01-01"}], ids=str)
def test_she_looks_at_herself_only(crowd, somebody, wanted):
    assert touched(look(crowd, "a carer", "carers_by_key", json.dumps(wanted), carer=somebody)) <= 10


@pytest.mark.parametrize("caller", list(CALLERS))
@pytest.mark.parametrize("name, arguments", [("carer_patch", ['{"contact": {"phone": "+447700900123"}}', None]),
                                             ("carer_move", ["close", '{"reason": "lost_contact"}'])])
def test_a_change_touches_its_carer_only(crowd, somebody, caller, name, arguments):
    if caller == "a carer" and name == "carer_move" or caller == "a small organisation":
        arguments, name = ['{"gp": {"name": "x"}}', None], "carer_patch"
    look(crowd, caller, name, somebody, *arguments, carer=somebody)


@pytest.mark.parametrize("caller", ["a council", "twelve councils", "a large organisation", "a small organisation"])
def test_a_creation_looks_for_twins_by_index(crowd, caller):
    look(crowd, caller, "carer_insert", new_id().replace("019a", "039a"), json.dumps({
        "council": COUNCILS[0], "given_name": "A", "family_name": "Family7", "date_of_birth": "1961-02-03",
        "nhs_number": "9990037116", "address": {"postcode": "N1 2UD"}, "identification": {"source": "self"},
        "external_refs": [{"system": "case-system", "id": "new"}]}), None)


@pytest.mark.parametrize("caller", list(CALLERS))
@pytest.mark.parametrize("name, arguments, most", [("triage_by_id", [TRIAGE], 4), ("triage_read", [TRIAGE], 4),
                                                   ("triages_of_carer", [50, None], 40), ("triages_of_carer", [2, None], 18)])
def test_a_carers_triages_are_found_by_key(crowd, somebody, caller, name, arguments, most):
    plan = look(crowd, caller, name, *([*arguments, somebody] if "triages" in name else [somebody, *arguments]), carer=somebody)

    assert touched(plan) <= most


@pytest.mark.parametrize("caller", ["a council", "twelve councils", "a small organisation"])
@pytest.mark.parametrize("name, arguments", [
    ("triage_record", lambda one: [new_id().replace("019a", "039a"), one, '{"level": "light"}']),
    ("triage_converse", lambda one: [one, TRIAGE, '{"held_on": "2026-03-02", "summary": "x", "assessment_wanted_by": []}'])])
def test_a_triage_and_its_conversation_touch_their_carer_only(crowd, somebody, caller, name, arguments):
    look(crowd, caller, name, *arguments(somebody))


def test_keys_are_looked_up_and_swept_by_index(crowd):
    for name, arguments in (("idempotency_claim", ["new key", r"\x01", 24]), ("idempotency_answer", ["key 7"]),
                            ("idempotency_keep", ["new key", r"\x01", 201, None, None, None])):
        assert touched(look(crowd, "a council", name, *arguments)) <= 1


def test_the_sweep_goes_by_age(crowd):
    session = Session(crowd)
    session.sql("SELECT pg_stat_force_next_flush()")
    crowd.commit()
    assert 2_000 <= session.execute("idempotency_sweep", 5)[0][0] < 5_000
    assert dict(session.sql("SELECT relname, seq_tup_read FROM pg_stat_xact_user_tables WHERE seq_scan > 0")) == {}
    crowd.rollback()


def test_every_query_of_persons_was_looked_at():
    text = pathlib.Path(__file__).read_text(encoding="utf-8")
    assert [name for name in QUERIES if name not in ("me", "demo_wanted") and f'"{name}"' not in text] == []
