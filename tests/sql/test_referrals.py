"""Referrals asked in SQL: the machine against its table in C, every cell of it by direct UPDATE, histories that replay."""
import itertools
import json
import threading

import bundle
import psycopg2
import pytest
from support.referrals import ACTIONS, BODIES, CONSENT, MACHINE, STATES, step_of, today
from support.sql import ESSEX, ISLINGTON, ROOT, new_id

SCHEMAS = bundle.Bundle(ROOT / "openapi.yaml").document()["components"]["schemas"]
STAFF = {"councils": [ISLINGTON]}
SETS = {"contact": "first_contact_at = now(), contact_channel = 'phone'", "waitlist": "estimate = 'unknown'", "return": "missing = 'x'",
        "decline": "action_reason = 'other'", "not_eligible": "signposts = '[{\"text\": \"x\"}]'", "receive": "received_at = now()",
        "complete": "outcome = 'x', delivered = 'y'", "submit": "submitted_at = now(), contact_due_at = now()",
        **dict.fromkeys(("hold", "resume", "fail", "withdraw"), "action_reason = 'x'")}


def body(**members):
    return json.dumps({"kind": "carers_assessment", "reason": "x", "needs": ["own_health"], "current_situation": "y",
                       "information_as_of": today(1), "consent": CONSENT, "to": {"team": "t"}, **members})


def test_the_machine_in_postgresql_is_that_of_the_rules_row_by_row(owner):
    owner.execute("SELECT from_state, action, to_state, side, must FROM referral_transition")
    stored = {(*row[:4], tuple(row[4])) for row in owner.fetchall()}

    assert stored == set(map(tuple, MACHINE)) and len(MACHINE) == len(stored)


def test_states_and_actions_are_the_contracts():
    assert set(STATES) == set(SCHEMAS["ReferralState"]["enum"]) and list(ACTIONS) == SCHEMAS["ReferralAction"]["enum"]


@pytest.fixture
def referral(acting, carer, owner):
    """referral(state, carer): the id of the council's own referral to its team, put into that state."""
    def make(state="draft", of=None):
        ident, one = new_id(), of or carer()
        with acting("practitioner", **STAFF) as session:
            session.execute("referral_insert", ident, body(carer_id=one))
        put(owner, ident, state)
        return ident
    return make


def put(owner, ident, state):
    owner.execute("ALTER TABLE referral DISABLE TRIGGER USER")
    try:
        owner.execute("UPDATE referral SET state = %s, submitted_at = CASE WHEN %s <> 'draft' THEN now() END, action = 'create',"
                      " first_contact_at = NULL, received_at = NULL, estimate = NULL, missing = NULL, signposts = NULL, outcome = NULL,"
                      " action_reason = NULL, contact_channel = NULL, information_submitted = NULL WHERE id = %s", (state, state, ident))
    finally:
        owner.execute("ALTER TABLE referral ENABLE TRIGGER USER")


@pytest.mark.parametrize("state", STATES)
def test_no_client_of_the_database_moves_it_otherwise(acting, owner, referral, state):
    """Every action to every state, by the side that may do everything: what is no row of the machine is CA409."""
    ident, wrong = referral(state), []
    for action, to in itertools.product(ACTIONS, STATES):
        step = step_of(state, action, {"creator", "receiver"})
        wanted = None if step and step.to == to else "CA409"
        told = None
        try:
            with acting("practitioner", **STAFF) as session:
                more = f", {SETS[action]}" if action in SETS else ""
                session.sql(f"UPDATE referral SET action = %s, state = %s{more} WHERE id = %s", action, to, ident)
        except psycopg2.Error as refusal:
            told = refusal.pgcode
        if told != wanted:
            wrong.append((action, to, wanted, told))
        if told is None:
            put(owner, ident, state)
    assert wrong == []


@pytest.mark.parametrize("step", [step for step in MACHINE if step.must and step.action != "submit"], ids=str)
def test_what_an_action_must_carry_is_asked_for_by_postgresql_as_well(acting, owner, referral, step):
    if step.side == "carer" or step.must == ("received_at",):
        return
    ident = referral(step.state)
    with pytest.raises(psycopg2.Error) as caught:
        with acting("practitioner", **STAFF) as session:
            session.sql("UPDATE referral SET action = %s, state = %s WHERE id = %s", step.action, step.to, ident)
    assert (caught.value.pgcode, caught.value.diag.message_hint) == ("CA422", "R4" if step.action == "not_eligible" else "R7")


