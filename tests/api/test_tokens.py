"""Tokens that must not open the door: 401, the reason in WWW-Authenticate, and not a word of the token in answer or log."""
import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from support.client import challenge, problem
from support.server import wait_for
from support.tokens import AUDIENCE, Key, ISSUER, b64url, sign_hs256_with

DAY = 86400


def refused(response, error="invalid_token"):
    """A 401 with this error; gives the sentence."""
    body = problem(response, 401, "unauthenticated")
    assert challenge(response) == error, response.headers
    return body["detail"]


def with_header(token, **changes):
    """The token with another header, its signature as it was."""
    head, payload, signature = token.split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    header.update(changes)
    return ".".join((b64url(json.dumps(header).encode()), payload, signature))


def with_payload(token, **changes):
    """The token with other claims, its signature as it was."""
    head, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims.update(changes)
    return ".".join((head, b64url(json.dumps(claims).encode()), signature))


@pytest.mark.parametrize("alg", ["RS256", "HS256", "ES256"])
def test_a_good_token_opens_the_door(api, alg):
    body = api.get("/v1/me", role="practitioner", alg=alg).json()

    assert body["role"] == "practitioner"


def test_no_token_is_told_to_bring_one_and_blamed_for_nothing(api):
    response = api.get("/v1/me")

    problem(response, 401, "unauthenticated")
    assert challenge(response) is None


@pytest.mark.parametrize("value", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "bearer", "Token x", "Bearer a b", "x" * 50])
def test_another_scheme_is_an_invalid_request(api, value):
    response = api.get("/v1/me", headers={"Authorization": value})

    problem(response, 401, "unauthenticated")
    assert challenge(response) in ("invalid_request", None)


@pytest.mark.parametrize("kid", ["test-rs256", "test-hs256", None])
@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
def test_an_unsigned_token_is_refused(api, tokens, alg, kid):
    header = {"alg": alg, "typ": "at+jwt", **({"kid": kid} if kid else {})}
    parts = [b64url(json.dumps(part).encode()) for part in (header, tokens.claims("practitioner"))]

    refused(api.get("/v1/me", token=".".join(parts) + "."))
    refused(api.get("/v1/me", token=".".join(parts)))
    refused(api.get("/v1/me", token=".".join([*parts, "c2ln"])))


def test_hs256_signed_with_the_rsa_public_key_is_refused(api, tokens):
    key = tokens.keys["RS256"]
    for secret in (key.public, key.public.strip(), key.public.replace("\n", "")):
        token = sign_hs256_with(secret, {"alg": "HS256", "typ": "at+jwt", "kid": key.kid}, tokens.claims("council_admin"))
        refused(api.get("/v1/me", token=token))


@pytest.mark.parametrize("alg", ["HS384", "HS512", "RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256", "", 256, None])
def test_a_key_serves_one_algorithm_only(api, tokens, alg):
    refused(api.get("/v1/me", token=with_header(tokens.token("practitioner"), alg=alg)))


def test_a_token_signed_by_a_stranger_with_our_kid_is_refused(api, tokens):
    stranger = Key("test-rs256", "RS256")

    refused(api.get("/v1/me", token=tokens.token("practitioner", key=stranger)))


@pytest.mark.parametrize("claims, word", [
    ({"exp": -60}, "expired"), ({"exp": -10 * DAY}, "expired"), ({"nbf": 3600}, "nbf"), ({"iat": 3600}, "iat")])
def test_a_token_out_of_its_time_is_refused(api, claims, word):
    now = int(time.time())

    sentence = refused(api.get("/v1/me", role="practitioner", claims={n: now + s for n, s in claims.items()}))

    assert word in sentence


@pytest.mark.parametrize("claims", [
    {"iss": None}, {"iss": "https://evil.example.org/"}, {"iss": ISSUER.rstrip("/")}, {"iss": [ISSUER]},
    {"aud": None}, {"aud": "another-api"}, {"aud": []}, {"aud": ["x", "y"]}, {"aud": AUDIENCE.upper()}, {"aud": 7},
    {"exp": None}, {"exp": "4102444800"}, {"exp": True}, {"exp": -1}, {"exp": 1e300},
    {"nbf": "soon"}, {"iat": "then"}], ids=str)
