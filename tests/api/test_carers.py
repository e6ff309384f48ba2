"""Carers: created, listed, read, changed and moved through their states, by role and by rule."""
import datetime
import re
import uuid

import pytest
from support.client import faults, problem
from support.people import carer_body, nhs_number
from support.tokens import CAMDEN, ISLINGTON, PERSON

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TRIAGE = {"triage": {"answers": {"hours_a_week": "50 or more"}, "needs": ["break_from_caring"], "level": "light"}}
STAFF = ("council_admin", "practitioner")
FULL = {
    "date_of_birth": "1961-05-04", "kind": "adult", "previously_known": False, "known_to_social_care": True,
    "contact": {"phone": "020 7946 0123", "email": "someone@example.org", "preferred": "sms"},
    "address": {"line_1": "1 High Street", "line_2": "Flat 2", "town": "London", "postcode": "N1 1AA", "uprn": "100023336956"},
    "preferred_language": "tr", "interpreter_required": True, "accessible_format": "large_print",
    "employment_status": "paid_less_than_16_hours",
    "gp": {"practice_code": "F83004", "name": "Invented Practice", "registered_as_carer": "no"},
    "cared_for": [{"relationship": "parent", "given_name": "Ada", "setting": "home", "needs": ["dementia"],
                   "end_of_life": False}],
    "external_refs": [{"system": "case-system", "id": "A-1"}],
}


def path_of(one):
    return f"/v1/carers/{one['id']}"


def etag_of(api, one, **caller):
    return api.get(path_of(one), **(caller or {"role": "practitioner"})).headers["ETag"]


@pytest.fixture
def in_state(api, carer, db):
    """in_state(state): a carer in that state, moved there by the service's own actions where there are any."""
    def make(state, **options):
        one = carer(**options)
        if state in ("registered", "active", "inactive"):
            assert api.post(f"{path_of(one)}/register", role="practitioner", json=TRIAGE).status_code == 200
        if state in ("active", "inactive"):  # support begins with a referral or a break, which come with their families
            db.execute("SET session_replication_role = replica")
            db.execute("UPDATE carer SET state = 'active', state_since = now() WHERE id = %s", (one["id"],))
            db.execute("UPDATE carer_access SET state = 'active' WHERE carer_id = %s", (one["id"],))
            db.execute("SET session_replication_role = origin")
        if state == "inactive":
            assert api.post(f"{path_of(one)}/deactivate", role="practitioner", json={"reason": "support_completed"}
                            ).status_code == 200
        if state == "closed":
            assert api.post(f"{path_of(one)}/close", role="practitioner", json={"reason": "moved_away"}).status_code == 200
        return one
    return make


