-- Breaks from caring: schemes, the machine of a break's states, and who says what of it. Rules B1, B2 and B6.

CREATE TABLE break_scheme (
    council text CHECK (council ~ '^E(06|08|09|10)[0-9]{6}$'),
    scheme text NOT NULL CHECK (scheme ~ '^[a-z][a-z0-9_]{0,40}$'),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    description text CHECK (length(description) BETWEEN 1 AND 1000),
    requires_statutory_assessment boolean NOT NULL,
    active boolean NOT NULL DEFAULT true,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT break_scheme_key UNIQUE NULLS NOT DISTINCT (scheme, council)
);
COMMENT ON TABLE break_scheme IS 'By which rules a council gives breaks. No person stands in it';
COMMENT ON COLUMN break_scheme.council IS 'NULL: shipped, for every council that has none of this name';
COMMENT ON COLUMN break_scheme.requires_statutory_assessment IS 'Rule B1 holds for breaks that are made under it';
COMMENT ON COLUMN break_scheme.active IS 'New breaks may be made under it';
INSERT INTO break_scheme (scheme, title, description, requires_statutory_assessment) VALUES
    ('assessed_breaks', 'Breaks after a statutory assessment',
     'The council''s assessment says that a break would help; the provider and the carer agree on how long and how often.', true),
    ('open_breaks', 'Breaks without an assessment', 'For any carer whom the council or a charity refers.', false);
ALTER TABLE break_scheme ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON break_scheme TO carers_council, carers_partner, carers_self;
GRANT INSERT (council, scheme, title, description, requires_statutory_assessment, active),
      UPDATE (title, description, requires_statutory_assessment, active) ON break_scheme TO carers_council;
CREATE POLICY break_scheme_read ON break_scheme FOR SELECT TO carers_council, carers_partner, carers_self USING (true);
CREATE POLICY break_scheme_make ON break_scheme FOR INSERT TO carers_council
    WITH CHECK (council = ANY (app_councils()) AND app_role() = 'council_admin');
CREATE POLICY break_scheme_change ON break_scheme FOR UPDATE TO carers_council
    USING (council = ANY (app_councils()) AND app_role() = 'council_admin');
CREATE TRIGGER break_scheme_replaceable BEFORE INSERT OR UPDATE ON break_scheme FOR EACH ROW EXECUTE FUNCTION replaceable();
CREATE TRIGGER break_scheme_versioned BEFORE UPDATE ON break_scheme FOR EACH ROW EXECUTE FUNCTION versioned('scheme');
CREATE TRIGGER break_scheme_audited AFTER INSERT OR UPDATE ON break_scheme FOR EACH ROW EXECUTE FUNCTION configured();

CREATE FUNCTION break_scheme_of(whose text, wanted text) RETURNS break_scheme LANGUAGE sql STABLE
    RETURN (SELECT s FROM break_scheme s WHERE s.scheme = wanted AND coalesce(s.council, '') IN (whose, '')
             ORDER BY s.council NULLS LAST LIMIT 1);
COMMENT ON FUNCTION break_scheme_of(text, text) IS 'The council''s own scheme of this name, or the shipped one';

CREATE VIEW break_scheme_view WITH (security_invoker = true) AS
SELECT s.council, s.scheme, s.version, concat(
           '{"scheme":"', s.scheme, '"', member('council', s.council), member('title', s.title), member('description', s.description),
           member('requires_statutory_assessment', s.requires_statutory_assessment), member('active', s.active),
           ',"version":', s.version, member('updated_at', instant(s.updated_at)), '}') AS body
  FROM break_scheme s;
COMMENT ON VIEW break_scheme_view IS 'What callers see of a scheme: body, version (the ETag)';
GRANT SELECT ON break_scheme_view TO carers_council, carers_partner, carers_self;

-- Breaks.

