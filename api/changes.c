/* The feed of changes: what a copy of the caller's records needs to stay in step. */
#include <string.h>

#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool answer(struct call *c, struct db_call query)
{
	db_rows_auto *rows = NULL;

	return db_last(c->tx, query, &rows, &c->problem) && call_page(c, rows);
}

/* Each class has its own index to walk along; to any other PostgreSQL says no. */
static bool list_changes(struct call *c)
{
	const char *after = call_query(c, "after"), *limit = call_query(c, "limit");

	if (strcmp(c->who->class, "carers_self") == 0)
		return answer(c, Q_CHANGES_OF_SELF(after, limit));
	if (strcmp(c->who->class, "carers_partner") == 0)
		return answer(c, Q_CHANGES_OF_ORGANISATION(after, limit));
	return answer(c, Q_CHANGES_OF_COUNCILS(after, limit));
}

static const struct operation changes[] = {
	{ "listChanges", list_changes },
};
MODULE(changes);
