"""Access of organisations, as PostgreSQL keeps it: who grants and revokes, what each class sees, what is told and when."""
import json
import re
import threading
import uuid

import bundle
import psycopg2
import pytest
from support.sql import ESSEX, ISLINGTON, ROOT, Session, new_id

COUNCIL, PARTNER = ["council_admin", "practitioner"], ["assessor", "support_worker", "hospital_in_reach", "break_provider"]
DESK = ["commissioner", "directory_editor", "referrer", "vcfse_editor"]
STAFF = {"councils": [ISLINGTON]}
WHY = "sitting visits"


def grant_body(org, **members):
    return json.dumps({"organisation_id": org, "note": WHY, **members})


@pytest.fixture(scope="module")
def give(acting):
    """give(carer, organisation, members..., role=): the id of access that a council grants."""
    def make(carer_id, org, role="practitioner", **members):
        ident = new_id()
        with acting(role, **STAFF) as session:
            session.execute("access_grant", carer_id, ident, grant_body(org, **members))
        return ident
    return make


@pytest.fixture(scope="module")
def end(acting):
    """end(carer, access): revoked by a council."""
    def revoke(carer_id, access, role="practitioner"):
        with acting(role, **STAFF) as session:
            session.execute("access_revoke", carer_id, access, "it is over")
    return revoke


@pytest.fixture(scope="module")
def events(owner):
    """events(carer): of her access, oldest first: kind, state, organisation it is about, and the organisations told of it as
    (id, gone)."""
    def found(carer_id):
        owner.execute("""
            SELECT e.kind, e.state, e.about_organisation::text,
                   array(SELECT (o.organisation_id, o.gone)::text FROM event_organisation o WHERE o.id = e.id ORDER BY 1)
              FROM event e WHERE e.carer_id = %s AND e.kind LIKE 'access.%%' ORDER BY e.id""", (carer_id,))
        return [(kind, state, about, {text.strip("()").split(",")[0]: text.endswith(",t)") for text in told})
                for kind, state, about, told in owner.fetchall()]
    return found


@pytest.fixture(scope="module")
def sweep(service):
    """sweep(): what the service does once a minute, until nothing is left to tell."""
    def run():
        session = Session(service)
        while session.execute("access_sweep")[0][0]:
            service.commit()
        service.commit()
    return run


@pytest.fixture(scope="module")
def shift(owner):
    """shift(access, starts, ends): its times are moved, as if time had passed; intervals from now."""
    def move(access, starts, ends):
        owner.execute("ALTER TABLE carer_access DISABLE TRIGGER USER")
        try:
            owner.execute("UPDATE carer_access SET starts_at = now() + %s::interval, ends_at = now() + %s::interval,"
                          " updated_at = now() - interval '1 year' WHERE id = %s", (starts, ends, access))
        finally:
            owner.execute("ALTER TABLE carer_access ENABLE TRIGGER USER")
    return move


def at_once(*works):
    """Runs the works in threads that begin together; what each gave, or the code of its refusal."""
    results, first = [None] * len(works), threading.Barrier(len(works))

    def run(number, work):
        first.wait()
        try:
            results[number] = work()
        except psycopg2.Error as refusal:
            results[number] = refusal.pgcode
    workers = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    return results


class TestShape:
    """What PostgreSQL makes is what the contract promises."""

    SCHEMAS = bundle.Bundle(ROOT / "openapi.yaml").document()["components"]["schemas"]

    def test_the_view_shows_the_members_of_the_contract_and_no_other(self, owner):
        owner.execute("SELECT pg_get_viewdef('carer_access_view'::regclass)")
        text = owner.fetchone()[0]
        members = self.SCHEMAS["Access"]["properties"].keys()
        assert {name for name in members if f"'{name}'" in text or f'"{name}"' in text} == members
        inner = {"name", "role", "subject"}  # of organisation, granted_by, revoked_by
        assert set(re.findall(r"member\('(\w+)'", text)) <= members | inner

    @pytest.mark.parametrize("column, schema", [("reason", "AccessReason"), ("announced", "AccessState")])
    def test_codes_are_the_contracts(self, owner, column, schema):
        owner.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", (f"carer_access_{column}_check",))
        assert set(owner.fetchone()[0].split("'")[1::2]) == set(self.SCHEMAS[schema]["enum"])

    def test_an_end_is_one_of_the_contracts_and_the_clocks_is_worked_out(self, owner):
        owner.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'carer_access_ended_because_check'")
        stored = set(owner.fetchone()[0].split("'")[1::2])
        assert stored | {"expired"} == set(self.SCHEMAS["Access"]["properties"]["ended_because"]["enum"])


