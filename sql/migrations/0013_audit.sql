-- The audit trail in partitions, one a month, and what an administrator reads of it.

ALTER TABLE audit_entry RENAME TO audit_entry_moving;
ALTER SEQUENCE audit_entry_id_seq RENAME TO audit_entry_moving_id_seq;
CREATE TABLE audit_entry (LIKE audit_entry_moving INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING COMMENTS)
    PARTITION BY RANGE (at);
COMMENT ON TABLE audit_entry IS
    'Who read or changed what. Append-only: nobody is granted UPDATE or DELETE, and triggers refuse them to the owner too. A '
    'caller may write the columns council and carer_ids only; who she is comes from the transaction''s claims. One partition '
    'a month (UTC), made by audit_prepare() ahead of time; audit_entry_later has what comes after them, audit_entry_earlier '
    'what came before';

ALTER TABLE audit_entry ENABLE ROW LEVEL SECURITY;
GRANT INSERT (council, carer_ids) ON audit_entry TO carers_caller;
GRANT SELECT ON audit_entry TO carers_council;
CREATE POLICY audit_entry_write ON audit_entry FOR INSERT TO carers_caller WITH CHECK (true);
CREATE POLICY audit_entry_council ON audit_entry FOR SELECT TO carers_council
    USING (council = ANY (app_councils()) AND app_role() = 'council_admin');

CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
-- Every partition has this one too: who turns to the partition itself is refused as well.
CREATE TRIGGER audit_entry_rows_append_only BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION append_only();

-- Every audited read and every change pays for these: time is enough of an order, the few rows of one microsecond are sorted.
CREATE INDEX audit_entry_by_council ON audit_entry (council, at);
CREATE INDEX audit_entry_by_actor ON audit_entry (actor, at);
-- Nearly every row names one carer. Pages of lists name many: from the second on she is found by the index of those rows, by
-- audit_of_lists() alone, because row-level security lets no array operator near an index.
CREATE INDEX audit_entry_by_carer ON audit_entry ((carer_ids[1]), at);
CREATE INDEX audit_entry_by_carers ON audit_entry USING gin (carer_ids) WITH (fastupdate = off)
    WHERE cardinality(carer_ids) > 1;

CREATE FUNCTION audit_partition(name text, lower timestamptz, upper timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I PARTITION OF audit_entry FOR VALUES FROM (%s) TO (%s)', name,
                   coalesce(quote_literal(lower), 'MINVALUE'), coalesce(quote_literal(upper), 'MAXVALUE'));
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE TRIGGER audit_entry_append_only BEFORE TRUNCATE ON %I FOR EACH STATEMENT'
                   ' EXECUTE FUNCTION append_only()', name);
    EXECUTE format('COMMENT ON TABLE %I IS %L', name, 'Part of audit_entry by time: see there');
END
$$;
COMMENT ON FUNCTION audit_partition(text, timestamptz, timestamptz) IS
    'Makes the partition from `lower` to before `upper` (NULL: without end). Nobody is granted anything on it: it is read '
    'and written as part of audit_entry alone. What partitions do not inherit is made here';

CREATE FUNCTION audit_prepare(months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '1s' AS $$
DECLARE
    next_month timestamptz;
    last_month timestamptz := date_trunc('month', now()) + make_interval(months => least(greatest(months, 0), 120));
    made integer := 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('audit_prepare', 0)) THEN
        RETURN 0; -- another session is making them
    END IF;
    SELECT substring(pg_get_expr(c.relpartbound, c.oid) FROM '''(.*?)''') INTO next_month
      FROM pg_class c WHERE c.oid = 'audit_entry_later'::regclass;
    IF next_month > last_month THEN
        RETURN 0;
    END IF;
    -- From here to the end of the transaction writers wait. With rows in audit_entry_later, as when nobody prepared
    -- anything for months, it takes as long as these are moved.
    LOCK TABLE audit_entry IN ACCESS EXCLUSIVE MODE;
    ALTER TABLE audit_entry DETACH PARTITION audit_entry_later;
    ALTER TABLE audit_entry_later RENAME TO audit_entry_moving;
    WHILE next_month <= last_month LOOP
        PERFORM audit_partition(to_char(next_month, '"audit_entry_"YYYY_MM'), next_month, next_month + interval '1 month');
        next_month := next_month + interval '1 month';
        made := made + 1;
    END LOOP;
    PERFORM audit_partition('audit_entry_later', next_month, NULL);
    INSERT INTO audit_entry OVERRIDING SYSTEM VALUE SELECT * FROM audit_entry_moving;
    DROP TABLE audit_entry_moving;
    RETURN made;
