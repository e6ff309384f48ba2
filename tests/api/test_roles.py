"""Who may use which operation on a carer: every caller, every operation; the slug of each refusal."""
import pytest
from support.callers import CALLERS, NOBODY, answer
from support.people import carer_body

COUNCIL = {"her council", "her council's administrator"}
PARTNER = {"her support worker", "her assessor", "her in-reach team"}
PROVIDER, HERSELF = {"her breaks provider"}, {"herself"}
STRANGERS = {"another council", "another council's administrator", "another organisation", "another in-reach team",
             "another carer"}  # for them the carer does not exist


@pytest.mark.parametrize("caller", list(CALLERS))
def test_a_carer_is_read_by_who_may_see_her(world, caller):
    expected = {**dict.fromkeys(COUNCIL | PARTNER | PROVIDER | HERSELF, "200"), **dict.fromkeys(STRANGERS, "not-found")}

    assert answer(world.ask(caller, "GET")) == expected.get(caller, "forbidden")


@pytest.mark.parametrize("caller", list(CALLERS))
def test_a_carer_is_closed_by_council_staff_and_support_workers(world, caller):
    strangers = {"another council", "another council's administrator", "another organisation"}
    expected = {**dict.fromkeys(COUNCIL | {"her support worker"}, "200"), **dict.fromkeys(strangers, "not-found")}

    response = world.ask(caller, "POST", "/close", json={"reason": "lost_contact"})

    assert answer(response) == expected.get(caller, "forbidden")


@pytest.mark.parametrize("caller", list(CALLERS))
def test_a_carer_is_recorded_by_who_meets_carers(world, caller):
    meets = COUNCIL | PARTNER | {"another organisation", "another in-reach team"}
    elsewhere = {"another council", "another council's administrator"}
    expected = {**dict.fromkeys(meets, "201"), **dict.fromkeys(elsewhere, "validation-failed")}

    assert answer(world.ask(caller, "POST", "/v1/carers", json=carer_body())) == expected.get(caller, "forbidden")


@pytest.mark.parametrize("caller", list(CALLERS))
def test_nobody_is_told_of_a_carer_who_is_not_there(world, caller):
    persons = COUNCIL | PARTNER | PROVIDER | HERSELF | STRANGERS

    response = world.ask(caller, "GET", f"/v1/carers/{NOBODY}")

    assert answer(response) == ("not-found" if caller in persons else "forbidden")
