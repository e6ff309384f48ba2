"""The timeline and the feed of changes in SQL: who learns of what, in which order, and what holds it up."""
import concurrent.futures
import contextlib
import json
import re
import uuid

import psycopg2
import pytest
from support.server import command, wait_for
from support.sql import ESSEX, ISLINGTON, Session, new_id

STAFF = {"role": "practitioner", "councils": [ISLINGTON]}
PATIENCE = 300  # seconds: a statement of another test of this cluster, in another database, holds the feed up as well
KINDS = """
INSERT INTO event_kind (kind, resource, path, change, in_timeline, shared, roles) VALUES
    ('test.open', 'test', '/v1/carers/%1$s', 'upsert', true, false, DEFAULT),
    ('test.shared', 'test', '/v1/carers/%1$s', 'upsert', true, true, DEFAULT),
    ('test.dropped', 'test', '/v1/carers/%1$s', 'delete', true, false, DEFAULT),
    ('test.silent', 'test', '/v1/carers/%1$s', 'upsert', false, false, DEFAULT),
    ('test.admin', 'test', '/v1/carers/%1$s', 'upsert', true, false, '{council_admin}'),
    ('test.assessor', 'test', '/v1/carers/%1$s', 'upsert', true, false, '{assessor,practitioner,council_admin}')
    ON CONFLICT DO NOTHING"""
TELLING = """
CREATE TEMPORARY TABLE telling (carer uuid, kind text, resource uuid, about uuid, at timestamptz);
CREATE FUNCTION pg_temp.tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.note_event(c.id, c.council, NEW.kind, NEW.resource, 1, 'told', 'It happened', NEW.about, NEW.at)
       FROM public.carer c WHERE c.id = NEW.carer;
    RETURN NULL;
END
$$;
CREATE TRIGGER tell AFTER INSERT ON telling FOR EACH ROW EXECUTE FUNCTION pg_temp.tell()"""


class Teller:
    """A connection of the owner on which a trigger notes events, as the tables of the families do."""

    def __init__(self, connection):
        self.connection, self.cursor = connection, connection.cursor()
        self.cursor.execute(TELLING)
        connection.commit()

    def tell(self, carer, kind="test.open", org=None, role="practitioner", about=None, at=None, commit=True):
        """Notes an event and gives its resource, which stands for it in these tests."""
        resource = str(uuid.uuid4())
        self.cursor.execute("SELECT set_config('app.role', %s, true), set_config('app.org', %s, true),"
                            " set_config('app.subject', %s, true)", (role, org or "", f"{role}@example.org"))
        self.cursor.execute("INSERT INTO telling VALUES (%s, %s, %s, %s, %s)", (carer, kind, resource, about, at))
        if commit:
            self.connection.commit()
        return resource

    def execute(self, text, *arguments):
        self.cursor.execute(text, arguments or None)


@pytest.fixture(scope="module")
def teller(connect, owner):
    """teller(): one more connection that notes events."""
    owner.execute(KINDS)
    return lambda: Teller(connect("carers_owner"))


@pytest.fixture(scope="module")
def told(teller):
    return teller()


@pytest.fixture(scope="module")
def settle(owner):
    """settle(): waits until all that was committed before is settled."""
    def wait():
        owner.execute("SELECT pg_current_xact_id()::text::bigint")
        last = owner.fetchone()[0]

        def passed():
            owner.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > %s", (last,))
            return owner.fetchone()[0]
        wait_for(passed, PATIENCE)
    return wait


@pytest.fixture(scope="module")
def end(owner):
    """end(organisation): its access ends."""
    def now(org):
        owner.execute("UPDATE carer_access SET ends_at = date_trunc('milliseconds', now()) WHERE organisation_id = %s", (org,))
    return now


@pytest.fixture(scope="module")
def consent(owner):
    """consent(carer): she consents to share_between_services; the function that it gives withdraws it."""
    def give(carer_id):
        ident = new_id()
        owner.execute("INSERT INTO consent (id, carer_id, council, purpose, method, wording_version)"
                      " VALUES (%s, %s, %s, 'share_between_services', 'verbal', '1')", (ident, carer_id, ISLINGTON))
        return lambda: owner.execute("UPDATE consent SET ended_at = now(), ended_how = 'withdrawn' WHERE id = %s", (ident,))
    return give


