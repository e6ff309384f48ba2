"""How PostgreSQL goes about each query for each class of caller, among many carers: never over the others' rows."""
import collections
import contextlib
import json
import pathlib

import psycopg2
import pytest
from support.sql import QUERIES, Session, new_id

PEOPLE = 200_000
FEW = {"organisation", "carer_transition", "carer_available", "event_kind", "event_era", "schema_migration",
       "assessment_transition", "assessment_available", "council_default", "council_settings", "swemwbs_score", "instrument",
       "i_statement", "bank_holiday", "bank_holidays_edition", "referral_transition", "referral_route", "webhook",
       "webhook_secret", "break_scheme", "break_transition", "funding_transition", "funding_scheme", "break_contract",
       "directory_transition", "taxonomy_term", "taxonomy_phrase", "directory_tally", "unmet_search", "oruk_feed"}  # all others grow
COUNCILS = [f"E09{number:06d}" for number in range(1, 13)]
LARGE, SMALL = (f"00000000-0000-7000-9000-{number:012d}" for number in (1, 2))
PASSPORT = "CP-3M8K-Z0QT-7WVA-X1G4"  # somebody's
SINCE = "2023-11-14T00:00:00Z"
ASSESSMENT = "059a98d2-cd00-7000-8000-000000000001"  # somebody's
CONSENT = "049a98d2-cd00-7000-9000-000000000004"  # somebody's latest, to share with the small organisation
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


def said(purpose, org):
    body = {"purpose": purpose, "organisation_id": org, "method": "verbal", "wording_version": "2026-04"}
    return json.dumps({name: value for name, value in body.items() if value})


@pytest.fixture(scope="module")
def somebody(crowd):
    """Ids and names of a carer whom every caller of CALLERS sees, made for the small organisation in the first council."""
    session = Session(crowd)
    session.take_on("assessor", COUNCILS[:1], org=SMALL)
    one = new_id().replace("019a", "029a")
    session.execute("carer_insert", one, json.dumps({
        "council": COUNCILS[0], "given_name": "Some", "family_name": "Body", "date_of_birth": "1950-01-01",
        "nhs_number": "9990012377", "address": {"postcode": "N1 2UD"}, "identification": {"source": "self"},
        "external_refs": [{"system": "case-system", "id": "somebody"}], "known_to_social_care": False}), None)
    for number in range(5):
        session.execute("triage_record", f"{TRIAGE[:-1]}{number}", one, '{"level": "intensive"}')
        session.execute("consent_record", f"{CONSENT[:-1]}{number}", one, said(["demographics", "research"][number % 2], None)
                        if number < 4 else said("share_with_organisation", SMALL))
    session.execute("demographics_put", one, '{"gender": "woman"}')
    session.execute("assessment_insert", ASSESSMENT, one, "in_progress", '{"kind": "light_touch"}')
    session.take_on("practitioner", COUNCILS[:1])
    session.execute("carer_move", one, "register", None)
    session.execute("passport_issue", TRIAGE, one, PASSPORT, None)
    crowd.commit()
    return one


def nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def look(crowd, caller, name, *arguments, carer=None, role=None, **others):
    """Runs the query under the caller's claims; the plan's nodes, and the rows that it touched in growing tables."""
    usual, claims = CALLERS.get(caller, ("", {}))  # the public has no claims
    session = Session(crowd)
    session.take_on(role or usual, **{**claims, **({"carer": carer} if carer else {}), **others})
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


@contextlib.contextmanager
def nested_plans(cluster, crowd):
    """A session of the superuser, and the plans of all that its statements do, functions and triggers too; rolled back."""
    connection = psycopg2.connect(cluster.conninfo("postgres", crowd.info.dbname))
    connection.notices = collections.deque()
    session = Session(connection)
    try:
        session.sql("LOAD 'auto_explain'")
        for name, value in {"log_min_duration": "0", "log_nested_statements": "on", "log_analyze": "on", "log_timing": "off",
                            "log_format": "json", "log_level": "notice"}.items():
            session.sql(f"SET auto_explain.{name} = {value}")
        session.sql("SET client_min_messages = notice")
        yield session, connection.notices
    finally:
        connection.rollback()
        connection.close()


def told(notices):
    for notice in notices:
        if "  plan:" in notice:
            yield json.loads(notice.split("  plan:", 1)[1])["Plan"]


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
    # its access rows, then a page of carers and the policy's look at their access; of changes, whether another access stands before
    assert touched(plan) <= own + (3 if changed else 2) * 51
    assert not changed or "carer_access_by_change" in {node.get("Index Name") for node in plan}


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
    ({"q": "nadia"}, (120, 1000, 400, 60)), ({"q": "nadja"}, (120, 1000, 400, 60)), ({"q": "nadia family7"}, (5000, 9000, 2000, 60)),
    ({"q": "nad family7"}, (5000, 9000, 2000, 60)), ({"q": "nadja", "date_of_birth": "1950-01-01"}, (600, 600, 1100, 60)),
    ({"postcode": "ZZ7 7AA"}, (300, 1500, 300, 60)), ({"date_of_birth": "1950-01-01"}, (60, 300, 60, 60)),
    ({"q": "family77", "date_of_birth": "1961-02-03", "postcode": "ZZ7 7AA"}, (1000, 1500, 300, 60)),
    ({"q": "nobody"}, (60, 300, 60, 60)), ({"q": "family"}, (20_500, 21_000, 9_000, 60)),
    ({"q": "family given"}, (80_000, 90_000, 30_000, 100)), ({"q": "f"}, (20_500, 21_000, 9_000, 60)),
]


@pytest.mark.parametrize("wanted, most", SEARCHES, ids=[str(wanted) for wanted, _ in SEARCHES])
@pytest.mark.parametrize("caller", ["a council", "twelve councils", "a large organisation", "a small organisation"])
def test_a_search_touches_the_rows_that_fit_among_ones_own(crowd, somebody, caller, wanted, most):
    plan = look(crowd, caller, "carers_by_terms", json.dumps(wanted))

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


@pytest.mark.parametrize("caller", list(CALLERS))
@pytest.mark.parametrize("name, arguments, most", [
    ("consent_read", [CONSENT], 5), ("consents_of_carer", [50, None, None, None], 30), ("consents_of_carer", [2, None, None, None], 20),
    ("consents_of_carer", [50, None, "research", "active"], 30), ("demographics_read", [], 12), ("demographics_by_carer", [], 12)])
def test_a_carers_consents_and_demographics_are_found_by_key(crowd, somebody, caller, name, arguments, most):
    plan = look(crowd, caller, name, somebody, *arguments, carer=somebody)

    assert touched(plan) <= most


@pytest.mark.parametrize("caller", ["a council", "twelve councils", "a small organisation", "a carer"])
@pytest.mark.parametrize("name, arguments", [
    ("consent_record", lambda one: [new_id().replace("019a", "039a"), one, said("demographics", None)]),
    ("consent_record", lambda one: [new_id().replace("019a", "039a"), one, said("share_with_organisation", LARGE)]),
    ("consent_withdraw", lambda one: [one, CONSENT, '{"method": "verbal"}']),
    ("consent_withdraw", lambda one: [one, f"{CONSENT[:-1]}2", '{"method": "verbal"}'])])
def test_a_word_and_what_follows_from_it_touch_their_carer_only(crowd, somebody, caller, name, arguments):
    look(crowd, caller, name, *arguments(somebody), carer=somebody)


@pytest.mark.parametrize("caller", ["a council", "a small organisation", "a carer"])
def test_demographics_are_replaced_by_key(crowd, somebody, caller):
    plan = look(crowd, caller, "demographics_put", somebody, '{"gender": "man"}', carer=somebody, if_match="*")

    assert touched(plan) <= 12


