-- Sessions of breaks. See carers.sql for how queries and lists are written.

-- Before any change of sessions: the break is locked first, as those lock it that move the break.
-- name: break_hold(break_id)
SELECT b.id FROM carer_break b WHERE b.id = $1::uuid FOR NO KEY UPDATE;

-- The answer after a change, which has its own audit row.
-- name: session_by_id(break_id, session_id)
SELECT v.body, v.version FROM break_session_view v WHERE v.id = $2::uuid AND v.break_id = $1::uuid;

-- name: session_read(break_id, session_id)
WITH found AS MATERIALIZED (
    SELECT v.carer_id, v.council, v.body, v.version FROM break_session_view v WHERE v.id = $2::uuid AND v.break_id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT f.council, ARRAY[f.carer_id] FROM found f)
SELECT f.body, f.version FROM found f;

-- name: session_insert(id, break_id, body)
INSERT INTO break_session (id, break_id, starts_at, ends_at, note)
SELECT $1::uuid, $2::uuid, b.starts_at, b.ends_at, b.note
  FROM jsonb_populate_record(NULL::break_session, $3::jsonb) AS b;

-- name: session_patch(break_id, session_id, patch)
UPDATE break_session s
   SET (starts_at, ends_at, note) = (
           SELECT p.starts_at, p.ends_at, p.note FROM jsonb_populate_record(NULL::break_session, merge_patch(to_jsonb(s), $3::jsonb)) AS p)
 WHERE s.id = $2::uuid AND s.break_id = $1::uuid;

-- Without hours it was as long as it was planned.
-- name: session_deliver(break_id, session_id, body)
UPDATE break_session s
   SET state = 'delivered', delivered_by = $3::jsonb ->> 'delivered_by', note = coalesce($3::jsonb ->> 'note', s.note),
       delivered_hours = coalesce(($3::jsonb ->> 'hours')::numeric, extract(epoch FROM s.ends_at - s.starts_at) / 3600)
 WHERE s.id = $2::uuid AND s.break_id = $1::uuid;

-- name: session_delivered(break_id, session_id)
SELECT concat(left(v.body, -1), member('warnings', break_contract_warnings(v.break_id)), '}') AS body, v.version
  FROM break_session_view v
 WHERE v.id = $2::uuid AND v.break_id = $1::uuid;

-- name: session_cancel(break_id, session_id, body)
UPDATE break_session s
   SET state = 'cancelled_by_' || ($3::jsonb ->> 'side'), cancel_reason = $3::jsonb ->> 'reason', note = coalesce($3::jsonb ->> 'note', s.note)
 WHERE s.id = $2::uuid AND s.break_id = $1::uuid;

-- One break's: the first to begin before the others, or in order of change. Without rows there is no such break for the caller.
-- name: sessions_of_break(break_id, limit, cursor, updated_since, state, series_id)
WITH whose AS MATERIALIZED (
    SELECT b.id, b.council, b.carer_id FROM carer_break b WHERE b.id = $1::uuid),
found AS MATERIALIZED (
    SELECT o.*, row_number() OVER (ORDER BY o.at, o.id) AS place
      FROM (SELECT s.id, CASE WHEN $4::timestamptz IS NULL THEN s.starts_at ELSE s.updated_at END AS at, s.state, s.series_id
              FROM break_session s WHERE s.break_id = $1::uuid) AS o
     CROSS JOIN cursor_after($3, coalesce($4::timestamptz, '1970-01-01 00:00:00+00')) AS c
     WHERE (o.at, o.id) > (c.at, c.id) AND coalesce(o.state = $5, true) AND coalesce(o.series_id = $6::uuid, $6::uuid IS NULL)
     ORDER BY place
     LIMIT $2::integer + 1),
page AS MATERIALIZED (
    SELECT v.body, f.place
      FROM (SELECT f.* FROM found f WHERE f.place <= $2::integer OFFSET 0) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM break_session_view v WHERE v.id = f.id OFFSET 0) AS v),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT w.council, ARRAY[w.carer_id] FROM whose w),
following AS (
    SELECT cursor_of(f.at, f.id) AS next_cursor
      FROM found f
     WHERE f.place = $2::integer AND (SELECT count(*) FROM found) > $2::integer)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.place) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM whose w
  LEFT JOIN following n ON true;

-- What a series begins with: the break takes sessions now (rule B4); its first day, and the bank holidays of ten years, in days since 1970.
-- name: series_begin(break_id, starts_on)
SELECT $2::date - date '1970-01-01' AS start, (SELECT b.id FROM break_session_of($1::uuid, '{agreed,active}',
           'sessions are planned while a break is agreed or active') AS b) AS break_id,
       (SELECT string_agg((h.day - date '1970-01-01')::text, ',') FROM bank_holiday h WHERE h.day BETWEEN $2::date AND $2::date + 3660) AS holidays;

-- `days`, `skipped`: array literals of days since 1970.
-- name: series_insert(series_id, break_id, days, starts_time, ends_time, note)
INSERT INTO break_session (id, break_id, series_id, starts_at, ends_at, note)
SELECT uuid7(clock_timestamp()), $2::uuid, $1::uuid, s.starts_at, s.ends_at, $6
  FROM break_series($3::integer[], $4::time, $5::time) AS s
 ORDER BY s.starts_at;

-- name: series_made(break_id, series_id, skipped)
SELECT concat('{"series_id":"', $2::uuid, '","sessions":[', (
           SELECT string_agg(v.body, ',' ORDER BY v.starts_at)
             FROM break_session s
            CROSS JOIN LATERAL (SELECT o.* FROM break_session_view o WHERE o.id = s.id OFFSET 0) AS v
            WHERE s.break_id = $1::uuid AND s.series_id = $2::uuid), '],"skipped":', series_skipped($3::integer[]), '}') AS body;

-- name: series_planned(break_id, days, starts_time, ends_time, skipped)
SELECT concat('{"planned":[', (
           SELECT string_agg(concat('{"starts_at":"', instant(p.starts_at), '"', member('ends_at', instant(p.ends_at)),
                                    member('hours', to_jsonb(trim_scale(round(extract(epoch FROM p.ends_at - p.starts_at) / 3600, 2)))),
                                    member('overlaps', EXISTS (
                                        SELECT FROM break_session s
                                         WHERE s.break_id = $1::uuid AND s.state IN ('planned', 'delivered')
                                           AND tstzrange(s.starts_at, s.ends_at) && tstzrange(p.starts_at, p.ends_at))), '}'),
                             ',' ORDER BY p.starts_at)
             FROM break_series($2::integer[], $3::time, $4::time) AS p), '],"skipped":', series_skipped($5::integer[]), '}') AS body;
