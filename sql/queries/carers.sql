-- Carers. `body` is what the client sees, `version` the number in the ETag. Statements are planned once, for all values of
-- their parameters: an optional filter becomes the list of values that it allows, never an OR. Lists are written from the
-- side that the caller's index is on, one query a class of caller; row-level security says the same again. What shows
-- records writes its audit row itself, one for each council (`noted`).

-- The answer after a change, which has its own audit row.
-- name: carer_by_id(carer_id)
SELECT c.body, c.version, c.id
  FROM carer_view c
 WHERE c.id = $1::uuid;

-- name: carer_read(carer_id)
WITH found AS MATERIALIZED (
    SELECT c.id, c.council, c.body, c.version
      FROM carer_view c
     WHERE c.id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT f.council, ARRAY[f.id] FROM found f)
SELECT f.body, f.version FROM found f;

-- No RETURNING: the organisation of the caller sees the row only when its access has been given, just after it.
-- `body`: CarerCreate; `allow_duplicate`: true, false or NULL.
-- name: carer_insert(id, body, allow_duplicate)
INSERT INTO carer (id, council, kind, given_name, family_name, date_of_birth, nhs_number, contact, address,
                   preferred_language, interpreter_required, accessible_format, identification, previously_known,
                   known_to_social_care, employment_status, gp, cared_for, external_refs, allow_duplicate,
                   duplicate_reason)
SELECT $1::uuid, b.council, b.kind, b.given_name, b.family_name, b.date_of_birth, b.nhs_number, b.contact, b.address,
       b.preferred_language, b.interpreter_required, b.accessible_format, b.identification, b.previously_known,
       b.known_to_social_care, b.employment_status, b.gp, b.cared_for, b.external_refs, coalesce($3::boolean, false),
       b.duplicate_reason
  FROM jsonb_populate_record(NULL::carer, $2::jsonb) AS b;

-- The whole row, patched as RFC 7396 says, and of that what a client may change. The sub-select looks at the row that is
-- updated, so that two patches at once both count.
-- name: carer_patch(carer_id, patch, allow_duplicate)
UPDATE carer c
   SET (kind, given_name, family_name, date_of_birth, nhs_number, contact, address, preferred_language,
        interpreter_required, accessible_format, identification, previously_known, known_to_social_care,
        employment_status, gp, cared_for, external_refs, duplicate_reason) = (
           SELECT b.kind, b.given_name, b.family_name, b.date_of_birth, b.nhs_number, b.contact, b.address,
                  b.preferred_language, b.interpreter_required, b.accessible_format, b.identification,
                  b.previously_known, b.known_to_social_care, b.employment_status, b.gp, b.cared_for, b.external_refs,
                  b.duplicate_reason
             FROM jsonb_populate_record(NULL::carer, merge_patch(to_jsonb(c), $2::jsonb)) AS b),
       allow_duplicate = coalesce($3::boolean, false)
 WHERE c.id = $1::uuid;

-- `action`: register, deactivate, reactivate, close; `body`: of the request, or NULL.
-- name: carer_move(carer_id, action, body)
SELECT carer_move($1::uuid, $2, $3::jsonb);

-- The lists answer with one row: the page as `body`, and `next_cursor`, NULL on the last page. $1 is the limit. OFFSET 0 has
-- each carer of a page fetched by her key: a planner that has no statistics yet would rather read all of a council.

-- For council roles, newest first. One of three branches runs: without filters along carer_by_council; with filters along
-- carer_by_state or carer_by_source, one short walk for each of the fifteen pairs of state and known.
-- name: carers_of_councils(limit, cursor, council, state, source, known_to_social_care)
WITH wanted AS MATERIALIZED (
    SELECT k.council, s.state, n.known
      FROM unnest(app_councils()) AS k(council)
     CROSS JOIN unnest(CASE WHEN $4::text IS NULL THEN '{identified,registered,active,inactive,closed}'::text[]
                            ELSE ARRAY[$4] END) AS s(state)
     CROSS JOIN unnest(CASE $6::boolean WHEN true THEN '{yes}'::text[] WHEN false THEN '{no}'::text[]
                                        ELSE '{yes,no,unknown}'::text[] END) AS n(known)
     WHERE k.council = coalesce($3, k.council)),