CREATE TABLE carer_break (
    id uuid PRIMARY KEY,
    carer_id uuid NOT NULL REFERENCES carer ON DELETE CASCADE,
    council text NOT NULL,
    scheme text NOT NULL,
    assessment_id uuid REFERENCES assessment,
    referral_id uuid REFERENCES referral,
    provider_organisation_id uuid NOT NULL REFERENCES organisation,
    from_organisation_id uuid REFERENCES organisation,
    with_cared_for text CHECK (with_cared_for IN ('with', 'without')),
    approach text CHECK (approach IN ('individual', 'whole_family')),
    delivery text NOT NULL CHECK (delivery IN ('sitting_service', 'replacement_care', 'activity', 'short_stay', 'shared_lives_respite',
        'direct_payment', 'grant')),
    purpose text NOT NULL CHECK (purpose IN ('health_appointment', 'social', 'rest', 'holiday', 'special_occasion', 'work_or_learning')),
    funding_type text CHECK (funding_type IN ('direct_payment', 'individual_service_fund', 'personal_budget', 'self_funded',
        'council_commissioned', 'none')),
    conversation_held_on date,
    conversation_notes text,
    hours_per_session numeric(5, 2) CHECK (hours_per_session > 0),
    frequency text CHECK (frequency IN ('weekly', 'fortnightly', 'monthly', 'custom')),
    starts_on date,
    ends_on date,
    introductory_visits jsonb,
    state text NOT NULL DEFAULT 'referred'
        CHECK (state IN ('referred', 'conversation_held', 'agreed', 'active', 'paused', 'ended', 'declined')),
    state_since timestamptz(3) NOT NULL DEFAULT now(),
    action text NOT NULL DEFAULT 'create',
    moves integer NOT NULL DEFAULT 0,
    action_reason text,
    action_note text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT break_span CHECK (ends_on >= starts_on)
);
COMMENT ON TABLE carer_break IS 'A break from caring that a provider gives to a carer. Its outward shape is break_view';
COMMENT ON COLUMN carer_break.scheme IS 'Name of the scheme that it was made under: rule B1 is asked then, not when the scheme changes';
COMMENT ON COLUMN carer_break.from_organisation_id IS 'Who arranged it; NULL: the council';
COMMENT ON COLUMN carer_break.hours_per_session IS 'With frequency, starts_on and ends_on the agreement, which is the provider''s to make (rule B2)';
COMMENT ON COLUMN carer_break.conversation_notes IS 'Not shown to the carer; neither is action_note';
COMMENT ON COLUMN carer_break.introductory_visits IS '[{held_on, note}] (rule B6)';
COMMENT ON COLUMN carer_break.action IS 'What was done last; with state it must be a row of break_transition';
COMMENT ON COLUMN carer_break.moves IS 'How many rows of break_history there are, but for the first';
-- A filtered list walks over thousands of them: what it asks, and what the policies ask, stands in the index.
CREATE INDEX break_by_council ON carer_break (council, id DESC)
    INCLUDE (state, scheme, purpose, delivery, provider_organisation_id);
CREATE INDEX break_by_council_change ON carer_break (council, updated_at, id)
    INCLUDE (state, scheme, purpose, delivery, provider_organisation_id);
CREATE INDEX break_by_provider ON carer_break (provider_organisation_id, id DESC) INCLUDE (state, scheme, purpose, delivery, carer_id);
CREATE INDEX break_by_provider_change ON carer_break (provider_organisation_id, updated_at, id)
    INCLUDE (state, scheme, purpose, delivery, carer_id);
CREATE INDEX break_by_arranger ON carer_break (from_organisation_id, id DESC) WHERE from_organisation_id IS NOT NULL;
CREATE INDEX break_by_arranger_change ON carer_break (from_organisation_id, updated_at, id) WHERE from_organisation_id IS NOT NULL;
CREATE INDEX break_by_carer ON carer_break (carer_id, id DESC);
CREATE INDEX break_assessment ON carer_break (assessment_id) WHERE assessment_id IS NOT NULL;
CREATE UNIQUE INDEX break_referral_key ON carer_break (referral_id) WHERE referral_id IS NOT NULL AND state <> 'declined';
CREATE INDEX break_referral ON carer_break (referral_id) WHERE referral_id IS NOT NULL;

-- The machine, as data (api/rules/break_states.def has the same rows; a test compares them).

