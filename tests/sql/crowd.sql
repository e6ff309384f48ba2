-- `people` invented carers (psql variable) in twelve councils, as they would be after years: one large council, common and rare sources,
-- a common name, organisations that know a fiftieth of all carers, ten of them, and some hundreds. Made without triggers, for speed.
SET session_replication_role = replica;

INSERT INTO organisation (id, name, kind, councils)
SELECT ('00000000-0000-7000-9000-' || lpad(g::text, 12, '0'))::uuid, 'Organisation ' || g, 'carer_organisation',
       ARRAY(SELECT 'E09' || lpad(c::text, 6, '0') FROM generate_series(1, 12) AS c)
  FROM generate_series(1, 20) AS g;

CREATE TEMPORARY TABLE crowd AS
SELECT g, (lpad(to_hex(1700000000000 + g * 30000), 12, '0') || '70008000' || lpad(to_hex(g), 12, '0'))::uuid AS id,
       'E09' || lpad((CASE WHEN g % 3 = 0 THEN 1 ELSE 1 + (g * 7 + g / 1000) % 12 END)::text, 6, '0') AS council,
       (ARRAY['identified', 'registered', 'active', 'active', 'active', 'inactive', 'closed', 'closed'])
           [1 + (g * 31 + g / 77) % 8] AS state,
       (ARRAY['yes', 'no', 'no', 'unknown'])[1 + (g * 13 + g / 91) % 4] AS known,
       CASE WHEN g % 5000 = 0 THEN 'ambulance'
            ELSE (ARRAY['gp', 'hospital_discharge', 'carer_organisation', 'self', 'adult_social_care'])[1 + g % 5]
       END AS source,
       timestamptz '2023-11-14 22:13:20+00' + g * interval '30 seconds' AS at
  FROM generate_series(1, :people::bigint) AS g;

INSERT INTO carer (id, council, state, state_since, created_at, updated_at, kind, given_name, family_name, family_key,
                   date_of_birth, nhs_number, contact, address, postcode, preferred_language, identification, source,
                   previously_known, known_to_social_care, known, employment_status, gp, cared_for, external_refs)
SELECT c.id, c.council, c.state, c.at, c.at, c.at + (c.g % 1000) * interval '1 hour', 'adult',
       CASE WHEN c.g % 25 = 0 THEN 'Nadia' ELSE 'Given' || c.g % 1000 END,
       'Family' || c.g * 7919 % 3000, 'family' || c.g * 7919 % 3000, date '1940-01-01' + (c.g * 104729 % 25000)::integer,
       CASE WHEN c.g % 3 > 0 THEN '9' || lpad(c.g::text, 9, '0') END,
       jsonb_build_object('phone', '+447700900' || lpad((c.g % 1000)::text, 3, '0'), 'preferred', 'phone',
                          'email', 'carer' || c.g || '@example.org'),
       jsonb_build_object('line_1', c.g % 300 || ' Invented Street', 'town', 'Sampleton', 'postcode', p.postcode), p.postcode,
       'en', jsonb_build_object('source', c.source, 'identified_on', '2024-03-01'), c.source, false,
       CASE c.known WHEN 'yes' THEN true WHEN 'no' THEN false END, c.known, 'not_seeking_work_or_retired',
       jsonb_build_object('practice_code', 'F83999', 'registered_as_carer', 'yes', 'registered_on', '2024-04-02'),
       jsonb_build_array(jsonb_build_object('relationship', 'parent', 'given_name', 'Asha', 'setting', 'home',
                                            'needs', jsonb_build_array('dementia', 'frailty'))),
       CASE WHEN c.g % 2 = 0 THEN jsonb_build_array(jsonb_build_object('system', 'case-system', 'id', c.g::text)) END
  FROM crowd c
 CROSS JOIN LATERAL (SELECT 'ZZ' || c.g % 100 || ' ' || c.g % 10 || 'AA' AS postcode) AS p;

INSERT INTO carer_external_ref (system, ref, carer_id) SELECT 'case-system', c.g::text, c.id FROM crowd c WHERE c.g % 2 = 0;

