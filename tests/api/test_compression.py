"""Small on the wire: gzip for who reads it, ETags of two codings, and a mobile app's first screen."""
import gzip
import json

import pytest
from support.assessments import assessment_body
from support.referrals import referral_body

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


def busy(api, carer):
    """A carer with a year of mixed events, as a demonstration would show; her id."""
    one = carer(**LARGE)["id"]
    path = f"/v1/carers/{one}"

    def done(response):
        assert response.status_code in (200, 201), response.text
        return response.json()
    done(api.post(f"{path}/register", json={"triage": {"level": "light"}}, **STAFF))
    for purpose in ("demographics", "share_between_services", "contact_for_feedback", "research"):
        done(api.post(f"{path}/consents", json={"purpose": purpose, "method": "verbal", "wording_version": "2026-04"}, **STAFF))
    done(api.post(f"{path}/consents", json={"purpose": "research", "decision": "refused", "method": "online", "wording_version": "2026-04"},
                  **STAFF))
    for channel, outcome in (("phone", "navigation"), ("email", "navigation"), ("phone", "navigation"), ("email", "navigation")):
        done(api.post(f"{path}/contacts", json={"channel": channel, "direction": "inbound", "reason": "first_contact", "outcome": outcome},
                      **STAFF))
    done(api.patch(path, etag="*", json={"preferred_language": "cy"}, **STAFF))
    done(api.put(f"{path}/contingency-plan", json={"instructions": "Call Joan.", "emergency_contacts": [
        {"name": "Joan Petty", "relationship": "neighbour", "phone": "+441632960177"}]}, **STAFF))
    done(api.post(f"{path}/passport", json={}, **STAFF))
    for kind in ("light_touch", "statutory"):
        done(api.post(f"{path}/assessments", json=assessment_body(kind), **STAFF))
    sent = done(api.post("/v1/referrals", json={**referral_body(), "carer_id": one, "to": {"team": "adult_social_care"}}, **STAFF))
    for action in ("submit", "receive", "accept"):
        done(api.post(f"/v1/referrals/{sent['id']}/{action}", json={}, **STAFF))
    return one


def test_the_first_screen_of_a_carers_app_is_three_requests_and_five_kilobytes(api, raw, serve, tokens, carer):
    one, service = busy(api, carer), serve(CARERS_RATE_PER_MINUTE=None)  # with the headers of the usual limit
    headers = {"Authorization": f"Bearer {tokens.token('carer', carer=one)}", "Accept-Encoding": "gzip"}
    screen = ["/v1/me", f"/v1/carers/{one}", f"/v1/carers/{one}/timeline?limit=20"]

    me, record, timeline = (raw(service).request("GET", at, headers) for at in screen)
    lean = raw(service).request("GET", f"{screen[2]}&fields=at,kind,summary", headers)
    again = raw(service).request("GET", screen[1], {**headers, "If-None-Match": record.headers["ETag"]})

    assert [answer.status_code for answer in (me, record, timeline, lean)] == [200] * 4
    items, few = (json.loads(gzip.decompress(answer.body))["items"] for answer in (timeline, lean))
    assert len(items) == 20 and len({item["kind"] for item in items}) > 8
    assert few == [{name: item[name] for name in ("at", "kind", "summary")} for item in items]
    assert me.size + record.size + timeline.size < 5_000, "status lines, headers and bodies"
    assert lean.size < timeline.size and (again.status_code, again.body) == (304, b"") and again.size < record.size
