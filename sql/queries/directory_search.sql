-- Search in the directory (rule D1). See sql/migrations/0020_directory_search.sql for how it is found.

-- At most 1,000 entries that have every word in their name, 1,000 that are near and 2,000 others are looked at. `body`: DirectorySearch, and `in_query` when
-- it was parameters. A search that finds nothing is counted.
-- name: services_search(body)
WITH asked AS MATERIALIZED (
    SELECT a.*, (a.at AT TIME ZONE 'Europe/London')::date AS today, coalesce(($1::jsonb ->> 'limit')::integer, 50) AS size,
           ($1::jsonb ->> 'age')::integer AS age, $1::jsonb ->> 'currency' AS currency, coalesce($1::jsonb ->> 'include_stale', 'true') AS include_stale
      FROM directory_asked($1::jsonb) AS a),
held AS MATERIALIZED (
    (SELECT 1 AS part, f.service_id, f.support_areas, f.areas, f.latitudes, f.longitudes, f.minimum_age, f.maximum_age, f.weekly, f.dated, f.assured_on,
            1000 + CASE WHEN (SELECT a.lat FROM asked a) IS NULL THEN ts_rank(f.terms, (SELECT a.ranked FROM asked a)) * 999 ELSE 0 END AS relevance
       FROM directory_found f
      WHERE f.terms @@ (SELECT a.named FROM asked a)
      LIMIT 1000)
     UNION ALL
    (SELECT 2 AS part, f.service_id, f.support_areas, f.areas, f.latitudes, f.longitudes, f.minimum_age, f.maximum_age, f.weekly, f.dated, f.assured_on,
            0
       FROM directory_found f
      WHERE f.terms @@ (SELECT a.close FROM asked a) AND (f.terms @@ (SELECT a.named FROM asked a)) IS NOT TRUE
      LIMIT 1000)
     UNION ALL
    (SELECT 3 AS part, f.service_id, f.support_areas, f.areas, f.latitudes, f.longitudes, f.minimum_age, f.maximum_age, f.weekly, f.dated, f.assured_on,
            CASE WHEN (SELECT a.lat FROM asked a) IS NULL THEN coalesce(ts_rank(f.terms, (SELECT a.ranked FROM asked a)) * 999, 0) ELSE 0 END
       FROM directory_found f
      WHERE f.terms @@ (SELECT a.terms FROM asked a) AND (f.terms @@ (SELECT a.named FROM asked a)) IS NOT TRUE
        AND (f.terms @@ (SELECT a.close FROM asked a)) IS NOT TRUE
      LIMIT 2000)),
near AS MATERIALIZED (
    SELECT h.service_id, h.support_areas, h.areas, h.relevance::integer AS relevance, coalesce(d.metres, 0)::integer AS metres,
           h.assured_on < a.today - 180 AS stale
      FROM asked a
     CROSS JOIN held h
     CROSS JOIN LATERAL (SELECT CASE WHEN a.lat IS NOT NULL THEN metres_nearest(h.latitudes, h.longitudes, a.lat, a.lon) END AS metres OFFSET 0) AS d
     WHERE coalesce(d.metres <= a.metres, true) AND coalesce(a.age >= h.minimum_age, true) AND coalesce(a.age <= h.maximum_age, true)
       AND coalesce(h.weekly && a.weekly OR h.dated && a.dated, true)
       AND coalesce(a.currency = CASE WHEN h.assured_on > a.today - 90 THEN 'fresh' WHEN h.assured_on >= a.today - 180 THEN 'due' ELSE 'stale' END, true)
       AND (a.include_stale = 'true' OR h.assured_on >= a.today - 180)),
page AS MATERIALIZED (
    SELECT n.service_id, n.stale, n.relevance, n.metres, row_number() OVER (ORDER BY n.stale, n.relevance DESC, n.metres, n.service_id) AS place
      FROM near n CROSS JOIN asked a
     WHERE coalesce((n.stale, -n.relevance, n.metres, n.service_id) > (a.stale, -a.relevance, a.away, a.last), true)
     ORDER BY n.stale, n.relevance DESC, n.metres, n.service_id
     LIMIT (SELECT a.size + 1 FROM asked a)),
