"""Who sees whom: councils, organisations with access, the carer herself. What one may not see is 404, never 403."""
import uuid

import pytest
from support.client import problem
from support.people import carer_body
from support.tokens import CAMDEN, ISLINGTON, PERSON

NOBODY = "0195e6a0-0000-7000-8000-000000000001"
SCOPE = PERSON
CLOSING = ("council_admin", "practitioner", "support_worker")  # roles that close records
PARTNERS = ("assessor", "support_worker", "hospital_in_reach", "break_provider", "referrer", "vcfse_editor")


def ids(response):
    assert response.status_code == 200, response.text
    return {item["id"] for item in response.json()["items"]}


def search(api, carer, **caller):
    wanted = {"q": carer["family_name"], "date_of_birth": carer["date_of_birth"]}
    return ids(api.post("/v1/carers/search", json=wanted, **caller))


def sees_nothing(api, carer, **caller):
    """Nothing of this carer, by whichever way; and it looks as if she did not exist."""
    path = f"/v1/carers/{carer['id']}"
    for response in (api.get(path, **caller), api.head(path, **caller),
                     api.patch(path, etag='"1"', json={"preferred_language": "cy"}, **caller)):
        assert response.status_code == 404, (response.request.method, response.text)
    closed = api.post(f"{path}/close", json={"reason": "moved_away"}, **caller)
    assert closed.status_code == (404 if caller["role"] in CLOSING else 403), closed.text
    hidden, absent = api.get(path, **caller).json(), api.get(f"/v1/carers/{NOBODY}", **caller).json()
    assert {**hidden, "instance": ""} == {**absent, "instance": ""}
    assert carer["id"] not in ids(api.get("/v1/carers?limit=200", **caller))
    assert carer["id"] not in search(api, carer, **caller)


def sees(api, carer, **caller):
    assert api.get(f"/v1/carers/{carer['id']}", **caller).json()["id"] == carer["id"]
    assert carer["id"] in ids(api.get("/v1/carers?limit=200", **caller))
    assert carer["id"] in search(api, carer, **caller)


class TestCouncils:
    """A council's staff see the carers of the councils in their token."""

    @pytest.mark.parametrize("role", ["practitioner", "council_admin"])
    def test_another_councils_carer_does_not_exist(self, api, carer, role):
        one = carer(council=CAMDEN)

        sees_nothing(api, one, role=role, council=ISLINGTON)
        sees(api, one, role=role, council=CAMDEN)

    def test_staff_of_two_councils_see_both(self, api, carer):
        both = [CAMDEN, ISLINGTON]

        sees(api, carer(council=CAMDEN), role="practitioner", council=both)
        sees(api, carer(council=ISLINGTON), role="practitioner", council=both)

    @pytest.mark.parametrize("councils", [[], None])
    def test_a_token_without_councils_sees_nobody(self, api, carer, councils):
        sees_nothing(api, carer(), role="practitioner", council=councils)

    def test_a_carer_is_created_in_ones_own_council_only(self, api):
        response = api.post("/v1/carers", role="practitioner", council=CAMDEN, json=carer_body(ISLINGTON))

        assert [e["pointer"] for e in problem(response, 422, "validation-failed")["errors"]] == ["/council"]

    def test_a_carer_does_not_change_her_council(self, api, carer):
        one = carer(council=CAMDEN)
        path, both = f"/v1/carers/{one['id']}", [CAMDEN, ISLINGTON]
        etag = api.get(path, role="practitioner", council=both).headers["ETag"]

        response = api.patch(path, etag=etag, role="practitioner", council=both, json={"council": ISLINGTON})

        assert [e["pointer"] for e in problem(response, 422, "validation-failed")["errors"]] == ["/council"]

    def test_a_list_of_one_council_is_filtered_within_what_one_sees(self, api, carer):
        here, there = carer(council=CAMDEN), carer(council=ISLINGTON)
        both = {"role": "practitioner", "council": [CAMDEN, ISLINGTON]}

        found = ids(api.get(f"/v1/carers?limit=200&council={CAMDEN}", **both))

        assert here["id"] in found and there["id"] not in found
        assert ids(api.get(f"/v1/carers?council={ISLINGTON}", role="practitioner", council=CAMDEN)) == set()


