"""Assessments: begun, read, listed, written down, completed; rules A4 to A8 and A11."""
import datetime
import threading
import zoneinfo

import pytest
from support.assessments import BODIES, OFFER, SCOPES, assessment_body, path_of
from support.callers import AUDIT, CALLERS, NOBODY, answer
from support.client import faults, problem
from support.tokens import CAMDEN, ISLINGTON

COUNCIL = {"her council", "her council's administrator"}
ELSEWHERE = {"another council", "another council's administrator", "another in-reach team"}
EVERYTHING = f"{AUDIT} {SCOPES} admin"  # what refuses is then never the scope
FULL = {
    "form": "joint", "mode": "video", "setting": "home", "language": "bn", "assessor": {"name": "B. Lindqvist"},
    "scheduled_for": "2026-12-03T10:00:00.000Z", "self_completion": True,
    "outcomes": [{"statement": "Sleep through", "importance": 1, "target": "three nights a week", "status": "not_reviewed"}],
    "needs": ["break_from_caring", "own_health"], "break_recommended": True, "contingency_offer": OFFER,
    "hospital": {"trust": "St Audrey's", "ward": "Elm", "admitted_on": "2026-01-02", "discharged_on": "2026-01-09"},
    "immediate_needs": ["a key safe"], "forward_look": "Not known yet.", "practitioner_notes": "Ring her on Friday."}


def day(offset=0):
    return (datetime.datetime.now(zoneinfo.ZoneInfo("Europe/London")).date() + datetime.timedelta(offset)).isoformat()


def rule(response, ident):
    assert problem(response, 422, "rule-violated")["rule"] == ident
    return response.json()


@pytest.fixture
def do(api):
    """do(assessment, action, ..., role=): the answer of the action, with a body that the contract takes."""
    def act(one, action, body=None, role="practitioner", **options):
        body = BODIES.get(action, {}) if body is None else body
        if action == "update":
            return api.patch(path_of(one), etag="*", role=role, json=body, **options)
        return api.post(path_of(one, action), role=role, json=body, **options)
    return act


class TestCreate:
    """createAssessment: 201, Location, ETag, the representation."""

    def test_it_is_created_and_read_back_as_it_was_sent(self, api, carer):
        one = carer()
        made = api.post(f"/v1/carers/{one['id']}/assessments", role="practitioner", json=assessment_body(**FULL))

        assert made.status_code == 201, made.text
        body = made.json()
        assert {name: body[name] for name in FULL} == {**FULL, "assessor": {"type": "council", "name": "B. Lindqvist"}}
        assert body["state"] == "offered" and body["carer_id"] == one["id"] and body["council"] == ISLINGTON
        read = api.get(made.headers["Location"], role="practitioner")
        assert read.json() == body and read.headers["ETag"] == made.headers["ETag"]

    def test_the_least_is_a_kind_and_absent_members_are_absent(self, assessment):
        one = assessment("light_touch")

        assert None not in one.values()
        assert not {"review", "needs", "outcomes", "hospital", "scheduled_for", "completed_on"} & set(one)
        assert one["form"] == "single" and one["assessor"] == {"type": "council"} and one["self_completion"] is False

    @pytest.mark.parametrize("kind, members, state", [
        ("statutory", {}, "offered"), ("statutory", {"requested": True}, "requested"),
        ("statutory", {"requested": False}, "offered"), ("light_touch", {}, "in_progress"), ("review", {}, "due")])
    def test_each_kind_begins_in_its_state(self, assessment, kind, members, state):
        assert assessment(kind, **members)["state"] == state

    @pytest.mark.parametrize("body, fault", [
        ({}, ("", "required")), ({"kind": "review"}, ("", "required")),
        ({"kind": "statutory", "review": {"planned": True, "due_on": "2027-01-01"}}, ("/review", "not")),
        ({"kind": "review", "review": {"planned": True}}, ("/review", "required")),
        ({"kind": "light_touch", "requested": True}, ("/kind", "enum")), ({"kind": "statutory", "state": "completed"}, ("/state", "additionalProperties")),
        ({"kind": "statutory", "assessor": {"type": "council"}}, ("/assessor/type", "additionalProperties")),
        ({"kind": "statutory", "assessor": {"organisation_id": NOBODY}}, ("/assessor/organisation_id", "additionalProperties"))])
    def test_what_is_not_of_the_contract_is_refused(self, api, carer, body, fault):
        assert fault in faults(api.post(f"/v1/carers/{carer()['id']}/assessments", role="practitioner", json=body))

    def test_nobody_assesses_who_is_not_there(self, api):
        problem(api.post(f"/v1/carers/{NOBODY}/assessments", role="practitioner", json=assessment_body()), 404, "not-found")

    def test_a_key_gives_the_first_answer_again(self, api, carer):
        path, headers = f"/v1/carers/{carer()['id']}/assessments", {"Idempotency-Key": "the-same"}
        made = [api.post(path, role="practitioner", json=assessment_body(), headers=headers) for _ in range(2)]

        assert made[0].json() == made[1].json() and made[1].headers["Idempotency-Replayed"] == "true"


