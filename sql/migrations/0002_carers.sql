-- Carers, the organisations that work with them, and who may see whom.

CREATE TABLE organisation (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    kind text NOT NULL CHECK (kind IN ('carer_organisation', 'community_organisation', 'breaks_provider',
        'hospital_trust', 'gp_practice', 'digital_platform', 'council_team', 'other')),
    councils text[] NOT NULL CHECK (cardinality(councils) > 0),
    created_at timestamptz(3) NOT NULL DEFAULT now()
);
COMMENT ON TABLE organisation IS 'Organisations whose people use the service; access to carers hangs on them';
COMMENT ON COLUMN organisation.councils IS 'GSS codes of the councils that it works for: it registers carers there only';

CREATE TABLE carer (
    id uuid PRIMARY KEY,
    council text NOT NULL CHECK (council ~ '^E(06|08|09|10)[0-9]{6}$'),
    state text NOT NULL DEFAULT 'identified'
        CHECK (state IN ('identified', 'registered', 'active', 'inactive', 'closed')),
    state_since timestamptz(3) NOT NULL DEFAULT now(),
    state_reason text,
    state_note text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    kind text CHECK (kind IN ('adult', 'parent', 'young')),
    given_name text NOT NULL,
    family_name text NOT NULL,
    family_key text NOT NULL,
    date_of_birth date CHECK (date_of_birth >= '1800-01-01'),
    nhs_number text CONSTRAINT carer_nhs_number_check CHECK (nhs_number ~ '^[0-9]{10}$'),
    contact jsonb,
    address jsonb,
    postcode text,
    preferred_language text,
    interpreter_required boolean,
    accessible_format text,
    identification jsonb NOT NULL,
    source text NOT NULL,
    previously_known boolean,
    known_to_social_care boolean,
    known text NOT NULL CHECK (known IN ('yes', 'no', 'unknown')),
    employment_status text,
    gp jsonb,
    cared_for jsonb,
    external_refs jsonb,
    triage jsonb,
    allow_duplicate boolean NOT NULL DEFAULT false,
    duplicate_reason text
);
COMMENT ON TABLE carer IS 'The one record of each unpaid carer in a council''s care. Its outward shape is carer_view';
COMMENT ON COLUMN carer.id IS 'UUID version 7, made by the service: the order of ids is the order of creation';
COMMENT ON COLUMN carer.council IS 'GSS code of the council; never changes (who moves away is closed here)';
COMMENT ON COLUMN carer.state_reason IS 'Coded reason of the last deactivation or closing';
COMMENT ON COLUMN carer.state_note IS 'Its words';
COMMENT ON COLUMN carer.family_key IS 'search_key(family_name), kept by carer_a_normalise';
COMMENT ON COLUMN carer.postcode IS 'address.postcode, kept by carer_a_normalise';
COMMENT ON COLUMN carer.source IS 'identification.source, kept by carer_a_normalise';
COMMENT ON COLUMN carer.known IS 'known_to_social_care without NULL, so that lists can be read from an index';
COMMENT ON COLUMN carer.allow_duplicate IS
    'The caller said that this is another person than the ones like her (rule C1); then duplicate_reason says why';

-- A council is not kept from registering a carer by another council's record, nor does it learn of it that way (see
-- docs/adr). A closed record leaves the number free: who comes back later is a new record, and so is the one that a
-- duplicate was closed for.
CREATE UNIQUE INDEX carer_nhs_number_key ON carer (council, nhs_number)
    WHERE nhs_number IS NOT NULL AND state <> 'closed';
CREATE INDEX carer_nhs_number ON carer (nhs_number) WHERE nhs_number IS NOT NULL;
CREATE INDEX carer_family_key ON carer (family_key, date_of_birth);
-- Lists, newest first: council, and every value of the filters, so that none of them walks over other rows.
CREATE INDEX carer_by_council ON carer (council, id DESC);
CREATE INDEX carer_by_state ON carer (council, state, known, id DESC);
CREATE INDEX carer_by_source ON carer (council, source, state, known, id DESC);
CREATE INDEX carer_by_change ON carer (council, updated_at, id);

CREATE TABLE carer_external_ref (
    system text NOT NULL,
    ref text NOT NULL,
    carer_id uuid NOT NULL REFERENCES carer ON DELETE CASCADE,
    PRIMARY KEY (system, ref, carer_id)
);
COMMENT ON TABLE carer_external_ref IS
    'carer.external_refs to be searched, kept by carer_refer: under row-level security only plain columns use an index';
