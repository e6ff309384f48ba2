-- Contacts: every time that a service and a carer spoke or wrote to each other, so that she tells her story once.

CREATE TABLE contact (
    id uuid PRIMARY KEY,
    carer_id uuid NOT NULL REFERENCES carer ON DELETE CASCADE,
    council text NOT NULL,
    organisation_id uuid REFERENCES organisation DEFAULT app_org(),
    recorded_by text NOT NULL DEFAULT app_subject(),
    recorded_by_role text NOT NULL DEFAULT app_role(),
    at timestamptz(3) NOT NULL,
    channel text NOT NULL CHECK (channel IN ('phone', 'email', 'sms', 'whatsapp', 'letter', 'in_person', 'video', 'web',
        'other')),
    direction text NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    reason text NOT NULL CHECK (reason IN ('first_contact', 'information_and_advice', 'health_and_wellbeing',
        'emotional_support', 'peer_support', 'money_and_benefits', 'emergency_planning', 'assessment', 'referral', 'review',
        'welfare_check', 'appointment', 'complaint', 'feedback', 'emergency', 'other')),
    outcome text NOT NULL CHECK (outcome IN ('info_advice', 'navigation', 'referral', 'appointment_made', 'no_answer',
        'message_left', 'no_further_action', 'other')),
    needs jsonb,
    duration_minutes integer,
    notes text,
    practitioner_notes text,
    corrects_contact_id uuid REFERENCES contact,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT contact_corrected_once UNIQUE (corrects_contact_id)
);
COMMENT ON TABLE contact IS
    'A contact with a carer. Append-only: a wrong one is corrected by another, once, so that corrections are a chain. Its outward '
    'shape is contact_view';
COMMENT ON COLUMN contact.organisation_id IS 'Whose people had it; NULL: the council''s';
COMMENT ON COLUMN contact.at IS 'When it was; created_at: when it was recorded';
COMMENT ON COLUMN contact.notes IS 'The carer reads them';
COMMENT ON COLUMN contact.practitioner_notes IS 'Shown neither to the carer nor to break_provider';
CREATE INDEX contact_by_carer ON contact (carer_id, id DESC);

ALTER TABLE contact ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON contact TO carers_council, carers_partner, carers_self;
GRANT INSERT (id, carer_id, at, channel, direction, reason, outcome, needs, duration_minutes, notes, practitioner_notes,
              corrects_contact_id)
    ON contact TO carers_council, carers_partner;

CREATE POLICY contact_council ON contact TO carers_council
    USING (council = ANY (app_councils())) WITH CHECK (council = ANY (app_councils()));
CREATE POLICY contact_partner ON contact TO carers_partner
    USING (EXISTS (SELECT FROM carer_access a
                    WHERE a.organisation_id = app_org() AND a.carer_id = contact.carer_id
                      AND in_force(a.starts_at, a.ends_at) OFFSET 0)
           AND (organisation_id = app_org()
                OR app_role() <> 'break_provider' AND consented(contact.carer_id, 'share_between_services')))
    WITH CHECK (organisation_id = app_org()
                AND EXISTS (SELECT FROM carer_access a
                             WHERE a.organisation_id = app_org() AND a.carer_id = contact.carer_id
                               AND in_force(a.starts_at, a.ends_at) OFFSET 0));
CREATE POLICY contact_self ON contact FOR SELECT TO carers_self USING (carer_id = app_carer());

CREATE FUNCTION contact_check() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.needs := nullif(NEW.needs, '[]');
    IF current_user <> 'carers_partner' THEN
        NEW.organisation_id := NULL; -- a council's token may name an organisation; the council acts all the same
    END IF;
    IF NEW.at > clock_timestamp() THEN
        RAISE EXCEPTION 'lies in the future' USING ERRCODE = 'CA42V', HINT = '/at';
    END IF;
    IF NEW.practitioner_notes IS NOT NULL AND app_role() = 'break_provider' THEN
        RAISE EXCEPTION 'is neither written nor read by this role' USING ERRCODE = 'CA42V', HINT = '/practitioner_notes';
    END IF;
    IF NEW.corrects_contact_id IS NOT NULL AND NOT EXISTS (
           SELECT FROM contact c
            WHERE c.id = NEW.corrects_contact_id AND c.carer_id = NEW.carer_id
              AND c.organisation_id IS NOT DISTINCT FROM NEW.organisation_id) THEN
        RAISE EXCEPTION 'is no contact with this carer that your own side recorded'
            USING ERRCODE = 'CA42V', HINT = '/corrects_contact_id';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION contact_check() IS 'When it was, who writes which notes, and that each side corrects its own contacts';

INSERT INTO event_kind (kind, resource, path, shared) VALUES
    ('contact.recorded', 'contact', '/v1/carers/%1$s/contacts/%2$s', true);

CREATE FUNCTION contact_evented() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_event(NEW.carer_id, NEW.council, 'contact.recorded', NEW.id, 1, NULL,
                       replace(format('A contact was %s: %s, %s; reason: %s; outcome: %s',
                                      CASE WHEN NEW.corrects_contact_id IS NULL THEN 'recorded' ELSE 'corrected' END,
                                      NEW.channel, NEW.direction, NEW.reason, NEW.outcome), '_', ' '),
                       happened_at => NEW.at);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION contact_evented() IS 'Codes alone, no notes';

CREATE TRIGGER contact_a_carer BEFORE INSERT ON contact
    FOR EACH ROW EXECUTE FUNCTION of_carer();
CREATE TRIGGER contact_b_check BEFORE INSERT ON contact
    FOR EACH ROW EXECUTE FUNCTION contact_check();
CREATE TRIGGER contact_append_only BEFORE UPDATE OR TRUNCATE ON contact
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
-- The contact itself never changes: the trail need not repeat its words.
CREATE TRIGGER contact_audited AFTER INSERT ON contact
    FOR EACH ROW EXECUTE FUNCTION audited('carer_id', '*notes', '*practitioner_notes');
CREATE TRIGGER contact_evented AFTER INSERT ON contact
    FOR EACH ROW EXECUTE FUNCTION contact_evented();

CREATE VIEW contact_view WITH (security_invoker = true) AS
SELECT c.id, c.carer_id, c.council, 1 AS version, concat(
           '{"id":"', c.id, '"',
           member('carer_id', c.carer_id::text),
           member('at', instant(c.at)),
           member('channel', c.channel),
           member('direction', c.direction),
           member('reason', c.reason),
           member('outcome', c.outcome),
           member('needs', c.needs),
           member('duration_minutes', to_jsonb(c.duration_minutes)),
           member('notes', c.notes),
           member('practitioner_notes',
                  CASE WHEN app_role() NOT IN ('carer', 'break_provider') THEN c.practitioner_notes END),
           member('corrects_contact_id', c.corrects_contact_id::text),
           ',"recorded_by":{"role":"', c.recorded_by_role, '"', member('organisation_id', c.organisation_id::text), '}',
           member('created_at', instant(c.created_at)),
           '}') AS body
  FROM contact c;
COMMENT ON VIEW contact_view IS 'What callers see of a contact: body, version (the ETag)';
GRANT SELECT ON contact_view TO carers_council, carers_partner, carers_self;
