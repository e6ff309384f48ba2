-- The directory: organisations that are listed, their services, what they are found by, events, leaflets and champions. Rules D1 to D3.
--
-- An entry is one row with one version: its places, hours and contacts are lists inside of it, so that a change, a proposal and an
-- assurance are about the whole of what a reader sees. What is searched or published by itself is derived from it by triggers.

-- Codes: support areas, needs and access routes are data.

CREATE TABLE taxonomy_term (
    taxonomy text NOT NULL CHECK (taxonomy IN ('support_area', 'need', 'access_route')),
    code text NOT NULL CHECK (code ~ '^[a-z][a-z0-9_]{1,59}$'),
    id uuid NOT NULL UNIQUE,
    label text NOT NULL CHECK (length(label) BETWEEN 1 AND 100),
    description text NOT NULL CHECK (length(description) BETWEEN 1 AND 500),
    parent text,
    synonyms text[] NOT NULL DEFAULT '{}',
    uri text,
    active boolean NOT NULL DEFAULT true,
    place integer NOT NULL,
    PRIMARY KEY (taxonomy, code),
    FOREIGN KEY (taxonomy, parent) REFERENCES taxonomy_term
);
COMMENT ON TABLE taxonomy_term IS 'What entries are coded with, and the words that people say for it. No person stands in it';
COMMENT ON COLUMN taxonomy_term.id IS 'The same in every installation, for those who read the directory as Open Referral UK';
COMMENT ON COLUMN taxonomy_term.synonyms IS 'Words and phrases by which a search finds it';
COMMENT ON COLUMN taxonomy_term.active IS 'No: new entries are not coded with it any more';
INSERT INTO taxonomy_term (taxonomy, code, id, label, description, synonyms, place)
SELECT t.taxonomy, t.code, md5('carers-api ' || t.taxonomy || ' ' || t.code)::uuid, t.label, t.description, t.synonyms::text[],
       row_number() OVER (PARTITION BY t.taxonomy ORDER BY t.n)
  FROM (VALUES
    (1, 'support_area', 'sitting_service', 'Sitting service', 'Somebody sits with the person who is cared for while the carer is out', '{sitter,sitters,sitting in,minder,someone to sit}'),
    (2, 'support_area', 'respite_break', 'Breaks and respite', 'Time away from caring: hours, a day, a stay', '{respite,break,time off,holiday,short stay,replacement care}'),
    (3, 'support_area', 'transport', 'Transport', 'Lifts and community transport', '{lift,lifts,taxi,car,driver,minibus,dial a ride,getting there}'),
    (4, 'support_area', 'wraparound', 'Wraparound help', 'Help to get ready, to leave and to lock up the house', '{getting ready,locking up,help to leave,door to door}'),
    (5, 'support_area', 'befriending', 'Befriending', 'Regular company by visit or telephone', '{friend,company,loneliness,lonely,visitor,companion}'),
    (6, 'support_area', 'peer_support', 'Peer support', 'Groups of carers who meet', '{carers group,support group,coffee morning,carers cafe,meet other carers}'),
    (7, 'support_area', 'counselling', 'Counselling', 'Talking to somebody who is trained to listen', '{therapy,therapist,talking therapy,listening}'),
    (8, 'support_area', 'advice', 'Information and advice', 'Rights, services, what to do next', '{guidance,signposting,help line,helpline,information}'),
    (9, 'support_area', 'benefits', 'Benefits and money', 'Claims, debts, grants', '{money,debt,carers allowance,attendance allowance,welfare rights,grant}'),
    (10, 'support_area', 'advocacy', 'Advocacy', 'Somebody who speaks up with the carer', '{advocate,speak up,representation}'),
    (11, 'support_area', 'dementia', 'Dementia support', 'For those who live with dementia, and who care for them', '{alzheimer,alzheimers,memory,memory cafe,singing for the brain}'),
    (12, 'support_area', 'day_centre', 'Day centres', 'A place to spend the day, with company and care', '{day care,day club,lunch club}'),
    (13, 'support_area', 'meals', 'Meals and shopping', 'Meals at home, food, shopping', '{food,meals on wheels,shopping,food bank,groceries}'),
    (14, 'support_area', 'home_help', 'Help at home', 'Cleaning, gardening, small repairs', '{cleaner,cleaning,gardening,handyman,repairs,domestic}'),
    (15, 'support_area', 'personal_care', 'Personal care', 'Washing, dressing, care at home', '{home care,washing,dressing,carer visits}'),
    (16, 'support_area', 'equipment', 'Equipment and adaptations', 'Aids, wheelchairs, alarms, changes to the home', '{wheelchair,aids,alarm,telecare,adaptation,ramp,stairlift}'),
    (17, 'support_area', 'health_activity', 'Exercise and wellbeing', 'Walks, swimming, yoga, relaxation', '{exercise,yoga,walking,swimming,relaxation,keep fit,massage}'),
    (18, 'support_area', 'arts_leisure', 'Arts and leisure', 'Choirs, crafts, outings', '{choir,singing,craft,crafts,art,outing,trips}'),
    (19, 'support_area', 'training', 'Training for carers', 'Moving and handling, first aid, understanding a condition', '{course,courses,workshop,first aid,learn}'),
    (20, 'support_area', 'work_education', 'Work and learning', 'Staying in or going back to work, education, volunteering', '{job,jobs,employment,college,volunteering}'),
    (21, 'support_area', 'young_carers', 'Young carers', 'For children and young people who care', '{young carer,children who care,school}'),
    (22, 'support_area', 'parent_carers', 'Parent carers', 'For parents of children with disabilities', '{parents,disabled child,send,special needs}'),
    (23, 'support_area', 'mental_health', 'Mental health', 'Support with mental health, for the carer or the person cared for', '{depression,anxiety,mental illness,wellbeing}'),
    (24, 'support_area', 'end_of_life', 'End of life and bereavement', 'Hospice care, grief', '{hospice,bereavement,grief,palliative,dying}'),
    (25, 'support_area', 'safety', 'Safety and refuge', 'Domestic abuse, safeguarding, a safe place', '{domestic abuse,refuge,violence,safe house}'),
    (26, 'support_area', 'digital', 'Getting online', 'Computers, tablets, the internet', '{computer,internet,tablet,it help}'),
    (1, 'need', 'break_from_caring', 'A break from caring', 'The carer needs time for herself', '{break,respite,rest}'),
    (2, 'need', 'own_health', 'Her own health', 'The carer''s health suffers', '{health,doctor,ill}'),
    (3, 'need', 'emotional_support', 'Emotional support', 'The carer needs somebody to talk to', '{stress,talk,worry}'),
    (4, 'need', 'money', 'Money', 'The household cannot make ends meet', '{debt,benefits,income}'),
    (5, 'need', 'work_and_learning', 'Work and learning', 'Caring stands in the way of work or education', '{job,college}'),
    (6, 'need', 'practical_help', 'Practical help', 'Too much to do at home', '{housework,shopping,errands}'),
    (7, 'need', 'information', 'Information', 'The carer does not know what there is', '{advice,rights}'),
    (8, 'need', 'social_contact', 'Company', 'The carer is lonely', '{lonely,isolated,friends}'),
    (1, 'access_route', 'self_referral', 'Ask yourself', 'Anybody may ask for it herself', '{self referral,walk up}'),
    (2, 'access_route', 'professional_referral', 'Through a professional', 'A professional refers', '{referral,gp referral}'),
    (3, 'access_route', 'drop_in', 'Drop in', 'Come without an appointment', '{walk in,no appointment}'),
    (4, 'access_route', 'telephone', 'By telephone', 'Call', '{phone,ring,call}'),
    (5, 'access_route', 'online', 'Online', 'By the internet', '{website,video,internet}')
  ) AS t(n, taxonomy, code, label, description, synonyms);
