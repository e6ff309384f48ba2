/* What is done with a break: the machine of its states. */
#include "call/call.h"
#include "modules.h"
#include "queries.h"
#include "rules/break_states.h"

static const char no_such_break[] = "no break has this id";

/* Locks the break and asks the machine. */
static bool step(struct call *c, const char *action, const char **ret_state)
{
	db_rows_auto *rows = NULL;

	if (!db_run(c->tx, Q_BREAK_LOCK(call_path(c, "break_id")), &rows, &c->problem))
		return false;
	if (db_count(rows) == 0)
		return problem(&c->problem, PROBLEM_NOT_FOUND, "%s", no_such_break);
	struct break_now now = { .state = db_text(rows, 0, "state"),
		                 .provider = db_text(rows, 0, "provider"),
		                 .arranger = db_text(rows, 0, "arranger") };

	return break_step(&now, action, ret_state, &c->problem);
}

/* Does it, and answers with what the break is now. */
static bool change(struct call *c, struct db_call query)
{
	return db_queue(c->tx, query, &c->problem) &&
	       call_answer(c, Q_BREAK_BY_ID(call_path(c, "break_id")), no_such_break);
}

static bool move(struct call *c, const char *action)
{
	const char *state;

	return step(c, action, &state) &&
	       change(c, Q_BREAK_MOVE(call_path(c, "break_id"), action, state, call_body(c)));
}

static bool update_break(struct call *c)
{
	const char *state;

	return step(c, "update", &state) &&
	       change(c, Q_BREAK_PATCH(call_path(c, "break_id"), call_body(c)));
}

static bool record_conversation(struct call *c) { return move(c, "conversation"); }
static bool agree_break(struct call *c) { return move(c, "agree"); }
static bool start_break(struct call *c) { return move(c, "start"); }
static bool pause_break(struct call *c) { return move(c, "pause"); }
static bool resume_break(struct call *c) { return move(c, "resume"); }
static bool end_break(struct call *c) { return move(c, "end"); }
static bool decline_break(struct call *c) { return move(c, "decline"); }

static const struct operation break_actions[] = {
	{ "updateBreak", update_break }, { "recordConversation", record_conversation },
	{ "agreeBreak", agree_break },   { "startBreak", start_break },
	{ "pauseBreak", pause_break },   { "resumeBreak", resume_break },
	{ "endBreak", end_break },       { "declineBreak", decline_break },
};
MODULE(break_actions);
