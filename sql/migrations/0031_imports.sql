-- Import into the directory (rule D5): documents of Open Referral UK and rows of our own CSV, in batches. See docs/adr/0029.

-- What a source says is kept by its own id: the same again changes nothing, something else changes the entry that it made. A source is a
-- council's own, and no import writes what another council keeps.

CREATE FUNCTION import_words(texts jsonb, longest integer) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN ARRAY(SELECT left(t.value, longest) FROM jsonb_array_elements_text(texts) WITH ORDINALITY AS t(value, n)
                  WHERE trim(t.value) <> '' GROUP BY left(t.value, longest) ORDER BY min(t.n) LIMIT 50);
END
$$;
COMMENT ON FUNCTION import_words(jsonb, integer) IS 'Texts of an imported list, each once, as long as ours may be';

CREATE FUNCTION import_codes(attributes jsonb, whose text) RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN ARRAY(SELECT t.code FROM taxonomy_term t
                  WHERE t.taxonomy = whose AND t.active
                    AND EXISTS (SELECT FROM jsonb_array_elements(attributes) AS a(item)
                                 WHERE t.id::text IN (a.item ->> 'taxonomy_term_id', a.item #>> '{taxonomy_term,id}') OR t.uri = a.item #>> '{taxonomy_term,term_uri}'
                                    OR lower(a.item #>> '{taxonomy_term,name}') = ANY (lower(t.label) || t.synonyms))
                  ORDER BY t.place LIMIT 30);
END
$$;
COMMENT ON FUNCTION import_codes(jsonb, text) IS 'Our codes for imported attributes: the same term, the same URI, or the same words';

CREATE FUNCTION import_places(places jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                'id', p.here -> 'id', 'service_at_location_id', p.item -> 'id', 'kind', p.here -> 'location_type', 'name', left(p.here ->> 'name', 200),
                'description', left(p.here ->> 'description', 2000), 'latitude', CASE WHEN p.lies THEN p.here -> 'latitude' END,
                'longitude', CASE WHEN p.lies THEN p.here -> 'longitude' END,
                'postcode', CASE WHEN p.lies AND p.postcode ~ '^[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}$' OR k.postcode IS NOT NULL THEN p.postcode END,
                'uprn', CASE WHEN p.here ->> 'external_identifier_type' = 'UPRN' AND p.here ->> 'external_identifier' ~ '^[0-9]{1,12}$'
                             THEN p.here -> 'external_identifier' END,
                'address', nullif(jsonb_strip_nulls(jsonb_build_object(
                    'attention', left(p.address ->> 'attention', 200), 'line_1', left(p.address ->> 'address_1', 200), 'town', left(p.address ->> 'city', 100),
                    'county', left(p.address ->> 'state_province', 100), 'country', left(p.address ->> 'country', 100))), '{}'),
                'accessibility', CASE WHEN p.here ? 'accessibility' THEN nullif(to_jsonb(import_words((SELECT jsonb_agg(coalesce(a.item ->> 'description', a.item ->> 'accessibility', ''))
                                                                 FROM jsonb_array_elements(p.here -> 'accessibility') AS a(item)), 300)), '[]') END)) ORDER BY p.n)
              FROM (SELECT i.item, i.n, i.item -> 'location' AS here, i.item #> '{location,addresses,0}' AS address,
                           postcode_of(i.item #>> '{location,addresses,0,postal_code}') AS postcode,
                           coalesce((i.item #>> '{location,latitude}')::numeric BETWEEN -90 AND 90 AND (i.item #>> '{location,longitude}')::numeric BETWEEN -180 AND 180,
                                    false) AS lies
                      FROM jsonb_array_elements(places) WITH ORDINALITY AS i(item, n)
                     WHERE i.item ? 'location' AND i.n <= 30) AS p
              LEFT JOIN LATERAL (SELECT p.postcode FROM postcode k WHERE k.postcode = p.postcode) AS k ON true);
END
$$;
COMMENT ON FUNCTION import_places(jsonb) IS
    'service.locations of service_at_locations: coordinates that are none, and postcodes that are none or unknown, are left to the document';

CREATE FUNCTION import_contacts(contacts jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                'id', c.item -> 'id', 'name', left(c.item ->> 'name', 200), 'title', left(c.item ->> 'title', 200), 'email', c.item -> 'email',
                'phones', (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('id', p.item -> 'id', 'number', p.item -> 'number',
                                                                                 'description', left(p.item ->> 'description', 300))) ORDER BY p.n)
                             FROM jsonb_array_elements(c.item -> 'phones') WITH ORDINALITY AS p(item, n)
                            WHERE p.item ->> 'number' ~ '^[+0-9][0-9 ()-]{1,28}$' AND p.n <= 10))) ORDER BY c.n)
              FROM jsonb_array_elements(contacts) WITH ORDINALITY AS c(item, n) WHERE c.n <= 20);
