-- Funding: schemes as each council sets them, and what is awarded to carers under them. Rule B5.

-- Financial years are those of English councils, 1 April to 31 March.

CREATE FUNCTION financial_year(day date) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN extract(year FROM day - interval '3 months') || '-' || right(extract(year FROM day + interval '9 months')::text, 2);
COMMENT ON FUNCTION financial_year(date) IS 'The financial year of a day, as 2026-27';
CREATE FUNCTION financial_year_begins(year text) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN make_date(left(year, 4)::integer, 4, 1);
COMMENT ON FUNCTION financial_year_begins(text) IS 'Its first day, 1 April';
GRANT EXECUTE ON FUNCTION financial_year(date), financial_year_begins(text) TO carers_caller;

CREATE TABLE funding_scheme (
    id uuid PRIMARY KEY DEFAULT uuid7(clock_timestamp()),
    council text CHECK (council ~ '^E(06|08|09|10)[0-9]{6}$'),
    key text NOT NULL CHECK (key ~ '^[a-z][a-z0-9_]{1,40}$'),
    version integer NOT NULL CHECK (version BETWEEN 1 AND 999999),
    effective_from date NOT NULL,
    definition jsonb NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    created_by text NOT NULL DEFAULT app_subject()
);
COMMENT ON TABLE funding_scheme IS
    'Funding schemes by council and version: levels with their ceilings, for whom, what else they exclude. Append-only: a change is '
    'the next version, in force from a day on, and an award keeps the one that it was judged by';
COMMENT ON COLUMN funding_scheme.council IS 'NULL: shipped with the service, for every council that has none of its own in force';
CREATE UNIQUE INDEX funding_scheme_version ON funding_scheme ((coalesce(council, '')), key, version);

-- Islington's figures of 2014/15.
INSERT INTO funding_scheme (key, version, effective_from, definition, created_by) VALUES
    ('carers_personal_budget', 1, '2014-04-01', '{"label": "Carers personal budget", "open": true, "eligibility": "eligible",
      "levels": [{"level": "low", "label": "Low support", "ceiling_pence": 50000},
                 {"level": "high", "label": "High support", "ceiling_pence": 150000}],
      "excludes": ["flexible_breaks_fund"]}', 'carers-api'),
    ('flexible_breaks_fund', 1, '2014-04-01', '{"label": "Flexible breaks fund", "open": true, "eligibility": "not_eligible",
      "levels": [{"level": "individual", "label": "Individual", "ceiling_pence": 20000},
                 {"level": "family", "label": "Family", "ceiling_pence": 60000}],
      "awards_per_year": 1, "excludes": ["carers_personal_budget"]}', 'carers-api');

ALTER TABLE funding_scheme ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON funding_scheme TO carers_council, carers_partner, carers_self;
GRANT INSERT (council, key, version, effective_from, definition) ON funding_scheme TO carers_council;
CREATE POLICY funding_scheme_read ON funding_scheme FOR SELECT TO carers_council, carers_partner, carers_self USING (true);
CREATE POLICY funding_scheme_write ON funding_scheme FOR INSERT TO carers_council
    WITH CHECK (council = ANY (app_councils()) AND app_role() = 'council_admin');
CREATE TRIGGER funding_scheme_audited AFTER INSERT ON funding_scheme FOR EACH ROW EXECUTE FUNCTION configured();
CREATE TRIGGER funding_scheme_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON funding_scheme
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE FUNCTION funding_schemes_on(whose text, day date) RETURNS SETOF funding_scheme LANGUAGE sql STABLE PARALLEL SAFE ROWS 5
BEGIN ATOMIC
    SELECT DISTINCT ON (s.key) s.*
      FROM funding_scheme s
     WHERE coalesce(s.council, '') IN (whose, '') AND s.effective_from <= day
     ORDER BY s.key, s.council NULLS LAST, s.effective_from DESC, s.version DESC;