class TestAccess:
    """Organisations' access to one carer."""

    @pytest.fixture(scope="class")
    def access(self, crowd, somebody):
        """The id of one that the council of `somebody` grants to the large organisation."""
        session, ident = Session(crowd), new_id()
        session.take_on("practitioner", COUNCILS[:1])
        session.execute("access_grant", somebody, ident, json.dumps({"organisation_id": LARGE, "note": "x"}))
        crowd.commit()
        return ident

    @pytest.mark.parametrize("since", [None, SINCE], ids=["list", "changes"])
    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_the_list_touches_the_carers_rows_only(self, crowd, somebody, access, caller, since):
        plan = look(crowd, caller, "access_of_carer", somebody, 50, None, since, None, carer=somebody)
        assert touched(plan) <= 20

    @pytest.mark.parametrize("name", ["access_read", "access_by_id"])
    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_one_access_is_found_by_key(self, crowd, somebody, access, caller, name):
        assert touched(look(crowd, caller, name, somebody, access, carer=somebody)) <= 10

    @pytest.mark.parametrize("caller", ["a council", "twelve councils"])
    def test_a_grant_and_a_revocation_touch_their_carer_only(self, crowd, somebody, access, caller):
        look(crowd, caller, "access_grant", somebody, new_id(), json.dumps({
            "organisation_id": SMALL.replace("2", "3"), "note": "x"}))
        assert touched(look(crowd, caller, "access_revoke", somebody, access, "x")) <= 2

    def test_the_sweep_goes_by_what_is_due(self, crowd):
        session = Session(crowd)
        session.sql("SELECT pg_stat_force_next_flush()")
        crowd.commit()
        assert session.execute("access_sweep") == [(0,)]
        assert dict(session.sql("SELECT relname, idx_tup_fetch FROM pg_stat_xact_user_tables WHERE seq_tup_read > 0"
                                " OR relname = 'carer_access' AND idx_tup_fetch > 0")) == {}
        crowd.rollback()
@pytest.fixture(scope="module")
def busy(crowd):
    """The first carer, of 2,003 events; half of them are others' doings, which she does not let organisations share."""
    Session(crowd).take_on("council_admin", COUNCILS)
    one = str(Session(crowd).sql("SELECT id FROM carer ORDER BY id LIMIT 1")[0][0])
    crowd.rollback()
    return one


def walks_of(plan, index):
    """The scans of an index, each of which must have the row comparison in its condition: a late page would walk otherwise."""
    walks = [node for node in plan if node.get("Index Name") == index]
    assert walks and all("ROW(" in node["Index Cond"] for node in walks), index
    return walks


@pytest.mark.parametrize("cursor", [None, "AAYqjLTIAAAAAAAAAAAAAA"], ids=["first page", "later page"])
@pytest.mark.parametrize("caller", list(CALLERS))
def test_a_timeline_reads_a_page_of_a_long_one(crowd, busy, caller, cursor):
    role = {"a council": {"councils": COUNCILS}}.get(caller, {})
    plan = look(crowd, caller, "timeline", busy, 50, cursor, None, None, carer=busy, **role)

    walk, = walks_of(plan, "event_by_carer")
    assert walk["Actual Rows"] <= 51
    assert walk.get("Rows Removed by Filter", 0) <= (51 if "organisation" in caller else 0)  # what is not shared with it
    assert touched(plan) <= 51 + 51 + 51 * 2 + 10  # entries, those passed over, the policy's look at her accesses, the carer


@pytest.mark.parametrize("kind", ["carer.registered", "crowd"])
@pytest.mark.parametrize("caller", list(CALLERS))
def test_a_rare_kind_is_found_without_asking_the_policy_for_each_entry(crowd, busy, caller, kind):
    role = {"a council": {"councils": COUNCILS}}.get(caller, {})
    plan = look(crowd, caller, "timeline", busy, 50, None, kind, None, carer=busy, **role)

    assert touched(plan) <= 2_003 + 51 + 10


@pytest.mark.parametrize("after", [None, "AAAAAAAAAAAAAABkAAAAAAAAAAA"], ids=["beginning", "later"])
@pytest.mark.parametrize("caller, name, index", [
    ("a council", "changes_of_councils", "event_by_council"), ("twelve councils", "changes_of_councils", "event_by_council"),
    ("a large organisation", "changes_of_organisation", "event_organisation_pkey"),
    ("a small organisation", "changes_of_organisation", "event_organisation_pkey"),
    ("a carer", "changes_of_self", "event_by_carer_order")])
def test_a_page_of_changes_walks_a_page(crowd, busy, caller, name, index, after):
    plan = look(crowd, caller, name, after, 50, carer=busy)

    walk, = walks_of(plan, index)
    rows = walk["Actual Rows"] * walk["Actual Loops"]
    if "organisation" in caller:  # of the rows of its own it walks 1,000 at most, and reads the events of a page
        assert rows <= 1000 and touched(plan) <= 1000 + 51 * 3
    else:
        assert touched(plan) == rows <= 51 * len(CALLERS[caller][1].get("councils", [1]))


def test_an_era_is_looked_after_by_index(cluster, crowd):
    with psycopg2.connect(cluster.conninfo("carers_owner", crowd.info.dbname)) as connection:
        session = Session(connection)
        session.sql("SELECT event_era_follow() IS NULL")
        assert {table for (table,) in session.sql("SELECT relname FROM pg_stat_xact_user_tables WHERE seq_tup_read > 0")} <= FEW
        assert session.sql("SELECT era FROM event_era") == [(0,)]
    connection.close()


def test_a_plan_and_who_read_it_are_found_by_their_carer(crowd, somebody):
    plan = json.dumps({"emergency_contacts": [{"name": "A", "relationship": "b", "phone": "999999"}], "instructions": "c"})
    for caller in CALLERS.keys() - {"a large organisation"}:  # it does not see her, and so writes nothing
        look(crowd, caller, "contingency_plan_put", somebody, plan, carer=somebody)
    for caller in CALLERS:
        for name in ("contingency_plan_read", "contingency_plan_by_carer"):
            assert touched(look(crowd, caller, name, somebody, carer=somebody)) <= 6
    for caller in ("a council", "twelve councils", "a carer"):
        for cursor in (None, "AY2AAAAAcACAAAAAAAAAAA"):
            assert touched(look(crowd, caller, "emergency_access_of_carer", somebody, 50, cursor, carer=somebody)) <= 10


def test_the_glass_is_broken_by_key(crowd, somebody, monkeypatch):
    monkeypatch.setitem(CALLERS, "an in-reach team", ("hospital_in_reach", {"org": LARGE}))
    look(crowd, "an in-reach team", "emergency_access_open", new_id().replace("019a", "049a"), somebody, "An emergency.")
class TestContacts:
    """Contacts of one carer, who has two thousand of them, half of them another organisation's."""

    @pytest.fixture(scope="class")
    def contact(self, cluster, crowd, somebody):
        """The id of the small organisation's oldest. She shares between services."""
        ident = "028a98d2-cd00-7000-8000-000000000000"
        cluster.sql(f"""
            SET session_replication_role = replica;
            INSERT INTO contact (id, carer_id, council, organisation_id, at, channel, direction, reason, outcome)
            SELECT ('028a98d2-cd00-7000-8000-' || lpad(g::text, 12, '0'))::uuid, '{somebody}', '{COUNCILS[0]}',
                   CASE g % 2 WHEN 0 THEN '{SMALL}' ELSE '{LARGE}' END::uuid, now(), 'phone', 'inbound', 'review', 'other'
              FROM generate_series(0, 1999) g;
            INSERT INTO contact (id, carer_id, council, at, channel, direction, reason, outcome)
            SELECT overlay(c.id::text PLACING '018b' FROM 1 FOR 4)::uuid, c.id, c.council, now(), 'phone', 'inbound', 'review',
                   'other'
              FROM carer c WHERE c.source = 'gp';
            INSERT INTO consent (id, carer_id, council, purpose, method, wording_version)
            SELECT gen_random_uuid(), c.id, c.council, 'share_between_services', 'verbal', 'v1'
              FROM carer c WHERE c.source = 'gp' OR c.id = '{somebody}'
                ON CONFLICT DO NOTHING;
            ANALYZE contact, consent""", database=crowd.info.dbname)
        return ident

    @pytest.mark.parametrize("since", [None, SINCE], ids=["list", "changes"])
    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_the_list_walks_over_a_page(self, crowd, somebody, contact, caller, since):
        plan = look(crowd, caller, "contacts_of_carer", somebody, 50, None, since, None, None, None, carer=somebody)
        assert touched(plan) <= 4 * 51 + 10  # ids, bodies, and the policy's look at her access for each of them

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_a_filter_walks_over_her_contacts_at_most(self, crowd, somebody, contact, caller):
        plan = look(crowd, caller, "contacts_of_carer", somebody, 50, None, None, "sms", None, None, carer=somebody)
        assert touched(plan) <= 2 * 2000 + 10

    @pytest.mark.parametrize("name", ["contact_read", "contact_by_id"])
    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_one_contact_is_found_by_key(self, crowd, somebody, contact, caller, name):
        assert touched(look(crowd, caller, name, somebody, contact, carer=somebody)) <= 5

    @pytest.mark.parametrize("caller", ["a council", "twelve councils", "a small organisation"])
    def test_a_record_touches_its_carer_only(self, crowd, somebody, contact, caller):
        look(crowd, caller, "contact_record", somebody, new_id(), json.dumps({
            "channel": "phone", "direction": "inbound", "reason": "review", "outcome": "other",
            **({"corrects_contact_id": contact} if caller == "a small organisation" else {})}))


