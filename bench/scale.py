#!/usr/bin/env python3
"""./dev bench scale: what a hundred times as many carers cost, two data sets in turn, in one run. See README.md."""
import argparse
import contextlib
import json
import os
import pathlib
import random
import statistics
import sys

import yaml

import index
import load
import report
from ground import COUNCILS, HERE, ROOT, dev_run, ground, say

FEW, MANY = 10_000, 1_000_000
COMPARED_CONNECTIONS, COMPARED_ROUNDS = 32, 7  # a ratio near its goal wants more turns than a latency far from it
ALG = "RS256"
SAMPLES = 1000      # carers of a caller that are searched, all of them where there are fewer
TIMELINE = f"0190a000-0000-7000-8000-{100000000000 + COUNCILS}"  # whom carers.sql gives 2,000 events
ENTRIES = 2000
LETTERS = "aeiorstnl"


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench scale", description=__doc__)
    parser.add_argument("--carers", type=int, default=MANY, help=f"size of the large data set (default {MANY})")
    parser.add_argument("--seconds", type=int, default=5, help="length of a turn (default 5)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default 3)")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / ".dev-bench",
                        help="folder for the run; it is deleted at the end (default .dev-bench)")
    options = parser.parse_args()
    options.full = (options.carers, options.seconds, options.rounds) == (MANY, 5, 3)
    options.data = options.data.resolve()
    options.settings = {}
    return options


def plans():
    """targets.yaml with the callers of scale.yaml added; scale.yaml."""
    plan, scale = (yaml.safe_load((HERE / name).read_text(encoding="utf-8")) for name in ("targets.yaml", "scale.yaml"))
    for name, caller in {**scale["callers"], **scale["timeline_callers"], **scale["assessed_callers"]}.items():
        plan["callers"][name] = {**plan["callers"].get(name, {}), **caller}
    return plan, scale


# --- what is searched

def misspelt(word, dice):
    """One letter missing, another in its place, one twice, or two that have changed places; never the first."""
    at = dice.randrange(1, len(word))
    return dice.choice([
        lambda: word[:at] + word[at + 1:],
        lambda: word[:at] + dice.choice(LETTERS) + word[at + 1:],
        lambda: word[:at] + word[at] + word[at:],
        lambda: word[:at] + word[at:at + 2][::-1] + word[at + 2:],
    ])()


BODIES = {
    "name": lambda given, family, born, postcode, dice: {"q": f"{given} {misspelt(family, dice)}"},
    "family": lambda given, family, born, postcode, dice: {"q": misspelt(family, dice)},
    "birth": lambda given, family, born, postcode, dice: {"date_of_birth": born},
    "postcode": lambda given, family, born, postcode, dice: {"postcode": postcode},
}


def sample_files(here, name, caller):
    """For each kind of search a file of bodies, a line each: of carers whom the caller sees, the same at every run."""
    seen = (f"EXISTS (SELECT FROM carer_access a WHERE a.carer_id = c.id AND a.organisation_id = '{caller['org']}')"
            if "org" in caller else f"c.council = '{caller['council']}'")
    rows = here.sql("SELECT c.given_name, c.family_name, c.date_of_birth, c.postcode FROM carer c"
                    f" WHERE {seen} ORDER BY hashtextextended(c.id::text, 0) LIMIT {SAMPLES}")
    files, dice = {}, random.Random(1)
    for kind, body in BODIES.items():
        files[kind] = here.folder / f"samples-{name}-{kind}"
        files[kind].write_text("".join(json.dumps(body(*row, dice)) + "\n" for row in rows), encoding="utf-8")
    return files


# --- what is measured

def in_turn(players, rounds):
    """Name -> turns, of functions that take a turn each; every second round in the other order."""
    turns = {who: [] for who in players}
    for number in range(rounds):
        for who in players if number % 2 == 0 else reversed(players):
            turns[who].append(players[who]())
    return turns


def compare(few, many, name, options):
    """One target of targets.yaml on both: turns by number of carers."""
    for here in (few, many):
        target = here.plan["targets"][name]
        here.reset(added=False)
        load.check_once(here, target, ALG)
        load.wrk(here, target, ALG, COMPARED_CONNECTIONS, options.seconds)
    players = {here.carers: lambda here=here: load.wrk(here, here.plan["targets"][name], ALG, COMPARED_CONNECTIONS,
                                                       options.seconds) for here in (few, many)}
    turns = in_turn(players, COMPARED_ROUNDS if options.full else options.rounds)
    for here in (few, many):
        checked(here, turns[here.carers])
    say(f"{name}: " + ", ".join(f"{carers:,} carers {found[-1].rate:,.0f}/s" for carers, found in turns.items()))
    return turns


def checked(here, turns):
    """Every request leaves an audit row: fewer means that the work was not done."""
    asked, errors = sum(turn.count for turn in turns), sum(turn.errors for turn in turns)
    if here.audit_rows() < asked or errors:
        raise load.BenchFailed(f"{asked} requests left {here.audit_rows()} audit rows, with {errors} errors")


