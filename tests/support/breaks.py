"""Breaks for tests: bodies, and the machine of states as api/rules/break_states.def writes it down."""
import re
from typing import NamedTuple

from support.server import ROOT

AGREEMENT = {"hours_per_session": 3, "frequency": "fortnightly", "starts_on": "2026-01-08"}
BODIES = {"update": {"with_cared_for": "with"}, "conversation": {"held_on": "2026-01-05"}, "agree": AGREEMENT,
          "pause": {"reason": "She is away."}, "resume": {"reason": "She is back."}, "end": {"reason": "It is over."},
          "decline": {"reason": "She does not want it."}}
ACTIONS = ("update", "conversation", "agree", "start", "pause", "resume", "end", "decline")
WORDS = ("conversation", "agree")  # rule B2


class Step(NamedTuple):
    """One row of the machine, for one state and one side."""
    state: str
    action: str
    to: str
    side: str
    must: tuple


def _machine():
    text = (ROOT / "api/rules/break_states.def").read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    for states, action, to, sides, must in re.findall(r'X\(([^,]*),\s*(\w+),\s*(\w+),\s*([^,]*),\s*"([^"]*)"\)', text):
        for state in states.lower().split("|"):
            for side in sides.lower().split("|"):
                yield Step(state.strip(), action, state.strip() if to == "SAME" else to.lower(), side.strip(), tuple(must.split()))


MACHINE = tuple(_machine())
STATES = sorted({step.state for step in MACHINE} | {step.to for step in MACHINE})


def step_of(state, action, sides):
    """The row by which one of these sides does this, None when there is none."""
    return next((s for s in MACHINE if (s.state, s.action) == (state, action) and s.side in sides), None)


def break_body(**members):
    """The body of createBreak with what the contract requires."""
    body = {"scheme": "open_breaks", "delivery": "sitting_service", "purpose": "rest", **members}
    return {name: value for name, value in body.items() if value is not None}


def path_of(one, action=""):
    return f"/v1/breaks/{one['id']}" + (f"/{action}" if action not in ("", "update") else "")
