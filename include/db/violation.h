/* What PostgreSQL refuses, in the service's words: constraint or SQLSTATE -> problem, pointer,
 * sentence. */
#pragma once

#include "base/problem.h"

/* What libpq tells about an error; each may be NULL. */
struct db_refusal {
	const char *sqlstate, *constraint, *column, *message, *detail, *hint;
};

/*
 * Fills the problem, and returns false. `query` is the name of the statement, for the log.
 *
 * Our own SQL raises SQLSTATE 'CA' + three characters from violations.def with a sentence of ours
 * as its MESSAGE. DETAIL, when it is a JSON object, gives the problem's extension members. HINT is
 * the rule's id (CA422) or the JSON pointer of the field (CA42V, CA400; COLUMN will do:
 * "nhs_number" is
 * "/nhs_number"); CONSTRAINT is the keyword that the field breaks ("rule" without one).
 *
 * Of any other error the message goes nowhere; SQLSTATE, constraint and query are logged, values
 * never.
 */
bool db_violation(const struct db_refusal *refusal, const char *query, struct problem *p);
