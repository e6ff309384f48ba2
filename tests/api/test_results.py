"""What was found in an assessment: SWEMWBS (A1), ratings (A2), I-statements (A3), eligibility (A9); A8 for all of them."""
import concurrent.futures
import contextlib
import uuid

import psycopg2
import pytest
from support.assessments import BODIES
from support.callers import CALLERS, answer
from support.client import Api, faults, problem

ITEMS = ["optimism", "usefulness", "relaxation", "problem_handling", "clear_thinking", "closeness", "own_decisions"]
TODAY = "2026-11-20"
COUNCIL = {"role": "practitioner"}


def responses(*answers):
    return dict(zip(ITEMS, answers))


@pytest.fixture
def opened(api, carer):
    """opened(carer): the path of a statutory assessment of hers that is in progress."""
    def make(one=None, **members):
        one = one or carer()
        made = api.post(f"/v1/carers/{one['id']}/assessments", json={"kind": "statutory", **members}, **COUNCIL)
        assert made.status_code == 201, made.text
        path = f"/v1/assessments/{made.json()['id']}"
        for action in ("schedule", "start"):
            moved = api.post(f"{path}/{action}", json=BODIES.get(action, {}), **COUNCIL)
            assert moved.status_code == 200, moved.text
        return path
    return make


def put(api, path, body, etag=None, **caller):
    return api.put(path, json=body, headers={"If-Match": etag} if etag else {}, **{**COUNCIL, **caller})


class TestSwemwbs:
    """Rule A1: the service scores, by the published table, and nobody else."""

    def test_all_seven_answers_are_scored_to_two_decimals(self, api, opened):
        response = put(api, opened() + "/swemwbs", {"completed_on": TODAY, "responses": responses(3, 3, 2, 3, 3, 3, 2)})

        assert response.status_code == 201, response.text
        body = response.json()
        assert (body["raw_score"], body["band"], body["complete"]) == (19, "low", True)
        assert '"metric_score":17.98,' in response.text
        assert body["code"] == {"system": "http://snomed.info/sct", "code": "718466001"}

    @pytest.mark.parametrize("each, raw, metric, band", [(1, 7, "7.00", "low"), (3, 21, "19.25", "low"),
                                                         (4, 28, "25.03", "average"), (5, 35, "35.00", "high")])
    def test_the_ends_and_the_middle_of_the_scale(self, api, opened, each, raw, metric, band):
        response = put(api, opened() + "/swemwbs", {"completed_on": TODAY, "responses": responses(*[each] * 7)})

        assert (response.json()["raw_score"], response.json()["band"]) == (raw, band)
        assert f'"metric_score":{metric},' in response.text

    def test_fewer_than_seven_are_kept_without_a_score(self, api, opened):
        body = put(api, opened() + "/swemwbs", {"completed_on": TODAY, "responses": responses(5, 5, 5)}).json()

        assert body["complete"] is False and body["responses"] == responses(5, 5, 5)
        assert not {"raw_score", "metric_score", "band"} & set(body)

    @pytest.mark.parametrize("change, pointer", [
        ({"responses": {**responses(3, 3, 3, 3, 3, 3, 3), "eighth": 3}}, "/responses/eighth"),
        ({"responses": responses(0, 3)}, "/responses/optimism"), ({"responses": responses(6, 3)}, "/responses/optimism"),
        ({"responses": responses(3.5, 3)}, "/responses/optimism"), ({"responses": {}}, "/responses"),
        ({"raw_score": 19}, "/raw_score"), ({"metric_score": 17.98}, "/metric_score")])
    def test_what_is_no_answer_is_refused_with_the_rule(self, api, opened, change, pointer):
        path = opened() + "/swemwbs"
        response = put(api, path, {"completed_on": TODAY, "responses": responses(3, 3), **change})

        assert problem(response, 422, "validation-failed")["rule"] == "A1"
        assert pointer in {where for where, _ in faults(response)}
        problem(api.get(path, **COUNCIL), 404, "not-found")

    def test_the_next_put_replaces_and_needs_the_etag(self, api, opened):
        path = opened() + "/swemwbs"
        first = put(api, path, {"completed_on": TODAY, "responses": responses(1)})

        problem(put(api, path, {"completed_on": TODAY, "responses": responses(2)}), 428, "precondition-required")
        problem(put(api, path, {"completed_on": TODAY, "responses": responses(2)}, etag='"v7"'), 412, "precondition-failed")
        second = put(api, path, {"completed_on": TODAY, "responses": responses(2)}, etag=first.headers["ETag"])

        assert second.status_code == 200 and second.json()["responses"] == {"optimism": 2}
        assert api.get(path, **COUNCIL).headers["ETag"] == second.headers["ETag"] != first.headers["ETag"]

    def test_a_result_moves_its_assessment_on(self, api, opened):
        path = opened()
        before = api.get(path, **COUNCIL).headers["ETag"]

        put(api, path + "/swemwbs", {"completed_on": TODAY, "responses": responses(1)})

        assert api.get(path, **COUNCIL).headers["ETag"] != before

    def test_a_carer_answers_herself_where_it_is_open_to_her(self, api, carer, opened):
        one = carer()
        herself = {"role": "carer", "carer": one["id"], "scope": "assessments:read assessments:write"}
        closed, opened = opened(one), opened(one, self_completion=True)
        body = {"completed_on": TODAY, "responses": responses(2, 2, 2, 2, 2, 2, 2)}

        problem(put(api, closed + "/swemwbs", body, **herself), 409, "state-conflict")
        response = put(api, opened + "/swemwbs", body, **herself)

        assert response.status_code == 201 and response.json()["answered_by"] == "carer"

    def test_a_score_that_is_not_the_published_one_is_refused_by_postgresql(self, api, opened, db):
        path = opened()
        put(api, path + "/swemwbs", {"completed_on": TODAY, "responses": responses(3, 3, 2, 3, 3, 3, 2)})

        db.execute("SELECT set_config('app.if_match', '*', false)")
        try:
            with pytest.raises(psycopg2.errors.ForeignKeyViolation):
                db.execute("UPDATE assessment_swemwbs SET metric = 17.97 WHERE assessment_id = %s", (path.rsplit("/", 1)[1],))
        finally:
            db.execute("SELECT set_config('app.if_match', '', false)")


