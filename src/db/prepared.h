/* Which statements a session has prepared: one for each query and class of caller, since a plan
 * depends on the role. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "db/query.h"

enum {
	STATEMENT_NAME = 64
}; /* PostgreSQL tells prepared statements apart by their first 63 bytes */

struct statement {
	const struct db_query *query;
	const char *class; /* stands in name, behind the '@' */
	bool parsed; /* PostgreSQL has it, or its Parse stands in the pipeline before whatever uses
	                it */
	char name[STATEMENT_NAME];
};

/* Open addressing over pointers, so that a statement stays where it is while its answer is awaited.
 */
struct prepared {
	struct statement **slots;
	size_t count, room;
};

/* The statement for this query and class, entered when it is new; NULL when memory runs out. */
struct statement *prepared_get(struct prepared *prepared, const struct db_query *query,
                               const char *class);
/* Forgets all: the connection they stood on is gone. */
void prepared_clear(struct prepared *prepared);
