"""clock: the clocks of the service and of PostgreSQL are set back while changes are written and the feed is followed (clock_shim.c)."""
import argparse
import json
import os
import subprocess
import sys
import threading
import time

import feed
from clients import Client, Crowd
from clients import judge as judge_crowd
from ground import dev_run
from stage import CALLERS, COUNCIL, HERE, Stage, stage

TITLE = "The clock set back during the run, a little and by an hour"
MINUTES, SHORT = 2, 0.15
STEPS = (-10, -3600)  # seconds, of the whole; the first is within CARERS_CLOCK_SKEW_S
BEFORE = 7200         # how long ago the tokens were issued that are to hold after all


class Shifted(Stage):
    """PostgreSQL and the service see a clock that a file sets aside; spans of time are the machine's, as on a machine whose clock is set."""

    def prepare(self):
        self.offsets, library = {who: self.folder / f"offset-{who}" for who in ("service", "database")}, self.folder / "clock_shim.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, HERE / "clock_shim.c"], check=True)
        for offset in self.offsets.values():
            offset.write_bytes(bytes(8))
        self.shim = {"LD_PRELOAD": str(library)}
        self.others = {**self.shim, "CLOCK_SHIM": str(self.offsets["service"])}
        self.cluster.stop()
        kept = dict(os.environ)
        os.environ.update({**self.shim, "CLOCK_SHIM": str(self.offsets["database"])})
        try:
            self.cluster.start()
        finally:
            os.environ.clear()
            os.environ.update(kept)

    def set_clock(self, who, seconds):
        """For all of its processes at once."""
        with open(self.offsets[who], "r+b") as file:
            file.write(seconds.to_bytes(8, sys.byteorder, signed=True))

    def token(self, seconds_ago, ttl=86400):
        """One that was issued then, by the identity provider's clock; the machine's when it is 0."""
        whose = [word for name, value in CALLERS["council"].items() for word in (f"--{name}", value)]
        provider = self.folder / "provider"
        provider.write_bytes((-seconds_ago).to_bytes(8, sys.byteorder, signed=True))
        return subprocess.run([dev_run.PROGRAM, "token", "--settings", self.settings, *whose, "--subject", f"clock-{seconds_ago}-{ttl}",
                               "--ttl", str(ttl)], check=True, text=True, capture_output=True,
                              env={**os.environ, **self.shim, "CLOCK_SHIM": str(provider)}).stdout.strip()


def ask(here, token):
    client = Client(here, 0)
    client.token = token
    answer = client.ask("GET", "/v1/me")
    return answer.status


def pages(here, cursor=None, most=None):
    """Ids of the council's carers, page by page; with the cursor of the next page where `most` pages end."""
    client, found = Client(here, 0), []
    path = cursor or "/v1/carers?limit=50"
    while path and most != 0:
        answer = client.ask("GET", path)
        assert answer.status == 200, answer.body
        found += [item["id"] for item in json.loads(answer.body)["items"]]
        link = answer.headers.get("Link", "")
        path = link[link.index("<") + 1:link.index(">")] if 'rel="next"' in link else None
        most = most - 1 if most else most
    return found, path


def play(told, options):
    seconds = max(9, options.minutes * 60)
    with stage(options, {"CARERS_SESSION_WAIT_MS": "15000"}, kind=Shifted) as here:  # the writers take no 503: it is not about load
        old, fresh, over = here.token(BEFORE), here.token(0), here.token(BEFORE, BEFORE - 60)
        told.promise("a token that has expired is refused, one that holds is taken, before", f"{ask(here, over)}, {ask(here, old)}, {ask(here, fresh)}",
                     (ask(here, over), ask(here, old), ask(here, fresh)) == (401, 200, 200))
        was = {row[0] for row in here.sql(f"SELECT id FROM carer WHERE council = '{COUNCIL}'")}
        head, cursor = pages(here, most=5)
        feeds = follow(here, seconds)
        time.sleep(seconds / 3)
        here.set_clock("service", STEPS[0])
        time.sleep(0.2)
        unseen = here.token(0)  # of now by the provider's clock, which is right: the service's is behind by less than the skew
        told.promise("tokens hold over a step that is within CARERS_CLOCK_SKEW_S", f"{ask(here, old)}, {ask(here, fresh)}, {ask(here, unseen)}",
                     (ask(here, old), ask(here, fresh), ask(here, unseen)) == (200, 200, 200))
        time.sleep(seconds / 3)
        here.set_clock("service", STEPS[1])
        time.sleep(0.2)
        told.promise("after an hour's step a token of before it still holds", ask(here, old), ask(here, old) == 200)
        ahead = here.token(0, 3600)
        told.promise("one that was issued in the service's future is refused", ask(here, ahead), ask(here, ahead) == 401)
        results, written = feeds()
        tail, _ = pages(here, cursor)
        judge(told, here, results, written)
        seen = [one for one in head + tail if one in was]
        told.promise("pages that began before the step name each carer once", f"{len(set(seen))} of {len(was)}, {len(seen) - len(set(seen))} twice",
                     sorted(seen) == sorted(was))
        database_back(told, here, options)
        told.promise("the service ends well", code := here.stop(), code == 0)


