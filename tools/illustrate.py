"""Examples of schemas, taken from the examples of the bodies in which they stand, so that none is written twice.

A schema with an example of its own keeps it. The others get the fullest value that an example of the contract has for them, or the
first value of their enumeration. The service validates every one of them at its start.
"""

METHODS = ("get", "put", "post", "patch", "delete")
HERE = "#/components/schemas/"


class Illustrator:
    """What the examples of one contract say of each named schema."""

    def __init__(self, document):
        self.document = document
        self.found = {}  # name -> value

    def target(self, node):
        while isinstance(node, dict) and "$ref" in node:
            reference = node["$ref"]
            node = self.document
            for part in reference[2:].split("/"):
                node = node[part.replace("~1", "/").replace("~0", "~")]
        return node

    def note(self, name, value):
        best = self.found.get(name)
        if best is None or size_of(value) > size_of(best):
            self.found[name] = value

    def walk(self, schema, value):
        """Every named schema that the value goes through."""
        if not isinstance(schema, dict) or value is None:
            return
        reference = schema.get("$ref", "")
        if reference.startswith(HERE):
            self.note(reference[len(HERE):], value)
            self.walk(self.target(schema), value)
        for part in schema.get("allOf", ()):
            self.walk(part, value)
        for part in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
            if self.fits(part, value):
                self.walk(part, value)
        if isinstance(value, dict):
            for key, member in value.items():
                self.walk(schema.get("properties", {}).get(key, schema.get("additionalProperties")), member)
        elif isinstance(value, list):
            for item in value:
                self.walk(schema.get("items"), item)

    def fits(self, schema, value):
        """Whether a choice could be meant by this value: enough to tell our alternatives apart; the rest is validated."""
        schema = self.target(schema)
        if isinstance(value, dict):
            known = schema.get("properties", {})
            return set(schema.get("required", ())) <= set(value) and (not known or set(value) <= set(known))
        return schema.get("type") in (None, {str: "string", bool: "boolean", int: "integer", float: "number", list: "array"}[type(value)])

    def content(self, holder):
        for entry in self.target(holder).get("content", {}).values():
            for example in self.examples(entry):
                self.walk(entry.get("schema"), example)

    def examples(self, entry):
        if "example" in entry:
            yield entry["example"]
        for one in entry.get("examples", {}).values():
            yield self.target(one).get("value")

    def operation(self, operation):
        if "requestBody" in operation:
            self.content(operation["requestBody"])
        for response in operation.get("responses", {}).values():
            self.content(response)
        for parameter in map(self.target, operation.get("parameters", ())):
            for example in self.examples(parameter):
                self.walk(parameter.get("schema"), example)


def size_of(value):
    if isinstance(value, dict):
        return 1 + sum(map(size_of, value.values()))
    return 1 + sum(map(size_of, value)) if isinstance(value, list) else 1


def illustrate(document):
    """Gives the document's named schemas the examples that they lack, where there are any."""
    illustrator = Illustrator(document)
    for item in document["paths"].values():
        for method in METHODS:
            if method in item:
                illustrator.operation(item[method])
    schemas = document["components"].get("schemas", {})
    for schema in schemas.values():
        if "example" in schema:
            illustrator.walk(schema, schema["example"])
    for name, schema in schemas.items():
        if "example" in schema or "examples" in schema:
            continue
        value = illustrator.found.get(name, next(iter(schema.get("enum", ())), schema.get("const")))
        if value is not None:
            schema["example"] = value
