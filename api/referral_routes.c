/* Where referrals go that do not say where. */
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool list_referral_routes(struct call *c) { return call_list(c, Q_REFERRAL_ROUTES()); }

static bool create_referral_route(struct call *c)
{
	db_rows_auto *rows = NULL;

	return db_last(c->tx, Q_REFERRAL_ROUTE_INSERT(call_body(c)), &rows, &c->problem) &&
	       call_created(c, db_text(rows, 0, "id"), rows);
}

static bool delete_referral_route(struct call *c)
{
	db_rows_auto *rows = NULL;

	if (!db_last(c->tx, Q_REFERRAL_ROUTE_DELETE(call_path(c, "route_id")), &rows, &c->problem))
		return false;
	return db_count(rows) ? call_nothing(c)
	                      : problem(&c->problem, PROBLEM_NOT_FOUND,
	                                "no route of your councils has this id");
}

static const struct operation referral_routes[] = {
	{ "listReferralRoutes", list_referral_routes },
	{ "createReferralRoute", create_referral_route },
	{ "deleteReferralRoute", delete_referral_route },
};
MODULE(referral_routes);
