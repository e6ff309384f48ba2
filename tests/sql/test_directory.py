"""The directory asked in SQL: who sees which rows, the states by any client of the database, what is derived, words."""
import itertools
import json
import uuid

import psycopg2
import pytest
from support.sql import CLASSES, ESSEX, ISLINGTON

EDITOR = {"councils": [ISLINGTON]}
STATES, KEPT = ("draft", "published", "archived"), "SELECT id FROM service"


@pytest.fixture
def listed(acting):
    """listed(council=..., ...): the id of a new organisation of the directory."""
    def make(council=ISLINGTON, **members):
        ident = str(uuid.uuid4())
        with acting("directory_editor", [council]) as session:
            session.execute("listed_insert", ident, json.dumps({"council": council, "name": "Trust", "type": "community", "description": "x", **members}))
        return ident
    return make


@pytest.fixture
def entry(acting, listed, owner):
    """entry(state, org=..., ...): the id of a new entry."""
    def make(state="published", org=None, council=ISLINGTON, **members):
        ident, org = str(uuid.uuid4()), org or listed(council)
        with acting("directory_editor", [council]) as session:
            session.execute("service_insert", ident, json.dumps({"organisation_id": org, "council": council, "name": "Lifts",
                                                                 "description": "By car.", **members}), None)
            for step, to in {"draft": [], "published": [("publish", "published")], "archived": [("archive", "archived")]}[state]:
                session.execute("service_move", ident, step, to, "x")
        return ident
    return make


@pytest.mark.parametrize("role", list(CLASSES))
def test_each_role_sees_the_entries_that_are_for_it(acting, entry, listed, role):
    org = listed()
    mine = {state: entry(state, org) for state in STATES}
    mine["confidential"] = entry("published", org, confidential=True)
    far = {state: entry(state, council=ESSEX) for state in STATES}
    far["confidential"] = entry("published", council=ESSEX, confidential=True)
    own = set(mine) if role in ("directory_editor", "council_admin", "vcfse_editor", "assessor", "support_worker", "hospital_in_reach",
                                "break_provider") else {"published", "confidential"} if role == "practitioner" else {"published"}

    with acting(role, [ISLINGTON], org=org) as session:
        seen = {str(ident) for (ident,) in session.sql(KEPT)}

    assert {name for name, ident in mine.items() if ident in seen} == own
    assert {name for name, ident in far.items() if ident in seen} == {"published"}


@pytest.mark.parametrize("role", ["directory_editor", "council_admin", "vcfse_editor"])
def test_no_client_of_the_database_moves_an_entry_otherwise(acting, entry, listed, owner, role):
    owner.execute("SELECT from_state, to_state FROM directory_transition WHERE %s = ANY (sides)",
                  ("organisation" if role == "vcfse_editor" else "editor",))
    may, org, wrong = set(owner.fetchall()), listed(), []
    for before, after in itertools.product(STATES, STATES):
        one, told = entry(before, org), None
        try:
            with acting(role, [ISLINGTON], org=org) as session:
                session.sql("UPDATE service SET state = %s, assured_on = today() - 1 WHERE id = %s", after, one)
        except psycopg2.Error as refusal:
            told = refusal.pgcode
        if told != (None if (before, after) in may else "CA409"):
            wrong.append((before, after, told))
    assert wrong == []


@pytest.mark.parametrize("role", [role for role in CLASSES if role not in ("directory_editor", "council_admin", "")])
def test_nobody_else_writes_an_entry(acting, entry, role):
    one = entry()
    with pytest.raises(psycopg2.Error) as caught:
        with acting(role, [ISLINGTON], org=str(uuid.uuid4())) as session:
            session.sql("UPDATE service SET name = 'x' WHERE id = %s", one)
    assert caught.value.pgcode in ("CA403", "42501")


def test_an_organisation_changes_nothing_but_the_assurance(acting, entry, listed):
    org = listed()
    one = entry("published", org)
    with pytest.raises(psycopg2.Error) as caught:
        with acting("vcfse_editor", org=org) as session:
            session.sql("UPDATE service SET name = 'x' WHERE id = %s", one)
    assert (caught.value.pgcode, caught.value.diag.message_hint) == ("CA422", "D3")
    with acting("vcfse_editor", org=org) as session:
        session.sql("UPDATE service SET assured_on = today(), assured_by = 'organisation' WHERE id = %s", one)


def test_of_a_confidential_organisation_everything_is_confidential_whoever_adds_it(acting, listed, entry, owner):
    org = listed(ESSEX, confidential=True)
    one = entry("published", org)  # by an editor who does not see the organisation
    owner.execute("SELECT confidential FROM service WHERE id = %s", (one,))
    assert owner.fetchone() == (True,)
    with acting("") as session:
        assert session.sql("SELECT service_id FROM directory_found WHERE service_id = %s", one) == []


@pytest.fixture
def announced(acting):
    """announced(org, session): the ids of a new event and a new leaflet of the organisation."""
    def make(org, session):
        event, leaflet = str(uuid.uuid4()), str(uuid.uuid4())
        session.execute("directory_event_insert", event, json.dumps({"organisation_id": org, "title": "x", "starts_at": "2099-01-01T10:00:00Z",
                                                                     "ends_at": "2099-01-01T12:00:00Z"}))
        session.execute("leaflet_insert", leaflet, json.dumps({"organisation_id": org, "title": "x", "link": "https://example.org"}))
        return event, leaflet
    return make


