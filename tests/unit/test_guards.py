#!/usr/bin/env python3
"""The guards of tools/ catch what they are there for: each breach in a small tree of its own, and nothing in a good one."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
HEAD = "/* A file that says what it is. */\n"


def run(tool, files):
    """The tool's exit code and output in a folder with these files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        done = subprocess.run([sys.executable, TOOLS / tool], cwd=folder, text=True, capture_output=True, check=False)
        return done.returncode, done.stdout + done.stderr


class Layers(unittest.TestCase):
    """tools/layers.py: the rule of the stairs."""

    def refused(self, path, include, word):
        code, text = run("layers.py", {path: f"{HEAD}#include {include}\n"})
        self.assertEqual(code, 1, text)
        self.assertIn(f"{path}:2: ", text)
        self.assertIn(word, text)

    def allowed(self, path, include):
        code, text = run("layers.py", {path: f"{HEAD}#include {include}\n"})
        self.assertEqual((code, text), (0, ""))

    def test_a_lower_floor_may_be_included(self):
        self.allowed("src/http/server.c", '"call/call.h"')
        self.allowed("src/call/call.c", '"db/tx.h"')
        self.allowed("api/carers.c", '"rules/nhs_number.h"')
        self.allowed("src/main.c", '"http/server.h"')

    def test_a_higher_floor_may_not(self):
        self.refused("src/db/tx.c", '"call/call.h"', "db (floor 1) includes call/call.h (floor 3)")
        self.refused("src/base/text.c", '"db/tx.h"', "floor 0")
        self.refused("include/call/call.h", '"http/server.h"', "floor 5")
        self.refused("api/rules/funding.c", '"api/modules.h"', "floor 4")

    def test_a_sibling_may_not(self):
        self.refused("src/db/tx.c", '"auth/principal.h"', "db (floor 1) includes auth/principal.h (floor 1)")
        self.refused("src/call/call.c", '"rules/funding.h"', "floor 3")

    def test_jsonschema_sees_nothing_of_ours(self):
        self.refused("src/jsonschema/compile.c", '"base/text.h"', "includes nothing else of ours")
        self.allowed("src/jsonschema/compile.c", '"jsonschema/jsonschema.h"')

    def test_each_library_has_one_door(self):
        for header, floor in (("libpq-fe.h", "db"), ("ulfius.h", "http"), ("jwt.h", "auth"), ("pcre2.h", "jsonschema")):
            self.allowed(f"src/{floor}/door.c", f"<{header}>")
            self.refused("src/call/call.c", f"<{header}>", f"only {floor}/ may include {header}")
            self.refused("src/main.c", f"<{header}>", f"only {floor}/ may include {header}")
        self.allowed("api/rules/door.c", "<libical/ical.h>")
        self.refused("api/breaks.c", "<libical/ical.h>", "only rules/ may include libical/ical.h")

    def test_libcurl_has_two(self):
        for path in ("src/auth/fetch.c", "src/webhook/post.c"):
            self.allowed(path, "<curl/curl.h>")
        self.refused("src/http/server.c", "<curl/curl.h>", "only auth/ and webhook/ may include curl/curl.h")

    def test_families_do_not_include_each_other(self):
        code, text = run("layers.py", {"api/carers.c": f'{HEAD}#include "breaks.h"\n', "api/breaks.h": HEAD,
                                       "api/modules.c": f'{HEAD}#include "modules.h"\n', "api/modules.h": HEAD})
        self.assertEqual(code, 1)
        self.assertIn("families do not include each other", text)
        self.assertNotIn("modules.h", text)


class Style(unittest.TestCase):
    """tools/style.py: errors end with 1, budgets are only reported."""

    def check(self, code, expected, sentence, path="src/base/x.c"):
        result, text = run("style.py", {path: HEAD + code})
        self.assertEqual(result, expected, text)
        if sentence:
            self.assertIn(sentence, text)
        else:
            self.assertEqual(text, "")

    def test_good_code_is_passed_in_silence(self):
        self.check('int f(void)\n{\n\treturn 1; /* // and strcpy( and SELECT are only words here */\n}\n', 0, None)
        self.check('static const char *const url = "https://example.org";\n', 0, None)

    def test_errors_are_errors(self):
        self.check("int x; // no\n", 1, "x.c:2: error: // comment")
        self.check("void f(char *a)\n{\n\tstrcpy(a, \"b\");\n}\n", 1, "x.c:4: error: strcpy() is banned")
        self.check("int f(const char *a)\n{\n\treturn atoi(a);\n}\n", 1, "atoi() is banned")
        self.check('static const char *const q = "SELECT 1";\n', 1, "SQL in a C string")
        self.check("typedef struct x { int y; } x;\n", 1, "typedef'd struct")
        self.check("static bool fail(int x)\n{\n\treturn x;\n}\n", 1, "fail() is a macro of cmocka")

    def test_nothing_waits_by_the_wall_clock(self):
        self.check("static int f(void)\n{\n\tclock_gettime(CLOCK_REALTIME, &until);\n}\n", 1, "x.c:4: error: CLOCK_REALTIME outside base/clock.c")
        self.check("static int f(void)\n{\n\tpthread_cond_init(&t->wake, NULL);\n}\n", 1, "a wait by the wall clock lasts longer")
        self.check("static int f(void)\n{\n\treturn CLOCK_REALTIME;\n}\n", 0, None, "src/base/clock.c")

    def test_a_file_says_what_it_is(self):
        code, text = run("style.py", {"src/base/x.c": "#include <stdio.h>\n"})
        self.assertEqual(code, 1)
        self.assertIn("does not begin with a comment", text)

    def test_budgets_are_reported(self):
        long = "int f(void)\n{\n" + "\tf();\n" * 40 + "}\n"
        self.check(long, 0, "f() has 43 lines (at most 40)")
        self.check("int f(int a, int b, int c, int d, int e, int g)\n{\n\treturn 1;\n}\n", 0, "f() has 6 parameters")
        self.check("int f(void)\n{\n\tif (1)\n\t\tif (1)\n\t\t\tif (1)\n\t\t\t\tif (1)\n\t\t\t\t\treturn 1;\n}\n", 0,
                   "f() is nested 4 deep")
        self.check("int a;\n" * 401, 0, "402 lines (at most 400)")
        self.check("int a;\n" * 301, 0, "302 lines (at most 300)", "api/carers.c")
        self.check("int " + "a" * 100 + ";\n", 0, "1 lines have more than 100 columns")

    def test_a_budget_passed_on_purpose_says_why(self):
        self.check("/* style: one table, nothing to part */\nint f(void)\n{\n" + "\tf();\n" * 40 + "}\n", 0, None)


if __name__ == "__main__":
    unittest.main()
