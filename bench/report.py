"""Where a run took place, and its results as text."""
import os
import platform
import re
import statistics
import subprocess
import time

from ground import COUNCILS, PROGRAM, ROOT
from steady import CONNECTIONS, SLOW_CLIENTS

PACKAGES = ("postgresql-15", "wrk", "libulfius2.7", "libmicrohttpd12", "libpq5", "libjansson4", "libjwt0", "libssl3", "gcc")
BUSY = 0.5  # load average above which the figures are somebody else's too


def output(*command):
    done = subprocess.run(command, text=True, capture_output=True, cwd=ROOT, check=False)
    return done.stdout.strip()


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        names = [line.partition(":")[2].strip() for line in info if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def memory_gib():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def commit():
    head = output("git", "rev-parse", "--short=12", "HEAD") or "unknown"
    changed = output("git", "status", "--porcelain", "--untracked-files=no", "--", ".", ":!bench/results*")  # those of this run are no change
    return head + (" with changes" if changed else "")


def versions():
    listed = output("dpkg-query", "-W", "-f", "${Package} ${Version}\n", *PACKAGES)
    return ", ".join([output(str(PROGRAM), "version"), *listed.splitlines()])


def surroundings(settings, load_before, others):
    """Machine, commit, versions and settings: without them a figure is no figure. `others`: more pairs of a name and a value."""
    not_shipped = ", ".join(f"{name}={value}" for name, value in settings.items()) or "none but the rate limit (0: off)"
    lines = [
        ("date", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())),
        ("commit", commit()),
        ("machine", f"{processor()}, {memory_gib():.0f} GiB, kernel {platform.release()}"),
        ("load average before", f"{load_before:.2f}" + (" (the machine was busy)" if load_before > BUSY else "")),
        ("versions", versions()),
        ("settings not as shipped", not_shipped),
        *others,
    ]
    return [f"- {name}: {value}" for name, value in lines]


def spread(values):
    """Half of the distance from least to most, in per cent of the median."""
    return (max(values) - min(values)) / 2 / statistics.median(values) * 100


def ratio(turns, limit):
    """Of the rounds: each turn against pgbench's in the same round."""
    return statistics.median(mine.rate / theirs.rate for mine, theirs in zip(turns, limit))


def processor_time(turns, served):
    """Medians; a service that is not asked is left out."""
    parties = ("service", "database", "load") if served else ("database", "load")
    return " + ".join(f"{statistics.median(turn.cpu_us[who] for turn in turns):.0f}" for who in parties)


HEAD = ["| connections | who | requests/s | p50 ms | p99 ms | of pgbench | CPU µs: service + PostgreSQL + load | peak MiB | errors |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|"]


def row(connections, who, turns, limit):
    def middle(field):
        return statistics.median(getattr(turn, field) for turn in turns)

    served = who.startswith("service")
    cells = [connections, who, f"{middle('rate'):,.0f} ±{spread([t.rate for t in turns]):.0f}%", f"{middle('p50'):.2f}",
             f"{middle('p99'):.2f}", f"{ratio(turns, limit):.2f}", processor_time(turns, served),
             f"{max(t.peak_mib for t in turns):.1f}" if served else "", sum(t.errors for t in turns)]
    return "| " + " | ".join(map(str, cells)) + " |"


def closed_table(title, rows):
    """`rows`: connections -> Row."""
    lines = ["", f"## {title[0].upper()}{title[1:]}", "", *HEAD]
    for connections, found in rows.items():
        lines += [row(connections, who, turns, found.turns[found.limit]) for who, turns in found.turns.items()]
    return lines


def tokens_lines(pairs):
    ratios = [rs.rate / hs.rate for hs, rs in pairs]
    return ["", "## RS256 against HS256", "",
            f"Get by id, 32 connections, {len(pairs)} pairs of turns, the first of a pair in turn: RS256 at "
            f"{statistics.median(ratios):.3f} of HS256 (pairs {min(ratios):.3f} to {max(ratios):.3f}; medians "
            f"{statistics.median(hs.rate for hs, _ in pairs):,.0f}/s and "
            f"{statistics.median(rs.rate for _, rs in pairs):,.0f}/s)."]


def steady_lines(runs, capacity):
    alone, beside = runs
    lines = ["", "## At a fixed rate, beside slow statements", "",
             f"Get by id, RS256, {alone.rate:,.0f} requests/s (60% of {capacity:,.0f}/s, measured just before), over "
             f"{CONNECTIONS} connections, by {alone.tool}, latencies from when a request was due.", "",
             "| beside it | p50 ms | p99 ms | worst ms | errors |", "|---|---:|---:|---:|---:|"]
    names = ("nothing", f"{SLOW_CLIENTS} clients with a statement of 200 ms ({beside.slow_count} done, "
                        f"p50 {beside.slow_p50:.0f} ms)")
    return lines + [f"| {name} | {run.p50:.2f} | {run.p99:.2f} | {run.worst:.1f} | {run.errors} |"
                    for name, run in zip(names, runs)]


def goals_lines(results):
    """What was aimed at, and what came out; only of what was measured."""
    found = []
    at_32 = results.closed.get("get", {}).get(32)
    if at_32:
        found.append(("get by id, RS256, 32 connections, of pgbench", ">= 0.50",
                      f"{(got := ratio(at_32.turns['service RS256'], at_32.turns[at_32.limit])):.2f}", got >= 0.5))
    peaks = [turn.peak_mib for rows in results.closed.values() if 1000 in rows
             for turns in rows[1000].turns.values() for turn in turns]
    if peaks:
        found.append(("peak memory at 1,000 connections", "< 64 MiB", f"{max(peaks):.1f} MiB", max(peaks) < 64))
    if results.pairs:
        got = statistics.median(rs.rate / hs.rate for hs, rs in results.pairs)
        found.append(("RS256 against HS256", ">= 0.95", f"{got:.3f}", got >= 0.95))
    if results.steady:
        got = results.steady[1].p99
        found.append(("p99 at 60% of capacity beside slow statements", "< 50 ms", f"{got:.1f} ms", got < 50))
    return goals_table(found)


def goals_table(found):
    """`found`: what, goal, measured, met or not."""
    if not found:
        return []
    return ["", "## Goals", "", "| what | goal | measured | |", "|---|---|---|---|",
            *(f"| {what} | {goal} | {got} | {'met' if met else '**missed**'} |" for what, goal, got, met in found)]


def turns_line(options):
    return "turns", f"{options.rounds} round{'s' if options.rounds > 1 else ''} of {options.seconds} s each, contestants in turn"


def report(results, options, ground, load_before):
    lines = ["# Results of ./dev bench", "", "Written by a full run; what the words mean stands in README.md, what else was measured in results.md.", ""]
    data = f"{ground.carers:,} carers, {COUNCILS} councils, 5 organisations; {ground.plan['tokens']} tokens"
    lines += surroundings(options.settings, load_before, [("data", data), turns_line(options)])
    lines += goals_lines(results)
    for name, rows in results.closed.items():
        lines += closed_table(ground.plan["targets"][name]["title"], rows)
    lines += tokens_lines(results.pairs) if results.pairs else []
    lines += steady_lines(results.steady, results.capacity) if results.steady else []
    return re.sub(r" +\n", "\n", "\n".join(lines)) + "\n"
