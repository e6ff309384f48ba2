"""Consents: who sees which, that the newest word counts, that they only end, and what a withdrawal does at once."""
import json
import threading

import bundle
import psycopg2
import pytest
from support.sql import ESSEX, ISLINGTON, QUERIES, ROOT, new_id

SCHEMAS = bundle.Bundle(ROOT / "openapi.yaml").document()["components"]["schemas"]
PURPOSES = SCHEMAS["ConsentPurpose"]["enum"]
GENERAL = [purpose for purpose in PURPOSES if purpose != "share_with_organisation"]
STAFF = {"councils": [ISLINGTON]}
WORKERS = ["assessor", "support_worker", "hospital_in_reach"]


def said(purpose="research", **members):
    return json.dumps({"purpose": purpose, "method": "verbal", "wording_version": "2026-04", **members})


def sharing(org, **members):
    return said("share_with_organisation", organisation_id=org, **members)


def problem(diag):
    return diag.sqlstate, json.loads(diag.message_detail) if diag.message_detail else None


@pytest.fixture
def record(acting):
    """record(carer, body, role, claims): the consent as its recorder sees it; a practitioner of Islington unless told otherwise."""
    def run(carer_id, body, role="practitioner", **claims):
        with acting(role, **(claims or STAFF)) as session:
            return session.body("consent_record", new_id(), carer_id, body)
    return run


@pytest.fixture
def withdraw(acting):
    def run(consent, role="practitioner", **claims):
        with acting(role, **(claims or STAFF)) as session:
            return session.body("consent_withdraw", consent["carer_id"], consent["id"], '{"method": "verbal"}')
    return run


@pytest.fixture
def states(owner):
    """states(carer): the state of each of her consents, the oldest first."""
    def run(carer_id):
        owner.execute("SELECT consent_state(c) FROM consent c WHERE carer_id = %s ORDER BY id", (carer_id,))
        return [state for (state,) in owner.fetchall()]
    return run


class TestWhoSees:
    """Which consents each class sees."""

    @pytest.fixture
    def world(self, carer, organisation, grant, record):
        class World:
            one, far = carer(), carer(ESSEX)
            org, other, third = organisation(), organisation(), organisation()
        for org in (World.org, World.other):
            grant(World.one, org)
        World.consents = {
            "general": record(World.one, said())["id"],
            "ours": record(World.one, sharing(World.org))["id"],
            "theirs": record(World.one, sharing(World.other))["id"],
            "recorded by us": record(World.one, sharing(World.third), "support_worker", org=World.org)["id"],
            "far": record(World.far, said(), "practitioner", councils=[ESSEX])["id"]}
        return World

    @pytest.mark.parametrize("role, seen", [
        *[(role, {"general", "ours", "theirs", "recorded by us"}) for role in ("council_admin", "practitioner", "carer")],
        *[(role, {"general", "ours", "recorded by us"}) for role in WORKERS], ("break_provider", set())])
    def test_each_class_sees_what_is_for_it(self, acting, world, role, seen):
        claims = {"councils": [ISLINGTON]} if role in ("council_admin", "practitioner") else {
            "councils": [ISLINGTON, ESSEX], "org": world.org, "carer": world.one}
        with acting(role, **claims) as session:
            ids = {str(ident) for (ident,) in session.sql("SELECT id FROM consent")} & set(world.consents.values())
        assert ids == {world.consents[name] for name in seen}

    @pytest.mark.parametrize("role, named", [("practitioner", {"org", "other", "third"}), ("carer", {"org", "other", "third"}),
                                             ("support_worker", {"org"})])
    def test_an_organisation_is_told_no_other_ones_name(self, acting, world, role, named):
        claims = STAFF if role == "practitioner" else {"org": world.org, "carer": world.one}
        with acting(role, **claims) as session:
            items = session.body("consents_of_carer", world.one, 50, None, "share_with_organisation", None)["items"]
        assert {item["organisation"]["id"] for item in items if "name" in item["organisation"]} == {
            getattr(world, name) for name in named}

    def test_who_lost_access_sees_none(self, acting, world, owner):
        owner.execute("UPDATE carer_access SET ends_at = now() WHERE carer_id = %s", (world.one,))
        with acting("support_worker", org=world.org) as session:
            assert session.sql("SELECT id FROM consent") == []

    def test_nobody_is_told_who_recorded_it(self, acting, world):
        for role, claims in (("council_admin", STAFF), ("support_worker", {"org": world.org}), ("carer", {"carer": world.one})):
            with acting(role, **claims) as session:
                page, = session.execute("consents_of_carer", world.one, 50, None, None, None)
            assert "@example.org" not in page[0]

    @pytest.mark.parametrize("purpose", ["demographics", "share_between_services"])
    def test_consented_is_what_holds_now(self, acting, carer, record, withdraw, purpose):
        one = carer()

        def holds():
            with acting("carer", carer=one) as session:
                return session.sql("SELECT consented(%s, %s)", one, purpose)[0][0]
        assert not holds()
        given = record(one, said(purpose))
        assert holds()
        withdraw(given)
        assert not holds()
        record(one, said(purpose))
        record(one, said(purpose, decision="refused"))
        assert not holds()


