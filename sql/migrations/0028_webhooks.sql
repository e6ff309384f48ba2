-- Webhooks: who is told of what happens, from an outbox that is written in the transaction of the change.

CREATE TABLE webhook (
    id uuid PRIMARY KEY,
    council text CHECK (council ~ '^E(06|08|09|10)[0-9]{6}$'),
    organisation_id uuid DEFAULT app_org() REFERENCES organisation,
    role text NOT NULL DEFAULT app_role(),
    url text NOT NULL CHECK (length(url) BETWEEN 10 AND 2000),
    description text CHECK (length(description) BETWEEN 1 AND 200),
    event_types text[] NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'disabled')),
    secret_made_at timestamptz(3) NOT NULL DEFAULT now(),
    pinged_at timestamptz(3),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT webhook_owner CHECK (num_nonnulls(council, organisation_id) = 1)
);
COMMENT ON TABLE webhook IS 'A URL of a council or an organisation that is told of what its owner may know. Its outward shape is webhook_view';
COMMENT ON COLUMN webhook.role IS 'Of who made it: it is told what that role may learn, and no more';
COMMENT ON COLUMN webhook.event_types IS 'event_kind.kind of what it wants to be told; empty: of everything';
COMMENT ON COLUMN webhook.state IS 'paused: by its owner, what happens meanwhile waits. disabled: it answered 410';
CREATE INDEX webhook_by_council ON webhook (council, id) WHERE council IS NOT NULL;
CREATE INDEX webhook_by_organisation ON webhook (organisation_id, id) WHERE organisation_id IS NOT NULL;

CREATE TABLE webhook_secret (
    webhook_id uuid PRIMARY KEY REFERENCES webhook ON DELETE CASCADE,
    secret bytea NOT NULL DEFAULT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
    previous bytea,
    previous_until timestamptz(3),
    made_in bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint
);
COMMENT ON TABLE webhook_secret IS 'What messages are signed with';
COMMENT ON COLUMN webhook_secret.secret IS 'SHA-256 over 366 random bits';
COMMENT ON COLUMN webhook_secret.made_in IS 'The transaction that made it, in which alone its owner reads it: it is shown once';
COMMENT ON COLUMN webhook_secret.previous IS 'Signs besides, until then: a receiver has a day to take on the new one';

CREATE TABLE webhook_delivery (
    id uuid PRIMARY KEY DEFAULT uuid7(clock_timestamp()),
    number bigint GENERATED ALWAYS AS IDENTITY,
    webhook_id uuid NOT NULL REFERENCES webhook ON DELETE CASCADE,
    message_id uuid NOT NULL,
    queue uuid NOT NULL,
    kind text NOT NULL,
    body text NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    due_at timestamptz(3) NOT NULL DEFAULT 'infinity',
    claimed boolean NOT NULL DEFAULT false,
    attempts integer NOT NULL DEFAULT 0,
    attempts_before integer NOT NULL DEFAULT 0,
    began_at timestamptz(3),
    created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz(3),
    CONSTRAINT webhook_delivery_ended CHECK ((state = 'pending') = (ended_at IS NULL))
);
COMMENT ON TABLE webhook_delivery IS 'The outbox: one message for one webhook, written in the transaction of what it tells of';
COMMENT ON COLUMN webhook_delivery.number IS 'Order of writing; who writes for one queue holds its lock, so within it the order of commit too';
COMMENT ON COLUMN webhook_delivery.message_id IS 'The same for every webhook that is told, and at every attempt: what a receiver knows a repeat by';
COMMENT ON COLUMN webhook_delivery.queue IS 'The resource that it is about: messages of one queue are delivered one after the other';
COMMENT ON COLUMN webhook_delivery.body IS 'A CloudEvent, as it is sent and signed: ids, states and words of ours';
COMMENT ON COLUMN webhook_delivery.due_at IS 'infinity: another of its queue comes before it. Of a claimed one: until when it is the claimer''s';
COMMENT ON COLUMN webhook_delivery.attempts_before IS 'Those before it was replayed: pauses begin anew';
COMMENT ON COLUMN webhook_delivery.began_at IS 'First attempt since it was queued, from which the time is counted after which it is given up';
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, due_at, number) WHERE ended_at IS NULL;
CREATE INDEX webhook_delivery_claimed ON webhook_delivery (webhook_id) WHERE ended_at IS NULL AND claimed;
CREATE INDEX webhook_delivery_queue ON webhook_delivery (webhook_id, queue, number) WHERE ended_at IS NULL;
CREATE INDEX webhook_delivery_list ON webhook_delivery (webhook_id, id DESC) INCLUDE (state);
CREATE INDEX webhook_delivery_created ON webhook_delivery (created_at);