class TestCreate:
    """createCarer: 201, Location, ETag, the representation."""

    def test_a_carer_is_created_and_read_back_as_she_was_sent(self, api):
        body = carer_body(**FULL, nhs_number=nhs_number())

        made = api.post("/v1/carers", role="practitioner", json=body)

        assert made.status_code == 201, made.text
        one = made.json()
        assert UUID7.fullmatch(one["id"]) and made.headers["Location"].endswith(path_of(one))
        assert {name: one[name] for name in body} == body
        assert one["state"] == "identified"
        read = api.get(path_of(one), role="practitioner")
        assert read.json() == one and read.headers["ETag"] == made.headers["ETag"]

    def test_the_least_that_is_asked_for_is_enough_and_absent_fields_are_absent(self, api):
        one = api.post("/v1/carers", role="practitioner", json=carer_body(date_of_birth=None)).json()

        assert None not in one.values()
        assert not {"nhs_number", "date_of_birth", "contact", "address", "cared_for", "gp"} & set(one)

    @pytest.mark.parametrize("field", ["given_name", "family_name", "council", "identification"])
    def test_what_is_required_is_asked_for(self, api, field):
        body = {name: value for name, value in carer_body().items() if name != field}

        found = faults(api.post("/v1/carers", role="practitioner", json=body))

        assert {keyword for _, keyword in found} == {"required"}

    @pytest.mark.parametrize("field, value", [("id", "0195e6a0-0000-7000-8000-000000000001"), ("state", "active"), ("available_actions", []),
                                              ("created_at", "2026-01-01T00:00:00Z"), ("version", 7)])
    def test_what_the_service_decides_is_not_taken(self, api, field, value):
        found = faults(api.post("/v1/carers", role="practitioner", json={**carer_body(), field: value}))

        assert {where for where, _ in found} == {f"/{field}"}

    def test_a_postcode_is_kept_in_upper_case_with_one_space(self, api):
        made = api.post("/v1/carers", role="practitioner", json=carer_body(address={"postcode": "n11aa"}))

        assert made.status_code == 201, made.text
        assert made.json()["address"]["postcode"] == "N1 1AA"

    def test_names_keep_their_accents_their_case_and_their_script(self, api):
        for name in ("Őrsi-O’Neill", "Nguyễn", "মোহাম্মদ", "李", "van der Berg", "𐐷eseret"):
            made = api.post("/v1/carers", role="practitioner", json=carer_body(given_name=name))
            assert made.json()["given_name"] == name

    def test_an_organisation_that_does_not_exist_is_named(self, api):
        body = carer_body(identification={"source": "self", "identified_on": "2026-03-02",
                                          "organisation_id": str(uuid.uuid4())})

        response = api.post("/v1/carers", role="practitioner", json=body)

        assert [e["pointer"] for e in problem(response, 422, "validation-failed")["errors"]] == \
            ["/identification/organisation_id"]

    @pytest.mark.parametrize("role", ["council_admin", "practitioner", "assessor", "support_worker", "hospital_in_reach"])
    def test_these_roles_create(self, api, organisation, role):
        org = None if role in STAFF else organisation()

        made = api.post("/v1/carers", role=role, org=org, json=carer_body())

        assert made.status_code == 201, made.text
        assert api.get(made.headers["Location"], role=role, org=org).status_code == 200

    @pytest.mark.parametrize("role", ["break_provider", "carer"])
    def test_these_roles_do_not(self, api, organisation, carer, role):
        own = {"carer": carer()["id"]} if role == "carer" else {"org": organisation(kind="breaks_provider")}

        problem(api.post("/v1/carers", role=role, scope=PERSON, json=carer_body(), **own), 403, "forbidden")


