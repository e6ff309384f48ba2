#!/usr/bin/env python3
"""bench/results.md, the list of all that was measured, made of the results files that stand beside it. Every full run renews it."""
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
INDEX = HERE / "results.md"
# In the order of what a newcomer asks; files that are not named here come behind.
QUESTIONS = {
    "peers": "How does it compare with the same operations on Go, Fastify and FastAPI?",
    "service": "How near is it to what PostgreSQL gives, with 1 to 1,000 connections, and beside slow neighbours?",
    "scale": "Does a million carers slow it down?",
    "feed": "Is the feed of changes whole and prompt beside sixteen writers?",
    "directory": "How fast are searches in the directory, Open Referral's pages and an import?",
    "soak": "Does it hold for an hour, and when what it stands on fails?",
    "schema": "How does its JSON Schema validator compare with others?",
}
DATE, COMMIT = r"\b(20\d\d-\d\d-\d\d)\b", r"\bcommit ([0-9a-f]{7,}( with changes)?)"
HEAD = """# What was measured

A results file for each question, written by a full run of its command on one machine, with commit and versions; never by hand. What the
words mean, and how it is measured, stands in [README.md](README.md). This list is made of the files (`python3 bench/index.py`).

| question | results | date | commit | goals |
|---|---|---|---|---|
"""


def said(text, name, otherwise):
    """A line of the file's head, or the newest section's; where there is none, what looks like it."""
    sections = [part for part in re.split(r"^## ", text, flags=re.MULTILINE) if f"\n- {name}: " in part]
    newest = max(sections, key=lambda part: re.search(DATE + ".*", part)[0], default=text)
    found = re.search(rf"^- {name}: ([^;\n]*)", newest, re.MULTILINE) or re.search(otherwise, text)
    return found[1] if found else ""


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def goals(text):
    """What was to be: (what, goal, measured, whether it was so), of the table under `## Goals`, or of the promises of a soak."""
    part = re.search(r"^## Goals\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    rows = [cells(line) for line in part[1].splitlines() if line.startswith("|")][2:] if part else []
    found = [(what, goal, got, met == "met") for what, goal, got, met in (row for row in rows if len(row) == 4)]
    for scene in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        promised = [cells(line) for line in scene.splitlines() if re.search(r"\| (kept|\*\*broken\*\*) \|$", line)]
        found += [(f"{scene.split()[0]}: {expected}", "", saw, kept == "kept") for expected, saw, kept in promised]
    return found


def name_of(file):
    return file.stem.removeprefix("results-")


def text_of(files):
    rows, missed = [], []
    for file in files:
        text = file.read_text(encoding="utf-8")
        found = goals(text)
        met = sum(row[3] for row in found)
        missed += [(file, row) for row in found if not row[3]]
        rows.append(f"| {QUESTIONS.get(name_of(file), text.splitlines()[0].lstrip('# '))} | [{file.name}]({file.name}) | {said(text, 'date', DATE)} | {said(text, 'commit', COMMIT)} | "
                    f"{f'{met} of {len(found)} met' if found else ''} |")
    lines = [HEAD.rstrip("\n"), *rows]
    if missed:
        lines += ["", "## Goals that were missed", "", "| results | what | goal | measured |", "|---|---|---|---|"]
        lines += [f"| [{file.name}]({file.name}) | {what} | {goal} | {got} |" for file, (what, goal, got, _) in missed]
    return "\n".join(lines) + "\n"


def renew():
    order = list(QUESTIONS)
    files = sorted(HERE.glob("results-*.md"), key=lambda file: (order.index(name_of(file)) if name_of(file) in order else len(order), file.name))
    INDEX.write_text(text_of(files), encoding="utf-8")


def keep(name, text):
    """A results file, and the list."""
    (HERE / f"results-{name}.md").write_text(text, encoding="utf-8")
    renew()


if __name__ == "__main__":
    renew()
