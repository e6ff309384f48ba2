"""What all scenarios of ./dev soak share: a small ground of their own, promises that are kept or broken, a service that is watched."""
import contextlib
import pathlib
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(1, str(HERE.parent))
import feed  # noqa: E402
from ground import LOADING, Cluster, Ground, dev_run, ground  # noqa: E402

CARERS, SERVICES, TOKENS = 2_000, 1_000, 8
COUNCIL, CHARITY = feed.COUNCIL, feed.CHARITY
CALLERS = {"council": {"role": "practitioner", "council": COUNCIL}, "charity": feed.CALLERS["charity"],
           "editor": {"role": "directory_editor", "council": COUNCIL}, "commissioner": {"role": "commissioner", "council": COUNCIL}}
ALG = "RS256"
# The longest that any answer may take: the wait for a session, the longest statement, and a second of grace (settings.def).
LIMIT_SECONDS = 1.5 + 5.0 + 1.0
SOON_SECONDS = 2.0


class Told:
    """What a scenario promised, what it saw, and figures that are no promise."""

    def __init__(self, name):
        self.name, self.promises, self.figures = name, [], []

    def promise(self, expected, saw, kept):
        self.promises.append((expected, str(saw), bool(kept)))
        print(f"soak {self.name}: {'kept  ' if kept else 'BROKEN'} {expected}: {saw}", flush=True)

    def figure(self, what, value):
        self.figures.append((what, str(value)))
        print(f"soak {self.name}: figure {what}: {value}", flush=True)

    def goal(self, what, limit, value, met):
        """A figure with an aim: said, and never an error, because a busy machine misses it too."""
        self.figure(f"{what} (goal {limit})", f"{value}, {'met' if met else 'MISSED'}")

    def say(self, text):
        print(f"soak {self.name}: {text}", file=sys.stderr, flush=True)

    @property
    def kept(self):
        return bool(self.promises) and all(kept for _, _, kept in self.promises)


class Stage(Ground):
    """A ground with carers and services. `program`: what runs the service in place of itself alone; `others`: more of its environment."""
    program, others = (), {}

    def build(self, settings):
        """As it was made for the scenario before, when there was one in this run: the making takes longer than most scenarios."""
        made = made_before(self.folder)
        if made.exists():
            subprocess.run(["cp", "-a", f"{made}/.", self.folder], check=True)
            self.cluster = Cluster(self.folder).start()
        else:
            self.make({})
            self.tokens_of_all()
            if self.cluster.data.is_relative_to(self.folder):
                self.keep(made)
        with open(self.settings_file(), "a", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items())
        self.prepare()
        self.serve()

    def settings_file(self):
        self.settings = self.folder / "service.env"
        return self.settings

    def tokens_of_all(self):
        for caller in CALLERS:
            self.tokens_file(ALG, caller)

    def keep(self, made):
        self.cluster.stop()
        subprocess.run(["cp", "-a", self.folder, made], check=True)
        (made / "lock").unlink()
        self.cluster.start()

    def load(self):
        super().load()
        self.configure(LOADING)
        self.sql(f"\\set services {SERVICES}\n" + (HERE.parent / "directory.sql").read_text(encoding="utf-8"))
        self.configure(dict.fromkeys(LOADING))

    def prepare(self):
        """For scenarios: the last before the service starts."""

    def serve(self):
        self.service, log = dev_run.start_service(self.folder, self.settings, self.user, self.program or (dev_run.PROGRAM,), self.others)
        log.close()
        self.port = dev_run.await_ready(self.service, self.folder / "service.log")

    def stop(self, seconds=60):
        """SIGTERM; the exit code."""
        self.service.terminate()
        return self.service.wait(seconds)

    def log(self):
        return (self.folder / "service.log").read_bytes()

    def database_processes(self):
        """The server's process and its children."""
        parent = self.cluster.postmaster()
        with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as children:
            return [parent, *map(int, children.read().split())]


def made_before(folder):
    return folder.with_name(folder.name + ".made")


def stage(options, settings=None, kind=Stage):
    """As a block: a stage that stands while it lasts."""
    plan = {"tokens": TOKENS, "callers": CALLERS}
    return ground(options.data, options.carers or CARERS, plan, settings or {}, kind=kind)


class Watch:
    """Reads the service's memory each second from /proc, in KiB, until it is told to stop."""

    def __init__(self, here):
        self.pid, self.samples, self.ended = here.service.pid, [], threading.Event()
        self.began = time.monotonic()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        while not self.ended.wait(1.0):
            with contextlib.suppress(OSError):
                self.samples.append((time.monotonic() - self.began, rss_kib(self.pid)))

    def stop(self):
        self.ended.set()
        self.thread.join()
        return self.samples


def rss_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def slope(samples):
    """Of (seconds, value): the rise of the line through them, over the whole of their time."""
    if len(samples) < 2:
        return 0.0
    mean_t = sum(t for t, _ in samples) / len(samples)
    mean_v = sum(v for _, v in samples) / len(samples)
    per_second = (sum((t - mean_t) * (v - mean_v) for t, v in samples) / sum((t - mean_t) ** 2 for t, _ in samples))
    return per_second * (samples[-1][0] - samples[0][0])
