"""Breaks asked in SQL: the machine against its table in C, every cell of it by direct UPDATE, sessions, who sees which rows."""
import itertools
import json
import threading
import uuid

import bundle
import psycopg2
import pytest
from support.breaks import ACTIONS, MACHINE, STATES, break_body, step_of
from support.sql import ESSEX, ISLINGTON, ROOT, new_id

SCHEMAS = bundle.Bundle(ROOT / "openapi.yaml").document()["components"]["schemas"]
STAFF = {"councils": [ISLINGTON]}
SETS = {"conversation": "conversation_held_on = '2026-01-05'", "agree": "hours_per_session = 2, frequency = 'weekly', starts_on = '2026-01-06'",
        **dict.fromkeys(("pause", "resume", "end", "decline"), "action_reason = 'x'")}


def test_the_machine_in_postgresql_is_that_of_the_rules_row_by_row(owner):
    owner.execute("SELECT from_state, action, to_state, side, must FROM break_transition")
    stored = {(*row[:4], tuple(row[4])) for row in owner.fetchall()}

    assert stored == set(map(tuple, MACHINE)) and len(MACHINE) == len(stored)


def test_states_and_actions_are_the_contracts():
    assert set(STATES) == set(SCHEMAS["BreakState"]["enum"]) and list(ACTIONS) == SCHEMAS["BreakAction"]["enum"]


@pytest.fixture
def world(acting, carer, organisation, grant):
    """A carer, a provider and another organisation that see her."""
    class World:
        one, provider, other = carer(), organisation(), organisation()
        gives = {"councils": [ISLINGTON], "org": provider}
    for org in (World.provider, World.other):
        grant(World.one, org)
    return World


@pytest.fixture
def make(acting, owner, world):
    """make(state): the id of the council's break with the provider, put into that state."""
    def create(state="referred", **members):
        ident = new_id()
        with acting("practitioner", **STAFF) as session:
            session.execute("break_insert", ident, world.one, json.dumps(break_body(provider_organisation_id=world.provider, **members)))
        put(owner, ident, state)
        return ident
    return create


def put(owner, ident, state):
    owner.execute("ALTER TABLE carer_break DISABLE TRIGGER USER")
    try:
        owner.execute("UPDATE carer_break SET state = %s, action = 'create', action_reason = NULL, conversation_held_on ="
                      " CASE WHEN %s = 'conversation_held' THEN date '2026-01-05' END, hours_per_session = NULL, frequency = NULL,"
                      " starts_on = NULL WHERE id = %s", (state, state, ident))
    finally:
        owner.execute("ALTER TABLE carer_break ENABLE TRIGGER USER")


@pytest.mark.parametrize("role", ["break_provider", "practitioner"])
@pytest.mark.parametrize("state", STATES)
def test_no_client_of_the_database_moves_it_otherwise(acting, owner, world, make, state, role):
    """Every action to every state, by each side: what is no row of the machine is CA409, another's word CA422."""
    ident, wrong, provider = make(state), [], role == "break_provider"
    claims = world.gives if provider else STAFF
    for action, to in itertools.product(ACTIONS, STATES):
        step = step_of(state, action, {"provider"} if provider else {"arranger"})
        wanted = None if step and step.to == to else "CA422" if action in ("conversation", "agree") and not provider else "CA409"
        told = None
        try:
            with acting(role, **claims) as session:
                more = f", {SETS[action]}" if action in SETS else ""
                session.sql(f"UPDATE carer_break SET action = %s, state = %s{more} WHERE id = %s", action, to, ident)
        except psycopg2.Error as refusal:
            told = refusal.pgcode
        if told != wanted:
            wrong.append((action, to, wanted, told))
        if told is None:
            put(owner, ident, state)
    assert wrong == []


@pytest.mark.parametrize("step", [step for step in MACHINE if step.must and step.side == "provider"], ids=str)
def test_what_an_action_must_carry_is_asked_for_by_postgresql_as_well(acting, world, make, step):
    ident = make(step.state)
    if step.state == "conversation_held" and step.action == "conversation":
        return  # it has been held
    with pytest.raises(psycopg2.Error) as caught:
        with acting("break_provider", **world.gives) as session:
            session.sql("UPDATE carer_break SET action = %s, state = %s WHERE id = %s", step.action, step.to, ident)
    wanted = ("CA42V", "/reason") if step.must == ("action_reason",) else ("CA422", "B2")
    assert (caught.value.pgcode, caught.value.diag.message_hint) == wanted