class TestWhoSees:
    """The rows of carer_access_view for each class."""

    @pytest.fixture
    def rows(self, carer, organisation, give, end):
        """One carer's access by name: in force, to come, revoked; and another organisation's."""
        class Rows:
            org, other_org, one, far = organisation(), organisation(), carer(), carer(ESSEX)
        Rows.ids = {"in force": give(Rows.one, Rows.org), "to come": give(Rows.one, Rows.other_org,
                                                                         starts_at="2090-01-01T00:00:00Z")}
        Rows.ids["revoked"] = give(Rows.one, organisation())
        end(Rows.one, Rows.ids["revoked"])
        return Rows

    def seen(self, acting, rows, role, **claims):
        with acting(role, **claims) as session:
            found = {str(row[0]) for row in session.sql("SELECT id FROM carer_access_view WHERE carer_id = %s", rows.one)}
        return {name for name, ident in rows.ids.items() if ident in found}

    @pytest.mark.parametrize("role", COUNCIL)
    def test_her_council_sees_all_and_another_none(self, acting, rows, role):
        assert self.seen(acting, rows, role, **STAFF) == set(rows.ids)
        assert self.seen(acting, rows, role, councils=[ESSEX]) == set()

    @pytest.mark.parametrize("role", PARTNER)
    def test_an_organisation_sees_its_own_in_force(self, acting, rows, role):
        assert self.seen(acting, rows, role, org=rows.org, **STAFF) == {"in force"}
        assert self.seen(acting, rows, role, org=rows.other_org, **STAFF) == set()

    def test_she_sees_all_and_another_carer_none(self, acting, rows):
        assert self.seen(acting, rows, "carer", carer=rows.one) == set(rows.ids)
        assert self.seen(acting, rows, "carer", carer=rows.far) == set()

    @pytest.mark.parametrize("role", DESK + [""])
    def test_nobody_else_sees_any(self, acting, rows, role):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            self.seen(acting, rows, role, org=rows.org, **STAFF)

    @pytest.mark.parametrize("role, claims, subject", [
        ("council_admin", lambda r: STAFF, True), ("practitioner", lambda r: STAFF, True),
        ("support_worker", lambda r: {"org": r.org, **STAFF}, False), ("carer", lambda r: {"carer": r.one, **STAFF}, False)])
    def test_the_name_of_the_organisation_is_shown_and_the_subject_of_staff_to_staff(self, acting, rows, role, claims, subject):
        with acting(role, **claims(rows)) as session:
            body = session.body("access_by_id", rows.one, rows.ids["in force"])
        assert body["organisation"]["id"] == rows.org and body["organisation"]["name"]
        assert body["granted_by"] == {"role": "practitioner", **({"subject": "practitioner@example.org"} if subject else {})}
        assert body["note"] == WHY and body["available_actions"] == (["revoke"] if subject else [])

    def test_she_reads_who_revoked_it_and_why_without_a_name(self, acting, rows):
        with acting("carer", carer=rows.one) as session:
            body = session.body("access_by_id", rows.one, rows.ids["revoked"])
        assert body["revoked_by"] == {"role": "practitioner"} and body["revoke_note"] == "it is over"
        assert body["ended_because"] == "revoked" and body["available_actions"] == []

    def test_a_council_reads_the_name_of_an_organisation_that_has_left_it(self, acting, rows, owner):
        owner.execute("UPDATE organisation SET councils = %s WHERE id = %s", ([ESSEX], rows.org))
        with acting("practitioner", **STAFF) as session:
            assert session.sql("SELECT id FROM organisation WHERE id = %s", rows.org) == []
            assert session.body("access_by_id", rows.one, rows.ids["in force"])["organisation"]["name"]

    @pytest.mark.parametrize("role", ["practitioner", *PARTNER, "carer"])
    def test_the_name_of_another_councils_organisation_is_not_told(self, acting, rows, organisation, grant, role):
        org = organisation(ESSEX)
        grant(rows.far, org)
        with acting(role, org=rows.org, carer=rows.one, **STAFF) as session:
            assert session.sql("SELECT access_organisation(%s, %s)", org, rows.far) == [(None,)]
            assert session.sql("SELECT access_organisation(%s, %s)", org, rows.one) == [(None,)]