INSERT INTO carer_access (organisation_id, carer_id, reason, starts_at, council, state, source, known, changed_at)
SELECT ('00000000-0000-7000-9000-' || lpad(o.n::text, 12, '0'))::uuid, c.id, 'registered', c.created_at, c.council, c.state,
       c.source, c.known, c.updated_at
  FROM crowd w
  JOIN carer c USING (id)
 CROSS JOIN LATERAL (VALUES (CASE WHEN w.g % 50 = 0 THEN 1 END), (CASE WHEN w.g % (:people / 10) = 1 THEN 2 END),
                            (CASE WHEN w.g % 7 = 0 THEN 3 + w.g % 18 END)) AS o(n)
 WHERE o.n IS NOT NULL;

INSERT INTO carer_triage (id, carer_id, council, level, needs, completed_on, recorded_by, recorded_by_role, created_at)
SELECT uuid7(c.at), c.id, c.council, CASE c.g % 4 WHEN 0 THEN 'intensive' ELSE 'light' END, '["break_from_caring"]', c.at::date,
       'somebody', 'practitioner', c.at
  FROM crowd c
 WHERE c.g % 2 = 0;

INSERT INTO contingency_plan (carer_id, council, emergency_contacts, instructions, reviewed_on)
SELECT c.id, c.council, '[{"name": "Somebody", "relationship": "friend", "phone": "+441632960100"}]', 'Call them.', '2024-03-01'
  FROM crowd c WHERE c.g % 3 > 0;

INSERT INTO emergency_access (id, carer_id, council, organisation_id, organisation_name, actor, role, reason)
SELECT gen_random_uuid(), c.id, c.council, '00000000-0000-7000-9000-000000000001', 'Organisation 1', 'somebody',
       'hospital_in_reach', 'An emergency.'
  FROM crowd c CROSS JOIN generate_series(1, 2) WHERE c.g % 20 = 0;
INSERT INTO consent (id, carer_id, council, purpose, organisation_id, organisation_name, decision, method, wording_version,
                     recorded_by, recorded_by_role)
SELECT gen_random_uuid(), c.id, c.council, p.purpose, p.org, CASE WHEN p.org IS NOT NULL THEN 'Organisation 1' END, 'given',
       'verbal', '2024-01', 'somebody', 'practitioner'
  FROM crowd c
 CROSS JOIN LATERAL (VALUES ('demographics', NULL::uuid), ('share_between_services', NULL),
                            ('share_with_organisation', '00000000-0000-7000-9000-000000000001')) AS p(purpose, org)
 WHERE c.g % 5 = 0;

INSERT INTO carer_demographics (carer_id, council, ethnicity, gender)
SELECT c.id, c.council, 'white_british', 'woman' FROM crowd c WHERE c.g % 10 = 0;
INSERT INTO passport (id, carer_id, council, number, issued_on, expires_on, issued_by, issued_by_role)
SELECT uuid7(c.at), c.id, c.council,
       'CP-' || regexp_replace(lpad(translate(to_hex(c.g * 104729), 'abcdef', 'ABCDEF'), 16, '0'), '(.{4})(?=.)', '\1-', 'g'),
       c.at::date, c.at::date + 730, 'somebody', 'practitioner'
  FROM crowd c
 WHERE c.g % 2 = 0;

INSERT INTO assessment (id, carer_id, council, kind, state, created_at, updated_at, assessor_type, assessor_organisation_id,
                        planned, due_on, completed_on, needs, practitioner_notes)
SELECT uuid7(c.at), c.id, c.council, k.kind, k.state, c.at, c.at + (c.g % 1000) * interval '1 hour',
       CASE WHEN o.org IS NULL THEN 'council' ELSE 'trusted_assessor' END, o.org,
       CASE WHEN k.kind = 'review' THEN true END, CASE WHEN k.kind = 'review' THEN c.at::date + 365 END,
       CASE WHEN k.state = 'completed' THEN c.at::date + 7 END, '["break_from_caring", "own_health"]', 'Invented notes'
  FROM crowd c
 CROSS JOIN LATERAL (SELECT CASE WHEN c.g % 50 = 0 THEN '00000000-0000-7000-9000-000000000001'::uuid
                                 WHEN c.g % (:people / 10) = 1 THEN '00000000-0000-7000-9000-000000000002' END AS org) AS o
  JOIN (VALUES (0, 'statutory', 'completed'), (1, 'review', 'due'), (2, 'statutory', 'completed'), (3, 'review', 'completed'),
               (4, 'light_touch', 'completed'), (5, 'review', 'due'), (6, 'statutory', 'requested'), (7, 'review', 'scheduled'),
               (8, 'light_touch', 'full_offered'), (9, 'reassessment', 'completed')) AS k(n, kind, state)
    ON k.n = (c.g * 7 + c.g / 50) % 10;

