/* A bulk load by COPY: begin, a statement before, the rows, a statement after, commit. */
#pragma once

#include "db/query.h"

struct db_copy {
	struct db_call before, copy,
		after; /* copy: COPY ... FROM STDIN; after: its rows are kept */
	/* The next rows in COPY's text format; size 0: there are no more. False with a problem. */
	bool (*more)(void *context, const char **ret_bytes, size_t *ret_size, struct problem *p);
	void *context;
};

/* On a connection of its own to `conninfo`. All of it, or nothing. */
must_check bool db_copy(const char *conninfo, const struct db_copy *copy, struct db_rows **ret_rows,
                        struct problem *p);
