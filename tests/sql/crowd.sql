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

INSERT INTO idempotency (subject, key, fingerprint, created_at, status)
SELECT 'somebody', 'key ' || g, '\x01', now() - g * interval '1 second', 201 FROM generate_series(1, 20000) AS g;

SET session_replication_role = origin;
\timing on
SELECT search_fill();
VACUUM (ANALYZE);
