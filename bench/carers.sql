-- The invented data set of ./dev bench: :councils councils, :carers carers, four organisations that know a quarter of them each,
-- and one that knows ten; the same at every run. Names are as common as names are: the first family name is borne by one in
-- a hundred, one in ten is double. One event a carer; the second carer of the first council has 2,000.
--
-- Run by the superuser of the bench's own database, without triggers: what they would fill in is filled in here, because
-- one transaction that asks for a million carers' twins would need a million locks.
SET session_replication_role = replica;
BEGIN;

CREATE TEMPORARY TABLE council AS
SELECT place - 1 AS place, code
  FROM unnest(ARRAY['E09000019', 'E09000007', 'E09000012', 'E09000014', 'E09000022', 'E09000025', 'E09000028', 'E09000030',
                    'E09000032', 'E09000033', 'E09000002', 'E09000003']) WITH ORDINALITY AS c(code, place)
 WHERE place <= :councils;

-- A rank among so many, as if drawn for each carer and question: the nth is about n times as rare as the first; `flat`
-- says how many are nearly as common as that.
CREATE FUNCTION pg_temp.drawn(i bigint, question bigint, many integer, flat float8) RETURNS integer LANGUAGE sql IMMUTABLE
    RETURN floor(flat * (power((many + flat) / flat, (hashint8extended(i, question) & 2147483647) / 2147483648.0) - 1));

CREATE TEMPORARY TABLE syllable AS
SELECT place - 1 AS place, word
  FROM unnest(ARRAY['ra', 'so', 'mi', 'ka', 'le', 'to', 'ni', 'ba', 'du', 'hel', 'wi', 'jor', 'pa', 'ge', 'fin', 'lu', 'za',
                    'chi', 'mon', 'ta', 'vi', 'ho', 'ner', 'sha', 'bri']) WITH ORDINALITY AS s(word, place);
CREATE TEMPORARY TABLE bearable AS
SELECT row_number() OVER (ORDER BY d.word NULLS FIRST, c.word NULLS FIRST, b.place, a.place) AS rank,
       initcap(concat(a.word, b.word, c.word, d.word)) AS name
  FROM syllable a CROSS JOIN syllable b
 CROSS JOIN (SELECT NULL AS word UNION ALL SELECT s.word FROM syllable s) AS c
 CROSS JOIN (SELECT NULL AS word UNION ALL SELECT s.word FROM syllable s WHERE s.place < 3) AS d;
CREATE TEMPORARY TABLE family AS
SELECT row_number() OVER (ORDER BY n.rank) - 1 AS rank, n.name
  FROM (SELECT place - 100 AS rank, word AS name
          FROM unnest(ARRAY['Smith', 'Jones', 'Khan', 'Patel', 'Williams', 'Ahmed', 'Taylor', 'Brown', 'Begum', 'Davies', 'Evans',
                            'Hussain', 'Ali', 'Singh', 'Wilson', 'Thomas', 'Rahman', 'Johnson', 'Roberts', 'Okafor', 'O''Brien',
                            'Nowak', 'Walker', 'Wright', 'Lindqvist', 'Mensah', 'Murray', 'Clarke', 'Robinson', 'Thompson'])
               WITH ORDINALITY AS f(word, place)
         UNION ALL
        SELECT b.rank, b.name FROM bearable b) AS n;
CREATE TEMPORARY TABLE given AS
SELECT row_number() OVER (ORDER BY n.rank) - 1 AS rank, n.name
  FROM (SELECT place - 100 AS rank, word AS name
          FROM unnest(ARRAY['Margaret', 'Mary', 'Susan', 'John', 'David', 'Mohammed', 'Patricia', 'Michael', 'Fatima', 'Joan',
                            'Nadia', 'Tom', 'Grace', 'Idris', 'Mei', 'Olwen', 'Piotr', 'Ruth', 'Samuel', 'Zainab', 'Helen',
                            'Amina', 'Peter', 'Sarah', 'Linda', 'James', 'Elizabeth']) WITH ORDINALITY AS g(word, place)
         UNION ALL
        SELECT b.rank + 100, b.name FROM bearable b WHERE b.rank <= 3000) AS n;
ANALYZE family;
ANALYZE given;

