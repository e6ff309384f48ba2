-- Reports for commissioners: sums, never a person. What is too small to be shown is api/rules/suppression.c's to say; it needs
-- every provider's row to say it.

-- One row for each measure and provider, and after them one for all providers of the measure (`provider` NULL). `mean` is in
-- hundredths. Without any result one row whose `measure` is NULL.
-- name: wellbeing_report(council, from, to)
WITH asked AS MATERIALIZED (
    SELECT a.council, a.begins, a.ends, date_trunc('month', a.ends::timestamp)::date AS at_month
      FROM report_asked($1, $2::date, $3::date) AS a),
found AS MATERIALIZED (
    SELECT s.measure, s.instrument, s.area, s.provider, sum(s.n) AS n, sum(s.sum_change) AS sum_change,
           sum(s.improved) AS improved, sum(s.unchanged) AS unchanged, sum(s.deteriorated) AS deteriorated,
           sum(s.rated) AS rated, sum(s.met) AS met, sum(s.partially_met) AS partially_met, sum(s.not_met) AS not_met,
           sum(s.first_rated) AS first_rated, sum(s.first_met) AS first_met
      FROM asked a
      JOIN wellbeing_sum s ON s.council = a.council AND s.at_month = ANY (ARRAY[a.at_month, date 'infinity'])
                          AND s.on_month BETWEEN a.begins AND a.ends
     GROUP BY s.measure, s.instrument, s.area, s.provider)
SELECT a.council, to_char(a.begins, 'YYYY-MM-DD') AS begins, to_char(a.ends, 'YYYY-MM-DD') AS ends, t.*
  FROM asked a
  LEFT JOIN (
    SELECT f.measure, f.instrument, f.area,
           CASE WHEN grouping(f.provider) = 0 THEN coalesce(f.provider::text, 'council') END AS provider, sum(f.n) AS n,
           round(100 * sum(f.sum_change) / sum(f.n))::bigint AS mean, sum(f.improved) AS improved,
           sum(f.unchanged) AS unchanged, sum(f.deteriorated) AS deteriorated, sum(f.rated) AS rated, sum(f.met) AS met,
           sum(f.partially_met) AS partially_met, sum(f.not_met) AS not_met, sum(f.first_rated) AS first_rated,
           sum(f.first_met) AS first_met, sum(f.first_rated - f.first_met) AS first_unmet
      FROM found f
     GROUP BY GROUPING SETS ((f.measure, f.instrument, f.area, f.provider), (f.measure, f.instrument, f.area))) AS t ON true
 ORDER BY t.measure, t.instrument, t.area, t.provider;

-- One row for each receiver, and after them one for all of them (`provider` NULL).
-- name: referral_report(council, from, to)
SELECT a.council, to_char(a.begins, 'YYYY-MM-DD') AS begins, to_char(a.ends, 'YYYY-MM-DD') AS ends, t.*
  FROM report_asked($1, $2::date, $3::date) AS a
 CROSS JOIN LATERAL (
    SELECT CASE WHEN grouping(c.provider) = 0 THEN coalesce(c.provider::text, 'council') END AS provider, coalesce(sum(c.in_time), 0) AS in_time,
           coalesce(sum(c.late), 0) AS late, coalesce(sum(c.others), 0) AS others,
           coalesce(sum(c.in_time + c.late + c.others), 0) AS submitted
      FROM referral_counts(a.council, a.begins, a.ends) AS c
     GROUP BY GROUPING SETS ((c.provider), ())) AS t
 ORDER BY t.provider;
