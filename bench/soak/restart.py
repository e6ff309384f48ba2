"""restart: PostgreSQL is stopped and started under load, in its three ways of ending: asked to, at once, and by a crash of one process."""
import os
import signal
import time

from clients import Crowd, judge, recovered
from stage import stage

TITLE = "PostgreSQL restarted under load, and crashed"
MINUTES, SHORT = 5, 0.05
PAUSE, QUIET = 1.0, 2.0  # seconds that it stays away, and between two faults


def stopped(here, mode):
    here.cluster.stop(mode)
    time.sleep(PAUSE)
    here.cluster.start()


def crashed(here):
    """A backend of the service's is killed: PostgreSQL ends all others and recovers."""
    pid = here.cluster.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'carers_service' LIMIT 1")[0][0]
    os.kill(int(pid), signal.SIGKILL)


FAULTS = {"stopped and started (fast)": lambda here: stopped(here, "fast"),
          "stopped and started (immediate: as after a power cut)": lambda here: stopped(here, "immediate"),
          "a backend killed": crashed}


def play(told, options):
    until, slowest, rounds = time.monotonic() + options.minutes * 60, {}, 0
    with stage(options) as here:
        with Crowd(here) as crowd:
            while rounds == 0 or time.monotonic() < until:
                rounds += 1
                for name, fault in FAULTS.items():
                    time.sleep(QUIET)
                    fault(here)
                    took = crowd.await_good(time.monotonic(), ("create", "patch", "contact"), 20)
                    slowest[name] = max(slowest.get(name, 0.0), 99.0 if took is None else took)
            time.sleep(QUIET)
        told.figure("rounds", rounds)
        for name, took in slowest.items():
            told.figure(f"{name}: until a write is answered well again", f"{took:.2f} s at most")
        recovered(told, max(slowest.values()))
        judge(told, here, crowd)
