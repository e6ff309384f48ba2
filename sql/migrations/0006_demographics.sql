-- Demographics: who carers are, kept only while they consent to it (rule C2).

CREATE TABLE carer_demographics (
    carer_id uuid PRIMARY KEY REFERENCES carer ON DELETE CASCADE,
    council text NOT NULL,
    ethnicity text CHECK (ethnicity IN ('asian_bangladeshi', 'asian_chinese', 'asian_indian', 'asian_pakistani', 'asian_other',
        'black_african', 'black_caribbean', 'black_other', 'mixed_white_and_asian', 'mixed_white_and_black_african',
        'mixed_white_and_black_caribbean', 'mixed_other', 'white_british', 'white_irish', 'white_gypsy_or_irish_traveller',
        'white_roma', 'white_other', 'other_arab', 'other_any', 'prefer_not_to_say')),
    gender text CHECK (gender IN ('woman', 'man', 'non_binary', 'other', 'prefer_not_to_say')),
    sexual_orientation text CHECK (sexual_orientation IN ('straight_or_heterosexual', 'gay_or_lesbian', 'bisexual', 'other',
        'prefer_not_to_say')),
    religion text CHECK (religion IN ('no_religion', 'christian', 'buddhist', 'hindu', 'jewish', 'muslim', 'sikh', 'other',
        'prefer_not_to_say')),
    disability text CHECK (disability IN ('yes_limited_a_lot', 'yes_limited_a_little', 'no', 'prefer_not_to_say')),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(ethnicity, gender, sexual_orientation, religion, disability) > 0)
);
COMMENT ON TABLE carer_demographics IS
    'What a carer has told of herself, in the groups of the Census 2021 for England. A row is there, and is seen, only while she '
    'consents to the purpose demographics: her withdrawal deletes it';

ALTER TABLE carer_demographics ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT (carer_id, ethnicity, gender, sexual_orientation, religion, disability),
    UPDATE (ethnicity, gender, sexual_orientation, religion, disability) ON carer_demographics
    TO carers_council, carers_partner, carers_self;

CREATE POLICY carer_demographics_council ON carer_demographics TO carers_council
    USING (council = ANY (app_councils()) AND consented(carer_id, 'demographics'));
CREATE POLICY carer_demographics_partner ON carer_demographics TO carers_partner
    USING (app_role() IN ('assessor', 'support_worker')
           AND EXISTS (SELECT FROM carer_access a
                        WHERE a.organisation_id = app_org() AND a.carer_id = carer_demographics.carer_id
                          AND in_force(a.starts_at, a.ends_at) OFFSET 0)
           AND consented(carer_id, 'demographics'));
CREATE POLICY carer_demographics_self ON carer_demographics TO carers_self
    USING (carer_id = app_carer() AND consented(carer_id, 'demographics'));

CREATE FUNCTION carer_demographics_b_consented() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The lock: a withdrawal waits until this is written, and then deletes it.
    PERFORM FROM consent c
      WHERE c.carer_id = NEW.carer_id AND c.purpose = 'demographics' AND c.decision = 'given' AND c.ended_at IS NULL
        FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the carer has not consented to this: ask her, and record her consent to the purpose demographics first'
            USING ERRCODE = 'CA40C';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION carer_demographics_b_consented() IS 'Rule C2: demographics need an active consent';

CREATE FUNCTION consent_demographics() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    DELETE FROM carer_demographics d WHERE d.carer_id = NEW.carer_id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION consent_demographics() IS 'What was told under a consent goes with it: see docs/adr/0014';

CREATE TRIGGER consent_demographics_refused AFTER INSERT ON consent
    FOR EACH ROW WHEN (NEW.purpose = 'demographics' AND NEW.decision = 'refused') EXECUTE FUNCTION consent_demographics();
CREATE TRIGGER consent_demographics_withdrawn AFTER UPDATE ON consent
    FOR EACH ROW WHEN (NEW.purpose = 'demographics' AND NEW.ended_how = 'withdrawn') EXECUTE FUNCTION consent_demographics();

-- Now of deletions, too.
CREATE OR REPLACE FUNCTION audited() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    stale jsonb := CASE TG_OP WHEN 'INSERT' THEN '{}' ELSE to_jsonb(OLD) END;
    fresh jsonb := CASE TG_OP WHEN 'DELETE' THEN '{}' ELSE to_jsonb(NEW) END;
    either jsonb := stale || fresh;
    hidden text[] := ARRAY(SELECT substr(a, 2) FROM unnest(TG_ARGV[1:]) AS a WHERE a LIKE '*%');
