#!/usr/bin/env python3
"""./dev bench feed: sixteen writers and two readers of the feed of changes; is each change handed out once, in order? See README.md."""
import argparse
import datetime
import http.client
import itertools
import json
import os
import pathlib
import sys
import threading
import time

import yaml

import index
import load
import report
from ground import HERE, ROOT, dev_run, ground, say

CARERS = 10_000
WRITERS = 16
PAGE = 200
PAUSE = 0.02     # seconds that a reader waits when it has all that is settled
PATIENCE = 60    # seconds after the last write for the readers to come to the end
ALG = "RS256"
COUNCIL = "E09000019"
CHARITY = "0190a000-0000-7000-9000-100000000000"  # an organisation of carers.sql that works for the council
READERS = {"council": "council staff", "charity": "an organisation"}
CALLERS = {"charity": {"role": "support_worker", "org": CHARITY, "council": COUNCIL}}


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench feed", description=__doc__)
    parser.add_argument("--seconds", type=int, default=30, help="how long the writers write (default 30)")
    parser.add_argument("--carers", type=int, default=CARERS, help=f"carers that are there already (default {CARERS})")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / ".dev-bench",
                        help="folder for the run; it is deleted at the end (default .dev-bench)")
    options = parser.parse_args()
    options.full = options.seconds >= 30 and options.carers == CARERS
    options.data = options.data.resolve()
    options.settings = {}
    return options


class Client:
    """One connection, one user."""

    def __init__(self, here, caller, number):
        self.connection = http.client.HTTPConnection("127.0.0.1", here.port, timeout=30)
        tokens = here.tokens(ALG, caller)
        self.token = tokens[number % len(tokens)]

    def ask(self, method, path, status, body=None, **headers):
        """The answer's body and ETag; another status than this one ends the run."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = f"application/{'merge-patch+' if method == 'PATCH' else ''}json"
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != status:
            raise load.BenchFailed(f"{method} {path} was answered {answer.status}: {text[:500].decode(errors='replace')}")
        return json.loads(text), answer.getheader("ETag")


# --- who writes

class Writer:
    """Records carers, changes them, lets the charity see them where it does not yet, and closes them. Every second writer is
    of the charity, which sees what it records; of the others' carers it learns from the grant on."""
    numbers = itertools.count(1)

    def __init__(self, here, number):
        self.of_charity = number % 2 == 1
        self.client = Client(here, "charity" if self.of_charity else "council", number)
        self.events, self.shared = 0, 0  # that there must be, and of them those that the charity learns of

    def write(self, until):
        while time.monotonic() < until:
            path, etag = self.create()
            self.did(self.of_charity)
            self.client.ask("PATCH", path, 200, {"preferred_language": "cy"}, If_Match=etag)
            self.did(self.of_charity)
            if not self.of_charity:
                self.client.ask("POST", f"{path}/access", 201, {"organisation_id": CHARITY, "note": "Asked by telephone."})
                self.did(True)
            self.client.ask("POST", f"{path}/close", 200, {"reason": "lost_contact"})
            self.did(True)

    def did(self, shared):
        self.events += 1
        self.shared += shared

    def create(self):
        number = next(self.numbers)
        made, etag = self.client.ask("POST", "/v1/carers", 201, {
            "council": COUNCIL, "kind": "adult", "given_name": "Nadia", "family_name": f"Feed{number}",
            "contact": {"phone": "+447700900123"}, "identification": {"source": "gp", "identified_on": "2025-02-16"}})
        return f"/v1/carers/{made['id']}", etag


# --- who reads

class Reader:
    """Follows the feed from `latest` until the writers have done and nothing is left."""

    def __init__(self, here, caller):
        self.client, self.items, self.pages = Client(here, caller, 0), [], 0
        self.after = self.page("latest")["next_after"]
        self.written = threading.Event()
        self.delays = []  # milliseconds between a change and its page; the machine's clock is both sides'

    def page(self, after):
        return self.client.ask("GET", f"/v1/changes?limit={PAGE}&after={after}", 200)[0]

    def follow(self):
        while True:
            last = self.written.is_set()
            found = self.page(self.after)
            now = datetime.datetime.now(datetime.timezone.utc)
            self.delays += [(now - datetime.datetime.fromisoformat(i["at"])).total_seconds() * 1e3 for i in found["items"]]
            self.items += found["items"]
            self.after, self.pages = found["next_after"], self.pages + 1
            if last and not found["more"] and found["ask_again_seconds"] > 1:
                return
            if not found["more"]:
                time.sleep(PAUSE)


