#!/usr/bin/env python3
"""The rule of the stairs: a file includes its own folder and lower floors, never a sibling, never up.

Also says which folder alone may see the header of each library. Exit 1 and one line per breach.
"""
import pathlib
import re
import sys

FLOOR = {"base": 0, "jsonschema": 1, "db": 1, "auth": 1, "contract": 2, "call": 3, "rules": 3, "webhook": 3, "api": 4,
         "http": 5, "main": 6}
DOORS = {"libpq-fe.h": "db", "ulfius.h": "http", "microhttpd.h": "http", "jwt.h": "auth", "rhonabwy.h": "auth",
         "curl/curl.h": "auth webhook", "pcre2.h": "jsonschema", "yder.h": "base",
         "libical/ical.h": "rules", "zlib.h": "http"}
ALONE = {"jsonschema"}  # could be lifted out of the tree as it stands, so it sees nothing else of ours
API_SHARED = {"modules.h", "queries.h"}  # what families may include of their own folder: never each other
ROOTS = ("src", "include", "api")


def folder_of(path):
    """The floor's folder that a file belongs to: src/db/tx.c -> db, src/app.c -> main, api/rules/x.c -> rules."""
    name = path.parent.name
    return name if name in FLOOR else "main"


def fault_of(path, included):
    """The sentence that says why this include is wrong, or None."""
    here = folder_of(path)
    owners = DOORS.get(included)
    if owners:
        return None if here in owners.split() else f"only {'/ and '.join(owners.split())}/ may include {included}"
    there = included.split("/")[0] if "/" in included else here
    if "/" not in included:
        if here == "api" and included not in API_SHARED and (path.parent / included).exists():
            return f"families do not include each other ({included}): put it in rules/ or SQL"
        return None
    if there not in FLOOR or there == here:
        return None
    if here in ALONE:
        return f"{here}/ includes nothing else of ours, and {included} is"
    if FLOOR[there] >= FLOOR[here]:
        return f"{here} (floor {FLOOR[here]}) includes {included} (floor {FLOOR[there]})"
    return None


def main():
    faults = 0
    paths = sorted(p for root in ROOTS for p in pathlib.Path(root).rglob("*") if p.suffix in (".c", ".h", ".def"))
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            fault = found and fault_of(path, found[1])
            if fault:
                faults += 1
                print(f"{path}:{number}: {fault}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