CREATE TABLE webhook_attempt (
    delivery_id uuid NOT NULL REFERENCES webhook_delivery ON DELETE CASCADE,
    number integer NOT NULL,
    at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
    took_ms integer NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('delivered', 'status', 'redirected', 'gone', 'unresolved', 'forbidden_address',
                                             'refused', 'tls', 'timed_out', 'broken', 'interrupted')),
    status integer,
    PRIMARY KEY (delivery_id, number)
);
COMMENT ON TABLE webhook_attempt IS 'What came of each attempt at a delivery; nothing of what the receiver answered but its status';

-- Owners.
ALTER TABLE webhook ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_delivery ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_attempt ENABLE ROW LEVEL SECURITY;
GRANT SELECT, DELETE, INSERT (id, council, organisation_id, url, description, event_types), UPDATE (url, description, event_types, state, secret_made_at, pinged_at)
    ON webhook TO carers_council, carers_partner, carers_desk;
GRANT SELECT ON event_kind TO carers_desk;
GRANT SELECT ON webhook_secret TO carers_council, carers_partner, carers_desk;
GRANT SELECT, UPDATE (state) ON webhook_delivery TO carers_council, carers_partner, carers_desk;
GRANT SELECT ON webhook_attempt TO carers_council, carers_partner, carers_desk;
CREATE POLICY webhook_council ON webhook TO carers_council USING (council = ANY (app_councils()) AND app_role() = 'council_admin');
CREATE POLICY webhook_organisation ON webhook TO carers_partner, carers_desk
    USING (organisation_id = app_org() AND role = app_role());
CREATE POLICY webhook_secret_once ON webhook_secret FOR SELECT TO carers_council, carers_partner, carers_desk
    USING (made_in = pg_current_xact_id()::text::bigint AND EXISTS (SELECT FROM webhook w WHERE w.id = webhook_secret.webhook_id OFFSET 0));
CREATE POLICY webhook_delivery_owner ON webhook_delivery TO carers_council, carers_partner, carers_desk
    USING (EXISTS (SELECT FROM webhook w WHERE w.id = webhook_delivery.webhook_id OFFSET 0));
CREATE POLICY webhook_attempt_owner ON webhook_attempt FOR SELECT TO carers_council, carers_partner, carers_desk
    USING (EXISTS (SELECT FROM webhook_delivery d WHERE d.id = webhook_attempt.delivery_id OFFSET 0));

CREATE FUNCTION webhook_made() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unknown bigint;
    wrong text := CASE WHEN NEW.organisation_id IS NOT NULL AND NEW.council IS NOT NULL THEN 'is not for organisations, whose webhooks are theirs'
                       WHEN NEW.organisation_id IS NULL AND NEW.council IS NULL THEN 'is needed: your token names several councils'
                       WHEN NEW.council IS NOT NULL AND NEW.council <> ALL (app_councils()) THEN 'is not one of your councils' END;
BEGIN
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION '%', wrong USING ERRCODE = 'CA42V', HINT = '/council';
    END IF;
    SELECT t.place - 1 INTO unknown
      FROM unnest(NEW.event_types) WITH ORDINALITY AS t(kind, place)
     WHERE NOT EXISTS (SELECT FROM event_kind k WHERE k.kind = t.kind AND NEW.role = ANY (k.roles))
     ORDER BY t.place LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'is no event that this role is told of' USING ERRCODE = 'CA42V', HINT = '/event_types/' || unknown;
    ELSIF TG_OP = 'INSERT' THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('webhooks ' || coalesce(NEW.council, NEW.organisation_id::text), 0));
        IF (SELECT count(*) FROM webhook w WHERE w.council = NEW.council OR w.organisation_id = NEW.organisation_id) >= 20 THEN
            RAISE EXCEPTION 'twenty webhooks are there: delete one first' USING ERRCODE = 'CA40X';
        END IF;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION webhook_made() IS 'What it wants to be told of exists; an owner has twenty at most';

