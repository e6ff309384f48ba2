"""Assessments for tests: bodies, and the machine of states as api/rules/assessment_states.def writes it down."""
import re
from typing import NamedTuple

from support.server import ROOT

SCOPES = "assessments:read assessments:write"
KINDS = ("statutory", "light_touch", "review", "reassessment")
ROLES = ("council_admin", "practitioner", "assessor", "hospital_in_reach", "carer")  # who may see assessments at all
ACTIONS = ("update", "schedule", "start", "complete", "offer_full", "full_response", "decline", "cancel")
OFFER = {"offered_on": "2026-01-05", "response": "later"}
BODIES = {"schedule": {"scheduled_for": "2026-12-03T10:00:00Z"}, "cancel": {"reason": "moved_away"},
          "full_response": {"response": "requested"}}


class Step(NamedTuple):
    """One row of the machine, for one kind and one state."""
    kind: str
    state: str
    action: str
    to: str
    roles: frozenset


def _machine():
    text = (ROOT / "api/rules/assessment_states.def").read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    for row in re.findall(r"X\(([^)]*)\)", text):
        kinds, states, action, to, roles = ([word.strip().lower() for word in part.split("|")] for part in row.split(","))
        for kind in kinds:
            for state in states:
                yield Step(kind, state, action[0], state if to[0] == "same" else to[0], frozenset(roles))


MACHINE = tuple(_machine())
STATES = {kind: sorted({step.to for step in MACHINE if step.kind == kind}) for kind in KINDS}


def step_of(kind, state, action, to=None):
    """The row for this cell, None when there is none."""
    return next((s for s in MACHINE if (s.kind, s.state, s.action) == (kind, state, action) and to in (None, s.to)), None)


def assessment_body(kind="statutory", **members):
    """The body of createAssessment with what the contract requires."""
    body = {"kind": kind, **({"review": {"planned": True, "due_on": "2027-03-01"}} if kind == "review" else {}), **members}
    return {name: value for name, value in body.items() if value is not None}


def path_of(one, action=""):
    return f"/v1/assessments/{one['id']}" + (f"/{action.replace('_', '-')}" if action not in ("", "update") else "")
