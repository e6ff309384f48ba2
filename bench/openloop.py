#!/usr/bin/env python3
"""Requests at a fixed rate, whatever the answers take: each is due at its time, and its latency is counted from then.

Reads one JSON object from standard input: port, rate (requests a second), seconds, connections, status (the good one),
requests (whole HTTP requests, taken in random order). All connections are open before the start and take turns; a request
that finds none idle waits, and its waiting counts. Writes one JSON object: count, errors, p50, p99, worst (milliseconds).
Requests leave up to 1 ms late (the clock tick of epoll in Python); that counts as latency too.
"""
import collections
import json
import random
import re
import select
import socket
import sys
import time

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
PATIENCE = 10.0  # seconds that answers may still come in after the last request was due


class Connection:
    """A keep-alive connection with at most one request under way."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.due = None
        self.answer = b""

    def send(self, request, due):
        self.due = due
        self.answer = b""
        if self.socket.send(request) != len(request):
            raise OSError("a small request did not fit into an idle connection")

    def take(self):
        """The status, once the answer is whole; None until then."""
        chunk = self.socket.recv(1 << 16)
        if not chunk:
            raise OSError("closed by the service")
        self.answer += chunk
        head = self.answer.find(b"\r\n\r\n")
        if head < 0:
            return None
        size = LENGTH.search(self.answer, 0, head)
        if len(self.answer) < head + 4 + (int(size[1]) if size else 0):
            return None
        return int(self.answer[9:12])


class Run:
    """One run at a fixed rate."""

    def __init__(self, job):
        self.job = job
        self.requests = [text.encode() for text in job["requests"]]
        self.poll = select.epoll()
        self.idle = collections.deque()
        self.busy = {}
        self.waiting = collections.deque()
        self.latencies, self.errors = [], 0
        for _ in range(job["connections"]):
            self.open()

    def open(self):
        connection = Connection(self.job["port"])
        self.poll.register(connection.socket, select.EPOLLIN)
        self.busy[connection.socket.fileno()] = connection
        self.idle.append(connection)

    def replace(self, connection):
        """What broke counts as an error; another connection takes its place."""
        self.errors += 1
        self.poll.unregister(connection.socket)
        del self.busy[connection.socket.fileno()]
        connection.socket.close()
        self.open()

    def send(self, due):
        if not self.idle:
            self.waiting.append(due)
            return
        connection = self.idle.popleft()
        try:
            connection.send(self.pick(), due)
        except OSError:
            self.replace(connection)

    def pick(self):
        return random.choice(self.requests)

    def count(self, connection, status):
        self.latencies.append((time.perf_counter() - connection.due) * 1e3)
        self.errors += status != self.job["status"]

    def receive(self, fd):
        connection = self.busy[fd]
        try:
            status = connection.take()
        except OSError:
            if connection.due is None:
                self.idle.remove(connection)
            self.replace(connection)
            return
        if status is None:
            return
        self.count(connection, status)
        connection.due = None
        self.idle.append(connection)
        if self.waiting:
            self.send(self.waiting.popleft())

    def go(self):
        rate, total = self.job["rate"], int(self.job["rate"] * self.job["seconds"])
        start = time.perf_counter() + 0.1
        last = start + self.job["seconds"] + PATIENCE
        sent = 0
        while len(self.latencies) + self.errors < total and time.perf_counter() < last:
            due = start + sent / rate
            if sent == total or due > time.perf_counter():
                pause = max(due - time.perf_counter(), 0) if sent < total else 0.1
                for fd, _ in self.poll.poll(pause):
                    self.receive(fd)
                continue
            self.send(due)
            sent += 1
        missing = total - len(self.latencies)
        ordered = sorted(self.latencies) + [PATIENCE * 1e3] * max(missing, 0)
        return {"count": total, "errors": self.errors + sum(c.due is not None for c in self.busy.values()),
                "p50": ordered[total // 2], "p99": ordered[total * 99 // 100], "worst": ordered[-1]}


if __name__ == "__main__":
    json.dump(Run(json.load(sys.stdin)).go(), sys.stdout)
