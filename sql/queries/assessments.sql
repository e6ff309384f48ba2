-- Assessments and what councils set for them. See carers.sql for how queries and lists are written.

-- The answer after a change, which has its own audit row.
-- name: assessment_by_id(assessment_id)
SELECT v.body, v.version
  FROM assessment_view v
 WHERE v.id = $1::uuid;

-- name: assessment_read(assessment_id)
WITH found AS MATERIALIZED (
    SELECT v.carer_id, v.council, v.body, v.version
      FROM assessment_view v
     WHERE v.id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT f.council, ARRAY[f.carer_id] FROM found f)
SELECT f.body, f.version FROM found f;

-- `body`: AssessmentCreate; `state`: the one that it begins in.
-- name: assessment_insert(id, carer_id, state, body)
INSERT INTO assessment (id, carer_id, kind, form, state, follows_assessment_id, assessor_name, mode, setting, language,
                        self_completion, scheduled_for, planned, review_reason, due_on, circumstances_improved,
                        caring_role_improved, outcomes, needs, break_recommended, contingency_offer, hospital,
                        immediate_needs, forward_look, practitioner_notes)
SELECT $1::uuid, $2::uuid, b.kind, coalesce(b.form, 'single'), $3, b.follows_assessment_id, b.assessor_name, b.mode, b.setting,
       b.language, coalesce(b.self_completion, false), b.scheduled_for, b.planned, b.review_reason, b.due_on,
       b.circumstances_improved, b.caring_role_improved, b.outcomes, b.needs, b.break_recommended, b.contingency_offer,
       b.hospital, b.immediate_needs, b.forward_look, b.practitioner_notes
  FROM assessment_row($4::jsonb) AS b;

-- What the machine of states asks before a change: locked, so that of two changes at once the second sees what the first made.
-- name: assessment_lock(assessment_id)
SELECT a.kind, a.state, CASE WHEN app_role() IN ('assessor', 'hospital_in_reach')
                                  AND a.assessor_organisation_id IS DISTINCT FROM app_org() THEN 'theirs' END AS theirs,
       precondition(a.id, a.version) AS checked
  FROM assessment a
 WHERE a.id = $1::uuid
   FOR NO KEY UPDATE;

-- The whole row, patched as RFC 7396 says, and of that what a client may change.
-- name: assessment_patch(assessment_id, patch)
UPDATE assessment a
   SET (form, assessor_name, mode, setting, language, self_completion, planned, review_reason, due_on, circumstances_improved,
        caring_role_improved, outcomes, needs, break_recommended, contingency_offer, hospital, immediate_needs, forward_look,
        practitioner_notes) = (
           SELECT b.form, b.assessor_name, b.mode, b.setting, b.language, b.self_completion, b.planned, b.review_reason,
                  b.due_on, b.circumstances_improved, b.caring_role_improved, b.outcomes, b.needs, b.break_recommended,
                  b.contingency_offer, b.hospital, b.immediate_needs, b.forward_look, b.practitioner_notes
             FROM assessment_row(merge_patch(assessment_body(a), $2::jsonb)) AS b)
 WHERE a.id = $1::uuid;

-- `state`: where the action leads; `body`: of the request, or {}.
-- name: assessment_move(assessment_id, state, body)
UPDATE assessment a
   SET state = $2, state_reason = $3::jsonb ->> 'reason', state_note = $3::jsonb ->> 'note',
       scheduled_for = coalesce(($3::jsonb ->> 'scheduled_for')::timestamptz, a.scheduled_for),
       override_reason = coalesce($3::jsonb ->> 'override_reason', a.override_reason),
       completed_on = coalesce(($3::jsonb ->> 'completed_on')::date, a.completed_on)
 WHERE a.id = $1::uuid;

-- One carer's; her assessments are few. Without rows there is no such carer for the caller.
-- name: assessments_of_carer(carer_id, limit, cursor, updated_since, kind, state)
WITH whose AS MATERIALIZED (
    SELECT c.id, c.council FROM carer c WHERE c.id = $1::uuid),
