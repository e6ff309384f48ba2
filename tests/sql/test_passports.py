"""Passports as PostgreSQL keeps them: who sees, issues and revokes which, and the check that tells nothing else."""
import itertools
import json

import bundle
import psycopg2
import pytest
from support.sql import CLASSES, ESSEX, ISLINGTON, ROOT, new_id

SCHEMAS = bundle.Bundle(ROOT / "openapi.yaml").document()["components"]["schemas"]
STAFF = {"councils": [ISLINGTON]}
LOST = '{"reason": "lost"}'
_numbers = itertools.count(1)


def number():
    """A number of its own; its check character is the service's business, not the table's."""
    digits = f"{next(_numbers):016d}"
    return "CP-" + "-".join(digits[at:at + 4] for at in range(0, 16, 4))


@pytest.fixture
def registered(carer, acting):
    """registered(council=, ...): the id of a carer who is registered."""
    def make(council=ISLINGTON, **options):
        one = carer(council, **options)
        with acting("practitioner", [council]) as session:
            session.execute("carer_move", one, "register", '{"triage": {"level": "light"}}')
        return one
    return make


@pytest.fixture
def passport(acting):
    """passport(carer, council): the number of a new passport."""
    def make(one, council=ISLINGTON):
        made = number()
        with acting("practitioner", [council]) as session:
            session.execute("passport_issue", new_id(), one, made, None)
        return made
    return make


class TestRows:
    """Every role, every table."""

    @pytest.mark.parametrize("table", ["passport", "passport_view"])
    @pytest.mark.parametrize("role, wanted", [
        ("council_admin", {"mine", "ended"}), ("practitioner", {"mine", "ended"}), ("assessor", {"mine"}),
        ("support_worker", {"mine"}), ("hospital_in_reach", {"mine"}), ("break_provider", set()), ("carer", {"mine"})])
    def test_passports_are_seen_with_their_carer_but_by_no_breaks_provider(self, registered, organisation, grant, passport,
                                                                           acting, role, wanted, table):
        org, other = organisation(), organisation(ESSEX)
        carers = {"mine": registered(role="support_worker", org=org), "ended": registered(), "far": registered(ESSEX)}
        grant(carers["ended"], org, "-2 hours", "-1 hour")
        grant(carers["far"], other)
        for name, one in carers.items():
            passport(one, ESSEX if name == "far" else ISLINGTON)
        claims = {"councils": [ISLINGTON] if CLASSES[role] == "carers_council" else [ISLINGTON, ESSEX], "org": org,
                  "carer": carers["mine"]}

        with acting(role, **claims) as session:
            found = {str(one) for (one,) in session.sql(f"SELECT carer_id FROM {table}")}

        assert {name for name, one in carers.items() if one in found} == wanted

    @pytest.mark.parametrize("role", ["commissioner", "directory_editor", "referrer", "vcfse_editor", ""])
    @pytest.mark.parametrize("table", ["passport", "passport_view"])
    def test_who_works_at_a_desk_and_the_public_see_no_passport(self, acting, organisation, role, table):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            with acting(role, [ISLINGTON], org=organisation()) as session:
                session.sql(f"SELECT * FROM {table}")

    @pytest.mark.parametrize("role", ["assessor", "break_provider", "carer"])
    def test_who_does_not_issue_cannot(self, registered, organisation, grant, refused, role):
        one, org = registered(), organisation()
        grant(one, org)

        diag = refused(role, "passport_issue", new_id(), one, number(), None, org=org, carer=one)

        assert diag.sqlstate == "42501"

    @pytest.mark.parametrize("role, sqlstate", [("assessor", "CA409"), ("break_provider", "CA404")])
    def test_who_does_not_revoke_finds_nothing_to_revoke(self, registered, organisation, grant, passport, refused, acting, role,
                                                         sqlstate):
        one, org = registered(), organisation()
        grant(one, org)
        made = passport(one)

        assert refused(role, "passport_revoke", one, LOST, org=org).sqlstate == sqlstate
        with acting("") as session:
            assert session.sql("SELECT passport_valid(%s)", made) == [(True,)]


