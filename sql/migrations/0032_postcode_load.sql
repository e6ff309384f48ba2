-- The ONS Postcode Directory is loaded by COPY into a table beside its own (rule D6): 2.7 million rows, of which few change between editions.

CREATE UNLOGGED TABLE postcode_load (
    postcode text,
    latitude double precision,
    longitude double precision,
    county text,
    district text,
    ward text,
    region text,
    country text,
    introduced text,
    terminated text
);
COMMENT ON TABLE postcode_load IS 'Rows of a load that runs, in the order of postcode''s columns; empty otherwise. For the owner alone; no person stands in it';
ALTER TABLE postcode_load ENABLE ROW LEVEL SECURITY;

CREATE FUNCTION postcodes_merge() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    changed bigint;
BEGIN
    INSERT INTO postcode AS p
    SELECT DISTINCT ON (l.postcode) l.*
      FROM postcode_load l
      LEFT JOIN postcode k ON k.postcode = l.postcode
     WHERE k.postcode IS NULL OR ROW(k.*) IS DISTINCT FROM ROW(l.*)
     ORDER BY l.postcode
    ON CONFLICT (postcode) DO UPDATE
       SET (latitude, longitude, county, district, ward, region, country, introduced, terminated) =
           (excluded.latitude, excluded.longitude, excluded.county, excluded.district, excluded.ward, excluded.region, excluded.country,
            excluded.introduced, excluded.terminated);
    GET DIAGNOSTICS changed = ROW_COUNT;
    DELETE FROM postcode_load;
    RETURN changed;
END
$$;
COMMENT ON FUNCTION postcodes_merge() IS 'What was loaded and is new, or other than before, becomes what is known; how many';
