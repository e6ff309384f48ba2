"""Why a validator answers otherwise than src/jsonschema: known causes, each tried on the pair itself, not believed.

A cause with a rewriting is proved by it: the pair is written in another way that means the same by the specification and
avoids the cause, and the validator must then answer as ours did on both. A cause without one (nothing means the same) wants
the third validator on our side.
"""
import copy
import fractions
import re

from grammar import is_number

MAPS = ("properties", "patternProperties", "$defs", "dependentSchemas")
LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
ONES = ("items", "contains", "not", "if", "then", "else", "additionalProperties", "propertyNames", "unevaluatedItems",
        "unevaluatedProperties")
SAFE = 2**53


def schemas(schema):
    """Every schema object in it, the outermost first."""
    if not isinstance(schema, dict):
        return
    yield schema
    for keyword in MAPS:
        for inner in schema.get(keyword, {}).values():
            yield from schemas(inner)
    for keyword in LISTS:
        for inner in schema.get(keyword, []):
            yield from schemas(inner)
    for keyword in ONES:
        yield from schemas(schema.get(keyword))


def keywords(schema):
    return {keyword for inner in schemas(schema) for keyword in inner}


def values(value):
    yield value
    if isinstance(value, (list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from values(inner)


def numbers(value):
    return [inner for inner in values(value) if is_number(inner)]


def patterns(schema):
    return [p for s in schemas(schema) for p in [s.get("pattern"), *s.get("patternProperties", {})] if p is not None]


def exact(number):
    """The number as it is written: 0.1 is one tenth."""
    return fractions.Fraction(repr(number))


def edit(change):
    """A rewriting of the pair from a change of one schema object, which gets the object and the instance."""
    def rewrite(schema, instance):
        schema = copy.deepcopy(schema)
        for inner in list(schemas(schema)):
            change(inner, instance)
        return schema, instance
    return rewrite


def edit_patterns(change):
    def one(schema, _instance):
        if "pattern" in schema:
            schema["pattern"] = change(schema["pattern"])
        if "patternProperties" in schema:
            kept = schema["patternProperties"]
            schema["patternProperties"] = {}
            for name, inner in kept.items():
                old = schema["patternProperties"].get(change(name))
                schema["patternProperties"][change(name)] = inner if old is None else {"allOf": [old, inner]}
    return edit(one)


# -- the rewritings


def multiples(schema, instance):
    """multipleOf as the list of the instance's numbers that are none, by exact fractions."""
    if "multipleOf" in schema:
        divisor = exact(schema.pop("multipleOf"))
        wrong = [n for n in numbers(instance) if exact(n) % divisor != 0]
        add(schema, {"not": {"enum": wrong}} if wrong else True)


def add(schema, more):
    schema["allOf"] = [*schema.get("allOf", []), more]


def contains(schema, _instance):
    """At least one item is so: not all items are not so. Without counts only."""
    if "contains" in schema and "minContains" not in schema and "maxContains" not in schema:
        inner = schema.pop("contains")
        add(schema, {"anyOf": [{"not": {"type": "array"}}, {"not": {"items": {"not": inner}}}]})


def contains_empty(schema, _instance):
    """Beside `contains` what it means for fewer items than it wants."""
    if "contains" in schema:
        add(schema, {"minItems": schema.get("minContains", 1)})


def then_and_else(schema, _instance):
    if "if" in schema:
        schema.setdefault("then", True)
        schema.setdefault("else", True)


def plain_anchors(schema, _instance):
    """A second, plain name for what has a dynamic one, for $ref."""
    if "$dynamicAnchor" in schema:
        if "$anchor" in schema:
            add(schema, True)
            schema.setdefault("$defs", {})
        schema["$anchor"] = schema.get("$anchor", "plain-" + schema["$dynamicAnchor"])
    for anchor in ("node", "leaf"):
        if schema.get("$ref", "").endswith("#" + anchor):
            schema["$ref"] = schema["$ref"][:-len(anchor)] + "plain-" + anchor


def named(schema, instance):
    """Another name for the member whose name is empty."""
    def rename(value):
        if isinstance(value, dict):
            return {key or "empty-name": rename(inner) for key, inner in value.items()}
        return [rename(inner) for inner in value] if isinstance(value, list) else value
    schema = copy.deepcopy(schema)
    for inner in list(schemas(schema)):
        if "required" in inner:
            inner["required"] = [name or "empty-name" for name in inner["required"]]
        if "" in inner.get("properties", {}):
            inner["properties"]["empty-name"] = inner["properties"].pop("")
        if "dependentRequired" in inner:
            inner["dependentRequired"] = {key or "empty-name": [name or "empty-name" for name in names]
                                          for key, names in inner["dependentRequired"].items()}
    return schema, rename(instance)


def whole_references(schema, instance):
    """References as whole URIs, so that no base is needed."""
    schema = copy.deepcopy(schema)
    root = schema.setdefault("$id", "https://schemas.example/set/root")

    def walk(inner, base):
        if not isinstance(inner, dict):
            return
        if "$id" in inner:
            base = inner["$id"] if "//" in inner["$id"] else "https://schemas.example" + inner["$id"]
        if inner.get("$ref", "").startswith("#"):
            inner["$ref"] = base + inner["$ref"]
        for keyword in MAPS:
            for below in inner.get(keyword, {}).values():
                walk(below, base)
        for keyword in LISTS:
            for below in inner.get(keyword, []):
                walk(below, base)
        for keyword in ONES:
            walk(inner.get(keyword), base)
    walk(schema, root)
    return schema, instance


CLASSES = {"\\W": "[^A-Za-z0-9_]", "\\w": "A-Za-z0-9_", "\\d": "0-9", "\\s": "\\t-\\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff",
           "\\S": "^\\t-\\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"}
PROPERTIES = {"\\p{Lu}": "[A-ZÀ-ÖØ-Þİ]", "\\p{L}": "[A-Za-zÀ-ÖØ-öø-ÿſİ日本語]", "\\u{1F600}": "😀"}


def ascii_classes(pattern):
    """The classes as ECMA-262 has them; spelt out, inside brackets or alone."""
    for short, signs in CLASSES.items():
        pattern = pattern.replace("[\\-" + short + "]", "[\\-" + signs + "]").replace("[\\s\\S]", "(?:.|[\\n\\r\u2028\u2029])")
        pattern = pattern.replace(short, signs if signs.startswith("[") else f"[{signs}]")
    return pattern.replace("\\bfoo\\b", "(?<![A-Za-z0-9_])foo(?![A-Za-z0-9_])")


def property_classes(pattern):
    for short, signs in PROPERTIES.items():
        pattern = pattern.replace(short, signs)
    return pattern


def true_end(pattern):
    return re.sub(r"\$$", "(?![\\\\s\\\\S])", pattern)


def one_line_dot(pattern):
    """ECMA-262's dot stops at four line ends, Python's at one."""
    return pattern.replace(".", "[^\\n\\r\u2028\u2029]") if "\\." not in pattern else pattern


# -- the table


class Cause:
    def __init__(self, name, peer, why, applies, rewrite=None):
        self.name, self.peer, self.why, self.applies, self.rewrite = name, peer, why, applies, rewrite


def has(*wanted):
    return lambda schema, _instance: bool(keywords(schema) & set(wanted))


def has_pattern(expression):
    return lambda schema, _instance: any(re.search(expression, p) for p in patterns(schema))


def far(schema, instance):
    return any(abs(n) >= SAFE for n in numbers(schema) + numbers(instance))


def empty_name(schema, _instance):
    return any("" in s.get("required", []) or any("" in (k, *v) for k, v in s.get("dependentRequired", {}).items())
               for s in schemas(schema))


def dynamic_target(schema, _instance):
    return any(re.search("#(node|leaf)$", s.get("$ref", "")) for s in schemas(schema)) and "$dynamicAnchor" in keywords(schema)


CAUSES = [
    Cause("multipleOf by division of doubles", "ajv",
          "0.3 is a multiple of 0.1: JSON numbers are decimals, and the specification wants the division to give an integer. ajv "
          "divides doubles (0.3 / 0.1 is 2.9999999999999996), of numbers that it has read as doubles (9007199254740993 as one less), and "
          "takes quotients from 1e21 on for no integers.",
          has("multipleOf"), edit(multiples)),
    Cause("multipleOf by division of doubles", "python",
          "As above; python-jsonschema divides doubles too, and calls 2^53 a multiple of 0.3, since the quotient's fraction is lost.",
          has("multipleOf"), edit(multiples)),
    Cause("contains is passed over", "ajv",
          "An array without a match must fail `contains`, the empty one too. ajv's code runs that check only when a variable is true that "
          "the loop of an earlier keyword sets (`prefixItems`, `items`): after an array too short for that loop it is unset, or holds "
          "what an item of the array above left there, and `contains` is passed over.",
          has("contains"), edit(contains_empty)),
    Cause("contains is passed over", "ajv", None, has("contains"), edit(contains)),
    Cause("if alone does not annotate", "ajv",
          "`if` without `then` and `else` asserts nothing, but what it has evaluated counts for unevaluated* when it holds. "
          "ajv leaves such an `if` out.",
          has("if"), edit(then_and_else)),
    Cause("the empty name is not required", "ajv",
          "`required: [\"\"]` asks for a member whose name is the empty string. ajv's code keeps the missing name in a variable and "
          "then asks whether that is true; the empty name is not.",
          empty_name, named),
    Cause("$dynamicRef within one document", "ajv",
          "`$dynamicRef` goes to the outermost resource of the dynamic scope that has this $dynamicAnchor anywhere in it (Core 8.2.3.2). "
          "ajv knows only those anchors whose schemas it has compiled or passed through before, and applies the root schema instead.",
          has("$dynamicRef")),
    Cause("unevaluatedItems and unevaluatedProperties", "ajv",
          "ajv works out what is evaluated while it compiles, and errs: `contains` marks every item, not those that match it; what a "
          "branch marked before it failed stays marked; a branch that asserts nothing (`{\"items\": {}}`) is left out, and with it what it "
          "evaluates.",
          has("unevaluatedItems", "unevaluatedProperties")),
    Cause("integers beyond 2^53", "ajv",
          "JavaScript reads every number as a double: 9007199254740993 is 9007199254740992 there. Ours and Python's keep 64 bits and more.",
          far),
    Cause("$ref to a dynamic anchor", "python",
          "`$ref` is lexical: to `#node` it goes to the schema that has this $dynamicAnchor in that resource (Core 8.2.2, 8.2.3.1). "
          "python-jsonschema goes on to the outermost of that name as if it were `$dynamicRef`, or in circles (RecursionError).",
          dynamic_target, edit(plain_anchors)),
    Cause("base URI after $dynamicRef", "python",
          "After a jump to another resource a relative reference there is resolved against that resource. python-jsonschema keeps "
          "the base of the schema it came from and finds nothing there (PointerToNowhere).",
          has("$dynamicRef", "$dynamicAnchor"), lambda s, i: whole_references(*edit(plain_anchors)(s, i))),
    Cause("$ before a line end", "python",
          "ECMA-262's `$` without the flag m is the end of the text. Python's also matches before a line feed that ends it.",
          has_pattern(r"\$$"), edit_patterns(true_end)),
    Cause("\\w, \\d, \\s, \\b beyond ASCII", "python",
          "In ECMA-262 \\w and \\d are ASCII, and \\s has a list of its own. Python's `re` takes all of Unicode's letters, digits and spaces.",
          has_pattern(r"\\[wWdDsSb]"), edit_patterns(ascii_classes)),
    Cause("the dot and line ends", "python",
          "ECMA-262's dot leaves out four line ends (LF, CR, U+2028, U+2029), Python's one.",
          has_pattern(r"\."), edit_patterns(one_line_dot)),
    Cause("\\p{...} and \\u{...}", "python",
          "Both are ECMA-262's (with the flag u, which the specification recommends); Python's `re` refuses them.",
          has_pattern(r"\\p\{|\\u\{"), edit_patterns(property_classes)),
]


# Ours gives no verdict here; the one limit that is not the specification's.
TOO_BIG = Cause("integers beyond 64 bits", "ours",
                "jansson, which parses for us, refuses integers that do not fit 64 bits; a program that must take them reads them as reals "
                "(JSON_DECODE_INT_AS_REAL).", lambda s, i: any(isinstance(n, int) and not -2**63 <= n < 2**63 for n in numbers(s) + numbers(i)))
