"""What commissioners are told of referrals: the share contacted in time, exact figures of little councils, by role."""
import pytest
from support.callers import CALLERS, answer
from support.client import faults, problem
from support.people import carer_body
from support.referrals import path_of, referral_body
from support.tokens import ISLINGTON

COUNCIL, OTHER = "E09000013", "E09000014"  # that no other test uses
PATH = "/v1/reports/referrals"


@pytest.fixture(scope="module")
def told(api, db, organisation):
    """To a provider 8 in time, 6 late, 5 not due; to the council's team 7 in time; one was voided, one is a draft."""
    org = organisation(COUNCIL)

    def refer(to, contact=None, due="1 day", action="submit"):
        staff = {"role": "practitioner", "council": COUNCIL}
        who = api.post("/v1/carers", json=carer_body(COUNCIL), **staff).json()
        one = api.post("/v1/referrals", json=referral_body(carer_id=who["id"], to=to), **staff).json()
        for step in (action and ["submit", action] if action == "void" else action and [action]) or ():
            assert api.post(path_of(one, step), json={}, **staff).status_code == 200
        db.execute("SET session_replication_role = replica")
        db.execute("UPDATE referral SET contact_due_at = submitted_at + %s::interval, first_contact_at = submitted_at + %s::interval,"
                   " submitted_at = submitted_at WHERE id = %s AND submitted_at IS NOT NULL", (due, contact, one["id"]))
        db.execute("SET session_replication_role = origin")
    for _ in range(8):
        refer({"organisation_id": org}, contact="1 hour")
    for number in range(6):
        refer({"organisation_id": org}, contact="2 days" if number < 3 else None, due="1 day" if number < 3 else "-1 hour")
    for _ in range(5):
        refer({"organisation_id": org})
    for _ in range(7):
        refer({"team": "adult_social_care"}, contact="1 day")
    refer({"team": "adult_social_care"}, action="void")
    refer({"team": "adult_social_care"}, action=None)
    return org


def report(api, council=COUNCIL, role="commissioner", **query):
    response = api.get(PATH, role=role, council=council, scope="reports:read", params=query)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("role", ["commissioner", "council_admin"])
def test_the_share_is_of_those_of_which_it_is_known(api, told, role):
    whole = report(api, role=role)

    assert {name: whole[name] for name in ("submitted", "contacted_in_time", "late", "others", "suppressed")} == {
        "submitted": 26, "contacted_in_time": {"count": 15, "share": 0.714}, "late": {"count": 6, "share": 0.286}, "others": 5,
        "suppressed": []}
    assert whole["council"] == COUNCIL and "provider" not in whole


def test_of_one_receiver(api, told):
    theirs, teams = report(api, provider=told), report(api, provider="council")

    assert (theirs["contacted_in_time"], theirs["late"], theirs["others"]) == (
        {"count": 8, "share": 0.571}, {"count": 6, "share": 0.429}, 5)
    assert (teams["submitted"], teams["contacted_in_time"], teams["late"]) == (7, {"count": 7, "share": 1.0}, {"count": 0, "share": 0.0})


def test_another_period_and_another_council_have_none(api, told):
    empty = report(api, **{"from": "2024-04-01", "to": "2024-09-30"})

    assert (empty["submitted"], empty["contacted_in_time"], empty["late"]) == (0, {"count": 0}, {"count": 0})
    assert report(api, OTHER)["submitted"] == 0


def test_small_counts_are_hidden_and_what_would_give_them_away(api, organisation):
    staff, org = {"role": "practitioner", "council": OTHER}, organisation(OTHER)
    for number in range(9):
        who = api.post("/v1/carers", json=carer_body(OTHER), **staff).json()
        one = api.post("/v1/referrals", json=referral_body(carer_id=who["id"], to={"organisation_id": org}), **staff).json()
        api.post(path_of(one, "submit"), json={}, **staff)
        if number < 2:
            api.post(path_of(one, "contact"), json={"channel": "phone"}, role="assessor", org=org)

    whole = report(api, OTHER, **{"provider": org})

    assert whole["submitted"] == 9 and set(whole["suppressed"]) == {"contacted_in_time", "others"}
    assert not {"contacted_in_time", "others"} & whole.keys() and whole["late"] == {"count": 0}


@pytest.mark.parametrize("caller", [name for name in CALLERS if name not in ("a commissioner", "her council's administrator",
                                                                             "another council's administrator")])
def test_nobody_else_is_told(world, caller):
    assert answer(world.ask(caller, "GET", PATH, scope="reports:read")) == "forbidden"


def test_what_is_wrong_is_named(api):
    both = {"role": "commissioner", "council": [COUNCIL, ISLINGTON], "scope": "reports:read"}

    assert ("/query/council", "rule") in faults(api.get(PATH, **both), 400, "invalid-parameter")
    assert ("/query/from", "rule") in faults(api.get(PATH + f"?council={COUNCIL}&from=2026-04-02", **both), 400, "invalid-parameter")
    problem(api.get(PATH, role="commissioner", council=COUNCIL, scope="carers:read"), 403, "insufficient-scope")
