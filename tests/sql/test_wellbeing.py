"""Sums of wellbeing: always those of the results, whoever writes them, in whatever order and however many at once."""
import collections
import concurrent.futures
import contextlib
import datetime
import itertools
import json
import random
import uuid

import psycopg2
import pytest
from support.sql import CLASSES, Session, new_id

_councils = itertools.count(4000)
COUNTS = ("n", "sum_change", "improved", "unchanged", "deteriorated", "rated", "met", "partially_met", "not_met", "first_rated",
          "first_met")
INFINITY = "infinity"


def month(day):
    return f"{day:%Y-%m}-01"


def months(first, end):
    """The months of these days and all between them, but for the last."""
    return [f"{number // 12}-{number % 12 + 1:02d}-01"
            for number in range(first.year * 12 + first.month - 1, end.year * 12 + end.month - 1)]


@pytest.fixture
def council():
    """One that no other test uses."""
    return f"E0600{next(_councils)}"


@pytest.fixture(scope="module")
def scores(owner):
    owner.execute("SELECT raw, metric, band FROM swemwbs_score")
    return {raw: (metric, band) for raw, metric, band in owner.fetchall()}


@pytest.fixture
def begin(acting, scores):
    """begin(council, carer, day, raw=, ratings=, statements=, org=): an assessment in progress with these results."""
    def make(council, one, day, raw=None, ratings=None, statements=None, org=None, instrument="gtmool"):
        ident, role = new_id(), "assessor" if org else "practitioner"
        with acting(role, [council], org=org) as session:
            session.execute("assessment_insert", ident, one, "in_progress", '{"kind": "light_touch"}')
        with acting(role, [council], org=org) as session:
            if raw:
                metric, band = scores[raw]
                session.execute("swemwbs_put", ident, day, json.dumps({"optimism": 3}), "true", raw, metric, band)
            if ratings:
                body = [{"area": area, "rating": rating} for area, rating in ratings.items()]
                session.execute("ratings_put", ident, instrument, json.dumps({"completed_on": day, "ratings": body}))
            if statements:
                body = [{"text": f"I am {n}.", "status": status} for n, status in enumerate(statements)]
                session.execute("i_statements_put", ident, json.dumps({"completed_on": day, "statements": body}))
        return ident
    return make


def finish(session, ident):
    session.execute("assessment_move", ident, "completed", "{}")


@pytest.fixture
def result(acting, begin):
    """result(council, carer, day, ...): the same, completed."""
    def make(council, one, day, org=None, **results):
        ident = begin(council, one, day, org=org, **results)
        with acting("assessor" if org else "practitioner", [council], org=org) as session:
            finish(session, ident)
        return ident
    return make


def sums(owner, council):
    """What is kept: {(measure, instrument, area, on_month, at_month, provider): counts}."""
    owner.execute("SELECT measure, instrument, area, on_month::text, at_month::text, provider::text, "
                  + ", ".join(COUNTS) + " FROM wellbeing_sum WHERE council = %s", (council,))
    return {row[:6]: tuple(map(float, row[6:])) for row in owner.fetchall()}


def results_of(owner, council):
    """Results by carer, measure, instrument and area, in order: (day, assessment, provider, score or counts)."""
    found = collections.defaultdict(list)
    head = ("SELECT r.carer_id, r.completed_on, a.id::text, a.assessor_organisation_id::text, {} FROM {} r JOIN assessment a"
            " ON a.id = r.assessment_id WHERE a.completed_on IS NOT NULL AND r.council = %s")
    owner.execute(head.format("r.metric", "assessment_swemwbs"), (council,))
    for one, day, ident, org, metric in owner.fetchall():
        if metric is not None:
            found[one, "swemwbs", "", ""].append((day, ident, org, metric))
    owner.execute(head.format("r.instrument, r.ratings", "assessment_ratings"), (council,))
    for one, day, ident, org, instrument, ratings in owner.fetchall():
        for rating in ratings:
            found[one, "rating", instrument, rating["area"]].append((day, ident, org, rating["rating"]))
    owner.execute(head.format("r.statements", "assessment_i_statements"), (council,))
    for one, day, ident, org, statements in owner.fetchall():
        count = collections.Counter(statement["status"] for statement in statements if statement["status"] != "absent")
        if count:
            found[one, "i_statements", "", ""].append((day, ident, org, count))
    return {key: sorted(rows, key=lambda row: row[:2]) for key, rows in found.items()}


