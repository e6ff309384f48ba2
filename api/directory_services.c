/* Services of the directory, and their states; an organisation's change is a proposal. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"
#include "rules/openings.h"

enum { DAY_SECONDS = 86400 };

static bool hours_of(struct call *c, char **ret_hours)
{
	return openings_of(json_object_get(c->body, "schedule"),
	                   (int32_t)(clock_seconds() / DAY_SECONDS), ret_hours, &c->problem);
}

static bool reply_service(struct call *c)
{
	return call_answer(c, Q_SERVICE_BY_ID(call_path(c, "service_id")),
	                   "no service has this id");
}

static bool create_service(struct call *c)
{
	char id[UUID_TEXT];
	text_auto *hours = NULL;
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return hours_of(c, &hours) &&
	       db_queue(c->tx, Q_SERVICE_INSERT(id, call_body(c), hours), &c->problem) &&
	       db_last(c->tx, Q_SERVICE_BY_ID(id), &rows, &c->problem) && call_created(c, id, rows);
}

/* Rule D3: 202, and the proposal that waits for the council. */
static bool propose(struct call *c, const char *hours)
{
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_queue(c->tx,
	                Q_PROPOSAL_OF_SERVICE(id, call_path(c, "service_id"), call_body(c), hours),
	                &c->problem) &&
	       db_last(c->tx, Q_PROPOSAL_BY_ID(id), &rows, &c->problem) &&
	       call_accepted_at(c, "/v1/directory/proposals", id, rows);
}

static bool update_service(struct call *c)
{
	text_auto *hours = NULL;

	if (!hours_of(c, &hours))
		return false;
	if (strcmp(c->who->role, "vcfse_editor") == 0)
		return propose(c, hours);
	return db_queue(c->tx, Q_SERVICE_PATCH(call_path(c, "service_id"), call_body(c), hours),
	                &c->problem) &&
	       reply_service(c);
}

static bool move(struct call *c, const char *action, const char *state)
{
	return db_queue(c->tx,
	                Q_SERVICE_MOVE(call_path(c, "service_id"), action, state,
	                               json_text(c->body, "reason")),
	                &c->problem) &&
	       reply_service(c);
}

static bool publish_service(struct call *c) { return move(c, "publish", "published"); }
static bool archive_service(struct call *c) { return move(c, "archive", "archived"); }
static bool assure_service(struct call *c) { return move(c, "assure", NULL); }

static bool list_entries(struct call *c)
{
	const char *limit = call_query(c, "limit"), *cursor = call_query(c, "cursor");
	const char *state = call_query(c, "state"), *currency = call_query(c, "currency");
	bool own = strcmp(c->who->role, "vcfse_editor") == 0;

	return call_list(c, own ? Q_ENTRIES_OF_ORGANISATION(limit, cursor, state, currency)
	                        : Q_ENTRIES_OF_COUNCILS(limit, cursor, state, currency,
	                                                call_query(c, "organisation_id"),
	                                                call_query(c, "confidential")));
}

static bool list_taxonomy(struct call *c)
{
	return call_list(c, Q_TAXONOMY_TERMS(call_query(c, "taxonomy")));
}

static bool get_quality(struct call *c) { return call_list(c, Q_DIRECTORY_QUALITY()); }

static const struct operation directory_services[] = {
	{ "createService", create_service },    { "getService", reply_service },
	{ "updateService", update_service },    { "publishService", publish_service },
	{ "archiveService", archive_service },  { "assureService", assure_service },
	{ "listEntries", list_entries },        { "listTaxonomy", list_taxonomy },
	{ "getDirectoryQuality", get_quality },
};
MODULE(directory_services);
