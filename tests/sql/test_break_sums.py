"""What commissioners are told of breaks is what the sessions say: sums beside a count of the rows, in whatever order they were delivered."""
import datetime
import itertools
import json
import random
import threading

import pytest
from support.breaks import break_body
from support.sql import new_id

COUNCIL = "E09000030"  # whose breaks no other test makes
_days = itertools.count()


@pytest.fixture(scope="module")
def staff(acting, carer, organisation, grant, owner):
    """make(submitted): a new break of the council that is active, asked for by a referral of that day if any; its id and its provider."""
    def make(frequency="weekly", submitted=None, org=None):
        one, org, ident, referral = carer(COUNCIL), org or organisation(COUNCIL), new_id(), None
        grant(one, org)
        if submitted:
            referral = new_id()
            with acting("practitioner", [COUNCIL]) as session:
                session.execute("referral_insert", referral, json.dumps({"carer_id": one, "kind": "break", "to": {"organisation_id": org}}))
            owner.execute("ALTER TABLE referral DISABLE TRIGGER USER")
            owner.execute("UPDATE referral SET state = 'in_progress', submitted_at = %s WHERE id = %s", (submitted, referral))
            owner.execute("ALTER TABLE referral ENABLE TRIGGER USER")
        with acting("practitioner", [COUNCIL]) as session:
            session.execute("break_insert", ident, one, json.dumps(break_body(provider_organisation_id=org, referral_id=referral)))
        with acting("break_provider", [COUNCIL], org=org) as session:
            session.execute("break_move", ident, "conversation", "conversation_held", '{"held_on": "2025-01-05"}')
            session.execute("break_move", ident, "agree", "agreed",
                            json.dumps({"hours_per_session": 2, "frequency": frequency, "starts_on": "2025-01-06"}))
            session.execute("break_move", ident, "start", "active", "{}")
        return ident, org
    return make


def deliver(session, ident, day, hours=2):
    one = new_id()
    session.execute("session_insert", one, ident, json.dumps({"starts_at": f"{day}T10:00:00Z", "ends_at": f"{day}T12:00:00Z"}))
    session.execute("session_deliver", ident, one, json.dumps({"delivered_by": "paid", "hours": hours}))


def report(acting, begins, ends):
    with acting("commissioner", [COUNCIL]) as session:
        rows = session.execute("breaks_report", COUNCIL, begins, ends)
        names = [column.name for column in session.cursor.description]
    return {(row["dimension"], row["value"]): row for row in (dict(zip(names, row)) for row in rows)}


def counted(owner, begins, ends):
    """The same from the rows: breaks, sessions and hundredths of hours; breaks with a wait and tenths of its mean."""
    owner.execute("SELECT count(DISTINCT break_id), count(*), coalesce(round(100 * sum(delivered_hours)), 0) FROM break_session"
                  " WHERE council = %s AND state = 'delivered' AND delivered_on BETWEEN %s AND %s", (COUNCIL, begins, ends))
    told = owner.fetchone()
    owner.execute("SELECT count(*), coalesce(round(10 * avg(greatest(f.day - (r.submitted_at AT TIME ZONE 'Europe/London')::date, 0))), 0)"
                  " FROM (SELECT break_id, min(delivered_on) AS day FROM break_session WHERE council = %s AND state = 'delivered'"
                  " GROUP BY break_id) AS f JOIN carer_break b ON b.id = f.break_id JOIN referral r ON r.id = b.referral_id"
                  " WHERE f.day BETWEEN %s AND %s", (COUNCIL, begins, ends))
    return told + owner.fetchone()


PERIODS = [("2025-01-01", "2025-12-31"), ("2025-03-01", "2025-06-30"), ("2025-05-01", "2025-05-31"), ("2025-02-01", "2026-01-31")]


def agree(acting, owner):
    for begins, ends in PERIODS:
        rows = report(acting, begins, ends)
        total = rows[None, None]
        assert tuple(total[name] for name in ("n", "sessions", "hours", "waits", "mean_tenths")) == counted(owner, begins, ends), (begins, ends)
        assert total["under_1_month"] + total["middle"] + total["over_3_months"] == total["waits"]
        for dimension in ("purpose", "delivery", "frequency", "provider"):
            mine = [row for (name, _), row in rows.items() if name == dimension]
            assert [sum(row[name] for row in mine) for name in ("n", "sessions", "hours")] == [total[name] for name in ("n", "sessions", "hours")]
        for (name, value), row in rows.items():
            if name == "month":
                last = (datetime.date.fromisoformat(f"{value}-28") + datetime.timedelta(4)).replace(day=1) - datetime.timedelta(1)
                assert (row["n"], row["sessions"], row["hours"]) == counted(owner, f"{value}-01", last)[:3]


def test_in_whatever_order_sessions_are_recorded_the_sums_are_those_of_the_rows(acting, owner, staff):
    chance = random.Random(7)
    breaks = [staff(chance.choice(["weekly", "monthly"]), chance.choice([None, "2024-12-20 10:00:00+00", "2025-04-28 23:30:00+00"])) for _ in range(8)]
    for ident, org in breaks:
        days = chance.sample(range(1, 360), 9)
        for day in days:
            with acting("break_provider", [COUNCIL], org=org) as session:
                deliver(session, ident, datetime.date(2025, 1, 5) + datetime.timedelta(day), chance.choice([1.25, 2, 3.5]))
        agree(acting, owner)


def test_another_frequency_moves_what_was_summed(acting, owner, staff):
    ident, org = staff("weekly")
    with acting("break_provider", [COUNCIL], org=org) as session:
        for day in ("2025-03-03", "2025-04-03"):
            deliver(session, ident, day)
        session.execute("break_patch", ident, '{"agreement": {"frequency": "custom"}}')
    agree(acting, owner)
    owner.execute("SELECT frequency, sum(breaks), sum(sessions) FROM break_sum WHERE provider = %s GROUP BY frequency ORDER BY 1", (org,))
    assert owner.fetchall() == [("custom", 2, 2), ("weekly", 0, 0)]


def test_those_that_are_delivered_at_once_are_all_summed(acting, connect, owner, organisation, staff):
    """Two providers' breaks of one council, whose sums are the same rows, by six sessions at once."""
    org = organisation(COUNCIL)
    breaks, faults = [staff(org=org) for _ in range(3)], []

    def take(connection, number):
        for turn in range(6):
            ident, org = breaks[(number + turn) % 3]
            try:
                with acting("break_provider", [COUNCIL], org=org, on=connection) as session:
                    session.execute("break_hold", ident)
                    deliver(session, ident, datetime.date(2025, 2, 1) + datetime.timedelta(next(_days)))
            except Exception as fault:  # any: the thread must not swallow it
                faults.append(fault)

    threads = [threading.Thread(target=take, args=(connect(), n)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    agree(acting, owner)
    owner.execute("SELECT sum(sessions) FROM break_sum WHERE provider = %s", (org,))
    assert owner.fetchone() == (36,)


def test_what_is_cancelled_is_not_summed(acting, owner, staff):
    ident, org = staff()
    one = new_id()
    with acting("break_provider", [COUNCIL], org=org) as session:
        session.execute("session_insert", one, ident, '{"starts_at": "2025-05-06T10:00:00Z", "ends_at": "2025-05-06T12:00:00Z"}')
        session.execute("session_cancel", ident, one, '{"side": "provider", "reason": "x"}')
    owner.execute("SELECT count(*) FROM break_sum WHERE provider = %s", (org,))
    assert owner.fetchone() == (0,)
