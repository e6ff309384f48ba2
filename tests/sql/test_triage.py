"""Triages as PostgreSQL keeps them: who sees which, what never changes, and how those on record came into the table."""
import json
import pathlib

import bundle
import psycopg2
import pytest
from support.sql import ESSEX, ISLINGTON, ROOT, new_id

SCHEMAS = bundle.Bundle(ROOT / "openapi.yaml").document()["components"]["schemas"]
STAFF = {"councils": [ISLINGTON]}
TALK = json.dumps({"held_on": "2026-03-04", "summary": "said", "practitioner_notes": "noted", "assessment_wanted_by": []})


@pytest.fixture
def triage(acting):
    """triage(carer, council): the id of an intensive triage, recorded by her council."""
    def make(carer, council=ISLINGTON, level="intensive"):
        ident = new_id()
        with acting("practitioner", [council]) as session:
            session.execute("triage_record", ident, carer, json.dumps({"level": level}))
        return ident
    return make


class TestRows:
    """Every role, every table."""

    @pytest.fixture
    def seen(self, carer, organisation, grant, triage, acting):
        """seen(role, table): which of her own, an ended and a far carer's triages are seen."""
        org, other = organisation(), organisation(ESSEX)
        carers = {"mine": carer(role="support_worker", org=org), "ended": carer(), "far": carer(ESSEX)}
        grant(carers["ended"], org, "-2 hours", "-1 hour")
        grant(carers["far"], other)
        made = {name: triage(one, ESSEX if name == "far" else ISLINGTON) for name, one in carers.items()}

        def look(role, table):
            claims = {"councils": [ISLINGTON] if role in ("council_admin", "practitioner") else [ISLINGTON, ESSEX], "org": org,
                      "carer": carers["mine"]}
            with acting(role, **claims) as session:
                found = {str(ident) for (ident,) in session.sql(f"SELECT id FROM {table}")}
            return {name for name, ident in made.items() if ident in found}
        return look

    @pytest.mark.parametrize("table", ["carer_triage", "triage_view"])
    @pytest.mark.parametrize("role, wanted", [
        ("council_admin", {"mine", "ended"}), ("practitioner", {"mine", "ended"}), ("assessor", {"mine"}),
        ("support_worker", {"mine"}), ("hospital_in_reach", {"mine"}), ("break_provider", set()), ("carer", {"mine"})])
    def test_triages_are_seen_with_their_carer_but_by_no_breaks_provider(self, seen, role, wanted, table):
        assert seen(role, table) == wanted

    @pytest.mark.parametrize("role", ["commissioner", "directory_editor", "referrer", "vcfse_editor", ""])
    def test_who_works_at_a_desk_and_the_public_see_no_triage(self, acting, organisation, role):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            with acting(role, [ISLINGTON], org=organisation()) as session:
                session.sql("SELECT * FROM triage_view")

    @pytest.mark.parametrize("role", ["break_provider", "carer"])
    def test_who_does_not_write_triages_cannot(self, carer, organisation, grant, triage, refused, acting, role):
        one, org = carer(), organisation()
        grant(one, org)
        ident = triage(one)

        assert refused(role, "triage_record", new_id(), one, '{"level": "light"}', org=org, carer=one).sqlstate == "42501"
        if role == "carer":
            assert refused(role, "triage_converse", one, ident, TALK, org=org, carer=one).sqlstate == "42501"
            return
        with acting(role, org=org) as session:
            session.execute("triage_converse", one, ident, TALK)
        with acting("practitioner", **STAFF) as session:
            assert session.body("triage_by_id", one, ident)["state"] == "conversation_proposed"


