"""Demographics: kept and seen only while the carer consents, replaced whole, never in an audit row."""
import json
import re
import threading

import bundle
import psycopg2
import pytest
from support.sql import ESSEX, ISLINGTON, QUERIES, ROOT, new_id

SCHEMAS = bundle.Bundle(ROOT / "openapi.yaml").document()["components"]["schemas"]
FIELDS = list(SCHEMAS["DemographicsPut"]["properties"])
STAFF = {"councils": [ISLINGTON]}
TOLD = {"ethnicity": "white_roma", "gender": "non_binary", "sexual_orientation": "bisexual", "religion": "sikh",
        "disability": "yes_limited_a_lot"}


def word(decision="given"):
    return json.dumps({"purpose": "demographics", "decision": decision, "method": "written", "wording_version": "2026-04"})


@pytest.fixture
def consent(acting):
    """consent(carer, decision): the id of what she says to it."""
    def run(carer_id, decision="given"):
        with acting("practitioner", [ISLINGTON, ESSEX]) as session:
            return session.body("consent_record", new_id(), carer_id, word(decision))["id"]
    return run


@pytest.fixture
def put(acting):
    """put(carer, body, role, claims): the answer's body, version and created."""
    def run(carer_id, body=TOLD, role="practitioner", on=None, **claims):
        with acting(role, on=on, **{**(STAFF if role == "practitioner" else {}), "target": carer_id, **claims}) as session:
            session.execute("demographics_put", carer_id, json.dumps(body))
            (text, version, created), = session.execute("demographics_by_carer", carer_id)
            return json.loads(text), version, created
    return run


@pytest.fixture
def asked(carer, consent):
    """asked(): a carer who consents."""
    def make(council=ISLINGTON):
        one = carer(council)
        consent(one)
        return one
    return make


@pytest.fixture
def withdraw(acting):
    def run(carer_id, consent_id):
        with acting("carer", carer=carer_id) as session:
            session.execute("consent_withdraw", carer_id, consent_id, '{"method": "online"}')
    return run


def refusal(put, *arguments, **claims):
    with pytest.raises(psycopg2.Error) as caught:
        put(*arguments, **claims)
    return caught.value.pgcode


@pytest.fixture
def kept(owner):
    def run(carer_id):
        owner.execute("SELECT count(*) FROM carer_demographics WHERE carer_id = %s", (carer_id,))
        return owner.fetchone()[0]
    return run


class TestWhoSees:
    """Each class, with the consent and without it."""

    ROLES = {"council_admin": True, "practitioner": True, "assessor": True, "support_worker": True, "hospital_in_reach": False,
             "break_provider": False, "carer": True}

    @pytest.fixture
    def world(self, asked, organisation, grant, put):
        class World:
            one, far, org = asked(), asked(ESSEX), organisation()
        grant(World.one, World.org)
        put(World.one)
        put(World.far, councils=[ESSEX])
        return World

    def seen(self, acting, world, role):
        claims = STAFF if role in ("council_admin", "practitioner") else {"org": world.org, "carer": world.one}
        with acting(role, **claims) as session:
            tables = [{str(ident) for (ident,) in session.sql(f"SELECT carer_id FROM {table}")} & {world.one, world.far}
                      for table in ("carer_demographics", "carer_demographics_view")]
        assert tables[0] == tables[1]
        return tables[0]

    @pytest.mark.parametrize("role", list(ROLES))
    def test_with_the_consent(self, acting, world, role):
        assert self.seen(acting, world, role) == ({world.one} if self.ROLES[role] else set())

    @pytest.mark.parametrize("role", list(ROLES))
    def test_without_the_consent_nobody_even_where_a_row_was_left(self, acting, world, owner, role):
        owner.execute("ALTER TABLE consent DISABLE TRIGGER consent_demographics_withdrawn")
        try:
            owner.execute("UPDATE consent SET ended_how = 'withdrawn' WHERE carer_id = %s", (world.one,))
        finally:
            owner.execute("ALTER TABLE consent ENABLE TRIGGER consent_demographics_withdrawn")

        assert self.seen(acting, world, role) == set()

    @pytest.mark.parametrize("role", ["practitioner", "support_worker", "carer"])
    @pytest.mark.parametrize("statement", ["DELETE FROM carer_demographics", "UPDATE carer_demographics SET carer_id = carer_id",
                                           "UPDATE carer_demographics SET version = 1"])
    def test_what_the_service_never_does_is_not_granted(self, acting, role, statement):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            with acting(role, [ISLINGTON]) as session:
                session.sql(statement)

    @pytest.mark.parametrize("role, code", [("hospital_in_reach", "42501"), ("break_provider", "CA40C")])
    def test_who_may_not_see_them_does_not_write_them(self, asked, organisation, grant, put, kept, role, code):
        one, org = asked(), organisation()
        grant(one, org)
        assert refusal(put, one, TOLD, role, org=org) == code
        assert kept(one) == 0


