/* The audit trail: who read and who changed what. */
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool list_audit(struct call *c)
{
	return call_list(c, Q_AUDIT_LIST(call_query(c, "limit"), call_query(c, "cursor"),
	                                 call_query(c, "carer_id"), call_query(c, "actor"),
	                                 call_query(c, "action"), call_query(c, "organisation_id"),
	                                 call_query(c, "kind"), call_query(c, "from"),
	                                 call_query(c, "to")));
}

static const struct operation audit[] = {
	{ "listAudit", list_audit },
};
MODULE(audit);
