"""The samples of deploy/ as they stand, in front of, below and around a service: nginx, HAProxy, PgBouncer. `./dev deploy`."""
import contextlib
import socket
import subprocess

import pytest
from api.conftest import alive, api, carer, client, serve, server, settings, tokens  # noqa: F401  pylint: disable=unused-import
from support.server import ROOT, wait_for


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def sample(name, *changes):
    """The text of deploy/NAME with what differs here; each change must find its place."""
    text = (ROOT / "deploy" / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, f"deploy/{name} has no {old!r} any more"
        text = text.replace(old, new)
    return text


@pytest.fixture
def daemon(run_folder):
    """daemon(words, port): a program in the foreground, its log in a file, until the end of the test."""
    with contextlib.ExitStack() as running:
        def start(words, port):
            path = run_folder / f"daemon-{port}.log"
            with open(path, "wb") as log:
                process = subprocess.Popen([str(word) for word in words], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            running.callback(lambda: (process.terminate(), process.wait(30)))

            def ready():
                assert process.poll() is None, path.read_text(errors="replace")
                return listens(port)
            wait_for(ready)
            return process
        yield start
