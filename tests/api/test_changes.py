"""The feed of changes over HTTP: by role, from the first position to the last, and whole beside sixteen writers."""
import concurrent.futures
import contextlib
import itertools
import json
import re
import threading

import psycopg2
import pytest
from support.callers import CALLERS, answer
from support.client import Api, faults, problem
from support.people import carer_body
from support.server import wait_for
from support.sql import Session, new_id
from support.tokens import CAMDEN, ISLINGTON

PERSONS = {"her council", "her council's administrator", "her support worker", "her assessor", "her in-reach team",
           "her breaks provider", "herself"}
STRANGERS = {"another council", "another council's administrator", "another organisation", "another in-reach team",
             "another carer"}
STAFF = {"role": "practitioner", "council": ISLINGTON}
PATIENCE = 300  # seconds: a statement of another test of this cluster, in another database, holds the feed up as well
WRITERS, ROUNDS = 16, 5
ITEM = {"at", "kind", "change", "resource", "version", "state"}


def page(api, after=None, limit=200, **caller):
    response = api.get(f"/v1/changes?limit={limit}" + (f"&after={after}" if after else ""), **(caller or STAFF))
    assert response.status_code == 200, response.text
    return response.json()


def latest(api, **caller):
    """Where the feed ends, once all that has happened to the caller's carers is settled: what is not comes again after it."""
    found = {}

    def settled():
        found.update(page(api, "latest", **caller))
        return found["ask_again_seconds"] > 1
    wait_for(settled, PATIENCE)
    assert found["items"] == [] and not found["more"]
    return found["next_after"]


def until(api, number, after, **caller):
    """Follows from a position until so many items have come: all of them, in order."""
    items = []

    def enough():
        nonlocal after
        found = page(api, after, **caller)
        items.extend(found["items"])
        after = found["next_after"]
        return len(items) >= number
    wait_for(enough, PATIENCE)
    return items


@pytest.mark.parametrize("caller", list(CALLERS))
def test_the_feed_is_read_by_who_works_with_carers_and_by_carers(world, caller):
    response = world.ask(caller, "GET", "/v1/changes?after=latest")

    assert answer(response) == ("200" if caller in PERSONS | STRANGERS else "forbidden")


@pytest.mark.parametrize("caller", sorted(PERSONS | STRANGERS))
def test_a_change_is_handed_to_who_may_see_the_carer(api, world, caller):
    claims = CALLERS[caller](world)
    begin, witness = latest(api, **claims), latest(api)
    response = world.ask("her council", "POST", "/close", json={"reason": "lost_contact"})
    assert response.status_code == 200, response.text

    until(api, 1, witness)  # settled for one, settled for all
    found = [(i["kind"], i["resource"]["carer_id"]) for i in page(api, begin, **claims)["items"]]
    assert found == ([("carer.closed", world.carer["id"])] if caller in PERSONS else [])


def test_the_scope_is_asked_for(api):
    problem(api.get("/v1/changes", **STAFF, scope="carers:write"), 403, "insufficient-scope")


@pytest.mark.parametrize("query, where", [
    ("after=", "/query/after"), ("after=newest", "/query/after"), ("after=" + "A" * 26, "/query/after"),
    ("after=" + "A" * 28, "/query/after"), ("after=" + "%21" * 27, "/query/after"), ("after=AAAAAQ" + "A" * 21, "/query/after"),
    ("after=AAAAAH" + "A" * 21, "/query/after"), ("limit=0", "/query/limit"), ("limit=201", "/query/limit")])
@pytest.mark.parametrize("caller", ["her council", "her assessor", "herself"])
def test_what_is_no_position_is_a_wrong_parameter(world, caller, query, where):
    response = world.ask(caller, "GET", f"/v1/changes?{query}")

    assert {pointer for pointer, _ in faults(response, 400, "invalid-parameter")} == {where}


