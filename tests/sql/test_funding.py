"""Funding asked in SQL: the machine against its table in C, every cell of it by direct UPDATE, ceilings for any client, rows by caller."""
import itertools
import json
import threading

import bundle
import psycopg2
import pytest
from support.funding import ACTIONS, BUDGET, MACHINE, ROWS, STATES, award_body, decide, step_of
from support.sql import CLASSES, ESSEX, ISLINGTON, ROOT, new_id

SCHEMAS = bundle.Bundle(ROOT / "openapi.yaml").document()["components"]["schemas"]
STAFF = {"councils": [ISLINGTON]}
SETS = {"refuse": ", reason = 'x'", "pay": ", payment_method = 'cheque'"}


@pytest.fixture(scope="module")
def superuser(connect):
    """Who may switch triggers off."""
    connection = connect("postgres")
    connection.autocommit = True
    return connection.cursor()


@pytest.fixture
def eligible(carer, superuser):
    """eligible(): a new carer of whom it was decided so."""
    def make():
        one = carer()
        decide(superuser, one, "eligible")
        return one
    return make


@pytest.fixture
def award(acting, eligible):
    """award(carer, pence): the id of a new one."""
    def make(of=None, pence=1_000):
        ident, of = new_id(), of or eligible()
        with acting("practitioner", **STAFF) as session:
            session.execute("funding_award_insert", ident, of, json.dumps(award_body(amount_pence=pence)))
        return ident
    return make


def put(superuser, ident, state):
    superuser.execute("SET session_replication_role = replica")
    superuser.execute(f"UPDATE funding_award SET state = %s, action = 'apply', {ROWS[state]} WHERE id = %s", (state, ident))
    superuser.execute("SET session_replication_role = origin")


def test_the_machine_in_postgresql_is_that_of_the_rules_row_by_row(owner):
    owner.execute("SELECT from_state, action, to_state, must FROM funding_transition")
    stored = {(*row[:3], tuple(row[3])) for row in owner.fetchall()}

    assert stored == set(map(tuple, MACHINE)) and len(MACHINE) == len(stored)


def test_states_and_actions_are_the_contracts():
    assert list(STATES) == SCHEMAS["AwardState"]["enum"] and list(ACTIONS) == SCHEMAS["AwardAction"]["enum"]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("role", [role for role in CLASSES if role])
def test_no_client_of_the_database_moves_it_otherwise(acting, superuser, award, organisation, grant, role, state):
    """Every action to every state, by every role with all claims that could open the row."""
    ident, org, wrong = award(), organisation(), []
    superuser.execute("SELECT carer_id FROM funding_award WHERE id = %s", (ident,))
    of, = superuser.fetchone()
    grant(of, org)
    put(superuser, ident, state)
    for action, to in itertools.product((*ACTIONS, "apply"), STATES):
        step, told = step_of(state, action), None
        wanted = ("42501" if CLASSES[role] != "carers_council" else None if step and step.to == to else "CA409")
        try:
            with acting(role, **STAFF, org=org, carer=of) as session:
                session.sql(f"UPDATE funding_award SET action = %s, state = %s{SETS.get(action, '')} WHERE id = %s", action, to, ident)
        except psycopg2.Error as refusal:
            told = refusal.pgcode
        if told != wanted:
            wrong.append((action, to, wanted, told))
        if told is None:
            put(superuser, ident, state)
    assert wrong == []


@pytest.mark.parametrize("step", [step for step in MACHINE if step.must], ids=str)
def test_what_an_action_must_carry_is_asked_for_by_postgresql_as_well(acting, superuser, award, step):
    ident = award()
    put(superuser, ident, step.state)
    with pytest.raises(psycopg2.Error) as caught:
        with acting("practitioner", **STAFF) as session:
            session.sql("UPDATE funding_award SET action = %s, state = %s WHERE id = %s", step.action, step.to, ident)
    assert (caught.value.pgcode, caught.value.diag.message_hint) == ("CA422", "B5")


@pytest.mark.parametrize("change, code", [("reason = 'x'", "CA403"), ("payment_method = 'cheque'", "CA403"), ("amount_pence = 1", "42501"),
                                          ("decided_at = now()", "42501"), ("financial_year = '2019-20'", "42501")])
def test_an_approval_changes_nothing_else(acting, award, change, code):
    ident = award()
    with pytest.raises(psycopg2.Error) as caught:
        with acting("practitioner", **STAFF) as session:
            session.sql(f"UPDATE funding_award SET action = 'approve', state = 'approved', {change} WHERE id = %s", ident)
    assert caught.value.pgcode == code


