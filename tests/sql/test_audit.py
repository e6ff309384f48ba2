"""The audit trail in PostgreSQL: its months, who reads it, what a page holds, and that nobody changes it."""
import datetime
import itertools
import json
import re
import threading
import uuid

import psycopg2
import pytest
from support.server import wait_for
from support.sql import ROOT, Session

FIRST, SECOND, THIRD = "E06000031", "E06000032", "E06000033"  # councils that no other test of this database uses
MONTH = re.compile(r"audit_entry_(\d{4})_(\d{2})")
_serial = itertools.count(1)


def partitions(cursor):
    cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_entry'::regclass ORDER BY 1")
    return [name for (name,) in cursor.fetchall()]


def month_after(months):
    """The name of the partition so many months after the present one."""
    now = datetime.datetime.now(datetime.timezone.utc)
    number = now.year * 12 + now.month - 1 + months
    return f"audit_entry_{number // 12}_{number % 12 + 1:02}"


def write(cursor, at, council=FIRST, carers=(), actor="somebody", action="getCarer", table=None, organisation=None):
    """An entry as it may have been written at another time; `at` is SQL. Its number."""
    cursor.execute(
        f"INSERT INTO audit_entry (at, council, actor, action, organisation_id, carer_ids, subject_table, after)"
        f" VALUES ({at}, %s, %s, %s, %s, %s::uuid[], %s, %s) RETURNING id",
        (council, actor, action, organisation, list(carers), table, '{"state": "active"}' if table else None))
    return cursor.fetchone()[0]


@pytest.fixture
def fresh(cluster, new_database):
    """fresh(): a cursor of the owner to a database of its own, whose months a test may move about."""
    opened = []

    def connect(name=None, user="carers_owner", migrated=True):
        connection = psycopg2.connect(cluster.conninfo(user, name or new_database(migrated)))
        connection.autocommit = True
        opened.append(connection)
        return connection.cursor()
    yield connect
    for connection in opened:
        connection.close()


