/* The feed of changes: what a copy of the caller's records needs to stay in step. */
#include <string.h>

#include "call/call.h"
#include "modules.h"
#include "queries.h"

/* Each class has its own index to walk along; to any other PostgreSQL says no. */
static bool list_changes(struct call *c)
{
	const char *after = call_query(c, "after"), *limit = call_query(c, "limit");

	if (strcmp(c->who->class, "carers_self") == 0)
		return call_list(c, Q_CHANGES_OF_SELF(after, limit));
	if (strcmp(c->who->class, "carers_partner") == 0)
		return call_list(c, Q_CHANGES_OF_ORGANISATION(after, limit));
	return call_list(c, Q_CHANGES_OF_COUNCILS(after, limit));
}

static const struct operation changes[] = {
	{ "listChanges", list_changes },
};
MODULE(changes);
