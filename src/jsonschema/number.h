/* JSON numbers as mathematics sees them: 1 and 1.0 are one number, and 0.1 is a tenth. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* A number of the schema, ready for comparing. */
struct number {
	bool whole; /* `integer` holds it exactly; otherwise `real` does */
	int64_t integer;
	double real;
	/* As a divisor: the number is `digits` / 10^`places`, unless `places` is negative (not to
	 * be had exactly). */
	int64_t digits;
	int places;
};

struct number js_number_of(const json_t *value); /* an integer or a real */

bool js_number_is_integer(double value); /* 1.0 and 1e300 are */

/* Less than, equal to, greater than: negative, 0, positive. Exact for an integer against a real. */
int js_number_compare(const json_t *value, const struct number *other);

bool js_number_multiple(const json_t *value, const struct number *divisor); /* divisor > 0 */
