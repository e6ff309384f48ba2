-- Assessments: light touch, statutory, reviews and reassessments; their machine of states, and rules A4 to A8 and A11. What is
-- found in them, rule A6, which asks for it, and the outward shape, which shows it, stand in 0016.

-- What councils do differently from each other.

CREATE TABLE council_default (
    name text PRIMARY KEY,
    value jsonb NOT NULL,
    meaning text NOT NULL
);
COMMENT ON TABLE council_default IS 'Every setting that a council may change, and what holds until it does';
INSERT INTO council_default (name, value, meaning) VALUES
    ('statutory_assessors', '["council", "trusted_assessor", "commissioned_provider"]',
     'Which types of assessor do statutory assessments and reassessments (rule A5)'),
    ('commissioned_providers', '[]', 'Organisations that assess as commissioned providers; others are trusted assessors'),
    ('review_interval_months', '12', 'A completed assessment makes a review due so many months later (rule A11)'),
    ('first_review_weeks', '8', 'The first review is due so many weeks after support has started (rule A11)'),
    ('swemwbs_change_threshold', '3.00', 'From how many points on a change of the SWEMWBS metric score counts (rule A1)');

CREATE TABLE council_settings (
    council text PRIMARY KEY CHECK (council ~ '^E(06|08|09|10)[0-9]{6}$'),
    settings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
    version bigint NOT NULL DEFAULT 1,
    updated_at timestamptz(3) NOT NULL DEFAULT now()
);
COMMENT ON TABLE council_settings IS 'What a council has set; what is absent is as council_default says';
ALTER TABLE council_settings ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON council_default, council_settings TO carers_council;
GRANT INSERT (council), UPDATE (settings) ON council_settings TO carers_council;
CREATE POLICY council_settings_read ON council_settings FOR SELECT TO carers_council
    USING (council = ANY (app_councils()));
CREATE POLICY council_settings_begin ON council_settings FOR INSERT TO carers_council
    WITH CHECK (council = ANY (app_councils()) AND app_role() = 'council_admin');
CREATE POLICY council_settings_change ON council_settings FOR UPDATE TO carers_council
    USING (council = ANY (app_councils()) AND app_role() = 'council_admin');

CREATE FUNCTION council_setting(whose text, wanted text) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$ -- plpgsql: its plans are kept
BEGIN
    RETURN coalesce((SELECT s.settings -> wanted FROM council_settings s WHERE s.council = whose),
                    (SELECT d.value FROM council_default d WHERE d.name = wanted));
END
$$;
COMMENT ON FUNCTION council_setting(text, text) IS 'The council''s setting, or what holds without one. Settings hold no personal data';
GRANT EXECUTE ON FUNCTION council_setting(text, text) TO carers_council, carers_partner, carers_self;

CREATE FUNCTION council_settings_a_versioned() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted text := coalesce(current_setting('app.if_match', true), '');
BEGIN
    IF wanted NOT IN ('', '*') AND OLD.version::text <> ALL (string_to_array(wanted, ',')) THEN
        RAISE EXCEPTION 'the settings have changed since they were read' USING ERRCODE = 'CA412';
    ELSIF NEW IS NOT DISTINCT FROM OLD THEN
        RETURN NULL;
    END IF;
    NEW.version := OLD.version + 1;
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION council_settings_a_versioned() IS 'As versioned(), for rows whose key is a council''s code';
CREATE FUNCTION council_settings_audited() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO audit_entry (council, subject_table, before, after)
    VALUES (NEW.council, TG_TABLE_NAME, OLD.settings, NEW.settings);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION council_settings_audited() IS 'As audited(), for rows of no carer';
CREATE TRIGGER council_settings_a_versioned BEFORE UPDATE ON council_settings
    FOR EACH ROW EXECUTE FUNCTION council_settings_a_versioned();
CREATE TRIGGER council_settings_audited AFTER UPDATE ON council_settings
    FOR EACH ROW EXECUTE FUNCTION council_settings_audited();

CREATE VIEW council_settings_view WITH (security_invoker = true) AS
SELECT k.council, coalesce(s.version, 1) AS version, concat(
           '{"council":"', k.council, '"',
           (SELECT string_agg(member(d.name, coalesce(s.settings -> d.name, d.value)), '' ORDER BY d.name) FROM council_default d),
           member('updated_at', instant(s.updated_at)), '}') AS body
  FROM unnest(app_councils()) AS k(council)
  LEFT JOIN council_settings s ON s.council = k.council;
