"""Contracts for breaks over HTTP (B3): hours used, planned and left; warnings and events at 80 and 100 percent; never a refusal."""
import concurrent.futures
import datetime

import pytest
from support.callers import CALLERS, answer
from support.client import Api, faults, problem
from support.tokens import CAMDEN, ISLINGTON

PATH = "/v1/break-contracts"
ADMIN = {"role": "council_admin", "scope": "admin breaks:read"}
TODAY = datetime.date.today()


def body(provider, hours=100, starts=-30, ends=30, **members):
    return {"council": ISLINGTON, "provider_organisation_id": provider, "hours": hours,
            "starts_on": (TODAY + datetime.timedelta(starts)).isoformat(), "ends_on": (TODAY + datetime.timedelta(ends)).isoformat(), **members}


def instant(days, hours=0):
    day = datetime.datetime.combine(TODAY + datetime.timedelta(days), datetime.time(8), datetime.timezone.utc)
    return (day + datetime.timedelta(hours=hours)).isoformat().replace("+00:00", "Z")


@pytest.fixture
def provider(api, organisation, carer, grant):
    """A breaks service with an active break of a carer of Islington."""
    class Provider:
        org, of = organisation(), carer()
        claims = {"role": "break_provider", "org": org, "scope": "breaks:read breaks:write"}
        serial = 0

        def ask(self, method, path, **options):
            response = api.request(method, path, **self.claims, **options)
            assert response.status_code in (200, 201), response.text
            return response.json()

        def start(self):
            made = self.ask("POST", f"/v1/carers/{self.of['id']}/breaks", json={
                "scheme": "open_breaks", "provider_organisation_id": self.org, "delivery": "sitting_service", "purpose": "rest"})
            for action, said in (("conversation", {"held_on": TODAY.isoformat()}), ("start", {})):
                if action == "start":
                    self.ask("POST", f"/v1/breaks/{made['id']}/agree", json={
                        "hours_per_session": 3, "frequency": "weekly", "starts_on": TODAY.isoformat()})
                self.ask("POST", f"/v1/breaks/{made['id']}/{action}", json=said)
            self.sessions = f"/v1/breaks/{made['id']}/sessions"

        def plan(self, days=None, hours=3):
            if days is None:  # each on a day of its own
                self.serial += 1
                days = -self.serial
            return self.ask("POST", self.sessions, json={"starts_at": instant(days), "ends_at": instant(days, hours)})

        def deliver(self, hours, days=None):
            one = self.plan(days)
            return self.ask("POST", f"{self.sessions}/{one['id']}/deliver", json={"delivered_by": "paid", "hours": hours})
    grant(Provider.of["id"], Provider.org)
    made = Provider()
    made.start()
    return made


@pytest.fixture
def contract(api, provider):
    """contract(hours, starts, ends): a contract of the provider; read(one): as it is now."""
    def make(hours=100, **members):
        response = api.post(PATH, json=body(provider.org, hours, **members), **ADMIN)
        assert response.status_code == 201, response.text
        return response.json()
    return make


def read(api, one):
    return api.get(f"{PATH}/{one['id']}", **ADMIN).json()


def hours(one):
    return tuple(one[name] for name in ("used_hours", "planned_hours", "left_hours", "used_percent"))


class TestHours:
    """Delivered ones are used, planned ones planned, cancelled ones neither."""

    def test_sessions_count_as_they_go(self, api, provider, contract):
        one = contract()
        assert hours(one) == (0, 0, 100, 0) and one["warnings"] == []
        first, second = provider.plan(hours=3), provider.plan(hours=2)
        assert hours(read(api, one)) == (0, 5, 100, 0)

        provider.ask("POST", f"{provider.sessions}/{first['id']}/deliver", json={"delivered_by": "paid", "hours": 3.5})
        provider.ask("POST", f"{provider.sessions}/{second['id']}/cancel", json={"side": "carer", "reason": "She was ill."})

        assert hours(read(api, one)) == (3.5, 0, 96.5, 3)

    def test_a_session_counts_on_its_day_in_london(self, api, provider, contract):
        now, before = contract(starts=-5, ends=5), contract(starts=-20, ends=-6)

        provider.deliver(2, days=-5)
        provider.deliver(4, days=-6)
        provider.deliver(8, days=-21)

        assert (hours(read(api, now))[0], hours(read(api, before))[0]) == (2, 4)

    def test_a_contract_that_is_recorded_late_has_what_was_before(self, api, provider, contract):
        provider.deliver(6)
        provider.plan(days=3, hours=4)

        assert hours(contract()) == (6, 4, 94, 6)

    def test_with_a_carer_who_is_erased_go_her_planned_hours_only(self, api, provider, contract, db):
        one = contract()
        provider.deliver(5)
        provider.plan(days=3, hours=4)

        db.execute("DELETE FROM carer WHERE id = %s", (provider.of["id"],))

        assert hours(read(api, one)) == (5, 0, 95, 5)

    @pytest.mark.parametrize("made", [0, 10, 20], ids=["before", "meanwhile", "after"])
    def test_twenty_deliveries_at_once_are_all_counted_whenever_the_contract_is_made(self, server, tokens, api, provider, contract, made):
        sessions, claims = [provider.plan() for _ in range(20)], provider.claims

        def send(work):
            client = Api(server, tokens)
            try:
                return client.post(PATH, json=body(provider.org), **ADMIN) if work is None else client.post(
                    f"{provider.sessions}/{work['id']}/deliver", json={"delivered_by": "paid", "hours": 1}, **claims)
            finally:
                client.close()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            responses = list(pool.map(send, [*sessions[:made], None, *sessions[made:]]))
        assert {response.status_code for response in responses} == {200, 201}
        assert hours(read(api, responses[made].json())) == (20, 0, 80, 20)