class TestRoles:
    """Every caller, every operation; the state machine has its own file."""

    def ask(self, world, caller, *arguments, **options):
        return answer(world.ask(caller, *arguments, scope=EVERYTHING, **options))

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_a_light_touch_assessment_is_begun_by_staff_assessors_and_in_reach_teams(self, api, world, caller):
        api.patch(world.path, etag="*", role="practitioner", json={"known_to_social_care": False})
        expected = {**dict.fromkeys(COUNCIL | {"her assessor", "her in-reach team"}, "201"),
                    **dict.fromkeys(ELSEWHERE, "not-found"), "herself": "forbidden", "another carer": "forbidden"}

        assert self.ask(world, caller, "POST", "/assessments", json=assessment_body("light_touch")
                        ) == expected.get(caller, "forbidden")

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_a_statutory_one_is_asked_for_by_the_carer_too(self, api, world, caller):
        api.patch(world.path, etag="*", role="practitioner", json={"known_to_social_care": False})
        expected = {**dict.fromkeys(COUNCIL | {"her assessor", "herself"}, "201"), "another carer": "not-found",
                    **dict.fromkeys(ELSEWHERE - {"another in-reach team"}, "not-found")}

        assert self.ask(world, caller, "POST", "/assessments", json=assessment_body()) == expected.get(caller, "forbidden")

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_they_are_read_and_listed_by_who_may_see_them(self, world, assessment, caller):
        one = assessment("statutory", of=world.carer)
        seen = {**dict.fromkeys(COUNCIL | {"her assessor", "herself"}, "200"), **dict.fromkeys(ELSEWHERE, "not-found"),
                "another carer": "not-found"}

        assert self.ask(world, caller, "GET", path_of(one)) == {**seen, "her in-reach team": "not-found"}.get(caller, "forbidden")
        assert self.ask(world, caller, "GET", "/assessments") == {**seen, "her in-reach team": "200"}.get(caller, "forbidden")

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_the_list_of_all_is_for_staff_and_who_assesses(self, world, caller):
        who = COUNCIL | ELSEWHERE | {"her assessor", "her in-reach team"}

        assert self.ask(world, caller, "GET", "/v1/assessments?limit=1") == ("200" if caller in who else "forbidden")

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_a_councils_settings_are_read_by_its_staff_and_changed_by_its_administrator(self, world, caller):
        path = f"/v1/councils/{ISLINGTON}/settings"
        elsewhere = {"another council", "another council's administrator"}
        reads = {**dict.fromkeys(COUNCIL, "200"), **dict.fromkeys(elsewhere, "not-found")}
        changes = {"her council's administrator": "200", "another council's administrator": "not-found"}

        assert self.ask(world, caller, "GET", path) == reads.get(caller, "forbidden")
        headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
        assert self.ask(world, caller, "PATCH", path, data="{}", headers=headers) == changes.get(caller, "forbidden")

    def test_an_in_reach_team_sees_its_own_light_touch_ones_alone(self, api, world, assessment):
        own = assessment("light_touch", of=world.carer, role="hospital_in_reach", org=world.org)
        others = [assessment(kind, of=world.carer)["id"] for kind in ("light_touch", "statutory")]

        items = world.ask("her in-reach team", "GET", "/assessments", scope=EVERYTHING).json()["items"]

        assert [item["id"] for item in items] == [own["id"]]
        assert own["assessor"] == {"type": "commissioned_provider", "organisation_id": world.org}
        for ident in others:
            assert self.ask(world, "her in-reach team", "GET", f"/v1/assessments/{ident}") == "not-found"

    def test_the_carer_is_not_shown_what_practitioners_write_for_themselves(self, api, assessment, do):
        one = assessment("light_touch", practitioner_notes="for us", forward_look="for all")
        do(one, "cancel", {"reason": "other", "note": "for us too"})

        shown = api.get(path_of(one), role="carer", carer=one["carer_id"]).json()

        assert shown["forward_look"] == "for all" and shown["state_reason"] == "other"
        assert not {"practitioner_notes", "state_note", "override_reason"} & set(shown)

    def test_a_carer_asks_and_says_how_no_more(self, api, carer):
        one = carer()
        claims = {"role": "carer", "carer": one["id"]}
        path = f"/v1/carers/{one['id']}/assessments"

        asked = api.post(path, json=assessment_body(mode="video", needs=["own_health"]), **claims)
        refused = api.post(path, json=assessment_body(break_recommended=True), **claims)

        assert asked.json()["state"] == "requested" and asked.json()["available_actions"] == []
        problem(refused, 403, "forbidden")


