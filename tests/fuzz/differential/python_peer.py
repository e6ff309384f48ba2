"""python-jsonschema in the differential run: a line in, {"schema": S, "instances": [...]}; a line out, its verdicts."""
import json
import sys

from jsonschema import Draft202012Validator, FormatChecker

NO_FORMATS = FormatChecker(formats=())  # formats annotate, in the metaschema too: a pattern is judged when it is used

sys.setrecursionlimit(600)  # an endless reference ends soon


def verdict(validator, instance):
    try:
        return validator.is_valid(instance)
    except Exception as fault:  # whatever it is, it is an answer and is reported
        return f"error: {type(fault).__name__}: {fault}"


def answer(line):
    question = json.loads(line)
    try:
        Draft202012Validator.check_schema(question["schema"], format_checker=NO_FORMATS)
        validator = Draft202012Validator(question["schema"])
    except Exception as fault:
        return {"error": f"{type(fault).__name__}: {fault}"}
    return [verdict(validator, instance) for instance in question["instances"]]


def main():
    for line in sys.stdin:
        print(json.dumps(answer(line)), flush=True)


if __name__ == "__main__":
    main()
