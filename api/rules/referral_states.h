/* The machine of a referral's states (rule R7), as referral_states.def writes it down. */
#pragma once

#include "base/problem.h"

/* A referral, and for which of its sides the caller acts. */
struct referral_now {
	const char *state;
	bool creator, receiver, carer;
};

/*
 * The state that the action leads to; static text. STATE_CONFLICT with `state` when the referral is
 * in another state, or the action is another side's.
 */
must_check bool referral_step(const struct referral_now *now, const char *action,
                              const char **ret_state, struct problem *p);
