-- The platform: the roles that callers take on, what a transaction knows of its caller, audit, idempotency keys.
--
-- Run by the owner of the database, a role that may log in and create roles. Our own refusals are SQLSTATEs of class
-- 'CA'; MESSAGE is a sentence for the caller (never a value of a person), HINT the rule or the JSON pointer, DETAIL
-- extension members as a JSON object:
--   CA403 forbidden          CA404 not-found           CA409 state-conflict {"state"}
--   CA40D possible-duplicate {"candidates", "match"}   CA40C consent-required     CA40X conflict
--   CA412 precondition-failed                          CA422 rule-violated (HINT: rule)
--   CA42V validation-failed (HINT: pointer)            CA400 invalid-parameter (HINT: pointer, as /query/cursor)
--   CA40I idempotency-in-flight   CA42R idempotency-key-reused   CA2RP the first answer is to be given again

-- Roles belong to the cluster: another database of it may have made them already, or be making them now.
DO $$
DECLARE
    class text;
BEGIN
    FOREACH class IN ARRAY ARRAY['carers_caller', 'carers_council', 'carers_partner', 'carers_self', 'carers_desk',
                                 'carers_public'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', class);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END LOOP;
    BEGIN
        -- NOINHERIT: with inheritance every class's policies would hold at once.
        CREATE ROLE carers_service LOGIN NOINHERIT;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;
    END;
    -- What every class may do is given once, to carers_caller.
    IF NOT pg_has_role('carers_public', 'carers_caller', 'MEMBER') THEN
        GRANT carers_caller TO carers_council, carers_partner, carers_self, carers_desk, carers_public;
    END IF;
    IF NOT pg_has_role('carers_service', 'carers_public', 'MEMBER') THEN
        GRANT carers_council, carers_partner, carers_self, carers_desk, carers_public TO carers_service;
    END IF;
END
$$;

-- The service: no temporary tables, no other search path, the clock in UTC; a statement is planned once per session and
-- class (every query is written for that: see sql/queries), and never compiled, which costs more than it brings.
DO $$
DECLARE
    setting text;
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO carers_service', current_database());
    FOREACH setting IN ARRAY ARRAY['search_path = public, pg_temp', 'timezone = ''UTC''', 'datestyle = ''ISO, YMD''',
                                   'plan_cache_mode = force_generic_plan', 'jit = off'] LOOP
        EXECUTE format('ALTER ROLE carers_service IN DATABASE %I SET %s', current_database(), setting);
    END LOOP;
END
$$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO carers_caller, carers_service;
-- Functions of this and all later migrations are granted by name.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- Accents are ignored when names are compared.
CREATE EXTENSION IF NOT EXISTS unaccent;

-- What the transaction knows of its caller. Plain SQL, STABLE, without SET: the planner writes them into the query, so
-- that a policy can use an index.

CREATE FUNCTION app_role() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(current_setting('app.role', true), '');
COMMENT ON FUNCTION app_role() IS 'Role of the caller (council_admin, support_worker, carer ...); empty: none';

CREATE FUNCTION app_councils() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(nullif(current_setting('app.councils', true), ''), '{}')::text[];
COMMENT ON FUNCTION app_councils() IS 'GSS codes of the councils that the caller acts for';

CREATE FUNCTION app_org() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.org', true), '')::uuid;
COMMENT ON FUNCTION app_org() IS 'Organisation of the caller, NULL when she has none';

CREATE FUNCTION app_carer() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.carer', true), '')::uuid;
COMMENT ON FUNCTION app_carer() IS 'The carer that the caller is, NULL when she is none';

CREATE FUNCTION app_subject() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(current_setting('app.subject', true), '');
COMMENT ON FUNCTION app_subject() IS 'Subject of the access token; empty: the public';

CREATE FUNCTION app_client() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(current_setting('app.client', true), '');
COMMENT ON FUNCTION app_client() IS 'Client that the access token was given to; may be empty';

CREATE FUNCTION in_force(starts timestamptz, ends timestamptz) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN starts <= now() AND (ends IS NULL OR ends > now());
COMMENT ON FUNCTION in_force(timestamptz, timestamptz) IS 'The present lies between them; ends NULL: no end';

GRANT EXECUTE ON FUNCTION app_role(), app_councils(), app_org(), app_carer(), app_subject(), app_client(),
    in_force(timestamptz, timestamptz) TO carers_caller;

-- Shapes that every family uses.

CREATE FUNCTION instant(at timestamptz) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
COMMENT ON FUNCTION instant(timestamptz) IS 'RFC 3339 in UTC, to the millisecond, which is all that is stored';

-- Members of a JSON object, to be put together with concat(): NULL, and so left out, when the value is NULL. Three times as
-- fast as json_strip_nulls(json_build_object()), and the order of the members is kept.
CREATE FUNCTION member(name text, value text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (',"' || name || '":') || to_json(value)::text;
CREATE FUNCTION member(name text, value jsonb) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (',"' || name || '":') || value::text;
CREATE FUNCTION member(name text, value boolean) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (',"' || name || '":') || CASE value WHEN true THEN 'true' WHEN false THEN 'false' END;
COMMENT ON FUNCTION member(text, text) IS ',"name":value as JSON, NULL when the value is';
COMMENT ON FUNCTION member(text, jsonb) IS ',"name":value as JSON, NULL when the value is';
COMMENT ON FUNCTION member(text, boolean) IS ',"name":value as JSON, NULL when the value is';

CREATE FUNCTION page_body(items text, next_cursor text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN concat('{"items":[', items, ']', member('next_cursor', next_cursor), '}');
COMMENT ON FUNCTION page_body(text, text) IS 'A page of a list; items: JSON texts parted by commas, NULL: none';

-- A cursor is opaque to clients. Inside: 16 bytes of an id, or 8 bytes of microseconds and 16 of an id (lists that go by
-- time of change), as base64url without padding, 22 and 32 characters long.
CREATE FUNCTION cursor_of(last uuid) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN rtrim(translate(encode(uuid_send(last), 'base64'), '+/', '-_'), '=');
COMMENT ON FUNCTION cursor_of(uuid) IS 'Cursor of a list in order of id';

CREATE FUNCTION cursor_of(at timestamptz, last uuid) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN translate(encode(int8send((extract(epoch FROM at) * 1000000)::bigint) || uuid_send(last), 'base64'),
                     '+/', '-_');
COMMENT ON FUNCTION cursor_of(timestamptz, uuid) IS 'Cursor of a list in order of time of change';

CREATE FUNCTION cursor_hex(cursor text, size integer) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF length(cursor) <> size THEN
        RAISE EXCEPTION 'is a cursor of another list' USING ERRCODE = 'CA400', HINT = '/query/cursor';
    END IF;
    RETURN encode(decode(translate(cursor, '-_', '+/') || repeat('=', -size & 3), 'base64'), 'hex');
EXCEPTION WHEN invalid_parameter_value THEN
    RAISE EXCEPTION 'is no cursor of this service' USING ERRCODE = 'CA400', HINT = '/query/cursor';
END
$$;
COMMENT ON FUNCTION cursor_hex(text, integer) IS 'The bytes of a cursor that must have that many characters, or CA400';

-- plpgsql, so that the planner sees a call without columns, which it may compare with an index under row-level security.
CREATE FUNCTION cursor_before(cursor text) RETURNS uuid LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN coalesce(cursor_hex(cursor, 22), repeat('f', 32));
END
$$;
COMMENT ON FUNCTION cursor_before(text) IS 'The ids of the page are less than this; NULL: the first page';

CREATE FUNCTION cursor_after(cursor text, since timestamptz, OUT at timestamptz, OUT id uuid)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    hex text := cursor_hex(cursor, 32);
BEGIN
    at := timestamptz '1970-01-01 00:00:00+00' + ('x' || left(hex, 16))::bit(64)::bigint * interval '1 microsecond';
    id := right(hex, 32);
    IF at IS NULL OR at < since THEN
        at := since;
        id := '00000000-0000-0000-0000-000000000000';
    END IF;
EXCEPTION WHEN datetime_field_overflow THEN
    RAISE EXCEPTION 'is no cursor of this service' USING ERRCODE = 'CA400', HINT = '/query/cursor';
END
$$;
COMMENT ON FUNCTION cursor_after(text, timestamptz) IS
    'The page of changes comes after this time and id: those of the cursor, but not before `since`';

CREATE FUNCTION merge_patch(target jsonb, patch jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    merged jsonb := CASE jsonb_typeof(target) WHEN 'object' THEN target ELSE '{}' END;
    name text;
    value jsonb;
BEGIN
    IF jsonb_typeof(patch) <> 'object' THEN
        RETURN patch;
    END IF;
    FOR name, value IN SELECT * FROM jsonb_each(patch) LOOP
        merged := CASE jsonb_typeof(value)
            WHEN 'null' THEN merged - name
            ELSE merged || jsonb_build_object(name, merge_patch(merged -> name, value))
        END;
    END LOOP;
    RETURN merged;
END
$$;
COMMENT ON FUNCTION merge_patch(jsonb, jsonb) IS 'RFC 7396: null removes, objects are merged, anything else replaces';

CREATE FUNCTION search_key(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN lower(translate(public.unaccent('public.unaccent'::regdictionary, name), ' -''’‘`.,', ''));
COMMENT ON FUNCTION search_key(text) IS
    'What names are compared by: no case, accents, spaces, hyphens or apostrophes. Declared immutable: the dictionary '
    'is part of PostgreSQL''s release; after a major upgrade REINDEX what is built on it';

GRANT EXECUTE ON FUNCTION instant(timestamptz), member(text, text), member(text, jsonb), member(text, boolean),
    page_body(text, text), cursor_of(uuid), cursor_of(timestamptz, uuid), cursor_hex(text, integer), cursor_before(text),
    cursor_after(text, timestamptz), merge_patch(jsonb, jsonb), search_key(text) TO carers_caller;

-- Audit: one row for each read of persons' records and for each change, in the same transaction.

CREATE TABLE audit_entry (
    id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL DEFAULT app_subject(),
    role text NOT NULL DEFAULT app_role(),
    client text NOT NULL DEFAULT app_client(),
    organisation_id uuid DEFAULT app_org(),
    council text,
    action text NOT NULL DEFAULT coalesce(current_setting('app.operation', true), ''),
    target text NOT NULL DEFAULT coalesce(current_setting('app.target', true), ''),
    request text NOT NULL DEFAULT coalesce(current_setting('app.request', true), ''),
    carer_ids uuid[] NOT NULL DEFAULT '{}',
    subject_table text,
    before jsonb,
    after jsonb,
    PRIMARY KEY (id)
);
COMMENT ON TABLE audit_entry IS
    'Who read or changed what. Append-only: nobody is granted UPDATE or DELETE, and a trigger refuses them to the owner '
    'too. A caller may write the columns council and carer_ids only; who she is comes from the transaction''s claims. '
    'Rows come in order of time, and nothing refers to them, so that the table can become partitions by month';
COMMENT ON COLUMN audit_entry.actor IS 'sub of the access token';
COMMENT ON COLUMN audit_entry.council IS
    'Council of the carers in this row: a read that shows carers of two councils leaves two rows, so that each '
    'council''s administrator sees hers alone';
COMMENT ON COLUMN audit_entry.action IS 'operationId of the contract';
COMMENT ON COLUMN audit_entry.target IS 'Id of the resource that the path names last, or empty';
COMMENT ON COLUMN audit_entry.carer_ids IS 'Carers whose records were shown or changed; empty: a search that found none';
COMMENT ON COLUMN audit_entry.subject_table IS 'Table of a changed row; NULL for a read';
COMMENT ON COLUMN audit_entry.before IS 'Of a change: the members that changed, as they were; NULL when the row is new';
COMMENT ON COLUMN audit_entry.after IS 'Of a change: the members that changed, as they are now';

ALTER TABLE audit_entry ENABLE ROW LEVEL SECURITY;
GRANT INSERT (council, carer_ids) ON audit_entry TO carers_caller;
GRANT SELECT ON audit_entry TO carers_council;
CREATE POLICY audit_entry_write ON audit_entry FOR INSERT TO carers_caller WITH CHECK (true);
CREATE POLICY audit_entry_council ON audit_entry FOR SELECT TO carers_council
    USING (council = ANY (app_councils()) AND app_role() = 'council_admin');

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME USING ERRCODE = 'CA40X';
END
$$;
COMMENT ON FUNCTION append_only() IS 'Refuses UPDATE, DELETE and TRUNCATE to everybody';
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE FUNCTION audited() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    fresh jsonb := to_jsonb(NEW);
    stale jsonb := CASE TG_OP WHEN 'UPDATE' THEN to_jsonb(OLD) ELSE '{}' END;
BEGIN
    INSERT INTO audit_entry (council, carer_ids, subject_table, before, after)
    SELECT fresh ->> 'council', ARRAY[(fresh ->> TG_ARGV[0])::uuid], TG_TABLE_NAME,
           jsonb_object_agg(f.key, stale -> f.key) FILTER (WHERE stale ->> f.key IS NOT NULL),
           jsonb_object_agg(f.key, f.value) FILTER (WHERE f.value <> 'null')
      FROM jsonb_each(fresh) AS f
     WHERE f.value IS DISTINCT FROM stale -> f.key
       AND f.key <> ALL ('{version,updated_at}'::text[] || TG_ARGV[1:]);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION audited() IS
    'AFTER INSERT OR UPDATE: leaves an audit row with what changed. Its arguments: the column that holds the carer''s id, '
    'then columns that are worked out from others and tell nothing';

-- Versions: the number in the ETag.

CREATE FUNCTION precondition(id uuid, version bigint) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE
    wanted text := coalesce(current_setting('app.if_match', true), '');
BEGIN
    IF wanted <> '' AND id::text = lower(current_setting('app.target', true))
       AND version::text <> ALL (string_to_array(wanted, ',')) THEN
        RAISE EXCEPTION 'the resource has changed since it was read' USING ERRCODE = 'CA412';
    END IF;
END
$$;
COMMENT ON FUNCTION precondition(uuid, bigint) IS
    'CA412 when the row is the one that the path names and its version is not among those of If-Match';

CREATE FUNCTION versioned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM precondition(OLD.id, OLD.version);
    IF NEW IS NOT DISTINCT FROM OLD THEN
        RETURN NULL; -- nothing changes: no new version, no audit row
    END IF;
    NEW.version := OLD.version + 1;
    NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at + interval '1 millisecond');
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION versioned() IS
    'BEFORE UPDATE, the last of its table (triggers fire in order of name): If-Match, next version, time of change. The '
    'table has id, version and updated_at, and no generated columns';
GRANT EXECUTE ON FUNCTION precondition(uuid, bigint) TO carers_caller;

-- Idempotency keys: the first answer, kept in the transaction of the change.

CREATE TABLE idempotency (
    subject text NOT NULL DEFAULT app_subject() CHECK (subject <> ''),
    client text NOT NULL DEFAULT app_client(),
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    status integer NOT NULL,
    etag text,
    location text,
    body text,
    PRIMARY KEY (subject, client, key)
);
COMMENT ON TABLE idempotency IS
    'First answers by Idempotency-Key: a row exists only when the change was committed with it. Callers see their own';
COMMENT ON COLUMN idempotency.fingerprint IS 'SHA-256 of method, path and body';
CREATE INDEX idempotency_created_at ON idempotency (created_at);
ALTER TABLE idempotency ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE ON idempotency TO carers_council, carers_partner, carers_self, carers_desk;
CREATE POLICY idempotency_own ON idempotency TO carers_council, carers_partner, carers_self, carers_desk
    USING (subject = app_subject() AND client = app_client())
    WITH CHECK (subject = app_subject() AND client = app_client());

CREATE FUNCTION idempotency_claim(claimed text, wanted bytea, hours integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    kept bytea;
BEGIN
    -- Held until the end of the transaction: who comes second meanwhile is told so, and does not wait.
    IF NOT pg_try_advisory_xact_lock(hashtextextended(
               jsonb_build_array('idempotency', app_subject(), app_client(), claimed)::text, 0)) THEN
        RAISE EXCEPTION 'the first request with this key is still running' USING ERRCODE = 'CA40I';
    END IF;
    SELECT i.fingerprint INTO kept
      FROM idempotency i
     WHERE i.subject = app_subject() AND i.client = app_client() AND i.key = claimed
       AND i.created_at > clock_timestamp() - make_interval(hours => hours);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF kept <> wanted THEN
        RAISE EXCEPTION 'this key was used for another request' USING ERRCODE = 'CA42R';
    END IF;
    RAISE EXCEPTION 'this request was answered before' USING ERRCODE = 'CA2RP';
END
$$;
COMMENT ON FUNCTION idempotency_claim(text, bytea, integer) IS
    'Takes the key for this transaction: CA40I while another holds it, CA42R when it stands for another request, CA2RP '
    'when idempotency_answer has the answer';

CREATE FUNCTION idempotency_sweep(hours integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH swept AS (
        DELETE FROM idempotency i
         WHERE i.ctid = ANY (ARRAY(SELECT o.ctid FROM idempotency o
                                    WHERE o.created_at < now() - make_interval(hours => greatest(hours, 1))
                                    ORDER BY o.created_at LIMIT 5000))
           AND i.created_at < now() - make_interval(hours => greatest(hours, 1))
        RETURNING 1)
    SELECT count(*) FROM swept
$$;
COMMENT ON FUNCTION idempotency_sweep(integer) IS
    'Deletes up to 5,000 answers older than so many hours, and says how many; for the service''s housekeeping';
GRANT EXECUTE ON FUNCTION idempotency_claim(text, bytea, integer) TO carers_council, carers_partner, carers_self,
    carers_desk;
GRANT EXECUTE ON FUNCTION idempotency_sweep(integer) TO carers_service;
