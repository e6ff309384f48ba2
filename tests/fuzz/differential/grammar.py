"""Random JSON Schemas of draft 2020-12: every keyword, identifiers and references of every kind, and no endless loops.

A schema refers in place only to definitions after its own, and to any from below a child's keyword: so each round of a
recursion goes one level down in the instance.
"""
import random

ROOT_URI = "https://schemas.example/set/root"
NAMES = ["a", "b", "c", "foo", "bar", "é", "a/b", "x~y", "", "日本", "x-ext", "A", "0"]
STRINGS = ["", "a", "b", "foo", "bar", "foobar", "abc", "é", "e\u0301", "😀", "日本語", "😀😀😀", "a\nb", "12", "7", "x-ext", "A1",
           "2020-02-30", "2024-02-29", "not an email", "a@b.example", "\u0000", "a b", "aaaa", "z" * 40, "null", "é" * 5]
ODD_STRINGS = ["٣", "foo\n", "\u00a0", "\u2028", "ſ", "İ"]  # where dialects of regular expressions part
INTEGERS = [0, 1, 2, 3, 4, 5, 6, 7, 10, 12, 42, 100, -1, -2, -3, -7, 1000]
BIG = [2**53, 2**53 + 1, 2**63 - 1, -(2**63), -(2**53) - 1, 2**62 + 1, 9007199254740991]
REALS = [0.0, -0.0, 1.0, 2.0, 3.0, -1.0, 10.0, 0.1, 0.2, 0.3, 0.5, 1.5, 2.5, 0.01, 0.07, 1.1, 3.3, 4.35, 19.99, 99.99, -0.1]
FAR_REALS = [1e300, -1e300, 1e-300, 5e-324, 1e21, 1e22, 1e16, 9007199254740992.0, 9.223372036854775807e18, 123456789.987, 1e-7,
             1.7976931348623157e308]
DIVISORS = [1, 2, 3, 7, 10, 0.1, 0.01, 0.5, 1.5, 0.3, 2.5, 1.0, 2.0]
ODD_DIVISORS = [0.001, 1e-8, 0.123456789, 1e300, 5e-324, 2**53 + 1, 1e16, 0.07, 3.3]
PATTERNS = ["^a", "o+$", "^[a-z]*$", "^[0-9]+$", "^.{1,3}$", "b|r", "^(?!foo)", "a{2,}", "^$", ".", "^x-", "[^a-z]", "(a|b)c?",
            "^(?:foo|bar){1,2}$", "é", "^[^x]*$", "z{40}", "(?=b)b", "[\\u00e0-\\u00ff]", "^\\S+$", "a.b", "\\.", "^[\\-\\w]*$"]
ODD_PATTERNS = ["\\d", "^\\w+$", "\\s", "foo$", "\\p{L}", "^\\p{Lu}", "\\bfoo\\b", "^.$", "[\\s\\S]", "\\W", "\\u{1F600}", "(.)\\1"]
FORMATS = ["date", "date-time", "email", "ipv4", "uri", "uuid", "regex", "json-pointer", "made-up"]
TYPES = ["null", "boolean", "object", "array", "number", "string", "integer"]
ANCHORS = ["node", "leaf"]  # names of dynamic anchors; few, so that resources share them
FOCUS = {  # what a schema has more of than others; odd: how often something is taken where validators are known to differ
    "even": {},
    "references": {"reference": 0.4, "dynamic": 0.7, "resource": 0.55, "definitions": (2, 5)},
    "unevaluated": {"unevaluated": 0.35, "branch": 0.65},
    "text": {"odd": 0.15, "leaves": [1, 1, 5, 1, 1]},
    "numbers": {"odd": 0.15, "leaves": [1, 1, 1, 5, 2]},
}
USUAL = {"odd": 0.03, "reference": 0.17, "dynamic": 0.35, "resource": 0.3, "definitions": (0, 4), "unevaluated": 0.12,
         "branch": 0.35, "leaves": [1, 1, 4, 4, 4]}


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class Definition:
    """A member of $defs: its name, the resource it is in, and the ways to name it."""

    def __init__(self, name, number, rng, much):
        self.name, self.number = name, number
        self.uri = f"https://schemas.example/set/sub/{number}" if rng.random() < much["resource"] else None
        self.anchor = f"anchor{number}" if rng.random() < 0.4 else None
        self.dynamic = rng.choice(ANCHORS) if rng.random() < much["dynamic"] else None
        self.schema = None

    @property
    def resource(self):
        return self.uri or ROOT_URI


