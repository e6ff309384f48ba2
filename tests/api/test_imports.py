"""Imports over HTTP: asked for, done in the background, told line by line; and the ONS Postcode Directory. Rules D5, D6."""
import json
import uuid

import psycopg2
import pytest
from support.callers import answer
from support.client import faults, problem
from support.directory import ADMIN, EDITOR, OTHER_EDITOR, SERVICES
from support.server import command, wait_for
from support.tokens import CAMDEN

IMPORTS = "/v1/imports"
ROWS = "external_id,organisation,name,support_areas\n"


def body(text, **members):
    return {"source": f"source-{uuid.uuid4()}", "format": "csv", "content": text, **members}


def done(api, response, who=EDITOR):
    """The import when it has ended."""
    assert response.status_code == 202, response.text
    path = f"{IMPORTS}/{response.json()['id']}"
    assert response.headers["Location"].endswith(path)

    def ended():
        one = api.get(path, **who).json()
        return one if one["state"] in ("done", "failed") else None
    return wait_for(ended, 60)


def left(api, db, attempts, furthest):
    """One that a process began and left three minutes ago."""
    ident = str(uuid.uuid4())
    db.execute("INSERT INTO directory_import (id, council, source, format, content, lines, state, updated_at, attempts, furthest) VALUES"
               " (%s, 'E09000019', %s, 'csv', %s, 2, 'running', now() - interval '3 minutes', %s, %s)",
               (ident, ident, ROWS + "1,Halls,Choir,\n", attempts, furthest))
    return lambda: next((one for one in [api.get(f"{IMPORTS}/{ident}", **EDITOR).json()] if one["state"] in ("done", "failed")), None)