END;
COMMENT ON FUNCTION funding_schemes_on(text, date) IS
    'The version of each scheme that is in force in a council on a day: the council''s own before the shipped one, of its own the '
    'one that came into force last, of two of one day the later version';

CREATE FUNCTION funding_scheme_latest(whose text, wanted text) RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce((SELECT max(s.version) FROM funding_scheme s WHERE s.council = whose AND s.key = wanted), 0);
COMMENT ON FUNCTION funding_scheme_latest(text, text) IS 'The last version that the council has set, in force or not yet; 0: none';

CREATE FUNCTION funding_scheme_sound(whose text, wanted text, body jsonb) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE
    faults jsonb;
BEGIN
    SELECT jsonb_agg(jsonb_build_object('pointer', f.pointer, 'keyword', 'rule', 'message', f.message)) INTO faults
      FROM (SELECT '/effective_from' AS pointer, 'must not lie in the past' AS message
             WHERE (body ->> 'effective_from')::date < today()
             UNION ALL
            SELECT format('/levels/%s/level', l.n - 1), 'is there twice'
              FROM jsonb_array_elements(body -> 'levels') WITH ORDINALITY AS l(level, n)
             WHERE EXISTS (SELECT FROM jsonb_array_elements(body -> 'levels') WITH ORDINALITY AS e(level, n)
                            WHERE e.n < l.n AND e.level -> 'level' = l.level -> 'level')
             UNION ALL
            SELECT format('/excludes/%s', x.n - 1), 'must be another scheme of the council'
              FROM jsonb_array_elements_text(body -> 'excludes') WITH ORDINALITY AS x(key, n)
             WHERE x.key = wanted
                OR NOT EXISTS (SELECT FROM funding_scheme s WHERE s.key = x.key AND coalesce(s.council, '') IN (whose, ''))
           ) AS f;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'the scheme is not sound'
            USING ERRCODE = 'CA422', HINT = 'B5', DETAIL = jsonb_build_object('errors', faults);
    END IF;
END
$$;
COMMENT ON FUNCTION funding_scheme_sound(text, text, jsonb) IS 'What a schema cannot say of a scheme; all faults at once';

CREATE FUNCTION funding_scheme_put(whose text, wanted text, body jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    own funding_scheme;
    editions text := coalesce(current_setting('app.if_match', true), '');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('funding scheme ' || whose || wanted, 0));
    SELECT * INTO own FROM funding_scheme s WHERE s.council = whose AND s.key = wanted ORDER BY s.version DESC LIMIT 1;
    IF whose <> ALL (app_councils()) THEN
        RAISE EXCEPTION 'is not one of your councils' USING ERRCODE = 'CA400', HINT = '/query/council';
    ELSIF own.id IS NULL AND editions <> '' OR own.id IS NOT NULL AND editions NOT IN ('', '*')
          AND NOT EXISTS (SELECT FROM unnest(string_to_array(editions, ',')) AS e WHERE e::bigint / 1000000 = own.version) THEN
        RAISE EXCEPTION 'the council''s scheme has changed since it was read' USING ERRCODE = 'CA412';
    ELSIF own.id IS NOT NULL AND editions = '' THEN
        RAISE EXCEPTION 'what is on record is replaced with If-Match only' USING ERRCODE = 'CA428';
    ELSIF own.definition = body - 'effective_from' AND own.effective_from = (body ->> 'effective_from')::date THEN
        RETURN;
    END IF;
    PERFORM funding_scheme_sound(whose, wanted, body);
    INSERT INTO funding_scheme (council, key, version, effective_from, definition)
    SELECT whose, wanted, 1 + coalesce(max(s.version), 0), (body ->> 'effective_from')::date, body - 'effective_from'
      FROM funding_scheme s WHERE s.key = wanted AND coalesce(s.council, '') IN (whose, '');
