-- Triages and their in-depth conversations. `body` is what the client sees, `version` the number in the ETag; `noted` writes
-- the audit row of a read.

-- `body`: Triage.
-- name: triage_record(id, carer_id, body)
SELECT triage_record($1::uuid, $2::uuid, $3::jsonb, '');

-- `body`: InDepthConversation.
-- name: triage_converse(carer_id, triage_id, body)
UPDATE carer_triage t
   SET (held_on, summary, practitioner_notes, assessment_wanted_by) = (
           SELECT b.held_on, b.summary, b.practitioner_notes, b.assessment_wanted_by
             FROM jsonb_populate_record(NULL::carer_triage, $3::jsonb) AS b)
 WHERE t.id = $2::uuid AND t.carer_id = $1::uuid;

-- The answer after a change, which has its own audit row.
-- name: triage_by_id(carer_id, triage_id)
SELECT t.body, t.version
  FROM triage_view t
 WHERE t.id = $2::uuid AND t.carer_id = $1::uuid;

-- name: triage_read(carer_id, triage_id)
WITH found AS MATERIALIZED (
    SELECT t.carer_id, t.council, t.body, t.version
      FROM triage_view t
     WHERE t.id = $2::uuid AND t.carer_id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT f.council, ARRAY[f.carer_id] FROM found f)
SELECT f.body, f.version FROM found f;

-- No row when the caller does not see the carer.
-- name: triages_of_carer(limit, cursor, carer_id)
WITH whose AS MATERIALIZED (
    SELECT c.id, c.council FROM carer c WHERE c.id = $3::uuid),
found AS MATERIALIZED (
    SELECT f.id
      FROM whose w
     CROSS JOIN LATERAL (
        SELECT t.id
          FROM carer_triage t
         WHERE t.carer_id = w.id AND t.id < cursor_before($2)
         ORDER BY t.id DESC
         LIMIT $1::integer + 1) AS f),
page AS MATERIALIZED (
    SELECT t.id, t.body
      FROM (SELECT f.id FROM found f ORDER BY f.id DESC LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM triage_view v WHERE v.id = f.id OFFSET 0) AS t),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT w.council, ARRAY[w.id] FROM whose w)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM whose w
 CROSS JOIN (SELECT CASE WHEN count(*) > $1::integer
                         THEN cursor_of((array_agg(f.id ORDER BY f.id DESC))[$1::integer]) END AS next_cursor
               FROM found f) AS n;
