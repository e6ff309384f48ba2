/* What PostgreSQL refuses, in the service's words: constraint or SQLSTATE -> problem, pointer, sentence. */
#pragma once

#include "base/problem.h"

/* What libpq tells about an error; each may be NULL. */
struct db_refusal {
	const char *sqlstate, *constraint, *message, *detail, *hint;
};

/*
 * Fills the problem, and returns false. Our own SQL raises SQLSTATE 'CA' + three characters from violations.def with a
 * sentence of ours as its MESSAGE and, as its DETAIL, a JSON object whose members become the problem's extension
 * members. Any other message of PostgreSQL goes nowhere but to the log, and there only SQLSTATE and constraint.
 */
bool db_violation(const struct db_refusal *refusal, const char *query, struct problem *p);
