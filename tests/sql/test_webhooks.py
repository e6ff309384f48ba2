"""Webhooks asked in SQL: whose they are, who reads a secret, what of the outbox nobody writes by hand."""
import json

import psycopg2
import pytest
from support.sql import CLASSES, ESSEX, ISLINGTON, new_id

OWNERS = {"council_admin": "a council's", "assessor": "an organisation's", "referrer": "a desk's"}


@pytest.fixture
def mine(acting, organisation):
    """mine(role): the claims of an owner and the id of her webhook."""
    def make(role):
        claims = {"councils": [ISLINGTON]} if role == "council_admin" else {"councils": [ISLINGTON], "org": organisation()}
        ident = new_id()
        with acting(role, **claims) as session:
            session.execute("webhook_insert", ident, json.dumps({"url": "https://a.example/"}))
            assert json.loads(session.execute("webhook_with_secret", ident)[0][0])["secret"].startswith("whsec_")
            session.execute("webhook_ping", ident)
        return claims, ident
    return make


@pytest.mark.parametrize("role", OWNERS)
def test_a_secret_is_read_in_the_transaction_that_made_it_alone(acting, mine, role):
    claims, ident = mine(role)

    with acting(role, **claims) as session:
        assert session.execute("webhook_with_secret", ident) == []
        assert session.sql("SELECT * FROM webhook_secret") == []


@pytest.mark.parametrize("role", [role for role in CLASSES if role in OWNERS])
def test_webhooks_and_deliveries_are_their_owners(acting, mine, organisation, role):
    claims, ident = mine(role)
    strangers = [{**claims, "org": organisation()} if "org" in claims else {"councils": [ESSEX]}]

    for who, seen in [(claims, 1)] + [(other, 0) for other in strangers]:
        with acting(role, **who) as session:
            for table, column in (("webhook", "id"), ("webhook_view", "id"), ("webhook_delivery", "webhook_id")):
                assert len(session.sql(f"SELECT 1 FROM {table} WHERE {column} = '{ident}'")) == seen, table
            assert len(session.sql(f"DELETE FROM webhook WHERE id = '{ident}' RETURNING id") or []) == seen
            session.connection.rollback()


@pytest.mark.parametrize("role", ["practitioner", "carer", "commissioner", ""])
def test_who_has_no_webhooks_sees_none(acting, mine, role):
    _, ident = mine("council_admin")
    try:
        with acting(role, councils=[ISLINGTON]) as session:
            assert session.sql(f"SELECT id FROM webhook WHERE id = '{ident}'") == []
    except psycopg2.errors.InsufficientPrivilege:
        pass


@pytest.mark.parametrize("role", list(CLASSES))
@pytest.mark.parametrize("statement", [
    "SELECT webhook_claim(1, 1, 1)", "SELECT webhook_finish(gen_random_uuid(), 1, 'delivered', 200, 1, 1, 1)", "SELECT webhook_sweep(1)",
    "SELECT webhook_release(gen_random_uuid(), gen_random_uuid())", "UPDATE webhook SET role = 'council_admin'",
    "UPDATE webhook SET organisation_id = NULL", "UPDATE webhook_secret SET secret = 'x'", "UPDATE webhook_delivery SET body = '{}'",
    "UPDATE webhook_delivery SET due_at = now()", "DELETE FROM webhook_delivery", "DELETE FROM webhook_attempt",
    "INSERT INTO webhook_attempt (delivery_id, number, took_ms, outcome) VALUES (gen_random_uuid(), 1, 1, 'gone')",
    "INSERT INTO webhook_delivery (webhook_id, message_id, queue, kind, body) VALUES (gen_random_uuid(), gen_random_uuid(),"
    " gen_random_uuid(), 'x', '{}')"])
def test_the_outbox_is_written_by_triggers_and_the_dispatcher_alone(acting, role, statement):
    with pytest.raises(psycopg2.Error) as caught:
        with acting(role, councils=[ISLINGTON]) as session:
            session.sql(statement)
    assert caught.value.pgcode == "42501", caught.value


def test_only_a_trigger_tells_webhooks(acting):
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="only a trigger"):
        with acting("council_admin", councils=[ISLINGTON]) as session:
            session.sql("SELECT webhook_tell('{}', 'webhook.ping', gen_random_uuid(), now(), '/x', '{}')")


def claim(service, count=100):
    """What the service takes of the outbox."""
    with service.cursor() as cursor:
        cursor.execute("SELECT delivery_id, attempt, convert_from(convert_to(body, 'UTF8'), 'UTF8')::jsonb -> 'type' FROM webhook_claim(%s, %s, 60000)",
                       (count, count))
        rows = cursor.fetchall()
    service.commit()
    return rows


def finish(service, row, outcome):
    with service.cursor() as cursor:
        cursor.execute("SELECT webhook_finish(%s, %s, %s, NULL, 1, 0, 1000)", (row[0], row[1], outcome))
    service.commit()


def test_the_first_of_a_queue_is_due_and_the_next_when_it_is_over(acting, owner, service, mine):
    owner.execute("DELETE FROM webhook")
    claims, ident = mine("assessor")
    with acting("assessor", **claims) as session:
        session.execute("webhook_ping", ident)
        session.execute("webhook_ping", ident)

    first, = claim(service)
    assert claim(service) == []  # leased, and the others wait behind it
    finish(service, first, "status")
    again, = claim(service)
    assert (again[0], again[1]) == (first[0], 2)
    finish(service, first, "delivered")  # a late word of the attempt before: it is not the claimer any more
    assert claim(service) == []
    finish(service, again, "delivered")
    second, = claim(service)
    assert second[0] != first[0]
    finish(service, second, "gone")
    owner.execute("SELECT state FROM webhook WHERE id = %s", (ident,))
    assert owner.fetchall() == [("disabled",)]
    assert claim(service) == []


