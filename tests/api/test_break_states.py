"""The machine of breaks over HTTP: every state, every action, every caller, as break_states.def has it."""
import pytest
from support.breaks import ACTIONS, BODIES, STATES, WORDS, path_of, step_of
from support.callers import answer

ACTS = {"council_admin", "practitioner", "assessor", "support_worker", "break_provider"}


class Scene:
    """A break that a charity has arranged with a provider, put back into its state before each question; callers: (claims, sides)."""

    def __init__(self, api, db, one, callers):
        self.api, self.db, self.one, self.callers = api, db, one, callers

    def put(self, state):
        self.db.execute("SET session_replication_role = replica")
        self.db.execute("UPDATE carer_break SET state = %s, conversation_held_on = '2026-01-05', hours_per_session = 2, frequency = 'weekly',"
                        " starts_on = '2026-01-06', with_cared_for = NULL WHERE id = %s", (state, self.one["id"]))
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
        if claims["role"] not in ACTS:
            return "forbidden"  # the contract's x-roles
        if sides is None:
            return "not-found"
        if step_of(state, action, sides):
            return "200"
        return "rule-violated" if action in WORDS and "provider" not in sides else "state-conflict"


@pytest.fixture
def scene(api, db, carer, organisation, grant):
    arranger, provider, other, of = organisation(), organisation(), organisation(), carer()
    for org in (arranger, provider, other):
        grant(of["id"], org)
    body = {"scheme": "open_breaks", "delivery": "activity", "purpose": "social", "provider_organisation_id": provider}
    one = api.post(f"/v1/carers/{of['id']}/breaks", json=body, role="support_worker", org=arranger)
    assert one.status_code == 201, one.text
    callers = {"the provider": ({"role": "break_provider", "org": provider}, {"provider"}),
               "the charity's support worker": ({"role": "support_worker", "org": arranger}, {"arranger"}),
               "the charity's assessor": ({"role": "assessor", "org": arranger}, {"arranger"}),
               "the council": ({"role": "practitioner"}, {"arranger"}), "its administrator": ({"role": "council_admin"}, {"arranger"}),
               "another provider": ({"role": "break_provider", "org": other}, None),
               "another charity": ({"role": "support_worker", "org": other}, None),
               "another council": ({"role": "practitioner", "council": "E09000007"}, None),
               "an in-reach team": ({"role": "hospital_in_reach", "org": other, "scope": "breaks:read breaks:write"}, None),
               "the carer": ({"role": "carer", "carer": of["id"], "scope": "breaks:read breaks:write"}, set()),
               "another carer": ({"role": "carer", "carer": carer()["id"], "scope": "breaks:read breaks:write"}, None)}
    return Scene(api, db, one.json(), callers)


@pytest.mark.parametrize("state", STATES)
def test_every_action_of_every_caller_does_what_the_table_says(scene, state):
    wrong, moved = [], True
    for action in ACTIONS:
        for who in scene.callers:
            if moved:
                scene.put(state)
            response = scene.ask(who, action)
            wanted, told = scene.expected(who, state, action), answer(response)
            moved = told == "200"
            if told != wanted:
                wrong.append((action, who, wanted, response.text))
            elif told == "200":
                assert response.json()["state"] == step_of(state, action, scene.callers[who][1]).to
            elif told == "state-conflict":
                assert response.json()["state"] == state
            elif told == "rule-violated":
                assert response.json()["rule"] == "B2"
    assert wrong == []


@pytest.mark.parametrize("state", STATES)
def test_available_actions_are_exactly_those_that_succeed(scene, state):
    scene.put(state)
    for who, (claims, sides) in scene.callers.items():
        response = scene.ask(who, "read")
        if sides is None:
            assert answer(response) == "not-found", who
        else:
            assert response.json()["available_actions"] == [action for action in ACTIONS if step_of(state, action, sides)], who


SESSION_BODIES = {"update": {"note": "x"}, "deliver": {"delivered_by": "paid"}, "cancel": {"side": "carer", "reason": "x"}}
REACHED = {"update": "planned", "deliver": "delivered", "cancel": "cancelled_by_carer"}


@pytest.mark.parametrize("state", ["planned", "delivered", "cancelled_by_carer", "cancelled_by_provider"])
def test_a_session_is_changed_while_it_is_planned_and_by_the_provider(scene, api, db, state):
    scene.put("active")
    body = {"starts_at": "2026-02-05T10:00:00Z", "ends_at": "2026-02-05T13:00:00Z"}
    one = api.post(path_of(scene.one, "sessions"), json=body, **scene.callers["the provider"][0]).json()
    path, wrong = f"{path_of(scene.one, 'sessions')}/{one['id']}", []

    def put():
        db.execute("SET session_replication_role = replica")
        done = "'2026-02-05', delivered_hours = 3, delivered_by = 'paid'" if state == "delivered" else "NULL, delivered_hours = NULL, delivered_by = NULL"
        db.execute(f"UPDATE break_session SET state = %s, delivered_on = {done} WHERE id = %s", (state, one["id"]))
        db.execute("SET session_replication_role = origin")
    for who, (claims, sides) in scene.callers.items():
        put()
        told = api.get(path, **claims)
        seen = list(SESSION_BODIES) if state == "planned" and sides == {"provider"} else []
        if (answer(told) if sides is None else told.json()["available_actions"]) != ("not-found" if sides is None else seen):
            wrong.append((who, "read", told.text))
        for action, words in SESSION_BODIES.items():
            put()
            response = (api.patch(path, etag="*", json=words, **claims) if action == "update" else api.post(f"{path}/{action}", json=words, **claims))
            wanted = ("forbidden" if claims["role"] != "break_provider" else "not-found" if sides is None else
                      "200" if state == "planned" else "state-conflict")
            if answer(response) != wanted or wanted == "200" and response.json()["state"] != REACHED[action]:
                wrong.append((who, action, wanted, response.text))
    assert wrong == []