@pytest.mark.parametrize("caller", list(CALLERS))
@pytest.mark.parametrize("name, argument", [("passport_read", None), ("passport_issued", TRIAGE), ("passport_revoked", None)])
def test_a_carers_passport_is_found_by_key(crowd, somebody, caller, name, argument):
    assert touched(look(crowd, caller, name, argument or somebody, carer=somebody)) <= 6


@pytest.mark.parametrize("caller", ["a council", "twelve councils", "a carer"])
def test_a_passport_is_revoked_and_the_next_one_issued_by_key(crowd, somebody, caller):
    look(crowd, caller, "passport_revoke", somebody, '{"reason": "lost"}', carer=somebody)
    if caller != "a carer":
        session = Session(crowd)
        session.take_on("practitioner", COUNCILS[:1])
        session.execute("passport_revoke", somebody, '{"reason": "lost"}')
        look(crowd, caller, "passport_issue", new_id(), somebody, "CP-1000-0000-0000-000Z", None)


@pytest.mark.parametrize("number", [PASSPORT, "CP-1000-0000-0000-000Z", None])
@pytest.mark.parametrize("caller", ["the public", "a council", "a carer"])
def test_the_check_probes_by_index_whatever_is_asked(crowd, somebody, caller, number):
    look(crowd, caller, "passport_check", number)


ASKED = {"no filter": (None, None, None), "a council": (COUNCILS[1], None, None), "a kind": (None, "light_touch", None),
         "a state": (None, None, "requested"), "what there is none of": (None, "review", "cancelled")}


@pytest.mark.parametrize("cursor", [None, "AY2AAAAAcACAAAAAAAAAAA"], ids=["first page", "later page"])
@pytest.mark.parametrize("asked", list(ASKED))
@pytest.mark.parametrize("caller", ["a council", "twelve councils"])
def test_a_councils_assessments_are_read_in_short_walks(crowd, caller, asked, cursor):
    plan = look(crowd, caller, "assessments_of_councils", 50, cursor, *ASKED[asked])

    walks = len(CALLERS[caller][1]["councils"]) * (7 if asked in ("a kind", "a state") else 1)
    assert touched(plan) <= 51 * walks + 11 * 50
    assert {node["Index Name"] for node in plan if node.get("Index Name", "").startswith("assessment_by_")
            } == {"assessment_by_council", "assessment_by_state"}
    assert all("id <" in node["Index Cond"] for node in plan if node.get("Index Name", "").startswith("assessment_by_"))


@pytest.mark.parametrize("asked", list(ASKED))
@pytest.mark.parametrize("caller", ["a council", "twelve councils"])
def test_a_councils_changed_assessments_are_read_in_bounded_walks(crowd, caller, asked):
    plan = look(crowd, caller, "assessments_changed_of_councils", 50, None, SINCE, *ASKED[asked], None, None)

    walk, councils = (51, len(CALLERS[caller][1]["councils"])) if ASKED[asked][1:] == (None, None) else (5000, 1)
    assert touched(plan) <= walk * councils + 11 * 50
    assert all("ROW(updated_at, id) >" in node["Index Cond"] for node in plan if node.get("Index Name") == "assessment_by_change")


@pytest.mark.parametrize("days", [("2025-06-01", None), (None, "true"), (None, "false"), ("2025-06-01", "true")])
@pytest.mark.parametrize("caller", ["a council", "twelve councils", "a large organisation", "a small organisation"])
def test_reviews_are_read_from_the_first_that_is_due(crowd, caller, days):
    council = "councils" in CALLERS[caller][1]
    name = "reviews_due_of_councils" if council else "reviews_due_of_organisation"
    plan = look(crowd, caller, name, 50, None, None, None, None, *days, role=None if council else "assessor")

    assert touched(plan) <= 51 * len(CALLERS[caller][1].get("councils", [1])) * (1 if council else 3) + 11 * 50
    index = "assessment_by_due" if council else "assessment_by_assessor_due"
    assert [node for node in plan if node.get("Index Name") == index and "ROW(due_on, id) >" in node["Index Cond"]]


@pytest.mark.parametrize("asked", list(ASKED))
@pytest.mark.parametrize("changed", [False, True], ids=["list", "changes"])
@pytest.mark.parametrize("caller", ["a large organisation", "a small organisation"])
def test_an_organisations_assessments_are_its_own_rows(crowd, caller, changed, asked):
    name = "assessments_changed_of_organisation" if changed else "assessments_of_organisation"
    arguments = [SINCE, *ASKED[asked], None, None] if changed else ASKED[asked]
    plan = look(crowd, caller, name, 50, None, *arguments, role="assessor")

    own = 11 if caller == "a small organisation" else 51 if asked == "no filter" else PEOPLE // 50
    assert touched(plan) <= 2 * own + 13 * 51


@pytest.mark.parametrize("caller", ["a council", "twelve councils", "a small organisation", "a carer"])
@pytest.mark.parametrize("name, arguments", [
    ("assessment_by_id", [ASSESSMENT]), ("assessment_read", [ASSESSMENT]), ("assessment_lock", [ASSESSMENT]),
    ("assessments_of_carer", [None, 50, None, None, None, None]), ("assessments_of_carer", [None, 50, None, SINCE, None, None])])
def test_an_assessment_is_found_by_key(crowd, somebody, caller, name, arguments):
    plan = look(crowd, caller, name, *(argument or somebody if at == 0 else argument for at, argument in enumerate(arguments)),
                carer=somebody)

    assert touched(plan) <= 14


@pytest.mark.parametrize("caller", ["a council", "twelve councils", "a small organisation"])
@pytest.mark.parametrize("name, arguments", [
    ("assessment_insert", [new_id().replace("019a", "069a"), None, "offered", '{"kind": "statutory"}']),
    ("assessment_patch", [ASSESSMENT, '{"needs": ["own_health"]}']), ("assessment_move", [ASSESSMENT, "completed", "{}"])])
def test_a_change_of_an_assessment_touches_its_carer_only(crowd, somebody, caller, name, arguments):
    if caller == "a council" and name != "assessment_insert":
        caller = "twelve councils"
    look(crowd, caller, name, *(somebody if argument is None else argument for argument in arguments), carer=somebody)


REFERRAL = "079a98d2-cd00-7000-8000-000000000001"  # the small organisation's, of somebody, to the council
SENT = {"carer_id": None, "kind": "gp", "reason": "x", "needs": ["own_health"], "current_situation": "y", "to": {"team": "t"},
        "consent": {"given": True}, "information_as_of": "2026-01-01"}


@pytest.fixture(scope="module")
def referred(crowd, somebody):
    session = Session(crowd)
    session.take_on("assessor", COUNCILS[:1], org=SMALL)
    session.execute("referral_insert", REFERRAL, json.dumps({**SENT, "carer_id": somebody}))
    crowd.commit()
    return somebody


@pytest.mark.parametrize("asked", [(None,) * 5, ("failed", None, None, None, None), (None, "gp", None, "true", None),
                                   (None, None, None, None, SINCE)], ids=str)
@pytest.mark.parametrize("caller", ["a council", "twelve councils", "a large organisation", "a small organisation", "a carer"])
def test_referrals_are_listed_in_bounded_walks(crowd, referred, caller, asked):
    councils = CALLERS[caller][1].get("councils")
    plan = (look(crowd, caller, "referrals_of_councils", 50, None, *asked) if councils else
            look(crowd, caller, "referrals_of_side", 50, None, *asked, None, carer=referred))

    walk = 51 * (len(councils) if councils else 3) if asked == (None,) * 5 else 5000 if councils else 15000
    assert touched(plan) <= walk + 10 * 50


