/* Breaks: made, read, listed; their history. */
#include <string.h>

#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

/* The arguments of a list, read once: a query takes those that it knows. */
struct filters {
	const char *limit, *cursor, *since, *state, *scheme, *purpose, *delivery, *provider;
};

static struct filters filters_of(const struct call *c)
{
	return (struct filters){
		.limit = call_query(c, "limit"),
		.cursor = call_query(c, "cursor"),
		.since = call_query(c, "updated_since"),
		.state = call_query(c, "state"),
		.scheme = call_query(c, "scheme"),
		.purpose = call_query(c, "purpose"),
		.delivery = call_query(c, "delivery"),
		.provider = call_query(c, "provider"),
	};
}

static bool answer_one(struct call *c, struct db_call query)
{
	return call_answer(c, query, "no break has this id");
}

static bool create_break(struct call *c)
{
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_queue(c->tx, Q_BREAK_INSERT(id, call_path(c, "carer_id"), call_body(c)),
	                &c->problem) &&
	       db_last(c->tx, Q_BREAK_BY_ID(id), &rows, &c->problem) &&
	       call_created_at(c, "/v1/breaks", id, rows);
}

static bool get_break(struct call *c)
{
	return answer_one(c, Q_BREAK_READ(call_path(c, "break_id")));
}

static bool get_break_history(struct call *c)
{
	return answer_one(c, Q_BREAK_HISTORY(call_path(c, "break_id")));
}

static bool list_carer_breaks(struct call *c)
{
	const struct filters f = filters_of(c);

	return call_list_of(
		c, Q_BREAKS_OF_CARER(call_path(c, "carer_id"), f.limit, f.cursor, f.since, f.state),
		"no carer has this id");
}

static bool list_of_organisation(struct call *c, const struct filters *f)
{
	if (f->since)
		return call_list(c, Q_BREAKS_CHANGED_OF_ORGANISATION(
					    f->limit, f->cursor, f->since, f->state, f->scheme,
					    f->purpose, f->delivery, f->provider));
	return call_list(c, Q_BREAKS_OF_ORGANISATION(f->limit, f->cursor, f->state, f->scheme,
	                                             f->purpose, f->delivery, f->provider));
}

static bool list_of_councils(struct call *c, const struct filters *f)
{
	if (f->since)
		return call_list(c, Q_BREAKS_CHANGED_OF_COUNCILS(f->limit, f->cursor, f->since,
		                                                 f->state, f->scheme, f->purpose,
		                                                 f->delivery, f->provider));
	return call_list(c, Q_BREAKS_OF_COUNCILS(f->limit, f->cursor, f->state, f->scheme,
	                                         f->purpose, f->delivery, f->provider));
}

/* Written from the side that the caller's index is on; for another class PostgreSQL says no. */
static bool list_breaks(struct call *c)
{
	const struct filters f = filters_of(c);

	if (strcmp(c->who->class, "carers_partner") == 0)
		return list_of_organisation(c, &f);
	return list_of_councils(c, &f);
}

static const struct operation breaks[] = {
	{ "createBreak", create_break },
	{ "listCarerBreaks", list_carer_breaks },
	{ "listBreaks", list_breaks },
	{ "getBreak", get_break },
	{ "getBreakHistory", get_break_history },
};
MODULE(breaks);