def test_a_wrong_or_missing_registered_claim_is_refused(api, claims):
    refused(api.get("/v1/me", role="practitioner", claims=claims))


@pytest.mark.parametrize("claims", [
    {"role": None}, {"role": "root"}, {"role": ""}, {"role": 7}, {"role": ["practitioner"]},
    {"sub": None}, {"sub": ""}, {"scope": 7}, {"scope": ["carers:read"]},
    {"councils": "E09000019"}, {"councils": ["Islington"]}, {"councils": ["E09000019'}"]}, {"councils": [7]},
    {"org": "1"}, {"org": 7}, {"carer_id": "1"}], ids=str)
def test_a_wrong_claim_of_ours_is_refused(api, claims):
    refused(api.get("/v1/me", role="practitioner", claims=claims))


def test_an_audience_among_several_is_enough(api):
    assert api.get("/v1/me", role="practitioner", claims={"aud": ["other", AUDIENCE]}).status_code == 200


@pytest.mark.parametrize("kid", ["unknown", "", "../../etc/passwd", "/dev/null", "test-rs256\u0000", "test-rs256/../test-rs256",
                                 "' OR 1=1 --", "TEST-RS256", "x" * 2000, 7, None, ["test-rs256"]], ids=repr)
def test_an_unknown_kid_is_refused(api, tokens, kid):
    refused(api.get("/v1/me", token=with_header(tokens.token("practitioner"), kid=kid)))


def test_a_token_without_kid_is_refused(api, tokens):
    refused(api.get("/v1/me", token=tokens.token("practitioner", header={"kid": None})))


@pytest.mark.parametrize("header", [{"typ": "JWT-other"}, {"typ": "id_token"}, {"typ": "dpop+jwt"}, {"crit": ["exp"]}, {"b64": False, "crit": ["b64"]}], ids=str)
def test_a_token_of_another_type_or_with_demands_is_refused(api, tokens, header):
    refused(api.get("/v1/me", token=tokens.token("practitioner", header=header)))


def test_a_key_that_the_token_brings_itself_is_not_used(api, tokens):
    stranger = Key("test-rs256", "RS256")
    for header in ({"jwk": stranger.jwk()}, {"jku": "http://127.0.0.1:1/keys"}, {"x5u": "http://127.0.0.1:1/cert"}):
        refused(api.get("/v1/me", token=tokens.token("practitioner", key=stranger, header=header)))


def test_a_token_over_8_kib_is_refused(api):
    refused(api.get("/v1/me", role="practitioner", claims={"padding": "x" * 8192}))


def test_a_token_just_under_8_kib_is_read(api, tokens):
    size = len(tokens.token("practitioner", padding=""))
    padding = (8100 - size) * 3 // 4

    assert api.get("/v1/me", role="practitioner", claims={"padding": "x" * padding}).status_code == 200


@pytest.mark.parametrize("cut", [1, 2, 10, 100, 200, 300, -1, -2, -10, -100, -300])
def test_a_cut_token_is_refused(api, tokens, cut):
    refused(api.get("/v1/me", token=tokens.token("practitioner")[:cut]))


def test_a_changed_payload_is_refused_also_when_the_token_was_seen_before(api, tokens):
    token = tokens.token("support_worker", org="0195e6a0-0000-7000-8000-000000000001")
    assert api.get("/v1/me", token=token).status_code == 200

    refused(api.get("/v1/me", token=with_payload(token, role="council_admin")))
    refused(api.get("/v1/me", token=with_payload(token, exp=int(time.time()) + 10 * DAY)))
    assert api.get("/v1/me", token=token).status_code == 200


