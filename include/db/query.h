/* A named query from sql/queries and its arguments; tools/sqlgen.py makes a macro Q_NAME(...) for
 * each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/problem.h"

/* name: unique in the program; sql: one statement; argc: how many parameters it takes. */
struct db_query {
	const char *name, *sql;
	int argc;
};

/* argv: text in PostgreSQL's input syntax, NULL for SQL NULL; borrowed for the duration of the
 * call. */
struct db_call {
	const struct db_query *query;
	const char *const *argv;
	const int *sizes; /* of arguments that are bytes as they are, 0 for text; NULL: all are text
	                   */
	bool binary;      /* the rows come in PostgreSQL's binary form: a bytea as its bytes */
};

enum { DB_ARGUMENTS = 32 }; /* of a query with bytes among them */

struct db_rows; /* an answer; frees itself as db_rows_auto */

size_t db_count(const struct db_rows *rows);
/* The value as PostgreSQL prints it, NULL for SQL NULL or a column that is not there; lives as long
 * as the rows. */
const char *db_text(const struct db_rows *rows, size_t row, const char *column);
size_t db_size(const struct db_rows *rows, size_t row, const char *column); /* its bytes */
void db_rows_free(struct db_rows *rows);
static inline void db_rows_freep(struct db_rows **p) { db_rows_free(*p); }
#define db_rows_auto owned_by(db_rows_freep) struct db_rows
