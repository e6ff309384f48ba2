-- Sessions of breaks (rule B4), and what commissioners are told of breaks, summed as sessions are delivered.

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE break_session (
    id uuid PRIMARY KEY,
    break_id uuid NOT NULL REFERENCES carer_break ON DELETE CASCADE,
    carer_id uuid NOT NULL,
    council text NOT NULL,
    series_id uuid,
    starts_at timestamptz(0) NOT NULL,
    ends_at timestamptz(0) NOT NULL,
    state text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'delivered', 'cancelled_by_carer', 'cancelled_by_provider')),
    state_since timestamptz(3) NOT NULL DEFAULT now(),
    delivered_on date,
    delivered_hours numeric(5, 2) CHECK (delivered_hours > 0 AND delivered_hours <= 744),
    delivered_by text CHECK (delivered_by IN ('paid', 'volunteer')),
    cancel_reason text,
    note text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT break_session_span CHECK (ends_at > starts_at AND ends_at <= starts_at + interval '31 days'),
    CONSTRAINT break_session_delivered CHECK ((state = 'delivered') = (num_nulls(delivered_on, delivered_hours, delivered_by) = 0)),
    CONSTRAINT break_session_overlap EXCLUDE USING gist (break_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
        WHERE (state IN ('planned', 'delivered'))
);
COMMENT ON TABLE break_session IS 'One time that a break gives: planned, then delivered or cancelled. Its outward shape is break_session_view';
COMMENT ON COLUMN break_session.carer_id IS 'The break''s, as council; for the audit trail';
COMMENT ON COLUMN break_session.series_id IS 'Sessions that were planned together have the same';
COMMENT ON COLUMN break_session.delivered_on IS 'The day in London on which it began';
COMMENT ON COLUMN break_session.delivered_hours IS 'As it really was, which need not be what was planned';
COMMENT ON CONSTRAINT break_session_overlap ON break_session IS 'Rule B4; what is cancelled takes no time';
CREATE INDEX break_session_by_break ON break_session (break_id, starts_at, id);
CREATE INDEX break_session_by_change ON break_session (break_id, updated_at, id);

ALTER TABLE break_session ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON break_session TO carers_council, carers_partner, carers_self;
GRANT INSERT (id, break_id, series_id, starts_at, ends_at, note),
      UPDATE (starts_at, ends_at, state, delivered_hours, delivered_by, cancel_reason, note) ON break_session TO carers_partner;
CREATE POLICY break_session_read ON break_session FOR SELECT TO carers_council, carers_partner, carers_self
    USING (EXISTS (SELECT FROM carer_break b WHERE b.id = break_session.break_id OFFSET 0));
CREATE POLICY break_session_plan ON break_session FOR INSERT TO carers_partner
    WITH CHECK (EXISTS (SELECT FROM carer_break b WHERE b.id = break_session.break_id AND break_sides(b) @> '{provider}' OFFSET 0));
CREATE POLICY break_session_change ON break_session FOR UPDATE TO carers_partner
    USING (EXISTS (SELECT FROM carer_break b WHERE b.id = break_session.break_id AND break_sides(b) @> '{provider}' OFFSET 0));

CREATE FUNCTION break_session_of(which uuid, wanted text[], words text) RETURNS carer_break LANGUAGE plpgsql AS $$
DECLARE
    b carer_break;
BEGIN
    SELECT * INTO b FROM carer_break o WHERE o.id = which FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no break has this id' USING ERRCODE = 'CA404';
    ELSIF NOT break_sides(b) @> '{provider}' THEN
        RAISE EXCEPTION 'sessions are the provider''s to plan and to record' USING ERRCODE = 'CA403';
    ELSIF b.state <> ALL (wanted) THEN
        RAISE EXCEPTION '%', words USING ERRCODE = 'CA422', HINT = 'B4', DETAIL = jsonb_build_object('state', b.state);
    END IF;
    RETURN b;
