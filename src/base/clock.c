/* What time it is. */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static _Atomic instant held;

static int64_t micros(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

instant clock_now(void)
{
	instant at = atomic_load_explicit(&held, memory_order_relaxed);

	return at ? at : micros(CLOCK_REALTIME);
}

int64_t clock_seconds(void) { return clock_now() / 1000000; }

int64_t clock_monotonic_us(void) { return micros(CLOCK_MONOTONIC); }

void clock_condition(pthread_cond_t *ret_condition)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(ret_condition, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

struct timespec clock_in_ms(int64_t ms)
{
	int64_t at = clock_monotonic_us() + ms * 1000;

	return (struct timespec){ .tv_sec = at / 1000000, .tv_nsec = at % 1000000 * 1000 };
}

void clock_hold(instant at) { atomic_store(&held, at); }

void clock_print(instant at, bool fraction, char ret_text[static CLOCK_TEXT])
{
	time_t seconds = (time_t)(at / 1000000);
	struct tm t;
	size_t size;

	gmtime_r(&seconds, &t);
	size = strftime(ret_text, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%S", &t);
	if (fraction)
		snprintf(ret_text + size, CLOCK_TEXT - size, ".%06uZ", (unsigned)(at % 1000000));
	else
		snprintf(ret_text + size, CLOCK_TEXT - size, "Z");
}
