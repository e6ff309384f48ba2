-- Invented people and organisations for ./dev run: two councils, four organisations, forty carers. Nobody here exists: NHS
-- numbers are of the range that is never issued (999...), telephone numbers of the ranges that Ofcom keeps for drama, mail
-- addresses of example.org, postcodes those of town halls or of no fixed abode. Run by the owner, in one transaction,
-- on an empty database. Ids are fixed, so that a first call can be written down.

-- Who the audit trail names, and the councils in which this caller may create carers.
SELECT set_config('app.role', 'council_admin', true), set_config('app.councils', '{E09000019,E10000012}', true),
       set_config('app.subject', 'demo data', true), set_config('app.operation', 'demo', true);

INSERT INTO organisation (id, name, kind, councils) VALUES
    ('019a98d2-cd00-7000-9000-000000000001', 'Northgate Carers Centre', 'carer_organisation', '{E09000019}'),
    ('019a98d2-cd00-7000-9000-000000000002', 'Estuary Carers Network', 'carer_organisation', '{E10000012}'),
    ('019a98d2-cd00-7000-9000-000000000003', 'Breathing Space Breaks', 'breaks_provider', '{E09000019,E10000012}'),
    ('019a98d2-cd00-7000-9000-000000000004', 'St Audrey''s Hospital In-reach', 'hospital_trust', '{E09000019}');