class TestMonths:
    """One partition a month, made ahead; nothing is lost on the way."""

    def test_there_are_three_months_ahead_and_a_place_for_all_other_times(self, owner):
        found = partitions(owner)
        assert {month_after(n) for n in range(4)} | {"audit_entry_earlier", "audit_entry_later"} <= set(found)
        assert month_after(4) not in found

    def test_what_was_on_record_is_moved_over_and_numbers_go_on(self, fresh):
        cursor = fresh(migrated=False)
        files = sorted((ROOT / "sql" / "migrations").glob("*.sql"))
        for file in [file for file in files if file.stem < "0013"]:
            cursor.execute(file.read_text(encoding="utf-8"))
        for months in (0, 3, 3, 14):
            write(cursor, f"now() - interval '{months} months'", carers=[str(uuid.uuid4())])
        cursor.execute("SELECT to_jsonb(e) FROM audit_entry e ORDER BY id")
        before = cursor.fetchall()
        assert len(before) == 4

        cursor.execute("BEGIN;" + next(file for file in files if file.stem == "0013_audit").read_text(encoding="utf-8") + "COMMIT")

        cursor.execute("SELECT to_jsonb(e) FROM audit_entry e ORDER BY id")
        assert cursor.fetchall() == before
        assert write(cursor, "now()") == 5
        cursor.execute("SELECT tableoid::regclass::text FROM audit_entry ORDER BY at")
        homes = [name for (name,) in cursor.fetchall()]
        assert len(set(homes)) == 3 and all(MONTH.fullmatch(name) for name in homes) and homes[-1] == month_after(0)
        assert "audit_entry_moving" not in partitions(cursor)

    def test_preparing_again_makes_nothing(self, owner):
        before = partitions(owner)
        owner.execute("SELECT audit_prepare(3), audit_prepare(0), audit_prepare(-1)")
        assert owner.fetchone() == (0, 0, 0) and partitions(owner) == before

    def test_what_no_month_was_made_for_moves_into_its_month(self, fresh):
        cursor = fresh()
        cursor.execute("SELECT date_trunc('month', now(), 'UTC')")
        start = cursor.fetchone()[0]
        wanted = {}
        for at in ("5 months", "5 months 27 days", "6 months", "40 months"):
            ident = write(cursor, f"timestamptz '{start}' + interval '{at}'", carers=[str(uuid.uuid4())])
            wanted[ident] = month_after(int(at.split()[0])) if at != "40 months" else "audit_entry_later"
        cursor.execute("SELECT to_jsonb(e) FROM audit_entry e ORDER BY id")
        before = cursor.fetchall()

        cursor.execute("SELECT audit_prepare(6)")
        assert cursor.fetchone() == (3,)

        cursor.execute("SELECT to_jsonb(e) FROM audit_entry e ORDER BY id")
        assert cursor.fetchall() == before
        cursor.execute("SELECT id, tableoid::regclass::text FROM audit_entry")
        assert dict(cursor.fetchall()) == wanted
        assert write(cursor, "now()") == max(wanted) + 1

    @pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/Los_Angeles"])
    def test_months_begin_at_midnight_utc_wherever_the_operator_sits(self, fresh, zone):
        cursor = fresh()
        cursor.execute(f"SET timezone = '{zone}'; SELECT audit_prepare(5)")
        cursor.execute("SET timezone = 'UTC'; SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relispartition"
                       " AND relkind = 'r' AND relname LIKE 'audit_entry_%'")
        bounds = [bound for (text,) in cursor.fetchall() for bound in re.findall(r"'(.*?)'", text)]
        assert len(bounds) == 2 * 6 + 2 and all(bound.endswith("-01 00:00:00+00") for bound in bounds)

    def test_a_new_month_is_as_safe_as_the_others(self, fresh):
        cursor = fresh()
        cursor.execute("SELECT audit_prepare(4)")
        cursor.execute("""
            SELECT c.relname, c.relrowsecurity, c.relacl, obj_description(c.oid, 'pg_class') IS NOT NULL,
                   (SELECT bit_or(t.tgtype) FROM pg_trigger t WHERE t.tgrelid = c.oid)
              FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid WHERE i.inhparent = 'audit_entry'::regclass""")
        rows = cursor.fetchall()
        truncate, update, delete = 32, 16, 8
        assert month_after(4) in [row[0] for row in rows]
        for name, secured, granted, explained, guarded in rows:
            assert secured and granted is None and explained, name
            assert guarded & (truncate | update | delete) == truncate | update | delete, name

    def test_of_two_at_once_one_makes_them_and_neither_fails(self, fresh):
        first, name = fresh(), None
        first.execute("SELECT current_database()")
        name = first.fetchone()[0]
        second = fresh(name, user="carers_service")
        first.execute("BEGIN; SELECT audit_prepare(5)")
        assert first.fetchone() == (2,)
        second.execute("SELECT audit_prepare(5)")
        assert second.fetchone() == (0,)  # at once: the first is at it
        first.execute("COMMIT")
        second.execute("SELECT audit_prepare(6)")
        assert second.fetchone() == (1,)
        assert month_after(6) in partitions(first)

    def test_who_writes_meanwhile_waits_and_is_not_refused(self, fresh):
        first = fresh()
        first.execute("SELECT current_database()")
        name = first.fetchone()[0]
        writer, watcher, written = fresh(name), fresh(name), []
        first.execute("BEGIN; SELECT audit_prepare(9)")
        thread = threading.Thread(target=lambda: written.append(write(writer, "now() + interval '8 months'")))
        thread.start()

        def waits():
            watcher.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'audit_entry'::regclass")
            return watcher.fetchone()[0] and not written
        wait_for(waits)
        first.execute("COMMIT")
        thread.join(30)

        watcher.execute("SELECT tableoid::regclass::text FROM audit_entry WHERE id = %s", written)
        assert watcher.fetchone()[0] not in ("audit_entry_later", month_after(0))

    def test_it_is_the_services_own(self, service, acting, refused):
        assert Session(service).execute("audit_prepare", 3) == [(0,)]
        service.commit()
        for role in ("council_admin", "support_worker", "carer", "commissioner", ""):
            assert refused(role, "audit_prepare", 3).sqlstate == "42501"


