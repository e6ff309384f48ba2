/*
 * Recurrence rules (RFC 5545, 3.3.10): on which days something happens. Days only, as the calendar
 * on the wall has them: at what time of such a day, and which instant that is somewhere, is for
 * whoever knows time zones, so that a visit at ten stays one at ten when the clocks change. A day
 * is a number of days since 1970-01-01, as in working_days.h. See docs/adr/0022.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/problem.h"

enum {
	RECURRENCE_TEXT = 255, /* bytes of a rule */
	RECURRENCE_MOST = 400, /* days that one walk gives: each day of a year, and then some */
	RECURRENCE_YEARS = 10, /* how far a walk goes, and within which a rule happens at all */
};

/* A rule and the day that it is counted from (DTSTART), both checked; recurrence_parse makes it. */
struct recurrence {
	char text[RECURRENCE_TEXT + 1];
	int32_t start;
	bool ends; /* it has COUNT or UNTIL */
};

struct recurrence_days {
	int32_t day[RECURRENCE_MOST]; /* ascending */
	size_t count;
	bool more; /* there are more of them within the span than fit */
};

/*
 * VALIDATION_FAILED with a sentence that stands behind the name of the field when the text is no
 * rule, asks for what is not taken (parts of a day, weeks and days of the year by number), or does
 * not happen within RECURRENCE_YEARS of `start`. A start that the rule does not name is not one of
 * its days.
 */
must_check bool recurrence_parse(const char *text, int32_t start, struct recurrence *ret_rule,
                                 struct problem *p);

/*
 * The days of the rule within [from, until], of at most RECURRENCE_YEARS from `from` or, when that
 * is later, the rule's start on.
 */
void recurrence_walk(const struct recurrence *rule, int32_t from, int32_t until,
                     struct recurrence_days *ret_days);
