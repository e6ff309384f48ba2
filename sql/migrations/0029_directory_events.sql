-- Events, leaflets and champions of the directory: what is on, what can be taken away, and who tells others of it.

CREATE TABLE directory_event (
    id uuid PRIMARY KEY,
    council text NOT NULL CHECK (council ~ '^E(06|08|09|10)[0-9]{6}$'),
    organisation_id uuid REFERENCES organisation,
    service_id uuid REFERENCES service,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    description text,
    starts_at timestamptz(3) NOT NULL,
    ends_at timestamptz(3) NOT NULL,
    venue text,
    postcode text,
    area text,
    audience text[] NOT NULL DEFAULT '{}',
    support_areas text[] NOT NULL DEFAULT '{}',
    website text,
    capacity integer CHECK (capacity > 0),
    attendance jsonb,
    confidential boolean NOT NULL DEFAULT false,
    state text NOT NULL DEFAULT 'published' CHECK (state IN ('published', 'cancelled')),
    state_reason text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT directory_event_span CHECK (ends_at > starts_at)
);
COMMENT ON TABLE directory_event IS 'What is on. Its outward shape is directory_event_view; past ones are gone from the default list (rule D2)';
COMMENT ON COLUMN directory_event.confidential IS 'Its organisation or its service is: made from them, and follows them';
COMMENT ON COLUMN directory_event.attendance IS 'How it was: {services, practitioners, carers, feedback}, as numbers and words, no person';
CREATE INDEX directory_event_by_end ON directory_event (ends_at, id);
CREATE INDEX directory_event_organisation ON directory_event (organisation_id) WHERE organisation_id IS NOT NULL;
CREATE INDEX directory_event_service ON directory_event (service_id) WHERE service_id IS NOT NULL;

CREATE TABLE leaflet (
    id uuid PRIMARY KEY,
    council text NOT NULL CHECK (council ~ '^E(06|08|09|10)[0-9]{6}$'),
    organisation_id uuid REFERENCES organisation,
    service_id uuid REFERENCES service,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    description text,
    link text,
    file_size integer,
    file_sha256 text,
    language text,
    support_areas text[] NOT NULL DEFAULT '{}',
    valid_until date,
    confidential boolean NOT NULL DEFAULT false,
    state text NOT NULL DEFAULT 'published' CHECK (state IN ('published', 'archived')),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now()
);
COMMENT ON TABLE leaflet IS 'Information to take away: what it is, and where. Expired ones are gone from the default list (rule D2); one without a link and a file is seen by its editors only';
COMMENT ON COLUMN leaflet.confidential IS 'Its organisation or its service is: made from them, and follows them';
COMMENT ON COLUMN leaflet.file_size IS 'Bytes of leaflet_file.bytes; NULL: it has no file';
CREATE INDEX leaflet_by_council ON leaflet (council, id DESC);
CREATE INDEX leaflet_by_id ON leaflet (id DESC) WHERE state = 'published';
CREATE INDEX leaflet_organisation ON leaflet (organisation_id) WHERE organisation_id IS NOT NULL;
CREATE INDEX leaflet_service ON leaflet (service_id) WHERE service_id IS NOT NULL;

CREATE TABLE champion (
    id uuid PRIMARY KEY,
    council text NOT NULL CHECK (council ~ '^E(06|08|09|10)[0-9]{6}$'),
    team text NOT NULL CHECK (length(team) BETWEEN 1 AND 100),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    email text,
    organisation_id uuid REFERENCES organisation,
    since date NOT NULL,
    until date,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT champion_span CHECK (until >= since)
);
COMMENT ON TABLE champion IS 'Members of teams who tell their colleagues of the directory. Staff of the council and its partners read them, never the public';
CREATE INDEX champion_by_council ON champion (council, id DESC);
CREATE INDEX champion_organisation ON champion (organisation_id) WHERE organisation_id IS NOT NULL;

-- What is of a confidential organisation or service is as confidential as they are (rule D2), also where the caller sees neither.

