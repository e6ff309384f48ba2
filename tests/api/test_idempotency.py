"""Idempotency-Key: the same request twice is done once, whatever happens in between."""
import itertools
import threading
import uuid

import pytest
import requests
from support.client import Api, faults, problem
from support.people import carer_body, nhs_number
from support.server import Server, wait_for
from support.tokens import CAMDEN


def key(value=None):
    return {"Idempotency-Key": value or str(uuid.uuid4())}


def count(db, family_name):
    db.execute("SELECT count(*) FROM carer WHERE family_name = %s", (family_name,))
    return db.fetchone()[0]


def test_the_same_request_twice_gives_the_first_answer_again(api, db):
    body, headers = carer_body(), key()

    first = api.post("/v1/carers", role="practitioner", json=body, headers=headers)
    again = api.post("/v1/carers", role="practitioner", json=body, headers=headers)

    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    for name in ("Location", "ETag", "Content-Type"):
        assert first.headers[name] == again.headers[name], name
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert count(db, body["family_name"]) == 1


def test_the_first_answer_is_given_again_though_the_carer_has_changed(api):
    body, headers = carer_body(), key()
    first = api.post("/v1/carers", role="practitioner", json=body, headers=headers)
    path = f"/v1/carers/{first.json()['id']}"
    assert api.patch(path, etag=first.headers["ETag"], role="practitioner", json={"given_name": "New"}).status_code == 200

    again = api.post("/v1/carers", role="practitioner", json=body, headers=headers)

    assert again.content == first.content and again.headers["ETag"] == first.headers["ETag"]


def test_without_a_key_the_same_request_is_a_request_of_its_own(api, db):
    body = carer_body()

    assert api.post("/v1/carers", role="practitioner", json=body).status_code == 201
    assert api.post("/v1/carers", role="practitioner", json=body).status_code == 201
    assert count(db, body["family_name"]) == 2


def test_the_key_with_another_body_is_refused(api, db):
    headers, other = key(), carer_body()
    assert api.post("/v1/carers", role="practitioner", json=carer_body(), headers=headers).status_code == 201

    problem(api.post("/v1/carers", role="practitioner", json=other, headers=headers), 422, "idempotency-key-reused")

    assert count(db, other["family_name"]) == 0


def test_the_key_on_another_path_is_refused(api, carer):
    headers, one = key(), carer()
    assert api.post("/v1/carers", role="practitioner", json=carer_body(), headers=headers).status_code == 201

    response = api.post(f"/v1/carers/{one['id']}/close", role="practitioner", json={"reason": "moved_away"},
                        headers=headers)

    problem(response, 422, "idempotency-key-reused")
    assert api.get(f"/v1/carers/{one['id']}", role="practitioner").json()["state"] == "identified"


def test_the_key_of_another_caller_is_another_key(api, db):
    headers, body = key(), carer_body()

    one = api.post("/v1/carers", role="practitioner", sub="one@example.org", json=body, headers=headers)
    two = api.post("/v1/carers", role="practitioner", sub="two@example.org", json=body, headers=headers)

    assert one.status_code == two.status_code == 201 and one.json()["id"] != two.json()["id"]


def test_the_key_of_another_client_of_the_same_caller_is_another_key(api):
    headers, body = key(), carer_body()

    one = api.post("/v1/carers", role="practitioner", claims={"client_id": "one"}, json=body, headers=headers)
    two = api.post("/v1/carers", role="practitioner", claims={"client_id": "two"}, json=body, headers=headers)

    assert one.json()["id"] != two.json()["id"]


def test_a_refused_request_leaves_the_key_free(api):
    headers, number = key(), nhs_number()
    assert api.post("/v1/carers", role="practitioner", json=carer_body(nhs_number=number)).status_code == 201

    problem(api.post("/v1/carers", role="practitioner", json=carer_body(nhs_number=number), headers=headers),
            409, "possible-duplicate")
    faults(api.post("/v1/carers", role="practitioner", json={}, headers=headers))

    assert api.post("/v1/carers", role="practitioner", json=carer_body(), headers=headers).status_code == 201


@pytest.mark.parametrize("value", ["x", "x" * 255, "!#$%&'*+-.^_`|~", '"quoted"'])
def test_a_key_of_visible_characters_is_taken(api, value):
    value = value if len(value) < 10 else value[:-8] + uuid.uuid4().hex[:8]

    assert api.post("/v1/carers", role="practitioner", json=carer_body(), headers=key(value)).status_code == 201


@pytest.mark.parametrize("value", ["x" * 256, "a b", "é", "a\tb"])
def test_another_key_is_a_wrong_parameter(raw, tokens, value):
    answer = raw().request("POST", "/v1/carers", {"Authorization": f"Bearer {tokens.token('practitioner')}",
                           "Content-Type": "application/json", "Idempotency-Key": value}, b"{}")

    assert "/header/Idempotency-Key" in {where for where, _ in faults(answer, 400, "invalid-parameter")}


