"""Rules that PostgreSQL keeps: duplicates, states, versions, whose fields, the audit trail; also under concurrency."""
import json
import threading

import psycopg2
import pytest
from support.sql import ESSEX, ISLINGTON, carer_body, new_id

STAFF = {"councils": [ISLINGTON]}
LIKE = {"family_name": "Sørensen-Ó Brien", "date_of_birth": "1970-02-03", "address": {"postcode": "N1 2UD"}}


def problem(diag):
    return diag.sqlstate, json.loads(diag.message_detail) if diag.message_detail else None


def insert(ident, allow_duplicate=None, council=ISLINGTON, **members):
    return "carer_insert", ident, json.dumps(carer_body(council, **members)), allow_duplicate


def numbers():
    """NHS numbers with their check digit, from the range that is never issued."""
    for stem in range(999_500_000, 999_999_999):
        check = (11 - sum(int(d) * w for d, w in zip(str(stem), range(10, 1, -1))) % 11) % 11
        if check != 10:
            yield f"{stem}{check}"


_numbers = numbers()
_days = iter(range(1, 28))


def alike():
    """What makes two carers alike, not used by another test."""
    return {**LIKE, "date_of_birth": f"1970-02-{next(_days):02d}"}


class TestDuplicates:
    """C1."""

    def test_an_nhs_number_is_there_once_in_a_council(self, carer, refused):
        number = next(_numbers)
        one = carer(nhs_number=number)

        for allowed in (None, "true"):
            diag = refused("practitioner", *insert(new_id(), allowed, nhs_number=number, duplicate_reason="x"), **STAFF)
            assert problem(diag) == ("CA40D", {"match": "nhs_number", "candidates": [one]})

    def test_another_council_may_have_the_same_person(self, carer):
        number = next(_numbers)

        assert carer(ISLINGTON, nhs_number=number) != carer(ESSEX, nhs_number=number)

    def test_the_index_holds_where_no_trigger_looks(self, carer, owner):
        number = next(_numbers)
        carer(nhs_number=number)
        other = carer()
        owner.execute("ALTER TABLE carer DISABLE TRIGGER carer_c_twins")
        try:
            with pytest.raises(psycopg2.errors.UniqueViolation, match="carer_nhs_number_key"):
                owner.execute("UPDATE carer SET nhs_number = %s WHERE id = %s", (number, other))
        finally:
            owner.execute("ALTER TABLE carer ENABLE TRIGGER carer_c_twins")

    @pytest.mark.parametrize("family_name", ["Sørensen-Ó Brien", "SORENSEN O'BRIEN", "sorensen-o-brien", "Sørensen Óbrien"])
    def test_names_are_compared_without_case_accents_and_signs(self, carer, refused, family_name):
        like = alike()
        one = carer(**like)

        diag = refused("practitioner", *insert(new_id(), **{**like, "family_name": family_name,
                                                            "address": {"postcode": "n12ud"}}), **STAFF)

        assert problem(diag) == ("CA40D", {"match": "likeness", "candidates": [one]})

    @pytest.mark.parametrize("other", [{"family_name": "Sorensen"}, {"date_of_birth": "1971-02-03"}, {"date_of_birth": None},
                                       {"address": {"postcode": "N1 2UE"}}, {"address": None}])
    def test_who_differs_is_another(self, carer, other):
        like = alike()
        carer(**like)
        carer(**{**like, **other})

    def test_another_council_has_another_person(self, carer):
        like = alike()
        carer(ISLINGTON, **like)
        carer(ESSEX, **like)

    def test_likeness_is_overridden_with_a_reason(self, carer, refused, owner):
        like = alike()
        carer(**like)

        diag = refused("practitioner", *insert(new_id(), "true", **like), **STAFF)
        assert (diag.sqlstate, diag.message_hint) == ("CA42V", "/duplicate_reason")

        two = carer(**like, allow_duplicate="true", duplicate_reason="his twin brother")
        owner.execute("SELECT allow_duplicate, duplicate_reason FROM carer WHERE id = %s", (two,))
        assert owner.fetchone() == (True, "his twin brother")

    def test_candidates_are_those_whom_the_caller_may_see(self, carer, refused, organisation):
        like, org = alike(), organisation()
        carer(**like)
        mine = carer(role="support_worker", org=org, **like, allow_duplicate="true", duplicate_reason="his twin")

        diag = refused("support_worker", *insert(new_id(), **like), org=org)
        assert problem(diag) == ("CA40D", {"match": "likeness", "candidates": [mine]})
        diag = refused("support_worker", *insert(new_id(), **like), org=organisation())
        assert problem(diag) == ("CA40D", {"match": "likeness", "candidates": []})

    def test_closed_records_do_not_count(self, carer, acting):
        like, number = alike(), next(_numbers)
        one = carer(**like, nhs_number=number)
        with acting("practitioner", **STAFF) as session:
            session.execute("carer_move", one, "close", '{"reason": "duplicate_record"}')

        carer(**like, nhs_number=number)

    def test_a_change_may_not_make_a_duplicate(self, carer, refused, acting):
        like, number = alike(), next(_numbers)
        one = carer(**like, nhs_number=number)
        two = carer()

        for patch, match in (({"nhs_number": number}, "nhs_number"), (like, "likeness")):
            diag = refused("practitioner", "carer_patch", two, json.dumps(patch), None, **STAFF)
            assert problem(diag) == ("CA40D", {"match": match, "candidates": [one]})
        with acting("practitioner", **STAFF) as session:
            session.execute("carer_patch", two, json.dumps({**like, "duplicate_reason": "his twin"}), "true")
            session.execute("carer_patch", two, '{"preferred_language": "cy"}', None)
            assert session.body("carer_by_id", two)["preferred_language"] == "cy"

    @pytest.mark.parametrize("members", [lambda: {"nhs_number": next(_numbers)}, alike], ids=["nhs number", "likeness"])
    def test_of_two_at_once_one_is_written(self, connect, acting, members):
        members, results, first = members(), [], threading.Barrier(2)

        def create():
            try:
                with acting("practitioner", on=connect(), **STAFF) as session:
                    first.wait()
                    session.execute(*insert(new_id(), **members))
                results.append("written")
            except psycopg2.Error as refusal:
                results.append(refusal.pgcode)
        workers = [threading.Thread(target=create) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(30)

        assert sorted(results) == ["CA40D", "written"]


class TestStates:
    """The machine of states, and who may move it."""

    PATH = {"identified": [], "registered": ["register"], "active": ["register", "start_support"],
            "inactive": ["register", "start_support", "deactivate"], "closed": ["close"]}
    ALLOWED = {("identified", "register"), ("active", "deactivate"), ("inactive", "reactivate"),
               ("identified", "close"), ("registered", "close"), ("active", "close"), ("inactive", "close")}

    @pytest.fixture
    def in_state(self, carer, acting, owner):
        def make(state, **members):
            ident = carer(**members)
            for action in self.PATH[state]:
                if action == "start_support":
                    owner.execute("ALTER TABLE carer DISABLE TRIGGER carer_b_change")
                    owner.execute("UPDATE carer SET state = 'active' WHERE id = %s", (ident,))
                    owner.execute("ALTER TABLE carer ENABLE TRIGGER carer_b_change")
                    continue
                with acting("practitioner", **STAFF) as session:
                    session.execute("carer_move", ident, action, '{"reason": "other", "triage": {"level": "light"}}')
            return ident
        return make

    @pytest.mark.parametrize("action", ["register", "deactivate", "reactivate", "close"])
    @pytest.mark.parametrize("state", list(PATH))
    def test_an_action_leads_where_the_table_says_or_nowhere(self, in_state, acting, refused, state, action):
        one, triage = in_state(state), '{"triage": {"level": "light"}}'
        if (state, action) in self.ALLOWED:
            with acting("practitioner", **STAFF) as session:
                assert action in session.body("carer_by_id", one)["available_actions"]
                session.execute("carer_move", one, action, triage)
                assert session.body("carer_by_id", one)["state"] != state
            return
        with acting("practitioner", **STAFF) as session:
            assert action not in session.body("carer_by_id", one)["available_actions"]
        assert problem(refused("practitioner", "carer_move", one, action, triage, **STAFF)) == ("CA409", {"state": state})

    @pytest.mark.parametrize("state", list(PATH))
    def test_a_change_of_state_past_the_actions_is_refused(self, in_state, acting, state):
        one = in_state(state)
        for target in {"identified", "registered", "active", "inactive"} - {state}:
            if (state, target) in {("active", "inactive"), ("inactive", "active"), ("identified", "registered")}:
                continue
            with pytest.raises(psycopg2.Error) as caught:
                with acting("practitioner", **STAFF) as session:
                    session.sql("UPDATE carer SET state = %s WHERE id = %s", target, one)
            assert caught.value.pgcode in ("CA409", "CA403")

    def test_support_does_not_start_by_a_caller(self, in_state, acting, refused):
        diag = refused("practitioner", "carer_move", in_state("registered"), "start_support", None, **STAFF)
        assert diag.sqlstate == "CA403"

    def test_registration_needs_a_triage(self, carer, acting, refused):
        one = carer()
        for body in (None, "{}", '{"note": "x"}'):
            diag = refused("practitioner", "carer_move", one, "register", body, **STAFF)
            assert (diag.sqlstate, diag.message_hint) == ("CA422", "C4")
        with acting("practitioner", **STAFF) as session:
            session.execute("carer_move", one, "register", '{"triage": {"level": "intensive"}}')
            assert session.body("carer_by_id", one)["triage"] == {"level": "intensive"}

    def test_the_reason_stands_in_the_record_while_it_lasts(self, in_state, acting):
        one = in_state("active")
        with acting("practitioner", **STAFF) as session:
            session.execute("carer_move", one, "deactivate", '{"reason": "lost_contact", "note": "three letters"}')
            body = session.body("carer_by_id", one)
            assert (body["state_reason"], body["state_note"]) == ("lost_contact", "three letters")
            session.execute("carer_move", one, "reactivate", None)
            assert not {"state_reason", "state_note"} & session.body("carer_by_id", one).keys()

    def test_a_closed_record_does_not_change(self, in_state, refused):
        one = in_state("closed")
        diag = refused("practitioner", "carer_patch", one, '{"given_name": "Other"}', None, **STAFF)
        assert problem(diag) == ("CA409", {"state": "closed"})

    @pytest.mark.parametrize("role, actions", [
        ("council_admin", ["update", "register", "close"]), ("practitioner", ["update", "register", "close"]),
        ("support_worker", ["update", "register", "close"]), ("hospital_in_reach", ["update", "register"]),
        ("assessor", ["update"]), ("break_provider", []), ("carer", ["update"])])
    def test_available_actions_are_the_callers(self, carer, organisation, acting, refused, role, actions):
        org = organisation()
        one = carer(role="support_worker", org=org)
        caller = {"councils": [ISLINGTON], "org": org, "carer": one}

        with acting(role, **caller) as session:
            assert session.body("carer_by_id", one)["available_actions"] == actions
        for action in {"register", "close"} - set(actions):
            assert refused(role, "carer_move", one, action, "{}", **caller).sqlstate == "CA403"
        if "update" not in actions:
            assert refused(role, "carer_patch", one, '{"gp": {"name": "x"}}', None, **caller).sqlstate == "CA403"

    def test_of_two_moves_at_once_one_counts(self, in_state, connect, acting):
        one, results, first = in_state("active"), [], threading.Barrier(2)

        def close():
            try:
                with acting("practitioner", on=connect(), **STAFF) as session:
                    first.wait()
                    session.execute("carer_move", one, "close", '{"reason": "carer_request"}')
                results.append("closed")
            except psycopg2.Error as refusal:
                results.append((refusal.pgcode, refusal.diag.message_detail))
        workers = [threading.Thread(target=close) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(30)

        assert sorted(results, key=str) == [("CA409", '{"state": "closed"}'), "closed"]


class TestCreation:
    """Who creates, and where."""

    @pytest.mark.parametrize("role", ["break_provider", "carer", "commissioner", "directory_editor", "referrer",
                                      "vcfse_editor", ""])
    def test_a_role_that_does_not_create_is_refused(self, refused, organisation, role):
        diag = refused(role, *insert(new_id()), councils=[ISLINGTON], org=organisation())
        assert diag.sqlstate in ("CA403", "42501")

    def test_elsewhere_is_not_ones_council(self, refused, organisation):
        for caller in ({"role": "practitioner", "councils": [ESSEX]}, {"role": "practitioner"},
                       {"role": "support_worker", "org": organisation(ESSEX), "councils": [ISLINGTON]}):
            role = caller.pop("role")
            diag = refused(role, *insert(new_id()), **caller)
            assert (diag.sqlstate, diag.message_hint) == ("CA42V", "/council")

    def test_an_organisation_that_nobody_knows_is_forbidden(self, refused):
        for org in (None, "0195e6a0-0000-7000-8000-000000000001"):
            assert refused("support_worker", *insert(new_id()), org=org).sqlstate == "CA403"

    def test_who_registers_is_given_access_with_the_reason(self, carer, organisation, owner):
        org = organisation()
        one = carer(role="support_worker", org=org)
        owner.execute("SELECT organisation_id::text, reason, granted_by, council, state FROM carer_access"
                      " WHERE carer_id = %s", (one,))
        assert owner.fetchall() == [(org, "registered", "support_worker@example.org", ISLINGTON, "identified")]

    def test_an_organisation_that_is_named_exists(self, refused):
        identification = {"source": "gp", "organisation_id": "0195e6a0-0000-7000-8000-000000000001"}
        diag = refused("practitioner", *insert(new_id(), identification=identification), **STAFF)
        assert (diag.sqlstate, diag.message_hint) == ("CA42V", "/identification/organisation_id")

    def test_nobody_is_born_tomorrow(self, refused):
        diag = refused("practitioner", *insert(new_id(), date_of_birth="2099-01-01"), **STAFF)
        assert (diag.sqlstate, diag.message_hint) == ("CA42V", "/date_of_birth")

    @pytest.mark.parametrize("sent", ["n12ud", "N12UD", "n1 2ud", "N1 2UD"])
    def test_a_postcode_is_shown_in_upper_case_with_its_space(self, carer, acting, sent):
        one = carer(address={"postcode": sent, "town": "London"})
        with acting("practitioner", **STAFF) as session:
            assert session.body("carer_by_id", one)["address"] == {"postcode": "N1 2UD", "town": "London"}


class TestChanges:
    """Merge-patch, versions, and C6."""

    def test_a_patch_sets_removes_and_merges(self, carer, acting):
        one = carer(contact={"phone": "+447700900123", "email": "a@example.org"}, preferred_language="cy",
                    cared_for=[{"relationship": "parent"}])
        with acting("practitioner", **STAFF) as session:
            session.execute("carer_patch", one, json.dumps({
                "contact": {"email": None, "preferred": "sms"}, "preferred_language": None, "kind": "adult",
                "cared_for": [{"relationship": "friend"}]}), None)
            body = session.body("carer_by_id", one)
        assert body["contact"] == {"phone": "+447700900123", "preferred": "sms"} and body["kind"] == "adult"
        assert "preferred_language" not in body and body["cared_for"] == [{"relationship": "friend"}]

    @pytest.mark.parametrize("field, empty", [("contact", {"phone": None}), ("cared_for", []), ("gp", {})])
    def test_what_is_empty_is_absent(self, carer, acting, field, empty):
        full = {"contact": {"phone": "+447700900123"}, "cared_for": [{"relationship": "friend"}]}
        one = carer(**{name: value for name, value in full.items() if name == field})
        with acting("practitioner", **STAFF) as session:
            session.execute("carer_patch", one, json.dumps({field: empty}), None)
            assert field not in session.body("carer_by_id", one)

    def test_the_version_counts_changes_and_not_patches(self, carer, acting):
        one = carer()

        def version(patch):
            with acting("practitioner", **STAFF) as session:
                session.execute("carer_patch", one, patch, None)
                return session.execute("carer_by_id", one)[0][1]
        assert [version('{"kind": "adult"}'), version('{"kind": "adult"}'), version("{}"), version('{"kind": null}')] == \
            [2, 2, 2, 3]

    @pytest.mark.parametrize("if_match, stale", [("1", False), ("7,1", False), ("", False), ("2", True), ("-1", True),
                                                 ("0,3", True)])
    def test_if_match_is_compared_with_the_version(self, carer, acting, refused, if_match, stale):
        one = carer()
        claims = {**STAFF, "target": one.upper(), "if_match": if_match}
        calls = [("carer_patch", one, '{"kind": "adult"}', None), ("carer_move", one, "close", '{"reason": "other"}')]
        for call in calls if stale else calls[:1]:
            if stale:
                assert refused("practitioner", *call, **claims).sqlstate == "CA412"
                continue
            with acting("practitioner", **claims) as session:
                session.execute(*call)

    def test_a_stale_version_is_told_before_any_rule(self, carer, refused):
        one = carer()
        claims = {"carer": one, "target": one, "if_match": "9"}
        assert refused("carer", "carer_patch", one, '{"given_name": "X"}', None, **claims).sqlstate == "CA412"
        assert refused("practitioner", "carer_move", one, "reactivate", None, **STAFF, target=one,
                       if_match="9").sqlstate == "CA412"

    def test_two_patches_at_once_both_count(self, carer, connect, acting):
        one, first = carer(), threading.Barrier(2)

        def patch(body):
            with acting("practitioner", on=connect(), **STAFF) as session:
                first.wait()
                session.execute("carer_patch", one, body, None)
        workers = [threading.Thread(target=patch, args=(body,))
                   for body in ('{"contact": {"phone": "+447700900123"}}', '{"contact": {"email": "a@example.org"}}')]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(30)

        with acting("practitioner", **STAFF) as session:
            rows = session.execute("carer_by_id", one)
        assert json.loads(rows[0][0])["contact"] == {"phone": "+447700900123", "email": "a@example.org"}
        assert rows[0][1] == 3

    @pytest.mark.parametrize("patch", [{"contact": {"phone": "+447700900123"}}, {"preferred_language": "so"},
                                       {"interpreter_required": True}, {"accessible_format": "braille"},
                                       {"gp": {"registered_as_carer": "self_doing"}}])
    def test_a_carer_changes_how_she_is_reached(self, carer, acting, patch):
        one = carer()
        with acting("carer", carer=one) as session:
            session.execute("carer_patch", one, json.dumps(patch), None)
            body = session.body("carer_by_id", one)
        assert {name: body[name] for name in patch} == patch

    @pytest.mark.parametrize("patch", [{"given_name": "X"}, {"family_name": "X"}, {"date_of_birth": "1970-01-01"},
                                       {"nhs_number": "9990037116"}, {"address": {"town": "X"}}, {"kind": "young"},
                                       {"identification": {"source": "other"}}, {"previously_known": True},
                                       {"known_to_social_care": True}, {"employment_status": "unknown"},
                                       {"cared_for": [{"relationship": "friend"}]},
                                       {"external_refs": [{"system": "a", "id": "b"}]}, {"duplicate_reason": "x"}], ids=str)
    def test_a_carer_changes_nothing_else(self, carer, refused, patch):
        one = carer()
        diag = refused("carer", "carer_patch", one, json.dumps({**patch, "preferred_language": "so"}), None, carer=one)
        assert (diag.sqlstate, diag.message_hint) == ("CA422", "C6")

    def test_access_rows_follow_the_carer(self, carer, organisation, acting, owner):
        org = organisation()
        one = carer(role="support_worker", org=org)
        with acting("support_worker", org=org) as session:
            session.execute("carer_patch", one, '{"known_to_social_care": true, "identification": {"source": "gp"}}', None)
            session.execute("carer_move", one, "register", '{"triage": {"level": "light"}}')
        owner.execute("SELECT a.state, a.source, a.known, a.changed_at = c.updated_at, a.council = c.council"
                      " FROM carer_access a JOIN carer c ON c.id = a.carer_id WHERE c.id = %s", (one,))
        assert owner.fetchall() == [("registered", "gp", "yes", True, True)]

    def test_references_follow_the_carer(self, carer, acting):
        one = carer(external_refs=[{"system": "a", "id": "1"}, {"system": "b", "id": "2"}])
        with acting("practitioner", **STAFF) as session:
            session.execute("carer_patch", one, '{"external_refs": [{"system": "a", "id": "3"}]}', None)
            found = [[item["id"] for item in session.body("carers_by_key", json.dumps({"external_ref": {"system": "a", "id": ref}}))["items"]]
                     for ref in "13"]
        assert found == [[], [one]]


class TestAudit:
    """Append-only, whoever asks."""

    @pytest.mark.parametrize("statement", ["UPDATE audit_entry SET actor = 'nobody'", "DELETE FROM audit_entry",
                                           "TRUNCATE audit_entry"])
    def test_even_its_owner_does_not_change_the_trail(self, carer, owner, statement):
        carer()
        with pytest.raises(psycopg2.Error, match="never changed"):
            owner.execute(statement)

    def test_who_writes_cannot_say_who_she_is(self, acting, owner):
        with acting("practitioner", **STAFF, subject="the real one", request="sql-1") as session:
            session.sql("INSERT INTO audit_entry (council, carer_ids) VALUES (%s, '{}')", ISLINGTON)
        owner.execute("SELECT actor, role FROM audit_entry WHERE request = 'sql-1'")
        assert owner.fetchall() == [("the real one", "practitioner")]

    def test_columns_that_are_worked_out_tell_nothing(self, carer, acting, owner):
        one = carer(address={"postcode": "N1 2UD"})
        with acting("practitioner", **STAFF, request="sql-2") as session:
            session.execute("carer_patch", one, '{"family_name": "Neu", "known_to_social_care": false}', None)
        owner.execute("SELECT before - 'family_name', after FROM audit_entry WHERE request = 'sql-2'")
        assert owner.fetchall() == [({}, {"family_name": "Neu", "known_to_social_care": False})]
