"""Events, leaflets and champions over HTTP: who announces, what is gone from the lists, what is refused."""
import datetime

import pytest
from support.callers import answer
from support.client import faults, problem
from support.directory import EDITOR, OTHER_EDITOR, STAFF

EVENTS, LEAFLETS, CHAMPIONS = "/v1/directory/events", "/v1/directory/leaflets", "/v1/directory/champions"


def at(days, hours=0):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days, hours * 3600)).strftime("%Y-%m-%dT%H:%M:%SZ")


def event_body(**members):
    return {"title": "Marketplace", "starts_at": at(7), "ends_at": at(7, 3), "area": "Lowestoft", **members}


@pytest.fixture
def own(listed):
    return {"role": "vcfse_editor", "org": listed["id"]}


@pytest.fixture
def event(api):
    def make(**members):
        response = api.post(EVENTS, json=event_body(**members), **EDITOR)
        assert response.status_code == 201, response.text
        return response.json()
    return make


class TestEvents:
    """What is on."""

    def test_it_is_announced_for_everybody_changed_and_cancelled(self, api, event):
        one = event(audience=["practitioners"], capacity=50)
        path = f"{EVENTS}/{one['id']}"
        assert api.get(path).json()["available_actions"] == []
        after = api.patch(path, etag="*", json={"attendance": {"services": 12, "practitioners": 50}}, **EDITOR).json()
        assert after["attendance"]["services"] == 12 and "attendance" not in api.get(path).json()
        gone = api.post(f"{path}/cancel", json={"reason": "A storm."}, **EDITOR).json()
        assert (gone["state"], gone["state_reason"]) == ("cancelled", "A storm.")
        problem(api.post(f"{path}/cancel", json={"reason": "x"}, **EDITOR), 409, "state-conflict")

    @pytest.mark.parametrize("members, pointer", [({"ends_at": at(6)}, "/ends_at"), ({"starts_at": "tomorrow"}, "/starts_at"),
                                                  ({"support_areas": ["teleport"]}, "/support_areas"), ({"council": "E09000007"}, "/council"),
                                                  ({"organisation_id": "019a98d2-cd00-7000-8000-00000000dead"}, "/organisation_id")])
    def test_what_cannot_be_is_named(self, api, members, pointer):
        assert pointer in {p for p, _ in faults(api.post(EVENTS, json=event_body(**members), **EDITOR))}

    def test_a_change_that_ends_it_before_it_starts_is_refused(self, api, event):
        assert ("/ends_at", "rule") in faults(api.patch(f"{EVENTS}/{event()['id']}", etag="*", json={"ends_at": at(1)}, **EDITOR))

    def test_what_is_over_is_gone_from_the_default_list(self, api, event, db):
        title = f"Past {at(0)}"
        past, now, later = event(title=title), event(title=title), event(title=title, area="Southwold")
        db.execute("UPDATE directory_event SET starts_at = now() - interval '3 days', ends_at = now() - interval '2 days' WHERE id = %s", (past["id"],))
        db.execute("UPDATE directory_event SET starts_at = now() - interval '3 days' WHERE id = %s", (now["id"],))

        def listed(query=""):
            found, url = [], f"{EVENTS}?limit=200{query}"
            while url:
                page = api.get(url).json()
                found += [item["id"] for item in page["items"] if item["title"] == title]
                url = page.get("next_cursor") and f"{EVENTS}?limit=200{query}&cursor={page['next_cursor']}"
            return found
        assert set(listed()) == {now["id"], later["id"]} and set(listed("&past=true")) == {past["id"], now["id"], later["id"]}
        assert listed("&area=southwold") == [later["id"]] and listed(f"&until={at(0)}") == [now["id"]]

    def test_an_organisation_announces_its_own_and_no_other(self, api, own, event, listed):
        mine = api.post(EVENTS, json=event_body(), **own).json()
        assert mine["organisation_id"] == listed["id"]
        assert api.patch(f"{EVENTS}/{mine['id']}", etag="*", json={"venue": "Hall"}, **own).status_code == 200
        problem(api.patch(f"{EVENTS}/{event()['id']}", etag="*", json={"venue": "Hall"}, **own), 403, "forbidden")
        problem(api.patch(f"{EVENTS}/{event()['id']}", etag="*", json={"venue": "Hall"}, **OTHER_EDITOR), 403, "forbidden")
        assert answer(api.post(EVENTS, json=event_body(), **{**STAFF, "scope": "directory:write"})) == "forbidden"


