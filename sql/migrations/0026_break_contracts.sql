-- Contracts for breaks: hours that a council has bought of a provider for a time, and what of them is used. Rule B3.

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE break_contract (
    id uuid PRIMARY KEY,
    council text NOT NULL CHECK (council ~ '^E(06|08|09|10)[0-9]{6}$'),
    provider_organisation_id uuid NOT NULL REFERENCES organisation,
    reference text CHECK (length(reference) BETWEEN 1 AND 100),
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    hours numeric(10, 2) NOT NULL CHECK (hours > 0),
    used_hours numeric(12, 2) NOT NULL DEFAULT 0,
    planned_hours numeric(12, 2) NOT NULL DEFAULT 0,
    told_percent smallint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT break_contract_period CHECK (ends_on >= starts_on),
    CONSTRAINT break_contract_overlap EXCLUDE USING gist
        (council WITH =, provider_organisation_id WITH =, daterange(starts_on, ends_on, '[]') WITH &&)
);
COMMENT ON TABLE break_contract IS 'Hours of breaks that a provider gives a council''s carers from one day to another. No person stands in it';
COMMENT ON COLUMN break_contract.used_hours IS 'Of delivered sessions that began within the time, kept as sessions are written';
COMMENT ON COLUMN break_contract.planned_hours IS 'Of planned ones';
COMMENT ON COLUMN break_contract.told_percent IS 'The highest share of the hours that an event has told of, once: 80, 100';
CREATE INDEX break_contract_by_council ON break_contract (council, id DESC);
CREATE INDEX break_contract_by_provider ON break_contract (provider_organisation_id, id DESC);
ALTER TABLE break_contract ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON break_contract TO carers_council, carers_partner, carers_self; -- a carer is shown none
GRANT INSERT (id, council, provider_organisation_id, reference, starts_on, ends_on, hours) ON break_contract TO carers_council;
CREATE POLICY break_contract_council ON break_contract FOR SELECT TO carers_council USING (council = ANY (app_councils()));
CREATE POLICY break_contract_make ON break_contract FOR INSERT TO carers_council
    WITH CHECK (council = ANY (app_councils()) AND app_role() = 'council_admin');
CREATE POLICY break_contract_provider ON break_contract FOR SELECT TO carers_partner
    USING (provider_organisation_id = app_org() AND app_role() = 'break_provider');

-- What sessions use. Who writes a session shares a lock with all others who do; who makes a contract has it alone, and so counts
-- every session, and none twice.