END
$$;
COMMENT ON FUNCTION audit_prepare(integer) IS
    'Makes the partitions of this month and of so many after it, as far as they are missing, and says how many; what had to go '
    'into audit_entry_later meanwhile moves into its month. For the service''s housekeeping: any number of times, by several at once';
GRANT EXECUTE ON FUNCTION audit_prepare(integer) TO carers_service;

-- What is on record moves over; what comes next is counted on.
DO $$
DECLARE
    first_month timestamptz;
BEGIN
    SELECT date_trunc('month', coalesce(min(m.at), now()), 'UTC') INTO first_month FROM audit_entry_moving m;
    PERFORM audit_partition('audit_entry_earlier', NULL, first_month), audit_partition('audit_entry_later', first_month, NULL);
END
$$;
INSERT INTO audit_entry OVERRIDING SYSTEM VALUE SELECT * FROM audit_entry_moving;
SELECT setval('audit_entry_id_seq', s.last_value, s.is_called) FROM audit_entry_moving_id_seq AS s;
DROP TABLE audit_entry_moving;
SELECT audit_prepare(3);

-- A search that finds nobody belongs to no carer's council. Without one no administrator would see its row.
CREATE FUNCTION audit_councils() RETURNS text[] LANGUAGE sql STABLE
    RETURN coalesce(CASE current_user WHEN 'carers_partner' THEN (SELECT o.councils FROM organisation o WHERE o.id = app_org())
                                      WHEN 'carers_self' THEN (SELECT ARRAY[c.council] FROM carer c WHERE c.id = app_carer()) END,
                    ARRAY[(app_councils())[1]]);
COMMENT ON FUNCTION audit_councils() IS
    'Who is to learn of what the caller did about nobody: every council that her organisation works for, a carer''s own, the first of '
    'her token';
GRANT EXECUTE ON FUNCTION audit_councils() TO carers_council, carers_partner, carers_self;

-- Lists of the trail, newest first.

