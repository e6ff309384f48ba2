"""Contacts, as PostgreSQL keeps them: who sees and writes which rows, what is refused, what is told."""
import json
import re
import threading

import bundle
import psycopg2
import pytest
from support.sql import CLASSES, ESSEX, ISLINGTON, ROOT, new_id

COUNCIL, PARTNER = ["council_admin", "practitioner"], ["assessor", "support_worker", "hospital_in_reach", "break_provider"]
DESK = ["commissioner", "directory_editor", "referrer", "vcfse_editor"]
STAFF = {"councils": [ISLINGTON]}
CALL = {"channel": "phone", "direction": "inbound", "reason": "first_contact", "outcome": "info_advice"}
SCHEMAS = bundle.Bundle(ROOT / "openapi.yaml").document()["components"]["schemas"]


@pytest.fixture(scope="module")
def record(acting):
    """record(carer, role=, org=, members...): the id of a contact."""
    def make(carer_id, role="practitioner", org=None, council=ISLINGTON, **members):
        ident = new_id()
        with acting(role, [council], org=org) as session:
            session.execute("contact_record", carer_id, ident, json.dumps({**CALL, **members}))
        return ident
    return make


@pytest.fixture
def share(owner):
    """share(carer): she consents to share_between_services; share(carer, None) takes it back."""
    def say(carer_id, decision="given"):
        if decision:
            owner.execute("INSERT INTO consent (id, carer_id, council, purpose, decision, method, wording_version)"
                          " VALUES (%s, %s, %s, 'share_between_services', %s, 'verbal', 'v1')",
                          (new_id(), carer_id, ISLINGTON, decision))
        else:
            owner.execute("UPDATE consent SET ended_at = now(), ended_how = 'withdrawn' WHERE carer_id = %s", (carer_id,))
    return say


@pytest.fixture
def rows(carer, organisation, grant, record):
    """A carer whom two organisations may see, and a contact of each and of the council; a third has no access."""
    class Rows:
        org, other_org, no_org, one, far = organisation(), organisation(), organisation(), carer(), carer(ESSEX)
    for org in (Rows.org, Rows.other_org):
        grant(Rows.one, org)
    Rows.ids = {"council": record(Rows.one), "own": record(Rows.one, "support_worker", Rows.org),
                "other": record(Rows.one, "assessor", Rows.other_org)}
    record(Rows.far, council=ESSEX)
    return Rows


def seen(acting, rows, role, **claims):
    """The names of the contacts that the caller sees, in the view and one by one: the same."""
    with acting(role, **claims) as session:
        found = {str(row[0]) for row in session.sql("SELECT id FROM contact_view")}
        single = {name for name, ident in rows.ids.items() if session.body("contact_by_id", rows.one, ident)}
    names = {name for name, ident in rows.ids.items() if ident in found}
    assert names == single
    return names


class TestWhoSees:
    """The rows for each class."""

    @pytest.mark.parametrize("role", COUNCIL)
    def test_her_council_sees_all_and_another_none(self, acting, rows, role):
        assert seen(acting, rows, role, **STAFF) == set(rows.ids)
        assert seen(acting, rows, role, councils=[ESSEX], org=rows.org, carer=rows.one) == set()

    def test_she_sees_all_and_another_carer_none(self, acting, rows):
        assert seen(acting, rows, "carer", carer=rows.one) == set(rows.ids)
        assert seen(acting, rows, "carer", carer=rows.far, org=rows.org, **STAFF) == set()

    @pytest.mark.parametrize("role", PARTNER)
    def test_an_organisation_sees_its_own_and_others_while_she_shares(self, acting, rows, share, role):
        whole = {"own"} if role == "break_provider" else set(rows.ids)
        assert seen(acting, rows, role, org=rows.org, **STAFF) == {"own"}
        share(rows.one)
        assert seen(acting, rows, role, org=rows.org, **STAFF) == whole
        share(rows.one, None)
        assert seen(acting, rows, role, org=rows.org, **STAFF) == {"own"}
        share(rows.one, "refused")
        assert seen(acting, rows, role, org=rows.org, **STAFF) == {"own"}

    @pytest.mark.parametrize("role", PARTNER)
    def test_without_access_not_even_its_own(self, acting, rows, share, owner, role):
        share(rows.one)
        assert seen(acting, rows, role, org=rows.no_org, **STAFF) == set()
        owner.execute("UPDATE carer_access SET ends_at = now() - interval '1 minute' WHERE organisation_id = %s", (rows.org,))
        assert seen(acting, rows, role, org=rows.org, **STAFF) == set()

    @pytest.mark.parametrize("role", DESK + [""])
    def test_nobody_else_sees_any(self, acting, rows, role):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            seen(acting, rows, role, org=rows.org, carer=rows.one, **STAFF)

    @pytest.mark.parametrize("role, claims, shown", [
        *[(role, lambda r: STAFF, True) for role in COUNCIL],
        *[(role, lambda r: {"org": r.org}, role != "break_provider") for role in PARTNER],
        ("carer", lambda r: {"carer": r.one}, False)])
    def test_practitioners_notes_are_for_practitioners(self, acting, rows, record, role, claims, shown):
        ident = record(rows.one, "support_worker", rows.org, notes="seen by her", practitioner_notes="not seen by her")
        with acting(role, **claims(rows)) as session:
            body = session.body("contact_read", rows.one, ident)
            page = session.body("contacts_of_carer", rows.one, 1, None, None, None, None, None)["items"][0]
        assert body == page and body["notes"] == "seen by her"
        assert body.get("practitioner_notes") == ("not seen by her" if shown else None)