found AS MATERIALIZED (
    SELECT a.id, a.updated_at,
           row_number() OVER (ORDER BY CASE WHEN $4::timestamptz IS NOT NULL THEN a.updated_at END,
                                       CASE WHEN $4 IS NOT NULL THEN a.id END, a.id DESC) AS place
      FROM assessment a
     CROSS JOIN cursor_after(CASE WHEN $4::timestamptz IS NOT NULL THEN $3::text END, $4::timestamptz) AS s
     WHERE a.carer_id = $1::uuid AND coalesce(a.kind = $5, true) AND coalesce(a.state = $6, true)
       AND CASE WHEN $4::timestamptz IS NULL THEN a.id < cursor_before($3) ELSE (a.updated_at, a.id) > (s.at, s.id) END
     ORDER BY place
     LIMIT $2::integer + 1),
page AS MATERIALIZED (
    SELECT v.body, f.place
      FROM (SELECT f.* FROM found f WHERE f.place <= $2::integer OFFSET 0) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM assessment_view v WHERE v.id = f.id OFFSET 0) AS v),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT w.council, ARRAY[w.id] FROM whose w),
following AS (
    SELECT CASE WHEN $4 IS NULL THEN cursor_of(f.id) ELSE cursor_of(f.updated_at, f.id) END AS next_cursor
      FROM found f
     WHERE f.place = $2::integer AND (SELECT count(*) FROM found) > $2::integer)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.place) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM whose w
  LEFT JOIN following n ON true;

-- For council roles, newest first: without filters along assessment_by_council; with filters along assessment_by_state, one
-- short walk for each kind and state that there is.
-- name: assessments_of_councils(limit, cursor, council, kind, state)
WITH wanted AS MATERIALIZED (
    SELECT DISTINCT k.council, t.kind, t.to_state AS state
      FROM unnest(app_councils()) AS k(council)
     CROSS JOIN assessment_transition t
     WHERE k.council = coalesce($3, k.council) AND t.kind = coalesce($4, t.kind) AND t.to_state = coalesce($5, t.to_state)),
found AS MATERIALIZED (
    SELECT f.id
      FROM unnest(app_councils()) AS k(council)
     CROSS JOIN LATERAL (
        SELECT a.id
          FROM assessment a
         WHERE a.council = k.council AND a.id < cursor_before($2)
         ORDER BY a.id DESC
         LIMIT $1::integer + 1) AS f
     WHERE k.council = coalesce($3, k.council) AND num_nonnulls($4, $5) = 0
     UNION ALL
    SELECT f.id
      FROM wanted w
     CROSS JOIN LATERAL (
        SELECT a.id
          FROM assessment a
         WHERE a.council = w.council AND a.kind = w.kind AND a.state = w.state AND a.id < cursor_before($2)
         ORDER BY a.id DESC
         LIMIT $1::integer + 1) AS f
     WHERE num_nonnulls($4, $5) > 0
     ORDER BY id DESC
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, v.carer_id, v.council, v.body
      FROM (SELECT f.id FROM found f ORDER BY f.id DESC LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM assessment_view v WHERE v.id = f.id OFFSET 0) AS v),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT p.council, array_agg(DISTINCT p.carer_id) FROM page p GROUP BY p.council)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN count(*) > $1::integer
                    THEN cursor_of((array_agg(f.id ORDER BY f.id DESC))[$1::integer]) END AS next_cursor
          FROM found f) AS n;

-- For partner roles, newest first: what the organisation does itself.
-- name: assessments_of_organisation(limit, cursor, council, kind, state)
WITH found AS MATERIALIZED (
    SELECT a.id
      FROM assessment a
     WHERE a.assessor_organisation_id = app_org() AND a.id < cursor_before($2)
       AND coalesce(a.council = $3, true) AND coalesce(a.kind = $4, true) AND coalesce(a.state = $5, true)
     ORDER BY a.id DESC
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, v.carer_id, v.council, v.body
      FROM (SELECT f.id FROM found f ORDER BY f.id DESC LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM assessment_view v WHERE v.id = f.id OFFSET 0) AS v),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT p.council, array_agg(DISTINCT p.carer_id) FROM page p GROUP BY p.council)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN count(*) > $1::integer
                    THEN cursor_of((array_agg(f.id ORDER BY f.id DESC))[$1::integer]) END AS next_cursor
          FROM found f) AS n;

