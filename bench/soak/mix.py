#!/usr/bin/env python3
"""Mixed load over HTTP: reads, lists, searches, creates, patches, the directory, the feed; at a fixed rate or as fast as it goes.

Reads one JSON object from standard input: port, connections, seconds, window (seconds), rate (requests a second, null: as fast as the
answers come), tokens (caller -> list), carers (how many the data set has), words (for searches), mark (of what this run creates).
Writes one: windows [count, p50, p99, worst], statuses {"read 200": n}, by_kind [p50, p99]; milliseconds, from when a request was due.
"""
import json
import pathlib
import random
import re
import sys
import time

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
import openloop  # noqa: E402

SHARES = {"read": 40, "list": 10, "partner": 5, "search": 12, "directory": 10, "feed": 5, "create": 9, "patch": 9}
GOOD = {"create": 201}
ETAG = re.compile(rb"\r\netag: *([^\r]+)", re.IGNORECASE)
LOCATION = re.compile(rb"\r\nlocation: *([^\r]+)", re.IGNORECASE)
AFTER = re.compile(rb'"next_after": *"([^"]+)"')
LANGUAGES = ("en", "cy", "bn", "so", "pl", "fr")
AREAS = ("transport", "wraparound", "peer_support", "arts_leisure")
KEPT = 4096  # carers that are patched again and again


class Mixed(openloop.Run):
    """Each request is of a kind, made when it is due."""

    def __init__(self, job):
        super().__init__({"requests": [], "status": None, **job})
        self.kinds, self.weights = list(SHARES), list(SHARES.values())
        self.made, self.after, self.number = [], b"latest", 0
        self.statuses, self.windows, self.by_kind, self.current = {}, [], {kind: [] for kind in SHARES}, []

    def request(self, method, path, caller, body=None, headers=""):
        text = json.dumps(body) if body is not None else ""
        kind = "merge-patch+json" if method == "PATCH" else "json"
        head = f"Content-Type: application/{kind}\r\nContent-Length: {len(text)}\r\n" if text else ""
        token = random.choice(self.job["tokens"][caller])
        return (f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n{headers}{head}\r\n{text}").encode()

    def pick(self):
        kind = random.choices(self.kinds, self.weights)[0]
        if kind == "patch" and not self.made:
            kind = "create"
        self.kind, self.subject = kind, None
        return getattr(self, kind)()

    def read(self):
        number = 100_000_000_000 + 2 * random.randrange(self.job["carers"] // 2)
        return self.request("GET", f"/v1/carers/0190a000-0000-7000-8000-{number}", "council")

    def list(self):
        return self.request("GET", "/v1/carers?limit=50", "council")

    def partner(self):
        return self.request("GET", "/v1/carers?limit=20", "charity")

    def search(self):
        return self.request("POST", "/v1/carers/search", "council", {"q": random.choice(self.job["words"]), "limit": 20})

    def directory(self):
        return self.request("POST", "/v1/directory/search", "council", {"support_area": [random.choice(AREAS)], "limit": 20})

    def feed(self):
        return self.request("GET", f"/v1/changes?limit=50&after={self.after.decode()}", "council")

    def create(self):
        self.number += 1
        mark = f"{self.job['mark']}{self.number}"
        body = {"council": "E09000019", "kind": "adult", "given_name": "Nadia", "family_name": f"Soak{mark}",
                "contact": {"phone": "+447700900123"}, "identification": {"source": "gp", "identified_on": "2025-02-16"}}
        return self.request("POST", "/v1/carers", "council", body, f"Idempotency-Key: {mark}\r\n")

    def patch(self):
        path, etag = self.subject = self.made.pop(random.randrange(len(self.made)))
        return self.request("PATCH", path.decode(), "council", {"preferred_language": random.choice(LANGUAGES)},
                            f"If-Match: {etag.decode()}\r\n")

    def send(self, due):
        idle = self.idle[0] if self.idle else None
        super().send(due)
        if idle and idle.due is not None:
            idle.kind, idle.subject = self.kind, self.subject

    def replace(self, connection):
        self.note(getattr(connection, "kind", "idle"), "broken")
        super().replace(connection)

    def note(self, kind, status):
        self.statuses[f"{kind} {status}"] = self.statuses.get(f"{kind} {status}", 0) + 1

    def count(self, connection, status):
        took = (time.perf_counter() - connection.due) * 1e3
        kind = connection.kind
        self.current.append(took)
        self.by_kind[kind].append(took)
        self.note(kind, status)
        self.errors += status != GOOD.get(kind, 200)
        head = connection.answer.partition(b"\r\n\r\n")[0]
        if kind == "create" and status == 201:
            self.keep(LOCATION.search(head)[1], ETAG.search(head)[1])
        elif kind == "patch" and status == 200:
            self.keep(connection.subject[0], ETAG.search(head)[1])
        elif kind == "feed" and status == 200:
            found = AFTER.search(connection.answer)
            self.after = found[1] if found else self.after

    def keep(self, path, etag):
        if len(self.made) < KEPT:
            self.made.append((path, etag))

    def close_window(self):
        ordered = sorted(self.current)
        if ordered:
            self.windows.append([len(ordered), ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100], ordered[-1]])
        self.current = []
        for kind, found in self.by_kind.items():
            if len(found) > 50_000:  # of the newest: an hour's would not fit
                self.by_kind[kind] = found[-20_000:]

    def go(self):
        rate, seconds, window = self.job["rate"], self.job["seconds"], self.job["window"]
        start = time.perf_counter() + 0.05
        end, next_window, sent = start + seconds, start + window, 0
        while (now := time.perf_counter()) < end:
            if now >= next_window:
                self.close_window()
                next_window += window
            if rate is None:
                while self.idle:
                    self.send(time.perf_counter())
                pause = 0.05
            else:
                while (due := start + sent / rate) <= time.perf_counter():
                    self.send(due)
                    sent += 1
                pause = max(0.0, due - time.perf_counter())
            for fd, _ in self.poll.poll(pause):
                self.receive(fd)
        unsent = len(self.waiting)
        self.waiting.clear()
        late = time.perf_counter() + openloop.PATIENCE
        while any(c.due is not None for c in self.busy.values()) and time.perf_counter() < late:
            for fd, _ in self.poll.poll(0.1):
                self.receive(fd)
        self.close_window()
        unanswered = sum(c.due is not None for c in self.busy.values())
        by_kind = {kind: (sorted(found)[len(found) // 2], sorted(found)[len(found) * 99 // 100])
                   for kind, found in self.by_kind.items() if found}
        return {"windows": self.windows, "statuses": self.statuses, "errors": self.errors + unanswered, "unanswered": unanswered, "unsent": unsent,
                "by_kind": by_kind, "count": sum(self.statuses.values()), "seconds": time.perf_counter() - start}


if __name__ == "__main__":
    json.dump(Mixed(json.load(sys.stdin)).go(), sys.stdout)
