"""A service for a check: ./dev run on a free port with a folder of its own, ended and removed afterwards."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
STOP_SECONDS = 60


@contextlib.contextmanager
def service(**settings):
    """What `./dev run --json` tells of it; CARERS_... settings by name."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="carers-live-", dir="/tmp"))
    folder.chmod(0o755)  # PostgreSQL's user goes through it when root runs this
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CARERS_")}
    command = [sys.executable, ROOT / "tools/dev/run.py", "--port", "0", "--data", folder, "--json"]
    running = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *command], env={**environment, **settings}, stdout=subprocess.PIPE,
                               text=True, start_new_session=True)
    try:
        line = running.stdout.readline()
        if not line:
            sys.exit("dev: the service did not start")
        yield json.loads(line)
    finally:
        running.terminate()
        running.wait(STOP_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)
