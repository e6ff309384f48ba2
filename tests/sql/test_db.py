"""The database floor against a real PostgreSQL: each test of the cmocka programs test_db_*.c is one test here."""
import os
import pathlib
import re
import subprocess

import pytest
from support.server import PROGRAM, SANITIZERS

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 120  # sanitized, on a busy machine; a test takes less than two


def cases():
    for source in sorted(HERE.glob("test_db_*.c")):
        for name in re.findall(r"^\t(?:FLOOR|MIGRATION)_TEST\((\w+)\)", source.read_text(encoding="utf-8"), re.M):
            yield pytest.param(source.stem, name, id=f"{source.stem}-{name}")


@pytest.mark.parametrize("program, name", cases())
def test_the_database_floor(program, name, cluster):
    environment = {**SANITIZERS, **os.environ, "CARERS_TEST_DATABASE": cluster.conninfo(), "FLOOR_FOLDER": str(HERE)}
    done = subprocess.run([PROGRAM.parent / program, name], env=environment, text=True, capture_output=True,
                          timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"[       OK ] {name}" in done.stdout + done.stderr
