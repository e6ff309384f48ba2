"""What bad input gets: its own problem, nothing written, nothing leaked, and the connection still usable."""
import json

import pytest
from support.client import faults, problem
from support.people import carer_body, nhs_number

MIB = 1 << 20
JSON = {"Content-Type": "application/json"}
NOT_JSON = {
    "nothing at all": b"",
    "white space": b"  \n",
    "cut off": b'{"given_name": "A"',
    "two documents": b"{} {}",
    "a trailing comma": b'{"given_name": "A",}',
    "a comment": b'{/* no */"given_name": "A"}',
    "single quotes": b"{'given_name': 'A'}",
    "NaN": b'{"given_name": NaN}',
    "a byte order mark": b'\xef\xbb\xbf{"given_name": "A"}',
    "a duplicate key": b'{"given_name": "A", "given_name": "B"}',
    "a duplicate key, escaped": b'{"given_name": "A", "given\\u005fname": "B"}',
    "a duplicate key, deep": b'{"contact": {"phone": "1", "phone": "2"}}',
    "UTF-8 that is cut": b'{"given_name": "\xc3"}',
    "UTF-8 too long": b'{"given_name": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"given_name": "\xed\xa0\x80"}',
    "half a surrogate pair": b'{"given_name": "\\ud800"}',
    "Latin-1": '{"given_name": "é"}'.encode("latin-1"),
    "UTF-16": '{"given_name": "A"}'.encode("utf-16"),
    "NUL in the text": b'{"given_name": "A\x00"}',
    "NUL as an escape": b'{"given_name": "A\\u0000"}',
    "NUL in a key": b'{"given_name\\u0000": "A"}',
    "a control character": b'{"given_name": "A\x01"}',
    "an integer over 64 bits": b'{"given_name": 9223372036854775808}',
    "an integer under 64 bits": b'{"given_name": -9223372036854775809}',
    "a real that overflows": b'{"given_name": 1e400}',
    "33 levels of arrays": b"[" * 33 + b"]" * 33,
    "33 levels of objects": b'{"a":' * 33 + b"1" + b"}" * 33,
    "half a million levels": b"[" * 500_000,
}


@pytest.fixture
def untouched(db):
    """Nothing was written: not a carer, not a key of idempotency."""
    def count():
        db.execute("SELECT (SELECT count(*) FROM carer)")
        return db.fetchone()
    before = count()
    yield
    assert count() == before


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_a_body_that_is_not_our_json_is_malformed_and_the_connection_lives_on(raw, tokens, untouched, body):
    connection = raw()
    bearer = {"Authorization": f"Bearer {tokens.token('practitioner')}"}

    answer = connection.request("POST", "/v1/carers", {**JSON, **bearer, "Content-Length": len(body)}, body)

    problem(answer, 400, "malformed-json")
    assert connection.request("GET", "/v1/me", bearer).status_code == 200


def test_32_levels_are_read_and_then_break_the_schema(api, untouched):
    body = b'{"a":' * 31 + b"{}" + b"}" * 31

    assert ("/a", "unevaluatedProperties") in faults(post(api, body)) or \
        ("/a", "additionalProperties") in faults(post(api, body))


def post(api, body, **headers):
    return api.post("/v1/carers", role="practitioner", data=body, headers={**JSON, **headers})


def test_an_unknown_field_is_refused_where_it_stands(api, untouched):
    body = carer_body(contact={"phone": "020 7946 0000", "phne": "typo"}, givn_name="typo")

    found = faults(api.post("/v1/carers", role="practitioner", json=body))

    assert {pointer for pointer, _ in found} == {"/contact/phne", "/givn_name"}


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("sign", ["é", "€", "😀"])
def test_a_long_name_of_a_stranger_is_refused_in_whole_words(api, untouched, before, sign):
    unknown = {before + sign * 300: 1}

    for response in (api.post("/v1/directory/search", json=unknown),
                     api.post("/v1/carers", role="practitioner", json={**carer_body(), **unknown})):
        pointer, keyword = faults(response).pop()
        assert f"/{before}{sign * 300}".startswith(pointer) and len(pointer.encode()) > 500
        assert keyword in ("additionalProperties", "unevaluatedProperties")
    response = api.get("/v1/directory/services", params={before + sign * 40: 1})
    (pointer, keyword), = faults(response, 400, "invalid-parameter")
    assert pointer.startswith(f"/query/{before}{sign}") and keyword == "additionalProperties"