@pytest.mark.parametrize("asked", [(None,) * 4, ("requested", None, None, None), (None, "gp", "true", SINCE)], ids=str)
@pytest.mark.parametrize("caller", ["a council", "twelve councils", "a large organisation", "a small organisation", "a carer"])
def test_referrals_of_one_carer_are_found_by_her(crowd, referred, caller, asked):
    state, kind, overdue, since = asked
    arguments = [50, None, state, kind, referred, overdue, since]
    plan = (look(crowd, caller, "referrals_of_councils", *arguments) if CALLERS[caller][1].get("councils") else
            look(crowd, caller, "referrals_of_side", *arguments, None, carer=referred))

    assert touched(plan) <= 12
    walks = [node for node in plan if node.get("Relation Name") == "referral" and node["Actual Loops"]]
    assert {node.get("Index Name") for node in walks} <= {"referral_by_carer", "referral_pkey"}


@pytest.mark.parametrize("limit", [1, 50])
def test_the_page_of_one_carers_referrals_is_whole_however_many_others_came_after(crowd, referred, limit):
    session = Session(crowd)
    session.take_on("practitioner", COUNCILS[:1])
    oldest, = session.sql("SELECT r.carer_id::text FROM referral r WHERE r.council = %s ORDER BY r.id LIMIT 1", COUNCILS[0])[0]
    page = session.body("referrals_of_councils", limit, None, None, None, oldest, None, None)
    crowd.rollback()

    assert [item["carer_id"] for item in page["items"]] == [oldest] and "next_cursor" not in page


@pytest.mark.parametrize("caller", ["a small organisation", "a council", "a carer"])
@pytest.mark.parametrize("name", ["referral_by_id", "referral_read", "referral_lock", "referral_history"])
def test_a_referral_is_found_by_key(crowd, referred, caller, name):
    assert touched(look(crowd, caller, name, REFERRAL, carer=referred)) <= 10


def test_a_change_of_a_referral_touches_its_carer_only(crowd, referred):
    session = Session(crowd)
    fresh = new_id().replace("019a", "079a")
    for name, arguments in (("referral_insert", [fresh, json.dumps({**SENT, "carer_id": referred})]),
                            ("referral_insert_onward", [fresh, REFERRAL]), ("referral_patch", [REFERRAL, json.dumps({"reason": "z"})]),
                            ("referral_move", [REFERRAL, "void", "entered_in_error", "{}"])):
        look(crowd, "a small organisation", name, *arguments)
    session.take_on("assessor", COUNCILS[:1], org=SMALL)
    session.execute("referral_patch", REFERRAL, json.dumps({"information_as_of": session.sql("SELECT today()")[0][0].isoformat()}))
    look(crowd, "a small organisation", "referral_submit", REFERRAL, "20000", "120")


def test_routes_are_few(crowd):
    look(crowd, "twelve councils", "referral_routes")
    look(crowd, "twelve councils", "referral_route_insert", json.dumps({"council": COUNCILS[0], "kind": "gp", "team": "x"}))
    look(crowd, "twelve councils", "referral_route_delete", new_id())


BREAK = "089a98d2-cd00-7000-8000-000000000001"  # somebody's, of the small organisation
SESSION = "099a98d2-cd00-7000-8000-000000000001"


@pytest.fixture(scope="module")
def given(crowd, somebody):
    """A break of somebody's that is agreed on, and a session of it."""
    session = Session(crowd)
    session.take_on("break_provider", org=SMALL)
    session.execute("break_insert", BREAK, somebody, json.dumps({"scheme": "open_breaks", "delivery": "activity", "purpose": "rest"}))
    for action, state, body in (("conversation", "conversation_held", {"held_on": "2026-01-05"}),
                                ("agree", "agreed", {"hours_per_session": 2, "frequency": "weekly", "starts_on": "2026-01-06"})):
        session.execute("break_move", BREAK, action, state, json.dumps(body))
    session.execute("session_insert", SESSION, BREAK, '{"starts_at": "2026-01-06T10:00:00Z", "ends_at": "2026-01-06T12:00:00Z"}')
    session.execute("break_move", BREAK, "start", "active", "{}")
    crowd.commit()
    return somebody


SORTS = [(None,) * 5, ("paused", None, None, None, None), (None, "open_breaks", "rest", "grant", None), (None, None, None, None, LARGE)]


@pytest.mark.parametrize("asked", SORTS, ids=str)
@pytest.mark.parametrize("changed", [False, True], ids=["list", "changes"])
@pytest.mark.parametrize("caller", ["a council", "twelve councils", "a large organisation", "a small organisation"])
@pytest.mark.parametrize("giver", [False, True], ids=["arranger", "provider"])
def test_breaks_are_listed_in_bounded_walks(crowd, given, caller, changed, asked, giver):
    councils = CALLERS[caller][1].get("councils")
    name = (("breaks_of_councils", "breaks_changed_of_councils") if councils else
            ("breaks_of_organisation", "breaks_changed_of_organisation"))[changed]
    plan = look(crowd, caller, name, 50, None, *([SINCE] if changed else []), *asked, role="break_provider" if giver and not councils else None)

    walk = 51 * (len(councils) if councils else 1) if asked == (None,) * 5 else 5000
    assert touched(plan) <= 2 * walk + 12 * 51
    assert [n for n in plan if n.get("Index Name", "").startswith("break_by_") and "Index Cond" in n]


@pytest.mark.parametrize("caller", ["a council", "a small organisation", "a carer"])
@pytest.mark.parametrize("name, arguments", [
    ("break_by_id", [BREAK]), ("break_read", [BREAK]), ("break_history", [BREAK]), ("breaks_of_carer", [None, 50, None, None, None]),
    ("breaks_of_carer", [None, 50, None, SINCE, None]), ("session_by_id", [BREAK, SESSION]), ("session_read", [BREAK, SESSION]),
    ("session_delivered", [BREAK, SESSION]), ("sessions_of_break", [BREAK, 50, None, None, None, None]),
    ("sessions_of_break", [BREAK, 50, None, SINCE, None, None]), ("series_made", [BREAK, SESSION, "{}"]),
    ("series_planned", [BREAK, "{20000,20007}", "10:00", "12:00", "{}"])])
def test_a_break_and_its_sessions_are_found_by_key(crowd, given, caller, name, arguments):
    role = "break_provider" if caller == "a small organisation" else None
    plan = look(crowd, caller, name, *(argument or given if at == 0 else argument for at, argument in enumerate(arguments)), carer=given, role=role)

    assert touched(plan) <= 16


@pytest.mark.parametrize("name, arguments", [
    ("break_insert", [new_id().replace("019a", "089a"), None, '{"scheme": "open_breaks", "delivery": "grant", "purpose": "rest"}']),
    ("break_lock", [BREAK]), ("break_hold", [BREAK]), ("break_patch", [BREAK, '{"agreement": {"frequency": "monthly"}}']),
    ("break_move", [BREAK, "end", "ended", '{"reason": "x"}']), ("session_patch", [BREAK, SESSION, '{"note": "x"}']),
    ("session_insert", [new_id().replace("019a", "099a"), BREAK, '{"starts_at": "2026-02-06T10:00:00Z", "ends_at": "2026-02-06T12:00:00Z"}']),
    ("session_deliver", [BREAK, SESSION, '{"delivered_by": "paid"}']), ("session_cancel", [BREAK, SESSION, '{"side": "carer", "reason": "x"}']),
    ("series_begin", [BREAK, "2026-02-01"]),
    ("series_insert", [new_id().replace("019a", "099a"), BREAK, "{20600,20607}", "10:00", "12:00", None])])
def test_a_change_of_a_break_touches_its_carer_only(crowd, given, name, arguments):
    look(crowd, "a small organisation", name, *(given if argument is None and at == 1 else argument for at, argument in enumerate(arguments)),
         role="break_provider")


def test_schemes_are_few(crowd):
    look(crowd, "twelve councils", "break_schemes_of", COUNCILS[0])
    look(crowd, "twelve councils", "break_scheme_put", COUNCILS[0], "own", '{"title": "x", "requires_statutory_assessment": true}')
    look(crowd, "twelve councils", "break_scheme_now", COUNCILS[0], "own")


REVIEWED = "018bcfe5-dd30-7000-8000-000000000001"  # the first of the crowd, with forty reviews


@pytest.mark.parametrize("caller", ["twelve councils", "a large organisation", "a carer"])
def test_outcomes_are_her_own_results(crowd, caller):
    plan = look(crowd, caller, "outcomes_of_carer", REVIEWED, carer=REVIEWED, role="assessor" if "org" in CALLERS[caller][1] else None)

    assert 100 < touched(plan) <= 2000