END
$$;
COMMENT ON FUNCTION funding_scheme_put(text, text, jsonb) IS
    'The next version of a council''s scheme. The same again makes none. An ETag tells the council''s latest version, in millions, '
    'and the one that is shown: it is another one when a version comes, and when one comes into force';

CREATE FUNCTION funding_scheme_body(s funding_scheme, whose text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat('{"scheme":"', s.key, '","version":', s.version,
                  member('council', s.council),
                  member('effective_from', to_char(s.effective_from, 'YYYY-MM-DD')),
                  member('label', s.definition ->> 'label'),
                  member('open', coalesce(s.definition -> 'open', 'true')),
                  member('eligibility', s.definition ->> 'eligibility'),
                  member('levels', s.definition -> 'levels'),
                  member('awards_per_year', s.definition -> 'awards_per_year'),
                  member('excludes', coalesce(s.definition -> 'excludes', '[]')),
                  member('purposes', s.definition -> 'purposes'),
                  ',"versions":', (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                                              'version', v.version, 'effective_from', v.effective_from, 'council', v.council)) ORDER BY v.version DESC)
                                     FROM funding_scheme v WHERE v.key = s.key AND coalesce(v.council, '') IN (whose, '')),
                  member('created_at', instant(s.created_at)), '}')
$$;
COMMENT ON FUNCTION funding_scheme_body(funding_scheme, text) IS 'What callers see of a version of a scheme, beside the council''s others';
GRANT EXECUTE ON FUNCTION funding_scheme_sound(text, text, jsonb), funding_scheme_put(text, text, jsonb) TO carers_council;
GRANT EXECUTE ON FUNCTION funding_schemes_on(text, date), funding_scheme_latest(text, text), funding_scheme_body(funding_scheme, text)
    TO carers_council, carers_partner, carers_self;

-- Awards.

CREATE TABLE funding_award (
    id uuid PRIMARY KEY,
    carer_id uuid NOT NULL REFERENCES carer ON DELETE CASCADE,
    council text NOT NULL,
    scheme text NOT NULL,
    scheme_id uuid NOT NULL REFERENCES funding_scheme,
    level text NOT NULL,
    amount_pence integer NOT NULL,
    top_up_pence integer CHECK (top_up_pence > 0),
    purpose text NOT NULL CHECK (purpose IN ('health_appointment', 'social', 'rest', 'holiday', 'special_occasion', 'work_or_learning',
        'wellbeing', 'replacement_care', 'equipment', 'transport', 'household_help', 'other')),
    assessment_id uuid REFERENCES assessment,
    applied_on date NOT NULL DEFAULT today(),
    financial_year text NOT NULL,
    applied_role text NOT NULL DEFAULT app_role(),
    applied_organisation_id uuid DEFAULT app_org(),
    state text NOT NULL DEFAULT 'applied',
    state_since timestamptz(3) NOT NULL DEFAULT now(),
    action text NOT NULL DEFAULT 'apply',
    reason text CHECK (length(reason) BETWEEN 1 AND 1000),
    decided_at timestamptz(3),
    decided_role text,
    paid_at timestamptz(3),
    payment_method text CHECK (payment_method IN ('direct_payment', 'bank_transfer', 'prepaid_card', 'voucher', 'provider_invoice', 'cheque')),
    payment_reference text CHECK (payment_reference ~ '^[A-Z0-9/._-]{1,40}$' AND payment_reference ~ '[0-9]'),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT funding_award_amount CHECK (amount_pence > 0),
    CONSTRAINT funding_award_state CHECK (CASE state
        WHEN 'applied' THEN num_nonnulls(decided_at, paid_at) = 0
        WHEN 'approved' THEN decided_at IS NOT NULL AND paid_at IS NULL
        WHEN 'refused' THEN num_nonnulls(decided_at, reason) = 2 AND paid_at IS NULL
        WHEN 'paid' THEN num_nonnulls(decided_at, paid_at, payment_method) = 3
        ELSE false END)
);
COMMENT ON TABLE funding_award IS 'What a carer applies for under a scheme, is granted and paid. Its outward shape is funding_award_body()';
COMMENT ON COLUMN funding_award.scheme_id IS 'The version in force on applied_on, by which it is judged for good';
COMMENT ON COLUMN funding_award.assessment_id IS 'Whose decision on eligibility it was judged by last; NULL: the scheme does not ask for one';
COMMENT ON COLUMN funding_award.top_up_pence IS 'What the carer adds, where a provider asks for more than the council''s rate: no part of the award';
COMMENT ON COLUMN funding_award.financial_year IS 'Of applied_on: the year whose ceilings it counts against';
COMMENT ON COLUMN funding_award.action IS 'What was done last; with state it must be a row of funding_transition';
COMMENT ON COLUMN funding_award.payment_reference IS 'Of the payment in the council''s ledger: a code, never a name or an account';
CREATE INDEX funding_award_by_carer ON funding_award (carer_id, financial_year, id DESC);
CREATE INDEX funding_award_by_state ON funding_award (council, state, id DESC);
CREATE INDEX funding_award_by_change ON funding_award (council, state, updated_at, id);
CREATE INDEX funding_award_by_year ON funding_award (council, financial_year) INCLUDE (scheme, level, state, amount_pence, carer_id);
CREATE INDEX funding_award_by_assessment ON funding_award (assessment_id) WHERE assessment_id IS NOT NULL;