class TestDuplicates:
    """C1: who is there already is not registered again unseen."""

    LIKE = {"date_of_birth": "1970-01-31", "address": {"postcode": "NW1 8AB"}}

    def test_the_same_nhs_number_is_a_duplicate_and_names_whom(self, api, carer):
        number = nhs_number()
        one = carer(nhs_number=number)

        body = problem(api.post("/v1/carers", role="practitioner", json=carer_body(nhs_number=number)),
                       409, "possible-duplicate")

        assert body["candidates"] == [one["id"]]

    def test_the_same_name_birth_and_postcode_is_a_duplicate_however_it_is_written(self, api, carer):
        one = carer(family_name="O’Brien-Müller", **self.LIKE)
        twin = carer_body(family_name="o'brien muller", date_of_birth="1970-01-31", address={"postcode": "nw18ab"})

        body = problem(api.post("/v1/carers", role="practitioner", json=twin), 409, "possible-duplicate")

        assert body["candidates"] == [one["id"]]

    def test_likeness_is_overridden_with_a_reason(self, api, carer):
        one = carer(date_of_birth="1971-01-31", address={"postcode": "NW1 8AB"})
        twin = carer_body(family_name=one["family_name"], date_of_birth="1971-01-31", address={"postcode": "NW1 8AB"})

        without = api.post("/v1/carers?allow_duplicate=true", role="practitioner", json=twin)
        assert [e["pointer"] for e in problem(without, 422, "validation-failed")["errors"]] == ["/duplicate_reason"]
        made = api.post("/v1/carers?allow_duplicate=true", role="practitioner",
                        json={**twin, "duplicate_reason": "her twin sister"})
        assert made.status_code == 201, made.text

    def test_an_nhs_number_is_never_overridden(self, api, carer):
        number = nhs_number()
        carer(nhs_number=number)

        response = api.post("/v1/carers?allow_duplicate=true", role="practitioner",
                            json=carer_body(nhs_number=number, duplicate_reason="I am sure"))

        problem(response, 409, "possible-duplicate")

    def test_a_patch_that_makes_a_duplicate_is_refused_too(self, api, carer):
        number = nhs_number()
        carer(nhs_number=number)
        one = carer()

        problem(api.patch(path_of(one), etag=etag_of(api, one), role="practitioner", json={"nhs_number": number}),
                409, "possible-duplicate")

    def test_a_candidate_that_the_caller_may_not_see_is_not_named(self, api, carer, organisation):
        number = nhs_number()
        carer(nhs_number=number)

        body = problem(api.post("/v1/carers", role="support_worker", org=organisation(),
                                json=carer_body(nhs_number=number)), 409, "possible-duplicate")

        assert body["candidates"] == []

    def test_another_councils_record_is_not_betrayed(self, api, carer):
        number = nhs_number()
        carer(council=CAMDEN, nhs_number=number)

        made = api.post("/v1/carers", role="practitioner", council=ISLINGTON, json=carer_body(nhs_number=number))

        assert made.status_code == 201, made.text

    def test_a_closed_record_leaves_its_number_free(self, api, carer, in_state):
        number = nhs_number()
        in_state("closed", nhs_number=number)

        assert api.post("/v1/carers", role="practitioner", json=carer_body(nhs_number=number)).status_code == 201

    def test_of_eight_at_once_with_one_number_one_is_created(self, server, client):
        import threading
        number, answers, start = nhs_number(), [], threading.Barrier(8)

        def create():
            one = client(server)
            start.wait()
            answers.append(one.post("/v1/carers", role="practitioner", json=carer_body(nhs_number=number)))
        threads = [threading.Thread(target=create) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(a.status_code for a in answers) == [201] + [409] * 7
        for answer in answers:
            if answer.status_code == 409:
                problem(answer, 409, "possible-duplicate")


class TestList:
    """listCarers: pages, newest first, filters."""

    def pages(self, api, query, **caller):
        path, pages = f"/v1/carers?{query}", []
        while path:
            response = api.get(path, **caller)
            assert response.status_code == 200, response.text
            body = response.json()
            pages.append([item["id"] for item in body["items"]])
            link = response.links.get("next", {}).get("url")
            assert bool(link) == ("next_cursor" in body)
            path = link and link[link.index("/v1/"):]
        return pages

    def test_pages_show_everybody_once_newest_first(self, api, carer, organisation):
        org = organisation()
        made = [carer(role="support_worker", org=org)["id"] for _ in range(7)]

        pages = self.pages(api, "limit=3", role="support_worker", org=org)

        assert [len(page) for page in pages] == [3, 3, 1]
        assert sum(pages, []) == made[::-1]

    def test_a_last_page_that_is_full_has_no_next(self, api, carer, organisation):
        org = organisation()
        for _ in range(4):
            carer(role="support_worker", org=org)

        assert [len(page) for page in self.pages(api, "limit=2", role="support_worker", org=org)] == [2, 2]

    def test_a_council_pages_over_its_councils_newest_first(self, api, carer):
        made = [carer(council=council)["id"] for council in (CAMDEN, ISLINGTON, CAMDEN, ISLINGTON, CAMDEN)]

        pages = self.pages(api, "limit=2", role="practitioner", council=[CAMDEN, ISLINGTON])

        everybody = sum(pages, [])
        assert everybody[:5] == made[::-1] and len(everybody) == len(set(everybody))

    def test_nobody_is_an_empty_list(self, api, organisation):
        body = api.get("/v1/carers", role="support_worker", org=organisation()).json()

        assert body == {"items": []}

    def test_who_comes_while_one_pages_does_not_shift_the_pages(self, api, carer, organisation):
        org = organisation()
        made = [carer(role="support_worker", org=org)["id"] for _ in range(4)]
        first = api.get("/v1/carers?limit=2", role="support_worker", org=org).json()
        carer(role="support_worker", org=org)

        second = api.get(f"/v1/carers?limit=2&cursor={first['next_cursor']}", role="support_worker", org=org).json()

        assert [i["id"] for i in first["items"] + second["items"]] == made[::-1]

    def test_filters_leave_out_the_others(self, api, carer, organisation, in_state):
        org = {"role": "support_worker", "org": organisation()}
        yes, no, unknown = (carer(**org, known_to_social_care=known)["id"] for known in (True, False, None))
        closed = in_state("closed", **org)["id"]
        other = carer(**org, identification={"source": "gp", "identified_on": "2026-03-02"})["id"]

        def found(query):
            return {item["id"] for item in api.get(f"/v1/carers?{query}", **org).json()["items"]}
        assert found("known_to_social_care=true") == {yes}
        assert found("known_to_social_care=false") == {no}
        assert found("state=closed") == {closed}
        assert found("state=identified&known_to_social_care=true") == {yes}
        assert found("source=gp") == {other}
        assert found(f"council={ISLINGTON}") == {yes, no, unknown, closed, other}
        assert found(f"council={CAMDEN}") == set()

    def test_updated_since_is_for_partners_that_poll(self, api, carer, organisation):
        org = {"role": "support_worker", "org": organisation()}
        first, second = carer(**org), carer(**org)
        since = second["updated_at"]
        changed = api.patch(path_of(first), etag=etag_of(api, first, **org), json={"preferred_language": "cy"}, **org)
        assert changed.status_code == 200, changed.text

        items = api.get(f"/v1/carers?updated_since={since}", **org).json()["items"]

        assert first["id"] in {item["id"] for item in items}
        later = (datetime.datetime.fromisoformat(changed.json()["updated_at"].replace("Z", "+00:00"))
                 + datetime.timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
        assert api.get(f"/v1/carers?updated_since={later}", **org).json()["items"] == []

    def test_a_page_of_a_polling_partner_goes_on_where_it_ended(self, api, carer, organisation):
        org = {"role": "support_worker", "org": organisation()}
        made = {carer(**org)["id"] for _ in range(5)}

        pages = self.pages(api, "limit=2&updated_since=2020-01-01T00:00:00Z", **org)

        assert len(sum(pages, [])) == 5 and set(sum(pages, [])) == made


class TestUpdate:
    """updateCarer: a merge patch under If-Match."""

    def test_a_patch_changes_what_it_names_and_null_removes(self, api, carer):
        one = carer(**FULL)

        response = api.patch(path_of(one), etag=etag_of(api, one), role="practitioner",
                             json={"employment_status": None, "contact": {"phone": None, "preferred": "email"},
                                   "given_name": "Other"})

        assert response.status_code == 200, response.text
        changed = response.json()
        assert changed["given_name"] == "Other" and "employment_status" not in changed
        assert changed["contact"] == {"email": "someone@example.org", "preferred": "email"}
        assert changed["address"] == one["address"] and changed["updated_at"] > one["updated_at"]
        read = api.get(path_of(one), role="practitioner")
        assert read.json() == changed and read.headers["ETag"] == response.headers["ETag"]

    def test_a_patch_of_nothing_changes_nothing(self, api, carer):
        one = carer()
        etag = etag_of(api, one)

        response = api.patch(path_of(one), etag=etag, role="practitioner", json={})

        assert response.status_code == 200 and response.headers["ETag"] == etag and response.json() == one

    @pytest.mark.parametrize("patch, pointer", [
        ({"given_name": None}, "/given_name"), ({"family_name": ""}, "/family_name"), ({"id": "x"}, "/id"),
        ({"state": "active"}, "/state"), ({"nhs_number": "123"}, "/nhs_number"), ({"surname": "X"}, "/surname"),
        ({"contact": {"fax": "1"}}, "/contact/fax"), ({"identification": None}, "/identification")], ids=str)
    def test_a_patch_is_validated(self, api, carer, patch, pointer):
        one = carer()

        response = api.patch(path_of(one), etag=etag_of(api, one), role="practitioner", json=patch)

        assert {e["pointer"] for e in problem(response, 422, "validation-failed")["errors"]} == {pointer}
        assert api.get(path_of(one), role="practitioner").json() == one

    def test_a_patch_of_nobody_is_not_found(self, api):
        problem(api.patch(f"/v1/carers/{uuid.uuid4()}", etag='"1"', role="practitioner", json={}), 404, "not-found")


class TestStates:
    """identified -> registered -> active <-> inactive; any but closed -> closed."""

    BODY = {"register": TRIAGE, "deactivate": {"reason": "support_completed"}, "reactivate": None,
            "close": {"reason": "moved_away"}}
    MACHINE = {("identified", "register"): "registered", ("active", "deactivate"): "inactive",
               ("inactive", "reactivate"): "active", **{(s, "close"): "closed" for s in
                                                         ("identified", "registered", "active", "inactive")}}
    STATES = ("identified", "registered", "active", "inactive", "closed")

    @pytest.mark.parametrize("action", BODY)
    @pytest.mark.parametrize("state", STATES)
    def test_an_action_leads_where_the_machine_says_or_is_refused(self, api, in_state, state, action):
        one = in_state(state)

        response = api.post(f"{path_of(one)}/{action}", role="practitioner", json=self.BODY[action])

        if (state, action) in self.MACHINE:
            assert response.status_code == 200, response.text
            assert response.json()["state"] == self.MACHINE[state, action] and response.headers["ETag"]
        else:
            assert problem(response, 409, "state-conflict")["state"] == state
        now = api.get(path_of(one), role="practitioner").json()
        assert now["state"] == self.MACHINE.get((state, action), state)

    @pytest.mark.parametrize("state", STATES)
    def test_available_actions_are_the_ones_that_work(self, api, in_state, state):
        one = in_state(state)

        actions = set(api.get(path_of(one), role="practitioner").json()["available_actions"])

        expected = {action for at, action in self.MACHINE if at == state}
        assert actions == expected | ({"update"} if state != "closed" else set())

    @pytest.mark.parametrize("role, expected", [("assessor", {"update"}), ("hospital_in_reach", {"update", "register"}),
                                                ("support_worker", {"update", "register", "close"})])
    def test_available_actions_are_the_callers_own(self, api, carer, organisation, role, expected):
        org = organisation()

        assert set(carer(role=role, org=org)["available_actions"]) == expected

    @pytest.mark.parametrize("role, action", [("assessor", "register"), ("assessor", "close"),
                                              ("hospital_in_reach", "close"), ("hospital_in_reach", "deactivate")])
    def test_an_action_that_a_role_may_not_take_is_forbidden(self, api, carer, organisation, role, action):
        org = organisation()
        one = carer(role=role, org=org)

        problem(api.post(f"{path_of(one)}/{action}", role=role, org=org, json=self.BODY[action]), 403, "forbidden")

    def test_registering_needs_her_triage(self, api, carer):
        response = api.post(f"{path_of(carer())}/register", role="practitioner")

        if response.status_code != 422 or "errors" not in response.json():
            assert problem(response, 422, "rule-violated")["rule"] == "C4"

    def test_closing_needs_a_reason(self, api, carer):
        one = carer()

        assert api.post(f"{path_of(one)}/close", role="practitioner", json={}).status_code == 422
        assert api.post(f"{path_of(one)}/close", role="practitioner").status_code in (400, 415, 422)
        assert api.get(path_of(one), role="practitioner").json()["state"] == "identified"

    def test_a_closed_record_does_not_change(self, api, in_state):
        one = in_state("closed")

        response = api.patch(path_of(one), etag=etag_of(api, one), role="practitioner", json={"given_name": "X"})

        assert problem(response, 409, "state-conflict")["state"] == "closed"

    def test_a_move_changes_the_etag(self, api, carer):
        one = carer()
        before = etag_of(api, one)

        after = api.post(f"{path_of(one)}/close", role="practitioner", json={"reason": "moved_away"}).headers["ETag"]

        assert after != before and after == etag_of(api, one)


class TestHerself:
    """C6: a carer's own token changes contact, language, communication and GP fields of her own record."""

    OWN = [{"contact": {"phone": "020 7946 0999"}}, {"preferred_language": "bn"}, {"interpreter_required": True},
           {"accessible_format": "easy_read"}, {"gp": {"practice_code": "F83004", "name": "Other Practice"}}]
    OTHERS = [{"given_name": "Other"}, {"family_name": "Other"}, {"date_of_birth": "1980-01-01"}, {"kind": "parent"},
              {"known_to_social_care": True}, {"employment_status": "seeking_work"}, {"address": {"postcode": "N1 1AA"}},
              {"cared_for": []}, {"external_refs": [{"system": "x", "id": "y"}]}, {"nhs_number": "9434765919"}]

    @pytest.mark.parametrize("patch", OWN, ids=str)
    def test_she_changes_what_is_hers(self, api, carer, patch):
        one = carer()
        me = {"role": "carer", "carer": one["id"]}

        response = api.patch(path_of(one), etag=etag_of(api, one, **me), json=patch, **me)

        assert response.status_code == 200, response.text
        name, value = next(iter(patch.items()))
        assert response.json()[name] == value

    @pytest.mark.parametrize("patch", OTHERS, ids=str)
    def test_she_does_not_change_the_rest(self, api, carer, patch):
        one = carer(cared_for=[{"relationship": "parent"}])
        me = {"role": "carer", "carer": one["id"]}

        response = api.patch(path_of(one), etag=etag_of(api, one, **me), json=patch, **me)

        assert problem(response, 422, "rule-violated")["rule"] == "C6"
        assert api.get(path_of(one), role="practitioner").json() == \
            {**one, "available_actions": api.get(path_of(one), role="practitioner").json()["available_actions"]}

    def test_she_takes_no_action_on_her_state(self, api, carer):
        one = carer()
        me = {"role": "carer", "carer": one["id"]}

        problem(api.post(f"{path_of(one)}/close", json={"reason": "moved_away"}, **me), 403, "forbidden")
        assert api.get(path_of(one), **me).json()["available_actions"] == ["update"]