@pytest.mark.parametrize("caller", ["a council", "twelve councils", "a small organisation", "a carer"])
@pytest.mark.parametrize("name, arguments", [
    ("swemwbs_read", []), ("swemwbs_by_assessment", []), ("ratings_read", ["carers_star"]), ("ratings_by_assessment", ["carers_star"]),
    ("i_statements_read", []), ("i_statements_by_assessment", []), ("eligibility_read", []), ("eligibility_by_assessment", [])])
def test_a_result_is_found_by_its_assessment(crowd, somebody, caller, name, arguments):
    assert touched(look(crowd, caller, name, ASSESSMENT, *arguments, carer=somebody)) <= 10


def test_a_decision_and_a_definition_are_written_by_key(crowd, somebody):
    session, one = Session(crowd), new_id().replace("019a", "069a")
    session.take_on("practitioner", COUNCILS[:1])
    session.execute("assessment_insert", one, somebody, "offered", '{"kind": "statutory"}')
    for state in ("scheduled", "in_progress"):
        session.execute("assessment_move", one, state, '{"scheduled_for": "2026-01-01T10:00:00Z"}')
    look(crowd, "twelve councils", "eligibility_put", one, json.dumps({
        "decided_on": "2026-01-01", "necessary_care": False, "circumstances": [], "significant_impact": False,
        "decision": "not_eligible", "reasons": "x"}))
    definition = {"scale_min": 1, "scale_max": 5, "step": 1, "areas": [{"key": "health", "order": 1}]}
    look(crowd, "twelve councils", "instrument_put", COUNCILS[0], "own", json.dumps(definition))


@pytest.mark.parametrize("caller", ["twelve councils", "a small organisation"])
@pytest.mark.parametrize("name, arguments", [
    ("swemwbs_put", ["2024-01-01", '{"optimism": 1}', "false", None, None, None]),
    ("ratings_put", ["carers_star", '{"completed_on": "2024-01-01", "ratings": [{"area": "health", "rating": 1}]}']),
    ("i_statements_put", ['{"completed_on": "2024-01-01", "statements": [{"text": "x", "status": "met"}]}'])])
def test_a_result_is_written_by_key(crowd, somebody, caller, name, arguments):
    look(crowd, caller, name, ASSESSMENT, *arguments, carer=somebody)


def test_instruments_and_bank_holidays_are_few(crowd):
    look(crowd, "twelve councils", "i_statement_put", COUNCILS[0], "own", json.dumps({"theme": "x", "wording": "I x.", "source": "y"}))
    for name, arguments in (("i_statement_by_code", [None, "listened_to"]), ("i_statement_now", [COUNCILS[0], "own"]), ("bank_holidays_read", []), ("bank_holidays_put", ['{"days": []}']),
                            ("instruments_of", [COUNCILS[0]]), ("instrument_by_key", [COUNCILS[0], "carers_star", None]),
                            ("instrument_now", [COUNCILS[0], "own"]), ("i_statements_of", [None])):
        look(crowd, "twelve councils", name, *arguments, if_match="*")


def test_contracts_are_few(crowd):
    body = {"council": COUNCILS[0], "provider_organisation_id": LARGE, "starts_on": "2024-04-01", "ends_on": "2025-03-31", "hours": 100}
    look(crowd, "twelve councils", "break_contract_insert", new_id(), json.dumps(body))  # counts what was delivered in that year
    for name, arguments in (("break_contract_by_id", [new_id()]), ("break_contracts", [50, None, None, None, None, None])):
        assert touched(look(crowd, "twelve councils", name, *arguments)) == 0


AWARD = "089a98d2-cd00-7000-8000-000000000001"  # somebody's


class TestFunding:
    """Awards of one carer, and sums of a council's year."""

    @pytest.fixture(scope="class")
    def award(self, cluster, crowd, somebody):
        """Of somebody, who was found eligible for it, and has forty others."""
        cluster.sql(f"""
            SET session_replication_role = replica;
            INSERT INTO assessment (id, carer_id, council, kind, state, assessor_type, completed_on)
            VALUES ('{AWARD}', '{somebody}', '{COUNCILS[0]}', 'statutory', 'completed', 'council', '2024-02-01');
            INSERT INTO assessment_eligibility (assessment_id, carer_id, council, decided_on, necessary_care, circumstances,
                                                significant_impact, decision, reasons)
            VALUES ('{AWARD}', '{somebody}', '{COUNCILS[0]}', '2024-02-01', true, '["recreation"]', true, 'eligible', 'x');
            INSERT INTO funding_award (id, carer_id, council, scheme, scheme_id, level, amount_pence, purpose, financial_year, applied_on)
            SELECT overlay('{AWARD}' PLACING lpad(n::text, 12, '0') FROM 25)::uuid, '{somebody}', '{COUNCILS[0]}', s.key, s.id, 'low', 100,
                   'rest', financial_year(today()), today()
              FROM funding_scheme s, generate_series(1, 41) AS n WHERE s.key = 'carers_personal_budget'""", database=crowd.info.dbname)
        return AWARD

    @pytest.mark.parametrize("caller", ["a council", "twelve councils", "a small organisation", "a carer"])
    @pytest.mark.parametrize("name, arguments", [
        ("funding_award_by_id", [AWARD, "true"]), ("funding_award_read", [AWARD, "true"]), ("funding_award_check", [AWARD]),
        ("funding_of_carer", [None]), ("funding_awards_of_carer", [None, 50, None, None, None, None, None, "true"]),
        ("funding_awards_of_carer", [None, 50, None, SINCE, "applied", None, None, "false"])])
    def test_awards_are_found_by_their_carer(self, crowd, somebody, award, caller, name, arguments):
        plan = look(crowd, caller, name, *(argument or somebody if at == 0 else argument for at, argument in enumerate(arguments)),
                    carer=somebody)
        assert touched(plan) <= 4 * 42 + 10

    @pytest.mark.parametrize("state", [None, "applied"])
    @pytest.mark.parametrize("caller", ["a council", "twelve councils"])
    def test_a_councils_awards_are_read_in_short_walks(self, crowd, award, caller, state):
        walks = 51 * len(CALLERS[caller][1]["councils"]) * (1 if state else 4)
        for name, arguments in (("funding_awards_of_councils", [50, None, None, state, "true"]),
                                ("funding_awards_changed_of_councils", [50, None, SINCE, None, state, "true"])):
            assert touched(look(crowd, caller, name, *arguments)) <= walks + 4 * 51, name

    @pytest.mark.parametrize("name, arguments", [
        ("funding_award_lock", [AWARD]), ("funding_award_move", [AWARD, "approve", "approved", "{}"]),
        ("funding_award_move", [AWARD, "refuse", "refused", '{"reason": "x"}'])])
    def test_a_decision_touches_its_carer_only(self, crowd, somebody, award, name, arguments):
        look(crowd, "twelve councils", name, *arguments)

    @pytest.mark.parametrize("caller", ["twelve councils", "a small organisation", "a carer"])
    def test_an_application_touches_its_carer_only(self, crowd, somebody, award, caller):
        look(crowd, caller, "funding_award_insert", new_id().replace("019a", "089b"), somebody, json.dumps(
            {"scheme": "carers_personal_budget", "level": "low", "amount_pence": 100, "purpose": "rest"}), carer=somebody)

    @pytest.mark.parametrize("role", ["commissioner", "council_admin"])
    def test_a_report_reads_one_year_of_its_council(self, crowd, award, role):
        look(crowd, "", "funding_report", COUNCILS[0], "2025-26", role=role, councils=COUNCILS)

    def test_schemes_are_few(self, crowd):
        body = {"label": "x", "effective_from": "2999-01-01", "eligibility": "any", "levels": []}
        for name, arguments in (("funding_schemes_of", [None, None]), ("funding_scheme_by_key", [None, "flexible_breaks_fund", None, None]),
                                ("funding_scheme_put", [COUNCILS[0], "own", json.dumps(body)]), ("funding_scheme_now", [COUNCILS[0], "own"])):
            look(crowd, "twelve councils", name, *arguments)


def test_a_councils_settings_are_one_row(crowd):
    look(crowd, "twelve councils", "council_settings_begin", COUNCILS[0])
    for name, arguments in (("council_settings_read", []), ("council_settings_patch", ['{"review_interval_months": 6}'])):
        look(crowd, "twelve councils", name, COUNCILS[0], *arguments)


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


