"""tools/shared.py: what stands once in openapi.yaml and where the bundled document has it."""
import copy
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import shared  # noqa: E402


def answer(schema):
    return {"content": {"application/json": {"schema": schema}}}


def ref(section, name):
    return {"$ref": f"#/components/{section}/{name}"}


DOCUMENT = {
    "paths": {
        "/things": {"get": {"parameters": [ref("parameters", "limit")], "responses": {"200": ref("responses", "Things")}},
                    "post": {"responses": {"201": answer(ref("schemas", "Thing")), "400": {}}}},
        "/things/{id}": {"get": {"responses": {"200": answer(ref("schemas", "Thing"))}},
                         "patch": {"responses": {"200": answer(ref("schemas", "Thing")), "202": {}}},
                         "delete": {"responses": {"204": {}}}},
        "/secrets": {"post": {"responses": {"201": answer(ref("schemas", "Secret"))}}},
        "/search": {"post": {"x-reads": True, "responses": {"200": answer(ref("schemas", "Thing"))}}}},
    "components": {
        "parameters": {"limit": {"name": "limit"}, "prefer": {"name": "Prefer"},
                       "fields": {"name": "fields", "explode": False, "schema": {"type": "array"}}},
        "responses": {"Things": answer(ref("schemas", "ThingPage"))},
        "schemas": {"ThingPage": {"properties": {"items": {"type": "array", "items": ref("schemas", "Thing")}, "next": {}}},
                    "Thing": {"required": ["id", "name"], "properties": {"id": {}, "name": {}}}, "Secret": {}}}}


@pytest.fixture
def document():
    return copy.deepcopy(DOCUMENT)


def test_a_change_whose_record_a_get_shows_may_be_answered_by_204(document):
    shared.spread(document)

    for path, method in (("/things", "post"), ("/things/{id}", "patch")):
        operation = document["paths"][path][method]
        assert ref("parameters", "prefer") in operation["parameters"]
        assert operation["responses"]["204"] == ref("responses", "Minimal")
    for path, method in (("/secrets", "post"), ("/search", "post"), ("/things/{id}", "get"), ("/things/{id}", "delete")):
        assert "parameters" not in document["paths"][path][method], (path, method)


def test_a_list_in_pages_takes_fields_with_the_names_of_its_items(document):
    shared.spread(document)
    schemas = document["components"]["schemas"]

    fields = document["paths"]["/things"]["get"]["parameters"][-1]
    assert fields["name"] == "fields" and fields["schema"] == {"type": "array", "maxItems": 2, "items": ref("schemas", "ThingField")}
    assert schemas["ThingField"]["enum"] == ["id", "name"]
    assert document["components"]["responses"]["Things"] == answer(
        {"anyOf": [ref("schemas", "ThingPage"), ref("schemas", "ThingPageFields")]})
    assert schemas["ThingPageFields"]["properties"] == {"items": {"type": "array", "items": ref("schemas", "ThingFields")}, "next": {}}
    assert schemas["ThingFields"]["required"] == ["id"]
    assert schemas["ThingFields"]["properties"]["name"] == schemas["Thing"]["properties"]["name"], "said, not referred to"
    assert schemas["Thing"] == DOCUMENT["components"]["schemas"]["Thing"], "whole items are promised as before"


def test_a_search_that_names_fields_takes_it_and_one_that_shares_the_answer_must(document):
    search = document["paths"]["/search"]["post"]
    search["responses"] = {"200": ref("responses", "Things")}
    with pytest.raises(shared.Stop, match="post /search shares its answer"):
        shared.spread(copy.deepcopy(document))
    search["parameters"] = [ref("parameters", "fields")]

    shared.spread(document)

    assert [one["name"] for one in search["parameters"]] == ["fields"]


def test_a_name_that_is_taken_stops_it(document):
    document["components"]["schemas"]["ThingFields"] = {}

    with pytest.raises(shared.Stop, match="ThingFields is in the way"):
        shared.spread(document)


def test_a_document_without_them_stays_as_it_is():
    plain = {"paths": {"/a": {"get": {"responses": {}}}}, "components": {"parameters": {"limit": {}}}}

    shared.spread(document := copy.deepcopy(plain))

    assert document == plain
