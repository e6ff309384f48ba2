"""/docs over HTTP: pages, scripts and styles as they were packaged, with their policy, ETag and gzip; no token is needed."""
import html
import re

import pytest
from support.client import faults, problem
from support.server import ROOT

PLACES = {"/docs": "text/html", "/docs/guides/errors": "text/html", "/docs/scripts/docs.js": "text/javascript",
          "/docs/styles/docs.css": "text/css", "/docs/scripts/swagger-ui.js": "text/javascript", "/docs/styles/swagger-ui.css": "text/css"}


@pytest.mark.parametrize("path, media", PLACES.items())
def test_a_page_comes_without_a_token_as_what_it_is(api, path, media):
    response = api.get(path)

    assert response.status_code == 200 and response.headers["Content-Type"] == f"{media}; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff" and response.text


@pytest.mark.parametrize("path", [*PLACES, "/openapi.json", "/openapi.yaml"])
def test_who_has_it_is_told_so_in_either_coding(api, path):
    small, plain = api.get(path), api.get(path, headers={"Accept-Encoding": "identity"})

    assert small.headers["Content-Encoding"] == "gzip" and small.content == plain.content
    assert small.headers["ETag"] == plain.headers["ETag"][:-1] + '.gzip"'
    for tag in (small.headers["ETag"], plain.headers["ETag"]):
        again = api.get(path, headers={"If-None-Match": tag})
        assert again.status_code == 304 and again.content == b""
    assert api.get(path, headers={"If-None-Match": '"v0123456789abcdef"'}).status_code == 200
    assert api.head(path).headers["ETag"] == small.headers["ETag"]


@pytest.mark.parametrize("path", ["/docs", "/docs/guides/first-call"])
def test_a_page_may_load_and_ask_nothing_but_this_service(api, path):
    headers = api.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))

    assert policy["default-src"] == "'none'"
    assert {policy[what] for what in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert {policy[what] for what in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    assert "unsafe" not in headers["Content-Security-Policy"] and "http" not in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/docs", "/docs/guides/first-call"])
def test_a_page_has_nothing_inline_and_all_its_links_lead_somewhere(api, path):
    page = api.get(path).text
    names = re.findall(r'(?:href|src)="([^"]*)"', page)

    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page)
    for name in names:
        if name.startswith(("#", "data:", "https://www.rfc", "https://www.standardwebhooks")):
            continue
        parts = [part for part in path.split("/")[1:-1]]
        target = name.split("#")[0]
        while target.startswith("../"):
            parts, target = parts[:-1], target[3:]
        assert api.get("/" + "/".join([*parts, target])).status_code == 200, name


@pytest.mark.parametrize("path", ["/docs/guides/nothing", "/docs/scripts/nothing.js", "/docs/styles/nothing.css"])
def test_what_was_not_packaged_is_not_there(api, path):
    problem(api.get(path), 404, "not-found")


@pytest.mark.parametrize("path", ["/docs/guides/..%2f..%2fetc", "/docs/scripts/x.css", "/docs/styles/" + "a" * 60 + ".css"])
def test_what_is_no_name_is_refused(api, path):
    assert {pointer for pointer, _ in faults(api.get(path), 400, "invalid-parameter")} <= {"/path", "/path/guide", "/path/script", "/path/style"}


def test_the_guides_are_those_of_the_repository(api):
    page = api.get("/docs").text

    for path in (ROOT / "docs" / "guides").glob("*.md"):
        title = html.escape(path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# "))
        assert f'<a href="docs/guides/{path.stem}">{title}</a>' in page
        assert f"<title>{title} - carers-api</title>" in api.get(f"/docs/guides/{path.stem}").text


def test_other_answers_have_no_policy(api):
    assert "Content-Security-Policy" not in api.get("/livez").headers
