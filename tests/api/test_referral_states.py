"""The machine of referrals over HTTP (R7): every state, every action, every caller, as referral_states.def has it."""
import pytest
from support.callers import answer
from support.referrals import ACTIONS, BODIES, STATES, path_of, step_of

CREATES = {"council_admin", "practitioner", "assessor", "support_worker", "hospital_in_reach", "referrer", "carer"}
RECEIVES = {"council_admin", "practitioner", "assessor", "support_worker", "hospital_in_reach", "break_provider", "vcfse_editor"}
CREATORS = {"update", "submit", "withdraw", "void", "refer_onward"}


class Scene:
    """A referral from one side to another, put back into its state before each question; callers: (claims, sides)."""

    def __init__(self, api, db, one, callers):
        self.api, self.db, self.one, self.callers = api, db, one, callers

    def put(self, state):
        self.db.execute("SET session_replication_role = replica")
        self.db.execute("DELETE FROM carer_access WHERE referral_id = %s", (self.one["id"],))
        self.db.execute("UPDATE referral SET state = %s, submitted_at = CASE WHEN %s <> 'draft' THEN now() END, information_submitted = NULL,"
                        " first_contact_at = NULL WHERE id = %s", (state, state, self.one["id"]))
        self.db.execute("SET session_replication_role = origin")

    def ask(self, who, action):
        claims = self.callers[who][0]
        if action == "read":
            return self.api.get(path_of(self.one), **claims)
        if action == "update":
            return self.api.patch(path_of(self.one), etag="*", json=BODIES["update"], **claims)
        return self.api.post(path_of(self.one, action), json=BODIES.get(action, {}), **claims)

    def expected(self, who, state, action):
        claims, sides = self.callers[who]
        if claims["role"] not in (CREATES if action in CREATORS else RECEIVES):
            return "forbidden"  # the contract's x-roles
        if sides is None or state == "draft" and "creator" not in sides:
            return "not-found"
        if step_of(state, action, sides):
            return "201" if action == "refer_onward" else "200"
        return "state-conflict"


@pytest.fixture(params=["a charity to another", "a practice to a charity", "the council to its team"])
def scene(request, api, db, referral, carer, organisation, grant):
    sender, receiver, other, of = organisation(), organisation(), organisation(), carer()
    grant(of["id"], sender)
    carer_caller = ({"role": "carer", "carer": of["id"]}, {"carer"})
    council = {"role": "practitioner"}
    both = {f"the receiver's {role}": ({"role": role, "org": receiver}, {"receiver"})
            for role in ("support_worker", "assessor", "break_provider", "hospital_in_reach", "vcfse_editor")}
    if request.param == "a charity to another":
        one = referral(to=receiver, of=of, role="support_worker", org=sender)
        callers = {"the sender": ({"role": "support_worker", "org": sender}, {"creator"}), **both, "the council": (council, set()),
                   "the carer": carer_caller, "a stranger": ({"role": "support_worker", "org": other}, None)}
    elif request.param == "a practice to a charity":
        body = {"given_name": of["given_name"], "family_name": of["family_name"], "date_of_birth": "1930-01-02", "council": of["council"]}
        one = referral(to=receiver, role="referrer", org=sender, person=body)
        callers = {"the sender": ({"role": "referrer", "org": sender}, {"creator"}), **both, "the council": (council, set()),
                   "the carer": ({"role": "carer", "carer": of["id"]}, None), "another practice": ({"role": "referrer", "org": other}, None)}
    else:
        one = referral(of=of)
        callers = {"the council": (council, {"creator", "receiver"}), "its administrator": ({"role": "council_admin"}, {"creator", "receiver"}),
                   "the carer": carer_caller, "a stranger": ({"role": "support_worker", "org": other}, None),
                   "another council": ({"role": "practitioner", "council": "E09000007"}, None)}
    return Scene(api, db, one, callers)


@pytest.mark.parametrize("state", STATES)
def test_every_action_of_every_caller_does_what_the_table_says(scene, state):
    wrong, moved = [], True
    for action in ACTIONS:
        for who in scene.callers:
            if moved:
                scene.put(state)
            response = scene.ask(who, action)
            wanted, told = scene.expected(who, state, action), answer(response)
            moved = told in ("200", "201")
            if told != wanted:
                wrong.append((action, who, wanted, response.text))
            elif told == "200":
                assert response.json()["state"] == step_of(state, action, scene.callers[who][1]).to
            elif told == "201":
                assert response.json()["replaces_id"] == scene.one["id"] and response.json()["state"] == "draft"
                assert response.json()["correlation_id"] == scene.one["correlation_id"]
            elif told == "state-conflict":
                assert response.json()["state"] == state
    assert wrong == []


@pytest.mark.parametrize("state", STATES)
def test_available_actions_are_exactly_those_that_succeed(scene, state):
    scene.put(state)
    for who, (_, sides) in scene.callers.items():
        response = scene.ask(who, "read")
        if sides is None or state == "draft" and "creator" not in sides:
            assert answer(response) == "not-found", who
        else:
            assert response.json()["available_actions"] == [action for action in ACTIONS if step_of(state, action, sides)], who
