/* Rows of an answer: libpq's result under our name. */
#include "db/query.h"

#include <libpq-fe.h>
#include <string.h>

/* struct db_rows has no members of its own: a pointer to it is a pointer to the PGresult. */
static const PGresult *result_of(const struct db_rows *rows) { return (const PGresult *)rows; }

size_t db_count(const struct db_rows *rows) { return (size_t)PQntuples(result_of(rows)); }

/* Names are as PostgreSQL gives them; PQfnumber would fold case and unquote, and copy the name for
 * it. */
static int column_of(const PGresult *result, const char *column)
{
	int count = PQnfields(result);

	for (int i = 0; i < count; i++)
		if (strcmp(PQfname(result, i), column) == 0)
			return i;
	return -1;
}

const char *db_text(const struct db_rows *rows, size_t row, const char *column)
{
	const PGresult *result = result_of(rows);
	int at = column_of(result, column);

	if (at < 0 || row >= db_count(rows) || PQgetisnull(result, (int)row, at))
		return NULL;
	return PQgetvalue(result, (int)row, at);
}

size_t db_size(const struct db_rows *rows, size_t row, const char *column)
{
	const PGresult *result = result_of(rows);
	int at = column_of(result, column);

	if (at < 0 || row >= db_count(rows))
		return 0;
	return (size_t)PQgetlength(result, (int)row, at);
}

void db_rows_free(struct db_rows *rows) { PQclear((PGresult *)rows); }