class TestWhoActs:
    """Only a council grants and revokes, only what is its own, and only as a grant and a revocation."""

    @pytest.mark.parametrize("role", [*PARTNER, "carer", *DESK, ""])
    def test_no_other_class_grants_or_revokes(self, refused, carer, organisation, give, role):
        one, org = carer(), organisation()
        access = give(one, org)
        claims = {"org": org, "carer": one, **STAFF}
        assert refused(role, "access_grant", one, new_id(), grant_body(org), **claims).sqlstate == "42501"
        assert refused(role, "access_revoke", one, access, "x", **claims).sqlstate == "42501"

    def test_another_councils_carer_is_not_there(self, refused, acting, carer, organisation, grant, owner):
        far, org = carer(ESSEX), organisation(ISLINGTON, ESSEX)
        grant(far, org)
        owner.execute("SELECT id::text FROM carer_access WHERE carer_id = %s", (far,))
        access = owner.fetchone()[0]
        assert refused("practitioner", "access_grant", far, new_id(), grant_body(org), **STAFF).sqlstate == "CA404"
        with acting("practitioner", **STAFF) as session:
            session.execute("access_revoke", far, access, "x")
            assert session.cursor.rowcount == 0

    @pytest.mark.parametrize("statement", [
        "UPDATE carer_access SET ended_because = 'referral_closed' WHERE id = %s",
        "UPDATE carer_access SET ended_because = NULL WHERE id = %s"])
    def test_a_council_ends_access_as_revoked_alone(self, acting, carer, organisation, give, statement):
        access = give(carer(), organisation())
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="row-level security"):
            with acting("practitioner", **STAFF) as session:
                session.sql(statement, access)

    @pytest.mark.parametrize("column", ["reason", "granted_by", "announced", "version", "council"])
    def test_a_council_does_not_say_what_the_service_decides(self, acting, carer, organisation, column):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            with acting("practitioner", **STAFF) as session:
                session.sql(f"INSERT INTO carer_access (id, carer_id, organisation_id, {column})"
                            " VALUES (%s, %s, %s, NULL)", new_id(), carer(), organisation())

    def test_what_a_council_gives_is_granted_by_it(self, carer, organisation, give, owner):
        access = give(carer(), organisation(), role="council_admin")
        owner.execute("SELECT reason, granted_by, granted_by_role, council, note FROM carer_access WHERE id = %s", (access,))
        assert owner.fetchone() == ("granted", "council_admin@example.org", "council_admin", ISLINGTON, WHY)

    @pytest.mark.parametrize("reason", ["registered", "referral"])
    def test_access_of_any_reason_is_revoked(self, acting, carer, organisation, end, owner, reason):
        one, org = carer(), organisation()
        owner.execute("INSERT INTO carer_access (organisation_id, carer_id, reason) VALUES (%s, %s, %s) RETURNING id::text",
                      (org, one, reason))
        end(one, owner.fetchone()[0])
        with acting("support_worker", org=org) as session:
            assert session.body("carer_read", one) is None


