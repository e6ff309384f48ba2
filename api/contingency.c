/* Contingency plans, and emergency access to them ("break glass"). */
#include "base/json.h"
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static const char no_such_carer[] = "no carer has this id";

static bool get_contingency_plan(struct call *c)
{
	db_rows_auto *rows = NULL;

	if (!db_last(c->tx, Q_CONTINGENCY_PLAN_READ(call_path(c, "carer_id")), &rows, &c->problem))
		return false;
	if (db_count(rows) == 0)
		return problem(&c->problem, PROBLEM_NOT_FOUND, "%s", no_such_carer);
	if (!db_text(rows, 0, "body"))
		return problem(&c->problem, PROBLEM_NOT_FOUND, "no contingency plan is on record");
	return call_reply(c, 200, rows);
}

static bool put_contingency_plan(struct call *c)
{
	const char *carer = call_path(c, "carer_id");
	db_rows_auto *rows = NULL;

	return db_queue(c->tx, Q_CONTINGENCY_PLAN_PUT(carer, call_body(c)), &c->problem) &&
	       db_last(c->tx, Q_CONTINGENCY_PLAN_BY_CARER(carer), &rows, &c->problem) &&
	       call_put(c, rows);
}

static bool break_glass(struct call *c)
{
	char id[UUID_TEXT];

	uuid_make(id);
	return call_answer(
		c,
		Q_EMERGENCY_ACCESS_OPEN(id, call_path(c, "carer_id"), json_text(c->body, "reason")),
		NULL);
}

static bool list_emergency_access(struct call *c)
{
	return call_list_of(c,
	                    Q_EMERGENCY_ACCESS_OF_CARER(call_path(c, "carer_id"),
	                                                call_query(c, "limit"),
	                                                call_query(c, "cursor")),
	                    no_such_carer);
}

static const struct operation contingency[] = {
	{ "getContingencyPlan", get_contingency_plan },
	{ "putContingencyPlan", put_contingency_plan },
	{ "breakGlass", break_glass },
	{ "listEmergencyAccess", list_emergency_access },
};
MODULE(contingency);