def test_all_faults_are_told_at_once(api, untouched):
    body = carer_body(given_name="", nhs_number="9434765918", date_of_birth="2026-02-30", kind="uncle",
                      address={"postcode": "nowhere"}, family_name=None)

    found = faults(api.post("/v1/carers", role="practitioner", json=body))

    assert {"/given_name", "/nhs_number", "/date_of_birth", "/kind", "/address/postcode"} <= {p for p, _ in found}
    assert any(keyword == "required" for _, keyword in found)


@pytest.mark.parametrize("body, pointer", [
    ({"given_name": 7}, "/given_name"),
    ({"given_name": None}, "/given_name"),
    ({"given_name": ["A"]}, "/given_name"),
    ({"interpreter_required": "yes"}, "/interpreter_required"),
    ({"nhs_number": "943 476 5919"}, "/nhs_number"),
    ({"nhs_number": "1234567890"}, "/nhs_number"),
    ({"council": "Islington"}, "/council"),
    ({"date_of_birth": "01/02/1960"}, "/date_of_birth"),
    ({"contact": {"email": "not an address"}}, "/contact/email"),
    ({"contact": {"preferred": "pigeon"}}, "/contact/preferred"),
    ({"identification": {"source": "gossip", "identified_on": "2026-03-02"}}, "/identification/source"),
    ({"given_name": "x" * 10_000}, "/given_name"),
], ids=str)
def test_a_wrong_value_is_named_by_its_pointer(api, untouched, body, pointer):
    found = faults(api.post("/v1/carers", role="practitioner", json={**carer_body(), **body}))

    assert {where for where, _ in found} == {pointer}


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"true", b"null"], ids=bytes.decode)
def test_json_that_is_no_object_breaks_the_contract(api, untouched, body):
    assert ("", "type") in faults(post(api, body))


def test_what_the_caller_sent_does_not_come_back(api, untouched):
    secret = "Ermintrude-Secret"

    response = api.post("/v1/carers", role="practitioner",
                        json=carer_body(given_name=7, family_name=secret, nhs_number="9434765918"))

    problem(response, 422, "validation-failed")
    assert secret not in response.text and "9434765918" not in response.text


