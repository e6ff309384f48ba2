-- Import into the directory: see sql/migrations/0031_imports.sql.

-- name: import_batch(source, council, items)
SELECT import_batch($1, $2, $3::jsonb) AS body;
