"""The timeline of a carer over HTTP: by role, in pages, by kind and time; a sentence each, and no personal data."""
import re
import uuid

import pytest
from support.callers import CALLERS, NOBODY, answer
from support.client import faults, problem
from support.people import carer_body
from support.tokens import ISLINGTON

PERSONS = {"her council", "her council's administrator", "her support worker", "her assessor", "her in-reach team",
           "her breaks provider", "herself"}
STRANGERS = {"another council", "another council's administrator", "another organisation", "another in-reach team",
             "another carer"}  # for them the carer does not exist
STAFF = {"role": "practitioner", "council": ISLINGTON}


def timeline(api, one, query="", **caller):
    response = api.get(f"/v1/carers/{one}/timeline{query}", **(caller or STAFF))
    assert response.status_code == 200, response.text
    return response.json()["items"]


@pytest.mark.parametrize("caller", list(CALLERS))
def test_a_timeline_is_read_by_who_may_see_the_carer(world, caller):
    expected = {**dict.fromkeys(PERSONS, "200"), **dict.fromkeys(STRANGERS, "not-found")}

    assert answer(world.ask(caller, "GET", "/timeline")) == expected.get(caller, "forbidden")


@pytest.mark.parametrize("caller", list(CALLERS))
def test_nobody_is_told_of_a_carer_who_is_not_there(world, caller):
    response = world.ask(caller, "GET", f"/v1/carers/{NOBODY}/timeline")

    assert answer(response) == ("not-found" if caller in PERSONS | STRANGERS else "forbidden")


def test_the_scope_is_asked_for_first(world):
    problem(world.ask("her council", "GET", "/timeline", scope="carers:write"), 403, "insufficient-scope")


@pytest.fixture
def changed(api, organisation):
    """A carer whom a charity recorded, a practitioner changed and the charity closed; and the charity."""
    org = organisation()
    charity = {"role": "support_worker", "org": org}
    one = api.post("/v1/carers", **charity, json=carer_body(family_name="Zwetschge")).json()["id"]
    path = f"/v1/carers/{one}"
    etag = api.get(path, **STAFF).headers["ETag"]
    assert api.patch(path, etag=etag, **STAFF, json={"given_name": "Quittenbaum", "preferred_language": "de"}).status_code == 200
    assert api.post(f"{path}/close", **charity, json={"reason": "moved_away", "note": "to Marille"}).status_code == 200
    return one, org


def test_the_newest_comes_first_each_with_its_sentence_and_its_resource(api, changed):
    one, _ = changed

    items = timeline(api, one)

    assert [(i["kind"], i["summary"], i["version"], i["state"]) for i in items] == [
        ("carer.closed", "The carer is now closed", 3, "closed"),
        ("carer.updated", "Changed: given name, preferred language", 2, "identified"),
        ("carer.created", "The carer was recorded", 1, "identified")]
    assert [i["resource"] for i in items] == [{"type": "carer", "id": one, "href": f"/v1/carers/{one}"}] * 3
    assert [i["at"] for i in items] == sorted((i["at"] for i in items), reverse=True)
    assert api.get(items[0]["resource"]["href"], **STAFF).status_code == 200


def test_council_staff_are_told_whose_token_it_was_and_others_for_whom(api, changed, db):
    one, org = changed
    db.execute("SELECT name FROM organisation WHERE id = %s", (org,))
    organisation = {"id": org, "name": db.fetchone()[0]}

    def actors(**caller):
        return [i["actor"] for i in timeline(api, one, **caller)][1:]
    assert actors() == [{"role": "practitioner", "subject": "practitioner@example.org"},
                        {"role": "support_worker", "organisation": organisation, "subject": "support_worker@example.org"}]
    for caller in ({"role": "carer", "carer": one}, {"role": "assessor", "org": org}):
        assert actors(**caller) == [{"role": "practitioner"}, {"role": "support_worker", "organisation": organisation}]


def test_an_organisation_is_told_the_name_of_another_that_did_it(api, changed, organisation, grant, db):
    (one, org), other = changed, organisation()
    grant(one, other)
    db.execute("SELECT name FROM organisation WHERE id = %s", (org,))

    made = timeline(api, one, "?kind=carer", role="assessor", org=other)[-1]
    assert made["actor"] == {"role": "support_worker", "organisation": {"id": org, "name": db.fetchone()[0]}}


def test_no_personal_data_is_in_it(api, changed):
    one, _ = changed

    text = api.get(f"/v1/carers/{one}/timeline", **STAFF).text

    assert not re.search("Zwetschge|Quittenbaum|Marille", text)


class TestPages:
    """Pages, kinds, times."""

    @pytest.mark.parametrize("limit", [1, 2, 3])
    def test_pages_lead_on_to_the_end(self, api, changed, limit):
        one, _ = changed
        kinds, path = [], f"/v1/carers/{one}/timeline?limit={limit}&kind=carer"
        while path:
            response = api.get(path, **STAFF)
            body, link = response.json(), response.headers.get("Link")
            assert len(body["items"]) <= limit and bool(link) == ("next_cursor" in body)
            kinds += [i["kind"] for i in body["items"]]
            path = link and re.fullmatch(r'<(.*)>; rel="next"', link)[1]
        assert kinds == ["carer.closed", "carer.updated", "carer.created"]

    @pytest.mark.parametrize("kind, found", [("carer.closed", ["carer.closed"]), ("access", []),
                                             ("carer", ["carer.closed", "carer.updated", "carer.created"])])
    def test_by_kind_and_by_family(self, api, changed, kind, found):
        assert [i["kind"] for i in timeline(api, changed[0], f"?kind={kind}")] == found

    def test_since_an_instant(self, api, changed):
        items = timeline(api, changed[0])

        assert timeline(api, changed[0], f"?since={items[1]['at']}") == items[:2]

    @pytest.mark.parametrize("query, where", [
        ("kind=carers", "/query/kind"), ("kind=carer.died", "/query/kind"), ("kind=Carer", "/query/kind"), ("kind=", "/query/kind"),
        ("since=yesterday", "/query/since"), ("limit=0", "/query/limit"), ("limit=201", "/query/limit"),
        ("cursor=x", "/query/cursor"), ("cursor=" + "A" * 32, "/query/cursor"), ("cursor=" + "g" * 22, "/query/cursor")])
    def test_a_wrong_parameter_is_named(self, api, carer, query, where):
        response = api.get(f"/v1/carers/{carer()['id']}/timeline?{query}", **STAFF)

        assert {pointer for pointer, _ in faults(response, 400, "invalid-parameter")} == {where}


def test_the_reading_is_written_to_the_audit_trail_and_a_refused_one_is_not(api, changed, db):
    one, _ = changed
    for caller, rows in ((STAFF, [("getTimeline", one, [one])]), ({"role": "carer", "carer": NOBODY}, [])):
        ident = f"timeline-{uuid.uuid4()}"
        api.get(f"/v1/carers/{one}/timeline", headers={"X-Request-ID": ident}, **caller)
        db.execute("SELECT action, target, carer_ids::text[] FROM audit_entry WHERE request = %s", (ident,))
        assert db.fetchall() == rows
