-- Contingency plans: what is to be done when the carer cannot care; emergency access ("break glass"); what a carer's own app sees.

CREATE TABLE contingency_plan (
    carer_id uuid PRIMARY KEY REFERENCES carer ON DELETE CASCADE,
    council text NOT NULL,
    emergency_contacts jsonb NOT NULL,
    instructions text NOT NULL,
    cared_for_needs text,
    medication_location text,
    who_knows jsonb,
    access_notes text,
    session_held_on date,
    reviewed_on date,
    review_due_on date,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now()
);
COMMENT ON TABLE contingency_plan IS
    'What is to be done when a carer cannot care: one plan a carer, put whole. Its outward shape is contingency_plan_view';
COMMENT ON COLUMN contingency_plan.emergency_contacts IS 'In the order in which they are to be called';
COMMENT ON COLUMN contingency_plan.cared_for_needs IS 'What the person whom she cares for needs within hours';
COMMENT ON COLUMN contingency_plan.access_notes IS 'How to get into the home: see shows_access_notes()';
COMMENT ON COLUMN contingency_plan.review_due_on IS 'Twelve months after reviewed_on unless it is given';

CREATE FUNCTION shows_access_notes() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN app_role() IN ('council_admin', 'practitioner', 'carer');
COMMENT ON FUNCTION shows_access_notes() IS
    'The caller may read how to get into the home, and so she may write it; for all others it is as if it were not there';
GRANT EXECUTE ON FUNCTION shows_access_notes() TO carers_council, carers_partner, carers_self;

ALTER TABLE contingency_plan ENABLE ROW LEVEL SECURITY;
GRANT SELECT,
      INSERT (carer_id, emergency_contacts, instructions, cared_for_needs, medication_location, who_knows, access_notes,
              session_held_on, reviewed_on, review_due_on),
      UPDATE (emergency_contacts, instructions, cared_for_needs, medication_location, who_knows, access_notes, session_held_on,
              reviewed_on, review_due_on)
    ON contingency_plan TO carers_council, carers_partner, carers_self;

CREATE POLICY contingency_plan_council ON contingency_plan TO carers_council
    USING (council = ANY (app_councils())) WITH CHECK (council = ANY (app_councils()));
CREATE POLICY contingency_plan_partner ON contingency_plan FOR SELECT TO carers_partner
    USING (EXISTS (SELECT FROM carer_access a
                    WHERE a.organisation_id = app_org() AND a.carer_id = contingency_plan.carer_id
                      AND in_force(a.starts_at, a.ends_at) OFFSET 0));
CREATE POLICY contingency_plan_partner_change ON contingency_plan FOR UPDATE TO carers_partner
    USING (app_role() <> 'break_provider'
           AND EXISTS (SELECT FROM carer_access a
                        WHERE a.organisation_id = app_org() AND a.carer_id = contingency_plan.carer_id
                          AND in_force(a.starts_at, a.ends_at) OFFSET 0));
CREATE POLICY contingency_plan_partner_create ON contingency_plan FOR INSERT TO carers_partner
    WITH CHECK (app_role() <> 'break_provider'
                AND EXISTS (SELECT FROM carer_access a
                             WHERE a.organisation_id = app_org() AND a.carer_id = contingency_plan.carer_id
                               AND in_force(a.starts_at, a.ends_at) OFFSET 0));
CREATE POLICY contingency_plan_self ON contingency_plan TO carers_self
    USING (carer_id = app_carer()) WITH CHECK (carer_id = app_carer());

-- In order of name: a looks for the carer, b whether there is something to replace, c keeps the rules, z counts the version.

