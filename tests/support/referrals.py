"""Referrals for tests: bodies, and the machine of states as api/rules/referral_states.def writes it down."""
import datetime
import re
from typing import NamedTuple

from support.server import ROOT
from support.tokens import ISLINGTON

SCOPES = "referrals:read referrals:write"
CONSENT = {"given": True, "method": "verbal", "recorded_on": "2026-01-05"}
BODIES = {"contact": {"channel": "phone"}, "waitlist": {"estimate": "unknown"}, "decline": {"reason": "at_capacity"},
          "return": {"missing": "Which ward?"}, "not_eligible": {"signposts": [{"text": "The café on Thursdays"}]},
          "hold": {"reason": "She is away."}, "resume": {"reason": "She is back."}, "fail": {"reason": "Not reached."},
          "withdraw": {"reason": "She has moved."}, "complete": {"outcome": "A sitter comes.", "delivered": "Four visits."},
          "update": {"reason": "Another one."}}
ACTIONS = ("update", "submit", "receive", "contact", "accept", "waitlist", "decline", "return", "not_eligible", "start", "hold", "resume",
           "complete", "fail", "withdraw", "void", "refer_onward")


class Step(NamedTuple):
    """One row of the machine, for one state and one side."""
    state: str
    action: str
    to: str
    side: str
    must: tuple


def _machine():
    text = (ROOT / "api/rules/referral_states.def").read_text(encoding="utf-8")
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


def today(ago=0):
    return (datetime.date.today() - datetime.timedelta(ago)).isoformat()


def referral_body(**members):
    """The body of createReferral with what submit asks for."""
    body = {"kind": "carers_assessment", "reason": "Her own health.", "needs": ["own_health"], "current_situation": "Up every night.",
            "information_as_of": today(1), "consent": CONSENT, **members}
    return {name: value for name, value in body.items() if value is not None}


def person(**members):
    """Whom a referrer refers: somebody new each time, unless she is named."""
    return {"given_name": "Ada", "family_name": "Okonjo", "date_of_birth": "1950-01-01", "postcode": "N1 2UD", "council": ISLINGTON, **members}


def path_of(one, action=""):
    return f"/v1/referrals/{one['id']}" + (f"/{action.replace('_', '-')}" if action not in ("", "update") else "")
