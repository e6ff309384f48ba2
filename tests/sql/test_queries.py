"""Named queries: each prepares as libpq prepares it; lists page without gap or repeat; helpers hold."""
import json
import uuid

import pytest
from support.sql import CLASSES, ISLINGTON, QUERIES, Session

NEVER, FAR = "E06000001", "E06000004"  # councils that no other test of this database uses


@pytest.mark.parametrize("name", list(QUERIES))
def test_every_query_prepares_without_types_on_a_fresh_database(service, name):
    with service.cursor() as cursor:
        cursor.execute(f"PREPARE once AS {QUERIES[name].sql()}")
        cursor.execute("SELECT cardinality(parameter_types), 'unknown'::regtype = ANY (parameter_types)"
                       " FROM pg_prepared_statements WHERE name = 'once'")
        assert cursor.fetchone() == (len(QUERIES[name].parameters), False)
        cursor.execute("DEALLOCATE once")
    service.rollback()


@pytest.fixture(scope="module")
def crowd(carer, organisation, acting, grant):
    """Eleven carers in two councils, known to one organisation; what each is like."""
    class Crowd:
        org = organisation(NEVER, FAR)
        ids = {}
    sources, known = ["gp", "self", "champion"], [True, False, None]
    for number in range(11):
        council = [NEVER, NEVER, FAR][number % 3]
        one = carer(council, role="support_worker", org=Crowd.org, known_to_social_care=known[number % 3],
                    identification={"source": sources[number % 3 if number < 9 else 0]})
        Crowd.ids[one] = council
        if number % 2:
            with acting("practitioner", [council]) as session:
                session.execute("carer_move", one, "register", '{"triage": {"level": "light"}}')
    grant(next(iter(Crowd.ids)), Crowd.org)  # twice the same carer: she is listed once
    return Crowd


def pages(session, query, limit, *filters, since=None):
    """The items of all pages, one after the other."""
    items, cursor = [], None
    changed = (since,) if "changed" in query else ()
    for _ in range(100):
        (text, following), = session.execute(query, limit, cursor, *changed, *filters)
        page = json.loads(text)
        assert page.get("next_cursor") == following and len(page["items"]) <= limit
        items += page["items"]
        if not following:
            return items
        cursor = following
    raise AssertionError("the list does not end")


COUNCILS = {"carers_of_councils": ("practitioner", {"councils": [NEVER]}),
            "carers_changed_of_councils": ("practitioner", {"councils": [NEVER]})}
LISTS = {**COUNCILS, "carers_of_organisation": ("support_worker", {}),
         "carers_changed_of_organisation": ("support_worker", {})}
NONE = (None,) * 4


@pytest.mark.parametrize("limit", [1, 2, 3, 10, 11, 200])
@pytest.mark.parametrize("query", list(LISTS))
def test_pages_have_everybody_once_in_order(acting, crowd, query, limit):
    role, claims = LISTS[query]
    with acting(role, **{"org": crowd.org, **claims}) as session:
        items = pages(session, query, limit, *NONE, since="2020-01-01T00:00:00Z")
    wanted = {one for one, council in crowd.ids.items() if role == "support_worker" or council == NEVER}
    assert {item["id"] for item in items} == wanted and len(items) == len(wanted)
    if "changed" in query:
        order = [(item["updated_at"], item["id"]) for item in items]
        assert order == sorted(order)
    else:
        assert [item["id"] for item in items] == sorted(wanted, reverse=True)


@pytest.mark.parametrize("council, state, source, known", [
    (NEVER, None, None, None), (FAR, None, None, None), (None, "registered", None, None), (None, None, "gp", None),
    (None, None, None, "true"), (None, None, None, "false"), (None, "identified", "gp", "true"),
    (NEVER, "registered", "self", "false"), (None, "closed", None, None), ("E06000002", None, None, None),
    (None, "registered", None, "true"), (None, None, "champion", "false")])
@pytest.mark.parametrize("limit", [2, 50])
@pytest.mark.parametrize("query", list(LISTS))
def test_filters_are_cumulative(acting, crowd, query, limit, council, state, source, known):
    role, claims = LISTS[query]
    claims = {"org": crowd.org, **claims}
    if role == "practitioner":
        claims["councils"] = [NEVER, FAR]
    with acting(role, **claims) as session:
        everybody = {one: session.body("carer_by_id", one) for one in crowd.ids}
        found = {item["id"] for item in pages(session, query, limit, council, state, source, known,
                                              since="2020-01-01T00:00:00Z")} & crowd.ids.keys()
    assert found == {one for one, body in everybody.items()
                     if council in (None, body["council"]) and state in (None, body["state"])
                     and source in (None, body["identification"]["source"])
                     and known in (None, json.dumps(body.get("known_to_social_care")))}


