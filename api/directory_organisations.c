/* Organisations of the directory. */
#include <string.h>

#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool reply_organisation(struct call *c)
{
	return call_answer(c, Q_LISTED_BY_ID(call_path(c, "organisation_id")),
	                   "no organisation of the directory has this id");
}

static bool create_organisation(struct call *c)
{
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_queue(c->tx, Q_LISTED_INSERT(id, call_body(c)), &c->problem) &&
	       db_last(c->tx, Q_LISTED_BY_ID(id), &rows, &c->problem) && call_created(c, id, rows);
}

static bool list_organisations(struct call *c)
{
	return call_list(c, Q_LISTED_ORGANISATIONS(call_query(c, "limit"), call_query(c, "cursor"),
	                                           call_query(c, "council"), call_query(c, "type"),
	                                           call_query(c, "q")));
}

/* Rule D3: 202, and the proposal that waits for the council. */
static bool propose(struct call *c)
{
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_queue(c->tx,
	                Q_PROPOSAL_OF_ORGANISATION(id, call_path(c, "organisation_id"),
	                                           call_body(c)),
	                &c->problem) &&
	       db_last(c->tx, Q_PROPOSAL_BY_ID(id), &rows, &c->problem) &&
	       call_accepted_at(c, "/v1/directory/proposals", id, rows);
}

static bool update_organisation(struct call *c)
{
	if (strcmp(c->who->role, "vcfse_editor") == 0)
		return propose(c);
	return db_queue(c->tx, Q_LISTED_PATCH(call_path(c, "organisation_id"), call_body(c)),
	                &c->problem) &&
	       reply_organisation(c);
}

static const struct operation directory_organisations[] = {
	{ "createOrganisation", create_organisation },
	{ "getOrganisation", reply_organisation },
	{ "listOrganisations", list_organisations },
	{ "updateOrganisation", update_organisation },
};
MODULE(directory_organisations);