class TestRatings:
    """Rule A2: areas, scale and steps are the council's definition; a result keeps its version."""

    def test_ratings_keep_the_version_they_were_made_with(self, api, opened):
        body = {"completed_on": TODAY, "ratings": [{"area": "health", "rating": 5, "comment": "Tired."}]}

        response = put(api, opened() + "/ratings/gtmool", body)

        assert response.status_code == 201 and response.json()["instrument_version"] == 1
        assert response.json()["ratings"] == body["ratings"]

    def test_all_faults_come_at_once_with_the_rule(self, api, opened):
        path = opened() + "/ratings/carers_star"
        ratings = [{"area": "health", "rating": 6}, {"area": "luck", "rating": 3}, {"area": "work", "rating": 2.5},
                   {"area": "health", "rating": 0}]

        found = problem(put(api, path, {"completed_on": TODAY, "ratings": ratings}), 422, "rule-violated")

        assert found["rule"] == "A2"
        assert {fault["pointer"] for fault in found["errors"]} == {
            "/ratings/0/rating", "/ratings/1/area", "/ratings/2/rating", "/ratings/3/rating", "/ratings/3/area"}
        problem(api.get(path, **COUNCIL), 404, "not-found")

    def test_an_instrument_that_nobody_defined_is_not_found(self, api, opened):
        problem(put(api, opened() + "/ratings/horoscope", {"completed_on": TODAY, "ratings": [{"area": "a1", "rating": 1}]}),
                404, "not-found")


class TestStatements:
    """Rule A3: the roll-up is that of the client level data."""

    @pytest.mark.parametrize("statuses, roll_up", [
        (["met", "met"], "fully_met"), (["met", "absent"], "fully_met"), (["met", "not_met"], "partially_met"),
        (["partially_met"], "partially_met"), (["not_met", "absent"], "not_met"), (["absent"], None)])
    def test_statements_roll_up(self, api, opened, statuses, roll_up):
        body = {"completed_on": TODAY, "statements": [{"text": f"I am {n}.", "status": s} for n, s in enumerate(statuses)]}

        response = put(api, opened() + "/i-statements", body)

        assert response.status_code == 201 and response.json().get("roll_up") == roll_up

    def test_a_code_outside_the_library_is_refused(self, api, opened):
        statements = [{"code": "listened_to", "status": "met"}, {"code": "lucky", "status": "met"}]

        found = problem(put(api, opened() + "/i-statements", {"completed_on": TODAY, "statements": statements}), 422,
                        "rule-violated")

        assert found["rule"] == "A3" and [f["pointer"] for f in found["errors"]] == ["/statements/1/code"]