@pytest.fixture(scope="module")
def filled(owner):
    """Three months of entries, at least one in each partition that is asked for below."""
    for months in range(3):
        write(owner, f"now() + interval '{months} months'", council=THIRD)
    return [month_after(0), month_after(1), month_after(2)]


class TestAppendOnly:
    """Whoever asks, of the whole or of one month."""

    @pytest.mark.parametrize("place", ["audit_entry", "this month", "next month"])
    @pytest.mark.parametrize("statement", ["UPDATE {} SET actor = 'nobody'", "UPDATE {} SET at = at + interval '1 month'",
                                           "DELETE FROM {}", "TRUNCATE {}", "TRUNCATE {} CASCADE",
                                           "MERGE INTO {} e USING (VALUES (1)) AS v(n) ON true WHEN MATCHED THEN DELETE"])
    def test_its_owner_changes_nothing(self, owner, filled, statement, place):
        table = {"audit_entry": place, "this month": filled[0], "next month": filled[1]}[place]
        owner.execute("SELECT count(*) FROM audit_entry")
        before = owner.fetchone()
        with pytest.raises(psycopg2.Error, match="never changed"):
            owner.execute(statement.format(table))
        owner.execute("SELECT count(*) FROM audit_entry")
        assert owner.fetchone() == before

    @pytest.mark.parametrize("role", ["council_admin", "practitioner", "support_worker", "carer", "commissioner", ""])
    @pytest.mark.parametrize("statement", [
        "SELECT * FROM {}", "INSERT INTO {} (council) VALUES ('E06000033')", "UPDATE {} SET actor = ''", "DELETE FROM {}",
        "TRUNCATE {}", "DROP TABLE {}"])
    def test_no_caller_comes_near_a_month(self, acting, filled, statement, role):
        with pytest.raises(psycopg2.Error) as caught:
            with acting(role, [THIRD]) as session:
                session.sql(statement.format(filled[0]))
        assert caught.value.pgcode == "42501"

    def test_before_it_takes_on_a_class_the_service_neither(self, connect, filled):
        connection = connect()
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            connection.cursor().execute(f"SELECT * FROM {filled[0]}")
        connection.rollback()


def page(session, limit=50, cursor=None, carer=None, actor=None, action=None, organisation=None, kind=None, since=None,
         until=None):
    (text, following), = session.execute("audit_list", limit, cursor, carer, actor, action, organisation, kind, since, until)
    assert json.loads(text).get("next_cursor") == following
    return json.loads(text)["items"], following


def pages(session, limit, **filters):
    items, cursor = [], None
    for _ in range(200):
        found, cursor = page(session, limit, cursor, **filters)
        assert len(found) <= limit
        items += found
        if not cursor:
            return items
    raise AssertionError("the list does not end")


SINCE, UNTIL = "2024-05-31T23:50:00Z", "2024-06-01T00:10:00Z"
SPAN = {"since": SINCE, "until": UNTIL}


@pytest.fixture(scope="module")
def trail(owner, organisation):
    """Twenty minutes on both sides of a month's end (in months of their own), two councils, several in one microsecond."""
    class Trail:
        one, two, far = (str(uuid.uuid4()) for _ in range(3))
        org = organisation(FIRST)
        entries = {}
    owner.execute("SELECT NOT EXISTS (SELECT FROM pg_class WHERE relname = 'audit_entry_2024_06')")
    if owner.fetchone()[0]:
        owner.execute("SET timezone = 'UTC'; BEGIN; DROP TABLE audit_entry_earlier;"
                      " SELECT audit_partition('audit_entry_2024_06', '2024-06-01', '2024-07-01');"
                      " SELECT audit_partition('audit_entry_earlier', NULL, '2024-06-01'); COMMIT")
    cases = itertools.cycle([
        {"carers": [Trail.one], "actor": "ada"}, {"carers": [Trail.two, Trail.one], "action": "listCarers"},
        {"carers": [Trail.two], "actor": "ada", "action": "updateCarer", "table": "carer"},
        {"carers": [Trail.far], "council": SECOND, "actor": "ada"}, {"carers": [], "action": "searchCarers"},
        {"carers": [Trail.one, Trail.two], "organisation": Trail.org}, {"carers": [Trail.one], "table": "carer_access"}])
    for minute, times in zip(range(20), itertools.cycle([1, 3, 2])):
        for _ in range(times):
            case = next(cases)
            ident = write(owner, f"timestamptz '{SINCE}' + interval '{minute} minutes'", **case)
            Trail.entries[ident] = {"council": FIRST, "actor": "somebody", "action": "getCarer", "table": None,
                                    "organisation": None, **case, "minute": minute}
    write(owner, f"timestamptz '{UNTIL}'")  # `to` is exclusive
    return Trail