CREATE TABLE funding_year (
    carer_id uuid NOT NULL REFERENCES carer ON DELETE CASCADE,
    financial_year text NOT NULL,
    judged bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (carer_id, financial_year)
);
COMMENT ON TABLE funding_year IS
    'The lock of a carer''s year. Whoever judges an award writes it first: the next one waits for the commit and then sees what was '
    'approved, or, in an isolation that would not see it, is refused by PostgreSQL (40001)';

-- The machine, as data (api/rules/funding_states.def has the same rows; a test compares them).

CREATE TABLE funding_transition (
    from_state text NOT NULL,
    action text NOT NULL,
    to_state text NOT NULL,
    sets text[] NOT NULL,
    must text[] NOT NULL,
    place integer NOT NULL,
    PRIMARY KEY (from_state, action)
);
COMMENT ON TABLE funding_transition IS 'What council staff may do with an award in which state, where it leads, and what it must carry';
COMMENT ON COLUMN funding_transition.sets IS 'Columns that the action writes, and no other';
COMMENT ON COLUMN funding_transition.must IS 'Columns that are not empty afterwards';
COMMENT ON COLUMN funding_transition.place IS 'Order in available_actions';
INSERT INTO funding_transition (from_state, action, to_state, sets, must, place) VALUES
    ('applied', 'approve', 'approved', '{}', '{}', 1),
    ('applied', 'refuse', 'refused', '{reason}', '{reason}', 2),
    ('approved', 'refuse', 'refused', '{reason}', '{reason}', 2),
    ('approved', 'pay', 'paid', '{payment_method,payment_reference}', '{payment_method}', 3);

ALTER TABLE funding_award ENABLE ROW LEVEL SECURITY;
ALTER TABLE funding_year ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON funding_award, funding_transition TO carers_council, carers_partner, carers_self;
GRANT INSERT (id, carer_id, scheme, level, amount_pence, top_up_pence, purpose, applied_on) ON funding_award TO carers_council, carers_partner, carers_self;
GRANT UPDATE (state, action, reason, payment_method, payment_reference) ON funding_award TO carers_council;
CREATE POLICY funding_award_council ON funding_award TO carers_council
    USING (council = ANY (app_councils())) WITH CHECK (council = ANY (app_councils()));