class TestJobs:
    """What is asked for is done, and looked after."""

    def test_an_import_is_done_in_the_background_and_says_what_it_did(self, api):
        name = f"Choir {uuid.uuid4()}"
        one = done(api, api.post(IMPORTS, json=body(ROWS + f"1,Halls,{name},arts_leisure\n2,Halls,Bad,teleport\n3,Halls\n"), **EDITOR))
        assert (one["state"], one["progress"]) == ("done", {"lines": 4, "read": 4})
        assert {key: one["report"][key] for key in ("added", "changed", "unchanged", "refused")} == {
            "added": 1, "changed": 0, "unchanged": 0, "refused": 2}
        assert {(fault["line"], fault["pointer"]) for fault in one["report"]["faults"]} == {(3, "/support_areas/0"), (4, "")}
        assert [item["name"] for item in api.get(SERVICES, params={"q": name}).json()["items"]] == [name]

    def test_a_line_with_two_faults_is_one_that_is_refused(self, api):
        rows = "external_id,organisation,name,support_areas,assured_on\n1,Halls,Choir,,\n2,Halls,Bad,,soon\n,,Worse,,soon\n"
        report = done(api, api.post(IMPORTS, json=body(rows), **EDITOR))["report"]
        assert (report["added"], report["refused"]) == (1, 2)
        assert [(fault["line"], fault["pointer"]) for fault in report["faults"]] == [
            (3, "/assured_on"), (4, "/external_id"), (4, "/organisation"), (4, "/assured_on")]

    def test_every_refused_line_is_counted_when_there_are_more_faults_than_are_kept(self, api):
        rows = "external_id,organisation,name,support_areas,assured_on\n" + ",,Worse,,soon\n" * 500
        report = done(api, api.post(IMPORTS, json=body(rows + "x,Halls,Choir,,\n"), **EDITOR))["report"]
        assert (report["added"], report["refused"], len(report["faults"]), report["more_faults"]) == (1, 500, 1000, 500)
        assert report["faults"][-1]["line"] == 335

    def test_what_comes_after_the_faults_that_are_kept_is_counted_in_each_batch(self, api):
        rows = "".join("x,,Choir,\n" * 10 + f"{n},Halls,Choir {n},\n" for n in range(110))
        report = done(api, api.post(IMPORTS, json=body(ROWS + rows), **EDITOR))["report"]
        assert (report["added"], report["refused"], len(report["faults"]), report["more_faults"]) == (110, 1100, 1000, 100)

    def test_a_report_that_is_whole_says_nothing_of_more(self, api):
        assert "more_faults" not in done(api, api.post(IMPORTS, json=body(ROWS + "1,,,\n"), **EDITOR))["report"]

    def test_the_same_again_changes_nothing(self, api):
        what = body(ROWS + "".join(f"{n},Halls,Choir {n},\n" for n in range(250)))
        assert done(api, api.post(IMPORTS, json=what, **EDITOR))["report"]["added"] == 250
        again = done(api, api.post(IMPORTS, json=what, **EDITOR))["report"]
        assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 250)

    def test_documents_that_only_warn_are_taken_and_told(self, api):
        document = {"id": str(uuid.uuid4()), "name": "Walks", "description": "x", "status": "active", "schedules": [{"id": str(uuid.uuid4())}],
                    "organization": {"id": str(uuid.uuid4()), "name": "W", "description": "x"}}
        report = done(api, api.post(IMPORTS, json=body(json.dumps(document), format="ndjson"), **EDITOR))["report"]
        assert (report["added"], report["refused"]) == (1, 0)
        assert [(fault["pointer"], fault["warning"]) for fault in report["faults"]] == [("/schedules/0", True)]

    @pytest.mark.parametrize("content, form, reason", [("a,b\n", "csv", "the first line names no column external_id"),
                                                       ("{", "json", None)], ids=["no columns", "no JSON"])
    def test_what_is_nothing_of_its_format_fails_for_a_reason(self, api, content, form, reason):
        one = done(api, api.post(IMPORTS, json=body(content, format=form), **EDITOR))
        assert one["state"] == "failed" and one["reason"] and reason in (None, one["reason"])

    def test_its_audit_rows_are_of_whoever_asked(self, api, db):
        one = done(api, api.post(IMPORTS, json=body(ROWS + "1,Halls,Choir,\n"), sub="editor-of-halls", **EDITOR))
        assert one["report"]["added"] == 1
        db.execute("SELECT DISTINCT subject_table FROM audit_entry WHERE actor = 'editor-of-halls'")
        assert {"directory_import", "service", "organisation"} <= {table for (table,) in db.fetchall()}

    def test_one_that_was_left_by_its_process_is_taken_up_again(self, api, db):
        ident = str(uuid.uuid4())
        db.execute("INSERT INTO directory_import (id, council, source, format, content, lines, state, updated_at) VALUES"
                   " (%s, 'E09000019', %s, 'csv', %s, 2, 'running', now() - interval '3 minutes')",
                   (ident, ident, ROWS + "1,Halls,Choir,\n"))
        assert wait_for(lambda: api.get(f"{IMPORTS}/{ident}", **EDITOR).json()["state"] == "done", 60)

    def test_one_that_comes_no_further_is_given_up_for_a_reason(self, api, db):
        one = wait_for(left(api, db, attempts=5, furthest=7), 60)
        assert one["state"] == "failed" and "begun 5 times without coming further than line 7" in one["reason"]

    def test_one_that_has_an_attempt_left_is_done(self, api, db):
        assert wait_for(left(api, db, attempts=4, furthest=1), 60)["state"] == "done"

    def test_a_batch_may_take_longer_than_a_request(self, cluster, new_database, serve, client):
        name = new_database()
        connection = psycopg2.connect(cluster.conninfo("postgres", name))
        with connection, connection.cursor() as owner:
            owner.execute("CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(2); RETURN NULL; END'")
            owner.execute("CREATE TRIGGER dawdle AFTER INSERT ON service FOR EACH STATEMENT EXECUTE FUNCTION dawdle()")
        connection.close()
        api = client(serve(CARERS_DATABASE=cluster.conninfo("carers_service", name), CARERS_STATEMENT_TIMEOUT_MS=1000))
        one = done(api, api.post(IMPORTS, json=body(ROWS + "1,Halls,Choir,\n"), **EDITOR))
        assert (one["state"], one["report"]["added"]) == ("done", 1)

    def test_only_the_councils_editors_see_it(self, api):
        one = done(api, api.post(IMPORTS, json=body(ROWS + "1,Halls,Choir,\n"), **EDITOR))
        path = f"{IMPORTS}/{one['id']}"
        assert api.get(path, **ADMIN).status_code == 200
        assert one["id"] in [item["id"] for item in api.get(IMPORTS, **ADMIN).json()["items"]]
        problem(api.get(path, **OTHER_EDITOR), 404, "not-found")
        assert one["id"] not in [item["id"] for item in api.get(IMPORTS, **OTHER_EDITOR).json()["items"]]

    def test_an_editor_with_another_councils_source_and_ids_changes_nothing_of_it(self, api):
        name, source = f"Choir {uuid.uuid4()}", f"source-{uuid.uuid4()}"
        done(api, api.post(IMPORTS, json=body(ROWS + f"1,Halls,{name},\n", source=source), **EDITOR))
        (before,) = api.get(SERVICES, params={"q": name}).json()["items"]
        report = done(api, api.post(IMPORTS, json=body(ROWS + f"1,Halls,Other {name},\n", source=source), **OTHER_EDITOR), OTHER_EDITOR)["report"]
        assert (report["added"], report["changed"], report["refused"]) == (1, 0, 0)
        assert {item["name"]: item["council"] for item in api.get(SERVICES, params={"q": name}).json()["items"]} == {
            name: EDITOR["council"], f"Other {name}": OTHER_EDITOR["council"]}
        assert api.get(f"{SERVICES}/{before['id']}").json()["name"] == name

    @pytest.mark.parametrize("role", ["vcfse_editor", "practitioner", "commissioner", "carer"])
    def test_others_import_nothing(self, api, role, organisation, carer):
        who = {"carer": {"carer": carer()["id"]}, "vcfse_editor": {"org": organisation()}}.get(role, {"council": EDITOR["council"]})
        assert answer(api.post(IMPORTS, json=body(ROWS), role=role, **who)) in ("forbidden", "insufficient-scope")

    @pytest.mark.parametrize("members, pointer", [({"council": CAMDEN}, "/council"), ({"format": "xlsx"}, "/format"), ({"source": ""}, "/source"),
                                                  ({"content": ""}, "/content")], ids=str)
    def test_what_is_asked_wrongly_is_named(self, api, members, pointer):
        assert pointer in {p for p, _ in faults(api.post(IMPORTS, json=body(ROWS, **members), **EDITOR))}


