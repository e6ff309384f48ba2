"""The feed as a reader of Open Referral UK takes it: page by page, each document held to the published schemas."""
import json
import pathlib

from support.server import command

FEED = "/oruk/v3"
FOLDER = pathlib.Path(__file__).resolve().parents[1] / "oruk"
SCHEMATA, EXAMPLES = FOLDER / "schemata", FOLDER / "examples"
COLLECTIONS = {"services": "service", "service_at_locations": "service_at_location", "organizations": "organization",
               "taxonomies": "taxonomy", "taxonomy_terms": "taxonomy_term"}


def example(name):
    return json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def pages(api, collection, per_page=100, **filters):
    """Each page, from the first to the last that the feed says it has by then."""
    number, last = 1, 1
    while number <= last:
        response = api.get(f"{FEED}/{collection}", params={"page": number, "per_page": per_page, **filters})
        assert response.status_code == 200, response.text
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        page = response.json()
        assert (page["page_number"], page["first_page"], page["last_page"]) == (number, number == 1, number == page["total_pages"])
        assert (page["size"], page["empty"]) == (len(page["contents"]), page["contents"] == [])
        last = page["total_pages"]
        number += 1
        yield page


def contents(api, collection, per_page=100, **filters):
    return [item for page in pages(api, collection, per_page, **filters) for item in page["contents"]]


def ids(items):
    return [item["id"] for item in items]


def findings(folder, schema, documents):
    """What `validate --assert-format` says against this schema of the profile, for each document that is not valid."""
    entry = folder / f"{schema}.schema.json"
    entry.write_text(json.dumps({"$ref": f"https://schemata.example/{schema}.json"}), encoding="utf-8")
    paths = []
    for number, document in enumerate(documents):
        paths.append(folder / f"{schema}-{number}.json")
        paths[-1].write_text(json.dumps(document), encoding="utf-8")
    found = []
    for start in range(0, len(paths), 500):
        done = command({}, "validate", "--assert-format", "--schemas", f"{SCHEMATA}=https://schemata.example/", entry,
                       *paths[start:start + 500])
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(lines) == len(paths[start:start + 500]), done.stderr
        found += [line for line in lines if not line["valid"]]
    return found
