-- Instruments and what was found with them: SWEMWBS, ratings, I-statements, eligibility. Rules A1 to A3, A8, A9.

-- The published conversion of SWEMWBS (Stewart-Brown et al. 2009, doi 10.1186/1477-7525-7-15; bands: Ng Fat et al. 2017, doi
-- 10.1007/s11136-016-1454-8). api/rules/swemwbs.c scores by the same rows; a result that has another score is refused here.
CREATE TABLE swemwbs_score (
    raw smallint PRIMARY KEY,
    metric numeric(4, 2) NOT NULL,
    band text NOT NULL,
    UNIQUE (raw, metric, band)
);
COMMENT ON TABLE swemwbs_score IS 'SWEMWBS: sum of the seven answers, metric score, band';
INSERT INTO swemwbs_score (raw, metric, band)
SELECT t.n + 6, t.metric, CASE WHEN t.n + 6 <= 21 THEN 'low' WHEN t.n + 6 <= 30 THEN 'average' ELSE 'high' END
  FROM unnest('{7.00,9.51,11.25,12.40,13.33,14.08,14.75,15.32,15.84,16.36,16.88,17.43,17.98,18.59,19.25,19.98,20.73,21.54,
                22.35,23.21,24.11,25.03,26.02,27.03,28.13,29.31,30.70,32.55,35.00}'::numeric(4, 2)[])
       WITH ORDINALITY AS t(metric, n);

CREATE TABLE instrument (
    id uuid PRIMARY KEY DEFAULT uuid7(clock_timestamp()),
    council text CHECK (council ~ '^E(06|08|09|10)[0-9]{6}$'),
    key text NOT NULL CHECK (key ~ '^[a-z][a-z0-9_]{1,40}$'),
    kind text NOT NULL DEFAULT 'rating' CHECK (kind IN ('rating', 'swemwbs')),
    version integer NOT NULL CHECK (version > 0),
    definition jsonb NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    created_by text NOT NULL DEFAULT app_subject()
);
COMMENT ON TABLE instrument IS
    'Rating instruments by council and version (rule A2): areas, scale, direction. Append-only: a change is the next version, '
    'and a result keeps the one that it was made with';
COMMENT ON COLUMN instrument.council IS 'NULL: shipped with the service, for every council that has none of its own';
CREATE UNIQUE INDEX instrument_version ON instrument ((coalesce(council, '')), key, version);

INSERT INTO instrument (key, version, definition, created_by) VALUES
    ('carers_star', 1, '{"label": "Carers Star", "scale_min": 1, "scale_max": 5, "step": 1, "higher_is_better": true,
      "required_all": false, "placeholder": false,
      "copyright": "Carers Star is copyright Triangle Consulting Social Enterprise Ltd; its use needs a Star Licence. Only the names of the areas are given here.",
      "areas": [{"key": "health", "label": "Health", "order": 1},
                {"key": "caring_role", "label": "The caring role", "order": 2},
                {"key": "managing_at_home", "label": "Managing at home", "order": 3},
                {"key": "time_for_yourself", "label": "Time for yourself", "order": 4},
                {"key": "how_you_feel", "label": "How you feel", "order": 5},
                {"key": "finances", "label": "Finances", "order": 6},
                {"key": "work", "label": "Work", "order": 7}]}', 'carers-api'),
    ('gtmool', 1, '{"label": "Getting the Most Out Of Life (placeholder)", "scale_min": 1, "scale_max": 10, "step": 1,
      "higher_is_better": true, "required_all": false, "placeholder": true,
      "copyright": "A placeholder: these are not n-compass''s areas of life, which are not published. Replace it by the provider''s own definition.",
      "areas": [{"key": "health", "label": "Health (placeholder)", "order": 1},
                {"key": "time_for_self", "label": "Time for self (placeholder)", "order": 2},
                {"key": "social_life", "label": "Social life (placeholder)", "order": 3},
                {"key": "caring_role", "label": "Caring role (placeholder)", "order": 4},
                {"key": "home", "label": "Home (placeholder)", "order": 5},
                {"key": "money", "label": "Money (placeholder)", "order": 6},
                {"key": "work_and_learning", "label": "Work and learning (placeholder)", "order": 7}]}', 'carers-api');

INSERT INTO instrument (key, kind, version, definition, created_by) VALUES
    ('swemwbs', 'swemwbs', 1, '{"label": "Short Warwick-Edinburgh Mental Well-being Scale", "scale_min": 1, "scale_max": 5,
      "step": 1, "higher_is_better": true, "required_all": false, "placeholder": false,
      "copyright": "Short Warwick-Edinburgh Mental Well-being Scale (SWEMWBS), copyright NHS Health Scotland, University of Warwick and University of Edinburgh, 2008, all rights reserved. Its use needs a licence of the University of Warwick. The wording of the items is not shipped.",
      "areas": [{"key": "optimism", "label": "Hopefulness about what is ahead", "order": 1},
                {"key": "usefulness", "label": "Sense of being useful", "order": 2},
                {"key": "relaxation", "label": "Being relaxed", "order": 3},
                {"key": "problem_handling", "label": "Coping with problems", "order": 4},
                {"key": "clear_thinking", "label": "Clarity of thought", "order": 5},
                {"key": "closeness", "label": "Closeness to other people", "order": 6},
                {"key": "own_decisions", "label": "Deciding for oneself", "order": 7}]}', 'carers-api');

