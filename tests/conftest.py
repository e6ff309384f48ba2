"""One private PostgreSQL for the whole run, however many workers pytest-xdist has: each has a migrated database in it.

The controller starts the cluster before the workers and removes it after them.
"""
import itertools
import os
import pathlib
import shutil
import tempfile

import pytest
from pg_cluster import Cluster
from support.server import command

_numbers = itertools.count(1)


def _is_worker(config):
    return hasattr(config, "workerinput")


def migrate(cluster, name):
    """Brings the database to this version: by the program, as an operator would."""
    done = command({"CARERS_DATABASE_OWNER": cluster.conninfo("carers_owner", name)}, "migrate")
    if done.returncode:
        raise RuntimeError(f"carers-api migrate ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def start(folder):
    """A throwaway cluster, whose roles the first migration has made (databases of the workers may then come at once)."""
    cluster = Cluster(folder, throwaway=True).start()
    migrate(cluster, cluster.create_database("carers"))
    return cluster


def pytest_configure(config):
    if _is_worker(config) or config.option.collectonly:
        return
    folder = pathlib.Path(tempfile.mkdtemp(prefix="carers-tests-", dir="/tmp"))
    folder.chmod(0o755)  # PostgreSQL's user goes through it when root runs the tests
    config.carers_folder = folder
    try:
        start(folder)
    except (RuntimeError, OSError) as fault:
        pytest.exit(f"the tests have no database: {fault}", returncode=3)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """xdist: what the workers are told."""
    node.workerinput["carers_folder"] = str(node.config.carers_folder)


def pytest_unconfigure(config):
    folder = getattr(config, "carers_folder", None)
    if folder:
        Cluster(folder).remove()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def run_folder(request):
    """A private folder of this worker for keys and logs."""
    config = request.config
    base = pathlib.Path(config.workerinput["carers_folder"] if _is_worker(config) else config.carers_folder)
    folder = base / f"worker-{os.environ.get('PYTEST_XDIST_WORKER', 'only')}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def cluster(request):
    """The run's PostgreSQL. Tests that stop or pause a server start one of their own."""
    config = request.config
    return Cluster(config.workerinput["carers_folder"] if _is_worker(config) else config.carers_folder)


@pytest.fixture(scope="session")
def new_database(cluster):
    """new_database(): the name of a fresh database of the owner role, migrated unless told otherwise."""
    def make(migrated=True):
        worker = os.environ.get("PYTEST_XDIST_WORKER", "only")
        name = cluster.create_database(f"carers_{worker}_{next(_numbers)}")
        if migrated:
            migrate(cluster, name)
        return name
    return make


@pytest.fixture(scope="session")
def database(new_database):
    """The name of this worker's database."""
    return new_database()