@pytest.mark.parametrize("change", ["=", "==", " ", ".", ".x", "\t"])
def test_a_token_with_something_after_it_is_refused(api, tokens, change):
    response = api.get("/v1/me", headers={"Authorization": f"Bearer {tokens.token('practitioner')}{change}x"})

    problem(response, 401, "unauthenticated")


@pytest.mark.parametrize("token", ["a.b.c", "..", ".", "", "e30.e30.e30", "\x7f.\x7f.\x7f", "eyJhbGciOiJSUzI1NiJ9", "💥".encode().decode("latin-1")], ids=repr)
def test_what_is_no_token_is_refused(raw, token):
    answer = raw().request("GET", "/v1/me", {"Authorization": f"Bearer {token}"})

    problem(answer, 401, "unauthenticated")


def test_two_authorization_headers_are_refused(raw, tokens):
    header = f"Bearer {tokens.token('practitioner')}"

    answer = raw().request("GET", "/v1/me", [("Authorization", header), ("Authorization", "Bearer x")])

    problem(answer, 401, "unauthenticated")


def test_a_token_in_the_url_is_not_looked_at(api, tokens):
    response = api.get(f"/v1/me?access_token={tokens.token('practitioner')}")

    assert response.status_code in (400, 401)


def test_neither_answer_nor_log_has_the_token(server, api, tokens):
    token = with_payload(tokens.token("practitioner"), sub="somebody")

    response = api.get("/v1/me", token=token, headers={"X-Request-ID": "bad-token-in-log"})

    refused(response)
    server.request_line("bad-token-in-log")
    for part in token.split("."):
        assert part not in response.text and part not in server.log()


class TestScopes:
    """The first lock: every scope that the contract asks for."""

    def test_a_missing_scope_is_named(self, api):
        response = api.get("/v1/carers", role="practitioner", scope="carers:write")

        problem(response, 403, "insufficient-scope")
        assert challenge(response) == "insufficient_scope"
        assert 'scope="carers:read"' in response.headers["WWW-Authenticate"]

    @pytest.mark.parametrize("scope", ["", "carers", "carers:rea", "carers:reads", "CARERS:READ", "carers:read,carers:write",
                                       "xcarers:read", None])
    def test_a_scope_that_only_looks_alike_is_none(self, api, scope):
        problem(api.get("/v1/carers", role="practitioner", scope=scope), 403, "insufficient-scope")

    def test_me_needs_a_token_and_no_scope(self, api):
        assert api.get("/v1/me", role="practitioner", scope=None).status_code == 200


class TestSeveralFactors:
    """Where the council asks for it, a role's token must say that several factors were used (RFC 8176, RFC 9470)."""

    def test_a_listed_role_needs_mfa_in_amr_and_others_do_not(self, serve, client):
        api = client(serve(CARERS_MFA_ROLES="council_admin,practitioner"))

        response = api.get("/v1/me", role="practitioner", claims={"amr": ["pwd"]})

        assert "amr" in problem(response, 401, "unauthenticated")["detail"]
        assert challenge(response) == "insufficient_user_authentication"
        assert api.get("/v1/me", role="practitioner", claims={"amr": ["pwd", "mfa"]}).status_code == 200
        assert api.get("/v1/me", role="commissioner").status_code == 200


