"""Webhooks and their owners, over HTTP: who may have which, what is refused. What they are told: test_webhook_delivery.py."""
import pytest
from support.client import faults, problem
from support.tokens import CAMDEN, ISLINGTON

MANAGE = "webhooks:manage"
URL = "https://hooks.example.org/carers"
OWNERS = ["council_admin", "assessor", "support_worker", "hospital_in_reach", "break_provider", "referrer", "vcfse_editor"]


@pytest.fixture
def owner(organisation):
    """owner(role): a caller of that role, of a new organisation or of Islington."""
    def make(role="assessor"):
        return {"role": role, "scope": MANAGE, **({"council": ISLINGTON} if role == "council_admin" else {"org": organisation()})}
    return make


@pytest.fixture
def hook(api):
    """hook(caller, ...): a new webhook; it goes with the test."""
    made = []

    def make(caller, status=201, **members):
        response = api.post("/v1/webhooks", json={"url": URL, **members}, **caller)
        assert response.status_code == status, response.text
        made.append((caller, response.json().get("id")))
        return response.json()
    yield make
    for caller, ident in made:
        if ident:
            api.delete(f"/v1/webhooks/{ident}", **caller)


def path(one, rest=""):
    return f"/v1/webhooks/{one['id']}{rest}"


def test_no_cache_keeps_an_answer_that_shows_a_secret(api, owner):
    caller = owner()
    made = api.post("/v1/webhooks", json={"url": URL}, **caller)
    fresh = api.post(path(made.json(), "/rotate-secret"), **caller)
    api.delete(path(made.json()), **caller)
    for response in (made, fresh):
        assert response.json()["secret"] and response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("role", OWNERS)
def test_an_owner_makes_reads_changes_and_drops_her_own(api, hook, owner, role):
    caller = owner(role)

    one = hook(caller, description="Case system", event_types=["referral.submitted"])

    assert one["secret"].startswith("whsec_") and one["state"] == "active"
    assert one["available_actions"] == ["update", "ping", "rotate_secret", "pause", "replay", "delete"]
    read = api.get(path(one), **caller)
    assert read.json() == {name: value for name, value in one.items() if name != "secret"}
    assert one["id"] in [item["id"] for item in api.get("/v1/webhooks", **caller).json()["items"]]
    changed = api.patch(path(one), etag=read.headers["ETag"], json={"event_types": [], "description": None}, **caller)
    assert changed.json()["event_types"] == [] and "description" not in changed.json()
    problem(api.patch(path(one), etag=read.headers["ETag"], json={"event_types": []}, **caller), 412, "precondition-failed")
    assert api.delete(path(one), **caller).status_code == 204
    problem(api.get(path(one), **caller), 404, "not-found")
    problem(api.delete(path(one), **caller), 404, "not-found")


@pytest.mark.parametrize("role", ["practitioner", "commissioner", "directory_editor", "carer"])
def test_other_roles_have_none(api, role, carer):
    who = {"carer": carer()["id"]} if role == "carer" else {}

    problem(api.post("/v1/webhooks", json={"url": URL}, role=role, scope=MANAGE, **who), 403, "forbidden")
    problem(api.get("/v1/webhooks", role=role, scope=MANAGE, **who), 403, "forbidden")


def test_without_the_scope_nothing_is_done(api, owner):
    problem(api.post("/v1/webhooks", json={"url": URL}, **{**owner(), "scope": "referrals:write"}), 403, "insufficient-scope")


@pytest.mark.parametrize("other", ["another organisation", "another role", "another council"])
@pytest.mark.parametrize("method, rest", [("get", ""), ("delete", ""), ("post", "/pause"), ("post", "/ping"), ("post", "/rotate-secret"),
                                          ("get", "/deliveries"), ("post", "/replay")])
def test_what_is_not_ones_own_is_not_there(api, hook, owner, other, method, rest):
    mine = owner("council_admin" if other == "another council" else "assessor")
    one = hook(mine)
    stranger = {"another organisation": owner(), "another role": {**mine, "role": "support_worker"},
                "another council": {"role": "council_admin", "council": CAMDEN, "scope": MANAGE}}[other]
    body = {"json": {"since": "2026-01-01T00:00:00Z"}} if rest == "/replay" else {}

    problem(getattr(api, method)(path(one, rest), **body, **stranger), 404, "not-found")
    assert api.get(path(one), **mine).json()["state"] == "active"


@pytest.mark.parametrize("url", ["http://hooks.example.org/", "https://localhost/", "https://10.1.2.3/", "https://[::1]/x",
                                 "https://user@hooks.example.org/", "https://hooks.example.org/#x", "https://metadata.internal/"])
