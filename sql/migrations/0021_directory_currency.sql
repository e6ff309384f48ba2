-- The directory kept current: proposals by listed organisations (rule D3), one-time links by which they confirm, and how good it is.

CREATE TABLE directory_proposal (
    id uuid PRIMARY KEY,
    council text NOT NULL,
    organisation_id uuid NOT NULL REFERENCES organisation,
    service_id uuid REFERENCES service ON DELETE CASCADE,
    source text NOT NULL CHECK (source IN ('editor', 'refresh_link')),
    patch jsonb NOT NULL,
    hours jsonb,
    diff jsonb NOT NULL,
    note text CHECK (length(note) <= 2000),
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'approved', 'rejected')),
    reason text CHECK (length(reason) BETWEEN 1 AND 2000),
    decided_at timestamptz(3),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    CHECK ((state = 'open') = (decided_at IS NULL)),
    CHECK (state <> 'rejected' OR reason IS NOT NULL)
);
COMMENT ON TABLE directory_proposal IS 'What an organisation wants changed in its entry, until the council''s directory team decides. Its outward shape is proposal_view';
COMMENT ON COLUMN directory_proposal.service_id IS 'NULL: about the organisation''s own listing';
COMMENT ON COLUMN directory_proposal.patch IS 'Merge-patch as it was sent';
COMMENT ON COLUMN directory_proposal.hours IS 'Of the schedule that it brings: see hours_dated()';
COMMENT ON COLUMN directory_proposal.diff IS 'Field by field: [{field, from, to}], as the entry was then';
CREATE INDEX directory_proposal_by_council ON directory_proposal (council, id DESC) INCLUDE (state, organisation_id, service_id);
CREATE INDEX directory_proposal_by_organisation ON directory_proposal (organisation_id, id DESC) INCLUDE (state, service_id);
CREATE INDEX directory_proposal_service ON directory_proposal (service_id);
ALTER TABLE directory_proposal ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON directory_proposal TO carers_council, carers_desk;
CREATE POLICY directory_proposal_council ON directory_proposal FOR SELECT TO carers_council
    USING (app_role() = 'council_admin' AND council = ANY (app_councils()));
CREATE POLICY directory_proposal_desk ON directory_proposal FOR SELECT TO carers_desk
    USING (app_role() = 'directory_editor' AND council = ANY (app_councils()) OR app_role() = 'vcfse_editor' AND organisation_id = app_org());
CREATE TRIGGER directory_proposal_z_versioned BEFORE UPDATE ON directory_proposal FOR EACH ROW EXECUTE FUNCTION versioned();
CREATE TRIGGER directory_proposal_audited AFTER INSERT OR UPDATE ON directory_proposal FOR EACH ROW EXECUTE FUNCTION directory_audited('patch', 'hours');

CREATE FUNCTION directory_diff(was jsonb, patch jsonb) RETURNS jsonb LANGUAGE sql STABLE
    RETURN (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('field', p.key, 'from', nullif(nullif(was -> p.key, 'null'), '[]'))) ||
                             jsonb_strip_nulls(jsonb_build_object('to', nullif(t.value, '[]'))) ORDER BY p.key)
              FROM jsonb_each(patch) AS p
             CROSS JOIN LATERAL (SELECT jsonb_strip_nulls(merge_patch(jsonb_build_object('v', was -> p.key), jsonb_build_object('v', p.value))) -> 'v' AS value) AS t
             WHERE nullif(nullif(was -> p.key, 'null'), '[]') IS DISTINCT FROM nullif(t.value, '[]'));
COMMENT ON FUNCTION directory_diff(jsonb, jsonb) IS 'What a merge-patch changes, field by field; NULL: nothing';

