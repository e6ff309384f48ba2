#!/usr/bin/env python3
"""sql/queries/*.sql -> OUT.h, OUT.c, OUT.json: one constant and one macro for each named query.

    sqlgen.py [--list NAME] OUT.h OUT.c OUT.json FILE...

A query begins with `-- name: carer_by_id(carer_id)`: its name and the names of its parameters, $1 first. The macro
Q_CARER_BY_ID takes exactly these, so a wrong number of arguments does not compile. Comment lines are left out.

OUT.c also has the list of all (NAME and NAME_count, default `queries`); OUT.json has names, parameters and SQL, for the
tests, which prepare each, and for the bench, which gives the very same statements to pgbench.
"""
import argparse
import json
import pathlib
import re
import sys

NAME = re.compile(r"-- name: (\w+)\(([\w, ]*)\)")
NAME_LIMIT = 40  # with "@" and a class it must fit PostgreSQL's 63 bytes for a prepared statement's name


def stop(path, number, what):
    sys.exit(f"{path}:{number}: {what}")


class Query:
    """One named query as it stands in its file."""

    def __init__(self, path, number, name, parameters):
        self.path, self.number, self.name, self.parameters = path, number, name, parameters
        self.lines = []

    def sql(self):
        return "\n".join(self.lines).strip().removesuffix(";").rstrip()

    def check(self, before):
        text = self.sql()
        if not text:
            stop(self.path, self.number, f"{self.name} has no SQL")
        if len(self.name) > NAME_LIMIT:
            stop(self.path, self.number, f"{self.name} is longer than {NAME_LIMIT} characters")
        if len(set(self.parameters)) != len(self.parameters):
            stop(self.path, self.number, f"{self.name} names a parameter twice")
        if before:
            stop(self.path, self.number, f"{self.name} is also in {before.path}:{before.number}")
        used = {int(i) for i in re.findall(r"\$(\d+)", without_literals(text))}
        if used != set(range(1, len(self.parameters) + 1)):
            stop(self.path, self.number, f"{self.name} declares {len(self.parameters)} parameters, uses {sorted(used)}")
        if ";" in without_literals(text):
            stop(self.path, self.number, f"{self.name} is more than one statement")


def without_literals(sql):
    """The SQL less what stands in quotes and in comments at the end of a line."""
    return re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*", " ", sql)


def read(path):
    query = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        head = NAME.fullmatch(line.rstrip())
        if head:
            if query:
                yield query
            parameters = [p.strip() for p in head[2].split(",") if p.strip()]
            query = Query(path, number, head[1], parameters)
        elif re.match(r"\s*--\s*name\b", line):
            stop(path, number, f"not `-- name: words(parameter, ...)`: {line}")
        elif line.lstrip().startswith("--"):
            continue
        elif query:
            query.lines.append(line.rstrip())
        elif line.strip():
            stop(path, number, "SQL before the first `-- name:`")
    if query:
        yield query


def c_text(text):
    """A C string literal, one piece a line; everything but plain ASCII escaped, `?` too (no trigraphs)."""
    def piece(line):
        return "".join(c if 32 <= ord(c) < 127 and c not in '"\\?' else "".join(f"\\{b:03o}" for b in c.encode())
                       for c in line)
    return "\n\t".join(f'"{piece(line)}\\n"' for line in text.splitlines())


def header(queries, list_name):
    out = ["/* Made by tools/sqlgen.py from sql/queries: change those. */", "#pragma once", "", '#include "db/query.h"', ""]
    for q in queries:
        arguments = ", ".join(q.parameters)
        given = ", ".join(f"({p})" for p in q.parameters)
        argv = f"(const char *const[]){{ {given} }}" if given else "NULL"
        out += [f"extern const struct db_query query_{q.name};",
                f"#define Q_{q.name.upper()}({arguments}) ((struct db_call){{ .query = &query_{q.name}, .argv = {argv} }})"]
    out += ["", f"extern const struct db_query *const {list_name}[];", f"extern const size_t {list_name}_count;"]
    return "\n".join(out) + "\n"


def source(queries, list_name, header_name):
    out = ["/* Made by tools/sqlgen.py from sql/queries: change those. */", f'#include "{header_name}"', "",
           '#pragma GCC diagnostic ignored "-Woverlength-strings"', ""]
    for q in queries:
        out += [f"const struct db_query query_{q.name} = {{ \"{q.name}\",", f"\t{c_text(q.sql())},",
                f"\t{len(q.parameters)} }};"]
    out += ["", f"const struct db_query *const {list_name}[] = {{"] + [f"\t&query_{q.name}," for q in queries]
    out += ["\tNULL", "};", f"const size_t {list_name}_count = {len(queries)};"]
    return "\n".join(out) + "\n"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--list", default="queries")
    arguments.add_argument("header", type=pathlib.Path)
    arguments.add_argument("source", type=pathlib.Path)
    arguments.add_argument("listing", type=pathlib.Path)
    arguments.add_argument("files", type=pathlib.Path, nargs="+")
    a = arguments.parse_args()
    known = {}
    for query in (q for path in a.files for q in read(path)):
        query.check(known.get(query.name))
        known[query.name] = query
    queries = list(known.values())
    a.header.write_text(header(queries, a.list), encoding="utf-8")
    a.source.write_text(source(queries, a.list, a.header.name), encoding="utf-8")
    listing = [{"name": q.name, "file": q.path.name, "parameters": q.parameters, "sql": q.sql()} for q in queries]
    a.listing.write_text(json.dumps(listing, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
