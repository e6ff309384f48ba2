-- Funding: schemes by version, awards of a carer, and what is left of her year. See carers.sql for how queries and lists are written.

-- The versions in force on a day, today when none is given. Without a council: the first of the caller's, or a carer's own.
-- name: funding_schemes_of(council, on)
SELECT page_body(string_agg(funding_scheme_body(s, k.council), ',' ORDER BY s.key), NULL) AS body
  FROM (SELECT coalesce($1, (app_councils())[1], (SELECT c.council FROM carer c WHERE c.id = app_carer()), '') AS council) AS k
 CROSS JOIN LATERAL funding_schemes_on(k.council, coalesce($2::date, today())) AS s;

-- `scheme_version`: this one, whether it is in force or not; NULL: the one in force on the day.
-- name: funding_scheme_by_key(council, key, on, scheme_version)
SELECT funding_scheme_body(s, k.council) AS body, funding_scheme_latest(k.council, s.key) * 1000000::bigint + s.version AS version
  FROM (SELECT coalesce($1, (app_councils())[1], (SELECT c.council FROM carer c WHERE c.id = app_carer()), '') AS council) AS k
  JOIN funding_scheme s ON coalesce(s.council, '') IN (k.council, '') AND s.key = $2
 WHERE coalesce(s.version = $4::integer, s.id IN (SELECT f.id FROM funding_schemes_on(k.council, coalesce($3::date, today())) AS f))
 ORDER BY s.council NULLS LAST
 LIMIT 1;

-- name: funding_scheme_put(council, key, body)
SELECT funding_scheme_put($1, $2, $3::jsonb);

-- The answer after a PUT: one without If-Match has made the council's first version.
-- name: funding_scheme_now(council, key)
SELECT funding_scheme_body(s, s.council) AS body, s.version * 1000000::bigint + s.version AS version,
       coalesce(current_setting('app.if_match', true), '') = '' AS created
  FROM funding_scheme s
 WHERE s.council = $1 AND s.key = $2
 ORDER BY s.version DESC
 LIMIT 1;

-- `decides`: whether the caller's token lets her decide on awards.
-- The answer after a change, which has its own audit row.
-- name: funding_award_by_id(award_id, decides)
SELECT funding_award_body(a, $2::boolean) AS body, a.version FROM funding_award a WHERE a.id = $1::uuid;

-- name: funding_award_read(award_id, decides)
WITH found AS MATERIALIZED (
    SELECT a.carer_id, a.council, funding_award_body(a, $2::boolean) AS body, a.version FROM funding_award a WHERE a.id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT f.council, ARRAY[f.carer_id] FROM found f)
SELECT f.body, f.version FROM found f;

-- name: funding_award_insert(id, carer_id, body)
INSERT INTO funding_award (id, carer_id, scheme, level, amount_pence, top_up_pence, purpose, applied_on)
SELECT $1::uuid, $2::uuid, b.scheme, b.level, b.amount_pence, b.top_up_pence, b.purpose, coalesce(b.applied_on, today())
  FROM jsonb_populate_record(NULL::funding_award, $3::jsonb) AS b;

-- What the machine asks before a change: locked, so that of two at once the second sees what the first made.
-- name: funding_award_lock(award_id)
SELECT a.state, precondition(a.id, a.version) AS checked FROM funding_award a WHERE a.id = $1::uuid FOR NO KEY UPDATE OF a;

-- `body`: of the request, or {}.
-- name: funding_award_move(award_id, action, state, body)
UPDATE funding_award a
   SET action = $2, state = $3, reason = coalesce($4::jsonb ->> 'reason', a.reason),
       payment_method = coalesce($4::jsonb ->> 'method', a.payment_method),
       payment_reference = coalesce($4::jsonb ->> 'reference', a.payment_reference)
 WHERE a.id = $1::uuid;

-- What an approval now would say. Nothing is locked: another approval may come between.
-- name: funding_award_check(award_id)
WITH found AS MATERIALIZED (
    SELECT a.carer_id, a.council, a.state, CASE WHEN a.state = 'applied' THEN funding_faults(a) END AS faults
      FROM funding_award a
     WHERE a.id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT f.council, ARRAY[f.carer_id] FROM found f)
