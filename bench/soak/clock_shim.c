/* Sets the wall clock of one process aside, for ./dev soak clock: preloaded, it adds what the file
 * CLOCK_SHIM holds (seconds, as eight bytes of the machine's order) to CLOCK_REALTIME. The
 * monotonic clock is left alone, as it is where a machine's clock is set. libfaketime (0.9.10)
 * takes the deadlines of conditions that count by the monotonic clock for wall-clock times, and
 * ends their waits at once. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t *offset;

__attribute__((constructor)) static void open_offset(void)
{
	const char *path = getenv("CLOCK_SHIM");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	if (at != MAP_FAILED)
		offset = at;
}

int clock_gettime(clockid_t id, struct timespec *ret_time)
{
	int rc = (int)syscall(SYS_clock_gettime, id, ret_time);

	if (rc == 0 && offset && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ret_time->tv_sec += *offset;
	return rc;
}

int gettimeofday(struct timeval *restrict ret_time, void *restrict zone)
{
	struct timespec t;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &t) != 0)
		return -1;
	ret_time->tv_sec = t.tv_sec;
	ret_time->tv_usec = t.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *ret_time)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_REALTIME, &t);
	if (ret_time)
		*ret_time = t.tv_sec;
	return t.tv_sec;
}
