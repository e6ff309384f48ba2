/* Carers: the people who look after someone. */
#include <string.h>

#include "base/json.h"
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static const char no_such_carer[] = "no carer has this id";

/* The carer as she is now, after the change that was queued before. */
static bool reply_changed(struct call *c)
{
	return call_answer(c, Q_CARER_BY_ID(call_path(c, "carer_id")), no_such_carer);
}

static bool create_carer(struct call *c)
{
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_queue(c->tx, Q_CARER_INSERT(id, call_body(c), call_query(c, "allow_duplicate")),
	                &c->problem) &&
	       db_last(c->tx, Q_CARER_BY_ID(id), &rows, &c->problem) && call_created(c, id, rows);
}

static bool get_carer(struct call *c)
{
	return call_answer(c, Q_CARER_READ(call_path(c, "carer_id")), no_such_carer);
}

static bool update_carer(struct call *c)
{
	return db_queue(c->tx,
	                Q_CARER_PATCH(call_path(c, "carer_id"), call_body(c),
	                              call_query(c, "allow_duplicate")),
	                &c->problem) &&
	       reply_changed(c);
}

static bool move(struct call *c, const char *action)
{
	return db_queue(c->tx, Q_CARER_MOVE(call_path(c, "carer_id"), action, c->body_text),
	                &c->problem) &&
	       reply_changed(c);
}

static bool register_carer(struct call *c) { return move(c, "register"); }
static bool deactivate_carer(struct call *c) { return move(c, "deactivate"); }
static bool reactivate_carer(struct call *c) { return move(c, "reactivate"); }
static bool close_carer(struct call *c) { return move(c, "close"); }

/* The arguments of a list, read once: a query takes those that it knows. */
struct filters {
	const char *limit, *cursor, *since, *council, *state, *source, *known;
};

static struct filters filters_of(const struct call *c)
{
	return (struct filters){
		.limit = call_query(c, "limit"),
		.cursor = call_query(c, "cursor"),
		.since = call_query(c, "updated_since"),
		.council = call_query(c, "council"),
		.state = call_query(c, "state"),
		.source = call_query(c, "source"),
		.known = call_query(c, "known_to_social_care"),
	};
}

static bool list_own(struct call *c, const struct filters *f)
{
	return call_list(c, Q_CARERS_OF_SELF(f->cursor, f->since, f->council, f->state, f->source,
	                                     f->known));
}

static bool list_of_organisation(struct call *c, const struct filters *f)
{
	if (f->since)
		return call_list(c, Q_CARERS_CHANGED_OF_ORGANISATION(f->limit, f->cursor, f->since,
		                                                     f->council, f->state,
		                                                     f->source, f->known));
	return call_list(c, Q_CARERS_OF_ORGANISATION(f->limit, f->cursor, f->council, f->state,
	                                             f->source, f->known));
}

static bool list_of_councils(struct call *c, const struct filters *f)
{
	if (f->since)
		return call_list(c, Q_CARERS_CHANGED_OF_COUNCILS(f->limit, f->cursor, f->since,
		                                                 f->council, f->state, f->source,
		                                                 f->known));
	return call_list(c, Q_CARERS_OF_COUNCILS(f->limit, f->cursor, f->council, f->state,
	                                         f->source, f->known));
}

/* A list is written from the side that the caller's index is on; for any other class PostgreSQL
 * says no. */
static bool list_carers(struct call *c)
{
	const struct filters filters = filters_of(c);

	if (strcmp(c->who->class, "carers_self") == 0)
		return list_own(c, &filters);
	if (strcmp(c->who->class, "carers_partner") == 0)
		return list_of_organisation(c, &filters);
	return list_of_councils(c, &filters);
}

/* Who has that key, and herself, are looked at whole; anybody else is found by her terms. */
static bool search_carers(struct call *c)
{
	if (json_object_get(c->body, "nhs_number") || json_object_get(c->body, "external_ref") ||
	    strcmp(c->who->class, "carers_self") == 0)
		return call_list(c, Q_CARERS_BY_KEY(call_body(c)));
	return call_list(c, Q_CARERS_BY_TERMS(call_body(c)));
}

static const struct operation carers[] = {
	{ "listCarers", list_carers },           { "searchCarers", search_carers },
	{ "createCarer", create_carer },         { "getCarer", get_carer },
	{ "updateCarer", update_carer },         { "registerCarer", register_carer },
	{ "deactivateCarer", deactivate_carer }, { "reactivateCarer", reactivate_carer },
	{ "closeCarer", close_carer },
};
MODULE(carers);