ALTER TABLE instrument ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON swemwbs_score, instrument TO carers_council, carers_partner, carers_self;
GRANT INSERT (council, key, version, definition) ON instrument TO carers_council;
CREATE POLICY instrument_read ON instrument FOR SELECT TO carers_council, carers_partner, carers_self USING (true);
CREATE POLICY instrument_write ON instrument FOR INSERT TO carers_council
    WITH CHECK (council = ANY (app_councils()) AND app_role() = 'council_admin');
CREATE TRIGGER instrument_audited AFTER INSERT ON instrument FOR EACH ROW EXECUTE FUNCTION configured();
CREATE TRIGGER instrument_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON instrument
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE FUNCTION instrument_of(whose text, wanted text) RETURNS instrument LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT i.* FROM instrument i
     WHERE coalesce(i.council, '') IN (whose, '') AND i.key = wanted AND i.kind = 'rating'
     ORDER BY i.council NULLS LAST, i.version DESC
     LIMIT 1;
END;
COMMENT ON FUNCTION instrument_of(text, text) IS 'The council''s latest version of the instrument, or the shipped one';

CREATE FUNCTION instrument_sound(definition jsonb) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE
    lowest numeric := (definition ->> 'scale_min')::numeric;
    highest numeric := (definition ->> 'scale_max')::numeric;
    faults jsonb;
BEGIN
    SELECT jsonb_agg(jsonb_build_object('pointer', f.pointer, 'keyword', 'rule', 'message', f.message)) INTO faults
      FROM (SELECT '/scale_max' AS pointer, 'must be more than scale_min' AS message WHERE highest <= lowest
             UNION ALL
            SELECT '/step', 'must lead from scale_min to scale_max in whole steps'
             WHERE highest > lowest AND (highest - lowest) % (definition ->> 'step')::numeric <> 0
             UNION ALL
            SELECT format('/areas/%s/%s', a.n - 1, k.name), 'is there twice'
              FROM jsonb_array_elements(definition -> 'areas') WITH ORDINALITY AS a(area, n)
             CROSS JOIN (VALUES ('key'), ('order')) AS k(name)
             WHERE EXISTS (SELECT FROM jsonb_array_elements(definition -> 'areas') WITH ORDINALITY AS e(area, n)
                            WHERE e.n < a.n AND e.area -> k.name = a.area -> k.name)) AS f;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'the definition is not sound'
            USING ERRCODE = 'CA422', HINT = 'A2', DETAIL = jsonb_build_object('errors', faults);
    END IF;
END
$$;
COMMENT ON FUNCTION instrument_sound(jsonb) IS 'What a schema cannot say of a definition (rule A2); all faults at once';
GRANT EXECUTE ON FUNCTION instrument_sound(jsonb) TO carers_council;

CREATE FUNCTION instrument_put(whose text, wanted text, body jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    own instrument;
    latest integer;
    wanted_versions text := coalesce(current_setting('app.if_match', true), '');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('instrument ' || whose || wanted, 0));
    SELECT * INTO own FROM instrument i WHERE i.council = whose AND i.key = wanted ORDER BY i.version DESC LIMIT 1;
    SELECT coalesce(max(i.version), 0) INTO latest
      FROM instrument i WHERE i.key = wanted AND coalesce(i.council, '') IN (whose, '');
    IF EXISTS (SELECT FROM instrument i WHERE i.key = wanted AND i.kind <> 'rating') THEN
        RAISE EXCEPTION 'this instrument is scored by the service and not defined by councils' USING ERRCODE = 'CA40X';
    ELSIF own.id IS NULL AND wanted_versions <> '' OR own.id IS NOT NULL AND wanted_versions NOT IN ('', '*')
          AND own.version::text <> ALL (string_to_array(wanted_versions, ',')) THEN
        RAISE EXCEPTION 'the council''s definition has changed since it was read' USING ERRCODE = 'CA412';
    ELSIF own.id IS NOT NULL AND wanted_versions = '' THEN
        RAISE EXCEPTION 'what is on record is replaced with If-Match only' USING ERRCODE = 'CA428';
    ELSIF whose <> ALL (app_councils()) THEN
        RAISE EXCEPTION 'is not one of your councils' USING ERRCODE = 'CA400', HINT = '/query/council';
    END IF;
    PERFORM instrument_sound(body);
    IF own.definition IS DISTINCT FROM body THEN
        INSERT INTO instrument (council, key, version, definition) VALUES (whose, wanted, latest + 1, body);
    END IF;
END
$$;
COMMENT ON FUNCTION instrument_put(text, text, jsonb) IS
    'The next version of a council''s instrument. The same definition again makes none';
GRANT EXECUTE ON FUNCTION instrument_put(text, text, jsonb) TO carers_council;