class TestPatch:
    """updateAssessment: a merge-patch of what is stored flat."""

    def test_objects_are_merged_and_null_removes(self, api, assessment):
        one = assessment(**FULL)
        patched = api.patch(path_of(one), etag="*", role="practitioner", json={
            "assessor": {"name": "C. Ahmadi"}, "hospital": {"ward": None, "discharged_on": "2026-01-10"}, "needs": None,
            "forward_look": "Home soon.", "contingency_offer": {"response": "accepted"}}).json()

        assert patched["assessor"]["name"] == "C. Ahmadi" and patched["forward_look"] == "Home soon."
        assert patched["hospital"] == {"trust": "St Audrey's", "admitted_on": "2026-01-02", "discharged_on": "2026-01-10"}
        assert patched["contingency_offer"] == {**OFFER, "response": "accepted"} and "needs" not in patched
        same = FULL.keys() - {"assessor", "hospital", "needs", "forward_look", "contingency_offer"}
        assert {name: patched[name] for name in same} == {name: one[name] for name in same}

    def test_a_review_is_patched_by_member(self, api, assessment):
        one = assessment("review")
        patched = api.patch(path_of(one), etag="*", role="practitioner", json={"review": {"circumstances_improved": "yes"}})

        assert patched.json()["review"] == {**one["review"], "circumstances_improved": "yes"}

    def test_what_is_of_reviews_only_is_refused_elsewhere(self, do, assessment):
        problem(do(assessment(), "update", {"review": {"circumstances_improved": "yes"}}), 422, "validation-failed")

    def test_if_match_is_asked_for_and_compared(self, api, assessment):
        one = assessment()
        body = {"json": {"mode": "video"}, "role": "practitioner"}

        problem(api.patch(path_of(one), **body), 428, "precondition-required")
        problem(api.patch(path_of(one), etag='"v9"', **body), 412, "precondition-failed")
        problem(api.post(path_of(one, "cancel"), role="practitioner", json=BODIES["cancel"], headers={"If-Match": '"v9"'}),
                412, "precondition-failed")
        assert api.patch(path_of(one), etag='"v1"', **body).headers["ETag"] == '"v2"'