class TestRules:
    """What holds whoever asks."""

    def test_two_current_passports_of_a_carer_break_the_index(self, registered, passport, owner):
        one = registered()
        passport(one)
        with pytest.raises(psycopg2.errors.UniqueViolation, match="passport_current_key"):
            owner.execute("INSERT INTO passport (id, carer_id, number) VALUES (%s, %s, %s)", (new_id(), one, number()))

    @pytest.mark.parametrize("wrong", ["CP-0000-0000-0000-000", "CP-0000-0000-0000-000U", "cp-0000-0000-0000-0000",
                                       "CP0000000000000000"])
    def test_a_number_of_another_shape_is_not_stored(self, registered, refused, wrong):
        diag = refused("practitioner", "passport_issue", new_id(), registered(), wrong, None, **STAFF)
        assert diag.constraint_name == "passport_number_check"

    @pytest.mark.parametrize("change", ["number = 'CP-0000-0000-0000-0000'", "expires_on = '2099-01-01'", "current = true",
                                        "revoked_by = 'another'"])
    def test_nothing_of_a_passport_is_granted_to_change_but_its_revocation(self, registered, passport, acting, change):
        one = registered()
        passport(one)
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            with acting("practitioner", **STAFF) as session:
                session.sql(f"UPDATE passport SET {change} WHERE carer_id = %s", one)

    @pytest.mark.parametrize("change", ["NULL", "now()"])
    def test_a_revocation_is_neither_taken_back_nor_moved(self, registered, passport, acting, change):
        one = registered()
        passport(one)
        with acting("practitioner", **STAFF) as session:
            session.execute("passport_revoke", one, LOST)
        with pytest.raises(psycopg2.Error) as caught:
            with acting("practitioner", **STAFF) as session:
                session.sql(f"UPDATE passport SET revoked_at = {change}, reason = 'stolen' WHERE carer_id = %s", one)
        assert (caught.value.pgcode, caught.value.diag.message_detail) == ("CA409", '{"state": "revoked"}')

    def test_a_stale_version_is_told_before_the_rule(self, registered, passport, refused):
        one = registered()
        passport(one)

        diag = refused("carer", "passport_revoke", one, '{"reason": "other"}', carer=one, target=one, if_match="9")

        assert diag.sqlstate == "CA412"


class TestCheck:
    """passport_valid(): yes or no."""

    @pytest.mark.parametrize("role", list(CLASSES))
    def test_everybody_may_ask_and_is_told_the_same(self, registered, passport, acting, organisation, role):
        made = passport(registered())
        with acting(role, [ESSEX], org=organisation(ESSEX)) as session:
            assert [session.execute("passport_check", asked)[0][0] for asked in (made, number(), None)] == \
                ['{"valid":true}', '{"valid":false}', '{"valid":false}']

    def test_an_expired_one_is_not_valid_and_is_followed_by_another(self, registered, passport, acting, owner):
        one = registered()
        first = passport(one)
        for days, valid in ((0, True), (-1, False)):
            owner.execute("UPDATE passport SET issued_on = today() - 9, expires_on = today() + %s WHERE carer_id = %s", (days, one))
            with acting("") as session:
                assert session.sql("SELECT passport_valid(%s)", first) == [(valid,)]

        second = passport(one)

        with acting("practitioner", **STAFF) as session:
            assert session.body("passport_read", one)["number"] == second
        owner.execute("SELECT current, version, revoked_at FROM passport WHERE carer_id = %s ORDER BY version", (one,))
        assert owner.fetchall() == [(False, 1, None), (True, 2, None)]


def test_the_view_shows_the_members_of_the_contract_and_no_other(owner):
    owner.execute("SELECT pg_get_viewdef('passport_view'::regclass)")
    text = owner.fetchone()[0]
    schema = SCHEMAS["Passport"]["properties"]
    wanted = (schema.keys() | schema["revoked"]["properties"].keys()) - {"notice"}
    assert {name for name in wanted if f"'{name}'" in text or f'"{name}"' in text} == wanted
    assert json.dumps(schema["notice"]["const"])[1:-1] in text
