"""Prefer: return=minimal (RFC 7240): a change is answered by its ETag and its Location, without the record."""
import json
import uuid

import pytest
from support.client import faults, problem
from support.directory import EDITOR, SERVICES, service_body
from support.people import carer_body

MINIMAL = {"Prefer": "return=minimal"}
STAFF = {"role": "practitioner"}
PLAN = {"emergency_contacts": [{"name": "Joan Petty", "relationship": "neighbour", "phone": "+441632960177"}],
        "instructions": "Call Joan."}


def minimal(response):
    """Asserts that the answer is the change's minimal one, and gives its ETag."""
    assert (response.status_code, response.content) == (204, b""), response.text
    assert response.headers["Preference-Applied"] == "return=minimal"
    assert "Content-Type" not in response.headers and "Content-Encoding" not in response.headers
    return response.headers["ETag"]


def test_a_create_says_where_it_is_and_its_version_and_no_more(api):
    body = carer_body()
    response = api.post("/v1/carers", json=body, headers=MINIMAL, **STAFF)

    etag = minimal(response)
    made = api.get(response.headers["Location"], headers={"Accept-Encoding": "identity"}, **STAFF)
    assert made.json()["family_name"] == body["family_name"] and made.headers["ETag"] == etag


def test_a_patch_answers_the_etag_that_the_next_one_needs(api, carer):
    path = f"/v1/carers/{carer()['id']}"
    etag = api.get(path, **STAFF).headers["ETag"]
    for name in ("First", "Second"):
        response = api.patch(path, etag=etag, json={"given_name": name}, headers=MINIMAL, **STAFF)
        etag = minimal(response)
        assert "Location" not in response.headers

    assert api.get(path, **STAFF).json()["given_name"] == "Second"


def test_an_action_is_done_without_showing_it(api, carer):
    path = f"/v1/carers/{carer()['id']}"

    minimal(api.post(f"{path}/close", json={"reason": "moved_away"}, headers=MINIMAL, **STAFF))

    assert api.get(path, **STAFF).json()["state"] == "closed"


def test_a_put_that_makes_has_a_location_and_one_that_replaces_has_none(api, carer):
    path = f"/v1/carers/{carer()['id']}/contingency-plan"

    made = api.put(path, json=PLAN, headers=MINIMAL, **STAFF)
    minimal(made)
    replaced = api.put(path, json={**PLAN, "instructions": "Call the duty team."}, headers={**MINIMAL, "If-Match": made.headers["ETag"]}, **STAFF)

    assert made.headers["Location"].endswith(path)
    assert minimal(replaced) != made.headers["ETag"] and "Location" not in replaced.headers


def test_a_repeated_request_is_answered_as_it_asks_this_time(api, db):
    body, key = carer_body(), {"Idempotency-Key": str(uuid.uuid4())}
    first = api.post("/v1/carers", json=body, headers={**key, **MINIMAL}, **STAFF)
    again = api.post("/v1/carers", json=body, headers={**key, **MINIMAL}, **STAFF)
    whole = api.post("/v1/carers", json=body, headers=key, **STAFF)

    assert minimal(first) == minimal(again) and again.headers["Idempotency-Replayed"] == "true"
    assert first.headers["Location"] == again.headers["Location"] == whole.headers["Location"]
    assert whole.status_code == 201 and whole.headers["Idempotency-Replayed"] == "true"
    assert whole.json()["id"] == first.headers["Location"].rpartition("/")[2] and "Preference-Applied" not in whole.headers
    db.execute("SELECT count(*) FROM carer WHERE family_name = %s", (body["family_name"],))
    assert db.fetchone() == (1,)


def test_a_problem_is_told_whole(api):
    response = api.post("/v1/carers", json={}, headers=MINIMAL, **STAFF)

    assert ("", "required") in faults(response) and "Preference-Applied" not in response.headers
    problem(api.patch(f"/v1/carers/{uuid.uuid4()}", json={}, headers=MINIMAL, **STAFF), 428, "precondition-required")


