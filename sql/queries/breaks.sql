-- Breaks: their schemes, what is done with them, lists. See carers.sql for how queries and lists are written.

-- The council's own scheme of each name, or the shipped one. Without a council: the first of the caller's.
-- name: break_schemes_of(council)
SELECT page_body(string_agg(s.body, ',' ORDER BY s.scheme), NULL) AS body
  FROM (SELECT DISTINCT ON (v.scheme) v.scheme, v.body
          FROM break_scheme_view v
         WHERE coalesce(v.council, '') IN (coalesce($1, (app_councils())[1], ''), '')
         ORDER BY v.scheme, v.council NULLS LAST) AS s;

-- name: break_scheme_put(council, scheme, body)
WITH sent AS MATERIALIZED (
    SELECT b.title, b.description, b.requires_statutory_assessment, coalesce(b.active, true) AS active
      FROM jsonb_populate_record(NULL::break_scheme, $3::jsonb) AS b),
replaced AS (
    UPDATE break_scheme o
       SET title = s.title, description = s.description, requires_statutory_assessment = s.requires_statutory_assessment,
           active = s.active
      FROM sent s
     WHERE o.council = $1 AND o.scheme = $2)
INSERT INTO break_scheme (council, scheme, title, description, requires_statutory_assessment, active)
SELECT $1, $2, s.title, s.description, s.requires_statutory_assessment, s.active
  FROM sent s
 WHERE NOT EXISTS (SELECT FROM break_scheme o WHERE o.council = $1 AND o.scheme = $2);

-- The answer after a PUT: one without If-Match has made the council's scheme.
-- name: break_scheme_now(council, scheme)
SELECT v.body, v.version, coalesce(current_setting('app.if_match', true), '') = '' AS created
  FROM break_scheme_view v
 WHERE v.council = $1 AND v.scheme = $2;

-- The answer after a change, which has its own audit row.
-- name: break_by_id(break_id)
SELECT v.body, v.version FROM break_view v WHERE v.id = $1::uuid;

-- name: break_read(break_id)
WITH found AS MATERIALIZED (
    SELECT v.carer_id, v.council, v.body, v.version FROM break_view v WHERE v.id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT f.council, ARRAY[f.carer_id] FROM found f)
SELECT f.body, f.version FROM found f;

-- `body`: BreakCreate.
-- name: break_insert(id, carer_id, body)
INSERT INTO carer_break (id, carer_id, scheme, assessment_id, referral_id, provider_organisation_id, with_cared_for, approach, delivery,
                         purpose, funding_type, conversation_held_on, conversation_notes, hours_per_session, frequency, starts_on, ends_on,
                         introductory_visits)
SELECT $1::uuid, $2::uuid, b.scheme, b.assessment_id, b.referral_id, b.provider_organisation_id, b.with_cared_for, b.approach, b.delivery,
       b.purpose, b.funding_type, b.conversation_held_on, b.conversation_notes, b.hours_per_session, b.frequency, b.starts_on, b.ends_on,
       b.introductory_visits
  FROM break_row($3::jsonb) AS b;

-- What the machine asks before a change: locked, so that of two at once the second sees what the first made.
-- name: break_lock(break_id)
SELECT b.state, CASE WHEN s.sides @> '{provider}' THEN 'yes' END AS provider, CASE WHEN s.sides @> '{arranger}' THEN 'yes' END AS arranger,
       precondition(b.id, b.version) AS checked
  FROM carer_break b
 CROSS JOIN LATERAL (SELECT break_sides(b) AS sides OFFSET 0) AS s
 WHERE b.id = $1::uuid
   FOR NO KEY UPDATE OF b;

-- The whole row, patched as RFC 7396 says, and of that what a client may change.
-- name: break_patch(break_id, patch)
UPDATE carer_break b
   SET action = 'update',
       (assessment_id, with_cared_for, approach, delivery, purpose, funding_type, conversation_held_on, conversation_notes,
        hours_per_session, frequency, starts_on, ends_on, introductory_visits) = (
           SELECT p.assessment_id, p.with_cared_for, p.approach, p.delivery, p.purpose, p.funding_type, p.conversation_held_on,
                  p.conversation_notes, p.hours_per_session, p.frequency, p.starts_on, p.ends_on, p.introductory_visits
             FROM break_row(merge_patch(break_body(b), $2::jsonb)) AS p)
 WHERE b.id = $1::uuid;