CREATE FUNCTION contingency_plan_c_rules() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        PERFORM precondition(OLD.carer_id, OLD.version);
    END IF;
    IF NOT shows_access_notes() AND NEW.access_notes IS NOT NULL THEN
        RAISE EXCEPTION 'is written by council staff and by the carer' USING ERRCODE = 'CA42V', HINT = '/access_notes';
    ELSIF NOT shows_access_notes() AND TG_OP = 'UPDATE' THEN
        NEW.access_notes := OLD.access_notes;
    END IF;
    IF NEW.session_held_on > today() THEN
        RAISE EXCEPTION 'lies in the future' USING ERRCODE = 'CA42V', HINT = '/session_held_on';
    ELSIF NEW.reviewed_on > today() THEN
        RAISE EXCEPTION 'lies in the future' USING ERRCODE = 'CA42V', HINT = '/reviewed_on';
    ELSIF NEW.review_due_on <= NEW.reviewed_on THEN
        RAISE EXCEPTION 'must be later than reviewed_on' USING ERRCODE = 'CA42V', HINT = '/review_due_on';
    END IF;
    NEW.who_knows := nullif(NEW.who_knows, '[]');
    NEW.review_due_on := coalesce(NEW.review_due_on, NEW.reviewed_on + interval '12 months');
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION contingency_plan_c_rules() IS
    'What was held and reviewed lies behind us, what is due lies after it; who is not shown how to get in leaves that as it is';

CREATE FUNCTION contingency_plan_evented() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_event(NEW.carer_id, NEW.council, 'plan.recorded', NEW.carer_id, NEW.version, NULL,
                       'The contingency plan was ' || CASE TG_OP WHEN 'INSERT' THEN 'recorded' ELSE 'changed' END);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION contingency_plan_evented() IS 'That there is a new plan, and nothing of it';

CREATE TRIGGER contingency_plan_a_of_carer BEFORE INSERT OR UPDATE ON contingency_plan
    FOR EACH ROW EXECUTE FUNCTION of_carer('open');
CREATE TRIGGER contingency_plan_b_replaceable BEFORE INSERT OR UPDATE ON contingency_plan
    FOR EACH ROW EXECUTE FUNCTION replaceable();
CREATE TRIGGER contingency_plan_c_rules BEFORE INSERT OR UPDATE ON contingency_plan
    FOR EACH ROW EXECUTE FUNCTION contingency_plan_c_rules();
CREATE TRIGGER contingency_plan_z_versioned BEFORE UPDATE ON contingency_plan
    FOR EACH ROW EXECUTE FUNCTION versioned('carer_id');
CREATE TRIGGER contingency_plan_audited AFTER INSERT OR UPDATE ON contingency_plan
    FOR EACH ROW EXECUTE FUNCTION audited('carer_id', '*emergency_contacts', '*who_knows', '*access_notes');
CREATE TRIGGER contingency_plan_evented AFTER INSERT OR UPDATE ON contingency_plan
    FOR EACH ROW EXECUTE FUNCTION contingency_plan_evented();

CREATE VIEW contingency_plan_view WITH (security_invoker = true) AS
SELECT p.carer_id, p.council, p.version, concat(
           '{"carer_id":"', p.carer_id, '"',
           member('emergency_contacts', p.emergency_contacts),
           member('instructions', p.instructions),
           member('cared_for_needs', p.cared_for_needs),
           member('medication_location', p.medication_location),
           member('who_knows', CASE WHEN app_role() <> 'break_provider' THEN p.who_knows END),
           member('access_notes', CASE WHEN shows_access_notes() THEN p.access_notes END),
           member('session_held_on', to_char(p.session_held_on, 'YYYY-MM-DD')),
           member('reviewed_on', to_char(p.reviewed_on, 'YYYY-MM-DD')),
           member('review_due_on', to_char(p.review_due_on, 'YYYY-MM-DD')),
           member('created_at', instant(p.created_at)),
           member('updated_at', instant(p.updated_at)),
           '}') AS body
  FROM contingency_plan p;
COMMENT ON VIEW contingency_plan_view IS
    'What callers see of a plan: body, version (the ETag). break_provider sees not who has a copy; how to get in is for council '
    'staff and the carer';
GRANT SELECT ON contingency_plan_view TO carers_council, carers_partner, carers_self;

-- Emergency access: a hospital in-reach team reads what an emergency needs of any carer of the councils that its organisation works
-- for. It says why, and the council and the carer learn of it.

