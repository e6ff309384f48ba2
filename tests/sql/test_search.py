"""Search: which spellings find whom, in which order, among whom; and how the terms follow the carers."""
import json
import threading
import uuid

import psycopg2
import pytest
from support.sql import ESSEX, ISLINGTON, carer_body, new_id

HERE, FAR = "E06000005", "E06000006"  # councils that no other test of this database uses
BORN = "1961-07-08"


def ask(session, limit=50, **wanted):
    """Ids of whom the body finds, best first; the handler's choice of the query."""
    name = "carers_by_key" if {"nhs_number", "external_ref"} & wanted.keys() else "carers_by_terms"
    return [item["id"] for item in session.body(name, json.dumps({**wanted, "limit": limit}))["items"]]


@pytest.fixture
def found(acting):
    """found(council=..., q=..., ...): the ids that a practitioner of the council finds."""
    def search(council=HERE, role="practitioner", org=None, **wanted):
        with acting(role, [council], org=org) as session:
            return ask(session, **wanted)
    return search


class TestSpelling:
    """A word finds a name however it is written, cut short or mistyped."""

    @pytest.fixture(scope="class")
    def people(self, carer):
        names = [("Nadia", "Rahman"), ("Mei Lin", "O'Connell"), ("Meilin", "Oconnell-Zhang"), ("José María", "Ñandú-Brønsted"),
                 ("Fatima", "El-Amin"), ("Bo", "Li"), ("মোহাম্মদ", "李"), ("Mohammed", "Khan"), ("Anne-Marie", "d’Souza"),
                 ("Straße", "Łukasiewicz"), ("Ng", "Wu")]
        council = "E06000007"
        return council, {carer(council, given_name=given, family_name=family): f"{given} {family}" for given, family in names}

    @pytest.fixture
    def names(self, acting, people):
        def search(q):
            council, everybody = people
            with acting("practitioner", [council]) as session:
                return [everybody[one] for one in ask(session, q=q)]
        return search

    @pytest.mark.parametrize("q, wanted", [
        ("nadia rahman", "Nadia Rahman"), ("RAHMAN Nadia", "Nadia Rahman"), ("nad rah", "Nadia Rahman"), ("rahm", "Nadia Rahman"),
        ("n r", "Nadia Rahman"), ("rahmn", "Nadia Rahman"), ("rhaman", "Nadia Rahman"), ("rahmann", "Nadia Rahman"),
        ("rehman", "Nadia Rahman"), ("nadja", "Nadia Rahman"), ("nadja rahmn", "Nadia Rahman"), ("raahman", "Nadia Rahman"),
        ("jose nandu", "José María Ñandú-Brønsted"), ("maria", "José María Ñandú-Brønsted"),
        ("bronsted", "José María Ñandú-Brønsted"), ("nandubronsted", "José María Ñandú-Brønsted"),
        ("josemaria", "José María Ñandú-Brønsted"), ("José Brønsted", "José María Ñandú-Brønsted"),
        ("el-amin", "Fatima El-Amin"), ("elamin", "Fatima El-Amin"), ("el amin", "Fatima El-Amin"), ("amin", "Fatima El-Amin"),
        ("Amin, Fatima", "Fatima El-Amin"), ("bo li", "Bo Li"), ("li", "Bo Li"), ("মোহাম্মদ", "মোহাম্মদ 李"), ("李", "মোহাম্মদ 李"),
        ("muhammad khan", "Mohammed Khan"), ("mohamed", "Mohammed Khan"), ("kahn", "Mohammed Khan"), ("mohmamed", "Mohammed Khan"),
        ("dsouza", "Anne-Marie d’Souza"), ("d'souza", "Anne-Marie d’Souza"), ("souza", "Anne-Marie d’Souza"),
        ("annemarie", "Anne-Marie d’Souza"), ("anne marie desouza", "Anne-Marie d’Souza"), ("ane", "Anne-Marie d’Souza"),
        ("strasse", "Straße Łukasiewicz"), ("lukasiewicz", "Straße Łukasiewicz"), ("lukaszewicz", "Straße Łukasiewicz"),
        ("ng", "Ng Wu")])
    def test_this_finds_her_first(self, names, q, wanted):
        assert names(q)[:1] == [wanted]

    @pytest.mark.parametrize("q", ["mei lin", "meilin", "Mei-Lin", "o connell", "oconnell", "O’Connell", "o'conell", "mei oconnell",
                                   "lin connell", "mielin"])
    def test_a_name_of_two_parts_is_found_as_one_and_as_two(self, names, q):
        assert "Mei Lin O'Connell" in names(q)
        assert ("Meilin Oconnell-Zhang" in names(q)) == (q != "lin connell")

    @pytest.mark.parametrize("q", ["nadia khan", "adia", "rman", "nadia rahman x", "nadiarahman", "al", "ub", "%", "_adia",
                                   "()", "\\", "[a-z]", "!", "ʼ", ".", "=19610708", "amin fatima bo", "mohsin", "rah-x"])
    def test_this_finds_nobody(self, names, q):
        assert names(q) == []

    def test_a_word_too_long_for_any_name_is_no_error(self, names):
        assert names("a" * 100) == names("𐐷" * 100) == [] and names("b " * 50) == names("b")