class Threads:
    """Threads whose first failure is the run's."""

    def __init__(self):
        self.all, self.fault = [], None

    def start(self, work, *arguments):
        def carry_out():
            try:
                work(*arguments)
            except Exception as fault:  # whatever it is, it is raised again by end()
                self.fault = self.fault or fault
        self.all.append(threading.Thread(target=carry_out, daemon=True))
        self.all[-1].start()

    def end(self, seconds):
        until = time.monotonic() + seconds
        for thread in self.all:
            thread.join(max(0.0, until - time.monotonic()))
        if self.fault:
            raise self.fault
        if any(thread.is_alive() for thread in self.all):
            raise load.BenchFailed(f"not at the end after {seconds:.0f} s")


# --- what is compared

def happened(here, caller, first):
    """What the feed must have handed out, from the tables: (carer, kind, version, at) in order."""
    told = ("" if caller == "council" else
            f" JOIN event_organisation o ON o.organisation_id = '{CHARITY}' AND (o.era, o.txid, o.id) = (e.era, e.txid, e.id)")
    rows = here.sql("SELECT e.carer_id, e.kind, coalesce(e.version::text, ''), instant(e.at) FROM event e"
                    f"{told} WHERE e.council = '{COUNCIL}' AND e.id > {first} ORDER BY e.era, e.txid, e.id")
    return [tuple(row) for row in rows]


def verdict(items, rows):
    """Missed, repeated, handed out without being there, in order or not."""
    got = [(i["resource"]["carer_id"], i["kind"], str(i.get("version", "")), i["at"]) for i in items]
    seen, known = set(got), set(rows)
    return {"missed": len(known - seen), "repeated": len(got) - len(seen), "not there": len(seen - known),
            "in order": got == rows}


def run(here, options):
    """The writers' and the readers' run; the result of each reader, and what was written."""
    first = int(here.sql("SELECT coalesce(max(id), 0) FROM event")[0][0])
    readers = {caller: Reader(here, caller) for caller in READERS}
    writers = [Writer(here, number) for number in range(WRITERS)]
    reading, writing = Threads(), Threads()
    for reader in readers.values():
        reading.start(reader.follow)
    began = time.monotonic()
    for writer in writers:
        writing.start(writer.write, began + options.seconds)
    writing.end(options.seconds + PATIENCE)
    took = time.monotonic() - began
    for reader in readers.values():
        reader.written.set()
    reading.end(PATIENCE)
    wanted = {"council": sum(w.events for w in writers), "charity": sum(w.shared for w in writers)}
    results = {caller: result(here, caller, reader, first, wanted[caller]) for caller, reader in readers.items()}
    return results, wanted["council"], took


def result(here, caller, reader, first, wanted):
    rows = happened(here, caller, first)
    if len(rows) != wanted:
        raise load.BenchFailed(f"{wanted} changes were answered, and {len(rows)} events are on record for {READERS[caller]}")
    delays = sorted(reader.delays)
    return {"changes": len(rows), "pages": reader.pages, **verdict(reader.items, rows),
            "p50": load.percentile(delays, 0.5), "p99": load.percentile(delays, 0.99), "worst": load.percentile(delays, 1.0)}


def text_of(results, written, took, options, load_before):
    others = [("data", f"{options.carers:,} carers before the run"),
              ("writers", f"{WRITERS}, over HTTP, for {options.seconds} s: {written:,} changes, {written / took:,.0f}/s")]
    good = all(r["missed"] == r["repeated"] == r["not there"] == 0 and r["in order"] for r in results.values())
    goal = (f"{WRITERS} writers and a reader for {options.seconds} s miss and repeat nothing", "0 missed, 0 repeated",
            ", ".join(f"{sum(r[what] for r in results.values())} {what}" for what in ("missed", "repeated")), good)
    lines = ["# Results of ./dev bench feed", "", "Written by a run of 30 s or more; what the words mean stands in README.md.", "",
             *report.surroundings(options.settings, load_before, others), *report.goals_table([goal]), "",
             "| reader | changes | pages | missed | repeated | not there | in order | p50 ms | p99 ms | worst ms |",
             "|---|---:|---:|---:|---:|---:|---|---:|---:|---:|"]
    for caller, r in results.items():
        cells = [READERS[caller], f"{r['changes']:,}", f"{r['pages']:,}", r["missed"], r["repeated"], r["not there"],
                 "yes" if r["in order"] else "**no**", f"{r['p50']:.0f}", f"{r['p99']:.0f}", f"{r['worst']:.0f}"]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n", good


def main():
    options = arguments()
    plan = yaml.safe_load((HERE / "targets.yaml").read_text(encoding="utf-8"))
    plan["callers"].update(CALLERS)
    load_before = os.getloadavg()[0]
    with ground(options.data, options.carers, plan, options.settings) as here:
        text, good = text_of(*run(here, options), options, load_before)
    print(text)
    if options.full:
        index.keep("feed", text)
        say("bench/results-feed.md is written")
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (load.BenchFailed, dev_run.Refused, RuntimeError) as fault:
        sys.exit(f"bench: {fault}")
