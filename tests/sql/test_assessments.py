"""Assessments asked in SQL: the machine against its table in C, every cell of it, and what the contract promises."""
import itertools
import re
import threading

import bundle
import psycopg2
import pytest
from support.assessments import ACTIONS, KINDS, MACHINE, ROLES, STATES
from support.sql import ISLINGTON, QUERIES, ROOT, new_id

CONTRACT = bundle.Bundle(ROOT / "openapi.yaml").document()
SCHEMAS = CONTRACT["components"]["schemas"]
SETTLED = {"completed", "full_offered", "full_requested", "full_declined"}
ALL_STATES = sorted({state for states in STATES.values() for state in states})


def test_the_machine_in_postgresql_is_that_of_the_rules_row_by_row(owner):
    owner.execute("SELECT kind, from_state, action, to_state, roles FROM assessment_transition")
    stored = {(*row[:4], frozenset(row[4])) for row in owner.fetchall()}

    assert stored == set(map(tuple, MACHINE)) and len(MACHINE) == len(stored)


def test_roles_of_an_operation_are_those_of_its_action():
    operations = {operation["operationId"]: operation for item in CONTRACT["paths"].values() for name, operation in item.items()
                  if name != "parameters"}
    names = {"offer_full": "offerFullAssessment", "full_response": "respondToFullOffer"}
    for action in ("create", *ACTIONS):
        roles = {role for step in MACHINE if step.action == action for role in step.roles}
        assert set(operations[names.get(action, f"{action}Assessment")]["x-roles"]) == roles, action


class Cells:
    """An assessment of each kind in each state, of an organisation with access to its carer."""

    def __init__(self, owner, carer, organisation, grant):
        self.org, self.carer = organisation(), carer(known_to_social_care=False)
        grant(self.carer, self.org)
        self.ids = {(kind, state): new_id() for kind in KINDS for state in STATES[kind]}
        owner.execute("ALTER TABLE assessment DISABLE TRIGGER USER")
        try:
            for (kind, state), ident in self.ids.items():
                review = (True, "2027-01-01", "yes", "no") if kind == "review" else (None,) * 4
                owner.execute(
                    "INSERT INTO assessment (id, carer_id, council, kind, state, assessor_type, assessor_organisation_id,"
                    " contingency_offer, planned, due_on, circumstances_improved, caring_role_improved) VALUES (%s, %s, %s, %s,"
                    " %s, 'trusted_assessor', %s, '{\"offered_on\": \"2026-01-05\", \"response\": \"later\"}', %s, %s, %s, %s)",
                    (ident, self.carer, ISLINGTON, kind, state, self.org, *review))
        finally:
            owner.execute("ALTER TABLE assessment ENABLE TRIGGER USER")


@pytest.fixture(scope="module")
def cells(owner, carer, organisation, grant):
    return Cells(owner, carer, organisation, grant)


def expected(kind, state, to, role):
    """What an UPDATE of the state is answered: None when it is done, 'unseen', or the SQLSTATE."""
    if role == "hospital_in_reach" and kind != "light_touch":
        return "unseen"
    steps = [s for s in MACHINE if (s.kind, s.state, s.to) == (kind, state, to) and (s.action == "update") == (to == state)]
    if not steps:
        return "CA422" if to == state and state in SETTLED else "CA409"
    return None if role in steps[0].roles else "CA403"


@pytest.mark.parametrize("kind, state", [(kind, state) for kind in KINDS for state in STATES[kind]])
def test_every_change_of_state_by_every_role_does_what_the_table_says(acting, cells, kind, state):
    wrong = []
    for to, role in itertools.product(ALL_STATES, ROLES):
        told = None
        try:
            with acting(role, [ISLINGTON], org=cells.org, carer=cells.carer) as session:
                session.sql("UPDATE assessment SET state = %s, practitioner_notes = %s WHERE id = %s", to,
                            "noted" if to == state else None, cells.ids[kind, state])
                told = "unseen" if session.cursor.rowcount == 0 else None
                raise InterruptedError  # rolled back
        except psycopg2.Error as fault:
            told = fault.pgcode
        except InterruptedError:
            pass
        if told != expected(kind, state, to, role):
            wrong.append((to, role, expected(kind, state, to, role), told))
    assert wrong == []