@pytest.fixture(scope="module")
def follow(acting):
    """follow(caller, after, limit): all items after a position as (kind, change, resource id), and the position behind them."""
    def pages(caller, after=None, limit=50):
        items = []
        for _ in range(100):
            page = read(acting, caller, after, limit)
            items += [(i["kind"], i["change"], i["resource"]["id"]) for i in page["items"]]
            after = page["next_after"]
            if not page["more"]:
                return items, after
        raise AssertionError("the feed does not end")
    return pages


def read(acting, caller, after=None, limit=50):
    query = {"practitioner": "changes_of_councils", "council_admin": "changes_of_councils", "carer": "changes_of_self"}
    with acting(**caller) as session:
        return session.body(query.get(caller["role"], "changes_of_organisation"), after, limit)


def latest(acting, caller):
    return read(acting, caller, "latest")["next_after"]


def entries(acting, caller, carer, limit=50, cursor=None, kind=None, since=None):
    with acting(**caller) as session:
        page = session.body("timeline", carer, limit, cursor, kind, since)
    return page and [entry["resource"]["id"] for entry in page["items"]]


class Story:
    """A carer with events of every sort, and everybody who might learn of them."""

    def __init__(self, carer, organisation, grant, told):
        self.carer, self.far = carer(), carer(ESSEX)
        self.org, self.other_org, self.ended_org = organisation(), organisation(), organisation()
        grant(self.carer, self.org)
        grant(self.carer, self.other_org)
        grant(self.carer, self.ended_org, "-2 hours", "1 hour")
        tell = told.tell
        self.events = {
            "the council's": tell(self.carer),
            "her own": tell(self.carer, role="carer"),
            "its own": tell(self.carer, org=self.org, role="support_worker"),
            "its own, shared": tell(self.carer, "test.shared", org=self.org, role="support_worker"),
            "the other's": tell(self.carer, org=self.other_org, role="support_worker"),
            "the other's, shared": tell(self.carer, "test.shared", org=self.other_org, role="support_worker"),
            "the council's, shared": tell(self.carer, "test.shared"),
            "about it": tell(self.carer, about=self.org),
            "about the other": tell(self.carer, about=self.other_org),
            "for administrators": tell(self.carer, "test.admin"),
            "for assessors": tell(self.carer, "test.assessor"),
            "not in the timeline": tell(self.carer, "test.silent"),
        }
        told.execute("UPDATE carer_access SET ends_at = date_trunc('milliseconds', now()) WHERE organisation_id = %s",
                     self.ended_org)
        told.connection.commit()
        self.events["about the ended"] = tell(self.carer, about=self.ended_org)
        self.names = {ident: name for name, ident in self.events.items()}

    def caller(self, who):
        return {"council": STAFF, "administrator": {**STAFF, "role": "council_admin"},
                "another council": {**STAFF, "councils": [ESSEX]},
                "herself": {"role": "carer", "carer": self.carer}, "another carer": {"role": "carer", "carer": self.far},
                "support worker": {"role": "support_worker", "org": self.org},
                "assessor": {"role": "assessor", "org": self.org},
                "breaks provider": {"role": "break_provider", "org": self.org},
                "ended": {"role": "support_worker", "org": self.ended_org},
                "stranger": {"role": "support_worker", "org": str(uuid.uuid4())}}[who]


@pytest.fixture
def story(carer, organisation, grant, told):
    return Story(carer, organisation, grant, told)


EVERYTHING = {"the council's", "her own", "its own", "its own, shared", "the other's", "the other's, shared",
              "the council's, shared", "about it", "about the other", "for administrators", "for assessors",
              "not in the timeline", "about the ended"}
SHARED = {"the other's, shared", "the council's, shared"}
PARTNER = EVERYTHING - SHARED - {"about the other", "about the ended", "for administrators", "for assessors"}
LEARNS = {
    "council": EVERYTHING - {"for administrators"}, "administrator": EVERYTHING, "another council": set(),
    "herself": EVERYTHING - {"for administrators", "for assessors"}, "another carer": set(), "support worker": PARTNER,
    "assessor": PARTNER | {"for assessors"}, "breaks provider": PARTNER, "ended": set(), "stranger": set(),
}


