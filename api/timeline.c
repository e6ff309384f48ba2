/* The timeline: what happened to one carer's records. */
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool get_timeline(struct call *c)
{
	db_rows_auto *rows = NULL;

	if (!db_last(c->tx,
	             Q_TIMELINE(call_path(c, "carer_id"), call_query(c, "limit"),
	                        call_query(c, "cursor"), call_query(c, "kind"),
	                        call_query(c, "since")),
	             &rows, &c->problem))
		return false;
	if (db_count(rows) == 0)
		return problem(&c->problem, PROBLEM_NOT_FOUND, "no carer has this id");
	return call_page(c, rows);
}

static const struct operation timeline[] = {
	{ "getTimeline", get_timeline },
};
MODULE(timeline);
