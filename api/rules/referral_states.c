/* The machine of a referral's states. */
#include "rules/referral_states.h"

#include <jansson.h>
#include <string.h>

enum { SAME = 0 };
enum { CREATOR = 1, RECEIVER = 2, CARER = 4 };
enum {
	DRAFT = 1,
	REQUESTED = 2,
	RECEIVED = 4,
	ACCEPTED = 8,
	WAITLISTED = 16,
	DECLINED = 32,
	RETURNED = 64,
	NOT_ELIGIBLE = 128,
	IN_PROGRESS = 256,
	ON_HOLD = 512,
	COMPLETED = 1024,
	FAILED = 2048,
	WITHDRAWN = 4096,
	ENTERED_IN_ERROR = 8192,
};

static const struct {
	const char *code;
	unsigned bit;
	const char *words; /* "a referral that is ..." */
} states[] = {
	{ "draft", DRAFT, "a draft" },
	{ "requested", REQUESTED, "requested" },
	{ "received", RECEIVED, "received" },
	{ "accepted", ACCEPTED, "accepted" },
	{ "waitlisted", WAITLISTED, "on the waiting list" },
	{ "declined", DECLINED, "declined" },
	{ "returned", RETURNED, "returned for information" },
	{ "not_eligible", NOT_ELIGIBLE, "found not eligible" },
	{ "in_progress", IN_PROGRESS, "in progress" },
	{ "on_hold", ON_HOLD, "on hold" },
	{ "completed", COMPLETED, "completed" },
	{ "failed", FAILED, "ended without success" },
	{ "withdrawn", WITHDRAWN, "withdrawn" },
	{ "entered_in_error", ENTERED_IN_ERROR, "entered in error" },
};

static const struct {
	const char *action, *words; /* "... cannot be" */
} done[] = {
	{ "update", "changed" },
	{ "submit", "submitted" },
	{ "receive", "received" },
	{ "contact", "the subject of a first contact" },
	{ "accept", "accepted" },
	{ "waitlist", "put on the waiting list" },
	{ "decline", "declined" },
	{ "return", "returned" },
	{ "not_eligible", "found not eligible" },
	{ "start", "started" },
	{ "hold", "put on hold" },
	{ "resume", "resumed" },
	{ "complete", "completed" },
	{ "fail", "ended as failed" },
	{ "withdraw", "withdrawn" },
	{ "void", "voided" },
	{ "refer_onward", "referred onward" },
};

static const struct step {
	unsigned from;
	const char *action;
	unsigned to, sides;
} steps[] = {
#define X(from, action, to, side, must) { from, #action, to, side },
#include "rules/referral_states.def"
#undef X
};

static size_t named(const char *code)
{
	size_t i = 0;

	while (i < COUNT_OF(states) - 1 && strcmp(states[i].code, code) != 0)
		i++;
	return i;
}

static const char *code_of(unsigned bit)
{
	size_t i = 0;

	while (i < COUNT_OF(states) - 1 && states[i].bit != bit)
		i++;
	return states[i].code;
}

static const char *words_of(const char *action)
{
	size_t i = 0;

	while (i < COUNT_OF(done) - 1 && strcmp(done[i].action, action) != 0)
		i++;
	return done[i].words;
}

bool referral_step(const struct referral_now *now, const char *action, const char **ret_state,
                   struct problem *p)
{
	size_t from = named(now->state);
	unsigned acting = (now->creator ? CREATOR : 0) | (now->receiver ? RECEIVER : 0) |
	                  (now->carer ? CARER : 0);
	bool side = false; /* the caller's side does this, in other states */

	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		const struct step *s = &steps[i];

		if (strcmp(s->action, action) != 0 || !(s->sides & acting))
			continue;
		side = true;
		if (!(s->from & states[from].bit))
			continue;
		*ret_state = code_of(s->to == SAME ? states[from].bit : s->to);
		return true;
	}
	problem_member(p, "state", json_string(now->state));
	if (!side)
		return problem(p, PROBLEM_STATE_CONFLICT,
		               "it is not for this side of the referral that it be %s",
		               words_of(action));
	return problem(p, PROBLEM_STATE_CONFLICT, "a referral that is %s cannot be %s",
	               states[from].words, words_of(action));
}
