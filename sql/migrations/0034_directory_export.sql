-- The published directory as a file that can be imported again (rule D5).

-- One quote more also before quotes that stand there already, so that an import takes away what was put (cell() of src/import_row.c).
CREATE FUNCTION csv_guarded(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN value ~ '^''*[=+@\t\r\n＝＋－＠-]' AND value !~ '^-[0-9]+([.][0-9]+)?$' THEN '''' || value ELSE value END;
COMMENT ON FUNCTION csv_guarded(text) IS 'So that no spreadsheet takes it for a formula (OWASP, CSV injection): a quote before it; numbers stay';

CREATE FUNCTION csv_value(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN value ~ '[",\r\n]' THEN '"' || replace(csv_guarded(value), '"', '""') || '"' ELSE coalesce(csv_guarded(value), '') END;
COMMENT ON FUNCTION csv_value(text) IS 'A field of CSV (RFC 4180); NULL: an empty one';

CREATE FUNCTION export_columns() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN 'external_id,organisation,organisation_type,organisation_description,name,description,website,email,phone,contact,alert,support_areas,needs,'
        || 'access_routes,offers,languages,areas_served,referral_accepting,free,capacity,minimum_age,maximum_age,eligibility,cost,place,address_line_1,'
        || 'address_line_2,town,county,postcode,latitude,longitude,days,opens_at,closes_at,assured_on';
COMMENT ON FUNCTION export_columns() IS 'The first line of our CSV, as docs/import-template.csv has it';

CREATE FUNCTION export_row(s service, o organisation) RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT string_agg(csv_value(v.value), ',' ORDER BY v.n)
              FROM unnest(ARRAY[s.id::text, o.name, o.type, o.description, s.name, s.description, s.website, s.email, s.contacts #>> '{0,phones,0,number}',
                                s.contacts #>> '{0,name}', s.alert, array_to_string(s.support_areas, ';'), array_to_string(s.needs, ';'),
                                array_to_string(s.access_routes, ';'), array_to_string(s.offers, ';'), array_to_string(s.languages, ';'),
                                array_to_string(s.areas_served, ';'), CASE s.referral_accepting WHEN true THEN 'yes' WHEN false THEN 'no' END,
                                CASE (s.cost ->> 'free')::boolean WHEN true THEN 'yes' WHEN false THEN 'no' END, s.capacity, s.eligibility ->> 'minimum_age',
                                s.eligibility ->> 'maximum_age', s.eligibility ->> 'text', s.cost ->> 'text', s.locations #>> '{0,name}',
                                s.locations #>> '{0,address,line_1}', s.locations #>> '{0,address,line_2}', s.locations #>> '{0,address,town}',
                                s.locations #>> '{0,address,county}', s.locations #>> '{0,postcode}', s.locations #>> '{0,latitude}',
                                s.locations #>> '{0,longitude}', s.schedule #>> '{0,byday}', s.schedule #>> '{0,opens_at}', s.schedule #>> '{0,closes_at}',
                                to_char(s.assured_on, 'YYYY-MM-DD')]) WITH ORDINALITY AS v(value, n));
END
$$;
COMMENT ON FUNCTION export_row(service, organisation) IS 'An entry as a line of our CSV, which has one place, one contact and one schedule';
GRANT EXECUTE ON FUNCTION csv_guarded(text), csv_value(text), export_columns(), export_row(service, organisation) TO carers_caller;
