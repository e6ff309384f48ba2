/* Referrals: made, read, listed, changed while they are drafts; their history. */
#include <string.h>

#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static const char no_such_referral[] = "no referral has this id";

static bool create_referral(struct call *c)
{
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_queue(c->tx, Q_REFERRAL_INSERT(id, call_body(c)), &c->problem) &&
	       db_last(c->tx, Q_REFERRAL_BY_ID(id), &rows, &c->problem) &&
	       call_created(c, id, rows);
}

static bool get_referral(struct call *c)
{
	return call_answer(c, Q_REFERRAL_READ(call_path(c, "referral_id")), no_such_referral);
}

static bool get_referral_history(struct call *c)
{
	return call_answer(c, Q_REFERRAL_HISTORY(call_path(c, "referral_id")), no_such_referral);
}

/* Written from the side that the caller's index is on. */
static bool list_referrals(struct call *c)
{
	const char *limit = call_query(c, "limit"), *cursor = call_query(c, "cursor");
	const char *state = call_query(c, "state"), *kind = call_query(c, "kind");
	const char *carer = call_query(c, "carer_id"), *overdue = call_query(c, "contact_overdue");
	const char *since = call_query(c, "updated_since"), *way = call_query(c, "direction");
	bool council = strcmp(c->who->class, "carers_council") == 0;

	return call_list(c, council ? Q_REFERRALS_OF_COUNCILS(limit, cursor, state, kind, carer,
	                                                      overdue, since)
	                            : Q_REFERRALS_OF_SIDE(limit, cursor, state, kind, carer,
	                                                  overdue, since, way));
}

static const struct operation referrals[] = {
	{ "createReferral", create_referral },
	{ "listReferrals", list_referrals },
	{ "getReferral", get_referral },
	{ "getReferralHistory", get_referral_history },
};
MODULE(referrals);
