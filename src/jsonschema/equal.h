/* Equality as JSON Schema has it: 1 is 1.0, and the order of members does not count. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Beyond `depth` levels nothing is compared: false, and `*ret_deep` is set. It is left alone
 * otherwise. */
bool js_equal(const json_t *a, const json_t *b, unsigned depth, bool *ret_deep);

/* Equal values have equal hashes; `seed` keeps others from choosing values that collide. */
uint64_t js_hash(const json_t *value, uint64_t seed, unsigned depth);