COMMENT ON VIEW council_settings_view IS 'What a council''s staff see of its settings: all of them, the defaults filled in';
GRANT SELECT ON council_settings_view TO carers_council;

-- Assessments.

CREATE TABLE assessment (
    id uuid PRIMARY KEY,
    carer_id uuid NOT NULL REFERENCES carer ON DELETE CASCADE,
    council text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('statutory', 'light_touch', 'review', 'reassessment')),
    form text NOT NULL DEFAULT 'single' CHECK (form IN ('single', 'joint')),
    state text NOT NULL,
    state_since timestamptz(3) NOT NULL DEFAULT now(),
    state_reason text,
    state_note text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    follows_assessment_id uuid REFERENCES assessment,
    satisfied_by_assessment_id uuid REFERENCES assessment,
    assessor_type text NOT NULL CHECK (assessor_type IN ('council', 'trusted_assessor', 'commissioned_provider')),
    assessor_organisation_id uuid REFERENCES organisation,
    assessor_name text,
    mode text CHECK (mode IN ('face_to_face', 'telephone', 'video', 'online')),
    setting text CHECK (setting IN ('carers_centre', 'home', 'hospital', 'community_venue', 'remote')),
    language text,
    self_completion boolean NOT NULL DEFAULT false,
    scheduled_for timestamptz(3),
    completed_on date,
    override_reason text,
    planned boolean,
    review_reason text,
    due_on date,
    circumstances_improved text CHECK (circumstances_improved IN ('yes', 'no', 'unsure')),
    caring_role_improved text CHECK (caring_role_improved IN ('yes', 'no', 'unsure')),
    outcomes jsonb,
    needs jsonb,
    break_recommended boolean,
    contingency_offer jsonb,
    hospital jsonb,
    immediate_needs jsonb,
    forward_look text,
    practitioner_notes text,
    CONSTRAINT assessment_state_check CHECK (state IN ('offered', 'requested', 'due', 'scheduled', 'in_progress', 'completed',
        'declined', 'cancelled', 'full_offered', 'full_requested', 'full_declined')),
    CONSTRAINT assessment_review CHECK (CASE WHEN kind = 'review' THEN num_nulls(planned, due_on) = 0
        ELSE num_nonnulls(planned, review_reason, due_on, circumstances_improved, caring_role_improved) = 0 END)
);
COMMENT ON TABLE assessment IS 'One assessment or review of a carer. Its outward shape is assessment_view';
COMMENT ON COLUMN assessment.assessor_type IS 'Made by the service from the caller and the council''s settings, never by the client';
COMMENT ON COLUMN assessment.assessor_organisation_id IS 'NULL: the council itself';
COMMENT ON COLUMN assessment.satisfied_by_assessment_id IS 'The reassessment that was completed in time for this review (rule A11)';
COMMENT ON COLUMN assessment.override_reason IS 'Why it began although the person cared for is in hospital (rule A4)';
COMMENT ON COLUMN assessment.practitioner_notes IS 'Not shown to the carer; neither are state_note and override_reason';
CREATE INDEX assessment_by_carer ON assessment (carer_id, id DESC);
CREATE INDEX assessment_followed ON assessment (follows_assessment_id) WHERE follows_assessment_id IS NOT NULL;
CREATE INDEX assessment_satisfied ON assessment (satisfied_by_assessment_id) WHERE satisfied_by_assessment_id IS NOT NULL;
-- Lists: of a council and of an organisation that assesses; newest first, in order of change, reviews in order of due date.
CREATE INDEX assessment_by_council ON assessment (council, id DESC);
CREATE INDEX assessment_by_state ON assessment (council, kind, state, id DESC);
CREATE INDEX assessment_by_change ON assessment (council, updated_at, id);
CREATE INDEX assessment_by_due ON assessment (council, due_on, id)
    WHERE kind = 'review' AND state IN ('due', 'scheduled', 'in_progress');
CREATE INDEX assessment_by_assessor ON assessment (assessor_organisation_id, id DESC);
CREATE INDEX assessment_by_assessor_change ON assessment (assessor_organisation_id, updated_at, id);
CREATE INDEX assessment_by_assessor_due ON assessment (assessor_organisation_id, due_on, id)
    WHERE kind = 'review' AND state IN ('due', 'scheduled', 'in_progress');

