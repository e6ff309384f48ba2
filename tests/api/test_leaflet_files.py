"""The PDFs of leaflets: who stores, reads and throws away, what is none, and how large one may be. Rule D7."""
import hashlib
import threading

import psycopg2
import pytest
from support.callers import answer
from support.client import problem
from support.directory import ADMIN, EDITOR, OTHER_EDITOR, STAFF
from support.pdf import pdf
from support.server import resident, wait_for

LEAFLETS, MOST = "/v1/directory/leaflets", 5 * 1024 * 1024
SOME = "019a98d2-cd00-7000-8000-00000000dead"
EVERYBODY = {"nobody": {}, "a carer": {"role": "carer", "carer": SOME}, "staff": STAFF, "her editor": EDITOR,
             "an administrator": ADMIN, "another council's editor": OTHER_EDITOR, "a referrer": {"role": "referrer", "org": SOME},
             "a support worker": {"role": "support_worker", "org": SOME}, "a commissioner": {"role": "commissioner"}}
WRITES = {"her editor", "an administrator", "its organisation"}


@pytest.fixture
def own(listed):
    return {"role": "vcfse_editor", "org": listed["id"]}


@pytest.fixture
def leaflet(api):
    """leaflet(...): a new one; without a link unless it has one."""
    def make(who=None, **members):
        response = api.post(LEAFLETS, json={"title": "Your rights", **members}, **(who or EDITOR))
        assert response.status_code == 201, response.text
        return response.json()
    return make


@pytest.fixture
def put(api):
    """put(leaflet, bytes): stores them."""
    def store(one, content, etag="*", media="application/pdf", who=None):
        headers = {"Content-Type": media, **({"If-Match": etag} if etag else {})}
        return api.put(f"{LEAFLETS}/{one['id']}/file", data=content, headers=headers, **(who or EDITOR))
    return store


def read(api, one, who=None, **options):
    return api.get(f"{LEAFLETS}/{one['id']}/file", **(who or {}), **options)


class TestStored:
    """From the upload to whoever takes the leaflet away."""

    def test_what_is_stored_is_read_by_everybody_byte_by_byte(self, api, leaflet, put):
        one, content = leaflet(), pdf(size=700_001)
        stored = put(one, content)
        assert stored.status_code == 200, stored.text
        path = f"{LEAFLETS}/{one['id']}/file"
        assert stored.json()["file"] == {"size": 700_001, "sha256": hashlib.sha256(content).hexdigest(), "url": path}
        got = read(api, one, headers={"Accept-Encoding": "gzip"})
        assert got.content == content and got.headers["Content-Type"] == "application/pdf"
        assert got.headers["Content-Disposition"] == f'attachment; filename="leaflet-{one["id"]}.pdf"'
        assert got.headers["X-Content-Type-Options"] == "nosniff" and got.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert "Content-Encoding" not in got.headers and got.headers["ETag"] == stored.headers["ETag"]
        assert got.headers["Access-Control-Allow-Origin"] == "*"
        head = api.head(path)
        assert head.headers["Content-Length"] == "700001" and head.content == b""

    def test_what_the_reader_has_is_not_sent_again(self, api, leaflet, put):
        one = leaflet()
        put(one, pdf())
        etag = read(api, one).headers["ETag"]
        assert read(api, one, headers={"If-None-Match": etag}).status_code == 304
        put(one, pdf(words="Another"))
        again = read(api, one, headers={"If-None-Match": etag})
        assert again.status_code == 200 and b"Another" in again.content

    def test_a_leaflet_without_link_and_file_is_its_editors_only(self, api, leaflet, put):
        one = leaflet()
        path = f"{LEAFLETS}/{one['id']}"
        problem(api.get(path), 404, "not-found")
        problem(api.get(path, **STAFF), 404, "not-found")
        assert api.get(path, **EDITOR).status_code == 200
        problem(read(api, one, EDITOR), 404, "not-found")
        put(one, pdf())
        assert api.get(path).json()["file"]["size"] == len(pdf())

    def test_what_is_thrown_away_is_gone_and_its_etag_never_comes_back(self, api, leaflet, put, db):
        one = leaflet(link="https://example.org/")
        etag = put(one, pdf()).headers["ETag"]
        path = f"{LEAFLETS}/{one['id']}"
        problem(api.delete(f"{path}/file", headers={"If-Match": '"v1"'}, **EDITOR), 412, "precondition-failed")
        assert api.delete(f"{path}/file", headers={"If-Match": etag}, **EDITOR).status_code == 204
        problem(read(api, one), 404, "not-found")
        problem(api.delete(f"{path}/file", **EDITOR), 404, "not-found")
        assert "file" not in api.get(path).json()
        db.execute("SELECT bytes IS NULL FROM leaflet_file WHERE leaflet_id = %s", (one["id"],))
        assert db.fetchone() == (True,)
        assert put(one, pdf()).headers["ETag"] not in (etag, '"v1"')

    def test_the_file_of_an_archived_leaflet_does_not_leave(self, api, leaflet, put):
        one = leaflet()
        put(one, pdf())
        api.post(f"{LEAFLETS}/{one['id']}/archive", json={}, **EDITOR)
        problem(read(api, one), 404, "not-found")
        problem(read(api, one, STAFF), 404, "not-found")
        problem(put(one, pdf(words="New")), 409, "state-conflict")
        problem(api.delete(f"{LEAFLETS}/{one['id']}/file", **EDITOR), 409, "state-conflict")
        assert read(api, one, EDITOR).status_code == 200

    def test_what_is_stored_is_audited_without_its_bytes(self, leaflet, put, db):
        one = leaflet()
        put(one, pdf())
        db.execute("SELECT action, before, after FROM audit_entry WHERE subject_table = 'leaflet' AND target = %s ORDER BY id DESC LIMIT 1", (one["id"],))
        operation, before, after = db.fetchone()
        assert (operation, before) == ("putLeafletFile", None)
        assert after == {"file_size": len(pdf()), "file_sha256": hashlib.sha256(pdf()).hexdigest()}

    def test_the_same_bytes_again_change_nothing(self, leaflet, put):
        one = leaflet()
        assert put(one, pdf()).headers["ETag"] == put(one, pdf()).headers["ETag"]


