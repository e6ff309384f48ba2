-- Access of organisations to a carer. Each row here belongs to the carer whom the path names: her rows are few.

-- name: access_of_carer(carer_id, limit, cursor, updated_since, state)
WITH whose AS MATERIALIZED (
    SELECT c.id, c.council FROM carer c WHERE c.id = $1::uuid),
found AS MATERIALIZED (
    SELECT v.id, v.updated_at, v.body,
           row_number() OVER (ORDER BY CASE WHEN $4::timestamptz IS NOT NULL THEN v.updated_at END,
                                       CASE WHEN $4 IS NOT NULL THEN v.id END, v.id DESC) AS place
      FROM carer_access_view v
     CROSS JOIN cursor_after(CASE WHEN $4::timestamptz IS NOT NULL THEN $3::text END, $4::timestamptz) AS s
     WHERE v.carer_id = $1::uuid AND v.state = coalesce($5, v.state)
       AND CASE WHEN $4::timestamptz IS NULL THEN v.id < cursor_before($3) ELSE (v.updated_at, v.id) > (s.at, s.id) END
     ORDER BY place
     LIMIT $2::integer + 1),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT w.council, ARRAY[w.id] FROM whose w),
following AS (
    SELECT CASE WHEN $4 IS NULL THEN cursor_of(f.id) ELSE cursor_of(f.updated_at, f.id) END AS next_cursor
      FROM found f
     WHERE f.place = $2::integer AND (SELECT count(*) FROM found) > $2::integer)
SELECT page_body((SELECT string_agg(f.body, ',' ORDER BY f.place) FROM found f WHERE f.place <= $2::integer), n.next_cursor)
           AS body, n.next_cursor
  FROM whose w
  LEFT JOIN following n ON true;

-- name: access_read(carer_id, access_id)
WITH found AS MATERIALIZED (
    SELECT v.body, v.version, v.council
      FROM carer_access_view v
     WHERE v.id = $2::uuid AND v.carer_id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT f.council, ARRAY[$1::uuid] FROM found f)
SELECT f.body, f.version FROM found f;

-- The answer after a change, which has its own audit row.
-- name: access_by_id(carer_id, access_id)
SELECT v.body, v.version
  FROM carer_access_view v
 WHERE v.id = $2::uuid AND v.carer_id = $1::uuid;

-- `body`: AccessGrant. A start is cut to the millisecond: rounded up, it would not be in force yet.
-- name: access_grant(carer_id, id, body)
INSERT INTO carer_access (id, carer_id, organisation_id, note, starts_at, ends_at)
SELECT $2::uuid, $1::uuid, b.organisation_id, b.note, coalesce(b.starts_at, date_trunc('milliseconds', now())), b.ends_at
  FROM jsonb_populate_record(NULL::carer_access, $3::jsonb) AS b;

-- name: access_revoke(carer_id, access_id, note)
UPDATE carer_access a
   SET ended_because = 'revoked', revoke_note = $3
 WHERE a.id = $2::uuid AND a.carer_id = $1::uuid;

-- By the service itself, under no class: answers how many events it noted, 1,000 at most.
-- name: access_sweep()
SELECT access_sweep() AS swept;
