-- Access of organisations to carers: given by the council, ended by it, and told when it begins or ends by itself.

ALTER TABLE carer_access
    ADD COLUMN note text,
    ADD COLUMN granted_by_role text NOT NULL DEFAULT app_role(),
    ADD COLUMN ended_because text CHECK (ended_because IN ('revoked', 'consent_withdrawn', 'referral_closed')),
    ADD COLUMN revoked_by text,
    ADD COLUMN revoked_by_role text,
    ADD COLUMN revoke_note text,
    ADD COLUMN version bigint NOT NULL DEFAULT 1,
    ADD COLUMN updated_at timestamptz(3) NOT NULL DEFAULT now(),
    ADD COLUMN announced text NOT NULL DEFAULT 'in_force' CHECK (announced IN ('pending', 'in_force', 'ended')),
    ALTER COLUMN reason SET DEFAULT 'granted',
    DROP CONSTRAINT carer_access_check,
    ADD CONSTRAINT carer_access_times CHECK (ends_at >= starts_at OR ended_because IS NOT NULL);
COMMENT ON COLUMN carer_access.note IS 'Why it was granted, in words; the carer reads them';
COMMENT ON COLUMN carer_access.ends_at IS 'Before starts_at: it was ended before it began';
COMMENT ON COLUMN carer_access.ended_because IS 'NULL: it has no end, or ends (ended) because ends_at was set when it was given';
COMMENT ON COLUMN carer_access.version IS 'Counts changes; what a client sees counts beginning and end too: carer_access_version';
COMMENT ON COLUMN carer_access.announced IS
    'The state that the last event told of: access begins and ends by the clock, and access_sweep tells of it';

