/* Equality as JSON Schema has it: 1 is 1.0, and the order of members does not count. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Beyond `depth` levels two values count as different. */
bool js_equal(const json_t *a, const json_t *b, unsigned depth);

/* Equal values have equal hashes; `seed` keeps others from choosing values that collide. */
uint64_t js_hash(const json_t *value, uint64_t seed, unsigned depth);
