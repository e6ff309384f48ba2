"""What ./dev bench peers found, as text and as a picture."""
import statistics

import bar_chart
import report
from ground import COUNCILS

AT = 32  # connections that the goals are of
GOALS = (("carers-api", "pgbench", 0.55), ("carers-api", "Go", 1.3), ("carers-api", "Fastify", 4), ("carers-api", "FastAPI", 6))
HEAD = ["| connections | who | requests/s | of pgbench | p50 ms | p99 ms | its CPU s per 1,000 | PostgreSQL's | memory MiB | errors |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|"]


def middle(turns, field):
    return statistics.median(getattr(turn, field) for turn in turns)


def limit_of(row):
    """The first of pgbench's: as many clients as connections, 32 at most."""
    return next(who for who in row if who.startswith("pgbench"))


def cpu(turns, who):
    """Seconds for a thousand requests: a microsecond for one is a thousandth of that."""
    return f"{statistics.median(turn.cpu_us[who] for turn in turns) / 1e3:.3f}"


def line(connections, who, turns, limit):
    served = not who.startswith("pgbench")
    cells = [connections, who, f"{middle(turns, 'rate'):,.0f} ±{report.spread([t.rate for t in turns]):.0f}%", f"{report.ratio(turns, limit):.2f}",
             f"{middle(turns, 'p50'):.2f}", f"{middle(turns, 'p99'):.2f}", cpu(turns, "service") if served else "", cpu(turns, "database"),
             f"{max(t.peak_mib for t in turns):.1f}" if served else "", sum(t.errors for t in turns)]
    return "| " + " | ".join(map(str, cells)) + " |"


def table(title, rows):
    lines = ["", f"## {title[0].upper()}{title[1:]}", "", *HEAD]
    for connections, row in rows.items():
        lines += [line(connections, who, turns, row[limit_of(row)]) for who, turns in row.items()]
    return lines


def goals(tables):
    """What was aimed at, and what came out; only of what was measured."""
    row = tables.get("get", {}).get(AT, {})
    for who, other, goal in GOALS:
        against = limit_of(row) if row and other == "pgbench" else other
        if who in row and against in row:
            got = report.ratio(row[who], row[against])
            yield f"get by id, {AT} connections, against {other}", f">= {goal:.2f}", f"{got:.2f}", got >= goal
    peaks = {}
    for rows in tables.values():
        for row in rows.values():
            for who, turns in row.items():
                if not who.startswith("pgbench"):
                    peaks[who] = max(peaks.get(who, 0), *(turn.peak_mib for turn in turns))
    if len(peaks) > 1:
        least = min(peaks, key=peaks.get)
        words = ", ".join(f"{who} {peak:.0f}" for who, peak in peaks.items())
        yield "the least memory of all, MiB at most", "carers-api", words, least == "carers-api"


def contestants_lines(peers, words):
    lines = ["", "## Who they are", "", f"- **carers-api**: {words}; as it is shipped, with its log and its metrics, but for the rate limit."]
    lines += [f"- **{peer.kind.name}** ({', '.join(peer.kind.versions())}): {peer.kind.words}; {peer.kind.processes} process{'es' if peer.kind.processes > 1 else ''}, "
              f"{peer.kind.sessions} sessions of PostgreSQL together." for peer in peers]
    return lines


def text_of(tables, peers, words, here, options, load_before):
    titles = {name: here.plan["targets"][name]["title"] for name in tables}
    data = f"{here.carers:,} carers, {COUNCILS} councils, 10,000 services; {here.plan['tokens']} tokens, RS256"
    lines = ["# Results of ./dev bench peers", "", "Written by a full run; what the words mean stands in README.md.", "",
             *report.surroundings({}, load_before, [("data", data), report.turns_line(options)]),
             *report.goals_table(list(goals(tables))), "", "![requests a second](results-peers.svg)", *contestants_lines(peers, words)]
    for name, rows in tables.items():
        lines += table(titles[name], rows)
    return "\n".join(lines) + "\n"


def plot_of(tables, plan):
    """Panels of requests a second at the goals' number of connections, and one of memory."""
    panels = []
    for name, rows in tables.items():
        row = rows.get(AT) or next(iter(rows.values()))
        bars = [(who, middle(turns, "rate"), f"{middle(turns, 'rate'):,.0f}") for who, turns in row.items()]
        panels.append((f"{plan['targets'][name]['title']}: requests/s", bars))
    peaks = [(who, max(t.peak_mib for rows in tables.values() for row in rows.values() for t in row[who])) for who in next(iter(next(iter(tables.values())).values()))
             if not who.startswith("pgbench")]
    panels.append(("most memory in any turn: MiB", [(who, peak, f"{peak:,.0f}") for who, peak in peaks]))
    return bar_chart.svg(panels)
