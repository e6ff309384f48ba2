-- The directory as Open Referral UK 3.0 (rule D4): the same rows under HSDS's names, for everybody. See docs/adr/0028.

-- The order of the feed. Every entry has a number from the moment that it is published; it keeps it, and nobody else ever gets it. A page is a
-- span of numbers, so that what is published or taken away while the feed is read moves nothing from one page to another.

CREATE TABLE oruk_entry (
    kind text NOT NULL CHECK (kind IN ('service', 'service_at_location', 'organization', 'taxonomy', 'taxonomy_term')),
    place bigint NOT NULL,
    id uuid NOT NULL,
    service_id uuid,
    organisation_id uuid,
    document text,
    PRIMARY KEY (kind, place),
    UNIQUE (kind, id)
);
COMMENT ON TABLE oruk_entry IS 'What the feed has, in its order: numbers without a gap when they are given, never given twice. No person stands in it';
COMMENT ON COLUMN oruk_entry.service_id IS 'Of services and their places: the entry that they are of';
COMMENT ON COLUMN oruk_entry.organisation_id IS 'Of services and their places: whose they are';
COMMENT ON COLUMN oruk_entry.document IS 'What lists show of it, as the JSON that they send, without its service and organisation, whose own rows have theirs. NULL: made when it is read, of taxonomies and terms, which are few';
CREATE INDEX oruk_entry_service ON oruk_entry (service_id) WHERE service_id IS NOT NULL;
CREATE TABLE oruk_feed (
    kind text PRIMARY KEY,
    last bigint NOT NULL DEFAULT 0,
    entries bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE oruk_feed IS 'The last number given in oruk_entry, and how many entries there are. Its row is held until commit, so numbers commit in order';
INSERT INTO oruk_feed (kind) VALUES ('service'), ('service_at_location'), ('organization'), ('taxonomy'), ('taxonomy_term');

CREATE TABLE oruk_vocabulary (
    kind text NOT NULL CHECK (kind IN ('taxonomy', 'taxonomy_term')),
    id uuid NOT NULL,
    council text NOT NULL CHECK (council ~ '^E(06|08|09|10)[0-9]{6}$'),
    taxonomy_id uuid,
    document jsonb NOT NULL,
    PRIMARY KEY (kind, id)
);
COMMENT ON TABLE oruk_vocabulary IS 'Taxonomies and terms of other directories as they were imported, which entries are coded with besides ours. No person stands in it';
COMMENT ON COLUMN oruk_vocabulary.council IS 'Who brought it first: no other council changes it';
CREATE INDEX oruk_vocabulary_terms ON oruk_vocabulary (taxonomy_id, id) WHERE taxonomy_id IS NOT NULL;

DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['oruk_entry', 'oruk_feed', 'oruk_vocabulary'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', one);
        EXECUTE format('GRANT SELECT ON %I TO carers_caller', one);
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO carers_caller USING (true)', one || '_read', one);
    END LOOP;
END
$$;

CREATE FUNCTION oruk_put(whose text, made oruk_entry[], gone bigint DEFAULT 0) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    fresh CONSTANT oruk_entry[] := ARRAY(SELECT m FROM unnest(made) AS m WHERE NOT EXISTS (SELECT FROM oruk_entry e WHERE e.kind = whose AND e.id = m.id));
    first bigint;
BEGIN
    UPDATE oruk_entry e SET organisation_id = m.organisation_id, document = m.document FROM unnest(made) AS m WHERE e.kind = whose AND e.id = m.id;
    IF fresh = '{}' AND gone = 0 THEN
        RETURN;
    END IF;
    UPDATE oruk_feed f SET last = f.last + cardinality(fresh), entries = f.entries + cardinality(fresh) - gone WHERE f.kind = whose
    RETURNING f.last - cardinality(fresh) INTO first;
    INSERT INTO oruk_entry (kind, place, id, service_id, organisation_id, document)
    SELECT whose, first + row_number() OVER (ORDER BY m.place), m.id, m.service_id, m.organisation_id, m.document FROM unnest(fresh) AS m;
END
$$;
COMMENT ON FUNCTION oruk_put(text, oruk_entry[], bigint) IS 'Entries of the feed as they are now; new ones take the next numbers, in the order of place; so many others have gone';

CREATE FUNCTION oruk_number(whose text, ids uuid[]) RETURNS void LANGUAGE sql
    RETURN oruk_put(whose, ARRAY(SELECT ROW(whose, i.n, i.id, NULL, NULL, NULL)::oruk_entry FROM unnest(ids) WITH ORDINALITY AS i(id, n)));
COMMENT ON FUNCTION oruk_number(text, uuid[]) IS 'Taxonomies and terms take the next numbers';

CREATE FUNCTION oruk_keep(wanted uuid[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM oruk_entry e WHERE e.kind = 'service' AND e.service_id = ANY (wanted) AND NOT EXISTS (SELECT FROM directory_found f WHERE f.service_id = e.id);
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM oruk_put('service', ARRAY(
        SELECT ROW('service', row_number() OVER (ORDER BY s.id), s.id, s.id, s.organisation_id, oruk_service_listed(s)::text)::oruk_entry
          FROM directory_found f JOIN service s ON s.id = f.service_id WHERE f.service_id = ANY (wanted)), gone);
    DELETE FROM oruk_entry e
     WHERE e.kind = 'service_at_location' AND e.service_id = ANY (wanted) AND NOT EXISTS (SELECT FROM directory_place p WHERE p.id = e.id);
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM oruk_put('service_at_location', ARRAY(
        SELECT ROW('service_at_location', row_number() OVER (ORDER BY s.id, l.n), l.item ->> 'id', s.id, s.organisation_id,
                   (l.item - 'service' || jsonb_build_object('location', oruk_flat(l.item -> 'location')))::text)::oruk_entry
          FROM directory_found f JOIN service s ON s.id = f.service_id
         CROSS JOIN LATERAL jsonb_array_elements(oruk_places_over(s)) WITH ORDINALITY AS l(item, n)
         WHERE f.service_id = ANY (wanted) AND s.locations IS NOT NULL), gone);
END
$$;
COMMENT ON FUNCTION oruk_keep(uuid[]) IS 'The feed follows directory_found and directory_place: for these services';

CREATE FUNCTION oruk_keep_organisations(wanted uuid[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    IF wanted = '{}' THEN
        RETURN;
    END IF;
    DELETE FROM oruk_entry e
     WHERE e.kind = 'organization' AND e.id = ANY (wanted)
       AND NOT EXISTS (SELECT FROM organisation o WHERE o.id = e.id AND o.state = 'published' AND NOT o.confidential);
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM oruk_put('organization', ARRAY(
        SELECT ROW('organization', row_number() OVER (ORDER BY o.id), o.id, NULL, o.id, oruk_organisation(o, false)::text)::oruk_entry
          FROM organisation o WHERE o.id = ANY (wanted) AND o.state = 'published' AND NOT o.confidential), gone);
END
$$;
COMMENT ON FUNCTION oruk_keep_organisations(uuid[]) IS 'The feed has the organisations that everybody may see: for these';

CREATE FUNCTION organisation_numbered() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM oruk_keep_organisations(ARRAY(SELECT f.id FROM fresh f WHERE f.state IS NOT NULL ORDER BY f.id));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION organisation_numbered() IS 'The feed follows the organisations: once for a statement, however many it writes';
CREATE TRIGGER organisation_numbered_insert AFTER INSERT ON organisation REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION organisation_numbered();
CREATE TRIGGER organisation_numbered_update AFTER UPDATE ON organisation REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION organisation_numbered();

-- Shapes. Documents are jsonb; what has no value is left out. An id that HSDS wants and we have none for is made of what it belongs to.
-- They are plpgsql, although each is one expression: it keeps their plans, where SQL functions inside of each other are planned anew for every row.

CREATE FUNCTION oruk_id(VARIADIC parts text[]) RETURNS uuid LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN md5('carers-api ' || array_to_string(parts, ' '))::uuid;
END
$$;
COMMENT ON FUNCTION oruk_id(text[]) IS 'The same for the same parts, in every installation';

CREATE FUNCTION oruk_over(ours jsonb, theirs jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    IF theirs IS NULL THEN
        RETURN ours;
    END IF;
    RETURN (SELECT (ours - coalesce(array_agg(t.key) FILTER (WHERE NOT t.value ? 'is'), '{}'))
                   || coalesce(jsonb_object_agg(t.key, t.value -> 'is') FILTER (WHERE t.value ? 'is'), '{}')
              FROM jsonb_each(theirs) AS t
             WHERE t.value ->> 'was' IS NOT DISTINCT FROM md5((ours -> t.key)::text));
END
$$;
COMMENT ON FUNCTION oruk_over(jsonb, jsonb) IS
    'Our document with what the imported one says otherwise. theirs: {member: {"was": md5 of what ours said when it was imported, "is": what it says}}; '
    'a member that has been edited here since then is another, and ours holds';

CREATE FUNCTION oruk_differs(ours jsonb, document jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    IF ours = document THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT jsonb_object_agg(k.key, jsonb_strip_nulls(jsonb_build_object('was', md5((ours -> k.key)::text)))
                                           || CASE WHEN document ? k.key THEN jsonb_build_object('is', document -> k.key) ELSE '{}' END)
              FROM jsonb_object_keys(ours || document) AS k(key)
             WHERE ours -> k.key IS DISTINCT FROM document -> k.key);
END
$$;
COMMENT ON FUNCTION oruk_differs(jsonb, jsonb) IS 'What oruk_over() needs to make the document of ours; NULL: nothing';

CREATE FUNCTION oruk_flat(document jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT coalesce(jsonb_object_agg(d.key, d.value), '{}') FROM jsonb_each(document) AS d WHERE jsonb_typeof(d.value) <> 'array');
END
$$;
COMMENT ON FUNCTION oruk_flat(jsonb) IS 'What lists show: the members that are there once';

CREATE FUNCTION oruk_organisation(o organisation, whole boolean) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT CASE WHEN whole THEN d.document ELSE oruk_flat(d.document) END
              FROM (SELECT oruk_over(jsonb_strip_nulls(jsonb_build_object(
                        'id', o.id, 'name', o.name, 'description', o.description, 'email', o.email, 'website', o.website, 'logo', o.logo, 'uri', o.uri,
                        'parent_organization_id', o.parent_id,
                        'organization_identifiers', CASE WHEN o.identifiers <> '[]' THEN o.identifiers END)), o.hsds -> 'over') AS document) AS d);
END
$$;
COMMENT ON FUNCTION oruk_organisation(organisation, boolean) IS 'An organisation as HSDS has it; whole: with its lists';

CREATE FUNCTION oruk_term(t taxonomy_term) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN jsonb_strip_nulls(jsonb_build_object(
        'id', t.id, 'name', t.label, 'description', t.description, 'taxonomy', initcap(replace(t.taxonomy, '_', ' ')),
        'taxonomy_id', oruk_id('taxonomy', t.taxonomy), 'term_uri', t.uri, 'term', t.code,
        'parent_id', (SELECT p.id FROM taxonomy_term p WHERE p.taxonomy = t.taxonomy AND p.code = t.parent)));
END
$$;
COMMENT ON FUNCTION oruk_term(taxonomy_term) IS 'A term of our taxonomy as HSDS has it';

CREATE FUNCTION oruk_attributes(s service) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_build_object('id', oruk_id(s.id::text, t.taxonomy, t.code), 'link_id', s.id, 'link_type', 'service',
                                                'taxonomy_term_id', t.id, 'taxonomy_term', oruk_term(t)) ORDER BY c.n, t.place)
              FROM (SELECT 1 AS n, 'support_area' AS taxonomy, unnest(s.support_areas) AS code
                     UNION ALL SELECT 2, 'need', unnest(s.needs)
                     UNION ALL SELECT 3, 'access_route', unnest(s.access_routes)) AS c
              JOIN taxonomy_term t ON t.taxonomy = c.taxonomy AND t.code = c.code);
END
$$;
COMMENT ON FUNCTION oruk_attributes(service) IS 'What it is coded with';

CREATE FUNCTION oruk_address(item jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN CASE WHEN item -> 'address' ?& '{line_1,town}' AND item ? 'postcode' THEN jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
        'id', oruk_id(item ->> 'id', 'address'), 'attention', item #> '{address,attention}',
        'address_1', concat_ws(', ', item #>> '{address,line_1}', item #>> '{address,line_2}'), 'city', item #> '{address,town}',
        'state_province', coalesce(item #> '{address,county}', item #> '{address,town}'), 'postal_code', item -> 'postcode',
        'country', coalesce(item #> '{address,country}', '"GB"'),
        'address_type', CASE item ->> 'kind' WHEN 'virtual' THEN 'virtual' WHEN 'postal' THEN 'postal' ELSE 'physical' END))) END;
END
$$;
COMMENT ON FUNCTION oruk_address(jsonb) IS 'The address of a place, if it has all that HSDS wants of one';

CREATE FUNCTION oruk_texts(owner uuid, what text, member text, texts jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_build_object('id', oruk_id(owner::text, what, t.value), member, t.value) ORDER BY t.n)
              FROM jsonb_array_elements_text(texts) WITH ORDINALITY AS t(value, n));
END
$$;
COMMENT ON FUNCTION oruk_texts(uuid, text, text, jsonb) IS 'A list of texts as HSDS has it: objects with an id and this member';

CREATE FUNCTION oruk_places(s service) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_build_object('id', l.item -> 'service_at_location_id', 'location', jsonb_strip_nulls(jsonb_build_object(
                'id', l.item -> 'id', 'location_type', l.item -> 'kind', 'name', l.item -> 'name', 'description', l.item -> 'description',
                'latitude', l.item -> 'latitude', 'longitude', l.item -> 'longitude', 'external_identifier', l.item -> 'uprn',
                'external_identifier_type', CASE WHEN l.item ? 'uprn' THEN 'UPRN' END, 'addresses', oruk_address(l.item),
                'accessibility',
                CASE WHEN l.item ? 'accessibility' THEN oruk_texts((l.item ->> 'id')::uuid, 'accessibility', 'description', l.item -> 'accessibility') END))) ORDER BY l.n)
              FROM jsonb_array_elements(s.locations) WITH ORDINALITY AS l(item, n));
END
$$;
COMMENT ON FUNCTION oruk_places(service) IS 'Where it is: service_at_locations with their locations, as our columns have them';

CREATE FUNCTION oruk_areas(s service) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('id', oruk_id(s.id::text, 'area', a.area), 'name', a.area,
                'uri', CASE WHEN a.area ~ '^[EWSNK][0-9]{8}$' THEN 'http://statistics.data.gov.uk/id/statistical-geography/' || a.area END)) ORDER BY a.n)
              FROM unnest(s.areas_served) WITH ORDINALITY AS a(area, n));
