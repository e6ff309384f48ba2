-- What the records around a carer share: their council, their versions, how a PUT replaces, what of them is masked.

CREATE FUNCTION precondition(key text, version bigint) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE
    wanted text := coalesce(current_setting('app.if_match', true), '');
BEGIN
    IF wanted NOT IN ('', '*') AND lower(key) = lower(current_setting('app.target', true))
       AND version::text <> ALL (string_to_array(wanted, ',')) THEN
        RAISE EXCEPTION 'the resource has changed since it was read' USING ERRCODE = 'CA412';
    END IF;
END
$$;
COMMENT ON FUNCTION precondition(text, bigint) IS
    'CA412 when the row is the one that the path names last and its version is not among those of If-Match';
GRANT EXECUTE ON FUNCTION precondition(text, bigint) TO carers_caller;

CREATE OR REPLACE FUNCTION precondition(id uuid, version bigint) RETURNS void LANGUAGE sql STABLE
    RETURN precondition(id::text, version);

CREATE OR REPLACE FUNCTION versioned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() = 1 THEN -- what a trigger changes besides is not what If-Match is about
        PERFORM precondition(to_jsonb(OLD) ->> coalesce(TG_ARGV[0], 'id'), OLD.version);
    END IF;
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
    'table has version, updated_at and no generated columns; its key is id, or the column that the argument names';

CREATE FUNCTION replaceable() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted text := coalesce(current_setting('app.if_match', true), '');
BEGIN
    IF TG_OP = 'INSERT' AND wanted <> '' THEN
        RAISE EXCEPTION 'there is nothing yet that could be replaced' USING ERRCODE = 'CA412';
    ELSIF TG_OP = 'UPDATE' AND wanted = '' THEN
        RAISE EXCEPTION 'what is on record is replaced with If-Match only' USING ERRCODE = 'CA428';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION replaceable() IS
    'BEFORE INSERT OR UPDATE of a resource that is PUT whole: the first PUT makes it, without If-Match (CA412 with it); '
    'every other replaces it, with If-Match (CA428 without it). versioned() then compares';

CREATE FUNCTION of_carer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    whose record;
BEGIN
    SELECT c.council, c.state INTO whose FROM carer c WHERE c.id = NEW.carer_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no carer has this id' USING ERRCODE = 'CA404';
    ELSIF TG_ARGV[0] = 'open' AND whose.state = 'closed' THEN
        RAISE EXCEPTION 'the record of a closed carer does not change'
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', whose.state);
    END IF;
    NEW.council := whose.council;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION of_carer() IS
    'BEFORE INSERT OR UPDATE of a record with carer_id and council: the caller sees the carer (CA404), whose council is taken '
    'over; with the argument ''open'' her own record is not closed (CA409)';

CREATE OR REPLACE FUNCTION audited() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    fresh jsonb := to_jsonb(NEW);
    stale jsonb := CASE TG_OP WHEN 'UPDATE' THEN to_jsonb(OLD) ELSE '{}' END;
    hidden text[] := ARRAY(SELECT substr(a, 2) FROM unnest(TG_ARGV[1:]) AS a WHERE a LIKE '*%');
BEGIN
    INSERT INTO audit_entry (council, carer_ids, subject_table, before, after)
    SELECT fresh ->> 'council', ARRAY[(fresh ->> TG_ARGV[0])::uuid], TG_TABLE_NAME,
           jsonb_object_agg(f.key, CASE WHEN f.key = ANY (hidden) THEN '"(masked)"' ELSE stale -> f.key END)
               FILTER (WHERE stale ->> f.key IS NOT NULL),
           jsonb_object_agg(f.key, CASE WHEN f.key = ANY (hidden) THEN '"(masked)"' ELSE f.value END)
               FILTER (WHERE f.value <> 'null')
      FROM jsonb_each(fresh) AS f
     WHERE f.value IS DISTINCT FROM stale -> f.key
       AND f.key <> ALL ('{version,updated_at}'::text[] || TG_ARGV[1:]);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION audited() IS
    'AFTER INSERT OR UPDATE: leaves an audit row with what changed. Its arguments: the column that holds the carer''s id, '
    'then columns that are worked out from others and tell nothing, and *columns that changed but are not shown';

CREATE FUNCTION configured() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    row jsonb := to_jsonb(coalesce(NEW, OLD));
    councils text[] := ARRAY[row ->> 'council'];
BEGIN
    IF row ->> 'council' IS NULL AND row ->> 'organisation_id' IS NOT NULL THEN
        SELECT o.councils INTO councils FROM organisation o WHERE o.id = (row ->> 'organisation_id')::uuid;
    END IF;
    INSERT INTO audit_entry (council, subject_table, before, after)
    SELECT k.council, TG_TABLE_NAME, to_jsonb(OLD), to_jsonb(NEW) FROM unnest(councils) AS k(council);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION configured() IS
    'AFTER a change of what a council or an organisation sets, rows of no carer: leaves an audit row, as audited() does; what is an '
    'organisation''s, one for each council that it works for, because each administrator sees her own council''s alone';
