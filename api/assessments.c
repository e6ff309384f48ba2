/* Assessments: begun, written down and moved through their states. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"
#include "rules/assessment_states.h"

static const char no_such_assessment[] = "no assessment has this id";

/* The assessment as it is now, after the change that was queued before. */
static bool reply_changed(struct call *c)
{
	return call_answer(c, Q_ASSESSMENT_BY_ID(call_path(c, "assessment_id")),
	                   no_such_assessment);
}

/* A carer's own token always asks; others are asked, or offer. NULL: its kind leaves no choice. */
static const char *first_state(const struct call *c, const char *kind)
{
	if (strcmp(kind, "statutory") != 0 && strcmp(kind, "reassessment") != 0)
		return NULL;
	if (strcmp(c->who->role, "carer") == 0 ||
	    json_is_true(json_object_get(c->body, "requested")))
		return "requested";
	return "offered";
}

static bool create_assessment(struct call *c)
{
	const struct assessment_now now = { .kind = json_text(c->body, "kind"),
		                            .state = "none",
		                            .role = c->who->role };
	char id[UUID_TEXT];
	const char *state;
	db_rows_auto *rows = NULL;

	if (!assessment_names_no_break(c->body, &c->problem) ||
	    !assessment_step(&now, "create", first_state(c, now.kind), &state, &c->problem))
		return false;
	uuid_make(id);
	return db_queue(c->tx,
	                Q_ASSESSMENT_INSERT(id, call_path(c, "carer_id"), state, call_body(c)),
	                &c->problem) &&
	       db_last(c->tx, Q_ASSESSMENT_BY_ID(id), &rows, &c->problem) &&
	       call_created_at(c, "/v1/assessments", id, rows);
}

static bool get_assessment(struct call *c)
{
	return call_answer(c, Q_ASSESSMENT_READ(call_path(c, "assessment_id")), no_such_assessment);
}

/* Where the action leads from the state that the assessment is in now, and stays in until the end
 * of the transaction. ret_state lives as long as the program. */
static bool step(struct call *c, const char *action, const char *wanted, const char **ret_state)
{
	db_rows_auto *rows = NULL;
	struct assessment_now now = { .role = c->who->role };

	if (!db_run(c->tx, Q_ASSESSMENT_LOCK(call_path(c, "assessment_id")), &rows, &c->problem))
		return false;
	if (db_count(rows) == 0)
		return problem(&c->problem, PROBLEM_NOT_FOUND, "%s", no_such_assessment);
	now.kind = db_text(rows, 0, "kind");
	now.state = db_text(rows, 0, "state");
	now.theirs = db_text(rows, 0, "theirs") != NULL;
	return assessment_step(&now, action, wanted, ret_state, &c->problem);
}

static bool update_assessment(struct call *c)
{
	const char *state;

	return assessment_names_no_break(c->body, &c->problem) && step(c, "update", NULL, &state) &&
	       db_queue(c->tx, Q_ASSESSMENT_PATCH(call_path(c, "assessment_id"), call_body(c)),
	                &c->problem) &&
	       reply_changed(c);
}

static bool move(struct call *c, const char *action, const char *wanted)
{
	const char *state;

	return step(c, action, wanted, &state) &&
	       db_queue(c->tx,
	                Q_ASSESSMENT_MOVE(call_path(c, "assessment_id"), state, call_body(c)),
	                &c->problem) &&
	       reply_changed(c);
}

static bool schedule_assessment(struct call *c) { return move(c, "schedule", NULL); }
static bool start_assessment(struct call *c) { return move(c, "start", NULL); }
static bool complete_assessment(struct call *c) { return move(c, "complete", NULL); }
static bool decline_assessment(struct call *c) { return move(c, "decline", NULL); }
static bool cancel_assessment(struct call *c) { return move(c, "cancel", NULL); }
static bool offer_full_assessment(struct call *c) { return move(c, "offer_full", NULL); }

static bool respond_to_full_offer(struct call *c)
{
	char state[24];

	snprintf(state, sizeof state, "full_%s", json_text(c->body, "response"));
	return move(c, "full_response", state);
}

static const struct operation assessments[] = {
	{ "createAssessment", create_assessment },
	{ "getAssessment", get_assessment },
	{ "updateAssessment", update_assessment },
	{ "scheduleAssessment", schedule_assessment },
	{ "startAssessment", start_assessment },
	{ "completeAssessment", complete_assessment },
	{ "declineAssessment", decline_assessment },
	{ "cancelAssessment", cancel_assessment },
	{ "offerFullAssessment", offer_full_assessment },
	{ "respondToFullOffer", respond_to_full_offer },
};
MODULE(assessments);
