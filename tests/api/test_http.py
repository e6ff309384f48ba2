"""HTTP as clients know it: methods, negotiation, preconditions, headers, connections, limits, start and stop."""
import contextlib
import json
import re
import select
import signal
import socket
import threading
import uuid

import pytest
from support.client import problem
from support.people import carer_body
from support.raw import Raw
from support.server import command, resident, wait_for

NOBODY = "0195e6a0-0000-7000-8000-000000000001"
PUBLIC = ["/livez", "/readyz", "/metrics", "/openapi.json", "/openapi.yaml", "/problems", "/problems/not-found"]


class TestMethods:
    """HEAD, OPTIONS, 405 with Allow, on every path of the contract."""

    @pytest.mark.parametrize("path", PUBLIC)
    def test_a_public_path_needs_no_token(self, api, path):
        assert api.get(path).status_code == 200

    @pytest.mark.parametrize("path", ["/openapi.json", "/problems", "/v1/me", "/v1/carers"])
    def test_head_is_get_without_the_body(self, raw, api, tokens, path):
        bearer = {"Authorization": f"Bearer {tokens.token('practitioner')}"}
        connection = raw()

        head = connection.request("HEAD", path, bearer)
        got = connection.request("GET", path, bearer)

        assert head.status_code == got.status_code == 200
        assert head.headers["Content-Length"] == str(len(got.body))
        assert head.headers["Content-Type"] == got.headers["Content-Type"]

    def test_head_of_a_carer_has_its_etag(self, api, carer):
        one = carer()

        head = api.head(f"/v1/carers/{one['id']}", role="practitioner")

        assert head.status_code == 200 and head.headers["ETag"] and head.content == b""

    def test_head_of_nobody_is_a_404_without_body(self, raw, tokens):
        connection, bearer = raw(), {"Authorization": f"Bearer {tokens.token('practitioner')}"}

        assert connection.request("HEAD", f"/v1/carers/{NOBODY}", bearer).status_code == 404
        assert connection.request("GET", "/v1/me", bearer).status_code == 200

    @pytest.mark.parametrize("path, allow", [
        ("/v1/carers", {"GET", "HEAD", "POST", "OPTIONS"}), (f"/v1/carers/{NOBODY}", {"GET", "HEAD", "PATCH", "OPTIONS"}),
        ("/v1/carers/search", {"POST", "OPTIONS"}), (f"/v1/carers/{NOBODY}/close", {"POST", "OPTIONS"}),
        ("/v1/me", {"GET", "HEAD", "OPTIONS"}), ("/livez", {"GET", "HEAD", "OPTIONS"})])
    def test_options_and_405_say_what_a_path_allows(self, api, path, allow):
        options = api.options(path)
        assert options.status_code == 204 and set(options.headers["Allow"].split(", ")) == allow

        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - allow:
            response = api.request(method, path, role="practitioner")
            problem(response, 405, "method-not-allowed")
            assert set(response.headers["Allow"].split(", ")) == allow

    @pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "BREW", "get", "X" * 100])
    def test_a_method_that_nobody_knows_is_405(self, raw, method):
        answer = raw().request(method, "/v1/carers")

        problem(answer, 405, "method-not-allowed")
        assert "GET" in answer.headers["Allow"]

    def test_options_of_nowhere_is_not_found(self, api):
        problem(api.options("/nowhere"), 404, "not-found")


class TestAccept:
    """406 only when nothing that we have is wanted."""

    @pytest.mark.parametrize("accept", ["*/*", "application/*", "application/json", "text/html, application/json;q=0.5",
                                        "application/json; charset=utf-8", "text/html, */*;q=0.1", "APPLICATION/JSON", ""])
    def test_what_accepts_json_gets_json(self, api, accept):
        response = api.get("/v1/me", role="practitioner", headers={"Accept": accept})

        assert response.status_code == 200 and response.headers["Content-Type"].startswith("application/json")

    @pytest.mark.parametrize("accept", ["text/html", "image/*", "application/xml;q=1", "application/json;q=0",
                                        "application/json;q=0.0, text/html"])
    def test_what_refuses_json_is_told_406(self, api, accept):
        problem(api.get("/v1/me", role="practitioner", headers={"Accept": accept}), 406, "not-acceptable")

    def test_a_post_that_refuses_json_does_nothing(self, api, db):
        db.execute("SELECT count(*) FROM carer")
        before = db.fetchone()

        problem(api.post("/v1/carers", role="practitioner", json=carer_body(), headers={"Accept": "text/html"}),
                406, "not-acceptable")

        db.execute("SELECT count(*) FROM carer")
        assert db.fetchone() == before


