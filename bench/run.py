#!/usr/bin/env python3
"""./dev bench: the release build against pgbench with the very same statements, in turn, in one run. See README.md."""
import argparse
import dataclasses
import os
import pathlib
import statistics
import sys

import yaml

import index
import load
import report
import steady
from ground import HERE, ROOT, dev_run, ground, say

SPECIAL = ("tokens", "steady")  # runs that are no table: RS256 against HS256; a fixed rate beside slow statements
CONNECTIONS = "1,32,256,1000"
CARERS = 10_000
PGBENCH_CLIENTS = 32  # at most: each is a process of PostgreSQL's, and more are slower
PAIRS = 7             # of turns that compare the two algorithms


@dataclasses.dataclass
class Row:
    """One number of connections: the turns of each contestant, and the one that is the limit."""
    turns: dict
    limit: str


@dataclasses.dataclass
class Results:
    """All that was measured: target -> connections -> Row, and the special runs."""
    closed: dict
    pairs: list
    steady: list
    capacity: float = 0.0


def numbers(text):
    return [int(word) for word in text.split(",")]


def setting(text):
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("wants NAME=VALUE")
    return name, value


def arguments(plan):
    names = [*plan["targets"], *SPECIAL]
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__, epilog=f"targets: {', '.join(names)}")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="what to measure (default: all)")
    parser.add_argument("--seconds", type=int, help="length of a turn (default 5)")
    parser.add_argument("--rounds", type=int, help="turns of each contestant (default 3)")
    parser.add_argument("--connections", type=numbers, help=f"of the tables (default {CONNECTIONS})")
    parser.add_argument("--carers", type=int, default=CARERS, help=f"size of the data set (default {CARERS})")
    parser.add_argument("--quick", action="store_true", help="short turns, one round, 1 and 32 connections: to see that it runs")
    parser.add_argument("--set", dest="settings", type=setting, action="append", default=[], metavar="NAME=VALUE",
                        help="a setting of the service, to try it")
    parser.add_argument("--vegeta", action="store_true", help="vegeta instead of bench/openloop.py for the fixed rate")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / ".dev-bench",
                        help="folder for the run; it is deleted at the end (default .dev-bench)")
    options = parser.parse_args()
    unknown = set(options.targets) - set(names)
    if unknown:
        parser.error(f"there is no target {', '.join(sorted(unknown))}: {', '.join(names)}")
    # The last results are replaced by the like of them only.
    given = (options.targets, options.seconds, options.rounds, options.connections, options.settings, options.vegeta,
             options.quick)
    options.full = not any(given) and options.carers == CARERS
    options.targets = options.targets or names
    options.seconds = options.seconds or (2 if options.quick else 5)
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.connections = options.connections or numbers("1,32" if options.quick else CONNECTIONS)
    options.settings = dict(options.settings)
    options.data = options.data.resolve()
    return options


def sessions(options):
    """How many sessions the service takes: four a core, at least eight, if it is not told."""
    return int(options.settings.get("CARERS_SESSIONS", 0)) or max(8, 4 * os.cpu_count())


def pgbench_name(clients):
    return f"pgbench, {clients} client{'s' if clients > 1 else ''}"


def contestants(here, target, connections, options):
    """Name -> a function that takes a turn; the name of the limit. At 32 connections also pgbench with our sessions."""
    def service(alg):
        return lambda: load.wrk(here, target, alg, connections, options.seconds)

    def limit(clients):
        return lambda: load.pgbench(here, target, clients, options.seconds)

    clients = min(connections, PGBENCH_CLIENTS)
    turns = {"service HS256": service("HS256"), "service RS256": service("RS256"),
             pgbench_name(clients): limit(clients)}
    if connections == PGBENCH_CLIENTS:
        turns.setdefault(pgbench_name(sessions(options)), limit(sessions(options)))
    return turns, pgbench_name(clients)


def measure_row(here, name, connections, options):
    """Rounds of turns, every second one in the other order, so that what drifts hits all alike."""
    target = here.plan["targets"][name]
    players, limit = contestants(here, target, connections, options)
    row = Row({who: [] for who in players}, limit)
    here.reset()
    for number in range(options.rounds):
        order = list(players) if number % 2 == 0 else list(reversed(players))
        for who in order:
            row.turns[who].append(players[who]())
    done = sum(turn.count for turns in row.turns.values() for turn in turns)
    if here.audit_rows() < done:
        raise load.BenchFailed(f"{name}: {done} requests and transactions left only {here.audit_rows()} audit rows: "
                               "somebody did not do the work")
    say(f"{name}, {connections} connections: " + ", ".join(f"{who} {turns[-1].rate:,.0f}/s" for who, turns in row.turns.items()))
    return row


def measure_target(here, name, options):
    """A good answer first, and a turn that does not count."""
    target = here.plan["targets"][name]
    for alg in ("HS256", "RS256"):
        load.check_once(here, target, alg)
    load.wrk(here, target, "RS256", PGBENCH_CLIENTS, 1)
    return {connections: measure_row(here, name, connections, options) for connections in options.connections}


def measure_pairs(here, options):
    """HS256 and RS256 in turn, the first of a pair in turn."""
    target, pairs = here.plan["targets"]["get"], []
    here.reset()
    for number in range(PAIRS if not options.quick else 3):
        order = ("HS256", "RS256") if number % 2 == 0 else ("RS256", "HS256")
        turns = {alg: load.wrk(here, target, alg, PGBENCH_CLIENTS, options.seconds) for alg in order}
        pairs.append((turns["HS256"], turns["RS256"]))
    say("tokens: " + ", ".join(f"{rs.rate / hs.rate:.3f}" for hs, rs in pairs))
    return pairs


def measure_steady(here, options):
    target = here.plan["targets"]["get"]
    here.reset()
    capacity = statistics.median(load.wrk(here, target, "RS256", PGBENCH_CLIENTS, options.seconds).rate
                                 for _ in range(options.rounds))
    runs = steady.steady(here, target, "RS256", steady.SHARE * capacity, options)
    say(f"steady at {runs[0].rate:,.0f}/s: p99 {runs[0].p99:.1f} ms, beside slow statements {runs[1].p99:.1f} ms")
    return runs, capacity


def measure(here, options):
    """What depends on the number of carers comes before what adds to them."""
    results = Results({}, [], [])
    for name in here.plan["targets"]:
        if name in options.targets:
            results.closed[name] = measure_target(here, name, options)
    if "tokens" in options.targets:
        results.pairs = measure_pairs(here, options)
    if "steady" in options.targets:
        results.steady, results.capacity = measure_steady(here, options)
    return results


def main():
    plan = yaml.safe_load((HERE / "targets.yaml").read_text(encoding="utf-8"))
    options = arguments(plan)
    load_before = os.getloadavg()[0]
    with ground(options.data, options.carers, plan, options.settings) as here:
        text = report.report(measure(here, options), options, here, load_before)
    print(text)
    if options.full:
        index.keep("service", text)
        say("bench/results-service.md is written")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except (load.BenchFailed, dev_run.Refused, RuntimeError) as fault:
        sys.exit(f"bench: {fault}")
