#!/usr/bin/env python3
"""Tables of the documents that are made from lists in the code and from the contract: settings in README.md, the machines in
docs/referrals.md, docs/breaks.md and docs/funding.md, problems, roles and scopes in docs/guides.

tables.py          print them
tables.py --write  put each into its document between its two markers
tables.py --check  exit 1 when a document has another one
"""
import functools
import pathlib
import re
import sys

from bundle import Bundle

STRINGS = re.compile(r'"((?:[^"\\]|\\.)*)"')
SETTING = re.compile(r'^X\((\w+), *(\w+), *"(\w+)", *"([^"]*)", *(\d+), *(\d+),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)',
                     re.MULTILINE)
AWARD_MOVE = re.compile(r'^X\(([A-Z_ |]+),\s*(\w+),\s*(\w+),\s*"([^"]*)"\)', re.MULTILINE)
MOVE = re.compile(r'^X\(([A-Z_ |]+),\s*(\w+),\s*(\w+),\s*([A-Z |]+),\s*"([^"]*)"\)', re.MULTILINE)


def found(path, pattern, shape):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    rows = pattern.findall(text)
    if len(rows) != len(re.findall(r"^X\(", text, re.MULTILINE)):
        sys.exit(f"{path}: a line is not X({shape})")
    return rows


def settings():
    yield "| variable | default | values | what it is |"
    yield "|---|---|---|---|"
    for _, kind, variable, default, low, high, sentence in found("include/base/settings.def", SETTING,
                                                                 "field, kind, variable, default, min, max, sentence"):
        words = "".join(STRINGS.findall(sentence)).replace('\\"', '"').replace("|", "\\|")
        bounds = f"{low}-{high}" if kind == "NUMBER" else {"FLAG": "true, false, 1, 0", "LEVEL": "debug, info, warning, error"}.get(kind, "")
        yield f"| `{variable}` | {'`' + default + '`' if default else ''} | {bounds} | {words} |"


def codes(text):
    return ", ".join(f"`{word.strip().lower()}`" for word in text.split("|"))


def moves(path):
    yield "| from | action | to | side | must carry |"
    yield "|---|---|---|---|---|"
    for states, action, to, sides, must in found(path, MOVE, "from, action, to, side, must"):
        target = "the same" if to == "SAME" else codes(to)
        yield f"| {codes(states)} | `{action}` | {target} | {codes(sides).replace('`', '')} | {must.replace(' ', ', ')} |"


def funding_moves():
    yield "| from | action | to | must carry |"
    yield "|---|---|---|---|"
    for states, action, to, must in found("api/rules/funding_states.def", AWARD_MOVE, "from, action, to, must"):
        yield f"| {codes(states)} | `{action}` | {codes(to)} | {must.replace(' ', ', ')} |"


PROBLEM = re.compile(r'^X\((\w+), *(\d+), *"([\w-]+)", *"([^"]*)",\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)', re.MULTILINE)


def problems():
    yield "| status | `type` ends in | what it means | what to do |"
    yield "|---|---|---|---|"
    for _, status, slug, title, advice in found("include/base/problems.def", PROBLEM, "symbol, status, slug, title, advice"):
        yield f"| {status} | `{slug}` | {title} | {''.join(STRINGS.findall(advice))} |"


METHODS = ("get", "put", "post", "patch", "delete")
ROLE = re.compile(r'^X\("(\w+)", *"(\w+)"\)', re.MULTILINE)
SEEN = {"carers_council": "carers of its councils", "carers_partner": "carers that its organisation has access to",
        "carers_desk": "no carer's record", "carers_self": "her own record"}


@functools.lru_cache(maxsize=1)
def operations():
    """(id, method, path, scopes or None, roles or None) of the contract, in its order. None: no token is needed; any role."""
    document = Bundle("openapi.yaml").document()
    return [(one["operationId"], method.upper(), path, None if {} in one["security"] or not one["security"] else one["security"][0]["token"],
             one.get("x-roles")) for path, item in document["paths"].items() for method, one in item.items() if method in METHODS]


def words(names):
    return ", ".join(f"`{name}`" for name in names)


def roles():
    yield "| role | whom it sees | scopes that open something for it |"
    yield "|---|---|---|"
    for role, kind in found("include/auth/roles.def", ROLE, "role, class"):
        opened = {scope for _, _, _, scopes, only in operations() if only is None or role in only for scope in scopes or ()}
        yield f"| `{role}` | {SEEN[kind]} | {words(sorted(opened))} |"


def scopes_table():
    yield "| scope | operations |"
    yield "|---|---|"
    for scope in sorted({scope for _, _, _, scopes, _ in operations() for scope in scopes or ()}):
        yield f"| `{scope}` | {words(name for name, _, _, scopes, _ in operations() if scope in (scopes or ()))} |"


def operations_table():
    yield "| operation | call | scopes | roles |"
    yield "|---|---|---|---|"
    for name, method, path, scopes, only in operations():
        wanted = "no token is needed" if scopes is None else words(scopes) or "any token"
        yield f"| `{name}` | `{method} {path}` | {wanted} | {words(only) if only else '' if scopes is None else 'every'} |"


TABLES = (("README.md", "settings", settings),
          ("docs/referrals.md", "referral moves", lambda: moves("api/rules/referral_states.def")),
          ("docs/breaks.md", "break moves", lambda: moves("api/rules/break_states.def")),
          ("docs/funding.md", "funding moves", funding_moves),
          ("docs/guides/errors.md", "problems", problems),
          ("docs/guides/roles-and-scopes.md", "roles", roles),
          ("docs/guides/roles-and-scopes.md", "scopes", scopes_table),
          ("docs/guides/roles-and-scopes.md", "operations", operations_table))


def main(mode):
    for name, what, rows in TABLES:
        begin, end = f"<!-- {what}: made by tools/tables.py -->", f"<!-- end of {what} -->"
        table, path = "\n".join(rows()), pathlib.Path(name)
        if mode is None:
            print(table)
            continue
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if begin not in text or end not in text:
            sys.exit(f"{name} has no place for the {what}: a line `{begin}` and a line `{end}`")
        head, rest = text.split(begin, 1)
        fresh = f"{head}{begin}\n{table}\n{end}{rest.split(end, 1)[1]}"
        if mode == "--write":
            path.write_text(fresh, encoding="utf-8")
        elif fresh != text:
            sys.exit(f"{name}: the table of {what} is not what the code has: run tools/tables.py --write")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