def database_back(told, here, options):
    """PostgreSQL's clock too goes back by an hour. Access of organisations begins and ends by it (ADR 0013): what began in that hour
    waits, and nobody sees more than before."""
    def status(caller="charity"):
        return Client(here, 0, caller).ask("GET", path).status  # a connection of its own: one that rests for long is closed

    here.set_clock("service", 0)
    made = Client(here, 0, "charity").ask("POST", "/v1/carers", {
        "council": COUNCIL, "kind": "adult", "given_name": "Nadia", "family_name": "Feedlast",
        "contact": {"phone": "+447700900123"}, "identification": {"source": "gp", "identified_on": "2025-02-16"}})
    path = made.headers["Location"]
    seen = [status()]
    with Crowd(here) as crowd:
        time.sleep(2)
        here.set_clock("database", STEPS[1])
        time.sleep(max(3, options.minutes * 20))
        seen += [status(), status("council")]
    here.set_clock("database", 0)
    time.sleep(0.2)
    seen.append(status())
    told.promise("PostgreSQL's clock back: access that began in that hour waits (404), the council's does not, and it comes back with the clock",
                 seen, seen == [200, 404, 200, 200])
    back = here.sql("SELECT count(*) FROM (SELECT at < lag(at) OVER (ORDER BY era, txid, id) AS back FROM event) AS e WHERE back")[0][0]
    told.promise("the clock did go back under the writers", f"{back} events are earlier than the one before", int(back) > 0)
    judge_crowd(told, here, crowd, refusals_wanted=False)


def follow(here, seconds):
    """The feed's writers and readers of ./dev bench feed, beside the steps; the result is what calling it gives."""
    found = {}

    def work():
        try:
            found["results"], found["written"], _ = feed.run(here, argparse.Namespace(seconds=seconds))
        except Exception as fault:  # told of by whoever asks for the result
            found["fault"] = fault

    thread = threading.Thread(target=work, daemon=True)
    thread.start()

    def result():
        thread.join(seconds + 2 * feed.PATIENCE)
        if "fault" in found:
            raise RuntimeError(f"the feed: {found['fault']}")
        return found["results"], found["written"]
    return result


def judge(told, here, results, written):
    told.figure("changes written over the steps", f"{written:,}")
    for caller, r in results.items():
        told.promise(f"the feed gives {feed.READERS[caller]} each change once and in order",
                     f"{r['changes']:,} changes, {r['missed']} missed, {r['repeated']} repeated, {r['not there']} not there, "
                     f"{'in order' if r['in order'] else 'not in order'}",
                     r["missed"] == r["repeated"] == r["not there"] == 0 and r["in order"])
    times = "('x' || left(replace({0}.id::text, '-', ''), 12))::bit(48)::bigint"  # milliseconds since 1970, in an id of version 7
    ids = here.sql("SELECT count(*) FROM (SELECT c.id::text < lag(c.id::text) OVER (ORDER BY e.era, e.txid, e.id) AS back, "
                   f"{times.format('c')} AS at FROM carer c JOIN event e ON e.carer_id = c.id AND e.kind = 'carer.created' "
                   f"WHERE c.family_name LIKE 'Feed%') AS c WHERE back AND at < {int((time.time() - 1800) * 1000)}")[0][0]
    told.promise("no id is made of the time that the clock went back to: new carers still come after the old", f"{ids} are", int(ids) == 0)