CREATE TABLE emergency_access (
    id uuid PRIMARY KEY,
    carer_id uuid NOT NULL REFERENCES carer,
    council text NOT NULL,
    organisation_id uuid NOT NULL DEFAULT app_org() REFERENCES organisation,
    organisation_name text NOT NULL,
    actor text NOT NULL DEFAULT app_subject(),
    role text NOT NULL DEFAULT app_role(),
    reason text NOT NULL CHECK (length(reason) BETWEEN 10 AND 1000),
    at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE emergency_access IS
    'Who broke the glass for whom, and why. Append-only, written by emergency_access_open() alone; gives no access to the record';
COMMENT ON COLUMN emergency_access.organisation_name IS
    'As it was called then: neither the carer nor, later, the council need see the organisation otherwise';
CREATE INDEX emergency_access_by_carer ON emergency_access (carer_id, id DESC);

ALTER TABLE emergency_access ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON emergency_access TO carers_council, carers_self;
CREATE POLICY emergency_access_council ON emergency_access FOR SELECT TO carers_council
    USING (council = ANY (app_councils()));
CREATE POLICY emergency_access_self ON emergency_access FOR SELECT TO carers_self USING (carer_id = app_carer());

CREATE FUNCTION emergency_access_evented() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    planned boolean := EXISTS (SELECT FROM contingency_plan p WHERE p.carer_id = NEW.carer_id);
BEGIN
    PERFORM note_event(NEW.carer_id, NEW.council, 'emergency.access', NEW.id, NULL, NULL,
                       format(CASE WHEN planned THEN 'The contingency plan was read in an emergency by %s'
                                   ELSE 'The record was read in an emergency by %s: it has no contingency plan' END, NEW.role));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION emergency_access_evented() IS 'Which role read what; why, and who, stands in the table';

CREATE TRIGGER emergency_access_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON emergency_access
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER emergency_access_audited AFTER INSERT ON emergency_access
    FOR EACH ROW EXECUTE FUNCTION audited('carer_id');
CREATE TRIGGER emergency_access_evented AFTER INSERT ON emergency_access
    FOR EACH ROW EXECUTE FUNCTION emergency_access_evented();

CREATE FUNCTION emergency_access_open(new_id uuid, whose uuid, why text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    team organisation;
    c carer;
    opened emergency_access;
BEGIN
    IF app_role() <> 'hospital_in_reach' THEN
        RAISE EXCEPTION 'emergency access is for hospital in-reach teams' USING ERRCODE = 'CA403';
    END IF;
    SELECT * INTO team FROM organisation o WHERE o.id = app_org();
    SELECT * INTO c FROM carer k WHERE k.id = whose AND k.council = ANY (team.councils);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no carer has this id' USING ERRCODE = 'CA404';
    END IF;
    INSERT INTO emergency_access (id, carer_id, council, organisation_name, reason)
    VALUES (new_id, c.id, c.council, team.name, why)
    RETURNING * INTO opened;
    RETURN concat(
        '{"id":"', opened.id, '"',
        member('carer_id', opened.carer_id::text),
        member('at', instant(opened.at)),
        member('reason', opened.reason),
        ',"carer":{', ltrim(concat(
            member('given_name', c.given_name),
            member('family_name', c.family_name),
            member('date_of_birth', to_char(c.date_of_birth, 'YYYY-MM-DD')),
            member('preferred_language', c.preferred_language),
            member('interpreter_required', c.interpreter_required),
            member('contact', CASE WHEN c.contact ? 'phone' THEN jsonb_build_object('phone', c.contact -> 'phone') END)),
        ','), '}',
        member('cared_for', (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                                                  'relationship', p.one -> 'relationship', 'given_name', p.one -> 'given_name',
                                                  'setting', p.one -> 'setting', 'needs', p.one -> 'needs')) ORDER BY p.place)
                               FROM jsonb_array_elements(c.cared_for) WITH ORDINALITY AS p(one, place))),
        ',"contingency_plan":' || (SELECT v.body FROM contingency_plan_view v WHERE v.carer_id = c.id),
        '}');
END
$$;
COMMENT ON FUNCTION emergency_access_open(uuid, uuid, text) IS
    'Breaks the glass: notes who and why, and answers what an emergency needs of a carer whom the caller need not see. The only '
    'road there; CA404 beyond the councils that the caller''s organisation works for';
GRANT EXECUTE ON FUNCTION emergency_access_open(uuid, uuid, text) TO carers_partner;

