-- Carer passports: a number that anybody may check, and that tells nothing else (rule C5).

CREATE TABLE passport (
    id uuid PRIMARY KEY,
    carer_id uuid NOT NULL REFERENCES carer ON DELETE CASCADE,
    council text NOT NULL,
    number text NOT NULL CONSTRAINT passport_number_key UNIQUE
        CONSTRAINT passport_number_check CHECK (number ~ '^CP(-[0-9A-HJKMNP-TV-Z]{4}){4}$'),
    issued_on date NOT NULL,
    expires_on date NOT NULL,
    issued_by text NOT NULL DEFAULT app_subject(),
    issued_by_role text NOT NULL DEFAULT app_role(),
    issued_by_organisation uuid DEFAULT app_org(),
    current boolean NOT NULL DEFAULT true,
    revoked_at timestamptz(3),
    reason text CHECK (reason IN ('lost', 'stolen', 'no_longer_caring', 'recorded_in_error', 'other')),
    note text,
    revoked_by text,
    revoked_by_role text,
    revoked_by_organisation uuid,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    CHECK (expires_on > issued_on),
    CHECK (num_nonnulls(revoked_at, reason, revoked_by, revoked_by_role) IN (0, 4)),
    CHECK (NOT current OR revoked_at IS NULL)
);
COMMENT ON TABLE passport IS
    'Every carer passport. It is not proof of identity. A row is revoked once, and nothing else of it ever changes. Its outward '
    'shape is passport_view';
COMMENT ON COLUMN passport.number IS
    'Random, made by the service with a check character (see api/rules/passport_number.h); written to no log, audit row or event';
COMMENT ON COLUMN passport.expires_on IS 'The last day on which it is valid';
COMMENT ON COLUMN passport.current IS
    'The carer''s passport: neither revoked nor, after it had expired, followed by another. Says nothing about the day of today';
CREATE UNIQUE INDEX passport_current_key ON passport (carer_id) WHERE current;
CREATE INDEX passport_by_carer ON passport (carer_id, revoked_at);

ALTER TABLE passport ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON passport TO carers_council, carers_partner, carers_self;
GRANT INSERT (id, carer_id, number, expires_on) ON passport TO carers_council, carers_partner;
GRANT UPDATE (revoked_at, reason, note) ON passport TO carers_council, carers_partner, carers_self;

CREATE FUNCTION passport_issuer() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN app_role() IN ('council_admin', 'practitioner', 'support_worker', 'hospital_in_reach');
COMMENT ON FUNCTION passport_issuer() IS 'The caller''s role issues and revokes passports';
GRANT EXECUTE ON FUNCTION passport_issuer() TO carers_council, carers_partner, carers_self;

CREATE POLICY passport_council ON passport TO carers_council
    USING (council = ANY (app_councils())) WITH CHECK (council = ANY (app_councils()));
CREATE POLICY passport_partner ON passport TO carers_partner
    USING (app_role() <> 'break_provider'
           AND EXISTS (SELECT FROM carer_access a
                        WHERE a.organisation_id = app_org() AND a.carer_id = passport.carer_id
                          AND in_force(a.starts_at, a.ends_at) OFFSET 0));
CREATE POLICY passport_partner_issue ON passport AS RESTRICTIVE FOR INSERT TO carers_partner WITH CHECK (passport_issuer());
CREATE POLICY passport_partner_revoke ON passport AS RESTRICTIVE FOR UPDATE TO carers_partner USING (passport_issuer());
CREATE POLICY passport_self ON passport FOR SELECT TO carers_self USING (carer_id = app_carer());
CREATE POLICY passport_self_revoke ON passport FOR UPDATE TO carers_self USING (carer_id = app_carer());

-- Who may do what, in order of name: a looks for the carer, b keeps the rules, z counts the version.

CREATE FUNCTION passport_last_day(issued_on date) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (issued_on + interval '24 months')::date;
COMMENT ON FUNCTION passport_last_day(date) IS 'A passport is valid for two years at most';

