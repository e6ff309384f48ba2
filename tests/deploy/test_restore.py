"""A backup and its restore to a point in time, by the steps of docs/operations.md: what was there by then is, what came later is not."""
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from pg_cluster import BIN, Cluster, as_user
from support.client import faults, problem
from support.people import carer_body
from support.server import command, wait_for


def as_postgres(cluster, *words):
    done = subprocess.run([str(word) for word in words], cwd="/", text=True, capture_output=True, check=False, **as_user(cluster.user))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def place():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="carers-restore-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def archived(place):
    """A PostgreSQL that archives its WAL, migrated."""
    cluster = Cluster(place / "first", throwaway=True)
    archive = place / "archive"
    archive.mkdir()
    if cluster.user:
        shutil.chown(archive, cluster.user, cluster.user)
    cluster.folder.mkdir()
    cluster.start()
    cluster.create_database()
    for name, value in (("archive_mode", "on"), ("archive_command", f"test ! -f {archive}/%f && cp %p {archive}/%f")):
        cluster.sql(f"ALTER SYSTEM SET {name} = '{value}'")
    cluster.stop()
    cluster.start()
    done = command({"CARERS_DATABASE_OWNER": cluster.conninfo("carers_owner", "carers")}, "migrate")
    assert done.returncode == 0, done.stderr
    yield cluster
    cluster.remove()


def restored(cluster, place, until):
    """The base backup and the archive, up to an instant, as a cluster of its own."""
    other = Cluster(place / "second", throwaway=True)
    other.folder.mkdir()
    other.data = other.folder / "postgres"
    other._private(other.data)  # pylint: disable=protected-access
    shutil.move(place / "base", other.data / "data")
    with open(other.data / "data" / "postgresql.auto.conf", "a", encoding="utf-8") as conf:
        conf.write(f"archive_mode = off\nrestore_command = 'cp {place}/archive/%f %p'\nrecovery_target_time = '{until}'\n"
                   "recovery_target_action = promote\n")
    (other.data / "data" / "recovery.signal").touch()
    other.start()
    wait_for(lambda: other.sql("SELECT pg_is_in_recovery()") == [["f"]])
    return other


def test_a_restore_to_a_point_in_time_has_what_was_there_by_then_and_serves(archived, place, serve, client):
    service = serve(CARERS_DATABASE=archived.conninfo("carers_service", "carers"))
    api = client(service)

    def register():
        answer = api.post("/v1/carers", role="practitioner", json=carer_body())
        assert answer.status_code == 201
        return answer.headers["Location"]
    before = register()
    base = place / "base"
    base.mkdir(mode=0o700)
    if archived.user:
        shutil.chown(base, archived.user, archived.user)
    as_postgres(archived, BIN / "pg_basebackup", "-d", archived.conninfo("postgres"), "-D", base, "-c", "fast")
    between = register()
    until = archived.sql("SELECT clock_timestamp()")[0][0]
    after = register()
    position = api.get("/v1/changes?after=latest", role="practitioner").json()["next_after"]
    archived.sql("SELECT pg_switch_wal()")
    wait_for(lambda: archived.sql("SELECT last_archived_wal IS NOT NULL AND failed_count = 0 FROM pg_stat_archiver") == [["t"]])
    service.stop()
    archived.stop()

    other = restored(archived, place, until)
    try:
        done = command({"CARERS_DATABASE_OWNER": other.conninfo("carers_owner", "carers")}, "migrate")
        assert done.returncode == 0 and done.stdout == "", done.stderr
        api = client(serve(CARERS_DATABASE=other.conninfo("carers_service", "carers")))

        assert api.get("/readyz").status_code == 200
        assert [api.get(path, role="practitioner").status_code for path in (before, between)] == [200, 200]
        problem(api.get(after, role="practitioner"), 404, "not-found")
        for _ in range(100):  # transaction ids go over the old ground: by number the position would be good again
            other.sql("SELECT pg_current_xact_id()")
        assert api.post("/v1/carers", role="practitioner", json=carer_body()).status_code == 201
        assert faults(api.get(f"/v1/changes?after={position}", role="practitioner"), 400, "invalid-parameter")
        assert api.get("/v1/changes?after=latest", role="practitioner").status_code == 200
        assert command({"CARERS_DATABASE_OWNER": other.conninfo("carers_owner", "carers")}, "migrate").returncode == 0
        assert other.sql("SELECT era, since FROM event_era", database="carers") == [["1", "1"]]  # begun once
    finally:
        other.remove()