CREATE TABLE break_transition (
    from_state text NOT NULL,
    action text NOT NULL,
    to_state text NOT NULL,
    side text NOT NULL CHECK (side IN ('provider', 'arranger')),
    sets text[] NOT NULL,
    must text[] NOT NULL,
    place integer NOT NULL,
    PRIMARY KEY (from_state, action, side)
);
COMMENT ON TABLE break_transition IS 'What may be done with a break in which state, by which side, where it leads, and what it must carry';
COMMENT ON COLUMN break_transition.sets IS 'Columns that the action writes, and no other';
COMMENT ON COLUMN break_transition.must IS 'Columns that are not empty afterwards';
COMMENT ON COLUMN break_transition.place IS 'Order in available_actions';
INSERT INTO break_transition (from_state, action, to_state, side, sets, must, place)
SELECT f.state, a.action, coalesce(a.to_state, f.state), s.side, a.sets::text[], a.must::text[], a.place
  FROM (VALUES
    ('{referred,conversation_held,agreed,active,paused}', 'update', NULL, '{provider,arranger}',
     '{assessment_id,with_cared_for,approach,delivery,purpose,funding_type,conversation_notes,hours_per_session,frequency,starts_on,ends_on,introductory_visits}',
     '{}', 1),
    ('{referred,conversation_held}', 'conversation', 'conversation_held', '{provider}', '{conversation_held_on,conversation_notes}',
     '{conversation_held_on}', 2),
    ('{conversation_held}', 'agree', 'agreed', '{provider}', '{hours_per_session,frequency,starts_on,ends_on}',
     '{conversation_held_on,hours_per_session,frequency,starts_on}', 3),
    ('{agreed}', 'start', 'active', '{provider}', '{}', '{}', 4),
    ('{active}', 'pause', 'paused', '{provider}', '{}', '{action_reason}', 5),
    ('{paused}', 'resume', 'active', '{provider}', '{}', '{action_reason}', 6),
    ('{active,paused}', 'end', 'ended', '{provider,arranger}', '{}', '{action_reason}', 7),
    ('{referred,conversation_held}', 'decline', 'declined', '{provider,arranger}', '{}', '{action_reason}', 8)
  ) AS a(from_states, action, to_state, sides, sets, must, place)
  CROSS JOIN LATERAL unnest(a.from_states::text[]) AS f(state)
  CROSS JOIN LATERAL unnest(a.sides::text[]) AS s(side);

CREATE TABLE break_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    break_id uuid NOT NULL REFERENCES carer_break ON DELETE CASCADE,
    move integer NOT NULL,
    at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
    from_state text,
    action text NOT NULL,
    to_state text NOT NULL,
    reason text,
    note text,
    actor text NOT NULL DEFAULT app_subject(),
    role text NOT NULL DEFAULT app_role(),
    organisation_id uuid DEFAULT app_org(),
    UNIQUE (break_id, move)
);
COMMENT ON TABLE break_history IS 'What was done with every break: who, when, why. Append-only, written by a trigger alone';
ALTER TABLE carer_break ENABLE ROW LEVEL SECURITY;
ALTER TABLE break_history ENABLE ROW LEVEL SECURITY;
CREATE TRIGGER break_history_append_only BEFORE UPDATE OR TRUNCATE ON break_history
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

GRANT SELECT ON break_transition, carer_break, break_history TO carers_council, carers_partner, carers_self;
GRANT INSERT (id, carer_id, scheme, assessment_id, referral_id, provider_organisation_id, with_cared_for, approach, delivery, purpose,
              funding_type, conversation_held_on, conversation_notes, hours_per_session, frequency, starts_on, ends_on,
              introductory_visits),
      UPDATE (state, action, action_reason, action_note, assessment_id, with_cared_for, approach, delivery, purpose, funding_type,
              conversation_held_on, conversation_notes, hours_per_session, frequency, starts_on, ends_on, introductory_visits)
    ON carer_break TO carers_council, carers_partner;

-- Who sees which: council staff all of theirs; a breaks provider its own, of carers whom it may see; other organisations what they
-- arranged themselves, and the rest while the carer shares between services; the carer hers.
CREATE POLICY break_council ON carer_break TO carers_council
    USING (council = ANY (app_councils())) WITH CHECK (council = ANY (app_councils()));
CREATE POLICY break_partner ON carer_break TO carers_partner
    USING (EXISTS (SELECT FROM carer_access a
                    WHERE a.organisation_id = app_org() AND a.carer_id = carer_break.carer_id
                      AND in_force(a.starts_at, a.ends_at) OFFSET 0)
           AND CASE app_role() WHEN 'break_provider' THEN provider_organisation_id = app_org()
                    ELSE from_organisation_id = app_org() OR consented(carer_break.carer_id, 'share_between_services') END);
