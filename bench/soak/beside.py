"""beside: imports over HTTP and reports run without a pause beside reads by id at a fixed rate."""
import json
import threading
import time

import load
import steady
from clients import Client
from stage import stage

TITLE = "Imports and reports beside point reads"
MINUTES, SHORT = 5, 0.15
SHARE = 0.3            # of the capacity of reads alone
GOAL_MS = 50
ROWS = 400             # of an import
TARGET = {"request": "GET /v1/carers/0190a000-0000-7000-8000-<carer>", "status": 200}
REPORTS = ("/v1/reports/wellbeing?from=2025-04-01&to=2026-03-31", "/v1/reports/referrals?from=2025-04-01&to=2026-03-31", "/v1/reports/unmet-needs")


class Beside:
    """One who imports and one who asks for reports, each again and again until told to stop."""

    def __init__(self, here):
        self.here, self.ended = here, threading.Event()
        self.rows = self.imports = self.reports = 0
        self.faults, self.slow = [], []
        self.threads = [threading.Thread(target=self.guard, args=(work,), daemon=True) for work in (self.bring, self.ask)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join(60)

    def guard(self, work):
        try:
            work()
        except Exception as fault:  # told of at the end
            self.faults.append(f"{type(fault).__name__}: {fault}")

    def good(self, answer, status):
        if answer.status != status:
            raise AssertionError(f"answered {answer.status}: {answer.body[:300]!r}")
        return json.loads(answer.body)

    def bring(self):
        client = Client(self.here, 0, "editor")
        while not self.ended.is_set():
            rows = "".join(f"{self.imports}-{n},Invented halls {n // 20},Invented choir {self.imports} {n},arts_leisure\n" for n in range(ROWS))
            job = self.good(client.ask("POST", "/v1/imports", {"source": "soak", "format": "csv",
                                                              "content": "external_id,organisation,name,support_areas\n" + rows}), 202)
            while job["state"] in ("queued", "running"):
                time.sleep(0.1)
                job = self.good(client.ask("GET", f"/v1/imports/{job['id']}"), 200)
            if job["state"] != "done" or job["report"]["added"] != ROWS:
                raise AssertionError(f"an import ended as {job['state']} with {job['report']}")
            self.imports, self.rows = self.imports + 1, self.rows + ROWS

    def ask(self):
        client = Client(self.here, 1, "commissioner")
        while not self.ended.is_set():
            for path in REPORTS:
                answer = client.ask("GET", path)
                self.good(answer, 200)
                self.slow.append(answer.seconds * 1e3)
                self.reports += 1


def play(told, options):
    seconds = options.minutes * 60
    with stage(options) as here:
        most = load.wrk(here, TARGET, "RS256", 32, 2).rate
        told.figure("reads alone, as fast as 32 connections go", f"{most:,.0f} requests/s")
        alone = steady.own(here, TARGET, "RS256", SHARE * most, max(4, seconds / 4))
        with Beside(here) as beside:
            found = steady.own(here, TARGET, "RS256", SHARE * most, seconds)
        told.figure("beside it", f"{beside.imports} imports ({beside.rows:,} entries, {beside.rows / seconds:,.0f}/s), {beside.reports:,} reports "
                                 f"(p50 {load.percentile(sorted(beside.slow), 0.5):.1f} ms)")
        told.promise("reads, imports and reports are answered well", beside.faults or f"{found['errors']} errors of {found['count']:,} reads",
                     not beside.faults and found["errors"] == 0 and beside.imports and beside.reports)
        told.figure(f"p99 of reads alone, at {SHARE * most:,.0f}/s", f"{alone['p99']:.1f} ms")
        told.goal("p99 of reads beside", f"< {GOAL_MS} ms", f"{found['p99']:.1f} ms", found["p99"] < GOAL_MS)
        entries = int(here.sql("SELECT count(*) FROM service WHERE name LIKE 'Invented choir %'")[0][0])
        told.promise("every entry that was told as added is there", f"{entries:,} of {beside.rows:,}", entries >= beside.rows)
