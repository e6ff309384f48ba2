"""What the contract says once and many operations have: called by bundle.py on the bundled document (docs/adr/0036).

`prefer`: every change whose answer is a representation that a GET shows, too, takes the parameter `prefer`, and may be
answered by the response `Minimal` (204).
`fields`: every list in pages (and every operation that names it) takes the parameter `fields`, whose names are the members
of the list's items; its answer may be a page of such items.
Both do nothing in a document without these parameters. Stops where a name that they would make is taken.
"""
import copy

PREFIX = "#/components/"
CHANGES = ("post", "put", "patch")


class Stop(Exception):
    """What stands in the way, in one sentence."""


def component(document, reference):
    section, name = reference.removeprefix(PREFIX).split("/")
    return document["components"][section][name]


def follow(document, value):
    while isinstance(value, dict) and "$ref" in value:
        value = component(document, value["$ref"])
    return value


def operations(document):
    for path, item in document.get("paths", {}).items():
        for method in ("get", *CHANGES):
            if isinstance(item, dict) and isinstance(item.get(method), dict):
                yield path, method, item[method]


def json_of(document, operation, status):
    """The `application/json` of the operation's answer with this status, or None."""
    response = follow(document, operation.get("responses", {}).get(status))
    return (response or {}).get("content", {}).get("application/json")


def items_of(document, schema):
    """The reference of a list's items, or None."""
    items = follow(document, schema).get("properties", {}).get("items", {})
    return follow(document, items).get("items", {}).get("$ref")


def names(operation, parameter):
    return {"$ref": f"{PREFIX}parameters/{parameter}"} in operation.get("parameters", [])


def readable(document):
    """References of the schemas that a GET answers with, by itself or as an item of a list."""
    found = set()
    for _, method, operation in operations(document):
        answer = json_of(document, operation, "200") if method == "get" else None
        if answer:
            found |= {answer["schema"].get("$ref"), items_of(document, answer["schema"])}
    return found - {None}


def prefer(document):
    shown = readable(document)
    for _, method, operation in operations(document):
        answers = [json_of(document, operation, status) for status in ("200", "201")]
        schemas = {answer["schema"].get("$ref") for answer in answers if answer}
        if method == "get" or operation.get("x-reads") or not schemas or not schemas <= shown:
            continue
        operation.setdefault("parameters", []).append({"$ref": f"{PREFIX}parameters/prefer"})
        responses = {**operation["responses"], "204": {"$ref": f"{PREFIX}responses/Minimal"}}
        operation["responses"] = dict(sorted(responses.items()))


class Fields:
    """Schemas of pages whose items have some of their members."""

    def __init__(self, document):
        self.document = document
        self.made = set()

    def make(self, name, schema):
        schemas = self.document["components"]["schemas"]
        if name not in self.made and name in schemas:
            raise Stop(f"components/schemas/{name} is in the way of `fields`")
        self.made.add(name)
        schemas[name] = schema
        return {"$ref": f"{PREFIX}schemas/{name}"}

    def item(self, reference):
        """The schema of an item of which some members are shown; `id` always is."""
        full, name = component(self.document, reference), reference.rpartition("/")[2]
        members = copy.deepcopy(full["properties"])  # generators of clients follow no reference into a schema
        some = {"type": "object", "description": f"The members of {name} that `fields` names.",
                **({"required": ["id"]} if "id" in members else {}), "properties": members}
        return self.make(f"{name}Fields", some)

    def page(self, reference, item):
        """The page with such items."""
        some = copy.deepcopy(component(self.document, reference))
        some["properties"]["items"]["items"] = item
        return self.make(f"{reference.rpartition('/')[2]}Fields", some)

    def parameter(self, reference):
        """`fields` with the names that this list's items have."""
        full, name = component(self.document, reference), reference.rpartition("/")[2]
        word = self.make(f"{name}Field", {"type": "string", "description": f"A member of {name}.",
                                          "enum": list(full["properties"])})
        shared = copy.deepcopy(self.document["components"]["parameters"]["fields"])
        shared["schema"] = {**shared["schema"], "maxItems": len(full["properties"]), "items": word}
        return shared

    def give(self, operation):
        answer = json_of(self.document, operation, "200")
        page = answer["schema"] if "$ref" in answer["schema"] else answer["schema"]["anyOf"][0]
        reference = items_of(self.document, page)
        listed = [one for one in operation["parameters"] if one != {"$ref": f"{PREFIX}parameters/fields"}]
        operation["parameters"] = [*listed, self.parameter(reference)]
        answer["schema"] = {"anyOf": [page, self.page(page["$ref"], self.item(reference))]}


def fields(document):
    some, given = Fields(document), []
    for _, method, operation in operations(document):
        answer = json_of(document, operation, "200")
        listed = answer and "$ref" in answer["schema"] and items_of(document, answer["schema"])
        if names(operation, "fields") or (method == "get" and names(operation, "limit") and listed):
            given.append(operation)
    for operation in given:
        some.give(operation)
    for path, method, operation in operations(document):
        answer = json_of(document, operation, "200")
        if operation not in given and answer and "anyOf" in answer["schema"]:
            raise Stop(f"{method} {path} shares its answer with a list that takes `fields`, and does not take it")


def spread(document):
    parameters = document.get("components", {}).get("parameters", {})
    if "prefer" in parameters:
        prefer(document)
    if "fields" in parameters:
        fields(document)
        del parameters["fields"]  # every list has its own