found AS MATERIALIZED (
    SELECT f.id
      FROM unnest(app_councils()) AS k(council)
     CROSS JOIN LATERAL (
        SELECT c.id
          FROM carer c
         WHERE c.council = k.council AND c.id < cursor_before($2)
         ORDER BY c.id DESC
         LIMIT $1::integer + 1) AS f
     WHERE k.council = coalesce($3, k.council) AND num_nonnulls($4, $5::text, $6) = 0
     UNION ALL
    SELECT f.id
      FROM wanted w
     CROSS JOIN LATERAL (
        SELECT c.id
          FROM carer c
         WHERE c.council = w.council AND c.state = w.state AND c.known = w.known AND c.id < cursor_before($2)
         ORDER BY c.id DESC
         LIMIT $1::integer + 1) AS f
     WHERE $5 IS NULL AND num_nonnulls($4, $6) > 0
     UNION ALL
    SELECT f.id
      FROM wanted w
     CROSS JOIN LATERAL (
        SELECT c.id
          FROM carer c
         WHERE c.council = w.council AND c.source = $5 AND c.state = w.state AND c.known = w.known
           AND c.id < cursor_before($2)
         ORDER BY c.id DESC
         LIMIT $1::integer + 1) AS f
     WHERE $5 IS NOT NULL
     ORDER BY id DESC
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT c.id, c.council, c.body
      FROM (SELECT f.id FROM found f ORDER BY f.id DESC LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM carer_view v WHERE v.id = f.id OFFSET 0) AS c),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT p.council, array_agg(p.id) FROM page p GROUP BY p.council)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN count(*) > $1::integer
                    THEN cursor_of((array_agg(f.id ORDER BY f.id DESC))[$1::integer]) END AS next_cursor
          FROM found f) AS n;

-- For partner roles, newest first, from the access rows: an organisation may have ten carers among a million. The filters
-- are written so that the planner does not think them choosy: it would rather sort all rows than walk in order otherwise.
-- name: carers_of_organisation(limit, cursor, council, state, source, known_to_social_care)
WITH found AS MATERIALIZED (
    SELECT DISTINCT a.carer_id AS id
      FROM carer_access a
     WHERE a.organisation_id = app_org() AND a.carer_id < cursor_before($2) AND in_force(a.starts_at, a.ends_at)
       AND coalesce(a.council = $3, true) AND coalesce(a.state = $4, true) AND coalesce(a.source = $5, true)
       AND coalesce(a.known = CASE $6::boolean WHEN true THEN 'yes' WHEN false THEN 'no' END, true)
     ORDER BY a.carer_id DESC
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT c.id, c.council, c.body
      FROM (SELECT f.id FROM found f ORDER BY f.id DESC LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM carer_view v WHERE v.id = f.id OFFSET 0) AS c),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT p.council, array_agg(p.id) FROM page p GROUP BY p.council)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN count(*) > $1::integer
                    THEN cursor_of((array_agg(f.id ORDER BY f.id DESC))[$1::integer]) END AS next_cursor
          FROM found f) AS n;

-- For council roles, in order of change. With a filter a page looks at some 5,000 changes at most, and may hold less than
-- the limit although more pages follow: a rare value would have it walk over every carer otherwise.
-- name: carers_changed_of_councils(limit, cursor, updated_since, council, state, source, known_to_social_care)
WITH bound AS MATERIALIZED (
    SELECT CASE WHEN num_nonnulls($5::text, $6::text, $7::boolean) = 0 THEN $1::integer + 1
                ELSE greatest($1::integer + 1, 5000 / greatest(cardinality(app_councils()), 1)) END AS walk),