END
$$;
COMMENT ON FUNCTION break_session_of(uuid, text[], text) IS
    'The break, locked, in one of these states: its sessions and its states change one after the other (rule B4)';

CREATE FUNCTION break_session_a_plan() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    b CONSTANT carer_break := break_session_of(NEW.break_id, '{agreed,active}', 'sessions are planned while a break is agreed or active');
BEGIN
    NEW.carer_id := b.carer_id;
    NEW.council := b.council;
    NEW.state := 'planned';
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION break_session_a_plan() IS 'Rule B4: when sessions are planned';

CREATE FUNCTION break_session_b_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    result CONSTANT text[] := '{state,state_since,delivered_on,delivered_hours,delivered_by,cancel_reason,note}';
    b carer_break;
BEGIN
    IF pg_trigger_depth() > 1 THEN
        RETURN NEW; -- its break has ended
    END IF;
    PERFORM precondition(OLD.id, OLD.version);
    IF OLD.state <> 'planned' THEN
        RAISE EXCEPTION 'a session that is % does not change', replace(OLD.state, '_', ' ')
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', OLD.state);
    ELSIF NEW.state = 'planned' THEN
        b := break_session_of(OLD.break_id, '{agreed,active}', 'sessions are planned while a break is agreed or active');
        RETURN NEW;
    ELSIF NEW.state = 'delivered' THEN
        b := break_session_of(OLD.break_id, '{active,paused,ended}', 'sessions are delivered when their break has started');
        NEW.delivered_on := (NEW.starts_at AT TIME ZONE 'Europe/London')::date;
    ELSE
        b := break_session_of(OLD.break_id, '{agreed,active,paused,ended}', 'its break has no sessions');
    END IF;
    IF to_jsonb(NEW) - result <> to_jsonb(OLD) - result THEN
        RAISE EXCEPTION 'this action changes nothing else of a session' USING ERRCODE = 'CA403';
    ELSIF NEW.state = 'delivered' AND NEW.starts_at > now() THEN
        RAISE EXCEPTION 'a session is delivered after it began' USING ERRCODE = 'CA422', HINT = 'B4';
    ELSIF NEW.state <> 'delivered' AND NEW.cancel_reason IS NULL THEN
        RAISE EXCEPTION 'is needed' USING ERRCODE = 'CA42V', HINT = '/reason';
    END IF;
    NEW.state_since := clock_timestamp();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION break_session_b_move() IS 'The states of a session, and rule B4: when it is delivered';

CREATE TRIGGER break_session_a_plan BEFORE INSERT ON break_session FOR EACH ROW EXECUTE FUNCTION break_session_a_plan();
CREATE TRIGGER break_session_b_move BEFORE UPDATE ON break_session FOR EACH ROW EXECUTE FUNCTION break_session_b_move();
CREATE TRIGGER break_session_z_versioned BEFORE UPDATE ON break_session FOR EACH ROW EXECUTE FUNCTION versioned();
CREATE TRIGGER break_session_audited AFTER INSERT OR UPDATE ON break_session FOR EACH ROW EXECUTE FUNCTION audited('carer_id');

-- What comes of a break.

CREATE FUNCTION break_delivered(which uuid) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT format('%s sessions, %s hours, %s to %s', count(*), sum(s.delivered_hours), to_char(min(s.delivered_on), 'YYYY-MM-DD'),
                  to_char(max(s.delivered_on), 'YYYY-MM-DD'))
      FROM break_session s
     WHERE pg_trigger_depth() > 0 AND s.break_id = which AND s.state = 'delivered'
    HAVING count(*) > 0
$$;
COMMENT ON FUNCTION break_delivered(uuid) IS 'For triggers: what was delivered, in words for its referral; NULL: nothing was';