class TestWho:
    """The leaflet's editors write, everybody reads."""

    @pytest.mark.parametrize("caller", [*EVERYBODY, "its organisation"])
    def test_who_stores_and_throws_away(self, api, leaflet, put, own, caller):
        one = leaflet(own, link="https://example.org/")
        who = {**EVERYBODY, "its organisation": own}[caller]
        who = {**who, "scope": "directory:write"} if who else {"token": None}
        refusal = "unauthenticated" if caller == "nobody" else "forbidden"
        assert answer(put(one, pdf(), who=who)) == ("200" if caller in WRITES else refusal)
        put(one, pdf())
        dropped = api.delete(f"{LEAFLETS}/{one['id']}/file", **who)
        assert answer(dropped) == ("204" if caller in WRITES else refusal)

    @pytest.mark.parametrize("caller", [*EVERYBODY, "its organisation"])
    def test_everybody_reads(self, api, leaflet, put, own, caller):
        one = leaflet()
        put(one, pdf())
        assert read(api, one, {**EVERYBODY, "its organisation": own}[caller]).content == pdf()

    def test_a_token_without_the_scope_stores_nothing(self, leaflet, put):
        problem(put(leaflet(), pdf(), who={**EDITOR, "scope": "directory:read"}), 403, "insufficient-scope")

    def test_an_organisation_does_not_replace_the_councils(self, leaflet, put, own):
        one = leaflet(link="https://example.org/")
        problem(put(one, pdf(), who=own), 403, "forbidden")

    def test_nobody_is_told_of_a_leaflet_that_is_not_there(self, api, put):
        one = {"id": SOME}
        problem(put(one, pdf()), 404, "not-found")
        problem(read(api, one), 404, "not-found")


PROGRAMS = {"ELF": b"\x7fELF\x02\x01\x01" + bytes(60), "MZ": b"MZ\x90\x00" + bytes(60), "HTML": b"<!doctype html><script>alert(1)</script>",
            "ZIP": b"PK\x03\x04" + bytes(30), "a script": b"#!/bin/sh\nexit 0\n", "a PNG": b"\x89PNG\r\n\x1a\n" + bytes(30)}


class TestWhatItIs:
    """The bytes say what they are, whatever they are called."""

    @pytest.mark.parametrize("kind", list(PROGRAMS))
    def test_a_program_that_is_called_a_pdf_is_none(self, api, leaflet, put, kind):
        one = leaflet()
        assert "no PDF" in problem(put(one, PROGRAMS[kind]), 415, "unsupported-media-type")["detail"]
        assert "no PDF" in problem(put(one, PROGRAMS[kind] + pdf()), 415, "unsupported-media-type")["detail"]
        problem(read(api, one, EDITOR), 404, "not-found")

    @pytest.mark.parametrize("content", [b"", b"%PDF-1.4\n", b"%PDF-1.4\n<script>alert(1)</script>\n%%EOF", pdf()[:-200],
                                         pdf() + b"PK\x05\x06" + bytes(18)],
                             ids=["nothing", "a beginning", "a page of the web", "cut", "an archive, too"])
    def test_half_a_pdf_is_none(self, leaflet, put, content):
        problem(put(leaflet(), content), 415, "unsupported-media-type")

    @pytest.mark.parametrize("inside", [b"/OpenAction << /S /JavaScript /JS (app.alert(1)) >>", b"/OpenAction << /S /J#61vaScript >>",
                                        b"/OpenAction << /S /Launch /F (cmd.exe) >>", b"/Names << /EmbeddedFiles 7 0 R >>"])
    def test_a_pdf_that_acts_breaks_a_rule(self, leaflet, put, inside):
        assert problem(put(leaflet(), pdf(inside)), 422, "rule-violated")["rule"] == "D7"

    @pytest.mark.parametrize("media", ["application/json", "application/octet-stream", "text/html", "application/pdfx"])
    def test_another_content_type_is_not_read(self, leaflet, put, media):
        assert "reads application/pdf" in problem(put(leaflet(), pdf(), media=media), 415, "unsupported-media-type")["detail"]

    def test_bytes_that_are_no_text_reach_no_other_operation(self, api):
        response = api.post(LEAFLETS, data=pdf(), headers={"Content-Type": "application/pdf"}, **EDITOR)
        problem(response, 415, "unsupported-media-type")


