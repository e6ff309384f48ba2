-- England's bank holidays: days on which nobody counts on being contacted (rule R3).

CREATE TABLE bank_holiday (
    day date PRIMARY KEY CHECK (day BETWEEN '2000-01-01' AND '2099-12-31'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100)
);
COMMENT ON TABLE bank_holiday IS
    'Bank holidays of England and Wales as they are observed, substitute days among them: 2020 to 2035 by the rules of the Banking and '
    'Financial Dealings Act 1971 and the common law, with the days that were proclaimed for one year. No person stands in it';
CREATE TABLE bank_holidays_edition (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    version bigint NOT NULL DEFAULT 1,
    updated_at timestamptz(3) NOT NULL DEFAULT now()
);
COMMENT ON TABLE bank_holidays_edition IS 'One row: the version of the whole list, which is PUT whole';
INSERT INTO bank_holidays_edition DEFAULT VALUES;
ALTER TABLE bank_holiday ENABLE ROW LEVEL SECURITY;
ALTER TABLE bank_holidays_edition ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON bank_holiday, bank_holidays_edition TO carers_council, carers_partner, carers_self, carers_desk;
CREATE POLICY bank_holiday_read ON bank_holiday FOR SELECT TO carers_council, carers_partner, carers_self, carers_desk USING (true);
CREATE POLICY bank_holidays_edition_read ON bank_holidays_edition FOR SELECT
    TO carers_council, carers_partner, carers_self, carers_desk USING (true);

-- Easter Sunday by the anonymous Gregorian algorithm (Meeus, Jones, Butcher; Nature, 20 April 1876).
CREATE FUNCTION pg_temp.easter(y integer) RETURNS date LANGUAGE plpgsql AS $$
DECLARE
    a integer := y % 19;
    b integer := y / 100;
    c integer := y % 100;
    h integer := (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    l integer := (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    m integer := (a + 11 * h + 22 * l) / 451;
    n integer := h + l - 7 * m + 114;
BEGIN
    RETURN make_date(y, n / 31, n % 31 + 1);
END
$$;

-- Where the day falls on a week-end, the next Monday; or Tuesday, when the day before is moved to that Monday.
CREATE FUNCTION pg_temp.observed(d date, second boolean) RETURNS date LANGUAGE sql
    RETURN d + CASE extract(isodow FROM d)::integer WHEN 6 THEN 2 WHEN 7 THEN CASE WHEN second THEN 2 ELSE 1 END
                   WHEN 1 THEN CASE WHEN second THEN 1 ELSE 0 END ELSE 0 END;

INSERT INTO bank_holiday (day, name)
SELECT d.day, d.name
  FROM generate_series(2020, 2035) AS y
 CROSS JOIN LATERAL (VALUES
    (pg_temp.observed(make_date(y, 1, 1), false), 'New Year''s Day'),
    (pg_temp.easter(y) - 2, 'Good Friday'),
    (pg_temp.easter(y) + 1, 'Easter Monday'),
    (CASE y WHEN 2020 THEN date '2020-05-08'
            ELSE make_date(y, 5, 1) + (8 - extract(isodow FROM make_date(y, 5, 1))::integer) % 7 END, 'Early May bank holiday'),
    (CASE y WHEN 2022 THEN date '2022-06-02'
            ELSE make_date(y, 5, 31) - (extract(isodow FROM make_date(y, 5, 31))::integer - 1) END, 'Spring bank holiday'),
    (make_date(y, 8, 31) - (extract(isodow FROM make_date(y, 8, 31))::integer - 1), 'Summer bank holiday'),
    -- Christmas on a Sunday leaves Monday to Boxing Day, and is observed on Tuesday.
    (CASE extract(isodow FROM make_date(y, 12, 25)) WHEN 7 THEN make_date(y, 12, 27)
          ELSE pg_temp.observed(make_date(y, 12, 25), false) END, 'Christmas Day'),
    (CASE extract(isodow FROM make_date(y, 12, 25)) WHEN 7 THEN make_date(y, 12, 26)
          WHEN 6 THEN make_date(y, 12, 28) ELSE pg_temp.observed(make_date(y, 12, 26), false) END, 'Boxing Day')) AS d(day, name)
 UNION ALL VALUES
    (date '2022-06-03', 'Platinum Jubilee bank holiday'),
    (date '2022-09-19', 'Bank holiday for the State Funeral of Queen Elizabeth II'),
    (date '2023-05-08', 'Bank holiday for the coronation of King Charles III');
DROP FUNCTION pg_temp.observed(date, boolean);
DROP FUNCTION pg_temp.easter(integer);

CREATE FUNCTION bank_holidays_put(body jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    wanted text := coalesce(current_setting('app.if_match', true), '');
    edition bigint;
    before jsonb := (SELECT jsonb_agg(h.day ORDER BY h.day) FROM bank_holiday h);
    faults jsonb;
BEGIN
    IF app_role() IS DISTINCT FROM 'council_admin' THEN
        RAISE EXCEPTION 'administrators set bank holidays' USING ERRCODE = 'CA403';
    END IF;
    SELECT e.version INTO edition FROM bank_holidays_edition e FOR UPDATE;
    IF wanted <> '*' AND edition::text <> ALL (string_to_array(wanted, ',')) THEN
        RAISE EXCEPTION 'the bank holidays have changed since they were read' USING ERRCODE = 'CA412';
    END IF;
    SELECT jsonb_agg(jsonb_build_object('pointer', format('/days/%s/day', d.n - 1), 'keyword', 'rule', 'message', 'is there twice'))
      INTO faults
      FROM jsonb_array_elements(body -> 'days') WITH ORDINALITY AS d(item, n)
     WHERE EXISTS (SELECT FROM jsonb_array_elements(body -> 'days') WITH ORDINALITY AS e(item, n)
                    WHERE e.n < d.n AND e.item ->> 'day' = d.item ->> 'day');
    IF faults IS NOT NULL THEN
        RAISE EXCEPTION 'a day is there twice' USING ERRCODE = 'CA422', HINT = 'R3', DETAIL = jsonb_build_object('errors', faults);
    END IF;
    DELETE FROM bank_holiday;
    INSERT INTO bank_holiday (day, name)
    SELECT d.day, d.name FROM jsonb_to_recordset(body -> 'days') AS d(day date, name text);
    UPDATE bank_holidays_edition SET version = version + 1, updated_at = clock_timestamp();
    INSERT INTO audit_entry (council, subject_table, before, after)
    VALUES ((app_councils())[1], 'bank_holiday', jsonb_build_object('days', before),
            jsonb_build_object('days', (SELECT jsonb_agg(h.day ORDER BY h.day) FROM bank_holiday h)));
END
$$;
COMMENT ON FUNCTION bank_holidays_put(jsonb) IS 'The whole list anew: one for all councils of this service';
GRANT EXECUTE ON FUNCTION bank_holidays_put(jsonb) TO carers_council;
