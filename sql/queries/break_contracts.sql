-- Contracts for breaks: few rows, without a person in them.

-- name: break_contract_insert(id, body)
INSERT INTO break_contract (id, council, provider_organisation_id, reference, starts_on, ends_on, hours)
SELECT $1::uuid, b.council, b.provider_organisation_id, b.reference, b.starts_on, b.ends_on, b.hours
  FROM jsonb_populate_record(NULL::break_contract, $2::jsonb) AS b;

-- name: break_contract_by_id(contract_id)
SELECT v.body, v.version FROM break_contract_view v WHERE v.id = $1::uuid;

-- Newest first, or in order of change from updated_since on. `on`: in force on that day.
-- name: break_contracts(limit, cursor, updated_since, council, provider_organisation_id, on)
WITH found AS MATERIALIZED (
    SELECT v.id, v.updated_at, v.body,
           row_number() OVER (ORDER BY CASE WHEN $3::timestamptz IS NOT NULL THEN v.updated_at END,
                                       CASE WHEN $3 IS NOT NULL THEN v.id END, v.id DESC) AS place
      FROM break_contract_view v
     CROSS JOIN cursor_after(CASE WHEN $3::timestamptz IS NOT NULL THEN $2::text END, $3::timestamptz) AS s
     WHERE coalesce(v.council = $4, true) AND coalesce(v.provider_organisation_id = $5::uuid, true)
       AND coalesce($6::date BETWEEN v.starts_on AND v.ends_on, true)
       AND CASE WHEN $3::timestamptz IS NULL THEN v.id < cursor_before($2) ELSE (v.updated_at, v.id) > (s.at, s.id) END
     ORDER BY place
     LIMIT $1::integer + 1),
following AS (
    SELECT CASE WHEN $3 IS NULL THEN cursor_of(f.id) ELSE cursor_of(f.updated_at, f.id) END AS next_cursor
      FROM found f
     WHERE f.place = $1::integer AND (SELECT count(*) FROM found) > $1::integer)
SELECT page_body((SELECT string_agg(f.body, ',' ORDER BY f.place) FROM found f WHERE f.place <= $1::integer), n.next_cursor) AS body,
       n.next_cursor
  FROM (SELECT 1) AS one
  LEFT JOIN following n ON true;
