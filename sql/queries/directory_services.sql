-- Services of the directory, and the taxonomy that they are coded with. See carers.sql for how queries and lists are written.

-- name: service_by_id(service_id)
SELECT v.body, v.version FROM service_view v WHERE v.id = $1::uuid;

-- `body`: ServiceCreate; `hours`: of its schedule, as api/rules/openings.c makes them, or NULL. Without a council it is the organisation's,
-- or the caller's first.
-- name: service_insert(id, body, hours)
INSERT INTO service (id, council, organisation_id, name, description, website, email, status, alert, accreditations, support_areas, needs, offers,
                     eligibility, access_routes, referral_accepting, capacity, cost, funding_types, languages, accessibility, schedule, contacts,
                     locations, areas_served, trust, review_due_on, confidential, external_refs, weekly, dated)
SELECT $1::uuid, coalesce(b.council, (SELECT o.council FROM organisation o WHERE o.id = b.organisation_id), (app_councils())[1]), b.organisation_id,
       b.name, b.description, b.website, b.email, coalesce(b.status, 'active'), b.alert, b.accreditations, coalesce(b.support_areas, '{}'),
       coalesce(b.needs, '{}'), coalesce(b.offers, '{}'), nullif(b.eligibility, '{}'), coalesce(b.access_routes, '{}'), b.referral_accepting,
       b.capacity, nullif(b.cost, '{}'), coalesce(b.funding_types, '{}'), coalesce(b.languages, '{}'), coalesce(b.accessibility, '{}'),
       b.schedule, b.contacts, b.locations, coalesce(b.areas_served, '{}'), nullif(b.trust, '{}'), b.review_due_on, coalesce(b.confidential, false),
       b.external_refs, coalesce(($3::jsonb ->> 'weekly')::int4multirange, '{}'), hours_dated($3::jsonb)
  FROM jsonb_populate_record(NULL::service, $2::jsonb) AS b;

-- name: service_patch(service_id, patch, hours)
SELECT service_patch($1::uuid, $2::jsonb, $3::jsonb);

-- `action`: publish, archive, assure; `state`: what it becomes.
-- name: service_move(service_id, action, state, reason)
SELECT service_move($1::uuid, $2, $3, $4);

-- The work list: entries as those who keep them see them, what was assured longest ago first. With a filter a page looks at 5,000
-- entries at most.
-- name: entries_of_councils(limit, cursor, state, currency, organisation_id, confidential)
WITH asked AS MATERIALIZED (
    SELECT coalesce(e.assured, CASE $4 WHEN 'fresh' THEN today() - 89 WHEN 'due' THEN today() - 180 ELSE '-infinity' END) AS low,
           coalesce(e.id, '00000000-0000-0000-0000-000000000000') AS id,
           CASE $4 WHEN 'due' THEN today() - 90 WHEN 'stale' THEN today() - 181 ELSE 'infinity' END AS high,
           CASE WHEN num_nonnulls($3::text, $5::uuid, $6::boolean) = 0 THEN $1::integer + 1
                ELSE greatest($1::integer + 1, 5000 / greatest(cardinality(app_councils()), 1)) END AS walk
      FROM entry_after($2) AS e),
walked AS MATERIALIZED (
    SELECT f.*
      FROM unnest(app_councils()) AS k(council)
     CROSS JOIN LATERAL (
        SELECT s.id, s.state, s.organisation_id, s.confidential, CASE WHEN s.assured_on IS NULL THEN '-infinity' ELSE s.assured_on END AS assured_on
          FROM service s
         WHERE s.council = k.council
           AND (CASE WHEN s.assured_on IS NULL THEN '-infinity' ELSE s.assured_on END, s.id) > ((SELECT a.low FROM asked a), (SELECT a.id FROM asked a))
           AND CASE WHEN s.assured_on IS NULL THEN '-infinity' ELSE s.assured_on END <= (SELECT a.high FROM asked a)
         ORDER BY CASE WHEN s.assured_on IS NULL THEN '-infinity' ELSE s.assured_on END, s.id
         LIMIT (SELECT a.walk FROM asked a)) AS f
     ORDER BY f.assured_on, f.id
     LIMIT (SELECT a.walk FROM asked a)),