UPDATE taxonomy_term SET parent = 'respite_break' WHERE taxonomy = 'support_area' AND code IN ('sitting_service', 'day_centre');
UPDATE taxonomy_term SET parent = 'transport' WHERE taxonomy = 'support_area' AND code = 'wraparound';
ALTER TABLE taxonomy_term ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON taxonomy_term TO carers_caller;
CREATE POLICY taxonomy_term_read ON taxonomy_term FOR SELECT TO carers_caller USING (true);

CREATE FUNCTION taxonomy_unknown(whose text, codes text[]) RETURNS integer LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT min(c.n) - 1 FROM unnest(codes) WITH ORDINALITY AS c(code, n)
             WHERE NOT EXISTS (SELECT FROM taxonomy_term t WHERE t.taxonomy = whose AND t.code = c.code AND t.active));
END
$$;
COMMENT ON FUNCTION taxonomy_unknown(text, text[]) IS 'Place, from 0, of the first code that is not (any more) one of the taxonomy; NULL: all are';
GRANT EXECUTE ON FUNCTION taxonomy_unknown(text, text[]) TO carers_caller;

-- A listed organisation is an organisation: what the directory says of it stands in its row.

ALTER TABLE organisation
    ADD COLUMN state text CONSTRAINT organisation_state_check CHECK (state IN ('draft', 'published', 'archived')),
    ADD COLUMN council text CONSTRAINT organisation_council_check CHECK (council ~ '^E(06|08|09|10)[0-9]{6}$'),
    ADD COLUMN type text CONSTRAINT organisation_type_check CHECK (type IN ('voluntary', 'community', 'faith', 'social_enterprise', 'statutory',
        'commercial', 'micro_provider', 'volunteer')),
    ADD COLUMN description text,
    ADD COLUMN email text,
    ADD COLUMN phone text,
    ADD COLUMN website text,
    ADD COLUMN logo text,
    ADD COLUMN uri text,
    ADD COLUMN parent_id uuid REFERENCES organisation,
    ADD COLUMN identifiers jsonb,
    ADD COLUMN carer_friendly_employer text CHECK (carer_friendly_employer IN ('bronze', 'silver', 'gold')),
    ADD COLUMN confidential boolean NOT NULL DEFAULT false,
    ADD COLUMN external_refs jsonb,
    ADD COLUMN hsds jsonb,
    ADD COLUMN version bigint NOT NULL DEFAULT 1,
    ADD COLUMN updated_at timestamptz(3) NOT NULL DEFAULT now(),
    ADD CONSTRAINT organisation_listed CHECK (state IS NULL OR num_nulls(council, type, description) = 0);
