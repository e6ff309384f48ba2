#!/usr/bin/env python3
"""./dev run: one folder with its PostgreSQL, keys and settings; the service in the foreground until Ctrl-C."""
import argparse
import fcntl
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from pg_cluster import Cluster, as_user, can_enter, server_user  # noqa: E402

PROGRAM = pathlib.Path(os.environ.get("API_PROGRAM", ROOT / "build-release" / "carers-api"))
DEMO = [ROOT / "sql" / "seed" / name for name in ("demo.sql", "directory.sql")]
ISSUER = "urn:carers-api:dev"
READY_SECONDS = 30  # a service that has not listened by then will not
STOP_SECONDS = 25   # longer than CARERS_DRAIN_S
ROLES = ("council_admin", "practitioner", "commissioner", "directory_editor", "assessor", "support_worker",
         "hospital_in_reach", "break_provider", "referrer", "vcfse_editor", "carer")
PARTNERS = {"assessor": "carer_organisation", "support_worker": "carer_organisation", "referrer": "carer_organisation",
            "vcfse_editor": "carer_organisation", "hospital_in_reach": "hospital_trust",
            "break_provider": "breaks_provider"}  # and the kind of organisation that their tokens are of
NOBODY = "019a98d2-cd00-7000-8000-000000000000"  # whom tokens stand for where there is no such organisation or carer


class Refused(Exception):
    """What the person at the terminal is told."""


def arguments():
    parser = argparse.ArgumentParser(prog="./dev run", description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--data", default=str(ROOT / ".dev"))
    parser.add_argument("--empty", action="store_true", help="without the demo data")
    parser.add_argument("--json", action="store_true", help="one JSON line when ready, for scripts")
    return parser.parse_args()


def say(text):
    print(text, file=sys.stderr, flush=True)


def one_at_a_time(data):
    """The lock of the folder; the system gives it back when this process ends, however it ends."""
    lock = open(data / "lock", "w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Refused(f"another ./dev run uses {data}: give this one its own folder with --data") from None
    return lock


def port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise Refused(f"port {port} is taken: give another one with --port (0 takes a free one)") from None


def give(path, user, mode):
    os.chmod(path, mode)
    if user:
        shutil.chown(path, user, user)


def make_keys(data, user):
    """Development keys: RS256 (the default) and HS256 (what the bench compares it with)."""
    folder = data / "keys"
    folder.mkdir(mode=0o700, exist_ok=True)
    private, public, shared = (folder / name for name in ("dev-rs256.pem", "dev-rs256.pub.pem", "dev-hs256.key"))
    if not public.exists():
        subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                        "-out", private], check=True)
        subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    if not shared.exists():
        shared.write_text(secrets.token_hex(32), encoding="ascii")
    for path in (private, public, shared):
        give(path, user, 0o600)
    give(folder, user, 0o700)
    return private, public, shared


def write_settings(data, user, port, cluster):
    """DIR/service.env: what the service, ./dev token and ./dev migrate read."""
    private, public, shared = make_keys(data, user)
    values = {
        "CARERS_PORT": port,
        "CARERS_DATABASE": cluster.conninfo("carers_service", "carers"),
        "CARERS_DATABASE_OWNER": cluster.conninfo("carers_owner", "carers"),
        "CARERS_ISSUER": ISSUER,
        "CARERS_KEY_FILES": f"dev-rs256=RS256:{public},dev-hs256=HS256:{shared}",
        "CARERS_DEV_KEY": private,
        "CARERS_DEV_KID": "dev-rs256",
        "CARERS_DEV_ALG": "RS256",
    }
    path = data / "service.env"
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()), encoding="utf-8")
    give(path, user, 0o600)
    return path


def migrate(settings):
    done = subprocess.run([PROGRAM, "migrate", "--settings", settings], text=True, capture_output=True)
    if done.returncode:
        raise Refused(f"the migration failed (exit {done.returncode}):\n{done.stdout}{done.stderr}")


def load_demo(cluster):
    """Into an empty database only: what somebody has entered is never mixed with invented people."""
    used = cluster.sql("SELECT EXISTS (SELECT FROM organisation) OR EXISTS (SELECT FROM carer)", database="carers")
    if used != [["f"]]:
        return
    text = "\n".join(path.read_text(encoding="utf-8") for path in DEMO)
    cluster.sql("BEGIN;\n" + text + "\nCOMMIT;\n", user="carers_owner", database="carers")
    say("run: loaded the demo data (invented people, organisations and services)")


