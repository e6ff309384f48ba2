"""What webhooks are told, and how surely: receivers that fail, a service that is killed, several that deliver together."""
import concurrent.futures
import uuid

import psycopg2
import pytest
from support.client import Api
from support.people import carer_body
from support.receiver import certificate, free_port, receiving, verify
from support.referrals import BODIES, path_of, person, referral_body
from support.server import Server, wait_for
from support.tokens import ISLINGTON

STAFF = {"role": "practitioner"}
ADMIN = {"role": "council_admin", "council": ISLINGTON}
WHOLE_WAY = ("submit", "receive", "accept", "start", "complete")
STATES = ["requested", "received", "accepted", "in_progress", "completed"]
REFERRALS = [f"referral.{what}" for what in ("submitted", "received", "accepted", "started", "completed")]
SCOPES = "carers:read carers:write referrals:read referrals:write webhooks:manage admin"


@pytest.fixture(scope="module")
def house(settings, cluster, new_database, tokens, run_folder):
    """A database of its own, services on it that deliver, and what is done there."""
    name = new_database()

    class House:
        servers, number = [], 0

        def __init__(self):
            self.connection = psycopg2.connect(cluster.conninfo("postgres", name))
            self.connection.autocommit = True
            self.db = self.connection.cursor()

        def serve(self, **changes):
            quick = {"CARERS_WEBHOOKS": "true", "CARERS_WEBHOOK_ALLOW_PRIVATE": "1", "CARERS_WEBHOOK_POLL_MS": "20",
                     "CARERS_WEBHOOK_RETRY_MS": "20", "CARERS_WEBHOOK_TIMEOUT_MS": "500"}
            one = Server({**settings, "CARERS_DATABASE": cluster.conninfo("carers_service", name), **quick, **changes}, run_folder)
            one.start()
            self.servers.append(one)
            one.api = Api(one, tokens)
            return one

        def end(self):
            self.db.execute("SET session_replication_role = replica; DELETE FROM webhook_attempt; DELETE FROM webhook_delivery;"
                            " DELETE FROM webhook_secret; DELETE FROM webhook; SET session_replication_role = origin")
            for one in self.servers:
                one.api.close()
                if one.process.poll() is None:
                    one.stop()
            self.servers.clear()

        def organisation(self):
            ident = str(uuid.uuid4())
            self.db.execute("INSERT INTO organisation (id, name, kind, councils) VALUES (%s, %s, 'carer_organisation', %s)",
                            (ident, "Centre " + ident[:6], [ISLINGTON]))
            return ident
    one = House()
    yield one
    one.connection.close()


@pytest.fixture
def deliver(house):
    """deliver(setting=value): a service that delivers; all of them and all webhooks end with the test."""
    yield house.serve
    house.end()


def hook(api, url, caller, **members):
    """A new webhook, of referrals alone unless it says otherwise."""
    response = api.post("/v1/webhooks", json={"url": url, "event_types": REFERRALS, **members}, scope=SCOPES, **caller)
    assert response.status_code == 201, response.text
    return response.json()


def refer(api, org, count=1, **members):
    """Drafts of the council to the organisation, each of a carer of her own."""
    made = []
    for _ in range(count):
        who = api.post("/v1/carers", json=carer_body(ISLINGTON), **STAFF).json()
        response = api.post("/v1/referrals", json=referral_body(carer_id=who["id"], to={"organisation_id": org}, **members), **STAFF)
        assert response.status_code == 201, response.text
        made.append(response.json())
    return made


def move(api, one, org, actions=WHOLE_WAY):
    for action in actions:
        caller = STAFF if action in ("submit", "withdraw") else {"role": "assessor", "org": org}
        response = api.post(path_of(one, action), json=BODIES.get(action, {}), **caller)
        assert response.status_code == 200, response.text


def deliveries(api, one, caller, **query):
    return api.get(f"/v1/webhooks/{one['id']}/deliveries", params=query, scope=SCOPES, **caller).json()["items"]