-- The machine of states, as data (api/rules/assessment_states.def has the same rows; a test compares them).

CREATE TABLE assessment_transition (
    kind text NOT NULL,
    from_state text NOT NULL,
    action text NOT NULL,
    to_state text NOT NULL,
    roles text[] NOT NULL,
    place integer NOT NULL,
    PRIMARY KEY (kind, from_state, action, to_state)
);
COMMENT ON TABLE assessment_transition IS
    'What may be done with an assessment of which kind in which state, where it leads and which roles may. From state none: '
    'before there is one. An assessor and an in-reach team act on their own organisation''s assessments alone';
COMMENT ON COLUMN assessment_transition.place IS 'Order in available_actions';
INSERT INTO assessment_transition (kind, from_state, action, to_state, roles, place)
SELECT k.kind, f.state, a.action, coalesce(a.to_state, f.state), a.roles::text[], a.place
  FROM (VALUES
    ('{statutory,reassessment}', '{none}', 'create', 'offered', '{council_admin,practitioner,assessor}', 0),
    ('{statutory,reassessment}', '{none}', 'create', 'requested', '{council_admin,practitioner,assessor,carer}', 0),
    ('{light_touch}', '{none}', 'create', 'in_progress', '{council_admin,practitioner,assessor,hospital_in_reach}', 0),
    ('{review}', '{none}', 'create', 'due', '{council_admin,practitioner,assessor}', 0),
    ('{statutory,reassessment}', '{offered,requested,scheduled,in_progress}', 'update', NULL,
     '{council_admin,practitioner,assessor}', 1),
    ('{review}', '{due,scheduled,in_progress}', 'update', NULL, '{council_admin,practitioner,assessor}', 1),
    ('{light_touch}', '{in_progress}', 'update', NULL, '{council_admin,practitioner,assessor,hospital_in_reach}', 1),
    ('{statutory,reassessment}', '{offered,requested,scheduled}', 'schedule', 'scheduled',
     '{council_admin,practitioner,assessor}', 2),
    ('{review}', '{due,scheduled}', 'schedule', 'scheduled', '{council_admin,practitioner,assessor}', 2),
    ('{statutory,reassessment,review}', '{scheduled}', 'start', 'in_progress', '{council_admin,practitioner,assessor}', 3),
    ('{statutory,reassessment,review}', '{in_progress}', 'complete', 'completed',
     '{council_admin,practitioner,assessor}', 4),
    ('{light_touch}', '{in_progress}', 'complete', 'completed',
     '{council_admin,practitioner,assessor,hospital_in_reach}', 4),
    ('{light_touch}', '{completed}', 'offer_full', 'full_offered',
     '{council_admin,practitioner,assessor,hospital_in_reach}', 5),
    ('{light_touch}', '{full_offered}', 'full_response', 'full_requested',
     '{council_admin,practitioner,assessor,hospital_in_reach,carer}', 6),
    ('{light_touch}', '{full_offered}', 'full_response', 'full_declined',
     '{council_admin,practitioner,assessor,hospital_in_reach,carer}', 6),
    ('{statutory,reassessment}', '{offered}', 'decline', 'declined', '{council_admin,practitioner,assessor,carer}', 7),
    ('{statutory,reassessment}', '{offered,requested,scheduled,in_progress}', 'cancel', 'cancelled',
     '{council_admin,practitioner,assessor}', 8),
    ('{review}', '{due,scheduled,in_progress}', 'cancel', 'cancelled', '{council_admin,practitioner,assessor}', 8),
    ('{light_touch}', '{in_progress}', 'cancel', 'cancelled',
     '{council_admin,practitioner,assessor,hospital_in_reach}', 8)
  ) AS a(kinds, from_states, action, to_state, roles, place)
  CROSS JOIN LATERAL unnest(a.kinds::text[]) AS k(kind)
  CROSS JOIN LATERAL unnest(a.from_states::text[]) AS f(state);

CREATE TABLE assessment_available (
    kind text NOT NULL,
    state text NOT NULL,
    role text NOT NULL,
    actions text NOT NULL,
    PRIMARY KEY (kind, state, role)
);
COMMENT ON TABLE assessment_available IS 'assessment_transition by kind, state and role: one look-up for each that is shown';
INSERT INTO assessment_available (kind, state, role, actions)
SELECT d.kind, d.from_state, d.role, jsonb_agg(d.action ORDER BY d.place)::text
  FROM (SELECT DISTINCT t.kind, t.from_state, r.role, t.action, t.place
          FROM assessment_transition t CROSS JOIN LATERAL unnest(t.roles) AS r(role)) AS d
 GROUP BY d.kind, d.from_state, d.role;

