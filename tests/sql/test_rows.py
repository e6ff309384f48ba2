"""Who sees which rows of which table: every role, every table, asked in SQL as the service's role."""
import uuid

import psycopg2
import pytest
from support.sql import CLASSES, ESSEX, ISLINGTON

ROLES = [role for role in CLASSES if role]
COUNCIL = ["council_admin", "practitioner"]
PARTNER = ["assessor", "support_worker", "hospital_in_reach", "break_provider"]
DESK = ["commissioner", "directory_editor", "referrer", "vcfse_editor"]
PERSONAL = ["carer", "carer_view", "carer_access", "carer_external_ref", "carer_triage", "consent", "passport",
            "carer_demographics", "carer_demographics_view", "assessment", "assessment_view", "event",
            "assessment_swemwbs", "assessment_ratings", "assessment_i_statements", "assessment_eligibility", "wellbeing_part",
            "carer_break", "break_history", "break_session", "funding_award", "funding_year"]
TABLES = PERSONAL + ["organisation", "audit_entry", "idempotency", "council_settings", "carer_term", "name_near", "instrument", "i_statement",
                     "bank_holiday", "bank_holidays_edition", "wellbeing_sum", "break_scheme", "break_sum", "break_contract",
                     "funding_scheme", "taxonomy_term", "taxonomy_phrase", "service", "postcode", "directory_external_id",
                     "directory_found", "directory_place", "directory_word", "directory_near", "unmet_search", "oruk_entry",
                     "oruk_feed", "oruk_vocabulary", "directory_import", "postcode_load",
                     "directory_proposal", "directory_link", "directory_tally", "directory_event", "leaflet", "leaflet_file", "champion",
                     "hours_round"]


class World:
    """Two councils, an organisation in each, three carers."""

    def __init__(self, carer, organisation, grant, acting):
        ref = [{"system": "case-system", "id": str(uuid.uuid4())}]
        self.org, self.other_org = organisation(ISLINGTON), organisation(ISLINGTON, ESSEX)
        self.mine = carer(ISLINGTON, role="support_worker", org=self.org, external_refs=ref)
        self.ended = carer(ISLINGTON, external_refs=ref)
        self.far = carer(ESSEX, external_refs=ref)
        self.all = {self.mine, self.ended, self.far}
        grant(self.ended, self.org, "-2 hours", "-1 hour")
        grant(self.far, self.other_org)
        for council, one in ((ISLINGTON, self.mine), (ESSEX, self.far)):
            with acting("practitioner", [council]) as session:
                session.execute("carer_read", one)

    def claims(self, role):
        """Every claim that could open something: only those of the role's class may."""
        if role in COUNCIL:
            return {"councils": [ISLINGTON], "org": self.other_org, "carer": self.far}
        if role == "carer":
            return {"councils": [ISLINGTON, ESSEX], "org": self.other_org, "carer": self.mine}
        return {"councils": [ISLINGTON, ESSEX], "org": self.org, "carer": self.far}


@pytest.fixture
def world(carer, organisation, grant, acting):
    return World(carer, organisation, grant, acting)


def ids(session, text):
    return {str(value) for (value,) in session.sql(text)}


@pytest.mark.parametrize("table", ["carer", "carer_view"])
@pytest.mark.parametrize("role", COUNCIL)
def test_a_council_sees_its_own_carers(acting, world, role, table):
    with acting(role, **world.claims(role)) as session:
        assert ids(session, f"SELECT id FROM {table}") & world.all == {world.mine, world.ended}


@pytest.mark.parametrize("table", ["carer", "carer_view"])
@pytest.mark.parametrize("role", PARTNER)
def test_an_organisation_sees_the_carers_whose_access_is_in_force(acting, world, role, table):
    with acting(role, **world.claims(role)) as session:
        assert ids(session, f"SELECT id FROM {table}") == {world.mine}


@pytest.mark.parametrize("table", ["carer", "carer_view"])
def test_a_carer_sees_herself(acting, world, table):
    with acting("carer", **world.claims("carer")) as session:
        assert ids(session, f"SELECT id FROM {table}") == {world.mine}


@pytest.mark.parametrize("table", PERSONAL)
@pytest.mark.parametrize("role", DESK + [""])
def test_who_works_at_a_desk_and_the_public_see_no_person(acting, world, role, table):
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        with acting(role, **world.claims(role)) as session:
            session.sql(f"SELECT * FROM {table}")


@pytest.mark.parametrize("role, seen", [("council_admin", {"mine", "ended"}), ("practitioner", {"mine", "ended"})]
                         + [(role, {"mine"}) for role in PARTNER] + [("carer", {"mine"})])