class TestLeaflets:
    """Information to take away."""

    def test_expired_ones_are_gone_from_the_default_list(self, api, db, service):
        one = service()
        body = {"title": "Rights", "link": "https://example.org/rights.pdf", "service_id": one["id"], "valid_until": "2099-01-01"}
        made = api.post(LEAFLETS, json=body, **EDITOR).json()
        query = f"{LEAFLETS}?service_id={one['id']}"
        assert [item["id"] for item in api.get(query).json()["items"]] == [made["id"]]
        api.patch(f"{LEAFLETS}/{made['id']}", etag="*", json={"valid_until": "2026-01-01"}, **EDITOR)
        assert api.get(query).json()["items"] == []
        assert [item["id"] for item in api.get(f"{query}&expired=true").json()["items"]] == [made["id"]]

    def test_an_archived_one_is_gone_and_does_not_change(self, api, own):
        made = api.post(LEAFLETS, json={"title": "Rights", "link": "https://example.org/r.pdf"}, **own).json()
        assert api.post(f"{LEAFLETS}/{made['id']}/archive", json={}, **own).json()["state"] == "archived"
        problem(api.get(f"{LEAFLETS}/{made['id']}"), 404, "not-found")
        problem(api.patch(f"{LEAFLETS}/{made['id']}", etag="*", json={"title": "x"}, **EDITOR), 409, "state-conflict")

    @pytest.mark.parametrize("members, pointer", [({"link": "javascript:alert(1)"}, "/link"), ({"service_id": "019a98d2-cd00-7000-8000-00000000dead"}, "/service_id")])
    def test_what_cannot_be_is_named(self, api, members, pointer):
        body = {"title": "Rights", "link": "https://example.org/r.pdf", **members}
        assert pointer in {p for p, _ in faults(api.post(LEAFLETS, json=body, **EDITOR))}


class TestChampions:
    """Who tells a team of the directory: for staff, never the public."""

    def test_the_council_names_and_ends_them(self, api):
        made = api.post(CHAMPIONS, json={"team": "Waveney North", "name": "Rowan Invented", "since": "2026-01-05"}, **EDITOR).json()
        assert made["active"] is True
        ids = [item["id"] for item in api.get(f"{CHAMPIONS}?team=waveney%20north&active=true", **STAFF).json()["items"]]
        assert made["id"] in ids
        ended = api.patch(f"{CHAMPIONS}/{made['id']}", etag="*", json={"until": "2026-01-31"}, **EDITOR).json()
        assert ended["active"] is False
        assert ("/until", "rule") in faults(api.patch(f"{CHAMPIONS}/{made['id']}", etag="*", json={"until": "2025-01-01"}, **EDITOR))

    def test_others_do_not(self, api, own):
        made = api.post(CHAMPIONS, json={"team": "North", "name": "Rowan Invented"}, **EDITOR).json()
        problem(api.get(f"{CHAMPIONS}/{made['id']}"), 401, "unauthenticated")
        problem(api.get(f"{CHAMPIONS}/{made['id']}", **OTHER_EDITOR), 404, "not-found")
        problem(api.get(CHAMPIONS, **own), 403, "forbidden")
        problem(api.patch(f"{CHAMPIONS}/{made['id']}", etag="*", json={"name": "x"}, **{**STAFF, "scope": "directory:write"}), 403, "forbidden")
