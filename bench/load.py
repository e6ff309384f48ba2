"""The programs that make load, one turn each: wrk on the service, pgbench on its PostgreSQL."""
import contextlib
import csv
import dataclasses
import http.client
import json
import os
import re
import resource
import subprocess
import time

from ground import HERE
from pg_cluster import BIN

WRK_THREADS = 2
PLACEHOLDER = re.compile(r"<([a-z]+)>")
LIKE_A_VARIABLE = re.compile(r"(?<!:):(?=\w)")  # to pgbench, in a literal too: there the literal goes on in the next line
TICKS = os.sysconf("SC_CLK_TCK")
SETTLE_SECONDS = 60
SAMPLED = 0.1  # share of its transactions that pgbench writes down for the percentiles


class BenchFailed(Exception):
    """What the person at the terminal is told."""


@dataclasses.dataclass
class Turn:
    """What one contestant did in one turn. Latencies in milliseconds, processor time in microseconds a request."""
    count: int
    rate: float
    p50: float
    p99: float
    errors: int
    peak_mib: float  # of the service; 0 for pgbench
    cpu_us: dict     # of service, database and load


class Meter:
    """What a turn costs: peak memory of the service, and the processor time of all three."""

    def __init__(self, ground):
        self.service, self.postmaster = ground.service.pid, ground.cluster.postmaster()
        forget_peak(self.service)
        self.before = self.seconds()

    def seconds(self):
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {"service": process_ticks(self.service) / TICKS, "database": family_ticks(self.postmaster) / TICKS,
                "load": spent.ru_utime + spent.ru_stime}

    def turn(self, count, rate, p50, p99, errors, served):
        cpu = {who: (now - self.before[who]) * 1e6 / count for who, now in self.seconds().items()}
        return Turn(count, rate, p50, p99, errors, peak_mib(self.service) if served else 0.0, cpu)


def run(arguments, seconds, **others):
    """A program's output; it is ended when we are."""
    with subprocess.Popen(list(map(str, arguments)), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=others.pop("stdin", subprocess.DEVNULL), **others) as child:
        try:
            out, fault = child.communicate(timeout=seconds + 60)
        except BaseException:
            child.kill()
            raise
    if child.returncode:
        raise BenchFailed(f"{arguments[0]} failed ({child.returncode}):\n{out[-1000:]}{fault[-2000:]}")
    return out


# --- the service

def request_template(ground, target):
    """The whole HTTP request, with its placeholders; <new> always has twelve digits, so that the size is known. Where there are
    samples, wrk puts one of them in as <body>, and its size."""
    body = "<body>" if "samples" in target else target.get("body", "")
    size = "<length>" if "samples" in target else len(PLACEHOLDER.sub("0" * 12, body).encode())
    lines = [f"{target['request']} HTTP/1.1", f"Host: 127.0.0.1:{ground.port}", "Authorization: Bearer <token>"]
    lines += [f"{name}: {value}" for name, value in target.get("headers", {}).items()]
    lines += ["Content-Type: application/json", f"Content-Length: {size}"] if body else []
    return "\r\n".join([*lines, "", body])


def check_once(ground, target, alg):
    """One request by hand, so that what is measured is known to be the good answer."""
    values = {"carer": "100000000000", "assessed": "100000000000", "new": str(999_000_000_000 + ground.next_turn()),
              "token": ground.tokens(alg, target.get("caller", "council"))[0]}

    def fill(text):
        return PLACEHOLDER.sub(lambda found: values[found[1]], text)

    method, path = fill(target["request"]).split(" ")
    headers = {name: fill(value) for name, value in target.get("headers", {}).items()}
    headers["Authorization"] = f"Bearer {values['token']}"
    body = fill(target["body"]) if "body" in target else None
    if "samples" in target:
        body = target["samples"].read_text(encoding="utf-8").partition("\n")[0]
    if body:
        headers["Content-Type"] = "application/json"
    connection = http.client.HTTPConnection("127.0.0.1", ground.port, timeout=10)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status != target["status"]:
        raise BenchFailed(f"{method} {path} was answered {answer.status}: {text[:1000].decode(errors='replace')}")
    return text


def process_ticks(pid, fields=(11, 12)):
    """Processor time so far, in clock ticks: its own, or with (13, 14) its ended children's."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        found = stat.read().rpartition(")")[2].split()
    return sum(int(found[field]) for field in fields)


def family_ticks(pid):
    """Of a process that makes one for each client: itself, its children, and those that have ended."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        pids = children.read().split()
    total = process_ticks(pid) + process_ticks(pid, (13, 14))
    for child in pids:
        with contextlib.suppress(OSError):  # it ends while we look
            total += process_ticks(child)
    return total


def peak_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def forget_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def open_connections(port):
    """Of the service: established, or closed by the client alone."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    return sum(row[1].endswith(f":{port:04X}") and row[3] in ("01", "08") for row in rows)


def settle(ground):
    """Until the service has done with the turn before: wrk leaves in the middle of requests, whose connections would
    count as this turn's memory and time."""
    until = time.monotonic() + SETTLE_SECONDS
    while open_connections(ground.port):
        if time.monotonic() > until:
            raise BenchFailed(f"{SETTLE_SECONDS} s after a turn the service still has connections open")
        time.sleep(0.02)


