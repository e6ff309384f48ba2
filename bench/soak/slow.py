"""slow: clients that send a header or a body a byte a second, and clients that ask and do not read, while others are served."""
import contextlib
import socket
import threading
import time

from mixed import bad, mixed
from stage import rss_kib, stage

TITLE = "Slow clients beside mixed load"
MINUTES, SHORT = 5, 0.05
EACH, RATE = 200, 60
TIMEOUT_S, SHORT_TIMEOUT_S = 30, 6
SLACK_S = 10  # the watch looks each second; a busy machine is late


class Slow:
    """One slow client: what it has still to send, a byte a second; it never reads."""

    def __init__(self, here, kind, token):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect(("127.0.0.1", here.port))
        self.began, self.ended, self.kind = time.monotonic(), None, kind
        head = f"POST /v1/carers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        self.rest = b""
        if kind == "header":
            self.rest = (head + "X-Slow: " + "a" * 4000).encode()
        elif kind == "body":
            self.socket.sendall((head + "Content-Type: application/json\r\nContent-Length: 4000\r\n\r\n").encode())
            self.rest = b'{"given_name": "' + b"a" * 4000
        else:  # a megabyte: more than the system's buffers take
            self.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                self.socket.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    def step(self, served):
        """A byte more, if the service still serves this port."""
        if self.ended:
            return
        hung = self.port not in served
        try:
            if not hung and self.rest:
                self.socket.send(self.rest[:1])
                self.rest = self.rest[1:]
        except BlockingIOError:
            pass
        except OSError:
            hung = True
        if hung:
            self.ended = time.monotonic()


def served_ports(port):
    """The clients' ports of the connections that the service holds open: one that does not read is not told of the end."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    return {int(row[2].rpartition(":")[2], 16) for row in rows if row[1].endswith(f":{port:04X}") and row[3] in ("01", "08")}


def drip(here, clients, stop):
    while not stop.wait(1.0):
        served = served_ports(here.port)
        for one in clients:
            one.step(served)


def play(told, options):
    timeout = SHORT_TIMEOUT_S if options.short else TIMEOUT_S
    with stage(options, {"CARERS_CLIENT_TIMEOUT_S": str(timeout)}) as here:
        alone = mixed(here, RATE, 3, 16)
        before, began, rounds = rss_kib(here.service.pid), time.monotonic(), 0
        while rounds == 0 or time.monotonic() < began + options.minutes * 60:
            rounds += 1
            one_round(told, here, timeout)
        told.figure("p99 of the others without them", f"{max(w[2] for w in alone['windows']):.1f} ms")
        told.figure("memory", f"{before / 1024:.0f} -> {rss_kib(here.service.pid) / 1024:.0f} MiB after {rounds} rounds")


def bound(kind, timeout):
    """The time runs anew when the request's first line has come."""
    return 2 * timeout if kind == "header" else timeout


def one_round(told, here, timeout):
    before = rss_kib(here.service.pid)
    token, stop = here.tokens("RS256")[0], threading.Event()
    clients = [Slow(here, kind, token) for kind in ("header", "body", "reader") for _ in range(EACH)]
    dripping = threading.Thread(target=drip, args=(here, clients, stop), daemon=True)
    dripping.start()
    try:
        found = mixed(here, RATE, timeout, 16)
        wrong = bad(found)
        told.figure("memory for each slow client", f"{(rss_kib(here.service.pid) - before) / len(clients):.0f} KiB (an answer that is not read waits)")
        told.promise(f"others are served beside {len(clients)} slow clients", wrong or f"0 errors of {found['count']:,}",
                     not wrong and not found["unanswered"])
        told.figure("p50 and p99 of the others", ", ".join(f"{max(w[i] for w in found['windows']):.1f} ms" for i in (1, 2)))
        until = time.monotonic() + bound("header", timeout) + SLACK_S
        while any(not one.ended for one in clients) and time.monotonic() < until:
            time.sleep(0.5)
        for kind in ("header", "body", "reader"):
            took = [one.ended - one.began for one in clients if one.kind == kind and one.ended]
            most = bound(kind, timeout)
            told.promise(f"a slow {kind} is cut off, {most} s and at most {SLACK_S} s more", f"{len(took)} of {EACH}, "
                         + (f"after {min(took):.1f} to {max(took):.1f} s" if took else "none"), len(took) == EACH and max(took) <= most + SLACK_S)
    finally:
        stop.set()
        dripping.join()
        for one in clients:
            one.socket.close()