CREATE FUNCTION directory_hidden(organisation uuid, entry uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    hidden boolean;
BEGIN
    -- Locked: who makes them confidential in this moment waits, and then finds what is being written.
    SELECT o.confidential INTO hidden FROM organisation o WHERE o.id = organisation FOR SHARE;
    IF hidden THEN
        RETURN true;
    END IF;
    SELECT s.confidential INTO hidden FROM service s WHERE s.id = entry FOR SHARE;
    RETURN coalesce(hidden, false);
END
$$;
COMMENT ON FUNCTION directory_hidden(uuid, uuid) IS 'What is of this organisation and this service is confidential';

CREATE FUNCTION directory_a_hidden() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.confidential := directory_hidden(NEW.organisation_id, NEW.service_id);
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION directory_a_hidden() IS 'Events and leaflets are as confidential as their organisation and their service';

CREATE FUNCTION directory_hiding() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- directory_a_hidden() works out what they become.
    UPDATE directory_event e SET confidential = NOT e.confidential
     WHERE TG_TABLE_NAME = 'organisation' AND e.organisation_id = NEW.id AND e.confidential <> directory_hidden(e.organisation_id, e.service_id);
    UPDATE directory_event e SET confidential = NOT e.confidential
     WHERE TG_TABLE_NAME = 'service' AND e.service_id = NEW.id AND e.confidential <> directory_hidden(e.organisation_id, e.service_id);
    UPDATE leaflet l SET confidential = NOT l.confidential
     WHERE TG_TABLE_NAME = 'organisation' AND l.organisation_id = NEW.id AND l.confidential <> directory_hidden(l.organisation_id, l.service_id);
    UPDATE leaflet l SET confidential = NOT l.confidential
     WHERE TG_TABLE_NAME = 'service' AND l.service_id = NEW.id AND l.confidential <> directory_hidden(l.organisation_id, l.service_id);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION directory_hiding() IS 'Events and leaflets follow an organisation or a service that becomes confidential, or is not any more';
CREATE TRIGGER organisation_hiding AFTER UPDATE ON organisation FOR EACH ROW WHEN (NEW.confidential <> OLD.confidential)
    EXECUTE FUNCTION directory_hiding();
CREATE TRIGGER service_hiding AFTER UPDATE ON service FOR EACH ROW WHEN (NEW.confidential <> OLD.confidential) EXECUTE FUNCTION directory_hiding();

CREATE FUNCTION directory_b_edited() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    row jsonb := to_jsonb(NEW);
    was jsonb := CASE TG_OP WHEN 'UPDATE' THEN to_jsonb(OLD) END;
    side text := directory_side(row ->> 'council', (row ->> 'organisation_id')::uuid);
BEGIN
    IF current_user NOT IN ('carers_council', 'carers_desk') THEN
        RETURN NEW; -- the owner: a load
    ELSIF TG_OP = 'UPDATE' AND directory_side(to_jsonb(OLD) ->> 'council', (to_jsonb(OLD) ->> 'organisation_id')::uuid) IS NULL OR side IS NULL
       OR TG_ARGV[0] = 'editor' AND side <> 'editor' THEN
        IF TG_OP = 'INSERT' AND app_role() <> 'vcfse_editor' AND row ->> 'council' <> ALL (app_councils()) THEN
            RAISE EXCEPTION 'is not one of your councils' USING ERRCODE = 'CA42V', HINT = '/council';
        END IF;
        RAISE EXCEPTION 'this entry is another editor''s' USING ERRCODE = 'CA403';
    ELSIF row ->> 'organisation_id' IS NOT NULL AND coalesce(directory_organisation_state((row ->> 'organisation_id')::uuid), 'unlisted') IN ('unlisted', 'archived') THEN
        RAISE EXCEPTION 'is no organisation of the directory' USING ERRCODE = 'CA42V', HINT = '/organisation_id';
    ELSIF side = 'organisation' AND coalesce(row ->> 'state' = was ->> 'state', true) AND directory_organisation_state(app_org()) <> 'published' THEN
        RAISE EXCEPTION 'is no published organisation of the directory' USING ERRCODE = 'CA42V', HINT = '/organisation_id';
    ELSIF side = 'organisation' AND TG_OP = 'INSERT' AND NOT directory_organisation_serves(app_org(), row ->> 'council') THEN
        RAISE EXCEPTION 'is not one of your councils' USING ERRCODE = 'CA42V', HINT = '/council';
    ELSIF row ->> 'service_id' IS NOT NULL AND NOT EXISTS (SELECT FROM service s WHERE s.id = (row ->> 'service_id')::uuid) THEN
        RAISE EXCEPTION 'is no entry of the directory' USING ERRCODE = 'CA42V', HINT = '/service_id';
    ELSIF side = 'organisation' AND row ->> 'service_id' IS DISTINCT FROM was ->> 'service_id'
      AND EXISTS (SELECT FROM service s WHERE s.id = (row ->> 'service_id')::uuid AND s.organisation_id <> app_org()) THEN
        RAISE EXCEPTION 'is another organisation''s entry' USING ERRCODE = 'CA42V', HINT = '/service_id';
    ELSIF taxonomy_unknown('support_area', ARRAY(SELECT jsonb_array_elements_text(row -> 'support_areas'))) IS NOT NULL THEN
        RAISE EXCEPTION 'has a code that is no support area of the taxonomy' USING ERRCODE = 'CA42V', HINT = '/support_areas';
    ELSIF TG_OP = 'UPDATE' AND to_jsonb(OLD) ->> 'state' IN ('cancelled', 'archived') AND row ->> 'state' = to_jsonb(OLD) ->> 'state' THEN
        RAISE EXCEPTION 'what is % does not change', row ->> 'state' USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', row ->> 'state');
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION directory_b_edited() IS
    'Who writes events, leaflets and champions: the council''s directory team; the first two also the listed organisation that they are of';

DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['directory_event', 'leaflet', 'champion'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', one);
        IF one <> 'champion' THEN
            EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE OF organisation_id, service_id, confidential ON %I FOR EACH ROW EXECUTE FUNCTION directory_a_hidden()',
                           one || '_a_hidden', one);
        END IF;
        EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION directory_b_edited(%L)', one || '_b_edited', one,
                       CASE one WHEN 'champion' THEN 'editor' ELSE 'any' END);
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION versioned()', one || '_z_versioned', one);
        EXECUTE format('CREATE TRIGGER %I AFTER INSERT OR UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION directory_audited()', one || '_audited', one);
    END LOOP;
