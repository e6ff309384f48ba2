"""crowded: others take all of PostgreSQL's connections; and a lock holds all of the service's sessions."""
import contextlib
import time

import psycopg2

from clients import Crowd, judge, recovered
from stage import stage

TITLE = "No connection left, and every session held, under load"
MINUTES, SHORT = 3, 0.05
QUIET, LENGTH = 2.0, 4.0
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'carers_service'"


class Others:
    """Connections of other programs: as many as PostgreSQL gives."""

    def __init__(self, here):
        self.conninfo, self.all = here.cluster.conninfo("carers_owner", "postgres"), []

    def take(self):
        with contextlib.suppress(psycopg2.OperationalError):
            while True:
                self.all.append(psycopg2.connect(self.conninfo))

    def give_back(self):
        for one in self.all:
            one.close()


def no_connection(here):
    """The service's sessions end, and others have taken their places before it comes back for all of them."""
    others = Others(here)
    others.take()
    until = time.monotonic() + LENGTH
    try:
        while time.monotonic() < until:
            here.cluster.sql(TERMINATE)
            others.take()
            time.sleep(0.05)
    finally:
        others.give_back()
    return len(others.all)


def every_session_held(here):
    """A lock on the table that every write and nearly every read wants."""
    with contextlib.closing(psycopg2.connect(here.cluster.conninfo("postgres", "carers"))) as holder:
        holder.cursor().execute("LOCK TABLE carer IN ACCESS EXCLUSIVE MODE")
        time.sleep(LENGTH)


def play(told, options):
    until, slowest, rounds, most = time.monotonic() + options.minutes * 60, {}, 0, 0
    with stage(options) as here:
        with Crowd(here) as crowd:
            while rounds == 0 or time.monotonic() < until:
                rounds += 1
                for fault in (no_connection, every_session_held):
                    time.sleep(QUIET)
                    most = max(most, fault(here) or 0)
                    took = crowd.await_good(time.monotonic(), ("create", "patch", "contact"), 20)
                    name = fault.__name__.replace("_", " ")
                    slowest[name] = max(slowest.get(name, 0.0), 99.0 if took is None else took)
            time.sleep(QUIET)
        told.figure("rounds", f"{rounds}; others held {most} connections")
        for name, took in slowest.items():
            told.figure(f"{name}: until a write is answered well again", f"{took:.2f} s at most")
        recovered(told, max(slowest.values()))
        judge(told, here, crowd)