CREATE FUNCTION proposal_put(ident uuid, service uuid, organisation uuid, patch jsonb, hours jsonb, source text, note text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    was jsonb;
    changed jsonb;
BEGIN
    IF service IS NOT NULL THEN
        SELECT to_jsonb(s) INTO was FROM service s WHERE s.id = service
           AND (source = 'refresh_link' OR s.organisation_id = app_org() OR s.state = 'published' AND NOT s.confidential) FOR SHARE;
    ELSE
        SELECT to_jsonb(o) INTO was FROM organisation o WHERE o.id = organisation AND o.state IS NOT NULL
           AND (o.id = app_org() OR o.state = 'published' AND NOT o.confidential) FOR SHARE;
    END IF;
    IF was IS NULL THEN
        RAISE EXCEPTION 'no entry of the directory has this id' USING ERRCODE = 'CA404';
    ELSIF source = 'editor' AND directory_side(was ->> 'council', coalesce(was ->> 'organisation_id', was ->> 'id')::uuid) IS DISTINCT FROM 'organisation' THEN
        RAISE EXCEPTION 'this entry is another editor''s' USING ERRCODE = 'CA403';
    ELSIF was ->> 'state' = 'archived' THEN
        RAISE EXCEPTION 'an entry that is archived does not change' USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', 'archived');
    END IF;
    PERFORM precondition((was ->> 'id')::uuid, (was ->> 'version')::bigint);
    changed := directory_diff(was, patch);
    IF changed IS NULL THEN
        RAISE EXCEPTION 'nothing would change: say so with assure' USING ERRCODE = 'CA422', HINT = 'D3';
    END IF;
    INSERT INTO directory_proposal (id, council, organisation_id, service_id, source, patch, hours, diff, note)
    VALUES (ident, was ->> 'council', coalesce(was ->> 'organisation_id', was ->> 'id')::uuid, service, source, patch, hours, changed, note);
END
$$;
COMMENT ON FUNCTION proposal_put(uuid, uuid, uuid, jsonb, jsonb, text, text) IS 'Rule D3: an organisation''s change of its own entry waits for the council';

CREATE FUNCTION proposal_insert(ident uuid, service uuid, organisation uuid, patch jsonb, hours jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT proposal_put(ident, service, organisation, patch, hours, 'editor', NULL)
$$;
COMMENT ON FUNCTION proposal_insert(uuid, uuid, uuid, jsonb, jsonb) IS 'By an editor of the organisation; by a link it is link_answer()';

CREATE FUNCTION proposal_decide(ident uuid, decision text, why text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    p directory_proposal;
    was jsonb;
    moved text;
BEGIN
    SELECT d.* INTO p FROM directory_proposal d
     WHERE d.id = ident AND (directory_side(d.council, d.organisation_id) IS NOT NULL) FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no proposal has this id' USING ERRCODE = 'CA404';
    ELSIF directory_side(p.council, p.organisation_id) <> 'editor' THEN
        RAISE EXCEPTION 'the council''s directory team decides' USING ERRCODE = 'CA403';
    ELSIF p.state <> 'open' THEN
        RAISE EXCEPTION 'this proposal has been % already', p.state USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', p.state);
    END IF;
    IF decision = 'approved' THEN
        IF p.service_id IS NOT NULL THEN
            SELECT to_jsonb(s) INTO was FROM service s WHERE s.id = p.service_id FOR NO KEY UPDATE;
        ELSE
            SELECT to_jsonb(o) INTO was FROM organisation o WHERE o.id = p.organisation_id FOR NO KEY UPDATE;
        END IF;
        SELECT d.item ->> 'field' INTO moved FROM jsonb_array_elements(p.diff) AS d(item)
         WHERE nullif(nullif(was -> (d.item ->> 'field'), 'null'), '[]') IS DISTINCT FROM d.item -> 'from' ORDER BY 1 LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION '% of the entry has changed since it was proposed: reject it, and ask for a new one', replace(moved, '_', ' ')
                USING ERRCODE = 'CA40X';
        ELSIF was ->> 'state' = 'archived' THEN
            RAISE EXCEPTION 'an entry that is archived does not change' USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', 'archived');
        END IF;
        IF p.service_id IS NOT NULL THEN
            PERFORM service_patch(p.service_id, p.patch, p.hours, today(), 'organisation');
        ELSE
            PERFORM organisation_patch(p.organisation_id, p.patch);
        END IF;
    END IF;
    UPDATE directory_proposal d SET state = decision, reason = why, decided_at = clock_timestamp() WHERE d.id = ident;
END
$$;
COMMENT ON FUNCTION proposal_decide(uuid, text, text) IS
    'Approved, the patch is applied and the entry is assured; not when a field that it changes is another than it was. Rejected with a reason';

CREATE FUNCTION service_patch(ident uuid, patch jsonb, hours jsonb, assured date DEFAULT NULL, assured_for text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
    UPDATE service s
       SET (name, description, website, email, status, alert, accreditations, support_areas, needs, offers, eligibility, access_routes,
            referral_accepting, capacity, cost, funding_types, languages, accessibility, schedule, contacts, locations, areas_served, trust,
            review_due_on, confidential, external_refs, weekly, dated, assured_on, assured_by) = (
               SELECT b.name, b.description, b.website, b.email, coalesce(b.status, 'active'), b.alert, b.accreditations, coalesce(b.support_areas, '{}'),
                      coalesce(b.needs, '{}'), coalesce(b.offers, '{}'), nullif(b.eligibility, '{}'), coalesce(b.access_routes, '{}'), b.referral_accepting,
                      b.capacity, nullif(b.cost, '{}'), coalesce(b.funding_types, '{}'), coalesce(b.languages, '{}'), coalesce(b.accessibility, '{}'),
                      b.schedule, b.contacts, b.locations, coalesce(b.areas_served, '{}'), nullif(b.trust, '{}'), b.review_due_on,
                      coalesce(b.confidential, false), b.external_refs,
                      CASE WHEN patch ? 'schedule' THEN coalesce((hours ->> 'weekly')::int4multirange, '{}') ELSE s.weekly END,
                      CASE WHEN patch ? 'schedule' THEN hours_dated(hours) ELSE s.dated END,
                      coalesce(assured, s.assured_on), coalesce(assured_for, s.assured_by)
                 FROM jsonb_populate_record(NULL::service, merge_patch(to_jsonb(s) - 'weekly' - 'dated', patch)) AS b)
     WHERE s.id = ident
$$;
COMMENT ON FUNCTION service_patch(uuid, jsonb, jsonb, date, text) IS
    'An entry patched as RFC 7396 says; hours: those of the schedule that the patch brings. Under the caller''s policies';

CREATE FUNCTION service_move(ident uuid, did text, to_state text, why text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    s service;
BEGIN
    SELECT v.* INTO s FROM service v WHERE v.id = ident;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no service has this id' USING ERRCODE = 'CA404';
    ELSIF directory_side(s.council, s.organisation_id) IS NULL THEN
        RAISE EXCEPTION 'this entry is another editor''s' USING ERRCODE = 'CA403';
    ELSIF s.state = to_state AND did <> 'assure' OR s.state = 'archived' AND did = 'assure' THEN
        RAISE EXCEPTION 'an entry that is % cannot be %', s.state, CASE did WHEN 'assure' THEN 'assured' ELSE to_state END
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', s.state);
    ELSIF did = 'publish' AND directory_organisation_state(s.organisation_id) <> 'published' THEN
        RAISE EXCEPTION 'the organisation is not published' USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', s.state);
    ELSIF did = 'assure' THEN
        UPDATE service v SET assured_on = today(), assured_by = CASE app_role() WHEN 'vcfse_editor' THEN 'organisation' ELSE 'council' END WHERE v.id = ident;
    ELSE
        UPDATE service v SET state = to_state, state_reason = why WHERE v.id = ident;
    END IF;
END
$$;
COMMENT ON FUNCTION service_move(uuid, text, text, text) IS 'publish, archive, assure: a refusal is a sentence; the trigger says the same to every client';
GRANT EXECUTE ON FUNCTION proposal_insert(uuid, uuid, uuid, jsonb, jsonb), proposal_decide(uuid, text, text),
    service_patch(uuid, jsonb, jsonb, date, text), service_move(uuid, text, text, text), directory_diff(jsonb, jsonb) TO carers_council, carers_desk;

CREATE VIEW proposal_view WITH (security_invoker = true) AS
SELECT p.id, p.version, p.council, p.organisation_id, p.state, concat(
           '{"id":"', p.id, '"',
           member('council', p.council),
           member('organisation_id', p.organisation_id::text),
           member('service_id', p.service_id::text),
           member('source', p.source),
           member('diff', p.diff),
           member('note', p.note),
           member('state', p.state),
           member('reason', p.reason),
           ',"available_actions":', CASE WHEN p.state = 'open' AND directory_side(p.council, p.organisation_id) = 'editor' THEN '["approve","reject"]' ELSE '[]' END,
           member('created_at', instant(p.created_at)),
           member('decided_at', instant(p.decided_at)), '}') AS body
  FROM directory_proposal p;
COMMENT ON VIEW proposal_view IS 'What editors see of a proposal: body, version (the ETag)';
GRANT SELECT ON proposal_view TO carers_council, carers_desk;

-- One-time links. The secret is shown once, to the editor who makes the link; its SHA-256 is what is kept.

CREATE TABLE directory_link (
    id uuid PRIMARY KEY DEFAULT uuid7(clock_timestamp()),
    council text NOT NULL,
    service_id uuid NOT NULL REFERENCES service ON DELETE CASCADE,
    secret_hash bytea NOT NULL UNIQUE,
    expires_at timestamptz(3) NOT NULL,
    used_at timestamptz(3),
    answer text CHECK (answer IN ('confirmed', 'corrected')),
    created_at timestamptz(3) NOT NULL DEFAULT now()
);
COMMENT ON TABLE directory_link IS 'By which an organisation confirms or corrects one entry, once, without an account. Read by functions alone';
CREATE INDEX directory_link_service ON directory_link (service_id);
ALTER TABLE directory_link ENABLE ROW LEVEL SECURITY;
CREATE TRIGGER directory_link_audited AFTER INSERT OR UPDATE ON directory_link FOR EACH ROW EXECUTE FUNCTION directory_audited('secret_hash');

CREATE FUNCTION link_make(wanted uuid, days integer) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    secret text := replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
    s service;
    ends timestamptz(3) := now() + days * interval '1 day';
BEGIN
    SELECT v.* INTO s FROM service v WHERE v.id = wanted AND (v.state = 'published' AND NOT v.confidential OR directory_side(v.council, v.organisation_id) IS NOT NULL);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no service has this id' USING ERRCODE = 'CA404';
    ELSIF directory_side(s.council, s.organisation_id) IS DISTINCT FROM 'editor' THEN
        RAISE EXCEPTION 'this entry is another editor''s' USING ERRCODE = 'CA403';
    ELSIF s.state = 'archived' THEN
        RAISE EXCEPTION 'an entry that is archived needs no refreshing' USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', 'archived');
    END IF;
    INSERT INTO directory_link (council, service_id, secret_hash, expires_at) VALUES (s.council, s.id, sha256(secret::bytea), ends);
    RETURN concat('{"token":"', secret, '","path":"/v1/directory/refresh/', secret, '","service_id":"', s.id, '"', member('expires_at', instant(ends)), '}');
END
$$;
COMMENT ON FUNCTION link_make(uuid, integer) IS 'A new link for an entry: 244 random bits, which are not kept';

CREATE FUNCTION link_service(token text, use boolean) RETURNS service LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    l directory_link;
    s service;
BEGIN
    IF use THEN
        SELECT k.* INTO l FROM directory_link k WHERE k.secret_hash = sha256(token::bytea) FOR NO KEY UPDATE;
    ELSE
        SELECT k.* INTO l FROM directory_link k WHERE k.secret_hash = sha256(token::bytea);
    END IF;
    SELECT v.* INTO s FROM service v WHERE v.id = l.service_id AND v.state <> 'archived';
    IF s.id IS NULL OR l.expires_at <= now() THEN
        RAISE EXCEPTION 'no link is like this, or it has expired: ask the council for a new one' USING ERRCODE = 'CA404';
    ELSIF l.used_at IS NOT NULL THEN
        RAISE EXCEPTION 'this link has been used: ask the council for a new one' USING ERRCODE = 'CA409', DETAIL = '{"state": "used"}';
    END IF;
    RETURN s;
END
$$;
COMMENT ON FUNCTION link_service(text, boolean) IS 'The entry of a link that holds; use: locked, to be used now';

CREATE FUNCTION link_body(token text) RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    s service := link_service(token, false);
BEGIN
    RETURN (SELECT v.body FROM service_view v WHERE v.id = s.id);
END
$$;
COMMENT ON FUNCTION link_body(text) IS 'The entry as the public sees it, for whoever has the link';

CREATE FUNCTION link_answer(token text, body jsonb, hours jsonb, ident uuid) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    s service := link_service(token, true);
    corrected boolean := body ? 'changes' AND directory_diff(to_jsonb(s), body -> 'changes') IS NOT NULL;
BEGIN
    IF corrected THEN
        PERFORM proposal_put(ident, s.id, NULL, body -> 'changes', hours, 'refresh_link', body ->> 'note');
    ELSE
        UPDATE service v SET assured_on = today(), assured_by = 'organisation' WHERE v.id = s.id;
    END IF;
    UPDATE directory_link k SET used_at = now(), answer = CASE WHEN corrected THEN 'corrected' ELSE 'confirmed' END WHERE k.secret_hash = sha256(token::bytea);
    RETURN concat('{"answer":"', CASE WHEN corrected THEN 'corrected' ELSE 'confirmed' END, '"', member('proposal_id', CASE WHEN corrected THEN ident::text END), '}');
END
$$;
COMMENT ON FUNCTION link_answer(text, jsonb, jsonb, uuid) IS 'Nothing has changed: the entry is assured. Something has: a proposal';
GRANT EXECUTE ON FUNCTION link_make(uuid, integer) TO carers_council, carers_desk;
GRANT EXECUTE ON FUNCTION link_body(text), link_answer(text, jsonb, jsonb, uuid) TO carers_public;

-- How good it is. Counted as entries are written: a council's figures are sums over its days of assurance, not a walk over its entries.

CREATE FUNCTION service_completeness(s service) RETURNS integer LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN (100 * num_nonnulls(nullif(s.support_areas, '{}'), nullif(s.access_routes, '{}'), s.eligibility, s.cost, s.contacts, s.locations,
                               coalesce(s.website, s.email), nullif(s.areas_served, '{}'), s.schedule, nullif(s.languages, '{}'),
                               CASE WHEN length(s.description) >= 80 THEN 1 END, s.capacity) / 12);
END
$$;
COMMENT ON FUNCTION service_completeness(service) IS
    'Per cent of twelve: support areas, access, eligibility, cost, contacts, places, website or email, areas served, hours, languages, a description of 80 letters, capacity';

CREATE TABLE directory_tally (
    council text NOT NULL,
    assured_on date NOT NULL,
    entries integer NOT NULL,
    completeness bigint NOT NULL,
    PRIMARY KEY (council, assured_on)
);
COMMENT ON TABLE directory_tally IS 'Published entries by the day that they were assured, and the sum of their completeness, kept by service_tallied. No person stands in it';
ALTER TABLE directory_tally ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON directory_tally TO carers_council, carers_desk;
CREATE POLICY directory_tally_read ON directory_tally FOR SELECT TO carers_council, carers_desk
    USING (council = ANY (app_councils()) AND app_role() IN ('council_admin', 'commissioner', 'directory_editor'));

CREATE FUNCTION tally_add(entries service[], sign integer) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO directory_tally (council, assured_on, entries, completeness)
    SELECT e.council, e.assured_on, sign * count(*), sign * sum(service_completeness(e))
      FROM unnest(entries) AS e
     WHERE e.state = 'published'
     GROUP BY e.council, e.assured_on
     ORDER BY e.council, e.assured_on
    ON CONFLICT (council, assured_on) DO UPDATE
       SET entries = directory_tally.entries + excluded.entries, completeness = directory_tally.completeness + excluded.completeness
$$;
COMMENT ON FUNCTION tally_add(service[], integer) IS 'These entries counted, or no longer (-1)';

CREATE FUNCTION service_tallied() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        PERFORM tally_add(ARRAY(SELECT s::service FROM stale s), -1);
    END IF;
    PERFORM tally_add(ARRAY(SELECT f::service FROM fresh f), 1);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION service_tallied() IS 'directory_tally follows the entries';
CREATE TRIGGER service_tallied_insert AFTER INSERT ON service REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION service_tallied();
CREATE TRIGGER service_tallied_update AFTER UPDATE ON service REFERENCING OLD TABLE AS stale NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION service_tallied();

CREATE FUNCTION directory_refill() RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    TRUNCATE directory_found, directory_place, directory_tally;
    DROP INDEX directory_found_terms;
    PERFORM directory_refind(b.ids)
       FROM (SELECT array_agg(s.id ORDER BY s.id) AS ids
               FROM (SELECT s.id, row_number() OVER (ORDER BY s.id) / 1000 AS batch FROM service s WHERE s.state = 'published') AS s
              GROUP BY s.batch) AS b;
    PERFORM oruk_keep_organisations(b.ids)
       FROM (SELECT array_agg(o.id ORDER BY o.id) AS ids
               FROM (SELECT o.id, row_number() OVER (ORDER BY o.id) / 1000 AS batch FROM organisation o WHERE o.state = 'published') AS o
              GROUP BY o.batch) AS b;
    INSERT INTO directory_tally (council, assured_on, entries, completeness)
    SELECT s.council, s.assured_on, count(*), sum(service_completeness(s)) FROM service s WHERE s.state = 'published' GROUP BY s.council, s.assured_on;
    CREATE INDEX directory_found_terms ON directory_found USING gin (terms) WITH (gin_pending_list_limit = 256);
    UPDATE directory_event e SET confidential = NOT e.confidential
     WHERE e.confidential <> (EXISTS (SELECT FROM organisation o WHERE o.id = e.organisation_id AND o.confidential)
                              OR EXISTS (SELECT FROM service s WHERE s.id = e.service_id AND s.confidential));
    UPDATE leaflet l SET confidential = NOT l.confidential
     WHERE l.confidential <> (EXISTS (SELECT FROM organisation o WHERE o.id = l.organisation_id AND o.confidential)
                              OR EXISTS (SELECT FROM service s WHERE s.id = l.service_id AND s.confidential));
END
$$;
COMMENT ON FUNCTION directory_refill() IS 'All that is made of entries anew: for the owner, where they were loaded without triggers';
GRANT EXECUTE ON FUNCTION service_completeness(service) TO carers_council, carers_desk;
