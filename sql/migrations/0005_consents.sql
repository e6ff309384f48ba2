-- Consents: what a carer has said to each purpose, and who may learn what by it.

CREATE TABLE consent (
    id uuid PRIMARY KEY,
    carer_id uuid NOT NULL REFERENCES carer ON DELETE CASCADE,
    council text NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('demographics', 'share_with_organisation', 'share_between_services',
                                             'contact_for_feedback', 'research')),
    organisation_id uuid REFERENCES organisation,
    organisation_name text,
    decision text NOT NULL DEFAULT 'given' CHECK (decision IN ('given', 'refused')),
    method text NOT NULL CHECK (method IN ('verbal', 'written', 'online')),
    wording_version text NOT NULL,
    decided_at timestamptz(3) NOT NULL DEFAULT now(),
    recorded_by text NOT NULL DEFAULT app_subject(),
    recorded_by_role text NOT NULL DEFAULT app_role(),
    recorded_by_organisation uuid DEFAULT app_org(),
    ended_at timestamptz(3),
    ended_how text CHECK (ended_how IN ('withdrawn', 'replaced')),
    end_method text CHECK (end_method IN ('verbal', 'written', 'online')),
    end_note text,
    ended_by text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    CHECK ((purpose = 'share_with_organisation') = (organisation_id IS NOT NULL)),
    CHECK ((organisation_id IS NULL) = (organisation_name IS NULL)),
    CHECK ((ended_at IS NULL) = (ended_how IS NULL))
);
COMMENT ON TABLE consent IS
    'One row each time that a carer says yes or no to a purpose (rule C3). Append-only: a row ends once, by withdrawal or by the '
    'next word on the same purpose, and nothing else of it ever changes';
COMMENT ON COLUMN consent.organisation_name IS
    'As it was called when the carer said so: what she consented to; shown also where the organisation''s row is not seen';
COMMENT ON COLUMN consent.wording_version IS 'Which wording the carer was shown or read';
COMMENT ON COLUMN consent.decided_at IS 'When the carer said so; created_at: when it was recorded';
CREATE UNIQUE INDEX consent_current ON consent
    (carer_id, purpose, (coalesce(organisation_id, '00000000-0000-0000-0000-000000000000'))) WHERE ended_at IS NULL;
CREATE INDEX consent_by_carer ON consent (carer_id, id DESC);

ALTER TABLE consent ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON consent TO carers_council, carers_partner, carers_self;
GRANT INSERT (id, carer_id, purpose, organisation_id, decision, method, wording_version, decided_at) ON consent
    TO carers_council, carers_partner, carers_self;
GRANT UPDATE (ended_how, end_method, end_note) ON consent TO carers_council, carers_partner, carers_self;

CREATE POLICY consent_council ON consent TO carers_council
    USING (council = ANY (app_councils())) WITH CHECK (council = ANY (app_councils()));
CREATE POLICY consent_partner ON consent TO carers_partner
    USING (app_role() <> 'break_provider'
           AND (organisation_id IS NULL OR organisation_id = app_org() OR recorded_by_organisation = app_org())
           AND EXISTS (SELECT FROM carer_access a
                        WHERE a.organisation_id = app_org() AND a.carer_id = consent.carer_id
                          AND in_force(a.starts_at, a.ends_at) OFFSET 0));
CREATE POLICY consent_self ON consent TO carers_self USING (carer_id = app_carer()) WITH CHECK (carer_id = app_carer());

CREATE FUNCTION consented(whose uuid, wanted text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN EXISTS (SELECT FROM consent c
                    WHERE c.carer_id = whose AND c.purpose = wanted AND c.ended_at IS NULL AND c.decision = 'given');
COMMENT ON FUNCTION consented(uuid, text) IS
    'The carer consents to this purpose now (not for share_with_organisation). For policies: a withdrawal is felt by the next '
    'statement';
GRANT EXECUTE ON FUNCTION consented(uuid, text) TO carers_council, carers_partner, carers_self;

-- An organisation learns of what happened to carers whom it may see now: of consents only those that it may read, of other
-- organisations' doings only what the carer shares between services.
CREATE POLICY event_partner ON event FOR SELECT TO carers_partner
    USING (EXISTS (SELECT FROM carer_access a
                    WHERE a.organisation_id = app_org() AND a.carer_id = event.carer_id
                      AND in_force(a.starts_at, a.ends_at) OFFSET 0)
           AND (about_organisation IS NULL OR about_organisation = app_org() OR organisation_id = app_org())
           AND EXISTS (SELECT FROM event_kind k
                        WHERE k.kind = event.kind AND app_role() = ANY (k.roles)
                          AND (NOT k.shared OR event.organisation_id = app_org()
                               OR consented(event.carer_id, 'share_between_services'))));

-- Rule C3: the newest word counts, each row ends once, and what a withdrawal means happens in its transaction. Triggers fire in
-- order of name: a looks for the carer, b keeps the rule, z counts the version; after them `access` takes the sight away before
-- the audit row and the event are written.

CREATE FUNCTION consent_state(c consent) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce((c).ended_how, CASE (c).decision WHEN 'given' THEN 'active' ELSE (c).decision END);
COMMENT ON FUNCTION consent_state(consent) IS 'active, refused, withdrawn or replaced';
GRANT EXECUTE ON FUNCTION consent_state(consent) TO carers_council, carers_partner, carers_self;

CREATE FUNCTION consent_lock(whose uuid, wanted text, organisation uuid) RETURNS void LANGUAGE sql VOLATILE
    RETURN pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'consent', whose, wanted, organisation), 0));
