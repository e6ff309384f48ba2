/* Outcomes: how a carer fares over time. */
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool get_outcomes(struct call *c)
{
	db_rows_auto *rows = NULL;

	if (!db_last(c->tx, Q_OUTCOMES_OF_CARER(call_path(c, "carer_id")), &rows, &c->problem))
		return false;
	return db_count(rows) ? call_reply(c, 200, rows)
	                      : problem(&c->problem, PROBLEM_NOT_FOUND, "no carer has this id");
}

static const struct operation outcomes[] = {
	{ "getOutcomes", get_outcomes },
};
MODULE(outcomes);