@pytest.mark.parametrize("who", list(LEARNS))
def test_who_learns_of_what_without_consent(acting, story, follow, settle, who):
    settle()
    caller = story.caller(who)
    with acting(**caller) as session:
        rows = {story.names.get(str(r)) for (r,) in session.sql("SELECT resource_id FROM event WHERE carer_id = %s", story.carer)}
    items = {story.names[ident] for _, _, ident in follow(caller)[0] if ident in story.names}
    timeline = entries(acting, caller, story.carer)

    assert rows - {None} == items == LEARNS[who]
    assert {story.names.get(i) for i in timeline or []} - {None} == LEARNS[who] - {"not in the timeline"}
    assert (timeline is None) == (LEARNS[who] == set())


@pytest.mark.parametrize("who", ["support worker", "breaks provider", "ended"])
def test_with_consent_an_organisation_learns_what_is_shared_and_without_it_no_more(acting, story, follow, settle, consent, who):
    caller, sees = story.caller(who), SHARED if who == "support worker" else set()  # a breaks provider reads no consents
    settle()
    withdraw = consent(story.carer)

    assert {story.names.get(i) for _, _, i in follow(caller)[0]} & SHARED == sees
    assert {story.names.get(i) for i in entries(acting, caller, story.carer) or []} & SHARED == sees
    withdraw()
    assert {story.names.get(i) for _, _, i in follow(caller)[0]} & SHARED == set()
    assert {story.names.get(i) for i in entries(acting, caller, story.carer) or []} & SHARED == set()


class TestTimeline:
    """Newest first, in pages, by kind and by time."""

    def test_it_goes_by_when_it_happened_and_then_by_order(self, acting, carer, told):
        one, same = carer(), "2026-03-01T10:00:00Z"
        told_ids = [told.tell(one, at=at) for at in (same, "2026-02-01T00:00:00Z", same, "2026-03-02T00:00:00Z", same)]
        first, second, third, fourth, fifth = told_ids

        assert entries(acting, STAFF, one)[1:] == [fourth, fifth, third, first, second]

    @pytest.mark.parametrize("limit", [1, 2, 3, 200])
    def test_pages_have_every_entry_once(self, acting, carer, told, limit):
        one = carer()
        made = [told.tell(one, at="2026-03-01T10:00:00Z") for _ in range(5)]
        items, cursor = [], None
        with acting(**STAFF) as session:
            for _ in range(10):
                (text, cursor), = session.execute("timeline", one, limit, cursor, "test", None)
                page = json.loads(text)
                assert page.get("next_cursor") == cursor and len(page["items"]) <= limit
                items += [entry["resource"]["id"] for entry in page["items"]]
                if not cursor:
                    break
        assert items == made[::-1]

    def test_kinds_and_families_of_kinds(self, acting, carer, told):
        one = carer()
        opened, dropped = told.tell(one), told.tell(one, "test.dropped")

        assert entries(acting, STAFF, one, kind="test.dropped") == [dropped]
        assert entries(acting, STAFF, one, kind="test") == [dropped, opened]
        assert entries(acting, STAFF, one, kind="carer") == [one]
        assert entries(acting, STAFF, one, kind="test.silent") == []
        assert entries(acting, STAFF, one, kind="test.admin") == []

    def test_since_is_an_instant_that_counts(self, acting, carer, told):
        one = carer()
        early, late = told.tell(one, at="2026-03-01T10:00:00Z"), told.tell(one, at="2026-03-02T10:00:00Z")

        assert entries(acting, STAFF, one, kind="test", since="2026-03-01T10:00:00Z") == [late, early]
        assert entries(acting, STAFF, one, kind="test", since="2026-03-01T10:00:01Z") == [late]

    @pytest.mark.parametrize("pointer, cursor, kind", [
        ("/query/kind", None, "nothing"), ("/query/kind", None, "test.nothing"), ("/query/kind", None, "tes"),
        ("/query/cursor", "A" * 32, None), ("/query/cursor", "!" * 22, None), ("/query/cursor", "g" * 22, None)])
    def test_a_wrong_parameter_is_named(self, refused, carer, pointer, cursor, kind):
        diag = refused("practitioner", "timeline", carer(), 50, cursor, kind, None, councils=[ISLINGTON])
        assert (diag.sqlstate, diag.message_hint) == ("CA400", pointer)

    def test_it_leaves_an_audit_row_and_none_for_a_carer_who_is_not_there(self, acting, carer, owner):
        one = carer()
        for caller, rows in ((STAFF, [([one],)]), ({**STAFF, "councils": [ESSEX]}, [])):
            request = str(uuid.uuid4())
            entries(acting, {**caller, "request": request}, one)
            owner.execute("SELECT carer_ids::text[] FROM audit_entry WHERE request = %s", (request,))
            assert owner.fetchall() == rows


