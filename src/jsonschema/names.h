/* A fixed set of strings that is asked about often: the members an object may have, the words of an
 * enum. */
#pragma once

#include <stdint.h>

#include "jsonschema/memory.h"

struct name {
	const char *text;
	uint32_t length;
	uint32_t hash;
};

/* Immutable once built. `names` keeps the order in which they were given. */
struct names {
	struct name *names;
	uint16_t *slots; /* number of the name plus one; 0: free */
	uint32_t count;
	uint32_t mask;
};

enum { NAMES_LIMIT = 32000 };
static const uint32_t NO_NAME = UINT32_MAX;

/* Takes copies of the texts. NULL without memory or with more than NAMES_LIMIT names. */
struct names *js_names_new(struct arena *arena, const char *const *texts, const size_t *lengths,
                           size_t count);

/* The number of the name, or NO_NAME. `guess` is the number that is tried first. */
uint32_t js_names_find(const struct names *names, const char *text, size_t length, uint32_t guess);