-- For council roles, in order of change. With filters a page looks at 5,000 changes at most, and may be empty.
-- name: assessments_changed_of_councils(limit, cursor, updated_since, council, kind, state, review_due_before, review_overdue)
WITH bound AS MATERIALIZED (
    SELECT CASE WHEN num_nonnulls($5::text, $6::text, $7::date, $8::boolean) = 0 THEN $1::integer + 1
                ELSE greatest($1::integer + 1, 5000 / greatest(cardinality(app_councils()), 1)) END AS walk),
walked AS MATERIALIZED (
    SELECT f.*
      FROM unnest(app_councils()) AS k(council)
     CROSS JOIN cursor_after($2, $3::timestamptz) AS s
     CROSS JOIN LATERAL (
        SELECT a.id, a.updated_at, a.kind, a.state, a.due_on
          FROM assessment a
         WHERE a.council = k.council AND (a.updated_at, a.id) > (s.at, s.id)
         ORDER BY a.updated_at, a.id
         LIMIT (SELECT b.walk FROM bound b)) AS f
     WHERE k.council = coalesce($4, k.council)
     ORDER BY f.updated_at, f.id
     LIMIT (SELECT b.walk FROM bound b)),
found AS MATERIALIZED (
    SELECT w.id, w.updated_at
      FROM walked w
     WHERE w.kind = coalesce($5, w.kind) AND w.state = coalesce($6, w.state)
       AND (num_nonnulls($7, $8) = 0 OR review_due(w.kind, w.state, w.due_on, $7, $8))
     ORDER BY w.updated_at, w.id
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, v.carer_id, v.council, v.body, f.updated_at
      FROM (SELECT f.* FROM found f ORDER BY f.updated_at, f.id LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM assessment_view v WHERE v.id = f.id OFFSET 0) AS v),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT p.council, array_agg(DISTINCT p.carer_id) FROM page p GROUP BY p.council)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.updated_at, p.id) FROM page p), n.next_cursor) AS body,
       n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN (SELECT cursor_of(f.updated_at, f.id)
                            FROM found f ORDER BY f.updated_at, f.id OFFSET $1::integer - 1 LIMIT 1)
                    WHEN (SELECT count(*) FROM walked) = (SELECT b.walk FROM bound b)
                    THEN (SELECT cursor_of(w.updated_at, w.id)
                            FROM walked w ORDER BY w.updated_at DESC, w.id DESC LIMIT 1)
               END AS next_cursor) AS n;

-- For partner roles, in order of change.
-- name: assessments_changed_of_organisation(limit, cursor, updated_since, council, kind, state, review_due_before, review_overdue)
WITH found AS MATERIALIZED (
    SELECT f.id, f.updated_at
      FROM cursor_after($2, $3::timestamptz) AS s
     CROSS JOIN LATERAL (
        SELECT a.id, a.updated_at
          FROM assessment a
         WHERE a.assessor_organisation_id = app_org() AND (a.updated_at, a.id) > (s.at, s.id)
           AND coalesce(a.council = $4, true) AND coalesce(a.kind = $5, true) AND coalesce(a.state = $6, true)
           AND (num_nonnulls($7::date, $8::boolean) = 0 OR review_due(a.kind, a.state, a.due_on, $7, $8))
         ORDER BY a.updated_at, a.id
         LIMIT $1::integer + 1) AS f),
page AS MATERIALIZED (
    SELECT v.id, v.carer_id, v.council, v.body, f.updated_at
      FROM (SELECT f.* FROM found f ORDER BY f.updated_at, f.id LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM assessment_view v WHERE v.id = f.id OFFSET 0) AS v),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT p.council, array_agg(DISTINCT p.carer_id) FROM page p GROUP BY p.council)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.updated_at, p.id) FROM page p), n.next_cursor) AS body,
       n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN (SELECT cursor_of(f.updated_at, f.id)
                            FROM found f ORDER BY f.updated_at, f.id OFFSET $1::integer - 1 LIMIT 1)
               END AS next_cursor) AS n;