class Grammar:
    """One schema: `make()` gives it; `links` leads from the id() of a subschema with a reference to the definition."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.definitions, self.links = [], {}
        self.focus = self.rng.choice(["even", *FOCUS])
        self.much = {**USUAL, **FOCUS[self.focus]}

    # -- values

    def number(self):
        chance = self.rng.random()
        if chance < self.much["odd"]:
            return self.rng.choice(BIG)
        if chance < 2 * self.much["odd"] + 0.02:
            return self.rng.choice(FAR_REALS)
        return self.rng.choice(INTEGERS if chance < 0.6 else REALS)

    def string(self):
        return self.rng.choice(ODD_STRINGS if self.rng.random() < self.much["odd"] else STRINGS)

    def value(self, depth=2):
        kind = self.rng.randrange(8 if depth else 5)
        if kind == 0:
            return self.rng.choice([None, True, False])
        if kind < 3:
            return self.number()
        if kind < 5:
            return self.string()
        if kind < 6:
            return {self.rng.choice(NAMES): self.value(depth - 1) for _ in range(self.rng.randrange(4))}
        return [self.value(depth - 1) for _ in range(self.rng.randrange(5))]

    def pattern(self):
        return self.rng.choice(ODD_PATTERNS if self.rng.random() < self.much["odd"] else PATTERNS)

    def few(self, low=0, high=3):
        """A count; now and then as a real, which is an integer too."""
        count = self.rng.randint(low, high)
        return float(count) if self.rng.random() < 0.05 else count

    def names(self, low=1, high=3):
        return self.rng.sample(NAMES, self.rng.randint(low, high))

    # -- references

    def fragment_of(self, target):
        """How the fragment names it within its resource."""
        if target.anchor and self.rng.random() < 0.5:
            return target.anchor
        if target.dynamic and self.rng.random() < 0.3:
            return target.dynamic
        if target.uri:
            return ""
        name = target.name.replace("~", "~0").replace("/", "~1").replace("%", "%25").replace("é", "%C3%A9").replace(" ", "%20")
        return f"/$defs/{name}"

    def spelling(self, target, here):
        """One of the URI references that lead from resource `here` to the definition."""
        fragment = self.fragment_of(target)
        if target.resource == here and (fragment or self.rng.random() < 0.5):
            return "#" + fragment
        whole = target.resource + ("#" + fragment if fragment else "")
        short = whole[len("https://schemas.example"):]
        return self.rng.choice([whole, short, "//schemas.example" + short])

    def reference(self, place):
        """A schema with $ref or $dynamicRef, or None where none may stand."""
        here, owner, in_place = place
        allowed = [d for d in self.definitions if not in_place or d.number > owner]
        if not in_place and self.rng.random() < self.much["dynamic"]:
            named = [d for d in self.definitions if d.dynamic and d.resource == here]
            if named:
                target = self.rng.choice(named)
                return self.link({"$dynamicRef": "#" + target.dynamic}, target)
        if not in_place and self.rng.random() < 0.1:
            return self.link({"$ref": "#" if here == ROOT_URI else ROOT_URI}, None)
        if not allowed:
            return None
        target = self.rng.choice(allowed)
        return self.link({"$ref": self.spelling(target, here)}, target)

    def link(self, schema, target):
        self.links[id(schema)] = (schema, target)  # kept alive, or another could get its id
        return schema

    # -- schemas

    def child(self, place, depth):
        return self.schema((place[0], place[1], False), depth - 1)

    def same(self, place, depth):
        return self.schema(place, depth - 1)

    def schema(self, place, depth):
        chance = self.rng.random()
        if chance < 0.05 or depth <= 0 and chance < 0.12:
            return self.rng.random() < 0.8
        if chance < 0.05 + self.much["reference"]:
            found = self.reference(place)
            if found is not None:
                if self.rng.random() < 0.25:
                    self.decorate(found, place, depth)
                return found
        kinds = [self.for_object, self.for_array, self.for_string, self.for_number, self.for_any]
        weights = [5, 4, 2, 2, 2] if depth > 0 else self.much["leaves"]
        schema = {}
        for kind in set(self.rng.choices(kinds, weights, k=1 if self.rng.random() < 0.8 else 2)):
            kind(schema, place, depth)
        if depth > 0 and self.rng.random() < self.much["branch"]:
            self.branches(schema, place, depth)
        self.decorate(schema, place, depth)
        return schema

    def decorate(self, schema, place, depth):
        if self.rng.random() < 0.06:
            schema.setdefault("type", self.rng.sample(TYPES, self.rng.randint(2, 5)))
        if self.rng.random() < 0.04:
            schema[self.rng.choice(["title", "description", "$comment"])] = self.string()
        if self.rng.random() < 0.03:
            schema["default"] = self.value()
        if self.rng.random() < 0.02:
            schema["x-unknown"] = {"type": "nothing"}
        if depth > 0 and self.rng.random() < self.much["unevaluated"]:
            schema["unevaluatedProperties"] = False if self.rng.random() < 0.6 else self.child(place, depth)
        if depth > 0 and self.rng.random() < self.much["unevaluated"]:
            schema["unevaluatedItems"] = False if self.rng.random() < 0.6 else self.child(place, depth)

    def for_any(self, schema, place, depth):
        chance = self.rng.random()
        if chance < 0.3:
            schema["const"] = self.value()
        elif chance < 0.6:
            schema["enum"] = [self.value() for _ in range(self.rng.randint(1, 5))]
        else:
            schema["type"] = self.rng.choice(TYPES) if self.rng.random() < 0.5 else self.rng.sample(TYPES, self.rng.randint(1, 4))

    def for_string(self, schema, place, depth):
        if self.rng.random() < 0.6:
            schema["type"] = "string"
        for keyword, chance in (("minLength", 0.3), ("maxLength", 0.35)):
            if self.rng.random() < chance:
                schema[keyword] = self.few(0, 2) if keyword == "minLength" else self.few(1, 6)
        if self.rng.random() < 0.5:
            schema["pattern"] = self.pattern()
        if self.rng.random() < 0.2:
            schema["format"] = self.rng.choice(FORMATS)
        if self.rng.random() < 0.04:
            schema["contentEncoding"] = "base64"

    def for_number(self, schema, place, depth):
        if self.rng.random() < 0.6:
            schema["type"] = self.rng.choice(["number", "integer"])
        if self.rng.random() < 0.4:
            schema[self.rng.choice(["minimum", "exclusiveMinimum"])] = self.number()
        if self.rng.random() < 0.3:
            schema[self.rng.choice(["maximum", "exclusiveMaximum"])] = self.number()
        if self.rng.random() < 0.45:
            schema["multipleOf"] = self.rng.choice(ODD_DIVISORS if self.rng.random() < self.much["odd"] else DIVISORS)

    def for_array(self, schema, place, depth):
        if self.rng.random() < 0.7:
            schema["type"] = "array"
        if self.rng.random() < 0.4:
            schema["prefixItems"] = [self.child(place, depth) for _ in range(self.rng.randint(1, 3))]
        if self.rng.random() < 0.45:
            schema["items"] = self.child(place, depth) if self.rng.random() < 0.9 else False
        if self.rng.random() < 0.35:
            schema["contains"] = self.child(place, depth)
        if "contains" in schema or self.rng.random() < 0.05:
            if self.rng.random() < 0.3:
                schema["minContains"] = self.few(0, 2)
            if self.rng.random() < 0.25:
                schema["maxContains"] = self.few(1, 3)
        if self.rng.random() < 0.2:
            schema["minItems"] = self.few(0, 2)
        if self.rng.random() < 0.2:
            schema["maxItems"] = self.few(1, 5)
        if self.rng.random() < 0.3:
            schema["uniqueItems"] = self.rng.random() < 0.85

    def for_object(self, schema, place, depth):
        if self.rng.random() < 0.7:
            schema["type"] = "object"
        if self.rng.random() < 0.8:
            schema["properties"] = {name: self.child(place, depth) for name in self.names(1, 4)}
        if self.rng.random() < 0.25:
            schema["patternProperties"] = {self.pattern(): self.child(place, depth) for _ in range(self.rng.randint(1, 2))}
        if self.rng.random() < 0.25:
            schema["additionalProperties"] = False if self.rng.random() < 0.4 else self.child(place, depth)
        if self.rng.random() < 0.35:
            known = list(schema.get("properties", {})) or NAMES
            schema["required"] = self.rng.sample(known, self.rng.randint(0, min(2, len(known))))
        if self.rng.random() < 0.12:
            schema["propertyNames"] = self.same((place[0], place[1], False), depth)
        if self.rng.random() < 0.12:
            schema["minProperties"] = self.few(0, 2)
        if self.rng.random() < 0.12:
            schema["maxProperties"] = self.few(1, 5)
        if self.rng.random() < 0.15:
            schema["dependentRequired"] = {name: self.names(0, 2) for name in self.names(1, 2)}
        if self.rng.random() < 0.15:
            schema["dependentSchemas"] = {name: self.same(place, depth) for name in self.names(1, 2)}

    def branches(self, schema, place, depth):
        keyword = self.rng.choice(["allOf", "anyOf", "oneOf", "not", "if", "anyOf", "allOf", "if"])
        if keyword == "not":
            schema["not"] = self.same(place, depth)
        elif keyword == "if":
            for word, chance in (("if", 0.95), ("then", 0.75), ("else", 0.6)):
                if self.rng.random() < chance:
                    schema[word] = self.same(place, depth)
        else:
            schema[keyword] = [self.same(place, depth) for _ in range(self.rng.randint(1, 3))]

    # -- the whole

    def define(self, definition, depth):
        found = self.schema((definition.resource, definition.number, True), depth)
        if isinstance(found, bool) and (definition.uri or definition.anchor or definition.dynamic):
            found = {} if found else {"not": {}}
        if definition.uri:
            found["$id"] = self.rng.choice([definition.uri, definition.uri[len("https://schemas.example"):]])
        if definition.anchor:
            found["$anchor"] = definition.anchor
        if definition.dynamic:
            found["$dynamicAnchor"] = definition.dynamic
        definition.schema = found
        return found

    def settle_names(self):
        """A resource has each dynamic anchor once."""
        taken = set()
        for definition in self.definitions:
            if (definition.resource, definition.dynamic) in taken:
                definition.dynamic = None
            taken.add((definition.resource, definition.dynamic))

    def make(self):
        count = self.rng.randint(*self.much["definitions"])
        names = self.rng.sample(["a", "b", "node", "a/b", "x~y", "c%d", "é", "a b", "0"], count)
        self.definitions = [Definition(name, number, self.rng, self.much) for number, name in enumerate(names)]
        self.settle_names()
        defined = {d.name: self.define(d, self.rng.randint(1, 2)) for d in self.definitions}
        root = self.schema((ROOT_URI, -1, True), self.rng.randint(1, 3))
        if isinstance(root, bool):
            root = {}
        if defined:
            root["$defs"] = defined
        if defined or self.rng.random() < 0.2:
            root["$id"] = ROOT_URI
        if defined and self.rng.random() < 0.2 and not any(d.dynamic == "node" and not d.uri for d in self.definitions):
            root["$dynamicAnchor"] = "node"
        if self.rng.random() < 0.3:
            root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        return root