CREATE POLICY funding_award_partner ON funding_award TO carers_partner
    USING (app_role() IN ('support_worker', 'assessor')
           AND EXISTS (SELECT FROM carer_access a
                        WHERE a.organisation_id = app_org() AND a.carer_id = funding_award.carer_id
                          AND in_force(a.starts_at, a.ends_at) OFFSET 0));
CREATE POLICY funding_award_self ON funding_award TO carers_self USING (carer_id = app_carer()) WITH CHECK (carer_id = app_carer());

-- What stands between a carer and a scheme. It needs more than its caller may see (a support worker sees no assessment), and tells
-- nobody of a carer whom the caller does not see.

CREATE FUNCTION funding_asked(whose uuid) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF pg_trigger_depth() = 0
       AND NOT EXISTS (SELECT FROM carer c
                        WHERE c.id = whose
                          AND CASE WHEN app_role() IN ('council_admin', 'practitioner') THEN c.council = ANY (app_councils())
                                   WHEN app_role() = 'carer' THEN c.id = app_carer()
                                   ELSE app_role() IN ('support_worker', 'assessor')
                                        AND EXISTS (SELECT FROM carer_access a
                                                     WHERE a.organisation_id = app_org() AND a.carer_id = c.id
                                                       AND in_force(a.starts_at, a.ends_at)) END) THEN
        RAISE EXCEPTION 'no carer has this id' USING ERRCODE = 'CA404';
    END IF;
END
$$;
COMMENT ON FUNCTION funding_asked(uuid) IS 'CA404 unless the caller sees the carer; triggers ask for themselves';

CREATE FUNCTION carer_eligibility(whose uuid, OUT decision text, OUT assessment_id uuid, OUT decided_on date)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM funding_asked(whose);
    SELECT e.decision, a.id, e.decided_on INTO decision, assessment_id, decided_on
      FROM assessment a
      JOIN assessment_eligibility e ON e.assessment_id = a.id
     WHERE a.carer_id = whose AND a.completed_on IS NOT NULL
     ORDER BY a.completed_on DESC, a.id DESC
     LIMIT 1;
END
$$;
COMMENT ON FUNCTION carer_eligibility(uuid) IS
    'The decision of the carer''s latest completed assessment that has one (rule A9): for whom a scheme asks. NULL: not decided';

