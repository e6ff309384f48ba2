-- Imports over HTTP: a job is a row, taken by a thread of the service, a batch a transaction. See docs/adr/0029.

CREATE TABLE directory_import (
    id uuid PRIMARY KEY,
    council text NOT NULL CHECK (council ~ '^E(06|08|09|10)[0-9]{6}$'),
    source text NOT NULL CHECK (length(source) BETWEEN 1 AND 200),
    format text NOT NULL CHECK (format IN ('ndjson', 'json', 'csv')),
    content text,
    actor text NOT NULL DEFAULT app_subject(),
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
    lines integer NOT NULL,
    read integer NOT NULL DEFAULT 0,
    added integer NOT NULL DEFAULT 0,
    changed integer NOT NULL DEFAULT 0,
    unchanged integer NOT NULL DEFAULT 0,
    refused integer NOT NULL DEFAULT 0,
    faults jsonb NOT NULL DEFAULT '[]',
    more_faults integer NOT NULL DEFAULT 0,
    reason text,
    attempts integer NOT NULL DEFAULT 0,
    furthest integer NOT NULL DEFAULT 0,
    started_at timestamptz(3),
    finished_at timestamptz(3),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now()
);
COMMENT ON TABLE directory_import IS 'Imports into the directory of a council, waiting, running and done. Its outward shape is import_view. No person stands in it';
COMMENT ON COLUMN directory_import.content IS 'What is to be imported; NULL once it is';
COMMENT ON COLUMN directory_import.actor IS 'sub of the token of whoever asked for it: the audit rows of its batches are hers';
COMMENT ON COLUMN directory_import.faults IS 'The first 1,000: [{line, pointer, sentence, warning}]';
COMMENT ON COLUMN directory_import.more_faults IS 'How many came after those 1,000';
COMMENT ON COLUMN directory_import.attempts IS 'How often it was taken since it last came further than ever before';
COMMENT ON COLUMN directory_import.furthest IS 'The last line that any attempt has come to';
CREATE INDEX directory_import_by_council ON directory_import (council, id DESC);
CREATE INDEX directory_import_open ON directory_import (id) WHERE state IN ('queued', 'running');
ALTER TABLE directory_import ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT (id, council, source, format, content, lines) ON directory_import TO carers_council, carers_desk;
CREATE POLICY directory_import_council ON directory_import TO carers_council
    USING (app_role() = 'council_admin' AND council = ANY (app_councils())) WITH CHECK (true);
CREATE POLICY directory_import_desk ON directory_import TO carers_desk
    USING (app_role() = 'directory_editor' AND council = ANY (app_councils())) WITH CHECK (true);

CREATE FUNCTION directory_import_a_allowed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user IN ('carers_council', 'carers_desk') AND NEW.council <> ALL (app_councils()) THEN
        RAISE EXCEPTION 'is not one of your councils' USING ERRCODE = 'CA42V', HINT = '/council';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION directory_import_a_allowed() IS 'Into the directory of the caller''s own councils';
CREATE TRIGGER directory_import_a_allowed BEFORE INSERT ON directory_import FOR EACH ROW EXECUTE FUNCTION directory_import_a_allowed();
CREATE TRIGGER directory_import_audited AFTER INSERT ON directory_import FOR EACH ROW EXECUTE FUNCTION directory_audited('content');

CREATE VIEW import_view WITH (security_invoker = true) AS
SELECT i.id, i.version, concat(
           '{"id":"', i.id, '"', member('council', i.council), member('source', i.source), member('format', i.format), member('state', i.state),
           ',"progress":{"lines":', i.lines, ',"read":', i.read, '},"report":{"added":', i.added, ',"changed":', i.changed, ',"unchanged":', i.unchanged,
           ',"refused":', i.refused, ',"faults":', i.faults, CASE WHEN i.more_faults > 0 THEN concat(',"more_faults":', i.more_faults) END, '}', member('reason', i.reason), member('created_at', instant(i.created_at)),
           member('started_at', instant(i.started_at)), member('finished_at', instant(i.finished_at)), '}') AS body
  FROM directory_import i;
COMMENT ON VIEW import_view IS 'What editors see of an import: body, version (the ETag)';
GRANT SELECT ON import_view TO carers_council, carers_desk;