walked AS MATERIALIZED (
    SELECT f.*
      FROM unnest(app_councils()) AS k(council)
     CROSS JOIN cursor_after($2, $3::timestamptz) AS a
     CROSS JOIN LATERAL (
        SELECT c.id, c.updated_at, c.state, c.source, c.known
          FROM carer c
         WHERE c.council = k.council AND (c.updated_at, c.id) > (a.at, a.id)
         ORDER BY c.updated_at, c.id
         LIMIT (SELECT b.walk FROM bound b)) AS f
     WHERE k.council = coalesce($4, k.council)
     ORDER BY f.updated_at, f.id
     LIMIT (SELECT b.walk FROM bound b)),
found AS MATERIALIZED (
    SELECT w.id, w.updated_at
      FROM walked w
     WHERE w.state = coalesce($5, w.state) AND w.source = coalesce($6, w.source)
       AND w.known = CASE $7::boolean WHEN true THEN 'yes' WHEN false THEN 'no' ELSE w.known END
     ORDER BY w.updated_at, w.id
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT c.id, c.council, c.body, f.updated_at
      FROM (SELECT f.* FROM found f ORDER BY f.updated_at, f.id LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM carer_view v WHERE v.id = f.id OFFSET 0) AS c),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT p.council, array_agg(p.id) FROM page p GROUP BY p.council)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.updated_at, p.id) FROM page p), n.next_cursor) AS body,
       n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN (SELECT cursor_of(f.updated_at, f.id)
                            FROM found f ORDER BY f.updated_at, f.id OFFSET $1::integer - 1 LIMIT 1)
                    WHEN (SELECT count(*) FROM walked) = (SELECT b.walk FROM bound b)
                    THEN (SELECT cursor_of(w.updated_at, w.id)
                            FROM walked w ORDER BY w.updated_at DESC, w.id DESC LIMIT 1)
               END AS next_cursor) AS n;

-- For partner roles, in order of change, and that its access began is a change. Of accesses to one carer that hold at once the
-- one that changed first counts: with the others nothing came that the organisation had not before, and when it ends the next
-- is shown, so that she comes once and is never passed over.
-- name: carers_changed_of_organisation(limit, cursor, updated_since, council, state, source, known_to_social_care)
WITH found AS MATERIALIZED (
    SELECT f.updated_at, f.id
      FROM cursor_after($2, $3::timestamptz) AS s
     CROSS JOIN LATERAL (
        SELECT a.changed_at AS updated_at, a.carer_id AS id
          FROM carer_access a
         WHERE a.organisation_id = app_org() AND (a.changed_at, a.carer_id) > (s.at, s.id)
           AND in_force(a.starts_at, a.ends_at)
           AND coalesce(a.council = $4, true) AND coalesce(a.state = $5, true) AND coalesce(a.source = $6, true)
           AND coalesce(a.known = CASE $7::boolean WHEN true THEN 'yes' WHEN false THEN 'no' END, true)
           AND NOT EXISTS (SELECT FROM carer_access o
                            WHERE o.organisation_id = app_org() AND o.carer_id = a.carer_id
                              AND in_force(o.starts_at, o.ends_at) AND (o.changed_at, o.id) < (a.changed_at, a.id) OFFSET 0)
         ORDER BY a.changed_at, a.carer_id
         LIMIT $1::integer + 1) AS f),
page AS MATERIALIZED (
    SELECT c.id, c.council, c.body, f.updated_at
      FROM (SELECT f.* FROM found f ORDER BY f.updated_at, f.id LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM carer_view v WHERE v.id = f.id OFFSET 0) AS c),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT p.council, array_agg(p.id) FROM page p GROUP BY p.council)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.updated_at, p.id) FROM page p), n.next_cursor) AS body,
       n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN (SELECT cursor_of(f.updated_at, f.id)
                            FROM found f ORDER BY f.updated_at, f.id OFFSET $1::integer - 1 LIMIT 1)
               END AS next_cursor) AS n;