CREATE FUNCTION break_session_end() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE break_session s
       SET state = 'cancelled_by_provider', cancel_reason = 'The break has ended.', state_since = clock_timestamp()
     WHERE s.break_id = NEW.id AND s.state = 'planned' AND s.starts_at > now();
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION break_session_end() IS 'With a break its sessions end that have not begun; the others may still be recorded';
CREATE TRIGGER break_session_end AFTER UPDATE ON carer_break
    FOR EACH ROW WHEN (NEW.state = 'ended' AND OLD.state <> 'ended') EXECUTE FUNCTION break_session_end();

INSERT INTO event_kind (kind, resource, path, shared)
SELECT 'session.' || k.kind, 'break_sessions', '/v1/breaks/%2$s/sessions', true
  FROM unnest('{planned,updated,delivered,cancelled}'::text[]) AS k(kind);

CREATE FUNCTION break_session_evented() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    what CONSTANT text := CASE WHEN TG_OP = 'INSERT' THEN 'planned' ELSE NULL END;
BEGIN
    PERFORM note_event(f.carer_id, f.council, 'session.' || f.kind, f.break_id, NULL, f.state,
                       CASE WHEN f.n = 1 THEN format('A session of a break was %s', f.kind)
                            ELSE format('%s sessions of a break were %s', f.n, f.kind) END)
       FROM (SELECT c.carer_id, c.council, c.break_id, c.state, count(*) AS n,
                    coalesce(what, CASE c.state WHEN 'planned' THEN 'updated' WHEN 'delivered' THEN 'delivered' ELSE 'cancelled' END) AS kind
               FROM come c
              GROUP BY c.carer_id, c.council, c.break_id, c.state) AS f;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION break_session_evented() IS 'One event for all that are planned, or cancelled, together';
CREATE TRIGGER break_session_evented_new AFTER INSERT ON break_session REFERENCING NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION break_session_evented();
CREATE TRIGGER break_session_evented AFTER UPDATE ON break_session REFERENCING NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION break_session_evented();

CREATE VIEW break_session_view WITH (security_invoker = true) AS
SELECT s.id, s.break_id, s.carer_id, s.council, s.version, s.state, s.starts_at, s.updated_at, concat(
           '{"id":"', s.id, '","break_id":"', s.break_id, '"',
           member('series_id', s.series_id::text),
           member('starts_at', instant(s.starts_at)),
           member('ends_at', instant(s.ends_at)),
           member('hours', to_jsonb(trim_scale(round(extract(epoch FROM s.ends_at - s.starts_at) / 3600, 2)))),
           member('state', s.state),
           member('state_since', instant(s.state_since)),
           ',"available_actions":', CASE
               WHEN s.state <> 'planned' OR NOT break_sides(b) @> '{provider}' THEN '[]'
               ELSE to_json(array_remove(ARRAY[CASE WHEN b.state IN ('agreed', 'active') THEN 'update' END,
                                               CASE WHEN b.state IN ('active', 'paused', 'ended') AND s.starts_at <= now() THEN 'deliver' END,
                                               'cancel'], NULL))::text END,
           member('delivered_hours', to_jsonb(trim_scale(s.delivered_hours))),
           member('delivered_by', s.delivered_by),
           member('cancel_reason', s.cancel_reason),
           member('note', CASE WHEN app_role() <> 'carer' THEN s.note END),
           member('created_at', instant(s.created_at)),
           member('updated_at', instant(s.updated_at)), '}') AS body
  FROM break_session s
 CROSS JOIN LATERAL (SELECT o.* FROM carer_break o WHERE o.id = s.break_id OFFSET 0) AS b;
COMMENT ON VIEW break_session_view IS 'What callers see of a session: body, version (the ETag)';
GRANT SELECT ON break_session_view TO carers_council, carers_partner, carers_self;

-- A series: days of a recurrence rule, times of the clock on the wall in London.

