"""`carers-api validate`: exit codes and output, and the official JSON-Schema-Test-Suite's verdicts from the command line."""
import json
import re
import sys

import json_schema_suite
import pytest
from support.server import command

VALID, NOT_VALID, UNUSABLE = 0, 1, 2
REMOTES = "http://localhost:1234/"
DRAFT = "tests/draft2020-12"
# How many tests there are at least: those of the pinned package. The suite of November 2026 has 1,299, 764 and 161.
FOLDERS = {"mandatory": (DRAFT, 1257), "format": (f"{DRAFT}/optional/format", 491), "optional": (f"{DRAFT}/optional", 157)}
BIGNUM = 7  # tests of optional/bignum.json that jansson refuses: 5 "a bignum is (not) a ...", 2 of minimum and maximum
OTHER_DRAFT = "refs to historic drafts are processed as historic drafts"  # no draft but 2020-12 is implemented


@pytest.fixture
def write(tmp_path):
    """write(name, value or text): a file in the test's folder."""
    def make(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path
    return make


def validate(*words):
    """The exit code, the lines of stdout as JSON, stderr."""
    done = command({}, "validate", *words)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_valid_instances_end_with_0_and_a_line_each(write):
    code, lines, complaints = validate(write("s.json", {"type": "integer"}), write("1.json", 1), write("2.json", "2.0"))
    assert (code, lines, complaints) == (VALID, [{"valid": True}, {"valid": True}], "")


def test_an_invalid_instance_ends_with_1_and_the_basic_output(write):
    schema = write("s.json", {"$id": "https://schemas.example/s", "properties": {"a": {"type": "integer"}}, "required": ["b"]})
    code, lines, _ = validate(schema, write("1.json", {"a": "x"}), write("2.json", {"b": 1}))
    assert code == NOT_VALID
    assert [line["valid"] for line in lines] == [False, True]
    found = {(fault["instanceLocation"], fault["keywordLocation"], fault["absoluteKeywordLocation"])
             for fault in lines[0]["errors"]}
    assert found == {("/a", "/properties/a/type", "https://schemas.example/s#/properties/a/type"),
                     ("", "/required", "https://schemas.example/s#/required")}
    assert all(fault["error"] for fault in lines[0]["errors"])


def test_a_file_that_cannot_be_used_ends_with_2_and_the_others_are_still_judged(write):
    schema = write("s.json", {"type": "integer"})
    broken = write("broken.json", "{")
    code, lines, complaints = validate(schema, broken, write("1.json", 1), write("2.json", "x"), "missing.json")
    assert code == UNUSABLE
    assert [line["valid"] for line in lines] == [True]
    assert str(broken) in complaints and "missing.json" in complaints and "2.json" in complaints  # x is no JSON text


def test_a_schema_that_does_not_compile_ends_with_2_and_says_where(write):
    schema = write("s.json", {"properties": {"a": {"$ref": "#/$defs/b"}}})
    code, lines, complaints = validate(schema, write("1.json", 1))
    assert (code, lines) == (UNUSABLE, [])
    assert "properties/a" in complaints and "#/$defs/b" in complaints


@pytest.mark.parametrize("words", [(), ("s.json",), ("--schemas",), ("--formats", "s.json", "1.json"), ("--schemas", "s.json", "1.json")])
def test_words_that_make_no_command_end_with_2_and_the_usage(words):
    code, lines, complaints = validate(*words)
    assert (code, lines) == (UNUSABLE, [])
    assert "validate [--assert-format] [--schemas DIR=URI]... SCHEMA INSTANCE..." in complaints


def test_a_duplicate_member_is_refused(write):
    code, _, complaints = validate(write("s.json", {}), write("1.json", '{"a": 1, "a": 2}'))
    assert code == UNUSABLE and "duplicate object key" in complaints


def test_formats_assert_only_when_asked(write):
    words = write("s.json", {"format": "date"}), write("1.json", '"2026-02-30"')
    assert validate(*words)[0] == VALID
    code, lines, _ = validate("--assert-format", *words)
    assert code == NOT_VALID
    assert [fault["keywordLocation"] for fault in lines[0]["errors"]] == ["/format"]


def test_references_lead_into_the_folders_of_schemas(write, tmp_path):
    write("one/deep/name.json", {"type": "string"})
    write("two/count.json", {"$id": "https://two.example/other", "type": "integer"})
    schema = write("s.json", {"properties": {"name": {"$ref": "https://one.example/base/deep/name.json"},
                                             "count": {"$ref": "https://two.example/other"}}})
    folders = ["--schemas", f"{tmp_path}/one=https://one.example/base", "--schemas", f"{tmp_path}/two=https://two.example/"]
    code, lines, _ = validate(*folders, schema, write("1.json", {"name": 1, "count": "x"}))
    assert code == NOT_VALID
    assert {fault["instanceLocation"] for fault in lines[0]["errors"]} == {"/name", "/count"}
    assert validate(schema, tmp_path / "1.json")[0] == UNUSABLE


def test_a_relative_reference_is_resolved_against_the_file(write, tmp_path):
    write("parts/name.json", {"type": "string"})
    schema = write("s.json", {"$ref": "parts/name.json"})
    assert validate("--schemas", f"{tmp_path}/parts=file://{tmp_path}/parts", schema, write("1.json", "1"))[0] == NOT_VALID


def beyond_64_bits(value):
    """jansson reads integers into 64 bits and refuses others: they never get as far as a schema."""
    if isinstance(value, (list, dict)):
        return any(beyond_64_bits(inner) for inner in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and not -2**63 <= value < 2**63


class Judged:
    """What the command says of one group of the suite, against what the suite wants."""

    def __init__(self, group, words, write):
        self.group, self.refused, self.faults = group, 0, []
        files = [write(f"{number:03}.json", json.dumps(test["data"])) for number, test in enumerate(group["tests"])]
        self.code, self.lines, self.complaints = validate(*words, write("schema.json", json.dumps(group["schema"])), *files)

    def fault(self, what):
        self.faults.append(f"{self.group['description']}: {what}: {self.complaints[-300:]}")

    def judge(self):
        """A schema that is refused refuses all its instances; a refused instance has no line."""
        tests = [] if beyond_64_bits(self.group["schema"]) else self.group["tests"]
        readable = [test for test in tests if not beyond_64_bits(test["data"])]
        self.refused = len(self.group["tests"]) - len(readable)
        wanted = VALID if all(test["valid"] for test in readable) else NOT_VALID
        if self.code != (UNUSABLE if self.refused else wanted):
            self.fault(f"exit {self.code}")
        if self.refused and not re.search("too big (negative )?integer", self.complaints):
            self.fault("it does not say that an integer is too big")
        if len(self.lines) != len(readable):
            self.fault(f"{len(self.lines)} lines for {len(readable)} instances")
        for test, line in zip(readable, self.lines):
            if line["valid"] != test["valid"]:
                self.fault(f"{test['description']} is said to be {'' if line['valid'] else 'not '}valid")
        return self


@pytest.mark.parametrize("name", FOLDERS)
def test_the_official_suite_is_judged_as_it_wants(name, write, capfd):
    """With its remotes below http://localhost:1234/ from the folder, and formats asserted in their folder only."""
    suite = json_schema_suite.find()
    folder, least = FOLDERS[name]
    words = ["--assert-format"] if name == "format" else []
    faults, total, refused = [], 0, 0
    for path in sorted((suite / folder).glob("*.json")):
        for group in json.loads(path.read_text(encoding="utf-8")):
            if group["description"] == OTHER_DRAFT:
                continue
            remotes = ["--schemas", f"{suite / 'remotes'}={REMOTES}"] if REMOTES in json.dumps(group["schema"]) else []
            judged = Judged(group, words + remotes, write).judge()
            total, refused = total + len(group["tests"]), refused + judged.refused
            faults += [f"{path.name}: {fault}" for fault in judged.faults]
    with capfd.disabled():
        print(f"carers-api validate: JSON-Schema-Test-Suite {name}: {total} tests, {refused} refused (integers beyond 64 bits), "
              f"{len(faults)} faults", file=sys.stderr)
    assert not faults, "\n".join(faults)
    assert total >= least
    assert refused == (BIGNUM if name == "optional" else 0)