CREATE VIEW emergency_access_view WITH (security_invoker = true) AS
SELECT e.id, e.carer_id, concat(
           '{"id":"', e.id, '"',
           member('carer_id', e.carer_id::text),
           member('at', instant(e.at)),
           ',"organisation":{"id":"', e.organisation_id, '"', member('name', e.organisation_name), '}',
           member('role', e.role),
           member('subject', CASE WHEN app_role() <> 'carer' THEN e.actor END),
           member('reason', e.reason),
           '}') AS body
  FROM emergency_access e;
COMMENT ON VIEW emergency_access_view IS 'What the council and the carer see of an emergency access; subjects are for the council';
GRANT SELECT ON emergency_access_view TO carers_council, carers_self;

INSERT INTO event_kind (kind, resource, path, roles) VALUES
    ('plan.recorded', 'contingency_plan', '/v1/carers/%1$s/contingency-plan', DEFAULT),
    ('emergency.access', 'emergency_access', '/v1/carers/%1$s/emergency-access', '{council_admin,practitioner,carer}');

-- The carer's own app.

CREATE FUNCTION my_record() RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    mine json;
BEGIN
    IF app_role() <> 'carer' THEN
        RETURN NULL; -- before anything is asked of tables that other classes may not read
    END IF;
    WITH found AS MATERIALIZED (SELECT c.* FROM carer c WHERE c.id = app_carer()),
    noted AS (INSERT INTO audit_entry (council, carer_ids) SELECT f.council, ARRAY[f.id] FROM found f)
    SELECT json_build_object('id', f.id, 'council', f.council, 'state', f.state, 'etag', format('"v%s"', f.version),
                             'preferred_language', f.preferred_language, 'interpreter_required', f.interpreter_required,
                             'available_actions', coalesce((SELECT a.actions FROM carer_available a
                                                             WHERE a.role = app_role() AND a.state = f.state), '[]')::json)
      INTO mine
      FROM found f;
    RETURN mine;
END
$$;
COMMENT ON FUNCTION my_record() IS
    'For getMe: what a carer''s app needs of her record to start, and the audit row of the reading; NULL for other roles';
GRANT EXECUTE ON FUNCTION my_record() TO carers_caller;

-- state_note is a practitioner's word to practitioners: not for the carer's own token. The rest of the view is as it was.
CREATE OR REPLACE VIEW carer_view WITH (security_invoker = true) AS
SELECT c.id, c.council, c.version, concat(
           '{"id":"', c.id, '"',
           member('council', c.council),
           member('state', c.state),
           member('state_since', instant(c.state_since)),
           member('state_reason', c.state_reason),
           member('state_note', CASE WHEN app_role() <> 'carer' THEN c.state_note END),
           ',"available_actions":', coalesce(
               (SELECT a.actions FROM carer_available a WHERE a.role = app_role() AND a.state = c.state), '[]'),
           member('kind', c.kind),
           member('given_name', c.given_name),
           member('family_name', c.family_name),
           member('date_of_birth', to_char(c.date_of_birth, 'YYYY-MM-DD')),
           member('nhs_number', CASE WHEN app_role() <> 'break_provider' THEN c.nhs_number END),
           member('contact', c.contact),
           member('address', c.address),
           member('preferred_language', c.preferred_language),
           member('interpreter_required', c.interpreter_required),
           member('accessible_format', c.accessible_format),
           member('identification', c.identification),
           member('previously_known', c.previously_known),
           member('known_to_social_care', c.known_to_social_care),
           member('employment_status', c.employment_status),
           member('gp', c.gp),
           member('cared_for', c.cared_for),
           member('external_refs', c.external_refs),
           member('triage', CASE WHEN app_role() <> 'break_provider' THEN c.triage END),
           member('duplicate_reason', CASE WHEN app_role() <> 'carer' THEN c.duplicate_reason END),
           member('created_at', instant(c.created_at)),
           member('updated_at', instant(c.updated_at)),
           '}') AS body
  FROM carer c;
COMMENT ON VIEW carer_view IS
    'What callers see of a carer: body, version (the ETag). break_provider sees neither NHS number nor triage, the carer herself '
    'neither state_note nor duplicate_reason';