COMMENT ON COLUMN organisation.state IS 'In the directory; NULL: not listed';
COMMENT ON COLUMN organisation.council IS 'Whose directory team keeps the listing';
COMMENT ON COLUMN organisation.identifiers IS 'Charity and company numbers: [{identifier_type, identifier, identifier_scheme}]';
COMMENT ON COLUMN organisation.parent_id IS 'The network or the parent that it belongs to';
COMMENT ON COLUMN organisation.confidential IS 'It and its services are never in public output';
COMMENT ON COLUMN organisation.hsds IS 'Members of the Open Referral document that it came from which have no column of their own';
CREATE INDEX organisation_listed_by_council ON organisation (council, id DESC) WHERE state IS NOT NULL;
CREATE INDEX organisation_listed_by_id ON organisation (id DESC) WHERE state = 'published' AND NOT confidential;
CREATE INDEX organisation_parent ON organisation (parent_id) WHERE parent_id IS NOT NULL;
GRANT SELECT ON organisation TO carers_public;
CREATE POLICY organisation_published ON organisation FOR SELECT TO carers_caller USING (state = 'published' AND NOT confidential);
CREATE POLICY organisation_edited ON organisation FOR SELECT TO carers_desk
    USING (app_role() = 'directory_editor' AND council = ANY (app_councils()) AND state IS NOT NULL);

CREATE TABLE directory_external_id (
    council text NOT NULL CHECK (council ~ '^E(06|08|09|10)[0-9]{6}$'),
    source text NOT NULL CHECK (length(source) BETWEEN 1 AND 200),
    kind text NOT NULL CHECK (kind IN ('organisation', 'service')),
    external_id text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 200),
    id uuid NOT NULL,
    checksum bytea,
    seen_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (council, source, kind, external_id)
);
COMMENT ON TABLE directory_external_id IS 'Which of our entries another directory''s is: an import that comes again changes nothing. No person stands in it';
COMMENT ON COLUMN directory_external_id.council IS 'Who imported it: a source is a council''s own, and what two councils call alike never meets';
COMMENT ON COLUMN directory_external_id.checksum IS 'SHA-256 of what was imported last';
CREATE INDEX directory_external_id_ours ON directory_external_id (id);
ALTER TABLE directory_external_id ENABLE ROW LEVEL SECURITY;

-- Services.

CREATE TABLE service (
    id uuid PRIMARY KEY,
    council text NOT NULL CHECK (council ~ '^E(06|08|09|10)[0-9]{6}$'),
    organisation_id uuid NOT NULL REFERENCES organisation,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description text NOT NULL CHECK (length(description) BETWEEN 1 AND 10000),
    website text,
    email text,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive', 'defunct', 'temporarily closed')),
    alert text,
    accreditations text,
    support_areas text[] NOT NULL DEFAULT '{}',
    needs text[] NOT NULL DEFAULT '{}',
    offers text[] NOT NULL DEFAULT '{}',
    eligibility jsonb,
    access_routes text[] NOT NULL DEFAULT '{}',
    referral_accepting boolean,
    capacity text CHECK (capacity IN ('yes', 'no', 'waitlist')),
    cost jsonb,
    funding_types text[] NOT NULL DEFAULT '{}',
    languages text[] NOT NULL DEFAULT '{}',
    accessibility text[] NOT NULL DEFAULT '{}',
    schedule jsonb,
    contacts jsonb,
    locations jsonb,
    areas_served text[] NOT NULL DEFAULT '{}',
    trust jsonb,
    assured_on date,
    assured_by text CHECK (assured_by IN ('council', 'organisation')),
    review_due_on date,
    confidential boolean NOT NULL DEFAULT false,
    external_refs jsonb,
    hsds jsonb,
    weekly int4multirange NOT NULL DEFAULT '{}',
    dated tsmultirange NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'published', 'archived')),
    state_since timestamptz(3) NOT NULL DEFAULT now(),
    state_reason text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now()
);
COMMENT ON TABLE service IS 'Entries of the directory. Their outward shape is service_view';
COMMENT ON COLUMN service.council IS 'Whose directory team keeps it';
COMMENT ON COLUMN service.status IS 'Open Referral''s word for whether it runs; state is this service''s for whether it is shown';
COMMENT ON COLUMN service.schedule IS 'When it is open: RFC 5545 rules, as Open Referral writes them; weekly and dated are made from them';
COMMENT ON COLUMN service.locations IS 'Where it is: each with its id, and service_at_location_id for Open Referral; directory_place has them as rows';
COMMENT ON COLUMN service.contacts IS 'Whom to ask: [{id, name, title, phones: [{id, number, description}]}]';
COMMENT ON COLUMN service.weekly IS 'Open every week: minutes since Monday 0:00 in London, from schedule';
COMMENT ON COLUMN service.dated IS 'Open besides, or not every week: spans in London''s time for the coming year, from schedule';
COMMENT ON COLUMN service.confidential IS 'A refuge, say: never in public output, nor shown to other organisations';
COMMENT ON COLUMN service.hsds IS 'Members of the Open Referral document that it came from which have no column of their own';
CREATE INDEX service_by_council ON service (council, id DESC) INCLUDE (state, organisation_id, updated_at);
-- CASE, not coalesce(), which PostgreSQL takes for leaky.
CREATE INDEX service_by_assurance ON service (council, (CASE WHEN assured_on IS NULL THEN '-infinity' ELSE assured_on END), id)
    INCLUDE (state, organisation_id);
