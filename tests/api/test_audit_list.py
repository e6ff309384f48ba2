"""listAudit: by role, by filter, page by page while others write, across the months; and it is noted itself."""
import concurrent.futures
import uuid

import psycopg2
import pytest
from support.callers import AUDIT, CALLERS, answer
from support.client import faults, problem
from support.referrals import person, referral_body
from support.server import wait_for
from support.tokens import CAMDEN, ISLINGTON, PERSON

ADMIN = {"role": "council_admin", "scope": AUDIT}


def items(api, query="", **options):
    response = api.get(f"/v1/audit{query}", **{**ADMIN, **options})
    assert response.status_code == 200, response.text
    return response.json()["items"]


def pages(api, query, **options):
    """Every item, page after page, by the links."""
    found, path = [], f"/v1/audit?{query}"
    for _ in range(100):
        response = api.get(path, **{**ADMIN, **options})
        assert response.status_code == 200, response.text
        found += response.json()["items"]
        if "next" not in response.links:
            assert "next_cursor" not in response.json()
            return found
        path = response.links["next"]["url"]
    raise AssertionError("the list does not end")


def of(carer):
    return f"?carer_id={carer['id']}"


def change(api, carer, **members):
    path = f"/v1/carers/{carer['id']}"
    response = api.patch(path, etag="*", role="practitioner", council=carer["council"], json=members)
    assert response.status_code == 200, response.text


class TestWho:
    """Administrators of a council, and of that council only."""

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_the_trail_is_read_by_administrators_and_shows_their_own_council(self, world, caller):
        expected = dict.fromkeys(("her council's administrator", "another council's administrator"), "200")

        response = world.ask(caller, "GET", f"/v1/audit{of(world.carer)}")

        assert answer(response) == expected.get(caller, "forbidden")
        if response.status_code == 200:
            shown = [item["action"] for item in response.json()["items"] if "action" in item]  # none: the fixture, by SQL
            assert shown == (["createCarer"] if caller == "her council's administrator" else [])

    @pytest.mark.parametrize("role", ["council_admin", "practitioner", "commissioner"])
    def test_it_has_a_scope_of_its_own(self, api, role):
        problem(api.get("/v1/audit", role=role, scope=PERSON + " admin"), 403, "insufficient-scope")

    def test_without_a_token_there_is_nothing(self, api):
        problem(api.get("/v1/audit"), 401, "unauthenticated")

    def test_of_two_councils_each_shows_its_own(self, api, carer):
        made = {council: carer(council=council) for council in (ISLINGTON, CAMDEN)}
        api.get("/v1/carers?limit=2", role="practitioner", council=[ISLINGTON, CAMDEN])

        for council, one in made.items():
            entry = items(api, of(one), council=council)[0]
            assert entry["action"] == "listCarers" and entry["council"] == council and entry["carer_ids"] == [one["id"]]
            assert {entry["council"] for entry in items(api, council=council)} == {council}
        both = items(api, "?action=listCarers&limit=2", council=[ISLINGTON, CAMDEN])
        assert {entry["council"] for entry in both} == {ISLINGTON, CAMDEN}
        assert len({entry["request_id"] for entry in both}) == 1


class TestWhat:
    """One entry as the contract has it."""

    def test_a_reading_says_who_when_what_and_whom(self, api, carer):
        one, ident = carer(), f"list-{uuid.uuid4()}"
        api.get(f"/v1/carers/{one['id']}", role="practitioner", sub="somebody-in-particular",
                headers={"X-Request-ID": ident})

        entry = items(api, of(one))[0]

        assert entry["at"] and entry["id"] > 0
        assert {name: value for name, value in entry.items() if name not in ("at", "id")} == {
            "kind": "read", "actor": "somebody-in-particular", "role": "practitioner", "client_id": "tests",
            "council": ISLINGTON, "action": "getCarer", "target": one["id"], "request_id": ident, "carer_ids": [one["id"]]}

    def test_a_change_says_what_it_was_and_what_it_became(self, api, carer):
        one = carer(preferred_language="cy")
        change(api, one, preferred_language=None, given_name="Changed")

        entry = items(api, of(one) + "&kind=change")[0]

        assert entry["kind"] == "change" and entry["action"] == "updateCarer" and entry["resource"] == "carer"
        assert entry["before"] == {"preferred_language": "cy", "given_name": one["given_name"]}
        assert entry["after"] == {"given_name": "Changed"}

    def test_an_organisation_is_named(self, api, carer, organisation, db):
        org = organisation()
        one = carer(role="support_worker", org=org)
        db.execute("SELECT name FROM organisation WHERE id = %s", (org,))

        entries = items(api, of(one))

        assert entries[0]["organisation"] == {"id": org, "name": db.fetchone()[0]}
        assert {entry["resource"] for entry in entries} >= {"carer"}

    def test_a_page_of_a_list_is_found_by_each_carer_on_it(self, api, carer):
        made = [carer(council=CAMDEN) for _ in range(3)]
        api.get("/v1/carers?limit=3", role="practitioner", council=CAMDEN)

        for one in made:
            entry = items(api, of(one), council=CAMDEN)[0]
            assert entry["action"] == "listCarers" and set(entry["carer_ids"]) == {other["id"] for other in made}


    def test_a_referral_of_a_person_who_is_not_on_record_names_no_carer(self, api, organisation):
        ident = f"stranger-{uuid.uuid4()}"
        made = api.post("/v1/referrals", json=referral_body(person=person()), role="referrer", org=organisation(),
                        headers={"X-Request-ID": ident})
        assert made.status_code == 201, made.text

        entry, = (item for item in items(api, "?action=createReferral&limit=50") if item["request_id"] == ident)

        assert entry["resource"] == "referral" and entry["carer_ids"] == []


