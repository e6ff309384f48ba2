#!/usr/bin/env python3
"""README's table of settings, made from include/base/settings.def.

settings_table.py          print the table
settings_table.py --write  put it into README.md between its two markers
settings_table.py --check  exit 1 when README.md has another one
"""
import pathlib
import re
import sys

SOURCE = pathlib.Path("include/base/settings.def")
TARGET = pathlib.Path("README.md")
BEGIN = "<!-- settings: made by tools/settings_table.py -->"
END = "<!-- end of settings -->"
ROW = re.compile(r'^X\((\w+), *(\w+), *"(\w+)", *"([^"]*)", *(\d+), *(\d+),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)',
                 re.MULTILINE)


def rows():
    text = SOURCE.read_text(encoding="utf-8")
    found = ROW.findall(text)
    if len(found) != len(re.findall(r"^X\(", text, re.MULTILINE)):
        sys.exit(f"{SOURCE}: a line is not X(field, kind, variable, default, min, max, sentence)")
    for _field, kind, variable, default, low, high, sentence in found:
        words = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', sentence)).replace('\\"', '"').replace("|", "\\|")
        bounds = f"{low}-{high}" if kind == "NUMBER" else {"FLAG": "true, false", "LEVEL": "debug, info, warning, error"}.get(kind, "")
        yield f"| `{variable}` | {'`' + default + '`' if default else ''} | {bounds} | {words} |"


def table():
    return "\n".join(["| variable | default | values | what it is |", "|---|---|---|---|", *rows()])


def main(mode):
    if mode is None:
        print(table())
        return
    readme = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    if BEGIN not in readme or END not in readme:
        sys.exit(f"{TARGET} has no place for the settings: a line `{BEGIN}` and a line `{END}`")
    head, rest = readme.split(BEGIN, 1)
    fresh = f"{head}{BEGIN}\n{table()}\n{END}{rest.split(END, 1)[1]}"
    if mode == "--write":
        TARGET.write_text(fresh, encoding="utf-8")
    elif fresh != readme:
        sys.exit(f"{TARGET}: the table of settings is not {SOURCE}'s: run tools/settings_table.py --write")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
