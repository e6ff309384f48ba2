"""listAccess, grantAccess, getAccess, revokeAccess: by role, by rule, and what the organisation sees at once."""
import concurrent.futures
import uuid

import pytest
from support.callers import CALLERS, NOBODY, answer
from support.client import faults, problem
from support.server import wait_for
from support.tokens import CAMDEN, ISLINGTON

COUNCIL = {"her council", "her council's administrator"}
HER_ORGANISATION = {"her support worker", "her assessor", "her in-reach team", "her breaks provider"}
FAR = {"another council", "another council's administrator"}
STRANGERS = FAR | {"another organisation", "another in-reach team", "another carer"}  # she does not exist for them
STAFF = {"role": "practitioner"}
WHY = {"note": "Sitting visits, as she asked."}


@pytest.fixture
def give(api):
    """give(carer, organisation, members...): access that her council grants over HTTP."""
    def make(carer, org, **members):
        response = api.post(f"/v1/carers/{carer['id']}/access", json={"organisation_id": org, **WHY, **members}, **STAFF)
        assert response.status_code == 201, response.text
        return response.json()
    return make


def path_of(access):
    return f"/v1/carers/{access['carer_id']}/access/{access['id']}"


def revoke(api, access, **options):
    return api.post(f"{path_of(access)}/revoke", json={"note": "The visits have ended."}, **{**STAFF, **options})


def sees(api, carer, org, role="support_worker"):
    """Whether the organisation finds the carer by reading, by its list and by searching: all three, or none."""
    caller = {"role": role, "org": org}
    wanted = {"q": carer["family_name"], "date_of_birth": carer["date_of_birth"]}
    found = {api.get(f"/v1/carers/{carer['id']}", **caller).status_code == 200,
             carer["id"] in {item["id"] for item in api.get("/v1/carers?limit=200", **caller).json()["items"]},
             carer["id"] in {item["id"] for item in api.post("/v1/carers/search", json=wanted, **caller).json()["items"]}}
    assert len(found) == 1, found
    return found.pop()


class TestRoles:
    """Every caller asks for every operation."""

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_the_list_is_read_by_who_may_see_her(self, world, caller):
        expected = {**dict.fromkeys(COUNCIL | HER_ORGANISATION | {"herself"}, "200"), **dict.fromkeys(STRANGERS, "not-found")}

        assert answer(world.ask(caller, "GET", "/access")) == expected.get(caller, "forbidden")

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_one_access_is_read_by_who_may_see_it(self, world, give, caller):
        one, other = give(world.other_carer, world.org), give(world.carer, world.other_org)
        expected = {**dict.fromkeys(COUNCIL | {"herself"}, "200"),
                    # her organisation's people do not see what another organisation has, and that one does
                    **dict.fromkeys(HER_ORGANISATION | FAR | {"another carer"}, "not-found"),
                    **dict.fromkeys({"another organisation", "another in-reach team"}, "200")}

        assert answer(world.ask(caller, "GET", f"/access/{other['id']}")) == expected.get(caller, "forbidden")
        assert answer(world.ask(caller, "GET", f"/access/{one['id']}")) in ("not-found", "forbidden")  # another carer's

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_access_is_granted_by_her_council(self, world, caller):
        expected = {**dict.fromkeys(COUNCIL, "201"), **dict.fromkeys(FAR, "not-found")}

        response = world.ask(caller, "POST", "/access", json={"organisation_id": world.other_org, **WHY})

        assert answer(response) == expected.get(caller, "forbidden")

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_access_is_revoked_by_her_council(self, world, give, caller):
        access = give(world.carer, world.other_org)
        expected = {**dict.fromkeys(COUNCIL, "200"), **dict.fromkeys(FAR, "not-found")}

        response = world.ask(caller, "POST", f"/access/{access['id']}/revoke", json={"note": "It is over."})

        assert answer(response) == expected.get(caller, "forbidden")

    @pytest.mark.parametrize("method, path, body", [
        ("GET", "/access", None), ("POST", "/access", {"organisation_id": NOBODY, **WHY}), ("GET", f"/access/{NOBODY}", None),
        ("POST", f"/access/{NOBODY}/revoke", {"note": "x"})])
    def test_a_carer_who_is_not_there_has_none(self, world, method, path, body):
        response = world.ask("her council", method, f"/v1/carers/{NOBODY}{path}", json=body)

        assert answer(response) == "not-found"

    @pytest.mark.parametrize("scope, method, path, body", [
        ("carers:write", "GET", "/access", None), ("carers:write", "GET", f"/access/{NOBODY}", None),
        ("carers:read", "POST", "/access", {"organisation_id": NOBODY, **WHY}),
        ("carers:read", "POST", f"/access/{NOBODY}/revoke", {"note": "x"})])
    def test_the_scope_is_asked_for(self, world, scope, method, path, body):
        response = world.ask("her council", method, path, scope=scope, json=body)

        assert answer(response) == "insufficient-scope"


