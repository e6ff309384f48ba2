-- Referrals: their machine of states, both sides of them, their clocks and routes. Rules R1 to R7.

INSERT INTO council_default (name, value, meaning) VALUES
    ('referral_information_days', '28', 'How old the information of a referral may be when it is submitted (rule R1)'),
    ('referral_contact', '{"routine_working_days": 5, "urgent_minutes": 120, "kinds": {}}',
     'When contact is due after a referral is submitted (rule R3); kinds: the same two for a kind of referral'),
    ('access_days_after_close', '30', 'How long an organisation that was referred to sees the carer after the referral is closed');

CREATE TABLE referral_route (
    id uuid PRIMARY KEY DEFAULT uuid7(clock_timestamp()),
    council text NOT NULL CHECK (council ~ '^E(06|08|09|10)[0-9]{6}$'),
    kind text NOT NULL CHECK (kind IN ('carers_assessment', 'break', 'vcfse_service', 'signpost', 'hospital_handover', 'gp')),
    area text NOT NULL DEFAULT '' CHECK (area ~ '^[A-Z0-9]{0,4}$'),
    organisation_id uuid REFERENCES organisation,
    team text CHECK (length(team) BETWEEN 1 AND 100),
    self_referral boolean NOT NULL DEFAULT false,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT referral_route_key UNIQUE (council, kind, area),
    CONSTRAINT referral_route_target CHECK (num_nonnulls(organisation_id, team) = 1)
);
COMMENT ON TABLE referral_route IS 'Which organisation or council team serves a kind of referral in an area of a council';
COMMENT ON COLUMN referral_route.area IS 'Outward part of postcodes, or its beginning; empty: the whole council. The longest that fits is taken';
COMMENT ON COLUMN referral_route.self_referral IS 'Carers may refer themselves along it (rule R5)';
ALTER TABLE referral_route ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON referral_route TO carers_council, carers_partner, carers_self, carers_desk;
GRANT INSERT (council, kind, area, organisation_id, team, self_referral), DELETE ON referral_route TO carers_council;
CREATE POLICY referral_route_read ON referral_route FOR SELECT TO carers_partner, carers_self, carers_desk USING (true);
CREATE POLICY referral_route_council ON referral_route FOR SELECT TO carers_council USING (council = ANY (app_councils()));
CREATE POLICY referral_route_make ON referral_route FOR INSERT TO carers_council
    WITH CHECK (council = ANY (app_councils()) AND app_role() = 'council_admin');
CREATE POLICY referral_route_drop ON referral_route FOR DELETE TO carers_council
    USING (council = ANY (app_councils()) AND app_role() = 'council_admin');
CREATE TRIGGER referral_route_audited AFTER INSERT OR DELETE ON referral_route
    FOR EACH ROW EXECUTE FUNCTION configured();

CREATE TABLE referral (
    id uuid PRIMARY KEY,
    council text NOT NULL,
    carer_id uuid REFERENCES carer ON DELETE CASCADE,
    person jsonb,
    subject_key text,
    from_side text NOT NULL CHECK (from_side IN ('carer', 'organisation', 'council')),
    from_organisation_id uuid REFERENCES organisation,
    from_role text NOT NULL DEFAULT app_role(),
    kind text NOT NULL CHECK (kind IN ('carers_assessment', 'break', 'vcfse_service', 'signpost', 'hospital_handover', 'gp')),
    priority text NOT NULL DEFAULT 'routine' CHECK (priority IN ('routine', 'urgent')),
    channel text CHECK (channel IN ('sms', 'whatsapp', 'web', 'phone', 'email', 'in_person', 'api', 'letter')),
    type text NOT NULL CHECK (type IN ('self', 'assisted', 'professional')),
    reason text,
    needs jsonb,
    current_situation text,
    information_as_of date,
    information_submitted date,
    recent_assessment_id uuid REFERENCES assessment,
    to_organisation_id uuid REFERENCES organisation,
    to_service_id uuid REFERENCES service,
    to_team text,
    legal_basis text,
    consent jsonb,
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'requested', 'received', 'accepted', 'waitlisted', 'declined', 'returned',
        'not_eligible', 'in_progress', 'on_hold', 'completed', 'failed', 'withdrawn', 'entered_in_error')),
    state_since timestamptz(3) NOT NULL DEFAULT now(),
    action text NOT NULL DEFAULT 'create',
    moves integer NOT NULL DEFAULT 0,
    action_reason text,
    action_note text,
    estimate text CHECK (estimate IN ('under_1_month', '1_to_3_months', 'over_3_months', 'unknown')),
    missing text,
    signposts jsonb,
    outcome text,
    delivered text,
    submitted_at timestamptz(3),
    received_at timestamptz(3),
    contact_due_at timestamptz(3),
    first_contact_at timestamptz(3),
    contact_channel text,
    replaces_id uuid REFERENCES referral,
    correlation_id uuid NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT referral_about CHECK (num_nonnulls(carer_id, person) > 0),
    CONSTRAINT referral_target CHECK (num_nonnulls(to_organisation_id, to_team) < 2 AND (to_service_id IS NULL OR to_organisation_id IS NOT NULL))
);
COMMENT ON TABLE referral IS 'A carer is referred to an organisation or a council team. Its outward shape is referral_view';
COMMENT ON COLUMN referral.carer_id IS 'Of a referrer''s referral: the carer on record whom the person seems to be, found inside and told to nobody before it is accepted';
COMMENT ON COLUMN referral.person IS 'What the receiving side is told before it accepts: sent by a referrer, otherwise taken from her record at submit';
COMMENT ON COLUMN referral.subject_key IS 'Whom it is about, to tell a second one that is open for the same from its first';
COMMENT ON COLUMN referral.from_organisation_id IS 'NULL: the council, or the carer herself';
COMMENT ON COLUMN referral.information_submitted IS 'information_as_of when it was submitted last';
COMMENT ON COLUMN referral.to_service_id IS 'A service of the directory; to_organisation_id is whose it is';
COMMENT ON COLUMN referral.action IS 'What was done last; with state it must be a row of referral_transition';
COMMENT ON COLUMN referral.moves IS 'How many rows of referral_history there are';
COMMENT ON COLUMN referral.correlation_id IS 'The same for a referral and those that replace it';
-- A filtered list walks over thousands of them: what it asks, and what the policies ask, stands in the index.
CREATE INDEX referral_by_council ON referral (council, id DESC)
    INCLUDE (state, kind, carer_id, updated_at, submitted_at, from_side, contact_due_at, first_contact_at);