CREATE FUNCTION audit_cursor(at timestamptz, id bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN rtrim(translate(encode(int8send((extract(epoch FROM at) * 1000000)::bigint) || int8send(id), 'base64'),
                           '+/', '-_'), '=');
COMMENT ON FUNCTION audit_cursor(timestamptz, bigint) IS 'Cursor of a list in order of time and number: 22 characters';

CREATE FUNCTION audit_before(cursor text, until timestamptz, OUT at timestamptz, OUT id bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    hex text := cursor_hex(cursor, 22);
BEGIN
    at := timestamptz '1970-01-01 00:00:00+00' + ('x' || left(hex, 16))::bit(64)::bigint * interval '1 microsecond';
    id := ('x' || right(hex, 16))::bit(64)::bigint;
    IF at < timestamptz '1970-01-01 00:00:00+00' OR at > now() + interval '1 day' THEN
        RAISE EXCEPTION 'is a cursor of another list' USING ERRCODE = 'CA400', HINT = '/query/cursor';
    END IF;
    IF at IS NULL OR until <= at THEN
        at := coalesce(until, 'infinity');
        id := 0;
    END IF;
EXCEPTION WHEN datetime_field_overflow THEN
    RAISE EXCEPTION 'is a cursor of another list' USING ERRCODE = 'CA400', HINT = '/query/cursor';
END
$$;
COMMENT ON FUNCTION audit_before(text, timestamptz) IS
    'The page comes before this time and number: those of the cursor, or the end of the time asked for, whichever is earlier. A '
    'cursor of 22 characters that belongs to a list in order of id would lie thousands of years ahead';

CREATE FUNCTION audit_of_lists(whose uuid, since timestamptz, before_at timestamptz, before_id bigint, most integer)
RETURNS SETOF audit_entry LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF app_role() = 'council_admin' THEN
        RETURN QUERY
            SELECT e.*
              FROM audit_entry e
             WHERE e.carer_ids @> ARRAY[whose] AND cardinality(e.carer_ids) > 1 AND e.carer_ids[1] <> whose
               AND (e.council = ANY (app_councils())) IS TRUE -- as a plain comparison it would send the planner to the council's index
               AND e.at >= since AND e.at <= before_at AND (e.at, e.id) < (before_at, before_id)
             ORDER BY e.at DESC, e.id DESC
             LIMIT most;
    END IF;
END
$$;
COMMENT ON FUNCTION audit_of_lists(uuid, timestamptz, timestamptz, bigint, integer) IS
    'Entries that name the carer behind another one, for an administrator and of her councils only, as the policy of '
    'audit_entry has it: the operator that the index is for would not be let near it under a policy';

CREATE FUNCTION audit_walk(whose uuid, who text, since timestamptz, before_at timestamptz, before_id bigint, most integer)
RETURNS SETOF audit_entry LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF whose IS NOT NULL THEN
        RETURN QUERY
            SELECT f.*
              FROM ((SELECT e.*
                       FROM audit_entry e
                      WHERE e.carer_ids[1] = whose
                        AND e.at >= since AND e.at <= before_at AND (e.at, e.id) < (before_at, before_id)
                      ORDER BY e.at DESC, e.id DESC
                      LIMIT most)
                     UNION ALL
                    SELECT l.* FROM audit_of_lists(whose, since, before_at, before_id, most) AS l) AS f
             ORDER BY f.at DESC, f.id DESC
             LIMIT most;
    ELSIF who IS NOT NULL THEN
        RETURN QUERY
            SELECT e.*
              FROM audit_entry e
             WHERE e.actor = who
               AND e.at >= since AND e.at <= before_at AND (e.at, e.id) < (before_at, before_id)
             ORDER BY e.at DESC, e.id DESC
             LIMIT most;
    ELSE
        RETURN QUERY
            SELECT f.*
              FROM unnest(app_councils()) AS k(council)
             CROSS JOIN LATERAL (
                SELECT e.*
                  FROM audit_entry e
                 WHERE e.council = k.council
                   AND e.at >= since AND e.at <= before_at AND (e.at, e.id) < (before_at, before_id)
                 ORDER BY e.at DESC, e.id DESC
                 LIMIT most) AS f
             ORDER BY f.at DESC, f.id DESC
             LIMIT most;
    END IF;
END
$$;
COMMENT ON FUNCTION audit_walk(uuid, text, timestamptz, timestamptz, bigint, integer) IS
    'The newest entries before (before_at, before_id) and not before `since`: those that name a carer, else those of an actor, '
    'else those of the caller''s councils. A function because the plan of each is as wide as there are months, and only one is '
    'wanted; months out of the bounds are not opened, and older ones only when the newer have too few';

CREATE FUNCTION audit_body(entry audit_entry) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN concat(
        '{"id":', entry.id,
        member('at', instant(entry.at)),
        member('kind', CASE WHEN entry.subject_table IS NULL THEN 'read' ELSE 'change' END),
        member('actor', nullif(entry.actor, '')),
        member('role', nullif(entry.role, '')),
        member('client_id', nullif(entry.client, '')),
        CASE WHEN entry.organisation_id IS NOT NULL THEN
            concat(',"organisation":{"id":"', entry.organisation_id, '"',
                   member('name', (SELECT o.name FROM organisation o WHERE o.id = entry.organisation_id)), '}') END,
        member('council', entry.council),
        member('action', nullif(entry.action, '')),
        member('target', nullif(entry.target, '')),
        member('request_id', nullif(entry.request, '')),
        member('carer_ids', to_jsonb(entry.carer_ids)),
        member('resource', regexp_replace(entry.subject_table, '^carer_', '')),
        member('before', entry.before),
        member('after', entry.after),
        '}');
COMMENT ON FUNCTION audit_body(audit_entry) IS
    'What administrators see of an entry. Tables are named as clients know them: carer_demographics is demographics';
GRANT EXECUTE ON FUNCTION audit_cursor(timestamptz, bigint), audit_before(text, timestamptz),
    audit_of_lists(uuid, timestamptz, timestamptz, bigint, integer),
    audit_walk(uuid, text, timestamptz, timestamptz, bigint, integer), audit_body(audit_entry) TO carers_council;