class TestRules:
    """What a grant must be, and when it may not be."""

    @pytest.mark.parametrize("councils", [None, [ESSEX]])
    def test_an_organisation_works_for_her_council(self, refused, carer, organisation, councils):
        org = organisation(*councils) if councils else str(uuid.uuid4())
        for claims in (STAFF, {"councils": [ISLINGTON, ESSEX]}):
            diag = refused("practitioner", "access_grant", carer(), new_id(), grant_body(org), **claims)
            assert (diag.sqlstate, diag.message_hint) == ("CA42V", "/organisation_id")

    @pytest.mark.parametrize("times", [
        {"ends_at": "2020-01-01T00:00:00Z"}, {"starts_at": "2019-01-01T00:00:00Z", "ends_at": "2020-01-01T00:00:00Z"},
        {"starts_at": "2090-01-02T00:00:00Z", "ends_at": "2090-01-01T00:00:00Z"},
        {"starts_at": "2090-01-01T00:00:00Z", "ends_at": "2090-01-01T00:00:00Z"}])
    def test_it_ends_after_it_begins_and_in_the_future(self, refused, carer, organisation, times):
        diag = refused("practitioner", "access_grant", carer(), new_id(), grant_body(organisation(), **times), **STAFF)
        assert (diag.sqlstate, diag.message_hint) == ("CA42V", "/ends_at")

    def test_a_start_in_the_past_is_now(self, carer, organisation, give, owner):
        access = give(carer(), organisation(), starts_at="2020-01-01T00:00:00Z")
        owner.execute("SELECT starts_at BETWEEN now() - interval '1 hour' AND now() FROM carer_access WHERE id = %s", (access,))
        assert owner.fetchone() == (True,)

    def test_a_closed_carer_is_not_shown_to_anybody_new(self, refused, acting, carer, organisation):
        one = carer()
        with acting("practitioner", **STAFF) as session:
            session.execute("carer_move", one, "close", '{"reason": "lost_contact"}')
        diag = refused("practitioner", "access_grant", one, new_id(), grant_body(organisation()), **STAFF)
        assert (diag.sqlstate, json.loads(diag.message_detail)) == ("CA409", {"state": "closed"})

    def test_access_to_a_closed_carer_is_still_revoked(self, acting, carer, organisation, give, end):
        one, org = carer(), organisation()
        access = give(one, org)
        with acting("practitioner", **STAFF) as session:
            session.execute("carer_move", one, "close", '{"reason": "lost_contact"}')
        end(one, access)
        with acting("support_worker", org=org) as session:
            assert session.body("carer_read", one) is None

    @pytest.mark.parametrize("first, second, clash", [
        ((None, None), (None, None), True), ((None, "2090-01-01"), (None, None), True),
        ((None, "2090-01-01"), ("2090-01-01", None), False), (("2090-01-01", None), (None, "2090-01-01"), False),
        (("2090-01-01", None), (None, None), True), (("2090-01-01", "2090-02-01"), ("2090-01-31", "2090-03-01"), True),
        (("2090-01-01", "2090-02-01"), ("2090-02-01", "2090-03-01"), False)])
    def test_one_grant_at_a_time(self, refused, carer, organisation, give, first, second, clash):
        def times(pair):
            return {name: f"{day}T00:00:00Z" for name, day in zip(("starts_at", "ends_at"), pair) if day}
        one, org = carer(), organisation()
        give(one, org, **times(first))
        if clash:
            diag = refused("practitioner", "access_grant", one, new_id(), grant_body(org, **times(second)), **STAFF)
            assert diag.sqlstate == "CA40X"
        else:
            give(one, org, **times(second))
        give(one, organisation(), **times(second))
        give(carer(), org, **times(second))

    def test_a_grant_follows_a_revoked_one_and_stands_beside_a_registration(self, carer, organisation, give, end):
        org = organisation()
        one = carer(role="support_worker", org=org)
        end(one, give(one, org))
        give(one, org)

    def test_a_second_revocation_is_told_that_it_has_ended(self, refused, carer, organisation, give, end):
        one = carer()
        access = give(one, organisation())
        end(one, access)
        diag = refused("practitioner", "access_revoke", one, access, "x", **STAFF)
        assert (diag.sqlstate, json.loads(diag.message_detail)) == ("CA409", {"state": "ended"})

    def test_what_has_expired_is_not_revoked(self, refused, carer, organisation, grant, owner):
        one = carer()
        grant(one, organisation(), "-2 hours", "-1 hour")
        owner.execute("SELECT id::text FROM carer_access WHERE carer_id = %s", (one,))
        diag = refused("practitioner", "access_revoke", one, owner.fetchone()[0], "x", **STAFF)
        assert (diag.sqlstate, json.loads(diag.message_detail)) == ("CA409", {"state": "ended"})

    def test_of_two_grants_at_once_one_is_written(self, connect, acting, carer, organisation):
        one, org = carer(), organisation()

        def grant():
            with acting("practitioner", on=connect(), **STAFF) as session:
                session.execute("access_grant", one, new_id(), grant_body(org))
            return "granted"
        assert sorted(at_once(grant, grant)) == ["CA40X", "granted"]

    def test_of_two_revocations_at_once_one_counts(self, connect, acting, carer, organisation, give, owner):
        one = carer()
        access = give(one, organisation())

        def revoke(note):
            with acting("practitioner", on=connect(), **STAFF) as session:
                session.execute("access_revoke", one, access, note)
            return note
        results = at_once(lambda: revoke("first"), lambda: revoke("second"))
        assert "CA409" in results and len(set(results)) == 2
        owner.execute("SELECT revoke_note, version FROM carer_access WHERE id = %s", (access,))
        assert owner.fetchone() == ((set(results) - {"CA409"}).pop(), 2)


