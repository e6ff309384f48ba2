"""A receiver of webhooks on the loopback that can be told to misbehave, and the published library that checks what it got."""
import contextlib
import http.server
import json
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import threading

from support.server import ROOT, wait_for

PINS = ROOT / "tests" / "webhooks"


class Receiver:
    """Answers 204, or what `behave(message)` says: a status, (status, headers), or one of "die", "hang" (until `release()`)."""

    def __init__(self, behave=lambda message: 204, port=0, context=None):
        self.behave, self.messages, self.hanging = behave, [], 0
        self._lock, self._released = threading.Lock(), threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.answer(self, {"headers": {name.lower(): value for name, value in self.headers.items()}, "body": body,
                                       "path": self.path})

            do_GET = do_POST

            def log_message(self, *_):
                pass

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):
                pass  # the service is killed, or gives up waiting

        self._server = Listener(("127.0.0.1", port), Handler)
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def answer(self, handler, message):
        said = self.behave(message)
        if said == "hang":
            with self._lock:
                self.hanging += 1
            self._released.wait(60)
            said = 204
        if said == "die":  # a reset in the middle of an answer
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.close_connection = True
            handler.connection.close()
            return
        status, headers = said if isinstance(said, tuple) else (said, {})
        if 200 <= status < 300:
            with self._lock:
                self.messages.append(message)
        handler.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()

    def release(self):
        self._released.set()

    def events(self):
        with self._lock:
            return [json.loads(message["body"]) for message in self.messages]

    def states(self, referral=None):
        """The states told, of one referral or of all, in order of arrival; what came twice counts once."""
        seen, states = set(), []
        for event in self.events():
            if event["id"] not in seen and (referral is None or event["data"]["resource"]["id"] == referral):
                seen.add(event["id"])
                states.append(event["data"].get("state"))
        return states

    def wait(self, count, seconds=30):
        """Until so many different messages have come."""
        wait_for(lambda: len({event["id"] for event in self.events()}) >= count, seconds)
        return self.events()

    def close(self):
        self.release()
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def receiving(*arguments, **options):
    one = Receiver(*arguments, **options)
    try:
        yield one
    finally:
        one.close()


def free_port():
    """A port at which nobody listens now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def certificate(folder):
    """(certificate file, TLS context of a server) for 127.0.0.1, signed by itself."""
    folder = pathlib.Path(folder)
    key, cert = folder / "receiver.key", folder / "receiver.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=receiver", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context


def node_modules():
    """Where npm has put the library: once for each state of the lock file."""
    place, lock = ROOT / ".dev-npm", (PINS / "package-lock.json").read_bytes()
    note = place / "package-lock.json"
    if not note.exists() or note.read_bytes() != lock or not (place / "node_modules").exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        shutil.copy(PINS / "package.json", place)
        shutil.copy(PINS / "package-lock.json", place)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=place, check=True)
    return place / "node_modules"


def verify(messages, secret):
    """What the library of Standard Webhooks says of each message."""
    asked = json.dumps([{"secret": secret, "headers": m["headers"], "body": m["body"]} for m in messages])
    done = subprocess.run(["node", PINS / "verify.js"], input=asked, text=True, capture_output=True, check=True,
                          env={"NODE_PATH": str(node_modules()), "PATH": "/usr/local/bin:/usr/bin:/bin"})
    return done.stdout.splitlines()
