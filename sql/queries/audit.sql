-- The audit trail. Reading it is a reading of records too, and leaves its rows: a page shows what was changed.

-- For administrators, newest first: `body` is the page, `next_cursor` NULL on the last one. Filters that no index knows look at
-- some 5,000 entries a page at most, and a page may hold less than the limit although more follow.
-- name: audit_list(limit, cursor, carer_id, actor, action, organisation_id, kind, from, to)
WITH bound AS MATERIALIZED (
    SELECT b.at, b.id,
           CASE WHEN num_nonnulls($5::text, $6::uuid, $7::text) = 0 AND num_nonnulls($3::uuid, $4::text) < 2
                THEN $1::integer + 1
                ELSE greatest($1::integer + 1, 5000 / greatest(cardinality(app_councils()), 1)) END AS walk
      FROM audit_before($2, $9::timestamptz) AS b),
walked AS MATERIALIZED (
    SELECT w AS entry, w.at, w.id
      FROM bound b
     CROSS JOIN LATERAL audit_walk($3, $4, coalesce($8::timestamptz, '-infinity'), b.at, b.id, b.walk) AS w),
found AS MATERIALIZED (
    SELECT w.*
      FROM walked w
     WHERE (w.entry).actor = coalesce($4, (w.entry).actor) AND (w.entry).action = coalesce($5, (w.entry).action)
       AND coalesce((w.entry).organisation_id = $6, $6 IS NULL)
       AND coalesce(((w.entry).subject_table IS NULL) = ($7 = 'read'), true)
     ORDER BY w.at DESC, w.id DESC
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT f.*, (f.entry).council FROM found f ORDER BY f.at DESC, f.id DESC LIMIT $1::integer),
noted AS (
    INSERT INTO audit_entry (council, carer_ids)
    SELECT coalesce(p.council, (app_councils())[1]), array_remove(array_agg(DISTINCT s.carer_id), NULL)
      FROM (VALUES (1)) AS always
      LEFT JOIN page p ON true
      LEFT JOIN LATERAL unnest(CASE WHEN (p.entry).subject_table IS NOT NULL THEN (p.entry).carer_ids END || $3)
                AS s(carer_id) ON true
     GROUP BY p.council)
SELECT page_body((SELECT string_agg(audit_body(p.entry), ',' ORDER BY p.at DESC, p.id DESC) FROM page p), n.next_cursor)
           AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN (SELECT audit_cursor(p.at, p.id) FROM page p ORDER BY p.at, p.id LIMIT 1)
                    WHEN (SELECT count(*) FROM walked) = (SELECT b.walk FROM bound b)
                    THEN (SELECT audit_cursor(w.at, w.id) FROM walked w ORDER BY w.at, w.id LIMIT 1)
               END AS next_cursor) AS n;

-- By the service itself, under no class: answers how many months it made.
-- name: audit_prepare(months)
SELECT audit_prepare($1::integer) AS made;
