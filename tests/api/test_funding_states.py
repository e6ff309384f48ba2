"""The machine of funding awards over HTTP (B5): every state, every action, every caller, as funding_states.def has it."""
import pytest
from support.callers import CALLERS, answer
from support.funding import ACTIONS, APPLY, BODIES, DECIDE, ROWS, STATES, award_body, decide, path_of, step_of

COUNCIL = {"her council", "her council's administrator"}
STRANGERS = {"another council", "another council's administrator"}
READERS = COUNCIL | {"her support worker", "her assessor", "herself"}


@pytest.fixture
def scene(world, db):
    """An award of the world's carer, and put(state)."""
    class Scene:
        ask = staticmethod(world.ask)

        def put(self, state):
            db.execute("SET session_replication_role = replica")
            db.execute(f"UPDATE funding_award SET state = %s, action = 'apply', {ROWS[state]} WHERE id = %s", (state, self.award["id"]))
            db.execute("SET session_replication_role = origin")
    decide(db, world.carer["id"], "eligible")
    Scene.award = world.ask("her council", "POST", "/funding-awards", json=award_body(), scope=APPLY).json()
    return Scene()


@pytest.mark.parametrize("state", STATES)
def test_every_action_of_every_caller_does_what_the_table_says(scene, state):
    wrong = []
    for action in ACTIONS:
        for who in CALLERS:
            scene.put(state)
            response = scene.ask(who, "POST", path_of(scene.award, action), json=BODIES[action], scope=DECIDE)
            step = step_of(state, action)
            wanted = (("200" if step else "state-conflict") if who in COUNCIL else "not-found" if who in STRANGERS else "forbidden")
            if answer(response) != wanted:
                wrong.append((action, who, wanted, response.text))
            elif wanted == "200":
                assert response.json()["state"] == step.to
            elif wanted == "state-conflict":
                assert response.json()["state"] == state
    assert wrong == []


@pytest.mark.parametrize("state", STATES)
def test_available_actions_are_exactly_those_that_succeed(scene, state):
    scene.put(state)
    for who in READERS:
        for scope in (APPLY, DECIDE):
            seen = scene.ask(who, "GET", path_of(scene.award), scope=scope).json()
            able = who in COUNCIL and scope == DECIDE
            assert seen["available_actions"] == [action for action in ACTIONS if able and step_of(state, action)], (who, scope)
