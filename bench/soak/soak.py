#!/usr/bin/env python3
"""./dev soak: endurance and faults. Each scenario says what it expected and what it saw, and ends with 1 when a promise was broken."""
import argparse
import importlib
import os
import pathlib
import shutil
import sys
import time
import traceback

import stage
import index
import load
import report
from ground import ROOT, dev_run

SCENES = {"steady": "hour", "restart": "restart", "pause": "pause", "crowded": "crowded", "disk": "disk", "clock": "clock",
          "idle": "idle", "slow": "slow", "beside": "beside", "tsan": "tsan", "valgrind": "memcheck"}
RESULTS = ROOT / "bench" / "results-soak.md"
HEAD = """# Results of ./dev soak

A section is written anew by each long run (`./dev soak NAME`, without `--short`); what the words mean stands in README.md.
"""


def arguments():
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__, epilog=f"scenarios: {', '.join(SCENES)}, all")
    parser.add_argument("names", nargs="+", metavar="NAME", choices=[*SCENES, "all"])
    parser.add_argument("--minutes", type=float, help="how long each lasts (default: as each needs; steady 60)")
    parser.add_argument("--short", action="store_true", help="what ./dev check runs: to see that it holds, no results written")
    parser.add_argument("--carers", type=int, help=f"size of the data set (default {stage.CARERS:,})")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / ".dev-soak",
                        help="folder for the run; it is deleted at the end (default .dev-soak)")
    options = parser.parse_args()
    options.data = options.data.resolve()
    options.names = list(SCENES) if "all" in options.names else options.names
    return options


def section(told, title, minutes, took, load_before):
    lines = [f"## {told.name}", "", f"{title}. {'All promises were kept.' if told.kept else '**A promise was broken.**'}", "",
             f"- date: {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}; it took {took / 60:.1f} minutes (asked for: {minutes:g})",
             f"- commit: {report.commit()}",
             f"- machine: {report.processor()}, {report.memory_gib():.0f} GiB, load average before {load_before:.2f}", "",
             "| expected | saw | |", "|---|---|---|"]
    lines += [f"| {expected} | {saw} | {'kept' if kept else '**broken**'} |" for expected, saw, kept in by_promise(told.promises)]
    if told.figures:
        lines += ["", "| figure | |", "|---|---|", *(f"| {what} | {value} |" for what, value in dict(told.figures).items())]
    return "\n".join(lines) + "\n"


def by_promise(promises):
    """Of rounds one line each: a round that broke it, else the last."""
    rounds = {}
    for expected, saw, kept in promises:
        rounds.setdefault(expected, []).append((kept, saw))
    for expected, found in rounds.items():
        kept, saw = next((one for one in found if not one[0]), found[-1])
        yield expected, saw + (f" (the last of {len(found)} rounds)" if kept and len(found) > 1 else ""), kept


def write(name, text):
    """The section in place of the one that was there; sections stand in the order of SCENES."""
    parts = RESULTS.read_text(encoding="utf-8").split("\n## ") if RESULTS.exists() else [HEAD]
    known = {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in parts[1:]}
    known[name] = text
    index.keep("soak", "\n".join([HEAD, *(known[scene] for scene in SCENES if scene in known)]))


def play(name, options):
    scene = importlib.import_module(SCENES[name])
    told, load_before, began = stage.Told(name), os.getloadavg()[0], time.monotonic()
    own = argparse.Namespace(**vars(options))
    own.minutes = options.minutes or (scene.SHORT if options.short else scene.MINUTES)
    told.say(f"{scene.TITLE[0].lower()}{scene.TITLE[1:]}; {own.minutes:g} minutes")
    try:
        scene.play(told, own)
    except (load.BenchFailed, dev_run.Refused, RuntimeError, OSError, ValueError, AssertionError) as fault:
        traceback.print_exc()
        told.promise("the scenario comes to its end", f"{type(fault).__name__}: {str(fault)[:300]}", False)
    took = time.monotonic() - began
    print(f"soak {name}: {'all kept' if told.kept else 'BROKEN'} ({took:.0f} s)\n", flush=True)
    if not options.short:
        write(name, section(told, scene.TITLE, own.minutes, took, load_before))
    return told.kept


def main():
    options = arguments()
    try:
        kept = {name: play(name, options) for name in options.names}
    finally:
        shutil.rmtree(stage.made_before(options.data), ignore_errors=True)
    broken = [name for name, good in kept.items() if not good]
    print(f"soak: {len(kept)} scenarios, " + (f"broken: {', '.join(broken)}" if broken else "all promises kept"))
    return 1 if broken else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