END
$$;
COMMENT ON FUNCTION oruk_areas(service) IS 'Where it works, by code or by name';

CREATE FUNCTION oruk_lists(s service) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN jsonb_strip_nulls(jsonb_build_object(
        'schedules', s.schedule,
        'service_areas', CASE WHEN s.areas_served <> '{}' THEN oruk_areas(s) END,
        'service_at_locations', CASE WHEN s.locations IS NOT NULL THEN oruk_places(s) END,
        'languages', CASE WHEN s.languages <> '{}' THEN oruk_texts(s.id, 'language', 'code', to_jsonb(s.languages)) END,
        'funding', CASE WHEN s.funding_types <> '{}' THEN oruk_texts(s.id, 'funding', 'source', to_jsonb(s.funding_types)) END,
        'cost_options', CASE WHEN s.cost ?| '{free,amount_pence}' THEN jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
            'id', oruk_id(s.id::text, 'cost'), 'option', CASE WHEN (s.cost ->> 'free')::boolean THEN 'Free' END,
            'amount', CASE WHEN s.cost ? 'amount_pence' THEN (s.cost ->> 'amount_pence')::numeric / 100 WHEN (s.cost ->> 'free')::boolean THEN 0 END,
            'amount_description', s.cost -> 'text'))) END,
        'contacts', s.contacts,
        'attributes', CASE WHEN (s.support_areas, s.needs, s.access_routes) <> ('{}', '{}', '{}') THEN oruk_attributes(s) END));