-- For the carer herself: her own record, or nothing when a filter or a cursor leaves it out.
-- name: carers_of_self(cursor, updated_since, council, state, source, known_to_social_care)
WITH page AS MATERIALIZED (
    SELECT v.id, v.council, v.body
      FROM carer c
      JOIN carer_view v ON v.id = c.id
     WHERE c.id = app_carer() AND $1::text IS NULL AND c.updated_at >= coalesce($2::timestamptz, c.updated_at)
       AND c.council = coalesce($3, c.council) AND c.state = coalesce($4, c.state) AND c.source = coalesce($5, c.source)
       AND c.known = CASE $6::boolean WHEN true THEN 'yes' WHEN false THEN 'no' ELSE c.known END),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT p.council, ARRAY[p.id] FROM page p)
SELECT page_body((SELECT p.body FROM page p), NULL) AS body, NULL::text AS next_cursor;

-- Searches. `body`: CarerSearch. What is asked is taken apart by terms_asked: places, all of which a carer's terms must
-- fill. More exact answers come first, then newer ones. A search that finds nobody leaves its audit row as well.

-- For council and partner roles, by name, birth and postcode. The place that the fewest rows fill drives; of these rows,
-- those that fill the others too are weighed. A place is counted to 500 rows, which tells rare from common; of what is very
-- common 20,000 rows are looked at, and 2,000 weighed. Where there is one place only, there is nothing to weigh, and equal
-- terms come newest first out of the index.
-- name: carers_by_terms(body)
WITH asked AS MATERIALIZED (
    SELECT a.place, a.level, a.words, a.pattern FROM terms_asked($1::jsonb) AS a),
bound AS MATERIALIZED (
    SELECT coalesce(($1::jsonb ->> 'limit')::integer, 20) AS answers, 20000 / greatest(cardinality(app_scopes()), 1) AS walk,
           1 + 500 / greatest(cardinality(app_scopes()), 1) AS counted,
           (SELECT count(DISTINCT a.place) FROM asked a) = 1 AS alone),
wanted AS MATERIALIZED (
    SELECT a.place, a.level, s.scope, CASE a.level WHEN 2 THEN w.term || E'\x01' ELSE w.term END AS low,
           CASE a.level WHEN 2 THEN w.term || U&'\+10FFFF' ELSE w.term END AS high,
           CASE WHEN b.alone AND a.level <> 2 THEN b.answers ELSE b.walk END AS walk
      FROM bound b CROSS JOIN asked a CROSS JOIN unnest(a.words) AS w(term) CROSS JOIN unnest(app_scopes()) AS s(scope)),
driver AS MATERIALIZED (
    SELECT w.place
      FROM bound b
     CROSS JOIN wanted w
     CROSS JOIN LATERAL (
        SELECT count(*) AS size
          FROM (SELECT FROM carer_term t
                 WHERE t.scope = w.scope AND t.term >= w.low AND t.term <= w.high
                 LIMIT CASE WHEN b.alone THEN 0 ELSE b.counted END) AS f) AS n
     GROUP BY w.place
     ORDER BY sum(n.size), w.place
     LIMIT 1),
others AS MATERIALIZED (
    SELECT array_agg(o.pattern) AS patterns
      FROM (SELECT string_agg(a.pattern, '|') AS pattern FROM asked a WHERE a.place <> (SELECT d.place FROM driver d)
             GROUP BY a.place) AS o),
matched AS MATERIALIZED (
    SELECT f.carer_id, f.terms, max(w.level) AS level
      FROM wanted w
     CROSS JOIN LATERAL (
        SELECT t.carer_id, t.terms
          FROM carer_term t
         WHERE t.scope = w.scope AND t.term >= w.low AND t.term <= w.high
         ORDER BY t.term DESC, t.carer_id DESC
         LIMIT w.walk) AS f
     WHERE w.place = (SELECT d.place FROM driver d)
       AND (f.terms ~ ALL ((SELECT o.patterns FROM others o)::text[])) IS NOT FALSE
     GROUP BY f.carer_id, f.terms
     ORDER BY level DESC, f.carer_id DESC
     LIMIT (SELECT CASE WHEN b.alone THEN b.answers ELSE 2000 END FROM bound b)),
