#!/usr/bin/env python3
"""The rules of style that a program can see, over src/, include/, api/ and tests/.

Errors (exit 1): // comments, banned functions, SQL in C strings, typedef'd structs, cmocka's names, a file that does not
say what it is. Report: files, functions, nesting, parameters and lines over budget; a budget that is passed on purpose
says why where it is passed, in a comment that begins with `style:`.
"""
import pathlib
import re
import sys

FILE, FAMILY, FUNCTION, NESTING, PARAMETERS, LINE, TAB = 400, 300, 40, 3, 5, 100, 8
ROOTS = ("src", "include", "api", "tests", "bench")
BANNED = re.compile(r"\b(atoi|atol|atoll|atof|strtol|strtoll|strtoul|strtoull|strtod|sscanf|strtok|strtok_r|sprintf|"
                    r"vsprintf|strcpy|stpcpy|strcat|strncpy|strncat|gets|alloca|setjmp|longjmp|system|popen)\s*\(")
WALL_CLOCK = re.compile(r"\bCLOCK_REALTIME\b|\bpthread_cond_init\s*\([^;]*,\s*NULL\s*\)")
SQL = re.compile(r"\b(SELECT|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|ROLE|INDEX|SCHEMA)|"
                 r"ALTER\s+TABLE|DROP\s+TABLE)\b")
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.DOTALL)
FUNCTION_HEAD = re.compile(r"^[A-Za-z_][^;{}=#]*?\b(\w+)\(([^;{}]*)\)[^;{}()]*\n\{", re.MULTILINE)
CONTROL = re.compile(r"^(\t+)(?:if|for|while|switch|do|else if|\w*foreach\w*)\b")
STYLE_NOTE = re.compile(r"/\*\s*style:")


class Source:
    """One file: its text, the text without comments and strings, and what is found in it."""

    def __init__(self, path):
        self.path, self.text = path, path.read_text(encoding="utf-8")
        self.comments, self.strings = [], []
        self.code = TOKEN.sub(self._blank, self.text)

    def _blank(self, found):
        token = found[0]
        kind = self.comments if token.startswith("/") else self.strings
        kind.append((self.text.count("\n", 0, found.start()) + 1, token))
        edge = "" if token.startswith("/") else token[0]
        return edge + re.sub(r"[^\n]", " ", token)[len(edge):len(token) - len(edge)] + edge

    def line(self, where):
        return self.code.count("\n", 0, where) + 1

    def excused(self, first, last):
        """A `style:` comment within these lines or just above them."""
        return any(first - 4 <= line <= last and STYLE_NOTE.match(text) for line, text in self.comments)

    def functions(self):
        """Name, parameters, first and last line of each function."""
        for head in FUNCTION_HEAD.finditer(self.code):
            depth, end = 0, head.end() - 1
            for end in range(head.end() - 1, len(self.code)):
                depth += {"{": 1, "}": -1}.get(self.code[end], 0)
                if depth == 0:
                    break
            yield head[1], head[2], self.line(head.start()), self.line(end)


def parameters(text):
    depth = count = 0
    for sign in text:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        count += sign == "," and depth == 0
    return 0 if text.strip() in ("", "void") else count + 1


def errors(source):
    if not source.text.lstrip().startswith("/*"):
        yield 1, "the file does not begin with a comment that says what it is"
    for number, token in source.comments:
        if token.startswith("//"):
            yield number, "// comment: use /* */"
    for found in BANNED.finditer(source.code):
        yield source.line(found.start()), f"{found[1]}() is banned"
    for found in WALL_CLOCK.finditer(source.code):
        if source.path.parts[0] in ("src", "api") and source.path.name != "clock.c":
            yield source.line(found.start()), f"{found[0]} outside base/clock.c: a wait by the wall clock lasts longer when that is set back"
    for number, token in source.strings:
        if SQL.search(token) and "tests" not in source.path.parts and not source.excused(number, number):
            yield number, "SQL in a C string: it belongs into sql/"
    for found in re.finditer(r"\btypedef\s+(struct|union|enum)\b", source.code):
        yield source.line(found.start()), f"typedef'd {found[1]}"
    for found in re.finditer(r"^(?:static\s+)?[\w ]+[ *](fail|skip)\(", source.code, re.MULTILINE):
        yield source.line(found.start()), f"{found[1]}() is a macro of cmocka"


def over_budget(source):
    lines = source.text.count("\n")
    most = FAMILY if source.path.parts[0] == "api" and source.path.parent.name == "api" else FILE
    if lines > most and not source.excused(1, 5):
        yield 1, f"{lines} lines (at most {most})"
    wide = [n for n, line in enumerate(source.text.splitlines(), 1) if len(line.expandtabs(TAB)) > LINE]
    if wide and source.path.suffix != ".def":
        yield wide[0], f"{len(wide)} lines have more than {LINE} columns"
    code = source.code.splitlines()
    for name, given, first, last in source.functions():
        if source.excused(first, last):
            continue
        if last - first + 1 > FUNCTION:
            yield first, f"{name}() has {last - first + 1} lines (at most {FUNCTION})"
        if parameters(given) > PARAMETERS:
            yield first, f"{name}() has {parameters(given)} parameters (at most {PARAMETERS})"
        deepest = max((len(found[1]) for line in code[first:last] if (found := CONTROL.match(line))), default=0)
        if deepest > NESTING:
            yield first, f"{name}() is nested {deepest} deep (at most {NESTING})"


def main():
    paths = sorted(p for root in ROOTS for p in pathlib.Path(root).rglob("*") if p.suffix in (".c", ".h", ".def"))
    wrong = reported = 0
    for source in map(Source, paths):
        for number, sentence in errors(source):
            wrong += 1
            print(f"{source.path}:{number}: error: {sentence}")
        for number, sentence in over_budget(source):
            reported += 1
            print(f"{source.path}:{number}: budget: {sentence}")
    if wrong or reported:
        print(f"style: {wrong} errors, {reported} over budget, in {len(paths)} files")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
