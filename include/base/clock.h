/* What time it is. Tests may hold the clock still. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

typedef int64_t instant; /* microseconds since 1970-01-01T00:00:00Z */

instant clock_now(void);
int64_t clock_seconds(void);      /* seconds since 1970, of clock_now */
int64_t clock_monotonic_us(void); /* for spans of time; never set back */
void clock_hold(instant at);      /* for tests: clock_now answers this; 0 lets it run again */

enum { CLOCK_TEXT = sizeof "2026-11-22T14:11:00.000000Z" };
/* RFC 3339 in UTC, to the second; microseconds are added when `fraction`. */
void clock_print(instant at, bool fraction, char ret_text[static CLOCK_TEXT]);