-- Open reviews of councils, the one that is due first before the others.
-- name: reviews_due_of_councils(limit, cursor, council, kind, state, review_due_before, review_overdue)
WITH found AS MATERIALIZED (
    SELECT f.id, f.due_on
      FROM unnest(app_councils()) AS k(council)
     CROSS JOIN review_days($6::date, $7::boolean) AS d
     CROSS JOIN cursor_after($2, timestamptz '1970-01-01 00:00:00+00') AS s
     CROSS JOIN LATERAL (
        SELECT a.id, a.due_on
          FROM assessment a
         WHERE a.council = k.council AND a.kind = 'review' AND a.state IN ('due', 'scheduled', 'in_progress')
           AND (a.due_on, a.id) > (greatest((s.at AT TIME ZONE 'UTC')::date, d.from_day), s.id) AND a.due_on < d.to_day
           AND coalesce(a.kind = $4, true) AND coalesce(a.state = $5, true)
         ORDER BY a.due_on, a.id
         LIMIT $1::integer + 1) AS f
     WHERE k.council = coalesce($3, k.council)
     ORDER BY f.due_on, f.id
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, v.carer_id, v.council, v.body, f.due_on
      FROM (SELECT f.* FROM found f ORDER BY f.due_on, f.id LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM assessment_view v WHERE v.id = f.id OFFSET 0) AS v),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT p.council, array_agg(DISTINCT p.carer_id) FROM page p GROUP BY p.council)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.due_on, p.id) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN (SELECT cursor_of(f.due_on::timestamp AT TIME ZONE 'UTC', f.id)
                            FROM found f ORDER BY f.due_on, f.id OFFSET $1::integer - 1 LIMIT 1)
               END AS next_cursor) AS n;

-- The same of an organisation that assesses.
-- name: reviews_due_of_organisation(limit, cursor, council, kind, state, review_due_before, review_overdue)
WITH found AS MATERIALIZED (
    SELECT f.id, f.due_on
      FROM review_days($6::date, $7::boolean) AS d
     CROSS JOIN cursor_after($2, timestamptz '1970-01-01 00:00:00+00') AS s
     CROSS JOIN LATERAL (
        SELECT a.id, a.due_on
          FROM assessment a
         WHERE a.assessor_organisation_id = app_org() AND a.kind = 'review' AND a.state IN ('due', 'scheduled', 'in_progress')
           AND (a.due_on, a.id) > (greatest((s.at AT TIME ZONE 'UTC')::date, d.from_day), s.id) AND a.due_on < d.to_day
           AND coalesce(a.council = $3, true) AND coalesce(a.kind = $4, true) AND coalesce(a.state = $5, true)
         ORDER BY a.due_on, a.id
         LIMIT $1::integer + 1) AS f),
page AS MATERIALIZED (
    SELECT v.id, v.carer_id, v.council, v.body, f.due_on
      FROM (SELECT f.* FROM found f ORDER BY f.due_on, f.id LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM assessment_view v WHERE v.id = f.id OFFSET 0) AS v),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT p.council, array_agg(DISTINCT p.carer_id) FROM page p GROUP BY p.council)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.due_on, p.id) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN (SELECT cursor_of(f.due_on::timestamp AT TIME ZONE 'UTC', f.id)
                            FROM found f ORDER BY f.due_on, f.id OFFSET $1::integer - 1 LIMIT 1)
               END AS next_cursor) AS n;

-- name: council_settings_read(council)
SELECT v.body, v.version FROM council_settings_view v WHERE v.council = $1;

-- Before the first change of a council's settings: a row to be changed.
-- name: council_settings_begin(council)
INSERT INTO council_settings (council)
SELECT k.council FROM unnest(app_councils()) AS k(council) WHERE k.council = $1
    ON CONFLICT (council) DO NOTHING;

-- name: council_settings_patch(council, patch)
UPDATE council_settings s SET settings = merge_patch(s.settings, $2::jsonb) WHERE s.council = $1;
