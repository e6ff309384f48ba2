-- expands
-- A restore to an earlier time of the same cluster: its transaction ids go over the same ground again, and a reader of the feed
-- who comes back after they have would miss what is new under the old numbers. PostgreSQL counts such beginnings: timelines.

ALTER TABLE event_era ADD COLUMN timeline text, ADD COLUMN since integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN event_era.timeline IS 'PostgreSQL''s, when this era was last looked at: another one of the same cluster is a restore, or a standby that took over';
COMMENT ON COLUMN event_era.since IS 'Positions of eras before this one are refused: what their readers were told may not have happened';

CREATE FUNCTION current_timeline() RETURNS text LANGUAGE sql STABLE RETURN left(pg_walfile_name(pg_current_wal_lsn()), 8);
COMMENT ON FUNCTION current_timeline() IS 'Of the WAL that is being written: the control file tells it only after the next checkpoint';
UPDATE event_era SET timeline = current_timeline();
ALTER TABLE event_era ALTER COLUMN timeline SET NOT NULL;

CREATE OR REPLACE FUNCTION event_era_follow() RETURNS void LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION change_span(after text, OUT era integer, OUT txid bigint, OUT id bigint, OUT settled_era integer,
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