COMMENT ON FUNCTION consent_lock(uuid, text, uuid) IS
    'A carer''s words on one purpose, and what hangs on the newest, happen one after the other: also before there is a first';

CREATE FUNCTION consent_asked(whose uuid, organisation uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    refused boolean;
BEGIN
    IF pg_trigger_depth() = 0 THEN
        RETURN;
    END IF;
    PERFORM consent_lock(whose, 'share_with_organisation', organisation);
    SELECT c.decision = 'refused' OR c.ended_how = 'withdrawn' INTO refused
      FROM consent c
     WHERE c.carer_id = whose AND c.purpose = 'share_with_organisation' AND c.organisation_id = organisation
     ORDER BY c.id DESC LIMIT 1 FOR SHARE;
    IF refused THEN
        RAISE EXCEPTION 'the carer has refused or withdrawn her consent to share with this organisation' USING ERRCODE = 'CA40C';
    END IF;
END
$$;
COMMENT ON FUNCTION consent_asked(uuid, uuid) IS
    'For triggers alone: CA40C if her newest word is that her record is not shared with this organisation. Who says another one waits '
    'for the end of the transaction';

-- SECURITY DEFINER: the word before may be one that this caller does not see. It is a trigger, so that nobody calls it.
CREATE FUNCTION consent_b_newest() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF NEW.organisation_id IS NOT NULL THEN
        SELECT o.name INTO NEW.organisation_name FROM organisation o WHERE o.id = NEW.organisation_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no organisation has this id' USING ERRCODE = 'CA42V', HINT = '/organisation_id';
        END IF;
    END IF;
    -- Of two words at once the second waits here for the first, and ends it.
    PERFORM consent_lock(NEW.carer_id, NEW.purpose, NEW.organisation_id);
    IF NEW.decided_at > clock_timestamp() + interval '1 millisecond' THEN -- the column has rounded it
        RAISE EXCEPTION 'lies in the future' USING ERRCODE = 'CA42V', HINT = '/decided_at';
    END IF;
    NEW.decided_at := date_trunc('milliseconds', least(NEW.decided_at, clock_timestamp()));
    UPDATE consent c
       SET ended_how = 'replaced'
     WHERE c.carer_id = NEW.carer_id AND c.purpose = NEW.purpose
       AND c.organisation_id IS NOT DISTINCT FROM NEW.organisation_id AND c.ended_at IS NULL;
    IF EXISTS (SELECT FROM consent c
                WHERE c.carer_id = NEW.carer_id AND c.purpose = NEW.purpose
                  AND c.organisation_id IS NOT DISTINCT FROM NEW.organisation_id
                  AND NEW.decided_at < greatest(c.decided_at,
                                                CASE c.ended_how WHEN 'withdrawn' THEN c.ended_at END)) THEN
        RAISE EXCEPTION 'lies before the carer''s newest word on this purpose, which counts'
            USING ERRCODE = 'CA42V', HINT = '/decided_at';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION consent_b_newest() IS
    'The carer''s newest word on a purpose (and organisation) ends the one before; one that is recorded late ends nothing, and '
    'does not bring back what she has withdrawn since: it is refused';

CREATE FUNCTION consent_b_ends() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    state text := consent_state(OLD);
BEGIN
    PERFORM precondition(OLD.id, OLD.version);
    IF OLD.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'this consent was % before', state
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', state);
    ELSIF state = 'refused' AND NEW.ended_how = 'withdrawn' THEN
        RAISE EXCEPTION 'a refusal cannot be withdrawn; what the carer says next replaces it'
            USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', state);
    ELSIF NEW.ended_how IS NULL
          OR to_jsonb(NEW) - '{ended_at,ended_how,end_method,end_note}'::text[]
             <> to_jsonb(OLD) - '{ended_at,ended_how,end_method,end_note}'::text[] THEN
        RAISE EXCEPTION 'a consent ends, and does not change otherwise' USING ERRCODE = 'CA40X';
    END IF;
    NEW.ended_at := date_trunc('milliseconds', clock_timestamp());
    NEW.ended_by := app_subject();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION consent_b_ends() IS 'The one change that a consent knows: it ends, once';

CREATE FUNCTION consent_access() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- now(), the beginning of the transaction: what other transactions began since then does not see her any more.
    -- (ended_because comes with 0007_access.sql.)
    UPDATE carer_access a
       SET ends_at = date_trunc('milliseconds', now()), ended_because = 'consent_withdrawn'
     WHERE a.carer_id = NEW.carer_id AND a.organisation_id = NEW.organisation_id
       AND (a.ends_at IS NULL OR a.ends_at > now());
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION consent_access() IS
    'An organisation that the record is not to be shared with has no access from now on, nor later by what was given before';

CREATE TRIGGER consent_a_of_carer BEFORE INSERT ON consent FOR EACH ROW EXECUTE FUNCTION of_carer('open');
CREATE TRIGGER consent_b_newest BEFORE INSERT ON consent FOR EACH ROW EXECUTE FUNCTION consent_b_newest();
CREATE TRIGGER consent_b_ends BEFORE UPDATE ON consent FOR EACH ROW EXECUTE FUNCTION consent_b_ends();
CREATE TRIGGER consent_z_versioned BEFORE UPDATE ON consent FOR EACH ROW EXECUTE FUNCTION versioned();
CREATE TRIGGER consent_access_refused AFTER INSERT ON consent
    FOR EACH ROW WHEN (NEW.organisation_id IS NOT NULL AND NEW.decision = 'refused') EXECUTE FUNCTION consent_access();
CREATE TRIGGER consent_access_withdrawn AFTER UPDATE ON consent
    FOR EACH ROW WHEN (NEW.organisation_id IS NOT NULL AND NEW.ended_how = 'withdrawn') EXECUTE FUNCTION consent_access();
CREATE TRIGGER consent_audited AFTER INSERT OR UPDATE ON consent FOR EACH ROW EXECUTE FUNCTION audited('carer_id');

INSERT INTO event_kind (kind, resource, path, in_timeline, roles)
SELECT 'consent.' || k.what, 'consent', '/v1/carers/%1$s/consents/%2$s', k.what <> 'replaced',
       '{council_admin,practitioner,assessor,support_worker,hospital_in_reach,carer}'
  FROM unnest('{given,refused,withdrawn,replaced}'::text[]) AS k(what);

CREATE FUNCTION consent_evented() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    what text := coalesce(NEW.ended_how, NEW.decision);
    purpose text := CASE NEW.purpose
        WHEN 'demographics' THEN 'keep demographics'
        WHEN 'share_with_organisation' THEN 'share with an organisation'
        WHEN 'share_between_services' THEN 'share between services'
        WHEN 'contact_for_feedback' THEN 'contact for feedback'
        ELSE NEW.purpose END;
BEGIN
    PERFORM note_event(NEW.carer_id, NEW.council, 'consent.' || what, NEW.id, NEW.version, consent_state(NEW),
                       format('Consent to %s was %s', purpose, what), NEW.organisation_id,
                       coalesce(NEW.ended_at, NEW.decided_at));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION consent_evented() IS 'Purposes and states, no organisation''s name';
CREATE TRIGGER consent_evented AFTER INSERT OR UPDATE ON consent FOR EACH ROW EXECUTE FUNCTION consent_evented();

-- The outward shape. A function of the row and not a view: who withdraws her consent to share with his own organisation is
-- answered from the row that his statement changed, although he does not see it any more.
CREATE FUNCTION consent_body(c consent) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN concat(
        '{"id":"', (c).id, '","carer_id":"', (c).carer_id, '"',
        member('purpose', (c).purpose),
        CASE WHEN (c).organisation_id IS NOT NULL THEN concat(
            ',"organisation":{"id":"', (c).organisation_id, '"',
            member('name', CASE WHEN app_role() IN ('council_admin', 'practitioner', 'carer')
                                     OR (c).organisation_id = app_org() THEN (c).organisation_name END),
            '}') END,
        member('decision', (c).decision),
        member('state', consent_state(c)),
        ',"available_actions":', CASE consent_state(c) WHEN 'active' THEN '["withdraw"]' ELSE '[]' END,
        member('method', (c).method),
        member('wording_version', (c).wording_version),
        member('decided_at', instant((c).decided_at)),
        ',"recorded_by":{"role":"', (c).recorded_by_role, '"', member('organisation_id', (c).recorded_by_organisation::text), '}',
        member('ended_at', instant((c).ended_at)),
        member('end_method', (c).end_method),
        member('end_note', (c).end_note),
        member('created_at', instant((c).created_at)),
        member('updated_at', instant((c).updated_at)),
        '}');
COMMENT ON FUNCTION consent_body(consent) IS
    'What callers see of a consent. Who acts for an organisation is not told what another one is called; nobody is told who '
    'recorded it';
GRANT EXECUTE ON FUNCTION consent_body(consent) TO carers_council, carers_partner, carers_self;
