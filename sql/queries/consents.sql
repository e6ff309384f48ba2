-- Consents. A change answers from the row that it changed (RETURNING): whose organisation the carer has just withdrawn her consent
-- from does not see her any more when the statement ends, and is answered all the same.

-- name: consent_record(id, carer_id, body)
INSERT INTO consent AS c (id, carer_id, purpose, organisation_id, decision, method, wording_version, decided_at)
SELECT $1::uuid, $2::uuid, b.purpose, b.organisation_id, coalesce(b.decision, 'given'), b.method, b.wording_version,
       b.decided_at
  FROM jsonb_populate_record(NULL::consent, $3::jsonb) AS b
RETURNING consent_body(c) AS body, c.version;

-- name: consent_withdraw(carer_id, consent_id, body)
UPDATE consent c
   SET ended_how = 'withdrawn', end_method = $3::jsonb ->> 'method', end_note = $3::jsonb ->> 'note'
 WHERE c.id = $2::uuid AND c.carer_id = $1::uuid
RETURNING consent_body(c) AS body, c.version;

-- name: consent_read(carer_id, consent_id)
WITH found AS MATERIALIZED (
    SELECT c.council, c.carer_id, consent_body(c) AS body, c.version
      FROM consent c
     WHERE c.id = $2::uuid AND c.carer_id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT f.council, ARRAY[f.carer_id] FROM found f)
SELECT f.body, f.version FROM found f;

-- No row when the caller does not see the carer. Newest first; a carer has tens of them, not thousands: the filters look at each.
-- name: consents_of_carer(carer_id, limit, cursor, purpose, state)
WITH whose AS MATERIALIZED (
    SELECT c.id, c.council FROM carer c WHERE c.id = $1::uuid),
found AS MATERIALIZED (
    SELECT c.id, consent_body(c) AS body
      FROM consent c
     WHERE c.carer_id = $1::uuid AND c.id < cursor_before($3)
       AND coalesce(c.purpose = $4, true) AND coalesce(consent_state(c) = $5, true)
     ORDER BY c.id DESC
     LIMIT $2::integer + 1),
page AS MATERIALIZED (
    SELECT f.* FROM found f ORDER BY f.id DESC LIMIT $2::integer),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT w.council, ARRAY[w.id] FROM whose w)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM whose w
 CROSS JOIN (SELECT CASE WHEN count(*) > $2::integer
                         THEN cursor_of((array_agg(f.id ORDER BY f.id DESC))[$2::integer]) END AS next_cursor
               FROM found f) AS n;