class TestGrant:
    """grantAccess."""

    def test_the_organisation_sees_her_at_once(self, api, carer, organisation, give):
        one, org = carer(), organisation()
        assert not sees(api, one, org)

        give(one, org)

        assert sees(api, one, org) and not sees(api, one, organisation())

    def test_what_was_granted_is_read_where_location_says(self, api, carer, organisation):
        one, org = carer(), organisation()

        made = api.post(f"/v1/carers/{one['id']}/access", json={"organisation_id": org, **WHY}, **STAFF)

        assert made.status_code == 201
        body = made.json()
        assert body["carer_id"] == one["id"] and body["organisation"]["id"] == org and body["note"] == WHY["note"]
        assert (body["reason"], body["state"], body["available_actions"]) == ("granted", "in_force", ["revoke"])
        assert body["granted_by"] == {"role": "practitioner", "subject": "practitioner@example.org"}
        assert not {"ends_at", "ended_because", "revoke_note", "revoked_by"} & body.keys()
        read = api.get(made.headers["Location"], **STAFF)
        assert read.json() == body and read.headers["ETag"] == made.headers["ETag"]
        assert api.get(made.headers["Location"], headers={"If-None-Match": made.headers["ETag"]}, **STAFF).status_code == 304

    def test_what_is_to_come_is_pending_and_shows_nothing_yet(self, api, carer, organisation, give):
        one, org = carer(), organisation()

        access = give(one, org, starts_at="2090-01-01T00:00:00Z", ends_at="2091-01-01T00:00:00+01:00")

        assert access["state"] == "pending" and access["available_actions"] == ["revoke"]
        assert (access["starts_at"], access["ends_at"]) == ("2090-01-01T00:00:00.000Z", "2090-12-31T23:00:00.000Z")
        assert not sees(api, one, org)
        problem(api.get(path_of(access), role="support_worker", org=org), 404, "not-found")

    @pytest.mark.parametrize("lacks", ["organisation_id", "note"])
    def test_the_organisation_and_the_reason_are_asked_for(self, api, carer, organisation, lacks):
        body = {name: value for name, value in {"organisation_id": organisation(), **WHY}.items() if name != lacks}

        assert faults(api.post(f"/v1/carers/{carer()['id']}/access", json=body, **STAFF)) == {("", "required")}

    @pytest.mark.parametrize("member, value", [("reason", "registered"), ("granted_by", "me"), ("state", "in_force"),
                                               ("note", ""), ("organisation_id", "1"), ("ends_at", "tomorrow")])
    def test_what_the_service_decides_and_what_is_no_value_is_refused(self, api, carer, organisation, member, value):
        body = {"organisation_id": organisation(), **WHY, member: value}

        found = faults(api.post(f"/v1/carers/{carer()['id']}/access", json=body, **STAFF))

        assert {pointer for pointer, _ in found} == {f"/{member}"}

    @pytest.mark.parametrize("council", [None, CAMDEN])
    def test_the_organisation_must_work_for_her_council(self, api, carer, organisation, council):
        org = organisation(council=council) if council else str(uuid.uuid4())

        response = api.post(f"/v1/carers/{carer()['id']}/access", json={"organisation_id": org, **WHY}, **STAFF)

        assert faults(response) == {("/organisation_id", "rule")}

    def test_it_ends_in_the_future(self, api, carer, organisation):
        response = api.post(f"/v1/carers/{carer()['id']}/access", **STAFF,
                            json={"organisation_id": organisation(), **WHY, "ends_at": "2020-01-01T00:00:00Z"})

        assert faults(response) == {("/ends_at", "rule")}

    def test_a_second_grant_is_a_conflict(self, api, carer, organisation, give):
        one, org = carer(), organisation()
        give(one, org)

        problem(api.post(f"/v1/carers/{one['id']}/access", json={"organisation_id": org, **WHY}, **STAFF), 409, "conflict")

    def test_of_two_grants_at_once_one_is_made(self, api, client, server, carer, organisation):
        path, body = f"/v1/carers/{carer()['id']}/access", {"organisation_id": organisation(), **WHY}
        clients = [client(server) for _ in range(2)]

        with concurrent.futures.ThreadPoolExecutor() as pool:
            answers = sorted(pool.map(lambda one: answer(one.post(path, json=body, **STAFF)), clients))

        assert answers == ["201", "conflict"]
        assert len(api.get(path, **STAFF).json()["items"]) == 1

    @pytest.mark.parametrize("decision, ended", [("refused", None), ("given", "withdrawn")])
    def test_the_carers_no_stands(self, api, carer, organisation, db, decision, ended):
        one, org = carer(), organisation()
        db.execute("INSERT INTO consent (id, carer_id, council, purpose, organisation_id, decision, method, wording_version,"
                   " ended_at, ended_how) VALUES (gen_random_uuid(), %s, %s, 'share_with_organisation', %s, %s, 'verbal', 'v1',"
                   " CASE WHEN %s::text IS NOT NULL THEN now() END, %s)", (one["id"], ISLINGTON, org, decision, ended, ended))

        response = api.post(f"/v1/carers/{one['id']}/access", json={"organisation_id": org, **WHY}, **STAFF)

        problem(response, 409, "consent-required")
        assert not sees(api, one, org)

    def test_a_closed_carer_is_shown_to_nobody_new(self, api, carer, organisation):
        one = carer()
        api.post(f"/v1/carers/{one['id']}/close", json={"reason": "lost_contact"}, **STAFF)

        response = api.post(f"/v1/carers/{one['id']}/access", json={"organisation_id": organisation(), **WHY}, **STAFF)

        assert problem(response, 409, "state-conflict")["state"] == "closed"

    def test_the_same_key_gives_the_first_answer_again(self, api, carer, organisation):
        path, body = f"/v1/carers/{carer()['id']}/access", {"organisation_id": organisation(), **WHY}
        headers = {"Idempotency-Key": str(uuid.uuid4())}

        first, second = (api.post(path, json=body, headers=headers, **STAFF) for _ in range(2))

        assert first.json() == second.json() and second.headers["Idempotency-Replayed"] == "true"