CREATE TEMPORARY TABLE demo ON COMMIT DROP AS
SELECT d.*, timestamptz '2025-01-06 09:00:00+00' + d.n * interval '3 days 17 minutes' AS at
  FROM (VALUES
    (1, 'E09000019', 'registered', 'adult', 'Nadia', 'Rahman', '1940-01-01', '9990012377', '+441632960100', 'nadia.rahman@example.org', 'ZZ99 3WZ', 'bn', 'gp', 'yes', 'paid_16_hours_or_more', 'parent', '["dementia", "frailty"]'),
    (2, 'E09000019', 'active', 'adult', 'Grace', 'Adeyemi', '1957-06-12', '9990037116', '+447700900107', 'grace.adeyemi@example.org', 'N1 2UD', 'en', 'hospital_discharge', 'no', 'paid_less_than_16_hours', 'spouse_or_partner', '["stroke"]'),
    (3, 'E09000019', 'active', 'parent', 'Tomasz', 'Wiśniewski', '1974-11-23', '9990049483', '+447700900114', 'tomasz.wisniewski@example.org', 'N1 2UD', 'pl', 'carer_organisation', 'no', 'not_seeking_work_or_retired', 'child', '["autism", "learning_disability"]'),
    (4, 'E09000019', 'identified', 'adult', 'Aisha', 'Warsame', '1991-04-06', '9990061858', '+441632960121', NULL, 'N1 2UD', 'so', 'self', 'unknown', 'seeking_work', 'sibling', '["mental_health"]'),
    (5, 'E09000019', 'inactive', 'adult', 'Margaret', 'Pell', '1953-09-17', '9990074224', '+447700900128', 'margaret.pell@example.org', 'N1 2UD', 'en', 'adult_social_care', 'yes', 'unknown', 'friend', '["long_term_condition"]'),
    (6, 'E09000019', 'registered', 'adult', 'Hasan', 'Chowdhury', '1970-02-28', '9990086591', '+447700900135', 'hasan.chowdhury@example.org', 'ZZ99 3VZ', 'bn', 'community_organisation', 'no', 'voluntary_work_only', 'parent', '["cancer"]'),
    (7, 'E09000019', 'active', 'adult', 'Siân', 'Llewellyn', '1987-07-11', '9990098964', '+441632960142', 'sian.llewellyn@example.org', 'N1 2UD', 'cy', 'wellbeing_service', 'no', 'paid_16_hours_or_more', 'neighbour', '["physical_disability"]'),
    (8, 'E09000019', 'identified', 'adult', 'Mehmet', 'Yıldız', '1949-12-22', '9990111332', '+447700900149', NULL, 'N1 2UD', 'tr', 'digital_platform', 'unknown', 'paid_less_than_16_hours', 'parent', '["dementia", "frailty"]'),
    (9, 'E09000019', 'closed', 'adult', 'Joyce', 'Baptiste', '1966-05-05', '9990123705', '+447700900156', 'joyce.baptiste@example.org', 'N1 2UD', 'en', 'advocate_outreach', 'yes', 'not_seeking_work_or_retired', 'spouse_or_partner', '["stroke"]'),
    (10, 'E09000019', 'active', 'adult', 'Liam', 'O''Connell', '1983-10-16', '9990136076', '+441632960163', 'liam.oconnell@example.org', 'N1 2UD', 'en', 'champion', 'no', 'seeking_work', 'child', '["autism", "learning_disability"]'),
    (11, 'E09000019', 'registered', 'adult', 'Fatima', 'El-Amin', '1945-03-27', '9990148449', '+447700900170', 'fatima.el-amin@example.org', 'ZZ99 3WZ', 'ar', 'hospital_admission', 'no', 'unknown', 'sibling', '["mental_health"]'),
    (12, 'E09000019', 'active', 'parent', 'Derek', 'Stubbs', '1962-08-10', '9990160813', '+447700900177', NULL, 'N1 2UD', 'en', 'employer', 'unknown', 'voluntary_work_only', 'friend', '["long_term_condition"]'),
    (13, 'E09000019', 'active', 'adult', 'Yuki', 'Tanaka', '1979-01-21', '9990173184', '+441632960184', 'yuki.tanaka@example.org', 'N1 2UD', 'ja', 'ambulance', 'yes', 'paid_16_hours_or_more', 'parent', '["cancer"]'),
    (14, 'E09000019', 'identified', 'adult', 'Rosa', 'Delgado', '1941-06-04', '9990185557', '+447700900191', 'rosa.delgado@example.org', 'N1 2UD', 'es', 'childrens_services', 'no', 'paid_less_than_16_hours', 'neighbour', '["physical_disability"]'),
    (15, 'E09000019', 'inactive', 'adult', 'Kwame', 'Boateng', '1958-11-15', '9990210292', '+447700900198', 'kwame.boateng@example.org', 'N1 2UD', 'en', 'other', 'no', 'not_seeking_work_or_retired', 'parent', '["dementia", "frailty"]'),
    (16, 'E09000019', 'registered', 'adult', 'Priya', 'Nair', '1975-04-26', '9990222665', '+441632960205', NULL, 'ZZ99 3VZ', 'en', 'gp', 'unknown', 'seeking_work', 'spouse_or_partner', '["stroke"]'),
    (17, 'E09000019', 'active', 'adult', 'Ewa', 'Kowalczyk', '1992-09-09', '9990235031', '+447700900212', 'ewa.kowalczyk@example.org', 'N1 2UD', 'pl', 'hospital_discharge', 'yes', 'unknown', 'child', '["autism", "learning_disability"]'),
    (18, 'E09000019', 'identified', 'adult', 'Daniel', 'Hartley', '1954-02-20', '9990247404', '+447700900219', 'daniel.hartley@example.org', 'N1 2UD', 'en', 'carer_organisation', 'no', 'voluntary_work_only', 'sibling', '["mental_health"]'),
    (19, 'E09000019', 'closed', 'adult', 'Halima', 'Sheikh', '1971-07-03', '9990259771', '+441632960226', 'halima.sheikh@example.org', 'N1 2UD', 'so', 'self', 'no', 'paid_16_hours_or_more', 'friend', '["long_term_condition"]'),
    (20, 'E09000019', 'active', 'adult', 'Peter', 'Ashdown', '1988-12-14', '9990284512', '+447700900233', NULL, 'N1 2UD', 'en', 'adult_social_care', 'unknown', 'paid_less_than_16_hours', 'parent', '["cancer"]'),
    (21, 'E10000012', 'registered', 'parent', 'Tom', 'Okafor', '1950-05-25', '9990309256', '+447700900240', 'tom.okafor@example.org', 'ZZ99 3WZ', 'en', 'community_organisation', 'yes', 'not_seeking_work_or_retired', 'neighbour', '["physical_disability"]'),
    (22, 'E10000012', 'active', 'adult', 'Brenda', 'Catchpole', '1967-10-08', '9990321620', '+441632960247', 'brenda.catchpole@example.org', 'CM1 1QH', 'en', 'wellbeing_service', 'no', 'seeking_work', 'parent', '["dementia", "frailty"]'),
    (23, 'E10000012', 'active', 'adult', 'Sunita', 'Patel', '1984-03-19', '9990333998', '+447700900254', 'sunita.patel@example.org', 'CM1 1QH', 'gu', 'digital_platform', 'no', 'unknown', 'spouse_or_partner', '["stroke"]'),
    (24, 'E10000012', 'identified', 'adult', 'Alan', 'Goodrich', '1946-08-02', '9990346364', '+447700900261', NULL, 'CM1 1QH', 'en', 'advocate_outreach', 'unknown', 'voluntary_work_only', 'child', '["autism", "learning_disability"]'),
    (25, 'E10000012', 'inactive', 'adult', 'Ioana', 'Popescu', '1963-01-13', '9990360006', '+441632960268', 'ioana.popescu@example.org', 'CM1 1QH', 'ro', 'champion', 'yes', 'paid_16_hours_or_more', 'sibling', '["mental_health"]'),
    (26, 'E10000012', 'registered', 'adult', 'Edith', 'Marlow', '1980-06-24', '9990372373', '+447700900275', 'edith.marlow@example.org', 'ZZ99 3VZ', 'en', 'hospital_admission', 'no', 'paid_less_than_16_hours', 'friend', '["long_term_condition"]'),
    (27, 'E10000012', 'active', 'adult', 'Jamal', 'Osei', '1942-11-07', '9990384746', '+447700900282', 'jamal.osei@example.org', 'CM1 1QH', 'en', 'employer', 'no', 'not_seeking_work_or_retired', 'parent', '["cancer"]'),
    (28, 'E10000012', 'identified', 'adult', 'Carol', 'Whitlock', '1959-04-18', '9990397112', '+441632960289', NULL, 'CM1 1QH', 'en', 'ambulance', 'unknown', 'seeking_work', 'neighbour', '["physical_disability"]'),
    (29, 'E10000012', 'closed', 'adult', 'Amrit', 'Gill', '1976-09-01', '9990421854', '+447700900296', 'amrit.gill@example.org', 'CM1 1QH', 'pa', 'childrens_services', 'yes', 'unknown', 'parent', '["dementia", "frailty"]'),
    (30, 'E10000012', 'active', 'parent', 'Jean', 'Tansley', '1993-02-12', '9990434220', '+447700900303', 'jean.tansley@example.org', 'CM1 1QH', 'en', 'other', 'no', 'voluntary_work_only', 'spouse_or_partner', '["stroke"]'),
    (31, 'E10000012', 'registered', 'young', 'Chloe', 'Burrell', '2010-07-23', '9990446598', '+441632960310', 'chloe.burrell@example.org', 'ZZ99 3WZ', 'en', 'gp', 'no', 'paid_16_hours_or_more', 'child', '["autism", "learning_disability"]'),
    (32, 'E10000012', 'active', 'adult', 'Viktor', 'Petrov', '1972-12-06', '9990458960', '+447700900317', NULL, 'CM1 1QH', 'bg', 'hospital_discharge', 'unknown', 'paid_less_than_16_hours', 'sibling', '["mental_health"]'),
    (33, 'E10000012', 'active', 'adult', 'Doreen', 'Fisk', '1989-05-17', '9990471339', '+447700900324', 'doreen.fisk@example.org', 'CM1 1QH', 'en', 'carer_organisation', 'yes', 'not_seeking_work_or_retired', 'friend', '["long_term_condition"]'),
    (34, 'E10000012', 'identified', 'adult', 'Samuel', 'Adu', '1951-10-28', '9990483701', '+441632960331', 'samuel.adu@example.org', 'CM1 1QH', 'en', 'self', 'no', 'seeking_work', 'parent', '["cancer"]'),
    (35, 'E10000012', 'inactive', 'adult', 'Mei Lin', 'Cheung', '1968-03-11', NULL, '+447700900338', 'mei.lin.cheung@example.org', 'CM1 1QH', 'yue', 'adult_social_care', 'no', 'unknown', 'neighbour', '["physical_disability"]'),
    (36, 'E10000012', 'registered', 'adult', 'Kevin', 'Thurlow', '1985-08-22', NULL, '+447700900345', NULL, 'ZZ99 3VZ', 'en', 'community_organisation', 'unknown', 'voluntary_work_only', 'parent', '["dementia", "frailty"]'),
    (37, 'E10000012', 'active', 'adult', 'Anna', 'Bell-Fraser', '1947-01-05', NULL, '+441632960352', 'anna.bell-fraser@example.org', 'CM1 1QH', 'en', 'wellbeing_service', 'yes', 'paid_16_hours_or_more', 'spouse_or_partner', '["stroke"]'),
    (38, 'E10000012', 'identified', 'adult', 'Zoë', 'Langford', '1964-06-16', NULL, '+447700900359', 'zoe.langford@example.org', 'CM1 1QH', 'en', 'digital_platform', 'no', 'paid_less_than_16_hours', 'child', '["autism", "learning_disability"]'),
    (39, 'E10000012', 'closed', 'parent', 'Rashida', 'Begum', '1981-11-27', NULL, '+447700900366', 'rashida.begum@example.org', 'CM1 1QH', 'bn', 'advocate_outreach', 'no', 'not_seeking_work_or_retired', 'sibling', '["mental_health"]'),
    (40, 'E10000012', 'active', 'adult', 'George', 'Nunn', '1943-04-10', NULL, '+441632960373', NULL, 'CM1 1QH', 'en', 'champion', 'unknown', 'seeking_work', 'friend', '["long_term_condition"]')
  ) AS d(n, council, state, kind, given_name, family_name, born, nhs_number, phone, email, postcode, language, source, known,
         employment, relationship, needs);

