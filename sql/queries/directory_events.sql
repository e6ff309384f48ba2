-- Events and leaflets of the directory, and champions.

-- name: directory_event_by_id(event_id)
SELECT v.body, v.version FROM directory_event_view v WHERE v.id = $1::uuid;

-- Without a council it is the caller's first, or the organisation's.
-- name: directory_event_insert(id, body)
INSERT INTO directory_event (id, council, organisation_id, service_id, title, description, starts_at, ends_at, venue, postcode, area, audience, support_areas,
                             website, capacity)
SELECT $1::uuid, coalesce(b.council, (SELECT o.council FROM organisation o WHERE o.id = app_org()), (app_councils())[1]),
       CASE WHEN app_role() = 'vcfse_editor' THEN coalesce(b.organisation_id, app_org()) ELSE b.organisation_id END, b.service_id, b.title, b.description,
       b.starts_at, b.ends_at, b.venue, postcode_of(b.postcode), b.area, coalesce(b.audience, '{}'), coalesce(b.support_areas, '{}'), b.website, b.capacity
  FROM jsonb_populate_record(NULL::directory_event, $2::jsonb) AS b;

-- name: directory_event_patch(event_id, patch)
UPDATE directory_event e
   SET (organisation_id, service_id, title, description, starts_at, ends_at, venue, postcode, area, audience, support_areas, website, capacity, attendance) = (
           SELECT b.organisation_id, b.service_id, b.title, b.description, b.starts_at, b.ends_at, b.venue, postcode_of(b.postcode), b.area,
                  coalesce(b.audience, '{}'), coalesce(b.support_areas, '{}'), b.website, b.capacity, nullif(b.attendance, '{}')
             FROM jsonb_populate_record(NULL::directory_event, merge_patch(to_jsonb(e), $2::jsonb)) AS b)
 WHERE e.id = $1::uuid;

-- name: directory_event_cancel(event_id, reason)
UPDATE directory_event e SET state = 'cancelled', state_reason = $2 WHERE e.id = $1::uuid;

-- In order of their end, so that what goes on now is first; what is over is left out unless `past` is true. With a filter a page looks at
-- 2,000 at most.
-- name: directory_events(limit, cursor, council, area, support_area, audience, past, since, until)
WITH bound AS MATERIALIZED (
    SELECT CASE WHEN num_nonnulls($3::text, $4::text, $5::text, $6::text, $9::timestamptz) = 0 THEN $1::integer + 1
                ELSE greatest($1::integer + 1, 2000) END AS walk, a.at, a.id
      FROM cursor_after($2, coalesce($8::timestamptz, CASE WHEN $7::boolean THEN '1970-01-01 00:00+00' ELSE now() END)) AS a),
walked AS MATERIALIZED (
    SELECT e.id, e.starts_at, e.ends_at, e.council, e.area, e.support_areas, e.audience
      FROM directory_event e
     WHERE (e.ends_at, e.id) > ((SELECT b.at FROM bound b), (SELECT b.id FROM bound b))
     ORDER BY e.ends_at, e.id
     LIMIT (SELECT b.walk FROM bound b)),
found AS MATERIALIZED (
    SELECT w.id, w.ends_at
      FROM walked w
     WHERE coalesce(w.starts_at < $9::timestamptz, true) AND coalesce(w.council = $3, true)
       AND coalesce(plain_words(w.area) = plain_words($4), $4 IS NULL)
       AND ($5::text IS NULL OR $5 = ANY (w.support_areas)) AND ($6::text IS NULL OR $6 = ANY (w.audience))
     ORDER BY w.ends_at, w.id
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, v.ends_at, v.body
      FROM (SELECT f.id FROM found f ORDER BY f.ends_at, f.id LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM directory_event_view v WHERE v.id = f.id OFFSET 0) AS v)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.ends_at, p.id) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN (SELECT cursor_of(f.ends_at, f.id) FROM found f ORDER BY f.ends_at, f.id OFFSET $1::integer - 1 LIMIT 1)
                    WHEN (SELECT count(*) FROM walked) = (SELECT b.walk FROM bound b)
                    THEN (SELECT cursor_of(w.ends_at, w.id) FROM walked w ORDER BY w.ends_at DESC, w.id DESC LIMIT 1) END AS next_cursor) AS n;

-- name: leaflet_by_id(leaflet_id)
SELECT v.body, v.version FROM leaflet_view v WHERE v.id = $1::uuid;

-- name: leaflet_insert(id, body)
INSERT INTO leaflet (id, council, organisation_id, service_id, title, description, link, language, support_areas, valid_until)
SELECT $1::uuid, coalesce(b.council, (SELECT o.council FROM organisation o WHERE o.id = app_org()), (app_councils())[1]),
       CASE WHEN app_role() = 'vcfse_editor' THEN coalesce(b.organisation_id, app_org()) ELSE b.organisation_id END, b.service_id, b.title, b.description,
       b.link, b.language, coalesce(b.support_areas, '{}'), b.valid_until
  FROM jsonb_populate_record(NULL::leaflet, $2::jsonb) AS b;

-- name: leaflet_patch(leaflet_id, patch)
UPDATE leaflet l
   SET (organisation_id, service_id, title, description, link, language, support_areas, valid_until) = (
           SELECT b.organisation_id, b.service_id, b.title, b.description, b.link, b.language, coalesce(b.support_areas, '{}'), b.valid_until
             FROM jsonb_populate_record(NULL::leaflet, merge_patch(to_jsonb(l), $2::jsonb)) AS b)
 WHERE l.id = $1::uuid;

-- name: leaflet_archive(leaflet_id)
UPDATE leaflet l SET state = 'archived' WHERE l.id = $1::uuid;

