/* The machine of a referral's states. */
#include "rules/referral_states.h"

#include "rules/machine.h"

enum { SAME = MACHINE_SAME };
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

static const struct machine_state states[] = {
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

static const struct machine_action actions[] = {
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

static const struct machine_step steps[] = {
#define X(from, action, to, side, must) { from, #action, to, side },
#include "rules/referral_states.def"
#undef X
};

static const struct machine machine = {
	.thing = "referral",
	.states = states,
	.actions = actions,
	.steps = steps,
	.state_count = COUNT_OF(states),
	.action_count = COUNT_OF(actions),
	.step_count = COUNT_OF(steps),
};

bool referral_step(const struct referral_now *now, const char *action, const char **ret_state,
                   struct problem *p)
{
	unsigned sides = (now->creator ? CREATOR : 0) | (now->receiver ? RECEIVER : 0) |
	                 (now->carer ? CARER : 0);

	return machine_step(&machine, now->state, action, sides, ret_state, p);
}