class TestEligibility:
    """Rule A9: three conditions of regulation 3, all of them."""

    GOOD = {"decided_on": TODAY, "necessary_care": True, "circumstances": ["recreation"], "significant_impact": True,
            "decision": "eligible", "reasons": "Broken nights."}

    def test_one_circumstance_is_enough(self, api, opened):
        assert put(api, opened() + "/eligibility", self.GOOD).status_code == 201

    @pytest.mark.parametrize("change", [{"necessary_care": False}, {"circumstances": []}, {"significant_impact": False},
                                        {"decision": "not_eligible"}])
    def test_a_decision_that_its_conditions_do_not_bear_is_refused(self, api, opened, change):
        path = opened() + "/eligibility"

        assert problem(put(api, path, {**self.GOOD, **change}), 422, "rule-violated")["rule"] == "A9"
        problem(api.get(path, **COUNCIL), 404, "not-found")


RESULTS = [
    ("swemwbs", {"completed_on": TODAY, "responses": responses(1)}),
    ("ratings/gtmool", {"completed_on": TODAY, "ratings": [{"area": "health", "rating": 5}]}),
    ("i-statements", {"completed_on": TODAY, "statements": [{"text": "I sleep.", "status": "met"}]}),
    ("eligibility", TestEligibility.GOOD)]


@pytest.mark.parametrize("name, body", RESULTS)
def test_a_completed_assessment_takes_no_results(api, opened, name, body):
    path = opened(contingency_offer={"offered_on": TODAY, "response": "later"})
    assert api.post(path + "/complete", json={}, **COUNCIL).status_code == 200

    assert problem(put(api, f"{path}/{name}", body), 422, "rule-violated")["rule"] == "A8"


@pytest.mark.parametrize("name, body", RESULTS)
def test_what_lies_in_the_future_is_refused(api, opened, name, body):
    dated = "decided_on" if name == "eligibility" else "completed_on"

    assert (f"/{dated}", "rule") in faults(put(api, f"{opened()}/{name}", {**body, dated: "2090-01-01"}))


@pytest.mark.parametrize("name, body", RESULTS)
def test_an_assessment_that_has_not_begun_takes_no_results(api, carer, name, body):
    one = api.post(f"/v1/carers/{carer()['id']}/assessments", json={"kind": "statutory"}, **COUNCIL).json()

    assert problem(put(api, f"/v1/assessments/{one['id']}/{name}", body), 409, "state-conflict")["state"] == "offered"


@pytest.mark.parametrize("name, body", RESULTS)
def test_of_eight_first_ones_at_once_one_is_recorded(opened, server, tokens, name, body):
    path = f"{opened()}/{name}"

    def first(_):
        with contextlib.closing(Api(server, tokens)) as client:
            return answer(put(client, path, body))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(first, range(8)))

    assert answers == ["201"] + ["precondition-required"] * 7


def test_a_light_touch_assessment_has_no_decision_on_eligibility(api, carer):
    one = api.post(f"/v1/carers/{carer()['id']}/assessments", json={"kind": "light_touch"}, **COUNCIL).json()

    response = put(api, f"/v1/assessments/{one['id']}/eligibility", TestEligibility.GOOD)

    assert problem(response, 422, "rule-violated")["rule"] == "A4"


def test_an_assessment_shows_its_results(api, opened):
    path = opened()
    made = {name: put(api, f"{path}/{name}", body).json() for name, body in RESULTS}

    one = api.get(path, **COUNCIL).json()

    assert one["swemwbs"] == made["swemwbs"] and one["ratings"] == [made["ratings/gtmool"]]
    assert one["i_statements"] == made["i-statements"] and one["eligibility"] == made["eligibility"]


class TestReview:
    """Rule A6: what was recorded once is recorded again at the review."""

    def test_the_statements_of_an_earlier_assessment_are_recorded_again(self, api, carer, opened):
        one = carer()
        first = opened(one, contingency_offer={"offered_on": TODAY, "response": "later"})
        body = dict(RESULTS)["i-statements"]
        assert put(api, f"{first}/i-statements", body).status_code == 201
        assert api.post(f"{first}/complete", json={}, **COUNCIL).status_code == 200
        said = {"planned": True, "due_on": TODAY, "circumstances_improved": "yes", "caring_role_improved": "no"}
        review = opened(one, kind="review", review=said)

        assert problem(api.post(f"{review}/complete", json={}, **COUNCIL), 422, "rule-violated")["rule"] == "A6"
        assert put(api, f"{review}/i-statements", body).status_code == 201
        assert api.post(f"{review}/complete", json={}, **COUNCIL).json()["state"] == "completed"


