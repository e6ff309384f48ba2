-- What was found in an assessment. No ON CONFLICT: triggers of an INSERT would fire for what becomes an UPDATE. Of two first
-- ones at once, one stumbles over the key. A PUT without If-Match has made the result: see replaceable().

-- `raw`, `metric`, `band`: NULL when not all seven are answered. api/rules/swemwbs.c has made them.
-- name: swemwbs_put(assessment_id, completed_on, responses, complete, raw, metric, band)
WITH replaced AS (
    UPDATE assessment_swemwbs s
       SET completed_on = $2::date, responses = $3::jsonb, complete = $4::boolean, raw = $5::smallint, metric = $6::numeric,
           band = $7, answered_by = DEFAULT
     WHERE s.assessment_id = $1::uuid)
INSERT INTO assessment_swemwbs (assessment_id, completed_on, responses, complete, raw, metric, band)
SELECT $1::uuid, $2::date, $3::jsonb, $4::boolean, $5::smallint, $6::numeric, $7
 WHERE NOT EXISTS (SELECT FROM assessment_swemwbs s WHERE s.assessment_id = $1::uuid);

-- name: swemwbs_read(assessment_id)
WITH found AS MATERIALIZED (
    SELECT v.carer_id, v.council, v.body, v.version FROM swemwbs_view v WHERE v.assessment_id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT f.council, ARRAY[f.carer_id] FROM found f)
SELECT f.body, f.version FROM found f;

-- name: swemwbs_by_assessment(assessment_id)
SELECT v.body, v.version, coalesce(current_setting('app.if_match', true), '') = '' AS created
  FROM swemwbs_view v
 WHERE v.assessment_id = $1::uuid;

-- name: ratings_put(assessment_id, instrument, body)
WITH sent AS MATERIALIZED (
    SELECT b.completed_on, b.ratings FROM jsonb_populate_record(NULL::assessment_ratings, $3::jsonb) AS b),
replaced AS (
    UPDATE assessment_ratings r
       SET completed_on = s.completed_on, ratings = s.ratings
      FROM sent s
     WHERE r.assessment_id = $1::uuid AND r.instrument = $2)
INSERT INTO assessment_ratings (assessment_id, instrument, completed_on, ratings)
SELECT $1::uuid, $2, s.completed_on, s.ratings
  FROM sent s
 WHERE NOT EXISTS (SELECT FROM assessment_ratings r WHERE r.assessment_id = $1::uuid AND r.instrument = $2);

-- name: ratings_read(assessment_id, instrument)
WITH found AS MATERIALIZED (
    SELECT v.carer_id, v.council, v.body, v.version FROM ratings_view v WHERE v.assessment_id = $1::uuid AND v.instrument = $2),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT f.council, ARRAY[f.carer_id] FROM found f)
SELECT f.body, f.version FROM found f;

-- name: ratings_by_assessment(assessment_id, instrument)
SELECT v.body, v.version, coalesce(current_setting('app.if_match', true), '') = '' AS created
  FROM ratings_view v
 WHERE v.assessment_id = $1::uuid AND v.instrument = $2;

-- name: i_statements_put(assessment_id, body)
WITH sent AS MATERIALIZED (
    SELECT b.completed_on, b.statements FROM jsonb_populate_record(NULL::assessment_i_statements, $2::jsonb) AS b),
replaced AS (
    UPDATE assessment_i_statements i
       SET completed_on = s.completed_on, statements = s.statements
      FROM sent s
     WHERE i.assessment_id = $1::uuid)
INSERT INTO assessment_i_statements (assessment_id, completed_on, statements)
SELECT $1::uuid, s.completed_on, s.statements
  FROM sent s
 WHERE NOT EXISTS (SELECT FROM assessment_i_statements i WHERE i.assessment_id = $1::uuid);

-- name: i_statements_read(assessment_id)
WITH found AS MATERIALIZED (
    SELECT v.carer_id, v.council, v.body, v.version FROM i_statements_view v WHERE v.assessment_id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT f.council, ARRAY[f.carer_id] FROM found f)
SELECT f.body, f.version FROM found f;

-- name: i_statements_by_assessment(assessment_id)
SELECT v.body, v.version, coalesce(current_setting('app.if_match', true), '') = '' AS created
  FROM i_statements_view v
 WHERE v.assessment_id = $1::uuid;

-- name: eligibility_put(assessment_id, body)
WITH sent AS MATERIALIZED (
    SELECT b.* FROM jsonb_populate_record(NULL::assessment_eligibility, $2::jsonb) AS b),
replaced AS (
    UPDATE assessment_eligibility e
       SET decided_on = s.decided_on, necessary_care = s.necessary_care, circumstances = s.circumstances,
           significant_impact = s.significant_impact, decision = s.decision, reasons = s.reasons
      FROM sent s
     WHERE e.assessment_id = $1::uuid)
INSERT INTO assessment_eligibility (assessment_id, decided_on, necessary_care, circumstances, significant_impact, decision,
                                    reasons)
SELECT $1::uuid, s.decided_on, s.necessary_care, s.circumstances, s.significant_impact, s.decision, s.reasons
  FROM sent s
 WHERE NOT EXISTS (SELECT FROM assessment_eligibility e WHERE e.assessment_id = $1::uuid);

-- name: eligibility_read(assessment_id)
WITH found AS MATERIALIZED (
    SELECT v.carer_id, v.council, v.body, v.version FROM eligibility_view v WHERE v.assessment_id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT f.council, ARRAY[f.carer_id] FROM found f)
SELECT f.body, f.version FROM found f;

-- name: eligibility_by_assessment(assessment_id)
SELECT v.body, v.version, coalesce(current_setting('app.if_match', true), '') = '' AS created
  FROM eligibility_view v
 WHERE v.assessment_id = $1::uuid;
