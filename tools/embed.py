#!/usr/bin/env python3
"""Files -> C: the bundled contract, the migrations.

    embed.py OUT.h OUT.c SYMBOL=FILE...       const char SYMBOL[] (ended by NUL), const size_t SYMBOL_size and
                                              const char SYMBOL_version[] (of its bytes, for an ETag)
    embed.py --migrations OUT.h OUT.c FILE... const struct db_migrations migrations, in order of name
"""
import hashlib
import pathlib
import re
import sys

MADE = "/* Made by tools/embed.py: change the files it was made from. */\n"
LONG = '#pragma GCC diagnostic ignored "-Woverlength-strings"\n\n'
MIGRATION = re.compile(r"(\d{4})_\w+")


def c_text(data):
    """C string literals, one a line of the file; everything but plain ASCII escaped, `?` too (no trigraphs)."""
    def piece(line):
        return "".join(chr(b) if 32 <= b < 127 and b not in b'"\\?' else f"\\{b:03o}" for b in line)
    return "\n\t".join(f'"{piece(line)}"' for line in data.splitlines(keepends=True)) or '""'


def version_of(data):
    """Names these bytes; short enough for an ETag (include/call/reply.h)."""
    return hashlib.sha256(data).hexdigest()[:16]


def embed(out_h, out_c, pairs):
    h, c = [MADE, "#pragma once\n\n#include <stddef.h>\n\n"], [MADE, f'#include "{out_h.name}"\n\n', LONG]
    for symbol, _, name in (pair.partition("=") for pair in pairs):
        data = pathlib.Path(name).read_bytes()
        h.append(f"extern const char {symbol}[], {symbol}_version[];\nextern const size_t {symbol}_size; /* less the NUL at its end */\n")
        c.append(f"const char {symbol}[] =\n\t{c_text(data)};\nconst size_t {symbol}_size = sizeof {symbol} - 1;\n"
                 f'const char {symbol}_version[] = "{version_of(data)}";\n')
    out_h.write_text("".join(h))
    out_c.write_text("".join(c))


def migrations(out_h, out_c, names):
    files = sorted(map(pathlib.Path, names), key=lambda path: path.stem)
    rows, before = [], 0
    for path in files:
        match = MIGRATION.fullmatch(path.stem)
        if not match or int(match[1]) <= before:
            sys.exit(f"{path}: migrations are named 0001_words.sql, 0002_words.sql, ... each with a number of its own")
        before = int(match[1])
        data = path.read_bytes()
        if b"\0" in data:
            sys.exit(f"{path}: has a NUL")
        expands = "true" if data.startswith(b"-- expands") else "false"  # see docs/adr/0033
        rows.append(f'\t{{ "{path.stem}",\n\t{c_text(data)},\n\t"{hashlib.sha256(data).hexdigest()}", {expands} }},\n')
    out_h.write_text(MADE + '#pragma once\n\n#include "db/migrate.h"\n\nextern const struct db_migrations migrations;\n')
    out_c.write_text(MADE + f'#include "{out_h.name}"\n\n' + LONG + "static const struct db_migration list[] = {\n" +
                     "".join(rows) + "};\n" +
                     f"const struct db_migrations migrations = {{ list, {len(files)} }};\n")


def main(arguments):
    if arguments and arguments[0] == "--migrations" and len(arguments) > 3:
        return migrations(pathlib.Path(arguments[1]), pathlib.Path(arguments[2]), arguments[3:])
    if len(arguments) > 2 and all("=" in pair for pair in arguments[2:]):
        return embed(pathlib.Path(arguments[0]), pathlib.Path(arguments[1]), arguments[2:])
    sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