def outcomes(api, one, caller):
    """Of each delivery, oldest first: what came of its attempts."""
    return [[attempt["outcome"] for attempt in item["attempts"]] for item in reversed(deliveries(api, one, caller))]


def hurry(api, one, caller):
    """What waits for its next attempt, longer each time, is tried now."""
    for action in ("pause", "resume"):
        assert api.post(f"/v1/webhooks/{one['id']}/{action}", scope=SCOPES, **caller).status_code == 200


def test_every_message_is_verified_and_tells_no_person(deliver, house):
    api, org = deliver().api, house.organisation()
    with receiving() as receiver:
        mine = hook(api, receiver.url, {"role": "assessor", "org": org})
        one, = refer(api, org)
        move(api, one, org)
        events = receiver.wait(5)

        assert receiver.states() == STATES
        assert set(verify(receiver.messages, mine["secret"])) == {"verified"}
        assert "verified" not in verify(receiver.messages, "whsec_" + "A" * 43 + "=")
        first = events[0]
        assert (first["specversion"], first["type"], first["subject"]) == ("1.0", "referral.submitted", path_of(one))
        assert first["data"]["resource"] == {"type": "referral", "id": one["id"]}
        assert first["data"]["to"] == {"organisation_id": org} and first["data"]["correlation_id"] == one["correlation_id"]
        for message in receiver.messages:
            assert message["headers"]["content-type"] == "application/cloudevents+json"
            assert message["headers"]["webhook-id"] in message["body"]
            for told in (one["carer_id"], "Her own health", "Up every night", "Four visits"):
                assert told not in message["body"]


def test_both_sides_and_the_council_are_told_and_nobody_else(deliver, house):
    api, org, sender, other = deliver().api, house.organisation(), house.organisation(), house.organisation()
    callers = {"receiver": {"role": "assessor", "org": org}, "referrer": {"role": "referrer", "org": sender}, "council": ADMIN,
               "other": {"role": "assessor", "org": other}, "referrer of the receiver": {"role": "referrer", "org": org}}
    with receiving() as receiver:
        for name, caller in callers.items():
            hook(api, f"{receiver.url}/{name.replace(' ', '-')}", caller)
        one = api.post("/v1/referrals", json=referral_body(person=person(family_name="Told"), to={"organisation_id": org}),
                       role="referrer", org=sender).json()
        api.post(path_of(one, "submit"), json={}, role="referrer", org=sender)
        move(api, one, org, ("receive", "accept"))
        wait_for(lambda: len(receiver.messages) >= 9)

        told = {name: [e["type"] for m, e in zip(receiver.messages, receiver.events())
                       if m["path"].endswith("/" + name.replace(" ", "-")) and e["type"].startswith("referral.")] for name in callers}
        whole = ["referral.submitted", "referral.received", "referral.accepted"]
        assert told == {"receiver": whole, "referrer": whole, "council": whole, "other": [], "referrer of the receiver": []}
        by_id = {}
        for event in receiver.events():
            by_id.setdefault(event["id"], set()).add(event["type"])
        assert len([ident for ident, kinds in by_id.items() if kinds & set(whole)]) == 3  # the same message for all of them


def test_whoever_has_access_is_told_of_a_carers_record(deliver, house):
    api, org, other = deliver().api, house.organisation(), house.organisation()
    with receiving() as receiver, receiving() as elsewhere:
        hook(api, receiver.url, {"role": "support_worker", "org": org}, event_types=["carer.created", "contact.recorded"])
        hook(api, elsewhere.url, {"role": "support_worker", "org": other}, event_types=[])
        who = api.post("/v1/carers", json=carer_body(ISLINGTON), role="support_worker", org=org).json()
        api.post(f"/v1/carers/{who['id']}/register", json={}, role="support_worker", org=org)
        events = receiver.wait(1)

        assert [e["type"] for e in events] == ["carer.created"]
        assert events[0]["data"]["resource"] == {"type": "carer", "id": who["id"], "carer_id": who["id"]}
        assert not elsewhere.messages


