/*
 * Working days: Monday to Friday, less bank holidays. A day is a number of days since 1970-01-01,
 * which was a Thursday; which day it is somewhere is for whoever knows time zones.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bank holidays that matter; `days` in any order, borrowed. */
struct holidays {
	const int32_t *days;
	size_t count;
};

/* The bank holidays of a text like "20818,20820", at most `room` of them; NULL: none. Returns how
 * many. */
size_t holidays_read(const char *text, size_t room, int32_t ret_days[]);
bool holidays_have(struct holidays holidays, int32_t day);

/* The count-th working day after `from`, which itself is not counted; `from` when count is 0. */
int32_t working_days_add(int32_t from, unsigned count, struct holidays holidays);