CREATE INDEX service_by_organisation ON service (organisation_id, id DESC) INCLUDE (state, council);

CREATE TABLE directory_transition (
    action text NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    sides text[] NOT NULL,
    place integer NOT NULL,
    PRIMARY KEY (action, from_state)
);
COMMENT ON TABLE directory_transition IS 'What may be done with an entry in which state, where it leads, and who may do it: the council''s editor, or the organisation';
INSERT INTO directory_transition (action, from_state, to_state, sides, place) VALUES
    ('update', 'draft', 'draft', '{editor,organisation}', 1), ('update', 'published', 'published', '{editor,organisation}', 1),
    ('publish', 'draft', 'published', '{editor}', 2), ('publish', 'archived', 'published', '{editor}', 2),
    ('assure', 'draft', 'draft', '{editor,organisation}', 3), ('assure', 'published', 'published', '{editor,organisation}', 3),
    ('archive', 'draft', 'archived', '{editor}', 4), ('archive', 'published', 'archived', '{editor}', 4);
GRANT SELECT ON directory_transition TO carers_caller;

CREATE FUNCTION directory_side(council text, organisation uuid) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN app_role() IN ('directory_editor', 'council_admin') AND council = ANY (app_councils()) THEN 'editor'
                WHEN app_role() = 'vcfse_editor' AND organisation = app_org() THEN 'organisation' END;
COMMENT ON FUNCTION directory_side(text, uuid) IS 'For whom the caller edits an entry of this council and organisation; NULL: she only reads it';
GRANT EXECUTE ON FUNCTION directory_side(text, uuid) TO carers_caller;

ALTER TABLE service ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON service TO carers_caller;
GRANT INSERT (id, council, organisation_id, name, description, website, email, status, alert, accreditations, support_areas, needs, offers,
              eligibility, access_routes, referral_accepting, capacity, cost, funding_types, languages, accessibility, schedule, contacts, locations,
              areas_served, trust, review_due_on, confidential, external_refs, weekly, dated),
      UPDATE (name, description, website, email, status, alert, accreditations, support_areas, needs, offers, eligibility, access_routes,
              referral_accepting, capacity, cost, funding_types, languages, accessibility, schedule, contacts, locations, areas_served, trust,
              review_due_on, confidential, external_refs, weekly, dated, assured_on, assured_by, state, state_reason)
    ON service TO carers_council, carers_desk;
-- Which rows; the triggers say which acts.
CREATE POLICY service_public ON service FOR SELECT TO carers_public, carers_self USING (state = 'published' AND NOT confidential);
CREATE POLICY service_partner ON service FOR SELECT TO carers_partner
    USING (state = 'published' AND NOT confidential OR organisation_id = app_org());
CREATE POLICY service_desk ON service TO carers_desk
    USING (state = 'published' AND NOT confidential OR app_role() = 'directory_editor' AND council = ANY (app_councils())
           OR app_role() = 'vcfse_editor' AND organisation_id = app_org())
    WITH CHECK (true);
CREATE POLICY service_council ON service TO carers_council
    USING (state = 'published' AND (NOT confidential OR council = ANY (app_councils())) OR app_role() = 'council_admin' AND council = ANY (app_councils()))
    WITH CHECK (true);

-- Lists inside an entry: each item keeps its id, or is given one.
CREATE FUNCTION with_ids(items jsonb, VARIADIC names text[]) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT jsonb_agg(i.item || coalesce((SELECT jsonb_object_agg(n, to_jsonb(uuid7(clock_timestamp()))) FROM unnest(names) AS n
                                                  WHERE NOT i.item ? n), '{}') ORDER BY i.place)
              FROM jsonb_array_elements(items) WITH ORDINALITY AS i(item, place));
END
$$;
COMMENT ON FUNCTION with_ids(jsonb, text[]) IS 'Every item has these members: ids that it brings, or new ones; NULL for an empty list';

CREATE FUNCTION hours_dated(hours jsonb) RETURNS tsmultirange LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT coalesce(range_agg(tsrange(d.day + (h.span ->> 1)::integer * interval '1 minute', d.day + (h.span ->> 2)::integer * interval '1 minute')), '{}')
              FROM jsonb_array_elements(hours -> 'dated') AS h(span) CROSS JOIN LATERAL (SELECT date '1970-01-01' + (h.span ->> 0)::integer AS day) AS d);
END
$$;
COMMENT ON FUNCTION hours_dated(jsonb) IS 'service.dated of what api/rules/openings.c makes of a schedule: {"weekly": ..., "dated": [[day, opens, closes]]}';