def test_a_lease_that_is_over_is_another_dispatchers(acting, owner, service, mine):
    owner.execute("DELETE FROM webhook")
    mine("assessor")
    first, = claim(service)
    owner.execute("UPDATE webhook_delivery SET due_at = now() - interval '1 second'")

    again, = claim(service)

    assert (again[0], again[1]) == (first[0], 2)


def test_a_message_written_while_the_one_before_is_finished_is_not_forgotten(acting, connect, owner, service, mine):
    """Who adds to a queue and who takes from it wait for each other."""
    owner.execute("DELETE FROM webhook")
    claims, ident = mine("assessor")
    first, = claim(service)
    other = connect("carers_service")
    with acting("assessor", on=other, **claims) as session:
        session.execute("webhook_ping", ident)
        with service.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
            with pytest.raises(psycopg2.errors.LockNotAvailable):
                cursor.execute("SELECT webhook_finish(%s, %s, 'delivered', 200, 1, 0, 1000)", (first[0], first[1]))
        service.rollback()
    finish(service, first, "delivered")

    assert len(claim(service)) == 1


CONTACT = {"channel": "phone", "direction": "inbound", "reason": "first_contact", "outcome": "info_advice"}


@pytest.mark.parametrize("shares", [True, False])
@pytest.mark.parametrize("role", ["assessor", "support_worker", "hospital_in_reach", "break_provider"])
def test_a_webhook_is_told_what_its_role_may_read_in_the_feed(acting, owner, carer, organisation, grant, role, shares):
    one, staff, hook = carer(), {"councils": [ISLINGTON]}, new_id()
    mine, charity = {"org": organisation()}, {"org": organisation()}
    grant(one, mine["org"])
    grant(one, charity["org"])
    with acting(role, **mine) as session:
        session.execute("webhook_insert", hook, json.dumps({"url": "https://a.example/"}))
    owner.execute("SELECT max(id) FROM event")
    before, = owner.fetchone()

    with acting("practitioner", **staff) as session:
        session.execute("consent_record", new_id(), one, json.dumps({
            "purpose": "share_between_services", "decision": "given" if shares else "refused", "method": "verbal", "wording_version": "v1"}))
        for about in (mine, charity):
            session.execute("consent_record", new_id(), one, json.dumps({
                "purpose": "share_with_organisation", "organisation_id": about["org"], "method": "verbal", "wording_version": "v1"}))
        session.execute("carer_patch", one, '{"preferred_language": "cy"}', None)
    contacts = {}
    for who, claims in (("practitioner", staff), ("support_worker", charity), (role, mine)):
        contacts[claims.get("org", "council")] = new_id()
        with acting(who, **claims) as session:
            session.execute("contact_record", one, contacts[claims.get("org", "council")], json.dumps(CONTACT))

    owner.execute("SELECT kind, body::jsonb #>> '{data,resource,id}' FROM webhook_delivery WHERE webhook_id = %s", (hook,))
    told = sorted(owner.fetchall())
    with acting(role, **mine) as session:
        read = session.sql("SELECT kind, resource_id::text FROM event WHERE carer_id = %s AND id > %s", one, before)
    others = [("contact.recorded", contacts[who]) for who in ("council", charity["org"])]
    assert told == sorted(read)
    assert [contact in told for contact in others] == [shares and role != "break_provider"] * 2
    assert ("contact.recorded", contacts[mine["org"]]) in told and ("carer.updated", one) in told


def test_who_has_lost_access_is_told_that_and_nothing_of_her_afterwards(acting, owner, carer, organisation, grant):
    one, org, hook, consent = carer(), organisation(), new_id(), new_id()
    grant(one, org)
    with acting("assessor", org=org) as session:
        session.execute("webhook_insert", hook, json.dumps({"url": "https://a.example/"}))
    share = json.dumps({"purpose": "share_with_organisation", "organisation_id": org, "method": "verbal", "wording_version": "v1"})

    for query, arguments in (("consent_record", (consent, one, share)), ("consent_withdraw", (one, consent, '{"method": "verbal"}')),
                             ("consent_record", (new_id(), one, share))):
        with acting("practitioner", [ISLINGTON]) as session:
            session.execute(query, *arguments)

    owner.execute("SELECT kind FROM webhook_delivery WHERE webhook_id = %s ORDER BY number", (hook,))
    assert [kind for kind, in owner.fetchall()] == ["consent.given", "access.ended"]


def test_an_organisations_webhook_is_in_the_trail_of_each_council_that_it_works_for(acting, owner, organisation):
    org, ident = organisation(ISLINGTON, ESSEX), new_id()
    with acting("assessor", org=org, request=f"hook-{ident}") as session:
        session.execute("webhook_insert", ident, json.dumps({"url": "https://a.example/"}))

    for council in (ISLINGTON, ESSEX):
        with acting("council_admin", [council]) as session:
            assert session.sql("SELECT council, subject_table, after ->> 'id' FROM audit_entry WHERE request = %s",
                               f"hook-{ident}") == [(council, "webhook", ident)]
