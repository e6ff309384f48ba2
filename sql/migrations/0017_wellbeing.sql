-- Wellbeing: what a commissioner is told of how carers fare, summed as results are written. See docs/adr/0020.

-- What counts: each result of a completed assessment beside the carer's first of the same measure.

CREATE VIEW wellbeing_result AS
SELECT s.carer_id, s.council, s.assessment_id, a.assessor_organisation_id AS provider, 'swemwbs' COLLATE "C" AS measure,
       '' COLLATE "C" AS instrument, '' COLLATE "C" AS area, '' AS scale, 1 AS direction, s.completed_on, s.metric AS score, 0 AS rated, 0 AS met, 0 AS partially_met
  FROM assessment_swemwbs s
  JOIN assessment a ON a.id = s.assessment_id
 WHERE a.completed_on IS NOT NULL AND s.complete
 UNION ALL
SELECT r.carer_id, r.council, r.assessment_id, a.assessor_organisation_id, 'rating', r.instrument COLLATE "C",
       (e.rating ->> 'area') COLLATE "C",
       concat_ws(' ', i.definition -> 'scale_min', i.definition -> 'scale_max', i.definition -> 'higher_is_better'),
       CASE WHEN (i.definition ->> 'higher_is_better')::boolean THEN 1 ELSE -1 END, r.completed_on,
       (e.rating ->> 'rating')::numeric, 0, 0, 0
  FROM assessment_ratings r
  JOIN assessment a ON a.id = r.assessment_id
  JOIN instrument i ON i.id = r.instrument_id
 CROSS JOIN LATERAL jsonb_array_elements(r.ratings) AS e(rating)
 WHERE a.completed_on IS NOT NULL
 UNION ALL
SELECT t.carer_id, t.council, t.assessment_id, a.assessor_organisation_id, 'i_statements', '', '', '', 1, t.completed_on,
       NULL, n.rated, n.met, n.partially_met
  FROM assessment_i_statements t
  JOIN assessment a ON a.id = t.assessment_id
 CROSS JOIN LATERAL (
    SELECT count(*)::integer AS rated, (count(*) FILTER (WHERE s ->> 'status' = 'met'))::integer AS met,
           (count(*) FILTER (WHERE s ->> 'status' = 'partially_met'))::integer AS partially_met
      FROM jsonb_array_elements(t.statements) AS s
     WHERE s ->> 'status' <> 'absent') AS n
 WHERE a.completed_on IS NOT NULL AND t.roll_up IS NOT NULL;
COMMENT ON VIEW wellbeing_result IS
    'Results of completed assessments that have a score, or a statement that is rated, one row for each measure. No caller reads it';

CREATE FUNCTION wellbeing_class(change numeric, enough numeric) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN change >= enough THEN 'improved' WHEN change <= -enough THEN 'deteriorated' ELSE 'unchanged' END;
COMMENT ON FUNCTION wellbeing_class(numeric, numeric) IS
    'As swemwbs_change_class() of api/rules/swemwbs.c; unchanged is what SWEMWBS calls no reliable change';

