/* A machine of states as a table: from where, by which action, to where, and by which sides. */
#pragma once

#include "base/problem.h"

/* bit: one of its own; words: as in "a break that is ...". */
struct machine_state {
	const char *code;
	unsigned bit;
	const char *words;
};

/* words: as in "... cannot be ...". */
struct machine_action {
	const char *code, *words;
};

/* from: bits of states; to: the bit of one, or MACHINE_SAME; sides: bits, as the caller's are. */
struct machine_step {
	unsigned from;
	const char *action;
	unsigned to, sides;
};

enum { MACHINE_SAME = 0 };

/* All static. The lists are not empty, and each code that is asked for is in them. */
struct machine {
	const char *thing; /* "break": in words */
	const struct machine_state *states;
	const struct machine_action *actions;
	const struct machine_step *steps;
	size_t state_count, action_count, step_count;
};

/*
 * The state that the action leads to, by one of the caller's sides; static text. STATE_CONFLICT
 * with `state` when it is done in other states, or by other sides.
 */
must_check bool machine_step(const struct machine *machine, const char *state, const char *action,
                             unsigned sides, const char **ret_state, struct problem *p);