class TestRevoke:
    """revokeAccess."""

    def test_the_organisation_does_not_see_her_any_more_at_once(self, api, carer, organisation, give):
        one, org = carer(), organisation()
        access = give(one, org)

        body = revoke(api, access).json()

        assert not sees(api, one, org)
        assert (body["state"], body["ended_because"], body["available_actions"]) == ("ended", "revoked", [])
        assert body["revoke_note"] == "The visits have ended." and body["revoked_by"]["role"] == "practitioner"
        problem(api.get(path_of(access), role="support_worker", org=org), 404, "not-found")

    def test_another_access_in_force_is_enough(self, api, carer, organisation, give):
        org = organisation()
        one = carer(role="support_worker", org=org)

        revoke(api, give(one, org))

        assert sees(api, one, org)

    def test_even_who_registered_her_is_sent_away(self, api, carer, organisation):
        org = organisation()
        one = carer(role="support_worker", org=org)
        access, = api.get(f"/v1/carers/{one['id']}/access", **STAFF).json()["items"]
        assert access["reason"] == "registered" and access["granted_by"]["subject"] == "support_worker@example.org"

        assert revoke(api, access).status_code == 200

        assert not sees(api, one, org)

    def test_what_has_ended_is_not_ended_again(self, api, carer, organisation, give):
        access = give(carer(), organisation())
        revoke(api, access)

        assert problem(revoke(api, access), 409, "state-conflict")["state"] == "ended"

    def test_of_two_at_once_one_counts(self, client, server, carer, organisation, give):
        access = give(carer(), organisation())
        clients = [client(server) for _ in range(2)]

        with concurrent.futures.ThreadPoolExecutor() as pool:
            answers = sorted(pool.map(lambda one: answer(revoke(one, access)), clients))

        assert answers == ["200", "state-conflict"]

    def test_why_is_asked_for(self, api, carer, organisation, give):
        path = f"{path_of(give(carer(), organisation()))}/revoke"

        assert faults(api.post(path, json={}, **STAFF)) == {("", "required")}

    def test_if_match_is_compared(self, api, carer, organisation, give):
        access = give(carer(), organisation())
        etag = api.get(path_of(access), **STAFF).headers["ETag"]

        problem(revoke(api, access, headers={"If-Match": '"99"'}), 412, "precondition-failed")
        done = revoke(api, access, headers={"If-Match": etag})
        assert done.status_code == 200 and done.headers["ETag"] != etag

    def test_under_another_carer_it_is_not_there(self, api, carer, organisation, give):
        access = give(carer(), organisation())

        problem(revoke(api, {**access, "carer_id": carer()["id"]}), 404, "not-found")


