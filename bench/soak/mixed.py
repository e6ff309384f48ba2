"""The mixed load as a process beside a scenario."""
import itertools
import json
import statistics
import sys
import tempfile
import time

import load
from stage import ALG, CALLERS, HERE

WORDS = 300
_marks = itertools.count(1)


def job(here, rate, seconds, connections=64, window=5.0):
    rows = here.sql(f"SELECT given_name || ' ' || family_name FROM carer WHERE council = 'E09000019' LIMIT {WORDS}")
    return {"port": here.port, "connections": connections, "seconds": seconds, "window": window, "rate": rate,
            "tokens": {caller: here.tokens(ALG, caller) for caller in CALLERS}, "carers": here.carers,
            "words": [row[0] for row in rows], "mark": f"{next(_marks)}x{time.time_ns() % 10**9}x"}


def mixed(here, rate, seconds, connections=64, window=5.0):
    """What mix.py found."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        json.dump(job(here, rate, seconds, connections, window), file)
        file.seek(0)
        return json.loads(load.run([sys.executable, HERE / "mix.py"], seconds, stdin=file))


def rate_of(found):
    return sum(w[0] for w in found["windows"]) / found["seconds"]


def capacity(here, seconds, turns=3):
    """Requests a second of the mix as fast as it goes: the median of some turns."""
    mixed(here, None, min(2.0, seconds), 32)
    return statistics.median(rate_of(mixed(here, None, seconds, 32)) for _ in range(turns))


def middle(windows, column):
    return statistics.median(w[column] for w in windows) if windows else 0.0


def bad(found):
    """The statuses that should not be, by kind."""
    good = {"create 201", *(f"{kind} 200" for kind in ("read", "list", "partner", "search", "directory", "feed", "patch"))}
    return {what: count for what, count in found["statuses"].items() if what not in good}
