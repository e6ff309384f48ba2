/* Waiting for a socket under a deadline. */
#include "io.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "base/clock.h"

/* Milliseconds left, rounded up, so that a wait never ends before its deadline. */
static int left_ms(int64_t deadline_us)
{
	int64_t left;

	if (deadline_us == INT64_MAX)
		return -1;
	left = (deadline_us - clock_monotonic_us() + 999) / 1000;
	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

bool io_wait(int fd, short events, int64_t deadline_us)
{
	struct pollfd one = { .fd = fd, .events = events };
	int found;

	do
		found = poll(&one, 1, left_ms(deadline_us));
	while (found < 0 && errno == EINTR);
	return found > 0;
}
