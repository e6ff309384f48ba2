"""pause: every process of PostgreSQL is stopped for some seconds under load, as a hung disk or a suspended machine does it."""
import contextlib
import os
import signal
import time

from clients import Crowd, judge, recovered
from stage import stage

TITLE = "PostgreSQL paused under load"
MINUTES, SHORT = 3, 0.05
QUIET, LENGTHS = 2.0, (0.5, 4.0)


@contextlib.contextmanager
def paused(here):
    """For the block; new children of a stopped server there are none."""
    processes = here.database_processes()
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def play(told, options):
    until, slowest, rounds = time.monotonic() + options.minutes * 60, 0.0, 0
    with stage(options) as here:
        with Crowd(here) as crowd:
            while rounds == 0 or time.monotonic() < until:
                rounds += 1
                for seconds in LENGTHS:
                    time.sleep(QUIET)
                    with paused(here):
                        time.sleep(seconds)
                    took = crowd.await_good(time.monotonic(), ("create", "patch", "contact"), 20)
                    slowest = max(slowest, 99.0 if took is None else took)
            time.sleep(QUIET)
        told.figure("pauses", f"{rounds} each of {' and '.join(f'{s:.1f} s' for s in LENGTHS)}")
        recovered(told, slowest)
        judge(told, here, crowd)