class TestOrder:
    """Nothing appears behind a position that was given out."""

    @pytest.fixture(params=["council", "organisation", "herself"])
    def scene(self, request, carer, organisation, grant):
        """A carer, and a caller of each class who follows her."""
        one, org = carer(), organisation()
        grant(one, org)
        return one, {"council": STAFF, "organisation": {"role": "assessor", "org": org},
                     "herself": {"role": "carer", "carer": one}}[request.param]

    def test_a_row_of_an_open_transaction_holds_back_later_ones_and_comes_before_them(self, acting, scene, teller, follow, settle):
        (one, caller), early, late = scene, teller(), teller()
        settle()
        begin = latest(acting, caller)
        first = early.tell(one, commit=False)
        second = late.tell(one)

        page = read(acting, caller, begin)
        assert page["items"] == [] and not page["more"] and page["ask_again_seconds"] == 1
        third = late.tell(one)
        assert follow(caller, page["next_after"])[0] == []
        early.connection.commit()
        settle()
        assert [i for _, _, i in follow(caller, begin)[0]] == [first, second, third]
        assert [i for _, _, i in follow(caller, page["next_after"])[0]] == [first, second, third]

    def test_what_is_rolled_back_never_happened(self, acting, scene, teller, follow, settle):
        (one, caller), early, late = scene, teller(), teller()
        settle()
        begin = latest(acting, caller)
        early.tell(one, commit=False)
        second = late.tell(one)
        early.connection.rollback()
        settle()

        assert [i for _, _, i in follow(caller, begin)[0]] == [second]

    def test_savepoints_belong_to_their_transaction(self, acting, scene, teller, follow, settle):
        (one, caller), early, late = scene, teller(), teller()
        settle()
        begin = latest(acting, caller)
        early.execute("SAVEPOINT one")
        first = early.tell(one, commit=False)
        second = late.tell(one)
        early.execute("RELEASE one")
        early.execute("SAVEPOINT two")
        early.tell(one, commit=False)
        early.execute("ROLLBACK TO two")
        early.execute("SAVEPOINT three")
        fourth = early.tell(one, commit=False)
        assert follow(caller, begin)[0] == []
        early.connection.commit()
        settle()

        assert [i for _, _, i in follow(caller, begin)[0]] == [first, fourth, second]

    def test_latest_misses_nothing_that_is_under_way(self, acting, scene, teller, follow, settle):
        (one, caller), early, late = scene, teller(), teller()
        before = late.tell(one)
        settle()
        first = early.tell(one, commit=False)
        second = late.tell(one)

        begin = latest(acting, caller)
        early.connection.commit()
        settle()
        found = [i for _, _, i in follow(caller, begin)[0]]
        assert found == [first, second] and before not in found

    @pytest.mark.parametrize("limit", [1, 2, 3, 200])
    def test_pages_of_any_size_have_the_same_in_the_same_order(self, acting, scene, told, follow, settle, limit):
        one, caller = scene
        settle()
        begin = latest(acting, caller)
        made = [told.tell(one, kind) for kind in ("test.open", "test.dropped", "test.silent", "test.open", "test.dropped")]
        settle()

        items, after = follow(caller, begin, limit)
        assert [i for _, _, i in items] == made
        assert [change for _, change, _ in items] == ["upsert", "delete", "upsert", "upsert", "delete"]
        assert follow(caller, after) == ([], after) or follow(caller, after)[0] == []

    def test_when_nothing_is_new_there_is_time(self, acting, scene, settle):
        _, caller = scene
        settle()
        page = read(acting, caller, latest(acting, caller))

        assert page == {"items": [], "next_after": page["next_after"], "more": False, "ask_again_seconds": 15}

    @pytest.mark.parametrize("after", ["", "A" * 26, "!" * 27, "LATEST", "AAAAAH" + "A" * 21, "AAAAAQ" + "A" * 21])
    def test_what_is_no_position_of_this_database_is_refused(self, refused, scene, after):
        _, caller = scene
        query = {"practitioner": "changes_of_councils", "assessor": "changes_of_organisation", "carer": "changes_of_self"}
        claims = {name: value for name, value in caller.items() if name != "role"}
        diag = refused(caller["role"], query[caller["role"]], after, 50, **claims)
        assert (diag.sqlstate, diag.message_hint) == ("CA400", "/query/after")