class TestOrder:
    """Exact before the beginning, the beginning before the nearly alike; all words together; then the newest."""

    def test_exact_before_beginning_before_alike_and_then_the_newest(self, carer, found):
        made = [carer(HERE, given_name=given, family_name=family) for given, family in (
            ("Ziska", "Orbell"), ("Ziska", "Orbelline"), ("Zisca", "Orbel"), ("Ziskaya", "Orbell"), ("Ziska", "Orbell"))]
        exact, beginning, alike, half, newer = made

        assert found(q="ziska orbell") == [newer, exact, half, beginning, alike]
        assert found(q="orbell") == [newer, half, exact, beginning, alike]
        assert found(q="orbell ziska", limit=2) == [newer, exact]

    def test_among_the_newest_an_old_exact_one_is_first(self, carer, found):
        exact = carer(HERE, given_name="Yord", family_name="Quimbel")
        for number in range(8):
            carer(HERE, given_name=f"Yordan{number}", family_name="Quimbelstone")

        assert found(q="yord quimbel", limit=1) == [exact]
        assert len(found(q="yord quimbel")) == 9


class TestTogether:
    """All that is given must fit."""

    @pytest.fixture(scope="class")
    def three(self, carer):
        ref = {"system": "case-system", "id": str(uuid.uuid4())}
        common = {"given_name": "Tove", "external_refs": [ref]}
        return ref, [carer(HERE, family_name="Wexley", date_of_birth=BORN, address={"postcode": "N1 2UD"}, nhs_number="9990012377", **common),
                     carer(HERE, family_name="Wexley", date_of_birth="1961-07-09", address={"postcode": "N1 2UD"}, **common),
                     carer(HERE, family_name="Vantage", date_of_birth=BORN, address={"postcode": "N1 2UE"}, **common)]

    @pytest.mark.parametrize("wanted, who", [
        ({"q": "wexley"}, {0, 1}), ({"q": "wexley", "date_of_birth": BORN}, {0}), ({"date_of_birth": BORN}, {0, 2}),
        ({"postcode": "n12ud"}, {0, 1}), ({"postcode": "N1 2UD", "date_of_birth": BORN}, {0}), ({"q": "tove", "postcode": "N1 2UE"}, {2}),
        ({"nhs_number": "9990012377"}, {0}), ({"nhs_number": "9990012377", "q": "wexly"}, {0}),
        ({"nhs_number": "9990012377", "q": "vantage"}, set()), ({"nhs_number": "9990012377", "date_of_birth": "1961-07-09"}, set()),
        ({"nhs_number": "9990012377", "postcode": "N1 2UE"}, set()), ({"q": "!", "date_of_birth": BORN}, set()),
        ({"q": "!", "nhs_number": "9990012377"}, set()), ({"postcode": "N1 2U"}, set())], ids=str)
    def test_everything_narrows(self, found, three, wanted, who):
        assert set(found(**wanted)) == {three[1][n] for n in who}

    @pytest.mark.parametrize("wanted, who", [({}, {0, 1, 2}), ({"q": "wexley"}, {0, 1}), ({"nhs_number": "9990012377"}, {0}),
                                             ({"nhs_number": "9990000018"}, set()), ({"date_of_birth": BORN, "q": "van"}, {2})], ids=str)
    def test_a_reference_with_more(self, found, three, wanted, who):
        ref, ids = three
        assert set(found(external_ref=ref, **wanted)) == {ids[n] for n in who}
        assert found(external_ref={**ref, "system": "another"}, **wanted) == []

    def test_a_key_ranks_and_limits_as_names_do(self, found, three):
        ref, ids = three
        assert found(external_ref=ref, q="tov") == [ids[2], ids[1], ids[0]]
        assert found(external_ref=ref, q="tov", limit=1) == [ids[2]]

    def test_without_a_limit_twenty_are_found(self, acting, carer):
        for _ in range(21):
            carer(HERE, given_name="Twenty", date_of_birth="1933-03-03")
        with acting("practitioner", [HERE]) as session:
            for wanted in ({"q": "twenty"}, {"date_of_birth": "1933-03-03"}):
                assert len(session.body("carers_by_terms", json.dumps(wanted))["items"]) == 20


