"""A client that knows the service's manners: tokens by role, and what every answer must have."""
import re

import requests

from support.server import ROOT

TITLES = dict(re.findall(r'^X\(\w+, \d+, "([\w-]+)", "([^"]+)"',
                         (ROOT / "include/base/problems.def").read_text(encoding="utf-8"), re.MULTILINE))
MERGE_PATCH = "application/merge-patch+json"
SECONDS = 30  # no answer by then is a failed test, not a hung one


def problem(response, status, slug):
    """Asserts that the answer is this problem, whole and well-formed, and gives its members."""
    assert response.status_code == status, f"{response.status_code} instead of {status}: {response.text[:2000]}"
    assert response.headers["Content-Type"] == "application/problem+json", response.headers
    body = response.json()
    assert body["type"].endswith(f"/problems/{slug}"), body
    assert body["title"] == TITLES[slug], body
    assert body["status"] == status, body
    assert body["detail"], body
    assert response.headers["X-Request-ID"] in body["instance"], (body, response.headers)
    return body


def faults(response, status=422, slug="validation-failed"):
    """The (pointer, keyword) pairs of a problem's errors; every one has its sentence."""
    errors = problem(response, status, slug)["errors"]
    assert all(error["message"] for error in errors), errors
    return {(error["pointer"], error["keyword"]) for error in errors}


def challenge(response):
    """The error of a 401's WWW-Authenticate (None when it names none)."""
    value = response.headers["WWW-Authenticate"]
    assert value.startswith("Bearer"), value
    found = re.search(r'error="([^"]*)"', value)
    return found and found[1]


class Api:
    """api.get(path, role=..., council=..., org=..., carer=...): a token is made when a role or `token` is given."""

    def __init__(self, server, tokens):
        self.server, self.tokens = server, tokens
        self.session = requests.Session()
        self.session.trust_env = False

    def request(self, method, path, role=None, token=None, headers=None, timeout=SECONDS, **options):
        claims = {name: options.pop(name) for name in ("council", "org", "carer", "scope", "alg", "sub")
                  if name in options}
        replace = options.pop("claims", None)
        headers = dict(headers or {})
        if role:
            token = self.tokens.token(role, replace=replace, **claims)
        if token is not None:
            headers.setdefault("Authorization", f"Bearer {token}")
        response = self.session.request(method, self.server.url + path, headers=headers, timeout=timeout,
                                        allow_redirects=False, **options)
        assert response.status_code != 500, f"{method} {path}: {response.text}\n{self.server.tail(6)}"
        assert response.headers.get("X-Request-ID"), response.headers
        return response

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def head(self, path, **options):
        return self.request("HEAD", path, **options)

    def options(self, path, **options):
        return self.request("OPTIONS", path, **options)

    def post(self, path, **options):
        return self.request("POST", path, **options)

    def put(self, path, **options):
        return self.request("PUT", path, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def patch(self, path, etag=None, headers=None, **options):
        """A merge patch; `etag` becomes If-Match."""
        headers = {"Content-Type": MERGE_PATCH, **({"If-Match": etag} if etag else {}), **(headers or {})}
        return self.request("PATCH", path, headers=headers, **options)

    def close(self):
        self.session.close()
