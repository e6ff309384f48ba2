"""Schedules that do not hold every week are worked out for 400 days, and anew before these end."""
import datetime

import pytest
from support.server import wait_for

MONTHLY = {"freq": "MONTHLY", "byday": "1TU", "opens_at": "10:00", "closes_at": "12:00"}
TODAY = datetime.date.today()


@pytest.fixture
def shortened(db, service):
    """shortened(days, schedule item): an entry whose hours were worked out so long ago that they end in so many days."""
    def make(days, **item):
        one = service(schedule=[item or MONTHLY])
        db.execute("SET session_replication_role = replica")
        db.execute("UPDATE service SET dated = dated * tsmultirange(tsrange(NULL, today() + %s)) WHERE id = %s", (days, one["id"]))
        db.execute("UPDATE directory_found SET dated = s.dated FROM service s WHERE s.id = service_id AND s.id = %s", (one["id"],))
        db.execute("SET session_replication_role = origin")
        return one
    return make


@pytest.fixture
def round_of(db, serve):
    """round_of(condition): a new day's round by a server of its own, till the condition holds."""
    def run(condition):
        db.execute("UPDATE hours_round SET day = '2026-01-01'")
        serve(CARERS_TIDY_S=1)
        assert wait_for(condition, 60)
    return run


def ends(db, one):
    """How many days ahead its hours reach, the same in the index of search, its version and its audit rows."""
    db.execute("SELECT upper(s.dated)::date - today(), upper(f.dated)::date - today(), s.version, s.updated_at,"
               " (SELECT count(*) FROM audit_entry a WHERE a.subject_table = 'service' AND a.after ->> 'id' = s.id::text)"
               " FROM service s LEFT JOIN directory_found f ON f.service_id = s.id WHERE s.id = %s", (one["id"],))
    return db.fetchone()


def test_hours_that_end_within_sixty_days_are_worked_out_anew_and_nobody_sees_a_change(db, shortened, round_of):
    one = shortened(45)
    before = ends(db, one)
    assert before[0] <= 45
    round_of(lambda: ends(db, one)[0] > 300)
    after = ends(db, one)
    assert after[1] == after[0] and after[2:] == before[2:]


def test_hours_that_reach_further_and_those_that_have_ended_stay(db, shortened, round_of):
    far, ended = shortened(90), shortened(400, **MONTHLY, valid_to=str(TODAY + datetime.timedelta(50)))
    before = ends(db, far), ends(db, ended)
    near = shortened(45)
    round_of(lambda: ends(db, near)[0] > 300)
    assert (ends(db, far), ends(db, ended)) == before


def test_what_begins_in_time_becomes_weekly(db, service, round_of):
    one = service(schedule=[{"freq": "WEEKLY", "byday": "MO", "opens_at": "09:00", "closes_at": "10:00", "valid_from": str(TODAY + datetime.timedelta(10))}])
    db.execute("SET session_replication_role = replica")
    db.execute("UPDATE service SET dated = dated * tsmultirange(tsrange(NULL, today() + 40)), schedule = jsonb_set(schedule, '{0,valid_from}', %s) WHERE id = %s",
               (f'"{TODAY - datetime.timedelta(300)}"', one["id"]))
    db.execute("SET session_replication_role = origin")

    def weekly():
        db.execute("SELECT weekly, dated FROM service WHERE id = %s", (one["id"],))
        return db.fetchone()
    round_of(lambda: weekly() == ("{[540,600)}", "{}"))


def test_a_code_that_is_out_of_use_does_not_keep_hours_from_being_renewed(db, shortened, round_of):
    one = shortened(45)
    db.execute("SET session_replication_role = replica")
    db.execute("UPDATE service SET support_areas = '{gone_by_now}' WHERE id = %s", (one["id"],))
    db.execute("SET session_replication_role = origin")
    round_of(lambda: ends(db, one)[0] > 300)


def test_a_round_is_done_once_a_day(db, shortened, round_of):
    one = shortened(45)
    round_of(lambda: ends(db, one)[0] > 300)
    late = shortened(45)
    db.execute("SELECT count(*) FROM hours_page()")
    assert db.fetchone() == (0,) and ends(db, late)[0] <= 45
    db.execute("UPDATE hours_round SET day = '2026-01-01'")
    db.execute("SELECT count(*) FROM hours_page() AS h WHERE h.id = %s", (late["id"],))
    assert db.fetchone() == (1,)