CREATE FUNCTION webhook_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (('active', 'paused'), ('paused', 'active'), ('disabled', 'active'),
                                      ('active', 'disabled'), ('paused', 'disabled')) THEN
        RAISE EXCEPTION 'the webhook is % already', OLD.state USING ERRCODE = 'CA409', DETAIL = jsonb_build_object('state', OLD.state);
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION webhook_moved() IS 'active <-> paused; disabled, from which the owner brings it back';

CREATE FUNCTION webhook_secret_made() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO webhook_secret AS s (webhook_id) VALUES (NEW.id)
        ON CONFLICT (webhook_id) DO UPDATE
        SET secret = excluded.secret, previous = s.secret, previous_until = now() + interval '1 day', made_in = excluded.made_in;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION webhook_secret_made() IS 'A new secret; the one before it signs besides for a day';

CREATE TRIGGER webhook_a_made BEFORE INSERT OR UPDATE OF event_types ON webhook FOR EACH ROW EXECUTE FUNCTION webhook_made();
CREATE TRIGGER webhook_b_moved BEFORE UPDATE OF state ON webhook FOR EACH ROW EXECUTE FUNCTION webhook_moved();
CREATE TRIGGER webhook_z_versioned BEFORE UPDATE ON webhook FOR EACH ROW EXECUTE FUNCTION versioned();
CREATE TRIGGER webhook_audited AFTER INSERT OR UPDATE OR DELETE ON webhook FOR EACH ROW EXECUTE FUNCTION configured();
CREATE TRIGGER webhook_secret_made AFTER INSERT OR UPDATE OF secret_made_at ON webhook FOR EACH ROW EXECUTE FUNCTION webhook_secret_made();

-- What happens becomes messages.

ALTER TABLE event_kind ADD COLUMN told_by_parties boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN event_kind.told_by_parties IS
    'Its family tells webhooks itself, because it knows who has a part in it; of all others note_event() tells who has access';
UPDATE event_kind SET told_by_parties = true, roles = roles || '{referrer,vcfse_editor}' WHERE resource = 'referral';
INSERT INTO event_kind (kind, resource, path, in_timeline, roles)
VALUES ('webhook.ping', 'webhook', '/v1/webhooks/%2$s', false,
        '{council_admin,assessor,support_worker,hospital_in_reach,break_provider,referrer,vcfse_editor}');