class TestInstruments:
    """Definitions by council and version."""

    OWN = {"label": "Getting the Most Out Of Life", "scale_min": 1, "scale_max": 10, "step": 1, "higher_is_better": True,
           "required_all": False, "areas": [{"key": "own_health", "label": "My own health", "order": 1}]}

    def test_the_shipped_ones_say_whose_they_are_and_gtmool_that_it_stands_in(self, api):
        items = {item["key"]: item for item in api.get("/v1/instruments", **COUNCIL).json()["items"]}

        assert items["gtmool"]["placeholder"] and "placeholder" in items["gtmool"]["areas"][0]["label"]
        assert "University of Warwick" in items["swemwbs"]["copyright"]
        assert [area["key"] for area in items["swemwbs"]["areas"]] == ITEMS

    def test_a_councils_own_is_the_next_version_and_old_results_keep_theirs(self, api, carer, opened):
        council = "E09000030"
        admin = {"role": "council_admin", "council": council}
        caller = {"role": "practitioner", "council": council}
        path, key = f"/v1/instruments/gtmool?council={council}", "/ratings/gtmool"
        one = api.post("/v1/carers", json={"council": council, "given_name": "A", "family_name": "B",
                                           "identification": {"source": "self", "identified_on": TODAY}}, **caller).json()
        made = api.post(f"/v1/carers/{one['id']}/assessments", json={"kind": "light_touch"}, **caller).json()
        old = f"/v1/assessments/{made['id']}{key}"
        assert put(api, old, {"completed_on": TODAY, "ratings": [{"area": "health", "rating": 5}]}, **caller).status_code == 201

        first = put(api, path, self.OWN, **admin)
        again = put(api, path, self.OWN, etag=first.headers["ETag"], **admin)

        assert first.status_code == 201 and first.json()["version"] == again.json()["version"] == 2
        problem(put(api, path, self.OWN, **admin), 428, "precondition-required")
        assert api.get(old, **caller).json()["instrument_version"] == 1
        assert api.get("/v1/instruments/gtmool", **COUNCIL).json()["version"] == 1

    def test_another_councils_instrument_is_not_defined(self, api):
        response = put(api, "/v1/instruments/gtmool?council=E09000007", self.OWN, role="council_admin")

        assert problem(response, 400, "invalid-parameter")["errors"][0]["pointer"] == "/query/council"

    def test_all_faults_of_a_definition_come_at_once_with_the_rule(self, api):
        area = self.OWN["areas"][0]
        body = {**self.OWN, "scale_max": 9.5, "areas": [area, {**area, "label": "Twice"}]}

        found = problem(put(api, "/v1/instruments/own?council=E09000019", body, role="council_admin"), 422, "rule-violated")

        assert found["rule"] == "A2"
        assert {fault["pointer"] for fault in found["errors"]} == {"/step", "/areas/1/key", "/areas/1/order"}

    def test_swemwbs_is_nobodys_to_define(self, api):
        problem(put(api, "/v1/instruments/swemwbs?council=E09000019", self.OWN, role="council_admin"), 409, "conflict")

    def test_the_library_has_the_shipped_statements(self, api):
        items = api.get("/v1/i-statements", **COUNCIL).json()["items"]

        assert "respect_and_dignity" in {item["code"] for item in items} and all(item["source"] for item in items)


SCOPE = "carers:read carers:write assessments:read assessments:write admin"