-- The leaflet first: it says whether the caller edits it, and it has the version. The same bytes again change nothing.
-- name: leaflet_file_put(leaflet_id, bytes)
WITH changed AS (
    UPDATE leaflet l
       SET file_size = octet_length($2::bytea), file_sha256 = encode(sha256($2::bytea), 'hex')
     WHERE l.id = $1::uuid
    RETURNING l.id)
INSERT INTO leaflet_file (leaflet_id, bytes)
SELECT c.id, $2::bytea FROM changed c
    ON CONFLICT (leaflet_id) DO UPDATE SET bytes = excluded.bytes;

-- name: leaflet_file(leaflet_id)
SELECT l.file_size AS size, l.version FROM leaflet l WHERE l.id = $1::uuid AND l.file_size IS NOT NULL;

-- In pieces, so that no one message is as large as the file. With size and version, which may have changed since leaflet_file() was asked; as text,
-- for the pieces are asked for in binary form.
-- name: leaflet_file_pieces(leaflet_id)
SELECT substring(f.bytes FROM at.place FOR 262144) AS piece, l.file_size::text AS size, l.version::text AS version
  FROM leaflet l
  JOIN leaflet_file f ON f.leaflet_id = l.id
 CROSS JOIN LATERAL generate_series(1, octet_length(f.bytes), 262144) AS at(place)
 WHERE l.id = $1::uuid AND l.file_size IS NOT NULL
 ORDER BY at.place;

-- name: leaflet_file_delete(leaflet_id)
WITH changed AS (
    UPDATE leaflet l SET file_size = NULL, file_sha256 = NULL WHERE l.id = $1::uuid AND l.file_size IS NOT NULL RETURNING l.id)
UPDATE leaflet_file f SET bytes = NULL FROM changed c WHERE f.leaflet_id = c.id RETURNING c.id;

-- Newest first; expired ones are left out unless `expired` is true. With a filter a page looks at 2,000 at most.
-- name: leaflets(limit, cursor, council, support_area, language, service_id, expired)
WITH walked AS MATERIALIZED (
    SELECT l.id, l.council, l.support_areas, l.language, l.service_id, l.valid_until
      FROM leaflet l
     WHERE l.state = 'published' AND l.id < cursor_before($2)
     ORDER BY l.id DESC
     LIMIT greatest($1::integer + 1, 2000)),
found AS MATERIALIZED (
    SELECT w.id
      FROM walked w
     WHERE coalesce(w.council = $3, true) AND ($4::text IS NULL OR $4 = ANY (w.support_areas)) AND coalesce(lower(w.language) = lower($5), $5 IS NULL)
       AND coalesce(w.service_id = $6::uuid, $6 IS NULL) AND (coalesce($7::boolean, false) OR coalesce(w.valid_until >= today(), true))
     ORDER BY w.id DESC
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, v.body
      FROM (SELECT f.id FROM found f ORDER BY f.id DESC LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM leaflet_view v WHERE v.id = f.id OFFSET 0) AS v)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN cursor_of((SELECT f.id FROM found f ORDER BY f.id DESC OFFSET $1::integer - 1 LIMIT 1))
                    WHEN (SELECT count(*) FROM walked) >= greatest($1::integer + 1, 2000)
                    THEN cursor_of((SELECT w.id FROM walked w ORDER BY w.id LIMIT 1)) END AS next_cursor) AS n;

-- name: champion_by_id(champion_id)
SELECT v.body, v.version FROM champion_view v WHERE v.id = $1::uuid;

-- name: champion_insert(id, body)
INSERT INTO champion (id, council, team, name, email, organisation_id, since, until)
SELECT $1::uuid, coalesce(b.council, (app_councils())[1]), b.team, b.name, b.email, b.organisation_id, coalesce(b.since, today()), b.until
  FROM jsonb_populate_record(NULL::champion, $2::jsonb) AS b;

-- name: champion_patch(champion_id, patch)
UPDATE champion c
   SET (team, name, email, organisation_id, since, until) = (
           SELECT b.team, b.name, b.email, b.organisation_id, b.since, b.until
             FROM jsonb_populate_record(NULL::champion, merge_patch(to_jsonb(c), $2::jsonb)) AS b)
 WHERE c.id = $1::uuid;

-- Of the caller's councils, the newest first; `active` or not. A page looks at 2,000 at most.
-- name: champions(limit, cursor, team, active)
WITH walked AS MATERIALIZED (
    SELECT f.*
      FROM unnest(app_councils()) AS k(council)
     CROSS JOIN LATERAL (
        SELECT c.id, c.team, c.since, c.until
          FROM champion c
         WHERE c.council = k.council AND c.id < cursor_before($2)
         ORDER BY c.id DESC
         LIMIT greatest($1::integer + 1, 2000)) AS f
     ORDER BY f.id DESC
     LIMIT greatest($1::integer + 1, 2000)),
found AS MATERIALIZED (
    SELECT w.id
      FROM walked w
     WHERE coalesce(lower(w.team) = lower($3), true)
       AND coalesce((w.since <= today() AND coalesce(w.until >= today(), true)) = $4::boolean, true)
     ORDER BY w.id DESC
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, v.body
      FROM (SELECT f.id FROM found f ORDER BY f.id DESC LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM champion_view v WHERE v.id = f.id OFFSET 0) AS v)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN cursor_of((SELECT f.id FROM found f ORDER BY f.id DESC OFFSET $1::integer - 1 LIMIT 1))
                    WHEN (SELECT count(*) FROM walked) >= greatest($1::integer + 1, 2000)
                    THEN cursor_of((SELECT w.id FROM walked w ORDER BY w.id LIMIT 1)) END AS next_cursor) AS n;
