/* The machine of an assessment's states (rules A4 and A8), as assessment_states.def writes it down.
 */
#pragma once

#include "base/problem.h"

/* An assessment and who would do something with it. */
struct assessment_now {
	const char *kind;
	const char *state; /* "none": there is none yet */
	const char *role;
	bool theirs; /* it is another organisation's, and the caller acts for one */
};

/*
 * The state that the action leads to. `wanted`: which one, where the action may lead to several; or
 * NULL. FORBIDDEN for another role or organisation, RULE_VIOLATED for the change of a completed one
 * (A8), STATE_CONFLICT with `state` for any other state.
 */
must_check bool assessment_step(const struct assessment_now *now, const char *action,
                                const char *wanted, const char **ret_state, struct problem *p);

/* Rule A7: an assessment may say that a break would help, never how long or how often. `body`: what
 * a client sent. */
must_check bool assessment_names_no_break(const json_t *body, struct problem *p);
