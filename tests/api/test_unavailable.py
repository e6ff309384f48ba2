"""PostgreSQL gone, paused, restarted, crowded: 503 with Retry-After soon, and recovery without a restart of the service."""
import os
import pathlib
import shutil
import signal
import tempfile
import threading
import time

import psycopg2
import pytest
from pg_cluster import Cluster
from support.client import problem
from support.people import carer_body
from support.server import command, wait_for

SOON = 2.0   # seconds: the promise
SLACK = 1.0  # a sanitized service on a busy machine; what is promised is checked to the letter by the bench


@pytest.fixture
def own_cluster():
    """A PostgreSQL that this test may stop and pause, migrated."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="carers-own-", dir="/tmp"))
    folder.chmod(0o755)
    cluster = Cluster(folder, throwaway=True).start()
    cluster.create_database("carers")
    done = command({"CARERS_DATABASE_OWNER": cluster.conninfo("carers_owner", "carers")}, "migrate")
    assert done.returncode == 0, done.stderr
    yield cluster
    cluster.remove()
    shutil.rmtree(folder)


@pytest.fixture
def own(serve, own_cluster):
    """A service on that PostgreSQL."""
    return serve(CARERS_DATABASE=own_cluster.conninfo("carers_service", "carers"))


def unavailable(send):
    """Asserts a 503 with Retry-After within the promised time."""
    began = time.monotonic()
    response = send()
    took = time.monotonic() - began
    problem(response, 503, "unavailable")
    assert int(response.headers["Retry-After"]) >= 1
    assert took < SOON + SLACK, f"answered after {took:.1f} s"
    return response


def processes(cluster):
    """The server's process and its children: backends are in sessions of their own, a group signal misses them."""
    parent = cluster.postmaster()
    found = [parent]
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(stat.parent.name))
    return found


def test_a_stopped_database_is_503_soon_and_served_again_when_it_is_back(own, own_cluster, client):
    api = client(own)
    made = api.post("/v1/carers", role="practitioner", json=carer_body())
    path = f"/v1/carers/{made.json()['id']}"
    own_cluster.stop("immediate")

    for _ in range(3):
        unavailable(lambda: api.get(path, role="practitioner"))
        unavailable(lambda: api.post("/v1/carers", role="practitioner", json=carer_body()))
    assert api.get("/livez").status_code == 200
    assert api.get("/readyz").status_code == 503
    assert "host=" not in api.get("/readyz").text and "socket" not in api.get("/readyz").text

    own_cluster.start()
    wait_for(lambda: api.get("/readyz").status_code == 200)
    wait_for(lambda: api.get(path, role="practitioner").status_code == 200)
    assert api.post("/v1/carers", role="practitioner", json=carer_body()).status_code == 201


def test_a_paused_database_is_503_soon_and_served_again_when_it_goes_on(serve, own_cluster, client):
    api = client(serve(CARERS_DATABASE=own_cluster.conninfo("carers_service", "carers"),
                       CARERS_STATEMENT_TIMEOUT_MS="300"))  # a pause cannot be told from a slow statement before that
    assert api.get("/v1/carers", role="practitioner").status_code == 200
    paused = processes(own_cluster)
    for process in paused:
        os.kill(process, signal.SIGSTOP)
    try:
        unavailable(lambda: api.get("/v1/carers", role="practitioner"))
        assert api.get("/livez").status_code == 200
    finally:
        for process in paused:
            os.kill(process, signal.SIGCONT)

    wait_for(lambda: api.get("/v1/carers", role="practitioner").status_code == 200)


def test_a_session_that_is_ended_is_replaced_unseen(own, own_cluster, client):
    api = client(own)
    assert api.get("/v1/carers", role="practitioner").status_code == 200

    own_cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'carers_service'")

    wait_for(lambda: api.get("/v1/carers", role="practitioner").status_code == 200)
    assert api.get("/readyz").status_code == 200


def test_32_clients_while_the_database_restarts_get_only_answers_and_503(own, own_cluster, client):
    stop, wrong, good = threading.Event(), [], []

    def ask():
        api = client(own)
        while not stop.is_set():
            response = api.get("/v1/carers?limit=1", role="practitioner")
            if response.status_code == 200:
                good.append(time.monotonic())
            elif response.status_code != 503:
                wrong.append(response.text)
    threads = [threading.Thread(target=ask) for _ in range(32)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: len(good) > 50)
        own_cluster.stop("fast")
        own_cluster.start()
        back = time.monotonic()
        wait_for(lambda: good and good[-1] > back)
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    assert wrong == []


def test_a_statement_that_takes_too_long_is_ended(serve, own_cluster, client):
    api = client(serve(CARERS_DATABASE=own_cluster.conninfo("carers_service", "carers"),
                       CARERS_STATEMENT_TIMEOUT_MS="300"))
    lock = psycopg2.connect(own_cluster.conninfo("postgres", "carers"))
    lock.cursor().execute("LOCK TABLE carer IN ACCESS EXCLUSIVE MODE")

    unavailable(lambda: api.get("/v1/carers", role="practitioner"))

    lock.rollback()
    lock.close()
    assert api.get("/v1/carers", role="practitioner").status_code == 200


def test_when_all_sessions_are_busy_the_next_request_is_503_and_not_a_queue(serve, own_cluster, client):
    server = serve(CARERS_DATABASE=own_cluster.conninfo("carers_service", "carers"), CARERS_SESSIONS="1",
                   CARERS_SESSION_WAIT_MS="200")
    lock = psycopg2.connect(own_cluster.conninfo("postgres", "carers"))
    lock.cursor().execute("LOCK TABLE carer IN ACCESS EXCLUSIVE MODE")
    answers = []
    first = threading.Thread(target=lambda: answers.append(client(server).get("/v1/carers", role="practitioner")))
    first.start()
    try:
        wait_for(lambda: own_cluster.sql("SELECT 1 FROM pg_locks WHERE NOT granted"))
        unavailable(lambda: client(server).get("/v1/carers", role="practitioner"))
    finally:
        lock.rollback()
        lock.close()
        first.join()

    assert answers[0].status_code == 200


def test_a_service_starts_before_its_database_and_serves_when_that_is_there(serve, own_cluster, client):
    own_cluster.stop()
    server = serve(CARERS_DATABASE=own_cluster.conninfo("carers_service", "carers"))
    api = client(server)
    assert api.get("/livez").status_code == 200
    unavailable(lambda: api.get("/v1/carers", role="practitioner"))

    own_cluster.start()

    wait_for(lambda: api.get("/v1/carers", role="practitioner").status_code == 200)


def test_a_service_without_database_still_stops_at_once(own, own_cluster):
    own_cluster.stop("immediate")

    own.stop()
