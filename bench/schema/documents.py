"""What is validated: each a schema, a valid document and one that has a fault near its end, so that nobody stops early."""
import copy
import json
import pathlib
import random

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SEED = 20201212
WORDS = """carer break support group advice centre morning friendly weekly garden music memory walk lunch respite listen visit
practical evening young parent rest health drop-in café reading craft equal home""".split()


class Invention:
    """Made-up texts and numbers, the same in each run."""

    def __init__(self):
        self.rng = random.Random(SEED)

    def words(self, low, high):
        return " ".join(self.rng.choices(WORDS, k=self.rng.randint(low, high)))

    def uuid(self):
        digits = f"{self.rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-7{digits[13:16]}-9{digits[17:20]}-{digits[20:]}"

    def date(self):
        return f"20{self.rng.randint(10, 30)}-{self.rng.randint(1, 12):02}-{self.rng.randint(1, 28):02}"


def schema(name):
    return json.loads((HERE / "schemas" / f"{name}.json").read_text(encoding="utf-8"))


def carer(contract):
    """The body of createCarer: the contract's own schema and example."""
    wanted = json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://bench.example/carer",
                         "$ref": "#/$defs/CarerCreate", "$defs": contract["components"]["schemas"]})
    body = contract["paths"]["/v1/carers"]["post"]["requestBody"]["content"]["application/json"]["examples"]["full"]["value"]
    bad = copy.deepcopy(body)
    bad["external_refs"][-1]["id"] = 20417
    return json.loads(wanted.replace("#/components/schemas/", "#/$defs/")), body, bad


def assessment():
    make = Invention()
    body = {
        "kind": "review", "form": "single", "mode": "face_to_face", "setting": "hospital", "language": "en-GB",
        "assessor": {"type": "trusted_assessor", "organisation_id": make.uuid(), "name": "Invented Carers' Centre"},
        "follows_assessment_id": make.uuid(),
        "review": {"planned": True, "due_on": make.date(), "circumstances_improved": "unsure", "caring_role_improved": "yes"},
        "outcomes": [{"statement": make.words(8, 20), "importance": 1 + n, "target": make.words(3, 6), "status": "partially_met"}
                     for n in range(6)],
        "needs": ["information_and_advice", "emotional_support", "break_from_caring", "own_health", "money"],
        "break_recommended": True, "contingency_offer": {"offered_on": make.date(), "response": "accepted"},
        "hospital": {"trust": "Invented Hospitals NHS Trust", "ward": "Elm", "admitted_on": make.date()},
        "immediate_needs": make.words(20, 40), "forward_look": make.words(20, 40),
        "swemwbs": {"completed_on": make.date(), "responses": dict.fromkeys(
            ["optimism", "usefulness", "relaxation", "problem_handling", "clear_thinking", "closeness", "own_decisions"], 3)},
        "ratings": [{"area": area, "rating": 4 + n / 2, "comment": make.words(4, 12), "identified_need": n % 2 == 0}
                    for n, area in enumerate(["health", "time_for_self", "social_life", "caring_role", "home", "money"])],
        "i_statements": [{"code": f"IS{n}", "status": "met", "note": make.words(4, 8)} for n in range(1, 6)]
        + [{"text": make.words(8, 16), "status": "not_met"}],
    }
    bad = copy.deepcopy(body)
    bad["i_statements"][-1]["code"] = "IS6"
    return schema("assessment"), body, bad


def position(make):
    return [round(make.rng.uniform(-6, 2), 6), round(make.rng.uniform(50, 58), 6)]


def geometry(make, number):
    if number % 4 == 0:
        return {"type": "Point", "coordinates": position(make)}
    if number % 4 == 1:
        return {"type": "LineString", "coordinates": [position(make) for _ in range(12)]}
    ring = [position(make) for _ in range(20)]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def features():
    make = Invention()
    body = {"type": "FeatureCollection", "bbox": [-6.0, 50.0, 2.0, 58.0], "features": [
        {"type": "Feature", "id": number, "geometry": geometry(make, number),
         "properties": {"name": make.words(2, 4), "population": make.rng.randrange(90000), "open": True, "note": None}}
        for number in range(300)]}
    bad = copy.deepcopy(body)
    bad["features"][-1]["geometry"]["coordinates"][0][-1][1] = 91.5
    return schema("features"), body, bad