class TestTooLarge:
    """1 MiB is read; one byte more is 413, however it is announced."""

    def test_a_body_of_one_mebibyte_is_read(self, api, untouched):
        body = b'{"given_name": "' + b"x" * (MIB - 18) + b'"}'
        assert len(body) == MIB

        assert ("/given_name", "maxLength") in faults(post(api, body))

    def test_a_body_of_a_mebibyte_and_a_byte_is_too_large(self, raw, tokens, untouched):
        connection, bearer = raw(), {"Authorization": f"Bearer {tokens.token('practitioner')}"}

        answer = connection.request("POST", "/v1/carers", {**JSON, **bearer}, b" " * (MIB + 1))

        problem(answer, 413, "content-too-large")
        if answer.headers.get("Connection", "").lower() != "close":
            assert connection.request("GET", "/v1/me", bearer).status_code == 200

    def test_a_chunked_body_is_counted_as_it_comes(self, raw, tokens, untouched):
        connection, bearer = raw(), {"Authorization": f"Bearer {tokens.token('practitioner')}"}
        connection.send("POST /v1/carers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                        f"Authorization: {bearer['Authorization']}\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.chunks(*[b" " * 65536] * 17)

        answer = connection.answer("POST")

        problem(answer, 413, "content-too-large")
        if answer.headers.get("Connection", "").lower() != "close":
            assert connection.request("GET", "/v1/me", bearer).status_code == 200

    def test_a_small_chunked_body_is_read_whole(self, raw, tokens):
        connection, bearer = raw(), f"Bearer {tokens.token('practitioner')}"
        body = json.dumps(carer_body()).encode()
        connection.send("POST /v1/carers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                        f"Authorization: {bearer}\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.chunks(*[body[i:i + 7] for i in range(0, len(body), 7)])

        assert connection.answer("POST").status_code == 201

    def test_a_post_without_any_length_has_no_body(self, raw, tokens, untouched):
        connection, bearer = raw(), {"Authorization": f"Bearer {tokens.token('practitioner')}"}

        answer = connection.request("POST", "/v1/carers", {**JSON, **bearer})

        problem(answer, 400, "malformed-json")
        assert connection.request("GET", "/v1/me", bearer).status_code == 200


class TestMediaType:
    """415 for what is not JSON; parameters of the media type do no harm."""

    @pytest.mark.parametrize("media", ["text/plain", "application/xml", "application/x-www-form-urlencoded",
                                       "multipart/form-data; boundary=x", "application/jsonp", "application/json5",
                                       "application", "", "application/merge-patch+json"])
    def test_a_post_of_another_media_type_is_refused(self, api, untouched, media):
        response = api.post("/v1/carers", role="practitioner", data=json.dumps(carer_body()),
                            headers={"Content-Type": media})

        problem(response, 415, "unsupported-media-type")
        assert api.get("/v1/me", role="practitioner").status_code == 200

    def test_a_post_without_media_type_is_refused(self, raw, tokens, untouched):
        bearer = {"Authorization": f"Bearer {tokens.token('practitioner')}"}

        problem(raw().request("POST", "/v1/carers", bearer, b"{}"), 415, "unsupported-media-type")

    @pytest.mark.parametrize("media", ["application/json; charset=utf-8", "Application/JSON", "application/json ;a=b"])
    def test_json_with_parameters_is_read(self, api, media):
        response = api.post("/v1/carers", role="practitioner", data=json.dumps(carer_body()),
                            headers={"Content-Type": media})

        assert response.status_code == 201, response.text

    def test_a_patch_takes_merge_patch_only(self, api, carer):
        ident = carer()["id"]

        response = api.patch(f"/v1/carers/{ident}", role="practitioner", etag='"1"', data="{}",
                             headers={"Content-Type": "application/json"})

        assert "application/merge-patch+json" in problem(response, 415, "unsupported-media-type")["detail"]


class TestPath:
    """What a path may hide, asked on the bare socket because clients tidy it up."""

    @pytest.mark.parametrize("path", ["/v1/carers/%2e%2e/me", "/v1/carers/%2E%2E%2Fme", "/v1/carers/../me",
                                      "/v1/./me", "/v1/carers/%00", "/v1/carers/a%00b", "/v1/carers/%zz", "/v1/carers/%2",
                                      "/v1/carers/%c3", "/v1/carers/%c0%af", "/v1/carers/%ed%a0%80"])
    def test_a_path_that_hides_something_is_a_wrong_parameter(self, raw, tokens, path):
        connection, bearer = raw(), {"Authorization": f"Bearer {tokens.token('practitioner')}"}

        answer = connection.request("GET", path, bearer)

        assert problem(answer, 400, "invalid-parameter")["errors"][0]["pointer"] == "/path"
        assert connection.request("GET", "/v1/me", bearer).status_code == 200

    @pytest.mark.parametrize("path", ["/v1/nothing", "/v1", "/v1//carers", "/v1/carers/", "//v1/carers", "/V1/carers",
                                      "/v1/carers/a/b/c/d/e/f/g/h/i/j/k/l/m/n", "/.git/config"])
    def test_a_path_that_is_not_in_the_contract_is_not_found(self, raw, tokens, path):
        connection, bearer = raw(), {"Authorization": f"Bearer {tokens.token('practitioner')}"}

        problem(connection.request("GET", path, bearer), 404, "not-found")
        assert connection.request("GET", "/v1/me", bearer).status_code == 200

    @pytest.mark.parametrize("ident", ["1", "not-a-uuid", "0195e6a0-0000-7000-8000-00000000000g",
                                       "{0195e6a0-0000-7000-8000-000000000001}", "' OR 1=1 --", "x" * 500])
    def test_an_id_that_is_no_uuid_is_a_wrong_parameter(self, api, ident):
        from urllib.parse import quote

        response = api.get(f"/v1/carers/{quote(ident)}", role="practitioner")

        assert {where for where, _ in faults(response, 400, "invalid-parameter")} == {"/path/carer_id"}


class TestParameters:
    """Query parameters: once, known, of their type, within their bounds."""

    @pytest.mark.parametrize("query, fault", [
        ("limit=1&limit=2", ("/query/limit", "maxItems")),
        ("limit=0", ("/query/limit", "minimum")),
        ("limit=201", ("/query/limit", "maximum")),
        ("limit=ten", ("/query/limit", "type")),
        ("limit=", ("/query/limit", "type")),
        ("limit=1.5", ("/query/limit", "type")),
        ("limit=99999999999999999999", ("/query/limit", "type")),
        ("lmit=5", ("/query/lmit", "additionalProperties")),
        ("state=sleeping", ("/query/state", "enum")),
        ("updated_since=yesterday", ("/query/updated_since", "format")),
        ("known_to_social_care=perhaps", ("/query/known_to_social_care", "type")),
        ("limit=%00", ("/query", "encoding")),
        ("limit=%c3", ("/query", "encoding")),
    ])
    def test_a_wrong_query_parameter_is_named(self, api, query, fault):
        response = api.get(f"/v1/carers?{query}", role="practitioner")

        assert fault in faults(response, 400, "invalid-parameter")

    def test_two_wrong_parameters_are_told_at_once(self, api):
        response = api.get("/v1/carers?limit=0&state=x&nonsense=1", role="practitioner")

        assert {where for where, _ in faults(response, 400, "invalid-parameter")} == \
            {"/query/limit", "/query/state", "/query/nonsense"}

    def test_a_cursor_of_another_age_is_a_wrong_parameter(self, api):
        response = api.get("/v1/carers", params={"cursor": "0" * 32, "updated_since": "2026-01-01T00:00:00Z"}, role="practitioner")

        assert faults(response, 400, "invalid-parameter") == {("/query/cursor", "rule")}

    @pytest.mark.parametrize("cursor", ["x", "!!!", "AAAA", "0195e6a0-0000-7000-8000-000000000001' OR '1'='1", "a" * 2000])
    def test_a_cursor_that_we_did_not_make_is_a_wrong_parameter(self, api, cursor):
        response = api.get("/v1/carers", params={"cursor": cursor}, role="practitioner")

        body = problem(response, 400, "invalid-parameter")
        assert body["errors"][0]["pointer"] == "/query/cursor"

    def test_a_hundred_parameters_are_too_many(self, api):
        query = "&".join(f"a{i}=1" for i in range(100))

        assert faults(api.get(f"/v1/carers?{query}", role="practitioner"), 400, "invalid-parameter")


class TestHeaders:
    """Headers that are too many, too long or not HTTP end with a 4xx of their own and leave the service standing."""

    def test_headers_that_are_too_long_are_refused(self, raw, api):
        connection = raw()
        connection.send("GET /v1/me HTTP/1.1\r\nHost: x\r\n")
        try:
            connection.send(f"X-Long: {'x' * 200_000}\r\n\r\n")
            assert connection.answer().status_code in (400, 413, 431)
        except ConnectionError:
            pass  # closed while we were still sending
        assert api.get("/livez").status_code == 200

    @pytest.mark.parametrize("line", ["NONSENSE", "GET", "GET /v1/me", "GET /v1/me HTTP/9.9", "\x16\x03\x01\x02\x00",
                                      "GET /v1/me HTTP/1.1\r\nHost: x\r\nContent-Length: -1",
                                      "POST /v1/carers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz"])
    def test_what_is_not_http_does_not_hurt(self, raw, api, line):
        connection = raw()
        connection.send(line + "\r\n\r\n")
        connection.socket.shutdown(1)
        while True:
            try:
                if not connection.socket.recv(65536):
                    break
            except ConnectionError:
                break
        assert api.get("/livez").status_code == 200

    @pytest.mark.parametrize("head, status", [("GET /v1/me HTTP/3.1\r\nHost: x", 505), ("GET /v1/me HTTP/1.1\r\nHost: x\r\nno colon", 400),
                                              ("POST /v1/carers HTTP/1.1\r\nHost: x\r\nContent-Length: " + "9" * 23, 413)])
    def test_what_is_not_http_gets_a_bare_answer(self, raw, head, status):
        answer = raw().send(head + "\r\n\r\n").answer()

        assert answer.status_code == status and "X-Request-ID" not in answer.headers

    def test_a_number_that_another_carer_has_is_not_shown(self, api, carer):
        number = nhs_number()
        carer(nhs_number=number)

        response = api.post("/v1/carers", role="practitioner", json=carer_body(nhs_number=number))

        problem(response, 409, "possible-duplicate")
        assert number not in response.text
