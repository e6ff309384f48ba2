"""Assessments: begun, read, listed, written down, completed; rules A4 to A8 and A11."""
import datetime
import threading
import zoneinfo

import pytest
from support.assessments import BODIES, OFFER, SCOPES, assessment_body, path_of
from support.callers import AUDIT, CALLERS, NOBODY, answer
from support.client import faults, problem
from support.tokens import CAMDEN, ISLINGTON

COUNCIL = {"her council", "her council's administrator"}
ELSEWHERE = {"another council", "another council's administrator", "another in-reach team"}
EVERYTHING = f"{AUDIT} {SCOPES} admin"  # what refuses is then never the scope
FULL = {
    "form": "joint", "mode": "video", "setting": "home", "language": "bn", "assessor": {"name": "B. Lindqvist"},
    "scheduled_for": "2026-12-03T10:00:00.000Z", "self_completion": True,
    "outcomes": [{"statement": "Sleep through", "importance": 1, "target": "three nights a week", "status": "not_reviewed"}],
    "needs": ["break_from_caring", "own_health"], "break_recommended": True, "contingency_offer": OFFER,
    "hospital": {"trust": "St Audrey's", "ward": "Elm", "admitted_on": "2026-01-02", "discharged_on": "2026-01-09"},
    "immediate_needs": ["a key safe"], "forward_look": "Not known yet.", "practitioner_notes": "Ring her on Friday."}


def day(offset=0):
    return (datetime.datetime.now(zoneinfo.ZoneInfo("Europe/London")).date() + datetime.timedelta(offset)).isoformat()


def rule(response, ident):
    assert problem(response, 422, "rule-violated")["rule"] == ident
    return response.json()


@pytest.fixture
def do(api):
    """do(assessment, action, ..., role=): the answer of the action, with a body that the contract takes."""
    def act(one, action, body=None, role="practitioner", **options):
        body = BODIES.get(action, {}) if body is None else body
        if action == "update":
            return api.patch(path_of(one), etag="*", role=role, json=body, **options)
        return api.post(path_of(one, action), role=role, json=body, **options)
    return act


class TestCreate:
    """createAssessment: 201, Location, ETag, the representation."""

    def test_it_is_created_and_read_back_as_it_was_sent(self, api, carer):
        one = carer()
        made = api.post(f"/v1/carers/{one['id']}/assessments", role="practitioner", json=assessment_body(**FULL))

        assert made.status_code == 201, made.text
        body = made.json()
        assert {name: body[name] for name in FULL} == {**FULL, "assessor": {"type": "council", "name": "B. Lindqvist"}}
        assert body["state"] == "offered" and body["carer_id"] == one["id"] and body["council"] == ISLINGTON
        read = api.get(made.headers["Location"], role="practitioner")
        assert read.json() == body and read.headers["ETag"] == made.headers["ETag"]

    def test_the_least_is_a_kind_and_absent_members_are_absent(self, assessment):
        one = assessment("light_touch")

        assert None not in one.values()
        assert not {"review", "needs", "outcomes", "hospital", "scheduled_for", "completed_on"} & set(one)
        assert one["form"] == "single" and one["assessor"] == {"type": "council"} and one["self_completion"] is False

    @pytest.mark.parametrize("kind, members, state", [
        ("statutory", {}, "offered"), ("statutory", {"requested": True}, "requested"),
        ("statutory", {"requested": False}, "offered"), ("light_touch", {}, "in_progress"), ("review", {}, "due")])
    def test_each_kind_begins_in_its_state(self, assessment, kind, members, state):
        assert assessment(kind, **members)["state"] == state

    @pytest.mark.parametrize("body, fault", [
        ({}, ("", "required")), ({"kind": "review"}, ("", "required")),
        ({"kind": "statutory", "review": {"planned": True, "due_on": "2027-01-01"}}, ("/review", "not")),
        ({"kind": "review", "review": {"planned": True}}, ("/review", "required")),
        ({"kind": "light_touch", "requested": True}, ("/kind", "enum")), ({"kind": "statutory", "state": "completed"}, ("/state", "additionalProperties")),
        ({"kind": "statutory", "assessor": {"type": "council"}}, ("/assessor/type", "additionalProperties")),
        ({"kind": "statutory", "assessor": {"organisation_id": NOBODY}}, ("/assessor/organisation_id", "additionalProperties"))])
    def test_what_is_not_of_the_contract_is_refused(self, api, carer, body, fault):
        assert fault in faults(api.post(f"/v1/carers/{carer()['id']}/assessments", role="practitioner", json=body))
