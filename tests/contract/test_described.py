"""The contract tells everything twice: in words, and by an example that its schema takes."""
import json
import subprocess

import jsonschema
import pytest
from support.server import ROOT

METHODS = ("get", "put", "post", "patch", "delete")


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """The bundled contract, as it is served."""
    folder = tmp_path_factory.mktemp("contract")
    subprocess.run(["/usr/bin/python3", ROOT / "tools/bundle.py", ROOT / "openapi.yaml", folder / "o.json", folder / "o.yaml"], check=True)
    return json.loads((folder / "o.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def resolve(document):
    def target(node):
        while "$ref" in node:
            reference, node = node["$ref"], document
            for part in reference[2:].split("/"):
                node = node[part.replace("~1", "/").replace("~0", "~")]
        return node
    return target


@pytest.fixture(scope="module")
def breaches(document):
    """breaches(schema, value): what python-jsonschema has against the value."""
    def plain(node):
        if isinstance(node, list):
            return [plain(one) for one in node]
        if not isinstance(node, dict):
            return node
        return {key: pattern(value) if key == "pattern" and isinstance(value, str) else plain(value) for key, value in node.items()}

    def pattern(text):
        """Python's `re` knows no \\p{...}: any word will do here."""
        return text.replace(r"[\p{L}\p{N}]", r"[^\W_]")

    whole = plain(document)
    resolver = jsonschema.RefResolver("", whole)

    def check(schema, value):
        validator = jsonschema.Draft202012Validator(plain(schema), resolver=resolver, format_checker=jsonschema.FormatChecker())
        return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]
    return check


@pytest.fixture(scope="module")
def operations(document):
    return [item[method] for item in document["paths"].values() for method in METHODS if method in item]


def examples(entry):
    """The examples of a body, a parameter or a schema."""
    named = entry.get("examples", [])
    values = [one["value"] for one in named.values()] if isinstance(named, dict) else list(named)
    return values + ([entry["example"]] if "example" in entry else [])


def bodies(operation, resolve):
    """(where, entry) of everything that is sent and answered."""
    holders = [("request", operation["requestBody"])] if "requestBody" in operation else []
    for where, holder in holders + list(operation["responses"].items()):
        for media, entry in resolve(holder).get("content", {}).items():
            yield f"{operation['operationId']} {where} {media}", entry


def test_every_operation_has_a_summary_and_a_description(operations):
    assert len(operations) > 200
    assert [one["operationId"] for one in operations if not (one.get("summary") and len(one.get("description", "")) >= 10)] == []


def test_every_parameter_is_described_and_tells_what_it_may_be(operations, resolve):
    mute = []
    for operation in operations:
        for parameter in map(resolve, operation.get("parameters", ())):
            schema = resolve(parameter["schema"])
            told = examples(parameter) or examples(schema) or {"enum", "default"} & set(schema) or schema.get("type") in ("boolean", "array")
            if not parameter.get("description") or not told:
                mute.append((operation["operationId"], parameter["name"]))
    assert mute == []


def test_every_body_has_an_example_that_validates(operations, resolve, breaches):
    wrong = {}
    for operation in operations:
        for where, entry in bodies(operation, resolve):
            values = examples(entry)
            faults = [fault for value in values for fault in breaches(entry.get("schema", {}), value)] if values else ["no example"]
            if faults:
                wrong[where] = faults
    assert wrong == {}


def test_every_parameters_example_validates(operations, resolve, breaches):
    wrong = {}
    for operation in operations:
        for parameter in map(resolve, operation.get("parameters", ())):
            for value in examples(parameter):
                if faults := breaches(parameter["schema"], value):
                    wrong[operation["operationId"], parameter["name"]] = faults
    assert wrong == {}


def test_every_schema_has_a_description(document):
    assert [name for name, one in document["components"]["schemas"].items() if len(one.get("description", "")) < 5] == []


def test_every_schema_has_an_example_that_validates(document, breaches):
    schemas = document["components"]["schemas"]

    assert [name for name, one in schemas.items() if not examples(one)] == []
    wrong = {name: faults for name, one in schemas.items() for value in examples(one) if (faults := breaches(one, value))}
    assert wrong == {}
