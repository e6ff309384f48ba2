-- Carer passports. `body` is what the client sees, `version` the number in the ETag.

-- `expires_on`: or NULL.
-- name: passport_issue(id, carer_id, number, expires_on)
INSERT INTO passport (id, carer_id, number, expires_on) VALUES ($1::uuid, $2::uuid, $3, $4::date);

-- name: passport_issued(id)
SELECT p.body, p.version, true AS created
  FROM passport_view p
 WHERE p.id = $1::uuid;

-- `body`: RevokePassport.
-- name: passport_revoke(carer_id, body)
SELECT passport_revoke($1::uuid, $2::jsonb);

-- The one that was revoked just now.
-- name: passport_revoked(carer_id)
SELECT v.body, v.version
  FROM (SELECT p.id
          FROM passport p
         WHERE p.carer_id = $1::uuid AND p.revoked_at IS NOT NULL
         ORDER BY p.revoked_at DESC
         LIMIT 1) AS f
 CROSS JOIN LATERAL (SELECT v.* FROM passport_view v WHERE v.id = f.id OFFSET 0) AS v;

-- name: passport_read(carer_id)
WITH found AS MATERIALIZED (
    SELECT p.carer_id, p.council, p.body, p.version
      FROM passport_view p
     WHERE p.carer_id = $1::uuid AND p.current),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT f.council, ARRAY[f.carer_id] FROM found f)
SELECT f.body, f.version FROM found f;

-- `number`: as it was issued, or NULL for what is none.
-- name: passport_check(number)
SELECT concat('{"valid":', CASE WHEN passport_valid($1) THEN 'true' ELSE 'false' END, '}') AS body;
