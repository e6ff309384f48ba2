"""/docs in a browser: it opens under its policy, finds operations, sends calls with a token, and asks nobody else.

DOCS_PICTURE=FILE: how docs/docs.png was made.
"""
import json
import os

import pytest
from support.browser import chromium


@pytest.fixture(scope="module")
def browser():
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def page(browser, server):
    """The page /docs, with all its families."""
    browser.open(f"{server.url}/docs")
    browser.wait("#operations-tag-carers")
    return browser


@pytest.fixture
def search(page):
    """search(words): how many operations are found; when they are few, they are shown with their operationId."""
    def look_for(words):
        put(page, "#search", "")
        page.until(lambda: page.texts("#found") == [""], "nothing is searched for")
        page.wait("#search").send_keys(words)
        return int(page.wait("#found", "found").text.split()[0])
    return look_for


@pytest.fixture
def shown(page):
    """shown(operationIds): waits until these are what the page shows."""
    return lambda ids: page.until(lambda: sorted(page.texts(".opblock-summary-operation-id")) == sorted(ids), f"the page shows {ids}")


def put(page, box, text):
    """As pasted: at once."""
    page.driver.execute_script("arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))", page.wait(box), text)


def test_the_page_has_every_family_and_every_operation_of_the_contract(page, search, api):
    contract = api.get("/openapi.json").json()
    methods = ("get", "put", "post", "patch", "delete")
    operations = [item[method] for item in contract["paths"].values() for method in methods if method in item]

    assert len(page.texts(".opblock-tag-section")) == len({tag for operation in operations for tag in operation["tags"]})
    assert search("/") == len(operations)


def test_search_finds_an_operation_by_words_in_any_order(search, shown):
    assert search("carer /v1/carers/{carer_id}/register") == 1 and shown(["registerCarer"])
    assert search("feed copy changes") >= 1 and search("listChanges") == 1 and shown(["listChanges"])
    assert search("no such thing anywhere") == 0 and shown([])


def test_a_call_with_the_token_of_the_box_is_answered_on_the_page(page, search, tokens):
    search("getMe")
    put(page, "#token", "Bearer " + tokens.token("practitioner"))
    page.wait("#operations-caller-getMe [aria-label='authorization button locked']")
    page.wait("#operations-caller-getMe .opblock-summary-control").click()
    page.wait("#operations-caller-getMe .execute").click()
    shown = page.wait("#operations-caller-getMe .live-responses-table .response .highlight-code code", '"role"')

    assert page.wait("#operations-caller-getMe .live-responses-table .response-col_status", "200")
    assert json.loads(shown.text)["role"] == "practitioner"
    if "DOCS_PICTURE" in os.environ:
        page.driver.set_window_size(1280, 1500)
        page.driver.save_screenshot(os.environ["DOCS_PICTURE"])


def test_without_a_token_the_page_shows_the_problem(page, search):
    put(page, "#token", "")
    search("listReferrals")
    page.wait("#operations-referrals-listReferrals [aria-label='authorization button unlocked']")
    page.wait("#operations-referrals-listReferrals .opblock-summary-control").click()
    page.wait("#operations-referrals-listReferrals .execute").click()

    assert page.wait("#operations-referrals-listReferrals .live-responses-table .highlight-code code", "/problems/unauthenticated")


def test_nothing_was_refused_by_the_policy_and_nobody_else_was_asked(page, server):
    assert page.refused() == []
    asked = page.requests()
    assert asked and [url for url in asked if not url.startswith(server.url + "/")] == []
    assert f"{server.url}/openapi.json" in asked


def test_the_guides_open_under_the_same_policy(browser, server):
    browser.open(f"{server.url}/docs")
    places = [link.get_attribute("href") for link in browser.driver.find_elements("css selector", "header li a")]
    assert len(places) == 10
    for place in places:
        browser.open(place)
        assert browser.wait("main h1").text and browser.refused() == [], place
    browser.wait("nav a", "All operations").click()
    assert browser.wait("#search") and browser.driver.current_url == f"{server.url}/docs"
    assert [url for url in browser.requests() if not url.startswith(server.url + "/")] == []