found AS MATERIALIZED (
    SELECT w.id, w.assured_on
      FROM walked w
     WHERE coalesce(w.state = $3, true) AND coalesce(w.organisation_id = $5::uuid, true) AND coalesce(w.confidential = $6::boolean, true)
     ORDER BY w.assured_on, w.id
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT f.id, f.assured_on, v.body
      FROM (SELECT f.* FROM found f ORDER BY f.assured_on, f.id LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (
        SELECT concat(left(v.body, -1), ',"completeness":', (SELECT service_completeness(s) FROM service s WHERE s.id = v.id), '}') AS body
          FROM service_view v WHERE v.id = f.id OFFSET 0) AS v)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.assured_on, p.id) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer
                    THEN (SELECT entry_cursor(f.assured_on, f.id) FROM found f ORDER BY f.assured_on, f.id OFFSET $1::integer - 1 LIMIT 1)
                    WHEN (SELECT count(*) FROM walked) = (SELECT a.walk FROM asked a)
                    THEN (SELECT entry_cursor(w.assured_on, w.id) FROM walked w ORDER BY w.assured_on DESC, w.id DESC LIMIT 1) END AS next_cursor) AS n;

-- An organisation's own.
-- name: entries_of_organisation(limit, cursor, state, currency)
WITH found AS MATERIALIZED (
    SELECT s.id
      FROM service s
     WHERE s.organisation_id = app_org() AND s.id < cursor_before($2) AND coalesce(s.state = $3, true)
       AND coalesce(directory_currency(s.assured_on) = $4, true)
     ORDER BY s.id DESC
     LIMIT $1::integer + 1),
page AS MATERIALIZED (
    SELECT v.id, concat(left(v.body, -1), ',"completeness":', (SELECT service_completeness(s) FROM service s WHERE s.id = v.id), '}') AS body
      FROM (SELECT f.id FROM found f ORDER BY f.id DESC LIMIT $1::integer) AS f
     CROSS JOIN LATERAL (SELECT v.* FROM service_view v WHERE v.id = f.id OFFSET 0) AS v)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.id DESC) FROM page p), n.next_cursor) AS body, n.next_cursor
  FROM (SELECT CASE WHEN (SELECT count(*) FROM found) > $1::integer THEN cursor_of((SELECT min(p.id::text)::uuid FROM page p)) END AS next_cursor) AS n;

-- `taxonomy`: one of them, or NULL for all.
-- name: taxonomy_terms(taxonomy)
SELECT page_body(string_agg(concat('{"taxonomy":"', t.taxonomy, '","code":"', t.code, '"', member('id', t.id::text), member('label', t.label),
                                   member('description', t.description), member('parent', t.parent), member('synonyms', t.synonyms),
                                   member('uri', t.uri), '}'),
                            ',' ORDER BY t.taxonomy, t.place), NULL) AS body
  FROM taxonomy_term t
 WHERE t.active AND coalesce(t.taxonomy = $1, true);

-- name: directory_quality()
SELECT page_body(string_agg(concat('{"council":"', q.council, '","published":', q.entries, ',"fresh":', q.fresh, ',"due":', q.due, ',"stale":', q.stale,
                                   ',"assured_within_90_days_percent":', 100 * q.fresh / q.entries, ',"completeness_percent":', q.completeness / q.entries, '}'),
                            ',' ORDER BY q.council), NULL) AS body
  FROM (SELECT t.council, sum(t.entries) AS entries, sum(t.completeness)::bigint AS completeness,
               coalesce(sum(t.entries) FILTER (WHERE directory_currency(t.assured_on) = 'fresh'), 0) AS fresh,
               coalesce(sum(t.entries) FILTER (WHERE directory_currency(t.assured_on) = 'due'), 0) AS due,
               coalesce(sum(t.entries) FILTER (WHERE directory_currency(t.assured_on) = 'stale'), 0) AS stale
          FROM directory_tally t
         GROUP BY t.council
        HAVING sum(t.entries) > 0) AS q;

-- For the service's housekeeping, under no class: entries whose hours may have to be worked out anew.
-- name: hours_page()
SELECT h.id, h.schedule FROM hours_page() AS h;

-- `items`: [{id, schedule, hours}].
-- name: hours_renew(items)
SELECT hours_renew($1::jsonb) AS renewed;
