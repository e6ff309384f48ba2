"""Results in SQL: PostgreSQL's scores are those of the rules in C, changes have their classes, completion and results take turns."""
import json
import re
import threading

import psycopg2
import pytest
from support.sql import ISLINGTON, ROOT, new_id

STAFF = {"councils": [ISLINGTON]}
ANSWERS = ["2026-01-02", '{"optimism": 3}', "false", None, None, None]


def test_the_scores_in_postgresql_are_those_of_the_rules_row_by_row(owner):
    text = (ROOT / "api/rules/swemwbs.c").read_text(encoding="utf-8")
    hundredths = [int(word) for word in re.findall(r"\d+", re.search(r"metric_of\[.*?= \{(.*?)\}", text, re.DOTALL)[1])]
    bands = [(int(most), name) for most, name in re.findall(r"\{ (\d+), \"(\w+)\" \}", text)]
    named = {raw: next((name for most, name in bands if raw <= most), "high") for raw in range(7, 36)}

    owner.execute("SELECT raw, metric::text, band FROM swemwbs_score ORDER BY raw")

    assert owner.fetchall() == [(raw, f"{score // 100}.{score % 100:02}", named[raw]) for raw, score in zip(range(7, 36), hundredths)]


@pytest.mark.parametrize("change, threshold, word", [
    ("3.00", "3.00", "improved"), ("2.99", "3.00", "no_reliable_change"), ("0", "3.00", "no_reliable_change"),
    ("-2.99", "3.00", "no_reliable_change"), ("-3.00", "3.00", "deteriorated"), ("1.00", "1.00", "improved"), (None, "3.00", None)])
def test_a_change_of_the_score_has_its_class_from_the_threshold_on(owner, change, threshold, word):
    owner.execute("SELECT swemwbs_change_class(%s::numeric, %s::numeric)", (change, threshold))
    assert owner.fetchone() == (word,)


@pytest.mark.parametrize("change, higher, word", [
    (1, True, "improved"), (1, False, "deteriorated"), (-0.5, True, "deteriorated"), (-0.5, False, "improved"), (0, True, "unchanged"),
    (0, False, "unchanged"), (None, True, None)])
def test_a_change_of_a_rating_has_its_class_by_the_direction(owner, change, higher, word):
    owner.execute("SELECT rating_change_class(%s::numeric, %s)", (change, higher))
    assert owner.fetchone() == (word,)


def test_a_councils_own_threshold_decides(acting, carer, owner):
    council = "E09000027"
    one = carer(council, role="council_admin")
    with acting("council_admin", [council]) as session:
        for day, raw, metric, band in (("2026-01-01", "21", "19.25", "low"), ("2026-02-01", "23", "20.73", "average")):
            ident = new_id()
            session.execute("assessment_insert", ident, one, "in_progress", '{"kind": "light_touch"}')
            session.execute("swemwbs_put", ident, day, json.dumps({"optimism": 3}), "true", raw, metric, band)
            session.execute("assessment_move", ident, "completed", json.dumps({"completed_on": day}))
    found = []
    for settings in (None, '{"swemwbs_change_threshold": 1.00}'):
        with acting("council_admin", [council]) as session:
            if settings:
                session.execute("council_settings_begin", council)
                session.execute("council_settings_patch", council, settings)
            outcome = session.body("outcomes_of_carer", one)["swemwbs"]
            found.append((outcome["metric_change"], outcome["change_class"], outcome["threshold"]))
    assert found == [(1.48, "no_reliable_change", 3.0), (1.48, "improved", 1.0)]


@pytest.fixture
def open_one(acting, carer):
    """The id of a light-touch assessment that is in progress."""
    one, ident = carer(), new_id()
    with acting("practitioner", **STAFF) as session:
        session.execute("assessment_insert", ident, one, "in_progress", '{"kind": "light_touch"}')
    return ident


class TestTurns:
    """A result and the completion of its assessment at once: never a result that nobody has seen when it was completed."""

    def beside(self, acting, connect, first, second):
        """Does `second` while the transaction of `first` is open; what it was refused with, if it was."""
        refusals, waiting = [], connect()

        def wait():
            try:
                with acting("practitioner", **STAFF, on=waiting) as session:
                    session.execute(*second)
            except psycopg2.Error as refusal:
                refusals.append((refusal.pgcode, refusal.diag.message_hint))

        with acting("practitioner", **STAFF, on=connect()) as session:
            session.execute(*first)
            thread = threading.Thread(target=wait)
            thread.start()
            while thread.is_alive():
                if session.sql("SELECT cardinality(pg_blocking_pids(%s)) > 0", waiting.info.backend_pid) == [(True,)]:
                    break
        thread.join()
        return refusals

    def test_a_result_waits_for_a_completion_and_is_refused(self, acting, connect, open_one):
        refusals = self.beside(acting, connect, ("assessment_move", open_one, "completed", "{}"), ("swemwbs_put", open_one, *ANSWERS))
        assert refusals == [("CA422", "A8")]

    def test_a_completion_waits_for_a_result_and_includes_it(self, acting, connect, owner, open_one):
        refusals = self.beside(acting, connect, ("swemwbs_put", open_one, *ANSWERS), ("assessment_move", open_one, "completed", "{}"))
        owner.execute("SELECT state, results FROM assessment WHERE id = %s", (open_one,))
        assert refusals == [] and owner.fetchone() == ("completed", 1)


def test_definitions_are_never_changed_whoever_asks(owner):
    for statement in ("UPDATE instrument SET version = 7", "DELETE FROM instrument", "TRUNCATE instrument CASCADE"):
        with pytest.raises(psycopg2.Error, match="never changed"):
            owner.execute(statement)
