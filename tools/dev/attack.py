#!/usr/bin/env python3
"""./dev attack: Schemathesis against a service of its own, as every role and as nobody; exit 1 when it finds something.

    attack.py --tool ST [--minutes N] [--seed N] [--jobs N]

The operations that a role may use are shuffled and cut into chunks. A job is one chunk of one caller with the examples, the coverage and
the fuzzing phase, or all operations of one caller with the stateful phase; jobs run side by side until the time is over. Before each
job the ids of what is there by now are looked up, so that paths lead somewhere.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time

from live import ROOT, service

CHUNK = 8                  # operations of a job: some thousand cases
SHORTEST, LONGEST = 40, 120  # seconds of a job
LEAST = 12                 # seconds: with less left no job begins
IDS = 12                   # of each kind, the newest
METHODS = ("get", "put", "post", "patch", "delete")
TABLES = {  # parameter of a path -> what there is of it
    "carer_id": "carer", "assessment_id": "assessment", "referral_id": "referral", "break_id": "carer_break",
    "session_id": "break_session", "award_id": "funding_award", "webhook_id": "webhook", "delivery_id": "webhook_delivery",
    "service_id": "service", "organisation_id": "organisation", "event_id": "directory_event", "leaflet_id": "leaflet",
    "proposal_id": "directory_proposal", "champion_id": "champion", "triage_id": "carer_triage", "access_id": "carer_access",
    "consent_id": "consent", "contact_id": "contact", "contract_id": "break_contract", "route_id": "referral_route",
    "import_id": "directory_import", "id": "service"}
WORDS = {"council": ["E09000019"], "instrument": ["gtmool", "carers_star"], "scheme": ["flexible_breaks_fund", "assessed_breaks"]}


def arguments():
    parser = argparse.ArgumentParser(prog="./dev attack", description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser.parse_args()


def operations():
    """operationId -> the roles that may use it (None: everybody), and -> the operations that its answers link to."""
    contract = json.loads((ROOT / "build-release" / "openapi.json").read_text(encoding="utf-8"))
    roles, links = {}, {}
    for item in contract["paths"].values():
        for one in (item[method] for method in METHODS if method in item):
            answers = [contract["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]] for answer in one["responses"].values()
                       if "$ref" in answer]
            roles[one["operationId"]] = one.get("x-roles")
            links[one["operationId"]] = {link["operationId"] for answer in answers for link in answer.get("links", {}).values()}
    return roles, links


def jobs(callers, chance):
    """(caller, phases, operations), in an order by chance. Nobody tries everything; a role what is open to it."""
    made, (roles, links) = [], operations()
    for caller in callers:
        names = [name for name in roles if caller == "nobody" or not roles[name] or caller in roles[name]]
        if caller != "nobody" and any(links[name] & set(names) for name in names):
            made.append((caller, "stateful", names))
        chance.shuffle(names)
        made += [(caller, "examples,coverage,fuzzing", names[at:at + CHUNK]) for at in range(0, len(names), CHUNK)]
    chance.shuffle(made)
    return made


def ids(live):
    """The newest ids of each kind."""
    text = "".join(f"SELECT '{name}', id FROM (SELECT id FROM {table} ORDER BY id DESC LIMIT {IDS}) x UNION ALL "
                   for name, table in TABLES.items()) + "SELECT 'carer_id', id FROM (SELECT id FROM carer ORDER BY id LIMIT 3) x"
    done = subprocess.run(["psql", "-XAtq", "-c", text, live["database_superuser"]], check=True, text=True, capture_output=True)
    found = {name: list(values) for name, values in WORDS.items()}
    for line in done.stdout.splitlines():
        name, value = line.split("|")
        found.setdefault(name, []).append(value)
    return found


def configuration(folder, live, token):
    """schemathesis.toml of a job: ours, the ids, the caller."""
    found = ids(live)
    text = (ROOT / "tests/attack/schemathesis.toml").read_text(encoding="utf-8")
    text = text.replace('"hooks.py"', json.dumps(str(ROOT / "tests/attack/hooks.py")))
    for name, values in found.items():
        text += f"\n[dictionaries.{name}]\nvalues = {json.dumps(values)}\n"
    text += "\n[parameters]\n" + "".join(f'"path.{name}" = {{ dictionary = "{name}", probability = 0.8 }}\n' for name in found)
    if token:
        text += f'\n[headers]\nAuthorization = "Bearer {token}"\n'
    path = folder / "schemathesis.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def attack(tool, live, number, job, seconds, seed):
    """Runs one job; its report, and what it printed."""
    caller, phases, names = job
    folder = pathlib.Path(live["data"]) / f"attack-{number}"
    folder.mkdir()
    report = folder / "report.json"
    command = [tool, "--config-file", configuration(folder, live, live["tokens"].get(caller)), "run", live["base_url"] + "/openapi.json",
               "--phases", phases, "--max-time", str(seconds), "--seed", str(seed), "--no-color", "--warnings", "off",
               "--report", "json", "--report-json-path", report]
    for name in names:
        command += ["--include-operation-id", name]
    done = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=False)
    if not report.exists() or done.returncode not in (0, 1):
        return None, done.stdout + done.stderr
    return json.loads(report.read_text(encoding="utf-8")), done.stdout


class Tally:
    """What all jobs together did and found."""

    def __init__(self):
        self.lock = threading.Lock()
        self.cases, self.callers, self.operations, self.findings, self.jobs = 0, {}, set(), 0, 0

    def add(self, job, report, text):
        caller, phases, names = job
        with self.lock:
            self.jobs += 1
            bad = report is None or report["failures"] or report["errors"]
            if bad:
                self.findings += 1 if report is None else len(report["failures"]) + len(report["errors"])
                print(f"--- {caller}, {phases}: {' '.join(names) if len(names) <= CHUNK else 'all'}\n{text}", flush=True)
            if report is None:
                return
            count = report["test_cases"]["generated"]
            self.cases += count
            self.callers[caller] = self.callers.get(caller, 0) + count
            self.operations |= set(report["valid_rates"])


def work(options, live, queue, tally, ends):
    """One worker: job after job until the queue is empty or the time is over."""
    slice_ = max(SHORTEST, min(LONGEST, options.minutes * 6))
    while True:
        with tally.lock:
            left = ends - time.monotonic()
            if not queue or left < LEAST:
                return
            number, job = queue.pop(0)
        report, text = attack(options.tool, live, number, job, int(min(slice_, left)), options.seed + number)
        tally.add(job, report, text)


def main():
    options = arguments()
    print(f"attack: {options.minutes:g} minutes, seed {options.seed}", flush=True)
    tally, began = Tally(), time.monotonic()
    with service(CARERS_RATE_PER_MINUTE="0", CARERS_WEBHOOKS="false", CARERS_CHECK_RESPONSES="true") as live:
        queue = []
        chance = random.Random(options.seed)
        while len(queue) < options.minutes * options.jobs * 3 + 1:
            queue += jobs([*live["tokens"], "nobody"], chance)
        queue = list(enumerate(queue))
        ends = time.monotonic() + options.minutes * 60
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for done in [pool.submit(work, options, live, queue, tally, ends) for _ in range(options.jobs)]:
                done.result()
    for caller, count in sorted(tally.callers.items()):
        print(f"{caller:<20}{count:>8} cases")
    print(f"attack: {tally.cases} cases in {tally.jobs} jobs and {(time.monotonic() - began) / 60:.1f} minutes, "
          f"{len(tally.operations)} operations reached with valid data, {tally.findings} findings")
    sys.exit(1 if tally.findings or not tally.cases else 0)


if __name__ == "__main__":
    main()