class TestNewestWord:
    """C3: one word holds for each purpose and organisation."""

    @pytest.mark.parametrize("purpose", GENERAL)
    @pytest.mark.parametrize("first", ["given", "refused"])
    @pytest.mark.parametrize("second", ["given", "refused"])
    def test_the_next_word_replaces_the_one_before(self, carer, record, states, purpose, first, second):
        one = carer()

        record(one, said(purpose, decision=first))
        newest = record(one, said(purpose, decision=second))

        assert states(one) == ["replaced", "active" if second == "given" else "refused"]
        assert newest["available_actions"] == (["withdraw"] if second == "given" else [])

    def test_each_purpose_and_each_organisation_stands_for_itself(self, carer, record, organisation, states):
        one = carer()
        for body in [said(purpose) for purpose in GENERAL] + [sharing(organisation()) for _ in range(2)]:
            record(one, body)
        assert states(one) == ["active"] * 6

    def test_a_word_that_the_caller_does_not_see_is_ended_as_well(self, carer, record, organisation, grant, states):
        one, org, other = carer(), organisation(), organisation()
        grant(one, org)
        record(one, sharing(other))

        record(one, sharing(other, decision="refused"), "support_worker", org=org)

        assert states(one) == ["replaced", "refused"]

    @pytest.mark.parametrize("first", ["given", "refused", "withdrawn"])
    def test_a_word_told_late_does_not_bring_back_what_is_over(self, carer, record, withdraw, refused, states, first):
        one = carer()
        before = record(one, said(decision="refused" if first == "refused" else "given"))
        if first == "withdrawn":
            withdraw(before)

        diag = refused("practitioner", "consent_record", new_id(), one, said(decided_at="2024-05-01T10:00:00Z"), **STAFF)

        assert (diag.sqlstate, diag.message_hint) == ("CA42V", "/decided_at")
        assert states(one) == [{"given": "active"}.get(first, first)]

    def test_a_first_word_may_be_told_late_but_not_before_it_is_said(self, carer, record, refused):
        one = carer()
        assert record(one, said(decided_at="2024-05-01T10:00:00+01:00"))["decided_at"] == "2024-05-01T09:00:00.000Z"

        diag = refused("practitioner", "consent_record", new_id(), one, said("demographics", decided_at="2090-01-01T00:00:00Z"),
                       **STAFF)
        assert (diag.sqlstate, diag.message_hint) == ("CA42V", "/decided_at")

    def test_the_index_holds_where_no_trigger_looks(self, carer, record, owner):
        one = carer()
        record(one, said())
        owner.execute("ALTER TABLE consent DISABLE TRIGGER consent_b_newest")
        try:
            with pytest.raises(psycopg2.errors.UniqueViolation, match="consent_current"):
                owner.execute("INSERT INTO consent (id, carer_id, purpose, method, wording_version)"
                              " VALUES (%s, %s, 'research', 'verbal', '1')", (new_id(), one))
        finally:
            owner.execute("ALTER TABLE consent ENABLE TRIGGER consent_b_newest")

    def test_of_many_words_at_once_one_holds(self, carer, connect, acting, states):
        one, results, first = carer(), [], threading.Barrier(4)

        def speak(decision):
            with acting("practitioner", on=connect(), **STAFF) as session:
                first.wait()
                results.append(session.body("consent_record", new_id(), one, said(decision=decision))["decision"])
        workers = [threading.Thread(target=speak, args=(decision,)) for decision in ("given", "refused") * 2]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(30)

        assert len(results) == 4
        assert len(set(states(one)) - {"replaced"}) == 1 and states(one).count("replaced") == 3

    def test_an_organisation_that_is_not_there_is_named_as_the_fault(self, carer, refused):
        diag = refused("practitioner", "consent_record", new_id(), carer(), sharing(new_id()), **STAFF)
        assert (diag.sqlstate, diag.message_hint) == ("CA42V", "/organisation_id")

    def test_a_closed_carer_gives_nothing_and_takes_back_everything(self, carer, acting, record, withdraw, refused):
        one = carer()
        given = record(one, said())
        with acting("practitioner", **STAFF) as session:
            session.execute("carer_move", one, "close", '{"reason": "moved_away"}')

        diag = refused("practitioner", "consent_record", new_id(), one, said("demographics"), **STAFF)
        assert problem(diag) == ("CA409", {"state": "closed"})
        assert withdraw(given, "carer", carer=one)["state"] == "withdrawn"


