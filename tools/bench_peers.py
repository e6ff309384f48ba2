"""The other services that ./dev bench peers measures beside ours, at the versions that bench/peers pins.

They are installed into .dev-peers (git-ignored), once for each state of the pins, by npm, pip and go.
"""
import re
import shutil
import subprocess

from schema_peers import ROOT, once, run

PEERS = ROOT / "bench" / "peers"
OLDEST_NODE = 20           # that Fastify 5 is for
OLDEST_GO = (1, 25)        # that go.mod asks for


def _said(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout.strip()


def fastify():
    """Where node finds the packages."""
    files = [PEERS / "fastify" / name for name in ("package.json", "package-lock.json")]

    def make(folder):
        for file in files:
            shutil.copy(file, folder)
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=folder)
    return once("fastify", files, make)


def fastapi():
    """The folder of an interpreter that has them."""
    pins = PEERS / "fastapi" / "requirements.txt"

    def make(folder):
        run("/usr/bin/python3", "-m", "venv", folder)
        run(folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", pins)
    return once("fastapi", [pins], make)


def go():
    """The program."""
    files = sorted(file for file in (PEERS / "go").iterdir() if file.suffix in (".go", ".mod", ".sum"))

    def make(folder):
        run("go", "build", "-mod=readonly", "-trimpath", "-o", folder / "carers-bench", ".", cwd=PEERS / "go")
    return once("go", files, make) / "carers-bench"


def node_is_there():
    return bool(shutil.which("node")) and int(_said("node", "--version").lstrip("v").split(".")[0]) >= OLDEST_NODE


def go_is_there():
    found = shutil.which("go") and re.search(r"go(\d+)\.(\d+)", _said("go", "version"))
    return bool(found) and (int(found[1]), int(found[2])) >= OLDEST_GO


def fastify_versions():
    def version(name):
        text = (fastify() / "node_modules" / name / "package.json").read_text(encoding="utf-8")
        return f"{name} {re.search(r'.version.: .([0-9.]+)', text)[1]}"
    return ["node " + _said("node", "--version").lstrip("v"), *map(version, ("fastify", "pg", "ajv", "fast-jwt"))]


def fastapi_versions():
    names = ("fastapi", "asyncpg", "pydantic", "uvicorn", "uvloop", "httptools", "PyJWT")
    pins = dict(line.split("==") for line in (PEERS / "fastapi" / "requirements.txt").read_text(encoding="utf-8").splitlines() if "==" in line)
    return [_said(fastapi() / "bin" / "python", "--version").lower(), *(f"{name.lower()} {pins[name]}" for name in names)]


def go_versions():
    pins = re.findall(r"(pgx|jsonschema|jwt)/(v[0-9]+) (v[0-9.]+)", (PEERS / "go" / "go.mod").read_text(encoding="utf-8"))
    return [_said("go", "version").split()[2].replace("go", "go ", 1), *(f"{name} {version.lstrip('v')}" for name, _, version in pins)]