class TestWhom:
    """Only those whom the caller may see."""

    @pytest.fixture(scope="class")
    def world(self, carer, organisation, grant):
        class World:
            org, other = organisation(HERE), organisation(FAR)
            ref = {"system": "case-system", "id": str(uuid.uuid4())}
            like = {"given_name": "Sanna", "family_name": "Underhay", "date_of_birth": "1944-04-04",
                    "address": {"postcode": "N7 7NN"}, "external_refs": [ref], "allow_duplicate": "true",
                    "duplicate_reason": "another of that name"}
            mine = carer(HERE, role="support_worker", org=org, **like)
            ended, later, far = carer(HERE, **like), carer(HERE, **like), carer(FAR, **like)
        grant(World.ended, World.org, "-2 hours", "-1 hour")
        grant(World.later, World.org, "1 hour")
        grant(World.far, World.other)
        return World

    @pytest.mark.parametrize("wanted", [{"q": "sanna underhay"}, {"q": "underhy"}, {"q": "san", "postcode": "N7 7NN"}, {"external_ref": None},
                                        {"date_of_birth": "1944-04-04"}], ids=str)
    def test_every_class_finds_within_what_it_sees(self, acting, world, wanted):
        if "external_ref" in wanted:
            wanted = {"external_ref": world.ref}
        here = {world.mine, world.ended, world.later}
        for role, claims, seen in (
                ("practitioner", {"councils": [HERE], "org": world.other, "carer": world.far}, here),
                ("council_admin", {"councils": [HERE, FAR]}, here | {world.far}), ("practitioner", {"councils": []}, set()),
                ("support_worker", {"councils": [HERE, FAR], "org": world.org, "carer": world.far}, {world.mine}),
                ("break_provider", {"org": world.other}, {world.far}), ("assessor", {"org": str(uuid.uuid4())}, set())):
            with acting(role, **claims) as session:
                assert set(ask(session, **wanted)) == seen, role

    @pytest.mark.parametrize("wanted, seen", [({"q": "sanna"}, True), ({"q": "underhy"}, True), ({"postcode": "n77nn"}, True),
                                              ({"q": "somebody"}, False), ({"date_of_birth": "1944-04-05"}, False)], ids=str)
    def test_she_finds_herself_alone(self, acting, world, wanted, seen):
        with acting("carer", [HERE], carer=world.mine, org=world.org) as session:
            items = session.body("carers_by_key", json.dumps(wanted))["items"]
        assert [item["id"] for item in items] == [world.mine] * seen

    def test_access_that_ends_is_felt_at_once(self, acting, world, carer, grant, owner):
        one = carer(HERE, family_name="Ending")
        grant(one, world.org)
        grant(one, world.org, "-2 hours", "-1 hour")
        for seen in ([one], []):
            with acting("support_worker", org=world.org) as session:
                assert ask(session, q="ending") == seen
            owner.execute("UPDATE carer_access SET ends_at = now() WHERE carer_id = %s AND ends_at IS NULL", (one,))

    def test_a_search_leaves_a_row_for_each_council_and_one_when_nobody_is_found(self, acting, world, owner):
        for number, (wanted, rows) in enumerate([({"q": "underhay"}, [(FAR, 1), (HERE, 3)]), ({"external_ref": world.ref}, [(FAR, 1), (HERE, 3)]),
                                                 ({"q": "nobodyatall"}, [(HERE, 0)]), ({"nhs_number": "9990000018"}, [(HERE, 0)])]):
            with acting("practitioner", [HERE, FAR], request=f"search-{number}") as session:
                ask(session, **wanted)
            owner.execute("SELECT council, cardinality(carer_ids) FROM audit_entry WHERE request = %s ORDER BY council DESC",
                          (f"search-{number}",))
            assert owner.fetchall() == rows


    @pytest.mark.parametrize("wanted", [{"q": "nobodyatall"}, {"nhs_number": "9990000018"}], ids=str)
    def test_a_partners_search_that_finds_nobody_is_seen_by_the_councils_of_its_organisation(self, acting, organisation, wanted):
        org, request = organisation(HERE, FAR), f"nobody-{uuid.uuid4()}"
        with acting("support_worker", org=org, request=request) as session:
            assert ask(session, **wanted) == []

        for council in (HERE, FAR):
            with acting("council_admin", [council]) as session:
                assert session.sql("SELECT council, carer_ids::text[] FROM audit_entry WHERE request = %s", request) == [(council, [])]

    def test_her_own_search_that_does_not_find_her_is_seen_by_her_council(self, acting, world):
        with acting("carer", carer=world.mine, request="not-herself") as session:
            assert session.body("carers_by_key", '{"q": "somebodyelse"}')["items"] == []
        with acting("council_admin", [HERE, FAR]) as session:
            assert session.sql("SELECT council, carer_ids::text[] FROM audit_entry WHERE request = 'not-herself'") == [(HERE, [])]


