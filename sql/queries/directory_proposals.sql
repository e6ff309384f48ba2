-- What listed organisations want changed, and the links by which they say so without an account. Rule D3.

-- name: proposal_by_id(proposal_id)
SELECT v.body, v.version FROM proposal_view v WHERE v.id = $1::uuid;

-- `hours`: of the schedule that the patch brings, or NULL.
-- name: proposal_of_service(id, service_id, patch, hours)
SELECT proposal_insert($1::uuid, $2::uuid, NULL, $3::jsonb, $4::jsonb);

-- name: proposal_of_organisation(id, organisation_id, patch)
SELECT proposal_insert($1::uuid, NULL, $2::uuid, $3::jsonb, NULL);

-- name: proposal_decide(proposal_id, decision, reason)
SELECT proposal_decide($1::uuid, $2, $3);

-- Newest first, from the council's side or the organisation's.
-- name: proposals(limit, cursor, state, service_id)
WITH bound AS MATERIALIZED (
    SELECT CASE WHEN num_nonnulls($3::text, $4::uuid) = 0 THEN $1::integer + 1 ELSE greatest($1::integer + 1, 2000) END AS walk),
walked AS MATERIALIZED (
    SELECT u.*
      FROM ((SELECT f.*
               FROM unnest(CASE WHEN app_role() <> 'vcfse_editor' THEN app_councils() ELSE '{}' END) AS k(council)
              CROSS JOIN LATERAL (
                 SELECT p.id, p.state, p.service_id
                   FROM directory_proposal p
                  WHERE p.council = k.council AND p.id < cursor_before($2)
                  ORDER BY p.id DESC
                  LIMIT (SELECT b.walk FROM bound b)) AS f)
             UNION ALL
            (SELECT p.id, p.state, p.service_id
               FROM directory_proposal p
              WHERE p.organisation_id = app_org() AND app_role() = 'vcfse_editor' AND p.id < cursor_before($2)
              ORDER BY p.id DESC
              LIMIT (SELECT b.walk FROM bound b))) AS u
     ORDER BY u.id DESC
     LIMIT (SELECT b.walk FROM bound b)),
found AS MATERIALIZED (
    SELECT w.id FROM walked w WHERE coalesce(w.state = $3, true) AND coalesce(w.service_id = $4::uuid, $4 IS NULL)
     ORDER BY w.id DESC LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, v.body
      FROM (SELECT f.id FROM found f ORDER BY f.id DESC LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM proposal_view v WHERE v.id = f.id OFFSET 0) AS v)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN cursor_of((SELECT f.id FROM found f ORDER BY f.id DESC OFFSET $1::integer - 1 LIMIT 1))
                    WHEN (SELECT count(*) FROM walked) = (SELECT b.walk FROM bound b)
                    THEN cursor_of((SELECT w.id FROM walked w ORDER BY w.id LIMIT 1)) END AS next_cursor) AS n;

-- name: link_make(service_id, days)
SELECT link_make($1::uuid, $2::integer) AS body;

-- name: link_read(token)
SELECT link_body($1) AS body;

-- name: link_answer(token, body, hours, proposal_id)
SELECT link_answer($1, $2::jsonb, $3::jsonb, $4::uuid) AS body;