class TestConsent:
    """C2."""

    @pytest.mark.parametrize("said", [[], ["refused"], ["given", "refused"]])
    def test_without_it_nothing_is_kept(self, carer, consent, put, kept, said):
        one = carer()
        for decision in said:
            consent(one, decision)
        assert refusal(put, one) == "CA40C"
        assert kept(one) == 0

    @pytest.mark.parametrize("how", ["withdraw", "refuse"])
    def test_a_no_deletes_them_and_a_new_yes_does_not_bring_them_back(self, acting, carer, consent, withdraw, put, kept, how):
        one = carer()
        given = consent(one)
        put(one)

        withdraw(one, given) if how == "withdraw" else consent(one, "refused")
        assert kept(one) == 0

        consent(one)
        with acting("practitioner", **STAFF) as session:
            assert session.execute("demographics_read", one) == []
        assert put(one)[1:] == (1, True)

    def test_another_yes_leaves_them(self, asked, consent, put, kept):
        one = asked()
        put(one)
        consent(one)
        assert kept(one) == 1

    def test_another_purpose_leaves_them(self, acting, asked, put, kept):
        one = asked()
        put(one)
        with acting("practitioner", **STAFF) as session:
            session.execute("consent_record", new_id(), one, word("refused").replace("demographics", "research"))
        assert kept(one) == 1

    def test_a_withdrawal_waits_for_a_put_and_deletes_what_it_wrote(self, acting, carer, consent, connect, kept, withdraw):
        one, writer = carer(), connect()
        given = consent(one)
        with acting("practitioner", on=writer, **STAFF) as session:
            session.execute("demographics_put", one, json.dumps(TOLD))
            other = connect()

            def take_back():
                with acting("carer", on=other, carer=one) as second:
                    second.execute("consent_withdraw", one, given, '{"method": "online"}')
            worker = threading.Thread(target=take_back)
            worker.start()
            waits = connect()
            while True:
                with waits.cursor() as cursor:
                    cursor.execute("SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s", (other.info.backend_pid,))
                    waiting = cursor.fetchone()
                waits.rollback()
                if waiting == ("Lock",) or not worker.is_alive():
                    break
            assert worker.is_alive(), "the withdrawal went past the row that is being written"
        worker.join(30)
        assert kept(one) == 0

    def test_a_closed_carers_do_not_change(self, acting, asked, put):
        one = asked()
        with acting("practitioner", **STAFF) as session:
            session.execute("carer_move", one, "close", '{"reason": "moved_away"}')
        assert refusal(put, one) == "CA409"

    @pytest.mark.parametrize("role, claims", [("practitioner", {"councils": [ESSEX]}), ("carer", {"carer": new_id()}),
                                              ("support_worker", {"org": new_id()})])
    def test_a_stranger_writes_nothing(self, asked, put, role, claims):
        assert refusal(put, asked(), TOLD, role, **claims) == "CA404"


