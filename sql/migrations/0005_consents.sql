-- Consents: what a carer has said to each purpose, and who may learn what by it.

CREATE TABLE consent (
    id uuid PRIMARY KEY,
    carer_id uuid NOT NULL REFERENCES carer ON DELETE CASCADE,
    council text NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('demographics', 'share_with_organisation', 'share_between_services',
                                             'contact_for_feedback', 'research')),
    organisation_id uuid REFERENCES organisation,
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
    CHECK ((ended_at IS NULL) = (ended_how IS NULL))
);
COMMENT ON TABLE consent IS
    'One row each time that a carer says yes or no to a purpose (rule C3). Append-only: a row ends once, by withdrawal or by the '
    'next word on the same purpose, and nothing else of it ever changes';
COMMENT ON COLUMN consent.wording_version IS 'Which wording the carer was shown or read';
COMMENT ON COLUMN consent.decided_at IS 'When the carer said so; created_at: when it was recorded';
CREATE UNIQUE INDEX consent_current ON consent
    (carer_id, purpose, (coalesce(organisation_id, '00000000-0000-0000-0000-000000000000'))) WHERE ended_at IS NULL;
CREATE INDEX consent_by_carer ON consent (carer_id, id DESC);

ALTER TABLE consent ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON consent TO carers_council, carers_partner, carers_self;

CREATE POLICY consent_council ON consent TO carers_council
    USING (council = ANY (app_councils())) WITH CHECK (council = ANY (app_councils()));
CREATE POLICY consent_partner ON consent TO carers_partner
    USING (app_role() <> 'break_provider'
           AND (organisation_id IS NULL OR organisation_id = app_org() OR recorded_by_organisation = app_org())
           AND EXISTS (SELECT FROM carer_access a
                        WHERE a.organisation_id = app_org() AND a.carer_id = consent.carer_id
                          AND in_force(a.starts_at, a.ends_at)));
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
                      AND in_force(a.starts_at, a.ends_at))
           AND (about_organisation IS NULL OR about_organisation = app_org() OR organisation_id = app_org())
           AND EXISTS (SELECT FROM event_kind k
                        WHERE k.kind = event.kind AND app_role() = ANY (k.roles)
                          AND (NOT k.shared OR event.organisation_id = app_org()
                               OR consented(event.carer_id, 'share_between_services'))));
