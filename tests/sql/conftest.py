"""PostgreSQL asked directly, as the service's role with a caller's claims, on a database migrated by the program."""
import contextlib
import itertools
import json
import uuid

import psycopg2
import pytest
from support.sql import ESSEX, ISLINGTON, Session, carer_body, new_id

_serial = itertools.count(1)


@pytest.fixture(scope="session")
def connect(cluster, database):
    """connect(user): a new connection to the worker's database; the service's role unless another is named."""
    with contextlib.ExitStack() as opened:
        def make(user="carers_service"):
            connection = psycopg2.connect(cluster.conninfo(user, database))
            opened.callback(connection.close)
            return connection
        yield make


@pytest.fixture(scope="session")
def owner(connect):
    """A cursor of the owner role, which row-level security leaves alone; every statement is a transaction."""
    connection = connect("carers_owner")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SELECT set_config('app.role', 'council_admin', false), set_config('app.subject', 'owner', false),"
                   " set_config('app.councils', %s, false)", (f"{{{ISLINGTON},{ESSEX}}}",))
    return cursor


@pytest.fixture(scope="session")
def service(connect):
    """The connection that tests use one after the other, as the service's sessions serve many callers."""
    return connect()


@pytest.fixture(scope="session")
def acting(service):
    """acting(role, ...): a context with a Session, committed at its end, rolled back when it fails."""
    @contextlib.contextmanager
    def act(role, councils=(), on=None, **claims):
        connection = on or service
        try:
            session = Session(connection)
            session.take_on(role, councils, **claims)
            yield session
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
    return act


@pytest.fixture(scope="session")
def refused(acting):
    """refused(role, query, arguments..., claims): the diagnostics of the error that it must end with."""
    def run(role, name, *arguments, **claims):
        with pytest.raises(psycopg2.Error) as caught:
            with acting(role, **claims) as session:
                session.execute(name, *arguments)
        return caught.value.diag
    return run


@pytest.fixture(scope="session")
def organisation(owner):
    """organisation(council...): the id of a new organisation."""
    def make(*councils, kind="carer_organisation"):
        ident = str(uuid.uuid4())
        owner.execute("INSERT INTO organisation (id, name, kind, councils) VALUES (%s, %s, %s, %s)",
                      (ident, f"Organisation {next(_serial)}", kind, list(councils or (ISLINGTON,))))
        return ident
    return make


@pytest.fixture(scope="session")
def carer(acting):
    """carer(council, role=, org=, members...): the id of a new carer."""
    def make(council=ISLINGTON, role="practitioner", org=None, allow_duplicate=None, **members):
        ident = new_id()
        with acting(role, [council], org=org) as session:
            session.execute("carer_insert", ident, json.dumps(carer_body(council, **members)), allow_duplicate)
        return ident
    return make


@pytest.fixture(scope="session")
def grant(owner):
    """grant(carer, organisation, starts, ends): access, its times as intervals from now."""
    def give(carer_id, org, starts="-1 hour", ends=None):
        owner.execute("INSERT INTO carer_access (organisation_id, carer_id, reason, starts_at, ends_at) VALUES"
                      " (%s, %s, 'granted', now() + %s::interval, now() + %s::interval)", (org, carer_id, starts, ends))
    return give
