"""The machine of states over HTTP: every kind, every state, every action, every role, as assessment_states.def has it."""
import pytest
from support.assessments import ACTIONS, BODIES, KINDS, MACHINE, OFFER, ROLES, STATES, path_of, step_of
from support.callers import answer

CELLS = [(kind, state) for kind in KINDS for state in STATES[kind]]
SETTLED = {"completed", "full_offered", "full_requested", "full_declined"}


def roles_of(action, kind=None):
    return {role for step in MACHINE if step.action == action and kind in (None, step.kind) for role in step.roles}


def expected(kind, state, action, to, role):
    """The slug or status of this cell; to: where the action should lead, None when it leads to one state only."""
    if role not in roles_of(action):
        return "forbidden"  # the contract's x-roles
    if role == "hospital_in_reach" and kind != "light_touch":
        return "not-found"
    if roles_of(action, kind) and role not in roles_of(action, kind):
        return "forbidden"
    if step_of(kind, state, action, to):
        return "200"
    return "rule-violated" if action == "update" and state in SETTLED else "state-conflict"


class Cell:
    """One assessment of an organisation that may see its carer, put back into its state before each question."""

    def __init__(self, api, db, one, org):
        self.api, self.db, self.one, self.org = api, db, one, org

    def put(self, state):
        self.db.execute("SET session_replication_role = replica")
        self.db.execute("UPDATE assessment SET state = %s, assessor_organisation_id = %s, assessor_type = 'trusted_assessor',"
                        " version = 1, practitioner_notes = NULL WHERE id = %s", (state, self.org, self.one["id"]))
        self.db.execute("SET session_replication_role = origin")

    def ask(self, role, action, body=None):
        claims = {"role": role, "org": self.org if role in ("assessor", "hospital_in_reach") else None,
                  "carer": self.one["carer_id"] if role == "carer" else None}
        if action == "read":
            return self.api.get(path_of(self.one), **claims)
        if action == "update":
            return self.api.patch(path_of(self.one), etag="*", json={"practitioner_notes": "noted"}, **claims)
        return self.api.post(path_of(self.one, action), json=body or BODIES.get(action, {}), **claims)


@pytest.fixture
def cell(api, db, assessment, carer, organisation, grant):
    def make(kind, state):
        org, of = organisation(), carer(known_to_social_care=False)
        grant(of["id"], org)
        members = {"contingency_offer": OFFER}
        if kind == "review":
            members["review"] = {"planned": True, "due_on": "2027-03-01", "circumstances_improved": "yes",
                                 "caring_role_improved": "unsure"}
        if kind == "reassessment":
            members["follows_assessment_id"] = assessment("statutory", "completed", of=of)["id"]
        one = Cell(api, db, assessment(kind, of=of, **members), org)
        one.put(state)
        return one
    return make


@pytest.mark.parametrize("kind, state", CELLS)
def test_every_action_of_every_role_does_what_the_table_says(cell, kind, state):
    one = cell(kind, state)
    questions = [(action, None, None) for action in ACTIONS if action != "full_response"]
    questions += [("full_response", {"response": word}, f"full_{word}") for word in ("requested", "declined")]
    wrong = []
    for action, body, to in questions:
        for role in ROLES:
            one.put(state)
            response = one.ask(role, action, body)
            wanted = expected(kind, state, action, to, role)
            told = answer(response)
            if told != wanted:
                wrong.append((action, role, wanted, told))
            elif told == "200":
                assert response.json()["state"] == step_of(kind, state, action, to).to
            elif told == "state-conflict":
                assert response.json()["state"] == state
            elif told == "rule-violated":
                assert response.json()["rule"] == "A8"
    assert wrong == []


@pytest.mark.parametrize("kind, state", CELLS)
def test_available_actions_are_exactly_those_that_succeed(cell, kind, state):
    one = cell(kind, state)
    for role in ROLES:
        if role == "hospital_in_reach" and kind != "light_touch":
            continue
        wanted = [action for action in ACTIONS
                  if any(step.roles & {role} for step in MACHINE
                         if (step.kind, step.state, step.action) == (kind, state, action))]
        assert one.ask(role, "read").json()["available_actions"] == wanted, role


@pytest.mark.parametrize("role", ["assessor", "hospital_in_reach"])
def test_another_organisations_assessment_is_not_theirs_to_do(api, assessment, carer, organisation, grant, role):
    org, of = organisation(), carer(known_to_social_care=False)
    grant(of["id"], org)
    one = assessment("light_touch", of=of)

    read = api.get(path_of(one), role=role, org=org)
    done = api.post(path_of(one, "complete"), role=role, org=org, json={})

    if role == "hospital_in_reach":
        assert (answer(read), answer(done)) == ("not-found", "not-found")
    else:
        assert read.json()["available_actions"] == [] and answer(done) == "forbidden"


def test_nothing_can_be_done_for_a_carer_whose_record_is_closed(api, assessment):
    one = assessment()
    api.post(f"/v1/carers/{one['carer_id']}/close", role="practitioner", json={"reason": "moved_away"})

    assert api.get(path_of(one), role="practitioner").json()["available_actions"] == []
    refused = api.post(path_of(one, "schedule"), role="practitioner", json=BODIES["schedule"])
    assert answer(refused) == "state-conflict" and refused.json()["state"] == "closed"