def start_service(data, settings, user, program=(PROGRAM,), others=None):
    """The service, its log in DIR/service.log. As root it runs as PostgreSQL's user, when that one can read it. `program`: what is
    to be called in place of the program alone; `others`: more of the environment."""
    if user and not (can_enter(user, program[-1]) and can_enter(user, data)):
        say(f"run: {user} cannot enter {data if can_enter(user, program[-1]) else program[-1].parent}: the service runs as root")
        user = None
    log = open(data / "service.log", "w+b", buffering=0)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CARERS_PORT")}
    environment.update(others or {})
    service = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *program, "serve", "--settings", settings],
                               stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=data, env=environment,
                               start_new_session=True, **as_user(user))
    return service, log


def await_ready(service, path):
    """The port from the line that says that the service listens."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and service.poll() is None:
        for line in path.read_bytes().splitlines():
            if b'"ready"' in line:
                return int(json.loads(line)["port"])
        time.sleep(0.02)
    tail = "\n".join(path.read_text(errors="replace").splitlines()[-20:])
    raise Refused(f"the service did not start (exit {service.poll()}):\n{tail}")


def people(cluster):
    """Whom the ready tokens stand for: a council, its organisations by kind, one of its carers; of the demo, its first."""
    carer = cluster.sql("SELECT id, council FROM carer ORDER BY created_at LIMIT 1", database="carers")
    council = carer[0][1] if carer else "E09000019"
    kinds = cluster.sql(f"SELECT kind, id FROM organisation WHERE '{council}' = ANY (councils) ORDER BY id DESC",
                        database="carers")
    return council, dict(kinds), carer[0][0] if carer else NOBODY


def token(settings, role, council, organisations, carer):
    command = [PROGRAM, "token", "--settings", settings, "--role", role, "--ttl", "43200"]
    if role == "carer":
        command += ["--carer", carer]
    else:
        command += ["--council", council]
    if role in PARTNERS:
        command += ["--org", organisations.get(PARTNERS[role], NOBODY)]
    done = subprocess.run(command, text=True, capture_output=True)
    if done.returncode:
        raise Refused(f"no token for {role}: {done.stderr}")
    return done.stdout.strip()


def announce(options, data, cluster, settings, port):
    base = f"http://127.0.0.1:{port}"
    council, organisations, carer = people(cluster)
    tokens = {role: token(settings, role, council, organisations, carer) for role in ROLES}
    if options.json:
        print(json.dumps({"base_url": base, "data": str(data), "settings": str(settings), "tokens": tokens,
                          "database": cluster.conninfo("carers_service", "carers"),
                          "database_owner": cluster.conninfo("carers_owner", "carers"),
                          "database_superuser": cluster.conninfo("postgres", "carers"),
                          "log": str(data / "service.log"), "program": str(PROGRAM)}), flush=True)
        return
    print("Tokens, good for 12 hours (./dev token makes others):\n")
    for role, text in tokens.items():
        print(f"{role}\n  {text}\n")
    print(f"carers-api serves on {base}\nDocumentation: {base}/docs\nLog: {data / 'service.log'}\n\nTry:\n")
    print(f"  TOKEN=$(./dev token --data {data} --role practitioner --council {council})")
    print(f'  curl -s -H "Authorization: Bearer $TOKEN" {base}/v1/carers?limit=2\n\nCtrl-C stops it.', flush=True)


def serve(options, data, cluster, user):
    settings = write_settings(data, user, options.port, cluster)
    migrate(settings)
    if not options.empty:
        load_demo(cluster)
    service, log = start_service(data, settings, user)
    try:
        announce(options, data, cluster, settings, await_ready(service, data / "service.log"))
        follow(service, log, show=not options.json and sys.stderr.isatty())
    except KeyboardInterrupt:
        say("run: stopping")
    finally:
        service.terminate()
        try:
            code = service.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            service.kill()
            code = service.wait()
    return code


def follow(service, log, show):
    """Until the service ends or Ctrl-C; its log goes to the terminal too."""
    signal.signal(signal.SIGHUP, lambda *_: service.send_signal(signal.SIGHUP))
    where = 0
    while service.poll() is None:
        time.sleep(0.2)
        chunk = os.pread(log.fileno(), 1 << 20, where) if show else b""
        where += len(chunk)
        sys.stderr.buffer.write(chunk)
        sys.stderr.buffer.flush()


def interrupted(*_):
    """Once is enough: what stops is not stopped in the middle."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main():
    options = arguments()
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job has SIGINT ignored
        signal.signal(number, interrupted)
    data = pathlib.Path(options.data).resolve()
    data.mkdir(mode=0o755, parents=True, exist_ok=True)
    lock = one_at_a_time(data)
    port_is_free(options.port)
    user = server_user()
    cluster = Cluster(data)
    try:
        cluster.start()
        cluster.create_database()
        code = serve(options, data, cluster, user)
    finally:
        cluster.stop()
        lock.close()
    return code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (Refused, RuntimeError) as fault:
        sys.exit(f"run: {fault}")