@pytest.mark.parametrize("prefer, status, applied", [
    ("return=representation", 201, "return=representation"), ('respond-async, wait=10, Return="minimal"', 204, "return=minimal"),
    ("return=representation, return=minimal", 201, "return=representation"), ("handling=strict", 201, None),
    ("return=everything", 201, None), ("nonsense;;=,\"", 201, None), ("", 201, None)])
def test_what_is_not_understood_is_passed_over(api, prefer, status, applied):
    response = api.post("/v1/carers", json=carer_body(), headers={"Prefer": prefer}, **STAFF)

    assert response.status_code == status and response.headers.get("Preference-Applied") == applied
    assert bool(response.content) == (status == 201)


def test_two_lines_of_prefer_are_one_list(raw, tokens):
    headers = [("Authorization", f"Bearer {tokens.token('practitioner')}"), ("Content-Type", "application/json"),
               ("Prefer", "wait=10"), ("Prefer", "return=minimal")]
    answer = raw().request("POST", "/v1/carers", headers, json.dumps(carer_body()).encode())

    assert answer.status_code == 204 and answer.headers["Preference-Applied"] == "return=minimal"


def test_caches_are_told_that_prefer_decides_whether_it_was_sent_or_not(api):
    for headers in ({}, MINIMAL):
        assert "Prefer" in api.post("/v1/carers", json=carer_body(), headers=headers, **STAFF).headers["Vary"].split(", ")
    assert "Prefer" not in api.get("/v1/me", **STAFF).headers.get("Vary", "").split(", ")


def test_a_read_and_a_search_are_never_minimal(api, carer):
    one = carer()
    for response in (api.get(f"/v1/carers/{one['id']}", headers=MINIMAL, **STAFF),
                     api.post("/v1/carers/search", json={"q": one["family_name"]}, headers=MINIMAL, **STAFF)):
        assert response.status_code == 200 and response.json() and "Preference-Applied" not in response.headers


def test_what_is_shown_only_once_is_shown(api):
    owner = {"role": "council_admin", "scope": "webhooks:manage"}
    response = api.post("/v1/webhooks", json={"url": "https://hooks.example.org/carers"}, headers=MINIMAL, **owner)

    assert response.status_code == 201 and response.json()["secret"] and "Preference-Applied" not in response.headers
    assert api.delete(f"/v1/webhooks/{response.json()['id']}", **owner).status_code == 204


def test_a_proposal_is_still_shown_to_its_editor(api, listed):
    editor = {"role": "vcfse_editor", "org": listed["id"]}
    made = api.post(SERVICES, json=service_body(listed["id"]), headers=MINIMAL, **EDITOR)
    minimal(made)
    at = made.headers["Location"]
    assert api.post(f"{at}/publish", json={}, headers=MINIMAL, **EDITOR).status_code == 204

    response = api.patch(at, etag="*", json={"name": "Another name"}, headers=MINIMAL, **editor)

    assert response.status_code == 202 and response.json()["id"] and "Preference-Applied" not in response.headers


def test_a_browser_app_may_send_it_and_read_what_was_applied(api):
    ours = {"Origin": "https://app.example.org", "Access-Control-Request-Method": "POST"}
    preflight = api.options("/v1/carers", headers=ours)

    assert "Prefer" in preflight.headers["Access-Control-Allow-Headers"].split(", ")
    exposed = api.get("/v1/me", headers=ours, **STAFF).headers["Access-Control-Expose-Headers"].split(", ")
    assert "Preference-Applied" in exposed


def test_the_contract_promises_it_exactly_where_the_record_can_be_read_again(api):
    document = api.get("/openapi.json").json()
    prefer = {"$ref": "#/components/parameters/prefer"}
    changes = {operation["operationId"]: operation for item in document["paths"].values()
               for method, operation in item.items() if method in ("post", "put", "patch")}
    without = {name for name, operation in changes.items() if prefer not in operation.get("parameters", [])}

    assert without == {"searchCarers", "searchServicesPrivately", "breakGlass", "createWebhook", "rotateWebhookSecret",
                       "replayWebhook", "deliverSession", "createSessionSeries", "createRefreshLink", "answerRefreshLink",
                       "startImport"}
    for name, operation in changes.items():
        assert ("204" in operation["responses"]) == (name not in without), name
