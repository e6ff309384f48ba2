"""getOutcomes (rule A10): a carer's journey from the ward to the review a year later, asserted to the figure; who reads it."""
import datetime

import pytest
from support.callers import CALLERS, answer
from support.client import problem

ITEMS = ["optimism", "usefulness", "relaxation", "problem_handling", "clear_thinking", "closeness", "own_decisions"]
SCOPE = "carers:read carers:write assessments:read assessments:write"
COUNCIL = {"role": "practitioner", "scope": SCOPE}


def ago(days):
    return (datetime.date.today() - datetime.timedelta(days)).isoformat()


def responses(*answers):
    return dict(zip(ITEMS, answers))


class Story:
    """One carer's assessments, step by step over HTTP; each step is asserted to have gone well."""

    def __init__(self, api):
        self.api = api

    def do(self, method, path, body, status=200, **caller):
        response = self.api.request(method, path, json=body, **{**COUNCIL, **caller})
        assert response.status_code == status, response.text
        return response.json()

    def patch(self, path, body, **caller):
        response = self.api.patch(path, etag="*", json=body, **{**COUNCIL, **caller})
        assert response.status_code == 200, response.text
        return response.json()

    def record(self, assessment, on, answers, ratings, statements, **caller):
        """All three instruments. `ratings`: of carers_star; `statements`: code -> status."""
        path = f"/v1/assessments/{assessment}"
        self.do("PUT", f"{path}/swemwbs", {"completed_on": on, "responses": responses(*answers)}, 201, **caller)
        self.do("PUT", f"{path}/ratings/carers_star", {"completed_on": on, "ratings": [
            {"area": area, "rating": rating} for area, rating in ratings.items()]}, 201)
        self.do("PUT", f"{path}/i-statements", {"completed_on": on, "statements": [
            {"code": code, "status": status} for code, status in statements.items()]}, 201)