CREATE VIEW instrument_view WITH (security_invoker = true) AS
SELECT i.id, i.council, i.key, i.version, concat(
           '{"key":"', i.key, '"', member('kind', i.kind), ',"version":', i.version,
           member('council', i.council),
           member('label', i.definition ->> 'label'),
           member('placeholder', coalesce((i.definition ->> 'placeholder')::boolean, false)),
           member('scale_min', i.definition -> 'scale_min'),
           member('scale_max', i.definition -> 'scale_max'),
           member('step', i.definition -> 'step'),
           member('higher_is_better', i.definition -> 'higher_is_better'),
           member('required_all', i.definition -> 'required_all'),
           member('areas', i.definition -> 'areas'),
           member('copyright', i.definition ->> 'copyright'),
           member('licence_ref', i.definition ->> 'licence_ref'),
           CASE i.kind WHEN 'swemwbs' THEN ',"code":{"system":"http://snomed.info/sct","code":"718466001"}' END,
           member('created_at', instant(i.created_at)),
           '}') AS body
  FROM instrument i;
COMMENT ON VIEW instrument_view IS 'What callers see of an instrument: body, version (the ETag)';
GRANT SELECT ON instrument_view TO carers_council, carers_partner, carers_self;

CREATE TABLE i_statement (
    id uuid PRIMARY KEY DEFAULT uuid7(clock_timestamp()),
    council text CHECK (council ~ '^E(06|08|09|10)[0-9]{6}$'),
    code text NOT NULL CHECK (code ~ '^[a-z][a-z0-9_]{1,60}$'),
    theme text NOT NULL,
    wording text NOT NULL CHECK (length(wording) BETWEEN 1 AND 500),
    source text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    version bigint NOT NULL DEFAULT 1,
    updated_at timestamptz(3) NOT NULL DEFAULT now()
);
COMMENT ON TABLE i_statement IS
    'The library of I-statements (rule A3), coded. The shipped rows are examples in the words of Making It Real (Think Local Act '
    'Personal), as English councils quote them; a council''s own row goes before a shipped one with its code';
CREATE UNIQUE INDEX i_statement_code ON i_statement ((coalesce(council, '')), code);
INSERT INTO i_statement (code, theme, wording, source)
SELECT s.code, s.theme, s.wording, 'Think Local Act Personal, Making It Real'
  FROM (VALUES
    ('live_the_life_i_want', 'wellbeing_and_independence',
     'I can live the life I want and do the things that are important to me as independently as possible.'),
    ('respect_and_dignity', 'wellbeing_and_independence', 'I am treated with respect and dignity.'),
    ('place_i_call_home', 'wellbeing_and_independence',
     'I have a place I can call home, not just a ''bed'' or somewhere that provides me with care.'),
    ('accessible_home', 'wellbeing_and_independence',
     'I live in a home which is accessible and designed so that I can be as independent as possible.'),
    ('people_who_support_me', 'active_and_supportive_communities',
     'I have people who support me, such as family, friends and people in my community.'),
    ('choose_my_support', 'flexible_and_integrated_support',
     'I can choose who supports me, and how, when and where my care and support is provided.'),
    ('listened_to', 'flexible_and_integrated_support',
     'I am supported by people who listen carefully, so they know what matters to me and how to support me to live the life I want.'),
    ('co_ordinated_support', 'flexible_and_integrated_support',
     'I have care and support that is co-ordinated, and everyone works well together and with me.'),
    ('competent_people', 'flexible_and_integrated_support',
     'I have considerate support delivered by competent people.'),
    ('people_who_care_about_me', 'active_and_supportive_communities',
     'I have people in my life who care about me: family, friends and people in my community.'),
    ('moving_home', 'flexible_and_integrated_support',
     'If I move from my home to another place, the people who are important to me are respected, listened to, supported and involved in decisions.')
  ) AS s(code, theme, wording);
ALTER TABLE i_statement ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON i_statement TO carers_council, carers_partner, carers_self;
GRANT INSERT (council, code, theme, wording, source, active), UPDATE (theme, wording, source, active) ON i_statement TO carers_council;
CREATE POLICY i_statement_read ON i_statement FOR SELECT TO carers_council, carers_partner, carers_self USING (true);
CREATE POLICY i_statement_make ON i_statement FOR INSERT TO carers_council
    WITH CHECK (council = ANY (app_councils()) AND app_role() = 'council_admin');
CREATE POLICY i_statement_change ON i_statement FOR UPDATE TO carers_council
    USING (council = ANY (app_councils()) AND app_role() = 'council_admin');
CREATE FUNCTION i_statement_a_council() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.council <> ALL (app_councils()) THEN
        RAISE EXCEPTION 'is not one of your councils' USING ERRCODE = 'CA400', HINT = '/query/council';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION i_statement_a_council() IS 'A council writes its own statements; what is shipped is nobody''s to change';
CREATE TRIGGER i_statement_a_council BEFORE INSERT ON i_statement FOR EACH ROW EXECUTE FUNCTION i_statement_a_council();
CREATE TRIGGER i_statement_y_replaceable BEFORE INSERT OR UPDATE ON i_statement FOR EACH ROW EXECUTE FUNCTION replaceable();
CREATE TRIGGER i_statement_z_versioned BEFORE UPDATE ON i_statement FOR EACH ROW EXECUTE FUNCTION versioned('code');
CREATE TRIGGER i_statement_audited AFTER INSERT OR UPDATE ON i_statement FOR EACH ROW EXECUTE FUNCTION configured();