class TestLists:
    """By carer, by council, by organisation; what is due."""

    def test_a_carers_list_is_newest_first_page_by_page(self, api, assessment, carer):
        of = carer()
        made = [assessment(kind, of=of)["id"] for kind in ("light_touch", "statutory", "review")][::-1]
        path, found = f"/v1/carers/{of['id']}/assessments?limit=1", []
        cursor = ""
        while cursor is not None:
            page = api.get(path + cursor, role="practitioner").json()
            found += [item["id"] for item in page["items"]]
            cursor = f"&cursor={page['next_cursor']}" if "next_cursor" in page else None

        assert found == made
        kinds = api.get(f"/v1/carers/{of['id']}/assessments?kind=review&state=due", role="practitioner").json()["items"]
        assert [item["kind"] for item in kinds] == ["review"]

    def test_changes_come_in_order_of_change(self, api, assessment, carer, do):
        of = carer()
        first, second = assessment(of=of), assessment(of=of)
        do(first, "update", {"mode": "video"})

        for path in (f"/v1/carers/{of['id']}/assessments", "/v1/assessments"):
            found, cursor = [], ""
            while cursor is not None:
                page = api.get(f"{path}?updated_since={first['created_at']}&limit=20{cursor}", role="practitioner").json()
                found += [item["id"] for item in page["items"] if item["carer_id"] == of["id"]]
                cursor = f"&cursor={page['next_cursor']}" if "next_cursor" in page else None
            assert found == [second["id"], first["id"]]

    def test_reviews_come_by_the_day_that_they_are_due(self, api, assessment, do):
        late, later, ahead = (assessment("review", review={"planned": True, "due_on": day(offset)})
                              for offset in (-400, -399, 400))
        done = assessment("review", "completed", review={"planned": True, "due_on": day(-401)})

        def found(query):
            ids, cursor = [], ""
            while cursor is not None:
                page = api.get(f"/v1/assessments?{query}&limit=3{cursor}", role="practitioner").json()
                ids += [item["id"] for item in page["items"]]
                cursor = f"&cursor={page['next_cursor']}" if "next_cursor" in page else None
            return [ident for ident in ids if ident in {late["id"], later["id"], ahead["id"], done["id"]}]

        assert found(f"review_due_before={day(-399)}") == [late["id"]]
        assert found("review_overdue=true") == [late["id"], later["id"]]
        assert found("review_overdue=false") == [ahead["id"]]
        assert late["review"]["overdue"] is True and ahead["review"]["overdue"] is False
        assert done["review"]["overdue"] is False

    def test_an_organisation_lists_what_it_does_itself(self, api, assessment, carer, organisation):
        org = organisation()
        of = carer(role="assessor", org=org, known_to_social_care=False)
        own = assessment("statutory", of=of, role="assessor", org=org)
        review = assessment("review", of=of, role="assessor", org=org, review={"planned": True, "due_on": day(-1)})
        assessment("statutory", of=of)

        def ids(query=""):
            return [item["id"] for item in api.get(f"/v1/assessments{query}", role="assessor", org=org).json()["items"]]

        assert ids() == [review["id"], own["id"]] and ids("?kind=statutory") == [own["id"]]
        assert ids("?review_overdue=true") == [review["id"]]
        assert ids(f"?updated_since={own['created_at']}") == [own["id"], review["id"]]

    def test_filters_of_a_council_add_up(self, api, assessment):
        one = assessment("light_touch", "full_declined")
        query = f"?kind=light_touch&state=full_declined&council={ISLINGTON}"

        items = api.get("/v1/assessments" + query, role="practitioner").json()["items"]

        assert one["id"] in {item["id"] for item in items}
        assert {(item["kind"], item["state"]) for item in items} == {("light_touch", "full_declined")}
        assert api.get("/v1/assessments" + query, role="practitioner", council=CAMDEN).json() == {"items": []}


