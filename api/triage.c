/* Triages: what sign-up questions told about a carer's own needs, and the conversation after. */
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool record_triage(struct call *c)
{
	const char *carer = call_path(c, "carer_id");
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_queue(c->tx, Q_TRIAGE_RECORD(id, carer, call_body(c)), &c->problem) &&
	       db_last(c->tx, Q_TRIAGE_BY_ID(carer, id), &rows, &c->problem) &&
	       call_created(c, id, rows);
}

static bool list_triages(struct call *c)
{
	return call_list_of(c,
	                    Q_TRIAGES_OF_CARER(call_query(c, "limit"), call_query(c, "cursor"),
	                                       call_path(c, "carer_id")),
	                    "no carer has this id");
}

static bool answer_with(struct call *c, struct db_call query)
{
	return call_answer(c, query, "the carer has no triage of this id");
}

static bool get_triage(struct call *c)
{
	return answer_with(c, Q_TRIAGE_READ(call_path(c, "carer_id"), call_path(c, "triage_id")));
}

static bool record_in_depth_conversation(struct call *c)
{
	const char *carer = call_path(c, "carer_id"), *triage = call_path(c, "triage_id");

	return db_queue(c->tx, Q_TRIAGE_CONVERSE(carer, triage, call_body(c)), &c->problem) &&
	       answer_with(c, Q_TRIAGE_BY_ID(carer, triage));
}

static const struct operation triage[] = {
	{ "recordTriage", record_triage },
	{ "listTriages", list_triages },
	{ "getTriage", get_triage },
	{ "recordInDepthConversation", record_in_depth_conversation },
};
MODULE(triage);
