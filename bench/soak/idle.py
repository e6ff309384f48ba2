"""idle: five thousand connections on which nothing happens, while others are served; then they are closed by the service."""
import contextlib
import socket
import time

import load
from mixed import bad, mixed
from stage import rss_kib, stage

TITLE = "5,000 idle connections beside mixed load"
MINUTES, SHORT = 5, 0.05
IDLE, RATE = 5_000, 60
TIMEOUT_S, SHORT_TIMEOUT_S = 30, 6  # CARERS_CLIENT_TIMEOUT_S: the first is as shipped
SETTINGS = {"CARERS_CONNECTIONS": "6000", "CARERS_CONNECTIONS_PER_ADDRESS": "6000"}


@contextlib.contextmanager
def idle_connections(here, count):
    """So many, of which every second has asked once and keeps its connection, and the others have never said a word."""
    token, found = here.tokens("RS256")[0], []
    request = f"GET /v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    try:
        for number in range(count):
            found.append(socket.create_connection(("127.0.0.1", here.port)))
            if number % 2:
                found[-1].sendall(request)
        yield found
    finally:
        for one in found:
            one.close()


def closed(connections):
    """How many the service has closed: their end can be read."""
    count = 0
    for one in connections:
        with contextlib.suppress(BlockingIOError):
            one.setblocking(False)
            try:
                while one.recv(65536):
                    pass
                count += 1
            except ConnectionError:
                count += 1
    return count


def play(told, options):
    timeout = SHORT_TIMEOUT_S if options.short else TIMEOUT_S
    with stage(options, {**SETTINGS, "CARERS_CLIENT_TIMEOUT_S": str(timeout)}) as here:
        mixed(here, RATE, 2, 16)
        before = rss_kib(here.service.pid)
        began = time.monotonic()
        rounds = 0
        while rounds == 0 or time.monotonic() < began + options.minutes * 60:
            rounds += 1
            one_round(told, here, before, timeout)
        told.figure("rounds", rounds)


def one_round(told, here, before, timeout):
    with idle_connections(here, IDLE) as connections:
        opened = load.open_connections(here.port)
        found = mixed(here, RATE, max(3, timeout / 2), 16)
        wrong = bad(found)
        held = rss_kib(here.service.pid)
        told.promise(f"others are served while {IDLE:,} connections idle", wrong or f"0 errors of {found['count']:,}, {opened:,} open",
                     not wrong and not found["unanswered"] and opened >= IDLE * 0.9)
        told.figure("p50 and p99 of the others", ", ".join(f"{max(w[i] for w in found['windows']):.1f} ms" for i in (1, 2)))
        told.figure("memory for each idle connection", f"{(held - before) / IDLE:.1f} KiB ({before / 1024:.0f} -> {held / 1024:.0f} MiB)")
        until = time.monotonic() + 2 * timeout + 5
        while (gone := closed(connections)) < IDLE and time.monotonic() < until:
            time.sleep(0.5)
        told.promise(f"they are closed when nothing has moved for {timeout} s", f"{gone:,} of {IDLE:,}", gone == IDLE)
    found = mixed(here, RATE, 2, 16)
    told.promise("and the service serves on", bad(found) or f"0 errors of {found['count']:,}", not bad(found))
