/* Carers: the people who look after someone. */
#include <string.h>

#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool no_such_carer(struct call *c)
{
	return problem(&c->problem, PROBLEM_NOT_FOUND, "no carer has this id");
}

/* The carer as she is now, after the change that was queued before. */
static bool reply_changed(struct call *c)
{
	db_rows_auto *rows = NULL;

	if (!db_last(c->tx, Q_CARER_BY_ID(call_path(c, "carer_id")), &rows, &c->problem))
		return false;
	return db_count(rows) ? call_reply(c, 200, rows) : no_such_carer(c);
}

static bool create_carer(struct call *c)
{
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_queue(c->tx, Q_CARER_INSERT(id, call_body(c), call_query(c, "allow_duplicate")), &c->problem) &&
	       db_last(c->tx, Q_CARER_BY_ID(id), &rows, &c->problem) && call_created(c, rows);
}

static bool get_carer(struct call *c)
{
	db_rows_auto *rows = NULL;

	if (!db_last(c->tx, Q_CARER_READ(call_path(c, "carer_id")), &rows, &c->problem))
		return false;
	return db_count(rows) ? call_reply(c, 200, rows) : no_such_carer(c);
}

static bool update_carer(struct call *c)
{
	return db_queue(c->tx,
	                Q_CARER_PATCH(call_path(c, "carer_id"), call_body(c), call_query(c, "allow_duplicate")),
	                &c->problem) &&
	       reply_changed(c);
}

static bool move(struct call *c, const char *action)
{
	return db_queue(c->tx, Q_CARER_MOVE(call_path(c, "carer_id"), action, c->body_text), &c->problem) &&
	       reply_changed(c);
}

static bool register_carer(struct call *c) { return move(c, "register"); }
static bool deactivate_carer(struct call *c) { return move(c, "deactivate"); }
static bool reactivate_carer(struct call *c) { return move(c, "reactivate"); }
static bool close_carer(struct call *c) { return move(c, "close"); }

static const struct operation carers[] = {
	{ "createCarer", create_carer },
	{ "getCarer", get_carer },
	{ "updateCarer", update_carer },
	{ "registerCarer", register_carer },
	{ "deactivateCarer", deactivate_carer },
	{ "reactivateCarer", reactivate_carer },
	{ "closeCarer", close_carer },
};
MODULE(carers);
