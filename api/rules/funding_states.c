/* The machine of a funding award's states. */
#include "rules/funding_states.h"

#include "rules/machine.h"

enum { STAFF = 1 }; /* council staff who decide: there is no other side */
enum { APPLIED = 1, APPROVED = 2, REFUSED = 4, PAID = 8 };

static const struct machine_state states[] = {
	{ "applied", APPLIED, "applied for" },
	{ "approved", APPROVED, "approved" },
	{ "refused", REFUSED, "refused" },
	{ "paid", PAID, "paid" },
};

static const struct machine_action actions[] = {
	{ "approve", "approved" },
	{ "refuse", "refused" },
	{ "pay", "paid" },
};

static const struct machine_step steps[] = {
#define X(from, action, to, must) { from, #action, to, STAFF },
#include "rules/funding_states.def"
#undef X
};

static const struct machine machine = {
	.thing = "award",
	.states = states,
	.actions = actions,
	.steps = steps,
	.state_count = COUNT_OF(states),
	.action_count = COUNT_OF(actions),
	.step_count = COUNT_OF(steps),
};

bool funding_step(const char *state, const char *action, const char **ret_state, struct problem *p)
{
	return machine_step(&machine, state, action, STAFF, ret_state, p);
}
