#!/usr/bin/env python3
"""./dev bench schema: validations a second of parsed documents by src/jsonschema, ajv, python-jsonschema and the crate jsonschema.

All of them in one run, on the same documents, in turns. See bench/README.md.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import documents

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "bench")]

import index  # noqa: E402
import schema_peers  # noqa: E402  (tools/ is no package)

OURS, AJV, RUST, PYTHON = "src/jsonschema", "ajv", "Rust jsonschema", "python-jsonschema"
VARIANTS = ("valid", "invalid")


class Contestant:
    """A process that validates when told; its rate is by the processor time of its main thread."""

    def __init__(self, command, environment, mode, files):
        self.process = subprocess.Popen([str(word) for word in [*command, mode, *files]], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE, env={**os.environ, **environment})
        said = self.process.stdout.readline()
        if not said:
            raise RuntimeError(f"{command[0]} ended with {self.process.wait()} on {files[0].name}")
        self.verdicts = json.loads(said)

    def busy(self):
        """Seconds for which the main thread has been on a processor."""
        with open(f"/proc/{self.process.pid}/schedstat", encoding="ascii") as text:
            return int(text.read().split()[0]) / 1e9

    def turn(self, which, seconds):
        before = self.busy()
        self.process.stdin.write(json.dumps([which, float(seconds)]) + "\n")
        self.process.stdin.flush()
        count = int(self.process.stdout.readline())
        return count / (self.busy() - before)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


def commands(folder):
    """Name -> (command, environment): of those that are to be had."""
    found = {OURS: ([ROOT / "build-release" / "schema_bench"], {}),
             AJV: (["node", HERE / "ajv_turns.js"], {"NODE_PATH": str(schema_peers.node_modules()), "BENCH_FOLDER": str(folder)}),
             RUST: ([schema_peers.rust(HERE / "rust")], {}),
             PYTHON: ([schema_peers.python(), HERE / "python_turns.py"], {})}
    return {name: what for name, what in found.items() if what[0][0]}


def measure(players, mode, files, options):
    """(variant, contestant) -> rates. A first turn warms up; then rounds, every second one in the other order."""
    running = {name: Contestant(*what, mode, files) for name, what in players.items()}
    rates = {(variant, name): [] for variant in VARIANTS for name in running}
    for name, contestant in running.items():
        if contestant.verdicts != [True, False]:
            raise RuntimeError(f"{name} says {contestant.verdicts} of {files[0].name}, and not [true, false]")
    for which, variant in enumerate(VARIANTS):
        for contestant in running.values():
            contestant.turn(which, max(0.5, options.seconds))
        for number in range(options.rounds):
            for name in list(running) if number % 2 == 0 else reversed(running):
                rates[variant, name].append(running[name].turn(which, options.seconds))
    for contestant in running.values():
        contestant.close()
    return rates


def figure(rate):
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:,.1f}"


def cell(rates):
    middle = statistics.median(rates)
    spread = (max(rates) - min(rates)) / 2 / middle
    return f"{figure(middle)} ±{spread * 100:.0f}%"


def row(title, variant, rates, names):
    medians = {name: statistics.median(rates[variant, name]) for name in names}
    return f"| {title} | {variant} | " + " | ".join(cell(rates[variant, name]) for name in names) + \
        f" | **{medians[OURS] / medians[AJV]:.2f}** |"


def table(measured, names):
    yield "| document | | " + " | ".join(names) + " | ours of ajv |"
    yield "|---|---|" + "---|" * len(names) + "---|"
    for (name, mode), (size, rates) in measured.items():
        title = f"{name}, {size / 1024:.1f} KiB" + (", formats asserted" if mode == "assert" else "")
        for variant in VARIANTS:
            yield row(title, variant, rates, names)


def said(*command):
    return subprocess.run(command, text=True, capture_output=True, cwd=ROOT, check=False).stdout.strip()


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        names = [line.partition(":")[2].strip() for line in info if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def crate_version():
    lines = (HERE / "rust" / "Cargo.lock").read_text(encoding="utf-8").split('name = "jsonschema"\n')[1].splitlines()
    return lines[0].split('"')[1]


def report(measured, names, options, load):
    versions = schema_peers.versions()
    ahead = sum(statistics.median(rates[variant, OURS]) > statistics.median(rates[variant, AJV])
                for _, rates in measured.values() for variant in VARIANTS)
    commit = said("git", "rev-parse", "--short=12", "HEAD") + (" with changes" if said("git", "status", "--porcelain", "src/jsonschema") else "")
    return "\n".join([
        "# JSON Schema: results", "",
        "Made by `./dev bench schema`; the next full run of it replaces this file. What the figures are: README.md.", "",
        f"{machine()}, load average {load:.1f} before the run; commit {commit}; {time.strftime('%Y-%m-%d')}. "
        f"ajv {versions['ajv']} standalone on Node.js {versions['node']}, python-jsonschema {versions['python-jsonschema']} on Python "
        f"{versions['python']}" + (f", crate jsonschema {crate_version()} on {' '.join(said('rustc', '--version').split()[:2])}" if RUST in names else "")
        + f", {said('gcc', '--version').splitlines()[0]}.", "",
        f"Validations a second of processor time, one thread, of documents already parsed: median of {options.rounds} turns of "
        f"{options.seconds:g} s, ± half of the distance from the least to the most.", "",
        *table(measured, names), "",
        f"Ahead of ajv in {ahead} of {2 * len(measured)} rows.", "",
        *(f"- **{name}**: {what[0]}" for name, what in documents.KINDS.items() if any(key[0] == name for key in measured)), ""])


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench schema", description=__doc__)
    parser.add_argument("documents", nargs="*", choices=[[], *documents.KINDS], metavar="DOCUMENT", help=", ".join(documents.KINDS))
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a turn (default 0.5)")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each contestant (default 9)")
    parser.add_argument("--without", action="append", default=[], choices=[RUST, PYTHON], help="leave a contestant out")
    options = parser.parse_args()
    options.full = not options.documents and not options.without and options.seconds >= 0.5 and options.rounds >= 9
    return options


def main():
    options = arguments()
    load, measured = os.getloadavg()[0], {}
    contract = json.loads((ROOT / "build-release" / "openapi.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="carers-bench-") as place:
        folder = pathlib.Path(place)
        players = {name: what for name, what in commands(folder).items() if name not in options.without}
        files = documents.write(folder, contract)
        for name, (_, formats) in documents.KINDS.items():
            if options.documents and name not in options.documents:
                continue
            for mode in ("annotate", "assert") if formats else ("annotate",):
                measured[name, mode] = files[name][1].stat().st_size, measure(players, mode, files[name], options)
                print(f"{name}, {mode}: done", file=sys.stderr, flush=True)
    text = report(measured, list(players), options, load)
    print(text)
    if options.full:
        index.keep("schema", text)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except RuntimeError as fault:
        sys.exit(f"bench: {fault}")
