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

-- The caller as the service sees her. `scopes`: as the token has them, parted by spaces.
-- name: me(scopes)
SELECT json_strip_nulls(json_build_object(
           'subject', app_subject(),
           'client_id', nullif(app_client(), ''),
           'role', app_role(),
           'councils', to_json(app_councils()),
           'organisation', CASE WHEN app_org() IS NOT NULL THEN json_build_object(
               'id', app_org(),
               'name', (SELECT o.name FROM organisation o WHERE o.id = app_org())) END,
           'carer_id', app_carer(),
           'scopes', to_json(string_to_array($1, ' ')))) AS body;

-- By the owner: true when the database holds nobody yet, so that demonstration data may be loaded.
-- name: demo_wanted()
SELECT NOT EXISTS (SELECT FROM carer) AND NOT EXISTS (SELECT FROM organisation) AS wanted;
