-- The platform: idempotency keys, who the caller is.

-- Before the change of a POST with an Idempotency-Key, in its transaction. `fingerprint`: '\x...' bytea.
-- name: idempotency_claim(key, fingerprint, hours)
SELECT idempotency_claim($1, $2::bytea, $3::integer);

-- After the change, in the same transaction. An answer that has expired under this key is written over.
-- name: idempotency_keep(key, fingerprint, status, etag, location, body)
INSERT INTO idempotency AS i (key, fingerprint, status, etag, location, body)
VALUES ($1, $2::bytea, $3::integer, $4, $5, $6)
    ON CONFLICT (subject, client, key) DO UPDATE
   SET fingerprint = excluded.fingerprint, created_at = excluded.created_at, status = excluded.status,
       etag = excluded.etag, location = excluded.location, body = excluded.body;

-- In a transaction of its own, when idempotency_claim said CA2RP.
-- name: idempotency_answer(key)
SELECT i.status, i.etag, i.location, i.body
  FROM idempotency i
 WHERE i.subject = app_subject() AND i.client = app_client() AND i.key = $1;

-- By the service itself, under no class: answers how many answers were thrown away, 5,000 at most.
-- name: idempotency_sweep(hours)
SELECT idempotency_sweep($1::integer) AS swept;

-- The caller as the service sees her, and all that her app needs to start. `scopes`: as the token has them, parted by spaces;
-- `expires`: of the token, in seconds since 1970; `operations`: a JSON array, `version`: of the program.
-- name: me(scopes, expires, operations, version)
SELECT json_strip_nulls(json_build_object(
           'subject', app_subject(),
           'client_id', nullif(app_client(), ''),
           'role', app_role(),
           'councils', to_json(app_councils()),
           'organisation', (SELECT json_build_object('id', t.org, 'name', o.name, 'kind', o.kind,
                                                     'councils', to_json(o.councils))
                              FROM (VALUES (app_org())) AS t(org)
                              LEFT JOIN organisation o ON o.id = t.org
                             WHERE t.org IS NOT NULL),
           'carer_id', app_carer(),
           'carer', my_record(),
           'scopes', to_json(string_to_array($1, ' ')),
           'operations', $3::json,
           'expires_at', instant(to_timestamp($2::bigint)),
           'server_time', instant(now()),
           'service', json_build_object('version', $4::text))) AS body;

-- By the owner: true when the database holds nobody yet, so that demonstration data may be loaded.
-- name: demo_wanted()
SELECT NOT EXISTS (SELECT FROM carer) AND NOT EXISTS (SELECT FROM organisation) AS wanted;