CREATE INDEX referral_by_sender ON referral (from_organisation_id, id DESC)
    INCLUDE (state, kind, carer_id, updated_at, submitted_at, to_organisation_id, contact_due_at, first_contact_at);
CREATE INDEX referral_by_receiver ON referral (to_organisation_id, id DESC)
    INCLUDE (state, kind, carer_id, updated_at, submitted_at, from_organisation_id, contact_due_at, first_contact_at);
CREATE INDEX referral_by_carer ON referral (carer_id, id DESC);
CREATE INDEX referral_submitted ON referral (council, submitted_at) INCLUDE (to_organisation_id, contact_due_at, first_contact_at, state)
    WHERE submitted_at IS NOT NULL;
CREATE INDEX referral_by_service ON referral (to_service_id) WHERE to_service_id IS NOT NULL;
CREATE INDEX referral_replaced ON referral (replaces_id) WHERE replaces_id IS NOT NULL;
CREATE INDEX referral_assessment ON referral (recent_assessment_id) WHERE recent_assessment_id IS NOT NULL;
CREATE UNIQUE INDEX referral_open_key ON referral (
        subject_key, kind, coalesce(from_organisation_id, '00000000-0000-0000-0000-000000000000'), from_side,
        coalesce(to_organisation_id, '00000000-0000-0000-0000-000000000000'),
        coalesce(to_service_id, '00000000-0000-0000-0000-000000000000'), coalesce(to_team, ''))
    WHERE state IN ('requested', 'received', 'returned', 'waitlisted', 'accepted', 'in_progress', 'on_hold');

-- The machine, as data (api/rules/referral_states.def has the same rows; a test compares them).

CREATE TABLE referral_transition (
    from_state text NOT NULL,
    action text NOT NULL,
    to_state text NOT NULL,
    side text NOT NULL CHECK (side IN ('creator', 'receiver', 'carer')),
    sets text[] NOT NULL,
    must text[] NOT NULL,
    place integer NOT NULL,
    PRIMARY KEY (from_state, action, side)
);
COMMENT ON TABLE referral_transition IS 'What may be done with a referral in which state, by which side, where it leads, and what it must carry';
COMMENT ON COLUMN referral_transition.sets IS 'Columns that the action writes, and no other';
COMMENT ON COLUMN referral_transition.must IS 'Columns that are not empty afterwards';
COMMENT ON COLUMN referral_transition.place IS 'Order in available_actions';
INSERT INTO referral_transition (from_state, action, to_state, side, sets, must, place)
SELECT f.state, a.action, coalesce(a.to_state, f.state), s.side, a.sets::text[], a.must::text[], a.place
  FROM (VALUES
    ('{draft,returned}', 'update', NULL, '{creator}',
     '{carer_id,person,subject_key,kind,priority,channel,type,reason,needs,current_situation,information_as_of,recent_assessment_id,to_organisation_id,to_service_id,to_team,legal_basis,consent}',
     '{}', 1),
    ('{draft,returned}', 'submit', 'requested', '{creator}',
     '{person,subject_key,information_submitted,to_organisation_id,to_team,submitted_at,contact_due_at,missing}', '{submitted_at,contact_due_at}', 2),
    ('{requested,returned}', 'receive', 'received', '{receiver}', '{received_at}', '{received_at}', 3),
    ('{requested,received,waitlisted,accepted}', 'contact', NULL, '{receiver}', '{first_contact_at,contact_channel}',
     '{first_contact_at,contact_channel}', 4),
    ('{requested,received,waitlisted}', 'accept', 'accepted', '{receiver}', '{carer_id,subject_key,received_at}', '{}', 5),
    ('{requested,received}', 'waitlist', 'waitlisted', '{receiver}', '{estimate,received_at}', '{estimate}', 6),
    ('{requested,received,waitlisted}', 'decline', 'declined', '{receiver}', '{received_at}', '{action_reason}', 7),
    ('{requested,received}', 'return', 'returned', '{receiver}', '{missing,received_at}', '{missing}', 8),
    ('{requested,received}', 'not_eligible', 'not_eligible', '{receiver}', '{signposts,received_at}', '{signposts}', 9),
    ('{accepted}', 'start', 'in_progress', '{receiver}', '{}', '{}', 10),
    ('{in_progress}', 'hold', 'on_hold', '{receiver}', '{}', '{action_reason}', 11),
    ('{on_hold}', 'resume', 'in_progress', '{receiver}', '{}', '{action_reason}', 12),
    ('{in_progress}', 'complete', 'completed', '{receiver}', '{outcome,delivered}', '{outcome,delivered}', 13),
    ('{in_progress,on_hold}', 'fail', 'failed', '{receiver}', '{}', '{action_reason}', 14),
    ('{requested,received,returned,waitlisted,accepted,in_progress,on_hold}', 'withdraw', 'withdrawn', '{creator,carer}', '{}',
     '{action_reason}', 15),
    ('{draft,requested}', 'void', 'entered_in_error', '{creator}', '{}', '{}', 16),
    ('{declined,not_eligible}', 'refer_onward', NULL, '{creator}', '{}', '{}', 17)
  ) AS a(from_states, action, to_state, sides, sets, must, place)
  CROSS JOIN LATERAL unnest(a.from_states::text[]) AS f(state)
  CROSS JOIN LATERAL unnest(a.sides::text[]) AS s(side);

