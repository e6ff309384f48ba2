/* Embedded migrations: forward only, in order of name, each in its own transaction, checksummed,
 * under one lock. */
#pragma once

#include "base/attr.h"
#include "base/problem.h"

struct db_migration {
	const char *name; /* "0001_platform" */
	const char *sql;
	const char *checksum; /* SHA-256 of sql in hex; tools/embed.py makes it */
	bool expands; /* programs that do not know it go on serving (its first line is `-- expands`)
	               */
};

struct db_migrations {
	const struct db_migration *list;
	size_t count;
};

/* Called for each migration applied. */
typedef void db_migrated_fn(void *context, const char *name);

/*
 * Brings the database of `conninfo` (the owner role) to this program's version, and calls the
 * schema's function migrated(), if it has one, also when nothing was to be applied. CONFLICT when
 * the database has a migration that this program does not know and that does more than expand, or
 * one whose checksum differs; UNAVAILABLE when it cannot be reached.
 */
must_check bool db_migrate(const char *conninfo, const struct db_migrations *migrations,
                           db_migrated_fn *done, void *context, struct problem *p);
/* UNAVAILABLE when it cannot be reached, CONFLICT with a sentence unless the database has these
 * migrations, and after them only some that expand. Needs no right but to read the list. */
must_check bool db_migrated(const char *conninfo, const struct db_migrations *migrations,
                            struct problem *p);
