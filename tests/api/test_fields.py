"""fields=a,b on lists: items with these members alone, the rest of the page as it was."""
import json

import pytest
from support.client import problem
from support.directory import SERVICES, place
from support.people import carer_body
from support.tokens import CAMDEN

STAFF = {"role": "practitioner"}
SEARCH = "/v1/directory/search"


def lists(api):
    """path, method and operation of every operation that takes `fields`."""
    for path, item in api.get("/openapi.json").json()["paths"].items():
        for method, operation in item.items():
            if method != "parameters" and any(one.get("name") == "fields" for one in operation.get("parameters", [])):
                yield path, method, operation


def test_items_have_what_is_named_and_their_id(api, carer):
    one = carer(council=CAMDEN)
    whole = api.get("/v1/carers?limit=200", council=CAMDEN, **STAFF).json()
    some = api.get("/v1/carers?limit=200&fields=given_name,state", council=CAMDEN, **STAFF).json()

    assert one["id"] in {item["id"] for item in some["items"]}
    assert some == {**whole, "items": [{name: item[name] for name in ("id", "given_name", "state")} for item in whole["items"]]}


def test_a_member_that_an_item_has_not_got_stays_absent(api, carer):
    carer()
    items = api.get("/v1/carers?fields=state_note", **STAFF).json()["items"]

    assert items and all(set(item) <= {"id", "state_note"} for item in items)


def test_the_next_page_shows_the_same_members(api, carer):
    carer(), carer()
    first = api.get("/v1/carers?limit=1&fields=id,state", **STAFF)
    following = first.links["next"]["url"].replace(api.server.url, "")
    second = api.get(following, **STAFF)

    assert second.status_code == 200 and set(second.json()["items"][0]) == {"id", "state"}
    assert second.json()["items"][0]["id"] != first.json()["items"][0]["id"]


def test_an_unknown_name_is_told_with_those_that_there_are(api):
    response = api.get("/v1/carers?fields=id,colour", **STAFF)

    body = problem(response, 400, "invalid-parameter")
    assert [(one["pointer"], one["keyword"]) for one in body["errors"]] == [("/query/fields/1", "enum")]
    names = next(one for _, method, operation in lists(api) if operation["operationId"] == "listCarers"
                 for one in operation["parameters"] if one.get("name") == "fields")["schema"]["items"]["$ref"]
    known = api.get("/openapi.json").json()["components"]["schemas"][names.rpartition("/")[2]]["enum"]
    assert len(known) > 20 and body["errors"][0]["message"] == f"must be one of: {', '.join(known)}"


@pytest.mark.parametrize("query, pointer, keyword", [
    ("fields=", "/query/fields/0", "enum"), ("fields=id,", "/query/fields/1", "enum"), ("fields=id,id", "/query/fields", "uniqueItems"),
    ("fields=id&fields=state", "/query/fields", "maxItems"), ("fields=gp.practice", "/query/fields/0", "enum"),
    ("fields=%22", "/query/fields/0", "enum")])
def test_names_are_held_to_the_contract(api, query, pointer, keyword):
    body = problem(api.get(f"/v1/carers?{query}", **STAFF), 400, "invalid-parameter")

    assert (pointer, keyword) in {(one["pointer"], one["keyword"]) for one in body["errors"]}


def test_a_record_by_itself_is_always_whole(api, carer):
    body = problem(api.get(f"/v1/carers/{carer()['id']}?fields=id", **STAFF), 400, "invalid-parameter")

    assert body["errors"][0]["pointer"] == "/query/fields"


def test_a_search_by_body_takes_it_too(api, service):
    one, person = service(name="Fieldsearch"), api.post("/v1/carers", json=carer_body(), **STAFF).json()
    for method in ("POST", "QUERY"):
        page = api.request(method, f"{SEARCH}?fields=name", json={"q": "Fieldsearch"}).json()
        assert {"id": one["id"], "name": "Fieldsearch"} in page["items"] and page["found"] >= 1
    found = api.post("/v1/carers/search?fields=given_name", json={"q": person["family_name"]}, **STAFF).json()

    assert {"id": person["id"], "given_name": person["given_name"]} in found["items"]


def test_numbers_stay_as_they_were(api, service):
    service(name="Fieldnumbers", locations=[place()])
    whole = api.get(SERVICES, params={"q": "Fieldnumbers"}).text
    some = api.get(SERVICES, params={"q": "Fieldnumbers", "fields": "locations"}).text

    locations = json.dumps(json.loads(some)["items"][0]["locations"], separators=(",", ":"), ensure_ascii=False)
    assert '"latitude":' in locations
    latitude = locations.partition('"latitude":')[2].partition(",")[0]
    assert f'"latitude":{latitude}' in whole.replace(": ", ":") and f'"latitude":{latitude}' in some.replace(": ", ":")


def test_caches_keep_them_apart_by_their_url_and_gzip_still_serves(api, carer):
    for _ in range(30):
        carer()
    whole = api.get("/v1/carers?limit=30", **STAFF)
    some = api.get("/v1/carers?limit=30&fields=id,given_name,family_name,state", **STAFF)

    assert some.headers["Content-Encoding"] == "gzip"
    assert int(some.headers["Content-Length"]) < int(whole.headers["Content-Length"])
    assert len(some.content) < len(whole.content) / 3


def test_every_list_in_pages_takes_it_with_the_names_of_its_own_items(api):
    document = api.get("/openapi.json").json()
    limit = {"$ref": "#/components/parameters/limit"}
    paged = {operation["operationId"] for path, item in document["paths"].items() if path.startswith("/v1/")
             for method, operation in item.items() if method != "parameters" and limit in operation.get("parameters", [])}
    taking = {operation["operationId"]: operation for _, _, operation in lists(api)}

    assert paged - {"exportDirectoryNdjson", "exportDirectoryCsv"} | {"searchCarers", "searchServicesPrivately"} == set(taking)
    for name, operation in taking.items():
        reference = operation["responses"]["200"]["$ref"].rpartition("/")[2]
        forms = document["components"]["responses"][reference]["content"]["application/json"]["schema"]["anyOf"]
        page, some = (document["components"]["schemas"][form["$ref"].rpartition("/")[2]]["properties"]["items"] for form in forms)
        item = page["items"]["$ref"].rpartition("/")[2]
        assert some["items"]["$ref"].rpartition("/")[2] == f"{item}Fields", name
        assert list(document["components"]["schemas"][f"{item}Fields"]["properties"]) == \
            document["components"]["schemas"][f"{item}Field"]["enum"] == list(document["components"]["schemas"][item]["properties"])
