"""Funding schemes over HTTP: versions in force from a day on, the council's before the shipped ones, and awards that keep theirs."""
import datetime

import pytest
from support.callers import CALLERS, answer
from support.client import faults, problem
from support.funding import BUDGET, DECIDE, FUND, READ, award_body, decide, path_of

COUNCIL = "E09000013"  # whose schemes no other test changes
STAFF = {"role": "council_admin", "council": COUNCIL, "scope": DECIDE + " admin"}


def day(later=0):
    return (datetime.date.today() + datetime.timedelta(later)).isoformat()


def scheme(**members):
    """A scheme for anybody, with one level."""
    body = {"label": "A fund", "effective_from": day(), "eligibility": "any",
            "levels": [{"level": "one", "label": "One", "ceiling_pence": 1_000}], **members}
    return {name: value for name, value in body.items() if value is not None}


@pytest.fixture
def key(db):
    """A key that no other test uses."""
    db.execute("SELECT 'fund_' || count(*) FROM funding_scheme")
    return db.fetchone()[0]


def put(api, key, body, etag=None, council=COUNCIL, **caller):
    headers = {"If-Match": etag} if etag else {}
    return api.put(f"/v1/funding-schemes/{key}?council={council}", json=body, headers=headers, **{**STAFF, **caller})


def get(api, key, query="", **caller):
    return api.get(f"/v1/funding-schemes/{key}{query}", **(caller or STAFF))


def test_the_shipped_ones_hold_until_a_council_sets_its_own(api):
    items = {item["scheme"]: item for item in api.get("/v1/funding-schemes?council=E09000014", **STAFF).json()["items"]}

    assert items.keys() == {BUDGET, FUND} and "council" not in items[BUDGET]
    assert {name: (one["eligibility"], one.get("awards_per_year"), one["excludes"],
                   [(level["level"], level["ceiling_pence"]) for level in one["levels"]]) for name, one in items.items()} == {
        BUDGET: ("eligible", None, [FUND], [("low", 50_000), ("high", 150_000)]),
        FUND: ("not_eligible", 1, [BUDGET], [("individual", 20_000), ("family", 60_000)])}


class TestVersions:
    """A PUT makes the next one, and takes nothing away."""

    def test_a_version_comes_into_force_on_its_day(self, api, key):
        first = put(api, key, scheme(label="First"))
        assert first.status_code == 201 and first.headers["Location"].endswith(f"/v1/funding-schemes/{key}")
        later = put(api, key, scheme(label="Later", effective_from=day(30)), etag=first.headers["ETag"])
        assert later.status_code == 200 and later.json()["version"] == 2

        assert get(api, key).json()["label"] == get(api, key, f"?on={day(29)}").json()["label"] == "First"
        assert get(api, key, f"?on={day(30)}").json()["label"] == get(api, key, "?version=2").json()["label"] == "Later"
        assert [(one["version"], one["effective_from"]) for one in get(api, key).json()["versions"]] == [(2, day(30)), (1, day())]
        problem(get(api, key, f"?on={day(-1)}"), 404, "not-found")
        problem(get(api, key, "?version=3"), 404, "not-found")

    def test_of_two_of_one_day_the_later_holds(self, api, key):
        put(api, key, scheme(label="Wrong"))
        put(api, key, scheme(label="Right"), etag="*")

        assert get(api, key).json()["label"] == "Right"

    def test_another_council_does_not_have_it(self, api, key):
        put(api, key, scheme())

        problem(get(api, key, "?council=E09000014"), 404, "not-found")

    def test_a_carer_is_shown_those_of_her_council(self, api, key, carer):
        put(api, key, scheme())
        herself = {"role": "carer", "carer": carer(council=COUNCIL)["id"], "scope": READ}

        assert get(api, key, **herself).status_code == 200
        assert key in {item["scheme"] for item in api.get("/v1/funding-schemes", **herself).json()["items"]}

    def test_the_same_again_makes_none(self, api, key):
        put(api, key, scheme())
        again = put(api, key, scheme(), etag="*")

        assert again.status_code == 200 and again.json()["version"] == 1

    def test_the_etag_is_another_when_a_version_comes(self, api, key):
        first = put(api, key, scheme())
        seen = get(api, key)
        assert seen.headers["ETag"] == first.headers["ETag"]
        assert api.get(f"/v1/funding-schemes/{key}", headers={"If-None-Match": seen.headers["ETag"]}, **STAFF).status_code == 304
        problem(put(api, key, scheme(label="x")), 428, "precondition-required")
        put(api, key, scheme(label="Later", effective_from=day(30)), etag=seen.headers["ETag"])

        problem(put(api, key, scheme(label="x"), etag=seen.headers["ETag"]), 412, "precondition-failed")
        assert put(api, key, scheme(label="x"), etag=get(api, key).headers["ETag"]).status_code == 200

    def test_there_is_nothing_yet_that_could_be_replaced(self, api, key):
        problem(put(api, key, scheme(), etag='"v1"'), 412, "precondition-failed")


