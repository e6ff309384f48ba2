#!/usr/bin/env python3
"""Does the contract break what was released? Exit 1 when it does, unless its version says so.

    breaking.py OASDIFF RELEASED.json NEW.json

A new series may break what the last one promised: another first number of `info.version`, and while that is 0, another second one.
"""
import json
import pathlib
import subprocess
import sys


def series(version):
    """The part of a version within which nothing breaks: 1 of 1.4.2, 0.3 of 0.3.1."""
    numbers = version.split(".")
    return numbers[:2] if numbers[0] == "0" else numbers[:1]


def changes(oasdiff, released, new):
    """What breaks: oasdiff's list, errors and warnings."""
    done = subprocess.run([oasdiff, "breaking", released, new, "--format", "json"], text=True, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"breaking: oasdiff ended with {done.returncode}: {done.stderr}")
    found = json.loads(done.stdout or "[]") or []
    return found["changes"] if isinstance(found, dict) else found


def version(path):
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["info"]["version"]


def main():
    oasdiff, released, new = sys.argv[1:]
    found = changes(oasdiff, released, new)
    for one in found:
        print(f"{one.get('operation', '')} {one.get('path', '')}: {one['text']} [{one['id']}]", file=sys.stderr)
    before, now = version(released), version(new)
    if not found:
        return
    if series(before) != series(now):
        print(f"breaking: {len(found)} changes, which {now} may make after {before}", file=sys.stderr)
        return
    sys.exit(f"breaking: {len(found)} changes break what {before} promised: take them back, or raise `info.version` in openapi.yaml to a "
             "new series (docs/clients.md)")


if __name__ == "__main__":
    main()