def test_access_and_references_are_seen_with_their_carer(acting, world, role, seen):
    with acting(role, **world.claims(role)) as session:
        wanted = {getattr(world, name) for name in seen}
        assert ids(session, "SELECT carer_id FROM carer_external_ref") & world.all == wanted
        assert ids(session, "SELECT carer_id FROM carer_access") & world.all == wanted


@pytest.mark.parametrize("role", ROLES)
def test_organisations_are_seen_as_far_as_they_matter(acting, world, role):
    with acting(role, **world.claims(role)) as session:
        seen = ids(session, "SELECT id FROM organisation") & {world.org, world.other_org}
    assert seen == ({world.org, world.other_org} if role in COUNCIL else {world.org})


def test_the_public_sees_listed_organisations_only(acting, world):
    with acting("") as session:
        assert {str(ident) for ident, state in session.sql("SELECT id, state FROM organisation") if state != "published"} == set()


@pytest.mark.parametrize("role", list(CLASSES))
def test_only_an_administrator_reads_the_audit_trail_and_only_her_councils(acting, world, role):
    if role in COUNCIL:
        with acting(role, **world.claims(role)) as session:
            seen = {row[0] for row in session.sql("SELECT council FROM audit_entry")}
        assert seen == ({ISLINGTON} if role == "council_admin" else set())
        return
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        with acting(role, **world.claims(role)) as session:
            session.sql("SELECT * FROM audit_entry")


@pytest.mark.parametrize("role", ROLES)
def test_answers_to_keys_are_their_callers_own(acting, role):
    key = str(uuid.uuid4())
    with acting(role, subject="one") as session:
        session.execute("idempotency_keep", key, r"\x01", 201, '"1"', "/v1/carers/1", "{}")

    for subject, client, seen in (("one", None, 1), ("two", None, 0), ("one", "another-app", 0)):
        with acting(role, subject=subject, client=client) as session:
            assert len(session.sql("SELECT key FROM idempotency WHERE key = %s", key)) == seen


@pytest.mark.parametrize("role", list(CLASSES))
@pytest.mark.parametrize("table", TABLES)
def test_nobody_deletes(acting, world, role, table):
    with pytest.raises(psycopg2.Error) as caught:
        with acting(role, **world.claims(role)) as session:
            session.sql(f"DELETE FROM {table}")
    assert caught.value.pgcode == "42501"


@pytest.mark.parametrize("role", list(CLASSES))
@pytest.mark.parametrize("statement", [
    "UPDATE carer SET id = id", "UPDATE carer SET council = 'E09000019'", "UPDATE carer SET version = 1",
    "UPDATE audit_entry SET actor = ''", "INSERT INTO audit_entry (actor) VALUES ('somebody else')",
    "UPDATE carer_access SET ends_at = NULL", "UPDATE organisation SET name = 'x'", "DELETE FROM carer_transition",
    "INSERT INTO carer_access (organisation_id, carer_id, reason) VALUES (gen_random_uuid(), gen_random_uuid(), 'granted')",
    "INSERT INTO carer_transition VALUES ('close', 'none', 'closed', '{carer}', 1)", "SELECT * FROM carer_twins(NULL)",
    "SELECT * FROM name_near", "SELECT search_fill()", "SELECT * FROM wellbeing_part", "SELECT * FROM wellbeing_result",
    "SELECT * FROM wellbeing_comparison", "SELECT wellbeing_refill()", "SELECT wellbeing_follow(gen_random_uuid(), 'E09000019')",
    "SELECT wellbeing_lock('{E09000019}')", "SELECT wellbeing_add(1, '{}')", "UPDATE wellbeing_sum SET n = 0",
    "INSERT INTO wellbeing_sum (council) VALUES ('E09000019')", "UPDATE break_sum SET breaks = 0", "DELETE FROM break_transition",
    "INSERT INTO break_sum (council) VALUES ('E09000019')", "UPDATE carer_break SET moves = 0", "UPDATE break_session SET delivered_on = now()",
    "SELECT referral_follow(gen_random_uuid(), 'start', 'x')", "INSERT INTO break_history (move) VALUES (1)",
    "UPDATE event SET summary = 'x'", "UPDATE event_organisation SET gone = false", "UPDATE event_kind SET shared = false",
    "INSERT INTO event (council, carer_id, kind, resource_id, summary) VALUES ('x', gen_random_uuid(), 'carer.created',"
    " gen_random_uuid(), 'x')", "INSERT INTO event_organisation VALUES (gen_random_uuid(), 0, 1, 1, gen_random_uuid())",
    "SELECT note_event(gen_random_uuid(), 'x', 'carer.created', gen_random_uuid(), 1, 'x', 'x')", "UPDATE event_era SET era = 7",
    "SELECT event_era_follow()", "SELECT migrated()",
    "CREATE TABLE mine ()", "CREATE TEMPORARY TABLE mine ()", "SELECT idempotency_sweep(1)",
    "INSERT INTO carer (id, council, given_name, family_name, identification, state) VALUES"
    " (gen_random_uuid(), 'E09000019', 'A', 'B', '{\"source\": \"gp\"}', 'active')"])
