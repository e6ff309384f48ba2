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

-- One row for each value of each dimension, and one for all (`dimension` NULL, `n` not). A break counts once, but once in each month. `hours`
-- are hundredths.
-- name: breaks_report(council, from, to)
WITH asked AS MATERIALIZED (
    SELECT a.council, a.begins, a.ends FROM report_asked($1, $2::date, $3::date) AS a),
found AS MATERIALIZED (
    SELECT s.*, CASE WHEN s.before < a.begins THEN s.breaks ELSE 0 END AS fresh
      FROM asked a
      JOIN break_sum s ON s.council = a.council AND s.month BETWEEN a.begins AND a.ends)
SELECT a.council, to_char(a.begins, 'YYYY-MM-DD') AS begins, to_char(a.ends, 'YYYY-MM-DD') AS ends, t.*
  FROM asked a
 CROSS JOIN LATERAL (
    SELECT CASE WHEN grouping(f.purpose) = 0 THEN 'purpose' WHEN grouping(f.delivery) = 0 THEN 'delivery'
                WHEN grouping(f.frequency) = 0 THEN 'frequency' WHEN grouping(f.provider) = 0 THEN 'provider'
                WHEN grouping(f.month) = 0 THEN 'month' END AS dimension,
           coalesce(f.purpose, f.delivery, f.frequency, f.provider::text, to_char(f.month, 'YYYY-MM')) AS value,
           coalesce(CASE WHEN grouping(f.month) = 0 THEN sum(f.breaks) ELSE sum(f.fresh) END, 0) AS n, coalesce(sum(f.sessions), 0) AS sessions,
           coalesce(round(100 * sum(f.hours)), 0)::bigint AS hours, coalesce(sum(f.waits), 0) AS waits,
           coalesce(round(10 * sum(f.wait_days)::numeric / nullif(sum(f.waits), 0)), 0)::bigint AS mean_tenths,
           coalesce(sum(f.under_1_month), 0) AS under_1_month,
           coalesce(sum(f.waits - f.under_1_month - f.over_3_months), 0) AS middle, coalesce(sum(f.over_3_months), 0) AS over_3_months
      FROM found f
     GROUP BY GROUPING SETS ((f.purpose), (f.delivery), (f.frequency), (f.provider), (f.month), ())) AS t
 ORDER BY t.dimension, t.value;
