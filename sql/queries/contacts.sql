-- Contacts with a carer. They never change: the order of ids is the order of change as well.

-- `body`: CarerContactCreate.
-- name: contact_record(carer_id, id, body)
INSERT INTO contact (id, carer_id, at, channel, direction, reason, outcome, needs, duration_minutes, notes,
                     practitioner_notes, corrects_contact_id)
SELECT $2::uuid, $1::uuid, coalesce(b.at, date_trunc('milliseconds', now())), b.channel, b.direction, b.reason, b.outcome,
       b.needs, b.duration_minutes, b.notes, b.practitioner_notes, b.corrects_contact_id
  FROM jsonb_populate_record(NULL::contact, $3::jsonb) AS b;

-- The answer after a change, which has its own audit row.
-- name: contact_by_id(carer_id, contact_id)
SELECT v.body, v.version
  FROM contact_view v
 WHERE v.id = $2::uuid AND v.carer_id = $1::uuid;

-- name: contact_read(carer_id, contact_id)
WITH found AS MATERIALIZED (
    SELECT v.body, v.version, v.council
      FROM contact_view v
     WHERE v.id = $2::uuid AND v.carer_id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT f.council, ARRAY[$1::uuid] FROM found f)
SELECT f.body, f.version FROM found f;

-- One of two branches runs: newest first, or from updated_since on. No row when the caller does not see the carer.
-- name: contacts_of_carer(carer_id, limit, cursor, updated_since, channel, reason, outcome)
WITH whose AS MATERIALIZED (
    SELECT c.id, c.council FROM carer c WHERE c.id = $1::uuid),
found AS MATERIALIZED (
    SELECT f.id, row_number() OVER (ORDER BY f.id DESC) AS place
      FROM whose w
     CROSS JOIN LATERAL (
        SELECT c.id
          FROM contact c
         WHERE c.carer_id = w.id AND c.id < cursor_before($3)
           AND c.channel = coalesce($5, c.channel) AND c.reason = coalesce($6, c.reason)
           AND c.outcome = coalesce($7, c.outcome)
         ORDER BY c.id DESC
         LIMIT $2::integer + 1) AS f
     WHERE $4::timestamptz IS NULL
     UNION ALL
    SELECT f.id, row_number() OVER (ORDER BY f.id) AS place
      FROM whose w
     CROSS JOIN LATERAL (
        SELECT c.id
          FROM contact c
         WHERE c.carer_id = w.id AND c.id > CASE WHEN $3 IS NULL THEN '00000000-0000-0000-0000-000000000000'
                                                 ELSE cursor_before($3) END
           AND c.created_at >= $4::timestamptz
           AND c.channel = coalesce($5, c.channel) AND c.reason = coalesce($6, c.reason)
           AND c.outcome = coalesce($7, c.outcome)
         ORDER BY c.id
         LIMIT $2::integer + 1) AS f
     WHERE $4 IS NOT NULL),
page AS MATERIALIZED (
    SELECT v.body, f.place
      FROM found f
     CROSS JOIN LATERAL (SELECT v.body FROM contact_view v WHERE v.id = f.id OFFSET 0) AS v
     WHERE f.place <= $2::integer),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT w.council, ARRAY[w.id] FROM whose w)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.place) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM whose w
 CROSS JOIN (SELECT CASE WHEN count(*) > $2::integer
                         THEN cursor_of((array_agg(f.id ORDER BY f.place))[$2::integer]) END AS next_cursor
               FROM found f) AS n;
