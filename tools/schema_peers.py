"""The other JSON Schema validators that src/jsonschema is compared with, at the versions that bench/peers/schema pins.

They are installed into .dev-peers (git-ignored), once for each state of the pins, by npm, pip and cargo.
"""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PINS = ROOT / "bench" / "peers" / "schema"
PLACE = ROOT / ".dev-peers"


def _stamp(files):
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def once(name, files, make):
    """The folder `name`, made again when one of the files has changed."""
    folder, stamp = PLACE / name, _stamp(files)
    note = folder / "pins.sha256"
    if not note.exists() or note.read_text(encoding="ascii") != stamp:
        print(f"peers: installing {name}", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        note.write_text(stamp, encoding="ascii")
    return folder


def run(*command, **more):
    subprocess.run([str(word) for word in command], check=True, stdout=sys.stderr, **more)


def node_modules():
    """ajv and what it needs: a folder for NODE_PATH."""
    files = [PINS / "package.json", PINS / "package-lock.json"]

    def make(folder):
        for file in files:
            shutil.copy(file, folder)
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=folder)
    return once("node", files, make) / "node_modules"


def python():
    """An interpreter that has python-jsonschema, and nothing else."""
    files = [PINS / "requirements.txt"]

    def make(folder):
        run("/usr/bin/python3", "-m", "venv", folder)
        run(folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", files[0])
    return once("python", files, make) / "bin" / "python"


def rust(crate):
    """The program of the crate in folder `crate`; None where there is no cargo, or it does not build."""
    if not shutil.which("cargo"):
        return None
    folder = PLACE / "rust"
    try:
        run("cargo", "build", "--release", "--locked", "--quiet", cwd=crate,
             env={**os.environ, "CARGO_TARGET_DIR": str(folder)})
    except subprocess.CalledProcessError as fault:
        print(f"peers: the crate does not build: {fault}", file=sys.stderr)
        return None
    return folder / "release" / "schema-bench"


def versions():
    """Name -> version, of what is pinned and of what runs it."""
    def said(*command):
        return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout.strip()
    package = "import importlib.metadata as m; print(m.version('jsonschema'))"
    ajv = (node_modules() / "ajv" / "package.json").read_text(encoding="utf-8").split('"version": "')[1].split('"')[0]
    return {"ajv": ajv, "node": said("node", "--version").lstrip("v"), "python-jsonschema": said(python(), "-c", package),
            "python": said(python(), "--version").split()[1]}
