-- Contingency plans and emergency access. A plan has its carer's id as its key.

-- One row for a carer whom the caller sees; its `body` is NULL when she has no plan.
-- name: contingency_plan_read(carer_id)
WITH found AS MATERIALIZED (
    SELECT v.carer_id, v.council, v.body, v.version
      FROM contingency_plan_view v
     WHERE v.carer_id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT f.council, ARRAY[f.carer_id] FROM found f)
SELECT f.body, f.version
  FROM carer c
  LEFT JOIN found f ON f.carer_id = c.id
 WHERE c.id = $1::uuid;

-- No ON CONFLICT: triggers of an INSERT would fire for what becomes an UPDATE. Of two first ones at once, one stumbles over the
-- key. `body`: ContingencyPlanPut.
-- name: contingency_plan_put(carer_id, body)
WITH sent AS MATERIALIZED (
    SELECT b.* FROM jsonb_populate_record(NULL::contingency_plan, $2::jsonb) AS b),
replaced AS (
    UPDATE contingency_plan p
       SET emergency_contacts = s.emergency_contacts, instructions = s.instructions, cared_for_needs = s.cared_for_needs,
           medication_location = s.medication_location, who_knows = s.who_knows, access_notes = s.access_notes,
           session_held_on = s.session_held_on, reviewed_on = s.reviewed_on, review_due_on = s.review_due_on
      FROM sent s
     WHERE p.carer_id = $1::uuid)
INSERT INTO contingency_plan (carer_id, emergency_contacts, instructions, cared_for_needs, medication_location, who_knows,
                              access_notes, session_held_on, reviewed_on, review_due_on)
SELECT $1::uuid, s.emergency_contacts, s.instructions, s.cared_for_needs, s.medication_location, s.who_knows, s.access_notes,
       s.session_held_on, s.reviewed_on, s.review_due_on
  FROM sent s
 WHERE NOT EXISTS (SELECT FROM contingency_plan p WHERE p.carer_id = $1::uuid);

-- The answer after a change, which has its own audit row. A PUT without If-Match has made the plan: see replaceable().
-- name: contingency_plan_by_carer(carer_id)
SELECT v.body, v.version, coalesce(current_setting('app.if_match', true), '') = '' AS created
  FROM contingency_plan_view v
 WHERE v.carer_id = $1::uuid;

-- The whole of it: checks, notes, answers.
-- name: emergency_access_open(id, carer_id, reason)
SELECT emergency_access_open($1::uuid, $2::uuid, $3) AS body;

-- name: emergency_access_of_carer(carer_id, limit, cursor)
WITH whose AS MATERIALIZED (
    SELECT c.id, c.council FROM carer c WHERE c.id = $1::uuid),
found AS MATERIALIZED (
    SELECT v.id, v.body, row_number() OVER (ORDER BY v.id DESC) AS place
      FROM emergency_access_view v
     WHERE v.carer_id = $1::uuid AND v.id < cursor_before($3)
     ORDER BY v.id DESC
     LIMIT $2::integer + 1),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT w.council, ARRAY[w.id] FROM whose w),
following AS (
    SELECT cursor_of(f.id) AS next_cursor
      FROM found f
     WHERE f.place = $2::integer AND (SELECT count(*) FROM found) > $2::integer)
SELECT page_body((SELECT string_agg(f.body, ',' ORDER BY f.place) FROM found f WHERE f.place <= $2::integer), n.next_cursor)
           AS body, n.next_cursor
  FROM whose w
  LEFT JOIN following n ON true;