def test_an_answer_is_not_replayed_to_a_caller_who_lost_the_scope(api):
    headers, body = key(), carer_body()
    assert api.post("/v1/carers", role="practitioner", json=body, headers=headers).status_code == 201

    problem(api.post("/v1/carers", role="practitioner", scope="carers:read", json=body, headers=headers),
            403, "insufficient-scope")


def test_while_the_first_runs_the_second_is_told_to_wait(api, server, client, cluster, database):
    import psycopg2
    headers, body, answers = key(), carer_body(), []
    lock = psycopg2.connect(cluster.conninfo("postgres", database))
    lock.cursor().execute("LOCK TABLE carer IN SHARE MODE")
    first = threading.Thread(target=lambda: answers.append(
        client(server).post("/v1/carers", role="practitioner", json=body, headers=headers)))
    first.start()
    try:
        wait_for(lambda: cluster.sql("SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
                                     f" WHERE d.datname = '{database}' AND NOT l.granted"))
        second = api.post("/v1/carers", role="practitioner", json=body, headers=headers)
    finally:
        lock.rollback()
        lock.close()
        first.join()

    problem(second, 409, "idempotency-in-flight")
    assert int(second.headers["Retry-After"]) >= 1
    assert answers[0].status_code == 201
    again = api.post("/v1/carers", role="practitioner", json=body, headers=headers)
    assert again.json()["id"] == answers[0].json()["id"]


def test_16_at_once_with_one_key_make_one_carer(server, tokens, db):
    headers, body, answers = key(), carer_body(), []
    start = threading.Barrier(16)

    def create():
        api = Api(server, tokens)
        start.wait()
        answers.append(api.post("/v1/carers", role="practitioner", json=body, headers=headers))
        api.close()
    threads = [threading.Thread(target=create) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {a.status_code for a in answers} <= {201, 409}
    assert len({a.json()["id"] for a in answers if a.status_code == 201}) == 1
    for answer in answers:
        if answer.status_code == 409:
            problem(answer, 409, "idempotency-in-flight")
    assert count(db, body["family_name"]) == 1


class Crowd:
    """1,000 creates from 32 clients, each with its key; what was answered is remembered."""

    TOTAL, CLIENTS = 1000, 32

    def __init__(self, tokens):
        self.tokens = tokens
        self.token = tokens.token("practitioner", council=CAMDEN, sub="crowd@example.org", client_id="crowd")
        self.requests = [(str(uuid.uuid4()), carer_body(CAMDEN)) for _ in range(self.TOTAL)]
        self.known, self.different = {}, []

    def take(self, answer, ident):
        made = answer.json()["id"]
        if self.known.setdefault(ident, made) != made:
            self.different.append(ident)

    def run(self, server, until_done, on_answer=lambda: None):
        """Each client takes the next request; with until_done it goes on with one until it is answered 201."""
        turn = itertools.count()

        def client():
            api = Api(server, self.tokens)
            while (index := next(turn)) < self.TOTAL:
                ident, body = self.requests[index]
                try:
                    answer = self.ask(api, ident, body, until_done)
                except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                    assert not until_done, "the service closed a connection"
                    return
                self.take(answer, ident)
                on_answer()
            api.close()
        threads = [threading.Thread(target=client) for _ in range(self.CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def ask(self, api, ident, body, until_done):
        def created():
            answer = api.post("/v1/carers", token=self.token, json=body, headers=key(ident))
            if answer.status_code == 201:
                return answer
            assert answer.status_code in (409, 503), answer.text
            if answer.status_code == 409:
                problem(answer, 409, "idempotency-in-flight")
            return None
        return wait_for(created, 60) if until_done else created() or wait_for(created, 60)


def test_1_000_creates_survive_a_kill_in_the_middle_and_are_1_000_carers(settings, run_folder, cluster, new_database,
                                                                       tokens):
    name = new_database()
    mine = {**settings, "CARERS_DATABASE": cluster.conninfo("carers_service", name)}
    crowd, answered = Crowd(tokens), itertools.count(1)
    first = Server(mine, run_folder).start()
    crowd.run(first, False, lambda: next(answered) == 400 and first.process.kill())
    first.process.wait()
    before = dict(crowd.known)
    assert 400 <= len(before) < Crowd.TOTAL

    second = Server(mine, run_folder).start()
    crowd.run(second, True)
    second.stop()

    assert crowd.different == []
    assert len(crowd.known) == Crowd.TOTAL and len(set(crowd.known.values())) == Crowd.TOTAL
    assert cluster.sql("SELECT count(*), count(DISTINCT family_name) FROM carer", database=name) == [["1000", "1000"]]
    assert {row[0] for row in cluster.sql("SELECT id FROM carer", database=name)} == set(crowd.known.values())
    assert cluster.sql("SELECT count(*) FROM idempotency", database=name) == [["1000"]]
    assert cluster.sql("SELECT count(*) FROM audit_entry WHERE subject_table = 'carer'", database=name) == [["1000"]]