class TestRules:
    """A4 to A8, A11."""

    def test_a4_the_full_one_is_made_when_the_carer_has_asked_for_it(self, api, carer, assessment, do):
        of = carer()
        light, path = assessment("light_touch", of=of), f"/v1/carers/{of['id']}/assessments"
        body = assessment_body(requested=True, follows_assessment_id=light["id"])
        for action in ("complete", "offer_full"):
            rule(api.post(path, role="practitioner", json=body), "A4")
            assert do(light, action).status_code == 200
        answered = do(light, "full_response", {"response": "requested"}, role="carer", carer=of["id"])
        assert answered.json()["state"] == "full_requested"

        full = api.post(path, role="practitioner", json=body)

        assert full.status_code == 201 and full.json()["follows_assessment_id"] == light["id"]

    def test_a4_it_does_not_begin_while_the_person_is_in_hospital_unless_it_is_said_why(self, carer, assessment, do):
        of = carer(cared_for=[{"relationship": "parent", "setting": "hospital"}])
        one = assessment("statutory", "scheduled", of=of)

        rule(do(one, "start"), "A4")
        begun = do(one, "start", {"override_reason": "She has to decide about her job."}).json()

        assert begun["state"] == "in_progress" and begun["override_reason"] == "She has to decide about her job."
        assert do(assessment("review", "scheduled", of=of), "start").status_code == 200

    @pytest.mark.parametrize("known, form, allowed", [(False, "single", True), (False, "joint", False), (True, "single", False),
                                                      (None, "single", False)])
    def test_a5_a_trusted_assessor_does_single_ones_of_carers_whom_social_care_does_not_know(
            self, api, carer, organisation, known, form, allowed):
        org = organisation()
        of = carer(role="assessor", org=org, **({} if known is None else {"known_to_social_care": known}))
        made = api.post(f"/v1/carers/{of['id']}/assessments", role="assessor", org=org, json=assessment_body(form=form))

        if allowed:
            assert made.json()["assessor"] == {"type": "trusted_assessor", "organisation_id": org}
            rule(api.patch(path_of(made.json()), etag="*", role="assessor", org=org, json={"form": "joint"}), "A5")
        else:
            rule(made, "A5")

    def test_a5_the_council_says_who_does_statutory_ones(self, api, carer, organisation, db):
        council, org = "E06000033", organisation("E06000033")  # a council of this test's own
        path, admin = f"/v1/councils/{council}/settings", {"role": "council_admin", "council": council}
        of = carer(role="assessor", org=org, council=council, known_to_social_care=False)
        api.patch(path, etag="*", json={"statutory_assessors": ["council", "commissioned_provider"],
                                        "commissioned_providers": None}, **admin)

        def make(kind="statutory", **members):
            return api.post(f"/v1/carers/{of['id']}/assessments", role="assessor", org=org, json=assessment_body(kind, **members))

        rule(make(), "A5")
        assert make("light_touch").status_code == 201
        api.patch(path, etag="*", json={"commissioned_providers": [org]}, **admin)
        assert make(form="joint").json()["assessor"]["type"] == "commissioned_provider"
        api.patch(path, etag="*", json={"statutory_assessors": None, "commissioned_providers": None}, **admin)

    @pytest.mark.parametrize("kind", ["statutory", "reassessment"])
    def test_a6_the_offer_of_a_contingency_plan_goes_before_completion(self, carer, assessment, do, kind):
        of = carer()
        follows = {"follows_assessment_id": assessment("statutory", "completed", of=of)["id"]} if kind == "reassessment" else {}
        one = assessment(kind, "in_progress", of=of, **follows)

        rule(do(one, "complete"), "A6")
        do(one, "update", {"contingency_offer": {"offered_on": "2026-01-05"}})
        rule(do(one, "complete"), "A6")
        do(one, "update", {"contingency_offer": {"response": "declined"}})

        done = do(one, "complete")
        assert done.json()["state"] == "completed" and done.json()["completed_on"] == day()

    def test_a6_a_review_says_whether_things_have_improved(self, assessment, do):
        one = assessment("review", "in_progress")
        for name in ("circumstances_improved", "caring_role_improved"):
            rule(do(one, "complete"), "A6")
            do(one, "update", {"review": {name: "unsure"}})

        assert do(one, "complete").status_code == 200

    def test_a_day_in_the_future_completes_nothing(self, assessment, do):
        response = do(assessment("light_touch"), "complete", {"completed_on": day(1)})

        assert faults(response) == {("/completed_on", "rule")}

    @pytest.mark.parametrize("member, value", [("break_length", "a week"), ("break_hours", 4), ("break_duration", {"days": 3}),
                                               ("break_frequency", ["weekly"])])
    def test_a7_no_length_and_no_frequency_of_a_break(self, api, carer, assessment, do, member, value):
        rule(api.post(f"/v1/carers/{carer()['id']}/assessments", role="practitioner",
                      json=assessment_body(**{member: value})), "A7")
        rule(do(assessment(), "update", {"break_recommended": True, member: value}), "A7")

    def test_a8_a_correction_is_a_reassessment_that_follows(self, api, carer, assessment):
        of = carer()
        path = f"/v1/carers/{of['id']}/assessments"
        done, open_one = assessment("statutory", "completed", of=of), assessment("statutory", of=of)
        light, other = assessment("light_touch", "completed", of=of), assessment("statutory", "completed")

        for follows in (None, open_one["id"], light["id"]):
            rule(api.post(path, role="practitioner", json=assessment_body("reassessment", follows_assessment_id=follows)), "A8")
        refused = api.post(path, role="practitioner", json=assessment_body("reassessment", follows_assessment_id=other["id"]))
        assert faults(refused) == {("/follows_assessment_id", "rule")}
        made = api.post(path, role="practitioner", json=assessment_body("reassessment", follows_assessment_id=done["id"]))
        assert made.status_code == 201