-- What the thread does. One that died with its process is taken up by another after two minutes, from its beginning: what was done is then unchanged.
-- One that comes no further in five attempts is given up: it would be begun for ever.

CREATE FUNCTION import_take() RETURNS TABLE (id uuid, source text, format text, content text) LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE directory_import i
       SET state = 'failed', content = NULL, version = i.version + 1, updated_at = clock_timestamp(), finished_at = clock_timestamp(),
           reason = concat('it was begun ', i.attempts, ' times without coming further than line ', i.furthest, ': divide the file, or ask who runs the service')
     WHERE i.id = (SELECT k.id FROM directory_import k
                    WHERE k.state IN ('queued', 'running') AND k.attempts >= 5 AND k.updated_at < now() - interval '2 minutes'
                    ORDER BY k.id LIMIT 1 FOR UPDATE SKIP LOCKED);
    UPDATE directory_import i
       SET state = 'running', started_at = clock_timestamp(), updated_at = clock_timestamp(), version = i.version + 1, read = 0, added = 0, changed = 0, unchanged = 0,
           refused = 0, faults = '[]', more_faults = 0, attempts = i.attempts + 1
     WHERE i.id = (SELECT k.id FROM directory_import k
                    WHERE k.state IN ('queued', 'running') AND k.attempts < 5 AND (k.state = 'queued' OR k.updated_at < now() - interval '2 minutes')
                    ORDER BY k.id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING i.id, i.source, i.format, i.content
$$;
COMMENT ON FUNCTION import_take() IS 'The next import that waits, or that nobody works on any more; one that comes no further is given up';

CREATE FUNCTION import_step(wanted uuid, lines_read integer, items jsonb, told jsonb, lines_refused integer, told_of integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    i directory_import;
    done jsonb;
    wrong jsonb;
    kept integer;
BEGIN
    SELECT k.* INTO i FROM directory_import k WHERE k.id = wanted FOR NO KEY UPDATE;
    PERFORM set_config('app.subject', i.actor, true);
    done := import_batch(i.source, i.council, items);
    wrong := told || (done -> 'faults');
    kept := 1000 - jsonb_array_length(i.faults);
    UPDATE directory_import k
       SET read = greatest(k.read, lines_read), added = k.added + (done ->> 'added')::integer, changed = k.changed + (done ->> 'changed')::integer,
           unchanged = k.unchanged + jsonb_array_length(items) - (done ->> 'added')::integer - (done ->> 'changed')::integer - jsonb_array_length(done -> 'faults'),
           refused = k.refused + lines_refused + (SELECT count(*) FROM ( -- lines, not faults
               SELECT w -> 'line' FROM jsonb_array_elements(done -> 'faults') AS w
               EXCEPT SELECT t -> 'line' FROM jsonb_array_elements(told) AS t WHERE NOT t ? 'warning') AS refused_here),
           faults = CASE WHEN kept = 0 THEN k.faults
                         ELSE k.faults || coalesce(jsonb_path_query_array(wrong, '$[0 to $end]', jsonb_build_object('end', kept - 1)), '[]') END,
           more_faults = k.more_faults + greatest(0, told_of + jsonb_array_length(done -> 'faults') - kept),
           attempts = CASE WHEN lines_read > k.furthest THEN 0 ELSE k.attempts END, furthest = greatest(k.furthest, lines_read),
           version = k.version + 1, updated_at = clock_timestamp()
     WHERE k.id = wanted;
END
$$;
COMMENT ON FUNCTION import_step(uuid, integer, jsonb, jsonb, integer, integer) IS
    'A batch of an import, how far it has come, and what was told of the lines before it: 1,000 at most of told_of faults and warnings, in which lines_refused lines were refused';

CREATE FUNCTION import_end(wanted uuid, why text) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE directory_import i
       SET state = CASE WHEN why IS NULL THEN 'done' ELSE 'failed' END, reason = why, content = NULL, read = CASE WHEN why IS NULL THEN i.lines ELSE i.read END,
           version = i.version + 1, updated_at = clock_timestamp(), finished_at = clock_timestamp()
     WHERE i.id = wanted
$$;
COMMENT ON FUNCTION import_end(uuid, text) IS 'An import is done, or failed for a reason';
GRANT EXECUTE ON FUNCTION import_take(), import_step(uuid, integer, jsonb, jsonb, integer, integer), import_end(uuid, text) TO carers_service;