-- `body`: of the request, or {}; of conversation and agree it is the conversation, and the agreement.
-- name: break_move(break_id, action, state, body)
UPDATE carer_break b
   SET action = $2, state = $3, action_reason = $4::jsonb ->> 'reason', action_note = $4::jsonb ->> 'note',
       (conversation_held_on, conversation_notes) = (
           SELECT (c.said ->> 'held_on')::date, c.said ->> 'notes'
             FROM (SELECT CASE $2 WHEN 'conversation' THEN $4::jsonb ELSE break_conversation(b) END AS said) AS c),
       (hours_per_session, frequency, starts_on, ends_on) = (
           SELECT (a.said ->> 'hours_per_session')::numeric, a.said ->> 'frequency', (a.said ->> 'starts_on')::date,
                  (a.said ->> 'ends_on')::date
             FROM (SELECT CASE $2 WHEN 'agree' THEN $4::jsonb ELSE break_agreement(b) END AS said) AS a)
 WHERE b.id = $1::uuid;

-- name: break_history(break_id)
WITH whose AS MATERIALIZED (
    SELECT b.id, b.council, b.carer_id FROM carer_break b WHERE b.id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT w.council, ARRAY[w.carer_id] FROM whose w)
SELECT concat('{"items":[', (
           SELECT string_agg(concat('{"at":"', instant(h.at), '"', member('from_state', h.from_state), member('action', h.action),
                                    member('to_state', h.to_state), member('reason', h.reason),
                                    member('note', CASE WHEN app_role() <> 'carer' THEN h.note END),
                                    member('actor', by_whom(h.role, h.organisation_id)), '}'), ',' ORDER BY h.move)
             FROM break_history h WHERE h.break_id = w.id), ']}') AS body
  FROM whose w;

-- One carer's; her breaks are few. Without rows there is no such carer for the caller.
-- name: breaks_of_carer(carer_id, limit, cursor, updated_since, state)
WITH whose AS MATERIALIZED (
    SELECT c.id, c.council FROM carer c WHERE c.id = $1::uuid),
found AS MATERIALIZED (
    SELECT b.id, b.updated_at,
           row_number() OVER (ORDER BY CASE WHEN $4::timestamptz IS NOT NULL THEN b.updated_at END,
                                       CASE WHEN $4 IS NOT NULL THEN b.id END, b.id DESC) AS place
      FROM carer_break b
     CROSS JOIN cursor_after(CASE WHEN $4::timestamptz IS NOT NULL THEN $3::text END, $4::timestamptz) AS s
     WHERE b.carer_id = $1::uuid AND coalesce(b.state = $5, true)
       AND CASE WHEN $4::timestamptz IS NULL THEN b.id < cursor_before($3) ELSE (b.updated_at, b.id) > (s.at, s.id) END
     ORDER BY place
     LIMIT $2::integer + 1),
page AS MATERIALIZED (
    SELECT v.body, f.place
      FROM (SELECT f.* FROM found f WHERE f.place <= $2::integer OFFSET 0) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM break_view v WHERE v.id = f.id OFFSET 0) AS v),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT w.council, ARRAY[w.id] FROM whose w),
following AS (
    SELECT CASE WHEN $4 IS NULL THEN cursor_of(f.id) ELSE cursor_of(f.updated_at, f.id) END AS next_cursor
      FROM found f
     WHERE f.place = $2::integer AND (SELECT count(*) FROM found) > $2::integer)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.place) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM whose w
  LEFT JOIN following n ON true;

-- Lists. With a filter a page looks at 5,000 breaks at most, and may hold less than the limit although more pages follow.
-- For council roles, newest first.
-- name: breaks_of_councils(limit, cursor, state, scheme, purpose, delivery, provider)
WITH bound AS MATERIALIZED (
    SELECT CASE WHEN num_nonnulls($3::text, $4::text, $5::text, $6::text, $7::uuid) = 0 THEN $1::integer + 1
                ELSE greatest($1::integer + 1, 5000 / greatest(cardinality(app_councils()), 1)) END AS walk),
walked AS MATERIALIZED (
    SELECT f.*
      FROM unnest(app_councils()) AS k(council)
     CROSS JOIN LATERAL (
        SELECT b.id, b.state, b.scheme, b.purpose, b.delivery, b.provider_organisation_id
          FROM carer_break b
         WHERE b.council = k.council AND b.id < cursor_before($2)
         ORDER BY b.id DESC
         LIMIT (SELECT b.walk FROM bound b)) AS f
     ORDER BY f.id DESC
     LIMIT (SELECT b.walk FROM bound b)),