CREATE FUNCTION break_series(days integer[], from_time time, to_time time)
RETURNS TABLE (day date, starts_at timestamptz, ends_at timestamptz) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT d.day, (d.day + from_time) AT TIME ZONE 'Europe/London',
           (d.day + to_time + CASE WHEN to_time <= from_time THEN interval '1 day' ELSE interval '0' END) AT TIME ZONE 'Europe/London'
      FROM (SELECT date '1970-01-01' + n FROM unnest(days) AS n) AS d(day);
END;
COMMENT ON FUNCTION break_series(integer[], time, time) IS
    'Instants of these days (since 1970) in Europe/London, whatever the season; an end that is not after the start is the next day''s';

CREATE FUNCTION series_skipped(days integer[]) RETURNS text LANGUAGE sql STABLE
    RETURN coalesce((SELECT jsonb_agg(jsonb_build_object('day', h.day, 'name', h.name) ORDER BY h.day)::text
                       FROM bank_holiday h WHERE h.day = ANY (ARRAY(SELECT date '1970-01-01' + n FROM unnest(days) AS n))), '[]');
COMMENT ON FUNCTION series_skipped(integer[]) IS 'The bank holidays among these days, as JSON';

GRANT EXECUTE ON FUNCTION break_session_of(uuid, text[], text), series_skipped(integer[]), break_series(integer[], time, time)
    TO carers_council, carers_partner, carers_self;

-- What a commissioner is told: sums by month, provider, purpose, delivery and frequency.

CREATE TABLE break_sum (
    council text NOT NULL,
    month date NOT NULL,
    before date NOT NULL CHECK (before < month),
    provider uuid NOT NULL,
    purpose text COLLATE "C" NOT NULL,
    delivery text COLLATE "C" NOT NULL,
    frequency text COLLATE "C" NOT NULL,
    breaks integer NOT NULL,
    sessions integer NOT NULL,
    hours numeric NOT NULL,
    waits integer NOT NULL,
    wait_days integer NOT NULL,
    under_1_month integer NOT NULL,
    over_3_months integer NOT NULL,
    PRIMARY KEY (council, month, before, provider, purpose, delivery, frequency)
);
COMMENT ON TABLE break_sum IS
    'Sums of delivered sessions, kept by their triggers, each break under its lock. Of carers who are erased the sums stay: they are of '
    'what was delivered';
COMMENT ON COLUMN break_sum.before IS
    'The month of the break''s sessions before these; -infinity: these are its first. A period counts a break once, in its first month '
    'there: whose `before` lies before the period';
COMMENT ON COLUMN break_sum.waits IS
    'Of first months: breaks that a referral asked for. wait_days: from its submit to the first session; under_1_month (28 days), '
    'over_3_months (84) as its estimates have it';
ALTER TABLE break_sum ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON break_sum TO carers_desk, carers_council;
CREATE POLICY break_sum_read ON break_sum FOR SELECT TO carers_desk, carers_council
    USING (council = ANY (app_councils()) AND app_role() IN ('commissioner', 'council_admin'));

CREATE FUNCTION break_parts(b carer_break, without uuid) RETURNS SETOF break_sum LANGUAGE sql STABLE AS $$
    SELECT b.council, m.month, m.before, b.provider_organisation_id, b.purpose, b.delivery, coalesce(b.frequency, 'custom'), 1,
           m.sessions, m.hours, count(w.days)::integer, coalesce(sum(w.days), 0)::integer,
           (count(*) FILTER (WHERE w.days <= 28))::integer, (count(*) FILTER (WHERE w.days > 84))::integer
      FROM (SELECT date_trunc('month', s.delivered_on::timestamp)::date AS month, min(s.delivered_on) AS first_day,
                   count(*)::integer AS sessions, sum(s.delivered_hours) AS hours,
                   coalesce(lag(date_trunc('month', s.delivered_on::timestamp)::date) OVER (ORDER BY min(s.delivered_on)), '-infinity') AS before
              FROM break_session s
             WHERE s.break_id = b.id AND s.state = 'delivered' AND s.id IS DISTINCT FROM without
             GROUP BY date_trunc('month', s.delivered_on::timestamp)) AS m
      LEFT JOIN LATERAL (
        SELECT greatest(m.first_day - (r.submitted_at AT TIME ZONE 'Europe/London')::date, 0) AS days
          FROM referral r
         WHERE r.id = b.referral_id AND r.submitted_at IS NOT NULL AND m.before = '-infinity') AS w ON true
     GROUP BY m.month, m.before, m.sessions, m.hours
