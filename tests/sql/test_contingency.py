"""Contingency plans and emergency access asked in SQL: who sees which rows, who writes them, what no caller gets round."""
import json
import uuid

import psycopg2
import pytest
from support.sql import CLASSES, ESSEX, ISLINGTON, new_id
from test_shape import SCHEMAS

TABLES = ["contingency_plan", "contingency_plan_view", "emergency_access", "emergency_access_view"]
PLAN = {"emergency_contacts": [{"name": "Joan", "relationship": "friend", "phone": "999999"}], "instructions": "Call Joan.",
        "access_notes": "Key safe.", "who_knows": [{"name": "Ada"}]}
OPEN = {name: value for name, value in PLAN.items() if name != "access_notes"}
WHY = "Admitted, her mother is alone."
COUNCIL, PARTNER = ["council_admin", "practitioner"], ["assessor", "support_worker", "hospital_in_reach", "break_provider"]


class World:
    """Carers with plans: one known to `org`, one whose access has ended, one in another council; the glass of all was broken."""

    def __init__(self, carer, organisation, grant, acting):
        self.org, self.team = organisation(ISLINGTON), organisation(ISLINGTON, ESSEX, kind="hospital_trust")
        self.mine, self.ended, self.far = carer(role="support_worker", org=self.org), carer(), carer(ESSEX)
        self.all = {self.mine, self.ended, self.far}
        grant(self.ended, self.org, "-2 hours", "-1 hour")
        for one in self.all:
            with acting("practitioner", [ISLINGTON, ESSEX]) as session:
                session.execute("contingency_plan_put", one, json.dumps(PLAN))
            with acting("hospital_in_reach", org=self.team) as session:
                session.execute("emergency_access_open", new_id(), one, WHY)

    def claims(self, role):
        return {"councils": [ISLINGTON] if role in COUNCIL else [ISLINGTON, ESSEX], "org": self.org,
                "carer": self.mine if role == "carer" else self.far}


@pytest.fixture
def world(carer, organisation, grant, acting):
    return World(carer, organisation, grant, acting)


def seen(session, table, world):
    return {str(one) for (one,) in session.sql(f"SELECT carer_id FROM {table}")} & world.all


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("role", list(CLASSES))
def test_rows_are_seen_with_their_carer(acting, world, role, table):
    wanted = {"carer": {world.mine}, **dict.fromkeys(COUNCIL, {world.mine, world.ended})}
    if table.startswith("contingency"):
        wanted.update(dict.fromkeys(PARTNER, {world.mine}))
    if role not in wanted:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            with acting(role, **world.claims(role)) as session:
                seen(session, table, world)
        return
    with acting(role, **world.claims(role)) as session:
        assert seen(session, table, world) == wanted[role]


@pytest.mark.parametrize("role", list(CLASSES))
@pytest.mark.parametrize("statement", [
    "DELETE FROM contingency_plan", "UPDATE contingency_plan SET carer_id = carer_id", "UPDATE contingency_plan SET version = 1",
    "UPDATE contingency_plan SET council = 'E09000019'", "DELETE FROM emergency_access", "TRUNCATE emergency_access",
    "UPDATE emergency_access SET reason = 'another reason'",
    "INSERT INTO emergency_access (id, carer_id, council, organisation_id, organisation_name, reason) SELECT gen_random_uuid(),"
    " c.id, c.council, gen_random_uuid(), 'x', 'because I can' FROM carer c"])
def test_what_the_service_never_does_is_not_granted(acting, world, role, statement):
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        with acting(role, **world.claims(role)) as session:
            session.sql(statement)


@pytest.mark.parametrize("statement", ["UPDATE emergency_access SET reason = 'another reason'", "DELETE FROM emergency_access",
                                       "TRUNCATE emergency_access"])
def test_even_its_owner_does_not_change_who_broke_the_glass(owner, world, statement):
    with pytest.raises(psycopg2.Error, match="never changed"):
        owner.execute(statement)


@pytest.mark.parametrize("role", [role for role in CLASSES if role != "hospital_in_reach"])
def test_the_glass_is_broken_by_in_reach_teams_alone(refused, world, role):
    diag = refused(role, "emergency_access_open", new_id(), world.mine, WHY, **{**world.claims(role), "org": world.team})

    assert diag.sqlstate == ("CA403" if role in PARTNER else "42501")


def test_the_councils_are_the_organisations_and_not_the_tokens(refused, world):
    for carer, org in ((world.far, world.org), (world.mine, None), (world.mine, str(uuid.uuid4())), (str(uuid.uuid4()), world.team)):
        diag = refused("hospital_in_reach", "emergency_access_open", new_id(), carer, WHY, councils=[ISLINGTON, ESSEX], org=org)
        assert (diag.sqlstate, diag.message_primary) == ("CA404", "no carer has this id")


def test_the_table_itself_asks_for_a_reason(refused, world):
    for why in ("", "too short", None):
        assert refused("hospital_in_reach", "emergency_access_open", new_id(), world.mine, why, org=world.team
                       ).sqlstate in ("23514", "23502")


