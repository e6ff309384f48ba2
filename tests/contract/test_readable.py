"""What makes generators of clients stumble is not in the contract: see docs/adr/0032."""
import yaml
from support.server import ROOT

FILES = [ROOT / "openapi.yaml", *sorted((ROOT / "api").glob("*.yaml"))]


def walk(value, where):
    """Every object of a document, with the place where it stands."""
    if isinstance(value, dict):
        yield where, value
        for name, member in value.items():
            yield from walk(member, f"{where}/{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from walk(item, f"{where}/{number}")


def documents():
    return [(file.name, yaml.load(file.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))) for file in FILES]


def test_patterns_begin_with_a_caret_and_have_no_unicode_classes():
    patterns = [(where, one["pattern"]) for name, document in documents() for where, one in walk(document, name)
                if isinstance(one.get("pattern"), str)]
    assert len(patterns) > 20
    assert [p for p in patterns if not p[1].startswith("^") or "\\p" in p[1] or "\\P" in p[1]] == []


def test_no_schema_is_another_name_for_one():
    schemas = [(f"{file}/{name}", schema) for file, document in documents()
               for name, schema in document.get("components", {}).get("schemas", {}).items()]
    assert len(schemas) > 100
    assert [name for name, schema in schemas if "$ref" in schema] == []
