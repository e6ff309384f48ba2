#!/usr/bin/env python3
"""./dev bench peers: four operations on our service, on Go, on Fastify and on FastAPI, and by pgbench, in turn, in one run. See README.md."""
import argparse
import contextlib
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys

import yaml

import index
import load
import peers_report
from contestants import KINDS, Meter, Peer, Seen, available
from directory import bodies
from ground import HERE, ROOT, Ground, dev_run, ground, say

ALG = "RS256"
SECONDS, ROUNDS, CONNECTIONS = 4, 3, "32,256"
WARM_SECONDS = 2
CARERS, SERVICES = 10_000, 10_000
PGBENCH_CLIENTS = 32
OURS, PGBENCH = "carers-api", "pgbench"
WORDS = "ulfius, libpq, jansson and libjwt: one process; BEGIN, claims, query and COMMIT in one pipeline; src/jsonschema; a cache of verified tokens"
OPERATIONS = ("get", "list", "create")  # of targets.yaml; search is here
SEARCH = {
    "title": "directory search", "request": "POST /v1/directory/search", "status": 200, "unaudited": True,
    "round_trips": [["begin", "claims_noted", "services_search", "commit"]],
    "arguments": {"claims_noted": {"operation": "searchServicesPrivately"}, "services_search": {"body": "<search>"}},
}
# pgbench fetches the text of a search from a table, in a round trip of its own.
FETCHED = "\\set pick random(1, 1000)\nSELECT body AS search FROM bench_search WHERE id = :pick \\gset"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+00:00)")
STRANGER = "100000000001"  # a carer of the other council


class PeersGround(Ground):
    """Carers, and services too."""

    def load(self):
        super().load()
        say(f"making {SERVICES:,} invented services")
        self.sql(f"\\set services {SERVICES}\n" + (HERE / "directory.sql").read_text(encoding="utf-8"))
        searches = bodies(self)
        rows = "".join(f"INSERT INTO bench_search (body) VALUES ($bench${line}$bench$);\n" for line in searches.read_text(encoding="utf-8").splitlines())
        self.sql("CREATE TABLE bench_search (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL);\nBEGIN;\n" + rows +
                 "COMMIT;\nGRANT SELECT ON bench_search TO carers_service;\nVACUUM ANALYZE bench_search;\nCHECKPOINT")
        self.plan["targets"]["search"] = {**SEARCH, "samples": searches}


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench peers", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only: do they all answer the same, and refuse the same?")
    parser.add_argument("--seconds", type=int, default=SECONDS, help=f"length of a turn (default {SECONDS})")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"turns of each (default {ROUNDS})")
    parser.add_argument("--connections", default=CONNECTIONS, help=f"of the tables (default {CONNECTIONS})")
    parser.add_argument("--operations", default=",".join((*OPERATIONS, "search")), help="default: all")
    parser.add_argument("--sessions", type=int, help="of PostgreSQL, for each peer (default: as many as the service has)")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / ".dev-bench",
                        help="folder for the run; it is deleted at the end (default .dev-bench)")
    options = parser.parse_args()
    options.full = (options.seconds, options.rounds, options.connections, options.operations, options.sessions, options.check) == \
        (SECONDS, ROUNDS, CONNECTIONS, ",".join((*OPERATIONS, "search")), None, False)
    options.connections = [int(word) for word in options.connections.split(",")]
    options.operations = options.operations.split(",")
    unknown = set(options.operations) - {*OPERATIONS, "search"}
    if unknown:
        parser.error(f"there is no operation {', '.join(sorted(unknown))}: {', '.join((*OPERATIONS, 'search'))}")
    options.data = options.data.resolve()
    return options


# --- do they answer the same?

