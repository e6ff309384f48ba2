"""tools/sqlgen.py and tools/embed.py: what they make compiles, and what they must refuse stops the build."""
import hashlib
import json
import os
import subprocess
import sys

import pytest
from support.server import ROOT

CC = os.environ.get("CC", "cc").split()
FLAGS = ["-std=gnu17", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", f"-I{ROOT / 'include'}"]


def run(*command, cwd):
    return subprocess.run([str(part) for part in command], cwd=cwd, text=True, capture_output=True, timeout=60)


def sqlgen(folder, *texts):
    files = []
    for number, text in enumerate(texts):
        files.append(folder / f"{number}.sql")
        files[-1].write_text(text, encoding="utf-8")
    return run(sys.executable, ROOT / "tools/sqlgen.py", "queries.h", "queries.c", "queries.json", *files, cwd=folder)


def embed(folder, *arguments):
    return run(sys.executable, ROOT / "tools/embed.py", *arguments, cwd=folder)


def test_the_demo_directory_is_what_its_script_makes(tmp_path):
    (tmp_path / "tools").mkdir()
    (tmp_path / "sql" / "seed").mkdir(parents=True)
    script = tmp_path / "tools" / "demo_directory.py"
    script.write_text((ROOT / "tools/demo_directory.py").read_text(encoding="utf-8"), encoding="utf-8")
    assert run(sys.executable, script, cwd=tmp_path).returncode == 0
    assert (tmp_path / "sql/seed/directory.sql").read_text(encoding="utf-8") == (ROOT / "sql/seed/directory.sql").read_text(encoding="utf-8")


def compile_c(folder, source):
    (folder / "try.c").write_text(source, encoding="utf-8")
    return run(*CC, *FLAGS, "-c", "try.c", cwd=folder)


GOOD = """-- A family.

-- What it is for: words that begin like one, name: but are none.
-- name: thing_by_id(id, kind)
SELECT body, '$3; "??/ é\\', "a;b" -- it's $4
  FROM thing

 WHERE id = $1::uuid AND kind = $2;
-- name: all_things()
SELECT 1
"""
USE = '#include "queries.h"\nint f(const char *a);\nint f(const char *a)\n{\n\tstruct db_call c = %s;\n' \
      '\treturn a && c.argv ? c.query->argc : 0;\n}\n'


def test_queries_become_constants_macros_and_a_list(tmp_path):
    done = sqlgen(tmp_path, GOOD)
    assert done.returncode == 0, done.stderr
    listing = json.loads((tmp_path / "queries.json").read_text(encoding="utf-8"))
    assert [(q["name"], q["parameters"], q["file"]) for q in listing] == [
        ("thing_by_id", ["id", "kind"], "0.sql"), ("all_things", [], "0.sql")]
    assert listing[0]["sql"].endswith("kind = $2")
    program = '#include <stdio.h>\n#include "queries.h"\nint main(void)\n{\n' \
              '\tfor (size_t i = 0; i < queries_count; i++)\n\t\tfputs(queries[i]->sql, stdout);\n}\n'
    (tmp_path / "print.c").write_text(program, encoding="utf-8")
    built = run(*CC, *FLAGS, "print.c", "queries.c", "-o", "print", cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    assert run(tmp_path / "print", cwd=tmp_path).stdout == "".join(q["sql"] + "\n" for q in listing)


@pytest.mark.parametrize("call, compiles", [
    ("Q_THING_BY_ID(a, NULL)", True),
    ("Q_ALL_THINGS()", True),
    ("Q_THING_BY_ID(a)", False),
    ("Q_THING_BY_ID(a, a, a)", False),
    ("Q_ALL_THINGS(a)", False),
    ("Q_THING_BY_ID(1, a)", False),
])
def test_a_wrong_number_or_kind_of_arguments_does_not_compile(tmp_path, call, compiles):
    assert sqlgen(tmp_path, GOOD).returncode == 0
    done = compile_c(tmp_path, USE % call)
    assert (done.returncode == 0) == compiles, done.stderr


@pytest.mark.parametrize("text, reason", [
    ("-- name: a(x)\nSELECT 1\n", "a declares 1 parameters, uses []"),
    ("-- name: a()\nSELECT $1\n", "a declares 0 parameters, uses [1]"),
    ("-- name: a(x, y)\nSELECT $1, '$2'\n", "a declares 2 parameters, uses [1]"),
    ("-- name: a(x, x)\nSELECT $1, $2\n", "a names a parameter twice"),
    ("-- name: a()\nSELECT 1; SELECT 2\n", "a is more than one statement"),
    ("-- name: a()\n-- nothing\n", "a has no SQL"),
    ("-- name: a()\nSELECT 1\n-- name: a()\nSELECT 2\n", "a is also in"),
    ("SELECT 1\n", "SQL before the first"),
    ("-- name: a\nSELECT 1\n", "not `-- name: words(parameter, ...)`"),
    ("--name: a()\nSELECT 1\n", "not `-- name: words(parameter, ...)`"),
    (f"-- name: {'a' * 41}()\nSELECT 1\n", "longer than 40 characters"),
])
def test_what_is_wrong_in_a_query_file_stops_the_build(tmp_path, text, reason):
    done = sqlgen(tmp_path, text)
    assert done.returncode == 1
    assert reason in done.stderr
    assert not (tmp_path / "queries.h").exists()


def test_a_name_in_two_files_stops_the_build(tmp_path):
    done = sqlgen(tmp_path, "-- name: a()\nSELECT 1\n", "-- name: a()\nSELECT 2\n")
    assert done.returncode == 1
    assert "1.sql:1: a is also in" in done.stderr and "0.sql:1" in done.stderr


def test_migrations_are_embedded_whole_in_order_and_with_their_checksums(tmp_path):
    texts = {"0001_first.sql": 'SELECT \'é "x" \\ ??=\';\n', "0002_second.sql": "-- expands\nSELECT 2;" + " " * 5000}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = embed(tmp_path, "--migrations", "m.h", "m.c", *reversed(texts))
    assert done.returncode == 0, done.stderr
    program = '#include <stdio.h>\n#include "m.h"\nint main(void)\n{\n\tfor (size_t i = 0; i < migrations.count; i++)\n' \
              '\t\tprintf("%s|%s|%s|%d|", migrations.list[i].name, migrations.list[i].sql, migrations.list[i].checksum,\n' \
              "\t\t\tmigrations.list[i].expands);\n}\n"
    (tmp_path / "print.c").write_text(program, encoding="utf-8")
    built = run(*CC, *FLAGS, "print.c", "m.c", "-o", "print", cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    expected = "".join(f"{name[:-4]}|{text}|{hashlib.sha256(text.encode()).hexdigest()}|{int(text.startswith('-- expands'))}|"
                       for name, text in texts.items())
    assert run(tmp_path / "print", cwd=tmp_path).stdout == expected


def test_numbers_of_migrations_may_be_kept_for_work_that_comes_later(tmp_path):
    names = ["0001_a.sql", "0003_c.sql"]
    for name in names:
        (tmp_path / name).write_text("SELECT 1;", encoding="utf-8")
    done = embed(tmp_path, "--migrations", "m.h", "m.c", *names)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("names", [["first.sql"], ["1_a.sql"], ["0000_a.sql"], ["0001_a.sql", "0001_b.sql"]])
def test_migrations_without_a_number_of_their_own_stop_the_build(tmp_path, names):
    for name in names:
        (tmp_path / name).write_text("SELECT 1;", encoding="utf-8")
    done = embed(tmp_path, "--migrations", "m.h", "m.c", *names)
    assert done.returncode == 1
    assert "migrations are named 0001_words.sql" in done.stderr


def test_a_file_is_embedded_byte_for_byte(tmp_path):
    data = bytes(range(256)) + b'??/ "\\\n' + "é".encode() * 3000
    (tmp_path / "data").write_bytes(data)
    assert embed(tmp_path, "e.h", "e.c", "some_data=data").returncode == 0
    program = '#include <stdio.h>\n#include "e.h"\nint main(void)\n{\n' \
              '\treturn fwrite(some_data, 1, some_data_size, stdout) != some_data_size || some_data[some_data_size];\n}\n'
    (tmp_path / "print.c").write_text(program, encoding="utf-8")
    built = run(*CC, *FLAGS, "print.c", "e.c", "-o", "print", cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    assert subprocess.run([tmp_path / "print"], capture_output=True, check=True).stdout == data