CREATE FUNCTION service_a_normalise() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    IF (NEW.support_areas, NEW.needs, NEW.access_routes) <> ('{}', '{}', '{}') THEN
        SELECT format('/%ss/%s', c.taxonomy, c.place - 1) AS pointer, replace(c.taxonomy, '_', ' ') AS what INTO wrong
          FROM (SELECT 'support_area' AS taxonomy, a.code, a.place FROM unnest(NEW.support_areas) WITH ORDINALITY AS a(code, place)
                 UNION ALL SELECT 'need', a.code, a.place FROM unnest(NEW.needs) WITH ORDINALITY AS a(code, place)
                 UNION ALL SELECT 'access_route', a.code, a.place FROM unnest(NEW.access_routes) WITH ORDINALITY AS a(code, place)) AS c
         WHERE NOT EXISTS (SELECT FROM taxonomy_term t WHERE t.taxonomy = c.taxonomy AND t.code = c.code AND t.active)
         LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'is no % of the taxonomy', wrong.what USING ERRCODE = 'CA42V', HINT = wrong.pointer;
        END IF;
    END IF;
    IF (NEW.eligibility ->> 'minimum_age')::integer > (NEW.eligibility ->> 'maximum_age')::integer THEN
        RAISE EXCEPTION 'is less than the minimum age' USING ERRCODE = 'CA42V', HINT = '/eligibility/maximum_age';
    END IF;
    IF NEW.locations IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.locations IS DISTINCT FROM OLD.locations) THEN
        NEW.locations := directory_located(with_ids(NEW.locations, 'id', 'service_at_location_id'));
    END IF;
    IF NEW.schedule IS NOT NULL THEN
        NEW.schedule := with_ids(NEW.schedule, 'id');
    END IF;
    IF NEW.contacts IS NOT NULL THEN
        NEW.contacts := (SELECT jsonb_agg(c.item || CASE WHEN c.item ? 'phones' THEN jsonb_build_object('phones', with_ids(c.item -> 'phones', 'id')) ELSE '{}' END
                                          ORDER BY c.place)
                           FROM jsonb_array_elements(with_ids(NEW.contacts, 'id')) WITH ORDINALITY AS c(item, place));
    END IF;
    NEW.external_refs := nullif(NEW.external_refs, '[]');
    NEW.confidential := NEW.confidential OR coalesce(directory_organisation_hidden(NEW.organisation_id), false);
    IF NEW.state = 'published' AND NEW.assured_on IS NULL THEN
        NEW.assured_on := today(); -- who publishes it has looked at it
        NEW.assured_by := 'council';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION service_a_normalise() IS 'Codes are of the taxonomy; places have coordinates; what is in lists has ids';

CREATE FUNCTION directory_organisation_hidden(wanted uuid) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT o.confidential FROM organisation o WHERE o.id = wanted);
END
$$;
COMMENT ON FUNCTION directory_organisation_hidden(uuid) IS 'It is confidential, and so is whatever is of it; also of organisations that the caller does not see';

CREATE FUNCTION directory_organisation_state(wanted uuid) RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(o.state, 'unlisted') FROM organisation o WHERE o.id = wanted);
END
$$;
COMMENT ON FUNCTION directory_organisation_state(uuid) IS 'Also of organisations that the caller does not see; NULL: there is none';

CREATE FUNCTION directory_organisation_serves(wanted uuid, where_to text) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM organisation o WHERE o.id = wanted AND (where_to = ANY (o.councils) OR where_to = o.council));
END
$$;
COMMENT ON FUNCTION directory_organisation_serves(uuid, text) IS 'The council is one that it works for, or that keeps its listing; also of organisations that the caller does not see';
GRANT EXECUTE ON FUNCTION with_ids(jsonb, text[]), hours_dated(jsonb), directory_organisation_hidden(uuid), directory_organisation_state(uuid),
    directory_organisation_serves(uuid, text) TO carers_council, carers_desk;

CREATE FUNCTION service_b_create() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    listed text := directory_organisation_state(NEW.organisation_id);
BEGIN
    IF listed IS NULL OR listed IN ('unlisted', 'archived') THEN
        RAISE EXCEPTION 'is no organisation of the directory' USING ERRCODE = 'CA42V', HINT = '/organisation_id';
    ELSIF app_role() = 'vcfse_editor' AND NEW.organisation_id IS DISTINCT FROM app_org() THEN
        RAISE EXCEPTION 'an organisation adds entries of its own' USING ERRCODE = 'CA403';
    ELSIF (CASE app_role() WHEN 'vcfse_editor' THEN NOT directory_organisation_serves(app_org(), NEW.council) ELSE NEW.council <> ALL (app_councils()) END) THEN
        RAISE EXCEPTION 'is not one of your councils' USING ERRCODE = 'CA42V', HINT = '/council';
    ELSIF directory_side(NEW.council, NEW.organisation_id) IS NULL THEN
        RAISE EXCEPTION 'this role adds no entries' USING ERRCODE = 'CA403';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION service_b_create() IS 'Who adds entries, and for whom: always drafts';

CREATE FUNCTION service_b_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    side text := directory_side(OLD.council, OLD.organisation_id);
    own CONSTANT text[] := '{assured_on,assured_by}';
    step directory_transition;
BEGIN
    IF current_user NOT IN ('carers_council', 'carers_desk') THEN
        RETURN NEW; -- a function of the owner: a proposal was approved, a link used, the organisation archived
    END IF;
    PERFORM precondition(OLD.id, OLD.version);
    IF side IS NULL THEN
        RAISE EXCEPTION 'this entry is another editor''s' USING ERRCODE = 'CA403';
    END IF;
    SELECT t.* INTO step FROM directory_transition t
     WHERE t.from_state = OLD.state AND t.to_state = NEW.state AND side = ANY (t.sides)
     ORDER BY t.place LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'an entry that is % does not become %', OLD.state, NEW.state
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', OLD.state);
    ELSIF side = 'organisation' AND to_jsonb(NEW) - own <> to_jsonb(OLD) - own THEN
        RAISE EXCEPTION 'an organisation proposes its changes' USING ERRCODE = 'CA422', HINT = 'D3';
    END IF;
    IF NEW.state <> OLD.state THEN
        NEW.state_since := clock_timestamp();
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION service_b_change() IS 'Who changes entries, from which state to which; rule D3';