def share(measure, first, later):
    """One carer's counts, in the order of COUNTS."""
    if measure == "i_statements":
        return (1, 0, 0, 0, 0, sum(later.values()), later["met"], later["partially_met"], later["not_met"], sum(first.values()),
                first["met"])
    change, enough = float(later) - float(first), 3 if measure == "swemwbs" else 0.001
    change = round(change, 2)
    return (1, change, change >= enough, abs(change) < enough, change <= -enough, 0, 0, 0, 0, 0, 0)


def recomputed(owner, council):
    """What sums() must be, from the results alone."""
    made = collections.defaultdict(lambda: (0.0,) * len(COUNTS))
    for (_, *measure), rows in results_of(owner, council).items():
        for row, following in zip(rows[1:], rows[2:] + [None]):
            for at in months(row[0], following[0]) if following else [INFINITY]:
                key = (*measure, month(row[0]), at, row[2])
                made[key] = tuple(round(a + b, 2) for a, b in zip(made[key], share(measure[0], rows[0][3], row[3])))
    return dict(made)


def right(owner, council):
    kept = sums(owner, council)
    assert kept == recomputed(owner, council)
    return kept


class TestOne:
    """A carer's results, one after the other."""

    def test_the_first_result_is_compared_with_nothing(self, owner, carer, result, council):
        result(council, carer(council), "2026-01-10", raw=19)
        assert right(owner, council) == {}

    def test_the_second_is_compared_with_the_first(self, owner, carer, result, council):
        one = carer(council)
        for day, raw in (("2026-01-10", 19), ("2026-03-10", 25)):  # 17.98, 22.35
            result(council, one, day, raw=raw)
        assert right(owner, council) == {
            ("swemwbs", "", "", "2026-03-01", INFINITY, None): (1, 4.37, 1, 0, 0, 0, 0, 0, 0, 0, 0)}

    def test_the_third_ends_the_second_and_is_compared_with_the_first(self, owner, carer, result, council):
        one = carer(council)
        for day, raw in (("2026-01-10", 19), ("2026-03-10", 25), ("2026-05-10", 17)):
            result(council, one, day, raw=raw)
        assert right(owner, council) == {
            ("swemwbs", "", "", "2026-03-01", "2026-03-01", None): (1, 4.37, 1, 0, 0, 0, 0, 0, 0, 0, 0),
            ("swemwbs", "", "", "2026-03-01", "2026-04-01", None): (1, 4.37, 1, 0, 0, 0, 0, 0, 0, 0, 0),
            ("swemwbs", "", "", "2026-05-01", INFINITY, None): (1, -1.1, 0, 1, 0, 0, 0, 0, 0, 0, 0)}

    def test_what_is_dated_before_the_others_becomes_the_first(self, owner, carer, result, council):
        one = carer(council)
        for day, raw in (("2026-03-10", 25), ("2026-05-10", 25), ("2025-11-10", 17), ("2026-04-10", 21)):
            result(council, one, day, raw=raw)
        kept = right(owner, council)
        assert {key[3:5] for key in kept} == {("2026-03-01", "2026-03-01"), ("2026-04-01", "2026-04-01"), ("2026-05-01", INFINITY)}

    def test_of_two_in_a_month_the_later_counts(self, owner, carer, result, council):
        one = carer(council)
        for day, raw in (("2026-01-10", 19), ("2026-03-10", 25), ("2026-03-20", 21)):
            result(council, one, day, raw=raw)
        assert [counts[1] for counts in right(owner, council).values()] == [1.27]

    def test_what_is_not_completed_or_not_complete_does_not_count(self, owner, acting, carer, begin, result, council):
        one = carer(council)
        result(council, one, "2026-01-10", raw=19)
        begin(council, one, "2026-02-10", raw=25)
        ident = begin(council, one, "2026-03-10", ratings={"health": 3})
        with acting("practitioner", [council]) as session:
            session.execute("swemwbs_put", ident, "2026-03-10", '{"optimism": 3}', "false", None, None, None)
        with acting("practitioner", [council]) as session:
            finish(session, ident)
        assert right(owner, council) == {}

    def test_i_statements_are_counted_beside_the_first(self, owner, carer, result, council):
        one = carer(council)
        result(council, one, "2026-01-10", statements=["met", "not_met", "not_met", "absent"])
        result(council, one, "2026-02-10", statements=["absent"])
        result(council, one, "2026-03-10", statements=["met", "met", "partially_met", "not_met"])
        assert right(owner, council) == {
            ("i_statements", "", "", "2026-03-01", INFINITY, None): (1, 0, 0, 0, 0, 4, 2, 1, 1, 3, 1)}

    def test_areas_and_instruments_are_apart_and_so_are_providers(self, owner, carer, organisation, grant, result, council):
        one, orgs = carer(council, known_to_social_care=False), [organisation(council), organisation(council)]
        for org in orgs:
            grant(one, org)
        result(council, one, "2026-01-10", ratings={"health": 3, "home": 5})
        result(council, one, "2026-02-10", ratings={"health": 4, "money": 5}, org=orgs[0])
        result(council, one, "2026-03-10", ratings={"health": 2, "home": 5}, org=orgs[1])
        result(council, one, "2026-03-12", ratings={"health": 2}, org=orgs[1], instrument="carers_star")
        kept = right(owner, council)
        assert {(key[2], key[5]): counts[:5] for key, counts in kept.items()} == {
            ("health", orgs[0]): (1, 1, 1, 0, 0), ("health", orgs[1]): (1, -1, 0, 0, 1), ("home", orgs[1]): (1, 0, 0, 1, 0)}