class TestItEndsOnce:
    """Append-only."""

    @pytest.mark.parametrize("state", ["withdrawn", "refused", "replaced"])
    def test_only_what_is_active_is_withdrawn(self, carer, record, withdraw, refused, state):
        one = carer()
        consent = record(one, said(decision="refused" if state == "refused" else "given"))
        if state == "withdrawn":
            withdraw(consent)
        if state == "replaced":
            record(one, said())

        diag = refused("practitioner", "consent_withdraw", one, consent["id"], '{"method": "verbal"}', **STAFF)

        assert problem(diag) == ("CA409", {"state": state})

    def test_if_match_is_looked_at_first(self, carer, record, withdraw, refused):
        consent = record(carer(), said())
        withdraw(consent)

        diag = refused("practitioner", "consent_withdraw", consent["carer_id"], consent["id"], '{"method": "verbal"}',
                       target=consent["id"], if_match="1", **STAFF)

        assert diag.sqlstate == "CA412"

    @pytest.mark.parametrize("end", ["", "ended_how = 'withdrawn', "])
    @pytest.mark.parametrize("change", ["decision = 'refused'", "method = 'written'", "wording_version = '0'",
                                        "decided_at = decided_at - interval '1 day'", "purpose = 'demographics'",
                                        "recorded_by = ''", "council = 'E10000012'", "id = gen_random_uuid()"])
    def test_nothing_else_of_it_changes_not_even_by_the_owner(self, carer, record, owner, change, end):
        consent = record(carer(), said())
        with pytest.raises(psycopg2.Error) as caught:
            owner.execute(f"UPDATE consent SET {end}{change} WHERE id = %s", (consent["id"],))
        assert caught.value.pgcode == "CA40X"

    @pytest.mark.parametrize("role", ["practitioner", "support_worker", "carer"])
    @pytest.mark.parametrize("statement", [
        "DELETE FROM consent", "UPDATE consent SET decision = 'given'", "UPDATE consent SET ended_at = NULL",
        "INSERT INTO consent (id, carer_id, council, purpose, method, wording_version, recorded_by)"
        " VALUES (gen_random_uuid(), gen_random_uuid(), 'E09000019', 'research', 'verbal', '1', 'somebody else')",
        "UPDATE carer_access SET ends_at = now()"])
    def test_what_the_service_never_does_is_not_granted(self, acting, role, statement):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            with acting(role, [ISLINGTON]) as session:
                session.sql(statement)

    @pytest.mark.parametrize("role, claims", [("practitioner", {"councils": [ESSEX]}), ("carer", {"carer": new_id()}),
                                              ("support_worker", {"org": new_id()})])
    def test_a_stranger_neither_gives_nor_takes(self, carer, acting, record, refused, states, role, claims):
        one = carer()
        consent = record(one, said())

        assert refused(role, "consent_record", new_id(), one, said(), **claims).sqlstate == "CA404"
        with acting(role, **claims) as session:
            assert session.execute("consent_withdraw", one, consent["id"], '{"method": "verbal"}') == []
            assert session.execute("consent_read", one, consent["id"]) == []
            assert session.execute("consents_of_carer", one, 50, None, None, None) == []
        assert states(one) == ["active"]


