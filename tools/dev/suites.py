#!/usr/bin/env python3
"""./dev test: runs every suite, counts single tests, and ends with `N passed, N failed`.

style, unit and contract are meson's (each test that speaks TAP is counted); sql and api are pytest's, and so is what
stands as test_*.py under tests/contract. A suite that ran no test, a skipped test and a sanitizer's report are failures.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
MESON_SUITES = ("style", "unit", "contract")
PYTEST_SUITES = ("contract", "sql", "api")
TAP = re.compile(r"^(ok|not ok) \d+(.*# *skip)?", re.MULTILINE | re.IGNORECASE)
UNITTEST = re.compile(r"^Ran (\d+) tests? in", re.MULTILINE)
COUNTS = re.compile(r"^# (JSON-Schema-Test-Suite .*)$", re.MULTILINE)
SANITIZER = re.compile(r"(?:ERROR|WARNING): \w+Sanitizer|runtime error:")


def count_meson_test(record):
    """Passed and failed of one program: TAP and unittest say how many tests there are; another program is one."""
    text = record.get("stdout", "") + record.get("stderr", "")
    results = [word == "ok" and not skipped for word, skipped in TAP.findall(text)]
    passed, failed = sum(results), len(results) - sum(results)
    good = record["result"] == "OK" and not SANITIZER.search(text)
    if not good and failed == 0:
        failed = 1
    if good and not results:
        ran = UNITTEST.search(text)
        passed = int(ran[1]) if ran else 1
    return passed, failed


def run_meson(build, suite):
    """A suite of meson's; what failed is shown with its output."""
    log = build / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    subprocess.run(["meson", "test", "-C", build, "--no-rebuild", "--suite", suite, "--quiet", "--print-errorlogs"],
                   cwd=ROOT, check=False)
    passed = failed = 0
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else ():
        record = json.loads(line)
        good, bad = count_meson_test(record)
        for count in COUNTS.findall(record.get("stdout", "")):
            print(count, flush=True)
        passed, failed = passed + good, failed + bad
    return passed, failed


def count_junit(path):
    passed = failed = 0
    if not path.exists():
        return 0, 1
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        bad = any(case.find(what) is not None for what in ("failure", "error", "skipped"))
        passed, failed = passed + (not bad), failed + bad
    return passed, failed


def run_pytest(build, suite, extra):
    folder = ROOT / "tests" / suite
    if not any(folder.glob("**/test_*.py")):
        return 0, 0
    with tempfile.TemporaryDirectory(prefix="carers-junit-") as place:
        report = pathlib.Path(place) / "junit.xml"
        environment = {**os.environ, "API_PROGRAM": str(build / "carers-api"), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(["/usr/bin/python3", "-m", "pytest", "-c", ROOT / "tests" / "pytest.ini", "-n", "2", "--dist", "loadfile",
                               "--junit-xml", report, *extra, folder], cwd=ROOT, env=environment, check=False)
        passed, failed = count_junit(report)
    if done.returncode not in (0, 1, 5) and failed == 0:  # 5: nothing collected, found below
        failed = 1
    return passed, failed


def run_all(build, extra):
    """The rows of the summary: suite, passed, failed, seconds."""
    suites = PYTEST_SUITES[1:] if extra else ("style", "unit", "contract", "sql", "api")
    for suite in suites:
        print(f"--- {suite}", flush=True)
        began = time.monotonic()
        passed, failed = (0, 0) if extra or suite not in MESON_SUITES else run_meson(build, suite)
        if suite in PYTEST_SUITES:
            good, bad = run_pytest(build, suite, extra)
            passed, failed = passed + good, failed + bad
        if passed + failed == 0 and not extra:
            print(f"suite {suite} ran no test", flush=True)
            failed = 1
        yield suite, passed, failed, time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    options, extra = parser.parse_known_args()
    rows = list(run_all((ROOT / options.build).resolve(), extra))
    print(f"\n{'suite':<10}{'passed':>8}{'failed':>8}{'seconds':>9}")
    for suite, passed, failed, seconds in rows:
        print(f"{suite:<10}{passed:>8}{failed:>8}{seconds:>9.1f}")
    passed, failed = sum(row[1] for row in rows), sum(row[2] for row in rows)
    print(f"\n{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
