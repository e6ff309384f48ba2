-- How one carer fares over time: every result of her completed assessments that the caller may see, the oldest first, the first
-- against the latest, and the support in between. Without rows there is no such carer for the caller.

-- name: outcomes_of_carer(carer_id)
WITH whose AS MATERIALIZED (
    SELECT c.id, c.council FROM carer c WHERE c.id = $1::uuid),
done AS MATERIALIZED (
    SELECT a.id, a.kind, a.completed_on, a.circumstances_improved, a.caring_role_improved
      FROM assessment a
     WHERE a.carer_id = $1::uuid AND a.completed_on IS NOT NULL),
wellbeing AS MATERIALIZED (
    SELECT s.assessment_id AS id, d.kind, s.completed_on, s.complete, s.raw, s.metric, s.band
      FROM done d
      JOIN assessment_swemwbs s ON s.assessment_id = d.id),
score AS MATERIALIZED (
    SELECT cardinality(m.metrics) > 1 AS paired, m.metrics[cardinality(m.metrics)] - m.metrics[1] AS change,
           (council_setting(w.council, 'swemwbs_change_threshold') #>> '{}')::numeric(4, 2) AS threshold
      FROM whose w
     CROSS JOIN (SELECT array_agg(s.metric ORDER BY s.completed_on, s.id) FILTER (WHERE s.complete) AS metrics
                   FROM wellbeing s) AS m),
swemwbs AS (
    SELECT concat('{"results":[', (
               SELECT string_agg(concat('{"assessment_id":"', s.id, '"', member('kind', s.kind),
                                        member('completed_on', to_char(s.completed_on, 'YYYY-MM-DD')),
                                        member('complete', s.complete), member('raw_score', to_jsonb(s.raw)),
                                        member('metric_score', to_jsonb(s.metric)), member('band', s.band), '}'),
                                 ',' ORDER BY s.completed_on, s.id)
                 FROM wellbeing s), ']',
               CASE WHEN f.paired THEN concat(member('metric_change', to_jsonb(f.change)),
                                              member('change_class', swemwbs_change_class(f.change, f.threshold))) END,
               member('threshold', to_jsonb(f.threshold)), '}') AS body
      FROM score f
     WHERE EXISTS (SELECT FROM wellbeing)),
rated AS MATERIALIZED (
    SELECT r.assessment_id AS id, r.instrument, r.instrument_id, r.completed_on, r.ratings, rating_scale(i.definition) AS scale,
           concat('{"assessment_id":"', r.assessment_id, '"', member('completed_on', to_char(r.completed_on, 'YYYY-MM-DD')), ',"rating":')
               AS entry
      FROM done d
      JOIN assessment_ratings r ON r.assessment_id = d.id
      JOIN instrument i ON i.id = r.instrument_id),
latest AS MATERIALIZED (
    SELECT l.instrument, i.definition, (i.definition ->> 'higher_is_better')::boolean AS higher_is_better
      FROM (SELECT DISTINCT ON (r.instrument) r.instrument, r.instrument_id
              FROM rated r ORDER BY r.instrument, r.completed_on DESC, r.id DESC) AS l
      JOIN instrument i ON i.id = l.instrument_id),
shown AS MATERIALIZED (
    SELECT l.instrument, a.key, a.label, a."order"
      FROM latest l CROSS JOIN LATERAL jsonb_to_recordset(l.definition -> 'areas') AS a(key text, label text, "order" integer)),
area AS (
    SELECT r.instrument, a.area, array_agg(a.rating ORDER BY r.completed_on, r.id) AS ratings,
           (array_agg(r.scale ORDER BY r.completed_on, r.id))[1] = (array_agg(r.scale ORDER BY r.completed_on DESC, r.id DESC))[1]
               AS comparable,
           string_agg(concat(r.entry, a.rating, '}'), ',' ORDER BY r.completed_on, r.id) AS history
      FROM rated r
     CROSS JOIN LATERAL jsonb_to_recordset(r.ratings) AS a(area text, rating numeric)
     GROUP BY r.instrument, a.area),
area_change AS (
    SELECT a.*, s.label, s."order", CASE WHEN cardinality(a.ratings) > 1 AND a.comparable
                                         THEN a.ratings[cardinality(a.ratings)] - a.ratings[1] END AS change
      FROM area a
      LEFT JOIN shown s ON s.instrument = a.instrument AND s.key = a.area),
instruments AS (
    SELECT l.instrument, concat('{"instrument":"', l.instrument, '"', member('label', l.definition ->> 'label'), ',"areas":[', (
               SELECT string_agg(concat('{"area":"', a.area, '"', member('label', a.label), ',"results":[', a.history, ']',
                                        member('change', to_jsonb(a.change)),
                                        member('change_class', rating_change_class(a.change, l.higher_is_better)), '}'),
                                 ',' ORDER BY a."order", a.area)
                 FROM area_change a WHERE a.instrument = l.instrument), ']}') AS body
      FROM latest l),
stated AS MATERIALIZED (
    SELECT s.assessment_id AS id, d.kind, s.completed_on, s.statements, s.roll_up
      FROM done d
      JOIN assessment_i_statements s ON s.assessment_id = d.id),
statement AS (
    SELECT min(p.place) AS place, concat('{', substr(concat(member('code', e.code), member('text', e.text)), 2), ',"results":[',
               string_agg(concat('{"assessment_id":"', s.id, '"', member('completed_on', to_char(s.completed_on, 'YYYY-MM-DD')),
                                 member('status', e.status), '}'), ',' ORDER BY s.completed_on, s.id), ']}') AS body
      FROM stated s
     CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(s.statements) AS (code text, text text, status text))
          WITH ORDINALITY AS e(code, text, status, n)
     CROSS JOIN LATERAL (SELECT to_char(s.completed_on, 'YYYYMMDD') || to_char(e.n, 'FM000') AS place) AS p
     GROUP BY e.code, e.text),