def test_an_organisation_is_called_what_it_was_called(acting, owner, world):
    owner.execute("SELECT name FROM organisation WHERE id = %s", (world.team,))
    name = owner.fetchone()[0]
    owner.execute("UPDATE organisation SET name = 'Renamed', councils = '{E06000001}' WHERE id = %s", (world.team,))

    for role in ("practitioner", "carer"):
        with acting(role, **world.claims(role)) as session:
            page = session.body("emergency_access_of_carer", world.mine, 50, None)
        assert [item["organisation"]["name"] for item in page["items"]] == [name]


@pytest.mark.parametrize("role", PARTNER)
def test_an_organisations_roles_write_the_plans_of_their_carers_but_breaks_providers_none(acting, carer, grant, refused, world,
                                                                                          role):
    fresh = carer()
    grant(fresh, world.org)
    if role == "break_provider":
        assert refused(role, "contingency_plan_put", fresh, json.dumps(OPEN), org=world.org).sqlstate == "42501"
        with acting(role, org=world.org, if_match="1", target=world.mine) as session:
            session.execute("contingency_plan_put", world.mine, json.dumps({**OPEN, "instructions": "Call me."}))
            assert session.body("contingency_plan_by_carer", world.mine)["instructions"] == PLAN["instructions"]
        return
    with acting(role, org=world.org) as session:
        session.execute("contingency_plan_put", fresh, json.dumps(OPEN))
        assert session.execute("contingency_plan_by_carer", fresh)[0][1:] == (1, True)
    for hidden in (world.ended, world.far):
        assert refused(role, "contingency_plan_put", hidden, json.dumps(OPEN), org=world.org).sqlstate == "CA404"


def test_an_update_past_the_query_leaves_the_way_in_to_who_sees_it(acting, world, refused):
    with acting("support_worker", org=world.org, if_match="1") as session:
        session.sql("UPDATE contingency_plan SET access_notes = NULL, instructions = 'Call me.' WHERE carer_id = %s", world.mine)
    with acting("practitioner", [ISLINGTON]) as session:
        body = session.body("contingency_plan_by_carer", world.mine)
    assert (body["access_notes"], body["instructions"]) == (PLAN["access_notes"], "Call me.")


def test_what_is_refused_is_refused_in_this_order(carer, acting, refused):
    one = carer()
    claims = {"councils": [ISLINGTON], "target": one}
    wrong = json.dumps({**PLAN, "reviewed_on": "2999-01-01"})
    assert refused("practitioner", "contingency_plan_put", one, wrong, **claims).message_hint == "/reviewed_on"
    with acting("practitioner", **claims) as session:
        session.execute("contingency_plan_put", one, json.dumps(PLAN))
    assert refused("practitioner", "contingency_plan_put", one, wrong, **claims).sqlstate == "CA428"
    assert refused("practitioner", "contingency_plan_put", one, wrong, **claims, if_match="2").sqlstate == "CA412"
    assert refused("practitioner", "contingency_plan_put", one, wrong, **claims, if_match="1").sqlstate == "CA42V"
    with acting("practitioner", [ISLINGTON]) as session:
        session.execute("carer_move", one, "close", '{"reason": "moved_away"}')
    assert refused("practitioner", "contingency_plan_put", one, wrong, **claims).sqlstate == "CA409"


@pytest.mark.parametrize("role", [role for role in CLASSES if role])
def test_who_asks_who_she_is_learns_of_her_own_record_alone(acting, world, role):
    with acting(role, **world.claims(role)) as session:
        body = session.execute("me", "", 0, "[]", "1.0")[0][0]

    assert body.get("carer", {}).get("id") == (world.mine if role == "carer" else None)


@pytest.mark.parametrize("role, shown", [("practitioner", True), ("support_worker", True), ("break_provider", True),
                                         ("carer", False)])
def test_a_practitioners_note_on_the_state_is_not_for_the_carer(acting, world, role, shown):
    with acting("practitioner", [ISLINGTON]) as session:
        session.execute("carer_move", world.mine, "close", '{"reason": "other", "note": "her brother is difficult"}')

    with acting(role, **world.claims(role)) as session:
        body = session.body("carer_read", world.mine)

    assert ("state_note" in body, body["state_reason"]) == (shown, "other")


@pytest.mark.parametrize("view, schema", [("contingency_plan_view", "ContingencyPlan"), ("emergency_access_view", "EmergencyAccess")])
def test_the_views_show_the_members_of_the_contract(owner, view, schema):
    owner.execute("SELECT pg_get_viewdef(%s::regclass)", (view,))
    text = owner.fetchone()[0]

    assert [name for name in SCHEMAS[schema]["properties"] if f"'{name}'" not in text and f'"{name}"' not in text] == []


def test_a_plan_is_put_with_every_member_but_those_that_the_service_makes():
    made = {"carer_id", "created_at", "updated_at"}

    assert SCHEMAS["ContingencyPlan"]["properties"].keys() - made == SCHEMAS["ContingencyPlanPut"]["properties"].keys()