CREATE VIEW i_statement_view WITH (security_invoker = true) AS
SELECT s.council, s.code, s.theme, s.version, concat(
           '{"code":"', s.code, '"', member('theme', s.theme), member('wording', s.wording), member('source', s.source),
           member('active', s.active), member('council', s.council), '}') AS body
  FROM i_statement s;
COMMENT ON VIEW i_statement_view IS 'What callers see of a statement of the library: body, version (the ETag)';
GRANT SELECT ON i_statement_view TO carers_council, carers_partner, carers_self;

-- What was found. Each result belongs to one assessment, is PUT whole, and changes only while the assessment is open to it.

CREATE FUNCTION of_assessment() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    a assessment;
    dated CONSTANT text := CASE TG_TABLE_NAME WHEN 'assessment_eligibility' THEN 'decided_on' ELSE 'completed_on' END;
BEGIN
    SELECT * INTO a FROM assessment s WHERE s.id = NEW.assessment_id FOR NO KEY UPDATE; -- it may be completed meanwhile
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no assessment has this id' USING ERRCODE = 'CA404';
    ELSIF a.completed_on IS NOT NULL THEN
        RAISE EXCEPTION 'a completed assessment does not change: make a reassessment that follows it'
            USING ERRCODE = 'CA422', HINT = 'A8';
    ELSIF app_role() = 'carer' AND NOT (a.self_completion AND a.state IN ('offered', 'requested', 'scheduled', 'in_progress')) THEN
        RAISE EXCEPTION 'this assessment is not open to the carer''s own answers'
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', a.state);
    ELSIF app_role() <> 'carer' AND a.state <> 'in_progress' THEN
        RAISE EXCEPTION 'an assessment that is % takes no results', replace(a.state, '_', ' ')
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', a.state);
    ELSIF app_role() IN ('assessor', 'hospital_in_reach') AND a.assessor_organisation_id IS DISTINCT FROM app_org() THEN
        RAISE EXCEPTION 'this assessment is another assessor''s' USING ERRCODE = 'CA403';
    END IF;
    IF (to_jsonb(NEW) ->> dated)::date > today() THEN
        RAISE EXCEPTION 'lies in the future' USING ERRCODE = 'CA42V', HINT = '/' || dated;
    END IF;
    NEW.carer_id := a.carer_id;
    NEW.council := a.council;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION of_assessment() IS
    'BEFORE INSERT OR UPDATE of a result: the caller sees the assessment (CA404), it is in progress or open to the carer''s own '
    'answers (CA409), and not completed (rule A8)';

CREATE FUNCTION assessment_touched() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE assessment a SET results = a.results + 1 WHERE a.id = NEW.assessment_id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION assessment_touched() IS 'A result is part of its assessment''s representation, and so of its version';
ALTER TABLE assessment ADD COLUMN results integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN assessment.results IS 'How often a result of it was written: moves its version on';

CREATE TABLE assessment_swemwbs (
    assessment_id uuid PRIMARY KEY REFERENCES assessment ON DELETE CASCADE,
    carer_id uuid NOT NULL,
    council text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    completed_on date NOT NULL,
    responses jsonb NOT NULL,
    answered_by text NOT NULL DEFAULT CASE app_role() WHEN 'carer' THEN 'carer' ELSE 'assessor' END,
    complete boolean NOT NULL,
    raw smallint,
    metric numeric(4, 2),
    band text,
    FOREIGN KEY (raw, metric, band) REFERENCES swemwbs_score (raw, metric, band) MATCH FULL,
    CHECK (complete = (raw IS NOT NULL))
);
COMMENT ON TABLE assessment_swemwbs IS
    'SWEMWBS of an assessment (rule A1). Without all seven answers there is no score; with them it is the published one';
CREATE INDEX assessment_swemwbs_by_carer ON assessment_swemwbs (carer_id, completed_on, assessment_id);

CREATE TABLE assessment_ratings (
    id uuid PRIMARY KEY DEFAULT uuid7(clock_timestamp()),
    assessment_id uuid NOT NULL REFERENCES assessment ON DELETE CASCADE,
    carer_id uuid NOT NULL,
    council text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    instrument text NOT NULL,
    instrument_id uuid NOT NULL REFERENCES instrument,
    instrument_version integer NOT NULL,
    completed_on date NOT NULL,
    ratings jsonb NOT NULL,
    UNIQUE (assessment_id, instrument)
);
COMMENT ON TABLE assessment_ratings IS 'Ratings of an assessment by one instrument, in the version that it was made with (rule A2)';
CREATE INDEX assessment_ratings_by_carer ON assessment_ratings (carer_id, instrument, completed_on);

CREATE TABLE assessment_i_statements (
    assessment_id uuid PRIMARY KEY REFERENCES assessment ON DELETE CASCADE,
    carer_id uuid NOT NULL,
    council text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    completed_on date NOT NULL,
    statements jsonb NOT NULL,
    roll_up text CHECK (roll_up IN ('fully_met', 'partially_met', 'not_met'))
);
COMMENT ON TABLE assessment_i_statements IS 'I-statements of an assessment and whether they are met (rule A3)';
COMMENT ON COLUMN assessment_i_statements.roll_up IS 'NULL: none was rated';
CREATE INDEX assessment_i_statements_by_carer ON assessment_i_statements (carer_id, completed_on);

