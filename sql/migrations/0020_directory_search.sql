-- Search in the directory (rule D1): what everybody may find, under one index. See docs/adr/0025.
--
-- Whatever an entry is found by is a lexeme of directory_found.terms: the stems of its words, those of its name once more behind n/,
-- and its codes: a/ support area, p/ area, r/ access route, l/ language, t/ type of organisation, c/ council, o/ organisation, the squares of
-- its places, x/ and y/ terms and taxonomies by their id, free, referral. A search is one tsquery over all that was asked, whatever that was, and so always one walk over one GIN index.
-- The table holds published entries that are not confidential and nothing else: its policy lets everybody see every row, and so the
-- operator, which is not leakproof, may be an index condition.

CREATE TABLE directory_found (
    service_id uuid PRIMARY KEY REFERENCES service ON DELETE CASCADE,
    organisation_id uuid NOT NULL,
    terms tsvector NOT NULL,
    support_areas text[] NOT NULL,
    areas text[] NOT NULL,
    latitudes double precision[] NOT NULL,
    longitudes double precision[] NOT NULL,
    minimum_age integer,
    maximum_age integer,
    weekly int4multirange NOT NULL,
    dated tsmultirange NOT NULL,
    assured_on date NOT NULL,
    updated_at timestamptz(3) NOT NULL
);
COMMENT ON TABLE directory_found IS 'What the public may find of the directory, made by directory_refind(). No person stands in it';
COMMENT ON COLUMN directory_found.areas IS 'Areas as they are counted: codes and names of areas_served, towns of places';
-- What was written last waits in a short list, which every search reads: 256 kB of it, so that a hundred entries go in at once.
CREATE INDEX directory_found_terms ON directory_found USING gin (terms) WITH (gin_pending_list_limit = 256);
CREATE INDEX directory_found_organisation ON directory_found (organisation_id);
ALTER TABLE directory_found ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON directory_found TO carers_caller;
CREATE POLICY directory_found_read ON directory_found FOR SELECT TO carers_caller USING (true);

CREATE TABLE directory_word (
    word text COLLATE "C" PRIMARY KEY,
    stem text COLLATE "C" NOT NULL
);
COMMENT ON TABLE directory_word IS 'Every word of published entries and of the taxonomy: what the beginning of a word may become. No caller reads it';
CREATE TABLE directory_near (
    key text COLLATE "C" NOT NULL,
    word text COLLATE "C" NOT NULL,
    PRIMARY KEY (key, word)
);
COMMENT ON TABLE directory_near IS 'near_keys of every directory_word: what a misspelt word may mean. No caller reads it';
ALTER TABLE directory_word ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory_near ENABLE ROW LEVEL SECURITY;

-- Words.

