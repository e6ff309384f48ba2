"""Two versions at once: a replica goes on while the database is newer by migrations that only expand. See docs/adr/0033."""
import pytest
from support.client import problem
from support.server import command


@pytest.fixture
def newer(new_database, cluster, serve):
    """newer(expands): a replica that runs, and its database's settings, after a newer program migrated it."""
    def make(expands):
        name = new_database()
        database = cluster.conninfo("carers_service", name)
        server = serve(CARERS_DATABASE=database)
        cluster.sql(f"INSERT INTO schema_migration (name, checksum, expands) VALUES ('9999_next', 'x', {expands})", database=name)
        return server, {"CARERS_DATABASE": database, "CARERS_DATABASE_OWNER": cluster.conninfo("carers_owner", name)}
    return make


def test_a_replica_serves_and_may_be_started_beside_a_migration_that_expands(newer, client, serve):
    server, database = newer(True)

    assert client(server).get("/readyz").status_code == 200
    assert client(serve(CARERS_DATABASE=database["CARERS_DATABASE"])).get("/v1/carers", role="practitioner").status_code == 200
    assert command(database, "migrate").returncode == 0


def test_a_replica_is_taken_out_and_none_is_started_after_a_migration_that_contracts(newer, client, settings):
    server, database = newer(False)

    problem(client(server).get("/readyz"), 503, "unavailable")
    done = command({**settings, **database, "CARERS_PORT": 0}, "serve")
    assert done.returncode == 78 and "9999_next, which this program does not know" in done.stderr
    assert command(database, "migrate").returncode == 1