CREATE TABLE assessment_eligibility (
    assessment_id uuid PRIMARY KEY REFERENCES assessment ON DELETE CASCADE,
    carer_id uuid NOT NULL,
    council text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    decided_on date NOT NULL,
    necessary_care boolean NOT NULL,
    circumstances jsonb NOT NULL,
    significant_impact boolean NOT NULL,
    decision text NOT NULL CHECK (decision IN ('eligible', 'not_eligible')),
    reasons text NOT NULL,
    CONSTRAINT assessment_eligibility_conditions CHECK (
        (decision = 'eligible') = (necessary_care AND jsonb_array_length(circumstances) > 0 AND significant_impact))
);
COMMENT ON TABLE assessment_eligibility IS
    'The council''s decision by the Care and Support (Eligibility Criteria) Regulations 2015 (SI 2015/313), regulation 3 (rule A9)';

-- The rules that need more than the row. Triggers fire in order of name: a finds the assessment, b the rule, y asks for
-- If-Match, z counts the version.

CREATE FUNCTION assessment_ratings_b_scale() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    made_with instrument := instrument_of(NEW.council, NEW.instrument);
    d jsonb := made_with.definition;
    faults jsonb;
BEGIN
    IF made_with.id IS NULL THEN
        RAISE EXCEPTION 'no instrument has this name' USING ERRCODE = 'CA404';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        SELECT i.* INTO made_with FROM instrument i WHERE i.id = OLD.instrument_id;
        d := made_with.definition;
    END IF;
    NEW.instrument_id := made_with.id;
    NEW.instrument_version := made_with.version;
    SELECT jsonb_agg(jsonb_build_object('pointer', f.pointer, 'keyword', 'rule', 'message', f.message)) INTO faults
      FROM (SELECT format('/ratings/%s/area', r.n - 1) AS pointer, 'is no area of this instrument' AS message
              FROM jsonb_array_elements(NEW.ratings) WITH ORDINALITY AS r(rating, n)
             WHERE NOT d -> 'areas' @> jsonb_build_array(jsonb_build_object('key', r.rating -> 'area'))
             UNION ALL
            SELECT format('/ratings/%s/area', r.n - 1), 'is rated twice'
              FROM jsonb_array_elements(NEW.ratings) WITH ORDINALITY AS r(rating, n)
             WHERE EXISTS (SELECT FROM jsonb_array_elements(NEW.ratings) WITH ORDINALITY AS e(rating, n)
                            WHERE e.n < r.n AND e.rating ->> 'area' = r.rating ->> 'area')
             UNION ALL
            SELECT format('/ratings/%s/rating', r.n - 1),
                   format('must be from %s to %s in steps of %s', d -> 'scale_min', d -> 'scale_max', d -> 'step')
              FROM jsonb_array_elements(NEW.ratings) WITH ORDINALITY AS r(rating, n)
             WHERE (r.rating ->> 'rating')::numeric NOT BETWEEN (d ->> 'scale_min')::numeric AND (d ->> 'scale_max')::numeric
                OR ((r.rating ->> 'rating')::numeric - (d ->> 'scale_min')::numeric) % (d ->> 'step')::numeric <> 0
             UNION ALL
            SELECT '/ratings', format('must rate every area: %s is missing', a ->> 'key')
              FROM jsonb_array_elements(d -> 'areas') AS a
             WHERE (d ->> 'required_all')::boolean
               AND NOT NEW.ratings @> jsonb_build_array(jsonb_build_object('area', a -> 'key'))) AS f;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'the ratings do not fit the instrument'
            USING ERRCODE = 'CA422', HINT = 'A2', DETAIL = jsonb_build_object('errors', faults);
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION assessment_ratings_b_scale() IS
    'Rule A2: every rating is of an area, on the scale and on a step of it; all faults at once. A result keeps its version';

CREATE FUNCTION assessment_eligibility_b_kind() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM assessment a WHERE a.id = NEW.assessment_id AND a.kind = 'light_touch') THEN
        RAISE EXCEPTION 'a light-touch assessment never counts as statutory: eligibility is decided on the full one'
            USING ERRCODE = 'CA422', HINT = 'A4';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION assessment_eligibility_b_kind() IS 'Rule A4: what a light-touch assessment is not';