CREATE FUNCTION webhook_tell(hooks uuid[], what text, resource uuid, happened_at timestamptz, href text, data jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    message uuid := uuid7(clock_timestamp());
    body text := jsonb_build_object('specversion', '1.0', 'id', message, 'source', '/v1', 'type', what, 'subject', href,
                                    'time', instant(happened_at), 'datacontenttype', 'application/json', 'data', data);
    hook uuid;
BEGIN
    IF pg_trigger_depth() = 0 THEN
        RAISE EXCEPTION 'only a trigger tells webhooks' USING ERRCODE = 'insufficient_privilege';
    END IF;
    FOREACH hook IN ARRAY coalesce(hooks, '{}') LOOP
        PERFORM webhook_queue_lock(hook, resource);
        INSERT INTO webhook_delivery (webhook_id, message_id, queue, kind, body, due_at)
        SELECT hook, message, resource, what, body,
               CASE WHEN EXISTS (SELECT FROM webhook_delivery d WHERE d.webhook_id = hook AND d.queue = resource AND d.ended_at IS NULL)
                    THEN 'infinity' ELSE date_trunc('milliseconds', clock_timestamp()) END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION webhook_tell(uuid[], text, uuid, timestamptz, text, jsonb) IS
    'For triggers: one message to each of these webhooks, behind what they have not been told yet of the same resource';

CREATE FUNCTION webhook_queue_lock(hook uuid, resource uuid) RETURNS void LANGUAGE sql
BEGIN ATOMIC
    SELECT pg_advisory_xact_lock(hashtextextended('webhook ' || hook || ' ' || resource, 0));
END;
COMMENT ON FUNCTION webhook_queue_lock(uuid, uuid) IS
    'Who adds to a queue waits for who takes from it, and the other way round: a message behind another is never forgotten';

CREATE FUNCTION webhook_release(hook uuid, resource uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE webhook_delivery d SET due_at = date_trunc('milliseconds', clock_timestamp()) -- rounded up it would not be due yet
     WHERE d.due_at = 'infinity'
       AND d.id = (SELECT n.id FROM webhook_delivery n WHERE n.webhook_id = hook AND n.queue = resource AND n.ended_at IS NULL
                    ORDER BY n.number LIMIT 1);
END
$$;
COMMENT ON FUNCTION webhook_release(uuid, uuid) IS 'The first of the queue is due; the caller holds the queue''s lock';

-- Carers' records: whoever has access, as the feed of changes has it.
CREATE OR REPLACE FUNCTION note_event(of_carer uuid, of_council text, what text, resource uuid, resource_version bigint,
                                      resource_state text, words text, about uuid DEFAULT NULL,
                                      happened_at timestamptz DEFAULT NULL)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    told uuid[];
    hooks uuid[];
    described event_kind;
    at timestamptz := coalesce(happened_at, clock_timestamp());
BEGIN
    IF pg_trigger_depth() = 0 THEN
        RAISE EXCEPTION 'only a trigger notes events' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF about IS NULL THEN
        PERFORM pg_advisory_xact_lock_shared(hashtextextended('events ' || of_carer, 0));
    ELSE
        PERFORM pg_advisory_xact_lock(hashtextextended('events ' || of_carer, 0));
    END IF;
    -- Not in_force(), which goes by the beginning of the transaction: what ended while it waited has ended.
    WITH noted AS (
        INSERT INTO event (era, at, council, carer_id, kind, resource_id, version, state, summary, about_organisation)
        SELECT e.era, at, of_council, of_carer, what, resource, resource_version, resource_state, words, about
          FROM event_era e
        RETURNING era, txid, id, event.at),
    handed AS (
        INSERT INTO event_organisation (organisation_id, era, txid, id, carer_id, at, gone)
        SELECT a.organisation_id, n.era, n.txid, n.id, of_carer, n.at, bool_and(coalesce(a.ends_at <= clock_timestamp(), false))
          FROM noted n
         CROSS JOIN carer_access a
         WHERE a.carer_id = of_carer AND a.starts_at <= clock_timestamp()
           AND (about IS NULL OR a.organisation_id IN (about, app_org()))
           AND (a.ends_at IS NULL OR a.ends_at > clock_timestamp()
                OR about IS NOT NULL AND a.organisation_id = about AND a.ends_at >= a.starts_at)
         GROUP BY a.organisation_id, n.era, n.txid, n.id, n.at
        RETURNING organisation_id, gone)
    -- Who has no access any more is told that alone: the rest the feed hides from it, too.
    SELECT array_agg(h.organisation_id) FILTER (WHERE NOT h.gone OR what = 'access.ended') INTO told FROM handed h;
    SELECT array_agg(w.id ORDER BY w.id) INTO hooks
      FROM webhook w
      JOIN event_kind k ON k.kind = what AND NOT k.told_by_parties AND w.role = ANY (k.roles)
     WHERE (w.council = of_council OR w.organisation_id = ANY (told)) AND w.state <> 'disabled'
       AND (w.event_types = '{}' OR what = ANY (w.event_types))
       AND (NOT k.shared OR w.council IS NOT NULL OR w.organisation_id = app_org()
            -- As a breaks provider asks it, consented() is false: consents are not for it (consent_partner). Here the owner asks.
            OR w.role <> 'break_provider' AND consented(of_carer, 'share_between_services'));
    IF hooks IS NOT NULL THEN
        SELECT * INTO described FROM event_kind k WHERE k.kind = what;
        PERFORM webhook_tell(hooks, what, resource, at, format(described.path, of_carer, resource), jsonb_strip_nulls(jsonb_build_object(
            'council', of_council, 'change', described.change, 'version', resource_version, 'state', resource_state,
            'resource', jsonb_build_object('type', described.resource, 'id', resource, 'carer_id', of_carer))));
    END IF;
END
$$;

-- Referrals: both sides and the council. Whom it is about stands in the referral, for whom that may be told.
CREATE FUNCTION referral_told() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    what text := referral_event(NEW.action);
    hooks uuid[];
BEGIN
    SELECT array_agg(w.id ORDER BY w.id) INTO hooks
      FROM webhook w
     WHERE (w.council = NEW.council OR w.organisation_id = NEW.from_organisation_id AND w.role <> 'vcfse_editor'
                                    OR w.organisation_id = NEW.to_organisation_id AND w.role <> 'referrer')
       AND w.state <> 'disabled' AND (w.event_types = '{}' OR what = ANY (w.event_types));
    PERFORM webhook_tell(hooks, what, NEW.id, clock_timestamp(), '/v1/referrals/' || NEW.id, jsonb_strip_nulls(jsonb_build_object(
        'council', NEW.council, 'change', 'upsert', 'version', NEW.version, 'state', NEW.state, 'previous_state', nullif(OLD.state, NEW.state),
        'resource', jsonb_build_object('type', 'referral', 'id', NEW.id), 'kind', NEW.kind, 'priority', NEW.priority,
        'from', jsonb_build_object('side', NEW.from_side, 'organisation_id', NEW.from_organisation_id),
        'to', jsonb_build_object('organisation_id', NEW.to_organisation_id, 'service_id', NEW.to_service_id, 'team', NEW.to_team),
        'correlation_id', NEW.correlation_id)));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION referral_told() IS 'Each change of a referral that has been submitted, to the webhooks of its parties';
CREATE TRIGGER referral_told AFTER UPDATE ON referral
    FOR EACH ROW WHEN (NEW.submitted_at IS NOT NULL
                       AND (NEW.moves > OLD.moves OR NEW.action = 'update' AND NEW.version > OLD.version))
    EXECUTE FUNCTION referral_told();

CREATE FUNCTION webhook_pinged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM webhook_tell(ARRAY[NEW.id], 'webhook.ping', NEW.id, NEW.pinged_at, '/v1/webhooks/' || NEW.id,
                         jsonb_build_object('resource', jsonb_build_object('type', 'webhook', 'id', NEW.id)));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION webhook_pinged() IS 'A message by which an owner sees that it arrives; whatever event_types say';
CREATE TRIGGER webhook_pinged AFTER UPDATE OF pinged_at ON webhook FOR EACH ROW EXECUTE FUNCTION webhook_pinged();

-- The dispatcher: as the service itself, of no class.

CREATE FUNCTION webhook_claim(at_once integer, of_each integer, lease_ms integer)
RETURNS TABLE (delivery_id uuid, attempt integer, round integer, url text, message_id uuid, body text, secret text, previous text)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH due AS MATERIALIZED (
        SELECT f.id
          FROM webhook w
         CROSS JOIN LATERAL (
            SELECT d.id
              FROM webhook_delivery d
             WHERE d.webhook_id = w.id AND d.ended_at IS NULL AND d.due_at <= now() -- a bound of the index, which clock_timestamp() is not
             ORDER BY d.due_at, d.number
             LIMIT greatest(0, of_each - (SELECT count(*) FROM webhook_delivery b
                                           WHERE b.webhook_id = w.id AND b.ended_at IS NULL AND b.claimed AND b.due_at > now()))
               FOR NO KEY UPDATE SKIP LOCKED) AS f
         WHERE w.state = 'active'
         LIMIT at_once)
    UPDATE webhook_delivery d
       SET claimed = true, attempts = d.attempts + 1, began_at = coalesce(d.began_at, clock_timestamp()),
           due_at = clock_timestamp() + lease_ms * interval '1 millisecond'
      FROM due
      JOIN webhook_delivery o ON o.id = due.id
      JOIN webhook w ON w.id = o.webhook_id
      JOIN webhook_secret s ON s.webhook_id = o.webhook_id
     WHERE d.id = due.id
    RETURNING d.id, d.attempts, d.attempts - d.attempts_before, w.url, d.message_id, d.body, encode(s.secret, 'hex'),
              CASE WHEN s.previous_until > now() THEN encode(s.previous, 'hex') END
$$;
COMMENT ON FUNCTION webhook_claim(integer, integer, integer) IS
    'Takes what is due for so many milliseconds, at most `of_each` of one webhook at once: one that hangs has its own few places and no '
    'other''s. Who dies with it loses it to the next when the time is over';

CREATE FUNCTION webhook_finish(which uuid, attempt integer, result text, answered integer, took integer, retry_ms bigint, give_up_s integer)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    d webhook_delivery;
    again timestamptz := clock_timestamp() + retry_ms * interval '1 millisecond';
BEGIN
    INSERT INTO webhook_attempt (delivery_id, number, took_ms, outcome, status)
    SELECT w.id, attempt, took, result, answered FROM webhook_delivery w WHERE w.id = which
        ON CONFLICT DO NOTHING;
    SELECT * INTO d FROM webhook_delivery w WHERE w.id = which AND w.attempts = attempt AND w.ended_at IS NULL;
    IF NOT FOUND THEN
        RETURN; -- deleted meanwhile, or taken by another after the lease
    ELSIF result = 'gone' THEN
        UPDATE webhook w SET state = 'disabled' WHERE w.id = d.webhook_id AND w.state <> 'disabled';
    END IF;
    IF result <> 'delivered' AND (result IN ('gone', 'interrupted') OR again < d.began_at + give_up_s * interval '1 second') THEN
        UPDATE webhook_delivery w SET claimed = false, due_at = again WHERE w.id = which;
        RETURN;
    END IF;
    PERFORM webhook_queue_lock(d.webhook_id, d.queue);
    UPDATE webhook_delivery w
       SET claimed = false, state = CASE result WHEN 'delivered' THEN 'delivered' ELSE 'failed' END, ended_at = clock_timestamp()
     WHERE w.id = which;
    PERFORM webhook_release(d.webhook_id, d.queue);
END
$$;
COMMENT ON FUNCTION webhook_finish(uuid, integer, text, integer, integer, bigint, integer) IS
    'What came of an attempt: it is over and the next of its queue is due, or it is tried again';

-- Replay: the owner makes what is over pending again.
CREATE FUNCTION webhook_reopened() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.ended_at := NULL;
    NEW.began_at := NULL;
    NEW.attempts_before := OLD.attempts;
    NEW.due_at := 'infinity';
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION webhook_reopened() IS 'Its attempts stay, and those to come count on';

CREATE FUNCTION webhook_requeued() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM webhook_queue_lock(NEW.webhook_id, NEW.queue);
    UPDATE webhook_delivery d
       SET due_at = 'infinity'
     WHERE d.webhook_id = NEW.webhook_id AND d.queue = NEW.queue AND d.ended_at IS NULL AND NOT d.claimed AND d.due_at <> 'infinity';
    PERFORM webhook_release(NEW.webhook_id, NEW.queue);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION webhook_requeued() IS 'Of a queue the oldest goes first, replayed or not';
CREATE TRIGGER webhook_reopened BEFORE UPDATE ON webhook_delivery
    FOR EACH ROW WHEN (NEW.state = 'pending' AND OLD.state <> 'pending') EXECUTE FUNCTION webhook_reopened();
CREATE TRIGGER webhook_requeued AFTER UPDATE ON webhook_delivery
    FOR EACH ROW WHEN (NEW.state = 'pending' AND OLD.state <> 'pending') EXECUTE FUNCTION webhook_requeued();

CREATE FUNCTION uuid7_from(at timestamptz) RETURNS uuid LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN regexp_replace(lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0'), '^.{8}', '\&-') || '-7000-8000-000000000000';
END
$$;
COMMENT ON FUNCTION uuid7_from(timestamptz) IS 'The least that uuid7() makes at that time';
GRANT EXECUTE ON FUNCTION uuid7_from(timestamptz) TO carers_caller;

CREATE FUNCTION webhook_resumed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE webhook_delivery d SET due_at = now() WHERE d.webhook_id = NEW.id AND d.ended_at IS NULL AND NOT d.claimed AND d.due_at < 'infinity';
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION webhook_resumed() IS 'Who resumes has mended the receiver: what waits for its next attempt is due now';
CREATE TRIGGER webhook_resumed AFTER UPDATE OF state ON webhook FOR EACH ROW WHEN (NEW.state = 'active') EXECUTE FUNCTION webhook_resumed();

CREATE FUNCTION webhook_sweep(days integer) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH swept AS (
        DELETE FROM webhook_delivery d
         WHERE d.id = ANY (ARRAY(SELECT o.id FROM webhook_delivery o WHERE o.created_at < now() - greatest(days, 1) * interval '1 day'
                                  ORDER BY o.created_at LIMIT 2000))
        RETURNING 1)
    SELECT count(*) FROM swept
$$;
COMMENT ON FUNCTION webhook_sweep(integer) IS
    'Forgets up to 2,000 deliveries that are older than so many days, told or not, and says how many; for the service''s housekeeping';
GRANT EXECUTE ON FUNCTION webhook_claim(integer, integer, integer), webhook_sweep(integer),
    webhook_finish(uuid, integer, text, integer, integer, bigint, integer) TO carers_service;
GRANT EXECUTE ON FUNCTION webhook_tell(uuid[], text, uuid, timestamptz, text, jsonb) TO carers_council, carers_partner, carers_desk;

CREATE VIEW webhook_view WITH (security_invoker = true) AS
SELECT w.id, w.council, w.version, w.state, concat(
           '{"id":"', w.id, '"',
           member('council', w.council),
           member('organisation_id', w.organisation_id::text),
           member('url', w.url),
           member('description', w.description),
           ',"event_types":', to_json(w.event_types),
           member('state', w.state),
           ',"available_actions":', CASE w.state WHEN 'active' THEN '["update","ping","rotate_secret","pause","replay","delete"]'
                                                ELSE '["update","rotate_secret","resume","replay","delete"]' END,
           member('secret_made_at', instant(w.secret_made_at)),
           member('created_at', instant(w.created_at)),
           member('updated_at', instant(w.updated_at)), '}') AS body
  FROM webhook w;
COMMENT ON VIEW webhook_view IS 'What its owner sees of a webhook: body, version (the ETag)';
GRANT SELECT ON webhook_view TO carers_council, carers_partner, carers_desk;

CREATE FUNCTION webhook_delivery_body(d webhook_delivery) RETURNS text LANGUAGE sql STABLE
    RETURN concat('{"id":"', d.id, '"', member('message_id', d.message_id::text), member('type', d.kind), member('state', d.state),
                  member('created_at', instant(d.created_at)), member('ended_at', instant(d.ended_at)),
                  CASE WHEN d.state = 'pending' AND NOT d.claimed AND d.due_at <> 'infinity' THEN member('next_attempt_at', instant(d.due_at)) END,
                  CASE WHEN d.due_at = 'infinity' THEN member('waits_for_earlier', true) END,
                  ',"event":', d.body,
                  ',"attempts":[', (SELECT string_agg(concat('{"number":', a.number, member('at', instant(a.at)), ',"took_ms":', a.took_ms,
                                                             member('outcome', a.outcome), ',"status":' || a.status, '}'), ',' ORDER BY a.number)
                                      FROM webhook_attempt a WHERE a.delivery_id = d.id), ']}');
COMMENT ON FUNCTION webhook_delivery_body(webhook_delivery) IS 'What its owner sees of a delivery';
GRANT EXECUTE ON FUNCTION webhook_delivery_body(webhook_delivery) TO carers_council, carers_partner, carers_desk;
