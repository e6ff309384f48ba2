"""Turns of python-jsonschema for ./dev bench schema: driver.c says the protocol. One at a time: it is slow enough."""
import json
import sys
import time

from jsonschema import Draft202012Validator


def read(file):
    with open(file, encoding="utf-8") as text:
        return json.load(text)


def turn(validator, instance, seconds):
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        validator.is_valid(instance)
        count += 1
    return count


def main():
    mode, schema, *files = sys.argv[1:]
    checker = Draft202012Validator.FORMAT_CHECKER if mode == "assert" else None
    validator = Draft202012Validator(read(schema), format_checker=checker)
    instances = [read(file) for file in files]
    print(json.dumps([validator.is_valid(instance) for instance in instances]), flush=True)
    for line in sys.stdin:
        which, seconds = json.loads(line)
        print(turn(validator, instances[which], seconds), flush=True)


if __name__ == "__main__":
    main()