-- Ids in order of creation, as everywhere.
CREATE FUNCTION uuid_of(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE
    RETURN (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
            || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid;
COMMENT ON FUNCTION uuid_of(timestamptz) IS 'A new UUID of version 7 for a row made at that time';

CREATE FUNCTION access_state(starts timestamptz, ends timestamptz) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN ends <= now() THEN 'ended' WHEN starts > now() THEN 'pending' ELSE 'in_force' END;
COMMENT ON FUNCTION access_state(timestamptz, timestamptz) IS 'in_force() in words';

UPDATE carer_access
   SET id = uuid_of(created_at), updated_at = created_at, announced = access_state(starts_at, ends_at), granted_by_role = '';
ALTER TABLE carer_access ALTER COLUMN id SET DEFAULT uuid_of(clock_timestamp());

-- When the clock alone will change what is announced.
CREATE FUNCTION access_due(announced text, starts timestamptz, ends timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE announced WHEN 'pending' THEN least(starts, ends) WHEN 'in_force' THEN ends END;
COMMENT ON FUNCTION access_due(text, timestamptz, timestamptz) IS 'When the clock alone changes the state that was announced';
CREATE INDEX carer_access_due ON carer_access (access_due(announced, starts_at, ends_at))
    WHERE access_due(announced, starts_at, ends_at) IS NOT NULL;

CREATE FUNCTION carer_access_version(a carer_access) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    RETURN a.version + array_position('{pending,in_force,ended}', access_state(a.starts_at, a.ends_at)) - 1;
COMMENT ON FUNCTION carer_access_version(carer_access) IS
    'The number in the ETag: it goes up when the row changes, and when access begins or ends by the clock';

CREATE FUNCTION carer_access_changed_at(a carer_access) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    RETURN greatest(a.updated_at, CASE access_state(a.starts_at, a.ends_at)
                                      WHEN 'in_force' THEN a.starts_at WHEN 'ended' THEN a.ends_at END);
COMMENT ON FUNCTION carer_access_changed_at(carer_access) IS 'updated_at as clients see it: by the same two rules';

-- Who may.

GRANT INSERT (id, carer_id, organisation_id, note, starts_at, ends_at), UPDATE (ended_because, revoke_note)
    ON carer_access TO carers_council;
CREATE POLICY carer_access_grant ON carer_access FOR INSERT TO carers_council
    WITH CHECK (council = ANY (app_councils()) AND reason = 'granted');
CREATE POLICY carer_access_revoke ON carer_access FOR UPDATE TO carers_council
    USING (council = ANY (app_councils()))
    WITH CHECK (council = ANY (app_councils()) AND ended_because = 'revoked');

-- What is asked of a council's grant. SECURITY DEFINER: an organisation that works elsewhere is not seen by the council. The
-- carer's last word is locked, so that another one at the same time waits and ends the new access as well.
CREATE FUNCTION carer_access_grant() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM organisation o WHERE o.id = NEW.organisation_id AND NEW.council = ANY (o.councils)) THEN
        RAISE EXCEPTION 'is no organisation that works for the carer''s council'
            USING ERRCODE = 'CA42V', HINT = '/organisation_id';
    END IF;
    NEW.starts_at := greatest(NEW.starts_at, date_trunc('milliseconds', now()));
    IF NEW.ends_at <= NEW.starts_at THEN
        RAISE EXCEPTION 'must be later than starts_at, and lie in the future' USING ERRCODE = 'CA42V', HINT = '/ends_at';
    END IF;
    PERFORM consent_asked(NEW.carer_id, NEW.organisation_id);
    PERFORM carer_access_lock(NEW);
    IF EXISTS (SELECT FROM carer_access a
                WHERE a.organisation_id = NEW.organisation_id AND a.carer_id = NEW.carer_id AND a.reason = NEW.reason
                  AND coalesce(a.ends_at > NEW.starts_at, true) AND coalesce(a.starts_at < NEW.ends_at, true)) THEN
        RAISE EXCEPTION 'this organisation has been granted access for that time already' USING ERRCODE = 'CA40X';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION carer_access_grant() IS
    'BEFORE INSERT by a council: the organisation works there, the times make sense, the carer has not said no, and it has not '
    'been granted before. A start in the past is now. Without a word of the carer the council decides, under its duty';

CREATE FUNCTION carer_access_lock(a carer_access) RETURNS void LANGUAGE sql VOLATILE
    RETURN pg_advisory_xact_lock(hashtextextended('access ' || a.carer_id || a.organisation_id, 0));
COMMENT ON FUNCTION carer_access_lock(carer_access) IS
    'Changes of one organisation''s access to one carer happen one after the other: each must see whether another access remains';

CREATE FUNCTION carer_access_revoke() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM precondition(OLD.id, carer_access_version(OLD));
    IF OLD.ends_at <= clock_timestamp() THEN -- not now(): another transaction may have ended it while this one waited
        RAISE EXCEPTION 'this access has ended already'
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', 'ended');
    END IF;
    NEW.ends_at := date_trunc('milliseconds', now());
    NEW.revoked_by := app_subject();
    NEW.revoked_by_role := app_role();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION carer_access_revoke() IS 'BEFORE UPDATE by a council, which can only revoke: ends now, and once';

CREATE FUNCTION carer_access_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM carer_access_lock(NEW);
    NEW.announced := access_state(NEW.starts_at, NEW.ends_at);
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.ends_at, NEW.ended_because) IS DISTINCT FROM (OLD.ends_at, OLD.ended_because) THEN
            NEW.version := OLD.version + 1;
            NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at + interval '1 millisecond');
        END IF;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION carer_access_moved() IS 'BEFORE INSERT, and UPDATE of its end: the next version, and what is to be announced';

CREATE TRIGGER carer_access_a_carer BEFORE INSERT ON carer_access
    FOR EACH ROW WHEN (current_user = 'carers_council') EXECUTE FUNCTION of_carer('open');
CREATE TRIGGER carer_access_b_grant BEFORE INSERT ON carer_access
    FOR EACH ROW WHEN (current_user = 'carers_council') EXECUTE FUNCTION carer_access_grant();
CREATE TRIGGER carer_access_b_revoke BEFORE UPDATE ON carer_access
    FOR EACH ROW WHEN (current_user = 'carers_council') EXECUTE FUNCTION carer_access_revoke();
CREATE TRIGGER carer_access_z_moved BEFORE INSERT OR UPDATE OF ends_at, ended_because, announced ON carer_access
    FOR EACH ROW EXECUTE FUNCTION carer_access_moved();