CREATE INDEX carer_external_ref_carer ON carer_external_ref (carer_id);

CREATE TABLE carer_access (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organisation_id uuid NOT NULL REFERENCES organisation,
    carer_id uuid NOT NULL REFERENCES carer ON DELETE CASCADE,
    reason text NOT NULL CHECK (reason IN ('registered', 'referral', 'granted')),
    starts_at timestamptz(3) NOT NULL DEFAULT date_trunc('milliseconds', now()), -- rounded up it were not in force yet
    ends_at timestamptz(3),
    granted_by text NOT NULL DEFAULT app_subject(),
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    council text NOT NULL,
    state text NOT NULL,
    source text NOT NULL,
    known text NOT NULL,
    changed_at timestamptz(3) NOT NULL,
    CHECK (ends_at >= starts_at)
);
COMMENT ON TABLE carer_access IS
    'Which organisation may see which carer, why, from when to when; several rows may hold for one pair';
COMMENT ON COLUMN carer_access.reason IS 'It registered the carer, accepted a referral for her, or was given it by the council';
COMMENT ON COLUMN carer_access.granted_by IS 'sub of whoever''s act gave it';
COMMENT ON COLUMN carer_access.council IS
    'council, state, source, known, changed_at: the carer''s own, kept by carer_access_copy and carer_access_follow, '
    'because an organisation''s lists are read from this side, and must not visit every carer to filter and to order';
COMMENT ON COLUMN carer_access.changed_at IS
    'When the carer changed or this access began, whichever is later: for the organisation its access is a change of her';
-- Whether access is in force is asked for every row that a partner's query touches: from the index, without the table.
CREATE INDEX carer_access_organisation ON carer_access (organisation_id, carer_id DESC) INCLUDE (starts_at, ends_at);
CREATE INDEX carer_access_by_change ON carer_access (organisation_id, changed_at, carer_id);
CREATE INDEX carer_access_carer ON carer_access (carer_id);

-- The machine of states, as data: triggers keep to it, and available_actions is read from it.

CREATE TABLE carer_transition (
    action text NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    roles text[] NOT NULL,
    place integer NOT NULL,
    PRIMARY KEY (action, from_state)
);
COMMENT ON TABLE carer_transition IS
    'What may be done with a carer in which state, where it leads and which roles may do it (api operations are named '
    'by the action: register -> registerCarer). From state none: before there is a record';
COMMENT ON COLUMN carer_transition.roles IS 'Empty: no caller; it happens when something else does (support starts)';
COMMENT ON COLUMN carer_transition.place IS 'Order in available_actions';
INSERT INTO carer_transition (action, from_state, to_state, roles, place)
SELECT a.action, f.state, coalesce(a.to_state, f.state), a.roles::text[], a.place
  FROM (VALUES
    ('create', '{none}', 'identified', '{council_admin,practitioner,assessor,support_worker,hospital_in_reach}', 0),
    ('update', '{identified,registered,active,inactive}', NULL,
     '{council_admin,practitioner,assessor,support_worker,hospital_in_reach,carer}', 1),
    ('register', '{identified}', 'registered', '{council_admin,practitioner,support_worker,hospital_in_reach}', 2),
    ('start_support', '{registered}', 'active', '{}', 3),
    ('deactivate', '{active}', 'inactive', '{council_admin,practitioner,support_worker}', 4),
    ('reactivate', '{inactive}', 'active', '{council_admin,practitioner,support_worker}', 5),
    ('close', '{identified,registered,active,inactive}', 'closed', '{council_admin,practitioner,support_worker}', 6)
  ) AS a(action, from_states, to_state, roles, place)
  CROSS JOIN LATERAL unnest(a.from_states::text[]) AS f(state);

CREATE TABLE carer_available (
    role text NOT NULL,
    state text NOT NULL,
    actions text NOT NULL,
    PRIMARY KEY (role, state)
);
COMMENT ON TABLE carer_available IS 'carer_transition by role and state: one look-up for each carer that is shown';
COMMENT ON COLUMN carer_available.actions IS 'available_actions as it is shown: a JSON array';
INSERT INTO carer_available (role, state, actions)
SELECT r.role, t.from_state, jsonb_agg(t.action ORDER BY t.place)::text
  FROM carer_transition t CROSS JOIN LATERAL unnest(t.roles) AS r(role)
 GROUP BY r.role, t.from_state;

