-- Open Referral UK (rule D4): see sql/migrations/0030_oruk.sql. The ETag is of the bytes: a document hangs on more rows than one.

-- name: oruk_page(kind, page, per_page, filters)
SELECT b.body, left(md5(b.body), 24) AS version FROM (SELECT oruk_page($1, $2::bigint, $3::bigint, $4::jsonb) AS body OFFSET 0) AS b;

-- name: oruk_item(kind, id)
SELECT b.body, left(md5(b.body), 24) AS version FROM (SELECT oruk_item($1, $2::uuid)::text AS body OFFSET 0) AS b WHERE b.body IS NOT NULL;

-- The whole feed of services, in its order, in pages that make one file: as documents, one a line.
-- name: directory_ndjson(limit, after)
WITH page AS MATERIALIZED (
    SELECT e.place, d.line
      FROM (SELECT e.place, e.id FROM oruk_entry e WHERE e.kind = 'service' AND e.place > coalesce($2::bigint, 0) ORDER BY e.place LIMIT $1::integer) AS e
      LEFT JOIN LATERAL (SELECT oruk_service(s)::text AS line FROM service s
                          WHERE s.id = e.id AND s.state = 'published' AND NOT s.confidential OFFSET 0) AS d ON true)
SELECT coalesce(string_agg(p.line || E'\n', '' ORDER BY p.place), '') AS body, CASE WHEN count(*) = $1::integer THEN max(p.place) END AS next_after
  FROM page p;

-- The same as our CSV; the first page begins with the names of the columns.
-- name: directory_csv(limit, after)
WITH page AS MATERIALIZED (
    SELECT e.place, d.line
      FROM (SELECT e.place, e.id FROM oruk_entry e WHERE e.kind = 'service' AND e.place > coalesce($2::bigint, 0) ORDER BY e.place LIMIT $1::integer) AS e
      LEFT JOIN LATERAL (SELECT export_row(s, o) AS line FROM service s JOIN organisation o ON o.id = s.organisation_id
                          WHERE s.id = e.id AND s.state = 'published' AND NOT s.confidential OFFSET 0) AS d ON true)
SELECT CASE WHEN $2::bigint IS NULL THEN export_columns() || E'\n' ELSE '' END || coalesce(string_agg(p.line || E'\n', '' ORDER BY p.place), '') AS body,
       CASE WHEN count(*) = $1::integer THEN max(p.place) END AS next_after
  FROM page p;