found AS MATERIALIZED (
    SELECT w.id
      FROM walked w
     WHERE coalesce(w.state = $3, true) AND coalesce(w.scheme = $4, true) AND coalesce(w.purpose = $5, true)
       AND coalesce(w.delivery = $6, true) AND coalesce(w.provider_organisation_id = $7::uuid, true)
     ORDER BY w.id DESC
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, v.carer_id, v.council, v.body
      FROM (SELECT f.id FROM found f ORDER BY f.id DESC LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM break_view v WHERE v.id = f.id OFFSET 0) AS v),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT p.council, array_agg(DISTINCT p.carer_id) FROM page p GROUP BY p.council)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN cursor_of((SELECT f.id FROM found f ORDER BY f.id DESC OFFSET $1::integer - 1 LIMIT 1))
                    WHEN (SELECT count(*) FROM walked) = (SELECT b.walk FROM bound b)
                    THEN cursor_of((SELECT w.id FROM walked w ORDER BY w.id LIMIT 1)) END AS next_cursor) AS n;

-- For council roles, in order of change.
-- name: breaks_changed_of_councils(limit, cursor, updated_since, state, scheme, purpose, delivery, provider)
WITH bound AS MATERIALIZED (
    SELECT CASE WHEN num_nonnulls($4::text, $5::text, $6::text, $7::text, $8::uuid) = 0 THEN $1::integer + 1
                ELSE greatest($1::integer + 1, 5000 / greatest(cardinality(app_councils()), 1)) END AS walk),
walked AS MATERIALIZED (
    SELECT f.*
      FROM unnest(app_councils()) AS k(council)
     CROSS JOIN cursor_after($2, $3::timestamptz) AS s
     CROSS JOIN LATERAL (
        SELECT b.id, b.updated_at, b.state, b.scheme, b.purpose, b.delivery, b.provider_organisation_id
          FROM carer_break b
         WHERE b.council = k.council AND (b.updated_at, b.id) > (s.at, s.id)
         ORDER BY b.updated_at, b.id
         LIMIT (SELECT b.walk FROM bound b)) AS f
     ORDER BY f.updated_at, f.id
     LIMIT (SELECT b.walk FROM bound b)),
found AS MATERIALIZED (
    SELECT w.id, w.updated_at
      FROM walked w
     WHERE coalesce(w.state = $4, true) AND coalesce(w.scheme = $5, true) AND coalesce(w.purpose = $6, true)
       AND coalesce(w.delivery = $7, true) AND coalesce(w.provider_organisation_id = $8::uuid, true)
     ORDER BY w.updated_at, w.id
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, v.carer_id, v.council, v.body, f.updated_at
      FROM (SELECT f.* FROM found f ORDER BY f.updated_at, f.id LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM break_view v WHERE v.id = f.id OFFSET 0) AS v),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT p.council, array_agg(DISTINCT p.carer_id) FROM page p GROUP BY p.council)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.updated_at, p.id) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN (SELECT cursor_of(f.updated_at, f.id) FROM found f ORDER BY f.updated_at, f.id OFFSET $1::integer - 1 LIMIT 1)
                    WHEN (SELECT count(*) FROM walked) = (SELECT b.walk FROM bound b)
                    THEN (SELECT cursor_of(w.updated_at, w.id) FROM walked w ORDER BY w.updated_at DESC, w.id DESC LIMIT 1)
               END AS next_cursor) AS n;

-- For organisations: a provider's own, or what the organisation has arranged; newest first.
-- name: breaks_of_organisation(limit, cursor, state, scheme, purpose, delivery, provider)
WITH bound AS MATERIALIZED (
    SELECT CASE WHEN num_nonnulls($3::text, $4::text, $5::text, $6::text, $7::uuid) = 0 THEN $1::integer + 1
                ELSE greatest($1::integer + 1, 5000) END AS walk),
