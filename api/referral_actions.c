/* What is done with a referral: the machine of its states, and the clock that submit starts. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"
#include "rules/referral_states.h"
#include "rules/working_days.h"

enum { HOLIDAYS = 64 }; /* bank holidays of 400 days, and then some */

static const char no_such_referral[] = "no referral has this id";

static bool reply_changed(struct call *c)
{
	return call_answer(c, Q_REFERRAL_BY_ID(call_path(c, "referral_id")), no_such_referral);
}

/* Locks the referral and asks the machine; ret_rows: what referral_lock tells. */
static bool step(struct call *c, const char *action, struct db_rows **ret_rows,
                 const char **ret_state)
{
	db_rows_auto *rows = NULL;

	if (!db_run(c->tx, Q_REFERRAL_LOCK(call_path(c, "referral_id")), &rows, &c->problem))
		return false;
	if (db_count(rows) == 0)
		return problem(&c->problem, PROBLEM_NOT_FOUND, "%s", no_such_referral);
	struct referral_now now = { .state = db_text(rows, 0, "state"),
		                    .creator = db_text(rows, 0, "creator"),
		                    .receiver = db_text(rows, 0, "receiver"),
		                    .carer = db_text(rows, 0, "carer") };
	if (!referral_step(&now, action, ret_state, &c->problem))
		return false;
	*ret_rows = TAKE(rows);
	return true;
}

static bool move(struct call *c, const char *action)
{
	const char *state;
	db_rows_auto *rows = NULL;

	return step(c, action, &rows, &state) &&
	       db_queue(c->tx,
	                Q_REFERRAL_MOVE(call_path(c, "referral_id"), action, state, call_body(c)),
	                &c->problem) &&
	       reply_changed(c);
}

static bool update_referral(struct call *c)
{
	const char *state;
	db_rows_auto *rows = NULL;

	return step(c, "update", &rows, &state) &&
	       db_queue(c->tx, Q_REFERRAL_PATCH(call_path(c, "referral_id"), call_body(c)),
	                &c->problem) &&
	       reply_changed(c);
}

static uint64_t number(const char *digits)
{
	uint64_t value = 0;

	return text_number(digits, 0, 1000000, &value) ? value : 0;
}

/* Rule R3: the last day for a routine referral, in days since 1970. */
static int32_t due_day(const struct db_rows *rows)
{
	int32_t days[HOLIDAYS];
	const struct holidays holidays = { days, holidays_read(db_text(rows, 0, "holidays"),
		                                               HOLIDAYS, days) };

	return working_days_add((int32_t)number(db_text(rows, 0, "today")),
	                        (unsigned)number(db_text(rows, 0, "working_days")), holidays);
}

static bool submit_referral(struct call *c)
{
	const char *state, *id = call_path(c, "referral_id");
	char day[16];
	db_rows_auto *rows = NULL;

	if (!step(c, "submit", &rows, &state))
		return false;
	bool urgent = strcmp(db_text(rows, 0, "priority"), "urgent") == 0;

	snprintf(day, sizeof day, "%d", due_day(rows));
	return db_queue(c->tx,
	                Q_REFERRAL_SUBMIT(id, urgent ? NULL : day,
	                                  db_text(rows, 0, "urgent_minutes")),
	                &c->problem) &&
	       reply_changed(c);
}

/* A new draft in its place; the old one gets a line in its history. */
static bool refer_onward(struct call *c)
{
	const char *state, *id = call_path(c, "referral_id");
	char fresh[UUID_TEXT];
	db_rows_auto *before = NULL, *rows = NULL;

	if (!step(c, "refer_onward", &before, &state))
		return false;
	uuid_make(fresh);
	return db_queue(c->tx, Q_REFERRAL_MOVE(id, "refer_onward", state, "{}"), &c->problem) &&
	       db_queue(c->tx, Q_REFERRAL_INSERT_ONWARD(fresh, id), &c->problem) &&
	       db_last(c->tx, Q_REFERRAL_BY_ID(fresh), &rows, &c->problem) &&
	       call_created_at(c, "/v1/referrals", fresh, rows);
}

static bool receive_referral(struct call *c) { return move(c, "receive"); }
static bool contact_referral(struct call *c) { return move(c, "contact"); }
static bool accept_referral(struct call *c) { return move(c, "accept"); }
static bool waitlist_referral(struct call *c) { return move(c, "waitlist"); }
static bool decline_referral(struct call *c) { return move(c, "decline"); }
static bool return_referral(struct call *c) { return move(c, "return"); }
static bool find_not_eligible(struct call *c) { return move(c, "not_eligible"); }
static bool start_referral(struct call *c) { return move(c, "start"); }
static bool hold_referral(struct call *c) { return move(c, "hold"); }
static bool resume_referral(struct call *c) { return move(c, "resume"); }
static bool complete_referral(struct call *c) { return move(c, "complete"); }
static bool fail_referral(struct call *c) { return move(c, "fail"); }
static bool withdraw_referral(struct call *c) { return move(c, "withdraw"); }
static bool void_referral(struct call *c) { return move(c, "void"); }

static const struct operation referral_actions[] = {
	{ "updateReferral", update_referral },     { "submitReferral", submit_referral },
	{ "receiveReferral", receive_referral },   { "contactReferral", contact_referral },
	{ "acceptReferral", accept_referral },     { "waitlistReferral", waitlist_referral },
	{ "declineReferral", decline_referral },   { "returnReferral", return_referral },
	{ "findNotEligible", find_not_eligible },  { "startReferral", start_referral },
	{ "holdReferral", hold_referral },         { "resumeReferral", resume_referral },
	{ "completeReferral", complete_referral }, { "failReferral", fail_referral },
	{ "withdrawReferral", withdraw_referral }, { "voidReferral", void_referral },
	{ "referOnward", refer_onward },
};
MODULE(referral_actions);