END
$$;
COMMENT ON FUNCTION oruk_lists(service) IS 'The lists of a service, which its own document has and lists of services do not';

CREATE FUNCTION oruk_members(s service) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN jsonb_strip_nulls(jsonb_build_object(
        'id', s.id, 'organization_id', s.organisation_id, 'name', s.name, 'description', s.description, 'url', s.website, 'email', s.email,
        'status', s.status, 'fees', s.cost -> 'text', 'accreditations', s.accreditations, 'eligibility_description', s.eligibility -> 'text',
        'minimum_age', s.eligibility -> 'minimum_age', 'maximum_age', s.eligibility -> 'maximum_age', 'alert', s.alert,
        'assured_date', to_char(s.assured_on, 'YYYY-MM-DD')));
END
$$;
COMMENT ON FUNCTION oruk_members(service) IS 'The members of a service that are there once';

CREATE FUNCTION oruk_modified(s service) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN CASE WHEN s.version = (s.hsds #>> '{modified,version}')::bigint THEN jsonb_strip_nulls(jsonb_build_object('last_modified', s.hsds #> '{modified,at}'))
                ELSE jsonb_build_object('last_modified', instant(s.updated_at)) END;
END
$$;
COMMENT ON FUNCTION oruk_modified(service) IS 'When it was changed last: there, if it is as it was imported';

CREATE FUNCTION oruk_service_listed(s service) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN CASE WHEN s.hsds -> 'over' IS NULL THEN oruk_members(s) ELSE oruk_flat(oruk_over(oruk_members(s), s.hsds -> 'over')) END || oruk_modified(s);
END
$$;
COMMENT ON FUNCTION oruk_service_listed(service) IS 'A service as lists show it, without its organisation';

CREATE FUNCTION oruk_service(s service) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN oruk_over(oruk_members(s) || oruk_lists(s), s.hsds -> 'over') || oruk_modified(s)
           || coalesce((SELECT jsonb_build_object('organization', oruk_organisation(o, true)) FROM organisation o WHERE o.id = s.organisation_id), '{}');
END
$$;
COMMENT ON FUNCTION oruk_service(service) IS
    'A service as HSDS has it, as it was imported where nothing has changed since. The organisation if the caller sees it';

CREATE FUNCTION oruk_places_over(s service) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN oruk_over(jsonb_strip_nulls(jsonb_build_object('service_at_locations', oruk_places(s))),
                     CASE WHEN s.hsds -> 'over' ? 'service_at_locations'
                          THEN jsonb_build_object('service_at_locations', s.hsds #> '{over,service_at_locations}') END) -> 'service_at_locations';
END
$$;
COMMENT ON FUNCTION oruk_places_over(service) IS 'Where it is, as it was imported where nothing has changed since';

CREATE FUNCTION oruk_at_location(s service, wanted uuid) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT l.item || jsonb_build_object('service', oruk_service(s) - 'service_at_locations', 'name', s.name, 'status', s.status)
              FROM jsonb_array_elements(oruk_places_over(s)) AS l(item) WHERE l.item ->> 'id' = wanted::text);
END
$$;
COMMENT ON FUNCTION oruk_at_location(service, uuid) IS
    'A service at one of its places, with name and status, which the profile''s OpenAPI wants there because it names the schema of service';

-- Our taxonomies are there from the beginning.

CREATE FUNCTION oruk_taxonomy(wanted uuid, whole boolean) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT CASE WHEN whole THEN d.document || jsonb_build_object('taxonomy_terms', d.terms) ELSE d.document END
              FROM (SELECT jsonb_build_object('id', wanted, 'name', t.name, 'description', t.description, 'version', '1') AS document,
                           (SELECT jsonb_agg(oruk_term(k) ORDER BY k.place) FROM taxonomy_term k WHERE k.taxonomy = t.code) AS terms
                      FROM (VALUES ('support_area', 'Support Area', 'What voluntary and community services do for unpaid carers and those they care for'),
                                   ('need', 'Need', 'What unpaid carers need for themselves'),
                                   ('access_route', 'Access Route', 'How one comes to a service')) AS t(code, name, description)
                     WHERE oruk_id('taxonomy', t.code) = wanted
                     UNION ALL
                    SELECT v.document - 'taxonomy_terms',
                           coalesce(v.document -> 'taxonomy_terms',
                                    (SELECT jsonb_agg(k.document ORDER BY k.id) FROM oruk_vocabulary k WHERE k.taxonomy_id = wanted AND k.kind = 'taxonomy_term'),
                                    '[]')
                      FROM oruk_vocabulary v WHERE v.kind = 'taxonomy' AND v.id = wanted) AS d);
END
$$;
COMMENT ON FUNCTION oruk_taxonomy(uuid, boolean) IS 'A taxonomy as HSDS has it, ours or an imported one; whole: with its terms';

CREATE FUNCTION oruk_taxonomy_term(wanted uuid) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN coalesce((SELECT oruk_term(t) FROM taxonomy_term t WHERE t.id = wanted),
                    (SELECT v.document FROM oruk_vocabulary v WHERE v.kind = 'taxonomy_term' AND v.id = wanted));
END
$$;
COMMENT ON FUNCTION oruk_taxonomy_term(uuid) IS 'A term as HSDS has it, ours or an imported one';

SELECT oruk_number('taxonomy', ARRAY[oruk_id('taxonomy', 'support_area'), oruk_id('taxonomy', 'need'), oruk_id('taxonomy', 'access_route')]);
SELECT oruk_number('taxonomy_term', ARRAY(SELECT t.id FROM taxonomy_term t ORDER BY array_position('{support_area,need,access_route}', t.taxonomy), t.place));

-- What the feed's filters find, besides the words of directory_found.

CREATE FUNCTION oruk_lexemes(s service) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF (s.support_areas, s.needs, s.access_routes) = ('{}', '{}', '{}') AND s.hsds #> '{over,attributes}' IS NULL THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(SELECT DISTINCT k.lexeme
                   FROM jsonb_array_elements(oruk_over(jsonb_strip_nulls(jsonb_build_object('attributes', oruk_attributes(s))), s.hsds -> 'over') -> 'attributes') AS a(item)
                  CROSS JOIN LATERAL (VALUES ('x/' || coalesce(a.item ->> 'taxonomy_term_id', a.item #>> '{taxonomy_term,id}')),
                                             ('y/' || coalesce(a.item #>> '{taxonomy_term,taxonomy_id}',
                                                               (SELECT v.taxonomy_id::text FROM oruk_vocabulary v
                                                                 WHERE v.kind = 'taxonomy_term' AND v.id = (a.item #>> '{taxonomy_term,id}')::uuid)))) AS k(lexeme)
                  WHERE k.lexeme IS NOT NULL);
END
$$;
COMMENT ON FUNCTION oruk_lexemes(service) IS 'x/ a term''s id, y/ a taxonomy''s: of directory_found.terms';

CREATE FUNCTION oruk_hours_match(schedule jsonb, day text, opens time, closes time) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN EXISTS (SELECT FROM jsonb_array_elements(schedule) AS i(item)
                    WHERE coalesce(i.item ->> 'byday' LIKE '%' || day || '%', day IS NULL)
                      AND coalesce((i.item ->> 'opens_at')::time >= opens, opens IS NULL) AND coalesce((i.item ->> 'closes_at')::time <= closes, closes IS NULL));
END
$$;
COMMENT ON FUNCTION oruk_hours_match(jsonb, text, time, time) IS 'One schedule is on that day, opens at that time or later and closes at that time or earlier';

CREATE FUNCTION oruk_found(whose text, wanted jsonb) RETURNS uuid[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    a record;
    near postcode;
    coded tsquery;
BEGIN
    IF wanted ? 'proximity' AND NOT wanted ? 'postcode' THEN
        RAISE EXCEPTION 'is a radius without a place: say postcode' USING ERRCODE = 'CA400', HINT = '/query/proximity';
    END IF;
    SELECT p.* INTO near FROM postcode p WHERE p.postcode = postcode_of(wanted ->> 'postcode');
    IF wanted ? 'postcode' AND near.postcode IS NULL THEN
        RAISE EXCEPTION 'is no postcode that this service knows' USING ERRCODE = 'CA400', HINT = '/query/postcode';
    END IF;
    SELECT d.terms, d.lat, d.lon, d.metres INTO a
      FROM directory_asked(jsonb_strip_nulls(jsonb_build_object(
               'in_query', true, 'q', wanted -> 'search', 'lat', CASE WHEN wanted ? 'proximity' THEN near.latitude END,
               'lon', CASE WHEN wanted ? 'proximity' THEN near.longitude END, 'within_metres', wanted -> 'proximity'))) AS d;
    coded := (SELECT string_agg(lexemes(ARRAY[k.lexeme]), '&')
                FROM (VALUES ('x/' || (wanted ->> 'taxonomy_term_id')), ('y/' || (wanted ->> 'taxonomy_id')), ('o/' || (wanted ->> 'organization_id'))) AS k(lexeme)
               WHERE k.lexeme IS NOT NULL)::tsquery;
    RETURN ARRAY(
        SELECT e.id
          FROM (SELECT f.service_id, f.minimum_age, f.maximum_age FROM directory_found f WHERE f.terms @@ coalesce(a.terms && coded, a.terms) LIMIT 20000) AS f
         CROSS JOIN LATERAL (SELECT s.schedule, s.areas_served FROM service s WHERE s.id = f.service_id OFFSET 0) AS s
         CROSS JOIN LATERAL (SELECT f.service_id AS id WHERE whose = 'service'
                              UNION ALL
                             SELECT p.id FROM directory_place p
                              WHERE p.service_id = f.service_id AND whose = 'service_at_location'
                                AND coalesce(metres_between(p.latitude, p.longitude, a.lat, a.lon) <= a.metres, a.lat IS NULL)) AS p
          JOIN oruk_entry e ON e.kind = whose AND e.id = p.id
         WHERE coalesce(f.minimum_age >= (wanted ->> 'minimum_age')::numeric, NOT wanted ? 'minimum_age')
           AND coalesce(f.maximum_age <= (wanted ->> 'maximum_age')::numeric, NOT wanted ? 'maximum_age')
           AND (NOT wanted ?| '{day,start_time,end_time}'
                OR oruk_hours_match(s.schedule, wanted ->> 'day', (wanted ->> 'start_time')::time, (wanted ->> 'end_time')::time))
           AND (near.postcode IS NULL OR wanted ? 'proximity' OR s.areas_served = '{}'
                OR s.areas_served && ARRAY[near.district, near.county, near.ward, near.region, near.country])
         ORDER BY e.place);
END
$$;
COMMENT ON FUNCTION oruk_found(text, jsonb) IS 'Services, or services at locations, for which all that is wanted holds, in the feed''s order; 20,000 services are looked at, at most';

CREATE FUNCTION oruk_item(whose text, wanted uuid) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE whose
        WHEN 'service' THEN (SELECT oruk_service(s) FROM service s WHERE s.id = wanted AND s.state = 'published' AND NOT s.confidential)
        WHEN 'service_at_location' THEN (
            SELECT oruk_at_location(s, wanted) FROM directory_place p JOIN service s ON s.id = p.service_id
             WHERE p.id = wanted AND s.state = 'published' AND NOT s.confidential)
        WHEN 'organization' THEN (
            SELECT oruk_organisation(o, true) || jsonb_strip_nulls(jsonb_build_object('services', (
                       SELECT jsonb_agg(oruk_service(s) - 'organization' ORDER BY s.id)
                         FROM (SELECT s.* FROM service s
                                WHERE s.organisation_id = o.id AND s.state = 'published' AND NOT s.confidential ORDER BY s.id LIMIT 1000) AS s)))
              FROM organisation o WHERE o.id = wanted AND o.state = 'published' AND NOT o.confidential)
        WHEN 'taxonomy' THEN oruk_taxonomy(wanted, true)
        ELSE oruk_taxonomy_term(wanted) END;
END
$$;
COMMENT ON FUNCTION oruk_item(text, uuid) IS 'One document of the feed, for everybody; NULL: there is none';

CREATE FUNCTION oruk_with(document text, member text, value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN value IS NULL THEN document ELSE left(document, -1) || ', "' || member || '": ' || value || '}' END;
COMMENT ON FUNCTION oruk_with(text, text, text) IS 'A JSON object that has members, with one more; NULL: without it';

CREATE FUNCTION oruk_listed(whose text, ids uuid[]) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT string_agg(CASE whose
                   WHEN 'service' THEN oruk_with(e.document, 'organization', o.document)
                   WHEN 'service_at_location' THEN oruk_with(e.document, 'service', oruk_with(s.document, 'organization', o.document))
                   WHEN 'organization' THEN e.document
                   WHEN 'taxonomy' THEN oruk_taxonomy(i.id, false)::text
                   ELSE oruk_taxonomy_term(i.id)::text END, ',' ORDER BY i.n)
          FROM unnest(ids) WITH ORDINALITY AS i(id, n)
          JOIN oruk_entry e ON e.kind = whose AND e.id = i.id
          LEFT JOIN oruk_entry s ON whose = 'service_at_location' AND s.kind = 'service' AND s.id = e.service_id
          LEFT JOIN oruk_entry o ON whose LIKE 'service%' AND o.kind = 'organization' AND o.id = e.organisation_id);
END
$$;
COMMENT ON FUNCTION oruk_listed(text, uuid[]) IS 'Entries of the feed as lists show them, in this order, with commas between';

CREATE FUNCTION oruk_page(whose text, page bigint, size bigint, wanted jsonb) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    total bigint;
    last bigint;
    ids uuid[];
BEGIN
    IF wanted = '{}' THEN
        SELECT f.entries, f.last INTO total, last FROM oruk_feed f WHERE f.kind = whose;
        ids := ARRAY(SELECT e.id FROM oruk_entry e WHERE e.kind = whose AND e.place > (page - 1) * size AND e.place <= page * size ORDER BY e.place);
    ELSE
        ids := oruk_found(whose, wanted);
        total := cardinality(ids);
        last := total;
        ids := ids[(page - 1) * size + 1 : page * size];
    END IF;
    last := greatest(1, (last + size - 1) / size);
    IF page > last THEN
        RAISE EXCEPTION 'is beyond the last page, which is %', last USING ERRCODE = 'CA400', HINT = '/query/page';
    END IF;
    RETURN left(jsonb_build_object('total_items', total, 'total_pages', last, 'page_number', page, 'size', cardinality(ids), 'first_page', page = 1,
                                   'last_page', page = last, 'empty', ids = '{}')::text, -1) || ', "contents": [' || coalesce(oruk_listed(whose, ids), '') || ']}';
END
$$;
COMMENT ON FUNCTION oruk_page(text, bigint, bigint, jsonb) IS 'A page of the feed: without filters a span of its numbers, of which some may have gone; with filters so many of what was found';

GRANT EXECUTE ON FUNCTION oruk_id(text[]), oruk_over(jsonb, jsonb), oruk_differs(jsonb, jsonb), oruk_flat(jsonb), oruk_organisation(organisation, boolean),
    oruk_term(taxonomy_term), oruk_attributes(service), oruk_address(jsonb), oruk_texts(uuid, text, text, jsonb), oruk_places(service), oruk_areas(service), oruk_lists(service),
    oruk_members(service), oruk_modified(service), oruk_service_listed(service), oruk_service(service), oruk_places_over(service), oruk_at_location(service, uuid),
    oruk_taxonomy(uuid, boolean), oruk_taxonomy_term(uuid), oruk_hours_match(jsonb, text, time, time), oruk_found(text, jsonb), oruk_item(text, uuid),
    oruk_with(text, text, text), oruk_listed(text, uuid[]), oruk_page(text, bigint, bigint, jsonb), lexeme(text), lexemes(text[]) TO carers_caller;
