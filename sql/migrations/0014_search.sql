-- Search: by names as people write them, by date of birth, by postcode.
--
-- Under row-level security an operator that is not leakproof (LIKE, regular expressions, trigrams, arrays) is never an
-- index condition. So whatever a carer is searched by is a row with a plain key, once for everybody who may see her: her
-- council, and each organisation that was given access. See docs/adr/0019.

-- A carer's terms: the words of her names, '=' and her date of birth, '@' and her postcode.

CREATE FUNCTION name_parts(name text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (array_remove(string_to_array(lower(translate(
               public.unaccent('public.unaccent'::regdictionary, normalize(name)),
               E'!"#$%&''()*+,-./:;<=>?@[\\]^_`{|}~\t\n\r\u00a0\u00b4\u00b7\u02bc\u2010\u2011\u2012\u2013\u2014\u2018\u2019\u201b\u2032',
               repeat(' ', 60))), ' '), ''))[1:10];
COMMENT ON FUNCTION name_parts(text) IS
    'A name without case and accents, parted at spaces, hyphens, apostrophes and all other signs; the first ten parts';

CREATE FUNCTION name_words(name text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    parts text[] := name_parts(name);
    words text[] := parts;
BEGIN
    FOR i IN 2 .. coalesce(cardinality(parts), 0) LOOP
        words := words || (parts[i - 1] || parts[i]);
    END LOOP;
    RETURN words || array_to_string(parts, '');
END
$$;
COMMENT ON FUNCTION name_words(text) IS
    'What a name is found by: its parts, neighbours joined, all of it joined (O''Connell: o, connell, oconnell)';

CREATE FUNCTION carer_terms(given_name text, family_name text, date_of_birth date, postcode text) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN array_remove(ARRAY['=' || to_char(date_of_birth, 'YYYYMMDD'), '@' || lower(replace(postcode, ' ', ''))], NULL)
           || ARRAY(SELECT DISTINCT w FROM unnest(name_words(given_name) || name_words(family_name)) AS w WHERE w <> '');
END
$$;
COMMENT ON FUNCTION carer_terms(text, text, date, text) IS 'All that a carer is searched by, but for keys of other systems';

CREATE FUNCTION terms_text(terms text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN left(' ' || array_to_string(terms, ' ') || ' ', 400);
COMMENT ON FUNCTION terms_text(text[]) IS
    'Terms in one text, a space before and after each. Its end is cut: an index row holds 2,704 bytes';

CREATE TABLE carer_term (
    scope text COLLATE "C" NOT NULL,
    term text COLLATE "C" NOT NULL,
    carer_id uuid NOT NULL,
    terms text COLLATE "C" NOT NULL -- the key comes with search_fill
);
COMMENT ON TABLE carer_term IS
    'What carers are searched by, kept by carer_termed and carer_access_termed. A row goes with its carer by trigger: there is '
    'no index by carer, and so no foreign key';
COMMENT ON COLUMN carer_term.scope IS 'Whose search it is for: a council''s GSS code, or the id of an organisation';
COMMENT ON COLUMN carer_term.terms IS 'All terms of the carer: what else was asked is looked up here, without another row';

ALTER TABLE carer_term ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON carer_term TO carers_council, carers_partner;
CREATE POLICY carer_term_council ON carer_term FOR SELECT TO carers_council USING (scope = ANY (app_councils()));
CREATE POLICY carer_term_partner ON carer_term FOR SELECT TO carers_partner
    USING (scope = app_org()::text
           AND EXISTS (SELECT FROM carer_access a
                        WHERE a.organisation_id = app_org() AND a.carer_id = carer_term.carer_id
                          AND in_force(a.starts_at, a.ends_at) OFFSET 0));

CREATE FUNCTION app_scopes() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE current_user WHEN 'carers_council' THEN app_councils()
                             WHEN 'carers_partner' THEN ARRAY[app_org()::text] ELSE '{}' END;
COMMENT ON FUNCTION app_scopes() IS 'carer_term.scope of what the caller may search';
GRANT EXECUTE ON FUNCTION app_scopes() TO carers_council, carers_partner;

-- Spellings: two words are like each other when they have a key in common.

CREATE FUNCTION near_keys(word text) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT k.key
      FROM (SELECT word AS key
             UNION
            SELECT left(word, i - 1) || substr(word, i + 1) FROM generate_series(1, length(word)) AS i
             UNION
            SELECT '~' || left(s.sound, 1) || regexp_replace(translate(substr(s.sound, 2), 'aeiouy', ''), '(.)\1+', '\1', 'g')
              FROM (SELECT translate(replace(word, 'ph', 'f'), 'cqvz', 'kkfs')) AS s(sound)) AS k
     WHERE length(word) BETWEEN 3 AND 30 AND word !~ '[0-9]' AND (length(k.key) >= 4 OR left(k.key, 1) <> '~');
END;
COMMENT ON FUNCTION near_keys(text) IS
    'Of a word of 3 to 30 letters: itself; itself less any one letter, so that one letter missing, added, wrong or two changed '
    'about leave a key in common; its consonants by sound (Mohammed and Muhammad), if there are three';

CREATE TABLE name_near (
    key text COLLATE "C" NOT NULL,
    word text COLLATE "C" NOT NULL -- the key comes with search_fill
);
COMMENT ON TABLE name_near IS
    'near_keys of every word of a name, whoever bears it. Words are added and not taken away; no caller may read them, only '
    'terms_asked does';
ALTER TABLE name_near ENABLE ROW LEVEL SECURITY;

CREATE FUNCTION terms_asked(body jsonb) RETURNS TABLE (place bigint, level integer, words text[], pattern text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    parts text[] := name_parts(translate(body ->> 'q', E'''`\u00b4\u02bc\u2018\u2019\u201b\u2032', '')); -- O'Connell is one word
BEGIN
    IF cardinality(parts) = 0 THEN
        parts := '{!}'; -- nobody's word: nothing but signs finds nobody
    END IF;
    RETURN QUERY
    WITH asked AS (
        SELECT p.place, p.part AS word, true AS whole FROM unnest(parts) WITH ORDINALITY AS p(part, place)
         UNION ALL -- "mei lin" asks for meilin, too
        SELECT i + n.next, parts[i] || parts[i + 1], false
          FROM generate_series(1, cardinality(parts) - 1) AS i CROSS JOIN (VALUES (0), (1)) AS n(next)),
    reading AS (
        SELECT a.place, l.level, a.word FROM asked a CROSS JOIN (VALUES (3), (2)) AS l(level)
         UNION ALL
        SELECT a.place, 1, n.word
          FROM asked a
         CROSS JOIN LATERAL (
            SELECT n.word
              FROM name_near n
             WHERE n.key = ANY (ARRAY(SELECT k.key FROM near_keys(a.word) AS k(key))) AND n.word <> a.word
               AND (length(a.word) > 4 OR left(n.word, 1) = left(a.word, 1))
             GROUP BY n.word
             ORDER BY count(*) DESC, n.word
             LIMIT 100) AS n
         WHERE a.whole
         UNION ALL
        SELECT -t.place, 3, t.term
          FROM unnest(carer_terms(NULL, NULL, (body ->> 'date_of_birth')::date, body ->> 'postcode'))
               WITH ORDINALITY AS t(term, place))
    SELECT r.place, r.level, array_agg(DISTINCT r.word),
           ' (' || string_agg(DISTINCT r.word, '|') || ')' || CASE r.level WHEN 2 THEN '' ELSE ' ' END
      FROM reading r
     GROUP BY r.place, r.level;
END
$$;
COMMENT ON FUNCTION terms_asked(jsonb) IS
    'What a body of searchCarers asks for: a place for each word of q, for the date of birth and for the postcode, all of '
    'which a carer must fill; for each place the words that do, exactly (level 3), by their beginning (2), nearly (1); and '
    'the regular expression that finds them in carer_term.terms';
GRANT EXECUTE ON FUNCTION terms_asked(jsonb), name_parts(text), name_words(text), terms_text(text[]),
    carer_terms(text, text, date, text) TO carers_council, carers_partner, carers_self;

-- How the rows are kept.

CREATE FUNCTION carer_termed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    terms text[];
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM carer_term t
         WHERE t.scope = ANY (carer_scopes(OLD.id, OLD.council)) AND t.carer_id = OLD.id
           AND t.term = ANY (carer_terms(OLD.given_name, OLD.family_name, OLD.date_of_birth, OLD.postcode));
    END IF;
    IF TG_OP <> 'DELETE' THEN
        terms := carer_terms(NEW.given_name, NEW.family_name, NEW.date_of_birth, NEW.postcode);
        INSERT INTO carer_term (scope, term, carer_id, terms)
        SELECT s.scope, t.term, NEW.id, terms_text(terms)
          FROM unnest(carer_scopes(NEW.id, NEW.council)) AS s(scope) CROSS JOIN unnest(terms) AS t(term)
        ON CONFLICT DO NOTHING;
        INSERT INTO name_near (key, word)
        SELECT k.key, t.word
          FROM unnest(terms) AS t(word) CROSS JOIN LATERAL near_keys(t.word) AS k(key)
         WHERE left(t.word, 1) NOT IN ('=', '@')
           AND NOT EXISTS (SELECT FROM name_near n WHERE n.key = t.word AND n.word = t.word)
         ORDER BY k.key, t.word -- two who bring the same new words wait for each other, and not in a ring
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN OLD;
END
$$;
COMMENT ON FUNCTION carer_termed() IS 'carer_term follows the carer, and the words of her names become known';

CREATE FUNCTION carer_scopes(whose uuid, council text) RETURNS text[] LANGUAGE sql STABLE
    RETURN ARRAY(SELECT council UNION SELECT a.organisation_id::text FROM carer_access a WHERE a.carer_id = whose);
COMMENT ON FUNCTION carer_scopes(uuid, text) IS 'carer_term.scope of a carer''s rows';

CREATE FUNCTION carer_access_termed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    c carer;
BEGIN
    SELECT * INTO c FROM carer WHERE id = NEW.carer_id FOR SHARE; -- who changes her name meanwhile comes before or after
    INSERT INTO carer_term (scope, term, carer_id, terms)
    SELECT NEW.organisation_id, t.term, c.id, terms_text(w.terms)
      FROM carer_terms(c.given_name, c.family_name, c.date_of_birth, c.postcode) AS w(terms)
     CROSS JOIN LATERAL unnest(w.terms) AS t(term)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION carer_access_termed() IS
    'An organisation that is given access searches among its carers; from when to when is the policy''s to say';

CREATE TRIGGER carer_termed_insert AFTER INSERT ON carer FOR EACH ROW EXECUTE FUNCTION carer_termed();
CREATE TRIGGER carer_termed_update AFTER UPDATE ON carer FOR EACH ROW
    WHEN ((NEW.given_name, NEW.family_name, NEW.date_of_birth, NEW.postcode)
          IS DISTINCT FROM (OLD.given_name, OLD.family_name, OLD.date_of_birth, OLD.postcode))
    EXECUTE FUNCTION carer_termed();
CREATE TRIGGER carer_termed_delete BEFORE DELETE ON carer FOR EACH ROW EXECUTE FUNCTION carer_termed();
CREATE TRIGGER carer_access_termed AFTER INSERT ON carer_access FOR EACH ROW EXECUTE FUNCTION carer_access_termed();

-- Carers who are there already.
CREATE FUNCTION search_fill() RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    TRUNCATE carer_term, name_near;
    ALTER TABLE carer_term DROP CONSTRAINT IF EXISTS carer_term_pkey;
    ALTER TABLE name_near DROP CONSTRAINT IF EXISTS name_near_pkey;
    INSERT INTO carer_term (scope, term, carer_id, terms)
    SELECT s.scope, t.term, c.id, terms_text(w.terms)
      FROM carer c
     CROSS JOIN LATERAL carer_terms(c.given_name, c.family_name, c.date_of_birth, c.postcode) AS w(terms)
     CROSS JOIN LATERAL unnest(carer_scopes(c.id, c.council)) AS s(scope)
     CROSS JOIN LATERAL unnest(w.terms) AS t(term);
    INSERT INTO name_near (key, word)
    SELECT k.key, w.word
      FROM (SELECT DISTINCT t.term AS word FROM carer_term t WHERE left(t.term, 1) NOT IN ('=', '@')) AS w
     CROSS JOIN LATERAL near_keys(w.word) AS k(key);
    ALTER TABLE carer_term ADD CONSTRAINT carer_term_pkey PRIMARY KEY (scope, term, carer_id) INCLUDE (terms);
    ALTER TABLE name_near ADD CONSTRAINT name_near_pkey PRIMARY KEY (key, word);
END
$$;
COMMENT ON FUNCTION search_fill() IS
    'Makes the rows of all carers anew, the indexes last: for the owner, where carers were loaded without triggers';
SELECT search_fill();
