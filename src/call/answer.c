/* The last query of a call, and its rows as the answer. */
#include "call/answer.h"

#include "call/call.h"

static bool answer(struct call *c, struct db_call query, const char *missing,
                   bool (*with)(struct call *c, const struct db_rows *rows))
{
	db_rows_auto *rows = NULL;

	if (!db_last(c->tx, query, &rows, &c->problem))
		return false;
	if (missing && db_count(rows) == 0)
		return problem(&c->problem, PROBLEM_NOT_FOUND, "%s", missing);
	return with(c, rows);
}

static bool reply_200(struct call *c, const struct db_rows *rows)
{
	return call_reply(c, 200, rows);
}

bool call_answer(struct call *c, struct db_call query, const char *missing)
{
	return answer(c, query, missing, reply_200);
}

bool call_list(struct call *c, struct db_call query) { return answer(c, query, NULL, call_page); }

bool call_list_of(struct call *c, struct db_call query, const char *missing)
{
	return answer(c, query, missing, call_page);
}
