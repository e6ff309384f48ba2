"""Small on the wire: gzip for who reads it, ETags of two codings, and a mobile app's first screen."""
import gzip

import pytest
from support.tokens import PERSON

PLAIN = {"Accept-Encoding": "identity"}
STAFF = {"role": "practitioner"}
LARGE = {"contact": {"phone": "+447700900123", "email": "nadia@example.org"}, "preferred_language": "en-GB",
         "cared_for": [{"relationship": "parent", "setting": "home", "needs": ["dementia", "frailty"]}] * 8}


def wire(response):
    """Bytes of the body as they were sent."""
    return int(response.headers["Content-Length"])


@pytest.fixture
def path(carer):
    """A carer whose record is larger than a kilobyte."""
    return f"/v1/carers/{carer(**LARGE)['id']}"


@pytest.mark.parametrize("asked", ["gzip", "br, gzip;q=0.5", "*", "GZIP", "deflate;q=0, gzip"])
def test_a_reply_over_a_kilobyte_is_gzip_for_who_asks(api, path, asked):
    plain, small = api.get(path, headers=PLAIN, **STAFF), api.get(path, headers={"Accept-Encoding": asked}, **STAFF)

    assert small.headers["Content-Encoding"] == "gzip" and small.json() == plain.json()
    assert wire(small) < wire(plain) / 2
    assert "Accept-Encoding" in small.headers["Vary"] and "Accept-Encoding" in plain.headers["Vary"]


@pytest.mark.parametrize("asked", ["identity", "gzip;q=0", "*;q=0", "br", "gzip;q=0.000, *", ""])
def test_whoever_does_not_ask_gets_the_plain_one(api, path, asked):
    response = api.get(path, headers={"Accept-Encoding": asked}, **STAFF)

    assert "Content-Encoding" not in response.headers and response.json()["id"]


def test_a_small_reply_is_not_worth_it(api):
    response = api.get("/livez")

    assert "Content-Encoding" not in response.headers and wire(response) < 1024


def test_an_etag_of_either_coding_says_which_version_it_is(api, path):
    small, plain = api.get(path, **STAFF), api.get(path, headers=PLAIN, **STAFF)

    assert small.headers["ETag"] == plain.headers["ETag"][:-1] + '.gzip"'
    for tag in (small.headers["ETag"], plain.headers["ETag"]):
        assert api.get(path, headers={"If-None-Match": tag}, **STAFF).status_code == 304
    changed = api.patch(path, etag=small.headers["ETag"], json={"preferred_language": "cy"}, **STAFF)
    assert changed.status_code == 200
    assert api.patch(path, etag=small.headers["ETag"], json={"preferred_language": "en"}, **STAFF).status_code == 412


def test_what_is_sent_is_gzip_and_nothing_else(raw, api):
    with_gzip = api.get("/openapi.json", headers={"Accept-Encoding": "gzip"}, stream=True)
    packed = with_gzip.raw.read(decode_content=False)

    assert gzip.decompress(packed).startswith(b"{") and len(packed) == wire(with_gzip)


def test_a_head_request_says_what_the_get_would(api, path):
    assert api.head(path, **STAFF).headers["Content-Encoding"] == "gzip"


def test_the_first_screen_of_a_carers_app_is_three_requests_and_five_kilobytes(api, carer):
    one = carer(**LARGE)
    herself = {"role": "carer", "carer": one["id"], "scope": PERSON}
    for number in range(20):
        said = api.post(f"/v1/carers/{one['id']}/consents", role="practitioner", json={
            "purpose": ["research", "contact_for_feedback"][number % 2], "method": "verbal", "wording_version": "2026-04"})
        assert said.status_code == 201, said.text

    screen = [api.get(at, **herself) for at in ("/v1/me", f"/v1/carers/{one['id']}", f"/v1/carers/{one['id']}/timeline?limit=20")]

    assert all(response.status_code == 200 for response in screen) and len(screen[2].json()["items"]) == 20
    assert sum(wire(response) for response in screen) < 5_000
