#!/usr/bin/env python3
"""./dev bench directory: searches among 10,000 and 100,000 services, the Open Referral feed's pages, the rate of an import. See README.md."""
import argparse
import contextlib
import json
import math
import os
import pathlib
import random
import subprocess
import sys
import time

import yaml

import index
import load
import report
from ground import HERE, ROOT, Ground, dev_run, ground, say
from scale import middle

FEW, MANY, IMPORTED = 10_000, 100_000, 20_000
ALG = "RS256"
CONNECTIONS = 8
SAMPLES = 1000
SEARCH = {"title": "text, support area and 5 km", "request": "POST /v1/directory/search", "status": 200, "unaudited": True}
SEARCH_GOALS = {FEW: 15, MANY: 60}  # p99 in milliseconds
PAGE, PAGE_GOAL = 50, 20
IMPORT_GOAL = 5_000  # services a second


class Directory(Ground):
    """A ground with services in place of carers."""

    def load(self):
        say(f"making {self.carers:,} invented services")
        self.sql(f"\\set services {self.carers}\n" + (HERE / "directory.sql").read_text(encoding="utf-8"))
        os.sync()
        self.configure(dict.fromkeys(("fsync", "maintenance_work_mem", "autovacuum")))
        self.sql("CHECKPOINT")


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench directory", description=__doc__)
    parser.add_argument("--services", type=int, default=MANY, help=f"size of the large directory (default {MANY})")
    parser.add_argument("--seconds", type=int, default=5, help="length of a turn (default 5)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default 3)")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / ".dev-bench",
                        help="folder for the run; it is deleted at the end (default .dev-bench)")
    options = parser.parse_args()
    options.full = (options.services, options.seconds, options.rounds) == (MANY, 5, 3)
    options.data = options.data.resolve()
    return options


def bodies(here):
    """A file with a body a line: a word of a service's name, one of its support areas, and its place; the same at every run."""
    rows = here.sql("SELECT split_part(s.name, ' ', 1), s.support_areas[1], s.locations -> 0 ->> 'latitude', s.locations -> 0 ->> 'longitude'"
                    f" FROM service s ORDER BY hashtextextended(s.id::text, 0) LIMIT {SAMPLES}")
    file, dice = here.folder / "searches", random.Random(1)
    with open(file, "w", encoding="utf-8") as out:
        for word, area, latitude, longitude in rows:
            lat, lon = (round(float(at) + dice.uniform(-0.01, 0.01), 5) for at in (latitude, longitude))
            out.write(json.dumps({"q": word, "support_area": [area], "lat": lat, "lon": lon, "within_metres": 5000}) + "\n")
    return file


def turns(here, target, options):
    here.reset(added=False)
    answer = json.loads(load.check_once(here, target, ALG))
    if not answer.get("items", answer.get("contents")):
        raise load.BenchFailed(f"{target['title']}: found nothing")
    load.wrk(here, target, ALG, CONNECTIONS, 1)
    found = [load.wrk(here, target, ALG, CONNECTIONS, options.seconds) for _ in range(options.rounds)]
    if any(turn.errors for turn in found):
        raise load.BenchFailed(f"{target['title']}: {sum(turn.errors for turn in found)} errors")
    say(f"{target['title']}, {here.carers:,} services: p99 {middle(found, 'p99'):.1f} ms, {found[-1].rate:,.0f}/s")
    return found


