/* What carers are awarded under funding schemes, and what is left of their year. */
#include "auth/scopes.h"
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"
#include "rules/funding_states.h"

static const char no_such_award[] = "no funding award has this id";
static const char no_such_carer[] = "no carer has this id";

/* Without the scope of the actions none of them is shown as available. */
static const char *decides(const struct call *c)
{
	static const char *const wanted[] = { "funding:approve", NULL };

	return scopes_cover(c->who->scope, wanted) ? "true" : "false";
}

static bool create_award(struct call *c)
{
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_queue(c->tx, Q_FUNDING_AWARD_INSERT(id, call_path(c, "carer_id"), call_body(c)),
	                &c->problem) &&
	       db_last(c->tx, Q_FUNDING_AWARD_BY_ID(id, decides(c)), &rows, &c->problem) &&
	       call_created_at(c, "/v1/funding-awards", id, rows);
}

static bool list_awards(struct call *c)
{
	return call_list_of(
		c,
		Q_FUNDING_AWARDS_OF_CARER(call_path(c, "carer_id"), call_query(c, "limit"),
	                                  call_query(c, "cursor"), call_query(c, "updated_since"),
	                                  call_query(c, "state"), call_query(c, "scheme"),
	                                  call_query(c, "financial_year"), decides(c)),
		no_such_carer);
}

static bool list_council_awards(struct call *c)
{
	const char *limit = call_query(c, "limit"), *cursor = call_query(c, "cursor");
	const char *council = call_query(c, "council"), *state = call_query(c, "state");
	const char *since = call_query(c, "updated_since");

	return call_list(
		c, since ? Q_FUNDING_AWARDS_CHANGED_OF_COUNCILS(limit, cursor, since, council,
	                                                        state, decides(c))
			 : Q_FUNDING_AWARDS_OF_COUNCILS(limit, cursor, council, state, decides(c)));
}

static bool get_award(struct call *c)
{
	return call_answer(c, Q_FUNDING_AWARD_READ(call_path(c, "award_id"), decides(c)),
	                   no_such_award);
}

static bool check_award(struct call *c)
{
	return call_answer(c, Q_FUNDING_AWARD_CHECK(call_path(c, "award_id")), no_such_award);
}

static bool get_funding(struct call *c)
{
	return call_answer(c, Q_FUNDING_OF_CARER(call_path(c, "carer_id")), no_such_carer);
}

/* Locks the award and asks the machine. */
static bool move(struct call *c, const char *action)
{
	const char *id = call_path(c, "award_id"), *state;
	db_rows_auto *before = NULL;

	if (!db_run(c->tx, Q_FUNDING_AWARD_LOCK(id), &before, &c->problem))
		return false;
	if (db_count(before) == 0)
		return problem(&c->problem, PROBLEM_NOT_FOUND, "%s", no_such_award);
	return funding_step(db_text(before, 0, "state"), action, &state, &c->problem) &&
	       db_queue(c->tx, Q_FUNDING_AWARD_MOVE(id, action, state, call_body(c)),
	                &c->problem) &&
	       call_answer(c, Q_FUNDING_AWARD_BY_ID(id, decides(c)), NULL);
}

static bool approve_award(struct call *c) { return move(c, "approve"); }
static bool refuse_award(struct call *c) { return move(c, "refuse"); }
static bool pay_award(struct call *c) { return move(c, "pay"); }

static const struct operation funding[] = {
	{ "createAward", create_award }, { "listAwards", list_awards },
	{ "getAward", get_award },       { "listCouncilAwards", list_council_awards },
	{ "checkAward", check_award },   { "approveAward", approve_award },
	{ "refuseAward", refuse_award }, { "payAward", pay_award },
	{ "getFunding", get_funding },
};
MODULE(funding);