INSERT INTO organisation (id, name, kind, councils)
SELECT ('0190a000-0000-7000-9000-' || (100000000000 + i))::uuid, 'Invented organisation ' || i,
       (ARRAY['carer_organisation', 'breaks_provider', 'hospital_trust', 'community_organisation'])[i + 1],
       ARRAY(SELECT c.code FROM council c WHERE c.place % least(4, :councils) = i % least(4, :councils))
  FROM generate_series(0, 3) AS i
 UNION ALL
SELECT '0190a000-0000-7000-9000-100000000004', 'Invented organisation of ten', 'carer_organisation',
       ARRAY(SELECT c.code FROM council c);

INSERT INTO carer (id, council, state, created_at, updated_at, state_since, kind, given_name, family_name, family_key,
                   date_of_birth, nhs_number, contact, address, postcode, preferred_language, interpreter_required,
                   identification, source, previously_known, known_to_social_care, known, employment_status, gp, cared_for,
                   triage)
SELECT ('0190a000-0000-7000-8000-' || (100000000000 + i))::uuid,
       k.code, s.state, t.made, t.made, t.made,
       (ARRAY['adult', 'adult', 'adult', 'parent', 'young'])[i % 5 + 1],
       g.name, f.family_name, search_key(f.family_name),
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
  JOIN council k ON k.place = i % :councils
  JOIN given g ON g.rank = pg_temp.drawn(i, 0, 3000, 8)
  JOIN family a ON a.rank = pg_temp.drawn(i, 1, 60000, 10)
  JOIN family b ON b.rank = pg_temp.drawn(i, 2, 60000, 10)
 CROSS JOIN LATERAL (SELECT a.name || CASE WHEN i % 10 = 7 THEN '-' || b.name ELSE '' END) AS f(family_name)
 CROSS JOIN LATERAL (SELECT timestamptz '2025-01-01 09:00:00+00' + i * interval '1 second' AS made) AS t
 CROSS JOIN LATERAL (SELECT (ARRAY['identified', 'registered', 'active', 'active', 'inactive', 'closed'])[i / 2 % 6 + 1]
                    ) AS s(state)
 CROSS JOIN LATERAL (SELECT (ARRAY['gp', 'self', 'hospital_discharge', 'carer_organisation'])[i / 2 % 4 + 1]) AS o(source)
 CROSS JOIN LATERAL (SELECT 'N' || 1 + i % 19 || ' ' || i / 19 % 10 || chr(65 + i / 190 % 20) || chr(65 + i / 3800 % 20)
                    ) AS p(postcode)
 -- 999: numbers that are given to nobody. A check digit of 10 makes no number (modulus 11).
 CROSS JOIN LATERAL (SELECT 11 - sum(substr((999000000 + i)::text, k, 1)::integer * (11 - k)) % 11 AS digit
                       FROM generate_series(1, 9) AS k) AS c
 CROSS JOIN LATERAL (SELECT CASE WHEN c.digit <> 10 THEN 999000000 + i || (c.digit % 11)::text END) AS n(nhs_number);

INSERT INTO carer_access (organisation_id, carer_id, reason, granted_by, council, state, source, known, changed_at)
SELECT ('0190a000-0000-7000-9000-' || (100000000000 + r.i % 4))::uuid, c.id, 'registered', 'bench', c.council, c.state,
       c.source, c.known, c.updated_at
  FROM carer c
 CROSS JOIN LATERAL (SELECT right(c.id::text, 12)::bigint - 100000000000 AS i) AS r;
INSERT INTO carer_access (organisation_id, carer_id, reason, granted_by, council, state, source, known, changed_at)
SELECT '0190a000-0000-7000-9000-100000000004', c.id, 'granted', 'bench', c.council, c.state, c.source, c.known, c.updated_at
  FROM generate_series(0, 9) AS n
  JOIN carer c ON c.id = ('0190a000-0000-7000-8000-' || 100000000000 + n * (:carers / 10) + n * 7 % 10)::uuid;

INSERT INTO event (era, at, council, carer_id, kind, resource_id, version, state, summary, actor, role)
SELECT r.era, c.created_at, c.council, c.id, 'carer.created', c.id, 1, 'identified', 'The carer was recorded', 'bench',
       'practitioner'
  FROM carer c CROSS JOIN event_era r
 ORDER BY c.id;