def test_ratings_are_compared_on_one_scale_and_by_its_direction(owner, carer, result, council):
    def define(version, highest, higher_is_better):
        owner.execute("INSERT INTO instrument (council, key, version, definition) VALUES (%s, 'strain', %s, %s)", (
            council, version, json.dumps({"scale_min": 0, "scale_max": highest, "step": 0.5, "required_all": False,
                                          "higher_is_better": higher_is_better, "areas": [{"key": "all", "order": 1}]})))
    one = carer(council)
    define(1, 10, False)
    result(council, one, "2026-01-10", ratings={"all": 7}, instrument="strain")
    result(council, one, "2026-02-10", ratings={"all": 5.5}, instrument="strain")
    define(2, 20, False)
    result(council, one, "2026-03-10", ratings={"all": 15}, instrument="strain")
    result(council, one, "2026-04-10", ratings={"all": 16}, instrument="strain")

    assert {key[3:5]: counts[:5] for key, counts in sums(owner, council).items()} == {
        ("2026-02-01", "2026-02-01"): (1, -1.5, 1, 0, 0), ("2026-04-01", INFINITY): (1, 1, 0, 0, 1)}


class TestGone:
    """What is deleted goes down in the sums."""

    @pytest.fixture
    def two(self, carer, result, council):
        made = {}
        for _ in range(2):
            one = carer(council)
            made[one] = [result(council, one, day, raw=raw, ratings={"health": raw % 7 + 1}, statements=["met"])
                         for day, raw in (("2026-01-10", 19), ("2026-02-10", 25), ("2026-03-10", 30))]
        return made

    def test_a_carer_goes_with_all_her_parts(self, owner, council, two):
        one = next(iter(two))
        owner.execute("DELETE FROM carer WHERE id = %s", (one,))
        assert {counts[0] for counts in right(owner, council).values()} == {1}
        owner.execute("SELECT count(*) FROM wellbeing_part WHERE carer_id = %s", (one,))
        assert owner.fetchone() == (0,)
        owner.execute("DELETE FROM carer WHERE council = %s", (council,))
        assert sums(owner, council) == {}

    @pytest.mark.parametrize("number", [0, 1, 2])
    def test_an_assessment_that_goes_leaves_the_others_compared(self, owner, council, two, number):
        gone = next(iter(two.values()))[number]
        owner.execute("UPDATE assessment SET satisfied_by_assessment_id = NULL WHERE satisfied_by_assessment_id = %s", (gone,))
        owner.execute("DELETE FROM assessment WHERE id = %s", (gone,))
        assert right(owner, council)