CREATE FUNCTION assessment_i_statements_b_codes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    faults jsonb;
BEGIN
    SELECT jsonb_agg(jsonb_build_object('pointer', format('/statements/%s/code', s.n - 1), 'keyword', 'rule',
                                        'message', 'is no code of the council''s library'))
      INTO faults
      FROM jsonb_array_elements(NEW.statements) WITH ORDINALITY AS s(statement, n)
     WHERE s.statement ? 'code'
       AND NOT EXISTS (SELECT FROM i_statement l
                        WHERE l.code = s.statement ->> 'code' AND coalesce(l.council, '') IN ('', NEW.council));
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'a statement is not in the library'
            USING ERRCODE = 'CA422', HINT = 'A3', DETAIL = jsonb_build_object('errors', faults);
    END IF;
    SELECT CASE WHEN count(*) = 0 THEN NULL
                WHEN bool_and(s ->> 'status' = 'met') THEN 'fully_met'
                WHEN bool_or(s ->> 'status' IN ('met', 'partially_met')) THEN 'partially_met'
                ELSE 'not_met' END
      INTO NEW.roll_up
      FROM jsonb_array_elements(NEW.statements) AS s
     WHERE s ->> 'status' <> 'absent';
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION assessment_i_statements_b_codes() IS
    'Rule A3: codes are of the library; the roll-up is that of the client level data''s Review Outcomes Achieved';

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['assessment_swemwbs', 'assessment_ratings', 'assessment_i_statements', 'assessment_eligibility'] LOOP
        EXECUTE format('CREATE TRIGGER %1$I_a_assessment BEFORE INSERT OR UPDATE ON %1$I FOR EACH ROW EXECUTE FUNCTION of_assessment()', t);
        EXECUTE format('CREATE TRIGGER %1$I_y_replaceable BEFORE INSERT OR UPDATE ON %1$I FOR EACH ROW EXECUTE FUNCTION replaceable()', t);
        EXECUTE format('CREATE TRIGGER %1$I_audited AFTER INSERT OR UPDATE ON %1$I FOR EACH ROW EXECUTE FUNCTION audited(''carer_id'')', t);
        EXECUTE format('CREATE TRIGGER %1$I_touches AFTER INSERT OR UPDATE ON %1$I FOR EACH ROW EXECUTE FUNCTION assessment_touched()', t);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('GRANT SELECT ON %I TO carers_council, carers_partner, carers_self', t);
        EXECUTE format('CREATE POLICY %1$I_read ON %1$I FOR SELECT TO carers_council, carers_partner, carers_self USING '
                       '(EXISTS (SELECT FROM assessment a WHERE a.id = %1$I.assessment_id OFFSET 0))', t);
    END LOOP;
END
$$;
COMMENT ON POLICY assessment_swemwbs_read ON assessment_swemwbs IS 'Results are seen with their assessment';
CREATE TRIGGER assessment_swemwbs_z_versioned BEFORE UPDATE ON assessment_swemwbs
    FOR EACH ROW EXECUTE FUNCTION versioned('assessment_id');
CREATE TRIGGER assessment_ratings_b_scale BEFORE INSERT OR UPDATE ON assessment_ratings
    FOR EACH ROW EXECUTE FUNCTION assessment_ratings_b_scale();
CREATE TRIGGER assessment_ratings_z_versioned BEFORE UPDATE ON assessment_ratings
    FOR EACH ROW EXECUTE FUNCTION versioned('instrument');
CREATE TRIGGER assessment_eligibility_b_kind BEFORE INSERT OR UPDATE ON assessment_eligibility
    FOR EACH ROW EXECUTE FUNCTION assessment_eligibility_b_kind();
CREATE TRIGGER assessment_i_statements_b_codes BEFORE INSERT OR UPDATE ON assessment_i_statements
    FOR EACH ROW EXECUTE FUNCTION assessment_i_statements_b_codes();
CREATE TRIGGER assessment_i_statements_z_versioned BEFORE UPDATE ON assessment_i_statements
    FOR EACH ROW EXECUTE FUNCTION versioned('assessment_id');
CREATE TRIGGER assessment_eligibility_z_versioned BEFORE UPDATE ON assessment_eligibility
    FOR EACH ROW EXECUTE FUNCTION versioned('assessment_id');

-- The carer answers SWEMWBS herself; ratings and statements are taken by an assessor; eligibility is the council's word.
GRANT INSERT (assessment_id, completed_on, responses, complete, raw, metric, band),
      UPDATE (completed_on, responses, complete, raw, metric, band, answered_by)
    ON assessment_swemwbs TO carers_council, carers_partner, carers_self;
GRANT INSERT (assessment_id, instrument, completed_on, ratings), UPDATE (completed_on, ratings)
    ON assessment_ratings TO carers_council, carers_partner;
GRANT INSERT (assessment_id, completed_on, statements), UPDATE (completed_on, statements)
    ON assessment_i_statements TO carers_council, carers_partner;
GRANT INSERT (assessment_id, decided_on, necessary_care, circumstances, significant_impact, decision, reasons),
      UPDATE (decided_on, necessary_care, circumstances, significant_impact, decision, reasons)
    ON assessment_eligibility TO carers_council;

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['assessment_swemwbs', 'assessment_ratings', 'assessment_i_statements', 'assessment_eligibility'] LOOP
        EXECUTE format('CREATE POLICY %1$I_put ON %1$I FOR INSERT TO carers_council, carers_partner, carers_self WITH CHECK '
                       '(EXISTS (SELECT FROM assessment a WHERE a.id = %1$I.assessment_id OFFSET 0))', t);
        EXECUTE format('CREATE POLICY %1$I_change ON %1$I FOR UPDATE TO carers_council, carers_partner, carers_self USING '
                       '(EXISTS (SELECT FROM assessment a WHERE a.id = %1$I.assessment_id OFFSET 0))', t);
    END LOOP;
