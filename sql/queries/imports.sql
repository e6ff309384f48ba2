-- Import into the directory: see sql/migrations/0031_imports.sql.

-- name: import_batch(source, council, items)
SELECT import_batch($1, $2, $3::jsonb) AS body;

-- name: import_by_id(import_id)
SELECT v.body, v.version FROM import_view v WHERE v.id = $1::uuid;

-- Without a council it is the caller's first.
-- name: import_insert(id, body)
INSERT INTO directory_import (id, council, source, format, content, lines)
SELECT $1::uuid, coalesce(b.council, (app_councils())[1]), b.source, b.format, b.content,
       CASE b.format WHEN 'json' THEN 1 ELSE length(b.content) - length(replace(b.content, E'\n', '')) + (b.content NOT LIKE E'%\n')::integer END
  FROM jsonb_populate_record(NULL::directory_import, $2::jsonb) AS b;

-- Newest first, from the side of the caller's councils.
-- name: imports(limit, cursor)
WITH found AS MATERIALIZED (
    SELECT f.id
      FROM unnest(app_councils()) AS k(council)
     CROSS JOIN LATERAL (
        SELECT i.id FROM directory_import i WHERE i.council = k.council AND i.id < cursor_before($2) ORDER BY i.id DESC LIMIT $1::integer + 1) AS f
     ORDER BY f.id DESC
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, v.body
      FROM (SELECT f.id FROM found f ORDER BY f.id DESC LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM import_view v WHERE v.id = f.id OFFSET 0) AS v)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN cursor_of((SELECT f.id FROM found f ORDER BY f.id DESC OFFSET $1::integer - 1 LIMIT 1)) END AS next_cursor) AS n;

-- name: import_take()
SELECT t.id, t.source, t.format, t.content FROM import_take() AS t;

-- name: import_step(id, lines_read, items, told, lines_refused, told_of)
SELECT import_step($1::uuid, $2::integer, $3::jsonb, $4::jsonb, $5::integer, $6::integer);

-- `reason`: why it failed, or NULL.
-- name: import_end(id, reason)
SELECT import_end($1::uuid, $2);