CREATE FUNCTION funding_standing(whose uuid, year text, s funding_scheme, less uuid,
                                 OUT used_pence bigint, OUT awards bigint, OUT excluded_by text[], OUT obstacles text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    wanted CONSTANT text := s.definition ->> 'eligibility';
    decided CONSTANT text := (carer_eligibility(whose)).decision; -- and funding_asked()
BEGIN
    SELECT coalesce(sum(a.amount_pence) FILTER (WHERE a.scheme = s.key), 0), count(*) FILTER (WHERE a.scheme = s.key),
           coalesce(array_agg(DISTINCT a.scheme ORDER BY a.scheme)
                        FILTER (WHERE s.definition -> 'excludes' ? a.scheme OR v.definition -> 'excludes' ? s.key), '{}')
      INTO used_pence, awards, excluded_by
      FROM funding_award a
      JOIN funding_scheme v ON v.id = a.scheme_id
     WHERE a.carer_id = whose AND a.financial_year = year AND a.state IN ('approved', 'paid') AND a.id IS DISTINCT FROM less;
    obstacles := array_remove(ARRAY[
        CASE WHEN EXISTS (SELECT FROM carer c WHERE c.id = whose AND c.state = 'closed') THEN 'carer_closed' END,
        CASE WHEN s.definition -> 'open' = 'false' THEN 'scheme_closed' END,
        CASE WHEN wanted <> 'any' AND decided IS NULL THEN 'eligibility_undecided'
             WHEN wanted <> 'any' AND decided <> wanted THEN 'for_' || wanted || '_carers' END,
        CASE WHEN cardinality(excluded_by) > 0 THEN 'excluded' END,
        CASE WHEN awards >= (s.definition ->> 'awards_per_year')::integer THEN 'no_awards_left' END], NULL);
END
$$;
COMMENT ON FUNCTION funding_standing(uuid, text, funding_scheme, uuid) IS
    'What the carer has used of the scheme in a year by approved and paid awards (`less`: but for this one), and what forbids another';
GRANT EXECUTE ON FUNCTION carer_eligibility(uuid), funding_standing(uuid, text, funding_scheme, uuid)
    TO carers_council, carers_partner, carers_self;

CREATE FUNCTION funding_faults(a funding_award) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    s funding_scheme;
    standing record;
    ceiling bigint;
BEGIN
    SELECT * INTO s FROM funding_scheme v WHERE v.id = a.scheme_id;
    SELECT * INTO standing FROM funding_standing(a.carer_id, a.financial_year, s, a.id);
    SELECT (l ->> 'ceiling_pence')::bigint INTO ceiling
      FROM jsonb_array_elements(s.definition -> 'levels') AS l WHERE l ->> 'level' = a.level;
    RETURN (SELECT jsonb_agg(jsonb_build_object('pointer', f.pointer, 'keyword', 'rule', 'message', f.message))
              FROM (SELECT '/scheme' AS pointer, o.message
                      FROM (VALUES ('carer_closed', 'is not for a carer whose record is closed'),
                                   ('scheme_closed', 'is closed to applications'),
                                   ('eligibility_undecided', 'asks for a completed assessment that decides on eligibility'),
                                   ('for_eligible_carers', 'is for carers who are eligible for support only'),
                                   ('for_not_eligible_carers', 'is for carers who are not eligible for support only'),
                                   ('excluded', 'is not given in one financial year with: ' || array_to_string(standing.excluded_by, ', ')),
                                   ('no_awards_left', 'gives no further award in this financial year')) AS o(code, message)
                     WHERE o.code = ANY (standing.obstacles)
                     UNION ALL
                    SELECT '/level', 'is no level of this scheme' WHERE ceiling IS NULL
                     UNION ALL
                    SELECT '/purpose', 'is not what this scheme is for'
                     WHERE NOT coalesce(s.definition -> 'purposes' ? a.purpose, true)
                     UNION ALL
                    SELECT '/amount_pence', format('must not be more than %s: the ceiling of this level for a financial year', ceiling)
                     WHERE a.amount_pence > ceiling
                     UNION ALL
                    SELECT '/amount_pence',
                           format('would lead over %s, the ceiling of this level, with what is approved for the financial year', ceiling)
                     WHERE a.amount_pence <= ceiling AND a.amount_pence + standing.used_pence > ceiling) AS f);
END
$$;
COMMENT ON FUNCTION funding_faults(funding_award) IS
    'What stands against the award by rule B5, all of it; NULL: nothing. A ceiling is for all of the year''s awards under the scheme';
GRANT EXECUTE ON FUNCTION funding_faults(funding_award) TO carers_council, carers_partner, carers_self;

CREATE FUNCTION funding_judge(a funding_award) RETURNS funding_award
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    faults jsonb;
BEGIN
    IF pg_trigger_depth() = 0 THEN
        RAISE EXCEPTION 'only a trigger judges awards' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO funding_year AS y (carer_id, financial_year) VALUES (a.carer_id, a.financial_year)
        ON CONFLICT ON CONSTRAINT funding_year_pkey DO UPDATE SET judged = y.judged + 1;
    faults := funding_faults(a); -- a statement of its own, begun after the lock
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'the scheme does not allow this award'
            USING ERRCODE = 'CA422', HINT = 'B5', DETAIL = jsonb_build_object('errors', faults);
    END IF;
    a.assessment_id := CASE WHEN (SELECT s.definition ->> 'eligibility' FROM funding_scheme s WHERE s.id = a.scheme_id) <> 'any'
                            THEN (carer_eligibility(a.carer_id)).assessment_id END;
    RETURN a;
END
$$;
COMMENT ON FUNCTION funding_judge(funding_award) IS 'Rule B5, one award of a carer''s year at a time; and by which assessment it was judged';
GRANT EXECUTE ON FUNCTION funding_judge(funding_award) TO carers_council, carers_partner, carers_self;

-- Triggers fire in order of name: a finds the carer, b applies or moves, z counts the version.

CREATE FUNCTION funding_award_b_apply() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF app_role() NOT IN ('council_admin', 'practitioner', 'assessor', 'support_worker', 'carer') THEN
        RAISE EXCEPTION 'this role does not apply for funding' USING ERRCODE = 'CA403';
    ELSIF NEW.applied_on > today() THEN
        RAISE EXCEPTION 'lies in the future' USING ERRCODE = 'CA42V', HINT = '/applied_on';
    END IF;
    NEW.financial_year := financial_year(NEW.applied_on);
    SELECT s.id INTO NEW.scheme_id FROM funding_schemes_on(NEW.council, NEW.applied_on) AS s WHERE s.key = NEW.scheme;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'is no scheme that was in force in her council on that day' USING ERRCODE = 'CA42V', HINT = '/scheme';
    END IF;
    RETURN funding_judge(NEW);
END
$$;
COMMENT ON FUNCTION funding_award_b_apply() IS 'Who applies, under which version of the scheme, in which year; and rule B5';

CREATE FUNCTION funding_award_b_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    step funding_transition;
    common CONSTANT text[] := '{state,action}';
    lacking text;
BEGIN
    PERFORM precondition(OLD.id, OLD.version);
    SELECT * INTO step FROM funding_transition t WHERE t.from_state = OLD.state AND t.action = NEW.action AND t.to_state = NEW.state;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'an award that is % is not moved so', OLD.state
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', OLD.state);
    ELSIF to_jsonb(NEW) - common - step.sets <> to_jsonb(OLD) - common - step.sets THEN
        RAISE EXCEPTION 'this action changes nothing else of an award' USING ERRCODE = 'CA403';
    END IF;
    SELECT m INTO lacking FROM unnest(step.must) AS m WHERE to_jsonb(NEW) ->> m IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'this action needs a %', replace(lacking, '_', ' ') USING ERRCODE = 'CA422', HINT = 'B5';
    END IF;
    NEW.state_since := clock_timestamp();
    IF NEW.action = 'pay' THEN
        NEW.paid_at := NEW.state_since;
        RETURN NEW;
    END IF;
    NEW.decided_at := NEW.state_since;
    NEW.decided_role := app_role();
    RETURN CASE NEW.action WHEN 'approve' THEN funding_judge(NEW) ELSE NEW END;
END
$$;
COMMENT ON FUNCTION funding_award_b_move() IS 'The machine for every client of the database; and rule B5 once more, when an award is approved';

CREATE TRIGGER funding_award_a_carer BEFORE INSERT ON funding_award FOR EACH ROW EXECUTE FUNCTION of_carer('open');
CREATE TRIGGER funding_award_b_apply BEFORE INSERT ON funding_award FOR EACH ROW EXECUTE FUNCTION funding_award_b_apply();
CREATE TRIGGER funding_award_b_move BEFORE UPDATE ON funding_award FOR EACH ROW EXECUTE FUNCTION funding_award_b_move();
CREATE TRIGGER funding_award_z_versioned BEFORE UPDATE ON funding_award FOR EACH ROW EXECUTE FUNCTION versioned();
CREATE TRIGGER funding_award_audited AFTER INSERT OR UPDATE ON funding_award FOR EACH ROW EXECUTE FUNCTION audited('carer_id');

INSERT INTO event_kind (kind, resource, path, roles)
SELECT 'funding_award.' || k.kind, 'funding_award', '/v1/funding-awards/%2$s', '{council_admin,practitioner,assessor,support_worker,carer}'
  FROM unnest('{applied,approved,refused,paid}'::text[]) AS k(kind);
CREATE FUNCTION funding_award_evented() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_event(NEW.carer_id, NEW.council, 'funding_award.' || NEW.state, NEW.id, NEW.version, NEW.state,
                       format('A funding award (%s) is now %s', replace(NEW.scheme, '_', ' '),
                              CASE NEW.state WHEN 'applied' THEN 'applied for' ELSE NEW.state END));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION funding_award_evented() IS 'Scheme and state, never how much, what for or why';
CREATE TRIGGER funding_award_evented AFTER INSERT OR UPDATE ON funding_award FOR EACH ROW EXECUTE FUNCTION funding_award_evented();

CREATE FUNCTION funding_award_body(a funding_award, decides boolean) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat(
        '{"id":"', a.id, '","carer_id":"', a.carer_id, '"',
        member('council', a.council),
        member('scheme', a.scheme),
        ',"scheme_version":', (SELECT s.version FROM funding_scheme s WHERE s.id = a.scheme_id),
        member('level', a.level),
        ',"amount_pence":', a.amount_pence,
        ',"top_up_pence":' || a.top_up_pence,
        member('purpose', a.purpose),
        member('assessment_id', a.assessment_id::text),
        member('applied_on', to_char(a.applied_on, 'YYYY-MM-DD')),
        member('applied_by', by_whom(a.applied_role, a.applied_organisation_id)),
        member('financial_year', a.financial_year),
        member('state', a.state),
        member('state_since', instant(a.state_since)),
        ',"available_actions":', coalesce(
            (SELECT jsonb_agg(t.action ORDER BY t.place)::text
               FROM funding_transition t
              WHERE t.from_state = a.state AND decides AND app_role() IN ('council_admin', 'practitioner')
                AND (t.action <> 'approve' OR EXISTS (SELECT FROM carer c WHERE c.id = a.carer_id AND c.state <> 'closed'))),
            '[]'),
        member('reason', a.reason),
        member('decided_at', instant(a.decided_at)),
        member('decided_by', by_whom(a.decided_role, NULL)),
        member('paid_at', instant(a.paid_at)),
        member('payment_method', a.payment_method),
        member('payment_reference', a.payment_reference),
        member('created_at', instant(a.created_at)),
        member('updated_at', instant(a.updated_at)), '}')
$$;
COMMENT ON FUNCTION funding_award_body(funding_award, boolean) IS
    'What callers see of an award. decides: her token has the scope without which none of the actions is hers';
GRANT EXECUTE ON FUNCTION funding_award_body(funding_award, boolean) TO carers_council, carers_partner, carers_self;

-- For commissioners: counts, never a person. What of them is shown is api/rules/suppression.c's to say.

CREATE FUNCTION funding_report(whose text, year text)
RETURNS TABLE (scheme text, level text, state text, awards bigint, carers bigint, pence bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF app_role() NOT IN ('commissioner', 'council_admin') THEN
        RAISE EXCEPTION 'this role reads no reports' USING ERRCODE = 'CA403';
    ELSIF whose IS NULL OR whose <> ALL (app_councils()) THEN
        RAISE EXCEPTION 'must be one of your councils' USING ERRCODE = 'CA400', HINT = '/query/council';
    END IF;
    RETURN QUERY
        SELECT a.scheme, a.level, a.state, count(*), count(DISTINCT a.carer_id), sum(a.amount_pence)
          FROM funding_award a
         WHERE a.council = whose AND a.financial_year = year AND a.state <> 'applied'
         GROUP BY GROUPING SETS ((a.scheme, a.level, a.state), (a.scheme, a.level), (a.state), ());
END
$$;
COMMENT ON FUNCTION funding_report(text, text) IS
    'Awards that were decided on, by scheme, level and state; NULL: all of them. Without an award one row of zeros';
GRANT EXECUTE ON FUNCTION funding_report(text, text) TO carers_desk, carers_council;