def test_a_carers_journey_from_the_ward_to_the_review_a_year_later(api, carer, organisation):
    story = Story(api)
    team = {"role": "hospital_in_reach", "org": organisation()}
    one = carer(role="hospital_in_reach", org=team["org"], cared_for=[{"relationship": "parent", "setting": "hospital"}])
    herself = {"role": "carer", "carer": one["id"]}
    base = f"/v1/carers/{one['id']}"

    # On the ward: a light-touch assessment by the in-reach team, which offers a full one; she asks for it in her app.
    light = story.do("POST", f"{base}/assessments", {
        "kind": "light_touch", "setting": "hospital", "mode": "face_to_face", "immediate_needs": ["a key safe"],
        "hospital": {"trust": "St Audrey's", "ward": "Elm", "admitted_on": ago(400)}}, 201, **team)["id"]
    done = story.do("POST", f"/v1/assessments/{light}/complete", {"completed_on": ago(398)}, **team)
    assert (done["state"], done["available_actions"]) == ("completed", ["offer_full"])
    early = api.post(f"{base}/assessments", json={"kind": "statutory", "follows_assessment_id": light}, **COUNCIL)
    assert problem(early, 422, "rule-violated")["rule"] == "A4"
    story.do("POST", f"/v1/assessments/{light}/offer-full", {}, **team)
    asked = story.do("POST", f"/v1/assessments/{light}/full-response", {"response": "requested"}, **herself, scope=SCOPE)
    assert asked["state"] == "full_requested"

    # At home again: the full one, which could not begin while her mother was in hospital.
    full = story.do("POST", f"{base}/assessments", {
        "kind": "statutory", "form": "joint", "follows_assessment_id": light, "self_completion": True}, 201)["id"]
    path = f"/v1/assessments/{full}"
    story.do("POST", f"{path}/schedule", {"scheduled_for": f"{ago(372)}T10:00:00Z"})
    assert problem(api.post(f"{path}/start", json={}, **COUNCIL), 422, "rule-violated")["rule"] == "A4"
    story.patch(base, {"cared_for": [{"relationship": "parent", "setting": "home"}]})
    story.do("POST", f"{path}/start", {})
    story.record(full, ago(370), (3, 3, 2, 3, 3, 3, 2), {"health": 2, "time_for_yourself": 1, "work": 4},
                 {"listened_to": "not_met", "respect_and_dignity": "met", "choose_my_support": "not_met"}, **herself, scope=SCOPE)
    story.do("PUT", f"{path}/eligibility", {
        "decided_on": ago(370), "necessary_care": True, "circumstances": ["health_deteriorating"], "significant_impact": True,
        "decision": "eligible", "reasons": "Broken nights."}, 201)
    refused = api.patch(path, etag="*", json={"break_recommended": True, "break_hours": 4}, **COUNCIL)
    assert problem(refused, 422, "rule-violated")["rule"] == "A7"
    story.patch(path, {"break_recommended": True})
    assert problem(api.post(f"{path}/complete", json={}, **COUNCIL), 422, "rule-violated")["rule"] == "A6"
    story.patch(path, {"contingency_offer": {"offered_on": ago(370), "response": "accepted"}})
    assert story.do("POST", f"{path}/complete", {"completed_on": ago(370)})["break_recommended"] is True
    fixed = api.patch(path, etag="*", json={"break_recommended": False}, **COUNCIL)
    assert problem(fixed, 422, "rule-violated")["rule"] == "A8"

    # Twelve months later: the review that the full one has made due.
    reviews = [item for item in api.get(f"{base}/assessments?kind=review", **COUNCIL).json()["items"]]
    review, = reviews
    assert review["state"] == "due" and review["follows_assessment_id"] == full and review["review"]["planned"] is True
    path = f"/v1/assessments/{review['id']}"
    story.do("POST", f"{path}/schedule", {"scheduled_for": f"{ago(6)}T10:00:00Z"})
    story.do("POST", f"{path}/start", {})
    story.record(review["id"], ago(5), (4, 4, 3, 4, 3, 4, 3), {"health": 4, "time_for_yourself": 1, "work": 3},
                 {"listened_to": "met", "respect_and_dignity": "met", "choose_my_support": "partially_met"})
    story.patch(path, {"review": {"circumstances_improved": "yes", "caring_role_improved": "unsure"}})
    story.do("POST", f"{path}/complete", {"completed_on": ago(5)})

    response = api.get(f"{base}/outcomes", **COUNCIL)
    found = response.json()
    assert response.status_code == 200
    assert '"metric_score":17.98,' in response.text and '"metric_change":4.37,' in response.text
    first, last = {"assessment_id": full}, {"assessment_id": review["id"]}
    assert found == {
        "carer_id": one["id"],
        "swemwbs": {
            "results": [{**first, "kind": "statutory", "completed_on": ago(370), "complete": True, "raw_score": 19,
                         "metric_score": 17.98, "band": "low"},
                        {**last, "kind": "review", "completed_on": ago(5), "complete": True, "raw_score": 25,
                         "metric_score": 22.35, "band": "average"}],
            "metric_change": 4.37, "change_class": "improved", "threshold": 3.0},
        "ratings": [{"instrument": "carers_star", "label": "Carers Star", "areas": [
            {"area": area, "label": label, "change": change, "change_class": word,
             "results": [{**first, "completed_on": ago(370), "rating": before}, {**last, "completed_on": ago(5), "rating": after}]}
            for area, label, before, after, change, word in (
                ("health", "Health", 2, 4, 2, "improved"), ("time_for_yourself", "Time for yourself", 1, 1, 0, "unchanged"),
                ("work", "Work", 4, 3, -1, "deteriorated"))]}],
        "i_statements": {
            "results": [{**first, "kind": "statutory", "completed_on": ago(370), "roll_up": "partially_met"},
                        {**last, "kind": "review", "completed_on": ago(5), "roll_up": "partially_met"}],
            "statements": [
                {"code": code, "results": [{**first, "completed_on": ago(370), "status": before},
                                           {**last, "completed_on": ago(5), "status": after}]}
                for code, before, after in (("listened_to", "not_met", "met"), ("respect_and_dignity", "met", "met"),
                                            ("choose_my_support", "not_met", "partially_met"))]},
        "eligibility": [{**first, "decided_on": ago(370), "decision": "eligible"}],
        "reviews": [{**last, "completed_on": ago(5), "circumstances_improved": "yes", "caring_role_improved": "unsure"}],
        "support": {"breaks": [], "referrals": []}}
    assert api.get(f"{base}/outcomes", **herself, scope=SCOPE).json() == found


def assessed(api, one, *answers, complete=True, on=0, **caller):
    """A light-touch assessment with these answers to SWEMWBS."""
    story = Story(api)
    made = story.do("POST", f"/v1/carers/{one['id']}/assessments", {"kind": "light_touch"}, 201, **caller)
    path = f"/v1/assessments/{made['id']}"
    story.do("PUT", f"{path}/swemwbs", {"completed_on": ago(on), "responses": responses(*answers)}, 201, **caller)
    if complete:
        story.do("POST", f"{path}/complete", {"completed_on": ago(on)}, **caller)
    return made["id"]


