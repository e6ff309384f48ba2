/* What time it is, and waiting for a span of it. Tests may hold the clock still. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/attr.h"

typedef int64_t instant; /* microseconds since 1970-01-01T00:00:00Z */

instant clock_now(void);
int64_t clock_seconds(void);      /* seconds since 1970, of clock_now */
int64_t clock_monotonic_us(void); /* for spans of time; never set back */
/* For pthread_cond_timedwait: a condition that counts by the monotonic clock, and when a wait of so
 * many milliseconds ends. By the wall clock, a wait would last an hour longer when that is set back
 * by an hour. */
void clock_condition(pthread_cond_t *ret_condition);
struct timespec clock_in_ms(int64_t ms);
void clock_hold(instant at); /* for tests: clock_now answers this; 0 lets it run again */

enum { CLOCK_TEXT = sizeof "2026-11-22T14:11:00.000000Z" };
/* RFC 3339 in UTC, to the second; microseconds are added when `fraction`. */
void clock_print(instant at, bool fraction, char ret_text[static CLOCK_TEXT]);
