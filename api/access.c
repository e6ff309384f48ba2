/* Access: which organisations may see a carer, why, from when to when. */
#include "base/json.h"
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static const char no_such_access[] = "no access to this carer has this id";

static bool list_access(struct call *c)
{
	return call_list_of(c,
	                    Q_ACCESS_OF_CARER(call_path(c, "carer_id"), call_query(c, "limit"),
	                                      call_query(c, "cursor"),
	                                      call_query(c, "updated_since"),
	                                      call_query(c, "state")),
	                    "no carer has this id");
}

static bool get_access(struct call *c)
{
	return call_answer(c, Q_ACCESS_READ(call_path(c, "carer_id"), call_path(c, "access_id")),
	                   no_such_access);
}

static bool grant_access(struct call *c)
{
	const char *carer = call_path(c, "carer_id");
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_queue(c->tx, Q_ACCESS_GRANT(carer, id, call_body(c)), &c->problem) &&
	       db_last(c->tx, Q_ACCESS_BY_ID(carer, id), &rows, &c->problem) &&
	       call_created(c, id, rows);
}

static bool revoke_access(struct call *c)
{
	const char *carer = call_path(c, "carer_id"), *id = call_path(c, "access_id");

	return db_queue(c->tx, Q_ACCESS_REVOKE(carer, id, json_text(c->body, "note")),
	                &c->problem) &&
	       call_answer(c, Q_ACCESS_BY_ID(carer, id), no_such_access);
}

static const struct operation access[] = {
	{ "listAccess", list_access },
	{ "grantAccess", grant_access },
	{ "getAccess", get_access },
	{ "revokeAccess", revoke_access },
};
MODULE(access);
