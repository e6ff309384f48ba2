"""What PostgreSQL makes against what the contract promises: members, codes, and the demo data."""
import pathlib

import bundle
import psycopg2
import pytest
from support.sql import QUERIES, ROOT, Session

CONTRACT = bundle.Bundle(ROOT / "openapi.yaml").document()
SCHEMAS = CONTRACT["components"]["schemas"]


def test_the_view_shows_the_members_of_the_contract_and_no_other(owner):
    owner.execute("SELECT pg_get_viewdef('carer_view'::regclass)")
    text = owner.fetchone()[0]
    shown = {name for name in SCHEMAS["Carer"]["properties"] if f"'{name}'" in text or f'"{name}"' in text}
    assert shown == SCHEMAS["Carer"]["properties"].keys()
    assert text.count("member(") + 2 == len(shown)  # id and available_actions are put in as they are


def test_an_audit_entry_has_the_members_of_the_contract_and_no_other(owner):
    owner.execute("SELECT pg_get_functiondef('audit_body'::regproc)")
    text = owner.fetchone()[0]
    shown = {name for name in SCHEMAS["AuditEntry"]["properties"] if f"'{name}'" in text or f'"{name}"' in text}
    assert shown == SCHEMAS["AuditEntry"]["properties"].keys()
    assert text.count("member(") + 2 == len(shown) + 1  # id and organisation are put in as they are; its name is a member


@pytest.mark.parametrize("schema", ["CarerCreate", "CarerPatch"])
def test_what_clients_send_is_what_the_query_writes(owner, schema):
    name = {"CarerCreate": "carer_insert", "CarerPatch": "carer_patch"}[schema]
    written = {field for field in SCHEMAS[schema]["properties"] if f"b.{field}" in QUERIES[name].sql()}
    assert written == SCHEMAS[schema]["properties"].keys()


def test_create_and_patch_differ_in_the_council_alone():
    assert SCHEMAS["CarerCreate"]["properties"].keys() - SCHEMAS["CarerPatch"]["properties"].keys() == {"council"}


def test_what_create_calls_required_patch_does_not_remove():
    for name in SCHEMAS["CarerCreate"]["required"]:
        schema = SCHEMAS["CarerPatch"]["properties"].get(name, {})
        assert "null" not in str(schema.get("type", ""))


def check_values(owner, table, column):
    owner.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'"
                  " AND conname = %s", (table, f"{table}_{column}_check"))
    return set(owner.fetchone()[0].split("'")[1::2]) - {"text"}


def test_states_and_kinds_are_the_contracts(owner):
    assert check_values(owner, "carer", "state") == set(SCHEMAS["CarerState"]["enum"])
    assert check_values(owner, "carer", "kind") == set(SCHEMAS["CarerKind"]["enum"])


def test_actions_are_the_contracts_and_so_are_roles(owner):
    owner.execute("SELECT DISTINCT action FROM carer_transition WHERE roles <> '{}' AND from_state <> 'none'")
    assert {action for (action,) in owner.fetchall()} == set(SCHEMAS["CarerAction"]["enum"])
    owner.execute("SELECT DISTINCT unnest(roles) FROM carer_transition")
    assert {role for (role,) in owner.fetchall()} <= set(SCHEMAS["Role"]["enum"])
    operations = {operation["operationId"] for item in CONTRACT["paths"].values() for operation in item.values()
                  if isinstance(operation, dict)}
    assert {f"{action}Carer" for action in SCHEMAS["CarerAction"]["enum"]} <= operations


def test_codes_of_a_patch_are_those_of_the_record():
    for name, schema in SCHEMAS["CarerPatch"]["properties"].items():
        if "enum" not in schema:
            continue
        whole = SCHEMAS["Carer"]["properties"][name]["$ref"].rsplit("/", 1)[1]
        assert [code for code in schema["enum"] if code is not None] == SCHEMAS[whole]["enum"], name


