#!/usr/bin/env python3
"""A private PostgreSQL 15 cluster in a folder: unix socket only, never as root.

pg_cluster.py start|stop|status|remove DIR     start creates it when it is not there
pg_cluster.py conninfo DIR [USER [DATABASE]]   the libpq connection string

As root the server runs as user postgres; otherwise as whoever calls. Used by ./dev, the tests and the bench.
"""
import hashlib
import json
import os
import pathlib
import pwd
import shlex
import shutil
import subprocess
import sys
import tempfile

BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
SOCKET_NAME = "/.s.PGSQL.5432"
SOCKET_LIMIT = 107  # bytes that a unix socket's path may have (sun_path less its NUL)
SETTINGS = {"max_connections": "300", "shared_buffers": "128MB", "log_min_messages": "warning",
            "log_min_error_statement": "panic"}  # no statement, so no personal data, in the log
THROWAWAY = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "256MB"}


def server_user():
    """Who the server runs as: never root."""
    return "postgres" if os.geteuid() == 0 else None


def as_user(user):
    """Arguments for subprocess that make the child another user (None: the same)."""
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def can_enter(user, folder):
    """Whether the user can reach the folder."""
    test = subprocess.run(["test", "-x", str(folder)], cwd="/", **as_user(user))
    return test.returncode == 0


class Cluster:
    """One cluster, recorded in DIR/cluster.json so that every later call finds it again."""

    def __init__(self, folder, throwaway=False):
        self.folder = pathlib.Path(folder).resolve()
        self.record = self.folder / "cluster.json"
        self.throwaway = throwaway
        self.user = server_user()
        known = json.loads(self.record.read_text()) if self.record.exists() else {}
        self.data = pathlib.Path(known["data"]) if "data" in known else None
        self.socket = pathlib.Path(known["socket"]) if "socket" in known else None

    def _run(self, program, *arguments):
        done = subprocess.run([str(BIN / program), *arguments], cwd="/", text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **as_user(self.user))
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{self._log_tail()}")
        return done.stdout

    def _log_tail(self):
        log = self.data and self.data / "server.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-10:]) if log and log.exists() else ""

    def _private(self, path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.user:
            shutil.chown(path, self.user, self.user)
        return path

    def _place_data(self):
        if self.user is None or can_enter(self.user, self.folder):
            return self.folder / "postgres"
        mark = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        return pathlib.Path(pwd.getpwnam(self.user).pw_dir) / f"carers-api-{mark}"

    def _place_socket(self):
        near = self.data / "socket"
        if len(os.fsencode(str(near) + SOCKET_NAME)) <= SOCKET_LIMIT:
            return self._private(near)
        if self.socket and self.socket.is_dir():
            return self.socket
        return self._private(pathlib.Path(tempfile.mkdtemp(prefix="carers-pg-", dir="/tmp")))

    def _create(self):
        # The cluster comes to its place whole or not at all: an initdb that was interrupted leaves nothing in the way.
        started = self.data.with_name(self.data.name + ".new")
        if started.exists():
            shutil.rmtree(started)
        self._private(started)
        self._run("initdb", "--pgdata", str(started / "data"), "--username=postgres", "--auth=trust",
                  "--encoding=UTF8", "--locale=C.UTF-8", *(["--no-sync"] if self.throwaway else []))
        lines = {**SETTINGS, **(THROWAWAY if self.throwaway else {}), "listen_addresses": ""}
        with open(started / "data" / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in lines.items())
        started.rename(self.data)

    def running(self):
        if not self.data or not (self.data / "data").exists():
            return False
        done = subprocess.run([str(BIN / "pg_ctl"), "status", "-D", str(self.data / "data")], cwd="/",
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_user(self.user))
        return done.returncode == 0

    def start(self):
        """Creates what is missing and starts; nothing to do when it runs."""
        if self.running():
            return self
        if not (BIN / "initdb").exists():
            raise RuntimeError("PostgreSQL 15 is not installed (Debian: postgresql-15)")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.data or self._place_data()
        if not (self.data / "data" / "PG_VERSION").exists():
            self._create()
        self.socket = self._place_socket()
        self.record.write_text(json.dumps({"data": str(self.data), "socket": str(self.socket)}) + "\n")
        options = f"-c unix_socket_directories={shlex.quote(str(self.socket))} -c unix_socket_permissions=0700"
        self._run("pg_ctl", "start", "--wait", "--silent", "-t", "120", "-D", str(self.data / "data"),
                  "-l", str(self.data / "server.log"), "-o", options)
        return self

    def stop(self, mode="fast"):
        if self.running():
            self._run("pg_ctl", "stop", "--wait", "--silent", "-t", "120", "-m", mode, "-D", str(self.data / "data"))

    def remove(self):
        """Stops and deletes the cluster with its folder of data and sockets."""
        self.stop("immediate")
        for path in (self.data, self.socket):
            if path and path.exists():
                shutil.rmtree(path)
        self.record.unlink(missing_ok=True)

    def postmaster(self):
        """The process id of the server."""
        return int((self.data / "data" / "postmaster.pid").read_text().split()[0])

    def conninfo(self, user="postgres", database="postgres"):
        host = str(self.socket).replace("\\", "\\\\").replace("'", "\\'")
        return f"host='{host}' user={user} dbname={database}"

    def sql(self, text, user="postgres", database="postgres"):
        """Runs SQL through psql; rows as lists of text (NULL is '')."""
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-f", "-",
                               self.conninfo(user, database)], input=text, text=True, capture_output=True)
        if done.returncode:
            raise RuntimeError(f"psql failed: {done.stderr}")
        return [line.split("\t") for line in done.stdout.splitlines() if line]

    def create_database(self, name="carers"):
        """A database of the owner role, which runs the migrations; both are made when missing."""
        if not self.sql("SELECT 1 FROM pg_roles WHERE rolname = 'carers_owner'"):
            self.sql("CREATE ROLE carers_owner LOGIN CREATEROLE")
        if not self.sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            self.sql(f"CREATE DATABASE {name} OWNER carers_owner TEMPLATE template0")
        return name


def main(arguments):
    if len(arguments) < 2 or arguments[0] not in ("start", "stop", "status", "remove", "conninfo"):
        sys.exit(__doc__)
    cluster = Cluster(arguments[1])
    if arguments[0] == "status":
        sys.exit(0 if cluster.running() else 3)
    if arguments[0] == "conninfo":
        print(cluster.conninfo(*arguments[2:4]))
        return
    getattr(cluster, arguments[0])()
    if arguments[0] == "start":
        print(cluster.conninfo())


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except RuntimeError as fault:
        sys.exit(f"pg_cluster: {fault}")
