"""Reads at a fixed rate, alone and beside slow statements in the same pool of sessions (open loop)."""
import contextlib
import dataclasses
import http.client
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import load
from ground import HERE, NOT_SLOW, SLOW, SLOW_CARER

CONNECTIONS = 256
SLOW_CLIENTS = 4
DIFFERENT = 2000  # requests that are taken in random order
SHARE = 0.6       # of the capacity


@dataclasses.dataclass
class Steady:
    """One open-loop run; latencies in milliseconds."""
    tool: str
    rate: float
    errors: int
    p50: float
    p99: float
    worst: float
    slow_count: int = 0
    slow_p50: float = 0.0


def fast_values(ground, alg):
    """Carers of the tokens' council, but not the slow one."""
    tokens = ground.tokens(alg)
    for _ in range(DIFFERENT):
        yield {"carer": str(100000000002 + 2 * random.randrange(ground.carers // 2 - 1)), "token": random.choice(tokens)}


def fill(text, values):
    return load.PLACEHOLDER.sub(lambda found: values[found[1]], text)


def own(ground, target, alg, rate, seconds):
    template = load.request_template(ground, target)
    job = {"port": ground.port, "rate": rate, "seconds": seconds, "connections": CONNECTIONS, "status": target["status"],
           "requests": [fill(template, values) for values in fast_values(ground, alg)]}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        json.dump(job, file)
        file.seek(0)
        return json.loads(load.run([sys.executable, HERE / "openloop.py"], seconds, stdin=file))


def vegeta(ground, target, alg, rate, seconds):
    method, path = target["request"].split(" ")
    file, results = ground.folder / "vegeta.targets", ground.folder / "vegeta.results"
    with open(file, "w", encoding="utf-8") as out:
        for values in fast_values(ground, alg):
            json.dump({"method": method, "url": f"http://127.0.0.1:{ground.port}{fill(path, values)}",
                       "header": {"Authorization": [f"Bearer {values['token']}"]}}, out)
            out.write("\n")
    load.run(["vegeta", "attack", "-format=json", f"-targets={file}", f"-rate={round(rate)}/1s", f"-duration={seconds}s",
              f"-connections={CONNECTIONS}", "-timeout=10s", "-max-body=0", f"-output={results}"], seconds)
    found = json.loads(load.run(["vegeta", "report", "-type=json", results], seconds))
    good = found["status_codes"].get(str(target["status"]), 0)
    return {"count": found["requests"], "errors": found["requests"] - good, "p50": found["latencies"]["50th"] / 1e6,
            "p99": found["latencies"]["99th"] / 1e6, "worst": found["latencies"]["max"] / 1e6}


def ask_slowly(ground, token, stop, latencies):
    """One client that reads the slow carer again and again."""
    connection = http.client.HTTPConnection("127.0.0.1", ground.port, timeout=30)
    while not stop.is_set():
        began = time.perf_counter()
        connection.request("GET", f"/v1/carers/{SLOW_CARER}", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            latencies.append((time.perf_counter() - began) * 1e3)
    connection.close()


@contextlib.contextmanager
def slow_clients(ground, alg):
    """For the block: reads of one carer take 200 ms (only in the bench's database), and so many clients read her."""
    stop, latencies = threading.Event(), []
    clients = [threading.Thread(target=ask_slowly, args=(ground, token, stop, latencies))
               for token in ground.tokens(alg)[:SLOW_CLIENTS]]
    ground.sql(SLOW)
    try:
        for client in clients:
            client.start()
        yield latencies
    finally:
        stop.set()
        for client in clients:
            if client.ident:
                client.join()
        ground.sql(NOT_SLOW)


def steady(ground, target, alg, rate, options):
    """Alone, then beside the slow clients."""
    measure = vegeta if options.vegeta else own
    seconds, runs = 3 * options.seconds, []
    for beside in (False, True):
        ground.reset()
        with slow_clients(ground, alg) if beside else contextlib.nullcontext([]) as slow:
            found = measure(ground, target, alg, rate, seconds)
        slow.sort()
        runs.append(Steady(tool_version(options), rate, found["errors"], found["p50"], found["p99"], found["worst"], len(slow),
                           load.percentile(slow, 0.5)))
    return runs


def tool_version(options):
    """vegeta only when it is asked for: it takes four times the processor time of ours, and the service shares its cores."""
    if not options.vegeta:
        return "bench/openloop.py"
    if not shutil.which("vegeta"):
        raise load.BenchFailed("vegeta is not installed")
    out = subprocess.run(["vegeta", "-version"], text=True, capture_output=True, check=True).stdout
    found = re.search(r"Version: *(\S+)", out)
    return f"vegeta {found[1] if found else ''}".strip()