-- Who sees which: council staff all of theirs; assessors those of carers whom their organisation may see; in-reach teams the
-- light-touch ones of their own; the carer hers. Support workers and breaks providers none.

ALTER TABLE assessment ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON assessment_transition, assessment_available, assessment TO carers_council, carers_partner, carers_self;
GRANT INSERT (id, carer_id, kind, form, state, follows_assessment_id, assessor_name, mode, setting, language,
              self_completion, scheduled_for, planned, review_reason, due_on, outcomes, needs, break_recommended,
              contingency_offer, hospital, immediate_needs, forward_look, practitioner_notes, circumstances_improved,
              caring_role_improved)
    ON assessment TO carers_council, carers_partner, carers_self;
GRANT UPDATE (state, state_reason, state_note, form, assessor_name, mode, setting, language, self_completion, scheduled_for,
              completed_on, override_reason, planned, review_reason, due_on, circumstances_improved, caring_role_improved,
              outcomes, needs, break_recommended, contingency_offer, hospital, immediate_needs, forward_look,
              practitioner_notes)
    ON assessment TO carers_council, carers_partner, carers_self;

CREATE POLICY assessment_council ON assessment TO carers_council
    USING (council = ANY (app_councils())) WITH CHECK (council = ANY (app_councils()));
CREATE POLICY assessment_partner ON assessment TO carers_partner
    USING ((app_role() = 'assessor'
            OR app_role() = 'hospital_in_reach' AND kind = 'light_touch' AND assessor_organisation_id = app_org())
           AND EXISTS (SELECT FROM carer_access a
                        WHERE a.organisation_id = app_org() AND a.carer_id = assessment.carer_id
                          AND in_force(a.starts_at, a.ends_at) OFFSET 0));
CREATE POLICY assessment_self ON assessment TO carers_self
    USING (carer_id = app_carer()) WITH CHECK (carer_id = app_carer());

-- Who may do what. Triggers fire in order of name: a takes the carer's council, b the rules of making, c those of change, z
-- counts the version.

CREATE FUNCTION assessor_type(whose text, organisation uuid) RETURNS text LANGUAGE sql STABLE
    RETURN CASE WHEN organisation IS NULL THEN 'council'
                WHEN app_role() = 'hospital_in_reach'
                     OR council_setting(whose, 'commissioned_providers') ? organisation::text THEN 'commissioned_provider'
                ELSE 'trusted_assessor' END;
COMMENT ON FUNCTION assessor_type(text, uuid) IS
    'What an organisation is to a council; an in-reach team is commissioned. NULL: the council itself';

CREATE FUNCTION assessment_b_create() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    full_one boolean := NEW.kind IN ('statutory', 'reassessment');
    followed assessment;
