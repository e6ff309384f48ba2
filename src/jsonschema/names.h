/* A fixed set of strings that is asked about often: the members an object may have, the words of an
 * enum. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

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

static inline uint64_t js_eight(const char *text)
{
	uint64_t word;
	memcpy(&word, text, sizeof(word));
	return word;
}

static inline uint32_t js_four(const char *text)
{
	uint32_t word;
	memcpy(&word, text, sizeof(word));
	return word;
}

/* Names are short: most are compared as two words that overlap, without a call. */
static inline bool js_same_text(const char *a, const char *b, size_t length)
{
	if (length > 16)
		return memcmp(a, b, length) == 0;
	if (length >= 8)
		return js_eight(a) == js_eight(b) &&
		       js_eight(a + length - 8) == js_eight(b + length - 8);
	if (length >= 4)
		return js_four(a) == js_four(b) &&
		       js_four(a + length - 4) == js_four(b + length - 4);
	return length == 0 ||
	       (a[0] == b[0] && a[length / 2] == b[length / 2] && a[length - 1] == b[length - 1]);
}

static inline bool js_name_is(const struct name *name, const char *text, size_t length)
{
	return name->length == length && js_same_text(name->text, text, length);
}

/* The number of the name, or NO_NAME. */
uint32_t js_names_search(const struct names *names, const char *text, size_t length);

/* The same; `guess` is the number that is tried first. */
static inline uint32_t js_names_find(const struct names *names, const char *text, size_t length,
                                     uint32_t guess)
{
	if (guess < names->count && js_name_is(&names->names[guess], text, length))
		return guess;
	if (guess == 0 && names->count <= 1)
		return NO_NAME;
	return js_names_search(names, text, length);
}