@pytest.mark.parametrize("query", [name for name in LISTS if "changed" in name])
def test_what_changed_since_comes_at_or_after_the_instant(acting, crowd, query):
    role, claims = LISTS[query]
    with acting(role, **{"org": crowd.org, **claims}) as session:
        items = pages(session, query, 3, *NONE, since="2020-01-01T00:00:00Z")
        middle = items[len(items) // 2]["updated_at"]
        since = pages(session, query, 3, *NONE, since=middle)
    assert [i["id"] for i in since] == [i["id"] for i in items if i["updated_at"] >= middle]


def test_a_rare_filter_on_changes_walks_in_bounded_pages(acting, owner):
    council = "E06000003"
    owner.execute("ALTER TABLE carer DISABLE TRIGGER USER")
    try:
        owner.execute("""
            INSERT INTO carer (id, council, given_name, family_name, family_key, identification, source, known, updated_at)
            SELECT gen_random_uuid(), %s, 'G', 'F', 'f', '{"source": "gp"}', CASE g WHEN 5900 THEN 'champion' ELSE 'gp' END,
                   'unknown', timestamptz '2024-01-01' + g * interval '1 minute'
              FROM generate_series(1, 6000) g""", (council,))
    finally:
        owner.execute("ALTER TABLE carer ENABLE TRIGGER USER")
    with acting("practitioner", [council]) as session:
        (text, cursor), = session.execute("carers_changed_of_councils", 50, None, "2020-01-01T00:00:00Z", None, None,
                                          "champion", None)
        assert json.loads(text)["items"] == [] and cursor
        (text, cursor), = session.execute("carers_changed_of_councils", 50, cursor, "2020-01-01T00:00:00Z", None, None,
                                          "champion", None)
        assert len(json.loads(text)["items"]) == 1 and cursor is None


def test_her_own_list_is_herself(acting, crowd):
    one = next(iter(crowd.ids))
    with acting("carer", carer=one) as session:
        for arguments, seen in (((None,) * 6, True), ((None, None, None, "closed", None, None), False),
                                ((None, None, NEVER, "identified", "gp", "true"), True), (("x",) + (None,) * 5, False),
                                ((None, "2090-01-01T00:00:00Z", None, None, None, None), False)):
            assert [item["id"] for item in session.body("carers_of_self", *arguments)["items"]] == [one] * seen


class TestCursors:
    """Opaque, and ours only."""

    def test_a_cursor_is_made_and_read(self, owner):
        ident = str(uuid.uuid4())
        owner.execute("SELECT cursor_before(cursor_of(%s::uuid))::text, length(cursor_of(%s::uuid))", (ident, ident))
        assert owner.fetchone() == (ident, 22)
        at = "2026-11-22 14:11:00.112+00"
        owner.execute("SELECT at = %s::timestamptz, id::text, length(cursor_of(%s::timestamptz, %s::uuid))"
                      " FROM cursor_after(cursor_of(%s::timestamptz, %s::uuid), '2020-01-01')", (at, at, ident, at, ident))
        assert owner.fetchone() == (True, ident, 32)

    @pytest.mark.parametrize("query, cursor", [
        ("carers_of_councils", "A" * 32), ("carers_of_organisation", "A" * 32), ("carers_changed_of_councils", "A" * 22),
        ("carers_changed_of_organisation", "A" * 22), ("carers_of_councils", "!" * 22), ("carers_of_councils", "")])
    def test_another_lists_cursor_is_a_wrong_parameter(self, refused, query, cursor, organisation):
        changed = ("2020-01-01T00:00:00Z",) if "changed" in query else ()
        role = LISTS[query][0]
        diag = refused(role, query, 50, cursor, *changed, *NONE, councils=[NEVER], org=organisation())
        assert (diag.sqlstate, diag.message_hint) == ("CA400", "/query/cursor")


class TestIdempotency:
    """The first answer, for its caller, for its request, for its time."""

    def answer(self, session, key):
        return session.execute("idempotency_answer", key)

    def test_the_first_answer_is_given_again(self, acting, refused):
        key = str(uuid.uuid4())
        with acting("practitioner") as session:
            session.execute("idempotency_claim", key, r"\x0102", 24)
            session.execute("idempotency_keep", key, r"\x0102", 201, '"1"', "/v1/carers/x", '{"a": 1}')

        assert refused("practitioner", "idempotency_claim", key, r"\x0102", 24).sqlstate == "CA2RP"
        assert refused("practitioner", "idempotency_claim", key, r"\x0103", 24).sqlstate == "CA42R"
        with acting("practitioner") as session:
            assert self.answer(session, key) == [(201, '"1"', "/v1/carers/x", '{"a": 1}')]
        with acting("practitioner", subject="another") as session:
            session.execute("idempotency_claim", key, r"\x0103", 24)
            assert self.answer(session, key) == []

    def test_what_was_rolled_back_was_never_claimed(self, acting, service):
        key = str(uuid.uuid4())
        with pytest.raises(ZeroDivisionError):
            with acting("practitioner") as session:
                session.execute("idempotency_claim", key, r"\x01", 24)
                session.execute("idempotency_keep", key, r"\x01", 201, None, None, None)
                raise ZeroDivisionError
        with acting("practitioner") as session:
            session.execute("idempotency_claim", key, r"\x02", 24)

    def test_a_key_in_flight_is_told_at_once(self, acting, connect, refused):
        key = str(uuid.uuid4())
        with acting("practitioner", on=connect()) as session:
            session.execute("idempotency_claim", key, r"\x01", 24)
            assert refused("practitioner", "idempotency_claim", key, r"\x01", 24).sqlstate == "CA40I"

    def test_an_expired_answer_is_written_over_and_swept(self, acting, owner):
        keys = [str(uuid.uuid4()) for _ in range(2)]
        for key in keys:
            with acting("practitioner") as session:
                session.execute("idempotency_keep", key, r"\x01", 201, '"1"', None, "old")
        owner.execute("UPDATE idempotency SET created_at = now() - interval '25 hours' WHERE key = ANY (%s)", (keys,))

        with acting("practitioner") as session:
            session.execute("idempotency_claim", keys[0], r"\x02", 24)
            session.execute("idempotency_keep", keys[0], r"\x02", 200, '"2"', None, "new")
        with acting("practitioner") as session:
            assert self.answer(session, keys[0]) == [(200, '"2"', None, "new")]

    def test_the_sweep_is_the_services_own(self, service, owner, acting):
        key = str(uuid.uuid4())
        with acting("practitioner") as session:
            session.execute("idempotency_keep", key, r"\x01", 201, '"1"', None, "old")
        owner.execute("UPDATE idempotency SET created_at = now() - interval '25 hours' WHERE key = %s", (key,))
        session = Session(service)
        assert session.execute("idempotency_sweep", 24)[0][0] >= 1
        service.commit()
        owner.execute("SELECT count(*) FROM idempotency WHERE key = %s", (key,))
        assert owner.fetchone() == (0,)


@pytest.mark.parametrize("target, patch, merged", [
    ('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'), ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'), ('{"a":"b"}', '{"a":null}', "{}"),
    ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'), ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'), ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
    ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'), ('["a","b"]', '["c","d"]', '["c","d"]'), ('{"a":"b"}', '["c"]', '["c"]'),
    ('{"a":"foo"}', "null", "null"), ('{"a":"foo"}', '"bar"', '"bar"'), ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
    ("[1,2]", '{"a":"b","c":null}', '{"a":"b"}'), ("{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}')])
def test_merge_patch_is_that_of_rfc_7396(owner, target, patch, merged):
    owner.execute("SELECT merge_patch(%s::jsonb, %s::jsonb) = %s::jsonb", (target, patch, merged))
    assert owner.fetchone() == (True,)


@pytest.mark.parametrize("role", [role for role in CLASSES if role])
def test_me_is_the_caller(acting, organisation, role):
    org = organisation()
    with acting(role, [ISLINGTON], org=org, carer=str(uuid.uuid4()), client="app") as session:
        body = session.execute("me", "carers:read carers:write", 1795356660, '["getMe"]', "1.0")[0][0]
    assert body["role"] == role and body["councils"] == [ISLINGTON] and body["client_id"] == "app"
    assert body["organisation"]["id"] == org and body["scopes"] == ["carers:read", "carers:write"]
    assert (body["operations"], body["expires_at"]) == (["getMe"], "2026-11-22T14:11:00.000Z")


def test_me_leaves_out_what_the_caller_has_not(acting):
    with acting("practitioner") as session:
        body = session.execute("me", "", 0, "[]", "1.0")[0][0]
    assert body.keys() == {"subject", "role", "councils", "scopes", "operations", "expires_at", "server_time", "service"}


def test_demo_data_is_wanted_by_an_empty_database_only(cluster, new_database, acting, carer, owner):
    carer()
    owner.execute(QUERIES["demo_wanted"].sql())
    assert owner.fetchone() == (False,)
    assert cluster.sql(QUERIES["demo_wanted"].sql(), database=new_database(), user="carers_owner") == [["t"]]