END
$$;
COMMENT ON FUNCTION import_contacts(jsonb) IS 'service.contacts of contacts: what our contract has of them';

CREATE FUNCTION import_languages(languages jsonb) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN ARRAY(SELECT l.item ->> 'code' FROM jsonb_array_elements(languages) AS l(item)
                  WHERE l.item ->> 'code' ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$' GROUP BY 1 LIMIT 50);
END
$$;
COMMENT ON FUNCTION import_languages(jsonb) IS 'service.languages of languages: those that have a code';

CREATE FUNCTION import_areas(areas jsonb) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN import_words((SELECT jsonb_agg(coalesce(substring(a.item ->> 'uri' FROM '[EWSNK][0-9]{8}$'), a.item ->> 'name', ''))
                           FROM jsonb_array_elements(areas) AS a(item)), 100);
END
$$;
COMMENT ON FUNCTION import_areas(jsonb) IS 'service.areas_served of service_areas: by code, or else by name';

CREATE FUNCTION import_service(document jsonb, schedule jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN jsonb_strip_nulls(jsonb_build_object(
        'name', left(document ->> 'name', 200), 'description', left(coalesce(nullif(document ->> 'description', ''), document ->> 'name'), 10000),
        'website', CASE WHEN document ->> 'url' ~ '^https?://' AND length(document ->> 'url') <= 500 THEN document -> 'url' END, 'email', document -> 'email',
        'status', document -> 'status', 'alert', left(document ->> 'alert', 2000), 'accreditations', left(document ->> 'accreditations', 2000),
        'support_areas', CASE WHEN document -> 'attributes' <> '[]' THEN import_codes(document -> 'attributes', 'support_area') ELSE '{}' END, 'needs', CASE WHEN document -> 'attributes' <> '[]' THEN import_codes(document -> 'attributes', 'need') ELSE '{}' END,
        'access_routes', CASE WHEN document -> 'attributes' <> '[]' THEN import_codes(document -> 'attributes', 'access_route') ELSE '{}' END,
        'eligibility', nullif(jsonb_strip_nulls(jsonb_build_object('text', left(document ->> 'eligibility_description', 2000))
            || CASE WHEN coalesce((document ->> 'minimum_age')::numeric, 0) BETWEEN 0 AND coalesce((document ->> 'maximum_age')::numeric, 150)
                     AND coalesce((document ->> 'maximum_age')::numeric, 0) <= 150
                    THEN jsonb_build_object('minimum_age', floor((document ->> 'minimum_age')::numeric), 'maximum_age', floor((document ->> 'maximum_age')::numeric))
                    ELSE '{}' END), '{}'),
        'cost', nullif(jsonb_strip_nulls(jsonb_build_object('text', left(document ->> 'fees', 2000), 'amount_pence',
            CASE WHEN (document #>> '{cost_options,0,amount}')::numeric BETWEEN 0.01 AND 1000000
                 THEN round((document #>> '{cost_options,0,amount}')::numeric * 100) END,
            'free', CASE WHEN (document #>> '{cost_options,0,amount}')::numeric = 0 THEN true END)), '{}'),
        'languages', CASE WHEN document ? 'languages' THEN import_languages(document -> 'languages') ELSE '{}' END,
        'schedule', schedule, 'contacts', CASE WHEN document ? 'contacts' THEN import_contacts(document -> 'contacts') END,
        'locations', CASE WHEN document ? 'service_at_locations' THEN directory_located(import_places(document -> 'service_at_locations')) END,
        'areas_served', CASE WHEN document ? 'service_areas' THEN import_areas(document -> 'service_areas') ELSE '{}' END,
        'assured_on', least(today(), coalesce((document ->> 'assured_date')::date, (document ->> 'last_modified')::date, today()))));
END
$$;
COMMENT ON FUNCTION import_service(jsonb, jsonb) IS
    'Our members of a document. Without assured_date it counts as assured when it was last modified, or now. schedule: its schedules that happen, in our words';

-- Writing. By the owner of the database alone, in the claims of whoever imports.

CREATE FUNCTION import_parent(wanted text) RETURNS uuid LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT o.id FROM organisation o WHERE o.id = wanted::uuid);
END
$$;
COMMENT ON FUNCTION import_parent(text) IS 'The organisation that has this id, if it is here yet';

CREATE FUNCTION import_identifiers(identifiers jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (SELECT jsonb_agg(i.item - 'organization_id' - 'attributes' ORDER BY i.n)
              FROM jsonb_array_elements(identifiers) WITH ORDINALITY AS i(item, n) WHERE i.n <= 20);
END
$$;
COMMENT ON FUNCTION import_identifiers(jsonb) IS 'organisation.identifiers of organization_identifiers';

CREATE FUNCTION import_organisation_row(document jsonb, ident uuid, council text, was organisation) RETURNS organisation LANGUAGE plpgsql STABLE AS $$
DECLARE
    o organisation;
BEGIN
    o := jsonb_populate_record(was, jsonb_build_object(
        'id', ident, 'kind', coalesce(was.kind, 'community_organisation'), 'councils', coalesce(to_jsonb(was.councils), jsonb_build_array(council)),
        'council', coalesce(was.council, council), 'state', coalesce(was.state, 'published'), 'type', coalesce(was.type, document ->> 'type', 'voluntary'),
        'name', left(document ->> 'name', 200),
        'description', left(coalesce(nullif(document ->> 'description', ''), document ->> 'name'), 10000), 'email', document -> 'email',
        'website', CASE WHEN document ->> 'website' ~ '^https?://' THEN document -> 'website' END,
        'logo', CASE WHEN document ->> 'logo' ~ '^https?://' THEN document -> 'logo' END,
        'uri', CASE WHEN document ->> 'uri' ~ '^https?://' THEN document -> 'uri' END,
        'parent_id', CASE WHEN document ? 'parent_organization_id' THEN import_parent(document ->> 'parent_organization_id') END,
        'identifiers', CASE WHEN document ? 'organization_identifiers' THEN import_identifiers(document -> 'organization_identifiers') END, 'hsds', NULL,
        'confidential', coalesce(was.confidential, false), 'version', coalesce(was.version, 1), 'created_at', coalesce(was.created_at, now()),
        'updated_at', coalesce(was.updated_at, now())));
    IF document ? 'id' THEN
        o.hsds := jsonb_strip_nulls(jsonb_build_object('over', oruk_differs(oruk_organisation(o, true), document - 'services')));
    END IF;
    RETURN o;
END
$$;
COMMENT ON FUNCTION import_organisation_row(jsonb, uuid, text, organisation) IS 'The row of an organisation of a source';

CREATE TYPE import_item AS (line bigint, item jsonb, external text, checksum bytea, id uuid, known boolean, owner uuid, council text);

CREATE FUNCTION import_fresh(whence text, whose text, gss text, items import_item[]) RETURNS import_item[] LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT array_agg(ROW(i.line, i.item, i.external, i.checksum, coalesce(k.id, i.id, uuid7(clock_timestamp())), k.id IS NOT NULL, NULL, gss)::import_item
                         ORDER BY i.n)
          FROM (SELECT DISTINCT ON (d.external) d.line, d.item, d.external, d.id, d.n, sha256(convert_to((coalesce(d.item -> 'document', d.item))::text, 'UTF8')) AS checksum
                  FROM unnest(items) WITH ORDINALITY AS d(line, item, external, checksum, id, known, owner, council, n)
                 ORDER BY d.external, d.n DESC) AS i
          LEFT JOIN directory_external_id k ON k.council = gss AND k.source = whence AND k.kind = whose AND k.external_id = i.external
         WHERE i.checksum IS DISTINCT FROM k.checksum);
END
$$;
COMMENT ON FUNCTION import_fresh(text, text, text, import_item[]) IS
    'Those that do not say what they said last, each with our id of it, known if the council''s source has brought it before; of two with one external id the last. NULL: none';

CREATE FUNCTION import_remember(whence text, whose text, items import_item[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO directory_external_id (council, source, kind, external_id, id, checksum)
    SELECT f.council, whence, whose, f.external, f.id, f.checksum FROM unnest(items) AS f
    ON CONFLICT (council, source, kind, external_id) DO UPDATE SET checksum = excluded.checksum, seen_at = excluded.seen_at;
END
$$;
COMMENT ON FUNCTION import_remember(text, text, import_item[]) IS 'What a source said last';

CREATE FUNCTION import_did(items import_item[]) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN (SELECT jsonb_build_object('added', count(*) FILTER (WHERE NOT f.known), 'changed', count(*) FILTER (WHERE f.known)) FROM unnest(items) AS f);
END
$$;
COMMENT ON FUNCTION import_did(import_item[]) IS 'How many were added and changed';

CREATE FUNCTION import_organisations(whence text, council text, items import_item[]) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    fresh CONSTANT import_item[] := import_fresh(whence, 'organisation', council, items);
    wrong record;
BEGIN
    IF fresh IS NULL THEN
        RETURN import_did(NULL);
    END IF;
    SELECT CASE WHEN f.line IS NULL THEN '/organization/id' ELSE '/id' END AS pointer,
           CASE WHEN o.council <> f.council THEN 'is the id of an organisation of another council' ELSE 'is the id of an organisation that did not come from this source' END AS sentence
      INTO wrong
      FROM unnest(fresh) AS f JOIN organisation o ON o.id = f.id WHERE NOT f.known OR o.council IS DISTINCT FROM f.council LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', wrong.sentence USING ERRCODE = 'CA42V', HINT = wrong.pointer;
    END IF;
    INSERT INTO organisation
    SELECT (r.o).* FROM (SELECT import_organisation_row(f.item, f.id, f.council, o) AS o FROM unnest(fresh) AS f LEFT JOIN organisation o ON o.id = f.id OFFSET 0) AS r
    ON CONFLICT (id) DO UPDATE
       SET (name, description, email, website, logo, uri, parent_id, identifiers, hsds) =
           (excluded.name, excluded.description, excluded.email, excluded.website, excluded.logo, excluded.uri, excluded.parent_id, excluded.identifiers, excluded.hsds)
     WHERE organisation.council = excluded.council;
    IF EXISTS (SELECT FROM unnest(fresh) AS f JOIN organisation o ON o.id = f.id WHERE o.council <> f.council) THEN -- it came in this very moment
        RAISE EXCEPTION 'is the id of an organisation of another council' USING ERRCODE = 'CA42V', HINT = '/id';
    END IF;
    UPDATE organisation o SET parent_id = p.id
      FROM unnest(fresh) AS f JOIN organisation p ON p.id = (f.item ->> 'parent_organization_id')::uuid
     WHERE o.id = f.id AND o.parent_id IS NULL; -- parents that came with their children
    PERFORM import_remember(whence, 'organisation', fresh);
    RETURN import_did(fresh);
END
$$;
COMMENT ON FUNCTION import_organisations(text, text, import_item[]) IS 'Organisations of a source, all or none of them; what is the same as last time is passed over';

CREATE FUNCTION import_vocabulary(whose text, council text, document jsonb, belongs uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    ident uuid := document ->> 'id';
    was oruk_vocabulary;
BEGIN
    IF EXISTS (SELECT FROM taxonomy_term t WHERE t.id = ident) OR EXISTS (SELECT FROM oruk_entry e WHERE e.kind = whose AND e.id = ident AND NOT EXISTS (
           SELECT FROM oruk_vocabulary v WHERE v.kind = whose AND v.id = ident)) THEN
        RETURN 'unchanged'; -- ours
    END IF;
    SELECT v.* INTO was FROM oruk_vocabulary v WHERE v.kind = whose AND v.id = ident;
    IF was.document = document AND (was.taxonomy_id = belongs OR belongs IS NULL) THEN
        RETURN 'unchanged';
    ELSIF was.council <> council THEN
        RETURN 'another''s';
    END IF;
    INSERT INTO oruk_vocabulary (kind, id, council, taxonomy_id, document) VALUES (whose, ident, council, belongs, document)
    ON CONFLICT (kind, id) DO UPDATE SET document = excluded.document, taxonomy_id = coalesce(excluded.taxonomy_id, oruk_vocabulary.taxonomy_id)
     WHERE oruk_vocabulary.council = excluded.council;
    IF was.id IS NULL THEN
        PERFORM oruk_number(whose, ARRAY[ident]);
    END IF;
    PERFORM import_vocabulary('taxonomy_term', council, t.item, ident)
       FROM jsonb_array_elements(CASE whose WHEN 'taxonomy' THEN document -> 'taxonomy_terms' END) AS t(item);
    RETURN CASE WHEN was.id IS NULL THEN 'added' ELSE 'changed' END;
END
$$;
COMMENT ON FUNCTION import_vocabulary(text, text, jsonb, uuid) IS 'A taxonomy with its terms, or a term, of another directory: kept as it came, for the council that brought it first';

CREATE FUNCTION import_row(item jsonb, ident uuid, owner uuid, council text, was service) RETURNS service LANGUAGE plpgsql STABLE AS $$
DECLARE
    document CONSTANT jsonb := item -> 'document';
    ours CONSTANT boolean := document ? 'external_id';
    s service;
BEGIN
    s := jsonb_populate_record(NULL::service,
        '{"status": "active", "support_areas": [], "needs": [], "access_routes": [], "languages": [], "areas_served": [], "funding_types": [], "offers": [],
          "accessibility": [], "confidential": false}'::jsonb
        || jsonb_build_object('assured_on', today(), 'weekly', coalesce(item #>> '{hours,weekly}', '{}'), 'dated', CASE WHEN item ? 'hours' THEN hours_dated(item -> 'hours') ELSE '{}' END)
        || CASE WHEN ours THEN document - 'external_id' - 'organization' ELSE import_service(document, item -> 'schedule') END
        || jsonb_build_object('id', ident, 'organisation_id', owner, 'council', coalesce(was.council, council), 'state', coalesce(was.state, 'published'),
                              'assured_by', 'organisation', 'version', coalesce(was.version, 0) + 1, 'updated_at', now(), 'created_at', coalesce(was.created_at, now()),
                              'state_since', coalesce(was.state_since, now())));
    IF NOT ours THEN
        s.hsds := jsonb_strip_nulls(jsonb_build_object(
            'over', oruk_differs(oruk_members(s) || oruk_lists(s), document - 'organization' - 'last_modified'),
            'modified', jsonb_build_object('version', s.version, 'at', document -> 'last_modified')));
    END IF;
    RETURN s;
END
$$;
COMMENT ON FUNCTION import_row(jsonb, uuid, uuid, text, service) IS
    'The row of a service of a source. With external_id the document is a row of our CSV in our words, otherwise one of Open Referral';

CREATE FUNCTION import_organisation_id(document jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
#variable_conflict use_column
BEGIN
    RETURN coalesce(document #>> '{organization,id}', lower(document #>> '{organization,name}'), document ->> 'organization_id');
END
$$;
COMMENT ON FUNCTION import_organisation_id(jsonb) IS 'The id by which the source knows the organisation of a service';

CREATE FUNCTION import_listed(document jsonb) RETURNS uuid LANGUAGE plpgsql STABLE AS $$
DECLARE
    wanted CONSTANT uuid := coalesce(document #>> '{organization,id}', document ->> 'organization_id');
BEGIN
    RETURN CASE WHEN wanted IS NOT NULL THEN (SELECT o.id FROM organisation o WHERE o.id = wanted AND o.state IS NOT NULL) END;
END
$$;
COMMENT ON FUNCTION import_listed(jsonb) IS 'The organisation of a service, if it is one of the directory by the id that the document says, whoever keeps it';

CREATE FUNCTION import_services(whence text, council text, items jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    fresh import_item[] := import_fresh(whence, 'service', council, ARRAY(
        SELECT ROW((d.item ->> 'line')::bigint, d.item, coalesce(d.item #>> '{document,external_id}', d.item #>> '{document,id}'), NULL, d.item #>> '{document,id}',
                   NULL, NULL, NULL)::import_item
          FROM jsonb_array_elements(items) WITH ORDINALITY AS d(item, n) ORDER BY d.n));
    wrong text;
BEGIN
    IF fresh IS NULL THEN
        RETURN import_did(NULL);
    END IF;
    -- One that is listed already, and not by this source, is whose the service is, and stays as it is.
    PERFORM import_organisations(whence, council, ARRAY(
        SELECT ROW(NULL, f.item #> '{document,organization}', import_organisation_id(f.item -> 'document'), NULL, f.item #>> '{document,organization,id}',
                   NULL, NULL, NULL)::import_item
          FROM unnest(fresh) AS f
          LEFT JOIN directory_external_id k ON k.council = f.council AND k.source = whence AND k.kind = 'organisation'
                                           AND k.external_id = import_organisation_id(f.item -> 'document')
         WHERE f.item -> 'document' ? 'organization' AND (k.id IS NOT NULL OR import_listed(f.item -> 'document') IS NULL)));
    SELECT array_agg(ROW(f.line, f.item, f.external, f.checksum, f.id, f.known, coalesce(k.id, import_listed(f.item -> 'document')), f.council)::import_item)
      INTO fresh
      FROM unnest(fresh) AS f
      LEFT JOIN directory_external_id k ON k.council = f.council AND k.source = whence AND k.kind = 'organisation'
                                       AND k.external_id = import_organisation_id(f.item -> 'document');
    IF EXISTS (SELECT FROM unnest(fresh) AS f WHERE f.owner IS NULL) THEN
        RAISE EXCEPTION 'names no organisation that came from this source, nor one of the directory' USING ERRCODE = 'CA42V', HINT = '/organization_id';
    END IF;
    SELECT CASE WHEN s.council <> f.council THEN 'is the id of an entry of another council' ELSE 'is the id of an entry that did not come from this source' END
      INTO wrong
      FROM unnest(fresh) AS f JOIN service s ON s.id = f.id WHERE NOT f.known OR s.council <> f.council LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', wrong USING ERRCODE = 'CA42V', HINT = '/id';
    END IF;
    PERFORM import_vocabulary('taxonomy_term', council, t.term, (t.term ->> 'taxonomy_id')::uuid)
       FROM (SELECT DISTINCT a.item -> 'taxonomy_term' AS term
               FROM unnest(fresh) AS f CROSS JOIN LATERAL jsonb_array_elements(f.item #> '{document,attributes}') AS a(item)
              WHERE a.item ? 'taxonomy_term' AND NOT f.item -> 'document' ? 'external_id' ORDER BY 1) AS t
      WHERE NOT EXISTS (SELECT FROM taxonomy_term k WHERE k.id::text = t.term ->> 'id')
        AND NOT EXISTS (SELECT FROM oruk_vocabulary k WHERE k.kind = 'taxonomy_term' AND k.id = (t.term ->> 'id')::uuid AND k.document = t.term);
    INSERT INTO service
    SELECT (r.s).* FROM (SELECT import_row(f.item, f.id, f.owner, f.council, s) AS s FROM unnest(fresh) AS f LEFT JOIN service s ON s.id = f.id OFFSET 0) AS r
    ON CONFLICT (id) DO UPDATE
       SET (organisation_id, name, description, website, email, status, alert, accreditations, support_areas, needs, offers, eligibility, access_routes,
            referral_accepting, capacity, cost, funding_types, languages, accessibility, schedule, contacts, locations, areas_served, assured_on, assured_by,
            hsds, weekly, dated) =
           (excluded.organisation_id, excluded.name, excluded.description, excluded.website, excluded.email, excluded.status, excluded.alert,
            excluded.accreditations, excluded.support_areas, excluded.needs, excluded.offers, excluded.eligibility, excluded.access_routes,
            excluded.referral_accepting, excluded.capacity, excluded.cost, excluded.funding_types, excluded.languages, excluded.accessibility, excluded.schedule,
            excluded.contacts, excluded.locations, excluded.areas_served, excluded.assured_on, excluded.assured_by, excluded.hsds, excluded.weekly, excluded.dated)
     WHERE service.council = excluded.council;
    IF EXISTS (SELECT FROM unnest(fresh) AS f JOIN service s ON s.id = f.id WHERE s.council <> f.council) THEN -- it came in this very moment
        RAISE EXCEPTION 'is the id of an entry of another council' USING ERRCODE = 'CA42V', HINT = '/id';
    END IF;
    PERFORM import_remember(whence, 'service', fresh);
    RETURN import_did(fresh);
END
$$;
COMMENT ON FUNCTION import_services(text, text, jsonb) IS
    'Services of a source, published, all or none of them; what is the same as last time is passed over, and an archived entry stays archived';

CREATE FUNCTION import_fault(item jsonb, code text, pointer text, sentence text) RETURNS jsonb LANGUAGE sql IMMUTABLE
    RETURN jsonb_build_object('line', item -> 'line', 'pointer', CASE WHEN code LIKE 'CA%' THEN pointer ELSE '' END, 'sentence',
        CASE WHEN code LIKE 'CA%' THEN sentence WHEN code LIKE '23%' THEN 'has the identity of something that is there already, or refers to what is not'
             ELSE 'has a value that is out of range or not well-formed' END);
COMMENT ON FUNCTION import_fault(jsonb, text, text, text) IS 'Why an item was not taken, in our words';

CREATE FUNCTION import_sum(one jsonb, other jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE
    RETURN jsonb_build_object('added', (one ->> 'added')::bigint + (other ->> 'added')::bigint, 'changed', (one ->> 'changed')::bigint + (other ->> 'changed')::bigint,
                              'faults', coalesce(one -> 'faults', '[]') || coalesce(other -> 'faults', '[]'));
COMMENT ON FUNCTION import_sum(jsonb, jsonb) IS 'What two halves did';

CREATE FUNCTION import_try(whence text, council text, items jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    half CONSTANT integer := jsonb_array_length(items) / 2;
    kind CONSTANT text := items #>> '{0,kind}';
    document CONSTANT jsonb := items #> '{0,document}';
    code text;
    pointer text;
    sentence text;
    did text;
BEGIN
    IF kind = 'service' THEN
        RETURN import_services(whence, council, items);
    ELSIF kind = 'organization' THEN
        RETURN import_organisations(whence, council, ARRAY(
            SELECT ROW((d.item ->> 'line')::bigint, (d.item -> 'document') - 'services', d.item #>> '{document,id}', NULL, d.item #>> '{document,id}', NULL, NULL,
                       NULL)::import_item
              FROM jsonb_array_elements(items) WITH ORDINALITY AS d(item, n) ORDER BY d.n));
    END IF;
    did := import_vocabulary(kind, council, document, (document ->> 'taxonomy_id')::uuid);
    IF did = 'another''s' THEN
        RAISE EXCEPTION 'is the id of a %, which another council brought', replace(kind, '_', ' ') USING ERRCODE = 'CA42V', HINT = '/id';
    END IF;
    RETURN jsonb_build_object('added', (did = 'added')::integer, 'changed', (did = 'changed')::integer);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, pointer = PG_EXCEPTION_HINT, sentence = MESSAGE_TEXT;
    IF code LIKE '40%' OR code LIKE '5%' OR code LIKE 'XX%' THEN
        RAISE; -- not an item's fault
    ELSIF half = 0 THEN
        RETURN jsonb_build_object('added', 0, 'changed', 0, 'faults', jsonb_build_array(import_fault(items -> 0, code, pointer, sentence)));
    END IF;
    RETURN import_sum(import_try(whence, council, (SELECT jsonb_agg(i.item ORDER BY i.n) FROM jsonb_array_elements(items) WITH ORDINALITY AS i(item, n) WHERE i.n <= half)),
                      import_try(whence, council, (SELECT jsonb_agg(i.item ORDER BY i.n) FROM jsonb_array_elements(items) WITH ORDINALITY AS i(item, n) WHERE i.n > half)));
END
$$;
COMMENT ON FUNCTION import_try(text, text, jsonb) IS 'Items of one kind. Where one is at fault, each half is tried by itself, so that every good one is taken';

CREATE FUNCTION import_batch(whence text, council text, items jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    done jsonb := '{"added": 0, "changed": 0, "faults": []}';
    part jsonb;
BEGIN
    PERFORM set_config('app.role', 'council_admin', true), set_config('app.councils', ARRAY[council]::text, true),
            set_config('app.operation', 'importDirectory', true);
    FOR part IN
        SELECT jsonb_agg(i.item ORDER BY i.n)
          FROM jsonb_array_elements(items) WITH ORDINALITY AS i(item, n)
         GROUP BY i.item ->> 'kind', CASE WHEN i.item ->> 'kind' LIKE 'taxonomy%' THEN i.n ELSE 0 END
         ORDER BY array_position('{taxonomy,taxonomy_term,organization,service}', i.item ->> 'kind'), min(i.n) LOOP
        done := import_sum(done, import_try(whence, council, part));
    END LOOP;
    RETURN done;
END
$$;
COMMENT ON FUNCTION import_batch(text, text, jsonb) IS
    'Items [{line, kind, document, schedule, hours}] of a source for the directory of a council: how many were added and changed, and the faults of those that were not taken';