INSERT INTO carer (id, council, state, state_since, state_reason, created_at, updated_at, kind, given_name, family_name,
                   date_of_birth, nhs_number, contact, address, preferred_language, interpreter_required, identification,
                   previously_known, known_to_social_care, employment_status, gp, cared_for, external_refs, triage)
SELECT (lpad(to_hex((extract(epoch FROM d.at) * 1000)::bigint), 12, '0') || '7000' || '8000' || lpad(to_hex(d.n), 12, '0'))::uuid,
       d.council, d.state, d.at + CASE d.state WHEN 'identified' THEN interval '0' ELSE interval '6 days' END,
       CASE d.state WHEN 'closed' THEN 'caring_role_ended' WHEN 'inactive' THEN 'no_current_needs' END,
       d.at, d.at + CASE d.state WHEN 'identified' THEN interval '0' ELSE interval '6 days' END,
       d.kind, d.given_name, d.family_name, d.born::date, d.nhs_number,
       jsonb_strip_nulls(jsonb_build_object('phone', d.phone, 'email', d.email,
                                            'preferred', CASE WHEN d.email IS NULL THEN 'phone' ELSE 'email' END)),
       jsonb_build_object('line_1', d.n || ' Invented Terrace', 'postcode', d.postcode),
       d.language, d.language <> 'en' AND d.n % 3 = 1,
       jsonb_build_object('source', d.source, 'identified_on', d.at::date),
       d.n % 4 = 0, CASE d.known WHEN 'yes' THEN true WHEN 'no' THEN false END, d.employment,
       CASE WHEN d.n % 3 = 0 THEN jsonb_build_object('practice_code', CASE d.council WHEN 'E09000019' THEN 'F83999'
                                                                      ELSE 'F81999' END,
                                                     'name', 'Invented Lane Surgery', 'registered_as_carer', 'yes',
                                                     'registered_on', (d.at + interval '4 days')::date) END,
       jsonb_build_array(jsonb_build_object('relationship', d.relationship,
                                            'setting', CASE d.n % 8 WHEN 0 THEN 'hospital' ELSE 'home' END,
                                            'needs', d.needs::jsonb)),
       CASE WHEN d.n % 5 = 0 THEN jsonb_build_array(jsonb_build_object('system', 'council-case-system',
                                                                       'id', 'D-' || 1000 + d.n)) END,
       CASE WHEN d.state NOT IN ('identified', 'closed') THEN jsonb_build_object(
           'level', CASE d.n % 4 WHEN 0 THEN 'intensive' ELSE 'light' END,
           'needs', jsonb_build_array('information_and_advice', 'break_from_caring'),
           'completed_on', (d.at + interval '6 days')::date) END
  FROM demo d
 ORDER BY d.n;

