"""Rule D3: what a listed organisation wants changed waits for the council; one-time links do without an account."""
import concurrent.futures
import datetime

import pytest
from support.client import faults, problem
from support.directory import EDITOR, ORGANISATIONS, OTHER_EDITOR, SERVICES, STAFF

PROPOSALS = "/v1/directory/proposals"
TODAY = datetime.date.today().isoformat()


@pytest.fixture
def own(listed):
    return {"role": "vcfse_editor", "org": listed["id"]}


@pytest.fixture
def propose(api, own):
    """propose(service, changes): the proposal of its organisation."""
    def make(one, **changes):
        response = api.patch(f"{SERVICES}/{one['id']}", etag="*", json=changes, **own)
        assert response.status_code == 202, response.text
        assert response.headers["Location"].endswith(response.json()["id"])
        return response.json()
    return make


def decide(api, proposal, action, body=None, **caller):
    return api.post(f"{PROPOSALS}/{proposal['id']}/{action}", json=body or {}, **(caller or EDITOR))


class TestProposals:
    """A diff, field by field; approved or rejected, once."""

    def test_a_change_by_the_organisation_changes_nothing_yet(self, api, service, propose):
        one = service(capacity="yes")
        waiting = propose(one, capacity="waitlist", alert="Closed on Friday.", description=one["description"])
        assert waiting["diff"] == [{"field": "alert", "to": "Closed on Friday."}, {"field": "capacity", "from": "yes", "to": "waitlist"}]
        assert (waiting["state"], waiting["available_actions"]) == ("open", [])
        assert api.get(f"{SERVICES}/{one['id']}").json()["capacity"] == "yes"

    def test_approved_it_changes_the_entry_which_is_assured(self, api, service, propose, assured):
        one = service(capacity="yes", contacts=[{"name": "Desk"}])
        assured(one, 200)
        waiting = propose(one, capacity=None, schedule=[{"freq": "WEEKLY", "byday": "SA"}])

        decided = decide(api, waiting, "approve").json()

        assert (decided["state"], decided["available_actions"]) == ("approved", []) and decided["decided_at"]
        now = api.get(f"{SERVICES}/{one['id']}").json()
        assert "capacity" not in now and (now["assured_on"], now["assured_by"], now["currency"]) == (TODAY, "organisation", "fresh")
        found = api.get(SERVICES, params={"organisation_id": one["organisation_id"], "day": "SA"}).json()["items"]
        assert [item["id"] for item in found] == [one["id"]]

    def test_a_proposal_is_approved_once(self, api, service, propose):
        waiting = propose(service(), capacity="no")
        assert decide(api, waiting, "approve").status_code == 200
        assert problem(decide(api, waiting, "approve"), 409, "state-conflict")["state"] == "approved"
        problem(decide(api, waiting, "reject", {"reason": "x"}), 409, "state-conflict")

    def test_of_two_who_decide_at_once_one_does(self, api, server, client, service, propose):
        waiting = propose(service(), capacity="no")
        clients = [client(server) for _ in range(4)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda c: decide(c, waiting, "approve").status_code, clients))
        assert sorted(answers) == [200, 409, 409, 409]

    def test_rejected_it_says_why_to_the_organisation(self, api, service, propose, own):
        one = service()
        waiting = propose(one, capacity="no")
        assert ("", "required") in faults(decide(api, waiting, "reject"))
        decide(api, waiting, "reject", {"reason": "That is the other number."})
        seen = api.get(f"{PROPOSALS}/{waiting['id']}", **own).json()
        assert (seen["state"], seen["reason"]) == ("rejected", "That is the other number.")
        assert "capacity" not in api.get(f"{SERVICES}/{one['id']}").json()

    def test_a_field_that_is_another_meanwhile_is_a_conflict(self, api, service, propose):
        one = service(capacity="yes")
        waiting, beside = propose(one, capacity="no"), propose(one, alert="Closed.")
        api.patch(f"{SERVICES}/{one['id']}", etag="*", json={"capacity": "waitlist"}, **EDITOR)
        problem(decide(api, waiting, "approve"), 409, "conflict")
        assert decide(api, beside, "approve").status_code == 200

    def test_an_organisations_own_listing_is_changed_the_same_way(self, api, service, own, listed):
        one, path = service(), f"/v1/directory/organisations/{listed['id']}"
        waiting = api.patch(path, etag="*", json={"name": "Sextant Trust", "website": "https://example.org/s"}, **own).json()
        assert api.get(path).json()["name"] == listed["name"] and "service_id" not in waiting
        assert decide(api, waiting, "approve").json()["state"] == "approved"
        assert api.get(path).json()["website"] == "https://example.org/s"
        found = api.get(SERVICES, params={"q": "sextant"}).json()["items"]
        assert [item["id"] for item in found] == [one["id"]] and found[0]["organisation_name"] == "Sextant Trust"

    def test_what_was_archived_meanwhile_does_not_change(self, api, service, propose):
        one = service()
        waiting = propose(one, capacity="no")
        api.post(f"{SERVICES}/{one['id']}/archive", json={"reason": "Closed."}, **EDITOR)
        assert problem(decide(api, waiting, "approve"), 409, "state-conflict")["state"] == "archived"
        assert decide(api, waiting, "reject", {"reason": "It has closed."}).status_code == 200

    def test_nothing_to_change_is_no_proposal(self, api, service, own):
        one = service(capacity="yes")
        response = api.patch(f"{SERVICES}/{one['id']}", etag="*", json={"capacity": "yes"}, **own)
        assert problem(response, 422, "rule-violated")["rule"] == "D3"

    def test_an_old_etag_is_refused_before_it_is_a_proposal(self, api, service, own):
        problem(api.patch(f"{SERVICES}/{service()['id']}", etag='"v1"', json={"capacity": "yes"}, **own), 412, "precondition-failed")

    def test_those_about_an_organisation_are_not_listed_for_an_entry(self, api, service, propose, own, listed):
        one = service()
        about = api.patch(f"{ORGANISATIONS}/{listed['id']}", etag="*", json={"name": "Another name"}, **own).json()
        assert about["id"] in [p["id"] for p in api.get(f"{PROPOSALS}?state=open", **own).json()["items"]]
        waiting = propose(one, capacity="no")
        assert [p["id"] for p in api.get(f"{PROPOSALS}?service_id={one['id']}", **own).json()["items"]] == [waiting["id"]]

    def test_they_are_seen_by_the_council_and_by_their_organisation(self, api, service, propose, own, organisation):
        one = service()
        waiting = propose(one, capacity="no")
        for caller, seen in ((EDITOR, True), (own, True), (OTHER_EDITOR, False), ({"role": "vcfse_editor", "org": organisation()}, False)):
            listing = api.get(f"{PROPOSALS}?state=open&service_id={one['id']}", **caller).json()["items"]
            assert [p["id"] for p in listing] == [waiting["id"]] * seen
            if not seen:
                problem(api.get(f"{PROPOSALS}/{waiting['id']}", **caller), 404, "not-found")
        problem(api.get(PROPOSALS, scope="directory:write", **STAFF), 403, "forbidden")

    def test_another_councils_editor_decides_nothing(self, api, service, propose, own):
        waiting = propose(service(), capacity="no")
        problem(decide(api, waiting, "approve", **OTHER_EDITOR), 404, "not-found")
        problem(decide(api, waiting, "approve", scope="directory:publish", **own), 403, "forbidden")