SELECT concat('{"approvable":', CASE WHEN f.state = 'applied' AND f.faults IS NULL THEN 'true' ELSE 'false' END,
              member('state', f.state), ',"errors":', coalesce(f.faults, '[]'), '}') AS body
  FROM found f;

-- Newest first, or in order of change from updated_since on. No row when the caller does not see the carer.
-- name: funding_awards_of_carer(carer_id, limit, cursor, updated_since, state, scheme, financial_year, decides)
WITH whose AS MATERIALIZED (
    SELECT c.id, c.council FROM carer c WHERE c.id = $1::uuid),
found AS MATERIALIZED (
    SELECT a.id, a.updated_at,
           row_number() OVER (ORDER BY CASE WHEN $4::timestamptz IS NOT NULL THEN a.updated_at END,
                                       CASE WHEN $4 IS NOT NULL THEN a.id END, a.id DESC) AS place
      FROM funding_award a
     CROSS JOIN cursor_after(CASE WHEN $4::timestamptz IS NOT NULL THEN $3::text END, $4::timestamptz) AS s
     WHERE a.carer_id = $1::uuid AND coalesce(a.state = $5, true) AND coalesce(a.scheme = $6, true)
       AND coalesce(a.financial_year = $7, true)
       AND CASE WHEN $4::timestamptz IS NULL THEN a.id < cursor_before($3) ELSE (a.updated_at, a.id) > (s.at, s.id) END
     ORDER BY place
     LIMIT $2::integer + 1),
page AS MATERIALIZED (
    SELECT v.body, f.place
      FROM (SELECT f.* FROM found f WHERE f.place <= $2::integer OFFSET 0) AS f
     CROSS JOIN LATERAL (SELECT funding_award_body(a, $8::boolean) AS body FROM funding_award a WHERE a.id = f.id OFFSET 0) AS v),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT w.council, ARRAY[w.id] FROM whose w),
following AS (
    SELECT CASE WHEN $4 IS NULL THEN cursor_of(f.id) ELSE cursor_of(f.updated_at, f.id) END AS next_cursor
      FROM found f
     WHERE f.place = $2::integer AND (SELECT count(*) FROM found) > $2::integer)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.place) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM whose w
  LEFT JOIN following n ON true;

-- For council staff, newest first: one short walk for each council and state.
-- name: funding_awards_of_councils(limit, cursor, council, state, decides)
WITH found AS MATERIALIZED (
    SELECT f.id
      FROM unnest(app_councils()) AS k(council)
     CROSS JOIN unnest('{applied,approved,refused,paid}'::text[]) AS s(state)
     CROSS JOIN LATERAL (
        SELECT a.id
          FROM funding_award a
         WHERE a.council = k.council AND a.state = s.state AND a.id < cursor_before($2)
         ORDER BY a.id DESC
         LIMIT $1::integer + 1) AS f
     WHERE k.council = coalesce($3, k.council) AND s.state = coalesce($4, s.state)
     ORDER BY f.id DESC
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.*
      FROM (SELECT f.id FROM found f ORDER BY f.id DESC LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (
        SELECT a.id, a.carer_id, a.council, funding_award_body(a, $5::boolean) AS body FROM funding_award a WHERE a.id = f.id OFFSET 0) AS v),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT p.council, array_agg(DISTINCT p.carer_id) FROM page p GROUP BY p.council)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN cursor_of((SELECT f.id FROM found f ORDER BY f.id DESC OFFSET $1::integer - 1 LIMIT 1)) END AS next_cursor) AS n;