class TestConsent:
    """The carer's last word on sharing with an organisation."""

    @pytest.fixture
    def word(self, owner):
        """word(carer, organisation, decision, ended): her word, in order of saying."""
        def say(carer_id, org, decision, ended=None, purpose="share_with_organisation"):
            owner.execute("INSERT INTO consent (id, carer_id, council, purpose, organisation_id, decision, method,"
                          " wording_version, ended_at, ended_how) VALUES (%s, %s, %s, %s, %s, %s, 'verbal', 'v1',"
                          " CASE WHEN %s::text IS NOT NULL THEN now() END, %s)",
                          (new_id(), carer_id, ISLINGTON, purpose, org, decision, ended, ended))
        return say

    @pytest.mark.parametrize("words, allowed", [
        ([], True), ([("given", None)], True), ([("refused", None)], False), ([("given", "withdrawn")], False),
        ([("given", "replaced"), ("refused", None)], False), ([("refused", "replaced"), ("given", None)], True),
        ([("given", "withdrawn"), ("given", None)], True)])
    def test_her_last_word_decides(self, refused, carer, organisation, give, word, words, allowed):
        one, org = carer(), organisation()
        for decision, ended in words:
            word(one, org, decision, ended)
        if allowed:
            give(one, org)
        else:
            assert refused("practitioner", "access_grant", one, new_id(), grant_body(org), **STAFF).sqlstate == "CA40C"
        give(one, organisation())  # what she said of one organisation is not said of another

    def test_another_carers_word_and_another_purpose_do_not_count(self, carer, organisation, give, word):
        one, org = carer(), organisation()
        word(carer(), org, "refused")
        word(one, None, "refused", purpose="share_between_services")
        give(one, org)

    @pytest.mark.parametrize("before, statement", [
        ("given", "UPDATE consent SET ended_at = now(), ended_how = 'withdrawn' WHERE carer_id = %(carer)s"),
        (None, "INSERT INTO consent (id, carer_id, council, purpose, organisation_id, decision, method, wording_version) VALUES"
               " (%(id)s, %(carer)s, %(council)s, 'share_with_organisation', %(org)s, 'refused', 'verbal', 'v1')")])
    def test_a_no_under_way_is_waited_for(self, connect, acting, carer, organisation, word, owner, before, statement):
        one, org = carer(), organisation()
        if before:
            word(one, org, before)
        other = connect("carers_owner")
        other.cursor().execute(statement, {"id": new_id(), "carer": one, "council": ISLINGTON, "org": org})

        def say_no():
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            owner.execute(waiting)
            while owner.fetchone() == (0,):  # the grant stands before the lock on her word
                owner.execute(waiting)
            other.commit()

        def grant():
            with acting("practitioner", on=connect(), **STAFF) as session:
                session.execute("access_grant", one, new_id(), grant_body(org))
        assert at_once(say_no, grant)[1] == "CA40C"


class TestVersions:
    """The ETag and updated_at go on when the row changes and when the clock begins or ends it."""

    def look(self, acting, one, access):
        with acting("practitioner", **STAFF) as session:
            (text, version), = session.execute("access_by_id", one, access)
        body = json.loads(text)
        return version, body["state"], body["updated_at"], body.get("ended_because")

    def test_the_clock_changes_state_version_and_time_of_change(self, acting, carer, organisation, give, shift):
        one = carer()
        access = give(one, organisation(), starts_at="2090-01-01T00:00:00Z", ends_at="2091-01-01T00:00:00Z")
        shift(access, "1 day", "2 days")
        first = self.look(acting, one, access)
        shift(access, "-1 day", "2 days")
        second = self.look(acting, one, access)
        shift(access, "-2 days", "-1 hour")
        third = self.look(acting, one, access)
        assert [v[1] for v in (first, second, third)] == ["pending", "in_force", "ended"]
        assert [v[3] for v in (first, second, third)] == [None, None, "expired"]
        assert [v[0] for v in (second, third)] == [first[0] + 1, first[0] + 2]
        assert first[2] < second[2] < third[2]

    def test_a_revocation_does(self, acting, carer, organisation, give, end):
        one = carer()
        access = give(one, organisation())
        before = self.look(acting, one, access)
        end(one, access)
        after = self.look(acting, one, access)
        assert after[0] > before[0] and after[2] > before[2]

    def test_what_happens_to_the_carer_does_not(self, acting, carer, organisation, give):
        one = carer()
        access = give(one, organisation())
        before = self.look(acting, one, access)
        with acting("practitioner", **STAFF) as session:
            session.execute("carer_move", one, "register", '{"triage": {"level": "light"}}')
        assert self.look(acting, one, access) == before

    @pytest.mark.parametrize("stale", [False, True])
    def test_if_match_is_compared_with_what_was_shown(self, acting, refused, carer, organisation, give, stale):
        one = carer()
        access = give(one, organisation())
        version = self.look(acting, one, access)[0]
        claims = {**STAFF, "target": access, "if_match": version - 1 if stale else version}
        if stale:
            assert refused("practitioner", "access_revoke", one, access, "x", **claims).sqlstate == "CA412"
            return
        with acting("practitioner", **claims) as session:
            session.execute("access_revoke", one, access, "x")

    def test_access_that_is_revoked_before_it_begins_never_begins(self, acting, carer, organisation, give, end, shift):
        one, org = carer(), organisation()
        access = give(one, org, starts_at="2090-01-01T00:00:00Z")
        end(one, access)
        ended = self.look(acting, one, access)
        shift(access, "-1 hour", "-2 hours")
        assert ended[1] == self.look(acting, one, access)[1] == "ended" and ended[3] == "revoked"
        with acting("support_worker", org=org) as session:
            assert session.body("carer_read", one) is None


