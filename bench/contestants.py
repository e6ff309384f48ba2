"""The services that ./dev bench peers lets take turns: ours, and the same four operations on other foundations."""
import dataclasses
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

from ground import ROOT
import load

sys.path.insert(0, str(ROOT / "tools"))
import bench_peers  # noqa: E402

PEERS = ROOT / "bench" / "peers"
READY_SECONDS = 30
STOP_SECONDS = 10
PSS_EVERY = 0.2
# What the service sets its own sessions to: the answers are written with it.
SESSION = {"jit": "off", "TimeZone": "UTC", "DateStyle": "ISO,YMD", "statement_timeout": "5000"}
QUERIES = ("begin", "claims", "claims_noted", "commit", "carer_read", "carers_of_councils", "carer_insert", "carer_by_id", "services_search")
CORES = os.cpu_count()


@dataclasses.dataclass
class Kind:
    """A peer: how it is made, started, and what the report says of it."""
    name: str
    there: object      # whether what it runs on is installed
    wants: str         # what is missing otherwise
    versions: object
    command: object    # of the port
    environment: object
    processes: int
    sessions: int      # of PostgreSQL, of all processes together
    words: str


KINDS = (
    Kind("Go", bench_peers.go_is_there, "go 1.25 or newer", bench_peers.go_versions,
         lambda port: [bench_peers.go()], dict, 1, max(8, 4 * CORES),
         "net/http and pgx: one process, GOMAXPROCS as Go sets it; BEGIN, claims, query and COMMIT in one batch, that is one round trip; bodies by "
         "santhosh-tekuri/jsonschema with the contract's schemas; golang-jwt, and a map of verified tokens"),
    Kind("Fastify", bench_peers.node_is_there, "node 20 or newer, and npm", bench_peers.fastify_versions,
         lambda port: ["node", PEERS / "fastify" / "server.js"], lambda: {"NODE_PATH": bench_peers.fastify() / "node_modules", "NODE_ENV": "production"},
         CORES, max(8, 4 * CORES),
         "a cluster of a process a core; pg with `pipeline: true`, so that BEGIN, claims, query and COMMIT are one round trip; bodies by ajv with the "
         "contract's schemas; fast-jwt with its cache of verified tokens"),
    Kind("FastAPI", lambda: True, "", bench_peers.fastapi_versions,
         lambda port: [bench_peers.fastapi() / "bin" / "uvicorn", "app:app", "--app-dir", PEERS / "fastapi", "--workers", CORES, "--loop", "uvloop", "--http",
                       "httptools", "--no-access-log", "--log-level", "warning", "--host", "127.0.0.1", "--port", port],
         lambda: {"PYTHONDONTWRITEBYTECODE": "1"}, CORES, max(8, 4 * CORES),
         "uvicorn with a worker a core, uvloop and httptools; asyncpg, which has no pipeline: BEGIN, claims, query and COMMIT are a round trip each, and the "
         "pool's own clean-up between two users, one more, is off; bodies by pydantic models; PyJWT, and a dictionary of verified tokens"),
)


def available():
    return [kind for kind in KINDS if kind.there()]


# --- processes

def family(pid):
    """A process and all that it has started, as far as they live."""
    found = [pid]
    for one in found:
        try:
            with open(f"/proc/{one}/task/{one}/children", encoding="ascii") as children:
                found += map(int, children.read().split())
        except OSError:
            pass  # it has ended
    return found


def pss_mib(pids):
    """What they hold together, shared pages counted once."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
                total += next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
        except OSError:
            pass
    return total / 1024


class Meter(load.Meter):
    """Of all processes of a contestant: their processor time, and the largest sum of their PSS that was seen."""

    def __init__(self, seen):
        self.pids = family(seen.service.pid)
        super().__init__(seen)
        self.peak, self.over = pss_mib(self.pids), threading.Event()
        self.watch = threading.Thread(target=self.look, daemon=True)
        self.watch.start()

    def look(self):
        while not self.over.wait(PSS_EVERY):
            self.peak = max(self.peak, pss_mib(self.pids))

    def seconds(self):
        return {**super().seconds(), "service": sum(load.process_ticks(pid) for pid in self.pids) / load.TICKS}

    def turn(self, *figures, served):
        self.over.set()
        self.watch.join()
        return dataclasses.replace(super().turn(*figures, served=served), peak_mib=max(self.peak, pss_mib(self.pids)))


class Seen:
    """The ground as the load programs see it when they are to ask a contestant: its process, its port."""

    def __init__(self, here, service, port):
        self.here, self.service, self.port = here, service, port

    def __getattr__(self, name):
        return getattr(self.here, name)


# --- the peers

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def classes():
    text = (ROOT / "include" / "auth" / "roles.def").read_text(encoding="utf-8")
    return dict(re.findall(r'^X\("(\w+)", "(\w+)"\)', text, re.MULTILINE))


def configuration(here, kind, port):
    return {"port": port, "socket": str(here.cluster.socket), "user": "carers_service", "database": "carers", "settings": SESSION,
            "options": " ".join(f"-c {name}={value}" for name, value in SESSION.items()), "processes": kind.processes, "sessions": kind.sessions,
            "contract": str(ROOT / "build-release" / "openapi.json"), "key": str(here.folder / "keys" / "dev-rs256.pub.pem"),
            "issuer": "urn:carers-api:dev", "audience": "carers-api", "classes": classes(),
            "statements": {name: here.queries[name]["sql"] for name in QUERIES}}


class Peer:
    """A peer that runs."""

    def __init__(self, here, kind):
        self.kind, self.port = kind, free_port()
        self.config, self.log = here.folder / f"{kind.name}.json", here.folder / f"{kind.name}.log"
        self.config.write_text(json.dumps(configuration(here, kind, self.port)), encoding="utf-8")
        environment = {**os.environ, "PEER_CONFIG": str(self.config), **{name: str(value) for name, value in kind.environment().items()}}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *map(str, kind.command(self.port))], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=environment, cwd=here.folder, start_new_session=True)
        self.seen = Seen(here, self.process, self.port)

    def await_ready(self):
        """Until all of its processes take connections."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.answers() and len(family(self.process.pid)) >= self.kind.processes:
                return
            time.sleep(0.1)
        raise load.BenchFailed(f"{self.kind.name} did not start (exit {self.process.poll()}):\n{self.said()}")

    def answers(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
            connection.request("GET", "/v1/carers")
            return connection.getresponse().status in (401, 403)
        except OSError:
            return False

    def said(self):
        return self.log.read_text(encoding="utf-8", errors="replace")[-2000:]

    def stop(self):
        """It and all that it started, by their ids: they are a session of their own."""
        started = family(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in started[1:]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
