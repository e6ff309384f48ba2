#!/usr/bin/env python3
"""Tables of the documents that are made from lists in the code: settings in README.md, the machines in docs/referrals.md, docs/breaks.md
and docs/funding.md.

tables.py          print them
tables.py --write  put each into its document between its two markers
tables.py --check  exit 1 when a document has another one
"""
import pathlib
import re
import sys

STRINGS = re.compile(r'"((?:[^"\\]|\\.)*)"')
SETTING = re.compile(r'^X\((\w+), *(\w+), *"(\w+)", *"([^"]*)", *(\d+), *(\d+),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)',
                     re.MULTILINE)
AWARD_MOVE = re.compile(r'^X\(([A-Z_ |]+),\s*(\w+),\s*(\w+),\s*"([^"]*)"\)', re.MULTILINE)
MOVE = re.compile(r'^X\(([A-Z_ |]+),\s*(\w+),\s*(\w+),\s*([A-Z |]+),\s*"([^"]*)"\)', re.MULTILINE)


def found(path, pattern, shape):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    rows = pattern.findall(text)
    if len(rows) != len(re.findall(r"^X\(", text, re.MULTILINE)):
        sys.exit(f"{path}: a line is not X({shape})")
    return rows


def settings():
    yield "| variable | default | values | what it is |"
    yield "|---|---|---|---|"
    for _, kind, variable, default, low, high, sentence in found("include/base/settings.def", SETTING,
                                                                 "field, kind, variable, default, min, max, sentence"):
        words = "".join(STRINGS.findall(sentence)).replace('\\"', '"').replace("|", "\\|")
        bounds = f"{low}-{high}" if kind == "NUMBER" else {"FLAG": "true, false, 1, 0", "LEVEL": "debug, info, warning, error"}.get(kind, "")
        yield f"| `{variable}` | {'`' + default + '`' if default else ''} | {bounds} | {words} |"


def codes(text):
    return ", ".join(f"`{word.strip().lower()}`" for word in text.split("|"))


def moves(path):
    yield "| from | action | to | side | must carry |"
    yield "|---|---|---|---|---|"
    for states, action, to, sides, must in found(path, MOVE, "from, action, to, side, must"):
        target = "the same" if to == "SAME" else codes(to)
        yield f"| {codes(states)} | `{action}` | {target} | {codes(sides).replace('`', '')} | {must.replace(' ', ', ')} |"


def funding_moves():
    yield "| from | action | to | must carry |"
    yield "|---|---|---|---|"
    for states, action, to, must in found("api/rules/funding_states.def", AWARD_MOVE, "from, action, to, must"):
        yield f"| {codes(states)} | `{action}` | {codes(to)} | {must.replace(' ', ', ')} |"


TABLES = (("README.md", "settings", settings),
          ("docs/referrals.md", "referral moves", lambda: moves("api/rules/referral_states.def")),
          ("docs/breaks.md", "break moves", lambda: moves("api/rules/break_states.def")),
          ("docs/funding.md", "funding moves", funding_moves))


def main(mode):
    for name, what, rows in TABLES:
        begin, end = f"<!-- {what}: made by tools/tables.py -->", f"<!-- end of {what} -->"
        table, path = "\n".join(rows()), pathlib.Path(name)
        if mode is None:
            print(table)
            continue
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if begin not in text or end not in text:
            sys.exit(f"{name} has no place for the {what}: a line `{begin}` and a line `{end}`")
        head, rest = text.split(begin, 1)
        fresh = f"{head}{begin}\n{table}\n{end}{rest.split(end, 1)[1]}"
        if mode == "--write":
            path.write_text(fresh, encoding="utf-8")
        elif fresh != text:
            sys.exit(f"{name}: the table of {what} is not what the code has: run tools/tables.py --write")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