CREATE FUNCTION break_contract_lock(council text, provider uuid, alone boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    key CONSTANT bigint := hashtextextended('break contract ' || council || provider, 0);
BEGIN
    IF alone THEN
        PERFORM pg_advisory_xact_lock(key);
    ELSE
        PERFORM pg_advisory_xact_lock_shared(key);
    END IF;
END
$$;
COMMENT ON FUNCTION break_contract_lock(text, uuid, boolean) IS 'Until the end of the transaction; the statement after it sees what came before';

CREATE FUNCTION break_session_count(starts_at timestamptz, ends_at timestamptz, state text, hours numeric,
                                    OUT day date, OUT used numeric, OUT planned numeric) LANGUAGE sql STABLE AS $$
    SELECT (starts_at AT TIME ZONE 'Europe/London')::date, CASE state WHEN 'delivered' THEN hours ELSE 0 END,
           CASE state WHEN 'planned' THEN round(extract(epoch FROM ends_at - starts_at) / 3600, 2) ELSE 0 END
$$;
COMMENT ON FUNCTION break_session_count(timestamptz, timestamptz, text, numeric) IS 'What a session adds to a contract, and on which day it does';

CREATE FUNCTION break_contract_begin() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.council <> ALL (app_councils()) THEN
        RAISE EXCEPTION 'is not one of your councils' USING ERRCODE = 'CA42V', HINT = '/council';
    END IF;
    PERFORM break_contract_lock(NEW.council, NEW.provider_organisation_id, true);
    SELECT coalesce(sum(c.used), 0), coalesce(sum(c.planned), 0) INTO NEW.used_hours, NEW.planned_hours
      FROM carer_break b
     CROSS JOIN LATERAL (
        SELECT n.*
          FROM break_session s
         CROSS JOIN LATERAL break_session_count(s.starts_at, s.ends_at, s.state, s.delivered_hours) AS n
         WHERE s.break_id = b.id AND s.starts_at >= NEW.starts_on::timestamp AT TIME ZONE 'Europe/London'
           AND s.starts_at < (NEW.ends_on + 1)::timestamp AT TIME ZONE 'Europe/London' OFFSET 0) AS c -- a break at a time, by index
     WHERE b.council = NEW.council AND b.provider_organisation_id = NEW.provider_organisation_id;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION break_contract_begin() IS 'A contract that is recorded late has what was delivered under it already';
CREATE TRIGGER break_contract_a_begin BEFORE INSERT ON break_contract FOR EACH ROW EXECUTE FUNCTION break_contract_begin();
CREATE TRIGGER break_contract_z_versioned BEFORE UPDATE ON break_contract FOR EACH ROW EXECUTE FUNCTION versioned();
CREATE TRIGGER break_contract_audited AFTER INSERT ON break_contract FOR EACH ROW EXECUTE FUNCTION configured();

INSERT INTO event_kind (kind, resource, path, in_timeline, roles)
VALUES ('break_contract.used', 'break_contract', '/v1/break-contracts/%2$s', false, '{council_admin,practitioner}');

CREATE FUNCTION break_contract_percent(k break_contract) RETURNS integer LANGUAGE sql IMMUTABLE
    RETURN floor(100 * k.used_hours / k.hours)::integer;
COMMENT ON FUNCTION break_contract_percent(break_contract) IS 'How much of the hours is used, in whole percent, rounded down';

CREATE FUNCTION break_contract_add(whose text, provider uuid, come break_session[], gone break_session[]) RETURNS SETOF break_contract
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
        UPDATE break_contract k
           SET used_hours = k.used_hours + d.used, planned_hours = k.planned_hours + d.planned
          FROM (SELECT c.id, sum(u.times * n.used) AS used, sum(u.times * n.planned) AS planned
                  FROM (SELECT 1 AS times, s.* FROM unnest(come) AS s UNION ALL SELECT -1, s.* FROM unnest(gone) AS s) AS u
                  JOIN carer_break b ON b.id = u.break_id AND b.council = whose AND b.provider_organisation_id = provider
                 CROSS JOIN LATERAL break_session_count(u.starts_at, u.ends_at, u.state, u.delivered_hours) AS n
                  JOIN break_contract c ON c.council = whose AND c.provider_organisation_id = provider
                                       AND n.day BETWEEN c.starts_on AND c.ends_on
                 GROUP BY c.id
                HAVING sum(u.times * n.used) <> 0 OR sum(u.times * n.planned) <> 0) AS d
         WHERE k.id = d.id
        RETURNING k.*;
END
$$;
COMMENT ON FUNCTION break_contract_add(text, uuid, break_session[], break_session[]) IS 'The contracts that these sessions change, changed';

CREATE FUNCTION break_contract_tell(k break_contract, of_carer uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    reached CONSTANT integer := (SELECT coalesce(max(t.percent), 0) FROM (VALUES (80), (100)) AS t(percent) WHERE t.percent <= break_contract_percent(k));
BEGIN
    IF reached > k.told_percent THEN
        UPDATE break_contract c SET told_percent = reached WHERE c.id = k.id;
        PERFORM note_event(of_carer, k.council, 'break_contract.used', k.id, k.version + 1, NULL,
                           format('Of a contract''s hours of breaks %s%% are used', reached));
    END IF;
END
$$;
COMMENT ON FUNCTION break_contract_tell(break_contract, uuid) IS
    'An event for the council when a threshold is passed, once for each; it hangs on the carer whose session passed it';

CREATE FUNCTION break_session_contract() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    sessions break_session[] := ARRAY(SELECT c FROM come c);
    before break_session[] := '{}';
    b carer_break;
    k break_contract;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        before := ARRAY(SELECT g FROM gone g);
    END IF;
    FOR b IN
        SELECT DISTINCT ON (o.council, o.provider_organisation_id) o.*
          FROM carer_break o
         WHERE o.id = ANY (ARRAY(SELECT s.break_id FROM unnest(sessions) AS s))
         ORDER BY o.council, o.provider_organisation_id, o.id
    LOOP
        PERFORM break_contract_lock(b.council, b.provider_organisation_id, false);
        FOR k IN SELECT * FROM break_contract_add(b.council, b.provider_organisation_id, sessions, before) LOOP
            PERFORM break_contract_tell(k, b.carer_id);
        END LOOP;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION break_session_contract() IS 'Sessions count against the contract of their day (rule B3), and are never refused for it';
CREATE TRIGGER break_session_contract_new AFTER INSERT ON break_session REFERENCING NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION break_session_contract();
CREATE TRIGGER break_session_contract AFTER UPDATE ON break_session REFERENCING NEW TABLE AS come OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION break_session_contract();

CREATE FUNCTION break_contract_erased() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM break_contract_lock(OLD.council, OLD.provider_organisation_id, false);
    PERFORM break_contract_add(OLD.council, OLD.provider_organisation_id, '{}',
                               ARRAY(SELECT s FROM break_session s WHERE s.break_id = OLD.id AND s.state = 'planned'));
    RETURN OLD;
END
$$;
COMMENT ON FUNCTION break_contract_erased() IS 'With a carer who is erased go her planned hours; what was delivered was used';
CREATE TRIGGER break_contract_erased BEFORE DELETE ON carer_break FOR EACH ROW EXECUTE FUNCTION break_contract_erased();

CREATE FUNCTION break_contract_told(k break_contract) RETURNS jsonb LANGUAGE sql STABLE
    RETURN (SELECT jsonb_build_array(jsonb_build_object(
                       'code', 'contract_hours_' || t.percent, 'contract_id', k.id, 'used_percent', break_contract_percent(k),
                       'message', CASE t.percent WHEN 100 THEN 'the contract''s hours are used up'
                                                 ELSE 'most of the contract''s hours are used' END))
              FROM (VALUES (100), (80)) AS t(percent)
             WHERE break_contract_percent(k) >= t.percent
             ORDER BY t.percent DESC
             LIMIT 1);
COMMENT ON FUNCTION break_contract_told(break_contract) IS 'The warning of the highest threshold that is reached; NULL: none';

CREATE OR REPLACE FUNCTION break_contract_warnings(break_id uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT break_contract_told(k)
      FROM carer_break b
     CROSS JOIN LATERAL (SELECT coalesce((SELECT (s.starts_at AT TIME ZONE 'Europe/London')::date
                                            FROM break_session s
                                           WHERE s.break_id = b.id AND s.state = 'delivered'
                                           ORDER BY s.updated_at DESC LIMIT 1), today()) AS day) AS d
      JOIN break_contract k ON k.council = b.council AND k.provider_organisation_id = b.provider_organisation_id
                           AND d.day BETWEEN k.starts_on AND k.ends_on
     WHERE b.id = break_contract_warnings.break_id
$$;
COMMENT ON FUNCTION break_contract_warnings(uuid) IS
    'Rule B3: what a reply about a break warns of, by the contract of the session that was delivered last; NULL: nothing';

CREATE VIEW break_contract_view WITH (security_invoker = true) AS
SELECT k.id, k.council, k.provider_organisation_id, k.version, k.starts_on, k.ends_on, k.updated_at, concat(
           '{"id":"', k.id, '"',
           member('council', k.council),
           member('provider_organisation_id', k.provider_organisation_id::text),
           member('reference', k.reference),
           member('starts_on', to_char(k.starts_on, 'YYYY-MM-DD')),
           member('ends_on', to_char(k.ends_on, 'YYYY-MM-DD')),
           ',"hours":', trim_scale(k.hours), ',"used_hours":', trim_scale(k.used_hours), ',"planned_hours":', trim_scale(k.planned_hours),
           ',"left_hours":', trim_scale(k.hours - k.used_hours), ',"used_percent":', break_contract_percent(k),
           ',"warnings":', coalesce(break_contract_told(k), '[]'),
           member('created_at', instant(k.created_at)),
           member('updated_at', instant(k.updated_at)), '}') AS body
  FROM break_contract k;
COMMENT ON VIEW break_contract_view IS 'What callers see of a contract: body, version (the ETag)';
GRANT SELECT ON break_contract_view TO carers_council, carers_partner;
GRANT EXECUTE ON FUNCTION break_contract_percent(break_contract), break_contract_told(break_contract), break_contract_warnings(uuid)
    TO carers_council, carers_partner, carers_self;
