/* Schemes: by which rules a council gives breaks. */
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool list_break_schemes(struct call *c)
{
	return call_list(c, Q_BREAK_SCHEMES_OF(call_query(c, "council")));
}

static bool put_break_scheme(struct call *c)
{
	const char *council = call_query(c, "council"), *scheme = call_path(c, "scheme");
	db_rows_auto *rows = NULL;

	return db_queue(c->tx, Q_BREAK_SCHEME_PUT(council, scheme, call_body(c)), &c->problem) &&
	       db_last(c->tx, Q_BREAK_SCHEME_NOW(council, scheme), &rows, &c->problem) &&
	       call_put(c, rows);
}

static const struct operation break_schemes[] = {
	{ "listBreakSchemes", list_break_schemes },
	{ "putBreakScheme", put_break_scheme },
};
MODULE(break_schemes);
