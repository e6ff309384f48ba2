-- Bank holidays: one list for all councils of the service.

-- name: bank_holidays_read()
SELECT concat('{"days":[', (SELECT string_agg(concat('{"day":"', to_char(h.day, 'YYYY-MM-DD'), '"', member('name', h.name), '}'),
                                               ',' ORDER BY h.day) FROM bank_holiday h), ']',
              member('updated_at', instant(e.updated_at)), '}') AS body, e.version
  FROM bank_holidays_edition e;

-- name: bank_holidays_put(body)
SELECT bank_holidays_put($1::jsonb);