CREATE POLICY break_self ON carer_break FOR SELECT TO carers_self USING (carer_id = app_carer());
CREATE POLICY break_history_read ON break_history FOR SELECT TO carers_council, carers_partner, carers_self
    USING (EXISTS (SELECT FROM carer_break b WHERE b.id = break_history.break_id OFFSET 0));

CREATE FUNCTION break_sides(b carer_break) RETURNS text[] LANGUAGE sql STABLE
    RETURN array_remove(ARRAY[
        CASE WHEN app_role() = 'break_provider' AND b.provider_organisation_id = app_org() THEN 'provider' END,
        CASE WHEN app_role() IN ('council_admin', 'practitioner')
                  OR app_role() IN ('assessor', 'support_worker') AND b.from_organisation_id = app_org() THEN 'arranger' END], NULL);
COMMENT ON FUNCTION break_sides(carer_break) IS
    'Which side of the break the caller, who sees it, acts for: its provider, or the council and whoever arranged it';

CREATE FUNCTION break_recommended(whose uuid, wanted uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT f.id
      FROM (SELECT a.id, a.break_recommended
              FROM assessment a
             WHERE pg_trigger_depth() > 0 AND a.carer_id = whose AND a.id = coalesce(wanted, a.id)
               AND a.kind IN ('statutory', 'reassessment') AND a.state = 'completed'
             ORDER BY a.completed_on DESC, a.id DESC
             LIMIT 1) AS f
     WHERE f.break_recommended
$$;
COMMENT ON FUNCTION break_recommended(uuid, uuid) IS
    'For triggers: the carer''s last completed statutory assessment, or the one that is named, when it recommends a break (rule B1)';

CREATE FUNCTION break_provider_sees(whose uuid, provider uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT pg_trigger_depth() > 0
           AND EXISTS (SELECT FROM carer_access a
                        WHERE a.organisation_id = provider AND a.carer_id = whose AND in_force(a.starts_at, a.ends_at))
$$;
COMMENT ON FUNCTION break_provider_sees(uuid, uuid) IS 'For triggers: the organisation may see the carer now';

-- What a break refers to. Triggers fire in order of name: a takes the carer's council, b makes or moves, z counts the version.

CREATE FUNCTION break_of_referral(b carer_break) RETURNS carer_break LANGUAGE plpgsql STABLE AS $$
DECLARE
    asked referral;
BEGIN
    SELECT * INTO asked FROM referral r WHERE r.id = b.referral_id AND r.carer_id = b.carer_id AND r.kind = 'break';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'is no referral of this carer for a break that you see' USING ERRCODE = 'CA42V', HINT = '/referral_id';
    ELSIF asked.state NOT IN ('requested', 'received', 'waitlisted', 'accepted', 'in_progress', 'on_hold') THEN
        RAISE EXCEPTION 'is a referral that is %', replace(asked.state, '_', ' ') USING ERRCODE = 'CA42V', HINT = '/referral_id';
    END IF;
    b.provider_organisation_id := coalesce(b.provider_organisation_id, asked.to_organisation_id);
    IF b.provider_organisation_id IS DISTINCT FROM asked.to_organisation_id THEN
        RAISE EXCEPTION 'is not the organisation that the referral went to'
            USING ERRCODE = 'CA42V', HINT = '/provider_organisation_id';
    END IF;
    RETURN b;
END
$$;
COMMENT ON FUNCTION break_of_referral(carer_break) IS 'The referral that asked for the break: it names the provider, too';

CREATE FUNCTION break_assessed(b carer_break) RETURNS uuid LANGUAGE plpgsql STABLE AS $$
DECLARE
    scheme CONSTANT break_scheme := break_scheme_of(b.council, b.scheme);
    found_one uuid;
BEGIN
    IF b.assessment_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM assessment a WHERE a.id = b.assessment_id AND a.carer_id = b.carer_id) THEN
        RAISE EXCEPTION 'is no assessment of this carer that you see' USING ERRCODE = 'CA42V', HINT = '/assessment_id';
    ELSIF NOT scheme.requires_statutory_assessment THEN
        RETURN b.assessment_id;
    END IF;
    found_one := break_recommended(b.carer_id, b.assessment_id);
    IF found_one IS NULL THEN
        RAISE EXCEPTION 'this scheme needs a completed statutory assessment of the carer that recommends a break'
            USING ERRCODE = 'CA422', HINT = 'B1';
    END IF;
    RETURN found_one;
END
$$;
COMMENT ON FUNCTION break_assessed(carer_break) IS 'Rule B1: the assessment that the break rests on';

CREATE FUNCTION break_b_create() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    scheme break_scheme;
BEGIN
    IF app_role() NOT IN ('council_admin', 'practitioner', 'assessor', 'support_worker', 'break_provider') THEN
        RAISE EXCEPTION 'this role makes no breaks' USING ERRCODE = 'CA403';
    ELSIF num_nonnulls(NEW.conversation_held_on, NEW.conversation_notes, NEW.hours_per_session, NEW.frequency, NEW.starts_on,
                       NEW.ends_on) > 0 THEN
        RAISE EXCEPTION 'length and frequency are agreed by the provider with the carer, after their conversation'
            USING ERRCODE = 'CA422', HINT = 'B2';
    END IF;
    IF app_role() = 'break_provider' THEN
        NEW.provider_organisation_id := coalesce(NEW.provider_organisation_id, app_org());
    END IF;
    IF current_user = 'carers_partner' THEN
        NEW.from_organisation_id := app_org();
    END IF;
    scheme := break_scheme_of(NEW.council, NEW.scheme);
    IF scheme.active IS NOT TRUE THEN
        RAISE EXCEPTION 'is no scheme that new breaks are made under here' USING ERRCODE = 'CA42V', HINT = '/scheme';
    END IF;
    IF NEW.referral_id IS NOT NULL THEN
        NEW := break_of_referral(NEW);
    ELSIF NEW.provider_organisation_id IS NULL THEN
        RAISE EXCEPTION 'is needed: who gives the break' USING ERRCODE = 'CA42V', HINT = '/provider_organisation_id';
    ELSIF NOT break_provider_sees(NEW.carer_id, NEW.provider_organisation_id) THEN
        RAISE EXCEPTION 'is no organisation that sees this carer: refer her to it and name the referral, or grant it access'
            USING ERRCODE = 'CA42V', HINT = '/provider_organisation_id';
    END IF;
    IF app_role() = 'break_provider' AND NEW.provider_organisation_id <> app_org() THEN
        RAISE EXCEPTION 'is another organisation than yours' USING ERRCODE = 'CA42V', HINT = '/provider_organisation_id';
    END IF;
    NEW.assessment_id := break_assessed(NEW);
    NEW.state := 'referred';
    NEW.action := 'create';
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION break_b_create() IS 'Who makes which break, for whom, with whom: rules B1 and B2';

CREATE FUNCTION break_agreement(b carer_break) RETURNS jsonb LANGUAGE sql IMMUTABLE
    RETURN jsonb_strip_nulls(jsonb_build_object('hours_per_session', b.hours_per_session, 'frequency', b.frequency,
                                                'starts_on', b.starts_on, 'ends_on', b.ends_on));
CREATE FUNCTION break_conversation(b carer_break) RETURNS jsonb LANGUAGE sql IMMUTABLE
    RETURN jsonb_strip_nulls(jsonb_build_object('held_on', b.conversation_held_on, 'notes', b.conversation_notes));
COMMENT ON FUNCTION break_agreement(carer_break) IS 'As clients see it; {} before there is one';
COMMENT ON FUNCTION break_conversation(carer_break) IS 'As clients see it; {} before there is one';

CREATE FUNCTION break_introduced(b carer_break) RETURNS boolean LANGUAGE sql IMMUTABLE
    RETURN b.delivery NOT IN ('shared_lives_respite', 'short_stay') OR coalesce(jsonb_array_length(b.introductory_visits), 0) > 0;
COMMENT ON FUNCTION break_introduced(carer_break) IS 'Rule B6: before such a break starts there was an introductory visit at least';

CREATE FUNCTION break_update(b carer_break, was carer_break) RETURNS carer_break LANGUAGE plpgsql AS $$
BEGIN
    IF b.assessment_id IS DISTINCT FROM was.assessment_id THEN
        b.assessment_id := break_assessed(b);
    ELSIF was.state IN ('referred', 'conversation_held') AND break_agreement(b) <> break_agreement(was) THEN
        RAISE EXCEPTION 'there is no agreement yet that could be changed: agree on one'
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', was.state);
    ELSIF num_nulls(b.hours_per_session, b.frequency, b.starts_on) > num_nulls(was.hours_per_session, was.frequency, was.starts_on) THEN
        RAISE EXCEPTION 'an agreement has its hours, its frequency and its first day' USING ERRCODE = 'CA422', HINT = 'B2';
    ELSIF was.state IN ('active', 'paused') AND (b.purpose, b.delivery) IS DISTINCT FROM (was.purpose, was.delivery) THEN
        RAISE EXCEPTION 'what a break is for, and how it is given, is settled when it starts'
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', was.state);
    END IF;
    RETURN b;
END
$$;
COMMENT ON FUNCTION break_update(carer_break, carer_break) IS 'What may still be changed in which state';

CREATE FUNCTION break_b_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    step break_transition;
    sides CONSTANT text[] := break_sides(OLD);
    common CONSTANT text[] := '{state,action,action_reason,action_note,state_since,moves}';
    lacking text;
BEGIN
    PERFORM precondition(OLD.id, OLD.version);
    IF NOT sides @> '{provider}'
       AND (NEW.action IN ('conversation', 'agree') OR break_agreement(NEW) <> break_agreement(OLD)
            OR break_conversation(NEW) <> break_conversation(OLD)) THEN
        RAISE EXCEPTION 'the conversation, and what was agreed in it, is recorded and changed by the break''s provider alone'
            USING ERRCODE = 'CA422', HINT = 'B2';
    END IF;
    SELECT t.* INTO step FROM break_transition t
     WHERE t.from_state = OLD.state AND t.action = NEW.action AND t.to_state = NEW.state AND t.side = ANY (sides)
     LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a break that is % is not moved so by this side', replace(OLD.state, '_', ' ')
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', OLD.state);
    ELSIF NEW.action = 'update' THEN
        NEW := break_update(NEW, OLD);
    ELSIF NEW.action = 'start' AND NOT break_introduced(NEW) THEN
        RAISE EXCEPTION 'before such a break starts there is an introductory visit at least' USING ERRCODE = 'CA422', HINT = 'B6';
    END IF;
    IF to_jsonb(NEW) - common - step.sets <> to_jsonb(OLD) - common - step.sets THEN
        RAISE EXCEPTION 'this action changes nothing else of a break' USING ERRCODE = 'CA403';
    END IF;
    SELECT m INTO lacking FROM unnest(step.must) AS m WHERE to_jsonb(NEW) ->> m IS NULL LIMIT 1;
    IF lacking = 'action_reason' THEN
        RAISE EXCEPTION 'is needed' USING ERRCODE = 'CA42V', HINT = '/reason';
    ELSIF lacking IS NOT NULL THEN
        RAISE EXCEPTION 'this action needs %', replace(lacking, '_', ' ') USING ERRCODE = 'CA422', HINT = 'B2';
    END IF;
    IF NEW.state <> OLD.state THEN
        NEW.state_since := clock_timestamp();
    END IF;
    IF NEW.action <> 'update' THEN
        NEW.moves := OLD.moves + 1;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION break_b_move() IS 'The machine for every client of the database; rules B1, B2 and B6, and what each action may change';

CREATE FUNCTION break_noted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' OR NEW.moves > OLD.moves THEN
        INSERT INTO break_history (break_id, move, from_state, action, to_state, reason, note)
        VALUES (NEW.id, NEW.moves, CASE TG_OP WHEN 'UPDATE' THEN OLD.state END, NEW.action, NEW.state, NEW.action_reason, NEW.action_note);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION break_noted() IS 'Who, when, why';

-- The referral that asked for the break goes with it, along its own machine: what is no row there is not done.

CREATE FUNCTION referral_follow(which uuid, wanted text, why text, what text DEFAULT NULL, given text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE referral r
       SET action = wanted, state = t.to_state, action_reason = why, action_note = NULL, moves = r.moves + 1,
           state_since = clock_timestamp(), outcome = coalesce(what, r.outcome), delivered = coalesce(given, r.delivered),
           received_at = CASE WHEN 'received_at' = ANY (t.sets) THEN coalesce(r.received_at, date_trunc('milliseconds', clock_timestamp()))
                              ELSE r.received_at END
      FROM referral_transition t
     WHERE r.id = which AND t.from_state = r.state AND t.action = wanted AND t.side = 'receiver';
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION referral_follow(uuid, text, text, text, text) IS
    'For triggers: the receiving side''s action on a referral, if its state allows it; whether it did';

CREATE FUNCTION break_referral() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given CONSTANT text := CASE NEW.action WHEN 'end' THEN break_delivered(NEW.id) END;
BEGIN
    IF NEW.action = 'start' THEN
        UPDATE carer c SET state = 'active', state_since = clock_timestamp() WHERE c.id = NEW.carer_id AND c.state = 'registered';
    END IF;
    IF NEW.referral_id IS NULL THEN
        RETURN NULL;
    ELSIF NEW.action = 'start' THEN
        PERFORM referral_follow(NEW.referral_id, 'start', NULL);
    ELSIF NEW.action = 'pause' THEN
        PERFORM referral_follow(NEW.referral_id, 'hold', NEW.action_reason);
    ELSIF NEW.action = 'resume' THEN
        PERFORM referral_follow(NEW.referral_id, 'resume', NEW.action_reason);
    ELSIF NEW.action = 'end' AND given IS NOT NULL THEN
        PERFORM referral_follow(NEW.referral_id, 'resume', 'The break has ended.');
        PERFORM referral_follow(NEW.referral_id, 'complete', NULL, NEW.action_reason, given);
    ELSIF NEW.action = 'end' THEN
        PERFORM referral_follow(NEW.referral_id, 'fail', NEW.action_reason);
    ELSIF NOT referral_follow(NEW.referral_id, 'decline', NEW.action_reason) THEN
        PERFORM referral_follow(NEW.referral_id, 'start', NULL);
        PERFORM referral_follow(NEW.referral_id, 'fail', NEW.action_reason);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION break_referral() IS
    'Support starts with the break: the carer is active, her referral in progress; it is held, completed or failed with it';

CREATE TRIGGER break_a_carer BEFORE INSERT ON carer_break FOR EACH ROW EXECUTE FUNCTION of_carer('open');
CREATE TRIGGER break_b_create BEFORE INSERT ON carer_break FOR EACH ROW EXECUTE FUNCTION break_b_create();
CREATE TRIGGER break_b_move BEFORE UPDATE ON carer_break FOR EACH ROW EXECUTE FUNCTION break_b_move();
CREATE TRIGGER break_z_versioned BEFORE UPDATE ON carer_break FOR EACH ROW EXECUTE FUNCTION versioned();
CREATE TRIGGER break_audited AFTER INSERT OR UPDATE ON carer_break FOR EACH ROW EXECUTE FUNCTION audited('carer_id', 'moves');
CREATE TRIGGER break_noted AFTER INSERT OR UPDATE ON carer_break FOR EACH ROW EXECUTE FUNCTION break_noted();
CREATE TRIGGER break_referral AFTER UPDATE ON carer_break
    FOR EACH ROW WHEN (NEW.state <> OLD.state AND NEW.action IN ('start', 'pause', 'resume', 'end', 'decline'))
    EXECUTE FUNCTION break_referral();

INSERT INTO event_kind (kind, resource, path, shared)
SELECT 'break.' || k.kind, 'break', '/v1/breaks/%2$s', true
  FROM unnest('{created,updated,conversation_held,agreed,started,paused,resumed,ended,declined}'::text[]) AS k(kind);

CREATE FUNCTION break_evented() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kind text := CASE NEW.action WHEN 'create' THEN 'created' WHEN 'conversation' THEN 'conversation_held' WHEN 'agree' THEN 'agreed'
                     WHEN 'start' THEN 'started' WHEN 'pause' THEN 'paused' WHEN 'resume' THEN 'resumed' WHEN 'end' THEN 'ended'
                     WHEN 'decline' THEN 'declined' ELSE 'updated' END;
BEGIN
    PERFORM note_event(NEW.carer_id, NEW.council, 'break.' || kind, NEW.id, NEW.version, NEW.state,
                       format(CASE kind WHEN 'updated' THEN 'A break (%s), which is %s, was changed' ELSE 'A break (%s) is now %s' END,
                              replace(NEW.delivery, '_', ' '), replace(NEW.state, '_', ' ')));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION break_evented() IS 'Kind and state, never why';
CREATE TRIGGER break_evented_new AFTER INSERT ON carer_break FOR EACH ROW EXECUTE FUNCTION break_evented();
CREATE TRIGGER break_evented AFTER UPDATE ON carer_break
    FOR EACH ROW WHEN (NEW.version > OLD.version) EXECUTE FUNCTION break_evented();

-- What clients send and what is stored: conversation and agreement are columns.
CREATE FUNCTION break_body(b carer_break) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT to_jsonb(b) || jsonb_build_object('conversation', break_conversation(b), 'agreement', break_agreement(b))
$$;
COMMENT ON FUNCTION break_body(carer_break) IS 'The row as clients patch it';
CREATE FUNCTION break_row(body jsonb) RETURNS carer_break LANGUAGE sql STABLE AS $$
    SELECT jsonb_populate_record(NULL::carer_break, body || jsonb_build_object(
        'conversation_held_on', body #> '{conversation,held_on}', 'conversation_notes', body #> '{conversation,notes}',
        'hours_per_session', body #> '{agreement,hours_per_session}', 'frequency', body #> '{agreement,frequency}',
        'starts_on', body #> '{agreement,starts_on}', 'ends_on', body #> '{agreement,ends_on}',
        'introductory_visits', nullif(body -> 'introductory_visits', '[]')))
$$;
COMMENT ON FUNCTION break_row(jsonb) IS 'The row of what clients send; break_body() the other way round';
GRANT EXECUTE ON FUNCTION break_scheme_of(text, text), break_sides(carer_break), break_recommended(uuid, uuid),
    break_provider_sees(uuid, uuid), break_of_referral(carer_break), break_assessed(carer_break), break_agreement(carer_break),
    break_conversation(carer_break), break_introduced(carer_break), break_update(carer_break, carer_break), break_body(carer_break), break_row(jsonb)
    TO carers_council, carers_partner, carers_self;

CREATE VIEW break_view WITH (security_invoker = true) AS
SELECT b.id, b.carer_id, b.council, b.version, b.state, b.updated_at, concat(
           '{"id":"', b.id, '","carer_id":"', b.carer_id, '"',
           member('council', b.council),
           member('scheme', b.scheme),
           member('assessment_id', CASE WHEN app_role() IN ('council_admin', 'practitioner', 'assessor', 'carer') THEN b.assessment_id::text END),
           member('referral_id', b.referral_id::text),
           member('provider_organisation_id', b.provider_organisation_id::text),
           member('from_organisation_id', b.from_organisation_id::text),
           member('with_cared_for', b.with_cared_for),
           member('approach', b.approach),
           member('delivery', b.delivery),
           member('purpose', b.purpose),
           member('funding_type', b.funding_type),
           member('conversation', nullif(CASE WHEN app_role() = 'carer' THEN break_conversation(b) - 'notes' ELSE break_conversation(b) END, '{}')),
           member('agreement', nullif(break_agreement(b), '{}')),
           member('introductory_visits', b.introductory_visits),
           member('state', b.state),
           member('state_since', instant(b.state_since)),
           ',"available_actions":', coalesce(
               (SELECT jsonb_agg(t.action ORDER BY t.place)::text
                  FROM (SELECT DISTINCT t.action, t.place
                          FROM break_transition t
                         WHERE t.from_state = b.state AND t.side = ANY (s.sides) AND (t.action <> 'start' OR break_introduced(b))) AS t),
               '[]'),
           member('action_reason', b.action_reason),
           member('action_note', CASE WHEN app_role() <> 'carer' THEN b.action_note END),
           member('created_at', instant(b.created_at)),
           member('updated_at', instant(b.updated_at)), '}') AS body
  FROM carer_break b
 CROSS JOIN LATERAL (SELECT break_sides(b) AS sides OFFSET 0) AS s;
COMMENT ON VIEW break_view IS 'What callers see of a break: body, version (the ETag)';
GRANT SELECT ON break_view TO carers_council, carers_partner, carers_self;