class TestOrganisations:
    """A partner's people see the carers that their organisation has access to, now."""

    @pytest.mark.parametrize("role", ["support_worker", "hospital_in_reach", "assessor"])
    def test_who_registers_a_carer_sees_her_and_another_organisation_does_not(self, api, carer, organisation, role):
        mine, other = organisation(), organisation()

        one = carer(role=role, org=mine)

        sees(api, one, role=role, org=mine)
        sees_nothing(api, one, role=role, org=other)
        sees(api, one, role="practitioner")

    def test_the_council_in_a_partners_token_opens_nothing(self, api, carer, organisation):
        sees_nothing(api, carer(), role="support_worker", org=organisation(), council=ISLINGTON)

    def test_access_that_is_given_is_seen_at_once_and_its_end_too(self, api, carer, organisation, grant, db):
        one, org = carer(), organisation()
        sees_nothing(api, one, role="support_worker", org=org)

        grant(one["id"], org)
        sees(api, one, role="support_worker", org=org)

        db.execute("UPDATE carer_access SET ends_at = now() WHERE carer_id = %s", (one["id"],))
        sees_nothing(api, one, role="support_worker", org=org)

    @pytest.mark.parametrize("starts, ends", [("1 hour", None), ("-2 hours", "-1 hour"), ("1 hour", "2 hours")])
    def test_access_that_is_not_in_force_opens_nothing(self, api, carer, organisation, grant, starts, ends):
        one, org = carer(), organisation()
        grant(one["id"], org, starts, ends)

        sees_nothing(api, one, role="support_worker", org=org)

    def test_one_access_in_force_among_ended_ones_is_enough_and_shows_her_once(self, api, carer, organisation, grant):
        one, org = carer(), organisation()
        for starts, ends in (("-3 hours", "-2 hours"), ("-1 hour", None), ("-2 hours", "5 hours")):
            grant(one["id"], org, starts, ends)

        items = api.get("/v1/carers?limit=200", role="support_worker", org=org).json()["items"]

        assert [item["id"] for item in items] == [one["id"]]

    def test_a_breaks_provider_reads_whom_it_was_given_without_nhs_number(self, api, organisation, grant, carer):
        from support.people import nhs_number
        one, org = carer(nhs_number=nhs_number()), organisation(kind="breaks_provider")
        grant(one["id"], org)

        body = api.get(f"/v1/carers/{one['id']}", role="break_provider", org=org).json()

        assert body["id"] == one["id"] and "nhs_number" not in body

    def test_an_organisation_that_nobody_knows_registers_nobody_and_sees_nobody(self, api, carer):
        sees_nothing(api, carer(), role="support_worker", org=NOBODY)
        problem(api.post("/v1/carers", role="support_worker", org=NOBODY, json=carer_body()), 403, "forbidden")

    @pytest.mark.parametrize("role", PARTNERS)
    def test_a_partners_token_without_organisation_is_no_token(self, api, role):
        assert "org" in problem(api.get("/v1/me", role=role), 401, "unauthenticated")["detail"]

    def test_an_organisation_registers_only_where_it_works(self, api, organisation):
        response = api.post("/v1/carers", role="support_worker", org=organisation(CAMDEN), council=[CAMDEN, ISLINGTON],
                            json=carer_body(ISLINGTON))

        assert [e["pointer"] for e in problem(response, 422, "validation-failed")["errors"]] == ["/council"]


class TestHerself:
    """A carer's own token sees her own record and no other."""

    def test_she_sees_herself_and_nobody_else(self, api, carer):
        me, other = carer(), carer()

        assert api.get(f"/v1/carers/{me['id']}", role="carer", carer=me["id"]).json()["id"] == me["id"]
        problem(api.get(f"/v1/carers/{other['id']}", role="carer", carer=me["id"]), 404, "not-found")
        problem(api.patch(f"/v1/carers/{other['id']}", etag='"1"', role="carer", carer=me["id"],
                          json={"preferred_language": "cy"}), 404, "not-found")

    def test_a_token_without_her_id_is_no_token(self, api):
        assert "carer_id" in problem(api.get("/v1/me", role="carer"), 401, "unauthenticated")["detail"]

    def test_councils_and_organisation_in_her_token_open_nothing(self, api, carer, organisation, grant):
        one, other, org = carer(), carer(), organisation()
        grant(other["id"], org)

        problem(api.get(f"/v1/carers/{other['id']}", role="carer", carer=one["id"], org=org,
                        claims={"councils": [ISLINGTON]}), 404, "not-found")


class TestNoPerson:
    """Roles that see no person: forbidden, whatever scopes their token has."""

    @pytest.mark.parametrize("role", ["commissioner", "directory_editor", "referrer", "vcfse_editor"])
    def test_a_role_that_sees_no_person_is_forbidden(self, api, carer, organisation, role):
        caller = {"role": role, "scope": SCOPE, "org": organisation()}
        path = f"/v1/carers/{carer()['id']}"

        problem(api.get(path, **caller), 403, "forbidden")
        problem(api.get("/v1/carers", **caller), 403, "forbidden")
        problem(api.post("/v1/carers/search", json={"nhs_number": "9434765919"}, **caller), 403, "forbidden")
        problem(api.post("/v1/carers", json=carer_body(), **caller), 403, "forbidden")
        problem(api.patch(path, etag='"1"', json={"preferred_language": "cy"}, **caller), 403, "forbidden")

    @pytest.mark.parametrize("role", ["commissioner", "directory_editor", "referrer", "vcfse_editor"])
    def test_it_is_not_told_who_exists(self, api, carer, role):
        answers = [api.get(f"/v1/carers/{ident}", role=role, scope=SCOPE, org=str(uuid.uuid4())).json()
                   for ident in (carer()["id"], NOBODY)]

        assert {**answers[0], "instance": ""} == {**answers[1], "instance": ""}
