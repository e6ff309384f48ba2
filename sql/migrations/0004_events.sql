-- Events: what happened to a carer's records, one row each, written in the transaction of the change. The timeline, the feed
-- of changes and (later) webhooks all read these rows. They carry ids, states and words of ours, never personal data.

CREATE TABLE event_kind (
    kind text PRIMARY KEY,
    resource text NOT NULL,
    path text NOT NULL,
    change text NOT NULL DEFAULT 'upsert' CHECK (change IN ('upsert', 'delete')),
    in_timeline boolean NOT NULL DEFAULT true,
    shared boolean NOT NULL DEFAULT false,
    roles text[] NOT NULL DEFAULT '{council_admin,practitioner,assessor,support_worker,hospital_in_reach,break_provider,carer}'
);
COMMENT ON TABLE event_kind IS 'What can happen, as data: each family adds its kinds in its migration';
COMMENT ON COLUMN event_kind.resource IS 'What a client has a copy of: carer, consent, contact ...';
COMMENT ON COLUMN event_kind.path IS 'Where that is read: format() with the carer''s id as 1 and the resource''s as 2';
COMMENT ON COLUMN event_kind.change IS 'What a copy does: fetch it again, or drop it';
COMMENT ON COLUMN event_kind.shared IS
    'An organisation that did not do it learns of it only while the carer consents to share_between_services';
COMMENT ON COLUMN event_kind.roles IS 'Who may learn of it at all';

CREATE TABLE event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    era integer NOT NULL DEFAULT 0,
    txid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
    recorded_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
    council text NOT NULL,
    carer_id uuid NOT NULL,
    kind text NOT NULL REFERENCES event_kind,
    resource_id uuid NOT NULL,
    version bigint,
    state text,
    summary text NOT NULL CHECK (length(summary) BETWEEN 1 AND 300),
    about_organisation uuid,
    actor text NOT NULL DEFAULT app_subject(),
    role text NOT NULL DEFAULT app_role(),
    organisation_id uuid DEFAULT app_org(),
    request text NOT NULL DEFAULT coalesce(current_setting('app.request', true), '')
);
COMMENT ON TABLE event IS 'What happened, in the transaction in which it happened. Append-only, written by note_event() alone';
COMMENT ON COLUMN event.txid IS
    'The transaction: rows are handed out in order of (era, txid, id), once no transaction at or before theirs can still '
    'commit';
COMMENT ON COLUMN event.era IS 'Goes up when the database comes to a cluster whose transaction ids begin lower';
COMMENT ON COLUMN event.at IS 'When it happened; recorded_at: when this service learnt of it';
COMMENT ON COLUMN event.summary IS 'A sentence without personal data';
COMMENT ON COLUMN event.about_organisation IS 'Only this organisation, the actor''s, the council and the carer learn of it';
COMMENT ON COLUMN event.organisation_id IS 'Of the actor; NULL for council staff and the carer';
CREATE INDEX event_by_carer ON event (carer_id, at DESC, id DESC);
CREATE INDEX event_by_carer_order ON event (carer_id, era, txid, id);
CREATE INDEX event_by_council ON event (council, era, txid, id);

CREATE TABLE event_organisation (
    organisation_id uuid NOT NULL,
    era integer NOT NULL,
    txid bigint NOT NULL,
    id bigint NOT NULL,
    carer_id uuid NOT NULL,
    gone boolean NOT NULL DEFAULT false,
    PRIMARY KEY (organisation_id, era, txid, id)
);
COMMENT ON TABLE event_organisation IS
    'Which organisations had access when it happened: the feed of an organisation with ten carers must not walk over the '
    'events of all others';
COMMENT ON COLUMN event_organisation.gone IS 'With this event its access ended: the carer is to be dropped from its copies';

ALTER TABLE event ENABLE ROW LEVEL SECURITY;
ALTER TABLE event_organisation ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON event_kind, event TO carers_council, carers_partner, carers_self;
GRANT SELECT ON event_organisation TO carers_partner;

CREATE POLICY event_council ON event FOR SELECT TO carers_council USING (council = ANY (app_councils()));
CREATE POLICY event_self ON event FOR SELECT TO carers_self
    USING (carer_id = app_carer()
           AND EXISTS (SELECT FROM event_kind k WHERE k.kind = event.kind AND app_role() = ANY (k.roles)));