class TestFollowing:
    """The terms follow the carer."""

    def terms(self, owner, one):
        owner.execute("SELECT scope, term FROM carer_term WHERE carer_id = %s", (one,))
        return set(owner.fetchall())

    def test_a_change_is_searched_at_once_by_everybody(self, acting, carer, organisation, found, owner):
        org = organisation(HERE)
        one = carer(HERE, role="support_worker", org=org, given_name="Olde", family_name="Surname", date_of_birth="1950-05-05",
                    address={"postcode": "N1 9XX"})
        before = self.terms(owner, one)
        assert {scope for scope, _ in before} == {HERE, org}
        assert {term for _, term in before} == {"=19500505", "@n19xx", "olde", "surname"}

        with acting("practitioner", [HERE]) as session:
            session.execute("carer_patch", one, '{"family_name": "New-Name", "date_of_birth": null, "address": {"postcode": "N1 9YY"}}', None)

        assert self.terms(owner, one) == {(scope, term) for scope in (HERE, org)
                                          for term in ("@n19yy", "olde", "new", "name", "newname")}
        for who in ({"council": HERE}, {"role": "support_worker", "org": org}):
            assert found(q="newname", **who) == [one] and found(q="surname", **who) == []
            assert found(postcode="N1 9YY", **who) == [one] and found(postcode="N1 9XX", **who) == []

    def test_a_change_of_something_else_writes_no_term(self, acting, carer, owner):
        one = carer(HERE)
        owner.execute("SELECT DISTINCT xmin::text FROM carer_term WHERE carer_id = %s", (one,))
        before = owner.fetchall()
        with acting("practitioner", [HERE]) as session:
            session.execute("carer_patch", one, '{"gp": {"name": "x"}}', None)
        owner.execute("SELECT DISTINCT xmin::text FROM carer_term WHERE carer_id = %s", (one,))
        assert owner.fetchall() == before and len(before) == 1

    def test_the_terms_of_a_carer_who_is_deleted_go_with_her(self, carer, organisation, grant, owner):
        one, org = carer(HERE), organisation(HERE)
        grant(one, org)
        assert {scope for scope, _ in self.terms(owner, one)} == {HERE, org}
        owner.execute("DELETE FROM carer WHERE id = %s", (one,))
        assert self.terms(owner, one) == set()

    def test_names_as_long_as_they_may_be_are_kept_and_found(self, carer, found):
        for letter in ("x", "é", "𐐷", "李"):
            name = " ".join([letter * 9] * 10)
            one = carer(HERE, given_name=name, family_name=letter * 100, date_of_birth="1950-01-01")
            assert found(date_of_birth="1950-01-01", q=letter * 9, limit=1) == [one]

    def test_a_renaming_and_a_grant_at_once_leave_the_new_name(self, acting, connect, carer, organisation, owner):
        one, org = carer(HERE, family_name="Before"), organisation(HERE)
        granting = connect("carers_owner")
        with acting("practitioner", [HERE], on=connect()) as session:
            session.execute("carer_patch", one, '{"family_name": "After"}', None)
            thread = threading.Thread(target=lambda: granting.cursor().execute(
                "INSERT INTO carer_access (organisation_id, carer_id, reason) VALUES (%s, %s, 'granted')", (org, one)))
            thread.start()
            wait_for_lock(owner, granting.get_backend_pid())
        thread.join()
        granting.commit()
        assert (org, "after") in self.terms(owner, one) and (org, "before") not in self.terms(owner, one)


