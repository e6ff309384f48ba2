/*
 * Opening hours: what a directory entry's schedule says, worked out once when it is written. Its
 * items are those of Open Referral: an RFC 5545 rule in parts (freq, interval, byday, bymonthday,
 * dtstart), valid_from, valid_to, opens_at, closes_at. Times are those on the wall in London.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/problem.h"

/*
 * {"weekly": an int4multirange of minutes since Monday 0:00, as text, "dated": [[day, opens,
 * closes]]} with days since 1970-01-01 and minutes of the day, to be freed. What holds every week
 * without an end is weekly; everything else is dated, for the 400 days from `today` on.
 * VALIDATION_FAILED with a fault below /schedule for each item that never happens, ends before it
 * begins or names no day.
 */
must_check bool openings_of(const json_t *schedule, int32_t today, char **ret_hours,
                            struct problem *p);