def test_another_threshold_classes_anew_what_is_on_record(owner, acting, carer, result, council):
    one = carer(council)
    for day, raw in (("2026-01-10", 19), ("2026-03-10", 25), ("2026-06-10", 30)):  # +4.37, +9.05
        result(council, one, day, raw=raw)

    def classes(threshold):
        with acting("council_admin", [council]) as session:
            session.execute("council_settings_begin", council)
            session.execute("council_settings_patch", council, json.dumps({"swemwbs_change_threshold": threshold}))
        return {key[3]: counts[2:5] for key, counts in sums(owner, council).items()}

    assert classes(4.38) == {"2026-03-01": (0, 1, 0), "2026-06-01": (1, 0, 0)}
    assert classes(9.06) == {"2026-03-01": (0, 1, 0), "2026-06-01": (0, 1, 0)}
    assert classes(None) == {"2026-03-01": (1, 0, 0), "2026-06-01": (1, 0, 0)}


@pytest.mark.parametrize("change, enough, meant", [
    ("28", 3, "improved"), ("3.00", 3, "improved"), ("2.99", 3, "unchanged"), ("0", 3, "unchanged"), ("-2.99", 3, "unchanged"),
    ("-3.00", 3, "deteriorated"), ("-28", 3, "deteriorated"), ("1", 1, "improved")])
def test_a_change_has_the_class_that_the_rules_in_c_give_it(owner, change, enough, meant):
    owner.execute("SELECT wellbeing_class(%s, %s)", (change, enough))
    assert owner.fetchone() == (meant,)


def test_a_refill_makes_what_was_there(owner, carer, result, council):
    one = carer(council)
    for number in range(4):
        result(council, one, f"2026-0{1 + number}-10", raw=15 + 3 * number, ratings={"health": number + 1}, statements=["met"])
    before = right(owner, council)

    owner.execute("SELECT wellbeing_refill()")

    assert sums(owner, council) == before
    owner.execute("SELECT tgenabled FROM pg_trigger WHERE tgname = 'wellbeing_part_come'")
    assert owner.fetchone() == ("O",)