def test_an_action_changes_nothing_else(acting, world, make):
    ident = make("agreed")
    with pytest.raises(psycopg2.Error, match="changes nothing else"):
        with acting("break_provider", **world.gives) as session:
            session.sql("UPDATE carer_break SET action = 'start', state = 'active', purpose = 'holiday' WHERE id = %s", ident)


def test_a_history_is_never_changed(acting, owner, world, make):
    ident = make()
    with pytest.raises(psycopg2.Error, match="never changed"):
        owner.execute("UPDATE break_history SET reason = 'another' WHERE break_id = %s", (ident,))
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        with acting("break_provider", **world.gives) as session:
            session.sql("INSERT INTO break_history (break_id, move, action, to_state) VALUES (%s, 9, 'start', 'active')", ident)


def test_moves_at_once_leave_a_history_that_replays(acting, connect, owner, world, make):
    ident, faults = make("agreed"), []
    moves = [("start", "active"), ("pause", "paused"), ("resume", "active"), ("end", "ended")] * 10

    def take(connection, share):
        for action, to in share:
            try:
                with acting("break_provider", **world.gives, on=connection) as session:
                    session.execute("break_lock", ident)
                    session.execute("break_move", ident, action, to, '{"reason": "x"}')
            except psycopg2.Error as refusal:
                if refusal.pgcode != "CA409":
                    faults.append((action, str(refusal)))

    threads = [threading.Thread(target=take, args=(connect(), moves[n::4])) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    owner.execute("SELECT move, from_state, action, to_state FROM break_history WHERE break_id = %s AND move > 0 ORDER BY move", (ident,))
    rows, state = owner.fetchall(), "agreed"
    for number, (move, before, action, after) in enumerate(rows, 1):
        assert (move, before, after) == (number, state, step_of(state, action, {"provider"}).to)
        state = after
    owner.execute("SELECT state, moves FROM carer_break WHERE id = %s", (ident,))
    assert owner.fetchone() == (state, len(rows)) == ("ended", len(rows)) and len(rows) >= 2


def plan(session, ident, start, hours=2, state=None):
    one = new_id()
    session.sql("INSERT INTO break_session (id, break_id, starts_at, ends_at) VALUES (%s, %s, now() + %s::interval,"
                " now() + %s::interval + %s * interval '1 hour')", one, ident, start, start, hours)
    return one


class TestSessions:
    """Rule B4 for every client of the database."""

    @pytest.mark.parametrize("state", STATES)
    def test_planned_while_agreed_or_active(self, acting, world, make, state):
        ident = make(state)
        try:
            with acting("break_provider", **world.gives) as session:
                plan(session, ident, "1 day")
            told = None
        except psycopg2.Error as refusal:
            told = (refusal.pgcode, refusal.diag.message_hint)
        assert told == (None if state in ("agreed", "active") else ("CA422", "B4"))

    def test_two_at_once_for_the_same_time_one_wins(self, acting, connect, world, make):
        ident, told = make("active"), []

        def take(connection):
            try:
                with acting("break_provider", **world.gives, on=connection) as session:
                    plan(session, ident, "1 day")
                told.append(None)
            except psycopg2.Error as refusal:
                told.append(refusal.diag.constraint_name)

        threads = [threading.Thread(target=take, args=(connect(),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(told, key=str) == [None] + ["break_session_overlap"] * 3

    def test_not_over_each_other_but_for_what_is_cancelled(self, acting, world, make):
        ident = make("active")
        with acting("break_provider", **world.gives) as session:
            first = plan(session, ident, "1 day")
            plan(session, ident, "26 hours")  # begins as the first ends
        with pytest.raises(psycopg2.errors.ExclusionViolation):
            with acting("break_provider", **world.gives) as session:
                plan(session, ident, "25 hours", 0.5)
        with acting("break_provider", **world.gives) as session:
            session.execute("session_cancel", ident, first, '{"side": "carer", "reason": "x"}')
            plan(session, ident, "24 hours")

    @pytest.mark.parametrize("state, start, told", [
        ("active", "1 minute", ("CA422", "B4")), ("agreed", "-1 hour", ("CA422", "B4")), ("active", "-1 hour", None), ("paused", "-1 hour", None),
        ("ended", "-1 hour", None)])
    def test_delivered_after_it_began_and_its_break_has(self, acting, owner, world, make, state, start, told):
        ident = make("active")
        with acting("break_provider", **world.gives) as session:
            one = plan(session, ident, start)
        put(owner, ident, state)
        try:
            with acting("break_provider", **world.gives) as session:
                session.execute("session_deliver", ident, one, '{"delivered_by": "paid"}')
            found = None
        except psycopg2.Error as refusal:
            found = (refusal.pgcode, refusal.diag.message_hint)
        assert found == told

    def test_what_was_delivered_or_cancelled_does_not_change(self, acting, world, make):
        ident = make("active")
        with acting("break_provider", **world.gives) as session:
            one, two = plan(session, ident, "-3 hours"), plan(session, ident, "-6 hours")
            session.execute("session_deliver", ident, one, '{"delivered_by": "volunteer", "hours": 1.5}')
            session.execute("session_cancel", ident, two, '{"side": "provider", "reason": "x"}')
        for which, name, arguments in itertools.product((one, two), ("session_deliver", "session_cancel", "session_patch"),
                                                        ('{"delivered_by": "paid", "side": "carer", "reason": "y", "note": "z"}',)):
            with pytest.raises(psycopg2.Error) as caught:
                with acting("break_provider", **world.gives) as session:
                    session.execute(name, ident, which, arguments)
            assert caught.value.pgcode == "CA409", name

    def test_what_a_contract_has_to_say_stands_in_the_reply_to_a_delivery(self, acting, owner, world, make):
        ident, warnings = make("active"), [{"code": "over_contract", "message": "120 of 100 hours"}]
        owner.execute("SELECT pg_get_functiondef('break_contract_warnings(uuid)'::regprocedure)")
        original, = owner.fetchone()
        with acting("break_provider", **world.gives) as session:
            one = plan(session, ident, "-3 hours")
            session.execute("session_deliver", ident, one, '{"delivered_by": "paid"}')
            assert "warnings" not in session.body("session_delivered", ident, one)
        try:
            owner.execute("CREATE OR REPLACE FUNCTION break_contract_warnings(break_id uuid) RETURNS jsonb LANGUAGE sql STABLE AS %s",
                          (f"SELECT '{json.dumps(warnings)}'::jsonb",))
            with acting("break_provider", **world.gives) as session:
                assert session.body("session_delivered", ident, one)["warnings"] == warnings
        finally:
            owner.execute(original)

    def test_only_the_provider_writes_them(self, acting, world, make):
        ident = make("active")
        for role, claims in (("practitioner", STAFF), ("break_provider", {**world.gives, "org": world.other}), ("carer", {"carer": world.one})):
            with pytest.raises(psycopg2.Error) as caught:
                with acting(role, **claims) as session:
                    plan(session, ident, "1 day")
            assert caught.value.pgcode in ("42501", "CA404"), role


class TestWhoSees:
    """The council, the provider, who arranged it; others while she shares between services; herself."""

    def test_rows_by_caller(self, acting, world, carer, organisation, grant, owner):
        arranger = organisation()
        grant(world.one, arranger)
        ident = new_id()
        with acting("support_worker", [ISLINGTON], org=arranger) as session:
            session.execute("break_insert", ident, world.one, json.dumps(break_body(provider_organisation_id=world.provider)))
        put(owner, ident, "active")
        with acting("break_provider", **world.gives) as session:
            plan(session, ident, "1 day")
        callers = {"council": ("practitioner", STAFF), "elsewhere": ("practitioner", {"councils": [ESSEX]}),
                   "provider": ("break_provider", world.gives), "another role of the provider": ("support_worker", world.gives),
                   "another provider": ("break_provider", {"org": world.other}), "arranger": ("support_worker", {"org": arranger}),
                   "another of the arranger's": ("break_provider", {"org": arranger}), "another organisation": ("assessor", {"org": world.other}),
                   "carer": ("carer", {"carer": world.one}), "another carer": ("carer", {"carer": carer()})}

        def seen():
            found = set()
            for who, (role, claims) in callers.items():
                with acting(role, **claims) as session:
                    rows = [len(session.sql(f"SELECT 1 FROM {table} WHERE {column} = %s", ident)) > 0
                            for table, column in (("carer_break", "id"), ("break_history", "break_id"), ("break_session", "break_id"))]
                assert len(set(rows)) == 1, who
                if rows[0]:
                    found.add(who)
            return found

        assert seen() == {"council", "provider", "arranger", "carer"}
        with acting("practitioner", **STAFF) as session:
            session.execute("consent_record", str(uuid.uuid4()), world.one, json.dumps(
                {"purpose": "share_between_services", "method": "verbal", "wording_version": "1"}))
        assert seen() == {"council", "provider", "arranger", "carer", "another organisation", "another role of the provider"}
        owner.execute("UPDATE carer_access SET ends_at = now() WHERE carer_id = %s", (world.one,))
        assert seen() == {"council", "carer"}