class TestBadInput:
    """What a schema and the rule refuse."""

    @pytest.mark.parametrize("change, pointer", [
        ({"levels": []}, "/levels"), ({"levels": None}, ""), ({"levels": [{"level": "a1", "label": "A", "ceiling_pence": -1}]}, "/levels/0/ceiling_pence"),
        ({"levels": [{"level": "a1", "label": "A", "ceiling_pence": 10.5}]}, "/levels/0/ceiling_pence"), ({"eligibility": "rich"}, "/eligibility"),
        ({"awards_per_year": 0}, "/awards_per_year"), ({"excludes": ["a1", "a1"]}, "/excludes"), ({"purposes": ["gold"]}, "/purposes/0"),
        ({"purposes": []}, "/purposes"), ({"effective_from": "soon"}, "/effective_from"), ({"effective_from": None}, ""), ({"ceiling": 5}, "/ceiling")])
    def test_a_body_that_breaks_the_contract(self, api, key, change, pointer):
        response = put(api, key, scheme(**change))
        assert pointer in {where for where, _ in faults(response)} and response.json()["rule"] == "B5"

    def test_what_is_not_sound_is_told_at_once(self, api, key):
        level = {"level": "one", "label": "One", "ceiling_pence": 1}
        body = problem(put(api, key, scheme(effective_from=day(-1), levels=[level, level], excludes=[BUDGET, key, "no_such"])), 422, "rule-violated")

        assert body["rule"] == "B5"
        assert {error["pointer"] for error in body["errors"]} == {"/effective_from", "/levels/1/level", "/excludes/1", "/excludes/2"}

    def test_another_councils_scheme(self, api, key):
        assert faults(put(api, key, scheme(), council="E09000007"), 400, "invalid-parameter") == {("/query/council", "rule")}


@pytest.mark.parametrize("caller", list(CALLERS))
def test_who_reads_schemes_and_who_sets_them(world, key, caller):
    reads = {"her council", "her council's administrator", "another council", "another council's administrator", "her support worker",
             "her assessor", "her breaks provider", "another organisation", "herself", "another carer"}
    path = f"/v1/funding-schemes/{key}?council=E09000019"

    assert answer(world.ask(caller, "GET", "/v1/funding-schemes", scope=READ)) == ("200" if caller in reads else "forbidden")
    told = answer(world.ask(caller, "PUT", path, json=scheme(), scope="admin"))
    assert told == {"her council's administrator": "201", "another council's administrator": "invalid-parameter"}.get(caller, "forbidden")


class TestAwards:
    """What a council sets is what an award is judged by, and an award keeps it."""

    @pytest.fixture
    def one(self, carer):
        return carer(council=COUNCIL)

    def apply(self, api, one, key, **members):
        body = award_body(key, **{"level": "one", "amount_pence": 600, **members})
        return api.post(f"/v1/carers/{one['id']}/funding-awards", json=body, **STAFF)

    def approve(self, api, award):
        return api.post(path_of(award, "approve"), json={}, **STAFF)

    def test_an_old_award_keeps_its_version(self, api, key, one):
        put(api, key, scheme())
        before, waiting = self.apply(api, one, key).json(), self.apply(api, one, key, amount_pence=400).json()
        assert self.approve(api, before).json()["scheme_version"] == 1
        lower = [{"level": "one", "label": "One", "ceiling_pence": 500}]
        put(api, key, scheme(levels=lower), etag="*")

        assert api.get(path_of(before), **STAFF).json()["scheme_version"] == 1
        fresh = self.apply(api, one, key, amount_pence=100)
        assert [error["pointer"] for error in problem(fresh, 422, "rule-violated")["errors"]] == ["/amount_pence"]
        assert self.approve(api, waiting).json()["scheme_version"] == 1  # it was applied for under the first

    def test_for_anybody_means_assessed_or_not(self, api, key, one, db):
        put(api, key, scheme())
        assert "assessment_id" not in self.apply(api, one, key).json()
        decide(db, one["id"], "eligible")
        assert self.apply(api, one, key).status_code == 201

    def test_a_closed_scheme_takes_no_applications(self, api, key, one):
        put(api, key, scheme(open=False))

        assert [e["message"] for e in problem(self.apply(api, one, key), 422, "rule-violated")["errors"]] == ["is closed to applications"]

    def test_purposes_are_those_of_the_scheme(self, api, key, one):
        put(api, key, scheme(purposes=["rest"]))

        assert [e["pointer"] for e in problem(self.apply(api, one, key, purpose="holiday"), 422, "rule-violated")["errors"]] == ["/purpose"]
        assert self.apply(api, one, key, purpose="rest").status_code == 201

    def test_so_many_awards_a_year(self, api, key, one):
        put(api, key, scheme(awards_per_year=2))
        for _ in range(2):
            assert self.approve(api, self.apply(api, one, key, amount_pence=10).json()).status_code == 200

        assert [e["pointer"] for e in problem(self.apply(api, one, key, amount_pence=10), 422, "rule-violated")["errors"]] == ["/scheme"]

    def test_exclusion_holds_both_ways_whoever_says_it(self, api, key, one):
        other = key + "_b"
        put(api, key, scheme())
        put(api, other, scheme(excludes=[key]))
        assert self.approve(api, self.apply(api, one, other, amount_pence=10).json()).status_code == 200

        told = problem(self.apply(api, one, key), 422, "rule-violated")
        assert [e["message"] for e in told["errors"]] == [f"is not given in one financial year with: {other}"]