END
$$;
GRANT SELECT ON directory_event, leaflet TO carers_caller;
GRANT SELECT ON champion TO carers_council, carers_partner, carers_desk;
GRANT INSERT (id, council, organisation_id, service_id, title, description, starts_at, ends_at, venue, postcode, area, audience, support_areas, website,
              capacity),
      UPDATE (organisation_id, service_id, title, description, starts_at, ends_at, venue, postcode, area, audience, support_areas, website, capacity, attendance,
              state, state_reason) ON directory_event TO carers_council, carers_desk;
GRANT INSERT (id, council, organisation_id, service_id, title, description, link, language, support_areas, valid_until),
      UPDATE (organisation_id, service_id, title, description, link, file_size, file_sha256, language, support_areas, valid_until, state) ON leaflet TO carers_council, carers_desk;
GRANT INSERT (id, council, team, name, email, organisation_id, since, until),
      UPDATE (team, name, email, organisation_id, since, until) ON champion TO carers_council, carers_desk;
-- Confidential ones are seen as confidential entries are: see the policies of service.
CREATE POLICY directory_event_read ON directory_event FOR SELECT TO carers_public, carers_self USING (NOT confidential);
CREATE POLICY directory_event_partner ON directory_event FOR SELECT TO carers_partner USING (NOT confidential OR organisation_id = app_org());
CREATE POLICY directory_event_desk ON directory_event FOR SELECT TO carers_desk
    USING (NOT confidential OR directory_side(council, organisation_id) IS NOT NULL);
CREATE POLICY directory_event_council ON directory_event FOR SELECT TO carers_council USING (NOT confidential OR council = ANY (app_councils()));
CREATE POLICY directory_event_make ON directory_event FOR INSERT TO carers_council, carers_desk WITH CHECK (true);
CREATE POLICY directory_event_change ON directory_event FOR UPDATE TO carers_council, carers_desk USING (true);
CREATE POLICY leaflet_read ON leaflet FOR SELECT TO carers_public, carers_self
    USING (state = 'published' AND NOT confidential AND (link IS NOT NULL OR file_size IS NOT NULL));
CREATE POLICY leaflet_partner ON leaflet FOR SELECT TO carers_partner
    USING (state = 'published' AND (NOT confidential OR organisation_id = app_org()) AND (link IS NOT NULL OR file_size IS NOT NULL));