CREATE TABLE referral_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    referral_id uuid NOT NULL REFERENCES referral ON DELETE CASCADE,
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
    UNIQUE (referral_id, move)
);
COMMENT ON TABLE referral_history IS 'Every transition of every referral: who, when, why (rule R7). Append-only, written by a trigger alone';
ALTER TABLE referral ENABLE ROW LEVEL SECURITY;
ALTER TABLE referral_history ENABLE ROW LEVEL SECURITY;
CREATE TRIGGER referral_history_append_only BEFORE UPDATE OR TRUNCATE ON referral_history
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

GRANT SELECT ON referral_transition, referral, referral_history TO carers_council, carers_partner, carers_self, carers_desk;
GRANT INSERT (id, carer_id, person, kind, priority, channel, type, reason, needs, current_situation, information_as_of,
              recent_assessment_id, to_organisation_id, to_service_id, to_team, legal_basis, consent, replaces_id),
      UPDATE (state, action, action_reason, action_note, carer_id, person, kind, priority, channel, type, reason, needs,
              current_situation, information_as_of, recent_assessment_id, to_organisation_id, to_service_id, to_team, legal_basis, consent, estimate,
              missing, signposts, outcome, delivered, submitted_at, received_at, contact_due_at, first_contact_at, contact_channel)
    ON referral TO carers_council, carers_partner, carers_self, carers_desk;

-- Who sees which: a draft is its creator's; then both sides, the council and the carer.
CREATE POLICY referral_council ON referral TO carers_council
    USING (council = ANY (app_councils()) AND (submitted_at IS NOT NULL OR from_side = 'council'))
    WITH CHECK (council = ANY (app_councils()));
CREATE POLICY referral_organisation ON referral TO carers_partner, carers_desk
    USING (from_organisation_id = app_org() AND app_role() <> 'vcfse_editor'
           OR to_organisation_id = app_org() AND submitted_at IS NOT NULL AND app_role() <> 'referrer');
CREATE POLICY referral_self ON referral TO carers_self
    USING (carer_id = app_carer() AND (submitted_at IS NOT NULL OR from_side = 'carer'));
CREATE POLICY referral_history_read ON referral_history FOR SELECT TO carers_council, carers_partner, carers_self, carers_desk
    USING (EXISTS (SELECT FROM referral r WHERE r.id = referral_history.referral_id OFFSET 0));

CREATE FUNCTION referral_sides(r referral) RETURNS text[] LANGUAGE sql STABLE
    RETURN array_remove(ARRAY[
        CASE WHEN CASE r.from_side WHEN 'organisation' THEN r.from_organisation_id = app_org() AND app_role() NOT IN ('break_provider', 'vcfse_editor')
                                   WHEN 'council' THEN app_role() IN ('council_admin', 'practitioner')
                                   ELSE app_role() = 'carer' END THEN 'creator' END,
        CASE WHEN CASE WHEN r.to_team IS NOT NULL THEN app_role() IN ('council_admin', 'practitioner')
                       ELSE r.to_organisation_id = app_org() AND app_role() <> 'referrer' END THEN 'receiver' END,
        CASE WHEN app_role() = 'carer' THEN 'carer' END], NULL);
COMMENT ON FUNCTION referral_sides(referral) IS
    'Which sides of the referral the caller, who sees it, acts for; council staff act for a council team';

CREATE FUNCTION referral_subject(whose uuid, person jsonb) RETURNS text LANGUAGE sql STABLE
    RETURN coalesce(whose::text, 'person ' || search_key(person ->> 'family_name') || ' ' || (person ->> 'date_of_birth') || ' '
                                 || upper(replace(person ->> 'postcode', ' ', '')));
COMMENT ON FUNCTION referral_subject(uuid, jsonb) IS 'referral.subject_key; NULL when too little is known of the person';

CREATE FUNCTION referral_match(whom jsonb) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.id
      FROM carer c
     WHERE pg_trigger_depth() > 0 AND c.council = whom ->> 'council' AND c.family_key = search_key(whom ->> 'family_name')
       AND c.date_of_birth = (whom ->> 'date_of_birth')::date AND c.state <> 'closed'
       AND c.postcode = regexp_replace(upper(replace(whom ->> 'postcode', ' ', '')), '(.{3})$', ' \1')
     ORDER BY c.id
     LIMIT 1
$$;
COMMENT ON FUNCTION referral_match(jsonb) IS 'The carer on record whom this person seems to be (as rule C1 has it), for triggers alone';

CREATE FUNCTION referral_person(whose uuid) RETURNS jsonb LANGUAGE sql STABLE
    RETURN (SELECT jsonb_strip_nulls(jsonb_build_object(
                       'given_name', c.given_name, 'family_name', c.family_name, 'date_of_birth', c.date_of_birth,
                       'phone', c.contact ->> 'phone', 'email', c.contact ->> 'email', 'postcode', c.postcode, 'council', c.council))
              FROM carer c WHERE c.id = whose);
