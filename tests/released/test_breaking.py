"""tools/dev/breaking.py: an edit of the released contract that breaks a client is caught; one that does not is let through."""
import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASED = ROOT / "api" / "released.json"


def schema(contract, name):
    return contract["components"]["schemas"][name]


def no_path(contract):
    del contract["paths"]["/v1/me"]


def no_operation(contract):
    del contract["paths"]["/v1/carers/{carer_id}"]["patch"]


def new_demand(contract):
    schema(contract, "CarerCreate")["required"].append("date_of_birth")


def new_parameter(contract):
    contract["paths"]["/v1/me"]["get"].setdefault("parameters", []).append(
        {"name": "council", "in": "query", "required": True, "schema": {"type": "string"}})


def fewer_words(contract):
    schema(contract, "CarerKind")["enum"].pop()


def lost_member(contract):
    one = schema(contract, "Carer")
    del one["properties"]["given_name"]
    one["required"].remove("given_name")
    del schema(contract, "CarerFields")["properties"]["given_name"]  # what `fields` shows refers to it


def shorter_text(contract):
    schema(contract, "Note")["maxLength"] = 10


def new_type(contract):
    schema(contract, "CarerCreate")["properties"]["known_to_social_care"] = {"type": "string"}


def more_to_read(contract):
    schema(contract, "Carer")["properties"]["nickname"] = {"type": "string", "maxLength": 100}


def more_to_say(contract):
    schema(contract, "CarerCreate")["properties"]["nickname"] = {"type": "string", "maxLength": 100}


def more_paths(contract):
    contract["paths"]["/v1/myself"] = copy.deepcopy(contract["paths"]["/v1/me"])
    contract["paths"]["/v1/myself"]["get"]["operationId"] = "getMyself"


BREAK = {no_path: "api-path-removed", no_operation: "api-removed", new_demand: "request-property-became-required",
         new_parameter: "new-required-request-parameter", fewer_words: "enum-value-removed", lost_member: "response-required-property-removed",
         shorter_text: "max-length-decreased", new_type: "type-changed"}


class Breaking(unittest.TestCase):
    """Each edit by itself, against api/released.json."""

    def judge(self, edit, version=None):
        contract = json.loads(RELEASED.read_text(encoding="utf-8"))
        edit(contract)
        contract["info"]["version"] = version or contract["info"]["version"]
        with tempfile.TemporaryDirectory(prefix="carers-released-") as folder:
            new = pathlib.Path(folder) / "new.json"
            new.write_text(json.dumps(contract), encoding="utf-8")
            return subprocess.run([sys.executable, ROOT / "tools/dev/breaking.py", os.environ["OASDIFF"], RELEASED, new],
                                  text=True, capture_output=True, check=False)

    def test_what_breaks_a_client_is_caught_and_named(self):
        for edit, name in BREAK.items():
            with self.subTest(edit.__name__):
                done = self.judge(edit)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(name, done.stderr)

    def test_what_is_only_more_is_let_through(self):
        for edit in (more_to_read, more_to_say, more_paths, lambda contract: None):
            with self.subTest(edit.__name__):
                done = self.judge(edit)
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_new_series_may_break_and_says_what(self):
        done = self.judge(no_path, "1.0.0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("api-path-removed", done.stderr)

    def test_a_new_number_within_the_series_may_not(self):
        major, minor = json.loads(RELEASED.read_text(encoding="utf-8"))["info"]["version"].split(".")[:2]
        self.assertEqual(self.judge(no_path, f"{major}.{minor}.999").returncode, 1)


if __name__ == "__main__":
    unittest.main()
