/* Outcomes: how a carer fares over time. */
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool get_outcomes(struct call *c)
{
	return call_answer(c, Q_OUTCOMES_OF_CARER(call_path(c, "carer_id")),
	                   "no carer has this id");
}

static const struct operation outcomes[] = {
	{ "getOutcomes", get_outcomes },
};
MODULE(outcomes);
