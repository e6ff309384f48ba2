"""Contracts for breaks asked in SQL: who sees them, and what nobody writes."""
import json

import psycopg2
import pytest
from support.sql import CLASSES, ESSEX, ISLINGTON, new_id


@pytest.fixture
def contract(acting, organisation):
    """contract(provider): the id of a new one of Islington's."""
    def make(provider, **members):
        ident = new_id()
        body = {"council": ISLINGTON, "provider_organisation_id": provider, "starts_on": "2026-04-01", "ends_on": "2027-03-31", "hours": 100, **members}
        with acting("council_admin", [ISLINGTON]) as session:
            session.execute("break_contract_insert", ident, json.dumps(body))
        return ident
    return make


def test_rows_by_caller(acting, contract, organisation, carer):
    provider, other = organisation(), organisation()
    ident, found = contract(provider), set()
    callers = {role: (role, {"councils": [ISLINGTON], "org": provider, "carer": carer()}) for role in CLASSES if role}
    callers.update({"elsewhere": ("council_admin", {"councils": [ESSEX]}), "another provider": ("break_provider", {"org": other})})
    for who, (role, claims) in callers.items():
        try:
            with acting(role, **claims) as session:
                if session.sql("SELECT 1 FROM break_contract_view WHERE id = %s", ident):
                    found.add(who)
        except psycopg2.errors.InsufficientPrivilege:
            assert role == "carer" or CLASSES[role] == "carers_desk"
    assert found == {"council_admin", "practitioner", "break_provider"}


@pytest.mark.parametrize("role", ["practitioner", "break_provider"])
def test_administrators_make_contracts(acting, organisation, role):
    with pytest.raises(psycopg2.Error) as caught:
        with acting(role, [ISLINGTON], org=organisation()) as session:
            session.sql("INSERT INTO break_contract (id, council, provider_organisation_id, starts_on, ends_on, hours)"
                        " SELECT gen_random_uuid(), %s, o.id, '2026-01-01', '2026-01-02', 1 FROM organisation o LIMIT 1", ISLINGTON)
    assert caught.value.pgcode == "42501"


@pytest.mark.parametrize("statement", ["UPDATE break_contract SET used_hours = 0", "UPDATE break_contract SET hours = 1000", "DELETE FROM break_contract",
                                       "SELECT break_contract_tell(NULL, NULL)", "SELECT break_contract_add('x', NULL, NULL, NULL)"])
@pytest.mark.parametrize("role", ["council_admin", "break_provider"])
def test_what_is_used_is_what_sessions_say(acting, contract, organisation, role, statement):
    provider = organisation()
    contract(provider)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        with acting(role, [ISLINGTON], org=provider) as session:
            session.sql(statement)


@pytest.mark.parametrize("members, code", [({"starts_on": "2027-03-31", "ends_on": "2027-04-30"}, "23P01"), ({"ends_on": "2026-03-31"}, "23514"),
                                           ({"starts_on": "2028-01-01", "ends_on": "2028-01-01", "hours": 0}, "23514")])
def test_contracts_do_not_overlap_and_have_days_and_hours(acting, contract, organisation, members, code):
    provider = organisation()
    contract(provider)
    with pytest.raises(psycopg2.Error) as caught:
        contract(provider, **members)
    assert caught.value.pgcode == code
