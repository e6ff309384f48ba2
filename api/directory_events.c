/* Events of the directory. */
#include "base/json.h"
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool reply_event(struct call *c)
{
	return call_answer(c, Q_DIRECTORY_EVENT_BY_ID(call_path(c, "event_id")),
	                   "no event has this id");
}

static bool create_event(struct call *c)
{
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_queue(c->tx, Q_DIRECTORY_EVENT_INSERT(id, call_body(c)), &c->problem) &&
	       db_last(c->tx, Q_DIRECTORY_EVENT_BY_ID(id), &rows, &c->problem) &&
	       call_created(c, id, rows);
}

static bool list_events(struct call *c)
{
	return call_list(c, Q_DIRECTORY_EVENTS(call_query(c, "limit"), call_query(c, "cursor"),
	                                       call_query(c, "council"), call_query(c, "area"),
	                                       call_query(c, "support_area"),
	                                       call_query(c, "audience"), call_query(c, "past"),
	                                       call_query(c, "since"), call_query(c, "until")));
}

static bool update_event(struct call *c)
{
	return db_queue(c->tx, Q_DIRECTORY_EVENT_PATCH(call_path(c, "event_id"), call_body(c)),
	                &c->problem) &&
	       reply_event(c);
}

static bool cancel_event(struct call *c)
{
	return db_queue(c->tx,
	                Q_DIRECTORY_EVENT_CANCEL(call_path(c, "event_id"),
	                                         json_text(c->body, "reason")),
	                &c->problem) &&
	       reply_event(c);
}

static const struct operation directory_events[] = {
	{ "createEvent", create_event }, { "getEvent", reply_event },
	{ "listEvents", list_events },   { "updateEvent", update_event },
	{ "cancelEvent", cancel_event },
};
MODULE(directory_events);