class TestLinks:
    """Confirmed or corrected without an account, once."""

    @pytest.fixture
    def link(self, api):
        def make(one, **body):
            response = api.post(f"{SERVICES}/{one['id']}/refresh-link", json=body, **EDITOR)
            assert response.status_code == 200, response.text
            assert response.headers["Cache-Control"] == "no-store"
            return response.json()
        return make

    def test_who_has_it_sees_the_entry_and_confirms_it_once(self, api, service, link, assured):
        one = service()
        assured(one, 200)
        path = link(one)["path"]
        assert api.get(path).json()["currency"] == "stale"
        assert api.post(path, json={}).json() == {"answer": "confirmed"}
        now = api.get(f"{SERVICES}/{one['id']}").json()
        assert (now["currency"], now["assured_by"]) == ("fresh", "organisation")
        assert problem(api.post(path, json={}), 409, "state-conflict")["state"] == "used"
        problem(api.get(path), 409, "state-conflict")

    def test_the_trail_says_that_it_was_somebody_without_a_token(self, api, service, link):
        one = service()
        api.post(link(one)["path"], json={})
        trail = api.get("/v1/audit?action=answerRefreshLink&limit=200", **{**EDITOR, "role": "council_admin", "scope": "audit:read"})
        assert trail.status_code == 200, trail.text
        assert {item["role"] for item in trail.json()["items"]} == {"public"}

    def test_a_correction_is_a_proposal(self, api, service, link):
        one = service(capacity="yes")
        answer = api.post(link(one)["path"], json={"changes": {"capacity": "no"}, "note": "Full until May."}).json()
        waiting = api.get(f"{PROPOSALS}/{answer['proposal_id']}", **EDITOR).json()
        assert (waiting["source"], waiting["note"]) == ("refresh_link", "Full until May.")
        assert waiting["diff"] == [{"field": "capacity", "from": "yes", "to": "no"}]
        assert api.get(f"{SERVICES}/{one['id']}").json()["capacity"] == "yes"

    def test_a_correction_that_cannot_be_leaves_the_link_as_it_was(self, api, service, link):
        path = link(service())["path"]
        faults(api.post(path, json={"changes": {"schedule": [{"freq": "WEEKLY"}]}}))
        assert api.post(path, json={}).status_code == 200

    def test_a_link_that_expired_or_never_was_is_not_found(self, api, service, link, db):
        path = link(service(), days=1)["path"]
        db.execute("UPDATE directory_link SET expires_at = now() WHERE secret_hash = sha256(%s::bytea)", (path.rsplit("/", 1)[1],))
        problem(api.get(path), 404, "not-found")
        problem(api.post(path, json={}), 404, "not-found")
        problem(api.get("/v1/directory/refresh/" + "0" * 64), 404, "not-found")

    def test_the_token_is_kept_nowhere(self, api, service, link, db, server):
        token = link(service())["token"]
        db.execute("SELECT count(*) FROM directory_link l WHERE l::text LIKE %s", (f"%{token}%",))
        assert db.fetchone() == (0,)
        db.execute("SELECT count(*) FROM audit_entry a WHERE a::text LIKE %s", (f"%{token}%",))
        assert db.fetchone() == (0,)
        api.get(f"/v1/directory/refresh/{token}")
        assert token not in server.log()

    def test_links_are_made_by_the_councils_team(self, api, service, own, link):
        one = service()
        problem(api.post(f"{SERVICES}/{one['id']}/refresh-link", json={}, **OTHER_EDITOR), 403, "forbidden")
        problem(api.post(f"{SERVICES}/{one['id']}/refresh-link", json={}, **own), 403, "forbidden")
