/* The timeline: what happened to one carer's records. */
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool get_timeline(struct call *c)
{
	return call_list_of(c,
	                    Q_TIMELINE(call_path(c, "carer_id"), call_query(c, "limit"),
	                               call_query(c, "cursor"), call_query(c, "kind"),
	                               call_query(c, "since")),
	                    "no carer has this id");
}

static const struct operation timeline[] = {
	{ "getTimeline", get_timeline },
};
MODULE(timeline);
