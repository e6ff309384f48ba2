/*
 * SWEMWBS, the Short Warwick-Edinburgh Mental Well-being Scale: seven items, each answered 1 (none
 * of the time) to 5 (all of the time) for the last two weeks. Copyright NHS Health Scotland,
 * University of Warwick and University of Edinburgh, 2008; the wording of the items is licensed and
 * is not shipped, only our keys for them.
 */
#pragma once

#include <stdbool.h>

enum { SWEMWBS_ITEMS = 7, SWEMWBS_RAW_MIN = 7, SWEMWBS_RAW_MAX = 35 };

/* The keys of the items, in the order of the published scale. */
extern const char *const swemwbs_items[SWEMWBS_ITEMS];

struct swemwbs {
	bool complete; /* all seven were answered; otherwise there is no score, and none is guessed
	                */
	unsigned answered; /* items, 0-7 */
	unsigned raw;      /* sum of the answers, 7-35 */
	unsigned metric;   /* hundredths of the published metric score: 1798 is 17.98 */
	const char *band;  /* "low", "average" or "high"; NULL when incomplete */
};

/* answers: 1-5 in the order of swemwbs_items, 0 where an item was not answered. */
struct swemwbs swemwbs_score(const unsigned char answers[static SWEMWBS_ITEMS]);

/* The published metric score of a raw one (7-35), in hundredths. */
unsigned swemwbs_metric(unsigned raw);