def wrk(ground, target, alg, connections, seconds, measure=Meter):
    template = ground.folder / "request.http"
    template.write_bytes(request_template(ground, target).encode())
    settle(ground)
    meter = measure(ground)
    out = run(["wrk", "-t", min(WRK_THREADS, connections), "-c", connections, "-d", f"{seconds}s", "--timeout", "30s",
               "-s", HERE / "requests.lua", f"http://127.0.0.1:{ground.port}/", "--", template,
               ground.tokens_file(alg, target.get("caller", "council")), ground.carers, ground.next_turn(),
               *filter(None, [target.get("samples")])], seconds)
    found = json.loads(re.search(r"^RESULT (.*)$", out, re.MULTILINE)[1])
    if not found["requests"]:
        raise BenchFailed(f"no request was answered:\n{out}")
    return meter.turn(found["requests"], found["requests"] / found["duration_us"] * 1e6, found["p50"] / 1e3,
                      found["p99"] / 1e3, found["errors"], served=True)


# --- PostgreSQL alone

class Script:
    """A pgbench script of the very queries that the service sends, and the variables that hold their arguments."""

    def __init__(self, ground, target):
        self.ground, self.target = ground, target
        self.variables = {"carers": ground.carers, "serial": 0, "first": 1}
        self.used = set()
        pipelines = [self.pipeline(names) for names in target["round_trips"]]
        sets = ["\\set serial :serial + 1"]
        sets += [self.assignment(name, ground.plan["placeholders"][name]) for name in sorted(self.used)]
        # -D takes no empty value: each client fetches one, once.
        empty = ["\\if :first", "SELECT '' AS empty \\gset", "\\set first 0", "\\endif"]
        self.text = "\n".join(empty + sets + pipelines) + "\n"

    @staticmethod
    def assignment(name, how):
        """pgbench works out numbers; how to come to anything else is said by commands of its own."""
        return how if how.startswith("\\") else f"\\set {name} {how}"

    def pipeline(self, names):
        return "\n".join(["\\startpipeline", *(self.statement(name) + ";" for name in names), "\\endpipeline"])

    def statement(self, name):
        """The SQL with :variables in place of $1, $2; typed, because pgbench makes a parameter of its own of each use."""
        query = self.ground.queries[name]
        given = dict(self.ground.plan["claims"]) if name.startswith("claims") else {}
        given.update(self.target["arguments"].get(name, {}))
        unknown = set(given) - set(query["parameters"])
        if unknown:
            raise BenchFailed(f"targets.yaml: {name} has no parameter {', '.join(sorted(unknown))}")

        def put(found):
            number = int(found[1]) - 1
            parameter = query["parameters"][number]
            value = self.value(f"{name}_{parameter}", given.get(parameter))
            return f"{value}{found[2] or '::' + self.ground.types[name][number]}"

        return re.sub(r"\$(\d+)(::)?", put, LIKE_A_VARIABLE.sub(":'\n'", query["sql"]))

    def value(self, variable, text):
        if text is None:
            return f":{variable}"  # never set: pgbench sends NULL
        if text == "":
            return ":empty"
        pieces = []
        for number, piece in enumerate(PLACEHOLDER.split(text)):
            if number % 2:
                self.used.add(piece)
                pieces.append(f":{piece}::text")
            elif piece:
                self.variables[f"{variable}_{number}"] = piece
                pieces.append(f":{variable}_{number}::text")
        if len(pieces) == 1:
            return pieces[0].removesuffix("::text")
        return f"({' || '.join(pieces)})"


def latencies_ms(folder):
    found = []
    for log in folder.glob("pgbench_log.*"):
        with open(log, encoding="ascii") as file:
            found += [int(row[2]) / 1e3 for row in csv.reader(file, delimiter=" ")]
        log.unlink()
    return sorted(found)


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def pgbench(ground, target, clients, seconds):
    script = Script(ground, target)
    file = ground.folder / "script.sql"
    file.write_text(script.text, encoding="utf-8")
    variables = {**script.variables, "turn": ground.next_turn()}
    settle(ground)
    meter = Meter(ground)
    out = run([BIN / "pgbench", "--no-vacuum", "--protocol=prepared", "--file", file, "--client", clients,
               "--jobs", min(WRK_THREADS, clients), "--time", seconds, "--log", f"--sampling-rate={SAMPLED}",
               f"--log-prefix={ground.folder}/pgbench_log",
               *(f"--define={name}={value}" for name, value in variables.items()),
               ground.cluster.conninfo("carers_service", "carers")], seconds, cwd=ground.folder)
    count = int(re.search(r"transactions actually processed: (\d+)", out)[1])
    failed = re.search(r"failed transactions: (\d+)", out)
    ordered = latencies_ms(ground.folder)
    return meter.turn(count, float(re.search(r"tps = ([\d.]+)", out)[1]), percentile(ordered, 0.5),
                      percentile(ordered, 0.99), int(failed[1]) if failed else 0, served=False)
