/* Demographics: who a carer is, while she consents to its being kept. */
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool get_demographics(struct call *c)
{
	return call_answer(c, Q_DEMOGRAPHICS_READ(call_path(c, "carer_id")),
	                   "no demographics of this carer are on record");
}

static bool put_demographics(struct call *c)
{
	const char *carer = call_path(c, "carer_id");
	db_rows_auto *rows = NULL;

	if (!db_queue(c->tx, Q_DEMOGRAPHICS_PUT(carer, call_body(c)), &c->problem) ||
	    !db_last(c->tx, Q_DEMOGRAPHICS_BY_CARER(carer), &rows, &c->problem))
		return false;
	if (db_count(rows) == 0) /* what was to be replaced went with her consent meanwhile */
		return problem(&c->problem, PROBLEM_CONSENT_REQUIRED,
		               "the carer has just taken back her consent to this");
	return call_put(c, rows);
}

static const struct operation demographics[] = {
	{ "getDemographics", get_demographics },
	{ "putDemographics", put_demographics },
};
MODULE(demographics);
