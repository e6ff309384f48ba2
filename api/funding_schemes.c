/* Funding schemes, as each council sets them, by version. */
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool list_funding_schemes(struct call *c)
{
	return call_list(c, Q_FUNDING_SCHEMES_OF(call_query(c, "council"), call_query(c, "on")));
}

static bool get_funding_scheme(struct call *c)
{
	return call_answer(c,
	                   Q_FUNDING_SCHEME_BY_KEY(call_query(c, "council"), call_path(c, "scheme"),
	                                           call_query(c, "on"), call_query(c, "version")),
	                   "no scheme of this name has such a version");
}

static bool put_funding_scheme(struct call *c)
{
	const char *council = call_query(c, "council"), *key = call_path(c, "scheme");
	db_rows_auto *rows = NULL;

	return db_queue(c->tx, Q_FUNDING_SCHEME_PUT(council, key, call_body(c)), &c->problem) &&
	       db_last(c->tx, Q_FUNDING_SCHEME_NOW(council, key), &rows, &c->problem) &&
	       call_put(c, rows);
}

static const struct operation funding_schemes[] = {
	{ "listFundingSchemes", list_funding_schemes },
	{ "getFundingScheme", get_funding_scheme },
	{ "putFundingScheme", put_funding_scheme },
};
MODULE(funding_schemes);