class TestWarnings:
    """Rule B3: a warning, not a refusal; an event once for each threshold."""

    def test_the_reply_warns_from_80_and_from_100_percent_on(self, api, provider, contract, db):
        one = contract(hours=10)
        told = [[warning["code"] for warning in provider.deliver(hours).get("warnings", [])] for hours in (7.75, 0.25, 1.75, 0.25, 5)]

        assert told == [[], ["contract_hours_80"], ["contract_hours_80"], ["contract_hours_100"], ["contract_hours_100"]]
        now = read(api, one)
        assert hours(now) == (15, 0, -5, 150) and [warning["code"] for warning in now["warnings"]] == ["contract_hours_100"]
        db.execute("SELECT summary FROM event WHERE resource_id = %s ORDER BY id", (one["id"],))
        assert [summary for (summary,) in db.fetchall()] == ["Of a contract's hours of breaks 80% are used",
                                                             "Of a contract's hours of breaks 100% are used"]

    def test_the_warning_is_of_the_contract_of_the_session(self, provider, contract):
        contract(hours=1000, starts=-5, ends=5)
        before = contract(hours=1, starts=-20, ends=-6)

        warned = provider.deliver(3, days=-7)["warnings"]

        assert [warning["contract_id"] for warning in warned] == [before["id"]]
        assert "warnings" not in provider.deliver(3, days=-1)

    def test_without_a_contract_there_is_nothing_to_warn_of(self, provider):
        assert "warnings" not in provider.deliver(300)


class TestBadInput:
    """Its own problem for each."""

    def test_contracts_of_a_provider_and_a_council_do_not_overlap(self, api, provider, contract, organisation):
        contract(starts=0, ends=30)

        problem(api.post(PATH, json=body(provider.org, starts=30, ends=60), **ADMIN), 409, "conflict")
        problem(api.post(PATH, json=body(provider.org, starts=-30, ends=0), **ADMIN), 409, "conflict")
        contract(starts=31, ends=60)
        assert api.post(PATH, json=body(organisation(), starts=0, ends=30), **ADMIN).status_code == 201
        elsewhere = {**body(provider.org, starts=0, ends=30), "council": CAMDEN}
        assert api.post(PATH, json=elsewhere, **ADMIN, council=CAMDEN).status_code == 201

    @pytest.mark.parametrize("members, pointer", [
        ({"hours": 0}, "/hours"), ({"hours": -1}, "/hours"), ({"hours": 1.001}, "/hours"), ({"hours": "100"}, "/hours"), ({"used_hours": 1}, "/used_hours"),
        ({"starts_on": "soon"}, "/starts_on"), ({"starts_on": "2027-01-02", "ends_on": "2027-01-01"}, "/ends_on"), ({"council": CAMDEN}, "/council"),
        ({"provider_organisation_id": "0195e6a0-0000-7000-8000-000000000001"}, "/provider_organisation_id"), ({"reference": ""}, "/reference")])
    def test_a_wrong_value_is_named_by_its_pointer(self, api, organisation, members, pointer):
        response = api.post(PATH, json={**body(organisation()), **members}, **ADMIN)
        assert {where for where, _ in faults(response)} == {pointer}

    def test_a_contract_that_is_not_there(self, api):
        problem(api.get(f"{PATH}/0195e6a0-0000-7000-8000-000000000001", **ADMIN), 404, "not-found")


class TestWho:
    """A council's staff and the provider; made by administrators."""

    @pytest.mark.parametrize("caller", list(CALLERS))
    def test_who_reads_and_who_makes(self, world, caller):
        made = world.ask("her council's administrator", "POST", PATH, json=body(world.org), scope="admin")
        one = f"{PATH}/{made.json()['id']}"
        reads = {"her council", "her council's administrator", "her breaks provider"}
        asks = reads | {"another council", "another council's administrator"}

        assert answer(world.ask(caller, "GET", one, scope="breaks:read")) == ("200" if caller in reads else "not-found" if caller in asks else "forbidden")
        listed = world.ask(caller, "GET", f"{PATH}?limit=200&provider_organisation_id={world.org}", scope="breaks:read")
        assert answer(listed) == ("200" if caller in asks else "forbidden")
        if caller in asks:
            assert [item["id"] for item in listed.json()["items"]] == ([made.json()["id"]] if caller in reads else [])
        told = answer(world.ask(caller, "POST", PATH, json=body(world.other_org), scope="admin"))
        assert told == {"her council's administrator": "201", "another council's administrator": "validation-failed"}.get(caller, "forbidden")

    def test_another_provider_sees_nothing_of_it(self, api, provider, contract, organisation):
        one = contract()
        other = {**provider.claims, "org": organisation()}
        problem(api.get(f"{PATH}/{one['id']}", **other), 404, "not-found")
        assert api.get(PATH, **other).json()["items"] == []

    def test_pages_and_filters(self, api, provider, contract):
        made = [contract(starts=10 * n, ends=10 * n + 9)["id"] for n in range(4)]

        first = api.get(f"{PATH}?limit=3", **provider.claims).json()
        assert [item["id"] for item in first["items"]] == made[:0:-1]
        assert [item["id"] for item in api.get(f"{PATH}?limit=3&cursor={first['next_cursor']}", **provider.claims).json()["items"]] == made[:1]
        on = (TODAY + datetime.timedelta(19)).isoformat()
        assert [item["id"] for item in api.get(f"{PATH}?on={on}", **provider.claims).json()["items"]] == [made[1]]
        since = api.get(f"{PATH}?updated_since={first['items'][0]['updated_at']}", **provider.claims).json()["items"]
        assert [item["id"] for item in since] == made[3:]
