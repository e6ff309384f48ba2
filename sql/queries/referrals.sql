-- Referrals, their history and their routes. See carers.sql for how queries and lists are written.

-- The answer after a change, which has its own audit row.
-- name: referral_by_id(referral_id)
SELECT v.body, v.version FROM referral_view v WHERE v.id = $1::uuid;

-- name: referral_read(referral_id)
WITH found AS MATERIALIZED (
    SELECT v.carer_id, v.council, v.body, v.version FROM referral_view v WHERE v.id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT f.council, array_remove(ARRAY[f.carer_id], NULL) FROM found f)
SELECT f.body, f.version FROM found f;

-- `body`: ReferralCreate.
-- name: referral_insert(id, body)
INSERT INTO referral (id, carer_id, person, kind, priority, channel, type, reason, needs, current_situation, information_as_of,
                      recent_assessment_id, to_organisation_id, to_service_id, to_team, legal_basis, consent)
SELECT $1::uuid, b.carer_id, b.person, b.kind, coalesce(b.priority, 'routine'), b.channel, coalesce(b.type, 'professional'), b.reason,
       b.needs, b.current_situation, b.information_as_of, b.recent_assessment_id, b.to_organisation_id, b.to_service_id, b.to_team,
       b.legal_basis, b.consent
  FROM referral_row($2::jsonb) AS b;

-- A new draft in the place of one that was declined: all that was said, but not where to. Its history begins with the link.
-- name: referral_insert_onward(id, referral_id)
INSERT INTO referral (id, carer_id, person, kind, priority, channel, type, reason, needs, current_situation, information_as_of,
                      recent_assessment_id, consent, replaces_id)
SELECT $1::uuid, CASE WHEN app_role() <> 'referrer' THEN r.carer_id END, r.person, r.kind, r.priority, r.channel, r.type, r.reason, r.needs,
       r.current_situation, r.information_as_of, r.recent_assessment_id, r.consent, r.id
  FROM referral r
 WHERE r.id = $2::uuid;