-- Who may see which rows. A policy per class of caller: one policy for all, with a CASE, is two hundred times slower.

ALTER TABLE organisation ENABLE ROW LEVEL SECURITY;
ALTER TABLE carer ENABLE ROW LEVEL SECURITY;
ALTER TABLE carer_external_ref ENABLE ROW LEVEL SECURITY;
ALTER TABLE carer_access ENABLE ROW LEVEL SECURITY;

GRANT SELECT ON organisation TO carers_council, carers_partner, carers_self, carers_desk;
GRANT SELECT ON carer, carer_external_ref, carer_access, carer_transition, carer_available
    TO carers_council, carers_partner, carers_self;
GRANT INSERT (id, council, kind, given_name, family_name, date_of_birth, nhs_number, contact, address,
              preferred_language, interpreter_required, accessible_format, identification, previously_known,
              known_to_social_care, employment_status, gp, cared_for, external_refs, allow_duplicate, duplicate_reason)
    ON carer TO carers_council, carers_partner;
GRANT UPDATE (kind, given_name, family_name, date_of_birth, nhs_number, contact, address,
              preferred_language, interpreter_required, accessible_format, identification, previously_known,
              known_to_social_care, employment_status, gp, cared_for, external_refs, allow_duplicate, duplicate_reason,
              state, state_since, state_reason, state_note, triage)
    ON carer TO carers_council, carers_partner, carers_self;

CREATE POLICY organisation_council ON organisation FOR SELECT TO carers_council USING (councils && app_councils());
CREATE POLICY organisation_own ON organisation FOR SELECT TO carers_partner, carers_desk USING (id = app_org());
CREATE POLICY organisation_self ON organisation FOR SELECT TO carers_self
    USING (EXISTS (SELECT FROM carer_access a WHERE a.organisation_id = organisation.id AND a.carer_id = app_carer()));

CREATE POLICY carer_access_council ON carer_access FOR SELECT TO carers_council
    USING (council = ANY (app_councils()));
CREATE POLICY carer_access_partner ON carer_access FOR SELECT TO carers_partner
    USING (organisation_id = app_org() AND in_force(starts_at, ends_at));
CREATE POLICY carer_access_self ON carer_access FOR SELECT TO carers_self USING (carer_id = app_carer());

CREATE POLICY carer_council ON carer TO carers_council
    USING (council = ANY (app_councils())) WITH CHECK (council = ANY (app_councils()));
-- OFFSET 0, in this policy and in all that ask the same: one look into the index for each row. Otherwise the planner may hash
-- all carers of an organisation, which had ten when the statement was prepared and has 20,000 for the next caller.
CREATE POLICY carer_partner_read ON carer FOR SELECT TO carers_partner
    USING (EXISTS (SELECT FROM carer_access a
                    WHERE a.organisation_id = app_org() AND a.carer_id = carer.id
                      AND in_force(a.starts_at, a.ends_at) OFFSET 0));
CREATE POLICY carer_partner_change ON carer FOR UPDATE TO carers_partner
    USING (EXISTS (SELECT FROM carer_access a
                    WHERE a.organisation_id = app_org() AND a.carer_id = carer.id
                      AND in_force(a.starts_at, a.ends_at) OFFSET 0));
CREATE POLICY carer_partner_create ON carer FOR INSERT TO carers_partner
    WITH CHECK (council = ANY (ARRAY(SELECT unnest(o.councils) FROM organisation o WHERE o.id = app_org())));
CREATE POLICY carer_self ON carer FOR SELECT TO carers_self USING (id = app_carer());
CREATE POLICY carer_self_change ON carer FOR UPDATE TO carers_self USING (id = app_carer());

CREATE POLICY carer_external_ref_read ON carer_external_ref FOR SELECT TO carers_council, carers_partner, carers_self
    USING (EXISTS (SELECT FROM carer c WHERE c.id = carer_external_ref.carer_id));

-- Who may do what. Policies say which rows, triggers which acts, so that a refusal is a sentence. They fire in order of
-- name: a normalises, b looks whether the caller may, c looks for twins, z counts the version.