def closed(schema, where):
    """Every object of a request is closed, every text and list has its end."""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "object" in kinds:
        assert "additionalProperties" in schema and ("properties" in schema or "maxProperties" in schema), where
    if "string" in kinds:
        assert "maxLength" in schema or "enum" in schema or schema.get("format") == "uuid", where
    if "array" in kinds:
        assert "maxItems" in schema, where
    if {"number", "integer"} & set(kinds):
        assert "minimum" in schema and "maximum" in schema, where
    for name, member in schema.items():
        parts = member.values() if name == "properties" else [member] if name in ("items", "additionalProperties") else []
        for part in parts:
            if isinstance(part, dict):
                closed(resolve(part), f"{where}/{name}")


def resolve(schema):
    while "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rsplit("/", 1)[1]]
    return schema


def test_what_clients_send_has_its_bounds():
    for path, item in CONTRACT["paths"].items():
        for method, operation in item.items():
            for media in operation.get("requestBody", {}).get("content", {}).values() if method != "parameters" else ():
                closed(resolve(media["schema"]), f"{method} {path}")


class TestDemo:
    """The data of ./dev run."""

    @pytest.fixture(scope="class")
    def demo(self, cluster, new_database):
        name = new_database()
        with psycopg2.connect(cluster.conninfo("carers_owner", name)) as connection:
            connection.cursor().execute((ROOT / "sql" / "seed" / "demo.sql").read_text(encoding="utf-8"))
        connection.close()
        connection = psycopg2.connect(cluster.conninfo("carers_owner", name))
        yield connection
        connection.close()

    def test_it_has_two_councils_four_organisations_forty_carers_in_every_state(self, demo):
        session = Session(demo)
        assert session.sql("SELECT count(*), count(DISTINCT council), count(DISTINCT state) FROM carer") == [(40, 2, 5)]
        assert session.sql("SELECT count(*) FROM organisation") == [(4,)]
        assert session.sql("SELECT count(DISTINCT organisation_id) FROM carer_access") == [(4,)]

    def test_whoever_was_registered_has_her_triage(self, demo):
        assert Session(demo).sql("SELECT c.id, c.version FROM carer c LEFT JOIN carer_triage t ON t.carer_id = c.id"
                                 " WHERE c.version <> 1 OR (t.id IS NULL) <> (c.state IN ('identified', 'closed'))") == []

    def test_its_passport_is_the_one_of_the_contract_and_is_valid(self, demo):
        number = SCHEMAS["Passport"]["properties"]["number"]["example"]
        assert Session(demo).sql("SELECT passport_valid(%s), passport_valid(NULL)", number) == [(True, False)]

    def test_nobody_in_it_can_be_anybody(self, demo):
        session = Session(demo)
        assert session.sql("SELECT nhs_number FROM carer WHERE nhs_number NOT LIKE '999%%'", None) == []
        assert session.sql("SELECT count(*) FROM carer WHERE contact ->> 'email' NOT LIKE '%%@example.org'"
                           " OR contact ->> 'phone' !~ '^[+]44(7700900|1632960)[0-9]{3}$'", None) == [(0,)]

    def test_its_nhs_numbers_have_their_check_digit(self, demo):
        for (number,) in Session(demo).sql("SELECT nhs_number FROM carer WHERE nhs_number IS NOT NULL"):
            digits = [int(sign) for sign in number]
            assert (11 - sum(d * w for d, w in zip(digits, range(10, 1, -1))) % 11) % 11 == digits[9]

    def test_ids_are_in_order_of_creation(self, demo):
        times = [at for (at,) in Session(demo).sql("SELECT created_at FROM carer ORDER BY id")]
        assert times == sorted(times)


def test_the_bundle_is_the_same_each_time(tmp_path):
    import subprocess
    made = []
    for number in range(2):
        files = [tmp_path / f"{number}.json", tmp_path / f"{number}.yaml"]
        subprocess.run(["/usr/bin/python3", ROOT / "tools" / "bundle.py", ROOT / "openapi.yaml", *files], check=True)
        made.append([pathlib.Path(file).read_bytes() for file in files])
    assert made[0] == made[1]
