/* jansson under our rules: one document, no duplicate keys, no NUL, bounded depth, hashing seeded
 * before threads. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/problem.h"

enum { JSON_DEPTH = 32 }; /* levels of nesting that a request may have */

/* Once, before the first thread. */
void json_start(void);
/* MALFORMED_JSON with a sentence (never a value) on failure. */
must_check bool json_read(const char *bytes, size_t size, json_t **ret_json, struct problem *p);
/* Compact text to be freed; NULL when memory runs out. Numbers with a point have up to 15 digits.
 */
char *json_print(const json_t *json);
/* A decimal that json_print() writes exactly, as 1798 with 2 places: 17.98. At most 15 digits. */
json_t *json_decimal(int64_t units, unsigned places);
/* The member's text, or NULL when it is absent or not a string. Borrowed. */
const char *json_text(const json_t *object, const char *name);
/* What a JSON pointer (RFC 6901) points to, borrowed, or NULL. */
json_t *json_at(const json_t *json, const char *pointer);
/* RFC 6901 escape of one token (~0, ~1) added to a buffer. */
struct buf;
must_check bool json_pointer_add(struct buf *pointer, const char *token);