-- What was found in those that are completed; the first carer has forty more, years of reviews.
INSERT INTO assessment (id, carer_id, council, kind, state, created_at, updated_at, assessor_type, planned, due_on, completed_on)
SELECT uuid7(c.at + n * interval '30 days'), c.id, c.council, 'review', 'completed', c.at, c.at, 'council', true,
       c.at::date + n * 30, c.at::date + n * 30
  FROM crowd c CROSS JOIN generate_series(1, 40) AS n WHERE c.g = 1;
CREATE TEMPORARY TABLE found AS
SELECT a.id, a.carer_id, a.council, a.completed_on, 7 + abs(hashtext(a.id::text)) % 29 AS raw
  FROM assessment a WHERE a.completed_on IS NOT NULL;
INSERT INTO assessment_swemwbs (assessment_id, carer_id, council, completed_on, responses, answered_by, complete, raw, metric, band)
SELECT f.id, f.carer_id, f.council, f.completed_on, '{"optimism": 3}', 'assessor', true, s.raw, s.metric, s.band
  FROM found f JOIN swemwbs_score s USING (raw);
INSERT INTO assessment_ratings (id, assessment_id, carer_id, council, instrument, instrument_id, instrument_version, completed_on,
                                ratings)
SELECT gen_random_uuid(), f.id, f.carer_id, f.council, i.key, i.id, i.version, f.completed_on,
       (SELECT jsonb_agg(jsonb_build_object('area', a -> 'key', 'rating', 1 + f.raw % 5))
          FROM jsonb_array_elements(i.definition -> 'areas') AS a)
  FROM found f JOIN instrument i ON i.key = 'carers_star';
INSERT INTO assessment_i_statements (assessment_id, carer_id, council, completed_on, statements, roll_up)
SELECT f.id, f.carer_id, f.council, f.completed_on,
       '[{"code": "listened_to", "status": "met"}, {"code": "respect_and_dignity", "status": "not_met"}]', 'partially_met'
  FROM found f;
INSERT INTO assessment_eligibility (assessment_id, carer_id, council, decided_on, necessary_care, circumstances, significant_impact,
                                    decision, reasons)
SELECT f.id, f.carer_id, f.council, f.completed_on, true, '["recreation"]', true, 'eligible', 'Invented reasons' FROM found f;
UPDATE assessment SET results = 4 WHERE completed_on IS NOT NULL;

-- A referral of every carer, from the large organisation to the small one or to others.
INSERT INTO referral (id, council, carer_id, person, subject_key, from_side, from_organisation_id, from_role, kind, type, state, submitted_at,
                      contact_due_at, to_organisation_id, to_team, correlation_id, created_at, updated_at)
SELECT uuid7(c.at), c.council, c.id, '{"given_name": "Given", "family_name": "Family"}', c.id::text,
       CASE WHEN c.g % 3 = 0 THEN 'council' ELSE 'organisation' END,
       CASE WHEN c.g % 3 > 0 THEN ('00000000-0000-7000-9000-' || lpad(CASE WHEN c.g % 50 = 0 THEN '1' ELSE (3 + c.g % 18)::text END, 12, '0'))::uuid END,
       'support_worker', (ARRAY['carers_assessment', 'break', 'gp'])[1 + c.g % 3], 'professional',
       CASE WHEN c.g % 20000 = 0 THEN 'failed' ELSE (ARRAY['requested', 'completed', 'declined', 'in_progress'])[1 + c.g % 4] END, c.at,
       c.at + interval '7 days',
       CASE WHEN c.g % 2 = 0 THEN ('00000000-0000-7000-9000-' || lpad(CASE WHEN c.g % (:people / 10) = 2 THEN '2' ELSE (3 + c.g % 18)::text END, 12, '0'))::uuid END,
       CASE WHEN c.g % 2 = 1 THEN 'adult_social_care' END, c.id, c.at, c.at
  FROM crowd c;