statements AS (
    SELECT concat('{"results":[', (
               SELECT string_agg(concat('{"assessment_id":"', s.id, '"', member('kind', s.kind),
                                        member('completed_on', to_char(s.completed_on, 'YYYY-MM-DD')),
                                        member('roll_up', s.roll_up), '}'), ',' ORDER BY s.completed_on, s.id)
                 FROM stated s), '],"statements":[',
               (SELECT string_agg(t.body, ',' ORDER BY t.place, t.body) FROM statement t), ']}') AS body
     WHERE EXISTS (SELECT FROM stated)),
eligibility AS (
    SELECT string_agg(concat('{"assessment_id":"', d.id, '"', member('decided_on', to_char(e.decided_on, 'YYYY-MM-DD')),
                             member('decision', e.decision), '}'), ',' ORDER BY e.decided_on, d.id) AS items
      FROM done d
      JOIN assessment_eligibility e ON e.assessment_id = d.id),
reviews AS (
    SELECT string_agg(concat('{"assessment_id":"', d.id, '"', member('completed_on', to_char(d.completed_on, 'YYYY-MM-DD')),
                             member('circumstances_improved', d.circumstances_improved),
                             member('caring_role_improved', d.caring_role_improved), '}'),
                      ',' ORDER BY d.completed_on, d.id) AS items
      FROM done d
     WHERE d.kind = 'review'),
support AS (
    SELECT concat('{"breaks":[', (
               SELECT string_agg(concat('{"break_id":"', b.id, '"', member('delivery', b.delivery), member('purpose', b.purpose),
                                        member('state', b.state), ',"sessions":', d.sessions, ',"hours":', trim_scale(d.hours),
                                        member('first_on', to_char(d.first_on, 'YYYY-MM-DD')),
                                        member('last_on', to_char(d.last_on, 'YYYY-MM-DD')), '}'), ',' ORDER BY b.id)
                 FROM carer_break b
                CROSS JOIN LATERAL (
                   SELECT count(*) AS sessions, coalesce(sum(s.delivered_hours), 0) AS hours, min(s.delivered_on) AS first_on,
                          max(s.delivered_on) AS last_on
                     FROM break_session s WHERE s.break_id = b.id AND s.state = 'delivered' OFFSET 0) AS d
                WHERE b.carer_id = $1::uuid), '],"referrals":[', (
               SELECT string_agg(concat('{"referral_id":"', r.id, '"', member('kind', r.kind), member('state', r.state),
                                        member('submitted_at', instant(r.submitted_at)), '}'), ',' ORDER BY r.submitted_at, r.id)
                 FROM referral r
                WHERE r.carer_id = $1::uuid AND r.submitted_at IS NOT NULL), ']}') AS body),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT w.council, ARRAY[w.id] FROM whose w)
SELECT concat('{"carer_id":"', w.id, '"',
              ',"swemwbs":' || (SELECT s.body FROM swemwbs s),
              ',"ratings":[', (SELECT string_agg(i.body, ',' ORDER BY i.instrument) FROM instruments i), ']',
              ',"i_statements":' || (SELECT s.body FROM statements s),
              ',"eligibility":[', (SELECT e.items FROM eligibility e), ']',
              ',"reviews":[', (SELECT r.items FROM reviews r), ']',
              ',"support":', (SELECT s.body FROM support s), '}') AS body
  FROM whose w;