class TestEvents:
    """What is told, to whom, and once."""

    def test_a_grant_is_told_to_its_organisation_and_to_no_other_that_sees_her(self, carer, organisation, give, events):
        org, other = organisation(), organisation()
        one = carer(role="support_worker", org=other)
        give(one, org)
        assert events(one) == [("access.granted", "in_force", org, {org: False})]

    def test_an_end_says_that_the_carer_is_gone(self, carer, organisation, give, end, events):
        one, org = carer(), organisation()
        end(one, give(one, org))
        assert events(one)[-1] == ("access.ended", "ended", org, {org: True})

    def test_she_is_not_gone_while_another_access_remains(self, carer, organisation, give, end, events):
        org = organisation()
        one = carer(role="support_worker", org=org)
        end(one, give(one, org))
        assert events(one)[-1] == ("access.ended", "ended", org, {org: False})

    def test_of_two_ends_at_once_the_second_says_gone(self, connect, acting, carer, organisation, give, owner, events):
        org = organisation()
        one = carer(role="support_worker", org=org)
        give(one, org)
        owner.execute("SELECT id::text FROM carer_access WHERE carer_id = %s", (one,))

        def revoke(access):
            with acting("practitioner", on=connect(), **STAFF) as session:
                session.execute("access_revoke", one, access, "x")
            return "revoked"
        assert at_once(*[lambda a=a: revoke(a) for (a,) in owner.fetchall()]) == ["revoked"] * 2
        assert [event[3] for event in events(one)[-2:]] == [{org: False}, {org: True}]

    def test_a_registration_is_told_by_the_carer_alone(self, carer, organisation, events):
        assert events(carer(role="support_worker", org=organisation())) == []

    def test_what_is_to_come_is_not_told_to_its_organisation(self, acting, carer, organisation, give, end, events, owner):
        one, org = carer(), organisation()
        end(one, give(one, org, starts_at="2090-01-01T00:00:00Z"))
        assert events(one) == [("access.planned", "pending", None, {}), ("access.cancelled", "ended", None, {})]
        owner.execute("SELECT count(*) FROM event_organisation WHERE organisation_id = %s", (org,))
        assert owner.fetchone() == (0,)

    @pytest.mark.parametrize("role, claims, told", [
        ("practitioner", lambda one, org: STAFF, True), ("carer", lambda one, org: {"carer": one}, True),
        ("support_worker", lambda one, org: {"org": org}, False)])
    def test_what_is_to_come_is_told_to_council_and_carer(self, acting, carer, organisation, give, role, claims, told):
        org = organisation()
        one = carer(role="support_worker", org=org)
        give(one, organisation(), starts_at="2090-01-01T00:00:00Z")
        with acting(role, **claims(one, org)) as session:
            found = session.sql("SELECT kind FROM event WHERE carer_id = %s AND kind LIKE 'access.%%'", one)
        assert found == ([("access.planned",)] if told else [])

    def test_the_sweep_tells_what_the_clock_did_and_once(self, carer, organisation, give, events, shift, sweep, owner):
        one, org = carer(), organisation()
        access = give(one, org, starts_at="2090-01-01T00:00:00Z", ends_at="2091-01-01T00:00:00Z")
        sweep()
        assert [event[0] for event in events(one)] == ["access.planned"]
        shift(access, "-1 minute", "1 day")
        sweep()
        sweep()
        assert events(one)[1:] == [("access.granted", "in_force", org, {org: False})]
        shift(access, "-1 day", "-1 minute")
        sweep()
        sweep()
        assert events(one)[2:] == [("access.ended", "ended", org, {org: True})]
        owner.execute("SELECT e.at = a.ends_at, e.actor, e.summary FROM event e, carer_access a"
                      " WHERE e.carer_id = %s AND e.kind = 'access.ended' AND a.id = e.resource_id", (one,))
        assert owner.fetchone() == (True, "", "An organisation's access to the record: ended (expired)")

    def test_the_sweep_does_not_say_gone_while_another_access_remains(self, carer, organisation, give, events, shift, sweep):
        org = organisation()
        one = carer(role="support_worker", org=org)
        shift(give(one, org, ends_at="2090-01-01T00:00:00Z"), "-2 hours", "-1 hour")
        sweep()
        assert events(one)[-1] == ("access.ended", "ended", org, {org: False})

    def test_access_that_began_and_ended_unseen_is_told_as_ended(self, carer, organisation, give, events, shift, sweep):
        one, org = carer(), organisation()
        access = give(one, org, starts_at="2090-01-01T00:00:00Z", ends_at="2091-01-01T00:00:00Z")
        shift(access, "-2 hours", "-1 hour")
        sweep()
        assert events(one)[1:] == [("access.ended", "ended", org, {org: True})]

    @pytest.mark.parametrize("role", [*COUNCIL, *PARTNER, *DESK, "carer", ""])
    def test_the_sweep_is_the_services_own(self, refused, role):
        assert refused(role, "access_sweep").sqlstate == "42501"

    def test_one_sweep_runs_at_a_time_and_tells_a_thousand_at_most(self, connect, carer, organisation, owner):
        org, council = organisation("E06000005"), "E06000005"
        one = carer(council)
        owner.execute("ALTER TABLE carer_access DISABLE TRIGGER carer_access_z_moved")
        try:
            owner.execute("INSERT INTO carer_access (organisation_id, carer_id, reason, starts_at, ends_at)"
                          " SELECT %s, %s, 'referral', now() - interval '1 day', now() - interval '1 hour'"
                          "   FROM generate_series(1, 1100)", (org, one))
        finally:
            owner.execute("ALTER TABLE carer_access ENABLE TRIGGER carer_access_z_moved")
        first, second = Session(connect()), Session(connect())
        assert first.execute("access_sweep") == [(1000,)]
        assert second.execute("access_sweep") == [(0,)]
        first.connection.commit()
        second.connection.commit()
        assert second.execute("access_sweep")[0][0] >= 100
        second.connection.commit()