-- What the machine asks before a change: locked, so that of two at once the second sees what the first made. And what the clock
-- of rule R3 asks: today in London, the bank holidays of the next months, and the council's times for this kind.
-- name: referral_lock(referral_id)
SELECT r.state, CASE WHEN s.sides @> '{creator}' THEN 'yes' END AS creator, CASE WHEN s.sides @> '{receiver}' THEN 'yes' END AS receiver,
       CASE WHEN s.sides @> '{carer}' THEN 'yes' END AS carer, r.priority, today() - date '1970-01-01' AS today,
       coalesce(t.times #>> ARRAY['kinds', r.kind, 'routine_working_days'], t.times ->> 'routine_working_days') AS working_days,
       coalesce(t.times #>> ARRAY['kinds', r.kind, 'urgent_minutes'], t.times ->> 'urgent_minutes') AS urgent_minutes,
       (SELECT string_agg((h.day - date '1970-01-01')::text, ',') FROM bank_holiday h
         WHERE h.day BETWEEN today() AND today() + 400) AS holidays,
       precondition(r.id, r.version) AS checked
  FROM referral r
 CROSS JOIN LATERAL (SELECT referral_sides(r) AS sides OFFSET 0) AS s
 CROSS JOIN LATERAL (SELECT council_setting(r.council, 'referral_contact') AS times OFFSET 0) AS t
 WHERE r.id = $1::uuid
   FOR NO KEY UPDATE OF r;

-- The whole row, patched as RFC 7396 says, and of that what a client may change.
-- name: referral_patch(referral_id, patch)
UPDATE referral r
   SET action = 'update',
       (person, kind, priority, channel, type, reason, needs, current_situation, information_as_of, recent_assessment_id,
        to_organisation_id, to_service_id, to_team, legal_basis, consent) = (
           SELECT b.person, b.kind, b.priority, b.channel, b.type, b.reason, b.needs, b.current_situation, b.information_as_of,
                  b.recent_assessment_id, b.to_organisation_id, b.to_service_id, b.to_team, b.legal_basis, b.consent
             FROM referral_row(merge_patch(referral_body(r), $2::jsonb)) AS b)
 WHERE r.id = $1::uuid;

-- `due_day`: days since 1970, for a routine referral: contact is due when that day ends in London; `due_minutes`: for an urgent one.
-- name: referral_submit(referral_id, due_day, due_minutes)
UPDATE referral r
   SET action = 'submit', state = 'requested', action_reason = NULL, action_note = NULL,
       submitted_at = date_trunc('milliseconds', now()),
       contact_due_at = coalesce((date '1970-01-01' + $2::integer + 1)::timestamp AT TIME ZONE 'Europe/London',
                                 date_trunc('milliseconds', now()) + $3::integer * interval '1 minute')
 WHERE r.id = $1::uuid;

-- `body`: of the request, or {}.
-- name: referral_move(referral_id, action, state, body)
UPDATE referral r
   SET action = $2, state = $3, action_reason = $4::jsonb ->> 'reason', action_note = $4::jsonb ->> 'note',
       estimate = coalesce($4::jsonb ->> 'estimate', r.estimate), missing = coalesce($4::jsonb ->> 'missing', r.missing),
       signposts = coalesce($4::jsonb -> 'signposts', r.signposts), outcome = coalesce($4::jsonb ->> 'outcome', r.outcome),
       delivered = coalesce($4::jsonb ->> 'delivered', r.delivered),
       received_at = CASE $2 WHEN 'receive' THEN date_trunc('milliseconds', now()) ELSE r.received_at END,
       contact_channel = coalesce(r.contact_channel, $4::jsonb ->> 'channel'),
       first_contact_at = CASE $2 WHEN 'contact' THEN coalesce(r.first_contact_at, ($4::jsonb ->> 'at')::timestamptz,
                                                               date_trunc('milliseconds', now())) ELSE r.first_contact_at END
 WHERE r.id = $1::uuid;

-- name: referral_history(referral_id)
WITH whose AS MATERIALIZED (
    SELECT r.id, r.council, r.carer_id FROM referral r WHERE r.id = $1::uuid),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT w.council, array_remove(ARRAY[w.carer_id], NULL) FROM whose w)
SELECT concat('{"items":[', (
           SELECT string_agg(concat('{"at":"', instant(h.at), '"', member('from_state', h.from_state), member('action', h.action),
                                    member('to_state', h.to_state), member('reason', h.reason), member('note', h.note),
                                    member('actor', by_whom(h.role, h.organisation_id)), '}'), ',' ORDER BY h.move)
             FROM referral_history h WHERE h.referral_id = w.id), ']}') AS body
  FROM whose w;

-- Lists, newest first. With a filter a page looks at 5,000 referrals at most, and may hold less than the limit although more
-- pages follow. Of one carer (`carer_id`) there are few: they are found by her, all looked at, and the page is whole.
-- `overdue`: whose contact is overdue, or is not.
-- name: referrals_of_councils(limit, cursor, state, kind, carer_id, overdue, updated_since)
WITH bound AS MATERIALIZED (
    SELECT CASE WHEN $5::uuid IS NOT NULL THEN NULL
                WHEN num_nonnulls($3::text, $4::text, $6::boolean, $7::timestamptz) = 0 THEN $1::integer + 1
                ELSE greatest($1::integer + 1, 5000 / greatest(cardinality(app_councils()), 1)) END AS walk),
walked AS MATERIALIZED (
    SELECT f.*
      FROM unnest(app_councils()) AS k(council)
     CROSS JOIN LATERAL (
        SELECT r.id, r.state, r.kind, r.updated_at, referral_overdue(r.contact_due_at, r.first_contact_at, r.state) AS overdue
          FROM referral r
         WHERE r.council = k.council AND r.id < cursor_before($2)
         ORDER BY r.id DESC
         LIMIT (SELECT b.walk FROM bound b)) AS f
     WHERE $5::uuid IS NULL
     UNION ALL
    SELECT r.id, r.state, r.kind, r.updated_at, referral_overdue(r.contact_due_at, r.first_contact_at, r.state)
      FROM referral r
     WHERE r.carer_id = $5 AND r.id < cursor_before($2)
     ORDER BY id DESC
     LIMIT (SELECT b.walk FROM bound b)),
found AS MATERIALIZED (
    SELECT w.id
      FROM walked w
     WHERE coalesce(w.state = $3, true) AND coalesce(w.kind = $4, true)
       AND coalesce(w.overdue = $6::boolean, $6::boolean IS NULL) AND coalesce(w.updated_at >= $7::timestamptz, true)
     ORDER BY w.id DESC
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, v.carer_id, v.council, v.body
      FROM (SELECT f.id FROM found f ORDER BY f.id DESC LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM referral_view v WHERE v.id = f.id OFFSET 0) AS v),
noted AS (
    INSERT INTO audit_entry (council, carer_ids)
    SELECT p.council, array_remove(array_agg(DISTINCT p.carer_id), NULL) FROM page p GROUP BY p.council)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN cursor_of((SELECT f.id FROM found f ORDER BY f.id DESC OFFSET $1::integer - 1 LIMIT 1))
                    WHEN (SELECT count(*) FROM walked) = (SELECT b.walk FROM bound b)
                    THEN cursor_of((SELECT w.id FROM walked w ORDER BY w.id LIMIT 1)) END AS next_cursor) AS n;