def test_an_item_tells_ids_and_states_and_nothing_else(api, carer):
    begin = latest(api)
    one = carer(given_name="Quittenbaum")

    item, = until(api, 1, begin)
    assert item.keys() == ITEM and item.pop("at")
    assert item == {"kind": "carer.created", "change": "upsert", "version": 1, "state": "identified",
                    "resource": {"type": "carer", "id": one["id"], "carer_id": one["id"], "href": f"/v1/carers/{one['id']}"}}


def test_pages_lead_on_while_there_is_more_and_end_with_a_time_to_wait(api, carer):
    begin = latest(api)
    made = [carer()["id"] for _ in range(3)]
    until(api, 3, begin)

    found, path = [], f"/v1/changes?limit=2&after={begin}"
    while path:
        response = api.get(path, **STAFF)
        body, link = response.json(), response.headers.get("Link")
        assert bool(link) == body["more"] and body["ask_again_seconds"] == (1 if body["more"] else 15)
        found += [i["resource"]["id"] for i in body["items"]]
        path = link and re.fullmatch(r'<(/v1/changes\?limit=2&after=[\w-]{27})>; rel="next"', link)[1]
    assert found == made


def test_from_the_beginning_everything_that_is_kept_comes(api, carer):
    one = carer()["id"]
    claims = {"role": "carer", "carer": one}
    wait_for(lambda: page(api, **claims)["items"], PATIENCE)

    assert [i["resource"]["id"] for i in page(api, **claims)["items"]] == [one]


def test_the_feed_leaves_no_audit_row(api, db):
    api.get("/v1/changes", **STAFF, headers={"X-Request-ID": "a-feed-without-a-row"})

    db.execute("SELECT count(*) FROM audit_entry WHERE request = 'a-feed-without-a-row'")
    assert db.fetchone() == (0,)


class Copy:
    """What an app keeps: the carers that it may see, by the feed alone after the first list."""

    def __init__(self, api, **caller):
        self.api, self.caller, self.carers = api, caller, {}
        self.after = latest(api, **caller)
        for item in self.everything():
            self.carers[item["id"]] = item

    def everything(self):
        return self.api.get("/v1/carers?limit=200", **self.caller).json()["items"]

    def step(self):
        """One answer of the feed; whether there was nothing more to come."""
        found = page(self.api, self.after, 3, **self.caller)
        for item in found["items"]:
            carer = item["resource"]["carer_id"]
            response = self.api.get(f"/v1/carers/{carer}", **self.caller)
            if item["change"] == "delete" or response.status_code == 404:
                self.carers.pop(carer, None)
            else:
                self.carers[carer] = response.json()
        self.after = found["next_after"]
        return not found["more"] and found["ask_again_seconds"] > 1


def test_an_offline_copy_is_the_list_at_the_end(api, carer, organisation):
    org = organisation()
    charity = {"role": "support_worker", "org": org}
    kept, closed = (carer(**charity)["id"] for _ in range(2))
    copy = Copy(api, **charity)
    assert copy.carers.keys() == {kept, closed}

    given, lost = carer()["id"], carer()["id"]
    for one in (given, lost):
        made = api.post(f"/v1/carers/{one}/access", **STAFF, json={"organisation_id": org, "note": "asked by telephone"})
        assert made.status_code == 201, made.text
    revoked = api.post(f"/v1/carers/{lost}/access/{made.json()['id']}/revoke", **STAFF, json={"note": "by mistake"})
    assert revoked.status_code == 200, revoked.text
    assert api.post(f"/v1/carers/{closed}/close", **STAFF, json={"reason": "lost_contact"}).status_code == 200
    etag = api.get(f"/v1/carers/{given}", **STAFF).headers["ETag"]
    assert api.patch(f"/v1/carers/{given}", etag=etag, **STAFF, json={"given_name": "Other"}).status_code == 200
    new = carer(**charity)["id"]

    wait_for(lambda: copy.step() and new in copy.carers, PATIENCE)
    assert copy.carers.keys() == {kept, closed, given, new}
    assert sorted(copy.carers.values(), key=lambda c: c["id"]) == sorted(copy.everything(), key=lambda c: c["id"])


