"""A council's settings: read with what holds without them, changed with If-Match, audited."""
import pytest
from support.client import faults, problem

COUNCIL = "E06000034"  # whose settings no other test changes
PATH = f"/v1/councils/{COUNCIL}/settings"
ADMIN = {"role": "council_admin", "council": COUNCIL}
PRESET = {"statutory_assessors": ["council", "trusted_assessor", "commissioned_provider"], "commissioned_providers": [],
          "review_interval_months": 12, "first_review_weeks": 8, "swemwbs_change_threshold": 3.0,
          "referral_information_days": 28, "referral_contact": {"routine_working_days": 5, "urgent_minutes": 120, "kinds": {}},
          "access_days_after_close": 30}


@pytest.fixture(autouse=True)
def fresh(db):
    db.execute("DELETE FROM council_settings WHERE council = %s", (COUNCIL,))


def test_without_a_change_the_services_own_hold(api):
    response = api.get(PATH, **ADMIN)

    assert response.json() == {"council": COUNCIL, **PRESET} and response.headers["ETag"] == '"v1"'


def test_a_change_is_kept_and_null_goes_back(api):
    changed = api.patch(PATH, etag='"v1"', json={"review_interval_months": 6, "swemwbs_change_threshold": 2.8}, **ADMIN)
    assert changed.headers["ETag"] == '"v2"'
    assert {**PRESET, "review_interval_months": 6, "swemwbs_change_threshold": 2.8}.items() <= changed.json().items()

    back = api.patch(PATH, etag='"v2"', json={"review_interval_months": None}, **ADMIN)

    assert back.json()["review_interval_months"] == 12 and back.json()["swemwbs_change_threshold"] == 2.8
    assert api.get(PATH, **ADMIN).json() == back.json()


def test_a_stale_version_changes_nothing(api):
    api.patch(PATH, etag="*", json={"first_review_weeks": 6}, **ADMIN)

    problem(api.patch(PATH, etag='"v1"', json={"first_review_weeks": 4}, **ADMIN), 412, "precondition-failed")
    problem(api.patch(PATH, json={"first_review_weeks": 4}, **ADMIN), 428, "precondition-required")
    assert api.get(PATH, **ADMIN).json()["first_review_weeks"] == 6


@pytest.mark.parametrize("body, fault", [
    ({"colour": "red"}, ("/colour", "additionalProperties")), ({"review_interval_months": 0}, ("/review_interval_months", "minimum")),
    ({"statutory_assessors": ["anybody"]}, ("/statutory_assessors/0", "enum"))])
def test_what_is_no_setting_is_refused(api, body, fault):
    assert fault in faults(api.patch(PATH, etag="*", json=body, **ADMIN))


def test_a_change_leaves_its_row_in_the_trail(api, db):
    headers = {"X-Request-ID": "settings-change"}
    api.patch(PATH, etag="*", json={"first_review_weeks": 6}, headers=headers, **ADMIN)
    db.execute("SELECT action, council, subject_table, before, after FROM audit_entry WHERE request = 'settings-change'")

    assert db.fetchall() == [("updateCouncilSettings", COUNCIL, "council_settings", {}, {"first_review_weeks": 6})]