def test_two_councils_are_merged_and_one_named_twice_is_one(acting, carer, told, follow, settle):
    ours, theirs = carer(ISLINGTON), carer(ESSEX)
    settle()
    both = {"role": "practitioner", "councils": [ISLINGTON, ESSEX, ISLINGTON]}
    begin = latest(acting, both)
    made = [told.tell(one) for one in (ours, theirs, theirs, ours)]
    settle()

    for limit in (1, 3, 50):
        assert [i for _, _, i in follow(both, begin, limit)[0]] == made
    assert [i for _, _, i in follow(STAFF, begin)[0]] == [made[0], made[3]]


def test_an_item_has_ids_and_states_and_nothing_else(acting, carer, settle):
    one = carer(nhs_number=None, contact={"email": "somebody@example.org"})
    settle()
    with acting(**STAFF) as session:
        items = session.body("changes_of_self", None, 50)
        assert items["items"] == []
    with acting("carer", carer=one) as session:
        item, = session.body("changes_of_self", None, 50)["items"]

    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", item.pop("at"))
    assert item == {"kind": "carer.created", "change": "upsert", "version": 1, "state": "identified",
                    "resource": {"type": "carer", "id": one, "carer_id": one, "href": f"/v1/carers/{one}"}}


class TestOrganisation:
    """What an organisation is handed: what happens while it has access, and the end of it."""

    def test_what_was_before_its_access_does_not_come_later(self, acting, carer, organisation, grant, told, follow, settle):
        one, org = carer(), organisation()
        before = told.tell(one)
        grant(one, org)
        after = told.tell(one)
        settle()

        items, _ = follow({"role": "assessor", "org": org})
        assert [kind for kind, _, _ in items] == ["access.granted", "test.open"] and items[1][2] == after
        assert entries(acting, {"role": "assessor", "org": org}, one, kind="test") == [after, before]

    def test_the_end_of_its_access_is_a_deletion_of_the_carer(self, acting, carer, organisation, grant, end, told, settle):
        one, org = carer(), organisation()
        grant(one, org)
        told.tell(one)
        end(org)
        told.tell(one)
        settle()

        item, = read(acting, {"role": "assessor", "org": org})["items"]
        assert item.pop("at")
        assert item == {"kind": "access.ended", "change": "delete",
                        "resource": {"type": "carer", "id": one, "carer_id": one, "href": f"/v1/carers/{one}"}}

    def test_it_is_not_told_to_drop_a_carer_whom_it_may_see_again(self, carer, organisation, grant, end, follow, settle):
        one, org = carer(), organisation()
        grant(one, org)
        end(org)
        grant(one, org)
        settle()

        assert [item[:2] for item in follow({"role": "assessor", "org": org})[0]] == [
            ("access.granted", "upsert"), ("access.ended", "upsert"), ("access.granted", "upsert")]

    @pytest.mark.parametrize("ends", [None, "1 hour"])
    def test_while_another_access_lasts_nothing_is_dropped(self, carer, organisation, grant, told, owner, ends):
        one, org = carer(), organisation()
        grant(one, org, "-2 hours", "-1 hour")
        grant(one, org, ends=ends)
        told.tell(one, about=org)

        owner.execute("SELECT bool_or(gone) FROM event_organisation WHERE organisation_id = %s", (org,))
        assert owner.fetchall() == [(False,)]

    @pytest.mark.parametrize("starts, ends", [(None, None), ("1 hour", None)])
    def test_an_organisation_that_never_had_access_is_told_nothing(self, carer, organisation, grant, told, owner, starts, ends):
        one, org = carer(), organisation()
        if starts:
            grant(one, org, starts, ends)
        told.tell(one, about=org)  # as when she consents to share with it

        owner.execute("SELECT count(*) FROM event_organisation WHERE organisation_id = %s", (org,))
        assert owner.fetchone() == (0,)

    def test_what_is_about_another_is_not_handed_over_at_all(self, carer, organisation, grant, told, owner):
        one, org, other = carer(), organisation(), organisation()
        for organ in (org, other):
            grant(one, organ)
        event = told.tell(one, about=other)

        owner.execute("SELECT o.organisation_id::text FROM event_organisation o JOIN event e USING (id) WHERE resource_id = %s",
                      (event,))
        assert owner.fetchall() == [(other,)]

    def test_what_it_may_not_learn_is_passed_over_in_bounded_pages(self, acting, carer, organisation, grant, told, settle):
        one, org = carer(), organisation()
        grant(one, org)
        settle()
        begin = latest(acting, {"role": "assessor", "org": org})
        told.execute("SELECT set_config('app.role', 'practitioner', true), set_config('app.org', '', true)")
        told.execute("INSERT INTO telling SELECT %s, 'test.shared', gen_random_uuid() FROM generate_series(1, 1500)", one)
        told.connection.commit()
        seen = told.tell(one)
        settle()

        first = read(acting, {"role": "assessor", "org": org}, begin)
        assert first["items"] == [] and first["more"] and first["ask_again_seconds"] == 1
        second = read(acting, {"role": "assessor", "org": org}, first["next_after"])
        assert [i["resource"]["id"] for i in second["items"]] == [seen] and not second["more"]

    def test_the_page_that_leads_on_says_so_in_its_own_column(self, acting, carer, organisation, grant, told, settle):
        one, org = carer(), organisation()
        grant(one, org)
        for _ in range(2):
            told.tell(one)
        settle()

        for caller, query in (({"role": "assessor", "org": org}, "changes_of_organisation"), (STAFF, "changes_of_councils"),
                              ({"role": "carer", "carer": one}, "changes_of_self")):
            with acting(**caller) as session:
                (text, following), = session.execute(query, None, 1)
                assert json.loads(text)["more"] and following == json.loads(text)["next_after"]
                (text, following), = session.execute(query, "latest", 1)
                assert not json.loads(text)["more"] and following is None