class Reader:
    """Follows the feed in a thread from its first position until told that the last change is committed."""

    def __init__(self, api, **caller):
        self.api, self.caller, self.items = api, caller, []
        self.after, self.done = latest(api, **caller), threading.Event()
        self.pages = 0

    def follow(self):
        while True:
            last = self.done.is_set()
            found = page(self.api, self.after, 7, **self.caller)
            self.items += found["items"]
            self.after, self.pages = found["next_after"], self.pages + 1
            if last and not found["more"] and found["ask_again_seconds"] > 1:
                return


def rows(items):
    return [(i["resource"]["carer_id"], i["kind"], i["version"], i["at"]) for i in items]


class TestBesideWriters:
    """Sixteen writers over HTTP, transactions that stay open long, one that is rolled back; two readers all the while."""

    def write(self, server, tokens, org, written):
        """One writer: records a carer, changes her, and closes her."""
        api = Api(server, tokens)
        with contextlib.closing(api):
            for _ in range(ROUNDS):
                charity = {"role": "support_worker", "org": org, "council": CAMDEN}
                made = api.post("/v1/carers", **charity, json=carer_body(CAMDEN))
                assert made.status_code == 201, made.text
                path = f"/v1/carers/{made.json()['id']}"
                changed = api.patch(path, etag=made.headers["ETag"], **charity, json={"preferred_language": "cy"})
                assert changed.status_code == 200, changed.text
                assert api.post(f"{path}/close", **charity, json={"reason": "lost_contact"}).status_code == 200
                next(written)

    def hold(self, connection, org, commit, written):
        """A transaction of the service's own role that records a carer and ends when others have written ten more."""
        session = Session(connection)
        session.take_on("support_worker", [CAMDEN], org=org)
        session.execute("carer_insert", new_id(), json.dumps(carer_body(CAMDEN)), None)
        least = min(written.count + 10, WRITERS * ROUNDS)
        wait_for(lambda: written.count >= least, PATIENCE)
        connection.commit() if commit else connection.rollback()

    def test_each_change_is_handed_out_once_and_in_order(self, server, tokens, organisation, cluster, database, db):
        org = organisation(council=CAMDEN)

        class Written:
            """How often the writers have come round; next() of it counts."""
            numbers, count = itertools.count(1), 0

            def __next__(self):
                self.count = next(self.numbers)
        written = Written()
        with contextlib.ExitStack() as opened:
            readers = [Reader(opened.enter_context(contextlib.closing(Api(server, tokens))), **caller)
                       for caller in ({"role": "practitioner", "council": CAMDEN}, {"role": "assessor", "org": org})]
            holders = [opened.enter_context(contextlib.closing(psycopg2.connect(cluster.conninfo("carers_service", database))))
                       for _ in range(3)]
            db.execute("SELECT coalesce(max(id), 0) FROM event")
            first = db.fetchone()[0]
            pool = opened.enter_context(concurrent.futures.ThreadPoolExecutor(WRITERS + 5))
            following = [pool.submit(reader.follow) for reader in readers]
            work = [pool.submit(self.write, server, tokens, org, written) for _ in range(WRITERS)]
            work += [pool.submit(self.hold, connection, org, commit, written)
                     for connection, commit in zip(holders, (True, False, True))]
            try:
                for one in work:
                    one.result()
            finally:
                for reader in readers:
                    reader.done.set()
            for one in following:
                one.result()
        db.execute("SELECT carer_id::text, kind, version, instant(at) FROM event WHERE council = %s AND id > %s"
                   " ORDER BY era, txid, id", (CAMDEN, first))
        happened = db.fetchall()
        assert len(happened) == WRITERS * ROUNDS * 3 + 2
        for reader in readers:
            assert rows(reader.items) == happened
            assert reader.pages > len(happened) / 7
