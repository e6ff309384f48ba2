"""Black box: this worker's own server on a free port, tokens of a test identity provider, clients and factories."""
import contextlib
import itertools
import uuid

import psycopg2
import pytest
from support.assessments import assessment_body
from support.callers import World
from support.client import Api
from support.directory import EDITOR, ORGANISATIONS, POSTCODES, SERVICES, organisation_body, service_body
from support.people import carer_body
from support.raw import Raw
from support.referrals import referral_body
from support.server import Server
from support.tokens import ISLINGTON, ISSUER, Tokens

_serial = itertools.count(1)


@pytest.fixture(scope="session")
def tokens():
    """The identity provider of this run."""
    return Tokens()


@pytest.fixture(scope="session")
def settings(cluster, database, tokens, run_folder):
    """What the server is started with; `serve` adds to it or replaces."""
    return {"CARERS_DATABASE": cluster.conninfo("carers_service", database), "CARERS_ISSUER": ISSUER,
            "CARERS_KEY_FILES": tokens.write(run_folder), "CARERS_CHECK_RESPONSES": "true", "CARERS_WORKERS": "32",
            "CARERS_RATE_PER_MINUTE": "0", "CARERS_WEBHOOKS": "false", "CARERS_CORS_ORIGINS": "https://app.example.org"}


@pytest.fixture(scope="session")
def server(settings, run_folder):
    """The server that most tests share."""
    running = Server(settings, run_folder).start()
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def alive(server):
    """The shared server outlives each test; one that ended it fails, and the next has a new server."""
    yield
    if server.process.poll() is None:
        return
    words = f"the test ended the server, with {server.process.returncode}:\n{server.tail(60)}"
    server.start()
    pytest.fail(words)


@pytest.fixture(scope="session")
def api(server, tokens):
    """The client of the shared server."""
    client = Api(server, tokens)
    yield client
    client.close()


@pytest.fixture
def serve(settings, run_folder):
    """serve(CARERS_...=value): a private server with other settings, for tests that kill, pause or crowd it."""
    with contextlib.ExitStack() as running:
        def start(**changes):
            one = Server({**settings, **changes}, run_folder).start()
            running.callback(lambda: one.process.poll() is None and one.stop())
            return one
        yield start


@pytest.fixture
def client(tokens):
    """client(server): a client of a private server."""
    with contextlib.ExitStack() as opened:
        def make(server):
            one = Api(server, tokens)
            opened.callback(one.close)
            return one
        yield make


@pytest.fixture
def raw(server):
    """raw(): a bare connection to the shared server; raw(other) to another one."""
    with contextlib.ExitStack() as opened:
        def connect(to=None, **options):
            return opened.enter_context(Raw((to or server).port, **options))
        yield connect


@pytest.fixture(scope="session")
def db(cluster, database):
    """A connection as PostgreSQL's superuser, who sees every row: for what no operation offers."""
    connection = psycopg2.connect(cluster.conninfo("postgres", database))
    connection.autocommit = True
    yield connection.cursor()
    connection.close()


@pytest.fixture(scope="session")
def organisation(db):
    """organisation(): the id of a new organisation."""
    def make(council=ISLINGTON, kind="carer_organisation"):
        ident = str(uuid.uuid4())
        db.execute("INSERT INTO organisation (id, name, kind, councils) VALUES (%s, %s, %s, %s)",
                   (ident, f"Organisation {next(_serial)}", kind, [council]))
        return ident
    return make


@pytest.fixture(scope="session")
def carer(api):
    """carer(council=..., ...): a new carer, registered over HTTP by a practitioner of her council."""
    def make(role="practitioner", org=None, council=ISLINGTON, **members):
        response = api.post("/v1/carers", role=role, council=council, org=org, json=carer_body(council, **members))
        assert response.status_code == 201, response.text
        return response.json()
    return make