INSERT INTO event (era, at, council, carer_id, kind, resource_id, version, state, summary, actor, role, organisation_id)
SELECT r.era, c.created_at + n * interval '1 hour', c.council, c.id, (ARRAY['carer.updated', 'contact.recorded'])[1 + n % 2],
       c.id, n + 1, CASE WHEN n % 2 = 0 THEN c.state END,
       CASE n % 2 WHEN 0 THEN 'Changed: contact, preferred language' ELSE 'A contact was recorded' END, 'bench',
       CASE n % 3 WHEN 0 THEN 'support_worker' ELSE 'practitioner' END,
       CASE n % 3 WHEN 0 THEN '0190a000-0000-7000-9000-100000000002'::uuid END
  FROM carer c CROSS JOIN event_era r CROSS JOIN generate_series(1, 1999) AS n
 WHERE c.id = ('0190a000-0000-7000-8000-' || 100000000000 + :councils)::uuid;
INSERT INTO event_organisation (organisation_id, era, txid, id, carer_id, at)
SELECT a.organisation_id, e.era, e.txid, e.id, e.carer_id, e.at FROM event e JOIN carer_access a USING (carer_id) ORDER BY e.id;

-- Four assessments of each of the first 50,000 carers, a year apart, with three results each: 200,000 where there are so many.
INSERT INTO assessment (id, carer_id, council, kind, state, created_at, updated_at, assessor_type, assessor_organisation_id, planned,
                        due_on, completed_on, results)
SELECT uuid7(c.created_at + n * interval '365 days'), c.id, c.council, CASE n WHEN 0 THEN 'statutory' ELSE 'review' END, 'completed',
       c.created_at, c.created_at, CASE WHEN r.i % 3 = 0 THEN 'council' ELSE 'commissioned_provider' END,
       CASE WHEN r.i % 3 > 0 THEN ('0190a000-0000-7000-9000-' || (100000000000 + r.i % 3))::uuid END,
       CASE WHEN n > 0 THEN true END, CASE WHEN n > 0 THEN d.day END, d.day, 3
  FROM carer c
 CROSS JOIN generate_series(0, 3) AS n
 CROSS JOIN LATERAL (SELECT right(c.id::text, 12)::bigint - 100000000000 AS i) AS r
 CROSS JOIN LATERAL (SELECT date '2023-01-05' + (r.i % 300)::integer + n * 330 AS day) AS d
 WHERE r.i < 50000;
CREATE TEMPORARY TABLE found AS
SELECT a.id, a.carer_id, a.council, a.completed_on, 7 + abs(hashtext(a.id::text)) % 29 AS raw FROM assessment a;
INSERT INTO assessment_swemwbs (assessment_id, carer_id, council, completed_on, responses, answered_by, complete, raw, metric, band)
SELECT f.id, f.carer_id, f.council, f.completed_on,
       '{"optimism": 3, "usefulness": 3, "relaxation": 2, "problem_handling": 3, "clear_thinking": 3, "closeness": 3, "own_decisions": 2}',
       'assessor', true, s.raw, s.metric, s.band
  FROM found f JOIN swemwbs_score s USING (raw);
INSERT INTO assessment_ratings (id, assessment_id, carer_id, council, instrument, instrument_id, instrument_version, completed_on, ratings)
SELECT uuid7(now()), f.id, f.carer_id, f.council, i.key, i.id, i.version, f.completed_on,
       (SELECT jsonb_agg(jsonb_build_object('area', a -> 'key', 'rating', 1 + (f.raw + n) % 5))
          FROM jsonb_array_elements(i.definition -> 'areas') WITH ORDINALITY AS a(a, n))
  FROM found f JOIN instrument i ON i.key = 'carers_star';
INSERT INTO assessment_i_statements (assessment_id, carer_id, council, completed_on, statements, roll_up)
SELECT f.id, f.carer_id, f.council, f.completed_on,
       '[{"code": "listened_to", "status": "met"}, {"code": "respect_and_dignity", "status": "not_met"}]', 'partially_met'
  FROM found f;

SELECT search_fill();
SELECT wellbeing_refill();
COMMIT;
VACUUM ANALYZE organisation, carer, carer_access, carer_term, name_near, event, event_organisation, assessment, assessment_swemwbs,
    assessment_ratings, assessment_i_statements, wellbeing_part, wellbeing_sum; -- not what is empty: plans for an empty table read it from end to end