CREATE POLICY leaflet_desk ON leaflet TO carers_desk
    USING (state = 'published' AND NOT confidential AND (link IS NOT NULL OR file_size IS NOT NULL) OR directory_side(council, organisation_id) IS NOT NULL)
    WITH CHECK (true);
CREATE POLICY leaflet_council ON leaflet TO carers_council
    USING (state = 'published' AND (NOT confidential OR council = ANY (app_councils())) AND (link IS NOT NULL OR file_size IS NOT NULL)
           OR directory_side(council, organisation_id) IS NOT NULL)
    WITH CHECK (true);
CREATE POLICY champion_partner ON champion FOR SELECT TO carers_partner USING (council = ANY (app_councils()));
CREATE POLICY champion_edit ON champion TO carers_council, carers_desk
    USING (council = ANY (app_councils())) WITH CHECK (true);

CREATE VIEW directory_event_view WITH (security_invoker = true) AS
SELECT e.id, e.version, e.ends_at, concat(
           '{"id":"', e.id, '"',
           member('council', e.council),
           member('organisation_id', e.organisation_id::text),
           member('service_id', e.service_id::text),
           member('title', e.title),
           member('description', e.description),
           member('starts_at', instant(e.starts_at)),
           member('ends_at', instant(e.ends_at)),
           member('venue', e.venue),
           member('postcode', e.postcode),
           member('area', e.area),
           member('audience', e.audience),
           member('support_areas', e.support_areas),
           member('website', e.website),
           member('capacity', to_jsonb(e.capacity)),
           member('attendance', CASE WHEN app_role() <> 'public' AND app_role() <> 'carer' THEN e.attendance END),
           member('state', e.state),
           member('state_reason', e.state_reason),
           ',"available_actions":', CASE WHEN e.state = 'published' AND directory_side(e.council, e.organisation_id) IS NOT NULL
                                         THEN '["update","cancel"]' ELSE '[]' END,
           member('created_at', instant(e.created_at)),
           member('updated_at', instant(e.updated_at)), '}') AS body
  FROM directory_event e;
COMMENT ON VIEW directory_event_view IS 'What callers see of an event: body, version (the ETag)';

CREATE VIEW leaflet_view WITH (security_invoker = true) AS
SELECT l.id, l.version, concat(
           '{"id":"', l.id, '"',
           member('council', l.council),
           member('organisation_id', l.organisation_id::text),
           member('service_id', l.service_id::text),
           member('title', l.title),
           member('description', l.description),
           member('link', l.link),
           member('file', CASE WHEN l.file_size IS NOT NULL THEN jsonb_build_object(
               'size', l.file_size, 'sha256', l.file_sha256, 'url', '/v1/directory/leaflets/' || l.id || '/file') END),
           member('language', l.language),
           member('support_areas', l.support_areas),
           member('valid_until', to_char(l.valid_until, 'YYYY-MM-DD')),
           member('state', l.state),
           ',"available_actions":', CASE WHEN l.state = 'published' AND directory_side(l.council, l.organisation_id) IS NOT NULL
                                         THEN '["update","archive"]' ELSE '[]' END,
           member('created_at', instant(l.created_at)),
           member('updated_at', instant(l.updated_at)), '}') AS body
  FROM leaflet l;
COMMENT ON VIEW leaflet_view IS 'What callers see of a leaflet: body, version (the ETag)';

CREATE VIEW champion_view WITH (security_invoker = true) AS
SELECT c.id, c.version, concat(
           '{"id":"', c.id, '"',
           member('council', c.council),
           member('team', c.team),
           member('name', c.name),
           member('email', c.email),
           member('organisation_id', c.organisation_id::text),
           member('since', to_char(c.since, 'YYYY-MM-DD')),
           member('until', to_char(c.until, 'YYYY-MM-DD')),
           member('active', c.since <= today() AND coalesce(c.until >= today(), true)),
           member('created_at', instant(c.created_at)),
           member('updated_at', instant(c.updated_at)), '}') AS body
  FROM champion c;
COMMENT ON VIEW champion_view IS 'What staff see of a champion: body, version (the ETag)';
GRANT SELECT ON directory_event_view, leaflet_view TO carers_caller;
GRANT SELECT ON champion_view TO carers_council, carers_partner, carers_desk;