@pytest.fixture(scope="session")
def grant(db):
    """grant(carer, org, starts, ends): access, its times as SQL intervals from now."""
    def give(carer_id, org, starts="-1 hour", ends=None):
        db.execute("INSERT INTO carer_access (organisation_id, carer_id, reason, starts_at, ends_at) VALUES"
                   " (%s, %s, 'granted', now() + %s::interval, now() + %s::interval)", (org, carer_id, starts, ends))
    return give


@pytest.fixture(scope="session")
def assessment(api, carer, db):
    """assessment(kind, state, carer=, role=, org=, ...): a new one, made over HTTP; another state than the first by SQL."""
    def make(kind="statutory", state=None, of=None, role="practitioner", org=None, **members):
        of = of or carer(known_to_social_care=False)
        response = api.post(f"/v1/carers/{of['id']}/assessments", role=role, org=org, json=assessment_body(kind, **members))
        assert response.status_code == 201, response.text
        one = response.json()
        if state in (None, one["state"]):
            return one
        db.execute("SET session_replication_role = replica")
        db.execute("UPDATE assessment SET state = %s WHERE id = %s", (state, one["id"]))
        db.execute("SET session_replication_role = origin")
        return api.get(f"/v1/assessments/{one['id']}", role="practitioner").json()
    return make


@pytest.fixture(scope="session")
def referral(api, carer, db):
    """referral(state, to=, of=, role=, org=, ...): a new one, made over HTTP; another state than the first by SQL."""
    def make(state="draft", to=None, of=None, role="practitioner", org=None, **members):
        body = referral_body(**members)
        if "person" not in body and role != "carer":
            body["carer_id"] = (of or carer())["id"]
        body["to"] = {"organisation_id": to} if to else {"team": "adult_social_care"}
        response = api.post("/v1/referrals", role=role, org=org, json=body, **({"carer": of["id"]} if role == "carer" else {}))
        assert response.status_code == 201, response.text
        one = response.json()
        if state != "draft":
            db.execute("SET session_replication_role = replica")
            db.execute("UPDATE referral SET state = %s, submitted_at = now(), contact_due_at = now() + interval '1 day' WHERE id = %s",
                       (state, one["id"]))
            db.execute("SET session_replication_role = origin")
        return {**one, "state": state}
    return make


@pytest.fixture(scope="session")
def postcodes(db):
    """A few of them, invented in real places."""
    for text, (lat, lon) in POSTCODES.items():
        db.execute("INSERT INTO postcode (postcode, latitude, longitude, district) VALUES (%s, %s, %s, 'E07000244') ON CONFLICT DO NOTHING",
                   (text, lat, lon))


@pytest.fixture
def listed(api, postcodes):
    """A new organisation of the directory."""
    response = api.post(ORGANISATIONS, json=organisation_body(), **EDITOR)
    assert response.status_code == 201, response.text
    return response.json()


@pytest.fixture
def service(api, listed):
    """service(state=..., ...): a new entry of `listed`, published unless it is said otherwise."""
    def make(state="published", organisation_id=None, **members):
        response = api.post(SERVICES, json=service_body(organisation_id or listed["id"], **members), **EDITOR)
        assert response.status_code == 201, response.text
        one = response.json()
        steps = {"draft": [], "published": ["publish"], "archived": ["archive"]}[state]
        for step in steps:
            response = api.post(f"{SERVICES}/{one['id']}/{step}", json={"reason": "x"} if step == "archive" else {}, **EDITOR)
            assert response.status_code == 200, response.text
            one = response.json()
        return one
    return make


@pytest.fixture
def assured(db):
    """assured(service, days): it was assured so many days ago."""
    def set_back(one, days):
        db.execute("UPDATE service SET assured_on = today() - %s WHERE id = %s", (days, one["id"]))
    return set_back


@pytest.fixture
def world(api, carer, organisation, grant):
    """A carer and everybody who might ask about her: see support/callers.py."""
    return World(api, carer, organisation, grant)
