-- Organisations of the directory.

-- name: listed_by_id(organisation_id)
SELECT v.body, v.version FROM listed_view v WHERE v.id = $1::uuid;

-- name: listed_insert(id, body)
SELECT organisation_insert($1::uuid, $2::jsonb);

-- name: listed_patch(organisation_id, patch)
SELECT organisation_patch($1::uuid, $2::jsonb);

-- Published ones, the newest first; for a council's editors also its drafts and what is archived. With `q` or `type` a page looks at
-- 5,000 at most.
-- name: listed_organisations(limit, cursor, council, type, q)
WITH bound AS MATERIALIZED (
    SELECT CASE WHEN num_nonnulls($3::text, $4::text, $5::text) = 0 THEN $1::integer + 1 ELSE 5000 END AS walk),
walked AS MATERIALIZED (
    SELECT u.*
      FROM ((SELECT o.id, o.council, o.type, o.name
               FROM organisation o
              WHERE o.state = 'published' AND NOT o.confidential AND o.id < cursor_before($2)
              ORDER BY o.id DESC
              LIMIT (SELECT b.walk FROM bound b))
             UNION
            (SELECT f.*
               FROM unnest(CASE WHEN app_role() IN ('directory_editor', 'council_admin') THEN app_councils() ELSE '{}' END) AS k(council)
              CROSS JOIN LATERAL (
                 SELECT o.id, o.council, o.type, o.name
                   FROM organisation o
                  WHERE o.council = k.council AND o.state IS NOT NULL AND o.id < cursor_before($2)
                  ORDER BY o.id DESC
                  LIMIT (SELECT b.walk FROM bound b)) AS f)) AS u
     ORDER BY u.id DESC
     LIMIT (SELECT b.walk FROM bound b)),
found AS MATERIALIZED (
    SELECT w.id
      FROM walked w
     WHERE coalesce(w.council = $3, true) AND coalesce(w.type = $4, true)
       AND coalesce(position(plain_words($5) IN plain_words(w.name)) > 0, true)
     ORDER BY w.id DESC
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, v.body
      FROM (SELECT f.id FROM found f ORDER BY f.id DESC LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM listed_view v WHERE v.id = f.id OFFSET 0) AS v)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN cursor_of((SELECT f.id FROM found f ORDER BY f.id DESC OFFSET $1::integer - 1 LIMIT 1))
                    WHEN (SELECT count(*) FROM walked) = (SELECT b.walk FROM bound b)
                    THEN cursor_of((SELECT w.id FROM walked w ORDER BY w.id LIMIT 1)) END AS next_cursor) AS n;