CREATE FUNCTION plain_words(text text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF octet_length(text) = length(text) THEN
        RETURN trim(regexp_replace(translate(lower(text), '''`', ''), '[^[:alnum:]]+', ' ', 'g')); -- the same, where there is nothing but ASCII
    END IF;
    RETURN trim(regexp_replace(translate(lower(public.unaccent('public.unaccent'::regdictionary, normalize(text))), E'''`\u00b4\u02bc\u2018\u2019\u201b\u2032', ''),
                               '[^[:alnum:]]+', ' ', 'g'));
END
$$;
COMMENT ON FUNCTION plain_words(text) IS 'Without case, accents and signs: words with one space between them; the apostrophe joins (carer''s: carers)';

CREATE FUNCTION word_stems(words text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN ARRAY(SELECT coalesce((tsvector_to_array(to_tsvector('pg_catalog.english', w.word)))[1], '') FROM unnest(string_to_array(words, ' ')) AS w(word));
END
$$;
COMMENT ON FUNCTION word_stems(text) IS 'The stem of each of plain_words, in their order; empty for words like the and of';

CREATE FUNCTION area_key(area text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN 'p/' || replace(plain_words(area), ' ', '_');
COMMENT ON FUNCTION area_key(text) IS 'The lexeme of an area, by code or by name';

-- Keeping it.

CREATE FUNCTION directory_learn(words text[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    fresh text[] := ARRAY(SELECT DISTINCT w FROM unnest(words) AS w
                           WHERE length(w) BETWEEN 2 AND 40 AND NOT EXISTS (SELECT FROM directory_word d WHERE d.word = w) ORDER BY w);
BEGIN
    IF fresh = '{}' THEN
        RETURN;
    END IF;
    INSERT INTO directory_word (word, stem) SELECT w, coalesce(nullif((word_stems(w))[1], ''), w) FROM unnest(fresh) AS w ON CONFLICT DO NOTHING;
    INSERT INTO directory_near (key, word)
    SELECT k.key, w FROM unnest(fresh) AS w CROSS JOIN LATERAL near_keys(w) AS k(key) ORDER BY 1, 2 ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION directory_learn(text[]) IS 'Words become known; in order, so that two who bring the same wait for each other, and not in a ring';

CREATE FUNCTION directory_refind(wanted uuid[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    words text[];
BEGIN
    DELETE FROM directory_found f WHERE f.service_id = ANY (wanted);
    DELETE FROM directory_place p WHERE p.service_id = ANY (wanted);
    INSERT INTO directory_place (id, service_id, location_id, place, kind, postcode, latitude, longitude)
    SELECT (l.item ->> 'service_at_location_id')::uuid, s.id, (l.item ->> 'id')::uuid, l.place - 1, l.item ->> 'kind', l.item ->> 'postcode',
           (l.item ->> 'latitude')::double precision, (l.item ->> 'longitude')::double precision
      FROM service s CROSS JOIN LATERAL jsonb_array_elements(s.locations) WITH ORDINALITY AS l(item, place)
     WHERE s.id = ANY (wanted) AND s.state = 'published' AND NOT s.confidential;
    WITH said AS MATERIALIZED (
        SELECT s.id, plain_words(s.name) AS name, plain_words(array_to_string(s.offers, ' ')) AS offers, plain_words(o.name) AS organisation, o.type,
               plain_words(concat_ws(' ', s.description, s.eligibility ->> 'text', s.cost ->> 'text')) AS words
          FROM service s
          JOIN organisation o ON o.id = s.organisation_id
         WHERE s.id = ANY (wanted) AND s.state = 'published' AND NOT s.confidential),
    made AS (
        INSERT INTO directory_found (service_id, organisation_id, terms, support_areas, areas, latitudes, longitudes, minimum_age, maximum_age, weekly, dated,
                                     assured_on, updated_at)
        SELECT s.id, s.organisation_id,
               setweight(to_tsvector('english', w.name), 'A') || setweight(to_tsvector('english', w.offers), 'B')
               || setweight(to_tsvector('english', w.organisation), 'C') || setweight(to_tsvector('english', w.words), 'D')
               || array_to_tsvector(array_remove(
                      '{all}'::text[] || ARRAY(SELECT DISTINCT 'n/' || n FROM unnest(word_stems(w.name)) AS n WHERE n <> '')
                      || CASE WHEN (s.support_areas, s.needs) <> ('{}', '{}') THEN ARRAY(SELECT 'a/' || c FROM unnest(s.support_areas || s.needs) AS c) END
                      || CASE WHEN s.access_routes <> '{}' THEN ARRAY(SELECT 'r/' || c FROM unnest(s.access_routes) AS c) END
                      || CASE WHEN s.languages <> '{}' THEN ARRAY(SELECT 'l/' || lower(c) FROM unnest(s.languages) AS c) END
                      || CASE WHEN p.areas <> '{}' THEN ARRAY(SELECT DISTINCT area_key(c) FROM unnest(p.areas) AS c) END
                      || CASE WHEN p.latitudes <> '{}' THEN ARRAY(SELECT DISTINCT c FROM unnest(p.latitudes, p.longitudes) AS g(lat, lon)
                                                                    CROSS JOIN LATERAL unnest(place_cells(g.lat, g.lon)) AS c) END
                      || oruk_lexemes(s) || ARRAY['c/' || s.council, 'o/' || s.organisation_id, 't/' || w.type,
                               CASE WHEN (s.cost ->> 'free')::boolean THEN 'free' END, CASE WHEN s.referral_accepting THEN 'referral' END], NULL)),
               s.support_areas, p.areas, p.latitudes, p.longitudes, (s.eligibility ->> 'minimum_age')::integer,
               (s.eligibility ->> 'maximum_age')::integer, s.weekly, s.dated, s.assured_on, s.updated_at
          FROM said w
          JOIN service s USING (id)
         CROSS JOIN LATERAL (
            SELECT coalesce(array_agg((l.item ->> 'latitude')::double precision) FILTER (WHERE l.item ? 'latitude'), '{}') AS latitudes,
                   coalesce(array_agg((l.item ->> 'longitude')::double precision) FILTER (WHERE l.item ? 'latitude'), '{}') AS longitudes,
                   ARRAY(SELECT DISTINCT a
                           FROM unnest(s.areas_served || array_agg(l.item #>> '{address,town}') FILTER (WHERE l.item #>> '{address,town}' <> '')) AS a) AS areas
              FROM jsonb_array_elements(s.locations) AS l(item)) AS p)
    SELECT array_agg(DISTINCT t.word) INTO words
      FROM said w CROSS JOIN LATERAL unnest(string_to_array(concat_ws(' ', w.name, w.offers, w.organisation, w.words), ' ')) AS t(word);
    PERFORM directory_learn(words);
    PERFORM oruk_keep(wanted);
END
$$;
COMMENT ON FUNCTION directory_refind(uuid[]) IS 'Makes anew what these entries are found by; nothing when they are not for everybody. For loads without triggers, too';

CREATE FUNCTION service_refound() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    wanted uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(f.id ORDER BY f.id) INTO wanted FROM fresh f WHERE f.state = 'published';
    ELSE
        SELECT array_agg(f.id ORDER BY f.id) INTO wanted FROM fresh f JOIN stale s USING (id) WHERE 'published' IN (f.state, s.state);
    END IF;
    IF wanted IS NOT NULL THEN
        PERFORM directory_refind(wanted);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION service_refound() IS 'Entries that are published, or were: once for a statement, however many it writes';
CREATE TRIGGER service_refound_insert AFTER INSERT ON service REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION service_refound();
CREATE TRIGGER service_refound_update AFTER UPDATE ON service REFERENCING OLD TABLE AS stale NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION service_refound();

CREATE FUNCTION organisation_refound() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM directory_refind(ARRAY(SELECT s.id FROM service s WHERE s.organisation_id = NEW.id AND s.state = 'published' ORDER BY s.id));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION organisation_refound() IS 'Its name and its kind are what its services are found by, too';
CREATE TRIGGER organisation_refound AFTER UPDATE ON organisation FOR EACH ROW
    WHEN (NEW.state IS NOT NULL AND (NEW.name, NEW.type) IS DISTINCT FROM (OLD.name, OLD.type)) EXECUTE FUNCTION organisation_refound();

-- The taxonomy's words: labels and synonyms, as stems.

CREATE TABLE taxonomy_phrase (
    code text NOT NULL,
    stems text COLLATE "C" NOT NULL,
    phrase text NOT NULL,
    PRIMARY KEY (code, stems)
);
COMMENT ON TABLE taxonomy_phrase IS 'Labels and synonyms of support areas and needs as a search compares them, kept by taxonomy_spoken. No person stands in it';
COMMENT ON COLUMN taxonomy_phrase.stems IS 'The stems of its words, each in spaces';
ALTER TABLE taxonomy_phrase ENABLE ROW LEVEL SECURITY;

CREATE FUNCTION taxonomy_spoken() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.taxonomy = 'access_route' THEN
        RETURN NULL;
    END IF;
    DELETE FROM taxonomy_phrase t WHERE t.code = NEW.code;
    INSERT INTO taxonomy_phrase (code, stems, phrase)
    SELECT NEW.code, ' ' || array_to_string(word_stems(plain_words(p)), ' ') || ' ', p
      FROM unnest(NEW.synonyms || NEW.label) AS p WHERE NEW.active
    ON CONFLICT DO NOTHING;
    PERFORM directory_learn(string_to_array(plain_words(array_to_string(NEW.synonyms || NEW.label, ' ')), ' '));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION taxonomy_spoken() IS 'A synonym finds what is coded so from the next search on';
CREATE TRIGGER taxonomy_spoken AFTER INSERT OR UPDATE ON taxonomy_term FOR EACH ROW EXECUTE FUNCTION taxonomy_spoken();
UPDATE taxonomy_term SET place = place;

-- What is asked.

CREATE FUNCTION lexeme(term text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '''' || replace(replace(term, '\', '\\'), '''', '''''') || '''';
COMMENT ON FUNCTION lexeme(text) IS 'As a tsquery writes it';

CREATE FUNCTION lexemes(terms text[]) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    one text;
    text text;
BEGIN
    FOREACH one IN ARRAY coalesce(terms, '{}') LOOP
        text := concat(text || '|', lexeme(one));
    END LOOP;
    RETURN '(' || text || ')';
END
$$;
COMMENT ON FUNCTION lexemes(text[]) IS 'Text of a tsquery for any of these; NULL for none. A loop: no statement is run for it';

CREATE FUNCTION directory_heard(q text) RETURNS TABLE (place bigint, word text, stems text[], names text[], codes text[], spelt text[], phrase text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT w.place, w.word, coalesce((word_stems(w.word))[1], '') AS stem
          FROM unnest((string_to_array(plain_words(q), ' '))[1:12]) WITH ORDINALITY AS w(word, place)
         WHERE w.word <> ''),
    known AS MATERIALIZED (
        SELECT a.place, a.word, a.stem,
               ARRAY(SELECT DISTINCT d.stem
                       FROM (SELECT d.stem FROM directory_word d
                              WHERE d.word >= a.word AND d.word < a.word || U&'\+10FFFF' AND (length(a.word) > 2 OR d.word = a.word)
                              ORDER BY d.word LIMIT 60) AS d) AS begun
          FROM asked a),
    spelt AS MATERIALIZED (
        SELECT k.*, n.words, n.near
          FROM known k
         CROSS JOIN LATERAL (
            SELECT array_agg(n.word) AS words, array_agg(DISTINCT n.stem) AS near
              FROM (SELECT n.word, d.stem
                      FROM directory_near n JOIN directory_word d USING (word)
                     WHERE k.begun = '{}' AND length(k.word) > 3 AND n.key = ANY (ARRAY(SELECT near_keys(k.word)))
                     GROUP BY n.word, d.stem
                     ORDER BY count(*) DESC, abs(length(n.word) - length(k.word)), n.word
                     LIMIT 6) AS n) AS n),
    said AS MATERIALIZED (
        SELECT ' ' || string_agg(CASE WHEN s.begun <> '{}' OR s.near IS NULL THEN s.stem ELSE (word_stems(s.words[1]))[1] END, ' ' ORDER BY s.place) || ' ' AS stems
          FROM spelt s),
    meant AS MATERIALIZED (
        SELECT t.code, t.phrase, cardinality(string_to_array(trim(left(i.stems, strpos(i.stems, t.stems))), ' ')) AS before,
               cardinality(string_to_array(trim(t.stems), ' ')) AS size
          FROM said i CROSS JOIN taxonomy_phrase t WHERE strpos(i.stems, t.stems) > 0)
    SELECT s.place, s.word, k.stems, ARRAY(SELECT 'n/' || n FROM unnest(k.stems) AS n), m.codes, s.words, m.phrase
      FROM (SELECT r.*, row_number() OVER (ORDER BY r.place) AS n FROM spelt r) AS s
     CROSS JOIN LATERAL (
        SELECT array_agg(DISTINCT 'a/' || m.code) AS codes, min(m.phrase) AS phrase
          FROM meant m WHERE s.n > m.before AND s.n <= m.before + m.size) AS m
     CROSS JOIN LATERAL (SELECT array_remove(array_remove(s.begun || s.stem || coalesce(s.near, '{}'), ''), NULL) AS stems) AS k
     WHERE s.stem <> '' OR s.begun <> '{}' AND length(s.word) > 3;
END
$$;
COMMENT ON FUNCTION directory_heard(text) IS
    'For each word of what was asked that says something: the stems that it stands for (words that begin with it; where there is none, words '
    'spelt like it), and the codes of the taxonomy that it is, or is part of, a synonym for';

CREATE FUNCTION directory_fault(body jsonb, pointer text, sentence text) RETURNS void LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF body ? 'in_query' THEN
        RAISE EXCEPTION '%', sentence USING ERRCODE = 'CA400', HINT = '/query' || pointer;
    END IF;
    RAISE EXCEPTION '%', sentence USING ERRCODE = 'CA42V', HINT = pointer;
END
$$;
COMMENT ON FUNCTION directory_fault(jsonb, text, text) IS 'The same fault of a parameter of the GET, or of a member of the POST';

CREATE FUNCTION directory_cursor(at timestamptz, stale boolean, relevance integer, metres integer, last uuid) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN rtrim(translate(replace(encode(convert_to(concat_ws(' ', floor(extract(epoch FROM at)), stale::integer, relevance, metres, replace(last::text, '-', '')),
                                                     'UTF8'), 'base64'), E'\n', ''), '+/', '-_'), '=');
COMMENT ON FUNCTION directory_cursor(timestamptz, boolean, integer, integer, uuid) IS
    'Where a page of a search ended, and when its first page was asked: open now, fresh and stale are as they were then';

CREATE FUNCTION directory_cursor_read(body jsonb, OUT at timestamptz, OUT stale boolean, OUT relevance integer, OUT metres integer, OUT last uuid)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    part text[];
BEGIN
    IF NOT body ? 'cursor' THEN
        at := now();
        RETURN;
    END IF;
    part := string_to_array(convert_from(decode(translate(body ->> 'cursor', '-_', '+/') || repeat('=', -length(body ->> 'cursor') & 3), 'base64'), 'UTF8'), ' ');
    at := to_timestamp(part[1]::bigint);
    stale := part[2]::integer::boolean;
    relevance := part[3];
    metres := part[4];
    last := part[5];
    IF num_nulls(stale, relevance, metres, last) > 0 OR cardinality(part) <> 5 OR at NOT BETWEEN now() - interval '7 days' AND now() THEN
        PERFORM directory_fault(body, '/cursor', 'is no cursor of this search, or is older than a week: begin again');
    END IF;
EXCEPTION WHEN data_exception THEN
    PERFORM directory_fault(body, '/cursor', 'is no cursor of this search');
END
$$;
COMMENT ON FUNCTION directory_cursor_read(jsonb) IS 'directory_cursor() the other way round';

CREATE FUNCTION directory_place_asked(body jsonb, OUT lat double precision, OUT lon double precision, OUT metres double precision, OUT district text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    lat := body ->> 'lat';
    lon := body ->> 'lon';
    IF num_nulls(lat, lon) = 1 THEN
        PERFORM directory_fault(body, CASE WHEN lat IS NULL THEN '/lon' ELSE '/lat' END, 'stands without the other coordinate');
    ELSIF body ? 'postcode' AND lat IS NOT NULL THEN
        PERFORM directory_fault(body, '/postcode', 'stands without lat and lon: say one place');
    ELSIF body ? 'postcode' THEN
        SELECT p.latitude, p.longitude, p.district INTO lat, lon, district FROM postcode p WHERE p.postcode = postcode_of(body ->> 'postcode');
        IF NOT FOUND THEN
            PERFORM directory_fault(body, '/postcode', 'is no postcode that this service knows');
        END IF;
    ELSIF lat IS NULL AND body ? 'within_metres' THEN
        PERFORM directory_fault(body, '/within_metres', 'is a radius without a place: say postcode, or lat and lon');
    END IF;
    IF lat IS NOT NULL THEN
        metres := coalesce((body ->> 'within_metres')::double precision, 50000);
    END IF;
END
$$;
COMMENT ON FUNCTION directory_place_asked(jsonb) IS 'Where, and how far around it: 50 km when that is not said';

CREATE FUNCTION directory_hours_asked(body jsonb, at timestamptz, OUT weekly int4multirange, OUT dated tsmultirange) LANGUAGE plpgsql STABLE AS $$
DECLARE
    local timestamp := at AT TIME ZONE 'Europe/London';
    opens integer := extract(epoch FROM coalesce((body ->> 'from')::time, '00:00'))::integer / 60;
    closes integer := extract(epoch FROM coalesce((body ->> 'to')::time, '24:00'))::integer / 60;
    day integer := array_position('{MO,TU,WE,TH,FR,SA,SU}', body ->> 'day') - 1;
    minute integer;
BEGIN
    IF (body ->> 'open_now')::boolean THEN
        minute := (extract(isodow FROM local)::integer - 1) * 1440 + extract(hour FROM local)::integer * 60 + extract(minute FROM local)::integer;
        weekly := int4multirange(int4range(minute, minute + 1));
        dated := tsmultirange(tsrange(local, local, '[]'));
    END IF;
    IF day IS NULL AND body ?| '{from,to}' THEN
        PERFORM directory_fault(body, CASE WHEN body ? 'from' THEN '/from' ELSE '/to' END, 'is an hour of no day: say day as well');
    ELSIF closes <= opens THEN
        PERFORM directory_fault(body, '/to', 'is not after from');
    ELSIF day IS NOT NULL THEN
        weekly := coalesce(weekly, '{(,)}') * int4multirange(int4range(day * 1440 + opens, day * 1440 + closes));
        dated := coalesce(dated, '{(,)}') * (
            SELECT range_agg(tsrange(d + opens * interval '1 minute', d + closes * interval '1 minute'))
              FROM (SELECT date_trunc('week', local) + (day + 7 * w) * interval '1 day' FROM generate_series(0, 5) AS w) AS d(d));
    END IF;
END
$$;
COMMENT ON FUNCTION directory_hours_asked(jsonb, timestamptz) IS
    'Minutes of the week, and spans of the coming weeks in London''s time, in one of which an entry must be open; NULL: any';

CREATE FUNCTION directory_asked(body jsonb, OUT terms tsquery, OUT named tsquery, OUT close tsquery, OUT ranked tsquery, OUT heard jsonb[], OUT heard_named tsquery[], OUT heard_said tsquery[],
                                OUT lat double precision, OUT lon double precision, OUT metres double precision, OUT weekly int4multirange, OUT dated tsmultirange,
                                OUT at timestamptz, OUT stale boolean, OUT relevance integer, OUT away integer, OUT last uuid, OUT district text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    coded text;
    words text;
    names text;
    nearby text;
    area text := body ->> 'area';
    wrong integer;
BEGIN
    IF body ? 'support_area' THEN
        wrong := taxonomy_unknown('support_area', ARRAY(SELECT jsonb_array_elements_text(body -> 'support_area')));
    END IF;
    IF wrong IS NOT NULL THEN
        PERFORM directory_fault(body, '/support_area/' || wrong, 'is no support area of the taxonomy');
    ELSIF body ? 'access_route' AND taxonomy_unknown('access_route', ARRAY[body ->> 'access_route']) IS NOT NULL THEN
        PERFORM directory_fault(body, '/access_route', 'is no access route of the taxonomy');
    END IF;
    SELECT c.at, c.stale, c.relevance, c.metres, c.last INTO at, stale, relevance, away, last FROM directory_cursor_read(body) AS c;
    SELECT p.lat, p.lon, p.metres, p.district INTO lat, lon, metres, district FROM directory_place_asked(body) AS p;
    SELECT h.weekly, h.dated INTO weekly, dated FROM directory_hours_asked(body, at) AS h;
    IF body ? 'support_area' THEN
        coded := (SELECT string_agg(lexeme('a/' || c), '&') FROM jsonb_array_elements_text(body -> 'support_area') AS c);
    END IF;
    coded := concat_ws('&', coded,
                       CASE WHEN area ~ '^E' THEN '(' || lexeme(area_key(area)) || '|' || lexeme('c/' || area) || ')' ELSE lexeme(area_key(area)) END,
                       lexeme('r/' || (body ->> 'access_route')), lexeme('l/' || lower(body ->> 'language')), lexeme('t/' || (body ->> 'organisation_type')),
                       lexeme('o/' || lower(body ->> 'organisation_id')), lexeme('c/' || (body ->> 'council')),
                       CASE body ->> 'referral_accepting' WHEN 'true' THEN 'referral' WHEN 'false' THEN 'all&!referral' END,
                       CASE body ->> 'free' WHEN 'true' THEN 'free' WHEN 'false' THEN 'all&!free' END);
    IF lat IS NOT NULL THEN
        coded := concat_ws('&', nullif(coded, ''), lexemes(cells_around(lat, lon, metres)));
        nearby := CASE WHEN metres > 6000 THEN lexemes(cells_around(lat, lon, 3000)) END;
    END IF;
    IF plain_words(body ->> 'q') = '' THEN
        words := '''!'''; -- nothing but signs finds nothing
    ELSIF body ? 'q' THEN
        SELECT string_agg(concat('(', concat_ws('|', lexemes(h.stems), lexemes(h.codes)), ')'), '&'), string_agg(lexemes(h.names), '&'),
               string_agg(lexemes(h.stems), '|')::tsquery,
               array_agg(jsonb_strip_nulls(jsonb_build_object('word', h.word, 'spelt', h.spelt[1], 'phrase', h.phrase)) ORDER BY h.place),
               array_agg(lexemes(h.names)::tsquery ORDER BY h.place), array_agg(lexemes(h.stems)::tsquery ORDER BY h.place)
          INTO words, names, ranked, heard, heard_named, heard_said
          FROM directory_heard(body ->> 'q') AS h;
    END IF;
    coded := nullif(coded, '');
    terms := coalesce(nullif(concat_ws('&', coded, words), ''), 'all')::tsquery;
    close := CASE WHEN nearby IS NOT NULL THEN concat_ws('&', coded, words, nearby)::tsquery END;
    named := CASE WHEN names IS NOT NULL THEN concat_ws('&', coded, names)::tsquery END;
END
$$;
COMMENT ON FUNCTION directory_asked(jsonb) IS
    'A search, worked out once: the tsquery of all that must hold; the same with every word in the name, and within 3 km (NULL: not asked so); what relevance goes by; what was heard; '
    'where and when; where the page begins';

CREATE FUNCTION metres_nearest(latitudes double precision[], longitudes double precision[], lat double precision, lon double precision) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF cardinality(latitudes) < 2 THEN
        RETURN metres_between(latitudes[1], longitudes[1], lat, lon);
    END IF;
    RETURN (SELECT min(metres_between(p.y, p.x, lat, lon)) FROM unnest(latitudes, longitudes) AS p(y, x));
END
$$;
COMMENT ON FUNCTION metres_nearest(double precision[], double precision[], double precision, double precision) IS 'To the nearest of its places';

CREATE FUNCTION directory_filters(body jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_build_object('by', f.name) || CASE WHEN jsonb_typeof(v.value) = 'string' THEN jsonb_build_object('value', v.value) ELSE '{}' END
                             ORDER BY f.place)
              FROM unnest('{support_area,area,postcode,lat,access_route,free,age,language,day,open_now,referral_accepting,organisation_type}'::text[])
                   WITH ORDINALITY AS f(name, place)
             CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(body -> f.name) WHEN 'array' THEN body -> f.name
                                                     ELSE jsonb_build_array(body -> f.name) END) AS v(value)
             WHERE body ? f.name);
END
$$;
COMMENT ON FUNCTION directory_filters(jsonb) IS 'The filters of a search, as each of its items shows them';

CREATE FUNCTION directory_matched(terms tsvector, heard jsonb[], named tsquery[], said tsquery[]) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    why jsonb := '[]';
BEGIN
    FOR i IN 1 .. coalesce(cardinality(heard), 0) LOOP
        why := why || CASE WHEN terms @@ said[i] AND heard[i] ? 'spelt'
                           THEN jsonb_build_object('by', 'spelling', 'word', heard[i] -> 'word', 'found', heard[i] -> 'spelt')
                           WHEN terms @@ named[i] THEN jsonb_build_object('by', 'name', 'word', heard[i] -> 'word')
                           WHEN terms @@ said[i] THEN jsonb_build_object('by', 'text', 'word', heard[i] -> 'word')
                           ELSE jsonb_build_object('by', 'synonym', 'word', heard[i] -> 'word', 'found', heard[i] -> 'phrase') END;
    END LOOP;
    RETURN why;
END
$$;
COMMENT ON FUNCTION directory_matched(tsvector, jsonb[], tsquery[], tsquery[]) IS 'Why an entry was found, for each word of what was asked';

-- What was not found: counted by day, area and support area, and nothing else.

CREATE TABLE unmet_search (
    day date NOT NULL DEFAULT today(),
    area text NOT NULL,
    support_area text NOT NULL,
    searches integer NOT NULL DEFAULT 1,
    PRIMARY KEY (day, area, support_area)
);
COMMENT ON TABLE unmet_search IS 'Searches that found nothing, counted: neither who searched nor which words. Empty: no area, or no support area, was asked for';
ALTER TABLE unmet_search ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON unmet_search TO carers_council, carers_desk;
CREATE POLICY unmet_search_read ON unmet_search FOR SELECT TO carers_council, carers_desk
    USING (app_role() IN ('council_admin', 'commissioner', 'directory_editor'));

CREATE FUNCTION unmet_note(district text, body jsonb) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO unmet_search (area, support_area)
    SELECT coalesce(k.area, district, ''), c.code
      FROM (SELECT DISTINCT t.code FROM taxonomy_term t
             WHERE t.taxonomy = 'support_area' AND t.code IN (SELECT jsonb_array_elements_text(body -> 'support_area'))
             UNION ALL SELECT '' WHERE NOT body ? 'support_area') AS c(code)
     CROSS JOIN (SELECT CASE WHEN body ->> 'area' ~ '^E(06|07|08|09|10)000[0-9]{3}$' THEN body ->> 'area'
                             WHEN EXISTS (SELECT FROM directory_found d WHERE d.terms @@ lexeme(area_key(body ->> 'area'))::tsquery)
                             THEN plain_words(body ->> 'area') END AS area) AS k
     ORDER BY c.code
    ON CONFLICT (day, area, support_area) DO UPDATE SET searches = unmet_search.searches + 1
$$;
COMMENT ON FUNCTION unmet_note(text, jsonb) IS 'One search that found nothing, by an area that the directory or ONS knows, never by what was typed';
GRANT EXECUTE ON FUNCTION directory_asked(jsonb), directory_cursor(timestamptz, boolean, integer, integer, uuid), directory_fault(jsonb, text, text),
    metres_nearest(double precision[], double precision[], double precision, double precision), directory_matched(tsvector, jsonb[], tsquery[], tsquery[]), directory_filters(jsonb),
    unmet_note(text, jsonb), plain_words(text) TO carers_caller;