walked AS MATERIALIZED (
    SELECT u.*
      FROM ((SELECT b.id, b.updated_at, b.state, b.scheme, b.purpose, b.delivery, b.provider_organisation_id
           FROM carer_break b
          WHERE b.provider_organisation_id = app_org() AND app_role() = 'break_provider' AND b.id < cursor_before($2)
          ORDER BY b.id DESC
          LIMIT (SELECT b.walk FROM bound b))
         UNION ALL
        (SELECT b.id, b.updated_at, b.state, b.scheme, b.purpose, b.delivery, b.provider_organisation_id
           FROM carer_break b
          WHERE b.from_organisation_id = app_org() AND app_role() <> 'break_provider' AND b.id < cursor_before($2)
          ORDER BY b.id DESC
          LIMIT (SELECT b.walk FROM bound b))) AS u
     ORDER BY u.id DESC
     LIMIT (SELECT b.walk FROM bound b)),
found AS MATERIALIZED (
    SELECT w.id
      FROM walked w
     WHERE coalesce(w.state = $3, true) AND coalesce(w.scheme = $4, true) AND coalesce(w.purpose = $5, true)
       AND coalesce(w.delivery = $6, true) AND coalesce(w.provider_organisation_id = $7::uuid, true)
     ORDER BY w.id DESC
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, v.carer_id, v.council, v.body
      FROM (SELECT f.id FROM found f ORDER BY f.id DESC LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM break_view v WHERE v.id = f.id OFFSET 0) AS v),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT p.council, array_agg(DISTINCT p.carer_id) FROM page p GROUP BY p.council)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN cursor_of((SELECT f.id FROM found f ORDER BY f.id DESC OFFSET $1::integer - 1 LIMIT 1))
                    WHEN (SELECT count(*) FROM walked) = (SELECT b.walk FROM bound b)
                    THEN cursor_of((SELECT w.id FROM walked w ORDER BY w.id LIMIT 1)) END AS next_cursor) AS n;

-- For organisations: a provider's own, or what the organisation has arranged; in order of change.
-- name: breaks_changed_of_organisation(limit, cursor, updated_since, state, scheme, purpose, delivery, provider)
WITH bound AS MATERIALIZED (
    SELECT CASE WHEN num_nonnulls($4::text, $5::text, $6::text, $7::text, $8::uuid) = 0 THEN $1::integer + 1
                ELSE greatest($1::integer + 1, 5000) END AS walk),
walked AS MATERIALIZED (
    SELECT u.*
      FROM cursor_after($2, $3::timestamptz) AS s
     CROSS JOIN LATERAL ((SELECT b.id, b.updated_at, b.state, b.scheme, b.purpose, b.delivery, b.provider_organisation_id
           FROM carer_break b
          WHERE b.provider_organisation_id = app_org() AND app_role() = 'break_provider' AND (b.updated_at, b.id) > (s.at, s.id)
          ORDER BY b.updated_at, b.id
          LIMIT (SELECT b.walk FROM bound b))
         UNION ALL
        (SELECT b.id, b.updated_at, b.state, b.scheme, b.purpose, b.delivery, b.provider_organisation_id
           FROM carer_break b
          WHERE b.from_organisation_id = app_org() AND app_role() <> 'break_provider' AND (b.updated_at, b.id) > (s.at, s.id)
          ORDER BY b.updated_at, b.id
          LIMIT (SELECT b.walk FROM bound b))) AS u
     ORDER BY u.updated_at, u.id
     LIMIT (SELECT b.walk FROM bound b)),
found AS MATERIALIZED (
    SELECT w.id, w.updated_at
      FROM walked w
     WHERE coalesce(w.state = $4, true) AND coalesce(w.scheme = $5, true) AND coalesce(w.purpose = $6, true)
       AND coalesce(w.delivery = $7, true) AND coalesce(w.provider_organisation_id = $8::uuid, true)
     ORDER BY w.updated_at, w.id
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, v.carer_id, v.council, v.body, f.updated_at
      FROM (SELECT f.* FROM found f ORDER BY f.updated_at, f.id LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM break_view v WHERE v.id = f.id OFFSET 0) AS v),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT p.council, array_agg(DISTINCT p.carer_id) FROM page p GROUP BY p.council)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.updated_at, p.id) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN (SELECT cursor_of(f.updated_at, f.id) FROM found f ORDER BY f.updated_at, f.id OFFSET $1::integer - 1 LIMIT 1)
                    WHEN (SELECT count(*) FROM walked) = (SELECT b.walk FROM bound b)
                    THEN (SELECT cursor_of(w.updated_at, w.id) FROM walked w ORDER BY w.updated_at DESC, w.id DESC LIMIT 1)
               END AS next_cursor) AS n;
