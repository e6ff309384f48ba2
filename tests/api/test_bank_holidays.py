"""getBankHolidays, putBankHolidays: England's list, as it is observed, and who may change it."""
import pytest
from support.callers import CALLERS, answer
from support.client import problem

ADMIN = {"role": "council_admin", "scope": "admin"}


@pytest.mark.parametrize("year, days", [
    # https://www.gov.uk/bank-holidays, England and Wales
    (2020, "01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-28"), (2021, "01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28"),
    (2022, "01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27"),
    (2023, "01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26"), (2024, "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26"),
    (2025, "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26"), (2026, "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28"),
    (2027, "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28"), (2028, "01-03 04-14 04-17 05-01 05-29 08-28 12-25 12-26"),
    (2035, "01-01 03-23 03-26 05-07 05-28 08-27 12-25 12-26")])
def test_the_shipped_days_are_those_that_are_observed(api, year, days):
    found = [item["day"] for item in api.get("/v1/bank-holidays", role="practitioner").json()["days"]]

    assert [day[5:] for day in found if day.startswith(str(year))] == days.split()


def test_a_day_is_added_by_an_administrator_with_the_etag_of_what_she_read(api):
    read = api.get("/v1/bank-holidays", **ADMIN)
    before = read.json()["days"]
    body = {"days": [*before, {"day": "2099-05-08", "name": "A jubilee"}]}

    problem(api.put("/v1/bank-holidays", json=body, **ADMIN), 428, "precondition-required")
    problem(api.put("/v1/bank-holidays", json=body, headers={"If-Match": '"v999"'}, **ADMIN), 412, "precondition-failed")
    twice = problem(api.put("/v1/bank-holidays", json={"days": [before[0], before[0]]}, headers={"If-Match": "*"}, **ADMIN), 422,
                    "rule-violated")
    assert twice["rule"] == "R3" and [fault["pointer"] for fault in twice["errors"]] == ["/days/1/day"]
    changed = api.put("/v1/bank-holidays", json=body, headers={"If-Match": read.headers["ETag"]}, **ADMIN)
    assert changed.status_code == 200 and changed.json()["days"] == body["days"]
    assert api.put("/v1/bank-holidays", json={"days": before}, headers={"If-Match": changed.headers["ETag"]}, **ADMIN).json()["days"] == before


@pytest.mark.parametrize("caller", list(CALLERS))
def test_everybody_reads_them_and_administrators_set_them(world, caller):
    assert answer(world.ask(caller, "GET", "/v1/bank-holidays")) == "200"
    set_ = world.ask(caller, "PUT", "/v1/bank-holidays", json={"days": []}, headers={"If-Match": '"v999"'}, scope="admin")
    assert answer(set_) == ("precondition-failed" if "administrator" in caller else "forbidden")