def feed_pages(here):
    last = math.ceil(here.carers / PAGE)
    for name, page in (("first", 1), ("middle", last // 2), ("last", last)):
        yield {"title": f"the feed's {name} page", "request": f"GET /oruk/v3/services?per_page={PAGE}&page={page}", "status": 200}


def import_rate(here):
    """Services a second of `carers-api import directory`, from ndjson, none of which is there yet; and again, when all of them are."""
    file, dice = here.folder / "services.ndjson", random.Random(2)
    words = [row[0] for row in here.sql("SELECT DISTINCT split_part(description, ' ', 6) FROM service LIMIT 2000")]
    with open(file, "w", encoding="utf-8") as out:
        for number in range(IMPORTED):
            ident = f"0190b000-0000-4000-8000-{number:012x}"
            out.write(json.dumps({
                "id": ident, "name": f"Imported {' '.join(dice.sample(words, 2))}", "status": "active",
                "description": " ".join(dice.choices(words, k=40)), "last_modified": "2026-11-01T09:00:00Z", "assured_date": "2026-11-01",
                "organization": {"id": f"0190b000-0000-4000-9000-{number // 4:012x}", "name": f"Trust {number // 4}", "description": "Invented."},
            }) + "\n")
    rates = []
    for _ in range(2):
        began = time.monotonic()
        subprocess.run([dev_run.PROGRAM, "import", "directory", file, "--settings", here.settings, "--council", "E09000019", "--source", "bench"], check=True,
                       capture_output=True)
        rates.append(IMPORTED / (time.monotonic() - began))
    say(f"import: {rates[0]:,.0f} services/s, the same again {rates[1]:,.0f}/s")
    return rates


def measure(few, many, options):
    asked = [(here.carers, SEARCH["title"], SEARCH_GOALS.get(here.carers), turns(here, {**SEARCH, "samples": bodies(here)}, options))
             for here in (few, many)]
    asked += [(many.carers, target["title"], PAGE_GOAL, turns(many, target, options)) for target in feed_pages(many)]
    return asked, import_rate(few)


def text_of(asked, rates, options, load_before):
    lines = ["# Results of ./dev bench directory", "", "Written by a full run; what the words mean stands in README.md.", "",
             *report.surroundings({}, load_before, [("data", f"{FEW:,} and {options.services:,} services, 32 councils; {IMPORTED:,} imported"),
                                                    report.turns_line(options)]),
             *report.goals_table(list(goals(asked, rates))),
             "", f"{CONNECTIONS} connections, as fast as they go, without a token's privileges: what the public is answered.", "",
             "| what | services | requests/s | p50 ms | p99 ms | CPU µs: service + PostgreSQL + load |", "|---|---:|---:|---:|---:|---:|"]
    for services, what, _, found in asked:
        rate = [turn.rate for turn in found]
        lines.append(f"| {what} | {services:,} | {middle(found, 'rate'):,.0f} ±{report.spread(rate):.0f}% | {middle(found, 'p50'):.2f}"
                     f" | {middle(found, 'p99'):.2f} | {report.processor_time(found, True)} |")
    return "\n".join(lines) + "\n"


def goals(asked, rates):
    for services, what, goal, found in asked:
        if goal:
            got = middle(found, "p99")
            yield f"p99, {what}, {services:,} services", f"< {goal} ms", f"{got:.1f} ms", got < goal
    costs = {services: sum(middle_cpu(found).values()) for services, what, _, found in asked if what == SEARCH["title"]}
    few, many = sorted(costs)
    grown = costs[many] / costs[few]
    yield f"search: cost of {many / few:.0f} times the data", f"< {many / few:.0f} x", f"{grown:.1f} x", grown < many / few
    yield "import from ndjson", f">= {IMPORT_GOAL:,}/s", f"{rates[0]:,.0f}/s", rates[0] >= IMPORT_GOAL
    yield "the same file again, all of it there", f">= {IMPORT_GOAL:,}/s", f"{rates[1]:,.0f}/s", rates[1] >= IMPORT_GOAL


def middle_cpu(found):
    return {who: sorted(turn.cpu_us[who] for turn in found)[len(found) // 2] for who in ("service", "database")}


def main():
    options = arguments()
    plan = yaml.safe_load((HERE / "targets.yaml").read_text(encoding="utf-8"))
    load_before = os.getloadavg()[0]
    with contextlib.ExitStack() as standing:
        standing.callback(lambda: options.data.rmdir() if options.data.exists() and not any(options.data.iterdir()) else None)
        few, many = (standing.enter_context(ground(options.data / str(services), services, plan, {}, kind=Directory))
                     for services in (FEW, options.services))
        text = text_of(*measure(few, many, options), options, load_before)
    print(text)
    if options.full:
        index.keep("directory", text)
        say("bench/results-directory.md is written")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except (load.BenchFailed, dev_run.Refused, RuntimeError, subprocess.CalledProcessError) as fault:
        sys.exit(f"bench: {fault}")
