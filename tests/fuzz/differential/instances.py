"""Instances for a random schema: some made to fit it, some of those then spoilt, some free. Fitting is a try, not a promise."""
import copy
import json
import re

from grammar import NAMES, TYPES, is_number

MOST = 40  # schemas that are looked into for one value


class Maker:
    def __init__(self, grammar, root):
        self.grammar, self.rng, self.root = grammar, grammar.rng, root

    # -- what applies in place

    def applied(self, schema, found):
        """Adds the schemas that apply to the same value to `found`: all that must, one of those that may."""
        if not isinstance(schema, dict) or len(found) > MOST:
            return found
        found.append(schema)
        kept = self.grammar.links.get(id(schema))
        if kept:
            self.applied(kept[1].schema if kept[1] else self.root, found)
        for part in schema.get("allOf", []):
            self.applied(part, found)
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                self.applied(self.rng.choice(schema[keyword]), found)
        if "if" in schema:
            holds = self.rng.random() < 0.5
            for part in [schema["if"], schema.get("then")] if holds else [schema.get("else")]:
                self.applied(part, found)
        return found

    @staticmethod
    def wanted_types(schemas):
        types = set(TYPES)
        for schema in schemas:
            if "type" in schema:
                given = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
                types &= set(given) | ({"integer"} if "number" in given else set())
        return types

    def kind(self, schemas):
        types = self.wanted_types(schemas) or set(TYPES)
        keys = {key for schema in schemas for key in schema}
        hints = {"object": {"properties", "required", "patternProperties", "unevaluatedProperties", "minProperties"},
                 "array": {"prefixItems", "items", "contains", "minItems", "unevaluatedItems"},
                 "string": {"pattern", "minLength", "maxLength"}, "integer": {"multipleOf", "minimum", "maximum"}}
        hinted = [name for name in sorted(types) if keys & hints.get(name, set())]
        return self.rng.choice(hinted if hinted and self.rng.random() < 0.85 else sorted(types))

    # -- a value that fits

    def fitting(self, schema, depth=4):
        if depth <= 0:
            return self.grammar.value(0)
        schemas = self.applied(schema, [])
        for part in schemas:
            if "const" in part:
                return copy.deepcopy(part["const"])
            if "enum" in part:
                return copy.deepcopy(self.rng.choice(part["enum"]))
        return {"object": self.an_object, "array": self.an_array, "string": self.a_string, "number": self.a_number,
                "integer": self.a_number}.get(self.kind(schemas), self.a_word)(schemas, depth)

    def a_word(self, schemas, _depth):
        types = self.wanted_types(schemas) & {"null", "boolean"}
        return None if types == {"null"} else self.rng.choice([True, False])

    def a_string(self, schemas, _depth):
        def fits(text):
            for schema in schemas:
                if not int(schema.get("minLength", 0)) <= len(text) <= schema.get("maxLength", 99):
                    return False
                if "pattern" in schema and not matches(schema["pattern"], text):
                    return False
            return True
        tries = [self.grammar.string() for _ in range(20)]
        return next((text for text in tries if fits(text)), tries[0])

    def a_number(self, schemas, _depth):
        whole = "number" not in self.wanted_types(schemas)

        def fits(number):
            for schema in schemas:
                if number < schema.get("minimum", number) or number > schema.get("maximum", number):
                    return False
                if number <= schema.get("exclusiveMinimum", number - 1) or number >= schema.get("exclusiveMaximum", number + 1):
                    return False
            return not whole or number == int(number)
        tries = [self.grammar.number() for _ in range(20)]
        for schema in schemas:
            if "multipleOf" in schema:
                tries = [round(self.rng.choice([0, 1, 2, 3, 5, 10, 33, -4]) * schema["multipleOf"], 6) for _ in range(8)] + tries
        return next((number for number in tries if fits(number)), tries[0])

    def an_array(self, schemas, depth):
        low = max([int(s.get("minItems", 0)) for s in schemas] + [len(s["prefixItems"]) - self.rng.randint(0, 1)
                                                                  for s in schemas if "prefixItems" in s])
        high = min([int(s.get("maxItems", 4)) for s in schemas] + [4])
        closed = any(s.get("items") is False or s.get("unevaluatedItems") is False for s in schemas)
        length = low if closed and self.rng.random() < 0.7 else self.rng.randint(min(low, high), max(low, high))
        items = []
        for place in range(length):
            parts = [schema["prefixItems"][place] if place < len(schema.get("prefixItems", [])) else schema.get("items", True)
                     for schema in schemas]
            parts += [s["contains"] for s in schemas if "contains" in s and self.rng.random() < 0.5]
            items.append(self.fitting({"allOf": parts}, depth - 1))
        return items

    def an_object(self, schemas, depth):
        names = set()
        for schema in schemas:
            names |= set(schema.get("required", []))
            names |= {name for name in schema.get("properties", {}) if self.rng.random() < 0.6}
        closed = any(s.get(k) is False for s in schemas for k in ("additionalProperties", "unevaluatedProperties"))
        if self.rng.random() < (0.1 if closed else 0.4):
            names |= set(self.grammar.names(1, 2))
        for schema in schemas:
            for name, wanted in schema.get("dependentRequired", {}).items():
                names |= set(wanted) if name in names else set()
        made = {}
        for name in sorted(names):
            made[name] = self.fitting({"allOf": [part for s in schemas for part in self.parts_for(s, name)]}, depth - 1)
        return made

    @staticmethod
    def parts_for(schema, name):
        parts = [schema["properties"][name]] if name in schema.get("properties", {}) else []
        parts += [part for pattern, part in schema.get("patternProperties", {}).items() if matches(pattern, name)]
        if not parts and "additionalProperties" in schema:
            parts = [schema["additionalProperties"]]
        return parts or ([schema["unevaluatedProperties"]] if "unevaluatedProperties" in schema else [])

    # -- a value spoilt

    def spoilt(self, value):
        """The value with one place in it changed."""
        chance = self.rng.random()
        if isinstance(value, dict) and value and chance < 0.75:
            return self.spoilt_object(value)
        if isinstance(value, list) and value and chance < 0.75:
            return self.spoilt_array(value)
        if is_number(value) and chance < 0.6:
            other = float(value) if isinstance(value, int) and abs(value) < 2**53 else value + 1
            return self.rng.choice([other, -value, value + 1, str(value)])
        if isinstance(value, str) and chance < 0.5:
            return self.rng.choice([value + value, value[1:], value + "a", value.upper()])
        return self.grammar.value()

    def spoilt_object(self, value):
        name, what = self.rng.choice(sorted(value)), self.rng.randrange(4)
        if what == 0:
            return {key: inner for key, inner in value.items() if key != name}
        if what == 1:
            return {**value, self.rng.choice(NAMES): self.grammar.value(1)}
        return {**value, name: self.spoilt(value[name])}

    def spoilt_array(self, value):
        place, what = self.rng.randrange(len(value)), self.rng.randrange(5)
        if what == 0:
            return value[:place] + value[place + 1:]
        if what == 1:
            return value + [copy.deepcopy(value[place])]
        if what == 2:
            return value + [self.grammar.value(1)]
        return value[:place] + [self.spoilt(value[place])] + value[place + 1:]

    def one(self):
        chance = self.rng.random()
        if chance < 0.08:
            return self.grammar.value()
        value = self.fitting(self.root)
        return self.spoilt(value) if chance < 0.38 else value

    def make(self, count):
        """So many instances, no two of them with the same text."""
        made = {}
        for _ in range(count * 10):
            value = self.one()
            made.setdefault(json.dumps(value), value)
            if len(made) == count:
                break
        return list(made.values())


def matches(pattern, text):
    """Near enough for making values; what counts is what the validators say."""
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False
