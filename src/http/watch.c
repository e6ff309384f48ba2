/* Connections that take too long are shut down. */
#include "http/watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"

enum { LOOK_MS = 1000 };

struct watched {
	struct watched *next, *previous;
	int fd;
	_Atomic int64_t since; /* microseconds of the monotonic clock */
};

struct watch {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
	int64_t timeout_us;
	struct watched list; /* a ring; this one is its head */
};

/* Under the lock, so that no fd here can have been closed and given out again. */
static void shut_late(struct watch *watch, int64_t now)
{
	for (struct watched *c = watch->list.next; c != &watch->list; c = c->next)
		if (now - atomic_load_explicit(&c->since, memory_order_relaxed) > watch->timeout_us)
			shutdown(c->fd, SHUT_RDWR);
}

static void *run(void *context)
{
	struct watch *watch = context;
	struct timespec until;

	pthread_mutex_lock(&watch->lock);
	while (!watch->stop) {
		until = clock_in_ms(LOOK_MS);
		pthread_cond_timedwait(&watch->wake, &watch->lock, &until);
		shut_late(watch, clock_monotonic_us());
	}
	pthread_mutex_unlock(&watch->lock);
	return NULL;
}

struct watch *watch_new(unsigned timeout_s)
{
	struct watch *watch = calloc(1, sizeof *watch);

	if (!watch)
		return NULL;
	watch->timeout_us = (int64_t)timeout_s * 1000000;
	watch->list.next = watch->list.previous = &watch->list;
	pthread_mutex_init(&watch->lock, NULL);
	clock_condition(&watch->wake);
	if (pthread_create(&watch->thread, NULL, run, watch) == 0)
		return watch;
	free(watch);
	return NULL;
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	pthread_mutex_lock(&watch->lock);
	watch->stop = true;
	pthread_cond_signal(&watch->wake);
	pthread_mutex_unlock(&watch->lock);
	pthread_join(watch->thread, NULL);
	pthread_cond_destroy(&watch->wake);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}

struct watched *watch_open(struct watch *watch, int fd)
{
	struct watched *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->fd = fd;
	atomic_store(&c->since, clock_monotonic_us());
	pthread_mutex_lock(&watch->lock);
	c->next = watch->list.next;
	c->previous = &watch->list;
	c->next->previous = c->previous->next = c;
	pthread_mutex_unlock(&watch->lock);
	return c;
}

void watch_touch(struct watched *connection)
{
	if (connection)
		atomic_store_explicit(&connection->since, clock_monotonic_us(),
		                      memory_order_relaxed);
}

void watch_close(struct watch *watch, struct watched *connection)
{
	if (!connection)
		return;
	pthread_mutex_lock(&watch->lock);
	connection->next->previous = connection->previous;
	connection->previous->next = connection->next;
	pthread_mutex_unlock(&watch->lock);
	free(connection);
}
