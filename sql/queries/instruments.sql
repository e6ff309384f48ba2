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
SELECT page_body(string_agg(concat('{"code":"', s.code, '"', member('theme', s.theme), member('wording', s.wording),
                                   member('source', s.source), member('active', s.active), member('council', s.council), '}'),
                            ',' ORDER BY s.theme, s.code), NULL) AS body
  FROM (SELECT DISTINCT ON (l.code) l.*
          FROM i_statement l
         WHERE coalesce(l.council, '') IN (coalesce($1, (app_councils())[1], ''), '')
         ORDER BY l.code, l.council NULLS LAST) AS s;

