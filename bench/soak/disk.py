"""disk: PostgreSQL's disk is full, first that of the tables, then that of the write-ahead log; both are small file systems in memory."""
import contextlib
import os
import shutil
import subprocess
import time

from clients import Crowd, judge, recovered
from stage import Stage, stage

TITLE = "The disk of PostgreSQL's tables full, then that of its write-ahead log, under load"
MINUTES, SHORT = 3, 0.05
QUIET, LENGTH = 1.5, 4.0
WAL_MIB = 384                        # of the log's disk: enough for a round
ROOM_MIB, ROOM_A_MINUTE = 256, 1024  # of the tables' disk, beyond what is there: for all that is written
WRITES = ("create", "patch", "contact")


class Small:
    """A file system in memory for PostgreSQL's user, with a file that fills it."""

    def __init__(self, here, name, mib):
        self.place = here.folder / name
        self.place.mkdir()
        owner = here.cluster.data.stat()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=700,uid={owner.st_uid},gid={owner.st_gid}", "tmpfs", self.place],
                       check=True)
        self.ballast = self.place.parent / name / "ballast"

    def fill(self):
        size = 0
        with open(self.ballast, "wb") as file:
            for step in (1 << 24, 1 << 20, 1 << 16, 1 << 12):
                with contextlib.suppress(OSError):
                    while True:
                        os.posix_fallocate(file.fileno(), size, step)
                        size += step

    def give_room(self):
        self.ballast.unlink(missing_ok=True)

    def end(self):
        subprocess.run(["umount", "--lazy", self.place], check=False)


class Full(Stage):
    """Tables in a tablespace of a small disk, and the log on another."""

    def prepare(self):
        size = int(self.sql("SELECT pg_database_size('carers')")[0][0]) >> 20
        self.tables = Small(self, "tables", round(size + ROOM_MIB + ROOM_A_MINUTE * self.minutes))
        self.wal = Small(self, "wal", WAL_MIB)
        self.configure({"min_wal_size": "32MB"})
        self.cluster.sql(f"CREATE TABLESPACE small LOCATION '{self.tables.place}'")
        self.cluster.sql("ALTER DATABASE carers SET TABLESPACE small")
        self.cluster.stop()
        log = self.cluster.data / "data" / "pg_wal"
        owner = log.stat()
        subprocess.run(["cp", "-a", f"{log}/.", self.wal.place / "log"], check=True)
        shutil.rmtree(log)
        log.symlink_to(self.wal.place / "log")
        os.chown(log, owner.st_uid, owner.st_gid, follow_symlinks=False)
        self.cluster.start()

    def end(self):
        super().end()
        for small in (getattr(self, name, None) for name in ("tables", "wal")):
            if small:
                small.end()


def tables_full(here, crowd, told):
    here.tables.fill()
    began = time.monotonic()
    refused = await_refusals(crowd, began, 30)
    told.promise("writes are refused while the tables' disk is full", f"{refused} of them with 503", refused > 0)
    here_since = time.monotonic()
    time.sleep(LENGTH)
    reads = crowd.done(here_since, ("read",))
    told.figure("reads answered well meanwhile (an audited one has its row to write)", reads)
    here.tables.give_room()


def log_full(here, crowd, told):
    """PostgreSQL ends itself: it may not go on without its log. When it does not come back by itself, it is started, as systemd would."""
    here.cluster.sql("CHECKPOINT")  # what is old goes, and the disk has room for a round
    here.wal.fill()
    began = time.monotonic()
    while answers(here, "SELECT pg_switch_wal()") and time.monotonic() < began + 20:
        time.sleep(0.05)
    refused = await_refusals(crowd, began, 20)
    told.promise("writes are refused while the log's disk is full", f"{refused} of them with 503", refused > 0)
    time.sleep(LENGTH)
    told.figure("PostgreSQL, its log's disk full", "tries to recover" if here.cluster.running() else "has ended, and is started again")
    here.wal.give_room()
    until = time.monotonic() + 30
    while not answers(here, "SELECT 1") and time.monotonic() < until:
        if not here.cluster.running():
            here.cluster.start()
        time.sleep(0.1)


def answers(here, question):
    try:
        return here.cluster.sql(question)
    except RuntimeError:
        return None


def await_refusals(crowd, since, seconds):
    until = time.monotonic() + seconds
    while True:
        refused = sum(1 for at, kind, answer in list(crowd.answers) if at >= since and kind in WRITES and answer.status == 503)
        if refused or time.monotonic() >= until:
            return refused
        time.sleep(0.05)


def play(told, options):
    if os.geteuid() != 0:
        told.promise("left out: only root may mount a small file system", "not run", True)
        return
    until, slowest, rounds = time.monotonic() + options.minutes * 60, 0.0, 0
    Full.minutes = options.minutes
    with stage(options, kind=Full) as here:
        with Crowd(here) as crowd:
            while rounds == 0 or time.monotonic() < until:
                rounds += 1
                for fault in (tables_full, log_full):
                    time.sleep(QUIET)
                    fault(here, crowd, told)
                    took = crowd.await_good(time.monotonic(), WRITES, 20)
                    slowest = max(slowest, 99.0 if took is None else took)
            time.sleep(QUIET)
        recovered(told, slowest)
        judge(told, here, crowd)
