"""getMe: the caller as the service sees her, and all that an app needs to start."""
import datetime
import time

import pytest
from support.callers import CALLERS, NOBODY
from support.server import ROOT
from support.tokens import CAMDEN, ISLINGTON
from test_audit import only, request_id, trail  # noqa: F401 (a fixture)

PARTNERS = ("assessor", "support_worker", "hospital_in_reach", "break_provider", "referrer", "vcfse_editor")
ROLES = ["council_admin", "practitioner", "commissioner", "directory_editor", "carer", *PARTNERS]
METHODS = ["get", "post", "put", "patch", "delete"]
EVERYTHING = ("carers:read carers:write assessments:read assessments:write breaks:read breaks:write funding:approve "
              "referrals:read referrals:write directory:write directory:publish reports:read audit:read webhooks:manage admin")


def own(role):
    """The claims without which a token of this role is refused."""
    return {"org": NOBODY} if role in PARTNERS else {"carer": NOBODY} if role == "carer" else {}


def at(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def opened(contract, role, scopes):
    """The operationIds that the contract itself opens to a role with these scopes, in the order of its paths."""
    operations = [item[method] for item in contract["paths"].values() for method in METHODS if method in item]
    return [operation["operationId"] for operation in operations if operation["security"]
            and set(operation["security"][-1]["token"]) <= set(scopes.split()) and role in operation.get("x-roles", [role])]


def test_me_tells_role_councils_and_scopes(api):
    body = api.get("/v1/me", role="practitioner", council=[CAMDEN, ISLINGTON]).json()

    assert body["role"] == "practitioner" and body["councils"] == [CAMDEN, ISLINGTON]
    assert {"carers:read", "carers:write"} <= set(body["scopes"])
    assert body["subject"] == "practitioner@example.org" and not {"carer_id", "carer", "organisation"} & body.keys()


def test_me_of_a_partner_has_her_organisation(api, organisation, db):
    org = organisation(council=CAMDEN, kind="hospital_trust")
    db.execute("SELECT name FROM organisation WHERE id = %s", (org,))

    body = api.get("/v1/me", role="hospital_in_reach", org=org).json()

    assert body["organisation"] == {"id": org, "name": db.fetchone()[0], "kind": "hospital_trust", "councils": [CAMDEN]}
    assert "carer" not in body


def test_an_organisation_that_nobody_knows_is_its_id(api):
    assert api.get("/v1/me", role="support_worker", org=NOBODY).json()["organisation"] == {"id": NOBODY}


@pytest.mark.parametrize("role", ROLES)
def test_every_role_may_ask_who_it_is(api, role):
    assert api.get("/v1/me", role=role, **own(role)).json()["role"] == role


def test_a_carers_app_is_told_the_state_of_her_record(api, carer):
    one = carer(preferred_language="bn", interpreter_required=True)
    path = f"/v1/carers/{one['id']}"

    def me():
        return api.get("/v1/me", role="carer", carer=one["id"]).json()

    body = me()
    assert body["carer_id"] == one["id"]
    assert body["carer"] == {
        "id": one["id"], "council": ISLINGTON, "state": "identified", "preferred_language": "bn",
        "interpreter_required": True, "available_actions": ["update"],
        "etag": api.get(path, role="carer", carer=one["id"]).headers["ETag"]}
    api.post(f"{path}/close", role="practitioner", json={"reason": "moved_away"})
    assert (me()["carer"]["state"], me()["carer"]["available_actions"]) == ("closed", [])


def test_a_record_that_is_not_there_is_absent(api):
    body = api.get("/v1/me", role="carer", carer=NOBODY).json()

    assert body["carer_id"] == NOBODY and "carer" not in body


def test_what_her_app_is_told_is_audited(api, carer, trail):  # noqa: F811
    one, (ident, headers), (other, others) = carer(), request_id(), request_id()

    api.get("/v1/me", role="carer", carer=one["id"], headers=headers)
    api.get("/v1/me", role="practitioner", headers=others)

    row = only(trail(ident))
    assert (row["action"], row["carer_ids"], row["council"]) == ("getMe", [one["id"]], ISLINGTON)
    assert trail(other) == []


@pytest.mark.parametrize("scope", [EVERYTHING, "carers:read", ""], ids=["every scope", "reading", "no scope"])
@pytest.mark.parametrize("role", ROLES)
def test_operations_are_those_that_the_contract_opens(api, role, scope):
    contract = api.get("/openapi.json").json()

    body = api.get("/v1/me", role=role, scope=scope, **own(role)).json()

    assert body["operations"] == opened(contract, role, scope) and "getMe" in body["operations"]
    assert "getLiveness" not in body["operations"]


@pytest.mark.parametrize("caller", list(CALLERS))
def test_what_is_not_among_the_operations_is_forbidden(world, caller):
    operations = world.ask(caller, "GET", "/v1/me").json()["operations"]

    for operation, method, path in (("closeCarer", "POST", "/close"), ("breakGlass", "POST", "/emergency-access"),
                                    ("putContingencyPlan", "PUT", "/contingency-plan")):
        refused = world.ask(caller, method, path, json={}).status_code == 403
        assert refused == (operation not in operations), operation


def test_an_app_can_tell_when_to_come_back(api, tokens):
    expires = int(time.time()) + 777

    body = api.get("/v1/me", role="practitioner", claims={"exp": expires}).json()

    assert at(body["expires_at"]) == expires
    assert at(body["expires_at"]) - at(body["server_time"]) <= 777


def test_the_service_says_its_version(api):
    version = (ROOT / "meson.build").read_text(encoding="utf-8").partition("version: '")[2].partition("'")[0]

    assert api.get("/v1/me", role="practitioner").json()["service"] == {"version": version}
