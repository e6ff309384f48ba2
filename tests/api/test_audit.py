"""Every read of a person's record and every change leaves its row, in the same transaction; what is refused leaves none."""
import uuid

import psycopg2
import pytest
from support.client import problem
from support.people import carer_body, nhs_number
from support.tokens import CAMDEN, ISLINGTON

COLUMNS = ("action", "actor", "role", "client", "organisation_id", "council", "target", "carer_ids", "subject_table",
           "before", "after")


@pytest.fixture
def trail(db):
    """trail(request id): its rows."""
    def rows(ident):
        db.execute(f"SELECT {', '.join(COLUMNS[:7])}, carer_ids::text[], {', '.join(COLUMNS[8:])} FROM audit_entry"
                   " WHERE request = %s ORDER BY id", (ident,))
        return [dict(zip(COLUMNS, row)) for row in db.fetchall()]
    return rows


def request_id():
    ident = f"audit-{uuid.uuid4()}"
    return ident, {"X-Request-ID": ident}


def only(rows):
    assert len(rows) == 1, rows
    return rows[0]


def test_a_read_leaves_who_what_and_whom(api, carer, trail):
    one, (ident, headers) = carer(), request_id()

    api.get(f"/v1/carers/{one['id']}", role="practitioner", headers=headers)

    row = only(trail(ident))
    assert row["action"] == "getCarer" and row["target"] == one["id"] and row["carer_ids"] == [one["id"]]
    assert row["actor"] == "practitioner@example.org" and row["role"] == "practitioner" and row["client"] == "tests"
    assert row["council"] == ISLINGTON
    assert row["subject_table"] is None and row["before"] is None and row["after"] is None


def test_a_partners_read_names_its_organisation(api, carer, organisation, trail):
    org, (ident, headers) = organisation(), request_id()
    one = carer(role="support_worker", org=org)

    api.get(f"/v1/carers/{one['id']}", role="support_worker", org=org, headers=headers)

    assert str(only(trail(ident))["organisation_id"]) == org


def test_her_own_read_leaves_a_row_too(api, carer, trail):
    one, (ident, headers) = carer(), request_id()

    api.get(f"/v1/carers/{one['id']}", role="carer", carer=one["id"], headers=headers)

    assert only(trail(ident))["role"] == "carer"


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_head_and_304_are_reads(api, carer, trail, method):
    one, (ident, headers) = carer(), request_id()
    etag = api.get(f"/v1/carers/{one['id']}", role="practitioner").headers["ETag"]

    api.request(method, f"/v1/carers/{one['id']}", role="practitioner", headers={**headers, "If-None-Match": etag})

    assert only(trail(ident))["carer_ids"] == [one["id"]]


def test_a_list_leaves_whom_it_showed(api, carer, trail):
    (ident, headers), made = request_id(), [carer(council=CAMDEN)["id"] for _ in range(3)]

    items = api.get("/v1/carers?limit=2", role="practitioner", council=CAMDEN, headers=headers).json()["items"]

    row = only(trail(ident))
    assert set(row["carer_ids"]) == {item["id"] for item in items} == set(made[1:])
    assert row["council"] == CAMDEN


def test_a_list_of_two_councils_leaves_each_council_its_row(api, carer, trail):
    ident, headers = request_id()
    made = {carer(council=council)["id"]: council for council in (CAMDEN, ISLINGTON)}

    api.get("/v1/carers?limit=2", role="practitioner", council=[CAMDEN, ISLINGTON], headers=headers)

    assert {(row["council"], *row["carer_ids"]) for row in trail(ident)} == {(c, i) for i, c in made.items()}


def test_a_search_leaves_whom_it_found_and_not_what_was_asked(api, carer, trail):
    number, (ident, headers) = nhs_number(), request_id()
    one = carer(nhs_number=number)

    api.post("/v1/carers/search", role="practitioner", json={"nhs_number": number}, headers=headers)

    row = only(trail(ident))
    assert row["action"] == "searchCarers" and row["carer_ids"] == [one["id"]]
    assert number not in str(row)


def test_a_search_that_finds_nobody_leaves_a_row_as_well(api, trail):
    ident, headers = request_id()

    api.post("/v1/carers/search", role="practitioner", json={"nhs_number": nhs_number()}, headers=headers)

    assert only(trail(ident))["carer_ids"] == []


def test_a_creation_leaves_what_was_written(api, trail):
    body, (ident, headers) = carer_body(), request_id()

    made = api.post("/v1/carers", role="practitioner", json=body, headers=headers).json()

    row = next(r for r in trail(ident) if r["subject_table"])
    assert row["action"] == "createCarer" and row["subject_table"] == "carer" and row["carer_ids"] == [made["id"]]
    assert row["before"] is None and row["after"]["family_name"] == body["family_name"]


def test_a_change_leaves_what_it_was_and_what_it_is(api, carer, trail):
    one, (ident, headers) = carer(preferred_language="cy"), request_id()
    path = f"/v1/carers/{one['id']}"
    etag = api.get(path, role="practitioner").headers["ETag"]

    api.patch(path, etag=etag, role="practitioner", headers=headers,
              json={"given_name": "Changed", "preferred_language": None})

    row = next(r for r in trail(ident) if r["subject_table"])
    assert row["before"] == {"given_name": one["given_name"], "preferred_language": "cy"}
    assert row["after"] == {"given_name": "Changed"}


def test_an_action_leaves_the_states(api, carer, trail):
    one, (ident, headers) = carer(), request_id()

    api.post(f"/v1/carers/{one['id']}/close", role="practitioner", json={"reason": "moved_away"}, headers=headers)

    row = next(r for r in trail(ident) if r["subject_table"])
    assert row["action"] == "closeCarer"
    assert row["before"]["state"] == "identified" and row["after"]["state"] == "closed"


def test_a_patch_that_changes_nothing_leaves_no_change(api, carer, trail):
    one, (ident, headers) = carer(), request_id()
    path = f"/v1/carers/{one['id']}"
    etag = api.get(path, role="practitioner").headers["ETag"]

    response = api.patch(path, etag=etag, role="practitioner", headers=headers, json={"given_name": one["given_name"]})

    assert response.status_code == 200 and response.headers["ETag"] == etag
    assert [row for row in trail(ident) if row["subject_table"]] == []


def test_what_is_refused_leaves_no_row(api, carer, trail):
    one, (ident, headers) = carer(council=CAMDEN), request_id()

    problem(api.get(f"/v1/carers/{one['id']}", role="practitioner", council=ISLINGTON, headers=headers), 404, "not-found")
    problem(api.post("/v1/carers", role="practitioner", json={}, headers=headers), 422, "validation-failed")
    problem(api.patch(f"/v1/carers/{one['id']}", etag='"99"', role="practitioner", council=CAMDEN,
                      json={"given_name": "X"}, headers=headers), 412, "precondition-failed")

    assert trail(ident) == []


def test_a_replayed_creation_leaves_no_second_row(api, db):
    body, headers = carer_body(), {"Idempotency-Key": str(uuid.uuid4())}
    made = [api.post("/v1/carers", role="practitioner", json=body, headers=headers).json()["id"] for _ in range(2)]

    db.execute("SELECT count(*) FROM audit_entry WHERE carer_ids = %s::uuid[] AND subject_table = 'carer'", (made[:1],))
    assert db.fetchone() == (1,)


@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET actor = 'nobody'", "DELETE FROM audit_entry",
                                       "TRUNCATE audit_entry"])
def test_the_trail_cannot_be_changed_not_even_by_the_superuser(api, db, statement):
    with pytest.raises(psycopg2.Error, match="never changed"):
        db.execute(statement)