class TestReads:
    """listAccess, getAccess."""

    def test_she_sees_who_may_see_her_and_why_but_not_who_of_the_staff_said_so(self, api, carer, organisation, give):
        one = carer()
        first, second = give(one, organisation()), give(one, organisation(), starts_at="2090-01-01T00:00:00Z")
        revoke(api, first)

        items = api.get(f"/v1/carers/{one['id']}/access", role="carer", carer=one["id"]).json()["items"]

        assert [item["id"] for item in items] == [second["id"], first["id"]]
        assert all(item["organisation"]["name"] and item["note"] == WHY["note"] for item in items)
        assert [item["granted_by"] for item in items] == [{"role": "practitioner"}] * 2
        assert items[1]["revoked_by"] == {"role": "practitioner"} and items[1]["revoke_note"]
        assert "example.org" not in str(items)

    def test_an_organisation_sees_its_own_in_force_without_staff(self, api, carer, organisation, give):
        org, one = organisation(), carer()
        mine = give(one, org)
        give(one, organisation())

        items = api.get(f"/v1/carers/{one['id']}/access", role="support_worker", org=org).json()["items"]

        assert [item["id"] for item in items] == [mine["id"]]
        assert items[0]["granted_by"] == {"role": "practitioner"} and items[0]["available_actions"] == []

    def test_an_organisation_that_works_here_no_more_has_its_name(self, api, carer, organisation, give, db):
        one, org = carer(), organisation()
        access = give(one, org)
        db.execute("UPDATE organisation SET councils = %s WHERE id = %s", ([CAMDEN], org))

        read = api.get(path_of(access), **STAFF).json()

        assert read["organisation"] == access["organisation"]

    @pytest.mark.parametrize("state, wanted", [("in_force", 1), ("pending", 2), ("ended", 0)])
    def test_the_list_is_filtered_by_state(self, api, carer, organisation, give, state, wanted):
        one = carer()
        ids = [give(one, organisation())["id"] for _ in range(2)]
        ids.append(give(one, organisation(), starts_at="2090-01-01T00:00:00Z")["id"])
        revoke(api, {"carer_id": one["id"], "id": ids[0]})

        items = api.get(f"/v1/carers/{one['id']}/access?state={state}", **STAFF).json()["items"]

        assert [item["id"] for item in items] == [ids[wanted]]

    @pytest.mark.parametrize("query", ["", "updated_since=2020-01-01T00:00:00Z&"])
    def test_pages_lead_to_the_end_by_their_links(self, api, carer, organisation, give, query):
        one = carer()
        ids = [give(one, organisation())["id"] for _ in range(3)]

        found, path = [], f"/v1/carers/{one['id']}/access?{query}limit=2"
        while path:
            response = api.get(path, **STAFF)
            found += [item["id"] for item in response.json()["items"]]
            path = response.headers["Link"].split("<")[1].split(">")[0] if "Link" in response.headers else None

        assert found == (ids if query else ids[::-1])

    @pytest.mark.parametrize("query, name", [("state=open", "state"), ("limit=201", "limit"), ("cursor=x", "cursor"),
                                             ("updated_since=yesterday", "updated_since")])
    def test_a_wrong_parameter_is_named(self, api, carer, query, name):
        response = api.get(f"/v1/carers/{carer()['id']}/access?{query}", **STAFF)

        assert {pointer for pointer, _ in faults(response, 400, "invalid-parameter")} == {f"/query/{name}"}

    @pytest.mark.parametrize("single", [False, True])
    def test_a_read_leaves_its_audit_row(self, api, carer, organisation, give, db, single):
        one, ident = carer(), f"access-{uuid.uuid4()}"
        access = give(one, organisation())
        path = path_of(access) if single else f"/v1/carers/{one['id']}/access"

        api.get(path, headers={"X-Request-ID": ident}, **STAFF)

        db.execute("SELECT action, council, carer_ids::text[] FROM audit_entry WHERE request = %s", (ident,))
        assert db.fetchall() == [("getAccess" if single else "listAccess", ISLINGTON, [one["id"]])]


def test_what_the_clock_did_is_told_by_the_service_itself(serve, carer, organisation, give, db):
    access = give(carer(), organisation(), starts_at="2090-01-01T00:00:00Z")
    db.execute("SET session_replication_role = replica")  # as if time had passed
    db.execute("UPDATE carer_access SET starts_at = now() - interval '1 minute' WHERE id = %s", (access["id"],))
    db.execute("SET session_replication_role = origin")
    serve(CARERS_TIDY_S=1)

    def told():
        db.execute("SELECT state FROM event WHERE resource_id = %s AND kind = 'access.granted'", (access["id"],))
        return db.fetchall()
    assert wait_for(told) == [("in_force",)]
