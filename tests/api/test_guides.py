"""The guides of docs/guides do what they say: each block of shell is run, and what it prints is held against the answer beside it."""
import fnmatch
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest
from pg_cluster import Cluster
from support.server import PROGRAM, ROOT, environment
from test_dev_run import Run

GUIDES = sorted(path.stem for path in (ROOT / "docs" / "guides").glob("*.md"))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CUT = "@@@ the next block @@@"


@pytest.fixture(scope="module")
def demo():
    """One ./dev run for all guides: its folder and its address."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="carers-guides-", dir="/tmp"))
    folder.chmod(0o755)
    run = Run(folder, "--port", "0")
    try:
        yield folder, run.ready()["base_url"]
    finally:
        run.stop()
        for record in folder.glob("**/cluster.json"):
            Cluster(record.parent).remove()
        shutil.rmtree(folder)


def blocks_of(guide):
    """(commands, kind, shown) of every block of shell: the answer is the block after it, if that is one."""
    found = FENCE.findall((ROOT / "docs" / "guides" / f"{guide}.md").read_text(encoding="utf-8"))
    for number, (kind, text) in enumerate(found):
        if kind == "sh":
            after = found[number + 1] if number + 1 < len(found) else ("", "")
            yield text, *(after if after[0] in ("json", "http", "text") else ("", ""))


def same_text(shown, got):
    """`...` stands for anything."""
    pattern = "*".join(re.sub(r"([*?[])", r"[\1]", part) for part in shown.split("..."))
    return fnmatch.fnmatchcase(got, pattern)


def differs(shown, got, at=""):
    """Where the answer is not what is shown; it may have more members, and after a shown "..." more items."""
    if isinstance(shown, dict) and isinstance(got, dict):
        return next((d for key in shown if (d := differs(shown[key], got.get(key), f"{at}/{key}"))), None)
    if isinstance(shown, list) and isinstance(got, list):
        wanted = [one for one in shown if one != "..."]
        if len(got) < len(wanted):
            return f"{at}: {len(got)} items"
        return next((d for n, one in enumerate(wanted) if (d := differs(one, got[n], f"{at}/{n}"))), None)
    if isinstance(shown, str) and isinstance(got, str):
        return None if same_text(shown, got) else f"{at}: {got!r}"
    return None if shown == got and type(shown) is type(got) else f"{at}: {got!r}"


def http_differs(shown, got):
    """The status, the headers that are shown, and the body."""
    shown_head, _, shown_body = shown.partition("\n\n")
    head, _, body = got.replace("\r\n", "\n").partition("\n\n")
    lines = head.split("\n")
    for number, line in enumerate(shown_head.strip().split("\n")):
        if not any(same_text(line.lower(), one.lower()) for one in (lines[:1] if number == 0 else lines[1:])):
            return f"no `{line}` in {head}"
    return differs(json.loads(shown_body), json.loads(body)) if shown_body.strip() else None


@pytest.mark.parametrize("guide", GUIDES)
def test_a_guide_does_what_it_says(guide, demo):
    folder, base = demo
    blocks = list(blocks_of(guide))
    assert blocks, "a guide shows a call"
    script = f"API={base}\n" + f"\necho '{CUT}'\n".join(commands for commands, _, _ in blocks)
    script = script.replace("http://127.0.0.1:8080", base).replace("./dev token", f"{PROGRAM} token --settings {folder}/service.env")
    done = subprocess.run(["bash", "-euo", "pipefail"], cwd=folder, text=True, capture_output=True, input=script, check=False,
                          env=environment({}))
    printed = done.stdout.split(CUT + "\n")
    assert done.returncode == 0 and len(printed) == len(blocks), done.stdout[-2000:] + done.stderr[-2000:]

    for (commands, kind, shown), got in zip(blocks, printed):
        words = {"json": lambda: differs(json.loads(shown), json.loads(got)), "http": lambda: http_differs(shown, got),
                 "text": lambda: None if same_text(shown.strip(), got.strip()) else got, "": lambda: None}[kind]()
        assert words is None, f"{commands}\nshown:\n{shown}\nbut {words}\nprinted:\n{got[:3000]}"


def test_what_differs_is_noticed():
    assert differs({"a": [1, "..."], "b": "x...z"}, {"a": [1, 2], "b": "xyz", "c": 0}) is None
    assert differs({"a": 1}, {"a": 2}) and differs({"a": [1]}, {"a": []}) and differs({"a": "x"}, {"a": "y"}) and differs({"a": 1}, {})
    assert differs(True, 1) and differs({"a": None}, {"a": 0})
    assert http_differs("HTTP/1.1 200 OK\n", "HTTP/1.1 404 Not Found\r\n\r\n") and not http_differs("HTTP/1.1 2...\n", "HTTP/1.1 200 OK\r\n\r\n")