class TestComparison:
    """First against latest, of what can be compared."""

    @pytest.mark.parametrize("first, last, change, word", [
        ((3,) * 7, (3, 3, 3, 3, 3, 4, 4), 1.48, "no_reliable_change"), ((3,) * 7, (4, 4, 4, 4, 4, 3, 2), 3.10, "improved"),
        ((4, 4, 4, 4, 4, 3, 2), (3,) * 7, -3.10, "deteriorated")])
    def test_change_has_its_class(self, api, carer, first, last, change, word):
        one = carer()
        assessed(api, one, *first, on=40)
        assessed(api, one, *last, on=1)

        found = api.get(f"/v1/carers/{one['id']}/outcomes", **COUNCIL).json()["swemwbs"]

        assert (found["metric_change"], found["change_class"]) == (change, word)

    def test_partial_answers_and_open_assessments_are_compared_with_nothing(self, api, carer):
        one = carer()
        first = assessed(api, one, *(3,) * 7, on=40)
        partial = assessed(api, one, 5, 5, 5, on=20)
        assessed(api, one, *(5,) * 7, complete=False)

        found = api.get(f"/v1/carers/{one['id']}/outcomes", **COUNCIL).json()["swemwbs"]

        assert [result["assessment_id"] for result in found["results"]] == [first, partial]
        assert found["results"][1]["complete"] is False and not {"metric_change", "change_class"} & set(found)

    def test_what_is_recorded_late_stands_where_it_belongs(self, api, carer):
        one = carer()
        last = assessed(api, one, *(4,) * 7, on=2)
        first = assessed(api, one, *(3,) * 7, on=90)

        found = api.get(f"/v1/carers/{one['id']}/outcomes", **COUNCIL).json()["swemwbs"]

        assert [result["assessment_id"] for result in found["results"]] == [first, last]
        assert found["metric_change"] == 5.78

    def test_a_carer_whom_nobody_has_assessed_has_no_outcomes_yet(self, api, carer):
        one = carer()

        found = api.get(f"/v1/carers/{one['id']}/outcomes", **COUNCIL).json()

        assert found == {"carer_id": one["id"], "ratings": [], "eligibility": [], "reviews": [],
                         "support": {"breaks": [], "referrals": []}}

    def test_ratings_on_another_scale_are_not_compared(self, api, carer):
        council = "E09000026"
        caller, admin = {**COUNCIL, "council": council}, {"role": "council_admin", "council": council, "scope": "admin"}
        story, one = Story(api), carer(council=council)
        definition = {"label": "Own", "scale_min": 0, "step": 1, "higher_is_better": False, "required_all": True,
                      "areas": [{"key": "worry", "label": "Worry", "order": 1}]}
        changes = []
        for at, (scale, rating) in enumerate(((4, 3), (4, 1), (10, 8))):
            api.put(f"/v1/instruments/own?council={council}", json={**definition, "scale_max": scale},
                    headers={"If-Match": "*"} if at else {}, **admin)
            made = story.do("POST", f"/v1/carers/{one['id']}/assessments", {"kind": "light_touch"}, 201, **caller)
            path = f"/v1/assessments/{made['id']}"
            story.do("PUT", f"{path}/ratings/own", {"completed_on": ago(9 - at), "ratings": [{"area": "worry", "rating": rating}]},
                     201, **caller)
            story.do("POST", f"{path}/complete", {"completed_on": ago(9 - at)}, **caller)
            area, = api.get(f"/v1/carers/{one['id']}/outcomes", **caller).json()["ratings"][0]["areas"]
            changes.append((area.get("change"), area.get("change_class")))

        assert changes == [(None, None), (-2, "improved"), (None, None)]


@pytest.mark.parametrize("caller", list(CALLERS))
def test_outcomes_are_read_by_who_may_see_her_assessments(world, caller):
    assessed(world.api, world.carer, *(3,) * 7)
    expected = {**dict.fromkeys(("her council", "her council's administrator", "her assessor", "herself"), "200"),
                **dict.fromkeys(("another council", "another council's administrator", "another carer"), "not-found")}

    response = world.ask(caller, "GET", "/outcomes", scope=SCOPE)

    assert answer(response) == expected.get(caller, "forbidden")
    if answer(response) == "200":
        assert response.json()["swemwbs"]["results"][0]["raw_score"] == 21


def test_the_reading_is_in_the_audit_trail(api, carer, db):
    one = carer()
    api.get(f"/v1/carers/{one['id']}/outcomes", **COUNCIL, headers={"X-Request-ID": f"outcomes-{one['id']}"})

    db.execute("SELECT action, carer_ids::text[] FROM audit_entry WHERE request = %s", (f"outcomes-{one['id']}",))
    assert db.fetchall() == [("getOutcomes", [one["id"]])]