def latencies(here, target, connections, options):
    """Turns of one question; the first answer must not be empty, and a turn that does not count comes before."""
    here.reset(added=False)
    if not json.loads(load.check_once(here, target, ALG)).get("items", True):
        raise load.BenchFailed(f"{target['title']}: found nothing")
    load.wrk(here, target, ALG, connections, 1)
    turns = [load.wrk(here, target, ALG, connections, options.seconds) for _ in range(options.rounds)]
    if not target.get("unaudited"):
        checked(here, turns)
    say(f"{target['title']}: p99 {middle(turns, 'p99'):.1f} ms, {turns[-1].rate:,.0f}/s")
    return turns


def questions(here, scale):
    """(who, target, goal) for all that is asked of the large data set."""
    for name in scale["callers"]:
        caller = here.plan["callers"][name]
        files = sample_files(here, name, caller)
        for kind, asked in scale["asked"].items():
            target = {**asked, "caller": name, "status": 200}
            if kind in files:
                target["samples"] = files[kind]
            yield caller["title"], target, caller.get("goal")
    for one in scale["assessed"]:
        yield "", {**one, "status": 200}, one["goal"]
    for timeline in scale["timelines"]:
        request = f"GET /v1/carers/{TIMELINE}/timeline?limit={timeline['limit']}"
        yield "", {**timeline, "request": request, "status": 200}, timeline["goal"]


def measure(few, many, scale, options):
    compared = {name: compare(few, many, name, options) for name in scale["compared"]}
    entries = int(many.sql(f"SELECT count(*) FROM event WHERE carer_id = '{TIMELINE}'")[0][0])
    if entries != ENTRIES:
        raise load.BenchFailed(f"the carer of the timeline has {entries} entries")
    asked = [(who, target["title"], goal, latencies(many, target, scale["connections"], options))
             for who, target, goal in questions(many, scale)]
    return compared, asked


# --- what is told

def middle(turns, field):
    return statistics.median(getattr(turn, field) for turn in turns)


def compared_lines(plan, compared, few, many):
    rounds = len(next(iter(compared.values()))[few])
    lines = ["", f"## {many:,} carers against {few:,}", "", f"{COMPARED_CONNECTIONS} connections, council staff, {rounds} rounds.", "",
             "| what | carers | requests/s | p50 ms | p99 ms | of the fewer | CPU µs: service + PostgreSQL + load |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    for name, by_carers in compared.items():
        for carers, turns in by_carers.items():
            rates = [turn.rate for turn in turns]
            cells = [plan["targets"][name]["title"], f"{carers:,}", f"{middle(turns, 'rate'):,.0f} ±{report.spread(rates):.0f}%",
                     f"{middle(turns, 'p50'):.2f}", f"{middle(turns, 'p99'):.2f}", f"{report.ratio(turns, by_carers[few]):.2f}",
                     report.processor_time(turns, True)]
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def asked_lines(asked, many, connections):
    lines = ["", f"## Who asks what among {many:,} carers", "", f"{connections} connections, as fast as they go.", "",
             "| who | what | requests/s | p50 ms | p99 ms | CPU µs: service + PostgreSQL + load |", "|---|---|---:|---:|---:|---:|"]
    for who, what, _, turns in asked:
        rates = [turn.rate for turn in turns]
        cells = [who, what, f"{middle(turns, 'rate'):,.0f} ±{report.spread(rates):.0f}%", f"{middle(turns, 'p50'):.2f}",
                 f"{middle(turns, 'p99'):.2f}", report.processor_time(turns, True)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def goals(plan, scale, compared, asked, few, many):
    for name, by_carers in compared.items():
        got = report.ratio(by_carers[many], by_carers[few])
        goal = scale["compared_goal"]
        yield f"{plan['targets'][name]['title']}, of its speed at {few:,} carers", f">= {goal:.2f}", f"{got:.2f}", got >= goal
    for who, what, goal, turns in asked:
        if goal:
            got = middle(turns, "p99")
            yield f"p99, {(who + ': ') if who else ''}{what}", f"< {goal} ms", f"{got:.1f} ms", got < goal


def text_of(plan, scale, results, options, load_before):
    compared, asked = results
    data = (f"{FEW:,} and {options.carers:,} carers, {COUNCILS} councils, 5 organisations, {ENTRIES:,} events of one carer and one of "
            f"each other, four assessments of each of 50,000, {plan['tokens']} tokens of each caller")
    lines = ["# Results of ./dev bench scale", "", "Written by a full run; what the words mean stands in README.md.", "",
             *report.surroundings(options.settings, load_before, [("data", data), report.turns_line(options)]),
             *report.goals_table(list(goals(plan, scale, compared, asked, FEW, options.carers))),
             *compared_lines(plan, compared, FEW, options.carers),
             *asked_lines(asked, options.carers, scale["connections"])]
    return "\n".join(lines) + "\n"


def main():
    options = arguments()
    plan, scale = plans()
    load_before = os.getloadavg()[0]
    with contextlib.ExitStack() as standing:
        standing.callback(lambda: options.data.rmdir() if options.data.exists() and not any(options.data.iterdir()) else None)
        few, many = (standing.enter_context(ground(options.data / str(carers), carers, plan, options.settings))
                     for carers in (FEW, options.carers))
        text = text_of(plan, scale, measure(few, many, scale, options), options, load_before)
    print(text)
    if options.full:
        index.keep("scale", text)
        say("bench/results-scale.md is written")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except (load.BenchFailed, dev_run.Refused, RuntimeError) as fault:
        sys.exit(f"bench: {fault}")