CREATE FUNCTION directory_audited() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    fresh CONSTANT jsonb := to_jsonb(NEW) - ('{version,updated_at,weekly,dated,pdf}'::text[] || TG_ARGV);
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO audit_entry (council, subject_table, after) VALUES (fresh ->> 'council', TG_TABLE_NAME, jsonb_strip_nulls(fresh));
    ELSE
        INSERT INTO audit_entry (council, subject_table, before, after)
        SELECT fresh ->> 'council', TG_TABLE_NAME, jsonb_object_agg(f.key, s.value) FILTER (WHERE s.value <> 'null'),
               jsonb_object_agg(f.key, f.value) FILTER (WHERE f.value <> 'null')
          FROM jsonb_each(fresh) AS f JOIN jsonb_each(to_jsonb(OLD)) AS s USING (key)
         WHERE f.value <> s.value;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION directory_audited() IS
    'AFTER INSERT OR UPDATE of a row of the directory, which has a council: leaves an audit row with what changed';

-- What hours_renew() writes is no change: nobody sees it, and a code of the taxonomy that is out of use does not keep it from being written.
CREATE FUNCTION hours_renewing() RETURNS boolean LANGUAGE sql STABLE
    RETURN coalesce(current_setting('app.operation', true), '') = 'renew-hours';
COMMENT ON FUNCTION hours_renewing() IS 'The transaction is the service''s own, which works out schedules anew; no operation has this name';
GRANT EXECUTE ON FUNCTION hours_renewing() TO carers_caller;

CREATE TRIGGER service_a_normalise BEFORE INSERT OR UPDATE ON service FOR EACH ROW WHEN (NOT hours_renewing()) EXECUTE FUNCTION service_a_normalise();
CREATE TRIGGER service_b_create BEFORE INSERT ON service FOR EACH ROW EXECUTE FUNCTION service_b_create();
CREATE TRIGGER service_b_change BEFORE UPDATE ON service FOR EACH ROW EXECUTE FUNCTION service_b_change();
CREATE TRIGGER service_z_versioned BEFORE UPDATE ON service FOR EACH ROW WHEN (NOT hours_renewing()) EXECUTE FUNCTION versioned();
CREATE TRIGGER service_audited AFTER INSERT OR UPDATE ON service FOR EACH ROW WHEN (NOT hours_renewing()) EXECUTE FUNCTION directory_audited();

-- Organisations are written by functions: nobody is granted their columns.

CREATE FUNCTION organisation_row(body jsonb) RETURNS organisation LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN jsonb_populate_record(NULL::organisation, body);
END
$$;
COMMENT ON FUNCTION organisation_row(jsonb) IS 'The row of what clients send';

