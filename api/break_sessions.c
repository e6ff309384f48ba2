/* Sessions of a break: planned, delivered, cancelled. */
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool create_session(struct call *c)
{
	const char *break_id = call_path(c, "break_id");
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_queue(c->tx, Q_SESSION_INSERT(id, break_id, call_body(c)), &c->problem) &&
	       db_last(c->tx, Q_SESSION_BY_ID(break_id, id), &rows, &c->problem) &&
	       call_created(c, id, rows);
}

static bool list_sessions(struct call *c)
{
	return call_list_of(c,
	                    Q_SESSIONS_OF_BREAK(call_path(c, "break_id"), call_query(c, "limit"),
	                                        call_query(c, "cursor"),
	                                        call_query(c, "updated_since"),
	                                        call_query(c, "state"), call_query(c, "series_id")),
	                    "no break has this id");
}

static bool answer_one(struct call *c, struct db_call query)
{
	return call_answer(c, query, "no session of this break has this id");
}

static bool get_session(struct call *c)
{
	return answer_one(c, Q_SESSION_READ(call_path(c, "break_id"), call_path(c, "session_id")));
}

/* The break is locked before its session, as whoever moves the break does. */
static bool change(struct call *c, struct db_call query, struct db_call answer)
{
	return db_queue(c->tx, Q_BREAK_HOLD(call_path(c, "break_id")), &c->problem) &&
	       db_queue(c->tx, query, &c->problem) && answer_one(c, answer);
}

static bool update_session(struct call *c)
{
	const char *break_id = call_path(c, "break_id"), *id = call_path(c, "session_id");

	return change(c, Q_SESSION_PATCH(break_id, id, call_body(c)),
	              Q_SESSION_BY_ID(break_id, id));
}

static bool deliver_session(struct call *c)
{
	const char *break_id = call_path(c, "break_id"), *id = call_path(c, "session_id");

	return change(c, Q_SESSION_DELIVER(break_id, id, call_body(c)),
	              Q_SESSION_DELIVERED(break_id, id));
}

static bool cancel_session(struct call *c)
{
	const char *break_id = call_path(c, "break_id"), *id = call_path(c, "session_id");

	return change(c, Q_SESSION_CANCEL(break_id, id, call_body(c)),
	              Q_SESSION_BY_ID(break_id, id));
}

static const struct operation break_sessions[] = {
	{ "createSession", create_session },   { "listSessions", list_sessions },
	{ "getSession", get_session },         { "updateSession", update_session },
	{ "deliverSession", deliver_session }, { "cancelSession", cancel_session },
};
MODULE(break_sessions);