class TestLibrary:
    """The library of I-statements: shipped, and councils' own."""

    OWN = {"theme": "time_for_myself", "wording": "I have time for what I enjoy.", "source": "A provider"}

    def test_a_councils_own_goes_before_the_shipped_and_is_replaced_with_its_etag(self, api):
        council = "E09000029"
        admin, path = {"role": "council_admin", "council": council}, f"/v1/i-statements/listened_to?council={council}"
        shipped = api.get(path, **admin).json()
        made = put(api, path, self.OWN, **admin)
        assert made.status_code == 201 and made.json() == {"code": "listened_to", "council": council, "active": True, **self.OWN}
        problem(put(api, path, self.OWN, **admin), 428, "precondition-required")
        problem(put(api, path, self.OWN, etag='"v9"', **admin), 412, "precondition-failed")
        changed = put(api, path, {**self.OWN, "active": False}, etag=made.headers["ETag"], **admin)

        assert changed.status_code == 200 and changed.json()["active"] is False
        assert api.get(path, **admin).json() == changed.json()
        listed = {item["code"]: item for item in api.get("/v1/i-statements", **admin).json()["items"]}
        assert listed["listened_to"] == changed.json() and api.get("/v1/i-statements/listened_to", **COUNCIL).json() == shipped

    def test_its_code_may_be_used_in_its_own_council_and_nowhere_else(self, api, carer, opened):
        council, code = "E09000029", f"own_{uuid.uuid4().hex}"
        assert put(api, f"/v1/i-statements/{code}?council={council}", self.OWN, role="council_admin", council=council).status_code == 201
        statements = {"completed_on": TODAY, "statements": [{"code": code, "status": "met"}]}
        staff = {"role": "practitioner", "council": council}
        one = api.post(f"/v1/carers/{carer(council=council)['id']}/assessments", json={"kind": "light_touch"}, **staff).json()

        assert put(api, f"/v1/assessments/{one['id']}/i-statements", statements, **staff).status_code == 201
        assert problem(put(api, opened() + "/i-statements", statements), 422, "rule-violated")["rule"] == "A3"

    def test_what_is_wrong_is_named(self, api):
        admin = {"role": "council_admin"}
        elsewhere = put(api, "/v1/i-statements/own?council=E09000007", self.OWN, **admin)
        assert problem(elsewhere, 400, "invalid-parameter")["errors"][0]["pointer"] == "/query/council"
        assert ("/wording", "minLength") in faults(put(api, "/v1/i-statements/own?council=E09000019", {**self.OWN, "wording": ""}, **admin))
        problem(api.get("/v1/i-statements/nobodys", **admin), 404, "not-found")

    def test_a_definition_and_a_statement_leave_their_audit_row(self, api, db):
        council, key = "E09000029", f"own_{uuid.uuid4().hex}"
        for path, body in ((f"/v1/i-statements/{key}", self.OWN), (f"/v1/instruments/{key}", TestInstruments.OWN)):
            assert put(api, f"{path}?council={council}", body, role="council_admin", council=council).status_code == 201
        db.execute("SELECT subject_table FROM audit_entry WHERE council = %s AND after ->> 'code' = %s OR after ->> 'key' = %s ORDER BY 1",
                   (council, key, key))
        assert db.fetchall() == [("i_statement",), ("instrument",)]


COUNCILS = {"her council", "her council's administrator"}
STRANGERS = {"another council", "another council's administrator", "another carer"}
HOSPITAL = {"her in-reach team", "another in-reach team"}


@pytest.mark.parametrize("caller", list(CALLERS))
@pytest.mark.parametrize("name, body", RESULTS)
def test_results_are_recorded_and_read_by_role(world, opened, caller, name, body):
    """A full assessment of the council's: its assessor organisation reads it, an in-reach team does not see it at all."""
    path = f"{opened(world.carer)}/{name}"
    expected = {**dict.fromkeys(COUNCILS, "201"), **dict.fromkeys(STRANGERS - {"another carer"}, "not-found")}
    if name != "eligibility":
        expected["her assessor"] = "forbidden"  # another's assessment
    if name in ("swemwbs", "ratings/gtmool"):
        expected |= dict.fromkeys(HOSPITAL, "not-found")
    if name == "swemwbs":
        expected |= {"herself": "state-conflict", "another carer": "not-found"}

    recorded = answer(world.ask(caller, "PUT", path, json=body, scope=SCOPE))

    assert recorded == expected.get(caller, "forbidden")
    if recorded != "201":
        assert put(world.api, path, body).status_code == 201
    readers = COUNCILS | {"her assessor", "herself"}
    hidden = STRANGERS | (HOSPITAL if name in ("swemwbs", "ratings/gtmool") else set())
    assert answer(world.ask(caller, "GET", path, scope=SCOPE)) == (
        "200" if caller in readers else "not-found" if caller in hidden else "forbidden")


@pytest.mark.parametrize("caller", list(CALLERS))
def test_definitions_are_read_by_who_assesses_and_made_by_administrators(world, caller):
    readers = ("council", "support worker", "assessor", "in-reach team", "administrator", "herself", "another carer", "another organisation")
    reads = any(word in caller for word in readers) and caller not in ("a listed organisation",)

    for path in ("/v1/instruments", "/v1/instruments/carers_star", "/v1/i-statements"):
        assert answer(world.ask(caller, "GET", path, scope=SCOPE)) == ("200" if reads else "forbidden"), path
    council = world.carer["council"]
    key = f"own_{uuid.uuid4().hex}"
    made = answer(world.ask(caller, "PUT", f"/v1/instruments/{key}?council={council}", json=TestInstruments.OWN, scope=SCOPE))
    assert made == {"her council's administrator": "201", "another council's administrator": "invalid-parameter"}.get(caller, "forbidden")
