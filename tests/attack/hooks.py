"""What Schemathesis does not know of this contract: its formats, and why a good request may be refused."""
import requests
import schemathesis
from hypothesis import strategies

SCHEMA_ONLY = {"type", "enum", "const", "required", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
               "uniqueItems", "additionalProperties", "unevaluatedProperties", "minProperties", "maxProperties", "oneOf", "anyOf"}


def nhs_number(digits):
    """Ten digits with the check digit of these nine, or the last nine that have one."""
    while True:
        check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1))) % 11
        if check != 10:
            return digits + str(check % 11)
        digits = digits[:8] + str((int(digits[8]) + 1) % 10)


schemathesis.openapi.format("nhs-number", strategies.integers(0, 99999999).map(lambda n: nhs_number(f"9{n:08}")))
schemathesis.openapi.format("language", strategies.sampled_from(["en-GB", "zh-Hans", "sr-Latn-RS"]) | strategies.text("abcdefghijklmnoprstuvwyz", min_size=2, max_size=2))
schemathesis.openapi.format("gss-code", strategies.sampled_from(["E09000019", "E10000012", "W06000015"]))
schemathesis.openapi.format("csv", strategies.just("name,description\nA café,On Thursdays\n"))


PARAMETER = 64  # bytes of libmicrohttpd's record of one


@schemathesis.hook
def filter_case(ctx, case):
    """What does not fit into the room of a request's line and headers never comes to the service: libmicrohttpd answers 414 or 431 by itself.
    Each parameter of the query takes some of it for its bookkeeping."""
    sent = case.as_transport_kwargs(base_url="http://127.0.0.1")
    url = requests.Request(sent["method"], sent["url"], params=sent.get("params")).prepare().url
    return len(url) + PARAMETER * url.count("&") < 12000


@schemathesis.check
def valid_is_read(ctx, response, case):
    """A request that fits the contract may break a rule; it is never one that the contract's own schemas refuse."""
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or response.status_code not in (400, 422):
        return
    faults = [fault for fault in response.json().get("errors", []) if fault.get("keyword") in SCHEMA_ONLY]
    if faults:
        raise AssertionError(f"the contract allows it, and the service refuses it: {faults}")


@schemathesis.check
def problems_are_problems(ctx, response, case):
    """Every refusal is application/problem+json with a type of ours, and tells its own status."""
    if response.status_code < 400 or case.method.upper() == "HEAD":
        return
    media = (response.headers.get("content-type") or [""])[0]
    if not media.startswith("application/problem+json"):
        raise AssertionError(f"a refusal of the media type {media!r}")
    problem = response.json()
    if problem["status"] != response.status_code or not problem["type"].startswith("/problems/"):
        raise AssertionError(f"not a problem of this service: {problem}")


@schemathesis.check
def nothing_of_the_inside_is_told(ctx, response, case):
    """No answer shows SQL, a file of the source or a place in memory."""
    text = response.text
    for word in ("SELECT ", "pg_catalog", "SQLSTATE", "violates ", ".c:", "0x55", "libpq"):
        if response.status_code >= 400 and word in text and word not in str(case.body) and word not in str(case.query):
            raise AssertionError(f"the answer tells {word!r}")
