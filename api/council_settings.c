/* What councils set for themselves. */
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool get_council_settings(struct call *c)
{
	return call_answer(c, Q_COUNCIL_SETTINGS_READ(call_path(c, "council")),
	                   "this is none of your councils");
}

static bool update_council_settings(struct call *c)
{
	const char *council = call_path(c, "council");

	return db_queue(c->tx, Q_COUNCIL_SETTINGS_BEGIN(council), &c->problem) &&
	       db_queue(c->tx, Q_COUNCIL_SETTINGS_PATCH(council, call_body(c)), &c->problem) &&
	       get_council_settings(c);
}

static const struct operation council_settings[] = {
	{ "getCouncilSettings", get_council_settings },
	{ "updateCouncilSettings", update_council_settings },
};
MODULE(council_settings);
