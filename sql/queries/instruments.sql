-- Instruments, the library of I-statements, and what was found with them. A result is written by one call and read back as
-- the representation; all of them are small and found by key.

-- The current definitions for a council: its own before the shipped ones. Without a council: the first of the caller's.
-- name: instruments_of(council)
SELECT page_body(string_agg(i.body, ',' ORDER BY i.key), NULL) AS body
  FROM (SELECT DISTINCT ON (v.key) v.key, v.body
          FROM instrument_view v
         WHERE coalesce(v.council, '') IN (coalesce($1, (app_councils())[1], ''), '')
         ORDER BY v.key, v.council NULLS LAST, v.version DESC) AS i;

-- `instrument_version`: NULL for the current one.
-- name: instrument_by_key(council, key, instrument_version)
SELECT v.body, v.version
  FROM instrument_view v
 WHERE coalesce(v.council, '') IN (coalesce($1, (app_councils())[1], ''), '') AND v.key = $2
   AND coalesce(v.version = $3::integer, true)
 ORDER BY v.council NULLS LAST, v.version DESC
 LIMIT 1;

-- name: instrument_put(council, key, body)
WITH put AS MATERIALIZED (SELECT instrument_put($1, $2, $3::jsonb) AS created)
SELECT p.created FROM put p;

-- name: i_statements_of(council)
SELECT page_body(string_agg(concat('{"code":"', s.code, '"', member('theme', s.theme), member('wording', s.wording),
                                   member('source', s.source), member('active', s.active), member('council', s.council), '}'),
                            ',' ORDER BY s.theme, s.code), NULL) AS body
  FROM (SELECT DISTINCT ON (l.code) l.*
          FROM i_statement l
         WHERE coalesce(l.council, '') IN (coalesce($1, (app_councils())[1], ''), '')
         ORDER BY l.code, l.council NULLS LAST) AS s;

-- name: swemwbs_put(assessment_id, completed_on, responses, complete, raw, metric, band)
SELECT swemwbs_put($1::uuid, $2::date, $3::jsonb, $4::boolean, $5::smallint, $6::numeric, $7) AS created;

-- name: ratings_put(assessment_id, instrument, body)
SELECT ratings_put($1::uuid, $2, $3::jsonb) AS created;

-- name: i_statements_put(assessment_id, body)
SELECT i_statements_put($1::uuid, $2::jsonb) AS created;

-- name: eligibility_put(assessment_id, body)
SELECT eligibility_put($1::uuid, $2::jsonb) AS created;