CREATE FUNCTION organisation_insert(ident uuid, body jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    sent organisation := organisation_row(body);
BEGIN
    IF app_role() NOT IN ('directory_editor', 'council_admin') THEN
        RAISE EXCEPTION 'the council''s directory team lists organisations' USING ERRCODE = 'CA403';
    ELSIF sent.council <> ALL (app_councils()) THEN
        RAISE EXCEPTION 'is not one of your councils' USING ERRCODE = 'CA42V', HINT = '/council';
    ELSIF sent.parent_id IS NOT NULL AND NOT organisation_exists(sent.parent_id) THEN
        RAISE EXCEPTION 'no organisation has this id' USING ERRCODE = 'CA42V', HINT = '/parent_id';
    END IF;
    INSERT INTO organisation (id, name, kind, councils, state, council, type, description, email, phone, website, logo, uri, parent_id, identifiers,
                              carer_friendly_employer, confidential, external_refs)
    VALUES (ident, sent.name, 'community_organisation', ARRAY[sent.council], coalesce(sent.state, 'published'), sent.council, sent.type,
            sent.description, sent.email, sent.phone, sent.website, sent.logo, sent.uri, sent.parent_id, with_ids(sent.identifiers, 'id'),
            sent.carer_friendly_employer, coalesce(sent.confidential, false), nullif(sent.external_refs, '[]'));
END
$$;
COMMENT ON FUNCTION organisation_insert(uuid, jsonb) IS 'A new organisation of the directory';

CREATE FUNCTION organisation_patch(ident uuid, patch jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    kept organisation;
BEGIN
    SELECT o.* INTO kept FROM organisation o WHERE o.id = ident AND (o.state = 'published' AND NOT o.confidential OR directory_side(o.council, o.id) IS NOT NULL)
       FOR NO KEY UPDATE;
    IF NOT FOUND OR kept.state IS NULL THEN
        RAISE EXCEPTION 'no organisation of the directory has this id' USING ERRCODE = 'CA404';
    ELSIF directory_side(kept.council, kept.id) IS DISTINCT FROM 'editor' THEN
        RAISE EXCEPTION 'this entry is another editor''s' USING ERRCODE = 'CA403';
    END IF;
    PERFORM precondition(kept.id, kept.version);
    UPDATE organisation o
       SET (name, state, type, description, email, phone, website, logo, uri, parent_id, identifiers, carer_friendly_employer, confidential,
            external_refs) = (
               SELECT b.name, b.state, b.type, b.description, b.email, b.phone, b.website, b.logo, b.uri, b.parent_id, with_ids(b.identifiers, 'id'),
                      b.carer_friendly_employer, coalesce(b.confidential, false), nullif(b.external_refs, '[]')
                 FROM organisation_row(merge_patch(to_jsonb(o), patch)) AS b)
     WHERE o.id = ident;
END
$$;
COMMENT ON FUNCTION organisation_patch(uuid, jsonb) IS 'Its listing changed by the council''s directory team';
GRANT EXECUTE ON FUNCTION organisation_insert(uuid, jsonb), organisation_patch(uuid, jsonb) TO carers_council, carers_desk;

CREATE FUNCTION organisation_followed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.state = 'archived' AND OLD.state <> 'archived' THEN
        UPDATE service s SET state = 'archived', state_since = clock_timestamp(), state_reason = 'The organisation was archived'
         WHERE s.organisation_id = NEW.id AND s.state <> 'archived';
    ELSIF NEW.confidential AND NOT OLD.confidential THEN
        UPDATE service s SET confidential = true WHERE s.organisation_id = NEW.id AND NOT s.confidential;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION organisation_followed() IS 'Its services go with it: archived, or confidential';
CREATE TRIGGER organisation_z_versioned BEFORE UPDATE ON organisation FOR EACH ROW EXECUTE FUNCTION versioned();
CREATE TRIGGER organisation_followed AFTER UPDATE ON organisation FOR EACH ROW WHEN (NEW.state IS NOT NULL) EXECUTE FUNCTION organisation_followed();
CREATE TRIGGER organisation_audited_insert AFTER INSERT ON organisation FOR EACH ROW WHEN (NEW.state IS NOT NULL)
    EXECUTE FUNCTION directory_audited();
CREATE TRIGGER organisation_audited_update AFTER UPDATE ON organisation FOR EACH ROW WHEN (NEW.state IS NOT NULL)
    EXECUTE FUNCTION directory_audited();

-- The outward shapes.

CREATE FUNCTION directory_currency(assured date) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN assured > today() - 90 THEN 'fresh' WHEN assured >= today() - 180 THEN 'due' ELSE 'stale' END;
COMMENT ON FUNCTION directory_currency(date) IS 'Fresh for less than 90 days after it was assured, stale when that is more than 180 days ago, or never';
GRANT EXECUTE ON FUNCTION directory_currency(date) TO carers_caller;

CREATE FUNCTION directory_actions(side text, now_in text) RETURNS text LANGUAGE sql STABLE
    RETURN coalesce((SELECT jsonb_agg(t.action ORDER BY t.place)::text FROM directory_transition t
                      WHERE t.from_state = now_in AND side = ANY (t.sides)), '[]');
COMMENT ON FUNCTION directory_actions(text, text) IS 'available_actions of an entry in this state for this side';
CREATE FUNCTION member(name text, value text[]) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN cardinality(value) > 0 THEN (',"' || name || '":') || to_json(value)::text END;
COMMENT ON FUNCTION member(text, text[]) IS ',"name":[...] as JSON, NULL when there is none';
GRANT EXECUTE ON FUNCTION directory_actions(text, text), member(text, text[]) TO carers_caller;

CREATE VIEW service_view WITH (security_invoker = true) AS
SELECT s.id, s.version, s.council, s.organisation_id, s.state, concat(
           '{"id":"', s.id, '","organisation_id":"', s.organisation_id, '"',
           member('organisation_name', o.name),
           member('council', s.council),
           member('name', s.name),
           member('description', s.description),
           member('website', s.website),
           member('email', s.email),
           member('status', s.status),
           member('alert', s.alert),
           member('accreditations', s.accreditations),
           member('support_areas', s.support_areas),
           member('needs', s.needs),
           member('offers', s.offers),
           member('eligibility', s.eligibility),
           member('access_routes', s.access_routes),
           member('referral_accepting', s.referral_accepting),
           member('capacity', s.capacity),
           member('cost', s.cost),
           member('funding_types', s.funding_types),
           member('languages', s.languages),
           member('accessibility', s.accessibility),
           member('schedule', s.schedule),
           member('contacts', s.contacts),
           member('locations', s.locations),
           member('areas_served', s.areas_served),
           member('trust', s.trust),
           member('assured_on', to_char(s.assured_on, 'YYYY-MM-DD')),
           member('assured_by', s.assured_by),
           member('currency', directory_currency(s.assured_on)),
           member('review_due_on', CASE WHEN e.side IS NOT NULL THEN to_char(s.review_due_on, 'YYYY-MM-DD') END),
           member('confidential', CASE WHEN s.confidential THEN true END),
           member('external_refs', CASE WHEN e.side IS NOT NULL THEN s.external_refs END),
           member('state', s.state),
           member('state_since', instant(s.state_since)),
           member('state_reason', CASE WHEN e.side IS NOT NULL THEN s.state_reason END),
           ',"available_actions":', CASE WHEN e.side IS NULL THEN '[]' ELSE directory_actions(e.side, s.state) END,
           member('created_at', instant(s.created_at)),
           member('updated_at', instant(s.updated_at)), '}') AS body
  FROM service s
  LEFT JOIN organisation o ON o.id = s.organisation_id
 CROSS JOIN LATERAL (SELECT directory_side(s.council, s.organisation_id) AS side OFFSET 0) AS e;
COMMENT ON VIEW service_view IS 'What callers see of an entry: body, version (the ETag)';

CREATE VIEW listed_view WITH (security_invoker = true) AS
SELECT o.id, o.version, o.council, o.state, o.type, concat(
           '{"id":"', o.id, '"',
           member('council', o.council),
           member('name', o.name),
           member('type', o.type),
           member('description', o.description),
           member('email', o.email),
           member('phone', o.phone),
           member('website', o.website),
           member('logo', o.logo),
           member('uri', o.uri),
           member('parent_id', o.parent_id::text),
           member('identifiers', o.identifiers),
           member('carer_friendly_employer', o.carer_friendly_employer),
           member('confidential', CASE WHEN o.confidential THEN true END),
           member('external_refs', CASE WHEN directory_side(o.council, o.id) IS NOT NULL THEN o.external_refs END),
           member('state', o.state),
           ',"available_actions":', CASE WHEN directory_side(o.council, o.id) IS NOT NULL THEN '["update"]' ELSE '[]' END,
           member('created_at', instant(o.created_at)),
           member('updated_at', instant(o.updated_at)), '}') AS body
  FROM organisation o
 WHERE o.state IS NOT NULL;
COMMENT ON VIEW listed_view IS 'What callers see of an organisation of the directory: body, version (the ETag)';
GRANT SELECT ON service_view, listed_view TO carers_caller;

CREATE FUNCTION entry_cursor(assured date, last uuid) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN cursor_of(coalesce(nullif(assured, '-infinity'), '1970-01-01')::timestamp AT TIME ZONE 'UTC', last);
COMMENT ON FUNCTION entry_cursor(date, uuid) IS 'Cursor of the work list, in order of assurance; what was never assured stands before 1970';
CREATE FUNCTION entry_after(cursor text, OUT assured date, OUT id uuid) LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    a record;
BEGIN
    SELECT c.at, c.id INTO a FROM cursor_after(cursor, NULL) AS c;
    assured := CASE WHEN a.at > '1970-01-01 00:00+00' THEN (a.at AT TIME ZONE 'UTC')::date WHEN a.at IS NOT NULL THEN '-infinity' END;
    id := a.id;
END
$$;
COMMENT ON FUNCTION entry_after(text) IS 'entry_cursor() the other way round; NULL: the first page';
GRANT EXECUTE ON FUNCTION entry_cursor(date, uuid), entry_after(text) TO carers_caller;

-- Schedules that do not hold every week are worked out for 400 days; once a day those that end within 60 are worked out anew, a page at a time.

CREATE INDEX service_by_hours ON service (id) WHERE schedule IS NOT NULL AND (dated <> '{}' OR weekly = '{}');

CREATE TABLE hours_round (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    day date NOT NULL,
    after uuid NOT NULL
);
COMMENT ON TABLE hours_round IS 'How far the round of a day has come through the entries; one row for all replicas';
ALTER TABLE hours_round ENABLE ROW LEVEL SECURITY;
INSERT INTO hours_round (day, after) VALUES ('-infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff');

CREATE FUNCTION hours_page() RETURNS TABLE (id uuid, schedule jsonb) LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    done hours_round;
    page uuid[];
BEGIN
    SELECT r.* INTO done FROM hours_round r FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND OR done.day = today() AND done.after = 'ffffffff-ffff-ffff-ffff-ffffffffffff' THEN
        RETURN;
    ELSIF done.day <> today() THEN
        done.after := '00000000-0000-0000-0000-000000000000';
    END IF;
    page := ARRAY(SELECT s.id FROM service s
                   WHERE s.schedule IS NOT NULL AND (s.dated <> '{}' OR s.weekly = '{}') AND s.id > done.after
                   ORDER BY s.id LIMIT 500);
    UPDATE hours_round r
       SET day = today(), after = CASE WHEN cardinality(page) < 500 THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE page[500] END;
    RETURN QUERY SELECT s.id, s.schedule FROM service s
                  WHERE s.id = ANY (page) AND s.state <> 'archived' AND coalesce(upper(s.dated), '-infinity') < today() + 60;
END
$$;
COMMENT ON FUNCTION hours_page() IS 'The next entries of today''s round whose dated hours end within 60 days; none when it is done, or another replica is at it';

CREATE FUNCTION hours_renew(items jsonb) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH fresh AS (
        SELECT (i.item ->> 'id')::uuid AS id, i.item -> 'schedule' AS schedule, coalesce((i.item #>> '{hours,weekly}')::int4multirange, '{}') AS weekly,
               hours_dated(i.item -> 'hours') AS dated
          FROM jsonb_array_elements(items) AS i(item)),
    renewed AS (
        UPDATE service s SET weekly = f.weekly, dated = f.dated
          FROM fresh f
         WHERE s.id = f.id AND s.schedule = f.schedule
           AND (s.weekly <> f.weekly OR coalesce(upper(f.dated), '-infinity') > coalesce(upper(s.dated), '-infinity'))
        RETURNING s.id)
    SELECT count(*) FROM renewed
$$;
COMMENT ON FUNCTION hours_renew(jsonb) IS 'Hours of schedules that are still what they were: [{id, schedule, hours}]. How many reach further now';
GRANT EXECUTE ON FUNCTION hours_page(), hours_renew(jsonb) TO carers_service;