def test_what_the_service_never_does_is_not_granted(acting, world, role, statement):
    with pytest.raises(psycopg2.Error) as caught:
        with acting(role, **world.claims(role)) as session:
            session.sql(statement)
    assert caught.value.pgcode == "42501", caught.value


@pytest.mark.parametrize("table", TABLES + ["carer_transition", "carer_available"])
def test_before_it_takes_on_a_class_the_service_sees_nothing(connect, table):
    connection = connect()
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        connection.cursor().execute(f"SELECT * FROM {table}")
    connection.rollback()


def test_the_service_owns_nothing_and_passes_no_policy(owner):
    owner.execute("SELECT rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles"
                  " WHERE rolname = 'carers_service'")
    assert owner.fetchone() == (False,) * 5
    owner.execute("SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname LIKE 'carers_%'"
                  " AND r.rolname <> 'carers_owner'")
    assert owner.fetchone() == (0,)


def test_every_table_has_row_level_security_or_holds_no_person(owner):
    owner.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
                  " AND NOT relrowsecurity")
    assert {name for (name,) in owner.fetchall()} == {
        "schema_migration", "carer_transition", "carer_available", "event_kind", "event_era", "assessment_transition",
        "assessment_available", "council_default", "swemwbs_score", "referral_transition", "break_transition",
        "funding_transition", "directory_transition"}


def test_a_policy_asks_for_access_by_key_row_by_row(owner):
    """OFFSET 0: the planner may not hash all carers of an organisation for the sake of one."""
    owner.execute("SELECT policyname, concat(qual, with_check) FROM pg_policies WHERE 'carers_partner' = ANY (roles)")
    asked = {name: text.count("FROM carer_access") - text.count("OFFSET 0") for name, text in owner.fetchall() if "FROM carer_access" in text}
    assert len(asked) > 10 and set(asked.values()) == {0}, asked


def test_every_table_says_what_it_is(owner):
    owner.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')"
                  " AND obj_description(oid, 'pg_class') IS NULL")
    assert owner.fetchall() == []


def test_no_function_of_ours_is_for_everybody_and_definers_have_a_fixed_path(owner):
    ours = ("FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS"
            " (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')")
    owner.execute(f"SELECT proname {ours} AND (proacl IS NULL OR EXISTS (SELECT FROM aclexplode(proacl) WHERE grantee = 0))")
    assert owner.fetchall() == []
    owner.execute(f"SELECT proname {ours} AND prosecdef AND NOT coalesce(proconfig @> '{{search_path=public\\, pg_temp}}',"
                  " false)")
    assert [name for (name,) in owner.fetchall()] == []


@pytest.mark.parametrize("role, shown", [("practitioner", True), ("support_worker", True), ("break_provider", False)])
def test_a_breaks_provider_sees_neither_nhs_number_nor_triage(acting, carer, organisation, grant, role, shown):
    org, one = organisation(), carer(nhs_number="9990012377")
    grant(one, org)
    with acting("practitioner", [ISLINGTON]) as session:
        session.execute("carer_move", one, "register", '{"triage": {"level": "light"}}')

    with acting(role, [ISLINGTON], org=org) as session:
        body = session.body("carer_read", one)
        session.execute("carer_by_id", one)

    assert ("nhs_number" in body, "triage" in body) == (shown, shown)
    with acting("practitioner", [ISLINGTON]) as session:  # the number is free for the next test
        session.execute("carer_move", one, "close", '{"reason": "recorded_in_error"}')


def test_her_own_token_is_not_shown_why_a_duplicate_was_allowed(acting, carer):
    one = carer(duplicate_reason="she says that he is her twin")

    with acting("carer", carer=one) as session:
        assert "duplicate_reason" not in session.body("carer_read", one)
    with acting("practitioner", [ISLINGTON]) as session:
        assert session.body("carer_read", one)["duplicate_reason"]