AUDIT = {
    "no filter": {}, "the carer alone or first": {"carer": 7919}, "a carer in lists": {"carer": 7925}, "an actor": {"actor": "staff-7"},
    "an actor who does a seventh of everything": {"actor": "nightly-import"}, "a rare action": {"action": "closeCarer"},
    "changes": {"kind": "change"}, "a carer's changes": {"carer": 7919, "kind": "change"},
}


def crowd_id(number):
    return f"{1_700_000_000_000 + number * 30_000:012x}70008000{number:012x}"


@pytest.mark.parametrize("span", ["ever", "later page", "ten days"])
@pytest.mark.parametrize("asked", list(AUDIT))
@pytest.mark.parametrize("caller", ["a council", "twelve councils"])
def test_the_trail_of_two_years_is_read_by_index_and_not_beyond_the_page(crowd, caller, asked, span):
    claims = CALLERS[caller][1]
    session = Session(crowd)
    session.sql("SELECT pg_stat_force_next_flush()")
    crowd.commit()
    session.take_on("council_admin", **claims)
    filters = {**AUDIT[asked]}
    cursor, since, until = session.sql("SELECT CASE %s WHEN 'later page' THEN audit_cursor(now() - interval '9 months', 5) END,"
                                       " CASE %s WHEN 'ten days' THEN now() - interval '200 days' END,"
                                       " CASE %s WHEN 'ten days' THEN now() - interval '190 days' END", span, span, span)[0]
    try:
        session.execute("audit_list", 50, cursor, filters.get("carer") and crowd_id(filters["carer"]), filters.get("actor"),
                        filters.get("action"), None, filters.get("kind"), since, until)
        session.sql("SELECT set_config('role', 'none', true)")
        read = session.sql("SELECT relname, coalesce(seq_tup_read, 0), coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables"
                           " WHERE relname LIKE 'audit_entry%%' AND seq_scan + idx_scan > 0", None)
    finally:
        crowd.rollback()

    councils = len(claims["councils"])
    walk = 52 * councils if not filters else 52 * 13 if filters.keys() <= {"actor", "carer"} else 5_000 + councils
    assert sum(rows for _, rows, _ in read) == 0, read
    assert sum(rows for _, _, rows in read) <= walk, read
    if span == "ten days":
        assert len(read) <= 2, read  # no other month was looked into


def test_making_the_months_looks_at_no_row(crowd):
    session = Session(crowd)
    session.sql("SELECT pg_stat_force_next_flush()")
    crowd.commit()
    assert session.execute("audit_prepare", 3) == [(0,)]
    assert session.sql("SELECT relname FROM pg_stat_xact_user_tables WHERE relname LIKE 'audit%%' AND seq_scan + idx_scan > 0",
                       None) == []
    crowd.rollback()


@pytest.fixture(scope="module")
def summed(cluster, crowd):
    """Sums of three years, twenty providers and nine measures in each council."""
    cluster.sql("INSERT INTO wellbeing_sum SELECT 'E09' || lpad(c::text, 6, '0'), 'rating', 'gtmool', a::text, m + make_interval(months => u), m,"
                " CASE WHEN p > 0 THEN ('00000000-0000-7000-9000-' || lpad(p::text, 12, '0'))::uuid END, 2, 1.5, 1, 1, 0, 0, 0, 0, 0, 0, 0"
                "  FROM generate_series(1, 12) AS c, generate_series(0, 20) AS p, generate_series(1, 9) AS a, generate_series(0, 5) AS u,"
                "       generate_series(timestamp '2025-01-01', '2026-10-01', '1 month') AS m; ANALYZE wellbeing_sum",
                user="carers_owner", database=crowd.info.dbname)


@pytest.fixture(scope="module")
def delivered(cluster, crowd):
    """Sums of breaks of three years, twenty providers, six purposes and two deliveries in each council."""
    cluster.sql("INSERT INTO break_sum SELECT 'E09' || lpad(c::text, 6, '0'), m, m - interval '1 month',"
                " ('00000000-0000-7000-9000-' || lpad(p::text, 12, '0'))::uuid, u::text, d::text, 'weekly', 2, 8, 24, 0, 0, 0, 0"
                "  FROM generate_series(1, 12) AS c, generate_series(1, 20) AS p, generate_series(1, 6) AS u, generate_series(1, 2) AS d,"
                "       generate_series(timestamp '2024-01-01', '2026-10-01', '1 month') AS m; ANALYZE break_sum",
                user="carers_owner", database=crowd.info.dbname)


@pytest.mark.parametrize("role", ["commissioner", "council_admin"])
def test_a_report_on_breaks_reads_its_months_of_its_council(crowd, delivered, role):
    plan = look(crowd, "", "breaks_report", COUNCILS[0], "2026-04-01", "2026-09-30", role=role, councils=COUNCILS)

    assert 0 < touched(plan) <= 6 * 20 * 6 * 2


@pytest.mark.parametrize("role", ["commissioner", "council_admin"])
def test_a_report_reads_one_month_of_its_council(crowd, summed, role):
    plan = look(crowd, "", "wellbeing_report", COUNCILS[0], "2026-04-01", "2026-09-30", role=role, councils=COUNCILS)

    assert 0 < touched(plan) <= 6 * 21 * 9


class TestWebhooks:
    """Three hundred webhooks, one of which has 20,000 deliveries that are over, 5,000 that wait, and what came of each."""

    HOOK = "049a98d2-cd00-7000-a000-000000000001"  # of the large organisation

    @pytest.fixture(scope="class")
    def delivery(self, cluster, crowd):
        """The id of one that was delivered."""
        cluster.sql(f"""
            SET session_replication_role = replica;
            INSERT INTO webhook (id, council, organisation_id, role, url)
            SELECT ('049a98d2-cd00-7000-a000-' || lpad(g::text, 12, '0'))::uuid,
                   CASE WHEN g > 20 THEN 'E09' || lpad((1 + g % 12)::text, 6, '0') END, CASE WHEN g <= 20 THEN '{LARGE}'::uuid END,
                   'support_worker', 'https://a.example/' FROM generate_series(1, 300) AS g;
            INSERT INTO webhook_secret (webhook_id) SELECT id FROM webhook;
            INSERT INTO webhook_delivery (id, webhook_id, message_id, queue, kind, body, state, due_at, created_at, ended_at)
            SELECT uuid7(now() - g * interval '1 minute'), ('049a98d2-cd00-7000-a000-' || lpad((1 + g % 2 * (g % 300))::text, 12, '0'))::uuid,
                   uuid7(now()), ('049a98d2-cd00-7000-b000-' || lpad((g / 5)::text, 12, '0'))::uuid, 'referral.accepted', '{{}}',
                   CASE WHEN g > 5000 THEN 'delivered' ELSE 'pending' END, CASE WHEN g % 5 = 0 THEN now() ELSE 'infinity' END,
                   now() - g * interval '1 minute', CASE WHEN g > 5000 THEN now() END FROM generate_series(1, 40000) AS g;
            INSERT INTO webhook_attempt (delivery_id, number, took_ms, outcome, status) SELECT id, 1, 5, 'delivered', 204 FROM webhook_delivery;
            ANALYZE webhook, webhook_delivery, webhook_attempt, webhook_secret""", database=crowd.info.dbname)
        return cluster.sql(f"SELECT id FROM webhook_delivery WHERE webhook_id = '{self.HOOK}' AND state = 'delivered' ORDER BY id DESC"
                           " LIMIT 1", database=crowd.info.dbname)[0][0]

    def look(self, crowd, name, *arguments):
        return look(crowd, "a large organisation", name, *arguments)

    def test_webhooks_are_found_by_key_and_listed_by_owner(self, crowd, delivery):
        for name in ("webhook_by_id", "webhook_with_secret", "webhook_delete"):
            assert touched(self.look(crowd, name, self.HOOK)) <= 3
        assert touched(self.look(crowd, "webhooks_page", 50, None)) <= 60
        assert touched(look(crowd, "twelve councils", "webhooks_page", 50, None)) <= 400

    def test_a_change_touches_its_webhook_only(self, crowd, delivery):
        self.look(crowd, "webhook_patch", self.HOOK, '{"description": "x"}')
        self.look(crowd, "webhook_move", self.HOOK, "paused")
        self.look(crowd, "webhook_rotate", self.HOOK)
        self.look(crowd, "webhook_ping", self.HOOK)
        look(crowd, "a small organisation", "webhook_insert", new_id(), '{"url": "https://a.example/"}', role="referrer")

    @pytest.mark.parametrize("state", [None, "failed"])
    def test_deliveries_are_listed_in_a_bounded_walk(self, crowd, delivery, state):
        plan = self.look(crowd, "webhook_deliveries", self.HOOK, 50, None, state)
        assert touched(plan) <= (3 * 51 if state is None else 5000) * 2 + 10  # the policy looks at the webhook

    def test_a_replay_touches_what_is_replayed(self, crowd, delivery):
        assert touched(self.look(crowd, "webhook_delivery_lock", self.HOOK, delivery)) <= 3
        assert touched(self.look(crowd, "webhook_delivery_by_id", delivery)) <= 3
        self.look(crowd, "webhook_delivery_replay", delivery)
        self.look(crowd, "webhook_replay", self.HOOK, '{"since": "2026-01-01T00:00:00Z", "state": "failed"}')

    def test_the_dispatcher_looks_at_what_is_due_and_at_the_first_of_each_queue(self, crowd, delivery):
        session = Session(crowd)
        session.sql("SELECT pg_stat_force_next_flush()")
        crowd.commit()
        claimed = session.execute("webhook_claim", 256, 4, 1000)
        assert len(claimed) > 100 and len([1 for row in claimed if row[3] == "https://a.example/"]) == len(claimed)
        session.execute("webhook_finish", claimed[0][0], claimed[0][1], "delivered", 204, 5, 0, 86400)
        session.execute("webhook_finish", claimed[1][0], claimed[1][1], "status", 500, 5, 5000, 86400)
        walked = session.sql("SELECT relname, seq_tup_read, coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname LIKE 'webhook%%'",
                             None)
        crowd.rollback()
        assert {name for name, rows, _ in walked if rows} <= {"webhook", "webhook_secret"}  # few
        assert {name: rows for name, _, rows in walked}["webhook_delivery"] <= 4 * len(claimed) + 10

    def test_the_sweep_goes_by_age(self, crowd, delivery):
        session = Session(crowd)
        session.sql("SELECT pg_stat_force_next_flush()")
        crowd.commit()
        assert session.execute("webhook_sweep", 20) == [(2000,)]
        assert {name for (name,) in session.sql("SELECT relname FROM pg_stat_xact_user_tables WHERE seq_tup_read > 0")} == set()
        crowd.rollback()