BEGIN
    IF pg_trigger_depth() > 1 THEN
        RETURN NEW; -- the review that a completed assessment makes due
    END IF;
    IF current_user = 'carers_partner' THEN
        NEW.assessor_organisation_id := app_org();
    END IF;
    NEW.assessor_type := assessor_type(NEW.council, NEW.assessor_organisation_id);
    IF NOT EXISTS (SELECT FROM assessment_transition t
                    WHERE t.kind = NEW.kind AND t.from_state = 'none' AND t.to_state = NEW.state
                      AND app_role() = ANY (t.roles)) THEN
        RAISE EXCEPTION 'this role does not make such an assessment' USING ERRCODE = 'CA403';
    ELSIF app_role() = 'carer' AND (NEW.self_completion OR num_nonnulls(
              NEW.assessor_name, NEW.scheduled_for, NEW.outcomes, NEW.break_recommended, NEW.contingency_offer, NEW.hospital,
              NEW.immediate_needs, NEW.forward_look, NEW.practitioner_notes) > 0) THEN
        RAISE EXCEPTION 'a carer''s own token asks for an assessment, and says her needs and how she wants it done, no more'
            USING ERRCODE = 'CA403';
    ELSIF full_one AND app_role() <> 'carer'
          AND NOT council_setting(NEW.council, 'statutory_assessors') ? NEW.assessor_type THEN
        RAISE EXCEPTION 'in this council a % does no statutory assessments', replace(NEW.assessor_type, '_', ' ')
            USING ERRCODE = 'CA422', HINT = 'A5';
    ELSIF NEW.assessor_type = 'trusted_assessor' AND NEW.form <> 'single' THEN
        RAISE EXCEPTION 'a trusted assessor does single assessments only' USING ERRCODE = 'CA422', HINT = 'A5';
    ELSIF NEW.assessor_type = 'trusted_assessor'
          AND NOT EXISTS (SELECT FROM carer c WHERE c.id = NEW.carer_id AND c.known = 'no') THEN
        RAISE EXCEPTION 'a trusted assessor assesses only a carer of whom it is recorded that social care does not know her'
            USING ERRCODE = 'CA422', HINT = 'A5';
    ELSIF NEW.follows_assessment_id IS NULL AND NEW.kind = 'reassessment' THEN
        RAISE EXCEPTION 'a reassessment follows a completed assessment' USING ERRCODE = 'CA422', HINT = 'A8';
    ELSIF NEW.follows_assessment_id IS NULL THEN
        RETURN NEW;
    END IF;
    SELECT * INTO followed FROM assessment f WHERE f.id = NEW.follows_assessment_id AND f.carer_id = NEW.carer_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'is no assessment of this carer' USING ERRCODE = 'CA42V', HINT = '/follows_assessment_id';
    ELSIF NEW.kind = 'reassessment' AND (followed.kind = 'light_touch' OR followed.state <> 'completed') THEN
        RAISE EXCEPTION 'a reassessment follows a completed statutory assessment, reassessment or review'
            USING ERRCODE = 'CA422', HINT = 'A8';
    ELSIF NEW.kind = 'statutory' AND followed.kind = 'light_touch' AND followed.state <> 'full_requested' THEN
        RAISE EXCEPTION 'the full assessment is made when the carer has asked for it: the light-touch one is %',
            replace(followed.state, '_', ' ') USING ERRCODE = 'CA422', HINT = 'A4';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION assessment_b_create() IS 'Who makes which assessment, for whom, after which: rules A4, A5, A8';

CREATE FUNCTION assessment_c_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved CONSTANT text[] := '{state,state_reason,state_note}';
    may record;
BEGIN
    IF pg_trigger_depth() > 1 THEN
        RETURN NEW; -- a result is recorded, or a reassessment satisfies this review
    END IF;
    PERFORM precondition(OLD.id, OLD.version);
    SELECT t.action, app_role() = ANY (t.roles) AS allowed INTO may
      FROM assessment_transition t
     WHERE t.kind = OLD.kind AND t.from_state = OLD.state AND t.to_state = NEW.state
       AND (t.action = 'update') = (NEW.state = OLD.state);
    IF NOT FOUND AND NEW.state = OLD.state AND OLD.state IN ('completed', 'full_offered', 'full_requested', 'full_declined') THEN
        RAISE EXCEPTION 'a completed assessment does not change: make a reassessment that follows it'
            USING ERRCODE = 'CA422', HINT = 'A8';
    ELSIF NOT FOUND THEN
        RAISE EXCEPTION 'a % that is % does not become %', replace(OLD.kind, '_', '-'), replace(OLD.state, '_', ' '),
            replace(NEW.state, '_', ' ') USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', OLD.state);
    ELSIF NOT may.allowed THEN
        RAISE EXCEPTION 'this role may not % such an assessment', replace(may.action, '_', ' ') USING ERRCODE = 'CA403';
    ELSIF current_user = 'carers_partner' AND OLD.assessor_organisation_id IS DISTINCT FROM app_org() THEN
        RAISE EXCEPTION 'this assessment is another assessor''s' USING ERRCODE = 'CA403';
    ELSIF (may.action IN ('offer_full', 'full_response') OR app_role() = 'carer')
          AND to_jsonb(NEW) - moved <> to_jsonb(OLD) - moved THEN
        RAISE EXCEPTION 'a completed assessment does not change, and of others a carer says only whether she wants it'
            USING ERRCODE = 'CA422', HINT = 'A8';
    ELSIF NEW.form = 'joint' AND NEW.assessor_type = 'trusted_assessor' THEN
        RAISE EXCEPTION 'a trusted assessor does single assessments only' USING ERRCODE = 'CA422', HINT = 'A5';
    ELSIF may.action = 'start' AND OLD.kind IN ('statutory', 'reassessment') AND NEW.override_reason IS NULL
          AND EXISTS (SELECT FROM carer c, jsonb_array_elements(c.cared_for) AS f
                       WHERE c.id = OLD.carer_id AND f ->> 'setting' = 'hospital') THEN
        RAISE EXCEPTION 'the person cared for is in hospital: a full assessment starts later, or with an override_reason'
            USING ERRCODE = 'CA422', HINT = 'A4';
    END IF;
    IF NEW.state <> OLD.state THEN
        NEW.state_since := clock_timestamp();
    END IF;
    IF may.action = 'complete' THEN
        PERFORM assessment_complete(NEW);
        NEW.completed_on := coalesce(NEW.completed_on, today());
    ELSE
        NEW.completed_on := OLD.completed_on;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION assessment_c_change() IS 'The machine of states for every client of the database, and rules A4, A5, A8';