class TestCache:
    """A verified token is remembered, but never beyond its exp nor beyond its key."""

    def test_a_remembered_token_dies_at_its_exp(self, serve, client, tokens):
        api = client(serve(CARERS_CLOCK_SKEW_S="0"))
        token = tokens.token("practitioner", exp=int(time.time()) + 3)
        assert api.get("/v1/me", token=token).status_code == 200

        wait_for(lambda: api.get("/v1/me", token=token).status_code == 401)

        assert "expired" in refused(api.get("/v1/me", token=token))

    def test_a_key_taken_away_takes_its_tokens_with_it(self, serve, client, tokens, run_folder):
        jwks = run_folder / "rotated.json"
        old, new = Key("rotating-1", "RS256"), Key("rotating-2", "ES256")
        jwks.write_text(json.dumps({"keys": [old.jwk()]}), encoding="ascii")
        server = serve(CARERS_JWKS=str(jwks), CARERS_JWKS_REFRESH_S="86400")
        api, first = client(server), tokens.token("practitioner", key=old)
        assert api.get("/v1/me", token=first).status_code == 200

        jwks.write_text(json.dumps({"keys": [new.jwk()]}), encoding="ascii")
        server.signal(1)

        wait_for(lambda: api.get("/v1/me", token=first).status_code == 401)
        refused(api.get("/v1/me", token=first))
        assert api.get("/v1/me", token=tokens.token("practitioner", key=new)).status_code == 200
        assert api.get("/v1/me", role="practitioner").status_code == 200

    def test_a_set_of_keys_that_breaks_leaves_the_old_one(self, serve, client, tokens, run_folder):
        jwks, key = run_folder / "broken.json", Key("kept", "RS384")
        jwks.write_text(json.dumps({"keys": [key.jwk()]}), encoding="ascii")
        server = serve(CARERS_JWKS=str(jwks))
        api = client(server)
        assert api.get("/v1/me", token=tokens.token("practitioner", key=key)).status_code == 200

        jwks.write_text("{", encoding="ascii")
        server.signal(1)

        wait_for(lambda: any(e.get("event", "").startswith("keys") for e in server.events()))
        assert api.get("/v1/me", token=tokens.token("practitioner", key=key)).status_code == 200


class Issuer(HTTPServer):
    """A JWKS on loopback, whose keys can be exchanged."""

    def __init__(self, *keys):
        self.keys, self.asked = keys, 0
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/jwks.json"
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked += 1
        body = json.dumps({"keys": [key.jwk() for key in self.server.keys]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class TestJwks:
    """Keys from a URL, refreshed and rotated without a restart."""

    def test_keys_come_from_a_url_and_rotate_by_themselves(self, serve, client, tokens):
        old, new = Key("url-1", "RS256"), Key("url-2", "ES384")
        with Issuer(old) as issuer:
            api = client(serve(CARERS_JWKS=issuer.url, CARERS_JWKS_REFRESH_S="1"))
            assert api.get("/v1/me", token=tokens.token("practitioner", key=old)).status_code == 200

            issuer.keys = (new,)

            token = tokens.token("practitioner", key=new)
            wait_for(lambda: api.get("/v1/me", token=token).status_code == 200)
            wait_for(lambda: api.get("/v1/me", token=tokens.token("practitioner", key=old)).status_code == 401)

    def test_while_both_keys_stand_there_tokens_of_both_are_good(self, serve, client, tokens):
        old, new = Key("both-1", "RS256"), Key("both-2", "ES256")
        with Issuer(old) as issuer:
            api = client(serve(CARERS_JWKS=issuer.url, CARERS_JWKS_REFRESH_S="86400"))
            assert api.get("/v1/me", token=tokens.token("practitioner", key=old)).status_code == 200

            issuer.keys = (old, new)

            wait_for(lambda: api.get("/v1/me", token=tokens.token("practitioner", key=new)).status_code == 200)  # asked for by its kid
            assert api.get("/v1/me", token=tokens.token("practitioner", key=old)).status_code == 200

    def test_an_issuer_that_is_gone_leaves_its_keys(self, serve, client, tokens):
        key = Key("url-3", "RS512")
        with Issuer(key) as issuer:
            api = client(serve(CARERS_JWKS=issuer.url, CARERS_JWKS_REFRESH_S="1"))
            assert api.get("/v1/me", token=tokens.token("practitioner", key=key)).status_code == 200
            asked = issuer.asked
            wait_for(lambda: issuer.asked > asked)

        assert api.get("/v1/me", token=tokens.token("practitioner", key=key)).status_code == 200

    def test_a_service_starts_though_its_issuer_does_not_answer(self, serve, client):
        api = client(serve(CARERS_JWKS="http://127.0.0.1:1/jwks.json"))

        assert api.get("/v1/me", role="practitioner").status_code == 200
