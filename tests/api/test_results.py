"""What was found in an assessment: SWEMWBS (A1), ratings (A2), I-statements (A3), eligibility (A9); A8 for all of them."""
import pytest
from support.callers import CALLERS, answer
from support.client import faults, problem

ITEMS = ["optimism", "usefulness", "relaxation", "problem_handling", "clear_thinking", "closeness", "own_decisions"]
TODAY = "2026-11-20"
COUNCIL = {"role": "practitioner"}


def responses(*answers):
    return dict(zip(ITEMS, answers))


@pytest.fixture
def assessment(api, carer):
    """assessment(carer): the path of a statutory assessment of hers that is in progress."""
    def make(one=None, **members):
        one = one or carer()
        made = api.post(f"/v1/carers/{one['id']}/assessments", json={"kind": "statutory", **members}, **COUNCIL)
        assert made.status_code == 201, made.text
        path = f"/v1/assessments/{made.json()['id']}"
        for action in ("schedule", "start"):
            moved = api.post(f"{path}/{action}", json={}, **COUNCIL)
            assert moved.status_code == 200, moved.text
        return path
    return make


def put(api, path, body, etag=None, **caller):
    return api.put(path, json=body, headers={"If-Match": etag} if etag else {}, **{**COUNCIL, **caller})