-- Each council's carers' organisation registered three in four; the breaks provider was given every fifth, the in-reach team
-- those whose person is in hospital, and one access has ended.
INSERT INTO carer_access (organisation_id, carer_id, reason, starts_at, ends_at)
SELECT a.organisation_id::uuid, c.id, a.reason, c.created_at,
       CASE WHEN a.reason = 'granted' AND d.n = 10 THEN c.created_at + interval '40 days' END
  FROM demo d
  JOIN carer c ON c.council = d.council AND c.given_name = d.given_name AND c.family_name = d.family_name
  JOIN (VALUES ('019a98d2-cd00-7000-9000-000000000001', 'registered'),
               ('019a98d2-cd00-7000-9000-000000000002', 'registered'),
               ('019a98d2-cd00-7000-9000-000000000003', 'granted'),
               ('019a98d2-cd00-7000-9000-000000000004', 'granted')) AS a(organisation_id, reason)
    ON CASE right(a.organisation_id, 1)
           WHEN '1' THEN d.council = 'E09000019' AND d.n % 4 > 0
           WHEN '2' THEN d.council = 'E10000012' AND d.n % 4 > 0
           WHEN '3' THEN d.n % 5 = 0
           ELSE d.council = 'E09000019' AND d.n % 8 = 0
       END
 ORDER BY d.n;

