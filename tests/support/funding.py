"""Funding for tests: bodies, scopes, and the machine of states as api/rules/funding_states.def writes it down."""
import re
from typing import NamedTuple

from support.server import ROOT

READ, APPLY, DECIDE = "breaks:read", "breaks:read breaks:write", "breaks:read breaks:write funding:approve"
BUDGET, FUND = "carers_personal_budget", "flexible_breaks_fund"
ACTIONS = ("approve", "refuse", "pay")
BODIES = {"approve": {}, "refuse": {"reason": "It is paid for by another fund."},
          "pay": {"method": "prepaid_card", "reference": "AP-2026/118204"}}
# What a row of that state must have beside it.
ROWS = {"applied": "decided_at = NULL, reason = NULL, paid_at = NULL, payment_method = NULL",
        "approved": "decided_at = now(), reason = NULL, paid_at = NULL, payment_method = NULL",
        "refused": "decided_at = now(), reason = 'x', paid_at = NULL, payment_method = NULL",
        "paid": "decided_at = now(), reason = NULL, paid_at = now(), payment_method = 'cheque'"}


class Step(NamedTuple):
    """One row of the machine, for one state."""
    state: str
    action: str
    to: str
    must: tuple


def _machine():
    text = (ROOT / "api/rules/funding_states.def").read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    for states, action, to, must in re.findall(r'X\(([^,]*),\s*(\w+),\s*(\w+),\s*"([^"]*)"\)', text):
        for state in states.lower().split("|"):
            yield Step(state.strip(), action, to.lower(), tuple(must.split()))


MACHINE = tuple(_machine())
STATES = tuple(ROWS)


def step_of(state, action):
    """The row for this cell, None when there is none."""
    return next((s for s in MACHINE if (s.state, s.action) == (state, action)), None)


def award_body(scheme=BUDGET, **members):
    """The body of createAward."""
    level = "low" if scheme == BUDGET else "individual"
    return {"scheme": scheme, "level": level, "amount_pence": 10_000, "purpose": "rest", **members}


def path_of(one, action=""):
    return f"/v1/funding-awards/{one['id']}" + (f"/{action}" if action else "")


def decide(cursor, carer, decision, completed_on="2026-06-02"):
    """Puts a completed assessment on record that decides so; gives its id. Triggers are the business of other tests."""
    met = decision == "eligible"
    cursor.execute("SET session_replication_role = replica")
    cursor.execute("WITH a AS (INSERT INTO assessment (id, carer_id, council, kind, state, assessor_type, completed_on)"
                   " SELECT uuid7(clock_timestamp()), c.id, c.council, 'statutory', 'completed', 'council', %s FROM carer c"
                   "  WHERE c.id = %s RETURNING id, carer_id, council, completed_on)"
                   " INSERT INTO assessment_eligibility (assessment_id, carer_id, council, decided_on, necessary_care, circumstances,"
                   "                                     significant_impact, decision, reasons)"
                   " SELECT a.id, a.carer_id, a.council, a.completed_on, %s, '[\"recreation\"]', true, %s, 'Invented' FROM a"
                   " RETURNING assessment_id", (completed_on, carer, met, decision))
    ident = cursor.fetchone()[0]
    cursor.execute("SET session_replication_role = origin")
    return str(ident)