class TestPreconditions:
    """ETag, If-None-Match, If-Match."""

    def test_an_unchanged_carer_is_304_without_body(self, api, carer):
        path = f"/v1/carers/{carer()['id']}"
        etag = api.get(path, role="practitioner").headers["ETag"]
        assert re.fullmatch(r'"[^"]+"', etag)

        for value in (etag, f'"other", {etag}', f"W/{etag}", "*"):
            response = api.get(path, role="practitioner", headers={"If-None-Match": value})
            assert (response.status_code, response.content) == (304, b""), value
            assert response.headers["ETag"] == etag
        assert api.get(path, role="practitioner", headers={"If-None-Match": '"other"'}).status_code == 200

    def test_a_patch_without_if_match_is_428(self, api, carer):
        response = api.patch(f"/v1/carers/{carer()['id']}", role="practitioner", json={"given_name": "X"})

        problem(response, 428, "precondition-required")

    def test_a_patch_with_an_old_etag_is_412_and_changes_nothing(self, api, carer):
        path = f"/v1/carers/{carer()['id']}"
        first = api.get(path, role="practitioner").headers["ETag"]
        second = api.patch(path, etag=first, role="practitioner", json={"given_name": "Second"}).headers["ETag"]
        assert second != first

        for stale in (first, '"nonsense"', f"W/{second}"):
            problem(api.patch(path, etag=stale, role="practitioner", json={"given_name": "Third"}),
                    412, "precondition-failed")
        now = api.get(path, role="practitioner")
        assert now.json()["given_name"] == "Second" and now.headers["ETag"] == second

    def test_if_match_takes_a_list_and_a_star(self, api, carer):
        path = f"/v1/carers/{carer()['id']}"
        etag = api.get(path, role="practitioner").headers["ETag"]

        etag = api.patch(path, etag=f'"x", {etag}', role="practitioner", json={"given_name": "A"}).headers["ETag"]
        response = api.patch(path, etag="*", role="practitioner", json={"given_name": "B"})

        assert response.status_code == 200 and response.headers["ETag"] != etag

    @pytest.mark.parametrize("value", ["1", "abc", '"open', "", '""x'])
    def test_an_if_match_that_is_no_etag_is_not_passed_over(self, api, carer, value):
        response = api.patch(f"/v1/carers/{carer()['id']}", role="practitioner", json={"given_name": "X"},
                             headers={"If-Match": value})

        assert response.status_code in (400, 412, 428), response.text

    def test_of_two_patches_at_once_one_wins(self, api, carer, server, client):
        path = f"/v1/carers/{carer()['id']}"
        etag = api.get(path, role="practitioner").headers["ETag"]
        results = []

        def change(name):
            results.append(client(server).patch(path, etag=etag, role="practitioner", json={"given_name": name}))
        threads = [threading.Thread(target=change, args=(f"Name{i}",)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(r.status_code for r in results) == [200] + [412] * 7
        winner = next(r for r in results if r.status_code == 200)
        assert api.get(path, role="practitioner").json()["given_name"] == winner.json()["given_name"]

    def test_an_action_takes_if_match_but_does_not_need_it(self, api, carer):
        path = f"/v1/carers/{carer()['id']}"
        problem(api.post(f"{path}/register", role="practitioner", headers={"If-Match": '"stale"'}),
                412, "precondition-failed")

        assert api.post(f"{path}/register", role="practitioner",
                        json={"triage": {"level": "light"}}).status_code == 200


class TestRequestId:
    """X-Request-ID is taken, given back and logged; what is not fit for a log is not taken."""

    def test_a_request_id_is_given_back_and_logged_once(self, api, server):
        ident = f"client-{uuid.uuid4()}"

        response = api.get("/v1/me", role="practitioner", headers={"X-Request-ID": ident})

        assert response.headers["X-Request-ID"] == ident
        line = server.request_line(ident)
        assert line["operation"] == "getMe" and str(line["status"]) == "200"

    def test_a_request_id_is_made_when_none_is_given(self, api):
        first, second = (api.get("/livez").headers["X-Request-ID"] for _ in range(2))

        assert first != second

    @pytest.mark.parametrize("ident", ["", "x" * 300, 'a"b', "a b", "a\tb", "é"])
    def test_a_request_id_that_is_not_fit_for_a_log_is_replaced(self, raw, ident):
        answer = raw().request("GET", "/livez", {"X-Request-ID": ident})

        assert answer.status_code == 200 and answer.headers["X-Request-ID"] not in ("", ident)

    def test_the_trace_goes_to_the_log(self, api, server):
        ident, trace = f"trace-{uuid.uuid4()}", "4bf92f3577b34da6a3ce929d0e0e4736"

        api.get("/livez", headers={"X-Request-ID": ident, "traceparent": f"00-{trace}-00f067aa0ba902b7-01"})

        assert trace in json.dumps(server.request_line(ident))

    def test_a_line_names_the_problem_and_no_person(self, api, server):
        ident, body = f"problem-{uuid.uuid4()}", carer_body(nhs_number="9434765918")

        api.post("/v1/carers", role="practitioner", json=body, headers={"X-Request-ID": ident})

        line = server.request_line(ident)
        assert line["problem"] == "validation-failed" and line["operation"] == "createCarer"
        assert body["family_name"] not in server.log() and "9434765918" not in server.log()


class TestCors:
    """Browser apps on the allow-list may call; others get no header."""

    OURS = "https://app.example.org"

    def test_a_preflight_of_an_allowed_origin_says_what_it_may(self, api):
        response = api.options("/v1/carers", headers={"Origin": self.OURS, "Access-Control-Request-Method": "POST",
                               "Access-Control-Request-Headers": "authorization,content-type,idempotency-key"})

        assert response.status_code == 204
        assert response.headers["Access-Control-Allow-Origin"] == self.OURS
        assert "POST" in response.headers["Access-Control-Allow-Methods"]
        allowed = response.headers["Access-Control-Allow-Headers"].lower()
        assert all(name in allowed for name in ("authorization", "content-type", "idempotency-key", "if-match"))
        assert "Origin" in response.headers["Vary"]

    def test_an_answer_to_an_allowed_origin_can_be_read_with_its_headers(self, api):
        response = api.get("/v1/me", role="practitioner", headers={"Origin": self.OURS})

        assert response.headers["Access-Control-Allow-Origin"] == self.OURS
        exposed = response.headers["Access-Control-Expose-Headers"].lower()
        assert all(name in exposed for name in ("etag", "location", "link", "x-request-id"))

    def test_a_problem_can_be_read_by_an_allowed_origin_too(self, api):
        assert api.get("/v1/me", headers={"Origin": self.OURS}).headers["Access-Control-Allow-Origin"] == self.OURS

    @pytest.mark.parametrize("origin", ["https://evil.example.org", "https://app.example.org.evil.org", "null",
                                        "http://app.example.org", "https://app.example.org:8443", "HTTPS://APP"])
    def test_another_origin_gets_no_leave(self, api, origin):
        for response in (api.get("/v1/me", role="practitioner", headers={"Origin": origin}),
                         api.options("/v1/carers", headers={"Origin": origin, "Access-Control-Request-Method": "GET"})):
            assert "Access-Control-Allow-Origin" not in response.headers


class TestRateLimit:
    """A bucket of tokens per client: told in every answer, 429 when it is empty."""

    def test_the_limit_is_told_kept_and_counted_by_client(self, serve, client):
        api = client(serve(CARERS_RATE_PER_MINUTE="5"))
        answers = [api.get("/v1/me", role="practitioner", claims={"client_id": "greedy"}) for _ in range(7)]

        assert [r.status_code for r in answers[:5]] == [200] * 5
        assert all("RateLimit" in r.headers and "RateLimit-Policy" in r.headers for r in answers)
        refused = [r for r in answers if r.status_code == 429]
        assert refused
        problem(refused[0], 429, "too-many-requests")
        assert 1 <= int(refused[0].headers["Retry-After"]) <= 60
        assert api.get("/v1/me", role="practitioner", claims={"client_id": "modest"}).status_code == 200

    def test_guessing_tokens_costs_the_guesser_and_nobody_else_at_that_address(self, serve, client):
        api = client(serve(CARERS_RATE_PER_MINUTE="3"))
        guesses = [api.get("/v1/me", token="guess") for _ in range(4)]

        assert [r.status_code for r in guesses] == [401, 401, 401, 429]
        problem(guesses[-1], 429, "too-many-requests")
        assert api.get("/v1/me", role="practitioner").status_code == 200

    def test_behind_a_proxy_that_is_named_strangers_are_counted_by_the_address_that_it_gives(self, serve, client):
        api = client(serve(CARERS_RATE_PER_MINUTE="2", CARERS_TRUSTED_PROXIES="127.0.0.0/8"))

        def guess(*forwarded):
            return api.get("/v1/me", token="guess", headers={"X-Forwarded-For": ", ".join(forwarded)}).status_code

        assert [guess("203.0.113.1") for _ in range(3)] == [401, 401, 429]
        assert guess("203.0.113.2") == 401
        assert guess("203.0.113.99", "203.0.113.1") == 429  # the first is the client's own word

    def test_nobody_else_is_believed_whom_he_asks_for(self, serve, client):
        api = client(serve(CARERS_RATE_PER_MINUTE="2", CARERS_TRUSTED_PROXIES="192.0.2.1"))

        assert [api.get("/v1/me", token="guess", headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code
                for n in range(3)] == [401, 401, 429]

    def test_a_proxy_that_is_no_address_stops_the_start(self, settings):
        for word in ("check", "serve"):
            done = command({**settings, "CARERS_PORT": 0, "CARERS_TRUSTED_PROXIES": "127.0.0.1,proxy"}, word)
            assert done.returncode == 78 and "CARERS_TRUSTED_PROXIES: proxy is no address" in done.stderr

    def test_health_is_answered_whatever_the_rate(self, serve, client):
        api = client(serve(CARERS_RATE_PER_MINUTE="1"))

        assert [api.get("/livez").status_code for _ in range(5)] == [200] * 5


class TestConnections:
    """Connections are kept, also after errors; slow and too many clients end without harm to others."""

    def test_one_connection_carries_good_and_bad_requests(self, raw, tokens):
        connection, bearer = raw(), {"Authorization": f"Bearer {tokens.token('practitioner')}"}
        post = {**bearer, "Content-Type": "application/json"}

        statuses = [connection.request(*request).status_code for request in (
            ("GET", "/v1/me", bearer), ("GET", "/v1/me"), ("GET", "/nowhere", bearer), ("PUT", "/v1/carers", bearer),
            ("POST", "/v1/carers", post, b"{"), ("POST", "/v1/carers", bearer, b"{}"), ("POST", "/v1/carers", post, b"{}"),
            ("GET", f"/v1/carers/{NOBODY}", bearer), ("GET", "/v1/me", {**bearer, "Accept": "text/html"}),
            ("GET", "/v1/me", bearer))]

        assert statuses == [200, 401, 404, 405, 400, 415, 422, 404, 406, 200]

    def test_requests_in_one_packet_are_answered_in_their_order(self, raw):
        connection = raw()
        connection.send("GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-ID: one\r\n\r\n"
                        "GET /nowhere HTTP/1.1\r\nHost: x\r\nX-Request-ID: two\r\n\r\n"
                        "GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-ID: three\r\n\r\n")

        assert [connection.answer().headers["X-Request-ID"] for _ in range(3)] == ["one", "two", "three"]

    @pytest.mark.parametrize("head", ["GET /livez HTTP/1.1", "GET /livez HTTP/1.1\r\nHost: one\r\nHost: two", "GET /nowhere HTTP/1.1"])
    def test_http_1_1_names_one_host(self, raw, head):
        answer = raw().send(f"{head}\r\n\r\n").answer()

        assert [fault["pointer"] for fault in problem(answer, 400, "invalid-parameter")["errors"]] == ["/header/Host"]

    def test_connection_close_is_honoured(self, raw):
        connection = raw()

        assert connection.request("GET", "/livez", {"Connection": "close"}).status_code == 200
        assert connection.closed()

    def test_a_client_of_http_1_0_is_answered(self, raw):
        connection = raw().send("GET /livez HTTP/1.0\r\n\r\n")

        assert connection.answer().status_code == 200
        assert connection.closed()

    def test_a_slow_client_is_closed_and_nobody_waits_for_it(self, serve, client):
        server = serve(CARERS_CLIENT_TIMEOUT_S="1", CARERS_WORKERS="2")
        slow = [Raw(server.port) for _ in range(8)]
        for connection in slow:
            connection.send("POST /v1/carers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                            "Content-Length: 100\r\n\r\n{")

        assert client(server).get("/livez").status_code == 200
        for connection in slow:
            with connection:
                while connection.socket.recv(65536):
                    pass

    def test_a_write_that_takes_longer_than_a_client_may_is_answered(self, serve, client, db):
        db.execute("CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(3); RETURN NEW; END'")
        db.execute("CREATE TRIGGER dawdle BEFORE INSERT ON carer FOR EACH ROW WHEN (NEW.given_name = 'Dawdle')"
                   " EXECUTE FUNCTION dawdle()")
        server = serve(CARERS_CLIENT_TIMEOUT_S="1")
        try:
            slow = client(server).post("/v1/carers", role="practitioner", json=carer_body(given_name="Dawdle"))
        finally:
            db.execute("DROP FUNCTION dawdle() CASCADE")

        assert slow.status_code == 201
        with Raw(server.port) as idle:
            assert idle.request("GET", "/livez").status_code == 200
            assert idle.closed()  # the timeout is there again

    def test_an_answer_may_be_read_for_longer_than_a_request_may_take(self, serve):
        server, wish = serve(CARERS_CLIENT_TIMEOUT_S="2", CARERS_CHECK_RESPONSES="false"), "GET /openapi.json HTTP/1.1\r\nHost: x\r\n"
        with Raw(server.port) as one:
            size = int(one.request("HEAD", "/openapi.json").headers["Content-Length"])
        with socket.socket() as reader:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
            reader.settimeout(30)
            reader.connect(("127.0.0.1", server.port))
            reader.sendall((f"{wish}\r\n" * 15 + f"{wish}Connection: close\r\n\r\n").encode())  # more than the system holds for us
            answer = reader.recv(32768)
            for _ in range(2):
                with Raw(server.port) as other:  # began later, and comes to no end
                    other.send("GET /livez HTTP/1.1\r\nX-Slow: ")
                    while not select.select([other.socket], [], [], 0.1)[0]:
                        with contextlib.suppress(OSError):
                            other.send("x")
                        answer += reader.recv(32768)
                    assert other.closed()
            pieces = [answer]
            while piece := reader.recv(65536):
                pieces.append(piece)

        answer = b"".join(pieces)
        assert answer.count(b"HTTP/1.1 200 OK\r\n") == 16 and len(answer) > 16 * size

    def test_one_address_gets_no_more_connections_than_its_share(self, serve):
        server = serve(CARERS_CONNECTIONS_PER_ADDRESS="4")
        kept = [Raw(server.port) for _ in range(4)]
        assert all(connection.request("GET", "/livez").status_code == 200 for connection in kept)

        with Raw(server.port) as fifth:
            try:
                fifth.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
                assert fifth.closed()
            except ConnectionError:
                pass
        kept[0].socket.close()

        def again():
            try:
                with Raw(server.port) as connection:
                    return connection.request("GET", "/livez").status_code == 200
            except ConnectionError:
                return False
        wait_for(again)
        for connection in kept:
            connection.socket.close()

    def test_who_comes_when_all_connections_are_taken_waits_until_one_is_free(self, serve):
        server = serve(CARERS_CONNECTIONS="4")
        kept = [Raw(server.port) for _ in range(4)]
        assert all(connection.request("GET", "/livez").status_code == 200 for connection in kept)

        with Raw(server.port) as fifth:
            fifth.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            assert select.select([fifth.socket], [], [], 0.3)[0] == [], "answered, or turned away"
            kept.pop().socket.close()
            assert fifth.answer().status_code == 200
        for connection in kept:
            connection.socket.close()

    def test_2_000_requests_on_64_connections_are_all_answered(self, server, tokens):
        token, wrong = tokens.token("practitioner"), []

        def ask():
            with Raw(server.port) as connection:
                for _ in range(31):
                    answer = connection.request("GET", "/v1/carers?limit=2", {"Authorization": f"Bearer {token}"})
                    if answer.status_code != 200:
                        wrong.append(answer.text)
        threads = [threading.Thread(target=ask) for _ in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert wrong == []


class TestPlatform:
    """Health, metrics, the contract itself, the pages of problems."""

    def test_the_contract_is_served_as_json_and_yaml_and_they_agree(self, api):
        import yaml
        document = api.get("/openapi.json").json()

        assert document["openapi"].startswith("3.1")
        written = yaml.safe_load(api.get("/openapi.yaml").text)
        assert set(written["paths"]) == set(document["paths"])
        assert written["info"] == document["info"]

    def test_those_who_ask_for_the_contract_and_do_not_read_it_are_given_no_copies(self, serve):
        running, wish = serve(CARERS_CHECK_RESPONSES="false"), "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
        with Raw(running.port) as one, contextlib.ExitStack() as others:
            size = int(one.request("HEAD", "/openapi.json").headers["Content-Length"])
            before = resident(running.process.pid)
            for _ in range(60):
                client = others.enter_context(socket.socket())
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(("127.0.0.1", running.port))
                client.sendall(wish.encode() * 8)
                assert client.recv(1) == b"H"
            after = resident(running.process.pid)

        assert after - before < 60 * size // 3, f"{before} bytes, then {after}, for 60 times {size}"

    def test_every_slug_has_its_page(self, api):
        from support.client import TITLES
        listed = api.get("/problems").text

        for slug, title in TITLES.items():
            page = api.get(f"/problems/{slug}")
            assert page.status_code == 200 and title in page.text
            assert slug in listed

    def test_a_slug_that_does_not_exist_has_no_page(self, api):
        problem(api.get("/problems/nonsense"), 404, "not-found")

    def test_ready_says_that_the_database_is_there(self, api):
        assert api.get("/readyz").status_code == 200

    def test_the_sessions_that_are_open_are_those_that_postgresql_has(self, serve, client, cluster, new_database):
        name = new_database()
        server = serve(CARERS_DATABASE=cluster.conninfo("carers_service", name), CARERS_SESSIONS="7")

        def both():
            told = re.search(r'carers_database_sessions\{state="open"\} (\d+)', client(server).get("/metrics").text)
            there = cluster.sql(f"SELECT count(*) FROM pg_stat_activity WHERE usename = 'carers_service' AND datname = '{name}'")
            return int(told[1]), int(there[0][0])

        assert wait_for(lambda: next((told for told, there in [both()] if told == there and told), None)) < 7

    def test_metrics_are_prometheus_and_count_by_operation(self, api):
        api.get("/v1/me", role="practitioner")

        text = api.get("/metrics").text

        for line in text.splitlines():
            assert re.fullmatch(r'#.*|[a-zA-Z_:][\w:]*(\{([\w]+="[^"]*",?)*\})? [-+.\deEinfNa]+', line), line
        assert re.search(r'\{[^}]*"getMe"[^}]*\} [1-9]', text), text

    def test_answers_forbid_caches_and_sniffing(self, api, carer):
        response = api.get(f"/v1/carers/{carer()['id']}", role="practitioner")

        assert "no-store" in response.headers["Cache-Control"] or "private" in response.headers["Cache-Control"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"

    def test_the_server_does_not_say_what_it_is_made_of(self, api):
        headers = str(api.get("/livez").headers).lower()

        assert "ulfius" not in headers and "microhttpd" not in headers


class TestStartAndStop:
    """Start refuses what is wrong with exit 78; stop finishes what runs and ends with 0."""

    @pytest.mark.parametrize("changes, word", [
        ({"CARERS_PORT": "99999"}, "CARERS_PORT"), ({"CARERS_WORKERS": "many"}, "CARERS_WORKERS"),
        ({"CARERS_LOG_LEVEL": "loud"}, "CARERS_LOG_LEVEL"), ({"CARERS_PROT": "8080"}, "CARERS_PROT"),
        ({"CARERS_KEY_FILES": "a=RS256:/nonexistent"}, "key"), ({"CARERS_KEY_FILES": "nonsense"}, "key"),
        ({"CARERS_ISSUER": ""}, "CARERS_ISSUER")], ids=str)
    def test_a_wrong_setting_stops_the_start(self, settings, changes, word):
        for name in ("check", "serve"):
            done = command({**settings, "CARERS_PORT": "0", **changes}, name)
            assert done.returncode == 78, (name, done.stderr)
            assert word in done.stderr + done.stdout

    def test_a_good_configuration_passes_the_check(self, settings):
        done = command(settings, "check")

        assert done.returncode == 0, done.stdout + done.stderr

    def test_a_database_that_is_not_migrated_stops_the_start(self, settings, cluster, new_database):
        name = new_database(migrated=False)

        done = command({**settings, "CARERS_PORT": "0", "CARERS_DATABASE": cluster.conninfo("postgres", name)}, "serve")

        assert done.returncode == 78 and "migrat" in done.stderr

    def test_a_port_that_is_taken_stops_the_start(self, settings, server):
        done = command({**settings, "CARERS_PORT": server.port}, "serve")

        assert done.returncode != 0 and str(server.port) in done.stderr

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_ends_it_with_0(self, serve, client, number):
        server = serve()
        assert client(server).get("/readyz").status_code == 200

        server.signal(number)

        assert server.process.wait(60) == 0
        server.stop()

    def test_what_runs_is_finished_and_what_comes_is_refused(self, serve, tokens, cluster):
        import psycopg2
        server = serve()
        lock = psycopg2.connect(server.settings["CARERS_DATABASE"].replace("carers_service", "postgres"))
        lock.cursor().execute("LOCK TABLE carer IN ACCESS EXCLUSIVE MODE")
        with Raw(server.port) as running, Raw(server.port) as idle:
            body = json.dumps(carer_body()).encode()
            assert idle.request("GET", "/livez").status_code == 200
            running.send("POST /v1/carers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                         f"Authorization: Bearer {tokens.token('practitioner')}\r\nContent-Length: {len(body)}\r\n\r\n")
            running.send(body)
            wait_for(lambda: cluster.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                                         " AND usename = 'carers_service'"))
            server.signal(signal.SIGTERM)
            wait_for(lambda: not self.listens(server.port))
            lock.rollback()

            assert running.answer("POST").status_code == 201
        lock.close()
        server.stop()

    @staticmethod
    def listens(port):
        try:
            with Raw(port) as connection:
                return connection.request("GET", "/livez").status_code == 200
        except OSError:
            return False

    def test_a_second_signal_does_not_break_the_stop(self, serve):
        server = serve()

        server.signal(signal.SIGTERM)
        server.signal(signal.SIGTERM)

        assert server.process.wait(60) == 0
        server.stop()

    def test_a_settings_file_is_read_and_the_environment_wins(self, settings, tmp_path):
        path = tmp_path / "service.env"
        path.write_text("# a comment\n" + "".join(f"{n}={v}\n" for n, v in settings.items()) + "CARERS_WORKERS=nonsense\n",
                        encoding="utf-8")

        assert command({}, "check", "--settings", path).returncode == 78
        assert command({"CARERS_WORKERS": "4"}, "check", "--settings", path).returncode == 0

    def test_version_says_its_version(self):
        done = command({}, "version")

        assert done.returncode == 0 and re.search(r"\d+\.\d+\.\d+", done.stdout)

    @pytest.mark.parametrize("arguments", [[], ["fly"], ["serve", "--wings"], ["serve", "--settings"]])
    def test_an_unknown_command_shows_how_to_use_it(self, arguments):
        done = command({}, *arguments)

        assert done.returncode == 2 and "carers-api" in done.stderr


def test_a_patch_is_a_merge_patch(api, carer):
    one = carer(contact={"phone": "020 7946 0001", "email": "a@example.org"})
    path = f"/v1/carers/{one['id']}"
    etag = api.get(path, role="practitioner").headers["ETag"]

    patched = api.patch(path, etag=etag, role="practitioner", json={"contact": {"phone": None, "preferred": "email"}})

    assert patched.headers["Content-Type"].startswith("application/json")
    assert patched.json()["contact"] == {"email": "a@example.org", "preferred": "email"}
