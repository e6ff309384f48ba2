-- The timeline and the feed of changes: who is told of what, in which order, and how a copy begins and goes on.

-- Eras. A dump that is restored into another cluster brings rows whose transaction ids lie in that cluster's future. And after
-- a restore to an earlier time of the same cluster, its transaction ids go over the same ground again: a reader of the feed who
-- comes back after they have would miss what is new under the old numbers. PostgreSQL counts such beginnings: timelines.

CREATE FUNCTION current_timeline() RETURNS text LANGUAGE sql STABLE RETURN left(pg_walfile_name(pg_current_wal_lsn()), 8);
COMMENT ON FUNCTION current_timeline() IS 'Of the WAL that is being written: the control file tells it only after the next checkpoint';

CREATE TABLE event_era (
    era integer NOT NULL,
    system_identifier bigint NOT NULL,
    timeline text NOT NULL,
    began_at timestamptz(3) NOT NULL DEFAULT now(),
    since integer NOT NULL DEFAULT 0
);
COMMENT ON TABLE event_era IS 'One row: which cluster the transaction ids of new events belong to';
COMMENT ON COLUMN event_era.system_identifier IS 'Of the cluster, from pg_control_system()';
COMMENT ON COLUMN event_era.timeline IS 'PostgreSQL''s, when this era was last looked at: another one of the same cluster is a restore, or a standby that took over';
COMMENT ON COLUMN event_era.since IS 'Positions of eras before this one are refused: what their readers were told may not have happened';
CREATE UNIQUE INDEX event_era_one ON event_era ((true));
INSERT INTO event_era (era, system_identifier, timeline)
SELECT 0, c.system_identifier, current_timeline() FROM pg_control_system() AS c;
GRANT SELECT ON event_era TO carers_council, carers_partner, carers_self;

CREATE FUNCTION current_era() RETURNS integer LANGUAGE sql STABLE RETURN (SELECT e.era FROM event_era e);
COMMENT ON FUNCTION current_era() IS 'Of events that are written now';
ALTER TABLE event ALTER COLUMN era SET DEFAULT current_era();

CREATE FUNCTION event_era_follow() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    here bigint := (SELECT c.system_identifier FROM pg_control_system() AS c);
    restored boolean := (SELECT e.system_identifier = here AND e.timeline <> current_timeline() FROM event_era e);
    last bigint;
BEGIN
    -- One look into the index for each council.
    WITH RECURSIVE council AS (
        SELECT min(e.council) AS code FROM event e
         UNION ALL
        SELECT (SELECT min(e.council) FROM event e WHERE e.council > c.code) FROM council c WHERE c.code IS NOT NULL)
    SELECT max((SELECT max(e.txid) FROM event e WHERE e.council = c.code AND e.era = current_era())) INTO last
      FROM council c;
    IF EXISTS (SELECT FROM event_era e WHERE e.system_identifier = here) AND NOT restored
       AND coalesce(last < pg_snapshot_xmax(pg_current_snapshot())::text::bigint, true) THEN
        RETURN;
    END IF;
    LOCK TABLE event_era IN ACCESS EXCLUSIVE MODE; -- waits for who writes in the old era: note_event() reads the table
    UPDATE event_era e
       SET era = e.era + 1, system_identifier = here, timeline = current_timeline(), began_at = now(),
           since = CASE WHEN restored THEN e.era + 1 ELSE e.since END;
END
$$;
COMMENT ON FUNCTION event_era_follow() IS
    'Begins a new era when the database has come to another cluster, holds transactions that this one has not reached yet (the copy of a '
    'cluster has the identifier of the first), or goes on from an earlier time';

CREATE FUNCTION migrated() RETURNS void LANGUAGE sql
BEGIN ATOMIC
    SELECT event_era_follow();
END;
COMMENT ON FUNCTION migrated() IS 'What `carers-api migrate` calls after the last migration, each time: one line for each family';

-- Who may learn of an event. The lists of kinds are made once for a query, not once for a row.

DROP POLICY event_council ON event;
CREATE POLICY event_council ON event FOR SELECT TO carers_council
    USING (council = ANY (app_councils())
           AND kind = ANY (ARRAY(SELECT k.kind FROM event_kind k WHERE app_role() = ANY (k.roles))));
DROP POLICY event_self ON event;
CREATE POLICY event_self ON event FOR SELECT TO carers_self
    USING (carer_id = app_carer()
           AND kind = ANY (ARRAY(SELECT k.kind FROM event_kind k WHERE app_role() = ANY (k.roles))));
