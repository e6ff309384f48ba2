-- What the database floor itself says to PostgreSQL: transactions, the caller's claims, migrations.

-- name: begin()
BEGIN;

-- name: begin_read_only()
BEGIN READ ONLY;

-- One column instead of twelve: 10% more transactions a second (the row's description is what costs).
-- name: claims(class, role, councils, org, carer, subject, client, operation, request, target, if_match)
SELECT num_nonnulls(
       set_config('role', $1, true),
       set_config('app.role', $2, true),
       set_config('app.councils', $3, true),
       set_config('app.org', $4, true),
       set_config('app.carer', $5, true),
       set_config('app.subject', $6, true),
       set_config('app.client', $7, true),
       set_config('app.operation', $8, true),
       set_config('app.request', $9, true),
       set_config('app.target', $10, true),
       set_config('app.if_match', $11, true));

-- The same for a read that writes its audit row: that row may be lost when the machine dies, the read need not wait.
-- name: claims_noted(class, role, councils, org, carer, subject, client, operation, request, target, if_match)
SELECT num_nonnulls(
       set_config('synchronous_commit', 'off', true),
       set_config('role', $1, true),
       set_config('app.role', $2, true),
       set_config('app.councils', $3, true),
       set_config('app.org', $4, true),
       set_config('app.carer', $5, true),
       set_config('app.subject', $6, true),
       set_config('app.client', $7, true),
       set_config('app.operation', $8, true),
       set_config('app.request', $9, true),
       set_config('app.target', $10, true),
       set_config('app.if_match', $11, true));

-- name: commit()
COMMIT;

-- name: rollback()
ROLLBACK;

-- One migrator at a time. The key is ours alone: "carers" in ASCII.
-- name: migration_lock()
SELECT pg_advisory_lock(x'636172657273'::bigint);

-- name: migration_table()
CREATE TABLE IF NOT EXISTS schema_migration (
	name       text PRIMARY KEY,
	checksum   text NOT NULL,
	applied_at timestamptz NOT NULL DEFAULT now());

-- name: migration_table_expands()
ALTER TABLE schema_migration ADD COLUMN IF NOT EXISTS expands boolean NOT NULL DEFAULT false;

-- name: migration_table_comment()
COMMENT ON TABLE schema_migration IS 'Which migrations this database has, with the SHA-256 of each as it was applied, and whether older programs bear it';

-- Every role may ask whether the database is of its version.
-- name: migration_table_grant()
GRANT SELECT ON schema_migration TO PUBLIC;

-- name: migration_table_there()
SELECT 1 WHERE to_regclass('schema_migration') IS NOT NULL;

-- name: migrations_applied()
SELECT name, checksum, expands FROM schema_migration ORDER BY name;

-- name: migration_insert(name, checksum, expands)
INSERT INTO schema_migration (name, checksum, expands) VALUES ($1, $2, $3::boolean);

-- What the schema itself wants done at the end of each migrate, applied migrations or none: its function migrated().
-- name: migrated_there()
SELECT 1 WHERE to_regprocedure('migrated()') IS NOT NULL;

-- name: migrated()
SELECT migrated();

-- A load of postcodes: into a table without a log, then what is new or other into its own. See src/import_postcodes.c.
-- name: postcodes_empty()
TRUNCATE postcode_load;

-- name: postcodes_copy()
COPY postcode_load FROM STDIN;

-- name: postcodes_merge()
SELECT postcodes_merge() AS changed;