CREATE POLICY event_organisation_own ON event_organisation FOR SELECT TO carers_partner
    USING (organisation_id = app_org());
-- The policy of carers_partner on event asks for consents: see 0005_consents.sql.

CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE FUNCTION note_event(of_carer uuid, of_council text, what text, resource uuid, resource_version bigint,
                           resource_state text, words text, about uuid DEFAULT NULL, happened_at timestamptz DEFAULT NULL)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    noted event;
BEGIN
    IF pg_trigger_depth() = 0 THEN
        RAISE EXCEPTION 'only a trigger notes events' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO event (at, council, carer_id, kind, resource_id, version, state, summary, about_organisation)
    VALUES (coalesce(happened_at, clock_timestamp()), of_council, of_carer, what, resource, resource_version, resource_state,
            words, about)
    RETURNING * INTO noted;
    INSERT INTO event_organisation (organisation_id, era, txid, id, carer_id, gone)
    SELECT o.organisation_id, noted.era, noted.txid, noted.id, of_carer, bool_and(o.gone)
      FROM (SELECT a.organisation_id, false AS gone
              FROM carer_access a
             WHERE a.carer_id = of_carer AND in_force(a.starts_at, a.ends_at)
             UNION ALL
            SELECT about, true WHERE about IS NOT NULL) AS o
     GROUP BY o.organisation_id;
END
$$;
COMMENT ON FUNCTION note_event(uuid, text, text, uuid, bigint, text, text, uuid, timestamptz) IS
    'For triggers: one event, handed to the organisations that have access now. `about`: the one organisation that it is '
    'about; when that has no access (any more), its copies drop the carer';
GRANT EXECUTE ON FUNCTION note_event(uuid, text, text, uuid, bigint, text, text, uuid, timestamptz)
    TO carers_council, carers_partner, carers_self;

-- Carers.
INSERT INTO event_kind (kind, resource, path) VALUES
    ('carer.created', 'carer', '/v1/carers/%1$s'),
    ('carer.updated', 'carer', '/v1/carers/%1$s'),
    ('carer.registered', 'carer', '/v1/carers/%1$s'),
    ('carer.activated', 'carer', '/v1/carers/%1$s'),
    ('carer.deactivated', 'carer', '/v1/carers/%1$s'),
    ('carer.closed', 'carer', '/v1/carers/%1$s');

CREATE FUNCTION carer_evented() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kind text := 'carer.updated';
    words text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        kind := 'carer.created';
        words := 'The carer was recorded';
    ELSIF NEW.state <> OLD.state THEN
        kind := 'carer.' || CASE NEW.state WHEN 'active' THEN 'activated' WHEN 'inactive' THEN 'deactivated'
                                           ELSE NEW.state END;
        words := format('The carer is now %s', NEW.state);
    ELSE
        SELECT 'Changed: ' || left(string_agg(replace(n.key, '_', ' '), ', ' ORDER BY n.key), 280) INTO words
          FROM jsonb_each(to_jsonb(NEW)) AS n
         WHERE n.value IS DISTINCT FROM to_jsonb(OLD) -> n.key
           AND n.key <> ALL ('{version,updated_at,family_key,postcode,source,known,allow_duplicate}');
    END IF;
    PERFORM note_event(NEW.id, NEW.council, kind, NEW.id, NEW.version, NEW.state, coalesce(words, 'Changed'));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION carer_evented() IS 'Names of fields, never their values';
CREATE TRIGGER carer_evented AFTER INSERT OR UPDATE ON carer FOR EACH ROW EXECUTE FUNCTION carer_evented();

-- Carers who are there already have been recorded.
INSERT INTO event (at, council, carer_id, kind, resource_id, version, state, summary, actor, role, organisation_id)
SELECT c.created_at, c.council, c.id, 'carer.created', c.id, c.version, c.state, 'The carer was recorded', '', '', NULL
  FROM carer c ORDER BY c.id;
INSERT INTO event_organisation (organisation_id, era, txid, id, carer_id)
SELECT DISTINCT a.organisation_id, e.era, e.txid, e.id, e.carer_id
  FROM event e JOIN carer_access a ON a.carer_id = e.carer_id AND in_force(a.starts_at, a.ends_at);