class TestWhoWrites:
    """Council and organisations, as themselves; nobody changes."""

    @pytest.mark.parametrize("role", [*COUNCIL, *PARTNER])
    def test_who_meets_carers_records(self, acting, rows, record, role):
        org = rows.org if role in PARTNER else None
        ident = record(rows.one, role, org)
        with acting(role, org=org, **STAFF) as session:
            assert session.body("contact_by_id", rows.one, ident)["recorded_by"] == {
                "role": role, **({"organisation_id": org} if org else {})}

    @pytest.mark.parametrize("role", ["carer", *DESK, ""])
    def test_no_other_class_does(self, refused, rows, role):
        diag = refused(role, "contact_record", rows.one, new_id(), json.dumps(CALL), carer=rows.one, org=rows.org, **STAFF)
        assert diag.sqlstate == "42501"

    @pytest.mark.parametrize("role, claims", [("practitioner", lambda r: {"councils": [ESSEX]}),
                                              ("support_worker", lambda r: {"org": r.no_org, **STAFF})])
    def test_who_does_not_see_her_finds_nobody(self, refused, rows, role, claims):
        diag = refused(role, "contact_record", rows.one, new_id(), json.dumps(CALL), **claims(rows))
        assert diag.sqlstate == "CA404"

    def test_an_organisation_in_a_councils_token_does_not_make_it_the_organisations(self, acting, rows, record):
        ident = record(rows.one, "practitioner", rows.other_org)
        with acting("practitioner", **STAFF) as session:
            assert session.body("contact_by_id", rows.one, ident)["recorded_by"] == {"role": "practitioner"}
        with acting("support_worker", org=rows.other_org) as session:
            assert session.body("contact_by_id", rows.one, ident) is None

    @pytest.mark.parametrize("role", list(CLASSES))
    @pytest.mark.parametrize("statement", ["UPDATE contact SET notes = 'x'", "DELETE FROM contact",
                                           "INSERT INTO contact (organisation_id) VALUES (gen_random_uuid())",
                                           "INSERT INTO contact (recorded_by) VALUES ('somebody else')"])
    def test_nobody_changes_deletes_or_writes_as_another(self, acting, rows, role, statement):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            with acting(role, org=rows.org, carer=rows.one, **STAFF) as session:
                session.sql(statement)

    def test_even_its_owner_does_not_change_one(self, rows, owner):
        with pytest.raises(psycopg2.Error, match="never changed"):
            owner.execute("UPDATE contact SET notes = 'x'")