-- Rule A11. What is completed makes the next review due; a reassessment completed in time satisfies the one that is due.
CREATE FUNCTION assessment_review_due() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- Of two completions at once the second waits here for the first, and finds its review.
    PERFORM pg_advisory_xact_lock(hashtextextended('review ' || NEW.carer_id, 0));
    IF NEW.kind = 'reassessment' THEN
        UPDATE assessment r
           SET state = 'completed', state_since = clock_timestamp(), completed_on = NEW.completed_on,
               satisfied_by_assessment_id = NEW.id
         WHERE r.carer_id = NEW.carer_id AND r.kind = 'review' AND r.state IN ('due', 'scheduled')
           AND r.due_on >= NEW.completed_on;
    END IF;
    INSERT INTO assessment (id, carer_id, council, kind, state, assessor_type, assessor_organisation_id, planned, due_on,
                            follows_assessment_id)
    SELECT uuid7(clock_timestamp()), NEW.carer_id, NEW.council, 'review', 'due', NEW.assessor_type, NEW.assessor_organisation_id, true,
           NEW.completed_on + make_interval(months => (council_setting(NEW.council, 'review_interval_months') #>> '{}')::integer),
           NEW.id
     WHERE NOT EXISTS (SELECT FROM assessment r
                        WHERE r.carer_id = NEW.carer_id AND r.kind = 'review'
                          AND r.state IN ('due', 'scheduled', 'in_progress'));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION assessment_review_due() IS
    'Makes one review due, unless one is open already; for a reassessment, after it has satisfied the one that was due';

CREATE FUNCTION carer_first_review() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE assessment r
       SET due_on = today() + 7 * (council_setting(NEW.council, 'first_review_weeks') #>> '{}')::integer
     WHERE r.carer_id = NEW.id AND r.kind = 'review' AND r.state IN ('due', 'scheduled')
       AND r.due_on > today() + 7 * (council_setting(NEW.council, 'first_review_weeks') #>> '{}')::integer;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION carer_first_review() IS 'Rule A11: when support starts, the review that is due comes nearer';
CREATE TRIGGER carer_first_review AFTER UPDATE ON carer
    FOR EACH ROW WHEN (OLD.state = 'registered' AND NEW.state = 'active') EXECUTE FUNCTION carer_first_review();

GRANT EXECUTE ON FUNCTION assessor_type(text, uuid) TO carers_council, carers_partner, carers_self;

CREATE TRIGGER assessment_a_carer BEFORE INSERT OR UPDATE ON assessment
    FOR EACH ROW EXECUTE FUNCTION of_carer('open');
CREATE TRIGGER assessment_b_create BEFORE INSERT ON assessment FOR EACH ROW EXECUTE FUNCTION assessment_b_create();
CREATE TRIGGER assessment_c_change BEFORE UPDATE ON assessment FOR EACH ROW EXECUTE FUNCTION assessment_c_change();
CREATE TRIGGER assessment_z_versioned BEFORE UPDATE ON assessment FOR EACH ROW EXECUTE FUNCTION versioned();
CREATE TRIGGER assessment_audited AFTER INSERT OR UPDATE ON assessment
    FOR EACH ROW EXECUTE FUNCTION audited('carer_id');
CREATE TRIGGER assessment_review_due AFTER UPDATE ON assessment
    FOR EACH ROW WHEN (NEW.kind <> 'light_touch' AND NEW.state = 'completed' AND OLD.state = 'in_progress')
    EXECUTE FUNCTION assessment_review_due();

INSERT INTO event_kind (kind, resource, path, roles)
SELECT 'assessment.' || k.kind, 'assessment', '/v1/assessments/%2$s',
       '{council_admin,practitioner,assessor,carer}'
  FROM unnest(ARRAY['created', 'updated', 'scheduled', 'started', 'completed', 'declined', 'cancelled', 'full_offered',
                    'full_requested', 'full_declined']) AS k(kind);

CREATE FUNCTION assessment_evented() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    what text := replace(NEW.kind, '_', '-') || CASE WHEN NEW.kind LIKE 're%' THEN '' ELSE ' assessment' END;
    fresh boolean := TG_OP = 'INSERT' OR NEW.state <> OLD.state;
BEGIN
    PERFORM note_event(NEW.carer_id, NEW.council,
        'assessment.' || CASE WHEN TG_OP = 'INSERT' THEN 'created' WHEN NOT fresh THEN 'updated'
                              WHEN NEW.state = 'in_progress' THEN 'started' ELSE NEW.state END,
        NEW.id, NEW.version, NEW.state,
        CASE WHEN fresh THEN format('A %s is now %s', what, replace(NEW.state, '_', ' '))
             ELSE format('A %s was changed', what) END);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION assessment_evented() IS 'Kind and state, never what was found';
CREATE TRIGGER assessment_evented AFTER INSERT OR UPDATE ON assessment
    FOR EACH ROW EXECUTE FUNCTION assessment_evented();

-- What clients send and what is stored: `assessor` and `review` are columns, not objects.
CREATE FUNCTION assessment_body(a assessment) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT to_jsonb(a) || jsonb_build_object(
        'assessor', jsonb_build_object('name', a.assessor_name),
        'review', jsonb_build_object('planned', a.planned, 'reason', a.review_reason, 'due_on', a.due_on,
            'circumstances_improved', a.circumstances_improved, 'caring_role_improved', a.caring_role_improved))
$$;
COMMENT ON FUNCTION assessment_body(assessment) IS 'The row as clients patch it';
CREATE FUNCTION assessment_row(body jsonb) RETURNS assessment LANGUAGE sql STABLE AS $$
    SELECT jsonb_populate_record(NULL::assessment, body || jsonb_build_object(
        'assessor_name', body #> '{assessor,name}', 'planned', body #> '{review,planned}',
        'review_reason', body #> '{review,reason}', 'due_on', body #> '{review,due_on}',
        'circumstances_improved', body #> '{review,circumstances_improved}',
        'caring_role_improved', body #> '{review,caring_role_improved}',
        'outcomes', nullif(body -> 'outcomes', '[]'), 'needs', nullif(body -> 'needs', '[]'),
        'immediate_needs', nullif(body -> 'immediate_needs', '[]'),
        'contingency_offer', nullif(body -> 'contingency_offer', '{}'), 'hospital', nullif(body -> 'hospital', '{}')))
$$;
COMMENT ON FUNCTION assessment_row(jsonb) IS 'The row of what clients send; assessment_body() the other way round';
GRANT EXECUTE ON FUNCTION assessment_body(assessment), assessment_row(jsonb)
    TO carers_council, carers_partner, carers_self;

-- For lists of open reviews.
CREATE FUNCTION review_days(due_before date, overdue boolean, OUT from_day date, OUT to_day date)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN NOT overdue THEN today() ELSE date '1970-01-01' END,
           least(due_before, CASE WHEN overdue THEN today() END, date '9999-12-31')
$$;
COMMENT ON FUNCTION review_days(date, boolean) IS
    'From which day on and before which a review is due that both filters let through; a filter that is NULL lets all through';
CREATE FUNCTION review_due(kind text, state text, due_on date, due_before date, overdue boolean) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
    RETURN kind = 'review' AND state IN ('due', 'scheduled', 'in_progress')
           AND (SELECT due_on >= d.from_day AND due_on < d.to_day FROM review_days(due_before, overdue) AS d);
COMMENT ON FUNCTION review_due(text, text, date, date, boolean) IS 'An open review that both filters let through';
GRANT EXECUTE ON FUNCTION review_days(date, boolean), review_due(text, text, date, date, boolean)
    TO carers_council, carers_partner;
