"""searchCarers: names as people write them, births, postcodes and keys of other systems, in the body and never in a URL."""
import uuid

import pytest
from support.callers import CALLERS, answer
from support.client import faults
from support.people import carer_body, nhs_number

STRANGERS = {"another council", "another council's administrator", "another organisation", "another in-reach team", "another carer"}
DESK = {"a commissioner", "a directory editor", "a referrer", "a listed organisation"}


def ids(response):
    assert response.status_code == 200, response.text
    return {item["id"] for item in response.json()["items"]}


class TestSearch:
    """Who is found, by what, by whom."""

    def found(self, api, body, **caller):
        return ids(api.post("/v1/carers/search", json=body, **(caller or {"role": "practitioner"})))

    def test_the_exact_nhs_number_finds_her(self, api, carer):
        number = nhs_number()
        one = carer(nhs_number=number)

        assert self.found(api, {"nhs_number": number}) == {one["id"]}
        assert self.found(api, {"nhs_number": nhs_number()}) == set()

    @pytest.mark.parametrize("q", ["fitz lukasz", "Lukasz-Fitz", "fitzlukas", "adaeze fitz", "ada luk", "fitzlukasz adaez"])
    def test_names_find_her_however_they_are_written_cut_short_or_mistyped(self, api, carer, q):
        one = carer(given_name="Adaeze", family_name="Fitz-Łukasz", date_of_birth="1955-12-24")

        assert one["id"] in self.found(api, {"q": q, "date_of_birth": "1955-12-24"})
        assert one["id"] not in self.found(api, {"q": q, "date_of_birth": "1955-12-25"})
        assert one["id"] not in self.found(api, {"q": f"{q} somebodyelse"})

    def test_the_best_match_is_first_and_the_limit_cuts_after_it(self, api, carer):
        name = carer_body()["family_name"]
        for suffix in ("", "ine"):
            carer(family_name=name + suffix)

        response = api.post("/v1/carers/search", role="practitioner", json={"q": name, "limit": 1})

        assert [item["family_name"] for item in response.json()["items"]] == [name]
        assert "next_cursor" not in response.json() and "Link" not in response.headers

    def test_a_postcode_narrows_it_or_finds_by_itself(self, api, carer):
        one = carer(address={"postcode": "N1 2UD"})

        assert self.found(api, {"q": one["family_name"], "postcode": "n12ud"}) == {one["id"]}
        assert self.found(api, {"q": one["family_name"], "postcode": "N1 2UE"}) == set()
        assert one["id"] in self.found(api, {"postcode": "N1 2UD", "limit": 50})

    def test_an_external_reference_finds_her(self, api, carer):
        ref = {"system": "case-system", "id": f"C-{uuid.uuid4()}"}
        one = carer(external_refs=[ref])

        assert self.found(api, {"external_ref": ref}) == {one["id"]}
        assert self.found(api, {"external_ref": ref, "q": one["given_name"]}) == {one["id"]}
        assert self.found(api, {"external_ref": ref, "q": "somebodyelse"}) == set()

    def test_wild_cards_are_signs_like_others(self, api, carer):
        one = carer(family_name="Percent")

        for name in ("%cent", "_cent", "Per%t", ".*", "P_rcen_", "P%t"):
            body = {"q": name, "date_of_birth": one["date_of_birth"]}
            response = api.post("/v1/carers/search", role="practitioner", json=body)
            if name == ".*":
                assert ("/q", "pattern") in faults(response)
            else:
                assert one["id"] not in ids(response)

    @pytest.mark.parametrize("q, taken", [("نادية", True), ("Ł", True), ("d'", True), ("7", True), (" \n x", True), ("-", False), ("\u2014", False),
                                          (" ' ", False), ("\u2026!", False)], ids=ascii)
    def test_a_name_has_a_letter_or_a_digit(self, api, q, taken):
        response = api.post("/v1/carers/search", role="practitioner", json={"q": q})
        if taken:
            assert response.status_code == 200, response.text
        else:
            assert faults(response) == {("/q", "pattern")}

    @pytest.mark.parametrize("body, keyword", [
        ({}, "minProperties"), ({"limit": 5}, "minProperties"), ({"q": ""}, "minLength"), ({"q": "x", "limit": 51}, "maximum"),
        ({"family_name": "Rahman"}, "additionalProperties"), ({"nhs_number": "9434765918"}, "format"),
        ({"q": "x", "date_of_birth": "1961-02-30"}, "format")], ids=str)
    def test_a_search_for_nothing_or_with_a_fault_is_refused(self, api, body, keyword):
        assert keyword in {k for _, k in faults(api.post("/v1/carers/search", role="practitioner", json=body))}

    def test_a_search_needs_no_right_to_write(self, api, carer):
        one = carer()

        response = api.post("/v1/carers/search", role="practitioner", scope="carers:read", json={"q": one["family_name"]})

        assert one["id"] in ids(response)

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_every_caller_finds_whom_she_may_see_and_nobody_else(self, world, caller):
        wanted = {"q": world.carer["family_name"], "date_of_birth": world.carer["date_of_birth"], "limit": 50}
        response = world.ask(caller, "POST", "/v1/carers/search", json=wanted)

        assert answer(response) == ("forbidden" if caller in DESK else "200")
        if caller not in DESK:
            assert (world.carer["id"] in ids(response)) == (caller not in STRANGERS)
            assert world.other_carer["id"] not in ids(response) or caller == "another carer"