CREATE FUNCTION swemwbs_threshold(whose text) RETURNS numeric LANGUAGE sql STABLE
    RETURN (council_setting(whose, 'swemwbs_change_threshold') #>> '{}')::numeric;
COMMENT ON FUNCTION swemwbs_threshold(text) IS 'From how many points on a change of the metric score counts in a council (rule A1)';

-- Sums are by month: a period is a range of months, and counts a carer by the result that was her latest at its end.
CREATE VIEW wellbeing_comparison AS
SELECT r.carer_id, r.measure, r.instrument, r.area, r.assessment_id, r.council, r.provider, r.on_month, r.until_month,
       r.score - r.first_score AS change,
       CASE r.measure WHEN 'swemwbs' THEN wellbeing_class(r.score - r.first_score, swemwbs_threshold(r.council))
                      WHEN 'rating' THEN wellbeing_class(sign(r.score - r.first_score) * r.direction, 1) END AS class,
       r.rated, r.met, r.partially_met, r.rated - r.met - r.partially_met AS not_met, r.first_rated, r.first_met
  FROM (SELECT w.*, date_trunc('month', w.completed_on::timestamp)::date AS on_month,
               coalesce(date_trunc('month', lead(w.completed_on) OVER next_one::timestamp)::date, 'infinity') AS until_month,
               row_number() OVER alike AS place, first_value(w.score) OVER alike AS first_score,
               CASE WHEN w.rated > 0 THEN first_value(w.rated) OVER alike ELSE 0 END AS first_rated,
               CASE WHEN w.rated > 0 THEN first_value(w.met) OVER alike ELSE 0 END AS first_met
          FROM wellbeing_result w
        WINDOW next_one AS (PARTITION BY w.carer_id, w.measure, w.instrument, w.area ORDER BY w.completed_on, w.assessment_id),
               alike AS (PARTITION BY w.carer_id, w.measure, w.instrument, w.area, w.scale
                         ORDER BY w.completed_on, w.assessment_id)) AS r
 WHERE r.place > 1 AND r.until_month > r.on_month;
COMMENT ON VIEW wellbeing_comparison IS
    'What wellbeing_part must hold: each second or later result, less the carer''s first one on the same scale. A result that is '
    'followed by another in its month is nobody''s latest at the end of one, and not there. No caller reads it';

-- What is kept of it.

CREATE TABLE wellbeing_part (
    carer_id uuid NOT NULL,
    measure text COLLATE "C" NOT NULL CHECK (measure IN ('swemwbs', 'rating', 'i_statements')),
    instrument text COLLATE "C" NOT NULL,
    area text COLLATE "C" NOT NULL,
    assessment_id uuid NOT NULL,
    council text NOT NULL,
    provider uuid,
    on_month date NOT NULL,
    until_month date NOT NULL CHECK (until_month > on_month),
    change numeric,
    class text CHECK (class IN ('improved', 'unchanged', 'deteriorated')),
    rated integer NOT NULL,
    met integer NOT NULL,
    partially_met integer NOT NULL,
    not_met integer NOT NULL,
    first_rated integer NOT NULL,
    first_met integer NOT NULL,
    PRIMARY KEY (carer_id, measure, instrument, area, assessment_id)
);
COMMENT ON TABLE wellbeing_part IS
    'One carer''s share in wellbeing_sum, so that it can be taken out again: the rows of wellbeing_comparison. No caller reads it';
COMMENT ON COLUMN wellbeing_part.carer_id IS
    'No foreign key, which would lock the carer after wellbeing_lock(): her parts go with her assessments, by their trigger';
COMMENT ON COLUMN wellbeing_part.provider IS 'Organisation that made the later assessment; NULL: the council itself';
COMMENT ON COLUMN wellbeing_part.until_month IS 'Month of the carer''s next result of the measure; infinity: this is her latest';
COMMENT ON COLUMN wellbeing_part.change IS 'Later less first, on the measure''s own scale; NULL for I-statements';
COMMENT ON COLUMN wellbeing_part.first_met IS 'Of the first result, as first_rated; the other counts are of the later one';
CREATE INDEX wellbeing_part_scored ON wellbeing_part (council) WHERE measure = 'swemwbs';
ALTER TABLE wellbeing_part ENABLE ROW LEVEL SECURITY;

CREATE TABLE wellbeing_sum (
    council text NOT NULL,
    measure text COLLATE "C" NOT NULL,
    instrument text COLLATE "C" NOT NULL,
    area text COLLATE "C" NOT NULL,
    at_month date NOT NULL,
    on_month date NOT NULL,
    provider uuid,
    n integer NOT NULL,
    sum_change numeric NOT NULL,
    improved integer NOT NULL,
    unchanged integer NOT NULL,
    deteriorated integer NOT NULL,
    rated integer NOT NULL,
    met integer NOT NULL,
    partially_met integer NOT NULL,
    not_met integer NOT NULL,
    first_rated integer NOT NULL,
    first_met integer NOT NULL,
    CONSTRAINT wellbeing_sum_key UNIQUE NULLS NOT DISTINCT
        (council, at_month, on_month, measure, instrument, area, provider)
);
COMMENT ON TABLE wellbeing_sum IS
    'Sums of wellbeing_part, kept by its triggers: every change of a council''s rows is made under wellbeing_lock()';
COMMENT ON COLUMN wellbeing_sum.at_month IS
    'These results were their carers'' latest at the end of this month; infinity: they still are. A report to the end of a month '
    'takes its rows and those at infinity, and not all the months in which a result was followed by another';
COMMENT ON COLUMN wellbeing_sum.on_month IS 'Month of the results';
ALTER TABLE wellbeing_sum ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON wellbeing_sum TO carers_desk, carers_council;
CREATE POLICY wellbeing_sum_read ON wellbeing_sum FOR SELECT TO carers_desk, carers_council
    USING (council = ANY (app_councils()) AND app_role() IN ('commissioner', 'council_admin'));

-- How it is kept. What another may hold is locked before this lock: two completions wait for each other, and not in a ring.

CREATE FUNCTION wellbeing_lock(councils text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    whose text;
BEGIN
    FOR whose IN SELECT DISTINCT c FROM unnest(councils) AS c ORDER BY c LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('wellbeing ' || whose, 0));
    END LOOP;
END
$$;
COMMENT ON FUNCTION wellbeing_lock(text[]) IS
    'Until the end of the transaction nobody else changes these councils'' sums. Whatever is summed is read after it, by a '
    'statement of its own: it then sees what the one before has committed';

CREATE FUNCTION wellbeing_months(on_month date, until_month date) RETURNS SETOF date
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 12
BEGIN ATOMIC
    SELECT date 'infinity' WHERE until_month = 'infinity'
     UNION ALL
    SELECT m::date
      FROM generate_series(greatest(on_month, date '2000-01-01')::timestamp, nullif(until_month, 'infinity') - interval '1 month',
                           interval '1 month') AS m;
END;
COMMENT ON FUNCTION wellbeing_months(date, date) IS 'wellbeing_sum.at_month of a part: there is no report to an earlier month than 2000-01';

CREATE FUNCTION wellbeing_add(times integer, parts wellbeing_part[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM wellbeing_lock(ARRAY(SELECT DISTINCT p.council FROM unnest(parts) AS p));
    INSERT INTO wellbeing_sum AS s
    SELECT p.council, p.measure, p.instrument, p.area, m.at_month, p.on_month, p.provider, times * count(*),
           times * coalesce(sum(p.change), 0), times * count(*) FILTER (WHERE p.class = 'improved'),
           times * count(*) FILTER (WHERE p.class = 'unchanged'), times * count(*) FILTER (WHERE p.class = 'deteriorated'),
           times * sum(p.rated), times * sum(p.met), times * sum(p.partially_met), times * sum(p.not_met),
           times * sum(p.first_rated), times * sum(p.first_met)
      FROM unnest(parts) AS p CROSS JOIN LATERAL wellbeing_months(p.on_month, p.until_month) AS m(at_month)
     GROUP BY p.council, p.measure, p.instrument, p.area, m.at_month, p.on_month, p.provider
        ON CONFLICT ON CONSTRAINT wellbeing_sum_key DO UPDATE
       SET n = s.n + EXCLUDED.n, sum_change = s.sum_change + EXCLUDED.sum_change, improved = s.improved + EXCLUDED.improved,
           unchanged = s.unchanged + EXCLUDED.unchanged, deteriorated = s.deteriorated + EXCLUDED.deteriorated,
           rated = s.rated + EXCLUDED.rated, met = s.met + EXCLUDED.met, partially_met = s.partially_met + EXCLUDED.partially_met,
           not_met = s.not_met + EXCLUDED.not_met, first_rated = s.first_rated + EXCLUDED.first_rated,
           first_met = s.first_met + EXCLUDED.first_met;
    DELETE FROM wellbeing_sum s
     USING (SELECT DISTINCT p.council, p.measure, p.instrument, p.area, m.at_month, p.on_month
              FROM unnest(parts) AS p CROSS JOIN LATERAL wellbeing_months(p.on_month, p.until_month) AS m(at_month)
             WHERE times < 0) AS k
     WHERE s.council = k.council AND s.at_month = k.at_month AND s.on_month = k.on_month AND s.measure = k.measure
       AND s.instrument = k.instrument AND s.area = k.area AND s.n = 0;
END
$$;
COMMENT ON FUNCTION wellbeing_add(integer, wellbeing_part[]) IS 'Adds the parts to the sums (times 1) or takes them out (times -1)';

CREATE FUNCTION wellbeing_summed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM wellbeing_add(-1, ARRAY(SELECT ROW(g.*)::wellbeing_part FROM gone g));
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM wellbeing_add(1, ARRAY(SELECT ROW(c.*)::wellbeing_part FROM come c));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION wellbeing_summed() IS 'wellbeing_sum follows wellbeing_part, whoever writes it';
CREATE TRIGGER wellbeing_part_come AFTER INSERT ON wellbeing_part REFERENCING NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION wellbeing_summed();
CREATE TRIGGER wellbeing_part_changed AFTER UPDATE ON wellbeing_part REFERENCING OLD TABLE AS gone NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION wellbeing_summed();
CREATE TRIGGER wellbeing_part_gone AFTER DELETE ON wellbeing_part REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION wellbeing_summed();

CREATE FUNCTION wellbeing_follow(whose uuid, of_council text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM wellbeing_lock(ARRAY[of_council]);
    DELETE FROM wellbeing_part p
     WHERE p.carer_id = whose
       AND NOT EXISTS (SELECT FROM wellbeing_comparison c WHERE c.carer_id = whose AND c IS NOT DISTINCT FROM p);
    INSERT INTO wellbeing_part
    SELECT c.* FROM wellbeing_comparison c WHERE c.carer_id = whose
    EXCEPT
    SELECT p.* FROM wellbeing_part p WHERE p.carer_id = whose;
END
$$;
COMMENT ON FUNCTION wellbeing_follow(uuid, text) IS
    'A carer''s parts anew: a result may be dated before others that are there, and then changes what they are compared with';

CREATE FUNCTION assessment_wellbeing() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM wellbeing_follow(r.carer_id, r.council)
       FROM (SELECT coalesce(NEW.carer_id, OLD.carer_id) AS carer_id, coalesce(NEW.council, OLD.council) AS council) AS r;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION assessment_wellbeing() IS
    'Results count when their assessment is completed, and do not change from then on (rule A8). Its name is the last of the '
    'table''s triggers: they fire in order of name, and no row that another may hold is locked after wellbeing_lock()';
CREATE TRIGGER assessment_wellbeing AFTER UPDATE ON assessment
    FOR EACH ROW WHEN (NEW.results > 0 AND NEW.completed_on IS DISTINCT FROM OLD.completed_on)
    EXECUTE FUNCTION assessment_wellbeing();
CREATE TRIGGER assessment_wellbeing_gone AFTER DELETE ON assessment
    FOR EACH ROW WHEN (OLD.completed_on IS NOT NULL) EXECUTE FUNCTION assessment_wellbeing();

CREATE FUNCTION council_settings_wellbeing() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    enough CONSTANT numeric := swemwbs_threshold(NEW.council);
BEGIN
    PERFORM wellbeing_lock(ARRAY[NEW.council]);
    UPDATE wellbeing_part p
       SET class = wellbeing_class(p.change, enough)
     WHERE p.council = NEW.council AND p.measure = 'swemwbs' AND p.class <> wellbeing_class(p.change, enough);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION council_settings_wellbeing() IS 'Another threshold classes what is on record anew: a report has one, not two';
CREATE TRIGGER council_settings_wellbeing_new AFTER INSERT ON council_settings
    FOR EACH ROW WHEN (NEW.settings ? 'swemwbs_change_threshold') EXECUTE FUNCTION council_settings_wellbeing();
CREATE TRIGGER council_settings_wellbeing AFTER UPDATE ON council_settings
    FOR EACH ROW WHEN (NEW.settings -> 'swemwbs_change_threshold' IS DISTINCT FROM OLD.settings -> 'swemwbs_change_threshold')
    EXECUTE FUNCTION council_settings_wellbeing();

-- Results that are there already.
CREATE FUNCTION wellbeing_refill() RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    TRUNCATE wellbeing_part, wellbeing_sum; -- and nobody completes an assessment with results until this is committed
    ALTER TABLE wellbeing_part DISABLE TRIGGER wellbeing_part_come;
    INSERT INTO wellbeing_part SELECT c.* FROM wellbeing_comparison c;
    ALTER TABLE wellbeing_part ENABLE TRIGGER wellbeing_part_come;
    INSERT INTO wellbeing_sum
    SELECT p.council, p.measure, p.instrument, p.area, m.at_month, p.on_month, p.provider, count(*),
           coalesce(sum(p.change), 0), count(*) FILTER (WHERE p.class = 'improved'),
           count(*) FILTER (WHERE p.class = 'unchanged'), count(*) FILTER (WHERE p.class = 'deteriorated'),
           sum(p.rated), sum(p.met), sum(p.partially_met), sum(p.not_met), sum(p.first_rated), sum(p.first_met)
      FROM wellbeing_part p CROSS JOIN LATERAL wellbeing_months(p.on_month, p.until_month) AS m(at_month)
     GROUP BY p.council, p.measure, p.instrument, p.area, m.at_month, p.on_month, p.provider;
END
$$;
COMMENT ON FUNCTION wellbeing_refill() IS 'Makes the parts and the sums anew: for the owner, where results were loaded without triggers';
SELECT wellbeing_refill();

-- What a report is asked for.

CREATE FUNCTION report_asked(whose text, from_day date, to_day date, OUT council text, OUT begins date, OUT ends date)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    this_month date := date_trunc('month', today()::timestamp);
BEGIN
    IF whose IS NULL AND cardinality(app_councils()) <> 1 THEN
        RAISE EXCEPTION 'must be given, since your token does not name exactly one council'
            USING ERRCODE = 'CA400', HINT = '/query/council';
    END IF;
    council := coalesce(whose, (app_councils())[1]);
    ends := coalesce(to_day, this_month + interval '1 month' - interval '1 day');
    begins := coalesce(from_day, make_date(extract(year FROM ends - interval '3 months')::integer, 4, 1));
    IF council <> ALL (app_councils()) THEN
        RAISE EXCEPTION 'is not one of your councils' USING ERRCODE = 'CA400', HINT = '/query/council';
    ELSIF extract(day FROM begins) <> 1 THEN
        RAISE EXCEPTION 'must be the first day of a month: results are summed by month'
            USING ERRCODE = 'CA400', HINT = '/query/from';
    ELSIF extract(day FROM ends + 1) <> 1 THEN
        RAISE EXCEPTION 'must be the last day of a month: results are summed by month' USING ERRCODE = 'CA400', HINT = '/query/to';
    ELSIF begins > ends THEN
        RAISE EXCEPTION 'must not lie after `to`' USING ERRCODE = 'CA400', HINT = '/query/from';
    END IF;
END
$$;
COMMENT ON FUNCTION report_asked(text, date, date) IS
    'Council and days of a report, or CA400 with what to do. Without days: from 1 April of the financial year in which the last '
    'day lies to the last day of this month';
GRANT EXECUTE ON FUNCTION report_asked(text, date, date) TO carers_desk, carers_council;
