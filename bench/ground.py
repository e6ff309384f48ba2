"""The ground that the bench stands on: a PostgreSQL, a service, invented data and tokens of its own; all gone at the end."""
import contextlib
import importlib.util
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
HERE = ROOT / "bench"
sys.path.insert(0, str(ROOT / "tools"))
from pg_cluster import Cluster, server_user  # noqa: E402

_spec = importlib.util.spec_from_file_location("dev_run", ROOT / "tools" / "dev" / "run.py")
dev_run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(dev_run)

PROGRAM = dev_run.PROGRAM
STOP_SECONDS = 25
OPEN_FILES = 8192  # wrk and the service each have a file a connection
# Production's, but for the rate limit: one machine stands for all clients.
SETTINGS = {"CARERS_RATE_PER_MINUTE": "0"}
# No checkpoint falls into a turn: it would hit one contestant and not the other. fsync and all else as PostgreSQL has it.
DATABASE = {"checkpoint_timeout": "1h", "max_wal_size": "8GB"}
LOADING = {"fsync": "off", "maintenance_work_mem": "512MB", "autovacuum": "off"}  # while the data set is made, and not after
COUNCILS = 2  # of the data set: <carer> in targets.yaml is every second one
MADE = "0190a001-0000-7000-8000-000000000000"  # ids of what a run adds are higher, those of the data set lower
EMPTY = "SET session_replication_role = replica; TRUNCATE audit_entry, idempotency;"
RESET = f"""{EMPTY}
DELETE FROM carer WHERE id >= '{MADE}';
DELETE FROM carer_term WHERE carer_id >= '{MADE}';
DELETE FROM event WHERE carer_id >= '{MADE}';
VACUUM ANALYZE carer, carer_term, event;
"""
SLOW_CARER = "0190a000-0000-7000-8000-100000000000"  # the first of the data set
SLOW = f"""CREATE FUNCTION bench_sleep() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(0.2); RETURN NEW; END $$;
CREATE TRIGGER bench_sleep BEFORE INSERT ON audit_entry FOR EACH ROW
    WHEN (NEW.carer_ids = '{{{SLOW_CARER}}}') EXECUTE FUNCTION bench_sleep();
"""
NOT_SLOW = "DROP TRIGGER bench_sleep ON audit_entry; DROP FUNCTION bench_sleep();"


class Ground:
    """What runs: `cluster`, `service` (a process), `port`, and the files that the load programs read."""

    def __init__(self, folder, carers, plan):
        self.folder, self.carers, self.plan = folder, carers, plan
        self.cluster = Cluster(folder)
        self.user = server_user()
        self.service = self.port = self.settings = None
        self.queries = queries_of(ROOT / "build-release")
        self.types = {}
        self.turn = 0

    def build(self, settings):
        """From nothing to a service that answers."""
        self.make(settings)
        self.types = self.parameter_types()
        self.serve()

    def make(self, settings):
        """A database with the data set in it, and the service's settings."""
        self.cluster.start()
        self.configure({**DATABASE, **LOADING})
        self.cluster.create_database()
        self.settings = dev_run.write_settings(self.folder, self.user, 0, self.cluster)
        with open(self.settings, "a", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in {**SETTINGS, **settings}.items())
        dev_run.migrate(self.settings)
        self.load()

    def serve(self):
        self.service, log = dev_run.start_service(self.folder, self.settings, self.user)
        log.close()
        self.port = dev_run.await_ready(self.service, self.folder / "service.log")

    def configure(self, settings):
        """PostgreSQL's settings; None: back to what the cluster was made with."""
        for name, value in settings.items():
            self.cluster.sql(f"ALTER SYSTEM SET {name} = '{value}'" if value else f"ALTER SYSTEM RESET {name}")
        self.cluster.sql("SELECT pg_reload_conf()")

    def load(self):
        say(f"loading {self.carers:,} invented carers")
        self.sql(f"\\set carers {self.carers}\n\\set councils {COUNCILS}\n" + (HERE / "carers.sql").read_text(encoding="utf-8"))
        os.sync()  # what was not waited for is not written while we measure
        self.configure(dict.fromkeys(LOADING))
        self.sql("CHECKPOINT")

    def sql(self, text):
        return self.cluster.sql(text, database="carers")

    def parameter_types(self):
        """Of each query that has parameters: what PostgreSQL takes $1, $2 ... for."""
        prepared = "".join(f"PREPARE {q['name']} AS {q['sql']};\n" for q in self.queries.values() if q["parameters"])
        rows = self.sql(prepared + "SELECT name, array_to_string(parameter_types, '|') FROM pg_prepared_statements")
        return {name: types.split("|") for name, types in rows}

    def mint(self, alg, caller):
        """Tokens of so many users, signed with the development key of the algorithm."""
        environment = dict(os.environ)
        if alg == "HS256":
            environment.update(CARERS_DEV_ALG="HS256", CARERS_DEV_KID="dev-hs256",
                               CARERS_DEV_KEY=str(self.folder / "keys" / "dev-hs256.key"))
        whose = [word for name in ("role", "council", "org") if name in caller for word in (f"--{name}", caller[name])]
        for number in range(self.plan["tokens"]):
            yield subprocess.run([PROGRAM, "token", "--settings", self.settings, *whose, "--subject", f"bench-{number}",
                                  "--ttl", "86400"], check=True, text=True, capture_output=True, env=environment).stdout.strip()

    def tokens_file(self, alg, caller="council"):
        """A file with a token a line, for a caller of the plan; made when it is first asked for."""
        file = self.folder / f"tokens-{caller}-{alg}"
        if not file.exists():
            file.write_text("\n".join(self.mint(alg, self.plan["callers"][caller])) + "\n", encoding="ascii")
        return file

    def tokens(self, alg, caller="council"):
        return self.tokens_file(alg, caller).read_text(encoding="ascii").split()

    def reset(self, added=True):
        """The data set as it was loaded, and an empty log: so begins every row of the table. `added`: it was added to."""
        self.sql(RESET if added else EMPTY)
        self.sql("CHECKPOINT")
        os.truncate(self.folder / "service.log", 0)

    def audit_rows(self):
        return int(self.sql("SELECT count(*) FROM audit_entry")[0][0])

    def next_turn(self):
        """A number for what is new in a turn: below 800, so that <new> keeps its twelve digits."""
        self.turn = self.turn % 799 + 1
        return self.turn

    def end(self):
        """Everything that was started, by its process id."""
        if self.service and self.service.poll() is None:
            self.service.terminate()
            try:
                self.service.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.service.kill()
                self.service.wait()
        self.cluster.remove()


def queries_of(folder):
    """The named queries as sqlgen.py wrote them down for this build."""
    listed = [q for name in ("queries.json", "session_queries.json")
              for q in json.loads((folder / name).read_text(encoding="utf-8"))]
    return {q["name"]: q for q in listed}


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def interrupted(*_):
    raise KeyboardInterrupt


@contextlib.contextmanager
def ground(folder, carers, plan, settings, kind=Ground):
    """A Ground for as long as the block lasts; its folder is made new, and is gone afterwards, whatever happens."""
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGINT, interrupted)  # also where a shell started us in the background, with it ignored
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if 0 < hard < OPEN_FILES else OPEN_FILES, hard))
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    lock = dev_run.one_at_a_time(folder)
    Cluster(folder).remove()  # of a run that could not clean up
    here = kind(folder, carers, plan)
    try:
        here.build(settings)
        yield here
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C does not stop the cleaning up
        here.end()
        lock.close()
        shutil.rmtree(folder)
