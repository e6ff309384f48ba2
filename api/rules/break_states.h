/* The machine of a break's states, as break_states.def writes it down, and rule B2. */
#pragma once

#include "base/problem.h"

/* A break, and for which of its sides the caller acts. */
struct break_now {
	const char *state;
	bool provider, arranger;
};

/*
 * The state that the action leads to; static text. RULE_VIOLATED with rule B2 when the action is
 * the provider's word on length and frequency and another's to say; STATE_CONFLICT with `state`
 * when the break is in another state, or the action is another side's.
 */
must_check bool break_step(const struct break_now *now, const char *action, const char **ret_state,
                           struct problem *p);
