"""`carers-api import`: every good row taken, every bad one told by its line, and the same file again changes nothing. Rules D5, D6."""
import json
import uuid

import pytest
from support.client import problem
from support.directory import EDITOR, ORGANISATIONS, SERVICES
from support.oruk import EXAMPLES, FEED, FOLDER, contents, example, ids
from support.server import command
from support.tokens import CAMDEN, ISLINGTON

HEADER = ("external_id,organisation,organisation_type,name,description,website,support_areas,access_routes,free,postcode,latitude,longitude,"
          "address_line_1,town,days,opens_at,closes_at,phone,minimum_age,assured_on")
GOOD = 'A1,Good Trust,community,Lift club,"Lifts, to the ""hospital"".",https://example.org/,transport; wraparound,telephone,yes,nr32 1xx,,,' \
       '1 High Street,Lowestoft,"MO,WE",10:00,12:00,01632 960201,18,2026-10-01'


@pytest.fixture
def load(cluster, database, tmp_path, postcodes):
    """load(content, name): the exit code, what was done, the lines of complaints without the file's name."""
    usual = f"source-{uuid.uuid4()}"

    def run(content, name="a.csv", source=None, council=ISLINGTON, what="directory"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        options = ["--council", council, "--source", source or usual] if what == "directory" else []
        done = command({"CARERS_DATABASE_OWNER": cluster.conninfo("carers_owner", database)}, "import", what, path, *options)
        said = json.loads(done.stdout) if done.stdout else None
        return done.returncode, said, [line.removeprefix(f"{path}:") for line in done.stderr.splitlines()]
    return run


def entry(api, name):
    """The published entry of this name, for everybody."""
    found = [item for item in api.get(SERVICES, params={"q": name}).json()["items"] if item["name"] == name]
    assert len(found) == 1, found
    return found[0]


def csv(*rows):
    return "\n".join((HEADER,) + rows) + "\n"


def service(**members):
    """A document of Open Referral with ids of its own."""
    return {"id": str(uuid.uuid4()), "name": "Walks", "description": "By the sea.", "status": "active", "assured_date": "2026-10-01",
            "organization": {"id": str(uuid.uuid4()), "name": "Walkers", "description": "They walk."}, **members}


class TestCsv:
    """Our own columns."""

    def test_a_row_is_an_entry_that_is_found(self, api, load):
        name = f"Lifts {uuid.uuid4()}"
        assert load(csv(GOOD.replace("Lift club", name))) == (0, {"added": 1, "changed": 0, "unchanged": 0, "faults": 0, "warnings": 0}, [])
        one = entry(api, name)
        assert (one["support_areas"], one["cost"], one["eligibility"]) == (["transport", "wraparound"], {"free": True}, {"minimum_age": 18})
        assert (one["organisation_name"], one["assured_on"], one["description"]) == ("Good Trust", "2026-10-01", 'Lifts, to the "hospital".')
        assert (one["locations"][0]["postcode"], one["locations"][0]["latitude"]) == ("NR32 1XX", 52.4811)
        assert one["schedule"][0]["byday"] == "MO,WE" and one["contacts"][0]["phones"][0]["number"] == "01632 960201"
        assert api.get(SERVICES, params={"q": name, "day": "MO", "from": "11:00", "to": "11:30"}).json()["found"] == 1
        problem(api.get(f"{SERVICES}/{one['id']}/publish"), 405, "method-not-allowed")

    def test_the_same_file_again_changes_nothing_and_another_row_changes_its_entry(self, api, load):
        name = f"Lifts {uuid.uuid4()}"
        row = GOOD.replace("Lift club", name)
        load(csv(row))
        one = entry(api, name)
        assert load(csv(row))[1] == {"added": 0, "changed": 0, "unchanged": 1, "faults": 0, "warnings": 0}
        assert entry(api, name) == one
        assert load(csv(row.replace("10:00", "09:00")))[1]["changed"] == 1
        changed = entry(api, name)
        assert (changed["id"], changed["schedule"][0]["opens_at"]) == (one["id"], "09:00")

    def test_what_a_row_says_twice_in_a_file_the_last_one_says(self, api, load):
        name = f"Lifts {uuid.uuid4()}"
        assert load(csv(GOOD, GOOD.replace("Lift club", name)))[1]["added"] == 1
        entry(api, name)

    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
    @pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
    def test_a_file_of_windows_1252_with_a_broken_line_keeps_every_good_row(self, load, mark, end):
        rows = [f"{n},Trust,,Fine {n}" for n in range(8)]
        rows[2] = '2,Trust,,"Broken'
        rows[5] = "5,Trust,,Caf\u00e9"
        text = "\n".join(["external_id,organisation,organisation_type,name", *rows]).encode("cp1252").replace(b"\n", end)
        code, said, complaints = load(mark + text)
        assert (code, said["added"], said["faults"]) == (1, 6, 2)
        assert complaints == ["4: has a quote that is not closed, or one in the middle of a field",
                              "7: is not UTF-8 (Windows-1252?): save the file as UTF-8"]

    @pytest.mark.parametrize("change, pointer", [
        (("transport; wraparound", "transport;teleport"), "/support_areas/1"), (("nr32 1xx", "ZZ1 1ZZ"), "/locations/0/postcode"),
        (("nr32 1xx,,", "nr32 1xx,91,1"), "/locations/0/latitude"), (("community", "alien"), "/organisation_type"),
        (('"MO,WE"', "XX"), "/schedule/0/byday"), (("2026-10-01", "yesterday"), "/assured_on"), (("A1,", ","), "/external_id"),
        (("yes", "maybe"), "/cost/free"), (("Lift club", "x" * 201), "/name"), ((",18,", ",eighteen,"), "/eligibility/minimum_age"),
        (("https://example.org/", "ftp://x"), "/website")], ids=lambda value: value if isinstance(value, str) else value[1])
    def test_what_is_wrong_is_told_by_line_and_the_others_are_taken(self, load, change, pointer):
        bad = GOOD.replace(*change)
        assert bad != GOOD
        code, said, complaints = load(csv(GOOD.replace("A1,", "A0,"), bad, GOOD.replace("A1,", "A2,")))
        assert (code, said["added"], said["faults"]) == (1, 2, 1)
        assert complaints[0].startswith(f"3: {pointer} "), complaints

    def test_a_file_without_the_columns_is_refused_whole(self, load):
        assert load("a,b\n1,2\n") == (1, None, ["carers-api: the first line names no column external_id"])

    def test_many_rows_in_which_some_are_bad_leave_only_those_out(self, load):
        rows = [f"{n},Trust {n % 7},,Name {n},,,{'teleport' if n in (17, 400, 999) else 'transport'}" for n in range(1100)]
        code, said, complaints = load("external_id,organisation,organisation_type,name,description,website,support_areas\n" + "\n".join(rows))
        assert (code, said["added"], said["faults"]) == (1, 1097, 3)
        assert [line.split(":")[0] for line in complaints] == ["19", "402", "1001"]


class TestOpenReferral:
    """Documents as they came."""

    @pytest.fixture(scope="class")
    def examples(self, cluster, database, db):
        for name in ("taxonomy", "taxonomy_term", "organization_full", "service_full"):
            done = command({"CARERS_DATABASE_OWNER": cluster.conninfo("carers_owner", database)}, "import", "directory",
                           EXAMPLES / f"{name}.json", "--council", ISLINGTON, "--source", "examples")
            assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize("name, collection", [("service_full", "services"), ("organization_full", "organizations"),
                                                  ("taxonomy", "taxonomies"), ("taxonomy_term", "taxonomy_terms")])
    def test_the_example_documents_come_out_as_they_went_in(self, api, examples, name, collection):
        assert api.get(f"{FEED}/{collection}/{example(name)['id']}").json() == example(name)

    def test_an_example_at_its_location_has_name_and_status_besides(self, api, examples):
        there = example("service_at_location_full")
        service = example("service_full")
        assert api.get(f"{FEED}/service_at_locations/{there['id']}").json() == {**there, "name": service["name"], "status": service["status"]}

    @pytest.mark.parametrize("name, collection", [("service_list", "services"), ("service_at_location_list", "service_at_locations"),
                                                  ("organization_list", "organizations"), ("taxonomy_list", "taxonomies"),
                                                  ("taxonomy_term_list", "taxonomy_terms")])
    def test_the_example_lists_have_what_the_feed_has(self, api, examples, name, collection):
        (one,) = example(name)["contents"]
        assert [item for item in contents(api, collection) if item["id"] == one["id"]] == [one]

    def test_what_is_changed_here_is_ours_and_the_rest_stays_as_it_came(self, api, load):
        document = service(fees="Free to members", custom={"deep": [1]}, schedules=[{"id": str(uuid.uuid4()), "freq": "WEEKLY", "byday": "SA,SU",
                                                                                     "extent": "unknown here"}])
        load(json.dumps(document), "a.ndjson")
        path = f"{FEED}/services/{document['id']}"
        assert api.get(path).json() == document
        patched = api.patch(f"{SERVICES}/{document['id']}", etag="*", json={"name": "Strolls"}, **EDITOR).json()
        now = api.get(path).json()
        assert now.pop("last_modified") == patched["updated_at"]
        assert now == {**document, "name": "Strolls"}

    def test_attributes_become_our_codes_by_their_words_and_terms_are_published(self, api, load):
        term = {"id": str(uuid.uuid4()), "name": "Befriending", "description": "x", "taxonomy_id": str(uuid.uuid4())}
        document = service(attributes=[{"id": str(uuid.uuid4()), "taxonomy_term": term}])
        load(json.dumps(document), "a.ndjson")
        assert api.get(f"{SERVICES}/{document['id']}").json()["support_areas"] == ["befriending"]
        assert api.get(f"{FEED}/taxonomy_terms/{term['id']}").json() == term
        assert ids(contents(api, "services", taxonomy_term_id=term["id"])) == [document["id"]]
        assert ids(contents(api, "services", taxonomy_id=term["taxonomy_id"])) == [document["id"]]

    def test_lines_of_ndjson_that_are_bad_are_told_and_the_others_taken(self, load):
        documents = [json.dumps(service()) for _ in range(3)]
        lines = [documents[0], "{broken", json.dumps({**service(), "id": 7}), "", documents[1], '{"name": "x", "status": "running", "id": "y"}',
                 "caf\u00e9".encode("cp1252"), documents[2], json.dumps(example("service_at_location_full"))]
        text = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
        code, said, complaints = load(text, "a.ndjson")
        assert (code, said["added"]) == (1, 3)
        told = {tuple(line.split(" ")[:2]) for line in complaints}
        assert {("3:", "/id"), ("6:", "/id"), ("6:", "/status")} <= told
        assert {line.split(":")[0] for line in complaints} == {"2", "3", "6", "7", "9"}

    def test_a_page_is_taken_item_by_item(self, load):
        page = {"total_items": 2, "contents": [service(), {**service(), "status": "running"}, service()]}
        code, said, complaints = load(json.dumps(page, indent=1), "a.json")
        assert (code, said["added"], [line.split(" ")[:2] for line in complaints]) == (1, 2, [["2:", "/status"]])

    def test_an_entry_of_another_source_keeps_its_id(self, load):
        document = service()
        assert load(json.dumps(document), "a.ndjson", source=f"one {document['id']}")[0] == 0
        code, said, complaints = load(json.dumps({**document, "organization": service()["organization"]}), "a.ndjson", council=CAMDEN)
        assert (code, said["added"], complaints) == (1, 0, ["1: /id is the id of an entry of another council"])
        code, said, complaints = load(json.dumps(document), "a.ndjson")
        assert (code, said["added"], complaints) == (1, 0, ["1: /id is the id of an entry that did not come from this source"])

    def test_a_service_whose_organisation_nobody_knows_is_not_taken(self, load):
        document = {**service(), "organization_id": str(uuid.uuid4())}
        del document["organization"]
        assert load(json.dumps(document), "a.ndjson")[2] == [
            "1: /organization_id names no organisation that came from this source, nor one of the directory"]

    def test_coordinates_and_postcodes_that_are_none_stay_in_the_document(self, api, load):
        place = {"id": str(uuid.uuid4()), "location": {"id": str(uuid.uuid4()), "location_type": "physical", "latitude": 100, "longitude": 101,
                 "addresses": [{"id": str(uuid.uuid4()), "address_1": "1", "city": "A", "state_province": "B", "postal_code": "ABC 1234",
                                "country": "US", "address_type": "postal"}]}}
        document = service(service_at_locations=[place])
        assert load(json.dumps(document), "a.ndjson")[0] == 0
        assert api.get(f"{FEED}/services/{document['id']}").json() == document
        (ours,) = api.get(f"{SERVICES}/{document['id']}").json()["locations"]
        assert "latitude" not in ours and "postcode" not in ours

    def test_what_was_archived_here_stays_archived(self, api, load):
        document = service()
        load(json.dumps(document), "a.ndjson")
        api.post(f"{SERVICES}/{document['id']}/archive", json={"reason": "Closed."}, **EDITOR)
        assert load(json.dumps({**document, "name": "Walks again"}), "a.ndjson")[1]["changed"] == 1
        problem(api.get(f"{FEED}/services/{document['id']}"), 404, "not-found")

    def test_an_organisation_that_comes_before_its_parent_has_it_all_the_same(self, api, load):
        parent, child = str(uuid.uuid4()), str(uuid.uuid4())
        lines = [{"id": child, "name": "Branch", "description": "Of it.", "parent_organization_id": parent},
                 {"id": parent, "name": "Network", "description": "Of branches."}]
        code, said, complaints = load("\n".join(map(json.dumps, lines)), name="a.ndjson")
        assert (code, said["added"], complaints) == (0, 2, [])
        assert api.get(f"{ORGANISATIONS}/{child}").json()["parent_id"] == parent

    def test_an_organisation_that_is_imported_is_listed(self, api, load):
        document = service()
        load(json.dumps(document), "a.ndjson")
        one = api.get(f"{ORGANISATIONS}/{document['organization']['id']}").json()
        assert (one["name"], one["council"], one["type"]) == ("Walkers", ISLINGTON, "voluntary")


class TestTwoCouncils:
    """What one council's import brought, another's never writes, whatever either calls it."""

    def test_two_councils_that_count_their_rows_alike_have_each_their_own_entries(self, api, load):
        names = {council: f"Lifts {uuid.uuid4()}" for council in (ISLINGTON, CAMDEN)}
        source = f"import {uuid.uuid4()}"
        for council, name in names.items():
            row = GOOD.replace("Lift club", name).replace("example.org", f"{council.lower()}.example.org")
            assert load(csv(row), source=source, council=council)[:2] == (
                0, {"added": 1, "changed": 0, "unchanged": 0, "faults": 0, "warnings": 0})
        one, other = (entry(api, name) for name in names.values())
        assert (one["council"], other["council"]) == (ISLINGTON, CAMDEN)
        assert one["organisation_id"] != other["organisation_id"] and "e09000019" in one["website"] and "e09000007" in other["website"]

    def test_an_import_with_the_source_and_the_ids_of_another_council_changes_nothing_of_its_directory(self, api, load):
        document, source = service(email="walks@example.org"), f"feed {uuid.uuid4()}"
        assert load(json.dumps(document), "a.ndjson", source=source)[0] == 0
        path, whose = f"{SERVICES}/{document['id']}", f"{ORGANISATIONS}/{document['organization']['id']}"
        before = api.get(path).json(), api.get(whose).json(), api.get(f"{FEED}/services/{document['id']}").json()
        taken = {**document["organization"], "name": "Taken over", "email": "taken@example.org"}
        lines = [{**document, "name": "Taken over", "email": "taken@example.org", "organization": taken},
                 {**document, "name": "Taken over", "organization": service()["organization"]}, taken]

        for line, sentence in zip(lines, ["an entry", "an entry", "an organisation"]):
            code, said, complaints = load(json.dumps(line), "a.ndjson", source=source, council=CAMDEN)
            assert (code, said["added"], said["changed"], complaints) == (1, 0, 0, [f"1: /id is the id of {sentence} of another council"])

        assert (api.get(path).json(), api.get(whose).json(), api.get(f"{FEED}/services/{document['id']}").json()) == before

    def test_an_organisation_that_another_council_lists_has_services_in_both_and_stays_as_it_is(self, api, load):
        document, source = service(), f"feed {uuid.uuid4()}"
        load(json.dumps(document), "a.ndjson", source=source)
        whose = f"{ORGANISATIONS}/{document['organization']['id']}"
        before = api.get(whose).json()
        named = service(organization={**document["organization"], "name": "By another name"})
        pointed = {**service(), "organization_id": document["organization"]["id"]}
        del pointed["organization"]

        code, said, complaints = load("\n".join(map(json.dumps, [named, pointed])), "a.ndjson", source=source, council=CAMDEN)

        assert (code, said["added"], complaints) == (0, 2, [])
        for one in (named, pointed):
            made = api.get(f"{SERVICES}/{one['id']}").json()
            assert (made["council"], made["organisation_id"]) == (CAMDEN, document["organization"]["id"])
        assert api.get(whose).json() == before

    def test_a_term_that_another_council_brought_is_not_changed(self, api, load):
        term = {"id": str(uuid.uuid4()), "name": "Walking", "description": "On foot.", "taxonomy_id": str(uuid.uuid4())}
        assert load(json.dumps(term), "a.ndjson")[0] == 0
        code, said, complaints = load(json.dumps({**term, "name": "Running"}), "a.ndjson", council=CAMDEN)
        assert (code, said["changed"], complaints) == (1, 0, ["1: /id is the id of a taxonomy term, which another council brought"])
        document = service(attributes=[{"id": str(uuid.uuid4()), "taxonomy_term": {**term, "name": "Running"}}])
        assert load(json.dumps(document), "a.ndjson", council=CAMDEN)[1]["added"] == 1
        assert api.get(f"{FEED}/taxonomy_terms/{term['id']}").json() == term


@pytest.mark.parametrize("words", [[], ["directory"], ["directory", "x.csv"], ["directory", "x.csv", "--council"],
                                   ["directory", "--council", ISLINGTON], ["directory", "x.csv", "y.csv", "--council", ISLINGTON],
                                   ["directory", "x.csv", "--council", ISLINGTON, "--source", "x", "--format", "xlsx"], ["people", "x.csv"]], ids=str)
def test_wrong_use_is_told(words):
    done = command({}, "import", *words)
    assert done.returncode == 2 and "import directory FILE" in done.stderr


class TestPostcodes:
    """The ONS Postcode Directory's columns (rule D6)."""

    HEAD = '"pcd","pcds","dointr","doterm","oscty","oslaua","osward","rgn","ctry","lat","long"\n'

    def rows(self, db, *postcodes):
        db.execute("SELECT postcode, latitude::text, longitude::text FROM postcode WHERE postcode = ANY (%s) ORDER BY postcode", (list(postcodes),))
        return db.fetchall()

    def test_good_rows_are_taken_bad_ones_told_and_the_same_file_changes_nothing(self, load, db):
        text = self.HEAD + "".join(f'"{pcds}","{pcds}","199001","","E10000029","E07000244","E05012345","E12000006","E92000001",{lat},{long}\n' for pcds, lat, long in (
            ("ZX1 1AA", "52.480012", "1.753401"), ("ZX11AB", "52.5", "-0.05"), ("no postcode", "52.5", "1.7"), ("ZX1 1AD", "north", "1.7"),
            ("ZX1 1AE", "52.5", "181"), ("ZX1 1AF", "99.999999", "0.000000"), ("ZX1 1AG", "-0.000001", "179.9999999")))

        code, said, complaints = load(text, what="postcodes")

        assert complaints == ["4: pcds is no postcode", "5: lat and long are no coordinates", "6: lat and long are no coordinates"]
        assert (code, said) == (1, {"read": 3, "changed": 3, "without_a_place": 1, "faults": 3})
        assert self.rows(db, "ZX1 1AA", "ZX1 1AB", "ZX1 1AF", "ZX1 1AG") == [
            ("ZX1 1AA", "52.480012", "1.753401"), ("ZX1 1AB", "52.5", "-0.05"), ("ZX1 1AG", "-1e-06", "179.999999")]
        assert load(text, what="postcodes")[1]["changed"] == 0

    def test_a_place_that_has_moved_is_changed(self, load, db):
        row = 'x,ZX2 1AA,,,,,,,,{},1.75\n'
        load(self.HEAD + row.format("52.1"), what="postcodes")

        assert load(self.HEAD + row.format("52.2"), what="postcodes")[1]["changed"] == 1
        assert self.rows(db, "ZX2 1AA") == [("ZX2 1AA", "52.2", "1.75")]

    def test_a_file_without_the_columns_is_refused_whole(self, load):
        code, said, complaints = load("pcds,lat\nZX3 1AA,52\n", what="postcodes")

        assert code != 0 and not said and "long" in complaints[0]


class TestExport:
    """What comes out goes in again."""

    def whole(self, api, form, limit=7):
        path, text = f"/v1/directory/export.{form}?limit={limit}", ""
        while path:
            response = api.get(path)
            assert response.status_code == 200 and response.headers["Access-Control-Allow-Origin"] == "*"
            text += response.content.decode()
            path = response.links["next"]["url"] if "next" in response.links else None
        return text, response.headers["Content-Type"]

    def test_ndjson_has_every_document_of_the_feed_in_its_order(self, api, load):
        load("\n".join(json.dumps(service()) for _ in range(20)), "a.ndjson")
        text, media = self.whole(api, "ndjson")
        lines = [json.loads(line) for line in text.splitlines()]
        assert media == "application/x-ndjson" and ids(lines) == ids(contents(api, "services"))
        assert lines[-1] == api.get(f"{FEED}/services/{lines[-1]['id']}").json()

    def test_csv_goes_in_again_and_is_the_same_entries(self, api, load):
        name = f"Lifts, \"quick\" {uuid.uuid4()}"
        load(csv(GOOD.replace("Lift club", '"' + name.replace('"', '""') + '"')))
        text, media = self.whole(api, "csv")
        assert media.startswith("text/csv")
        template = (FOLDER.parents[1] / "docs" / "import-template.csv").read_text(encoding="utf-8")
        assert text.splitlines()[0] == template.splitlines()[0]
        mine = next(line for line in text.splitlines() if name.split()[-1] in line)
        source = f"again {name}"
        assert load(template.splitlines()[0] + "\n" + mine, source=source)[1]["added"] == 1
        one, two = [item for item in api.get(SERVICES, params={"q": name.split()[-1]}).json()["items"]]
        same = ("name", "description", "support_areas", "access_routes", "cost", "eligibility", "assured_on", "organisation_name")
        assert {key: one[key] for key in same} == {key: two[key] for key in same}

    @pytest.mark.parametrize("text, cell", [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"), ("+44 1632 960201", "'+44 1632 960201"), ("-1+1", "'-1+1"), ("@SUM(1)", "'@SUM(1)"), ("\t=1", "'\t=1"),
        ("＝1", "'＝1"), ("'=1", "''=1"), ("''+", "'''+"), ("'tis so", "'tis so"), ("a=1", "a=1"), ("-5", "-5"), ('=1,"2"', '"\'=1,""2"""')])
    def test_no_cell_is_a_formula_and_what_was_put_before_it_is_taken_away(self, api, service, load, text, cell):
        one = service(alert=text, locations=[{"kind": "physical", "latitude": 51.5, "longitude": -0.125}])
        exported = self.whole(api, "csv", 1000)[0].replace("\r\n", "\n").split("\n")
        mine = next(line for line in exported if line.startswith(one["id"]))
        assert f",{cell}," in mine and ",-0.125," in mine
        assert load(f"{exported[0]}\n{mine}\n")[1]["added"] == 1
        kept = [item["id"] for item in api.get(SERVICES, params={"q": one["name"], "limit": 50}).json()["items"] if item["name"] == one["name"]]
        assert len(kept) == 2 and {api.get(f"{SERVICES}/{ident}").json()["alert"] for ident in kept} == {text}

    def test_the_template_can_be_imported(self, load):
        template = (FOLDER.parents[1] / "docs" / "import-template.csv").read_bytes()
        assert load(template)[1] == {"added": 1, "changed": 0, "unchanged": 0, "faults": 0, "warnings": 0}