@pytest.mark.parametrize("kind", ["statutory", "reassessment"])
def test_of_two_completions_at_once_one_makes_a_review_due(connect, acting, owner, carer, kind):
    whose, ids, beside = carer(), [new_id(), new_id()], connect()
    owner.execute("ALTER TABLE assessment DISABLE TRIGGER USER")
    try:
        for ident in ids:
            owner.execute("INSERT INTO assessment (id, carer_id, council, kind, state, assessor_type, contingency_offer) VALUES (%s, %s, %s, %s,"
                          " 'in_progress', 'council', '{\"offered_on\": \"2026-01-05\", \"response\": \"later\"}')", (ident, whose, ISLINGTON, kind))
    finally:
        owner.execute("ALTER TABLE assessment ENABLE TRIGGER USER")

    def complete(session, ident):
        session.sql("UPDATE assessment SET state = 'completed' WHERE id = %s", ident)

    def second():
        with acting("practitioner", [ISLINGTON], on=beside) as session:
            complete(session, ids[1])
    completing = threading.Thread(target=second)
    with acting("practitioner", [ISLINGTON], on=connect()) as session:
        complete(session, ids[0])
        completing.start()
        waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pid = %s)"
        owner.execute(waiting, (beside.info.backend_pid,))
        while completing.is_alive() and owner.fetchone() == (False,):
            completing.join(0.01)
            owner.execute(waiting, (beside.info.backend_pid,))
    completing.join(30)

    owner.execute("SELECT state FROM assessment WHERE id = ANY (%s::uuid[])", (ids,))
    assert owner.fetchall() == [("completed",)] * 2
    owner.execute("SELECT count(*) FROM assessment WHERE carer_id = %s AND kind = 'review' AND state = 'due'", (whose,))
    assert owner.fetchone() == (1,)


@pytest.mark.parametrize("column, value", [("needs", '["own_health"]'), ("forward_look", "x"), ("form", "joint")])
def test_with_its_next_state_a_completed_one_changes_in_nothing_else(acting, cells, column, value):
    with pytest.raises(psycopg2.Error) as caught:
        with acting("practitioner", [ISLINGTON]) as session:
            session.sql(f"UPDATE assessment SET state = 'full_offered', {column} = %s WHERE id = %s", value,
                        cells.ids["light_touch", "completed"])
    assert (caught.value.pgcode, caught.value.diag.message_hint) == ("CA422", "A8")


def test_a_carer_who_declines_changes_nothing_else(acting, cells):
    with pytest.raises(psycopg2.Error) as caught:
        with acting("carer", carer=cells.carer) as session:
            session.sql("UPDATE assessment SET state = 'declined', forward_look = 'x' WHERE id = %s",
                        cells.ids["statutory", "offered"])
    assert caught.value.pgcode == "CA422"


@pytest.mark.parametrize("role", ["support_worker", "break_provider"])
def test_who_supports_or_gives_breaks_sees_no_assessment(acting, cells, role):
    with acting(role, org=cells.org) as session:
        assert session.sql("SELECT count(*) FROM assessment") == [(0,)]


def test_the_view_shows_the_members_of_the_contract_and_no_other(owner):
    owner.execute("SELECT pg_get_viewdef('assessment_view'::regclass)")
    text = owner.fetchone()[0]
    assert {name for name in SCHEMAS["Assessment"]["properties"] if f"'{name}'" in text or f'"{name}"' in text
            } == SCHEMAS["Assessment"]["properties"].keys()


@pytest.mark.parametrize("schema, query, not_stored", [
    ("AssessmentCreate", "assessment_insert", {"requested", "assessor", "review"}),
    ("AssessmentPatch", "assessment_patch", {"assessor", "review"})])
def test_what_clients_send_is_what_the_query_writes(schema, query, not_stored):
    written = set(re.findall(r"\bb\.(\w+)", QUERIES[query].sql()))
    sent = {name for name in SCHEMAS[schema]["properties"] if not name.startswith("break_") or name == "break_recommended"}
    assert sent & written == sent - not_stored
    assert {"planned", "review_reason", "due_on", "circumstances_improved", "caring_role_improved", "assessor_name"} <= written


@pytest.mark.parametrize("column, schema", [("kind", "AssessmentKind"), ("form", "AssessmentForm"), ("mode", "AssessmentMode"),
                                            ("state", "AssessmentState"), ("setting", "AssessmentSetting")])
def test_codes_are_the_contracts(owner, column, schema):
    owner.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", (f"assessment_{column}_check",))
    assert set(owner.fetchone()[0].split("'")[1::2]) == set(SCHEMAS[schema]["enum"])


def test_the_settings_are_the_contracts(owner):
    owner.execute("SELECT name FROM council_default")
    names = {name for (name,) in owner.fetchall()}
    assert names == SCHEMAS["CouncilSettingsPatch"]["properties"].keys()
    assert names | {"council", "updated_at"} == SCHEMAS["CouncilSettings"]["properties"].keys()


def test_a_practitioner_changes_no_settings(acting):
    with acting("practitioner", [ISLINGTON]) as session:
        session.sql("UPDATE council_settings SET settings = '{}'")
        assert session.cursor.rowcount == 0
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        with acting("practitioner", [ISLINGTON]) as session:
            session.execute("council_settings_begin", ISLINGTON)