def object_schema(make):
    properties = {f"{word}_{n}": {"type": "string", "minLength": 1, "maxLength": 40 + n} for n, word in enumerate(WORDS[:6])}
    properties["count"] = {"type": ["integer", "null"], "minimum": 0, "maximum": 1000}
    properties["next"] = {"$ref": "#/components/schemas/Other"}
    return {"type": "object", "required": ["count"], "properties": properties, "description": make.words(4, 12)}


def operation(make, number, method):
    name = f"{method}Thing{number}"
    answers = {"200": {"description": "done", "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/Thing{number}"}}}},
               "404": {"$ref": "#/components/responses/NotFound"}, "4XX": {"description": "refused"}}
    made = {"operationId": name, "summary": make.words(3, 6), "tags": [f"tag-{number % 7}"], "responses": answers,
            "security": [{"token": ["things:read"]}],
            "parameters": [{"name": "thing_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}},
                           {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200}},
                           {"$ref": "#/components/parameters/Cursor"}]}
    if method != "get":
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": object_schema(make)}}}
    return made


def description():
    make = Invention()
    body = {"openapi": "3.1.0", "info": {"title": "An invented API", "version": "1.2.3", "x-audience": "bench"},
            "tags": [{"name": f"tag-{n}"} for n in range(7)],
            "paths": {f"/v1/things{n}/{{thing_id}}": {"summary": make.words(2, 5), "get": operation(make, n, "get"),
                                                      "patch": operation(make, n, "patch")} for n in range(60)},
            "components": {"parameters": {"Cursor": {"name": "cursor", "in": "query", "schema": {"type": "string"}}},
                           "schemas": {f"Thing{n}": object_schema(make) for n in range(60)}}}
    bad = copy.deepcopy(body)
    bad["components"]["schemas"]["Thing59"]["properties"]["count"]["minimun"] = 0
    return schema("description"), body, bad


def location(make, number):
    return {"id": make.uuid(), "location": {
        "id": make.uuid(), "location_type": "physical", "name": make.words(1, 3), "latitude": round(make.rng.uniform(50, 58), 6),
        "longitude": round(make.rng.uniform(-6, 2), 6),
        "addresses": [{"id": make.uuid(), "address_1": f"{number} Invented Road", "city": "London", "postal_code": "N1 2UD",
                       "country": "GB"}]}}


def service(make, number):
    return {
        "id": make.uuid(), "name": make.words(2, 5), "description": make.words(30, 90), "url": f"https://services.example/{number}",
        "email": f"service{number}@services.example", "status": "active", "minimum_age": 18, "assured_date": make.date(),
        "last_modified": f"{make.date()}T09:{number % 60:02}:00Z",
        "organization": {"id": make.uuid(), "name": make.words(2, 3), "website": "https://services.example/", "year_incorporated": 1987},
        "phones": [{"id": make.uuid(), "number": "+44 7700 900123", "type": "voice"}],
        "schedules": [{"id": make.uuid(), "freq": "WEEKLY", "byday": "MO,WE", "opens_at": "09:30", "closes_at": "12:00",
                       "valid_from": make.date()} for _ in range(2)],
        "service_at_locations": [location(make, number)],
        "attributes": [{"taxonomy": "esdServiceTypes", "term": str(n), "label": make.words(1, 2)} for n in range(4)]}


def services():
    make = Invention()
    body = {"total_items": 200, "total_pages": 1, "page_number": 1, "size": 200, "first_page": True, "last_page": True,
            "contents": [service(make, number) for number in range(200)]}
    bad = copy.deepcopy(body)
    bad["contents"][-1]["attributes"][-1]["term"] = 3
    return schema("services"), body, bad


# name -> (what it is, whether it is also measured with formats asserted)
KINDS = {"carer": ("the contract's CarerCreate and its example", True),
         "assessment": ("an assessment of ours", True),
         "features": ("300 GeoJSON features", False),
         "description": ("an API of 120 operations in the manner of OpenAPI, unevaluatedProperties throughout", False),
         "services": ("200 services in the manner of HSDS", True)}


def write(folder, contract):
    """The files of all documents: name -> (schema, valid, invalid) as paths."""
    made = {"carer": carer(contract), "assessment": assessment(), "features": features(), "description": description(),
            "services": services()}
    files = {}
    for name, parts in made.items():
        files[name] = [folder / f"{name}-{part}.json" for part in ("schema", "valid", "invalid")]
        for file, value in zip(files[name], parts):
            file.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return files