END
$$;

GRANT EXECUTE ON FUNCTION instrument_of(text, text) TO carers_council, carers_partner, carers_self;

-- Rule A6, which assessment_c_change() of 0015 asks.
CREATE FUNCTION assessment_complete(a assessment) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF a.completed_on > today() THEN
        RAISE EXCEPTION 'lies in the future' USING ERRCODE = 'CA42V', HINT = '/completed_on';
    ELSIF a.kind IN ('statutory', 'reassessment') AND NOT coalesce(a.contingency_offer ?& '{offered_on,response}', false) THEN
        RAISE EXCEPTION 'a session on contingency planning is offered, and her answer recorded, before it is completed'
            USING ERRCODE = 'CA422', HINT = 'A6';
    ELSIF a.kind = 'review' AND num_nulls(a.circumstances_improved, a.caring_role_improved) > 0 THEN
        RAISE EXCEPTION 'a review says whether circumstances and the caring role have improved'
            USING ERRCODE = 'CA422', HINT = 'A6';
    ELSIF a.kind = 'review'
          AND EXISTS (SELECT FROM assessment_i_statements s JOIN assessment f ON f.id = s.assessment_id
                       WHERE s.carer_id = a.carer_id AND s.roll_up IS NOT NULL AND f.completed_on IS NOT NULL)
          AND NOT EXISTS (SELECT FROM assessment_i_statements s WHERE s.assessment_id = a.id AND s.roll_up IS NOT NULL) THEN
        RAISE EXCEPTION 'a review records the I-statements again that an earlier assessment has'
            USING ERRCODE = 'CA422', HINT = 'A6';
    END IF;
END
$$;
COMMENT ON FUNCTION assessment_complete(assessment) IS 'Rule A6: what must be there before an assessment is completed';
GRANT EXECUTE ON FUNCTION assessment_complete(assessment) TO carers_council, carers_partner, carers_self;

-- The outward shapes.

CREATE VIEW swemwbs_view WITH (security_invoker = true) AS
SELECT s.assessment_id, s.carer_id, s.council, s.version, concat(
           '{"assessment_id":"', s.assessment_id, '"',
           member('completed_on', to_char(s.completed_on, 'YYYY-MM-DD')),
           member('responses', s.responses),
           member('answered_by', s.answered_by),
           member('complete', s.complete),
           member('raw_score', to_jsonb(s.raw)),
           member('metric_score', to_jsonb(s.metric)),
           member('band', s.band),
           ',"code":{"system":"http://snomed.info/sct","code":"718466001"}',
           member('created_at', instant(s.created_at)),
           member('updated_at', instant(s.updated_at)), '}') AS body
  FROM assessment_swemwbs s;
COMMENT ON VIEW swemwbs_view IS 'What callers see of a SWEMWBS: SNOMED CT 718466001, and numeric(4,2) as it stands: 17.98';

CREATE VIEW ratings_view WITH (security_invoker = true) AS
SELECT r.assessment_id, r.carer_id, r.council, r.instrument, r.version, concat(
           '{"assessment_id":"', r.assessment_id, '"',
           member('instrument', r.instrument),
           ',"instrument_version":', r.instrument_version,
           member('completed_on', to_char(r.completed_on, 'YYYY-MM-DD')),
           member('ratings', r.ratings),
           member('created_at', instant(r.created_at)),
           member('updated_at', instant(r.updated_at)), '}') AS body
  FROM assessment_ratings r;
COMMENT ON VIEW ratings_view IS 'What callers see of ratings, with the version of the instrument that they were made with';

CREATE VIEW i_statements_view WITH (security_invoker = true) AS
SELECT s.assessment_id, s.carer_id, s.council, s.version, concat(
           '{"assessment_id":"', s.assessment_id, '"',
           member('completed_on', to_char(s.completed_on, 'YYYY-MM-DD')),
           member('statements', s.statements),
           member('roll_up', s.roll_up),
           member('created_at', instant(s.created_at)),
           member('updated_at', instant(s.updated_at)), '}') AS body
  FROM assessment_i_statements s;
COMMENT ON VIEW i_statements_view IS 'What callers see of I-statements and their roll-up';

CREATE VIEW eligibility_view WITH (security_invoker = true) AS
SELECT e.assessment_id, e.carer_id, e.council, e.version, concat(
           '{"assessment_id":"', e.assessment_id, '"',
           member('decided_on', to_char(e.decided_on, 'YYYY-MM-DD')),
           member('necessary_care', e.necessary_care),
           member('circumstances', e.circumstances),
           member('significant_impact', e.significant_impact),
           member('decision', e.decision),
           member('reasons', e.reasons),
           member('created_at', instant(e.created_at)),
           member('updated_at', instant(e.updated_at)), '}') AS body
  FROM assessment_eligibility e;
COMMENT ON VIEW eligibility_view IS 'What callers see of the council''s decision on eligibility';
GRANT SELECT ON swemwbs_view, ratings_view, i_statements_view, eligibility_view
    TO carers_council, carers_partner, carers_self;