-- Who registers a carer has access by that; the audit row of the carer says so.
CREATE TRIGGER carer_access_audited_given AFTER INSERT ON carer_access
    FOR EACH ROW WHEN (NEW.reason <> 'registered')
    EXECUTE FUNCTION audited('carer_id', 'council', 'state', 'source', 'known', 'changed_at', 'announced');
CREATE TRIGGER carer_access_audited_ended AFTER UPDATE ON carer_access
    FOR EACH ROW WHEN (NEW.version <> OLD.version)
    EXECUTE FUNCTION audited('carer_id', 'council', 'state', 'source', 'known', 'changed_at', 'announced');

-- Events. What has not begun, its organisation is not told of.
INSERT INTO event_kind (kind, resource, path, roles) VALUES
    ('access.planned', 'access', '/v1/carers/%1$s/access/%2$s', '{council_admin,practitioner,carer}'),
    ('access.cancelled', 'access', '/v1/carers/%1$s/access/%2$s', '{council_admin,practitioner,carer}');
INSERT INTO event_kind (kind, resource, path) VALUES
    ('access.granted', 'access', '/v1/carers/%1$s/access/%2$s'),
    ('access.ended', 'access', '/v1/carers/%1$s/access/%2$s');

-- What is announced as ended has no access any more, even by the clock of a transaction that began before the end: of two ends
-- at once the second must see the first.
CREATE OR REPLACE FUNCTION note_event(of_carer uuid, of_council text, what text, resource uuid, resource_version bigint,
                                      resource_state text, words text, about uuid DEFAULT NULL,
                                      happened_at timestamptz DEFAULT NULL)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    noted event;
BEGIN
    IF pg_trigger_depth() = 0 THEN
        RAISE EXCEPTION 'only a trigger notes events' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO event (at, council, carer_id, kind, resource_id, version, state, summary, about_organisation)
    VALUES (coalesce(happened_at, clock_timestamp()), of_council, of_carer, what, resource, resource_version, resource_state,
            words, about)
    RETURNING * INTO noted;
    INSERT INTO event_organisation (organisation_id, era, txid, id, carer_id, gone)
    SELECT o.organisation_id, noted.era, noted.txid, noted.id, of_carer, bool_and(o.gone)
      FROM (SELECT a.organisation_id, false AS gone
              FROM carer_access a
             WHERE a.carer_id = of_carer AND in_force(a.starts_at, a.ends_at) AND a.announced <> 'ended'
             UNION ALL
            SELECT about, true WHERE about IS NOT NULL) AS o
     GROUP BY o.organisation_id;
END
$$;

CREATE FUNCTION carer_access_evented() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stale text := CASE TG_OP WHEN 'UPDATE' THEN OLD.announced END;
    never boolean := NEW.ends_at < NEW.starts_at;
    kind text := CASE NEW.announced WHEN 'pending' THEN 'planned' WHEN 'in_force' THEN 'granted'
                                    ELSE CASE WHEN never THEN 'cancelled' ELSE 'ended' END END;
    why text := CASE NEW.announced WHEN 'ended' THEN coalesce(NEW.ended_because, 'expired') ELSE NEW.reason END;
BEGIN
    IF NEW.announced IS NOT DISTINCT FROM stale OR stale IS NULL AND NEW.announced = 'ended' THEN
        RETURN NULL; -- nothing new; or it was over before it was recorded
    END IF;
    PERFORM note_event(NEW.carer_id, NEW.council, 'access.' || kind, NEW.id, carer_access_version(NEW), NEW.announced,
                       format('An organisation''s access to the record: %s (%s)', kind, replace(why, '_', ' ')),
                       CASE WHEN kind IN ('granted', 'ended') THEN NEW.organisation_id END,
                       CASE WHEN stale = 'pending' AND kind = 'granted' THEN NEW.starts_at
                            WHEN kind = 'ended' AND NEW.ended_because IS NULL THEN NEW.ends_at END);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION carer_access_evented() IS 'Tells of the state that carer_access_moved has set';
CREATE TRIGGER carer_access_evented_given AFTER INSERT ON carer_access
    FOR EACH ROW WHEN (NEW.reason <> 'registered') EXECUTE FUNCTION carer_access_evented();
CREATE TRIGGER carer_access_evented_moved AFTER UPDATE OF ends_at, ended_because, announced ON carer_access
    FOR EACH ROW EXECUTE FUNCTION carer_access_evented();

