/* Leaflets of the directory. */
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool reply_leaflet(struct call *c)
{
	db_rows_auto *rows = NULL;

	if (!db_last(c->tx, Q_LEAFLET_BY_ID(call_path(c, "leaflet_id")), &rows, &c->problem))
		return false;
	return db_count(rows) ? call_reply(c, 200, rows)
	                      : problem(&c->problem, PROBLEM_NOT_FOUND, "no leaflet has this id");
}

static bool create_leaflet(struct call *c)
{
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_queue(c->tx, Q_LEAFLET_INSERT(id, call_body(c)), &c->problem) &&
	       db_last(c->tx, Q_LEAFLET_BY_ID(id), &rows, &c->problem) && call_created(c, id, rows);
}

static bool list_leaflets(struct call *c)
{
	db_rows_auto *rows = NULL;

	return db_last(c->tx,
	               Q_LEAFLETS(call_query(c, "limit"), call_query(c, "cursor"),
	                          call_query(c, "council"), call_query(c, "support_area"),
	                          call_query(c, "language"), call_query(c, "service_id"),
	                          call_query(c, "expired")),
	               &rows, &c->problem) &&
	       call_page(c, rows);
}

static bool update_leaflet(struct call *c)
{
	return db_queue(c->tx, Q_LEAFLET_PATCH(call_path(c, "leaflet_id"), call_body(c)),
	                &c->problem) &&
	       reply_leaflet(c);
}

static bool archive_leaflet(struct call *c)
{
	return db_queue(c->tx, Q_LEAFLET_ARCHIVE(call_path(c, "leaflet_id")), &c->problem) &&
	       reply_leaflet(c);
}

static const struct operation directory_leaflets[] = {
	{ "createLeaflet", create_leaflet },   { "getLeaflet", reply_leaflet },
	{ "listLeaflets", list_leaflets },     { "updateLeaflet", update_leaflet },
	{ "archiveLeaflet", archive_leaflet },
};
MODULE(directory_leaflets);