-- The same in order of change.
-- name: funding_awards_changed_of_councils(limit, cursor, updated_since, council, state, decides)
WITH found AS MATERIALIZED (
    SELECT f.*, row_number() OVER (ORDER BY f.updated_at, f.id) AS place
      FROM unnest(app_councils()) AS k(council)
     CROSS JOIN unnest('{applied,approved,refused,paid}'::text[]) AS s(state)
     CROSS JOIN cursor_after($2, $3::timestamptz) AS c
     CROSS JOIN LATERAL (
        SELECT a.id, a.updated_at
          FROM funding_award a
         WHERE a.council = k.council AND a.state = s.state AND (a.updated_at, a.id) > (c.at, c.id)
         ORDER BY a.updated_at, a.id
         LIMIT $1::integer + 1) AS f
     WHERE k.council = coalesce($4, k.council) AND s.state = coalesce($5, s.state)
     ORDER BY place
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.*, f.place
      FROM (SELECT f.* FROM found f WHERE f.place <= $1::integer OFFSET 0) AS f
     CROSS JOIN LATERAL (
        SELECT a.carer_id, a.council, funding_award_body(a, $6::boolean) AS body FROM funding_award a WHERE a.id = f.id OFFSET 0) AS v),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT p.council, array_agg(DISTINCT p.carer_id) FROM page p GROUP BY p.council)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.place) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT (SELECT cursor_of(f.updated_at, f.id) FROM found f
                 WHERE f.place = $1::integer AND (SELECT count(*) FROM found) > $1::integer) AS next_cursor) AS n;

-- What is left of her financial year, by scheme and level, and why.
-- name: funding_of_carer(carer_id)
WITH whose AS MATERIALIZED (
    SELECT c.id, c.council, financial_year(today()) AS year FROM carer c WHERE c.id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT w.council, ARRAY[w.id] FROM whose w)
SELECT concat('{"carer_id":"', w.id, '"', member('financial_year', w.year),
              member('from', to_char(financial_year_begins(w.year), 'YYYY-MM-DD')),
              member('to', to_char(financial_year_begins(w.year) + interval '1 year' - interval '1 day', 'YYYY-MM-DD')),
              CASE WHEN e.decision IS NOT NULL THEN concat(
                  ',"eligibility":{"decision":"', e.decision, '"', member('assessment_id', e.assessment_id::text),
                  member('decided_on', to_char(e.decided_on, 'YYYY-MM-DD')), '}') END,
              ',"schemes":[', (
                  SELECT string_agg(concat(
                             '{"scheme":"', s.key, '"', member('label', s.definition ->> 'label'), ',"scheme_version":', s.version,
                             ',"available":', CASE WHEN cardinality(t.obstacles) = 0 THEN 'true' ELSE 'false' END,
                             member('obstacles', to_jsonb(t.obstacles)),
                             member('excluded_by', to_jsonb(t.excluded_by)),
                             ',"used_pence":', t.used_pence, ',"awards":', t.awards,
                             member('awards_per_year', s.definition -> 'awards_per_year'),
                             member('levels', (SELECT jsonb_agg(l || jsonb_build_object('left_pence',
                                                          CASE WHEN cardinality(t.obstacles) > 0 THEN 0
                                                               ELSE greatest((l ->> 'ceiling_pence')::bigint - t.used_pence, 0) END) ORDER BY n)
                                                 FROM jsonb_array_elements(s.definition -> 'levels') WITH ORDINALITY AS j(l, n))),
                             '}'), ',' ORDER BY s.key)
                    FROM funding_schemes_on(w.council, today()) AS s
                   CROSS JOIN LATERAL funding_standing(w.id, w.year, s, NULL) AS t), ']}') AS body
  FROM whose w
 CROSS JOIN LATERAL carer_eligibility(w.id) AS e;

-- One row for each scheme and level, then all of them; a row for each state of it, then all states. In order.
-- name: funding_report(council, financial_year)
WITH asked AS MATERIALIZED (
    SELECT coalesce($1, CASE WHEN cardinality(app_councils()) = 1 THEN (app_councils())[1] END) AS council,
           coalesce($2, financial_year(today())) AS year)
SELECT a.council, a.year, to_char(financial_year_begins(a.year), 'YYYY-MM-DD') AS begins,
       to_char(financial_year_begins(a.year) + interval '1 year' - interval '1 day', 'YYYY-MM-DD') AS ends, r.*
  FROM asked a
 CROSS JOIN LATERAL funding_report(a.council, a.year) AS r
 ORDER BY r.scheme NULLS LAST, r.level NULLS LAST, r.state NULLS LAST;
