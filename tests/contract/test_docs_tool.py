"""tools/docs.py: what it makes with the viewer and without, and what it refuses."""
import pathlib
import shutil
import subprocess

import pytest
from support.server import ROOT


@pytest.fixture
def made(tmp_path):
    """made(change): the tool's result over a copy of the guides that `change` has changed, and the C that it made."""
    for name in ("tools/docs.py", "tools/embed.py", "tools/docs", "docs/guides"):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, target)

    def run(change=None, viewer="nowhere"):
        if change:
            change(tmp_path / "docs" / "guides")
        done = subprocess.run(["/usr/bin/python3", tmp_path / "tools/docs.py", "--viewer", viewer, "--depfile", tmp_path / "d",
                               tmp_path / "p.h", tmp_path / "p.c"], capture_output=True, text=True, check=False)
        out = tmp_path / "p.c"
        return done, out.read_text(encoding="utf-8") if out.exists() else ""
    return run


def append(name, text):
    def change(folder):
        with (folder / name).open("a", encoding="utf-8") as guide:
            guide.write(text)
    return change


def test_without_the_viewer_the_page_says_so_and_has_the_guides(made):
    done, text = made()

    assert done.returncode == 0, done.stderr
    assert "was not packaged into this program" in text and "guides/first-call" in text
    assert "swagger-ui" not in text and "const size_t page_count = 13;" in text


def test_with_the_viewer_it_is_in_the_program(made, tmp_path):
    viewer = tmp_path / "viewer"
    viewer.mkdir()
    (viewer / "swagger-ui-bundle.js").write_text('var SwaggerUIBundle = "??=";', encoding="utf-8")
    (viewer / "swagger-ui.css").write_text(".swagger-ui {}", encoding="utf-8")
    done, text = made(viewer=viewer)

    assert done.returncode == 0, done.stderr
    assert "was not packaged" not in text and "scripts/swagger-ui.js" in text and "const size_t page_count = 15;" in text
    assert str(viewer / "swagger-ui.css") in (tmp_path / "d").read_text(encoding="utf-8")


def test_what_did_not_change_is_not_written_again(made, tmp_path):
    made()
    before = (tmp_path / "p.c").stat().st_mtime_ns
    made()

    assert (tmp_path / "p.c").stat().st_mtime_ns == before


@pytest.mark.parametrize("change, reason", [
    (append("errors.md", "\n[there](nowhere.md)\n"), "errors.md links to nowhere.md, which is not served"),
    (append("errors.md", "\n<script>alert(1)</script>\n"), "errors.md has HTML"),
    (lambda folder: (folder / "new.md").write_text("# New\n", encoding="utf-8"), "differ in new"),
    (lambda folder: (folder / "errors.md").unlink(), "differ in errors"),
    (lambda folder: (folder / "errors.md").write_text("no title\n", encoding="utf-8"), "begins with no title"),
])
def test_what_is_wrong_is_refused_with_its_reason(made, change, reason):
    done, text = made(change)

    assert done.returncode == 1 and reason in done.stderr and text == ""


def test_the_pages_come_from_the_lock_file_without_its_scripts():
    text = (ROOT / "tools" / "dev" / "common.sh").read_text(encoding="utf-8")

    assert "npm ci --ignore-scripts" in text and pathlib.Path(ROOT / "tools/docs/package-lock.json").exists()