class TestFilters:
    """Cumulative; what is wrong is said."""

    def test_each_filter_and_all_at_once(self, api, carer, organisation):
        org, sub = organisation(), f"worker-{uuid.uuid4()}"
        one = carer(role="support_worker", org=org)
        path = f"/v1/carers/{one['id']}"
        api.get(path, role="support_worker", org=org, sub=sub)
        api.post(f"{path}/close", role="support_worker", org=org, sub=sub, json={"reason": "lost_contact"})
        api.get(path, role="practitioner")

        def actions(query):
            entries = items(api, query)
            return [entry["action"] for entry in entries if entry.get("resource") != "access" and entry["action"] != "listAudit"]
        assert actions(f"?actor={sub}") == ["closeCarer", "getCarer"]
        assert actions(f"?actor={sub}&kind=change") == ["closeCarer"]
        assert actions(f"?actor={sub}&action=getCarer&carer_id={one['id']}&organisation_id={org}&kind=read") == ["getCarer"]
        assert actions(f"?organisation_id={org}&action=closeCarer") == ["closeCarer"]
        assert actions(f"?organisation_id={uuid.uuid4()}&actor={sub}") == []
        assert actions(of(one) + "&actor=nobody") == []
        assert actions(of(one))[:2] == ["getCarer", "closeCarer"]

    def test_from_and_to_bound_the_time(self, api, carer):
        one = carer()
        for _ in range(3):
            api.get(f"/v1/carers/{one['id']}", role="practitioner")
        entries = [entry for entry in items(api, of(one)) if entry["action"] == "getCarer"]
        newest, middle = entries[0]["at"], entries[1]["at"]

        def found(query):
            return [entry["id"] for entry in items(api, of(one) + f"&action=getCarer{query}")]
        assert found("&to=2020-01-01T00:00:00Z") == found("&from=2090-01-01T00:00:00Z") == []
        assert found(f"&from={middle}") == [entry["id"] for entry in entries if entry["at"] >= middle]
        assert found(f"&to={middle}") == [entry["id"] for entry in entries if entry["at"] < middle]
        assert found(f"&from={newest}&to={middle}") == []

    @pytest.mark.parametrize("query, pointer, keyword", [
        ("carer_id=somebody", "/query/carer_id", "format"), ("kind=delete", "/query/kind", "enum"),
        ("from=yesterday", "/query/from", "format"), ("to=0001-01-01T00:00:00Z", "/query/to", "pattern"),
        ("action=get+carer", "/query/action", "pattern"), ("actor=", "/query/actor", "minLength"),
        ("limit=201", "/query/limit", "maximum"), ("cursor=x", "/query/cursor", "pattern"),
        ("cursor=AZqY0s0AcACAAAAAAAAAAQ", "/query/cursor", "rule")])
    def test_a_wrong_parameter_is_named(self, api, query, pointer, keyword):
        assert (pointer, keyword) in faults(api.get(f"/v1/audit?{query}", **ADMIN), 400, "invalid-parameter")

    def test_an_unknown_parameter_is_refused(self, api):
        problem(api.get("/v1/audit?nhs_number=9990012377", **ADMIN), 400, "invalid-parameter")


class TestPages:
    """Newest first, no repeat, no gap."""

    @pytest.mark.parametrize("query", ["", "&kind=read"], ids=["walk", "filtered walk"])
    def test_what_stood_below_the_first_page_is_shown_once_while_others_write(self, api, client, server, carer, query):
        one = carer()
        for _ in range(12):
            api.get(f"/v1/carers/{one['id']}", role="practitioner")
        before = [entry["id"] for entry in pages(api, f"carer_id={one['id']}&limit=200{query}")]
        done = []

        def read():
            mine = client(server)
            while not done:
                mine.get(f"/v1/carers/{one['id']}", role="practitioner")

        with concurrent.futures.ThreadPoolExecutor(4) as workers:
            running = [workers.submit(read) for _ in range(4)]
            try:
                walks = [[entry["id"] for entry in pages(api, f"carer_id={one['id']}&limit=5{query}")] for _ in range(3)]
            finally:
                done.append(True)
            for each in running:
                each.result()

        for walk in walks:
            assert len(walk) == len(set(walk))
            assert [ident for ident in walk if ident in set(before)] == before

    def test_one_page_spans_two_months(self, api, db, carer):
        one = carer()
        db.execute("SELECT date_trunc('month', now(), 'UTC')")
        month = db.fetchone()[0]
        made = []
        for seconds in (-1, -0.001, 0, 1):
            db.execute("INSERT INTO audit_entry (at, council, action, carer_ids) VALUES"
                       " (%s + %s * interval '1 second', %s, 'getCarer', %s::uuid[]) RETURNING id, tableoid",
                       (month, seconds, ISLINGTON, [one["id"]]))
            made.append(db.fetchone())
        assert len({table for _, table in made}) == 2

        entries = [entry["id"] for entry in items(api, of(one)) if entry["action"] == "getCarer"]

        assert entries == [ident for ident, _ in reversed(made)]
        assert [entry["id"] for entry in pages(api, f"carer_id={one['id']}&action=getCarer&limit=1")] == entries

    def test_a_page_is_never_longer_than_its_limit(self, api):
        assert len(items(api, "?limit=1")) == 1
        assert 0 < len(items(api, "?limit=200")) <= 200