def test_an_amount_is_whole_and_more_than_nothing(acting, eligible):
    of = eligible()
    for pence, code in ((0, "23514"), (-5, "23514"), ("1.5", "22P02")):
        with pytest.raises(psycopg2.Error) as caught:
            with acting("practitioner", **STAFF) as session:
                session.execute("funding_award_insert", new_id(), of, json.dumps(award_body(amount_pence=pence)))
        assert caught.value.pgcode == code


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_a_ceiling_holds_for_any_client_in_any_isolation(acting, connect, owner, eligible, award, isolation):
    """Fifty at once by ten clients, twenty of which there is room for; who is told to try again does so."""
    of = eligible()
    awards = [award(of, 2_500) for _ in range(50)]
    told, start = [], threading.Barrier(10)

    def approve(connection, share):
        start.wait()
        for ident in share:
            while True:
                try:
                    with acting("practitioner", **STAFF, on=connection) as session:
                        session.sql("UPDATE funding_award SET action = 'approve', state = 'approved' WHERE id = %s", ident)
                    told.append(None)
                except psycopg2.Error as refusal:
                    if refusal.pgcode in ("40001", "40P01"):
                        continue
                    told.append(refusal.pgcode)
                break
    connections = [connect() for _ in range(10)]
    for connection in connections:
        connection.set_session(isolation_level=isolation)
    threads = [threading.Thread(target=approve, args=(connection, awards[n::10])) for n, connection in enumerate(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, told)) == ["CA422"] * 30 + ["None"] * 20
    owner.execute("SELECT sum(amount_pence) FROM funding_award WHERE carer_id = %s AND state = 'approved'", (of,))
    assert owner.fetchone() == (50_000,)


@pytest.mark.parametrize("day, year", [("2026-03-31", "2025-26"), ("2026-04-01", "2026-27"), ("1999-05-31", "1999-00"), ("2099-12-31", "2099-00")])
def test_financial_years(owner, day, year):
    owner.execute("SELECT financial_year(%s::date)", (day,))
    assert owner.fetchone() == (year,)


class TestWhoSees:
    """An award is seen with its carer, but not by breaks providers and in-reach teams; the machinery behind it by nobody."""

    def test_rows_by_caller(self, acting, award, superuser, organisation, grant, carer):
        ident, org, other = award(), organisation(), organisation()
        superuser.execute("SELECT carer_id FROM funding_award WHERE id = %s", (ident,))
        of, = superuser.fetchone()
        grant(of, org)
        callers = {"council": ("practitioner", STAFF), "elsewhere": ("council_admin", {"councils": [ESSEX]}),
                   **{role: (role, {"org": org}) for role in ("support_worker", "assessor", "break_provider", "hospital_in_reach")},
                   "stranger": ("support_worker", {"org": other}), "carer": ("carer", {"carer": of}), "another carer": ("carer", {"carer": carer()})}
        found = set()
        for who, (role, claims) in callers.items():
            with acting(role, **claims) as session:
                if session.sql("SELECT 1 FROM funding_award WHERE id = %s", ident):
                    found.add(who)
        assert found == {"council", "support_worker", "assessor", "carer"}

    @pytest.mark.parametrize("role, claims", [("practitioner", {"councils": [ESSEX]}), ("support_worker", {}), ("carer", {}),
                                              ("break_provider", {})])
    @pytest.mark.parametrize("call", ["carer_eligibility(%s)", "funding_standing(%s, '2026-27', (SELECT s FROM funding_scheme s LIMIT 1), NULL)"])
    def test_nobody_is_told_of_a_carer_whom_he_does_not_see(self, acting, eligible, organisation, carer, role, claims, call):
        of, claims = eligible(), {"org": organisation(), "carer": carer(), **claims}
        with pytest.raises(psycopg2.Error) as caught:
            with acting(role, **claims) as session:
                session.sql(f"SELECT {call}", of)
        assert caught.value.pgcode == "CA404"

    def test_only_a_trigger_judges(self, acting, award):
        ident = award()
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            with acting("practitioner", **STAFF) as session:
                session.sql("SELECT funding_judge(a) FROM funding_award a WHERE a.id = %s", ident)

    @pytest.mark.parametrize("role, claims, code", [("commissioner", {"councils": [ESSEX]}, "CA400"), ("practitioner", STAFF, "CA403"),
                                                    ("referrer", STAFF, "CA403"), ("support_worker", STAFF, "42501")])
    def test_the_report_is_for_commissioners_and_administrators_of_the_council(self, acting, role, claims, code):
        with pytest.raises(psycopg2.Error) as caught:
            with acting(role, **claims) as session:
                session.sql("SELECT * FROM funding_report(%s, '2026-27')", ISLINGTON)
        assert caught.value.pgcode == code


def test_a_scheme_is_never_changed(owner, acting):
    for statement in ("UPDATE funding_scheme SET version = 9", "DELETE FROM funding_scheme"):
        with pytest.raises(psycopg2.Error, match="never changed"):
            owner.execute(statement)
    with pytest.raises(psycopg2.Error) as caught:
        with acting("practitioner", **STAFF) as session:
            session.sql("INSERT INTO funding_scheme (council, key, version, effective_from, definition) VALUES (%s, %s, 9, '2026-01-01', '{}')",
                        ISLINGTON, BUDGET)
    assert caught.value.pgcode == "42501"