DROP POLICY event_partner ON event;
CREATE POLICY event_partner ON event FOR SELECT TO carers_partner
    USING (EXISTS (SELECT FROM carer_access a
                    WHERE a.organisation_id = app_org() AND a.carer_id = event.carer_id
                      AND in_force(a.starts_at, a.ends_at) OFFSET 0)
           AND (about_organisation IS NULL OR about_organisation = app_org() OR organisation_id = app_org())
           AND kind = ANY (ARRAY(SELECT k.kind FROM event_kind k WHERE app_role() = ANY (k.roles)))
           AND (organisation_id = app_org() OR kind = ANY (ARRAY(SELECT k.kind FROM event_kind k WHERE NOT k.shared))
                OR consented(carer_id, 'share_between_services')));

ALTER TABLE event_organisation ADD COLUMN at timestamptz(3) NOT NULL DEFAULT clock_timestamp();
UPDATE event_organisation o SET at = e.at FROM event e WHERE e.id = o.id;
COMMENT ON COLUMN event_organisation.at IS 'event.at, which an organisation whose access ended may not read any more';
ALTER TABLE event_organisation ADD COLUMN noted_at timestamptz NOT NULL DEFAULT clock_timestamp();
COMMENT ON COLUMN event_organisation.noted_at IS
    'When this row was written. Policies go by the beginning of the reader''s transaction, and its snapshot is younger: until he '
    'began after this instant, an access that he sees may not have begun for him, nor one have ended';

-- The carer's lock: who gives or ends access waits for who notes an event, and the other way round. Otherwise an organisation
-- could be told of its access, read the carer, and never learn of a change that was under way meanwhile.
CREATE OR REPLACE FUNCTION note_event(of_carer uuid, of_council text, what text, resource uuid, resource_version bigint,
                                      resource_state text, words text, about uuid DEFAULT NULL,
                                      happened_at timestamptz DEFAULT NULL)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF pg_trigger_depth() = 0 THEN
        RAISE EXCEPTION 'only a trigger notes events' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF about IS NULL THEN
        PERFORM pg_advisory_xact_lock_shared(hashtextextended('events ' || of_carer, 0));
    ELSE
        PERFORM pg_advisory_xact_lock(hashtextextended('events ' || of_carer, 0));
    END IF;
    -- Not in_force(), which goes by the beginning of the transaction: what ended while it waited has ended.
    WITH noted AS (
        INSERT INTO event (era, at, council, carer_id, kind, resource_id, version, state, summary, about_organisation)
        SELECT e.era, coalesce(happened_at, clock_timestamp()), of_council, of_carer, what, resource, resource_version,
               resource_state, words, about
          FROM event_era e
        RETURNING era, txid, id, at)
    INSERT INTO event_organisation (organisation_id, era, txid, id, carer_id, at, gone)
    SELECT a.organisation_id, n.era, n.txid, n.id, of_carer, n.at, bool_and(coalesce(a.ends_at <= clock_timestamp(), false))
      FROM noted n
     CROSS JOIN carer_access a
     WHERE a.carer_id = of_carer AND a.starts_at <= clock_timestamp()
       AND (about IS NULL OR a.organisation_id IN (about, app_org()))
       AND (a.ends_at IS NULL OR a.ends_at > clock_timestamp()
            OR about IS NOT NULL AND a.organisation_id = about AND a.ends_at >= a.starts_at)
     GROUP BY a.organisation_id, n.era, n.txid, n.id, n.at;
END
$$;
COMMENT ON FUNCTION note_event(uuid, text, text, uuid, bigint, text, text, uuid, timestamptz) IS
    'For triggers: one event, handed to the organisations that have access now. `about`: the one organisation that it is '
    'about; it alone is told, and the actor''s. When it had access and has none (any more), its copies drop the carer';

-- The timeline.

CREATE FUNCTION organisation_name(wanted uuid) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT o.name FROM organisation o WHERE o.id = wanted);
END
$$;
COMMENT ON FUNCTION organisation_name(uuid) IS
    'Also of organisations that the caller does not see: who may read what one did may know who that is';