@contextlib.contextmanager
def waiting(owner, work):
    """For the block, `work` runs in a thread and waits for a lock of another; afterwards it has come to its end."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(work)

        def blocked():
            owner.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
            return owner.fetchone()[0]
        wait_for(blocked)
        assert not running.done()
        yield
        running.result(30)


class TestBeginOfAccess:
    """Between the first look at a carer and the first change that is handed over there is no gap."""

    def give(self, teller, one, org):
        """As a grant does: the row, then the event about the organisation; not committed yet."""
        teller.execute("INSERT INTO carer_access (organisation_id, carer_id, reason) VALUES (%s, %s, 'granted')", org, one)
        return teller.tell(one, about=org, commit=False)

    def test_a_change_waits_for_a_grant_that_is_under_way_and_is_handed_over(self, carer, organisation, teller, owner, follow, settle):
        one, org, giver, changer = carer(), organisation(), teller(), teller()
        granted = self.give(giver, one, org)
        changed = []
        with waiting(owner, lambda: changed.append(changer.tell(one))):
            giver.connection.commit()
        settle()

        assert {i for _, _, i in follow({"role": "assessor", "org": org})[0]} >= {granted, *changed}

    def test_a_grant_waits_for_a_change_that_is_under_way(self, carer, organisation, teller, owner, follow, settle):
        one, org, giver, changer = carer(), organisation(), teller(), teller()
        changer.tell(one, commit=False)
        granted = []
        with waiting(owner, lambda: granted.append(self.give(giver, one, org))):
            changer.connection.commit()
        giver.connection.commit()
        settle()

        assert granted[0] in {i for _, _, i in follow({"role": "assessor", "org": org})[0]}

    def test_what_ended_while_a_change_waited_is_not_told_of_it(self, carer, organisation, grant, teller, owner):
        one, org, ender, changer = carer(), organisation(), teller(), teller()
        grant(one, org)
        changer.execute("SELECT 1")  # its transaction begins before the end
        ender.execute("UPDATE carer_access SET ends_at = date_trunc('milliseconds', clock_timestamp()) WHERE organisation_id = %s", org)
        ender.tell(one, about=org, commit=False)
        changed = []
        with waiting(owner, lambda: changed.append(changer.tell(one))):
            ender.connection.commit()

        owner.execute("SELECT gone, e.resource_id::text FROM event_organisation o JOIN event e USING (id)"
                      " WHERE o.organisation_id = %s AND e.kind LIKE 'test.%%'", (org,))
        assert [gone for gone, resource in owner.fetchall() if resource != changed[0]] == [True]

    def test_a_reader_who_began_before_an_access_learns_of_it_the_next_time(self, acting, carer, organisation, grant, told, owner,
                                                                            follow, settle):
        one, known, org = carer(), carer(), organisation()
        grant(known, org)
        settle()
        caller = {"role": "assessor", "org": org}
        begin, before = latest(acting, caller), told.tell(known)
        with acting(**caller) as session:  # whose clock stands still from here on
            owner.execute("INSERT INTO carer_access (organisation_id, carer_id, reason) VALUES (%s, %s, 'granted')", (org, one))
            behind = told.tell(known)
            settle()
            early = session.body("changes_of_organisation", begin, 50)

        assert [i["resource"]["id"] for i in early["items"]] == [before] and early["ask_again_seconds"] == 1
        items, _ = follow(caller, early["next_after"])
        assert [kind for kind, _, _ in items] == ["access.granted", "test.open"] and items[1][2] == behind

    def test_a_reader_who_began_before_an_end_is_told_to_drop_the_carer_the_next_time(self, acting, carer, organisation, grant, end,
                                                                                      follow, settle):
        one, org = carer(), organisation()
        grant(one, org)
        settle()
        caller = {"role": "assessor", "org": org}
        with acting(**caller) as session:
            begin = session.body("changes_of_organisation", "latest", 50)["next_after"]
            end(org)
            settle()
            early = session.body("changes_of_organisation", begin, 50)

        assert early["items"] == [] and early["ask_again_seconds"] == 1
        assert follow(caller, early["next_after"])[0] == [("access.ended", "delete", one)]

    def test_two_changes_do_not_wait_for_each_other(self, carer, teller):
        one, first, second = carer(), teller(), teller()
        first.tell(one, commit=False)
        second.execute("SET LOCAL lock_timeout = '5s'")
        second.tell(one)
        first.connection.commit()


class TestEras:
    """A database that comes to another cluster: its positions go on, in order."""

    @pytest.fixture
    def moved(self, cluster, new_database):
        """A database of its own with two events, and how to ask it."""
        name = new_database()
        with contextlib.ExitStack() as opened:
            class Moved:
                owner, service, boss = (opened.enter_context(contextlib.closing(psycopg2.connect(cluster.conninfo(user, name))))
                                        for user in ("carers_owner", "carers_service", "postgres"))

                @staticmethod
                def migrate():
                    Moved.owner.commit()
                    done = command({"CARERS_DATABASE_OWNER": cluster.conninfo("carers_owner", name)}, "migrate")
                    assert done.returncode == 0, done.stderr

                @staticmethod
                def carer():
                    session = Session(Moved.service)
                    session.take_on("practitioner", [ISLINGTON])
                    one = new_id()
                    session.execute("carer_insert", one, json.dumps({
                        "council": ISLINGTON, "given_name": "A", "family_name": f"B{one}", "identification": {"source": "gp"}}), None)
                    Moved.service.commit()
                    return one

                @staticmethod
                def read(after=None):
                    session = Session(Moved.service)
                    session.take_on("practitioner", [ISLINGTON])
                    try:
                        page = session.body("changes_of_councils", after, 50)
                    finally:
                        Moved.service.rollback()
                    return [item["resource"]["id"] for item in page["items"]], page["next_after"]

                @staticmethod
                def until(number, after=None):
                    """Waits until so many items come after the position."""
                    return wait_for(lambda: len(Moved.read(after)[0]) >= number and Moved.read(after), PATIENCE)

                @staticmethod
                def sql(text):
                    cursor = Moved.boss.cursor()
                    cursor.execute(text)
                    rows = cursor.fetchall() if cursor.description else None
                    Moved.boss.commit()
                    return rows
            yield Moved

    def age(self, moved):
        """Its events as they would be, had they come from a cluster that is far ahead."""
        moved.sql("SET session_replication_role = replica; UPDATE event SET txid = txid + 1000000000;"
                  " UPDATE event_organisation SET txid = txid + 1000000000; SET session_replication_role = origin")

    def test_the_same_cluster_stays_in_its_era(self, moved):
        moved.carer()
        moved.migrate()
        moved.migrate()
        assert moved.sql("SELECT era FROM event_era") == [(0,)]
        assert moved.sql("SELECT DISTINCT era FROM event") == [(0,)]

    def test_transactions_that_lie_ahead_begin_an_era_and_the_feed_goes_on_in_order(self, moved):
        old = [moved.carer(), moved.carer()]
        self.age(moved)
        assert moved.read()[0] == []  # they lie in the future of this cluster
        moved.migrate()
        assert moved.read()[0] == old  # of an era that is over: all settled

        position = moved.read()[1]
        new = [moved.carer(), moved.carer()]
        assert moved.until(2, position)[0] == new
        assert moved.until(4)[0] == old + new
        assert moved.sql("SELECT array_agg(era ORDER BY id) FROM event") == [([0, 0, 1, 1],)]

    def test_a_position_of_the_other_cluster_is_good_here(self, moved):
        old = [moved.carer(), moved.carer()]
        self.age(moved)
        position, = moved.sql("SELECT change_position(era, txid, id) FROM event ORDER BY id LIMIT 1")[0]
        with pytest.raises(psycopg2.Error) as caught:
            moved.read(position)
        assert caught.value.pgcode == "CA400"
        moved.migrate()

        new = moved.carer()
        assert moved.until(2, position)[0] == [old[1], new]

    def test_another_identifier_begins_an_era_once(self, moved):
        first = moved.carer()
        moved.sql("UPDATE event_era SET system_identifier = 1")
        moved.migrate()
        moved.migrate()

        assert moved.sql("SELECT era FROM event_era") == [(1,)]
        second = moved.carer()
        assert moved.until(2)[0] == [first, second]

    def test_another_timeline_of_the_same_cluster_begins_an_era_once_and_refuses_positions_from_before(self, moved):
        """A restore to an earlier time: by its numbers alone an old position would be good again, and changes would be missed."""
        first = moved.carer()
        position = moved.until(1)[1]
        moved.sql("UPDATE event_era SET timeline = '000000FF'")
        moved.migrate()
        moved.migrate()

        assert moved.sql("SELECT era, since, timeline = current_timeline() FROM event_era") == [(1, 1, True)]
        with pytest.raises(psycopg2.Error) as caught:
            moved.read(position)
        assert caught.value.pgcode == "CA400"
        second = moved.carer()
        assert moved.until(2)[0] == [first, second]  # from the beginning
        position = moved.read()[1]
        third = moved.carer()
        assert moved.until(1, position)[0] == [third]

    def test_a_new_era_waits_for_who_writes_in_the_old_one(self, moved):
        moved.carer()
        moved.sql("UPDATE event_era SET system_identifier = 1")
        session = Session(moved.service)
        session.take_on("practitioner", [ISLINGTON])
        session.execute("carer_insert", new_id(), json.dumps({"council": ISLINGTON, "given_name": "A", "family_name": "Open",
                                                              "identification": {"source": "gp"}}), None)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            running = pool.submit(moved.migrate)
            wait_for(lambda: moved.sql("SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'event_era'::regclass"
                                       " AND NOT granted)")[0][0])
            moved.service.commit()
            running.result(60)

        assert moved.sql("SELECT DISTINCT era FROM event") == [(0,)]
        assert moved.sql("SELECT era FROM event_era") == [(1,)]


def test_every_event_says_where_its_resource_is_read(owner):
    import bundle
    from support.sql import ROOT
    paths = bundle.Bundle(ROOT / "openapi.yaml").document()["paths"]
    owner.execute("SELECT kind, format(path, '{1}', '{2}') FROM event_kind WHERE kind NOT LIKE 'test.%%'", None)
    for kind, path in owner.fetchall():
        template = re.escape(path).replace(r"\{1\}", r"\{carer_id\}").replace(r"\{2\}", r"\{\w+\}")
        assert [p for p, item in paths.items() if re.fullmatch(template, p) and "get" in item], f"{kind}: nothing is read at {path}"