class TestAudit:
    """Each grant and each end leaves its row; what the carer or the clock does to the copies leaves none."""

    def test_a_grant_and_a_revocation_leave_their_rows(self, acting, carer, organisation, owner):
        one, org, access = carer(), organisation(), new_id()
        with acting("practitioner", **STAFF, request="access-1") as session:
            session.execute("access_grant", one, access, grant_body(org))
        with acting("practitioner", **STAFF, request="access-2") as session:
            session.execute("access_revoke", one, access, "it is over")
        owner.execute("SELECT subject_table, carer_ids::text[], before, after FROM audit_entry"
                      " WHERE request IN ('access-1', 'access-2') ORDER BY id")
        given, ended = owner.fetchall()
        assert given[:3] == ("carer_access", [one], None) and given[3]["organisation_id"] == org and given[3]["note"] == WHY
        assert ended[:3] == ("carer_access", [one], None)
        assert ended[3].keys() == {"ends_at", "ended_because", "revoke_note", "revoked_by", "revoked_by_role"}

    def test_a_change_of_the_carer_leaves_no_row_of_access(self, acting, carer, organisation, owner):
        one = carer(role="support_worker", org=organisation())
        with acting("practitioner", **STAFF, request="access-3") as session:
            session.execute("carer_patch", one, '{"known_to_social_care": true}', None)
        owner.execute("SELECT subject_table FROM audit_entry WHERE request = 'access-3'")
        assert owner.fetchall() == [("carer",)]


def waits(owner, pid):
    """Whether this backend waits for another's lock."""
    owner.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pid = %s)", (pid,))
    return owner.fetchone()[0]


class TestChangedCarers:
    """carers_changed_of_organisation: a partner's copy of carers keeps in step with what it has access to."""

    @pytest.fixture
    def old(self, carer, owner):
        """A carer who changed last in March."""
        one = carer()
        owner.execute("ALTER TABLE carer DISABLE TRIGGER USER")
        try:
            owner.execute("UPDATE carer SET updated_at = '2026-03-01T12:00:00Z' WHERE id = %s", (one,))
        finally:
            owner.execute("ALTER TABLE carer ENABLE TRIGGER USER")
        return one

    @pytest.fixture
    def changed(self, acting, owner):
        """changed(org, limit): ids of the carers who changed in the last hour, all pages."""
        owner.execute("SELECT (now() - interval '1 hour')::text")
        since = owner.fetchone()[0]

        def ask(org, limit=50):
            found, cursor = [], None
            with acting("support_worker", org=org) as session:
                for _ in range(10):
                    (text, cursor), = session.execute("carers_changed_of_organisation", limit, cursor, since, *[None] * 4)
                    found += [item["id"] for item in json.loads(text)["items"]]
                    if not cursor:
                        return found
            raise AssertionError("the list does not end")
        return ask

    def test_a_carer_is_shown_when_access_to_her_is_given_however_long_ago_she_changed(self, old, organisation, give, changed):
        org = organisation()
        assert changed(org) == []

        give(old, org)

        assert changed(org) == [old]

    def test_access_to_come_counts_from_its_beginning_whatever_changes_before(self, old, acting, organisation, give, owner):
        access = give(old, organisation(), starts_at="2099-01-01T00:00:00Z")
        with acting("practitioner", **STAFF) as session:
            session.execute("carer_patch", old, '{"preferred_language": "cy"}', None)

        owner.execute("SELECT changed_at = starts_at FROM carer_access WHERE id = %s", (access,))
        assert owner.fetchall() == [(True,)]

    @pytest.mark.parametrize("limit", [1, 2, 50])
    def test_with_two_accesses_she_comes_once_where_the_first_stands(self, carer, organisation, give, changed, limit):
        org = organisation()
        first, second = (carer(role="support_worker", org=org) for _ in range(2))
        give(first, org)

        assert changed(org, limit) == [first, second]

    def test_when_the_first_of_two_ends_she_is_still_shown(self, carer, organisation, give, end, changed, owner):
        org = organisation()
        one = carer(role="support_worker", org=org)
        owner.execute("SELECT id::text FROM carer_access WHERE carer_id = %s", (one,))
        registered = owner.fetchone()[0]
        give(one, org)

        end(one, registered)

        assert changed(org) == [one]

    def test_a_second_access_is_no_change_of_whom_it_had_already(self, carer, organisation, give, changed, owner):
        org = organisation()
        one = carer(role="support_worker", org=org)
        owner.execute("ALTER TABLE carer_access DISABLE TRIGGER USER")
        try:
            owner.execute("UPDATE carer_access SET changed_at = '2026-03-01T12:00:00Z', starts_at = '2026-03-01T12:00:00Z' WHERE carer_id = %s", (one,))
        finally:
            owner.execute("ALTER TABLE carer_access ENABLE TRIGGER USER")

        give(one, org)

        assert changed(org) == []

    def test_access_given_while_she_changes_has_what_she_has_become(self, connect, acting, carer, organisation, owner):
        one, org, beside = carer(known_to_social_care=False), organisation(), connect()

        def grant():
            with acting("practitioner", on=beside, **STAFF) as session:
                session.execute("access_grant", one, new_id(), grant_body(org))
        granting = threading.Thread(target=grant)
        with acting("practitioner", on=connect(), **STAFF) as session:
            session.execute("carer_patch", one, '{"known_to_social_care": true, "identification": {"source": "gp"}}', None)
            granting.start()
            while granting.is_alive() and not waits(owner, beside.info.backend_pid):
                granting.join(0.01)
        granting.join(30)

        owner.execute("SELECT a.known, a.source, a.changed_at >= c.updated_at FROM carer_access a JOIN carer c ON c.id = a.carer_id"
                      " WHERE a.carer_id = %s", (one,))
        assert owner.fetchall() == [("yes", "gp", True)]