class TestRules:
    """What holds whoever asks."""

    @pytest.mark.parametrize("change", ["level = 'light'", "answers = '{}'", "completed_on = NULL", "carer_id = carer_id",
                                        "recorded_by = 'another'"])
    def test_nothing_of_a_triage_is_granted_to_change_but_its_conversation(self, carer, triage, acting, change):
        ident = triage(carer())
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            with acting("practitioner", **STAFF) as session:
                session.sql(f"UPDATE carer_triage SET {change} WHERE id = %s", ident)

    def test_even_its_owner_adds_no_conversation_to_a_light_one(self, carer, triage, owner):
        ident = triage(carer(), level="light")
        owner.execute("ALTER TABLE carer_triage DISABLE TRIGGER carer_triage_b_converse")
        try:
            with pytest.raises(psycopg2.errors.CheckViolation, match="carer_triage_conversation"):
                owner.execute("UPDATE carer_triage SET held_on = '2026-03-04', summary = 's', assessment_wanted_by = '[]',"
                              " held_by_role = 'practitioner' WHERE id = %s", (ident,))
        finally:
            owner.execute("ALTER TABLE carer_triage ENABLE TRIGGER carer_triage_b_converse")

    def test_a_stale_version_is_told_before_the_rule(self, carer, triage, refused):
        one = carer()
        ident = triage(one, level="light")

        diag = refused("practitioner", "triage_converse", one, ident, TALK, **STAFF, target=ident, if_match="9")

        assert diag.sqlstate == "CA412"

    def test_a_triage_for_nobody_is_not_found(self, refused):
        diag = refused("practitioner", "triage_record", new_id(), new_id(), '{"level": "light"}', **STAFF)
        assert (diag.sqlstate, diag.message_primary) == ("CA404", "no carer has this id")

    def test_a_registration_is_one_version_and_one_event_of_each_kind(self, carer, acting, owner):
        one = carer()
        with acting("practitioner", **STAFF) as session:
            session.execute("carer_move", one, "register", '{"triage": {"level": "light", "needs": [], "answers": {"a": 1.50}}}')
        owner.execute("SELECT version, triage::text FROM carer WHERE id = %s", (one,))
        assert owner.fetchone() == (2, '{"level": "light", "needs": [], "answers": {"a": 1.50}}')
        owner.execute("SELECT kind FROM event WHERE carer_id = %s ORDER BY id", (one,))
        assert [kind for (kind,) in owner.fetchall()] == ["carer.created", "carer.registered", "triage.recorded"]

    def test_today_is_the_day_in_london_and_made_ids_are_version_7_in_order(self, owner):
        owner.execute("SELECT today() = (clock_timestamp() AT TIME ZONE 'Europe/London')::date"
                      " OR extract(hour FROM clock_timestamp()) = 23")
        assert owner.fetchone() == (True,)
        owner.execute("SELECT uuid7('2026-11-24T04:00:00.123Z')::text, uuid7('2026-11-24T04:00:00.123Z')::text")
        for ident in owner.fetchone():
            assert ident[:15] == f"{1795492800123:012x}"[:8] + "-" + f"{1795492800123:012x}"[8:] + "-7" and ident[19] in "89ab"


def test_the_view_shows_the_members_of_the_contract_and_no_other(owner):
    owner.execute("SELECT pg_get_viewdef('triage_view'::regclass)")
    text = owner.fetchone()[0]
    wanted = SCHEMAS["TriageRecord"]["properties"].keys() | SCHEMAS["HeldConversation"]["properties"].keys()
    assert {name for name in wanted if f"'{name}'" in text or f'"{name}"' in text} == wanted


def test_triages_on_record_come_into_the_table_with_who_recorded_them(cluster, new_database):
    name = new_database(migrated=False)
    files = sorted((ROOT / "sql" / "migrations").glob("*.sql"))
    cluster.sql(r"\set ON_ERROR_STOP on" + "\n" + "\n".join(
        path.read_text(encoding="utf-8") for path in files if path.name < "0009"), database=name, user="carers_owner")
    first, second = new_id(), new_id()
    cluster.sql(f"""
        SELECT set_config('app.role', 'council_admin', false), set_config('app.councils', '{{{ISLINGTON}}}', false),
               set_config('app.subject', 'somebody', false), set_config('app.operation', 'registerCarer', false);
        INSERT INTO carer (id, council, given_name, family_name, identification) VALUES
            ('{first}', '{ISLINGTON}', 'A', 'B', '{{"source": "gp"}}'), ('{second}', '{ISLINGTON}', 'C', 'D', '{{"source": "gp"}}');
        SELECT carer_move('{first}', 'register', '{{"triage": {{"level": "light", "completed_on": "2026-03-02"}}}}');
        SET session_replication_role = replica;
        UPDATE carer SET triage = '{{"level": "intensive", "needs": ["housing"]}}' WHERE id = '{second}';
    """, database=name)

    cluster.sql(pathlib.Path(next(p for p in files if p.name.startswith("0009"))).read_text(encoding="utf-8"), database=name,
                user="carers_owner")

    rows = cluster.sql("SELECT t.carer_id, t.level, t.needs, t.completed_on, t.recorded_by, t.recorded_by_role,"
                       " t.created_at <= now(), c.version FROM carer_triage t JOIN carer c ON c.id = t.carer_id"
                       " ORDER BY t.carer_id", database=name)
    assert rows == [[first, "light", "", "2026-03-02", "somebody", "council_admin", "t", "2"],
                    [second, "intensive", '["housing"]', "", "", "", "t", "1"]]
    assert cluster.sql("SELECT count(*) FROM event WHERE kind = 'triage.recorded'", database=name) == [["2"]]