found AS MATERIALIZED (
    SELECT m.carer_id AS id,
           (SELECT sum(p.best)
              FROM (SELECT max(CASE WHEN a.level = 3 AND string_to_array(m.terms, ' ') && a.words OR a.level = 2 AND m.terms ~ a.pattern
                                    THEN a.level ELSE 1 END) AS best -- it fills each place nearly at least
                      FROM asked a GROUP BY a.place) AS p) AS weight
      FROM matched m
     ORDER BY weight DESC, id DESC
     LIMIT (SELECT b.answers FROM bound b)),
page AS MATERIALIZED (
    SELECT c.id, c.council, c.body, f.weight
      FROM found f
     CROSS JOIN LATERAL (SELECT v.* FROM carer_view v WHERE v.id = f.id OFFSET 0) AS c),
noted AS (
    INSERT INTO audit_entry (council, carer_ids)
    SELECT p.council, array_agg(p.id) FROM page p GROUP BY p.council
     UNION ALL
    SELECT n.council, '{}' FROM unnest(audit_councils()) AS n(council) WHERE NOT EXISTS (SELECT FROM page p))
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.weight DESC, p.id DESC) FROM page p), NULL) AS body;

-- By NHS number or external reference for every class, and whatever the carer herself asks: the few who have that key are
-- looked at whole.
-- name: carers_by_key(body)
WITH asked AS MATERIALIZED (
    SELECT a.place, a.level, a.pattern FROM terms_asked($1::jsonb) AS a),
keyed AS MATERIALIZED (
    SELECT k.id
      FROM (SELECT c.id FROM carer c WHERE c.nhs_number = $1::jsonb ->> 'nhs_number' ORDER BY c.id DESC LIMIT 200) AS k
     UNION
    SELECT k.carer_id
      FROM (SELECT r.carer_id
              FROM carer_external_ref r
             WHERE r.system = $1::jsonb -> 'external_ref' ->> 'system' AND r.ref = $1::jsonb -> 'external_ref' ->> 'id'
             ORDER BY r.carer_id DESC
             LIMIT 200) AS k
     UNION
    SELECT app_carer() WHERE current_user = 'carers_self'),
found AS MATERIALIZED (
    SELECT c.id, coalesce(m.weight, 0) AS weight
      FROM keyed k
     CROSS JOIN LATERAL (SELECT * FROM carer c WHERE c.id = k.id OFFSET 0) AS c
     CROSS JOIN LATERAL (SELECT terms_text(carer_terms(c.given_name, c.family_name, c.date_of_birth, c.postcode)) AS terms
                         OFFSET 0) AS t
     CROSS JOIN LATERAL (
        SELECT count(*) AS places, sum(p.best) AS weight
          FROM (SELECT max(a.level) AS best FROM asked a WHERE t.terms ~ a.pattern GROUP BY a.place) AS p) AS m
     WHERE m.places = (SELECT count(DISTINCT a.place) FROM asked a)
       AND coalesce(c.nhs_number = $1::jsonb ->> 'nhs_number', $1::jsonb ->> 'nhs_number' IS NULL)
       AND ($1::jsonb -> 'external_ref' IS NULL
            OR EXISTS (SELECT FROM carer_external_ref r
                        WHERE r.system = $1::jsonb -> 'external_ref' ->> 'system'
                          AND r.ref = $1::jsonb -> 'external_ref' ->> 'id' AND r.carer_id = c.id))
     ORDER BY weight DESC, c.id DESC
     LIMIT coalesce(($1::jsonb ->> 'limit')::integer, 20)),
page AS MATERIALIZED (
    SELECT c.id, c.council, c.body, f.weight
      FROM found f
     CROSS JOIN LATERAL (SELECT v.* FROM carer_view v WHERE v.id = f.id OFFSET 0) AS c),
noted AS (
    INSERT INTO audit_entry (council, carer_ids)
    SELECT p.council, array_agg(p.id) FROM page p GROUP BY p.council
     UNION ALL
    SELECT n.council, '{}' FROM unnest(audit_councils()) AS n(council) WHERE NOT EXISTS (SELECT FROM page p))
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.weight DESC, p.id DESC) FROM page p), NULL) AS body;