CREATE FUNCTION cursor_of(at timestamptz, last bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN rtrim(translate(encode(int8send((extract(epoch FROM at) * 1000000)::bigint) || int8send(last), 'base64'),
                           '+/', '-_'), '=');
COMMENT ON FUNCTION cursor_of(timestamptz, bigint) IS 'Cursor of a list in order of time, of rows with numbers for ids';

CREATE FUNCTION cursor_earlier(cursor text, OUT at timestamptz, OUT id bigint)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    hex text := cursor_hex(cursor, 22);
BEGIN
    at := coalesce(timestamptz '1970-01-01 00:00:00+00' + ('x' || left(hex, 16))::bit(64)::bigint * interval '1 microsecond',
                   'infinity');
    id := coalesce(('x' || right(hex, 16))::bit(64)::bigint, 0);
EXCEPTION WHEN datetime_field_overflow THEN
    RAISE EXCEPTION 'is no cursor of this service' USING ERRCODE = 'CA400', HINT = '/query/cursor';
END
$$;
COMMENT ON FUNCTION cursor_earlier(text) IS
    'The page of a list in order of time, newest first, comes before this time and number; NULL: the first page';

CREATE FUNCTION timeline_kinds(whose uuid, wanted text, OUT kinds text[], OUT plain text[]) LANGUAGE plpgsql STABLE AS $$
DECLARE
    closed boolean := current_user = 'carers_partner' AND NOT consented(whose, 'share_between_services');
BEGIN
    SELECT coalesce(array_agg(k.kind) FILTER (WHERE k.in_timeline AND app_role() = ANY (k.roles)), '{}'),
           coalesce(array_agg(k.kind) FILTER (WHERE NOT (k.shared AND closed)), '{}')
      INTO kinds, plain
      FROM event_kind k
     WHERE wanted IS NULL OR wanted IN (k.kind, split_part(k.kind, '.', 1))
    HAVING count(*) > 0;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'is no kind of event' USING ERRCODE = 'CA400', HINT = '/query/kind';
    END IF;
END
$$;
COMMENT ON FUNCTION timeline_kinds(uuid, text) IS
    'What the policies say, once for a timeline and not once for each of its entries: the kinds that this caller may learn of '
    '(of one kind or one family of them, CA400 when there is none), and of them those whoever did it';

-- The feed. A position is opaque to clients; inside: era, transaction and id of the last row that was passed, 4, 8 and 8
-- bytes, as base64url without padding.

CREATE FUNCTION change_position(era integer, txid bigint, id bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN rtrim(translate(encode(int4send(era) || int8send(txid) || int8send(id), 'base64'), '+/', '-_'), '=');
COMMENT ON FUNCTION change_position(integer, bigint, bigint) IS 'Where a reader of the feed is, for change_span()';

CREATE FUNCTION change_span(after text, OUT era integer, OUT txid bigint, OUT id bigint, OUT settled_era integer,
                            OUT settled_txid bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    hex text;
    known integer;
BEGIN
    SELECT e.era, e.since INTO settled_era, known FROM event_era e;
    settled_txid := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
    era := 0; txid := 0; id := 0;
    IF after IS NULL THEN
        RETURN;
    ELSIF after = 'latest' THEN
        era := settled_era; txid := settled_txid;
        RETURN;
    ELSIF after !~ '^[A-Za-z0-9_-]{27}$' THEN
        RAISE EXCEPTION 'is no position of this feed' USING ERRCODE = 'CA400', HINT = '/query/after';
    END IF;
    hex := encode(decode(translate(after, '-_', '+/') || '=', 'base64'), 'hex');
    era := ('x' || left(hex, 8))::bit(32)::integer;
    txid := ('x' || substr(hex, 9, 16))::bit(64)::bigint;
    id := ('x' || right(hex, 16))::bit(64)::bigint;
    IF era < known OR (era, txid) > (settled_era, pg_snapshot_xmax(pg_current_snapshot())::text::bigint) THEN
        RAISE EXCEPTION 'lies ahead of what has happened here: begin again with latest'
            USING ERRCODE = 'CA400', HINT = '/query/after';
    END IF;
END
$$;
COMMENT ON FUNCTION change_span(text) IS
    'What a page of the feed lies between. After era, txid, id: the position, or the beginning (NULL), or where everything is '
    'settled (latest). Before settled_era, settled_txid: at and after it a transaction may still commit, as the snapshot of the '
    'query sees it (so this function is STABLE, not VOLATILE)';

CREATE FUNCTION change_item(at timestamptz, kind text, change text, type text, id uuid, carer uuid, path text, version bigint,
                            state text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN concat('{"at":"', instant(at), '"',
                  member('kind', kind),
                  member('change', change),
                  ',"resource":{"type":', to_json(type), ',"id":"', id, '","carer_id":"', carer, '"',
                  member('href', format(path, carer, id)), '}',
                  ',"version":' || version,
                  member('state', state),
                  '}');
COMMENT ON FUNCTION change_item(timestamptz, text, text, text, uuid, uuid, text, bigint, text) IS
    'What a reader of the feed is told: ids, states and words of ours';

CREATE FUNCTION change_body(items text, next_after text, more boolean, soon boolean) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
    RETURN concat('{"items":[', items, ']',
                  member('next_after', next_after),
                  member('more', more),
                  ',"ask_again_seconds":', CASE WHEN more OR soon THEN 1 ELSE 15 END, '}');
COMMENT ON FUNCTION change_body(text, text, boolean, boolean) IS
    'A page of the feed. soon: something has happened that is not settled yet';

GRANT EXECUTE ON FUNCTION organisation_name(uuid), cursor_of(timestamptz, bigint), cursor_earlier(text),
    timeline_kinds(uuid, text), change_position(integer, bigint, bigint), change_span(text),
    change_item(timestamptz, text, text, text, uuid, uuid, text, bigint, text), change_body(text, text, boolean, boolean)
    TO carers_council, carers_partner, carers_self;