-- The assessment, with what was found. Most have no result yet: nothing is looked up for them.
CREATE VIEW assessment_view WITH (security_invoker = true) AS
SELECT a.id, a.carer_id, a.council, a.version, a.state, a.kind, concat(
           '{"id":"', a.id, '","carer_id":"', a.carer_id, '"',
           member('council', a.council),
           member('kind', a.kind),
           member('form', a.form),
           member('state', a.state),
           member('state_since', instant(a.state_since)),
           member('state_reason', a.state_reason),
           member('state_note', CASE WHEN app_role() <> 'carer' THEN a.state_note END),
           ',"available_actions":', coalesce(
               (SELECT v.actions FROM assessment_available v
                 WHERE v.kind = a.kind AND v.state = a.state AND v.role = app_role()
                   AND (app_role() NOT IN ('assessor', 'hospital_in_reach') OR a.assessor_organisation_id = app_org())
                   AND EXISTS (SELECT FROM carer c WHERE c.id = a.carer_id AND c.state <> 'closed')),
               '[]'),
           ',"assessor":{"type":"', a.assessor_type, '"', member('organisation_id', a.assessor_organisation_id::text),
           member('name', a.assessor_name), '}',
           member('mode', a.mode),
           member('setting', a.setting),
           member('language', a.language),
           ',"self_completion":', CASE WHEN a.self_completion THEN 'true' ELSE 'false' END,
           member('follows_assessment_id', a.follows_assessment_id::text),
           member('satisfied_by_assessment_id', a.satisfied_by_assessment_id::text),
           member('scheduled_for', instant(a.scheduled_for)),
           member('completed_on', to_char(a.completed_on, 'YYYY-MM-DD')),
           member('override_reason', CASE WHEN app_role() <> 'carer' THEN a.override_reason END),
           CASE WHEN a.kind = 'review' THEN concat(
               ',"review":{"planned":', CASE WHEN a.planned THEN 'true' ELSE 'false' END,
               member('reason', a.review_reason),
               member('due_on', to_char(a.due_on, 'YYYY-MM-DD')),
               ',"overdue":', CASE WHEN a.due_on < today() AND a.state IN ('due', 'scheduled', 'in_progress')
                                   THEN 'true' ELSE 'false' END,
               member('circumstances_improved', a.circumstances_improved),
               member('caring_role_improved', a.caring_role_improved), '}') END,
           member('outcomes', a.outcomes),
           member('needs', a.needs),
           member('break_recommended', a.break_recommended),
           member('contingency_offer', a.contingency_offer),
           member('hospital', a.hospital),
           member('immediate_needs', a.immediate_needs),
           member('forward_look', a.forward_look),
           member('practitioner_notes', CASE WHEN app_role() <> 'carer' THEN a.practitioner_notes END),
           CASE WHEN a.results > 0 THEN concat(
               ',"swemwbs":' || (SELECT r.body FROM swemwbs_view r WHERE r.assessment_id = a.id),
               ',"ratings":[' || (SELECT string_agg(r.body, ',' ORDER BY r.instrument) FROM ratings_view r
                                   WHERE r.assessment_id = a.id) || ']',
               CASE WHEN app_role() <> 'hospital_in_reach' THEN concat(
                   ',"i_statements":' || (SELECT r.body FROM i_statements_view r WHERE r.assessment_id = a.id),
                   ',"eligibility":' || (SELECT r.body FROM eligibility_view r WHERE r.assessment_id = a.id)) END) END,
           member('created_at', instant(a.created_at)),
           member('updated_at', instant(a.updated_at)),
           '}') AS body
  FROM assessment a;
COMMENT ON VIEW assessment_view IS 'What callers see of an assessment: body, version (the ETag)';
GRANT SELECT ON assessment_view TO carers_council, carers_partner, carers_self;

-- Change between two results.

CREATE FUNCTION swemwbs_change_class(change numeric, threshold numeric) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN change >= threshold THEN 'improved' WHEN change <= -threshold THEN 'deteriorated'
                WHEN change IS NOT NULL THEN 'no_reliable_change' END;
COMMENT ON FUNCTION swemwbs_change_class(numeric, numeric) IS
    'What a change between two metric scores means (rule A1); the threshold is 3.00 unless a council sets another: Shah et al. '
    '2018, doi 10.1186/s12955-018-1060-2, where 2.77 standard errors of measurement are 2.87 points';

CREATE FUNCTION rating_change_class(change numeric, higher_is_better boolean) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE sign(change) * CASE WHEN higher_is_better THEN 1 ELSE -1 END
               WHEN 1 THEN 'improved' WHEN -1 THEN 'deteriorated' WHEN 0 THEN 'unchanged' END;
COMMENT ON FUNCTION rating_change_class(numeric, boolean) IS 'What a change between two ratings of an area means (rule A2)';

CREATE FUNCTION rating_scale(definition jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN jsonb_build_array(definition -> 'scale_min', definition -> 'scale_max', definition -> 'higher_is_better');
COMMENT ON FUNCTION rating_scale(jsonb) IS 'Ratings by two versions of an instrument can be compared when this is the same of both';
GRANT EXECUTE ON FUNCTION swemwbs_change_class(numeric, numeric), rating_change_class(numeric, boolean), rating_scale(jsonb)
    TO carers_council, carers_partner, carers_self;
