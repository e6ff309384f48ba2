"""Links of the contract: what was made leads on to what can be done with it, in names and places that exist."""
import re

import pytest
import yaml
from support.server import ROOT

METHODS = ("get", "put", "post", "patch", "delete")


def load():
    """Every operation by its id, as (path, its own parameters), and every response of a file with links."""
    operations, linked = {}, {}
    for file in (ROOT / "api").glob("*.yaml"):
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        for path, item in document.get("paths", {}).items():
            for method in METHODS:
                if method in item:
                    operations[item[method]["operationId"]] = (method, path, item[method])
        for name, response in document.get("components", {}).get("responses", {}).items():
            if "links" in response:
                linked[name] = response
    return operations, linked


OPERATIONS, LINKED = load()


def makers():
    """Operations whose 201 has a `Location`, by the resource that can be read on its own below their path."""
    for name, (method, path, operation) in OPERATIONS.items():
        created = operation["responses"].get("201", {}).get("$ref", "")
        readers = [other for other, (m, p, _) in OPERATIONS.items() if m == "get" and re.fullmatch(re.escape(path) + r"/{\w+}", p)]
        if method == "post" and created and readers:
            yield name, created.rsplit("/", 1)[1], readers[0]


@pytest.mark.parametrize("maker, response, reader", makers(), ids=lambda value: value)
def test_what_was_made_leads_to_reading_it(maker, response, reader):
    assert reader in [link["operationId"] for link in LINKED[response]["links"].values()], maker


@pytest.mark.parametrize("response", sorted(LINKED))
def test_a_link_gives_the_whole_path_and_only_what_there_is(response):
    for link in LINKED[response]["links"].values():
        _, path, _ = OPERATIONS[link["operationId"]]
        given = set(link["parameters"])
        assert set(re.findall(r"{(\w+)}", path)) == {name for name in given if not name.startswith("header.")}
        assert given <= set(re.findall(r"{(\w+)}", path)) | {"header.If-Match"}
        assert all(re.fullmatch(r"\$(response\.(body#/\w+|header\.ETag)|request\.path\.\w+)", value) for value in link["parameters"].values())