class TestReplaced:
    """PUT whole."""

    def test_the_first_makes_the_next_replaces_all_of_it(self, asked, put):
        one = asked()
        assert put(one)[1:] == (1, True)

        body, version, created = put(one, {"gender": "prefer_not_to_say"}, if_match="1")

        assert (version, created) == (2, False)
        assert {name: body[name] for name in FIELDS if name in body} == {"gender": "prefer_not_to_say"}

    def test_what_changes_nothing_keeps_the_version_and_leaves_no_row(self, asked, put, owner):
        one = asked()
        put(one)
        assert put(one, if_match="1")[1:] == (1, False)
        owner.execute("SELECT count(*) FROM audit_entry WHERE carer_ids = ARRAY[%s::uuid] AND subject_table ="
                      " 'carer_demographics'", (one,))
        assert owner.fetchone() == (1,)

    def test_if_match_belongs_to_what_is_there(self, asked, put):
        one = asked()
        assert refusal(put, one, if_match="1") == "CA412"
        put(one)
        assert refusal(put, one) == "CA428"
        assert refusal(put, one, if_match="7") == "CA412"
        assert put(one, {"religion": "other"}, if_match="*")[1] == 2

    def test_of_two_first_puts_at_once_one_is_told_to_replace(self, asked, put, connect):
        one, results, first = asked(), [], threading.Barrier(2)

        def write(session_of):
            first.wait()
            try:
                results.append(put(one, on=session_of)[1])
            except psycopg2.Error as refused:
                results.append(refused.diag.constraint_name or refused.pgcode)
        workers = [threading.Thread(target=write, args=(connect(),)) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(30)
        assert set(map(str, results)) in ({"1", "carer_demographics_pkey"}, {"1", "CA428"})


class TestTraces:
    """That it changed, never what it is."""

    def test_no_audit_row_and_no_event_holds_a_value(self, asked, put, consent, owner):
        one = asked()
        put(one)
        put(one, {"ethnicity": "asian_chinese", "gender": "man"}, if_match="1")
        consent(one, "refused")
        owner.execute("SELECT before, after FROM audit_entry WHERE carer_ids = ARRAY[%s::uuid]"
                      " AND subject_table = 'carer_demographics' ORDER BY id", (one,))
        rows = owner.fetchall()
        shown = [tuple(part and {name: part[name] for name in FIELDS if name in part} for part in row) for row in rows]
        masked = dict.fromkeys(FIELDS, "(masked)")
        less = {"ethnicity": "(masked)", "gender": "(masked)"}
        assert shown == [(None, masked), (masked, less), (less, None)]
        codes = {code for name in ("Ethnicity", "Gender", "SexualOrientation", "Religion", "Disability")
                 for code in SCHEMAS[name]["enum"] if len(code) > 3}
        owner.execute("SELECT e.before::text || coalesce(e.after::text, '') FROM audit_entry e"
                      " WHERE subject_table = 'carer_demographics' UNION ALL SELECT summary FROM event"
                      " WHERE kind LIKE 'demographics.%%'", None)
        words = {word for (text,) in owner.fetchall() if text for word in text.replace('"', " ").split()}
        assert words & codes == set()

    def test_each_change_is_an_event(self, asked, put, consent, owner):
        one = asked()
        put(one)
        put(one, {"ethnicity": "asian_chinese"}, if_match="1")
        consent(one, "refused")
        consent(one, "refused")  # there is nothing left to hide
        owner.execute("SELECT e.kind, k.change, e.summary FROM event e JOIN event_kind k USING (kind) WHERE e.carer_id = %s"
                      " AND k.resource = 'demographics' ORDER BY e.id", (one,))
        assert owner.fetchall() == [
            ("demographics.recorded", "upsert", "Demographics were recorded"),
            ("demographics.recorded", "upsert", "Demographics were changed"),
            ("demographics.hidden", "delete", "Demographics were deleted with the consent to keep them")]

    def test_a_deletion_says_who_withdrew(self, carer, consent, put, withdraw, owner):
        one = carer()
        given = consent(one)
        put(one)
        withdraw(one, given)
        owner.execute("SELECT role, council FROM audit_entry WHERE carer_ids = ARRAY[%s::uuid]"
                      " AND subject_table = 'carer_demographics' AND after IS NULL", (one,))
        assert owner.fetchall() == [("carer", ISLINGTON)]


def test_what_is_shown_and_sent_is_what_the_contract_names(owner):
    owner.execute("SELECT pg_get_viewdef('carer_demographics_view'::regclass)")
    text = owner.fetchone()[0]
    assert {name for name in SCHEMAS["Demographics"]["properties"] if f"'{name}'" in text or f'"{name}"' in text} == (
        SCHEMAS["Demographics"]["properties"].keys())
    for part in (r"SELECT b\.", r" SET ", r"SELECT \$1"):
        text = re.search(f"{part}.*?FROM", QUERIES["demographics_put"].sql(), re.DOTALL)[0]
        assert {name for name in FIELDS if name in text} == set(FIELDS), part


@pytest.mark.parametrize("field, schema", [("ethnicity", "Ethnicity"), ("gender", "Gender"), ("religion", "Religion"),
                                           ("sexual_orientation", "SexualOrientation"), ("disability", "Disability")])
def test_codes_are_the_contracts_and_each_may_be_kept_back(owner, field, schema):
    owner.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'carer_demographics'::regclass"
                  " AND conname = %s", (f"carer_demographics_{field}_check",))
    assert set(owner.fetchone()[0].split("'")[1::2]) - {"text"} == set(SCHEMAS[schema]["enum"]) >= {"prefer_not_to_say"}


def test_there_are_the_nineteen_groups_of_the_census():
    assert len(SCHEMAS["Ethnicity"]["enum"]) == 19 + 1