def ask(port, request, token=None, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Content-Type": "application/json"} if body else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection.request(*request.split(" "), body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text)


def carer(number):
    return f"/v1/carers/0190a000-0000-7000-8000-{number}"


def reads(here):
    """Requests that change nothing, each with its body."""
    yield from ((f"GET {carer(100_000_000_000 + 2 * number)}", None) for number in (0, 1, 17, 4_999))
    yield from ((f"GET /v1/carers?{query}", None) for query in ("limit=50", "limit=3", "limit=5&state=active&known_to_social_care=true"))
    samples = here.plan["targets"]["search"]["samples"].read_text(encoding="utf-8").splitlines()[:20]
    faceted = json.dumps({**json.loads(samples[0]), "facets": ["area"], "limit": 3})
    yield from (("POST /v1/directory/search", sample) for sample in (*samples, faceted))


def refusals(here, token):
    """Requests that must be refused, each with a token, a body, and the statuses that say so: frameworks have their own for a request that is not valid."""
    good = here.plan["targets"]["create"]["body"]
    head, claims, signature = token.split(".")
    forged = f"{head}.{claims}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    yield f"GET {carer(100_000_000_000)}", None, None, {401}
    yield f"GET {carer(100_000_000_000)}", forged, None, {401}
    yield f"GET {carer(STRANGER)}", token, None, {404}
    yield "GET /v1/carers/nobody", token, None, {400, 422}
    yield "GET /v1/carers?limit=1000", token, None, {400, 422}
    yield "GET /v1/carers?colour=blue", token, None, {400, 422}
    for was, now in (('"kind":"adult"', '"kind":"robot"'), ("1968-04-17", "1968-04-31"), ('"town":"London"', '"town":"London","planet":"Earth"'),
                     ('["dementia","frailty"]', '["dementia","dementia"]'), ("N1 2UD", "nowhere")):
        yield "POST /v1/carers", token, good.replace(was, now), {400, 422}
    yield "POST /v1/directory/search", token, '{"lat":91}', {400, 422}


def made(here, port, token):
    """A carer is made; what was answered, and what the audit trail says of it, without what differs each time."""
    new = str(999_000_000_000 + here.next_turn())
    here.sql("SET session_replication_role = replica; TRUNCATE audit_entry;")
    status, body = ask(port, "POST /v1/carers", token, here.plan["targets"]["create"]["body"].replace("<new>", new))
    if status != 201:
        return status, body
    audit = here.sql("SELECT actor, role, client, council, action, target, subject_table, cardinality(carer_ids), carer_ids[1], after FROM audit_entry ORDER BY id")
    text = json.dumps([body, audit], sort_keys=True).replace(body["id"], "<id>").replace(new, "<new>")
    return status, INSTANT.sub("<at>", text)


def same(who, what, mine, theirs):
    if mine != theirs:
        raise load.BenchFailed(f"{who} answers {what} otherwise than the service:\n{str(theirs)[:1500]}\ninstead of\n{str(mine)[:1500]}")


def check(here, peers):
    """Each peer answers what the service answers, and refuses what it refuses."""
    token = here.tokens(ALG)[0]
    create = made(here, here.port, token)
    for peer in peers:
        for request, body in reads(here):
            same(peer.kind.name, f"{request} {body or ''}", ask(here.port, request, token, body), ask(peer.port, request, token, body))
        same(peer.kind.name, "POST /v1/carers", create, made(here, peer.port, token))
    for who, port in ((OURS, here.port), *((peer.kind.name, peer.port) for peer in peers)):
        for request, whose, body, good in refusals(here, token):
            status, text = ask(port, request, whose, body)
            if status not in good:
                raise load.BenchFailed(f"{who} answers {request} {body or ''} with {status}: {text}")
    say(f"{', '.join(peer.kind.name for peer in peers)} answer as the service does: {len(list(reads(here)))} reads, a create with its audit, "
        f"{len(list(refusals(here, token)))} refusals")


# --- turns

def sessions():
    """How many sessions the service takes: four a core, at least eight."""
    return max(8, 4 * os.cpu_count())


def contestants(here, peers, target, connections, options):
    """Name -> a function that takes a turn. At 32 connections of `get` also pgbench with as many clients as the service has sessions."""
    def served(seen):
        return lambda: load.wrk(seen, target, ALG, connections, options.seconds, Meter)

    def limit(clients):
        return lambda: load.pgbench(here, target, clients, options.seconds)

    clients = min(connections, PGBENCH_CLIENTS)
    turns = {OURS: served(Seen(here, here.service, here.port)), **{peer.kind.name: served(peer.seen) for peer in peers},
             f"{PGBENCH}, {clients} clients": limit(clients)}
    if connections == PGBENCH_CLIENTS and target is here.plan["targets"]["get"]:
        turns.setdefault(f"{PGBENCH}, {sessions()} clients", limit(sessions()))
    return turns


def measure_row(here, peers, name, connections, options):
    """A turn that does not count, for what is compiled as it runs; then rounds of turns, every second one in the other order."""
    target = here.plan["targets"][name]
    players = contestants(here, peers, target, connections, options)
    for seen in (here, *(peer.seen for peer in peers)):
        load.check_once(seen, target, ALG)
        load.wrk(seen, target, ALG, connections, WARM_SECONDS)
    here.reset()
    turns = {who: [] for who in players}
    for number in range(options.rounds):
        for who in list(players) if number % 2 == 0 else reversed(players):
            turns[who].append(players[who]())
    done = sum(turn.count for found in turns.values() for turn in found)
    if not target.get("unaudited") and here.audit_rows() < done:
        raise load.BenchFailed(f"{name}: {done} requests and transactions left only {here.audit_rows()} audit rows: somebody did not do the work")
    say(f"{name}, {connections} connections: " + ", ".join(f"{who} {found[-1].rate:,.0f}/s" for who, found in turns.items()))
    return turns


def run_peers(options):
    """The peers that can run here; those that cannot are named."""
    for kind in KINDS:
        if kind not in available():
            say(f"{kind.name} is left out: there is no {kind.wants}")
        elif options.sessions:
            kind.sessions = options.sessions
    return available()


def main():
    options = arguments()
    plan = yaml.safe_load((HERE / "targets.yaml").read_text(encoding="utf-8"))
    plan["placeholders"]["search"] = FETCHED
    load_before = os.getloadavg()[0]
    kinds = run_peers(options)
    for kind in kinds:  # installs what is missing before anything runs
        kind.versions(), kind.command(0), kind.environment()
    with contextlib.ExitStack() as standing:
        here = standing.enter_context(ground(options.data, CARERS, plan, {}, kind=PeersGround))
        peers = []
        for kind in kinds:
            peers.append(Peer(here, kind))
            standing.callback(peers[-1].stop)
            peers[-1].await_ready()
        check(here, peers)
        if options.check:
            return
        tables = {name: {connections: measure_row(here, peers, name, connections, options) for connections in options.connections}
                  for name in options.operations}
        text = peers_report.text_of(tables, peers, WORDS, here, options, load_before)
    print(text)
    if options.full:
        index.keep("peers", text)
        (HERE / "results-peers.svg").write_text(peers_report.plot_of(tables, plan), encoding="utf-8")
        say("bench/results-peers.md and its plot are written")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except (load.BenchFailed, dev_run.Refused, RuntimeError, subprocess.CalledProcessError) as fault:
        sys.exit(f"bench: {fault}")
