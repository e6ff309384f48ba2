-- Instruments and the library of I-statements: small tables without a person in them.

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
SELECT instrument_put($1, $2, $3::jsonb);

-- The answer after a PUT: one without If-Match has made the council's first definition.
-- name: instrument_now(council, key)
SELECT v.body, v.version, coalesce(current_setting('app.if_match', true), '') = '' AS created
  FROM instrument_view v
 WHERE v.council = $1 AND v.key = $2
 ORDER BY v.version DESC
 LIMIT 1;

-- name: i_statements_of(council)
SELECT page_body(string_agg(s.body, ',' ORDER BY s.theme, s.code), NULL) AS body
  FROM (SELECT DISTINCT ON (v.code) v.*
          FROM i_statement_view v
         WHERE coalesce(v.council, '') IN (coalesce($1, (app_councils())[1], ''), '')
         ORDER BY v.code, v.council NULLS LAST) AS s;

-- name: i_statement_by_code(council, code)
SELECT v.body, v.version
  FROM i_statement_view v
 WHERE coalesce(v.council, '') IN (coalesce($1, (app_councils())[1], ''), '') AND v.code = $2
 ORDER BY v.council NULLS LAST
 LIMIT 1;

-- name: i_statement_put(council, code, body)
WITH sent AS MATERIALIZED (
    SELECT b.theme, b.wording, b.source, coalesce(b.active, true) AS active
      FROM jsonb_populate_record(NULL::i_statement, $3::jsonb) AS b),
replaced AS (
    UPDATE i_statement i
       SET theme = s.theme, wording = s.wording, source = s.source, active = s.active
      FROM sent s
     WHERE i.council = $1 AND i.code = $2)
INSERT INTO i_statement (council, code, theme, wording, source, active)
SELECT $1, $2, s.theme, s.wording, s.source, s.active
  FROM sent s
 WHERE NOT EXISTS (SELECT FROM i_statement i WHERE i.council = $1 AND i.code = $2);

-- The answer after a PUT: one without If-Match has made the council's statement.
-- name: i_statement_now(council, code)
SELECT v.body, v.version, coalesce(current_setting('app.if_match', true), '') = '' AS created
  FROM i_statement_view v
 WHERE v.council = $1 AND v.code = $2;
