-- Postcodes: where they are, from the ONS Postcode Directory; and the places of the directory. Rule D6.

CREATE TABLE postcode (
    postcode text PRIMARY KEY,
    latitude double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    county text,
    district text,
    ward text,
    region text,
    country text,
    introduced text,
    terminated text
);
COMMENT ON TABLE postcode IS
    'The ONS Postcode Directory (Open Government Licence): the columns pcds, lat, long, oscty, oslaua, osward, rgn, ctry, dointr and doterm, for '
    'postcodes that have a place. Loaded by COPY; no person stands in it';
COMMENT ON COLUMN postcode.postcode IS 'pcds: upper case, one space';
COMMENT ON COLUMN postcode.district IS 'GSS code of the local authority district, the unitary authority or the borough';
COMMENT ON COLUMN postcode.terminated IS 'YYYYMM, for postcodes that are not in use any more: entries may still bear them';
ALTER TABLE postcode ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON postcode TO carers_caller;
CREATE POLICY postcode_read ON postcode FOR SELECT TO carers_caller USING (true);

CREATE FUNCTION postcode_of(text text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN regexp_replace(upper(translate(text, ' ', '')), '(.{3})$', ' \1');
COMMENT ON FUNCTION postcode_of(text) IS 'As postcodes are kept: upper case, one space';

-- Haversine on a sphere of 6,371,008.8 m: within half a per cent of the ellipsoid.
CREATE FUNCTION metres_between(lat1 double precision, lon1 double precision, lat2 double precision, lon2 double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN 12742017.6 * asin(sqrt(least(1, sind((lat2 - lat1) / 2) ^ 2 + cosd(lat1) * cosd(lat2) * sind((lon2 - lon1) / 2) ^ 2)));
COMMENT ON FUNCTION metres_between(double precision, double precision, double precision, double precision) IS 'Along the ground';

CREATE FUNCTION directory_located(locations jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    item jsonb;
    place integer;
    found postcode;
    located jsonb;
BEGIN
    FOR item, place IN SELECT i.item, i.place - 1 FROM jsonb_array_elements(locations) WITH ORDINALITY AS i(item, place) LOOP
        IF item ? 'latitude' <> item ? 'longitude' THEN
            RAISE EXCEPTION 'stands without the other coordinate' USING ERRCODE = 'CA42V',
                HINT = format('/locations/%s/%s', place, CASE WHEN item ? 'latitude' THEN 'latitude' ELSE 'longitude' END);
        END IF;
        IF item ? 'postcode' THEN
            item := item || jsonb_build_object('postcode', postcode_of(item ->> 'postcode'));
            SELECT p.* INTO found FROM postcode p WHERE p.postcode = item ->> 'postcode';
            IF found.postcode IS NULL AND NOT item ? 'latitude' THEN
                RAISE EXCEPTION 'is no postcode that this service knows: correct it, or give latitude and longitude'
                    USING ERRCODE = 'CA42V', HINT = format('/locations/%s/postcode', place);
            ELSIF NOT item ? 'latitude' THEN
                item := item || jsonb_build_object('latitude', found.latitude, 'longitude', found.longitude);
            END IF;
        END IF;
        located := coalesce(located, '[]') || item;
    END LOOP;
    RETURN located;
END
$$;
COMMENT ON FUNCTION directory_located(jsonb) IS 'Places with their coordinates, by postcode where none are given';
GRANT EXECUTE ON FUNCTION postcode_of(text), metres_between(double precision, double precision, double precision, double precision),
    directory_located(jsonb) TO carers_caller;

-- A place is found by the square that it lies in, for squares of five sizes. See docs/adr/0026.

CREATE FUNCTION place_cell(level integer, lat double precision, lon double precision) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN 'g' || level::text || '/' || floor(lat * 111.195 / 4 ^ level)::integer::text || '/' || floor(lon * 65 / 4 ^ level)::integer::text;
COMMENT ON FUNCTION place_cell(integer, double precision, double precision) IS
    'Square of 4 ^ level kilometres (in the south of England; they are narrower in the north)';

CREATE FUNCTION place_cells(lat double precision, lon double precision) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN ARRAY[place_cell(0, lat, lon), place_cell(1, lat, lon), place_cell(2, lat, lon), place_cell(3, lat, lon), place_cell(4, lat, lon)];
END
$$;
COMMENT ON FUNCTION place_cells(double precision, double precision) IS 'All squares that a place lies in';

CREATE FUNCTION cells_around(lat double precision, lon double precision, metres double precision) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    level integer := CASE WHEN metres <= 2000 THEN 0 WHEN metres <= 8000 THEN 1 WHEN metres <= 32000 THEN 2 WHEN metres <= 128000 THEN 3 ELSE 4 END;
    high double precision := metres / 111195;
    wide double precision := metres / 111195 / greatest(cosd(lat), 0.05);
    side double precision := 4 ^ level;
    cells text[] := '{}';
BEGIN
    FOR y IN floor((lat - high) * 111.195 / side)::integer .. floor((lat + high) * 111.195 / side)::integer LOOP
        FOR x IN floor((lon - wide) * 65 / side)::integer .. floor((lon + wide) * 65 / side)::integer LOOP
            cells := cells || concat('g', level, '/', y, '/', x);
        END LOOP;
    END LOOP;
    RETURN cells;
END
$$;
COMMENT ON FUNCTION cells_around(double precision, double precision, double precision) IS
    'The squares that a circle touches, of the smallest size that is not less than half its radius';
GRANT EXECUTE ON FUNCTION place_cell(integer, double precision, double precision), place_cells(double precision, double precision),
    cells_around(double precision, double precision, double precision) TO carers_caller;

-- The places of entries as rows, for Open Referral's service_at_location.
CREATE TABLE directory_place (
    id uuid PRIMARY KEY,
    service_id uuid NOT NULL REFERENCES service ON DELETE CASCADE,
    location_id uuid NOT NULL,
    place integer NOT NULL,
    kind text NOT NULL,
    postcode text,
    latitude double precision,
    longitude double precision
);
COMMENT ON TABLE directory_place IS 'Places of the entries that everybody may see, made from service.locations by directory_found. No person stands in it';
COMMENT ON COLUMN directory_place.id IS 'service_at_location_id of the item at `place`, from 0';
CREATE INDEX directory_place_service ON directory_place (service_id, place);
ALTER TABLE directory_place ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON directory_place TO carers_caller;
CREATE POLICY directory_place_read ON directory_place FOR SELECT TO carers_caller USING (true);
