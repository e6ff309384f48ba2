-- Demographics: one row a carer, PUT whole.

-- One statement, so that both halves see the same: what is there is replaced, what is not is made, and triggers say which of them
-- If-Match belongs to. Of two first ones at once, one stumbles over the key.
-- name: demographics_put(carer_id, body)
WITH sent AS MATERIALIZED (
    SELECT b.ethnicity, b.gender, b.sexual_orientation, b.religion, b.disability
      FROM jsonb_populate_record(NULL::carer_demographics, $2::jsonb) AS b),
replaced AS (
    UPDATE carer_demographics d
       SET ethnicity = s.ethnicity, gender = s.gender, sexual_orientation = s.sexual_orientation, religion = s.religion,
           disability = s.disability
      FROM sent s
     WHERE d.carer_id = $1::uuid)
INSERT INTO carer_demographics (carer_id, ethnicity, gender, sexual_orientation, religion, disability)
SELECT $1::uuid, s.ethnicity, s.gender, s.sexual_orientation, s.religion, s.disability
  FROM sent s
 WHERE NOT EXISTS (SELECT FROM carer_demographics d WHERE d.carer_id = $1::uuid);

-- The answer after a change, which has its own audit row.
-- name: demographics_by_carer(carer_id)
SELECT d.body, d.version, d.created FROM carer_demographics_view d WHERE d.carer_id = $1::uuid;

-- name: demographics_read(carer_id)
WITH found AS MATERIALIZED (
    SELECT d.carer_id, d.council, d.body, d.version FROM carer_demographics_view d WHERE d.carer_id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT f.council, ARRAY[f.carer_id] FROM found f)
SELECT f.body, f.version FROM found f;