FAILURES = {"status": 500, "redirected": (302, {"Location": "http://127.0.0.1:1/elsewhere"}), "broken": "die", "timed_out": "hang"}


@pytest.mark.parametrize("outcome", list(FAILURES))
def test_a_receiver_that_fails_is_told_again_in_order(deliver, house, outcome):
    api, org, failed = deliver().api, house.organisation(), []

    def behave(message):
        ident = message["headers"]["webhook-id"]
        if failed.count(ident) < 2:
            failed.append(ident)
            return FAILURES[outcome]
        return 204
    with receiving(behave) as receiver:
        mine = hook(api, receiver.url, {"role": "assessor", "org": org})
        one, = refer(api, org)
        move(api, one, org)
        receiver.wait(5, 60)

        assert receiver.states() == STATES
        assert set(verify(receiver.messages, mine["secret"])) == {"verified"}
        caller = {"role": "assessor", "org": org}
        wait_for(lambda: outcomes(api, mine, caller) == [[outcome, outcome, "delivered"]] * 5)
        assert all(item["state"] == "delivered" for item in deliveries(api, mine, caller))


def test_a_receiver_that_asks_for_a_pause_of_ages_is_told_again_within_an_hour(deliver, house):
    server, org = deliver(), house.organisation()
    caller = {"role": "assessor", "org": org}
    with receiving(lambda message: (503, {"Retry-After": str(2**63 - 1)})) as receiver:
        mine = hook(server.api, receiver.url, caller)
        move(server.api, refer(server.api, org)[0], org, ["submit"])
        wait_for(lambda: outcomes(server.api, mine, caller)[:1] == [["status"]])

    house.db.execute("SELECT bool_and(d.due_at BETWEEN d.began_at + interval '59 minutes' AND d.began_at + interval '2 hours')"
                     " FROM webhook_delivery d WHERE d.attempts > 0")
    assert house.db.fetchone() == (True,)


def test_a_receiver_that_refuses_connections_is_told_when_it_is_there(deliver, house):
    api, org, port = deliver().api, house.organisation(), free_port()
    mine = hook(api, f"http://127.0.0.1:{port}/hook", {"role": "assessor", "org": org})
    one, = refer(api, org)
    move(api, one, org)
    wait_for(lambda: len(outcomes(api, mine, {"role": "assessor", "org": org})[0]) >= 2)

    with receiving(port=port) as receiver:
        hurry(api, mine, {"role": "assessor", "org": org})
        receiver.wait(5)
        assert receiver.states() == STATES
    assert set(outcomes(api, mine, {"role": "assessor", "org": org})[0][:-1]) == {"refused"}


def test_410_disables_and_resume_goes_on_where_it_ended(deliver, house):
    api, org, gone = deliver().api, house.organisation(), [True]
    caller = {"role": "assessor", "org": org, "scope": SCOPES}
    with receiving(lambda message: 410 if gone[0] else 204) as receiver:
        mine = hook(api, receiver.url, {"role": "assessor", "org": org})
        path = f"/v1/webhooks/{mine['id']}"
        one, = refer(api, org)
        api.post(path + "/pause", **caller)  # both are written before the first is answered 410
        move(api, one, org, ("submit", "receive"))
        api.post(path + "/resume", **caller)
        wait_for(lambda: api.get(path, **caller).json()["state"] == "disabled")
        gone[0] = False
        move(api, one, org, ("accept",))

        assert not receiver.messages  # nothing is tried, what happens is not queued either
        assert "resume" in api.get(path, **caller).json()["available_actions"]
        assert api.post(path + "/resume", **caller).json()["state"] == "active"
        receiver.wait(2)
        assert receiver.states() == ["requested", "received"]


