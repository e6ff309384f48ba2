-- Open Referral UK (rule D4): see sql/migrations/0030_oruk.sql. The ETag is of the bytes: a document hangs on more rows than one.

-- name: oruk_page(kind, page, per_page, filters)
SELECT b.body, left(md5(b.body), 24) AS version FROM (SELECT oruk_page($1, $2::bigint, $3::bigint, $4::jsonb)::text AS body OFFSET 0) AS b;

-- name: oruk_item(kind, id)
SELECT b.body, left(md5(b.body), 24) AS version FROM (SELECT oruk_item($1, $2::uuid, true)::text AS body OFFSET 0) AS b WHERE b.body IS NOT NULL;