class TestAtOnce:
    """What a withdrawal means happens in its transaction."""

    @pytest.fixture
    def shared(self, carer, organisation, grant, record):
        """A carer, an organisation with three accesses to her (one over, one to come), another with one, and the consent."""
        class Shared:
            one, org, other = carer(), organisation(), organisation()
        grant(Shared.one, Shared.org, "-2 hours", "-1 hour")
        grant(Shared.one, Shared.org)
        grant(Shared.one, Shared.org, "1 hour", "2 hours")
        grant(Shared.one, Shared.other)
        Shared.consent = record(Shared.one, sharing(Shared.org))
        return Shared

    def sees(self, acting, shared, org):
        with acting("support_worker", org=org) as session:
            return session.sql("SELECT 1 FROM carer WHERE id = %s", shared.one) != []

    @pytest.mark.parametrize("how", ["withdraw", "refuse"])
    @pytest.mark.parametrize("who", ["practitioner", "carer", "support_worker"])
    def test_the_organisation_sees_her_no_more_and_the_answer_is_given(self, acting, shared, record, withdraw, owner, how, who):
        claims = {"practitioner": STAFF, "carer": {"carer": shared.one}, "support_worker": {"org": shared.org}}[who]
        assert self.sees(acting, shared, shared.org)

        if how == "withdraw":
            assert withdraw(shared.consent, who, **claims)["state"] == "withdrawn"
        else:
            assert record(shared.one, sharing(shared.org, decision="refused"), who, **claims)["state"] == "refused"

        assert not self.sees(acting, shared, shared.org)
        assert self.sees(acting, shared, shared.other)
        owner.execute("SELECT ended_because, ends_at <= now() FROM carer_access WHERE carer_id = %s AND organisation_id = %s"
                      " ORDER BY starts_at", (shared.one, shared.org))
        ended = ("consent_withdrawn", True)
        assert owner.fetchall() == [(None, True), ended, ended], "what was over stays; in force and to come end"

    def test_within_the_transaction_she_is_gone(self, acting, shared):
        with acting("support_worker", org=shared.org) as session:
            session.execute("consent_withdraw", shared.one, shared.consent["id"], '{"method": "online"}')
            assert session.sql("SELECT 1 FROM carer WHERE id = %s", shared.one) == []

    def test_another_purpose_takes_no_access(self, acting, shared, record, withdraw):
        for purpose in GENERAL:
            withdraw(record(shared.one, said(purpose)))
        assert self.sees(acting, shared, shared.org)

    def test_the_next_word_of_yes_takes_no_access(self, acting, shared, record):
        record(shared.one, sharing(shared.org))
        assert self.sees(acting, shared, shared.org)