class TestPostcodes:
    """The columns of the ONS Postcode Directory."""

    @pytest.fixture
    def load(self, cluster, database, tmp_path):
        def run(text):
            path = tmp_path / "onspd.csv"
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            made = command({"CARERS_DATABASE_OWNER": cluster.conninfo("carers_owner", database)}, "import", "postcodes", path)
            return made.returncode, json.loads(made.stdout or "null"), [line.removeprefix(f"{path}:") for line in made.stderr.splitlines()]
        return run

    HEADER = "pcd,pcd2,pcds,dointr,doterm,oscty,ced,oslaua,osward,lat,long,rgn,ctry\n"

    def row(self, pcds, lat="51.5", long="-0.1", doterm=""):
        return f'"{pcds}","{pcds}","{pcds}","198001","{doterm}","E99999999","E99999999","E09000019","E05013697",{lat},{long},"E12000007","E92000001"\n'

    def test_they_are_known_and_the_same_again_changes_nothing(self, api, load, db):
        text = self.HEADER + self.row("ZX4 1AA") + self.row("ZX4  1AB", "52.25", "1.75") + self.row("ZX41AC", "99.999999", "0")
        assert load(text) == (0, {"read": 2, "changed": 2, "without_a_place": 1, "faults": 0}, [])
        assert load(text)[1]["changed"] == 0
        assert load(self.HEADER + self.row("ZX4 1AA", doterm="202601"))[1]["changed"] == 1
        db.execute("SELECT postcode, latitude, district, terminated FROM postcode WHERE postcode LIKE 'ZX4 %' ORDER BY 1")
        assert db.fetchall() == [("ZX4 1AA", 51.5, "E09000019", "202601"), ("ZX4 1AB", 52.25, "E09000019", None)]
        assert api.get(SERVICES, params={"postcode": "zx41ab", "within_metres": 10}).status_code == 200

    def test_what_is_wrong_is_told_by_line_and_the_others_are_taken(self, load):
        text = self.HEADER + self.row("ZX2 1AA") + self.row("nowhere") + self.row("ZX2 1AB", "north") + "a,b\n" + self.row("ZX2 1AC")
        code, said, complaints = load(b"\xef\xbb\xbf" + text.encode() + self.row("ZX2 1\xe9").encode("cp1252"))
        assert (code, said["read"], said["changed"], said["faults"]) == (1, 2, 2, 4)
        assert complaints == ["3: pcds is no postcode", "4: lat and long are no coordinates", "5: has more or fewer fields than the first line",
                              "7: is not UTF-8 (Windows-1252?): save the file as UTF-8"]

    def test_a_file_without_the_columns_is_refused_whole(self, load):
        assert load("pcd,x\n")[2] == ["carers-api: the first line names no column pcds"]
