/* One part of a report as JSON: what is shown, and the names of what is not. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

/* While it is made. A NULL member or !good: memory ran out, which report_part_end() tells. */
struct report_part {
	json_t *json, *suppressed; /* owned */
	bool good;
};

/* Takes `json`, what the part begins with. */
struct report_part report_part_begin(json_t *json);
/* Takes the value; of a hidden one the name alone is kept. */
void report_part_add(struct report_part *part, const char *name, bool hidden, json_t *value);
/* Gives the part away, `suppressed` in it; NULL when memory ran out. */
must_check json_t *report_part_end(struct report_part *part);

/* Whether a row is whose the report is asked for: a provider's, or with NULL the council's. */
bool report_is_asked(const char *provider, const char *whose);
/* n / total to three places, the half rounded up. */
json_t *report_share(uint64_t n, uint64_t total);
/* {"count", "share"}; no share of nothing. */
json_t *report_count(uint64_t n, uint64_t total);