class TestRules:
    """What a contact must be."""

    def test_it_was_and_will_not_be(self, refused, record, carer, acting):
        one = carer()
        diag = refused("practitioner", "contact_record", one, new_id(), json.dumps({**CALL, "at": "2090-01-01T00:00:00Z"}),
                       **STAFF)
        assert (diag.sqlstate, diag.message_hint) == ("CA42V", "/at")
        for at in ({}, {"at": "2020-01-01T09:00:00+01:00"}):
            ident = record(one, **at)
            with acting("practitioner", **STAFF) as session:
                shown = session.body("contact_by_id", one, ident)["at"]
            assert (shown == "2020-01-01T08:00:00.000Z") == bool(at)

    def test_a_breaks_provider_writes_no_practitioners_notes(self, refused, rows):
        body = json.dumps({**CALL, "practitioner_notes": "x"})
        diag = refused("break_provider", "contact_record", rows.one, new_id(), body, org=rows.org)
        assert (diag.sqlstate, diag.message_hint) == ("CA42V", "/practitioner_notes")

    def test_a_closed_carer_may_call_back(self, acting, carer, record):
        one = carer()
        with acting("practitioner", **STAFF) as session:
            session.execute("carer_move", one, "close", '{"reason": "lost_contact"}')
        record(one)

    def test_no_needs_are_no_member(self, acting, carer, record):
        one = carer()
        ident = record(one, needs=[])
        with acting("practitioner", **STAFF) as session:
            assert "needs" not in session.body("contact_by_id", one, ident)

    @pytest.mark.parametrize("role, org, wrong", [("practitioner", None, "own"), ("support_worker", "org", "council"),
                                                  ("support_worker", "org", "other"), ("practitioner", None, "nobody's"),
                                                  ("practitioner", None, "another carer's")])
    def test_each_side_corrects_its_own_contacts(self, refused, rows, share, record, carer, role, org, wrong):
        share(rows.one)
        org = org and getattr(rows, org)
        ids = {**rows.ids, "nobody's": new_id(), "another carer's": record(carer())}
        body = json.dumps({**CALL, "corrects_contact_id": ids[wrong]})
        diag = refused(role, "contact_record", rows.one, new_id(), body, org=org, **STAFF)
        assert (diag.sqlstate, diag.message_hint) == ("CA42V", "/corrects_contact_id")
        record(rows.one, role, org, corrects_contact_id=rows.ids["own" if org else "council"])

    def test_of_two_corrections_at_once_one_is_written(self, connect, acting, rows):
        results, first = [], threading.Barrier(2)

        def correct():
            try:
                with acting("practitioner", on=connect(), **STAFF) as session:
                    first.wait()
                    session.execute("contact_record", rows.one, new_id(),
                                    json.dumps({**CALL, "corrects_contact_id": rows.ids["council"]}))
                results.append("written")
            except psycopg2.Error as refusal:
                results.append(refusal.diag.constraint_name)
        workers = [threading.Thread(target=correct) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(30)
        assert sorted(results) == ["contact_corrected_once", "written"]


class TestEventsAndAudit:
    """What is told of a contact, and what is not."""

    def test_it_is_told_in_codes_with_its_own_time(self, carer, record, owner):
        one = carer()
        first = record(one, at="2020-01-01T00:00:00Z", notes="she said", reason="welfare_check", outcome="no_answer")
        record(one, corrects_contact_id=first)
        owner.execute("SELECT kind, at = '2020-01-01', summary, resource_id::text FROM event"
                      " WHERE carer_id = %s AND kind LIKE 'contact%%' ORDER BY id", (one,))
        told = owner.fetchall()
        assert told[0] == ("contact.recorded", True,
                           "A contact was recorded: phone, inbound; reason: welfare check; outcome: no answer", first)
        assert told[1][:2] == ("contact.recorded", False) and told[1][2].startswith("A contact was corrected: ")

    @pytest.mark.parametrize("role", PARTNER)
    def test_an_organisation_learns_of_the_contacts_that_it_sees(self, acting, rows, share, role):
        def told():
            with acting(role, org=rows.org) as session:
                found = {str(row[0]) for row in session.sql("SELECT resource_id FROM event WHERE carer_id = %s", rows.one)}
            return {name for name, ident in rows.ids.items() if ident in found}
        assert told() == {"own"}
        share(rows.one)
        assert told() == seen(acting, rows, role, org=rows.org)

    def test_the_trail_says_who_and_not_what_was_said(self, acting, carer, owner):
        one, ident = carer(), new_id()
        with acting("practitioner", **STAFF, request="contact-1") as session:
            session.execute("contact_record", one, ident, json.dumps({**CALL, "notes": "a", "practitioner_notes": "b"}))
        owner.execute("SELECT subject_table, carer_ids::text[], before, after FROM audit_entry WHERE request = 'contact-1'")
        table, carers, before, after = owner.fetchone()
        assert (table, carers, before) == ("contact", [one], None) and after["channel"] == "phone" and after["id"] == ident
        assert not {"a", "b"} & {value for value in after.values() if isinstance(value, str)}


class TestList:
    """contacts_of_carer: pages without gap or repeat, both ways, filters."""

    REASONS = ["review", "feedback", "review", "appointment", "review"]

    @pytest.fixture(scope="class")
    def many(self, carer, record):
        one = carer()
        return one, [record(one, reason=reason, channel="sms" if number % 2 else "phone",
                            outcome="no_answer" if number == 4 else "other") for number, reason in enumerate(self.REASONS)]

    def pages(self, acting, one, limit, since=None, filters=(None,) * 3):
        items, cursor = [], None
        with acting("practitioner", **STAFF) as session:
            for _ in range(10):
                (text, following), = session.execute("contacts_of_carer", one, limit, cursor, since, *filters)
                page = json.loads(text)
                assert page.get("next_cursor") == following and len(page["items"]) <= limit
                items += [item["id"] for item in page["items"]]
                if not following:
                    return items
                cursor = following
        raise AssertionError("the list does not end")

    @pytest.mark.parametrize("limit", [1, 2, 4, 5, 200])
    def test_last_recorded_first_or_oldest_first_since(self, acting, many, limit):
        one, ids = many
        assert self.pages(acting, one, limit) == ids[::-1]
        assert self.pages(acting, one, limit, since="2020-01-01T00:00:00Z") == ids
        assert self.pages(acting, one, limit, since="2090-01-01T00:00:00Z") == []

    def test_since_is_an_instant_between_them(self, acting, many, owner):
        one, ids = many
        owner.execute("SELECT created_at FROM contact WHERE id = %s", (ids[3],))
        assert set(ids[3:]) <= set(self.pages(acting, one, 2, since=owner.fetchone()[0].isoformat()))

    @pytest.mark.parametrize("filters, wanted", [
        (("sms", None, None), [1, 3]), ((None, "review", None), [0, 2, 4]), ((None, None, "no_answer"), [4]),
        (("phone", "review", "other"), [0, 2]), (("email", None, None), [])])
    def test_filters_are_cumulative(self, acting, many, filters, wanted):
        one, ids = many
        for limit in (1, 50):
            assert self.pages(acting, one, limit, filters=filters) == [ids[number] for number in reversed(wanted)]
            assert self.pages(acting, one, limit, "2020-01-01T00:00:00Z", filters) == [ids[number] for number in wanted]

    def test_a_cursor_of_another_list_is_a_wrong_parameter(self, refused, many):
        for since in (None, "2020-01-01T00:00:00Z"):
            diag = refused("practitioner", "contacts_of_carer", many[0], 5, "A" * 32, since, None, None, None, **STAFF)
            assert (diag.sqlstate, diag.message_hint) == ("CA400", "/query/cursor")

    def test_a_carer_who_is_not_seen_has_no_page(self, acting, rows):
        for role, claims in (("practitioner", {"councils": [ESSEX]}), ("support_worker", {"org": rows.no_org}),
                             ("carer", {"carer": rows.far})):
            with acting(role, **claims) as session:
                assert session.execute("contacts_of_carer", rows.one, 5, None, None, None, None, None) == []


class TestShape:
    """What PostgreSQL makes is what the contract promises."""

    def test_the_view_shows_the_members_of_the_contract_and_no_other(self, owner):
        owner.execute("SELECT pg_get_viewdef('contact_view'::regclass)")
        text = owner.fetchone()[0]
        members = SCHEMAS["CarerContact"]["properties"].keys()
        assert {name for name in members if f"'{name}'" in text or f'"{name}"' in text} == members
        assert set(re.findall(r"member\('(\w+)'", text)) <= members | {"organisation_id"}

    @pytest.mark.parametrize("column", ["channel", "direction", "reason", "outcome"])
    def test_codes_are_the_contracts(self, owner, column):
        owner.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", (f"contact_{column}_check",))
        assert set(owner.fetchone()[0].split("'")[1::2]) == set(SCHEMAS[f"Contact{column.capitalize()}"]["enum"])

    def test_what_clients_send_is_what_may_be_written(self, owner):
        owner.execute("SELECT column_name FROM information_schema.column_privileges WHERE table_name = 'contact'"
                      " AND grantee = 'carers_partner' AND privilege_type = 'INSERT'")
        written = {name for (name,) in owner.fetchall()}
        assert written == SCHEMAS["CarerContactCreate"]["properties"].keys() | {"id", "carer_id"}