@pytest.mark.parametrize("role", ["commissioner", "council_admin"])
def test_the_report_of_referrals_reads_its_period_by_index(crowd, role):
    look(crowd, "", "referral_report", COUNCILS[0], "2026-04-01", "2026-09-30", role=role, councils=COUNCILS)


def test_every_query_of_persons_was_looked_at():
    text = pathlib.Path(__file__).read_text(encoding="utf-8")
    assert [name for name in QUERIES if name not in ("me", "demo_wanted") and f'"{name}"' not in text] == []


SERVICE, LISTED = "00000000-0000-7000-a000-000000000011", "00000000-0000-7000-b000-000000000012"
EDITORS = {"an editor": ("directory_editor", {"councils": COUNCILS[:1]}), "editors of twelve": ("directory_editor", {"councils": COUNCILS}),
           "an administrator": ("council_admin", {"councils": COUNCILS}), "a listed organisation": ("vcfse_editor", {"org": LISTED}),
           "the public": ("", {})}


class TestDirectory:
    """6,000 entries: what is asked decides how many of them are touched."""

    @pytest.fixture(autouse=True)
    def callers(self, monkeypatch):
        for name, caller in EDITORS.items():
            monkeypatch.setitem(CALLERS, name, caller)

    @pytest.mark.parametrize("asked, most", [
        ({"q": "transport", "support_area": ["transport"], "lat": 51.5, "lon": -1.5, "within_metres": 5000}, 300),
        ({"q": "aalan"}, 300), ({"q": "aalen"}, 800), ({"q": "carers"}, 3400), ({"q": "nobody"}, 300), ({"q": "qqqqqq"}, 300), ({}, 3400),
        ({"postcode": "ZZ1 0AA", "within_metres": 1000}, 300), ({"area": "Town 7", "facets": ["support_area", "area"]}, 600),
        ({"support_area": ["meals", "transport"], "day": "MO", "from": "09:00", "to": "10:00"}, 4000), ({"organisation_id": LISTED}, 200)], ids=str)
    @pytest.mark.parametrize("caller", ["the public", "a council", "an editor", "a listed organisation", "a large organisation", "a carer"])
    def test_a_search_is_one_walk_over_one_index(self, crowd, somebody, caller, asked, most):
        plan = look(crowd, caller, "services_search", json.dumps(asked), carer=somebody)

        walks = [node for node in plan if node.get("Index Name") == "directory_found_terms"]
        assert len(walks) == 3 and all("terms @@" in node["Index Cond"] for node in walks)
        assert touched([node for node in plan if "Bitmap Index" not in node["Node Type"]]) <= most

    @pytest.mark.parametrize("asked", [(None, None, None, None), (None, "stale", None, None), (None, "fresh", None, None), ("draft", None, None, None),
                                       (None, None, LISTED, None), (None, "due", None, "true")], ids=str)
    @pytest.mark.parametrize("caller", ["an editor", "editors of twelve", "an administrator"])
    def test_the_work_list_walks_along_the_days(self, crowd, caller, asked):
        plan = look(crowd, caller, "entries_of_councils", 50, None, *asked)

        walks = [node for node in plan if node.get("Index Name") == "service_by_assurance"]
        assert walks and all("council =" in node["Index Cond"] for node in walks)
        assert touched(plan) <= (51 * 12 if asked[0] is None and asked[2:] == (None, None) else 6000) + 200

    def test_an_organisations_own_entries_are_its_rows(self, crowd):
        assert touched(look(crowd, "a listed organisation", "entries_of_organisation", 50, None, None, None)) <= 60

    @pytest.mark.parametrize("asked", [(None, None, None), (COUNCILS[3], None, None), (None, "faith", None), (None, None, "trust 7")], ids=str)
    @pytest.mark.parametrize("caller", ["the public", "editors of twelve", "a listed organisation", "a carer"])
    def test_organisations_are_listed_in_short_walks(self, crowd, somebody, caller, asked):
        look(crowd, caller, "listed_organisations", 50, None, *asked, carer=somebody)

    @pytest.mark.parametrize("name, arguments", [
        ("service_by_id", [SERVICE]), ("listed_by_id", [LISTED]), ("taxonomy_terms", [None]), ("directory_events", [50, *[None] * 8]),
        ("directory_events", [50, None, None, "Town 1", *[None] * 5]), ("leaflets", [50, *[None] * 6]), ("leaflets", [50, None, COUNCILS[1], *[None] * 4]),
        ("directory_event_by_id", [SERVICE]), ("leaflet_by_id", [SERVICE]),
        ("leaflet_file", [SERVICE]), ("leaflet_file_pieces", [SERVICE])])
    @pytest.mark.parametrize("caller", ["the public", "a council", "an editor", "a listed organisation", "a large organisation", "a carer"])
    def test_what_everybody_reads_is_found_by_key_or_in_short_walks(self, crowd, somebody, caller, name, arguments):
        assert touched(look(crowd, caller, name, *arguments, carer=somebody)) <= 2300

    @pytest.mark.parametrize("name, arguments", [("proposals", [50, None, None, None]), ("proposals", [50, None, "open", SERVICE]), ("proposal_by_id", [SERVICE]),
                                                 ("champions", [50, None, "Team 7", "true"]), ("champion_by_id", [SERVICE]), ("directory_quality", []),
                                                 ("unmet_needs", [None, None])])
    @pytest.mark.parametrize("caller", ["an editor", "editors of twelve", "an administrator"])
    def test_what_editors_read_is_found_by_key_or_in_short_walks(self, crowd, caller, name, arguments):
        look(crowd, caller, name, *arguments)

    @pytest.mark.parametrize("kind, page", [("service", 1), ("service", 57), ("service", 114), ("service_at_location", 60), ("organization", 9),
                                            ("taxonomy_term", 1)])
    def test_a_page_of_the_feed_costs_the_same_wherever_it_lies(self, crowd, kind, page):
        look(crowd, "the public", "oruk_page", kind, page, 50, "{}")

    @pytest.mark.parametrize("after", [None, 3000])
    @pytest.mark.parametrize("name", ["directory_ndjson", "directory_csv"])
    def test_an_export_goes_on_where_it_was(self, crowd, name, after):
        assert touched(look(crowd, "the public", name, 100, after)) <= 100 * 12

    @pytest.mark.parametrize("kind", ["service", "service_at_location"])
    @pytest.mark.parametrize("filters", [{"search": "aalan"}, {"day": "MO"}, {"organization_id": LISTED}, {"postcode": "ZZ1 0AA"},
                                         {"postcode": "ZZ1 0AA", "proximity": "1000"}, {"taxonomy_term_id": SERVICE}], ids=str)
    def test_filters_of_the_feed_are_one_walk_over_one_index(self, crowd, kind, filters):
        look(crowd, "the public", "oruk_page", kind, 1, 50, json.dumps(filters))

    @pytest.mark.parametrize("kind, ident", [("service", SERVICE), ("organization", LISTED), ("service_at_location", SERVICE), ("taxonomy", SERVICE),
                                             ("taxonomy_term", SERVICE)])
    def test_a_document_of_the_feed_is_found_by_key(self, crowd, kind, ident):
        look(crowd, "the public", "oruk_item", kind, ident)

    @pytest.mark.parametrize("name, arguments", [("imports", [50, None]), ("import_by_id", [SERVICE]),
                                                 ("import_insert", [SERVICE, '{"source": "x", "format": "csv", "content": "y"}'])])
    @pytest.mark.parametrize("caller", ["an editor", "editors of twelve", "an administrator"])
    def test_imports_are_found_by_council_and_by_key(self, crowd, caller, name, arguments):
        look(crowd, caller, name, *arguments)

    def test_an_import_is_taken_and_done_by_key(self, crowd):
        """As the service itself; import_step() calls import_batch(), what it writes is looked up by its key."""
        session, ident = Session(crowd), new_id()
        session.sql("SELECT pg_stat_force_next_flush()")
        crowd.commit()
        session.take_on("directory_editor", COUNCILS[:1])
        session.execute("import_insert", ident, '{"source": "x", "format": "csv", "content": "y"}')
        session.sql("SELECT set_config('role', 'none', true)")
        assert str(session.execute("import_take")[0][0]) == ident
        session.execute("import_step", ident, 1, "[]", "[]", 0, 0)
        session.execute("import_end", ident, None)
        walked = dict(session.sql("SELECT relname, seq_tup_read FROM pg_stat_xact_user_tables WHERE seq_tup_read > 0"))
        crowd.rollback()
        assert set(walked) <= FEW, walked

    def test_every_statement_of_a_batch_finds_what_it_is_about_by_key(self, cluster, crowd):
        """The command's, as the owner, whom no policy keeps from anything; what its functions do is told by auto_explain."""
        def batch(words, first):
            return json.dumps([{"line": n, "kind": "service", "hours": None, "schedule": None, "document": {
                "external_id": str(n), "name": f"{words} {n}", "description": "Words", "support_areas": ["transport"], "areas_served": ["Town 3"],
                "locations": [{"kind": "physical", "postcode": "ZZ1 0AA"}], "organization": {"name": f"Halls {n % 7}"}}} for n in range(first, first + 10)])
        with nested_plans(cluster, crowd) as (session, plans):
            for words, first, done in (("New", 0, (10, 0)), ("Other", 0, (0, 10)), ("Third", 5, (5, 5)), ("Third", 5, (0, 0))):
                plans.clear()
                said = session.execute("import_batch", "plans", COUNCILS[0], batch(words, first))[0][0]
                assert (said["added"], said["changed"], said["faults"]) == (*done, [])
                found = [node for plan in told(plans) for node in nodes(plan)]
                scans = {node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan"} - FEW
                assert len(found) > 5 and scans == set()
                assert touched(found) <= 10 * 200, f"{words}: {touched(found)} rows"
                looked = {node.get("Index Name") for node in found}
                assert "directory_external_id_pkey" in looked and ("service_pkey" in looked or done == (0, 0)), looked

    def test_a_round_of_hours_walks_along_its_own_index(self, cluster, crowd):
        with nested_plans(cluster, crowd) as (session, plans):
            session.sql("SET LOCAL session_replication_role = replica")
            rule = [{"freq": "MONTHLY", "byday": "1TU"}]
            changed = session.sql("UPDATE service SET schedule = %s, weekly = '{}' WHERE id IN (SELECT s.id FROM service s WHERE s.state = 'published' LIMIT 10) RETURNING id",
                                  json.dumps(rule))
            session.sql("SET LOCAL session_replication_role = origin")
            session.sql("SELECT set_config('app.operation', 'renew-hours', true)")
            plans.clear()
            page = session.execute("hours_page")
            assert {ident for ident, _ in page} == {ident for ident, in changed}
            items = [{"id": ident, "schedule": rule, "hours": {"weekly": "{}", "dated": [[30000, 600, 660]]}} for ident, _ in page]
            assert session.execute("hours_renew", json.dumps(items)) == [(10,)]
            found = [node for plan in told(plans) for node in nodes(plan)]
            assert {node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan"} <= FEW | {"hours_round"}
            assert {"service_by_hours", "service_pkey", "directory_found_pkey"} <= {node.get("Index Name") for node in found}

    def test_a_change_touches_its_entry_only(self, crowd):
        one = SERVICE.replace("a000", "a001")
        body = json.dumps({"organisation_id": LISTED, "council": COUNCILS[0], "name": "New", "description": "Words", "support_areas": ["transport"],
                           "locations": [{"kind": "physical", "postcode": "ZZ1 0AA"}]})
        look(crowd, "editors of twelve", "service_insert", one, body, '{"weekly": "{[1,2)}", "dated": [[20000, 1, 2]]}')
        look(crowd, "editors of twelve", "service_patch", SERVICE, '{"name": "Other words", "areas_served": ["Town 3"]}', None)
        look(crowd, "editors of twelve", "service_move", SERVICE, "assure", None, None)
        look(crowd, "editors of twelve", "service_move", SERVICE, "archive", "archived", "x")
        look(crowd, "editors of twelve", "listed_insert", one, json.dumps({"council": COUNCILS[0], "name": "New", "type": "faith", "description": "x"}))
        look(crowd, "editors of twelve", "listed_patch", LISTED, '{"name": "Another"}')
        look(crowd, "a listed organisation", "proposal_of_service", one, SERVICE, '{"capacity": "no"}', None)
        look(crowd, "a listed organisation", "proposal_of_organisation", one, LISTED, '{"name": "Another"}')
        look(crowd, "editors of twelve", "link_make", SERVICE, 14)

    def test_a_decision_and_an_answer_touch_their_entry_only(self, crowd):
        session, one = Session(crowd), SERVICE.replace("a000", "a002")
        session.take_on("vcfse_editor", org=LISTED)
        session.execute("proposal_of_service", one, SERVICE, '{"capacity": "no"}', None)
        look(crowd, "editors of twelve", "proposal_decide", one, "approved", None)
        session.take_on("directory_editor", COUNCILS)
        token = json.loads(session.execute("link_make", SERVICE, 14)[0][0])["token"]
        crowd.commit()
        look(crowd, "the public", "link_read", token)
        look(crowd, "the public", "link_answer", token, "{}", None, one)

    def test_events_leaflets_and_champions_are_changed_by_key(self, crowd):
        one, session = SERVICE.replace("a000", "a003"), Session(crowd)
        for name, body in (("directory_event_insert", {"title": "x", "starts_at": "2027-01-01T10:00:00Z", "ends_at": "2027-01-01T12:00:00Z"}),
                           ("leaflet_insert", {"title": "x", "link": "https://example.org"}), ("champion_insert", {"team": "x", "name": "y"})):
            look(crowd, "an editor", name, one, json.dumps(body))
            session.take_on("directory_editor", COUNCILS[:1])
            session.execute(name, one, json.dumps(body))
            crowd.commit()
        for name, patch in (("directory_event_patch", {"title": "y"}), ("leaflet_patch", {"title": "y"}), ("champion_patch", {"team": "y"})):
            look(crowd, "an editor", name, one, json.dumps(patch))
        look(crowd, "an editor", "directory_event_cancel", one, "x")
        for name, arguments in (("leaflet_file_put", [b"%PDF"]), ("leaflet_file_delete", []), ("leaflet_archive", [])):
            look(crowd, "an editor", name, one, *arguments)
