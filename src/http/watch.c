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
	_Atomic int64_t until; /* microseconds of the monotonic clock */
};

struct watch {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
	int64_t request_us, answer_us;
	struct watched list; /* a ring; this one is its head */
};

/* Under the lock, so that no fd here can have been closed and given out again. */
static void shut_late(struct watch *watch, int64_t now)
{
	for (struct watched *c = watch->list.next; c != &watch->list; c = c->next)
		if (now > atomic_load_explicit(&c->until, memory_order_relaxed))
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

struct watch *watch_new(unsigned request_s, unsigned answer_s)
{
	struct watch *watch = calloc(1, sizeof *watch);

	if (!watch)
		return NULL;
	watch->request_us = (int64_t)request_s * 1000000;
	watch->answer_us = (int64_t)answer_s * 1000000;
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

static void allow_until(struct watched *connection, int64_t until)
{
	if (connection)
		atomic_store_explicit(&connection->until, until, memory_order_relaxed);
}

void watch_request(struct watch *watch, struct watched *connection)
{
	allow_until(connection, clock_monotonic_us() + watch->request_us);
}

void watch_pause(struct watched *connection) { allow_until(connection, INT64_MAX); }

void watch_answer(struct watch *watch, struct watched *connection)
{
	allow_until(connection, clock_monotonic_us() + watch->answer_us);
}

struct watched *watch_open(struct watch *watch, int fd)
{
	struct watched *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->fd = fd;
	watch_request(watch, c);
	pthread_mutex_lock(&watch->lock);
	c->next = watch->list.next;
	c->previous = &watch->list;
	c->next->previous = c->previous->next = c;
	pthread_mutex_unlock(&watch->lock);
	return c;
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