CREATE FUNCTION carer_a_normalise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.contact := nullif(NEW.contact, '{}');
    NEW.address := nullif(NEW.address, '{}');
    NEW.gp := nullif(NEW.gp, '{}');
    NEW.cared_for := nullif(NEW.cared_for, '[]');
    NEW.external_refs := nullif(NEW.external_refs, '[]');
    NEW.postcode := upper(replace(NEW.address ->> 'postcode', ' ', ''));
    IF NEW.postcode IS NOT NULL THEN
        NEW.postcode := left(NEW.postcode, -3) || ' ' || right(NEW.postcode, 3);
        NEW.address := jsonb_set(NEW.address, '{postcode}', to_jsonb(NEW.postcode));
    END IF;
    IF NEW.date_of_birth > current_date THEN
        RAISE EXCEPTION 'lies in the future' USING ERRCODE = 'CA42V', HINT = '/date_of_birth';
    END IF;
    NEW.family_key := search_key(NEW.family_name);
    NEW.source := NEW.identification ->> 'source';
    NEW.known := CASE NEW.known_to_social_care WHEN true THEN 'yes' WHEN false THEN 'no' ELSE 'unknown' END;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION carer_a_normalise() IS 'Postcodes in upper case with one space; the columns that are searched';

CREATE FUNCTION organisation_exists(wanted uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    RETURN EXISTS (SELECT FROM organisation o WHERE o.id = wanted);
COMMENT ON FUNCTION organisation_exists(uuid) IS 'Also for organisations that the caller does not see';

CREATE FUNCTION carer_b_create() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    served text[] := app_councils();
BEGIN
    IF pg_trigger_depth() > 1 THEN
        RETURN NEW; -- of a person whose referral was accepted
    END IF;
    IF NOT EXISTS (SELECT FROM carer_transition t WHERE t.action = 'create' AND app_role() = ANY (t.roles)) THEN
        RAISE EXCEPTION 'this role does not create carers' USING ERRCODE = 'CA403';
    END IF;
    IF current_user = 'carers_partner' THEN
        SELECT o.councils INTO served FROM organisation o WHERE o.id = app_org();
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the caller''s organisation is not known to this service' USING ERRCODE = 'CA403';
        END IF;
    END IF;
    IF NEW.council <> ALL (served) THEN
        RAISE EXCEPTION 'is not one of your councils' USING ERRCODE = 'CA42V', HINT = '/council';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION carer_b_create() IS 'Who creates carers, and where';

CREATE FUNCTION carer_b_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    may record;
BEGIN
    PERFORM precondition(OLD.id, OLD.version);
    SELECT t.action, app_role() = ANY (t.roles) AS allowed INTO may
      FROM carer_transition t
     WHERE t.from_state = OLD.state AND t.to_state = NEW.state
       AND (t.action = 'update') = (NEW.state = OLD.state);
    IF NOT FOUND AND NEW.state = OLD.state THEN
        RAISE EXCEPTION 'the record of a % carer does not change', OLD.state
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', OLD.state);
    ELSIF NOT FOUND THEN
        RAISE EXCEPTION 'a carer who is % does not become %', OLD.state, NEW.state
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', OLD.state);
    ELSIF NOT may.allowed AND (may.action <> 'start_support' OR pg_trigger_depth() = 1) THEN
        RAISE EXCEPTION 'this role may not % a carer', replace(may.action, '_', ' ') USING ERRCODE = 'CA403';
    END IF;
    IF app_role() = 'carer' AND to_jsonb(NEW) - carer_own_fields() <> to_jsonb(OLD) - carer_own_fields() THEN
        RAISE EXCEPTION 'a carer''s own token changes contact, language, communication and GP fields only'
            USING ERRCODE = 'CA422', HINT = 'C6';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION carer_b_change() IS 'Who changes carers, from which state to which, and rule C6';

CREATE FUNCTION carer_own_fields() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '{contact,preferred_language,interpreter_required,accessible_format,gp}'::text[];
COMMENT ON FUNCTION carer_own_fields() IS 'What a carer may change in her own record (rule C6)';

CREATE FUNCTION carer_b_refer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT organisation_exists((NEW.identification ->> 'organisation_id')::uuid) THEN
        RAISE EXCEPTION 'no organisation has this id'
            USING ERRCODE = 'CA42V', HINT = '/identification/organisation_id';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION carer_b_refer() IS 'identification.organisation_id is an organisation';

-- Rule C1. Two requests for the same person at the same time wait for each other, on locks of her number and her likeness.
CREATE FUNCTION carer_twins(this carer) RETURNS TABLE (id uuid, match text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF pg_trigger_depth() = 0 THEN
        RAISE EXCEPTION 'only a trigger asks for twins' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM pg_advisory_xact_lock(l.key)
       FROM (SELECT hashtextextended(t.text, 0) AS key
               FROM (VALUES ('nhs ' || this.council || this.nhs_number),
                            ('like ' || this.council || this.family_key || this.date_of_birth || this.postcode)
                    ) AS t(text)
              WHERE t.text IS NOT NULL
              ORDER BY 1) AS l;
    RETURN QUERY
        SELECT c.id, 'nhs_number'
          FROM carer c
         WHERE c.council = this.council AND c.nhs_number = this.nhs_number AND c.state <> 'closed' AND c.id <> this.id;
    RETURN QUERY
        SELECT c.id, 'likeness'
          FROM carer c
         WHERE c.council = this.council AND c.family_key = this.family_key AND c.date_of_birth = this.date_of_birth
           AND c.postcode = this.postcode AND c.state <> 'closed' AND c.id <> this.id
         LIMIT 20;
END
$$;
COMMENT ON FUNCTION carer_twins(carer) IS
    'Carers of the same council that this one may be, all of them; the caller of this function shows only visible ones';

CREATE FUNCTION carer_c_twins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    twins uuid[];
    same boolean;
    likeness_changes boolean := true;
    candidates jsonb;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        likeness_changes := (NEW.family_key, NEW.date_of_birth, NEW.postcode)
                            IS DISTINCT FROM (OLD.family_key, OLD.date_of_birth, OLD.postcode);
        IF NOT likeness_changes AND NEW.nhs_number IS NOT DISTINCT FROM OLD.nhs_number THEN
            NEW.allow_duplicate := OLD.allow_duplicate;
            RETURN NEW;
        END IF;
    END IF;
    IF NEW.allow_duplicate AND NEW.duplicate_reason IS NULL THEN
        RAISE EXCEPTION 'is needed with allow_duplicate' USING ERRCODE = 'CA42V', HINT = '/duplicate_reason';
    END IF;
    SELECT array_agg(t.id), bool_or(t.match = 'nhs_number') INTO twins, same
      FROM carer_twins(NEW) AS t
     WHERE t.match = 'nhs_number' OR likeness_changes AND NOT NEW.allow_duplicate;
    IF twins IS NULL THEN
        RETURN NEW;
    END IF;
    SELECT coalesce(jsonb_agg(DISTINCT c.id), '[]') INTO candidates FROM carer c WHERE c.id = ANY (twins);
    RAISE EXCEPTION '%', CASE WHEN same THEN 'a carer with this NHS number is on record'
                              ELSE 'a carer with this family name, date of birth and postcode is on record' END
        USING ERRCODE = 'CA40D', DETAIL = jsonb_build_object('candidates', candidates,
                                                             'match', CASE WHEN same THEN 'nhs_number' ELSE 'likeness' END);
END
$$;
COMMENT ON FUNCTION carer_c_twins() IS 'Rule C1: refuses who is there already, and names the ones that the caller may see';

CREATE FUNCTION carer_access_give() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO carer_access (organisation_id, carer_id, reason) VALUES (app_org(), NEW.id, 'registered');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION carer_access_give() IS 'The organisation that creates a carer may see her';

CREATE FUNCTION carer_access_copy() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    -- The lock: who changes the carer at this moment either is waited for, or waits, and then finds this row.
    SELECT c.council, c.state, c.source, c.known, greatest(c.updated_at, NEW.starts_at)
      INTO NEW.council, NEW.state, NEW.source, NEW.known, NEW.changed_at
      FROM carer c WHERE c.id = NEW.carer_id FOR SHARE;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION carer_access_copy() IS 'A new access row takes over what lists need of the carer';

CREATE FUNCTION carer_access_follow() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE carer_access a
       SET state = NEW.state, source = NEW.source, known = NEW.known, changed_at = greatest(NEW.updated_at, a.starts_at)
     WHERE a.carer_id = NEW.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION carer_access_follow() IS 'Access rows follow the carer';

CREATE FUNCTION carer_refer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM carer_external_ref r WHERE r.carer_id = NEW.id;
    INSERT INTO carer_external_ref (system, ref, carer_id)
    SELECT DISTINCT e ->> 'system', e ->> 'id', NEW.id FROM jsonb_array_elements(NEW.external_refs) AS e;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION carer_refer() IS 'carer_external_ref follows carer.external_refs';

CREATE TRIGGER carer_a_normalise BEFORE INSERT OR UPDATE ON carer
    FOR EACH ROW EXECUTE FUNCTION carer_a_normalise();
CREATE TRIGGER carer_b_create BEFORE INSERT ON carer
    FOR EACH ROW EXECUTE FUNCTION carer_b_create();
CREATE TRIGGER carer_b_change BEFORE UPDATE ON carer
    FOR EACH ROW EXECUTE FUNCTION carer_b_change();
CREATE TRIGGER carer_b_refer BEFORE INSERT OR UPDATE OF identification ON carer
    FOR EACH ROW WHEN (NEW.identification ? 'organisation_id') EXECUTE FUNCTION carer_b_refer();
CREATE TRIGGER carer_c_twins BEFORE INSERT OR UPDATE ON carer
    FOR EACH ROW EXECUTE FUNCTION carer_c_twins();
CREATE TRIGGER carer_z_versioned BEFORE UPDATE ON carer
    FOR EACH ROW EXECUTE FUNCTION versioned();
CREATE TRIGGER carer_access_give AFTER INSERT ON carer
    FOR EACH ROW WHEN (current_user = 'carers_partner') EXECUTE FUNCTION carer_access_give();
CREATE TRIGGER carer_access_follow AFTER UPDATE ON carer
    FOR EACH ROW EXECUTE FUNCTION carer_access_follow();
CREATE TRIGGER carer_audited AFTER INSERT OR UPDATE ON carer
    FOR EACH ROW EXECUTE FUNCTION audited('id', 'family_key', 'postcode', 'source', 'known');
CREATE TRIGGER carer_refer_insert AFTER INSERT ON carer
    FOR EACH ROW WHEN (NEW.external_refs IS NOT NULL) EXECUTE FUNCTION carer_refer();
CREATE TRIGGER carer_refer_update AFTER UPDATE ON carer
    FOR EACH ROW WHEN (NEW.external_refs IS DISTINCT FROM OLD.external_refs) EXECUTE FUNCTION carer_refer();
CREATE TRIGGER carer_access_copy BEFORE INSERT ON carer_access
    FOR EACH ROW EXECUTE FUNCTION carer_access_copy();

GRANT EXECUTE ON FUNCTION organisation_exists(uuid), carer_own_fields(), carer_twins(carer)
    TO carers_council, carers_partner, carers_self;

-- The state actions.
CREATE FUNCTION carer_move(moved uuid, wanted text, body jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c carer;
    next_state text;
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
    IF wanted = 'register' AND c.triage IS NULL AND body -> 'triage' IS NULL THEN
        RAISE EXCEPTION 'a carer is registered with her triage: none is on record, and none came with the request'
            USING ERRCODE = 'CA422', HINT = 'C4';
    END IF;
    UPDATE carer u
       SET state = next_state, state_since = clock_timestamp(), state_reason = body ->> 'reason',
           state_note = body ->> 'note', triage = coalesce(body -> 'triage', u.triage)
     WHERE u.id = moved;
END
$$;
COMMENT ON FUNCTION carer_move(uuid, text, jsonb) IS 'Takes the action of carer_transition, or says why not';
GRANT EXECUTE ON FUNCTION carer_move(uuid, text, jsonb) TO carers_council, carers_partner, carers_self;

-- The outward shape.

CREATE VIEW carer_view WITH (security_invoker = true) AS
SELECT c.id, c.council, c.version, concat(
           '{"id":"', c.id, '"',
           member('council', c.council),
           member('state', c.state),
           member('state_since', instant(c.state_since)),
           member('state_reason', c.state_reason),
           member('state_note', c.state_note),
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
    'What callers see of a carer: body, version (the ETag). break_provider sees neither NHS number nor triage';
GRANT SELECT ON carer_view TO carers_council, carers_partner, carers_self;
