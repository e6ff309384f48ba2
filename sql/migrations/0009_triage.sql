-- Triages: what sign-up questions told about a carer's own needs, each time that they were asked, and the in-depth conversation
-- that an intensive one proposes (rule C4). The latest stays in carer.triage.

CREATE FUNCTION today() RETURNS date LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (now() AT TIME ZONE 'Europe/London')::date;
COMMENT ON FUNCTION today() IS 'The day where the carers are: in summer an hour ahead of the clock of the service';

CREATE FUNCTION uuid7(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN overlay(gen_random_uuid()::text
                   PLACING regexp_replace(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0'), '^.{8}', '\&-') || '-7'
                   FROM 1 FOR 15)::uuid;
COMMENT ON FUNCTION uuid7(timestamptz) IS 'A new UUID version 7 of that time, for rows that PostgreSQL makes itself';

CREATE FUNCTION by_whom(role text, organisation uuid) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN role <> '' THEN jsonb_strip_nulls(jsonb_build_object('role', role, 'organisation_id', organisation)) END;
COMMENT ON FUNCTION by_whom(text, uuid) IS 'Who did it, as it is shown: her role and her organisation, not her name';
GRANT EXECUTE ON FUNCTION today(), uuid7(timestamptz), by_whom(text, uuid) TO carers_caller;

CREATE TABLE carer_triage (
    id uuid PRIMARY KEY,
    carer_id uuid NOT NULL REFERENCES carer ON DELETE CASCADE,
    council text NOT NULL,
    level text NOT NULL CHECK (level IN ('light', 'intensive')),
    needs jsonb,
    answers jsonb,
    completed_on date,
    recorded_by text NOT NULL DEFAULT app_subject(),
    recorded_by_role text NOT NULL DEFAULT app_role(),
    recorded_by_organisation uuid DEFAULT app_org(),
    held_on date,
    summary text,
    practitioner_notes text,
    assessment_wanted_by jsonb,
    held_by_role text,
    held_by_organisation uuid,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT carer_triage_conversation CHECK (
        CASE WHEN held_on IS NULL THEN num_nonnulls(summary, practitioner_notes, assessment_wanted_by, held_by_role) = 0
             ELSE level = 'intensive' AND num_nonnulls(summary, assessment_wanted_by, held_by_role) = 3 END)
);
COMMENT ON TABLE carer_triage IS
    'Every triage of a carer. Append-only but for the conversation, which is added to an intensive one, once. Its outward shape '
    'is triage_view';
COMMENT ON COLUMN carer_triage.recorded_by_role IS
    'Empty for a triage that was on record before this table, when the audit trail does not know who recorded it';
COMMENT ON COLUMN carer_triage.held_on IS 'The in-depth conversation: when; summary: what was said, as the carer may read it';
COMMENT ON COLUMN carer_triage.practitioner_notes IS 'Not shown to the carer';
COMMENT ON COLUMN carer_triage.assessment_wanted_by IS
    'Who thinks that a carer''s assessment would help: a JSON array of carer, organisation';
CREATE INDEX carer_triage_by_carer ON carer_triage (carer_id, id DESC);

ALTER TABLE carer_triage ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON carer_triage TO carers_council, carers_partner, carers_self;
GRANT INSERT (id, carer_id, level, needs, answers, completed_on),
      UPDATE (held_on, summary, practitioner_notes, assessment_wanted_by)
    ON carer_triage TO carers_council, carers_partner;

CREATE POLICY carer_triage_council ON carer_triage TO carers_council
    USING (council = ANY (app_councils())) WITH CHECK (council = ANY (app_councils()));
CREATE POLICY carer_triage_partner ON carer_triage TO carers_partner
    USING (app_role() <> 'break_provider'
           AND EXISTS (SELECT FROM carer_access a
                        WHERE a.organisation_id = app_org() AND a.carer_id = carer_triage.carer_id
                          AND in_force(a.starts_at, a.ends_at) OFFSET 0));
CREATE POLICY carer_triage_self ON carer_triage FOR SELECT TO carers_self USING (carer_id = app_carer());

-- Triages that are on record: who recorded them and when, the audit trail may know.
INSERT INTO carer_triage (id, carer_id, council, level, needs, answers, completed_on, recorded_by, recorded_by_role,
                          recorded_by_organisation, created_at, updated_at)
SELECT uuid7(r.at), c.id, c.council, c.triage ->> 'level', c.triage -> 'needs', c.triage -> 'answers',
       (c.triage ->> 'completed_on')::date, coalesce(r.actor, ''), coalesce(r.role, ''), r.organisation_id, r.at, r.at
  FROM carer c
  LEFT JOIN (SELECT DISTINCT ON (e.carer_ids[1]) e.carer_ids[1] AS carer_id, e.at, e.actor, e.role, e.organisation_id
               FROM audit_entry e
              WHERE e.subject_table = 'carer' AND e.action = 'registerCarer' AND e.after ? 'triage'
              ORDER BY e.carer_ids[1], e.id DESC) AS a ON a.carer_id = c.id
 CROSS JOIN LATERAL (SELECT coalesce(a.at, c.updated_at) AS at, a.actor, a.role, a.organisation_id) AS r
 WHERE c.triage IS NOT NULL
 ORDER BY c.id;

-- Who may do what, in order of name: a looks for the carer, b keeps rule C4, z counts the version.

CREATE FUNCTION triage_state(level text, held_on date) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN level = 'light' THEN 'completed' WHEN held_on IS NULL THEN 'conversation_proposed'
                ELSE 'conversation_held' END;
COMMENT ON FUNCTION triage_state(text, date) IS 'What a triage has led to';

CREATE FUNCTION carer_triage_b_converse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM precondition(OLD.id, OLD.version);
    IF OLD.level <> 'intensive' THEN
        RAISE EXCEPTION 'an in-depth conversation follows an intensive triage, and this one is light'
            USING ERRCODE = 'CA422', HINT = 'C4';
    ELSIF OLD.held_on IS NOT NULL THEN
        RAISE EXCEPTION 'the conversation of this triage is on record'
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', triage_state(OLD.level, OLD.held_on));
    ELSIF NEW.held_on > today() THEN
        RAISE EXCEPTION 'lies in the future' USING ERRCODE = 'CA42V', HINT = '/held_on';
    ELSIF NEW.held_on < OLD.completed_on THEN
        RAISE EXCEPTION 'lies before the day of the triage' USING ERRCODE = 'CA42V', HINT = '/held_on';
    END IF;
    NEW.held_by_role := app_role();
    NEW.held_by_organisation := app_org();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION carer_triage_b_converse() IS 'The one change of a triage: its conversation (rule C4)';

CREATE FUNCTION carer_triage_copied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE carer c
       SET triage = t.triage
      FROM (SELECT jsonb_strip_nulls(jsonb_build_object('level', NEW.level, 'needs', NEW.needs, 'answers', NEW.answers,
                                                        'completed_on', NEW.completed_on)) AS triage) AS t
     WHERE c.id = NEW.carer_id AND c.triage IS DISTINCT FROM t.triage;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION carer_triage_copied() IS 'carer.triage is the triage that was recorded last, as it was sent';

CREATE FUNCTION carer_triage_evented() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM note_event(NEW.carer_id, NEW.council, 'triage.recorded', NEW.id, NEW.version,
                           triage_state(NEW.level, NEW.held_on),
                           CASE NEW.level WHEN 'light' THEN 'A triage was recorded: light'
                                          ELSE 'A triage was recorded: intensive, an in-depth conversation is proposed' END);
        RETURN NULL;
    END IF;
    PERFORM note_event(NEW.carer_id, NEW.council, 'triage.conversation_held', NEW.id, NEW.version,
                       triage_state(NEW.level, NEW.held_on),
                       CASE NEW.assessment_wanted_by WHEN '[]' THEN 'The in-depth conversation was held'
                            ELSE 'The in-depth conversation was held: a carer''s assessment is proposed' END);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION carer_triage_evented() IS 'Levels and proposals, never answers';

INSERT INTO event_kind (kind, resource, path, roles)
SELECT k.kind, 'triage', '/v1/carers/%1$s/triage/%2$s',
       '{council_admin,practitioner,assessor,support_worker,hospital_in_reach,carer}'
  FROM (VALUES ('triage.recorded'), ('triage.conversation_held')) AS k(kind);

CREATE TRIGGER carer_triage_a_of_carer BEFORE INSERT OR UPDATE ON carer_triage
    FOR EACH ROW EXECUTE FUNCTION of_carer('open');
CREATE TRIGGER carer_triage_b_converse BEFORE UPDATE ON carer_triage
    FOR EACH ROW EXECUTE FUNCTION carer_triage_b_converse();
CREATE TRIGGER carer_triage_z_versioned BEFORE UPDATE ON carer_triage
    FOR EACH ROW EXECUTE FUNCTION versioned();
CREATE TRIGGER carer_triage_audited AFTER INSERT OR UPDATE ON carer_triage
    FOR EACH ROW EXECUTE FUNCTION audited('carer_id');
CREATE TRIGGER carer_triage_copied AFTER INSERT ON carer_triage
    FOR EACH ROW EXECUTE FUNCTION carer_triage_copied();
CREATE TRIGGER carer_triage_evented AFTER INSERT OR UPDATE ON carer_triage
    FOR EACH ROW EXECUTE FUNCTION carer_triage_evented();

-- The one road into the table, with or without a registration.
CREATE FUNCTION triage_record(new_id uuid, whose uuid, triage jsonb, at text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF (triage ->> 'completed_on')::date > today() THEN
        RAISE EXCEPTION 'lies in the future' USING ERRCODE = 'CA42V', HINT = at || '/completed_on';
    END IF;
    INSERT INTO carer_triage (id, carer_id, level, needs, answers, completed_on)
    VALUES (new_id, whose, triage ->> 'level', triage -> 'needs', triage -> 'answers', (triage ->> 'completed_on')::date);
END
$$;
COMMENT ON FUNCTION triage_record(uuid, uuid, jsonb, text) IS
    'Records a triage. `triage`: Triage of the contract; `at`: the JSON Pointer to it in the request';

-- Registers with its triage in the table too. The carer's own row gets it in the one change that also moves her state, so that
-- one action leaves her one version further: carer_triage_copied then finds nothing left to do.
CREATE OR REPLACE FUNCTION carer_move(moved uuid, wanted text, body jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c carer;
    next_state text;
    told jsonb := CASE wanted WHEN 'register' THEN body -> 'triage' END;
BEGIN
    SELECT * INTO c FROM carer WHERE id = moved FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN; -- the handler finds nothing to answer with: 404
    END IF;
    PERFORM precondition(c.id, c.version);
    IF NOT EXISTS (SELECT FROM carer_transition t WHERE t.action = wanted AND app_role() = ANY (t.roles)) THEN
        RAISE EXCEPTION 'this role may not % a carer', wanted USING ERRCODE = 'CA403';
    END IF;
    SELECT t.to_state INTO next_state FROM carer_transition t WHERE t.action = wanted AND t.from_state = c.state;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a carer who is % cannot be %', c.state, CASE wanted WHEN 'close' THEN 'closed'
                                                                 ELSE regexp_replace(wanted, 'e?$', 'ed') END
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', c.state);
    END IF;
    IF wanted = 'register' AND c.triage IS NULL AND told IS NULL THEN
        RAISE EXCEPTION 'a carer is registered with her triage: none is on record, and none came with the request'
            USING ERRCODE = 'CA422', HINT = 'C4';
    END IF;
    UPDATE carer u
       SET state = next_state, state_since = clock_timestamp(), state_reason = body ->> 'reason',
           state_note = body ->> 'note', triage = coalesce(told, u.triage)
     WHERE u.id = moved;
    IF told IS NOT NULL THEN
        PERFORM triage_record(uuid7(clock_timestamp()), moved, told, '/triage');
    END IF;
END
$$;
GRANT EXECUTE ON FUNCTION triage_state(text, date), triage_record(uuid, uuid, jsonb, text)
    TO carers_council, carers_partner, carers_self;

-- Triages that are there already have been recorded.
INSERT INTO event (at, council, carer_id, kind, resource_id, version, state, summary, actor, role, organisation_id)
SELECT t.created_at, t.council, t.carer_id, 'triage.recorded', t.id, t.version, triage_state(t.level, t.held_on),
       'A triage was recorded: ' || t.level, t.recorded_by, t.recorded_by_role, t.recorded_by_organisation
  FROM carer_triage t ORDER BY t.id;
INSERT INTO event_organisation (organisation_id, era, txid, id, carer_id)
SELECT DISTINCT a.organisation_id, e.era, e.txid, e.id, e.carer_id
  FROM event e JOIN carer_access a ON a.carer_id = e.carer_id AND in_force(a.starts_at, a.ends_at)
 WHERE e.kind = 'triage.recorded';

-- The outward shape.

CREATE VIEW triage_view WITH (security_invoker = true) AS
SELECT t.id, t.carer_id, t.council, t.version, concat(
           '{"id":"', t.id, '"',
           member('carer_id', t.carer_id::text),
           member('state', s.state),
           ',"available_actions":', CASE WHEN s.state = 'conversation_proposed' AND c.state <> 'closed' AND app_role() <> 'carer'
                                         THEN '["record_conversation"]' ELSE '[]' END,
           ',"proposes":', CASE WHEN s.state = 'conversation_proposed' THEN '["in_depth_conversation"]'
                                WHEN t.assessment_wanted_by <> '[]' THEN '["carers_assessment"]' ELSE '[]' END,
           member('level', t.level),
           member('needs', t.needs),
           member('answers', t.answers),
           member('completed_on', to_char(t.completed_on, 'YYYY-MM-DD')),
           member('recorded_by', by_whom(t.recorded_by_role, t.recorded_by_organisation)),
           CASE WHEN t.held_on IS NOT NULL THEN concat(
               ',"conversation":{"held_on":"', to_char(t.held_on, 'YYYY-MM-DD'), '"',
               member('summary', t.summary),
               member('practitioner_notes', CASE WHEN app_role() <> 'carer' THEN t.practitioner_notes END),
               member('assessment_wanted_by', t.assessment_wanted_by),
               member('recorded_by', by_whom(t.held_by_role, t.held_by_organisation)),
               '}') END,
           member('created_at', instant(t.created_at)),
           member('updated_at', instant(t.updated_at)),
           '}') AS body
  FROM carer_triage t
  JOIN carer c ON c.id = t.carer_id
 CROSS JOIN LATERAL (SELECT triage_state(t.level, t.held_on) AS state) AS s;
COMMENT ON VIEW triage_view IS
    'What callers see of a triage: body, version (the ETag). The carer is not shown practitioner_notes';
GRANT SELECT ON triage_view TO carers_council, carers_partner, carers_self;