class TestNoted:
    """Reading the trail leaves its entry too."""

    def test_a_reading_is_in_the_next_one(self, api, carer):
        one, ident = carer(), f"list-{uuid.uuid4()}"
        items(api, of(one), headers={"X-Request-ID": ident})

        entry = items(api, of(one))[0]

        assert entry["action"] == "listAudit" and entry["request_id"] == ident and entry["kind"] == "read"
        assert entry["carer_ids"] == [one["id"]] and entry["role"] == "council_admin"

    def test_it_names_whose_values_were_shown(self, api, carer):
        one, other = carer(council=CAMDEN), carer(council=CAMDEN)
        for seen in (one, other):
            change(api, seen, preferred_language="cy")
            api.get(f"/v1/carers/{seen['id']}", role="practitioner", council=CAMDEN)
        ident = f"list-{uuid.uuid4()}"

        shown = items(api, "?limit=4", council=CAMDEN, headers={"X-Request-ID": ident})

        entry = items(api, "?action=listAudit&limit=1", council=CAMDEN)[0]
        assert entry["request_id"] == ident
        assert set(entry["carer_ids"]) == {ident for item in shown if item["kind"] == "change" for ident in item["carer_ids"]}

    def test_what_is_refused_leaves_none(self, api, db):
        ident = f"list-{uuid.uuid4()}"
        for options in ({"role": "practitioner", "scope": AUDIT}, {"role": "council_admin", "scope": PERSON}):
            assert api.get("/v1/audit", headers={"X-Request-ID": ident}, **options).status_code == 403
        db.execute("SELECT count(*) FROM audit_entry WHERE request = %s", (ident,))
        assert db.fetchone() == (0,)


def test_the_service_makes_the_months_when_it_starts(serve, cluster, new_database):
    name = new_database()
    connection = psycopg2.connect(cluster.conninfo("carers_owner", name))
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SELECT date_trunc('month', now(), 'UTC') + interval '1 month'")
    upcoming = cursor.fetchone()[0]
    cursor.execute("SELECT string_agg(inhrelid::regclass::text, ', ') FROM pg_inherits WHERE inhparent = 'audit_entry'::regclass"
                   " AND inhrelid::regclass::text ~ '\\d' AND inhrelid::regclass::text <> to_char(now() AT TIME ZONE 'UTC',"
                   " '\"audit_entry_\"YYYY_MM')")
    ahead = cursor.fetchone()[0]
    cursor.execute(f"DROP TABLE audit_entry_later, {ahead}; SELECT audit_partition('audit_entry_later', %s, NULL)", (upcoming,))

    serve(CARERS_DATABASE=cluster.conninfo("carers_service", name), CARERS_TIDY_S="3600")

    def made():
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_entry'::regclass")
        return cursor.fetchone() == (6,)
    wait_for(made)
    connection.close()


def masked_columns(db):
    """What audited() is told to mask, by table."""
    db.execute("SELECT c.relname, string_to_array(encode(t.tgargs, 'escape'), '\\000') FROM pg_trigger t"
               " JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.proname = 'audited'")
    return {(table, name[1:]) for table, names in db.fetchall() for name in names if name.startswith("*")}


def test_no_entry_holds_a_value_of_a_masked_column(api, carer, db):
    one = carer()
    plan = {"emergency_contacts": [{"name": "Zoë Unlikely", "relationship": "daughter", "phone": "+447700900188"}],
            "instructions": "Call her first.", "access_notes": "The unlikely key safe."}
    assert api.put(f"/v1/carers/{one['id']}/contingency-plan", role="practitioner", json=plan).status_code == 201

    entry = items(api, of(one) + "&kind=change")[0]

    columns = {name for table, name in masked_columns(db) if table == entry["resource"]}
    assert {name for name, value in entry["after"].items() if value == "(masked)"} == columns & plan.keys() != set()
    assert "nlikely" not in str(entry)
    db.execute("SELECT DISTINCT e.subject_table, m.key FROM audit_entry e CROSS JOIN LATERAL ("
               " SELECT * FROM jsonb_each_text(e.before) UNION ALL SELECT * FROM jsonb_each_text(e.after)) AS m"
               " WHERE m.value <> '(masked)'")
    assert set(db.fetchall()) & masked_columns(db) == set()
