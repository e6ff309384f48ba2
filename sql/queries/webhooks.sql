-- Webhooks and what they were told. The dispatcher's own queries stand in outbox.sql.

-- name: webhook_by_id(webhook_id)
SELECT v.body, v.version FROM webhook_view v WHERE v.id = $1::uuid;

-- In the transaction that made the secret alone.
-- name: webhook_with_secret(webhook_id)
SELECT concat(left(v.body, -1), member('secret', 'whsec_' || encode(s.secret, 'base64')), '}') AS body, v.version
  FROM webhook_view v
  JOIN webhook_secret s ON s.webhook_id = v.id
 WHERE v.id = $1::uuid;

-- Few: an owner has twenty.
-- name: webhooks_page(limit, cursor)
WITH found AS MATERIALIZED (
    SELECT f.id
      FROM (SELECT w.id FROM webhook w WHERE w.organisation_id = app_org() AND w.id < cursor_before($2)
             UNION ALL
            SELECT w.id FROM unnest(app_councils()) AS k(council) JOIN webhook w ON w.council = k.council WHERE w.id < cursor_before($2)) AS f
     ORDER BY f.id DESC
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, v.body
      FROM (SELECT f.id FROM found f ORDER BY f.id DESC LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM webhook_view v WHERE v.id = f.id OFFSET 0) AS v)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer THEN cursor_of((SELECT p.id FROM page p ORDER BY p.id LIMIT 1)) END
               AS next_cursor) AS n;

-- `body`: WebhookCreate.
-- name: webhook_insert(id, body)
INSERT INTO webhook (id, council, organisation_id, url, description, event_types)
SELECT $1::uuid,
       CASE WHEN current_user = 'carers_council'
            THEN coalesce($2::jsonb ->> 'council', CASE cardinality(app_councils()) WHEN 1 THEN (app_councils())[1] END)
            ELSE $2::jsonb ->> 'council' END,
       CASE WHEN current_user <> 'carers_council' THEN app_org() END, $2::jsonb ->> 'url', $2::jsonb ->> 'description',
       ARRAY(SELECT jsonb_array_elements_text($2::jsonb -> 'event_types'));

-- name: webhook_patch(webhook_id, patch)
UPDATE webhook w
   SET url = coalesce($2::jsonb ->> 'url', w.url),
       description = CASE WHEN $2::jsonb ? 'description' THEN $2::jsonb ->> 'description' ELSE w.description END,
       event_types = CASE WHEN $2::jsonb ? 'event_types' THEN ARRAY(SELECT jsonb_array_elements_text($2::jsonb -> 'event_types'))
                          ELSE w.event_types END
 WHERE w.id = $1::uuid;

-- name: webhook_delete(webhook_id)
DELETE FROM webhook w WHERE w.id = $1::uuid RETURNING w.id;

-- `state`: active or paused.
-- name: webhook_move(webhook_id, state)
UPDATE webhook w SET state = $2 WHERE w.id = $1::uuid;

-- name: webhook_rotate(webhook_id)
UPDATE webhook w SET secret_made_at = date_trunc('milliseconds', clock_timestamp()) WHERE w.id = $1::uuid;

-- name: webhook_ping(webhook_id)
UPDATE webhook w SET pinged_at = date_trunc('milliseconds', clock_timestamp()) WHERE w.id = $1::uuid;

-- With a state a page looks at 5,000 deliveries at most.
-- name: webhook_deliveries(webhook_id, limit, cursor, state)
WITH whose AS MATERIALIZED (
    SELECT w.id FROM webhook w WHERE w.id = $1::uuid),
bound AS MATERIALIZED (
    SELECT CASE WHEN $4::text IS NULL THEN $2::integer + 1 ELSE greatest($2::integer + 1, 5000) END AS walk),
walked AS MATERIALIZED (
    SELECT d.id, d.state FROM webhook_delivery d WHERE d.webhook_id = $1::uuid AND d.id < cursor_before($3)
     ORDER BY d.id DESC
     LIMIT (SELECT b.walk FROM bound b)),
found AS MATERIALIZED (
    SELECT w.id FROM walked w WHERE coalesce(w.state = $4, true) ORDER BY w.id DESC LIMIT $2::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, v.body
      FROM (SELECT f.id FROM found f ORDER BY f.id DESC LIMIT $2::integer) AS f
     CROSS JOIN LATERAL (SELECT d.id, webhook_delivery_body(d) AS body FROM webhook_delivery d WHERE d.id = f.id OFFSET 0) AS v)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM whose
 CROSS JOIN (SELECT CASE WHEN (SELECT count(*) FROM found) > $2::integer
                         THEN cursor_of((SELECT f.id FROM found f ORDER BY f.id DESC OFFSET $2::integer - 1 LIMIT 1))
                         WHEN (SELECT count(*) FROM walked) = (SELECT b.walk FROM bound b)
                         THEN cursor_of((SELECT w.id FROM walked w ORDER BY w.id LIMIT 1)) END AS next_cursor) AS n;

-- name: webhook_delivery_lock(webhook_id, delivery_id)
SELECT d.state FROM webhook_delivery d WHERE d.webhook_id = $1::uuid AND d.id = $2::uuid FOR NO KEY UPDATE;

-- name: webhook_delivery_replay(delivery_id)
UPDATE webhook_delivery d SET state = 'pending' WHERE d.id = $1::uuid;

-- name: webhook_delivery_by_id(delivery_id)
SELECT webhook_delivery_body(d) AS body FROM webhook_delivery d WHERE d.id = $1::uuid;

-- `body`: WebhookReplay. The ids of deliveries have their time in front.
-- name: webhook_replay(webhook_id, body)
WITH whose AS MATERIALIZED (
    SELECT w.id FROM webhook w WHERE w.id = $1::uuid),
over AS MATERIALIZED (
    SELECT d.id, d.created_at
      FROM webhook_delivery d
     WHERE d.webhook_id = $1::uuid AND d.id >= uuid7_from(($2::jsonb ->> 'since')::timestamptz)
       AND d.state <> 'pending' AND coalesce(d.state = $2::jsonb ->> 'state', true)
     ORDER BY d.id
     LIMIT 2001),
replayed AS (
    UPDATE webhook_delivery d SET state = 'pending'
     WHERE d.id = ANY (ARRAY(SELECT o.id FROM over o ORDER BY o.id LIMIT 2000)) AND d.state <> 'pending'
    RETURNING d.id)
SELECT concat('{"replayed":', (SELECT count(*) FROM replayed),
              member('next_since', (SELECT instant(o.created_at) FROM over o ORDER BY o.id OFFSET 2000)), '}') AS body
  FROM whose;

-- For the service's housekeeping.
-- name: webhook_sweep(days)
SELECT webhook_sweep($1::integer);