CREATE FUNCTION access_sweep() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH due AS MATERIALIZED (
        SELECT a.id
          FROM carer_access a
         WHERE access_due(a.announced, a.starts_at, a.ends_at) <= now()
           AND pg_try_advisory_xact_lock(hashtextextended('access sweep', 0))
         ORDER BY access_due(a.announced, a.starts_at, a.ends_at)
         LIMIT 1000
           FOR NO KEY UPDATE SKIP LOCKED),
    told AS (
        UPDATE carer_access a SET announced = access_state(a.starts_at, a.ends_at) FROM due WHERE a.id = due.id RETURNING 1)
    SELECT count(*) FROM told
$$;
COMMENT ON FUNCTION access_sweep() IS
    'Notes the events of up to 1,000 accesses that began or ended by the clock since the last call, and says how many; for the '
    'service''s housekeeping. One at a time: another instance''s call that runs meanwhile finds nothing to do';

-- The outward shape.

CREATE FUNCTION access_organisation(org uuid, whose uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT o.name
      FROM organisation o
     WHERE o.id = org AND app_role() IN ('council_admin', 'practitioner')
       AND EXISTS (SELECT FROM carer_access a
                    WHERE a.organisation_id = org AND a.carer_id = whose AND a.council = ANY (app_councils()))
$$;
COMMENT ON FUNCTION access_organisation(uuid, uuid) IS
    'For council staff: the name of an organisation that had access to a carer of theirs, and works for none of their councils '
    'any more';

CREATE VIEW carer_access_view WITH (security_invoker = true) AS
SELECT a.id, a.carer_id, a.council, s.state, s.version, s.updated_at, concat(
           '{"id":"', a.id, '"',
           member('carer_id', a.carer_id::text),
           ',"organisation":{"id":"', a.organisation_id, '"',
           member('name', coalesce((SELECT o.name FROM organisation o WHERE o.id = a.organisation_id),
                                   access_organisation(a.organisation_id, a.carer_id))), '}',
           member('reason', a.reason),
           member('note', a.note),
           member('state', s.state),
           member('starts_at', instant(a.starts_at)),
           member('ends_at', instant(a.ends_at)),
           CASE WHEN s.state = 'ended' THEN member('ended_because', coalesce(a.ended_because, 'expired')) END,
           member('revoke_note', a.revoke_note),
           ',"granted_by":{', ltrim(concat(member('role', nullif(a.granted_by_role, '')), w.granted_by), ','), '}',
           CASE WHEN a.revoked_by IS NOT NULL
                THEN concat(',"revoked_by":{', ltrim(concat(member('role', a.revoked_by_role), w.revoked_by), ','), '}') END,
           ',"available_actions":[', CASE WHEN w.staff AND s.state <> 'ended' THEN '"revoke"' END, ']',
           member('created_at', instant(a.created_at)),
           member('updated_at', instant(s.updated_at)),
           '}') AS body
  FROM carer_access a
 CROSS JOIN LATERAL (
    SELECT access_state(a.starts_at, a.ends_at) AS state, carer_access_version(a) AS version,
           carer_access_changed_at(a) AS updated_at) AS s
 CROSS JOIN LATERAL (
    SELECT t.staff, CASE WHEN t.staff THEN member('subject', nullif(a.granted_by, '')) END AS granted_by,
           CASE WHEN t.staff THEN member('subject', a.revoked_by) END AS revoked_by
      FROM (VALUES (app_role() IN ('council_admin', 'practitioner'))) AS t(staff)) AS w;
COMMENT ON VIEW carer_access_view IS
    'What callers see of an organisation''s access: body, version (the ETag). Subjects of staff are for council staff alone';

GRANT SELECT ON carer_access_view TO carers_council, carers_partner, carers_self;
GRANT EXECUTE ON FUNCTION uuid_of(timestamptz), access_state(timestamptz, timestamptz), access_organisation(uuid, uuid),
    access_due(text, timestamptz, timestamptz), carer_access_version(carer_access), carer_access_changed_at(carer_access),
    carer_access_lock(carer_access) TO carers_council, carers_partner, carers_self;
GRANT EXECUTE ON FUNCTION access_sweep() TO carers_service;