COMMENT ON FUNCTION referral_person(uuid) IS 'What the receiving side is told of a carer before it accepts';

-- Triggers fire in order of name: a makes, b moves, z counts the version.

CREATE FUNCTION referral_assessment(r referral, wanted text DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF app_role() = 'referrer'
       OR NOT EXISTS (SELECT FROM assessment a WHERE a.id = r.recent_assessment_id AND a.carer_id = r.carer_id) THEN
        RAISE EXCEPTION 'is no assessment of this carer that you see' USING ERRCODE = 'CA42V', HINT = '/recent_assessment_id';
    END IF;
    RETURN wanted IS NULL OR EXISTS (SELECT FROM assessment a WHERE a.id = r.recent_assessment_id AND a.kind = wanted);
END
$$;
COMMENT ON FUNCTION referral_assessment(referral, text) IS 'CA42V unless the caller sees the assessment that it names; whether it is of that kind';

CREATE FUNCTION referral_about(r referral) RETURNS referral LANGUAGE plpgsql AS $$
BEGIN
    IF app_role() = 'referrer' AND r.carer_id IS NOT NULL AND r.person IS NULL THEN
        RAISE EXCEPTION 'a referrer names the person, and sees no carer record' USING ERRCODE = 'CA42V', HINT = '/carer_id';
    ELSIF app_role() = 'referrer' THEN
        SELECT r.person ->> 'council' INTO r.council;
        IF NOT EXISTS (SELECT FROM organisation o WHERE o.id = app_org() AND r.council = ANY (o.councils)) THEN
            RAISE EXCEPTION 'is no council of your organisation' USING ERRCODE = 'CA42V', HINT = '/person/council';
        END IF;
        r.carer_id := referral_match(r.person);
    ELSIF r.carer_id IS NULL THEN
        RAISE EXCEPTION 'is needed: whom the referral is about' USING ERRCODE = 'CA42V', HINT = '/carer_id';
    ELSE
        SELECT c.council INTO r.council FROM carer c WHERE c.id = r.carer_id AND c.state <> 'closed';
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no carer whom you see has this id, or her record is closed' USING ERRCODE = 'CA42V', HINT = '/carer_id';
        END IF;
    END IF;
    IF r.to_service_id IS NOT NULL THEN
        SELECT s.organisation_id INTO r.to_organisation_id FROM service s WHERE s.id = r.to_service_id AND s.state = 'published';
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no published service that you see has this id' USING ERRCODE = 'CA42V', HINT = '/to/service_id';
        END IF;
    ELSIF r.to_organisation_id IS NOT NULL AND NOT organisation_exists(r.to_organisation_id) THEN
        RAISE EXCEPTION 'no organisation has this id' USING ERRCODE = 'CA42V', HINT = '/to/organisation_id';
    END IF;
    IF r.recent_assessment_id IS NOT NULL THEN
        PERFORM referral_assessment(r);
    END IF;
    r.subject_key := referral_subject(r.carer_id, r.person);
    RETURN r;
END
$$;
COMMENT ON FUNCTION referral_about(referral) IS 'Whom the referral is about, and what it refers to: all of it is there, for this caller';

CREATE FUNCTION referral_a_create() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    replaced referral;
BEGIN
    NEW.from_side := CASE current_user WHEN 'carers_self' THEN 'carer' WHEN 'carers_council' THEN 'council' ELSE 'organisation' END;
    NEW.from_organisation_id := CASE NEW.from_side WHEN 'organisation' THEN app_org() END;
    IF app_role() NOT IN ('carer', 'referrer', 'support_worker', 'practitioner', 'council_admin', 'assessor', 'hospital_in_reach') THEN
        RAISE EXCEPTION 'this role does not refer' USING ERRCODE = 'CA403';
    ELSIF NEW.from_side = 'carer' THEN
        NEW.carer_id := app_carer();
        NEW.type := 'self';
    END IF;
    NEW := referral_about(NEW);
    NEW.correlation_id := NEW.id;
    IF NEW.replaces_id IS NOT NULL THEN
        SELECT * INTO replaced FROM referral r WHERE r.id = NEW.replaces_id;
        NEW.correlation_id := replaced.correlation_id;
    END IF;
    NEW.state := 'draft';
    NEW.action := 'create';
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION referral_a_create() IS 'Who refers whom: every referral begins as a draft of the caller''s side';

CREATE FUNCTION referral_service(r referral) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE
    offered service;
BEGIN
    SELECT * INTO offered FROM service s WHERE s.id = r.to_service_id AND s.state = 'published';
    IF offered.id IS NULL OR NOT coalesce(offered.referral_accepting, true) THEN
        RAISE EXCEPTION 'takes no referrals at present' USING ERRCODE = 'CA42V', HINT = '/to/service_id';
    ELSIF r.from_side = 'carer' AND 'self_referral' <> ALL (offered.access_routes) THEN
        RAISE EXCEPTION 'this service takes no self-referrals' USING ERRCODE = 'CA422', HINT = 'R5';
    END IF;
END
$$;
COMMENT ON FUNCTION referral_service(referral) IS 'Rule R5 of a service of the directory, which takes referrals now';

CREATE FUNCTION referral_agreed(r referral) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF r.from_side <> 'carer' AND NOT coalesce((r.consent ->> 'given')::boolean, false)
       AND num_nonnulls(r.to_team, r.legal_basis) < 2 THEN
        RAISE EXCEPTION 'the carer''s consent is recorded first; only to a council team a legal basis stands for it'
            USING ERRCODE = 'CA40C', DETAIL = jsonb_build_object('rule', 'R2');
    ELSIF app_role() <> 'referrer' THEN
        PERFORM consent_asked(r.carer_id, r.to_organisation_id);
    END IF;
END
$$;
COMMENT ON FUNCTION referral_agreed(referral) IS
    'Rule R2, and her word on the organisation; a referrer is not told of it, because that would tell that she is on record';

-- What was sent stays where it was sent to, and agreed to.
CREATE FUNCTION referral_stays(r referral, was referral) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF (r.to_organisation_id, r.to_service_id, r.to_team) IS DISTINCT FROM (was.to_organisation_id, was.to_service_id, was.to_team) THEN
        RAISE EXCEPTION 'stays as it is once the referral was submitted: withdraw it, and refer to the other place'
            USING ERRCODE = 'CA42V', HINT = '/to';
    END IF;
    PERFORM referral_agreed(r);
END
$$;
COMMENT ON FUNCTION referral_stays(referral, referral) IS 'What the creator may not change of a referral that came back: it is not submitted to another place by an update';

CREATE FUNCTION referral_submit(r referral) RETURNS referral LANGUAGE plpgsql AS $$
DECLARE
    oldest date := today() - (council_setting(r.council, 'referral_information_days') #>> '{}')::integer;
    route referral_route;
    faults jsonb;
BEGIN
    SELECT jsonb_agg(jsonb_build_object('pointer', f.pointer, 'keyword', 'rule', 'message', f.message)) INTO faults
      FROM (VALUES ('/reason', 'is needed', r.reason IS NULL), ('/needs', 'names one need at least', r.needs IS NULL),
                   ('/current_situation', 'is needed', r.current_situation IS NULL),
                   ('/information_as_of', 'is needed', r.information_as_of IS NULL),
                   ('/information_as_of', 'is too old: ' || to_char(oldest, 'YYYY-MM-DD') || ' at the earliest', r.information_as_of < oldest),
                   ('/information_as_of', 'lies in the future', r.information_as_of > today())) AS f(pointer, message, wrong)
     WHERE f.wrong;
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'a referral is submitted with up-to-date information'
            USING ERRCODE = 'CA422', HINT = 'R1', DETAIL = jsonb_build_object('errors', faults);
    END IF;
    IF num_nonnulls(r.to_organisation_id, r.to_team) = 0 THEN
        SELECT * INTO route
          FROM referral_route t
         WHERE t.council = r.council AND t.kind = r.kind AND (r.from_side <> 'carer' OR t.self_referral)
           AND starts_with(upper(coalesce(r.person ->> 'postcode', '')), t.area)
         ORDER BY length(t.area) DESC LIMIT 1;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'is needed: no route leads from here for this kind of referral' USING ERRCODE = 'CA42V', HINT = '/to';
        END IF;
        r.to_organisation_id := route.organisation_id;
        r.to_team := route.team;
    END IF;
    IF r.to_service_id IS NOT NULL THEN
        PERFORM referral_service(r);
    ELSIF r.from_side = 'carer' AND r.to_team IS NULL
       AND NOT EXISTS (SELECT FROM referral_route t WHERE t.council = r.council AND t.kind = r.kind AND t.self_referral
                                                     AND t.organisation_id = r.to_organisation_id) THEN
        RAISE EXCEPTION 'this organisation takes no self-referrals of this kind' USING ERRCODE = 'CA422', HINT = 'R5';
    END IF;
    IF r.kind = 'hospital_handover' AND (r.recent_assessment_id IS NULL OR NOT referral_assessment(r, 'light_touch')) THEN
        RAISE EXCEPTION 'a hospital handover goes with the light-touch assessment that it is about'
            USING ERRCODE = 'CA422', HINT = 'R6';
    END IF;
    PERFORM referral_agreed(r);
    RETURN r;
END
$$;
COMMENT ON FUNCTION referral_submit(referral) IS 'Rules R1, R2, R5, R6; and where it goes when it does not say';

CREATE FUNCTION referral_signposts(signposts jsonb) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE
    wrong bigint;
BEGIN
    SELECT p.place - 1 INTO wrong
      FROM jsonb_array_elements(signposts) WITH ORDINALITY AS p(signpost, place)
     WHERE p.signpost ? 'service_id'
       AND NOT EXISTS (SELECT FROM service s WHERE s.id = (p.signpost ->> 'service_id')::uuid AND s.state = 'published')
     ORDER BY p.place LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'no published service that you see has this id' USING ERRCODE = 'CA42V', HINT = format('/signposts/%s/service_id', wrong);
    END IF;
END
$$;
COMMENT ON FUNCTION referral_signposts(jsonb) IS 'Rule R4: the services that a carer is sent on to are in the directory';

CREATE FUNCTION referral_carer(r referral) RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    whose uuid := coalesce(r.carer_id, referral_match(r.person));
BEGIN
    IF pg_trigger_depth() = 0 OR whose IS NOT NULL THEN
        RETURN whose;
    END IF;
    INSERT INTO carer (id, council, given_name, family_name, date_of_birth, contact, address, identification)
    VALUES (uuid7(clock_timestamp()), r.council, r.person ->> 'given_name', r.person ->> 'family_name',
            (r.person ->> 'date_of_birth')::date,
            jsonb_strip_nulls(jsonb_build_object('phone', r.person -> 'phone', 'email', r.person -> 'email')),
            jsonb_strip_nulls(jsonb_build_object('postcode', r.person -> 'postcode')),
            jsonb_build_object('source', 'other', 'organisation_id', r.from_organisation_id,
                               'identified_on', (r.submitted_at AT TIME ZONE 'Europe/London')::date))
    RETURNING id INTO whose;
    RETURN whose;
END
$$;
COMMENT ON FUNCTION referral_carer(referral) IS 'For triggers alone: whom an accepted referral is about; who is not on record yet is recorded';

CREATE FUNCTION referral_b_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    step referral_transition;
    common CONSTANT text[] := '{state,action,action_reason,action_note,state_since,moves}';
    lacking text;
BEGIN
    IF pg_trigger_depth() > 1 THEN
        RETURN NEW; -- referral_follow(), which goes by the machine
    END IF;
    PERFORM precondition(OLD.id, OLD.version);
    SELECT t.* INTO step FROM referral_transition t
     WHERE t.from_state = OLD.state AND t.action = NEW.action AND t.to_state = NEW.state AND t.side = ANY (referral_sides(OLD))
     LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a referral that is % is not moved so by this side', replace(OLD.state, '_', ' ')
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', OLD.state);
    END IF;
    IF NEW.action = 'update' THEN
        NEW := referral_about(NEW);
        IF OLD.submitted_at IS NOT NULL THEN
            PERFORM referral_stays(NEW, OLD);
        END IF;
    ELSIF NEW.action = 'submit' THEN
        IF NEW.information_as_of <= OLD.information_submitted AND NEW.information_as_of < today() THEN
            RAISE EXCEPTION 'a referral that was returned is submitted again with newer information'
                USING ERRCODE = 'CA422', HINT = 'R1', DETAIL = jsonb_build_object('errors', jsonb_build_array(jsonb_build_object(
                    'pointer', '/information_as_of', 'keyword', 'rule', 'message', 'is no newer than before')));
        END IF;
        NEW.information_submitted := NEW.information_as_of;
        IF app_role() <> 'referrer' THEN
            NEW.person := referral_person(NEW.carer_id);
        END IF;
        NEW := referral_submit(NEW);
        NEW.missing := NULL;
    ELSIF 'received_at' = ANY (step.sets) AND NEW.received_at IS NULL THEN
        NEW.received_at := date_trunc('milliseconds', clock_timestamp());
    END IF;
    IF NEW.action = 'accept' AND NEW.carer_id IS NULL AND app_role() <> 'vcfse_editor' THEN
        NEW.carer_id := referral_carer(NEW);
        NEW.subject_key := NEW.carer_id::text;
    END IF;
    IF NEW.action = 'not_eligible' THEN
        PERFORM referral_signposts(NEW.signposts);
    END IF;
    IF NEW.action <> 'update' AND to_jsonb(NEW) - common - step.sets <> to_jsonb(OLD) - common - step.sets THEN
        RAISE EXCEPTION 'this action changes nothing else of a referral' USING ERRCODE = 'CA403';
    END IF;
    SELECT m INTO lacking FROM unnest(step.must) AS m WHERE to_jsonb(NEW) ->> m IS NULL OR to_jsonb(NEW) -> m = '[]' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'this action needs %', replace(replace(lacking, 'action_', ''), '_', ' ')
            USING ERRCODE = 'CA422', HINT = CASE lacking WHEN 'signposts' THEN 'R4' ELSE 'R7' END;
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
COMMENT ON FUNCTION referral_b_move() IS 'Rule R7: the machine for every client of the database; what each action may change and must carry';

CREATE FUNCTION referral_noted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' OR NEW.moves > OLD.moves THEN
        INSERT INTO referral_history (referral_id, move, from_state, action, to_state, reason, note)
        VALUES (NEW.id, NEW.moves, CASE TG_OP WHEN 'UPDATE' THEN OLD.state END, NEW.action, NEW.state, NEW.action_reason, NEW.action_note);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION referral_noted() IS 'Who, when, why';

-- The carer's record opens to an organisation that accepts, and closes some days after the referral is closed.
CREATE FUNCTION referral_access() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.state <> 'accepted' THEN
        UPDATE carer_access a
           SET ends_at = date_trunc('milliseconds', now())
                         + (council_setting(NEW.council, 'access_days_after_close') #>> '{}')::integer * interval '1 day',
               ended_because = 'referral_closed'
         WHERE a.referral_id = NEW.id AND a.ends_at IS NULL;
        RETURN NULL;
    ELSIF NEW.to_organisation_id IS NULL OR NEW.carer_id IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM consent_asked(NEW.carer_id, NEW.to_organisation_id);
    IF NEW.from_organisation_id = NEW.to_organisation_id
          AND NOT EXISTS (SELECT FROM carer c WHERE c.id = NEW.carer_id AND c.created_at = now()::timestamptz(3)) THEN
        IF EXISTS (SELECT FROM carer_access a WHERE a.organisation_id = NEW.to_organisation_id AND a.carer_id = NEW.carer_id
                                                AND in_force(a.starts_at, a.ends_at)) THEN
            RETURN NULL;
        END IF;
        RAISE EXCEPTION 'an organisation''s own referral does not open a record to it: the council grants access' USING ERRCODE = 'CA403';
    END IF;
    INSERT INTO carer_access (organisation_id, carer_id, reason, referral_id)
    VALUES (NEW.to_organisation_id, NEW.carer_id, 'referral', NEW.id);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION referral_access() IS
    'Accepted: the organisation sees the carer, but nobody opens by a referral of its own a record that was there before. Closed: it '
    'does so for some days more';
ALTER TABLE carer_access ADD COLUMN referral_id uuid REFERENCES referral;
COMMENT ON COLUMN carer_access.referral_id IS 'The referral that was accepted; reason is referral';
CREATE INDEX carer_access_referral ON carer_access (referral_id) WHERE referral_id IS NOT NULL;

CREATE TRIGGER referral_a_create BEFORE INSERT ON referral FOR EACH ROW EXECUTE FUNCTION referral_a_create();
CREATE TRIGGER referral_b_move BEFORE UPDATE ON referral FOR EACH ROW EXECUTE FUNCTION referral_b_move();
CREATE TRIGGER referral_z_versioned BEFORE UPDATE ON referral FOR EACH ROW EXECUTE FUNCTION versioned();
CREATE TRIGGER referral_noted AFTER INSERT OR UPDATE ON referral FOR EACH ROW EXECUTE FUNCTION referral_noted();
CREATE TRIGGER referral_access AFTER UPDATE ON referral
    FOR EACH ROW WHEN (NEW.state <> OLD.state AND NEW.state IN ('accepted', 'completed', 'failed', 'withdrawn'))
    EXECUTE FUNCTION referral_access();
CREATE TRIGGER referral_audited AFTER INSERT OR UPDATE ON referral
    FOR EACH ROW EXECUTE FUNCTION audited('carer_id', 'subject_key', 'moves', '*person');

INSERT INTO event_kind (kind, resource, path, shared)
SELECT 'referral.' || k.kind, 'referral', '/v1/referrals/%2$s', true
  FROM unnest('{submitted,updated,received,contacted,accepted,waitlisted,declined,returned,not_eligible,started,held,resumed,completed,failed,withdrawn,voided}'::text[]) AS k(kind);

CREATE FUNCTION referral_event(action text) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN 'referral.' || CASE action WHEN 'submit' THEN 'submitted' WHEN 'receive' THEN 'received' WHEN 'contact' THEN 'contacted'
                              WHEN 'accept' THEN 'accepted' WHEN 'waitlist' THEN 'waitlisted' WHEN 'decline' THEN 'declined'
                              WHEN 'return' THEN 'returned' WHEN 'not_eligible' THEN 'not_eligible' WHEN 'start' THEN 'started'
                              WHEN 'hold' THEN 'held' WHEN 'resume' THEN 'resumed' WHEN 'complete' THEN 'completed' WHEN 'fail' THEN 'failed'
                              WHEN 'withdraw' THEN 'withdrawn' WHEN 'void' THEN 'voided' ELSE 'updated' END;
COMMENT ON FUNCTION referral_event(text) IS 'event_kind.kind of an action';

CREATE FUNCTION referral_evented() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_event(NEW.carer_id, NEW.council, referral_event(NEW.action), NEW.id, NEW.version, NEW.state,
                       format('A referral (%s) is %s', replace(NEW.kind, '_', ' '), replace(NEW.state, '_', ' ')));
    RETURN NULL;
END
$$;
GRANT EXECUTE ON FUNCTION referral_event(text) TO carers_council, carers_partner, carers_self, carers_desk;
GRANT EXECUTE ON FUNCTION note_event(uuid, text, text, uuid, bigint, text, text, uuid, timestamptz) TO carers_desk;
COMMENT ON FUNCTION referral_evented() IS 'Kind and state, never whom or why';
-- A draft is its creator's alone, and nobody knows yet whom a referrer''s person is.
CREATE TRIGGER referral_evented AFTER UPDATE ON referral
    FOR EACH ROW WHEN (NEW.submitted_at IS NOT NULL AND NEW.carer_id IS NOT NULL AND NEW.version > OLD.version)
    EXECUTE FUNCTION referral_evented();

-- What clients send and what is stored: `to` is columns.
CREATE FUNCTION referral_body(r referral) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT to_jsonb(r) || jsonb_build_object('to', jsonb_strip_nulls(jsonb_build_object(
        'organisation_id', CASE WHEN r.to_service_id IS NULL THEN r.to_organisation_id END, 'service_id', r.to_service_id, 'team', r.to_team)))
$$;
COMMENT ON FUNCTION referral_body(referral) IS 'The row as clients patch it';
CREATE FUNCTION referral_row(body jsonb) RETURNS referral LANGUAGE sql STABLE AS $$
    SELECT jsonb_populate_record(NULL::referral, body || jsonb_build_object(
        'to_organisation_id', body #> '{to,organisation_id}', 'to_service_id', body #> '{to,service_id}', 'to_team', body #> '{to,team}', 'needs', nullif(body -> 'needs', '[]')))
$$;
COMMENT ON FUNCTION referral_row(jsonb) IS 'The row of what clients send; referral_body() the other way round';
GRANT EXECUTE ON FUNCTION referral_sides(referral), referral_subject(uuid, jsonb), referral_match(jsonb), referral_person(uuid),
    referral_assessment(referral, text), referral_about(referral), referral_service(referral), referral_signposts(jsonb), referral_agreed(referral),
    referral_stays(referral, referral), referral_carer(referral), consent_asked(uuid, uuid), referral_submit(referral), referral_body(referral), referral_row(jsonb), organisation_exists(uuid),
    council_setting(text, text) TO carers_council, carers_partner, carers_self, carers_desk;

CREATE FUNCTION referral_shows_carer(r referral, sides text[]) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF app_role() IN ('referrer', 'vcfse_editor') OR r.carer_id IS NULL THEN
        RETURN false;
    ELSIF 'carer' = ANY (sides) OR 'creator' = ANY (sides) AND r.from_role <> 'referrer' OR current_user = 'carers_council' THEN
        RETURN true;
    END IF;
    RETURN EXISTS (SELECT FROM carer_access a WHERE a.organisation_id = app_org() AND a.carer_id = r.carer_id
                                                AND in_force(a.starts_at, a.ends_at));
END
$$;
COMMENT ON FUNCTION referral_shows_carer(referral, text[]) IS
    'A referrer is never told who it is, the receiving side when it sees her record';
GRANT EXECUTE ON FUNCTION referral_shows_carer(referral, text[]) TO carers_council, carers_partner, carers_self, carers_desk;

CREATE FUNCTION referral_overdue(due timestamptz, contacted timestamptz, state text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(contacted, now()) > due
           AND (contacted IS NOT NULL OR state NOT IN ('declined', 'not_eligible', 'withdrawn', 'entered_in_error', 'returned'));
COMMENT ON FUNCTION referral_overdue(timestamptz, timestamptz, text) IS
    'Nobody has made contact in time (rule R3); what is over, or went back, waits for nobody';
GRANT EXECUTE ON FUNCTION referral_overdue(timestamptz, timestamptz, text) TO carers_council, carers_partner, carers_self, carers_desk;

CREATE VIEW referral_view WITH (security_invoker = true) AS
SELECT r.id, r.carer_id, r.council, r.version, r.state, r.updated_at, concat(
           '{"id":"', r.id, '"',
           member('council', r.council),
           member('carer_id', CASE WHEN referral_shows_carer(r, s.sides) THEN r.carer_id::text END),
           member('person', CASE WHEN app_role() <> 'carer' THEN r.person END),
           member('kind', r.kind),
           member('priority', r.priority),
           member('type', r.type),
           member('channel', r.channel),
           ',"from":{"side":"', r.from_side, '"', member('organisation_id', r.from_organisation_id::text), '}',
           CASE WHEN num_nonnulls(r.to_organisation_id, r.to_team) > 0
                THEN concat(',"to":{', substr(concat(member('organisation_id', r.to_organisation_id::text),
                                                  member('service_id', r.to_service_id::text), member('team', r.to_team)), 2), '}') END,
           member('state', r.state),
           member('state_since', instant(r.state_since)),
           ',"available_actions":', coalesce(
               (SELECT jsonb_agg(t.action ORDER BY t.place)::text
                  FROM (SELECT DISTINCT t.action, t.place FROM referral_transition t WHERE t.from_state = r.state AND t.side = ANY (s.sides)) AS t),
               '[]'),
           member('reason', r.reason),
           member('needs', r.needs),
           member('current_situation', r.current_situation),
           member('information_as_of', to_char(r.information_as_of, 'YYYY-MM-DD')),
           member('recent_assessment_id', r.recent_assessment_id::text),
           member('legal_basis', r.legal_basis),
           member('consent', r.consent),
           member('action_reason', r.action_reason),
           member('action_note', r.action_note),
           member('estimate', r.estimate),
           member('missing', r.missing),
           member('signposts', r.signposts),
           member('outcome', r.outcome),
           member('delivered', r.delivered),
           member('submitted_at', instant(r.submitted_at)),
           member('received_at', instant(r.received_at)),
           member('contact_due_at', instant(r.contact_due_at)),
           member('first_contact_at', instant(r.first_contact_at)),
           CASE WHEN r.contact_due_at IS NOT NULL THEN member('contact_overdue', referral_overdue(r.contact_due_at, r.first_contact_at, r.state)) END,
           member('replaces_id', r.replaces_id::text),
           member('correlation_id', r.correlation_id::text),
           member('created_at', instant(r.created_at)),
           member('updated_at', instant(r.updated_at)), '}') AS body
  FROM referral r
 CROSS JOIN LATERAL (SELECT referral_sides(r) AS sides OFFSET 0) AS s;
COMMENT ON VIEW referral_view IS 'What callers see of a referral: body, version (the ETag)';
GRANT SELECT ON referral_view TO carers_council, carers_partner, carers_self, carers_desk;

-- What commissioners are told: counts, of referrals that they may not see.
CREATE FUNCTION referral_counts(whose text, from_day date, to_day date)
RETURNS TABLE (provider uuid, in_time bigint, late bigint, others bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF app_role() NOT IN ('commissioner', 'council_admin') OR whose <> ALL (app_councils()) THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT r.to_organisation_id, count(*) FILTER (WHERE r.first_contact_at <= r.contact_due_at),
           count(*) FILTER (WHERE referral_overdue(r.contact_due_at, r.first_contact_at, r.state)),
           count(*) FILTER (WHERE r.first_contact_at IS NULL AND NOT referral_overdue(r.contact_due_at, r.first_contact_at, r.state))
      FROM referral r
     WHERE r.council = whose AND r.submitted_at >= from_day::timestamp AT TIME ZONE 'Europe/London'
       AND r.submitted_at < (to_day + 1)::timestamp AT TIME ZONE 'Europe/London'
       AND r.state <> 'entered_in_error'
     GROUP BY r.to_organisation_id;
END
$$;
COMMENT ON FUNCTION referral_counts(text, date, date) IS
    'Referrals submitted within the days, by who received them (NULL: a council team): contact made in time, made late or overdue, and '
    'those of which neither is true: not due yet, or ended before';
GRANT EXECUTE ON FUNCTION referral_counts(text, date, date) TO carers_desk, carers_council;