def wait_for_lock(owner, pid):
    """Until that session waits for another."""
    while True:
        owner.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", (pid,))
        if owner.fetchone()[0]:
            return


class TestWords:
    """The words of names that are in use: known to nobody, and no hindrance to those who write."""

    @pytest.mark.parametrize("role", ["practitioner", "council_admin", "support_worker", "carer", "commissioner", ""])
    def test_nobody_reads_them(self, acting, role):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            with acting(role, [HERE], org=str(uuid.uuid4()), carer=str(uuid.uuid4())) as session:
                session.sql("SELECT * FROM name_near")

    @pytest.mark.parametrize("role", ["carer", "commissioner", ""])
    def test_terms_are_the_councils_and_the_organisations(self, acting, role):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            with acting(role, [HERE], org=str(uuid.uuid4()), carer=str(uuid.uuid4())) as session:
                session.sql("SELECT * FROM carer_term")

    @pytest.mark.parametrize("one, other, alike", [
        ("rahman", "rahmn", True), ("rahman", "rahamn", True), ("rahman", "rahmaan", True), ("rahman", "rehman", True),
        ("mohammed", "muhammad", True), ("hussain", "husayn", True), ("catherine", "katharine", True), ("phillips", "filips", True),
        ("steven", "stephen", True), ("jon", "john", True), ("smith", "smyth", True), ("yusuf", "youssef", True), ("zara", "sara", True),
        ("rahman", "raymond", False), ("nadia", "naomi", False), ("jones", "james", False), ("family12", "family13", False),
        ("ab", "ac", False), ("smith", "smart", False)])
    def test_two_words_are_alike_when_they_have_a_key_in_common(self, owner, one, other, alike):
        owner.execute("SELECT EXISTS (SELECT near_keys(%s) INTERSECT SELECT near_keys(%s))", (one, other))
        assert owner.fetchone() == (alike,)

    def test_two_who_bring_the_same_new_words_do_not_stop_each_other(self, acting, connect):
        names = ["Zyxwvarian Qwertyson", "Qwertyson Zyxwvarian"]
        gate, faults = threading.Barrier(2), []

        def write(name, connection):
            try:
                for number in range(10):
                    gate.wait(timeout=30)
                    given, family = (f"{part}{'abcdefghij'[number]}" for part in name.split())
                    with acting("practitioner", [HERE], on=connection) as session:
                        session.execute("carer_insert", new_id(), json.dumps(carer_body(HERE, given_name=given, family_name=family)), None)
            except (psycopg2.Error, threading.BrokenBarrierError) as fault:
                faults.append(fault)
                gate.abort()

        threads = [threading.Thread(target=write, args=(name, connect())) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert faults == []

    def test_what_is_loaded_without_triggers_is_filled_in_as_they_would(self, cluster, new_database):
        name = new_database()
        text = (f"INSERT INTO organisation (id, name, kind, councils) VALUES ('{uuid.UUID(int=1)}', 'o', 'other', '{{{ESSEX}}}');"
                "SELECT set_config('app.role', 'practitioner', false), set_config('app.councils', '{%s,%s}', false);"
                % (ISLINGTON, ESSEX))
        for number in range(1, 6):
            text += ("INSERT INTO carer (id, council, given_name, family_name, date_of_birth, identification) VALUES"
                     f" ('{uuid.UUID(int=number)}', '{(ISLINGTON, ESSEX)[number % 2]}', 'Mei Lin', 'O''Connell-{'abcde'[number - 1] * 3}',"
                     f" '1950-01-0{number}', '{{\"source\": \"gp\"}}');"
                     "INSERT INTO carer_access (organisation_id, carer_id, reason)"
                     f" VALUES ('{uuid.UUID(int=1)}', '{uuid.UUID(int=number)}', 'granted');")
        both = "SELECT t::text FROM carer_term t UNION ALL SELECT n::text FROM name_near n ORDER BY 1"
        cluster.sql(text, database=name, user="carers_owner")
        before = cluster.sql(both, database=name)
        cluster.sql("SELECT search_fill()", database=name, user="carers_owner")
        assert cluster.sql(both, database=name) == before and len(before) > 100