shown AS MATERIALIZED (
    SELECT p.place, concat(left(v.body, -1), CASE WHEN a.lat IS NOT NULL THEN concat(',"distance_metres":', p.metres) END,
                           member('matched', directory_matched(f.terms, a.heard, a.heard_named, a.heard_said) || w.filters), '}') AS body
      FROM asked a
     CROSS JOIN (SELECT coalesce(directory_filters($1::jsonb), '[]') AS filters OFFSET 0) AS w
     CROSS JOIN page p
     CROSS JOIN LATERAL (SELECT v.body FROM service_view v WHERE v.id = p.service_id OFFSET 0) AS v
     CROSS JOIN LATERAL (SELECT f.terms FROM directory_found f WHERE f.service_id = p.service_id OFFSET 0) AS f
     WHERE p.place <= a.size)
SELECT concat('{"items":[', (SELECT string_agg(s.body, ',' ORDER BY s.place) FROM shown s), ']', member('next_cursor', e.next_cursor),
              ',"found":', c.found, CASE WHEN c.cut THEN ',"found_at_least":true' END,
              CASE WHEN $1::jsonb ? 'facets' THEN concat(',"facets":', jsonb_strip_nulls(jsonb_build_object(
                  'support_area', CASE WHEN $1::jsonb -> 'facets' ? 'support_area' THEN coalesce((
                      SELECT jsonb_agg(jsonb_build_object('value', t.value, 'count', t.n) ORDER BY t.n DESC, t.value)
                        FROM (SELECT u.value, count(*) AS n FROM near n CROSS JOIN LATERAL unnest(n.support_areas) AS u(value)
                               GROUP BY u.value ORDER BY 2 DESC, 1 LIMIT 100) AS t), '[]') END,
                  'area', CASE WHEN $1::jsonb -> 'facets' ? 'area' THEN coalesce((
                      SELECT jsonb_agg(jsonb_build_object('value', t.value, 'count', t.n) ORDER BY t.n DESC, t.value)
                        FROM (SELECT u.value, count(*) AS n FROM near n CROSS JOIN LATERAL unnest(n.areas) AS u(value)
                               GROUP BY u.value ORDER BY 2 DESC, 1 LIMIT 100) AS t), '[]') END))) END,
              '}') AS body,
       e.next_cursor,
       CASE WHEN c.found = 0 AND a.last IS NULL THEN unmet_note(a.district, $1::jsonb) END AS noted
  FROM asked a
 CROSS JOIN (SELECT (SELECT count(*) FROM near) AS found, (SELECT bool_or(h.n >= CASE h.part WHEN 3 THEN 2000 ELSE 1000 END) FROM (SELECT h.part, count(*) AS n FROM held h GROUP BY h.part) AS h) AS cut) AS c
 CROSS JOIN LATERAL (
    SELECT CASE WHEN (SELECT count(*) FROM page) > a.size
                THEN (SELECT directory_cursor(a.at, p.stale, p.relevance, p.metres, p.service_id) FROM page p WHERE p.place = a.size) END AS next_cursor) AS e;

-- What was not found: sums of a span of days, the most asked first.
-- name: unmet_needs(since, until)
SELECT page_body(string_agg(concat('{', substr(concat(member('area', nullif(u.area, '')), member('support_area', nullif(u.support_area, ''))), 2),
                                   CASE WHEN u.area <> '' OR u.support_area <> '' THEN ',' END, '"searches":', u.searches, '}'),
                            ',' ORDER BY u.searches DESC, u.area, u.support_area), NULL) AS body
  FROM (SELECT s.area, s.support_area, sum(s.searches) AS searches
          FROM unmet_search s
         WHERE s.day BETWEEN coalesce($1::date, today() - 90) AND coalesce($2::date, today())
         GROUP BY s.area, s.support_area
         ORDER BY 3 DESC LIMIT 1000) AS u;
