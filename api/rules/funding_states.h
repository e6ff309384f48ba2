/* The machine of a funding award's states (rule B5), as funding_states.def writes it down. */
#pragma once

#include "base/problem.h"

/* The state that the action leads to; static text. STATE_CONFLICT with `state` when there is none.
 */
must_check bool funding_step(const char *state, const char *action, const char **ret_state,
                             struct problem *p);
