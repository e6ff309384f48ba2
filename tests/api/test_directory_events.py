"""Events, leaflets and champions over HTTP: who announces, what is gone from the lists, what is refused."""
import datetime
import uuid

import pytest
from support.callers import answer
from support.client import faults, problem
from support.directory import ADMIN, EDITOR, ORGANISATIONS, OTHER_EDITOR, SERVICES, STAFF, organisation_body, service_body
from support.pdf import pdf
from support.tokens import CAMDEN

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


class TestOrganisations:
    """A listed organisation announces for itself: in its own councils, of its own entries, once its listing is published. Rule D3."""

    BODIES = {EVENTS: event_body(), LEAFLETS: {"title": "Rights", "link": "https://example.org/r.pdf"}}

    @pytest.mark.parametrize("path", [EVENTS, LEAFLETS, SERVICES])
    def test_another_council_than_its_own_is_named(self, api, own, listed, path):
        body = self.BODIES.get(path) or service_body(listed["id"])
        assert faults(api.post(path, json={**body, "council": CAMDEN}, **own)) == {("/council", "rule")}
        made = api.post(path, json={**body, "council": listed["council"]}, **own)
        assert (made.status_code, made.json()["council"]) == (201, listed["council"])

    @pytest.mark.parametrize("path", list(BODIES))
    def test_another_organisations_entry_is_named(self, api, own, service, path):
        other = api.post(ORGANISATIONS, json=organisation_body(), **EDITOR).json()
        theirs, its = service(organisation_id=other["id"]), service()
        assert faults(api.post(path, json={**self.BODIES[path], "service_id": theirs["id"]}, **own)) == {("/service_id", "rule")}
        made = api.post(path, json={**self.BODIES[path], "service_id": its["id"]}, **own)
        assert made.status_code == 201
        one = f"{path}/{made.json()['id']}"
        assert faults(api.patch(one, etag="*", json={"service_id": theirs["id"]}, **own)) == {("/service_id", "rule")}
        assert api.get(one).json()["service_id"] == its["id"]

    @pytest.mark.parametrize("path, end", [(EVENTS, "cancel"), (LEAFLETS, "archive")])
    def test_while_its_listing_is_a_draft_it_publishes_nothing(self, api, path, end):
        draft = api.post(ORGANISATIONS, json=organisation_body(state="draft"), **EDITOR).json()
        its, body = {"role": "vcfse_editor", "org": draft["id"]}, {**self.BODIES[path], "organisation_id": draft["id"]}
        assert faults(api.post(path, json=body, **its)) == {("/organisation_id", "rule")}
        one = f"{path}/{api.post(path, json=body, **EDITOR).json()['id']}"
        assert faults(api.patch(one, etag="*", json={"title": "Another"}, **its)) == {("/organisation_id", "rule")}
        assert api.post(f"{one}/{end}", json={"reason": "x"} if end == "cancel" else {}, **its).status_code == 200


class TestConfidential:
    """What is of a confidential organisation, or of a confidential service, is as confidential. Rule D2."""

    ALL = {"event", "leaflet", "file", "events", "leaflets"}
    SIDE = {"its editor": EDITOR, "an administrator": ADMIN, "a practitioner": STAFF}
    OTHERS = {"the public": {}, "another council's editor": OTHER_EDITOR, "another council's practitioner": {"role": "practitioner", "council": CAMDEN},
              "a commissioner": {"role": "commissioner"}}

    @pytest.fixture
    def made(self, api):
        """made(...): an event, and a leaflet with its PDF, of this organisation or service."""
        def make(**of):
            event = api.post(EVENTS, json=event_body(**{**of, "venue": "Safe house", "area": f"Area {uuid.uuid4()}"}), **EDITOR)
            leaflet = api.post(LEAFLETS, json={"title": "Where to go", **of}, **EDITOR)
            assert (event.status_code, leaflet.status_code) == (201, 201), event.text + leaflet.text
            stored = api.put(f"{LEAFLETS}/{leaflet.json()['id']}/file", data=pdf(), headers={"Content-Type": "application/pdf", "If-Match": "*"}, **EDITOR)
            assert stored.status_code == 200, stored.text
            return event.json(), leaflet.json()
        return make

    @pytest.fixture
    def ways(self, api):
        """ways(made, who): by which ways out she is shown them."""
        def look(made, who):
            event, leaflet = made
            shown = {"event": f"{EVENTS}/{event['id']}", "leaflet": f"{LEAFLETS}/{leaflet['id']}", "file": f"{LEAFLETS}/{leaflet['id']}/file"}
            found = {name for name, path in shown.items() if answer(api.get(path, **who)) != "not-found"}
            lists = {"events": (EVENTS, {"area": event["area"]}, event), "leaflets": (LEAFLETS, {"limit": 200}, leaflet)}
            return found | {name for name, (path, query, one) in lists.items()
                            if one["id"] in [item["id"] for item in api.get(path, params=query, **who).json()["items"]]}
        return look

    @pytest.mark.parametrize("what", ["organisation", "service"])
    def test_they_follow_it_and_are_shown_to_its_side_alone(self, api, listed, service, own, organisation, carer, made, ways, what):
        one = service()
        path = f"{ORGANISATIONS}/{listed['id']}" if what == "organisation" else f"{SERVICES}/{one['id']}"
        both = made(organisation_id=listed["id"], **({} if what == "organisation" else {"service_id": one["id"]}))
        others = {**self.OTHERS, "another organisation": {"role": "vcfse_editor", "org": organisation()},
                  "a support worker": {"role": "support_worker", "org": organisation()}, "a carer": {"role": "carer", "carer": carer()["id"]}}
        side = {**self.SIDE, "its organisation": own}
        assert {name for name, who in {**others, **side}.items() if ways(both, who) != self.ALL} == set()

        assert api.patch(path, etag="*", json={"confidential": True}, **EDITOR).status_code == 200

        assert {name: ways(both, who) for name, who in others.items()} == {name: set() for name in others}
        assert {name: ways(both, who) for name, who in side.items()} == {name: self.ALL for name in side}

        assert api.patch(path, etag="*", json={"confidential": False}, **EDITOR).status_code == 200
        assert ways(both, {}) == self.ALL

    @pytest.mark.parametrize("what", ["organisation", "service", "service of a confidential organisation"])
    def test_what_is_made_for_one_that_is_confidential_is_never_public(self, api, service, made, ways, what):
        refuge = api.post(ORGANISATIONS, json=organisation_body(confidential=what != "service"), **EDITOR).json()
        of = {"organisation_id": refuge["id"]} if what == "organisation" else {
            "service_id": service(organisation_id=refuge["id"], confidential=what == "service")["id"]}
        both = made(**of)
        assert (ways(both, {}), ways(both, EDITOR)) == (set(), self.ALL)

    def test_what_is_moved_to_one_that_is_confidential_is_gone_and_comes_back_with_another(self, api, service, made, ways):
        both = made(service_id=service()["id"])
        for hidden in (True, False):
            to = service(confidential=hidden)["id"]
            for path, one in zip((EVENTS, LEAFLETS), both):
                assert api.patch(f"{path}/{one['id']}", etag="*", json={"service_id": to}, **EDITOR).status_code == 200
            assert ways(both, {}) == (set() if hidden else self.ALL)


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
