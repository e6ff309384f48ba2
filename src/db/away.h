/* What the pool is made of, and how it lives with a database that is away. */
#pragma once

#include <pthread.h>

#include "db/pool.h"
#include "session.h"

/* A thread that waits; stands on that thread's stack, and in the queue while it waits. */
struct waiter {
	pthread_cond_t woken;
	int64_t since_us;
	struct db_session *given; /* handed over, so that nobody can take it in between */
	struct waiter *next;
};

struct db_pool {
	struct session_config config;
	unsigned wait_ms;
	pthread_condattr_t monotonic;
	pthread_mutex_t lock; /* of all below */
	struct waiter *first, **end;
	struct db_pool_state state;
	struct db_session **free; /* a stack; those without a connection at the bottom */
	unsigned free_count;
	unsigned failures; /* failed connects since the last that succeeded */
	int64_t closed_until_us;
	int64_t heard_us; /* when PostgreSQL last answered */
	int64_t hung_us;  /* when it was last found to hang */
	bool looking;     /* a thread looks whether it hangs */
	bool probing;     /* after a failure one thread at a time tries to connect */
	struct db_session *sessions;
};

/* These two with the lock held. */
bool away_may_connect(const struct db_pool *pool);
/* The database went or came: everybody looks again. */
void away_call_all(struct db_pool *pool);
/* Whether the session can be used now: a new one is connected; one that died at rest is closed
 * only, and whether to connect again is to be decided anew. */
bool away_make_ready(struct db_pool *pool, struct db_session *s, int64_t deadline_us);
/* For db_session.hangs: a statement may take long, and PostgreSQL may hang; a new connection tells
 * which. */
bool away_hangs(struct db_session *s);