def wanted(trail, councils, test=lambda entry: True):
    chosen = [(entry["minute"], ident) for ident, entry in trail.entries.items()
              if entry["council"] in councils and test(entry)]
    return [ident for _, ident in sorted(chosen, reverse=True)]


class TestPages:
    """Newest first, each entry once, of the caller's councils."""

    @pytest.mark.parametrize("councils", [[FIRST], [SECOND], [FIRST, SECOND], [THIRD]])
    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
    def test_pages_have_each_entry_once_in_order_across_the_months_end(self, acting, trail, councils, limit):
        with acting("council_admin", councils) as session:
            items = pages(session, limit, **SPAN)
        assert [item["id"] for item in items] == wanted(trail, councils)

    @pytest.mark.parametrize("filters, test", [
        ({"carer": "one"}, lambda e, t: t.one in e["carers"]), ({"carer": "two"}, lambda e, t: t.two in e["carers"]),
        ({"carer": "far"}, lambda e, t: t.far in e["carers"]), ({"actor": "ada"}, lambda e, t: e["actor"] == "ada"),
        ({"actor": "nobody"}, lambda e, t: False), ({"action": "listCarers"}, lambda e, t: e["action"] == "listCarers"),
        ({"organisation": "org"}, lambda e, t: e["organisation"]), ({"kind": "read"}, lambda e, t: not e["table"]),
        ({"kind": "change"}, lambda e, t: e["table"]),
        ({"carer": "one", "actor": "ada"}, lambda e, t: t.one in e["carers"] and e["actor"] == "ada"),
        ({"carer": "two", "kind": "change", "action": "updateCarer"}, lambda e, t: t.two in e["carers"] and e["table"]),
        ({"actor": "ada", "kind": "read"}, lambda e, t: e["actor"] == "ada" and not e["table"])])
    @pytest.mark.parametrize("limit", [2, 200])
    @pytest.mark.parametrize("councils", [[FIRST], [FIRST, SECOND]])
    def test_filters_are_cumulative(self, acting, trail, filters, test, limit, councils):
        filters = {name: getattr(trail, value) if name in ("carer", "organisation") else value
                   for name, value in filters.items()}
        with acting("council_admin", councils) as session:
            items = pages(session, limit, **filters, **SPAN)
        assert [item["id"] for item in items] == wanted(trail, councils, lambda entry: test(entry, trail))

    @pytest.mark.parametrize("since, until", [(None, UNTIL), (SINCE, None), (SINCE, "2024-06-01T00:00:00Z"),
                                              ("2024-06-01T00:00:00Z", UNTIL), ("2024-06-01T00:00:00Z", SINCE)])
    def test_from_is_inclusive_and_to_exclusive(self, acting, trail, since, until):
        first, last = (SINCE if not since else since), (UNTIL if not until else until)
        minutes = [(datetime.datetime.fromisoformat(t.replace("Z", "+00:00"))
                    - datetime.datetime.fromisoformat(SINCE.replace("Z", "+00:00"))).total_seconds() / 60 for t in (first, last)]
        with acting("council_admin", [FIRST]) as session:
            found = {item["id"] for item in pages(session, 3, since=since, until=until)} & trail.entries.keys()
        assert sorted(found) == sorted(wanted(trail, [FIRST], lambda e: minutes[0] <= e["minute"] < minutes[1]))

    @pytest.mark.parametrize("role", ["practitioner", "council_admin"])
    def test_only_administrators_are_shown_any(self, acting, trail, role):
        with acting(role, [FIRST]) as session:
            for filters in ({}, {"actor": "ada"}, {"carer": trail.two}):
                assert bool(page(session, **filters, **SPAN)[0]) == (role == "council_admin")
            found = session.sql("SELECT council FROM audit_of_lists(%s, '-infinity', 'infinity', 0, 100)", trail.one)
        assert {council for (council,) in found} == ({FIRST} if role == "council_admin" else set())

    def test_the_way_past_the_policy_ends_at_the_callers_councils(self, acting, trail):
        with acting("council_admin", [SECOND, THIRD]) as session:
            assert session.sql("SELECT * FROM audit_of_lists(%s, '-infinity', 'infinity', 0, 100)", trail.one) == []
            assert page(session, carer=trail.one, **SPAN)[0] == []

    @pytest.mark.parametrize("role", ["support_worker", "carer", "commissioner", ""])
    def test_no_other_class_asks_at_all(self, refused, role):
        assert refused(role, "audit_list", *[50] + [None] * 8).sqlstate == "42501"

    def test_a_rare_filter_is_answered_in_bounded_walks(self, acting, owner):
        owner.execute("INSERT INTO audit_entry (at, council, action) SELECT timestamptz '2023-02-01' - g * interval '1 second',"
                      " %s, CASE g WHEN 5900 THEN 'closeCarer' ELSE 'getCarer' END FROM generate_series(1, 6000) g", (SECOND,))
        with acting("council_admin", [SECOND]) as session:
            bounds = {"action": "closeCarer", "until": "2023-02-01T00:00:00Z"}
            items, cursor = page(session, **bounds)
            assert items == [] and cursor
            items, cursor = page(session, cursor=cursor, **bounds)
            assert len(items) == 1 and cursor is None

    @pytest.mark.parametrize("cursor", ["A" * 32, "A" * 21, "!" * 22, "", "_" * 22, "f" * 22, "AZqY0s0AcACAAAAAAAAAAQ"])
    def test_another_lists_cursor_is_a_wrong_parameter(self, refused, cursor):
        diag = refused("council_admin", "audit_list", 50, cursor, *[None] * 7, councils=[FIRST])
        assert (diag.sqlstate, diag.message_hint) == ("CA400", "/query/cursor")

    def test_a_cursor_is_made_and_read(self, owner):
        for at in ("2026-11-22 14:11:00.112233+00", "1970-01-01 00:00:00+00"):
            owner.execute("SELECT length(audit_cursor(%s, 9007199254740991)), at = %s, id FROM"
                          " audit_before(audit_cursor(%s, 9007199254740991), NULL)", (at, at, at))
            assert owner.fetchone() == (22, True, 9007199254740991)


class TestNoted:
    """Reading the trail is a reading."""

    def noted(self, owner, ident):
        owner.execute("SELECT council, carer_ids::text[] FROM audit_entry WHERE request = %s ORDER BY council", (ident,))
        return owner.fetchall()

    def test_it_names_whose_values_were_shown_by_council(self, acting, owner, trail):
        ident = f"noted-{next(_serial)}"
        with acting("council_admin", [FIRST, SECOND], request=ident) as session:
            page(session, 200, **SPAN)
        assert self.noted(owner, ident) == [(FIRST, sorted([trail.one, trail.two])), (SECOND, [])]

    def test_it_names_the_carer_who_was_asked_for_also_when_there_is_nothing(self, acting, owner, trail):
        asked, nobody = f"noted-{next(_serial)}", f"noted-{next(_serial)}"
        with acting("council_admin", [FIRST], request=asked) as session:
            assert page(session, 1, carer=trail.two, kind="read", **SPAN)[0]
        with acting("council_admin", [THIRD], request=nobody) as session:
            assert page(session, 1, carer=trail.two, **SPAN)[0] == []
        assert self.noted(owner, asked) == [(FIRST, [trail.two])]
        assert self.noted(owner, nobody) == [(THIRD, [trail.two])]