def test_a_receiver_that_hangs_delays_no_other(deliver, house):
    api, org = deliver(CARERS_WEBHOOK_TIMEOUT_MS="30000").api, house.organisation()
    with receiving(lambda message: "hang") as slow, receiving() as fast:
        hook(api, slow.url, {"role": "assessor", "org": org})
        hook(api, fast.url, {"role": "support_worker", "org": org}, event_types=["referral.submitted"])
        made = refer(api, org, 12)
        for one in made:
            move(api, one, org, ("submit",))
        fast.wait(12)

        wait_for(lambda: slow.hanging == 4)  # its own places, and no other's
        assert not slow.messages
        slow.release()
        slow.behave = lambda message: 204
        slow.wait(12)


def test_killed_while_it_delivers_every_message_still_comes_and_in_order(deliver, house):
    first, org, caught = deliver(), house.organisation(), []

    def behave(message):
        caught.append(message)
        return "hang" if len(caught) <= 4 else 204
    with receiving(behave) as receiver:
        mine = hook(first.api, receiver.url, {"role": "assessor", "org": org})
        made = refer(first.api, org, 4)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda one: move(Api(first, first.api.tokens), one, org), made))
        wait_for(lambda: receiver.hanging >= 4)
        first.kill()
        receiver.release()
        deliver()
        receiver.wait(20, 60)

        for one in made:
            assert receiver.states(one["id"]) == STATES
        assert set(verify(receiver.messages, mine["secret"])) == {"verified"}
        assert {m["headers"]["webhook-id"] for m in caught[:4]} <= {e["id"] for e in receiver.events()}


def test_several_services_deliver_together_and_nothing_twice(deliver, house):
    services, org = [deliver(), deliver()], house.organisation()
    api = services[0].api
    with receiving() as receiver:
        hook(api, receiver.url, {"role": "assessor", "org": org})
        made = refer(api, org, 8)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda one: move(Api(services[hash(one["id"]) % 2], api.tokens), one, org), made))
        receiver.wait(40)

        for one in made:
            assert receiver.states(one["id"]) == STATES
        assert len(receiver.events()) == 40


def test_a_new_secret_signs_beside_the_old_one_for_a_day(deliver, house):
    api, org = deliver().api, house.organisation()
    caller = {"role": "assessor", "org": org, "scope": SCOPES}
    with receiving() as receiver:
        mine = hook(api, receiver.url, {"role": "assessor", "org": org})
        fresh = api.post(f"/v1/webhooks/{mine['id']}/rotate-secret", **caller).json()
        api.post(f"/v1/webhooks/{mine['id']}/ping", **caller)
        receiver.wait(1)
        house.db.execute("UPDATE webhook_secret SET previous_until = now() - interval '1 second' WHERE webhook_id = %s", (mine["id"],))
        api.post(f"/v1/webhooks/{mine['id']}/ping", **caller)
        receiver.wait(2)

        assert fresh["secret"] != mine["secret"]
        assert verify(receiver.messages, fresh["secret"]) == ["verified", "verified"]
        assert verify(receiver.messages, mine["secret"]) == ["verified", "No matching signature found"]
        assert [e["type"] for e in receiver.events()] == ["webhook.ping"] * 2


def test_what_happens_while_it_is_paused_comes_afterwards_and_once_more_when_it_is_replayed(deliver, house):
    api, org = deliver().api, house.organisation()
    caller = {"role": "assessor", "org": org, "scope": SCOPES}
    with receiving() as receiver:
        mine = hook(api, receiver.url, {"role": "assessor", "org": org})
        path = f"/v1/webhooks/{mine['id']}"
        assert api.post(path + "/pause", **caller).json()["state"] == "paused"
        one, = refer(api, org)
        move(api, one, org, ("submit", "receive", "accept"))
        waiting = deliveries(api, mine, {"role": "assessor", "org": org})
        assert [item.get("waits_for_earlier", False) for item in waiting] == [True, True, False] and not receiver.messages
        api.post(path + "/resume", **caller)
        receiver.wait(3)
        wait_for(lambda: not deliveries(api, mine, {"role": "assessor", "org": org}, state="pending"))

        since = waiting[-1]["created_at"]
        assert api.post(path + "/replay", json={"since": since}, **caller).json() == {"replayed": 3}
        wait_for(lambda: len(receiver.messages) == 6)
        ids = [event["id"] for event in receiver.events()]
        assert ids[:3] == ids[3:] and receiver.states() == STATES[:3]
        wait_for(lambda: not deliveries(api, mine, {"role": "assessor", "org": org}, state="pending"))
        last = deliveries(api, mine, {"role": "assessor", "org": org})[0]
        assert api.post(f"{path}/deliveries/{last['id']}/replay", **caller).status_code == 200
        wait_for(lambda: len(receiver.messages) == 7)
        assert receiver.events()[-1]["id"] == last["message_id"]