INSERT INTO referral_history (referral_id, move, action, to_state) SELECT r.id, 0, 'create', 'draft' FROM referral r;

-- A break of every carer: of the large organisation's, of the small one's, of others'; every fourth with two sessions.
INSERT INTO carer_break (id, carer_id, council, scheme, provider_organisation_id, from_organisation_id, delivery, purpose, state, frequency,
                         created_at, updated_at)
SELECT uuid7(c.at), c.id, c.council, 'open_breaks',
       ('00000000-0000-7000-9000-' || lpad(CASE WHEN c.g % 50 = 0 THEN '1' WHEN c.g % (:people / 10) = 1 THEN '2' ELSE (3 + c.g % 18)::text END, 12, '0'))::uuid,
       CASE WHEN c.g % 50 = 0 THEN '00000000-0000-7000-9000-000000000001'::uuid WHEN c.g % (:people / 10) = 1 THEN '00000000-0000-7000-9000-000000000002' END,
       (ARRAY['sitting_service', 'activity', 'grant'])[1 + c.g % 3], (ARRAY['rest', 'social'])[1 + c.g % 2],
       CASE WHEN c.g % 20000 = 0 THEN 'paused' ELSE (ARRAY['referred', 'active', 'ended', 'declined'])[1 + c.g % 4] END, 'weekly', c.at,
       c.at + (c.g % 1000) * interval '1 hour'
  FROM crowd c;
INSERT INTO break_history (break_id, move, action, to_state) SELECT b.id, 0, 'create', 'referred' FROM carer_break b;
INSERT INTO break_session (id, break_id, carer_id, council, starts_at, ends_at)
SELECT gen_random_uuid(), b.id, b.carer_id, b.council, b.created_at + n * interval '7 days', b.created_at + n * interval '7 days' + interval '3 hours'
  FROM crowd c JOIN carer_break b ON b.carer_id = c.id CROSS JOIN generate_series(1, 2) AS n
 WHERE c.g % 4 = 0;

-- An award of every second carer, in three financial years.
INSERT INTO funding_award (id, carer_id, council, scheme, scheme_id, level, amount_pence, purpose, applied_on, financial_year, state, decided_at,
                           reason)
SELECT uuid7(c.at), c.id, c.council, s.key, s.id, 'low', 100 * (1 + c.g % 500), 'rest', d.day, financial_year(d.day), d.state,
       CASE WHEN d.state <> 'applied' THEN c.at END, CASE WHEN d.state = 'refused' THEN 'Invented' END
  FROM crowd c
  JOIN funding_scheme s ON s.key = 'carers_personal_budget'
 CROSS JOIN LATERAL (SELECT date '2024-05-01' + (c.g * 7 % 900)::integer AS day, (ARRAY['applied', 'approved', 'refused'])[1 + c.g % 3] AS state) AS d
 WHERE c.g % 2 = 0;

INSERT INTO idempotency (subject, key, fingerprint, created_at, status)
SELECT 'somebody', 'key ' || g, '\x01', now() - g * interval '1 second', 201 FROM generate_series(1, 20000) AS g;

-- The audit trail of 24 months: every twentieth row a page of a list, every tenth a change.
SET timezone = 'UTC';
DROP TABLE audit_entry_earlier;
SELECT audit_partition('audit_entry_earlier', NULL, date_trunc('month', now()) - interval '24 months');
SELECT audit_partition(to_char(m, '"audit_entry_"YYYY_MM'), m, m + interval '1 month')
  FROM generate_series(date_trunc('month', now()) - interval '24 months', date_trunc('month', now()) - interval '1 month',
                       interval '1 month') AS m;
