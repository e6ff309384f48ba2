/*
 * How much a client may ask: a token bucket each, in a table of fixed size. A client is a token's
 * client and subject, or an address where there is no token. When the table is full the fullest
 * bucket of a row makes room: its owner lost nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct limits;

struct allowance {
	bool limited; /* false: there is no limit, and the rest says nothing */
	bool granted;
	uint64_t quota, left; /* requests in a minute; requests left now */
	uint64_t reset_s; /* until the bucket is full again; when refused: until the next request */
};

/* per_minute 0: no limit. NULL when memory runs out. */
struct limits *limits_new(uint64_t per_minute);
void limits_free(struct limits *limits);
/* Takes so many requests (1 or more) from the client's bucket; a cost above the whole limit takes
 * all of it. */
struct allowance limits_take(struct limits *limits, const char *kind, const char *client,
                             const char *subject, unsigned cost);