BEGIN
    INSERT INTO audit_entry (council, carer_ids, subject_table, before, after)
    SELECT either ->> 'council', array_remove(ARRAY[(either ->> TG_ARGV[0])::uuid], NULL), TG_TABLE_NAME,
           jsonb_object_agg(f.key, CASE WHEN f.key = ANY (hidden) THEN '"(masked)"' ELSE stale -> f.key END)
               FILTER (WHERE stale ->> f.key IS NOT NULL),
           jsonb_object_agg(f.key, CASE WHEN f.key = ANY (hidden) THEN '"(masked)"' ELSE fresh -> f.key END)
               FILTER (WHERE fresh ->> f.key IS NOT NULL)
      FROM jsonb_object_keys(either) AS f(key)
     WHERE fresh -> f.key IS DISTINCT FROM stale -> f.key
       AND f.key <> ALL ('{version,updated_at}'::text[] || TG_ARGV[1:]);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION audited() IS
    'AFTER INSERT, UPDATE or DELETE: leaves an audit row with what changed. Its arguments: the column that holds the carer''s id '
    '(NULL: no carer yet), then columns that are worked out from others and tell nothing, and *columns that changed but are not shown';

CREATE TRIGGER carer_demographics_a_of_carer BEFORE INSERT OR UPDATE ON carer_demographics
    FOR EACH ROW EXECUTE FUNCTION of_carer('open');
CREATE TRIGGER carer_demographics_b_consented BEFORE INSERT OR UPDATE ON carer_demographics
    FOR EACH ROW EXECUTE FUNCTION carer_demographics_b_consented();
CREATE TRIGGER carer_demographics_c_replaceable BEFORE INSERT OR UPDATE ON carer_demographics
    FOR EACH ROW EXECUTE FUNCTION replaceable();
CREATE TRIGGER carer_demographics_z_versioned BEFORE UPDATE ON carer_demographics
    FOR EACH ROW EXECUTE FUNCTION versioned('carer_id');
CREATE TRIGGER carer_demographics_audited AFTER INSERT OR UPDATE OR DELETE ON carer_demographics
    FOR EACH ROW EXECUTE FUNCTION audited('carer_id', '*ethnicity', '*gender', '*sexual_orientation', '*religion', '*disability');

INSERT INTO event_kind (kind, resource, path, change, roles)
SELECT 'demographics.' || k.what, 'demographics', '/v1/carers/%1$s/demographics', k.change,
       '{council_admin,practitioner,assessor,support_worker,carer}'
  FROM (VALUES ('recorded', 'upsert'), ('hidden', 'delete')) AS k(what, change);

CREATE FUNCTION carer_demographics_evented() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM note_event(OLD.carer_id, OLD.council, 'demographics.hidden', OLD.carer_id, OLD.version, NULL,
                           'Demographics were deleted with the consent to keep them');
    ELSE
        PERFORM note_event(NEW.carer_id, NEW.council, 'demographics.recorded', NEW.carer_id, NEW.version, NULL,
                           format('Demographics were %s', CASE TG_OP WHEN 'INSERT' THEN 'recorded' ELSE 'changed' END));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION carer_demographics_evented() IS 'That they are there or gone, never what they are';
CREATE TRIGGER carer_demographics_evented AFTER INSERT OR UPDATE OR DELETE ON carer_demographics
    FOR EACH ROW EXECUTE FUNCTION carer_demographics_evented();

CREATE VIEW carer_demographics_view WITH (security_invoker = true) AS
SELECT d.carer_id, d.council, d.version, d.version = 1 AND d.xmin = pg_current_xact_id_if_assigned()::xid AS created, concat(
           '{"carer_id":"', d.carer_id, '"',
           member('ethnicity', d.ethnicity),
           member('gender', d.gender),
           member('sexual_orientation', d.sexual_orientation),
           member('religion', d.religion),
           member('disability', d.disability),
           member('created_at', instant(d.created_at)),
           member('updated_at', instant(d.updated_at)),
           '}') AS body
  FROM carer_demographics d;
COMMENT ON VIEW carer_demographics_view IS
    'What callers see of demographics: body, version (the ETag), created (made by this very transaction)';
GRANT SELECT ON carer_demographics_view TO carers_council, carers_partner, carers_self;
