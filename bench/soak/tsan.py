"""tsan: the service built with ThreadSanitizer, under the mixed load, with a reload of its keys, a restart of PostgreSQL and its own stop."""
import os
import re
import signal

from clients import Client
from ground import ROOT, dev_run
from mixed import bad, mixed
from stage import Stage, stage

TITLE = "ThreadSanitizer under mixed load"
MINUTES, SHORT = 5, 0.15
PROGRAM = ROOT / "build-tsan" / "carers-api"  # ./dev soak builds it
REPORT = re.compile(rb"WARNING: ThreadSanitizer: ([^\n(]+)")
CONNECTIONS = 32


class Slow(Stage):
    """A service that takes its time to start."""

    def serve(self):
        dev_run.READY_SECONDS, kept = 300, dev_run.READY_SECONDS
        try:
            super().serve()
        finally:
            dev_run.READY_SECONDS = kept


class Sanitized(Slow):
    """Without the kernel's random addresses (setarch): the sanitizer of this gcc wants its own."""
    program = ("setarch", "--addr-no-randomize", PROGRAM)
    others = {"TSAN_OPTIONS": "halt_on_error=0:exitcode=66:second_deadlock_stack=1"}


def run(told, options, kind, connections):
    """The mixed load on the service as `kind` runs it; the log and the exit code."""
    seconds = options.minutes * 60
    with stage(options, {"CARERS_SESSION_WAIT_MS": "30000", "CARERS_STATEMENT_TIMEOUT_MS": "30000"}, kind=kind) as here:
        found = mixed(here, None, seconds / 2, connections)
        here.service.send_signal(signal.SIGHUP)
        again = mixed(here, None, seconds / 2, connections)
        wrong = {**bad(found), **bad(again)}
        total = found["count"] + again["count"]
        told.figure("requests", f"{total:,} over {connections} connections")
        told.promise("no error", wrong or f"0 of {total:,}", not wrong and total > 0)
        here.cluster.stop("fast")
        client = Client(here, 0)
        refused = [client.ask("GET", "/v1/carers?limit=1").status for _ in range(10)]
        here.cluster.start()
        told.promise("503 without PostgreSQL", sorted(set(refused)), set(refused) == {503})
        code = here.stop(120)
        return here.log(), code


def play(told, options):
    if not PROGRAM.exists():
        raise RuntimeError(f"{PROGRAM} is not built: ./dev soak tsan builds it")
    log, code = run(told, options, Sanitized, CONNECTIONS)
    found = [name.decode().strip() for name in REPORT.findall(log)]
    if found:
        keep = ROOT / "build-tsan" / "soak.log"
        keep.write_bytes(log)
        told.say(f"the reports stand in {os.path.relpath(keep, ROOT)}")
    told.promise("ThreadSanitizer reports nothing", f"{len(found)} reports: {', '.join(sorted(set(found)))}" if found else "0 reports", not found)
    told.promise("the service ends with 0", code, code == 0)
    told.figure("suppressed", "nothing")
