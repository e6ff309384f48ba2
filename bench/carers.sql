-- The invented data set of ./dev bench: two councils, four organisations, :carers carers; the same at every run.
--
-- Run by the superuser of the bench's own database, without triggers: what they would fill in is filled in here, because
-- one transaction that asks for a million carers' twins would need a million locks.
SET session_replication_role = replica;
BEGIN;

INSERT INTO organisation (id, name, kind, councils)
SELECT ('0190a000-0000-7000-9000-' || (100000000000 + i))::uuid, 'Invented organisation ' || i,
       (ARRAY['carer_organisation', 'breaks_provider', 'hospital_trust', 'community_organisation'])[i + 1],
       ARRAY[(ARRAY['E09000019', 'E09000007'])[i % 2 + 1]]
  FROM generate_series(0, 3) AS i;

INSERT INTO carer (id, council, state, created_at, updated_at, state_since, kind, given_name, family_name, family_key,
                   date_of_birth, nhs_number, contact, address, postcode, preferred_language, interpreter_required,
                   identification, source, previously_known, known_to_social_care, known, employment_status, gp, cared_for,
                   triage)
SELECT ('0190a000-0000-7000-8000-' || (100000000000 + i))::uuid,
       (ARRAY['E09000019', 'E09000007'])[i % 2 + 1],
       s.state, t.made, t.made, t.made,
       (ARRAY['adult', 'adult', 'adult', 'parent', 'young'])[i % 5 + 1],
       (ARRAY['Nadia', 'Tom', 'Grace', 'Idris', 'Mei', 'Olwen', 'Piotr', 'Ruth', 'Samuel', 'Zainab', 'Joan'])[i % 11 + 1],
       f.family_name, search_key(f.family_name),
       date '1935-01-01' + i * 37 % 25000,
       n.nhs_number,
       jsonb_build_object('phone', '+447700900' || lpad((i % 1000)::text, 3, '0'), 'email', 'carer.' || i || '@example.org',
                          'preferred', (ARRAY['phone', 'email', 'sms', 'letter'])[i % 4 + 1]),
       jsonb_build_object('line_1', 1 + i % 180 || ' Invented Terrace', 'town', 'London', 'postcode', p.postcode),
       p.postcode,
       (ARRAY['en', 'en', 'en', 'bn', 'so', 'pl'])[i % 6 + 1], i % 6 > 2,
       jsonb_build_object('source', o.source, 'identified_on', to_char(t.made, 'YYYY-MM-DD')),
       o.source, i % 2 = 0, i % 7 = 0, (ARRAY['no', 'yes'])[(i % 7 = 0)::integer + 1],
       (ARRAY['not_seeking_work_or_retired', 'seeking_work', 'paid_less_than_16_hours', 'paid_16_hours_or_more'])[i % 4 + 1],
       jsonb_build_object('practice_code', 'F83' || lpad((i % 1000)::text, 3, '0'), 'name', 'Invented Lane Surgery',
                          'registered_as_carer', 'yes', 'registered_on', to_char(t.made, 'YYYY-MM-DD')),
       jsonb_build_array(jsonb_build_object('relationship', 'parent', 'given_name', 'Amina', 'setting', 'home', 'needs',
                                            jsonb_build_array('dementia', 'frailty'))),
       CASE WHEN s.state <> 'identified' THEN
            jsonb_build_object('level', 'light', 'needs', jsonb_build_array('information_and_advice'), 'completed_on',
                               to_char(t.made, 'YYYY-MM-DD')) END
  FROM generate_series(0, :carers - 1) AS i
 CROSS JOIN LATERAL (SELECT timestamptz '2025-01-01 09:00:00+00' + i * interval '1 second' AS made) AS t
 CROSS JOIN LATERAL (SELECT (ARRAY['identified', 'registered', 'active', 'active', 'inactive', 'closed'])[i / 2 % 6 + 1]
                    ) AS s(state)
 CROSS JOIN LATERAL (SELECT (ARRAY['gp', 'self', 'hospital_discharge', 'carer_organisation'])[i / 2 % 4 + 1]) AS o(source)
 CROSS JOIN LATERAL (SELECT (ARRAY['Rahman', 'Okafor', 'O''Brien', 'Nowak', 'Smith', 'Jones', 'Ahmed', 'Lindqvist', 'Mensah',
                                   'Evans', 'Murray', 'Clarke', 'Begum'])[i % 13 + 1] || '-'
                         || (ARRAY['Hill', 'Ward', 'Marsh', 'Green', 'Stone', 'Field', 'Brook'])[i / 13 % 7 + 1]
                    ) AS f(family_name)
 CROSS JOIN LATERAL (SELECT 'N' || 1 + i % 19 || ' ' || i / 19 % 10 || 'U' || chr(65 + i / 190 % 4)) AS p(postcode)
 -- 999: numbers that are given to nobody. A check digit of 10 makes no number (modulus 11).
 CROSS JOIN LATERAL (SELECT 11 - sum(substr((999000000 + i)::text, k, 1)::integer * (11 - k)) % 11 AS digit
                       FROM generate_series(1, 9) AS k) AS c
 CROSS JOIN LATERAL (SELECT CASE WHEN c.digit <> 10 THEN 999000000 + i || (c.digit % 11)::text END) AS n(nhs_number);

INSERT INTO carer_access (organisation_id, carer_id, reason, granted_by, council, state, source, known, changed_at)
SELECT ('0190a000-0000-7000-9000-' || (100000000000 + r.i % 4))::uuid, c.id, 'registered', 'bench', c.council, c.state,
       c.source, c.known, c.updated_at
  FROM carer c
 CROSS JOIN LATERAL (SELECT right(c.id::text, 12)::bigint - 100000000000 AS i) AS r;

COMMIT;
VACUUM ANALYZE organisation, carer, carer_access; -- not what is empty: plans for an empty table read it from end to end