class TestReviews:
    """A11: what is completed makes a review due."""

    @pytest.fixture
    def reviews(self, api):
        def of(carer_id):
            return api.get(f"/v1/carers/{carer_id}/assessments?kind=review", role="practitioner").json()["items"]
        return of

    def test_a_completed_assessment_makes_one_review_due_after_a_year(self, assessment, do, reviews):
        one = assessment("statutory", "in_progress", contingency_offer=OFFER)
        assert do(one, "complete", {"completed_on": "2026-02-28"}).status_code == 200

        review, = reviews(one["carer_id"])
        assert review["state"] == "due" and review["follows_assessment_id"] == one["id"]
        assert review["review"] == {"planned": True, "due_on": "2027-02-28", "overdue": "2027-02-28" < day()}

    def test_a_light_touch_one_makes_none(self, assessment, do, reviews):
        one = assessment("light_touch")
        do(one, "complete")

        assert reviews(one["carer_id"]) == []

    @pytest.mark.parametrize("due, satisfied", [(1, True), (0, True), (-1, False)])
    def test_a_reassessment_in_time_satisfies_the_review_that_was_due(self, carer, assessment, do, reviews, due, satisfied):
        of = carer()
        first = assessment("statutory", "completed", of=of)
        review = assessment("review", of=of, review={"planned": True, "due_on": day(due)})
        again = assessment("reassessment", "in_progress", of=of, follows_assessment_id=first["id"], contingency_offer=OFFER)
        assert do(again, "complete").status_code == 200

        found = {one["id"]: one for one in reviews(of["id"])}
        assert found[review["id"]]["state"] == ("completed" if satisfied else "due")
        assert found[review["id"]].get("satisfied_by_assessment_id") == (again["id"] if satisfied else None)
        assert len(found) == (2 if satisfied else 1)

    def test_a_review_makes_the_next_one_due(self, assessment, do, reviews):
        one = assessment("review", "in_progress", review={"planned": False, "due_on": day(), "circumstances_improved": "yes",
                                                          "caring_role_improved": "no"})
        do(one, "complete")

        assert sorted(review["state"] for review in reviews(one["carer_id"])) == ["completed", "due"]

    def test_support_that_starts_brings_the_review_nearer(self, carer, assessment, do, reviews, db):
        one = assessment("statutory", "in_progress", contingency_offer=OFFER)
        do(one, "complete")
        db.execute("ALTER TABLE carer DISABLE TRIGGER carer_b_change")  # no operation starts support yet
        try:
            for state in ("registered", "active"):
                db.execute("UPDATE carer SET state = %s WHERE id = %s", (state, one["carer_id"]))
        finally:
            db.execute("ALTER TABLE carer ENABLE TRIGGER carer_b_change")
        review, = reviews(one["carer_id"])

        assert review["review"]["due_on"] == day(56)


def test_of_two_moves_at_once_one_wins_and_the_other_learns_the_state(assessment, do):
    one, barrier, answers = assessment(), threading.Barrier(2), {}

    def act(action):
        barrier.wait()
        answers[action] = do(one, action)
    threads = [threading.Thread(target=act, args=(action,)) for action in ("decline", "cancel")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    states = {action: response.json()["state"] for action, response in answers.items()}
    assert sorted(response.status_code for response in answers.values()) == [200, 409]
    assert len(set(states.values())) == 1 and set(states.values()) <= {"declined", "cancelled"}


def test_what_happens_is_told_without_personal_data(api, assessment, do, db):
    one = assessment("light_touch", practitioner_notes="nobody else reads this")
    do(one, "complete")
    db.execute("SELECT kind, summary FROM event WHERE resource_id = %s ORDER BY id", (one["id"],))

    assert db.fetchall() == [("assessment.created", "A light-touch assessment is now in progress"),
                             ("assessment.completed", "A light-touch assessment is now completed")]


def test_a_read_and_a_change_leave_their_rows_in_the_trail(api, assessment, do, db):
    one = assessment()
    headers = {"X-Request-ID": f"assessment-{one['id']}"}
    api.get(path_of(one), role="practitioner", headers=headers)
    do(one, "schedule", headers=headers)
    db.execute("SELECT action, carer_ids::text[], after ->> 'state' FROM audit_entry WHERE request = %s ORDER BY id",
               (headers["X-Request-ID"],))

    assert db.fetchall() == [("getAssessment", [one["carer_id"]], None),
                             ("scheduleAssessment", [one["carer_id"]], "scheduled")]
