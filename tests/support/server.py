"""The service as a process of its own: started on a free port, stopped by signal, its log read for what must not be."""
import json
import os
import pathlib
import re
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("API_PROGRAM", ROOT / "build-test" / "carers-api"))
SANITIZER = re.compile(r"(?:ERROR|WARNING): \w+Sanitizer|runtime error:")
START_SECONDS, STOP_SECONDS = 60, 60  # sanitized, on a busy machine
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:halt_on_error=1:exitcode=97",
              "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}


def wait_for(condition, seconds=30, every=0.02):
    """Waits until condition() is true and gives its value; an assertion fails when it never is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(every)
    raise AssertionError(f"{getattr(condition, '__name__', 'the condition')} was not true within {seconds} s")


def environment(settings):
    """The process's environment: ours without CARERS_ variables, then the settings given."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CARERS_")}
    return {**SANITIZERS, **clean, **{name: str(value) for name, value in settings.items() if value is not None}}


def command(settings, *arguments, timeout=60):
    """Runs the program to its end: `migrate`, `check`, `token`, `version`."""
    return subprocess.run([PROGRAM, *map(str, arguments)], env=environment(settings), text=True, capture_output=True,
                          timeout=timeout, stdin=subprocess.DEVNULL)


class Server:
    """One running `carers-api serve`."""

    def __init__(self, settings, folder):
        self.settings = {"CARERS_PORT": "0", **settings}
        self.path = pathlib.Path(folder) / f"server-{time.monotonic_ns()}.log"
        self.process = self.port = None

    def start(self):
        with open(self.path, "wb") as log:
            self.process = subprocess.Popen([PROGRAM, "serve"], env=environment(self.settings), stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, start_new_session=True)
        self.port = int(wait_for(self._ready, START_SECONDS)["port"])
        return self

    def _ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"serve ended with {self.process.returncode}:\n{self.tail()}")
        return next((event for event in self.events() if event.get("event") == "ready"), None)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def log(self):
        return self.path.read_text(encoding="utf-8", errors="replace")

    def tail(self, lines=25):
        return "\n".join(self.log().splitlines()[-lines:])

    def events(self):
        """The log's lines that are JSON: with no sanitizer about, all of them."""
        for line in self.log().splitlines():
            if line.startswith("{") and line.endswith("}"):
                yield json.loads(line)

    def request_line(self, request_id):
        """The one line that the log has about a request."""
        def found():
            return [e for e in self.events() if e.get("event") == "request" and e.get("request_id") == request_id]
        lines = wait_for(found)
        assert len(lines) == 1, lines
        return lines[0]

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """Ends it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM: it must end by itself, with 0, and nothing that a sanitizer found."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"serve did not end within {STOP_SECONDS} s of SIGTERM:\n{self.tail()}") from None
        report = SANITIZER.search(self.log())
        assert not report, f"a sanitizer reports:\n{self.log()[max(0, report.start() - 200):][:6000]}"
        assert code == 0, f"serve ended with {code}:\n{self.tail()}"


def resident(pid):
    """Bytes of memory that a process has."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as about:
        return int(about.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