class TestHowLarge:
    """5 MiB; one byte more is 413. Other operations keep the service's limit."""

    def test_five_mebibytes_are_stored_and_read(self, api, leaflet, put):
        one, content = leaflet(), pdf(size=MOST)
        assert len(content) == MOST
        assert put(one, content).json()["file"]["size"] == MOST
        assert hashlib.sha256(read(api, one).content).digest() == hashlib.sha256(content).digest()

    def test_a_byte_more_is_too_large(self, leaflet, put):
        assert str(MOST) in problem(put(leaflet(), pdf(size=MOST + 1)), 413, "content-too-large")["detail"]

    def test_another_operation_still_takes_a_mebibyte_only(self, api):
        response = api.post(LEAFLETS, data=b" " * (1024 * 1024 + 1), headers={"Content-Type": "application/json"}, **EDITOR)
        assert "1048576" in problem(response, 413, "content-too-large")["detail"]

    def test_the_table_takes_no_more_either(self, leaflet, put, db):
        one = leaflet()
        put(one, pdf())
        with pytest.raises(psycopg2.errors.CheckViolation):
            db.execute("UPDATE leaflet_file SET bytes = %s WHERE leaflet_id = %s", (bytes(MOST + 1), one["id"]))

    def test_files_that_come_and_go_leave_no_memory_behind(self, serve, client, leaflet):
        one, content, running = leaflet(), pdf(size=MOST), serve(CARERS_SESSIONS="2", CARERS_WORKERS="4")
        own = client(running)
        path = f"{LEAFLETS}/{one['id']}/file"

        def round_trips(count):
            for number in range(count):
                headers = {"Content-Type": "application/pdf", "If-Match": "*"}
                assert own.put(path, data=pdf(size=MOST, words=str(number)), headers=headers, **EDITOR).status_code == 200
                assert len(own.get(path).content) == MOST
            return resident(running.process.pid)
        before = round_trips(8)
        after = round_trips(16)
        assert len(content) == MOST and after < before + 64 * MOST // 4, f"{before} bytes, then {after}"


class TestAtOnce:
    """Two who replace at once."""

    @pytest.fixture
    def amid(self, api, cluster, database):
        """amid(leaflet, size, bytes): the answer to who asks for its file, which becomes another while he does."""
        def change(one, size, content):
            answers = []
            with psycopg2.connect(cluster.conninfo("postgres", database)) as writer, writer.cursor() as cursor:
                cursor.execute("LOCK TABLE leaflet_file IN ACCESS EXCLUSIVE MODE")
                reader = threading.Thread(target=lambda: answers.append(read(api, one)))
                reader.start()
                wait_for(lambda: cluster.sql("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'leaflet_file'::regclass", database=database))
                cursor.execute("UPDATE leaflet SET file_size = %s, file_sha256 = %s WHERE id = %s RETURNING version",
                               (size, content and hashlib.sha256(content).hexdigest(), one["id"]))
                etag = f'"v{cursor.fetchone()[0]}"'
                cursor.execute("UPDATE leaflet_file SET bytes = %s WHERE leaflet_id = %s", (content, one["id"]))
            writer.close()
            reader.join()
            return answers[0], etag
        return change

    @pytest.mark.parametrize("size", [1000, 600_000])
    def test_who_reads_while_it_is_replaced_gets_one_of_the_two_whole(self, leaflet, put, amid, size):
        one, content = leaflet(), pdf(size=size)
        put(one, pdf(size=300_000))
        got, etag = amid(one, len(content), content)
        assert got.status_code == 200, got.text
        assert (got.content, got.headers["ETag"]) == (content, etag)

    def test_who_reads_while_it_is_thrown_away_is_told_that_there_is_none(self, leaflet, put, amid):
        one = leaflet(link="https://leaflets.example/rights")
        put(one, pdf())
        problem(amid(one, None, None)[0], 404, "not-found")

    def test_a_replacement_says_what_it_replaces(self, leaflet, put):
        one = leaflet()
        problem(put(one, pdf(), etag=None), 428, "precondition-required")
        problem(put(one, pdf(), etag='"v77"'), 412, "precondition-failed")
        assert put(one, pdf(), etag='"v1"').status_code == 200

    def test_one_of_two_who_replace_the_same_wins(self, api, leaflet, put, tokens, server):
        one = leaflet()
        etag = put(one, pdf()).headers["ETag"]
        answers, start = {}, threading.Barrier(6)

        def replace(number):
            start.wait()
            answers[number] = put(one, pdf(words=f"Version {number}"), etag=etag)
        threads = [threading.Thread(target=replace, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        won = [number for number, response in answers.items() if response.status_code == 200]
        assert len(won) == 1
        for number, response in answers.items():
            if number not in won:
                problem(response, 412, "precondition-failed")
        assert read(api, one).content == pdf(words=f"Version {won[0]}")