class TestList:
    """access_of_carer: pages without gap or repeat, in both orders."""

    @pytest.fixture(scope="class")
    def many(self, carer, organisation, give, end):
        """One carer with seven accesses, two of them revoked."""
        one = carer()
        ids = [give(one, organisation()) for _ in range(7)]
        for access in ids[2:4]:
            end(one, access)
        return one, ids

    def pages(self, acting, one, limit, since=None, state=None):
        items, cursor = [], None
        with acting("practitioner", **STAFF) as session:
            for _ in range(10):
                (text, following), = session.execute("access_of_carer", one, limit, cursor, since, state)
                page = json.loads(text)
                assert page.get("next_cursor") == following and len(page["items"]) <= limit
                items += page["items"]
                if not following:
                    return items
                cursor = following
        raise AssertionError("the list does not end")

    @pytest.mark.parametrize("limit", [1, 3, 6, 7, 50])
    def test_newest_first(self, acting, many, limit):
        one, ids = many
        assert [item["id"] for item in self.pages(acting, one, limit)] == ids[::-1]

    @pytest.mark.parametrize("limit", [1, 3, 7])
    def test_in_order_of_change(self, acting, many, limit):
        one, ids = many
        found = self.pages(acting, one, limit, since="2020-01-01T00:00:00Z")
        order = [(item["updated_at"], item["id"]) for item in found]
        assert order == sorted(order) and {item["id"] for item in found} == set(ids) and len(found) == len(ids)
        assert {item["id"] for item in found[-2:]} == set(ids[2:4])
        again = self.pages(acting, one, limit, since=found[-2]["updated_at"])
        assert [item["id"] for item in again] == [item["id"] for item in found[-2:]]

    @pytest.mark.parametrize("state, wanted", [("ended", slice(2, 4)), ("pending", slice(0, 0))])
    def test_by_state(self, acting, many, state, wanted):
        one, ids = many
        assert {item["id"] for item in self.pages(acting, one, 1, state=state)} == set(ids[wanted])

    @pytest.mark.parametrize("cursor, since", [("A" * 32, None), ("A" * 22, "2020-01-01T00:00:00Z"), ("!" * 22, None)])
    def test_another_lists_cursor_is_a_wrong_parameter(self, refused, many, cursor, since):
        diag = refused("practitioner", "access_of_carer", many[0], 5, cursor, since, None, **STAFF)
        assert (diag.sqlstate, diag.message_hint) == ("CA400", "/query/cursor")

    def test_a_carer_who_is_not_seen_has_no_page(self, acting, carer, organisation):
        one = carer()
        for role, claims in (("practitioner", {"councils": [ESSEX]}), ("support_worker", {"org": organisation()}),
                             ("carer", {"carer": carer()})):
            with acting(role, **claims) as session:
                assert session.execute("access_of_carer", one, 5, None, None, None) == []