def test_no_organisation_becomes_confidential_beside_an_event_that_is_being_announced(acting, connect, listed, announced):
    org, beside = listed(), connect()
    with acting("directory_editor", [ISLINGTON]) as session:
        announced(org, session)
        with pytest.raises(psycopg2.errors.LockNotAvailable):  # it waits, and then finds the event
            with acting("directory_editor", [ISLINGTON], on=beside) as other:
                other.sql("SET LOCAL lock_timeout = '200ms'")
                other.execute("listed_patch", org, '{"confidential": true}')


def test_a_refill_makes_events_and_leaflets_as_confidential_as_their_organisation(acting, listed, announced, owner):
    org = listed(confidential=True)
    with acting("directory_editor", [ISLINGTON]) as session:
        both = announced(org, session)
    for table, one in zip(("directory_event", "leaflet"), both):
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_a_hidden")
        owner.execute(f"UPDATE {table} SET confidential = false WHERE id = %s", (one,))
        owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_a_hidden")
    owner.execute("SELECT directory_refill()")
    for table, one in zip(("directory_event", "leaflet"), both):
        owner.execute(f"SELECT confidential FROM {table} WHERE id = %s", (one,))
        assert owner.fetchone() == (True,)
        with acting("") as session:
            assert session.sql(f"SELECT id FROM {table} WHERE id = %s", one) == []


@pytest.mark.parametrize("table", ["directory_found", "directory_place"])
def test_what_is_derived_holds_public_entries_alone_and_is_what_a_refill_makes(owner, entry, table):
    place = [{"kind": "physical", "latitude": 52.0, "longitude": 1.0}]
    for state in STATES:
        entry(state, locations=place)
    entry(confidential=True, locations=place)
    owner.execute(f"SELECT count(*) FROM {table} f JOIN service s ON s.id = f.service_id WHERE s.state <> 'published' OR s.confidential")
    assert owner.fetchone() == (0,)

    def rows():
        owner.execute(f"SELECT to_jsonb(f) - 'updated_at' FROM {table} f ORDER BY f.service_id")
        return [row[0] for row in owner.fetchall()]
    before = rows()
    owner.execute("SELECT directory_refill()")
    assert rows() == before != []


def test_the_tally_is_what_is_there(owner, entry, acting):
    one = entry()
    with acting("directory_editor", [ISLINGTON]) as session:
        session.execute("service_patch", one, '{"capacity": "yes", "languages": ["en"]}', None)
    entry("archived")
    owner.execute("SELECT council, assured_on, entries, completeness FROM directory_tally WHERE entries <> 0 ORDER BY 1, 2")
    kept = owner.fetchall()
    owner.execute("SELECT council, assured_on, count(*)::integer, sum(service_completeness(s))::bigint FROM service s WHERE state = 'published'"
                  " GROUP BY 1, 2 ORDER BY 1, 2")
    assert owner.fetchall() == kept


@pytest.mark.parametrize("lat, lon, metres", [(51.5, -0.1, 1), (51.5, -0.1, 900), (52.48, 1.75, 5000), (60.1, -1.3, 5000), (50.1, -5.5, 40_000),
                                              (55.0, 0.0, 200_000)])
def test_the_squares_around_a_place_hold_every_place_within(owner, lat, lon, metres):
    owner.execute("""
        SELECT count(*), count(*) FILTER (WHERE place_cells(p.lat, p.lon) && (SELECT cells_around(%(lat)s, %(lon)s, %(m)s))),
               (SELECT cardinality(cells_around(%(lat)s, %(lon)s, %(m)s)))
          FROM (SELECT %(lat)s + sind(a) * r * %(m)s / 111200.0 AS lat, %(lon)s + cosd(a) * r * %(m)s / 111200.0 / cosd(%(lat)s) AS lon
                  FROM generate_series(0, 359, 3) AS a CROSS JOIN unnest('{0.999,0.7,0.3}'::float8[]) AS r) AS p
         WHERE metres_between(p.lat, p.lon, %(lat)s, %(lon)s) <= %(m)s""", {"lat": lat, "lon": lon, "m": metres})
    within, found, squares = owner.fetchone()
    assert within == found >= 300 and squares <= 64


def test_a_distance_is_that_of_the_ground(owner):
    owner.execute("SELECT metres_between(51.4769, 0, 52.4769, 0), metres_between(52, 1, 52, 1), metres_between(51.5, -0.12, 48.85, 2.35)")
    degree, nothing, paris = owner.fetchone()
    assert abs(degree - 111_195) < 10 and nothing == 0 and abs(paris - 343_000) < 2000


@pytest.mark.parametrize("text, words", [("Carer's café – Zoë's", "carers cafe zoes"), ("A&E  (24/7)", "a e 24 7"), ("", ""), ("'!&|", "")])
def test_words_are_plain(owner, text, words):
    owner.execute("SELECT plain_words(%s)", (text,))
    assert owner.fetchone() == (words,)


def test_a_new_synonym_finds_what_is_coded_already(acting, owner, entry):
    one = entry(support_areas=["digital"])
    owner.execute("UPDATE taxonomy_term SET synonyms = synonyms || '{silver surfer}'::text[] WHERE code = 'digital'")
    for asked, found in (("silver surfers", True), ("surfers", False)):
        with acting("") as session:
            items = session.body("services_search", json.dumps({"q": asked}))["items"]
        assert (one in {item["id"] for item in items}) == found


def test_nobody_deletes_a_listed_organisation(acting, listed):
    org = listed()
    with pytest.raises(psycopg2.Error) as caught:
        with acting("directory_editor", **EDITOR) as session:
            session.sql("DELETE FROM organisation WHERE id = %s", org)
    assert caught.value.pgcode == "42501"