def test_a_url_that_is_not_https_or_not_public_is_refused(api, hook, owner, url):
    caller = owner()

    assert ("/url", "format") in faults(api.post("/v1/webhooks", json={"url": url}, **caller))
    one = hook(caller)
    assert ("/url", "format") in faults(api.patch(path(one), etag="*", json={"url": url}, **caller))


def test_events_that_are_none_or_not_for_this_role_are_named(api, owner):
    wrong = api.post("/v1/webhooks", json={"url": URL, "event_types": ["referral.submitted", "carer.vanished"]}, **owner())

    assert faults(wrong) == {("/event_types/1", "rule")}
    desk = api.post("/v1/webhooks", json={"url": URL, "event_types": ["carer.created"]}, **owner("referrer"))
    assert faults(desk) == {("/event_types/0", "rule")}


def test_a_council_is_named_when_the_token_has_several(api, hook):
    both = {"role": "council_admin", "council": [ISLINGTON, CAMDEN], "scope": MANAGE}

    assert faults(api.post("/v1/webhooks", json={"url": URL}, **both)) == {("/council", "rule")}
    assert hook(both, council=CAMDEN)["council"] == CAMDEN
    assert faults(api.post("/v1/webhooks", json={"url": URL, "council": "E10000012"}, **both)) == {("/council", "rule")}


def test_an_organisation_names_no_council(api, owner):
    assert faults(api.post("/v1/webhooks", json={"url": URL, "council": ISLINGTON}, **owner())) == {("/council", "rule")}


def test_twenty_are_enough(api, hook, owner):
    caller = owner()
    for _ in range(20):
        hook(caller)

    problem(api.post("/v1/webhooks", json={"url": URL}, **caller), 409, "conflict")
    page = api.get("/v1/webhooks?limit=15", **caller).json()
    rest = api.get("/v1/webhooks", params={"limit": 15, "cursor": page["next_cursor"]}, **caller).json()
    assert len(page["items"]) == 15 and len(rest["items"]) == 5 and "next_cursor" not in rest


def test_paused_is_not_paused_again_nor_active_resumed(api, hook, owner):
    caller = owner()
    one = hook(caller)

    assert problem(api.post(path(one, "/resume"), **caller), 409, "state-conflict")["state"] == "active"
    paused = api.post(path(one, "/pause"), **caller)
    assert paused.json()["available_actions"] == ["update", "rotate_secret", "resume", "replay", "delete"]
    assert problem(api.post(path(one, "/pause"), **caller), 409, "state-conflict")["state"] == "paused"
    problem(api.post(path(one, "/resume"), headers={"If-Match": '"99"'}, **caller), 412, "precondition-failed")
    assert api.post(path(one, "/resume"), headers={"If-Match": paused.headers["ETag"]}, **caller).json()["state"] == "active"


def test_the_secret_is_shown_once_and_is_new_each_time(api, hook, owner, db):
    caller = owner()
    one = hook(caller)

    fresh = api.post(path(one, "/rotate-secret"), **caller).json()["secret"]

    assert fresh != one["secret"]
    assert "secret" not in api.get(path(one), **caller).json()
    db.execute("SELECT before::text, after::text FROM audit_entry WHERE subject_table = 'webhook' AND after ->> 'id' = %s", (one["id"],))
    trail = db.fetchall()
    assert len(trail) == 2 and not any(secret[6:] in str(trail) for secret in (fresh, one["secret"]))


def test_a_repeated_create_gives_the_first_webhook_again(api, hook, owner):
    caller, key = owner(), {"Idempotency-Key": "make-it-once"}
    first = api.post("/v1/webhooks", json={"url": URL}, headers=key, **caller)

    again = api.post("/v1/webhooks", json={"url": URL}, headers=key, **caller)

    assert again.json() == first.json() and again.headers["Idempotency-Replayed"] == "true"
    assert len(api.get("/v1/webhooks", **caller).json()["items"]) == 1
    api.delete(path(first.json()), **caller)


def test_a_delivery_that_waits_is_not_replayed(api, hook, owner):
    caller = owner()
    one = hook(caller)
    api.post(path(one, "/pause"), **caller)
    api.post(path(one, "/ping"), **caller)
    waiting, = api.get(path(one, "/deliveries"), **caller).json()["items"]

    assert (waiting["state"], waiting["type"], waiting["attempts"]) == ("pending", "webhook.ping", [])
    assert problem(api.post(path(one, f"/deliveries/{waiting['id']}/replay"), **caller), 409, "state-conflict")["state"] == "pending"
    problem(api.post(path(one, f"/deliveries/{one['id']}/replay"), **caller), 404, "not-found")
    assert api.post(path(one, "/replay"), json={"since": "2026-01-01T00:00:00Z"}, **caller).json() == {"replayed": 0}