-- For organisations: what they sent, what they received, or both; for the carer: what is about her. By `carer_id` only those in which
-- the caller is shown it.
-- name: referrals_of_side(limit, cursor, state, kind, carer_id, overdue, updated_since, direction)
WITH bound AS MATERIALIZED (
    SELECT CASE WHEN $5::uuid IS NOT NULL THEN NULL
                WHEN num_nonnulls($3::text, $4::text, $6::boolean, $7::timestamptz) = 0 THEN $1::integer + 1
                ELSE greatest($1::integer + 1, 5000) END AS walk),
walked AS MATERIALIZED (
    SELECT DISTINCT u.*
      FROM ((SELECT r.id, r.state, r.kind, r.updated_at, referral_overdue(r.contact_due_at, r.first_contact_at, r.state) AS overdue
               FROM referral r
              WHERE r.from_organisation_id = app_org() AND coalesce($8 = 'sent', true) AND $5::uuid IS NULL AND r.id < cursor_before($2)
              ORDER BY r.id DESC
              LIMIT (SELECT b.walk FROM bound b))
             UNION ALL
            (SELECT r.id, r.state, r.kind, r.updated_at, referral_overdue(r.contact_due_at, r.first_contact_at, r.state) AS overdue
               FROM referral r
              WHERE r.to_organisation_id = app_org() AND coalesce($8 = 'received', true) AND $5::uuid IS NULL AND r.id < cursor_before($2)
              ORDER BY r.id DESC
              LIMIT (SELECT b.walk FROM bound b))
             UNION ALL
            (SELECT r.id, r.state, r.kind, r.updated_at, referral_overdue(r.contact_due_at, r.first_contact_at, r.state) AS overdue
               FROM referral r
              WHERE r.carer_id = app_carer() AND current_user = 'carers_self' AND $5::uuid IS NULL AND r.id < cursor_before($2)
              ORDER BY r.id DESC
              LIMIT (SELECT b.walk FROM bound b))
             UNION ALL
            SELECT r.id, r.state, r.kind, r.updated_at, referral_overdue(r.contact_due_at, r.first_contact_at, r.state) AS overdue
              FROM referral r
             WHERE r.carer_id = $5 AND r.id < cursor_before($2) AND referral_shows_carer(r, referral_sides(r))
               AND (r.from_organisation_id = app_org() AND coalesce($8 = 'sent', true)
                    OR r.to_organisation_id = app_org() AND coalesce($8 = 'received', true)
                    OR r.carer_id = app_carer() AND current_user = 'carers_self')) AS u
     ORDER BY u.id DESC
     LIMIT (SELECT b.walk FROM bound b)),
found AS MATERIALIZED (
    SELECT w.id
      FROM walked w
     WHERE coalesce(w.state = $3, true) AND coalesce(w.kind = $4, true)
       AND coalesce(w.overdue = $6::boolean, $6::boolean IS NULL) AND coalesce(w.updated_at >= $7::timestamptz, true)
     ORDER BY w.id DESC
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, v.carer_id, v.council, v.body
      FROM (SELECT f.id FROM found f ORDER BY f.id DESC LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM referral_view v WHERE v.id = f.id OFFSET 0) AS v),
noted AS (
    INSERT INTO audit_entry (council, carer_ids)
    SELECT p.council, array_remove(array_agg(DISTINCT p.carer_id), NULL) FROM page p GROUP BY p.council)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN cursor_of((SELECT f.id FROM found f ORDER BY f.id DESC OFFSET $1::integer - 1 LIMIT 1))
                    WHEN (SELECT count(*) FROM walked) = (SELECT b.walk FROM bound b)
                    THEN cursor_of((SELECT w.id FROM walked w ORDER BY w.id LIMIT 1)) END AS next_cursor) AS n;

-- Routes: few.
-- name: referral_routes()
SELECT page_body(string_agg(concat('{"id":"', t.id, '"', member('council', t.council), member('kind', t.kind), member('area', nullif(t.area, '')),
                                   member('organisation_id', t.organisation_id::text), member('team', t.team),
                                   member('self_referral', t.self_referral), member('created_at', instant(t.created_at)), '}'),
                            ',' ORDER BY t.council, t.kind, t.area), NULL) AS body
  FROM referral_route t;

-- name: referral_route_insert(body)
INSERT INTO referral_route (council, kind, area, organisation_id, team, self_referral)
SELECT b.council, b.kind, coalesce(b.area, ''), b.organisation_id, b.team, coalesce(b.self_referral, false)
  FROM jsonb_populate_record(NULL::referral_route, $1::jsonb) AS b
RETURNING id, concat('{"id":"', id, '"', member('council', council), member('kind', kind), member('area', nullif(area, '')),
                     member('organisation_id', organisation_id::text), member('team', team), member('self_referral', self_referral),
                     member('created_at', instant(created_at)), '}') AS body;

-- name: referral_route_delete(route_id)
DELETE FROM referral_route t WHERE t.id = $1::uuid RETURNING t.id;