CREATE FUNCTION passport_may_have(state text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN state IN ('registered', 'active', 'inactive');
COMMENT ON FUNCTION passport_may_have(text) IS 'A carer in this state has a passport, and it is valid';

CREATE FUNCTION passport_b_issue() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    carer_state text := (SELECT c.state FROM carer c WHERE c.id = NEW.carer_id);
BEGIN
    IF NOT passport_may_have(carer_state) THEN
        RAISE EXCEPTION 'a carer who is % has no passport: it comes with her registration', carer_state
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', carer_state);
    END IF;
    NEW.issued_on := today();
    NEW.expires_on := coalesce(NEW.expires_on, passport_last_day(NEW.issued_on));
    IF NEW.expires_on <= NEW.issued_on THEN
        RAISE EXCEPTION 'must lie in the future' USING ERRCODE = 'CA42V', HINT = '/expires_on';
    ELSIF NEW.expires_on > passport_last_day(NEW.issued_on) THEN
        RAISE EXCEPTION 'lies more than 24 months ahead' USING ERRCODE = 'CA42V', HINT = '/expires_on';
    END IF;
    NEW.version := 1 + coalesce((SELECT max(p.version) FROM passport p WHERE p.carer_id = NEW.carer_id), 0);
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION passport_b_issue() IS
    'Whose passport, and for how long (rule C5). Its version goes on from the one before: both have the same path, and no ETag '
    'must stand for two numbers';

CREATE FUNCTION passport_c_retire() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE passport p SET current = false WHERE p.carer_id = NEW.carer_id AND p.current AND p.expires_on < today();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION passport_c_retire() IS 'An expired passport does not stand in the way of the next one';

CREATE FUNCTION passport_b_revoke() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM precondition(OLD.carer_id, OLD.version);
    IF OLD.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'the carer''s passport is revoked' USING ERRCODE = 'CA409', DETAIL = '{"state": "revoked"}';
    ELSIF OLD.expires_on < today() THEN
        RAISE EXCEPTION 'the passport has expired' USING ERRCODE = 'CA409', DETAIL = '{"state": "expired"}';
    ELSIF app_role() = 'carer' AND NEW.reason NOT IN ('lost', 'stolen') THEN
        RAISE EXCEPTION 'a carer reports her passport lost or stolen; for another reason her council revokes it'
            USING ERRCODE = 'CA403';
    END IF;
    NEW.current := false;
    NEW.revoked_by := app_subject();
    NEW.revoked_by_role := app_role();
    NEW.revoked_by_organisation := app_org();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION passport_b_revoke() IS 'Who revokes which passport, and why';

CREATE FUNCTION passport_evented() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM note_event(NEW.carer_id, NEW.council, 'passport.issued', NEW.id, NEW.version, 'active',
                           'A carer passport was issued');
        RETURN NULL;
    END IF;
    PERFORM note_event(NEW.carer_id, NEW.council, 'passport.revoked', NEW.id, NEW.version, 'revoked',
                       'The carer passport was revoked: ' || replace(NEW.reason, '_', ' '));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION passport_evented() IS 'Never the number';

INSERT INTO event_kind (kind, resource, path, change, roles)
SELECT k.kind, 'passport', '/v1/carers/%1$s/passport', k.change,
       '{council_admin,practitioner,assessor,support_worker,hospital_in_reach,carer}'
  FROM (VALUES ('passport.issued', 'upsert'), ('passport.revoked', 'delete')) AS k(kind, change);

CREATE TRIGGER passport_a_of_carer BEFORE INSERT OR UPDATE OF revoked_at ON passport
    FOR EACH ROW EXECUTE FUNCTION of_carer('open');
CREATE TRIGGER passport_b_issue BEFORE INSERT ON passport
    FOR EACH ROW EXECUTE FUNCTION passport_b_issue();
CREATE TRIGGER passport_c_retire BEFORE INSERT ON passport
    FOR EACH ROW EXECUTE FUNCTION passport_c_retire();
CREATE TRIGGER passport_b_revoke BEFORE UPDATE OF revoked_at ON passport
    FOR EACH ROW EXECUTE FUNCTION passport_b_revoke();
CREATE TRIGGER passport_z_versioned BEFORE UPDATE OF revoked_at ON passport
    FOR EACH ROW EXECUTE FUNCTION versioned('carer_id');
CREATE TRIGGER passport_audited AFTER INSERT OR UPDATE OF revoked_at ON passport
    FOR EACH ROW EXECUTE FUNCTION audited('carer_id', '*number');
CREATE TRIGGER passport_evented AFTER INSERT OR UPDATE OF revoked_at ON passport
    FOR EACH ROW EXECUTE FUNCTION passport_evented();

-- The check, for everybody. One probe of the number's index; no caller learns more than yes or no.
CREATE FUNCTION passport_valid(wanted text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    RETURN EXISTS (SELECT FROM passport p
                     JOIN carer c ON c.id = p.carer_id
                    WHERE p.number = wanted AND p.current AND p.expires_on >= today() AND passport_may_have(c.state));
COMMENT ON FUNCTION passport_valid(text) IS
    'A passport of this number is valid now: neither revoked nor expired, and its carer is not closed. NULL: false';
GRANT EXECUTE ON FUNCTION passport_valid(text) TO carers_caller;

CREATE FUNCTION passport_revoke(whose uuid, body jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE passport p
       SET revoked_at = clock_timestamp(), reason = body ->> 'reason', note = body ->> 'note'
     WHERE p.carer_id = whose AND p.current;
    IF FOUND THEN
        RETURN;
    ELSIF EXISTS (SELECT FROM passport p WHERE p.carer_id = whose) THEN
        RAISE EXCEPTION 'the carer''s passport is revoked' USING ERRCODE = 'CA409', DETAIL = '{"state": "revoked"}';
    END IF;
    RAISE EXCEPTION 'a carer of this id has no passport' USING ERRCODE = 'CA404';
END
$$;
COMMENT ON FUNCTION passport_revoke(uuid, jsonb) IS 'Revokes the carer''s passport, or says why not. `body`: RevokePassport';
GRANT EXECUTE ON FUNCTION passport_last_day(date), passport_may_have(text), passport_revoke(uuid, jsonb)
    TO carers_council, carers_partner, carers_self;

-- The outward shape.
CREATE VIEW passport_view WITH (security_invoker = true) AS
SELECT p.id, p.carer_id, p.council, p.version, p.current, concat(
           '{"id":"', p.id, '"',
           member('carer_id', p.carer_id::text),
           member('number', p.number),
           member('notice', 'A carer passport is not proof of identity.'),
           member('state', s.state),
           member('valid', s.state = 'active' AND c.state <> 'closed'),
           ',"available_actions":', CASE WHEN s.state = 'active' AND c.state <> 'closed'
                                          AND (passport_issuer() OR app_role() = 'carer') THEN '["revoke"]' ELSE '[]' END,
           member('issued_on', to_char(p.issued_on, 'YYYY-MM-DD')),
           member('expires_on', to_char(p.expires_on, 'YYYY-MM-DD')),
           member('issued_by', by_whom(p.issued_by_role, p.issued_by_organisation)),
           CASE WHEN p.revoked_at IS NOT NULL THEN concat(
               ',"revoked":{"at":"', instant(p.revoked_at), '"',
               member('reason', p.reason),
               member('note', p.note),
               member('by', by_whom(p.revoked_by_role, p.revoked_by_organisation)),
               '}') END,
           member('created_at', instant(p.created_at)),
           member('updated_at', instant(p.updated_at)),
           '}') AS body
  FROM passport p
  JOIN carer c ON c.id = p.carer_id
 CROSS JOIN LATERAL (SELECT CASE WHEN p.revoked_at IS NOT NULL THEN 'revoked' WHEN p.expires_on < today() THEN 'expired'
                                 ELSE 'active' END AS state) AS s;
COMMENT ON VIEW passport_view IS 'What callers see of a passport: body, version (the ETag); current: of several, the carer''s';
GRANT SELECT ON passport_view TO carers_council, carers_partner, carers_self;