INSERT INTO audit_entry (at, actor, role, client, council, action, request, carer_ids, subject_table, after)
SELECT now() - (240000 - g) * (now() - (now() - interval '24 months')) / 240000,
       CASE WHEN g % 7 = 0 THEN 'nightly-import' ELSE 'staff-' || g * 31 % 997 END, 'practitioner', 'council-portal',
       'E09' || lpad((CASE WHEN g % 3 = 0 THEN 1 ELSE 1 + g * 7 % 12 END)::text, 6, '0'),
       CASE WHEN g % 20 = 0 THEN 'listCarers' WHEN g % 10 = 1 THEN 'updateCarer' WHEN g % 99991 = 7 THEN 'closeCarer'
            ELSE 'getCarer' END,
       'request-' || g, l.carers, CASE WHEN g % 10 = 1 THEN 'carer' END,
       CASE WHEN g % 10 = 1 THEN jsonb_build_object('preferred_language', 'cy') END
  FROM generate_series(1, 240000::bigint) AS g
 CROSS JOIN LATERAL (
    SELECT array_agg((lpad(to_hex(1700000000000 + n * 30000), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid) AS carers
      FROM generate_series(1 + g * 7919 % 20000, 1 + g * 7919 % 20000 + CASE WHEN g % 20 = 0 THEN 9 ELSE 0 END)
           AS n) AS l;
-- Three events a carer, of transactions that are long over; the first carer has 2,000 more, every second of them another
-- organisation's doing, which is shared with consent only. The large organisation may see her, too.
INSERT INTO event_kind (kind, resource, path, shared) VALUES ('crowd.shared', 'carer', '/v1/carers/%1$s', true);

INSERT INTO carer_access (organisation_id, carer_id, reason, starts_at, council, state, source, known, changed_at)
SELECT ('00000000-0000-7000-9000-' || lpad('1', 12, '0'))::uuid, c.id, 'granted', c.created_at, c.council, c.state, c.source,
       c.known, c.updated_at
  FROM crowd w JOIN carer c USING (id) WHERE w.g = 1;

INSERT INTO event (era, txid, at, recorded_at, council, carer_id, kind, resource_id, version, state, summary, actor, role)
SELECT 0, 3 + c.g / 1000, c.at + n * interval '1 day', c.at, c.council, c.id,
       (ARRAY['carer.created', 'carer.updated', 'carer.registered'])[n], c.id, n, c.state, 'The carer was changed', 'somebody',
       'practitioner'
  FROM crowd c CROSS JOIN generate_series(1, 3) AS n
 ORDER BY c.g, n;

INSERT INTO event (era, txid, at, recorded_at, council, carer_id, kind, resource_id, version, summary, actor, role, organisation_id)
SELECT 0, 300, c.at + n * interval '1 hour', c.at, c.council, c.id, (ARRAY['carer.updated', 'crowd.shared'])[1 + n % 2], c.id, n,
       'The carer was changed', 'somebody', 'support_worker', '00000000-0000-7000-9000-000000000003'
  FROM crowd c CROSS JOIN generate_series(100, 2099) AS n
 WHERE c.g = 1;

INSERT INTO event_organisation (organisation_id, era, txid, id, carer_id, at)
SELECT a.organisation_id, e.era, e.txid, e.id, e.carer_id, e.at FROM carer_access a JOIN event e USING (carer_id);

-- The directory: entries of 500 organisations in the twelve councils, in forty towns, in words that are common and rare.
INSERT INTO organisation (id, name, kind, councils, state, council, type, description)
SELECT ('00000000-0000-7000-b000-' || lpad(g::text, 12, '0'))::uuid, 'Trust ' || g, 'community_organisation', ARRAY['E09000001'], 'published',
       'E09' || lpad((1 + g % 12)::text, 6, '0'), 'community', 'Invented'
  FROM generate_series(1, 500) AS g;
INSERT INTO service (id, council, organisation_id, name, description, support_areas, locations, areas_served, weekly, assured_on, state)
SELECT ('00000000-0000-7000-a000-' || lpad(g::text, 12, '0'))::uuid, 'E09' || lpad((1 + g % 12)::text, 6, '0'),
       ('00000000-0000-7000-b000-' || lpad((1 + g % 500)::text, 12, '0'))::uuid, 'Service ' || chr(97 + g % 26) || chr(97 + g / 26 % 26) || 'lan',
       'Help for carers, invented words ' || repeat(md5(g::text) || ' ', 4), CASE g % 3 WHEN 0 THEN '{transport,meals}' ELSE '{advice}' END::text[],
       jsonb_build_array(jsonb_build_object('id', gen_random_uuid(), 'service_at_location_id', gen_random_uuid(), 'kind', 'physical',
                                            'latitude', 51 + g % 40 * 0.1, 'longitude', -2 + g % 40 * 0.1)),
       ARRAY['Town ' || g % 40], '{[540,1020)}', current_date - g % 250, CASE WHEN g % 20 = 0 THEN 'draft' ELSE 'published' END
  FROM generate_series(1, 6000) AS g;
SELECT directory_refill();
INSERT INTO directory_proposal (id, council, organisation_id, service_id, source, patch, diff, created_at)
SELECT gen_random_uuid(), s.council, s.organisation_id, s.id, 'editor', '{"capacity": "no"}', '[{"field": "capacity", "to": "no"}]', now()
  FROM service s CROSS JOIN generate_series(1, 2);
INSERT INTO directory_link (council, service_id, secret_hash, expires_at)
SELECT s.council, s.id, sha256(s.id::text::bytea), now() + interval '7 days' FROM service s;
INSERT INTO postcode (postcode, latitude, longitude, district)
SELECT 'ZZ' || g / 100 || ' ' || g % 10 || chr(65 + g / 10 % 10) || 'A', 51 + g * 0.0001, -1, 'E07000244' FROM generate_series(1, 20000) AS g
    ON CONFLICT DO NOTHING;
INSERT INTO directory_event (id, council, title, starts_at, ends_at)
SELECT gen_random_uuid(), 'E09' || lpad((1 + g % 12)::text, 6, '0'), 'Event', now() + (g - 5000) * interval '1 hour', now() + (g - 4998) * interval '1 hour'
  FROM generate_series(1, 10000) AS g;
INSERT INTO leaflet (id, council, title, link)
SELECT uuid7(now() - g * interval '1 minute'), 'E09' || lpad((1 + g % 12)::text, 6, '0'), 'Leaflet', 'https://example.org' FROM generate_series(1, 10000) AS g;
INSERT INTO leaflet_file (leaflet_id, bytes) SELECT l.id, '%PDF' FROM leaflet l;
INSERT INTO champion (id, council, team, name, since)
SELECT uuid7(now() - g * interval '1 minute'), 'E09' || lpad((1 + g % 12)::text, 6, '0'), 'Team ' || g % 50, 'Invented', '2024-01-01'
  FROM generate_series(1, 5000) AS g;
INSERT INTO directory_import (id, council, source, format, lines, state, actor)
SELECT uuid7(now() - g * interval '1 minute'), 'E09' || lpad((1 + g % 12)::text, 6, '0'), 'Source', 'csv', 1, 'done', 'x' FROM generate_series(1, 5000) AS g;
INSERT INTO oruk_vocabulary (kind, id, council, document) SELECT 'taxonomy_term', gen_random_uuid(), 'E09000001', '{}' FROM generate_series(1, 5000);
SELECT oruk_number('taxonomy_term', ARRAY(SELECT v.id FROM oruk_vocabulary v));
INSERT INTO directory_external_id (council, source, kind, external_id, id) SELECT s.council, 'https://example.org', 'service', s.id::text, s.id FROM service s;

SET session_replication_role = origin;
SELECT search_fill();
-- Words of names as there are among so many: those above have digits, and are like no other.
INSERT INTO name_near (key, word)
SELECT k.key, w.word
  FROM (SELECT DISTINCT translate(left(md5(g::text), 7), '0123456789', 'ghijklmnop') AS word FROM generate_series(1, 5000) AS g) AS w
 CROSS JOIN LATERAL near_keys(w.word) AS k(key)
    ON CONFLICT DO NOTHING;
VACUUM (ANALYZE);