class TestConcurrent:
    """Eight writers, one reader."""

    WRITERS, COMPLETIONS = 8, 200

    @staticmethod
    def anything(draw, number):
        day = datetime.date(2025, 1, 1) + datetime.timedelta(days=draw.randrange(500))
        results = {"raw": draw.randint(7, 35), "statements": draw.choices(["met", "not_met", "partially_met", "absent"], k=3),
                   "ratings": {area: draw.randint(1, 10) for area in draw.sample(["health", "home", "money"], 2)}}
        kept = draw.sample(list(results), draw.randint(1, 3))
        return str(day), {name: results[name] for name in kept if number % 5 or name != "raw"}

    @pytest.fixture
    def waiting(self, carer, organisation, grant, begin):
        """Councils, and assessments in progress: (council, organisation, id), many of the same carer."""
        draw, councils = random.Random(20), [f"E0600{next(_councils)}" for _ in range(2)]
        people = []
        for number in range(16):
            council, org = councils[number % 4 == 3], organisation(*councils)
            one = carer(council, known_to_social_care=False)
            grant(one, org)
            people.append((council, one, [None, org]))
        made = []
        for number in range(self.COMPLETIONS):
            council, one, orgs = people[number % len(people)]
            day, results = self.anything(draw, number)
            org = draw.choice(orgs)
            made.append((council, org, begin(council, one, day, org=org, **results)))
        draw.shuffle(made)
        return councils, made

    def test_the_sums_are_those_of_the_results_at_every_moment(self, cluster, database, owner, acting, connect, waiting):
        councils, made = waiting
        work, done = collections.deque(made), []

        def write(connection):
            with contextlib.suppress(IndexError):
                while True:
                    council, org, ident = work.popleft()
                    role = "assessor" if org else "practitioner"
                    with acting(role, [council], on=connection, org=org) as session:
                        finish(session, ident)
                    done.append(ident)

        def read(connection):
            seen, cursor = 0, connection.cursor()
            while len(done) < len(made) and not any(each.done() and each.exception() for each in writers):
                cursor.execute("SELECT (SELECT array_agg((s.council, s.measure, s.area, s.n, s.sum_change, s.met)::text) FROM ("
                               " SELECT council, measure, area, sum(n) AS n, sum(sum_change) AS sum_change, sum(met) AS met"
                               "   FROM wellbeing_sum WHERE council = ANY (%(councils)s) AND at_month = 'infinity' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3) AS s),"
                               " (SELECT array_agg((p.council, p.measure, p.area, p.n, p.sum_change, p.met)::text) FROM ("
                               " SELECT council, measure, area, count(*) AS n, coalesce(sum(change), 0) AS sum_change, sum(met) AS met"
                               "   FROM wellbeing_part WHERE council = ANY (%(councils)s) AND until_month = 'infinity' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3) AS p)",
                               {"councils": councils})
                kept, parts = cursor.fetchone()
                connection.rollback()
                assert kept == parts
                seen += 1
            return seen

        connections = [connect() for _ in range(self.WRITERS)]
        with concurrent.futures.ThreadPoolExecutor(self.WRITERS + 1) as threads:
            writers = [threads.submit(write, connection) for connection in connections]
            reader = threads.submit(read, connect("carers_owner"))
            for each in writers:
                each.result()
            assert reader.result() > 0

        assert len(done) == self.COMPLETIONS
        for council in councils:
            assert right(owner, council)

    def test_a_completion_waits_for_the_one_before_it_and_sees_it(self, owner, acting, carer, begin, connect, council):
        one = carer(council)
        idents = [begin(council, one, day, raw=raw) for day, raw in (("2026-01-10", 19), ("2026-02-10", 25), ("2026-03-10", 30))]
        with acting("practitioner", [council]) as session:
            finish(session, idents[0])
        slow, quick = connect(), connect()

        def second():
            with acting("practitioner", [council], on=quick) as session:
                finish(session, idents[2])

        with concurrent.futures.ThreadPoolExecutor(1) as threads:
            with acting("practitioner", [council], on=slow) as session:
                finish(session, idents[1])
                running = threads.submit(second)
                while not waits(owner, quick):  # until it stands at the lock
                    assert not running.done(), "it did not wait"
            running.result()

        assert {key[3:5] for key in right(owner, council)} == {("2026-02-01", "2026-02-01"), ("2026-03-01", INFINITY)}


def waits(owner, connection):
    owner.execute("SELECT count(*) FROM pg_locks WHERE pid = %s AND locktype = 'advisory' AND NOT granted",
                  (connection.get_backend_pid(),))
    return owner.fetchone() == (1,)


@pytest.mark.parametrize("role", list(CLASSES))
def test_only_commissioners_and_administrators_read_the_sums_of_their_councils(acting, owner, carer, result, role):
    mine, other = f"E0600{next(_councils)}", f"E0600{next(_councils)}"
    for council in (mine, other):
        one = carer(council)
        for day, raw in (("2026-01-10", 19), ("2026-03-10", 25)):
            result(council, one, day, raw=raw)
    try:
        with acting(role, [mine], org=str(uuid.uuid4())) as session:
            seen = {council for (council,) in session.sql("SELECT council FROM wellbeing_sum")}
    except psycopg2.errors.InsufficientPrivilege:
        seen = None
    expected = {mine} if role in ("commissioner", "council_admin") else None
    if CLASSES[role] in ("carers_desk", "carers_council") and expected is None:
        expected = set()
    assert seen == expected