$$;
COMMENT ON FUNCTION break_parts(carer_break, uuid) IS 'A break''s share in break_sum, without one of its sessions';

CREATE FUNCTION break_sum_change(was carer_break, without uuid, b carer_break) RETURNS void LANGUAGE sql AS $$
    INSERT INTO break_sum AS s
    SELECT p.council, p.month, p.before, p.provider, p.purpose, p.delivery, p.frequency, sum(f.times * p.breaks), sum(f.times * p.sessions),
           sum(f.times * p.hours), sum(f.times * p.waits), sum(f.times * p.wait_days), sum(f.times * p.under_1_month),
           sum(f.times * p.over_3_months)
      FROM (VALUES (-1), (1)) AS f(times)
     CROSS JOIN LATERAL (SELECT a.* FROM break_parts(was, without) AS a WHERE f.times = -1
                          UNION ALL
                         SELECT a.* FROM break_parts(b, NULL) AS a WHERE f.times = 1) AS p
     GROUP BY p.council, p.month, p.before, p.provider, p.purpose, p.delivery, p.frequency
    HAVING (sum(f.times * p.breaks), sum(f.times * p.sessions), sum(f.times * p.hours), sum(f.times * p.wait_days)) <> (0, 0, 0, 0)
     ORDER BY p.council, p.month, p.before, p.provider, p.purpose, p.delivery, p.frequency
        ON CONFLICT (council, month, before, provider, purpose, delivery, frequency) DO UPDATE
       SET breaks = s.breaks + EXCLUDED.breaks, sessions = s.sessions + EXCLUDED.sessions, hours = s.hours + EXCLUDED.hours,
           waits = s.waits + EXCLUDED.waits, wait_days = s.wait_days + EXCLUDED.wait_days,
           under_1_month = s.under_1_month + EXCLUDED.under_1_month, over_3_months = s.over_3_months + EXCLUDED.over_3_months
$$;
COMMENT ON FUNCTION break_sum_change(carer_break, uuid, carer_break) IS
    'Takes out what a break was and adds what it is; rows in order of key, so that two of these do not wait in a ring';

CREATE FUNCTION break_summed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    b carer_break;
BEGIN
    IF TG_TABLE_NAME = 'carer_break' THEN
        PERFORM break_sum_change(OLD, NULL, NEW);
        RETURN NULL;
    END IF;
    SELECT * INTO b FROM carer_break o WHERE o.id = NEW.break_id;
    PERFORM break_sum_change(b, NEW.id, b);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION break_summed() IS 'break_sum follows what is delivered, and how often it is agreed';
CREATE TRIGGER break_session_summed AFTER UPDATE ON break_session
    FOR EACH ROW WHEN (NEW.state = 'delivered' AND OLD.state <> 'delivered') EXECUTE FUNCTION break_summed();
CREATE TRIGGER break_summed AFTER UPDATE ON carer_break
    FOR EACH ROW WHEN (NEW.frequency IS DISTINCT FROM OLD.frequency AND OLD.state IN ('active', 'paused')) EXECUTE FUNCTION break_summed();

-- Rule B3: what a contract has to say to a delivered session; there are none yet.
CREATE FUNCTION break_contract_warnings(break_id uuid) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION break_contract_warnings(uuid) IS 'An array of warnings for who delivers a session of the break, or NULL';
GRANT EXECUTE ON FUNCTION break_contract_warnings(uuid) TO carers_council, carers_partner, carers_self;
