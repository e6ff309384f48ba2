-- Invented services for ./dev bench directory; psql variable :services. 32 councils, an organisation for four services, 400 towns of unequal size
-- between 50.5 and 55 degrees north, texts of 8,000 words of which a few are common.
SET session_replication_role = replica;
SELECT setseed(0.5);

CREATE TEMPORARY TABLE word AS
SELECT g, (SELECT string_agg(substr('bcdfghjklmnprstvw', 1 + (hashtext(g || 'c' || i) & 65535) % 17, 1)
                             || substr('aeiou', 1 + (hashtext(g || 'v' || i) & 65535) % 5, 1), '')
             FROM generate_series(1, 2 + g % 3) AS i) AS word
  FROM generate_series(1, 8000) AS g;
CREATE UNIQUE INDEX ON word (g);
CREATE TEMPORARY TABLE sentence (id integer PRIMARY KEY, text text);
INSERT INTO sentence
SELECT p.id, string_agg(w.word, ' ')
  FROM (SELECT id, 1 + floor(8000 * power(random(), 4))::integer AS g
          FROM generate_series(0, 19999) AS id, generate_series(1, 15)) AS p
  JOIN word w USING (g)
 GROUP BY p.id;
CREATE TEMPORARY TABLE topic AS
SELECT array_agg(code ORDER BY place) AS codes, array_agg(lower(label) ORDER BY place) AS labels
  FROM taxonomy_term
 WHERE taxonomy = 'support_area';
ANALYZE word;
ANALYZE sentence;

INSERT INTO organisation (id, name, kind, councils, state, council, type, description)
SELECT ('019a0000-0000-7000-9000-' || lpad(to_hex(n.g), 12, '0'))::uuid, 'Trust ' || w.word, 'community_organisation', ARRAY['E10000029'],
       'published', 'E09' || lpad((1 + n.g % 32)::text, 6, '0'), (ARRAY['voluntary', 'community', 'faith', 'social_enterprise'])[1 + n.g % 4],
       'Invented'
  FROM generate_series(1, :services / 4) AS n(g)
  JOIN word w ON w.g = 1 + (n.g * 7) % 8000;

INSERT INTO service (id, council, organisation_id, name, description, support_areas, access_routes, cost, languages, locations, areas_served,
                     weekly, assured_on, state, eligibility, referral_accepting)
SELECT ('019b0000-0000-7000-a000-' || lpad(to_hex(n.g), 12, '0'))::uuid, 'E09' || lpad((1 + n.g % 32)::text, 6, '0'),
       ('019a0000-0000-7000-9000-' || lpad(to_hex(1 + n.g % (:services / 4)), 12, '0'))::uuid,
       initcap(t.labels[1 + d.a] || ' ' || w.word),
       'A service for carers: ' || t.labels[1 + d.a] || ', ' || t.labels[1 + d.b] || '. ' || s1.text || ' ' || s2.text || ' ' || s3.text,
       ARRAY[t.codes[1 + d.a], t.codes[1 + d.b]], '{self_referral,telephone}', CASE WHEN n.g % 3 = 0 THEN '{"free": true}'::jsonb END, '{en}',
       jsonb_build_array(jsonb_build_object(
           'id', gen_random_uuid(), 'service_at_location_id', gen_random_uuid(), 'kind', 'physical', 'postcode', 'ZZ1 1ZZ',
           'latitude', round((50.5 + 4.5 * (hashtext('y' || d.town) & 65535) / 65535.0 + (random() - 0.5) * 0.12)::numeric, 5),
           'longitude', round((-3.0 + 4.5 * (hashtext('x' || d.town) & 65535) / 65535.0 + (random() - 0.5) * 0.2)::numeric, 5),
           'address', jsonb_build_object('town', 'Town ' || d.town))),
       ARRAY['Town ' || d.town], '{[540,1020),[1980,2460)}', current_date - (n.g % 200), 'published', '{"minimum_age": 18}', n.g % 2 = 0
  FROM generate_series(1, :services) AS n(g)
 CROSS JOIN LATERAL (SELECT (random() * random() * 26)::integer % 26 AS a, (random() * 26)::integer % 26 AS b,
                            (random() * random() * 400)::integer AS town, n.g AS again OFFSET 0) AS d
 CROSS JOIN topic t
  JOIN word w ON w.g = 1 + (n.g * 13) % 8000
  JOIN sentence s1 ON s1.id = (n.g::bigint * 7919) % 20000
  JOIN sentence s2 ON s2.id = (n.g::bigint * 104729 + 7) % 20000
  JOIN sentence s3 ON s3.id = (n.g::bigint * 1299709 + 11) % 20000;

SELECT directory_refill();
SET session_replication_role = origin;
VACUUM ANALYZE;