def test_an_action_changes_nothing_else(acting, referral):
    ident = referral("requested")
    with pytest.raises(psycopg2.Error, match="changes nothing else"):
        with acting("practitioner", **STAFF) as session:
            session.sql("UPDATE referral SET action = 'accept', state = 'accepted', reason = 'another' WHERE id = %s", ident)


def test_a_history_is_never_changed(acting, owner, referral):
    ident = referral()
    with pytest.raises(psycopg2.Error, match="never changed"):
        owner.execute("UPDATE referral_history SET reason = 'another' WHERE referral_id = %s", (ident,))
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        with acting("practitioner", **STAFF) as session:
            session.sql("INSERT INTO referral_history (referral_id, move, action, to_state) VALUES (%s, 9, 'accept', 'accepted')", ident)


def test_200_moves_of_20_referrals_at_once_leave_histories_that_replay(acting, connect, owner, carer, referral):
    idents = [referral("requested", carer()) for _ in range(20)]
    moves = [("accept", "accepted"), ("waitlist", "waitlisted"), ("decline", "declined"), ("receive", "received"), ("start", "in_progress"),
             ("hold", "on_hold"), ("resume", "in_progress"), ("complete", "completed"), ("withdraw", "withdrawn"), ("contact", None)]
    work, done, faults = list(itertools.product(idents, moves)), [], []
    work.sort(key=lambda item: hash((item[0][-3:], item[1][0])))

    def take(connection, share):
        for ident, (action, _) in share:
            try:
                with acting("practitioner", **STAFF, on=connection) as session:
                    row, = session.sql("SELECT state FROM referral WHERE id = %s FOR NO KEY UPDATE", ident)
                    step = step_of(row[0], action, {"creator", "receiver"})
                    session.execute("referral_move", ident, action, step.to if step else row[0], json.dumps(BODIES.get(action, {})))
                    done.append((ident, action))
            except psycopg2.Error as refusal:
                if refusal.pgcode != "CA409":
                    faults.append((ident, action, str(refusal)))

    threads = [threading.Thread(target=take, args=(connect(), work[n::8])) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == [] and len(done) > 20
    for ident in idents:
        owner.execute("SELECT move, from_state, action, to_state FROM referral_history WHERE referral_id = %s AND move > 0 ORDER BY move",
                      (ident,))
        rows, state = owner.fetchall(), "requested"
        for number, (move, before, action, after) in enumerate(rows, 1):
            step = step_of(state, action, {"creator", "receiver"})
            assert (move, before, after) == (number, state, step.to)
            state = after
        owner.execute("SELECT state, moves FROM referral WHERE id = %s", (ident,))
        assert owner.fetchone() == (state, len(rows)) and len(rows) == sum(one == ident for one, _ in done)


class TestWhoSees:
    """A draft is its creator's; what is submitted is both sides', the council's and the carer's."""

    def test_rows_by_caller(self, acting, carer, organisation, grant, owner):
        one, sender, receiver, other = carer(), organisation(), organisation(), organisation()
        grant(one, sender)
        ident = new_id()
        with acting("support_worker", [ISLINGTON], org=sender) as session:
            session.execute("referral_insert", ident, body(carer_id=one, to={"organisation_id": receiver}))
        callers = {"sender": ("support_worker", {"org": sender}), "receiver": ("break_provider", {"org": receiver}),
                   "editor": ("vcfse_editor", {"org": receiver}), "another of the sender's": ("vcfse_editor", {"org": sender}),
                   "referrer there": ("referrer", {"org": receiver}), "stranger": ("support_worker", {"org": other}),
                   "council": ("practitioner", STAFF), "elsewhere": ("practitioner", {"councils": [ESSEX]}),
                   "carer": ("carer", {"carer": one}), "another carer": ("carer", {"carer": carer()})}
        for state, seen in (("draft", {"sender"}), ("requested", {"sender", "receiver", "editor", "council", "carer"})):
            put(owner, ident, state)
            found = set()
            for who, (role, claims) in callers.items():
                with acting(role, **claims) as session:
                    if session.sql("SELECT 1 FROM referral WHERE id = %s", ident):
                        found.add(who)
            assert found == seen, state
