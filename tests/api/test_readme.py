"""The README's first calls do what the README says."""
import json
import re
import subprocess

import pytest
from support.server import PROGRAM, ROOT
from test_dev_run import Run, folder  # noqa: F401 (a fixture)


@pytest.fixture
def answers(folder):  # noqa: F811
    """What each fenced block of "First calls" prints, run by one shell in the order of the page."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    section = page.partition("## First calls")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    run = Run(folder, "--port", "0")
    try:
        script = "\necho @@@\n".join(blocks).replace("http://127.0.0.1:8080", run.ready()["base_url"])
        done = subprocess.run(["bash", "-euo", "pipefail"], cwd=ROOT, text=True, capture_output=True, check=True,
                              input=script.replace("./dev token", f"{PROGRAM} token --settings {folder}/service.env"))
        yield done.stdout.split("@@@\n")
    finally:
        run.stop()


def test_the_first_calls_answer_as_the_page_says(answers):
    me, created, newest, patched, hidden, explained = answers

    assert json.loads(me)["role"] == "practitioner"
    assert created.startswith("HTTP/1.1 201") and '"state":"identified"' in created
    assert re.search(r'^Location: /v1/carers/[0-9a-f-]{36}$', created, re.MULTILINE)
    assert [carer["state"] for carer in json.loads(newest)["items"]] == ["identified"] * 2
    assert "next_cursor" in json.loads(newest)
    assert json.loads(patched)["preferred_language"] == "ar"
    assert json.loads(hidden)["type"] == "/problems/not-found"
    assert json.loads(explained)["slug"] == "precondition-failed"