class TestTraces:
    """Audit and events."""

    @pytest.fixture
    def events(self, owner):
        def run(carer_id):
            owner.execute("SELECT kind, state, summary, about_organisation::text FROM event WHERE carer_id = %s"
                          " AND kind LIKE 'consent.%%' ORDER BY id", (carer_id,))
            return owner.fetchall()
        return run

    def test_each_word_is_an_event_without_names(self, carer, record, withdraw, organisation, events):
        one, org = carer(), organisation()

        record(one, said())
        record(one, said(decision="refused"))
        withdraw(record(one, sharing(org)))

        assert events(one) == [
            ("consent.given", "active", "Consent to research was given", None),
            ("consent.replaced", "replaced", "Consent to research was replaced", None),
            ("consent.refused", "refused", "Consent to research was refused", None),
            ("consent.given", "active", "Consent to share with an organisation was given", org),
            ("consent.withdrawn", "withdrawn", "Consent to share with an organisation was withdrawn", org)]

    def test_the_organisation_that_lost_her_is_told_to_drop_her(self, carer, organisation, grant, record, withdraw, owner):
        one, org = carer(), organisation()
        grant(one, org)

        withdraw(record(one, sharing(org)))

        owner.execute("SELECT e.kind, o.gone FROM event e JOIN event_organisation o USING (era, txid, id)"
                      " WHERE o.organisation_id = %s AND e.kind LIKE 'consent.%%' ORDER BY e.id", (org,))
        assert owner.fetchall() == [("consent.given", False), ("consent.withdrawn", True)]

    def test_an_event_is_when_she_said_it(self, carer, record, owner):
        one = carer()
        record(one, said(decided_at="2024-05-01T10:00:00Z"))
        owner.execute("SELECT at = '2024-05-01T10:00:00Z' FROM event WHERE carer_id = %s AND kind = 'consent.given'", (one,))
        assert owner.fetchone() == (True,)

    def test_each_row_has_its_audit(self, carer, record, withdraw, owner):
        one = carer()
        withdraw(record(one, said()))
        owner.execute("SELECT before, after ->> 'purpose', after ->> 'ended_how' FROM audit_entry"
                      " WHERE carer_ids = ARRAY[%s::uuid] AND subject_table = 'consent' ORDER BY id", (one,))
        assert owner.fetchall() == [(None, "research", None), (None, None, "withdrawn")]


@pytest.mark.parametrize("limit", [1, 2, 5, 6, 200])
def test_pages_have_every_consent_once_newest_first(acting, carer, record, limit):
    one, items, cursor = carer(), [], None
    made = [record(one, said(GENERAL[number % 3]))["id"] for number in range(6)]
    with acting("carer", carer=one) as session:
        for _ in range(10):
            (text, cursor), = session.execute("consents_of_carer", one, limit, cursor, None, None)
            page = json.loads(text)
            assert page.get("next_cursor") == cursor and len(page["items"]) <= limit
            items += [item["id"] for item in page["items"]]
            if not cursor:
                break
    assert items == made[::-1]


@pytest.mark.parametrize("purpose, state, seen", [(None, None, [4, 3, 2, 1, 0]), ("research", None, [2, 1, 0]), (None, "active", [3]),
                                                  ("research", "replaced", [1, 0]), (None, "refused", [2]),
                                                  ("demographics", "withdrawn", []), (None, "withdrawn", [4])])
def test_filters_are_cumulative(acting, carer, record, withdraw, purpose, state, seen):
    one = carer()
    made = [record(one, body)["id"] for body in (said(), said(), said(decision="refused"), said("demographics"))]
    made.append(withdraw(record(one, said("contact_for_feedback")))["id"])
    with acting("practitioner", **STAFF) as session:
        page = session.body("consents_of_carer", one, 50, None, purpose, state)
    assert [made.index(item["id"]) for item in page["items"]] == seen


def test_what_is_shown_is_what_the_contract_names(owner):
    owner.execute("SELECT pg_get_functiondef('consent_body'::regproc)")
    text = owner.fetchone()[0]
    shown = {name for name in SCHEMAS["Consent"]["properties"] if f"'{name}'" in text or f'"{name}"' in text}
    assert shown == SCHEMAS["Consent"]["properties"].keys()


def test_what_clients_send_is_what_the_query_writes():
    sql = QUERIES["consent_record"].sql()
    assert {name for name in SCHEMAS["ConsentCreate"]["properties"] if f"b.{name}" in sql} == (
        SCHEMAS["ConsentCreate"]["properties"].keys())


@pytest.mark.parametrize("column, schema", [("purpose", "ConsentPurpose"), ("decision", "ConsentDecision"),
                                            ("method", "ConsentMethod"), ("end_method", "ConsentMethod")])
def test_codes_are_the_contracts(owner, column, schema):
    owner.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'consent'::regclass AND conname = %s",
                  (f"consent_{column}_check",))
    assert set(owner.fetchone()[0].split("'")[1::2]) - {"text"} == set(SCHEMAS[schema]["enum"])