-- The triages that those carers were registered with.
INSERT INTO carer_triage (id, carer_id, level, needs, completed_on, recorded_by_role, created_at, updated_at)
SELECT uuid7(c.state_since), c.id, c.triage ->> 'level', c.triage -> 'needs', (c.triage ->> 'completed_on')::date,
       'practitioner', c.state_since, c.state_since
  FROM carer c
 WHERE c.triage IS NOT NULL
 ORDER BY c.id;

-- A passport to try the check with.
INSERT INTO passport (id, carer_id, number, issued_by_role)
SELECT uuid7(clock_timestamp()), c.id, 'CP-3M8K-Z0QT-7WVA-X1G4', 'practitioner'
  FROM carer c
 WHERE c.given_name = 'Nadia' AND c.family_name = 'Rahman';

-- Some of them have been assessed, each with a SWEMWBS, and an assessment of some others is still asked for.
CREATE TEMPORARY TABLE demo_assessed ON COMMIT DROP AS
SELECT uuid7(c.state_since + interval '1 day') AS id, c.id AS carer_id, d.n, (c.state_since + interval '20 days')::date AS day
  FROM demo d
  JOIN carer c ON c.council = d.council AND c.given_name = d.given_name AND c.family_name = d.family_name
 WHERE c.state IN ('registered', 'active') AND d.n % 3 < 2 AND d.n % 8 > 0; -- not while the person is in hospital (rule A4)
INSERT INTO assessment (id, carer_id, kind, state, mode, self_completion, needs, contingency_offer, break_recommended)
SELECT a.id, a.carer_id, 'statutory', 'requested', 'telephone', true, '["break_from_caring", "own_health"]',
       jsonb_build_object('offered_on', a.day, 'response', 'later'), a.n % 2 = 0
  FROM demo_assessed a ORDER BY a.n;
UPDATE assessment a SET state = 'scheduled', scheduled_for = d.day + time '10:00' FROM demo_assessed d WHERE d.id = a.id AND d.n % 3 = 1;
UPDATE assessment a SET state = 'in_progress' FROM demo_assessed d WHERE d.id = a.id AND d.n % 3 = 1;
INSERT INTO assessment_swemwbs (assessment_id, completed_on, responses, complete, raw, metric, band)
SELECT d.id, d.day, jsonb_build_object('optimism', 2 + d.n % 3, 'usefulness', 3, 'relaxation', 2, 'problem_handling', 3,
                                       'clear_thinking', 3, 'closeness', 4, 'own_decisions', 3), true, s.raw, s.metric, s.band
  FROM demo_assessed d
  JOIN swemwbs_score s ON s.raw = 20 + d.n % 3
 WHERE d.n % 3 = 1;
INSERT INTO assessment_eligibility (assessment_id, decided_on, necessary_care, circumstances, significant_impact, decision, reasons)
SELECT d.id, d.day, true, CASE d.n % 2 WHEN 1 THEN '["health_deteriorating"]'::jsonb ELSE '[]' END, d.n % 2 = 1,
       CASE d.n % 2 WHEN 1 THEN 'eligible' ELSE 'not_eligible' END, 'As the assessment found.'
  FROM demo_assessed d
 WHERE d.n % 3 = 1;
UPDATE assessment a SET state = 'completed', completed_on = d.day FROM demo_assessed d WHERE d.id = a.id AND d.n % 3 = 1;

-- They have applied for what is open to them; most of it is approved.
INSERT INTO funding_award (id, carer_id, scheme, level, amount_pence, purpose)
SELECT uuid7(clock_timestamp()), d.carer_id, CASE d.n % 2 WHEN 1 THEN 'carers_personal_budget' ELSE 'flexible_breaks_fund' END,
       CASE d.n % 2 WHEN 1 THEN 'low' ELSE 'individual' END, 8000 + 400 * d.n % 12000, CASE d.n % 4 WHEN 1 THEN 'holiday' ELSE 'rest' END
  FROM demo_assessed d
 WHERE d.n % 3 = 1
 ORDER BY d.n;
UPDATE funding_award a SET action = 'approve', state = 'approved' FROM demo_assessed d WHERE d.carer_id = a.carer_id AND d.n % 9 > 1;