def test_a_message_is_given_up_in_the_end_and_the_next_goes_on(deliver, house):
    api, org = deliver(CARERS_WEBHOOK_GIVE_UP_S="1", CARERS_WEBHOOK_RETRY_MS="400").api, house.organisation()
    caller = {"role": "assessor", "org": org}
    with receiving(lambda message: 500 if "referral.submitted" in message["body"] else 204) as receiver:
        mine = hook(api, receiver.url, caller)
        one, = refer(api, org)
        move(api, one, org, ("submit", "receive"))
        receiver.wait(1)

        assert receiver.states() == ["received"]
        wait_for(lambda: [item["state"] for item in deliveries(api, mine, caller)] == ["delivered", "failed"])
        assert api.post(f"/v1/webhooks/{mine['id']}/replay", json={"since": "2026-01-01T00:00:00Z", "state": "failed"}, scope=SCOPES,
                        **caller).json() == {"replayed": 1}


def test_https_is_told_when_its_certificate_is_trusted(deliver, house, tmp_path):
    cert, context = certificate(tmp_path)
    org = house.organisation()
    caller = {"role": "assessor", "org": org, "scope": SCOPES}
    with receiving(context=context) as receiver:
        stranger = deliver().api
        mine = hook(stranger, receiver.url, {"role": "assessor", "org": org})
        stranger.post(f"/v1/webhooks/{mine['id']}/ping", **caller)
        wait_for(lambda: outcomes(stranger, mine, {"role": "assessor", "org": org})[0][:1] == ["tls"])
        assert not receiver.messages
        house.servers[0].stop()

        hurry(deliver(CARERS_WEBHOOK_CA_FILE=str(cert)).api, mine, {"role": "assessor", "org": org})
        receiver.wait(1)
        assert verify(receiver.messages, mine["secret"]) == ["verified"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_private_address_is_never_called_whatever_the_name(deliver, house, host, tmp_path):
    cert, context = certificate(tmp_path)
    api, org = deliver(CARERS_WEBHOOK_ALLOW_PRIVATE="false", CARERS_WEBHOOK_CA_FILE=str(cert)).api, house.organisation()
    caller = {"role": "assessor", "org": org, "scope": SCOPES}
    with receiving(context=context) as receiver:
        mine = hook(api, "https://receiver.example/", {"role": "assessor", "org": org})
        house.db.execute("UPDATE webhook SET url = %s WHERE id = %s", (f"https://{host}:{receiver.port}/hook", mine["id"]))
        api.post(f"/v1/webhooks/{mine['id']}/ping", **caller)

        wait_for(lambda: outcomes(api, mine, {"role": "assessor", "org": org})[0][:1] == ["forbidden_address"])
        assert not receiver.messages


def test_the_log_says_what_failed_and_not_where(deliver, house):
    service, org, port = deliver(), house.organisation(), free_port()
    mine = hook(service.api, f"http://127.0.0.1:{port}/very-secret-path", {"role": "assessor", "org": org})
    service.api.post(f"/v1/webhooks/{mine['id']}/ping", role="assessor", org=org, scope=SCOPES)
    said = wait_for(lambda: [e for e in service.events() if e.get("event") == "webhook_attempt_failed"])

    assert said[0]["outcome"] == "refused" and said[0]["delivery"]
    assert "very-secret-path" not in service.log()
    assert 'carers_webhook_attempts_total{result="failed"}' in service.api.get("/metrics").text