class TestReport:
    """The query that answers the report."""

    @pytest.fixture(scope="class")
    def crowded(self, cluster, new_database):
        """A database with the sums of forty councils; some thousand rows each."""
        name = new_database()
        with psycopg2.connect(cluster.conninfo("carers_owner", name)) as connection:
            connection.cursor().execute(
                "INSERT INTO wellbeing_sum SELECT 'E09' || lpad(c::text, 6, '0'), 'swemwbs', '', '', m + make_interval(months => u), m,"
                " CASE WHEN p > 0 THEN ('00000000-0000-7000-9000-' || lpad(p::text, 12, '0'))::uuid END, 2, 1.5, 1, 1, 0, 0, 0, 0, 0, 0, 0"
                "  FROM generate_series(1, 40) AS c, generate_series(0, 5) AS p, generate_series(0, 12) AS u,"
                "       generate_series(timestamp '2024-01-01', '2026-10-01', '1 month') AS m")
        connection.autocommit = True
        connection.cursor().execute("VACUUM ANALYZE wellbeing_sum")
        connection.close()
        service = psycopg2.connect(cluster.conninfo("carers_service", name))
        yield service
        service.close()

    @pytest.mark.parametrize("role", ["commissioner", "council_admin"])
    def test_it_looks_at_the_period_of_its_council_by_index(self, crowded, role):
        session = Session(crowded)
        session.take_on(role, ["E09000001", "E09000002"])
        rows = session.execute("wellbeing_report", "E09000001", "2026-04-01", "2026-09-30",
                               explain="EXPLAIN (ANALYZE, FORMAT JSON) ")
        crowded.rollback()
        found = list(nodes(rows[0][0][0]["Plan"]))
        scans = [node for node in found if node.get("Relation Name") == "wellbeing_sum" or "Index" in node["Node Type"]]
        assert scans and not [node for node in found if node["Node Type"] == "Seq Scan"]
        index = [node for node in scans if "Index Cond" in node]
        assert all("council" in node["Index Cond"] and "at_month" in node["Index Cond"] for node in index) and index
        assert max(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in scans) <= 6 * 6

    def test_providers_are_told_apart_and_together(self, crowded):
        session = Session(crowded)
        session.take_on("commissioner", ["E09000001"])
        rows = session.execute("wellbeing_report", None, "2026-04-01", "2026-09-30")
        crowded.rollback()
        by = {row[6]: row[7:10] for row in rows}
        assert len(rows) == 7 and by[None][0] == sum(n for provider, (n, *_) in by.items() if provider)
        assert "council" in by and by[None][1] == 75  # 1.5 of 2 pairs, in hundredths

    @pytest.mark.parametrize("councils, asked, pointer", [
        (["E09000001", "E09000002"], (None, None, None), "/query/council"), ([], (None, None, None), "/query/council"),
        (["E09000001"], ("E09000002", None, None), "/query/council"), (["E09000001"], (None, "2026-04-02", None), "/query/from"),
        (["E09000001"], (None, None, "2026-04-29"), "/query/to"), (["E09000001"], (None, "2026-05-01", "2026-04-30"), "/query/from")])
    def test_what_is_asked_wrongly_is_said(self, crowded, councils, asked, pointer):
        session = Session(crowded)
        session.take_on("commissioner", councils)
        with pytest.raises(psycopg2.Error) as caught:
            session.execute("wellbeing_report", *asked)
        crowded.rollback()
        assert (caught.value.pgcode, caught.value.diag.message_hint) == ("CA400", pointer)

    @pytest.mark.parametrize("ends, begins", [("2026-03-31", "2025-04-01"), ("2026-04-30", "2026-04-01"), ("2026-12-31", "2026-04-01"),
                                              ("2027-01-31", "2026-04-01"), ("2028-02-29", "2027-04-01")])
    def test_without_a_first_day_it_is_that_of_the_financial_year(self, owner, ends, begins):
        owner.execute("SELECT r.begins::text FROM report_asked('E09000019', NULL, %s) AS r", (ends,))
        assert owner.fetchone() == (begins,)

    def test_without_any_day_it_ends_with_this_month(self, owner):
        owner.execute("SELECT r.ends >= today() AND r.ends < today() + 31 AND extract(day FROM r.ends + 1) = 1,"
                      " extract(month FROM r.begins), r.begins + interval '1 year' > r.ends"
                      "  FROM report_asked('E09000019', NULL, NULL) AS r")
        assert owner.fetchone() == (True, 4, True)


def nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)
