/* The bounded pool of sessions: last in, first out, a timed wait, and patience with a database that
 * is away. */
#include "db/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "borrow.h"

enum {
	CONNECT_MS = 1000,      /* a server that lives answers within */
	CONNECT_LEAST_MS = 200, /* also when the wait for a session has used up nearly all time */
	BACK_OFF_MS = 250, /* after a failed connect, doubled twice at most: recovery is noticed
	                      within a second */
	LOCK_TIMEOUT_MS = 2000, /* for a row that another transaction holds */
	IDLE_TIMEOUT_MS =
		10000, /* a worker that died in a transaction must not hold its locks for ever */
	ANSWER_GRACE_MS = 1000 /* PostgreSQL ends a statement itself; when it does not, it hangs */
};

struct db_pool {
	struct session_config config;
	unsigned wait_ms;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t freed; /* a session came back, or the database went or came */
	struct db_pool_state state;
	struct db_session **free; /* a stack; those without a connection at the bottom */
	unsigned free_count;
	unsigned failures; /* failed connects since the last that succeeded */
	int64_t closed_until_us;
	bool probing; /* after a failure one thread at a time tries to connect */
	struct db_session *sessions;
};

static void start_lock(struct db_pool *pool)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&pool->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->freed, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

struct db_pool *db_pool_new(const struct db_config *config)
{
	struct db_pool *pool = calloc(1, sizeof *pool);

	if (!pool)
		return NULL;
	start_lock(pool);
	pool->state.sessions = config->sessions ? config->sessions : 1;
	pool->wait_ms = config->wait_ms;
	pool->config = (struct session_config){
		.conninfo = text_copy(config->conninfo ? config->conninfo : ""),
		.statement_timeout_ms = config->statement_timeout_ms,
		.lock_timeout_ms = LOCK_TIMEOUT_MS,
		.idle_timeout_ms = IDLE_TIMEOUT_MS,
		.patience_ms = config->statement_timeout_ms
		                       ? config->statement_timeout_ms + ANSWER_GRACE_MS
		                       : 0,
	};
	pool->sessions = calloc(pool->state.sessions, sizeof *pool->sessions);
	pool->free = calloc(pool->state.sessions, sizeof(struct db_session *));
	if (!pool->sessions || !pool->free || !pool->config.conninfo) {
		db_pool_free(pool);
		return NULL;
	}
	for (unsigned i = pool->state.sessions; i-- > 0;)
		pool->free[pool->free_count++] = &pool->sessions[i];
	return pool;
}

void db_pool_free(struct db_pool *pool)
{
	if (!pool)
		return;
	for (unsigned i = 0; pool->sessions && i < pool->state.sessions; i++)
		session_close(&pool->sessions[i]);
	pthread_cond_destroy(&pool->freed);
	pthread_mutex_destroy(&pool->lock);
	free((char *)pool->config.conninfo);
	free(pool->sessions);
	free(pool->free);
	free(pool);
}

struct db_pool_state db_pool_state(struct db_pool *pool)
{
	struct db_pool_state state;

	pthread_mutex_lock(&pool->lock);
	state = pool->state;
	pthread_mutex_unlock(&pool->lock);
	return state;
}

/* With the lock held. Connected ones lie on top: they are taken first, and the least used ones stay
 * at rest. */
static void give_back(struct db_pool *pool, struct db_session *s)
{
	pool->state.busy--;
	if (s->conn) {
		pool->free[pool->free_count++] = s;
	} else {
		pool->state.open -= s->counted;
		s->counted = false;
		memmove(pool->free + 1, pool->free, pool->free_count * sizeof(struct db_session *));
		pool->free[0] = s;
		pool->free_count++;
	}
	pthread_cond_signal(&pool->freed);
}

enum found { FOUND, FOUND_NONE, FOUND_NO_DATABASE };

/* With the lock held. */
static enum found find(struct db_pool *pool, struct db_session **ret_session)
{
	struct db_session *top = pool->free_count ? pool->free[pool->free_count - 1] : NULL;
	bool may_connect = !pool->failures ||
	                   (!pool->probing && clock_monotonic_us() >= pool->closed_until_us);

	if (top && (top->conn || may_connect)) {
		pool->free_count--;
		pool->state.busy++;
		pool->probing = pool->probing || (!top->conn && pool->failures);
		*ret_session = top;
		return FOUND;
	}
	return pool->failures && !pool->state.open ? FOUND_NO_DATABASE : FOUND_NONE;
}

/* With the lock held. False when the time is up. */
static bool wait_until(struct db_pool *pool, int64_t deadline_us)
{
	struct timespec until = { .tv_sec = deadline_us / 1000000,
		                  .tv_nsec = deadline_us % 1000000 * 1000 };
	bool in_time;

	pool->state.waiting++;
	in_time = pthread_cond_timedwait(&pool->freed, &pool->lock, &until) == 0;
	pool->state.waiting--;
	return in_time;
}

static bool open_session(struct db_pool *pool, struct db_session *s, int64_t deadline_us,
                         struct problem *p)
{
	int64_t now = clock_monotonic_us();
	int64_t least = now + INT64_C(1000) * CONNECT_LEAST_MS,
		most = now + INT64_C(1000) * CONNECT_MS;
	bool good;

	if (deadline_us > most)
		deadline_us = most;
	good = session_open(s, &pool->config, deadline_us < least ? least : deadline_us, p);
	pthread_mutex_lock(&pool->lock);
	pool->probing = false;
	if (good) {
		pool->state.open++;
		pool->state.reconnects += s->opened;
		s->counted = s->opened = true;
		pool->failures = 0;
	} else {
		unsigned doubled = pool->failures < 2 ? pool->failures : 2;

		pool->failures++;
		pool->closed_until_us =
			clock_monotonic_us() + (INT64_C(1000) * BACK_OFF_MS << doubled);
	}
	pthread_cond_broadcast(&pool->freed);
	pthread_mutex_unlock(&pool->lock);
	return good;
}

/* Whether the session can be used now. A dead one is closed only: whether to connect again is for
 * `find` to say. */
static bool make_ready(struct db_pool *pool, struct db_session *s, int64_t deadline_us,
                       struct problem *p)
{
	if (!s->conn)
		return open_session(pool, s, deadline_us, p);
	if (session_alive(s))
		return true;
	session_close(s);
	return false;
}

static struct db_session *no_session(struct problem *p, const char *sentence)
{
	p->retry_after = 1;
	problem(p, PROBLEM_UNAVAILABLE, "%s", sentence);
	return NULL;
}

struct db_session *pool_borrow(struct db_pool *pool, struct problem *p)
{
	int64_t deadline_us = clock_monotonic_us() + INT64_C(1000) * pool->wait_ms;
	struct db_session *s = NULL;
	enum found found;
	bool in_time = true;

	pthread_mutex_lock(&pool->lock);
	found = find(pool, &s);
	while (found == FOUND || (found == FOUND_NONE && in_time)) {
		if (found == FOUND) {
			pthread_mutex_unlock(&pool->lock);
			if (make_ready(pool, s, deadline_us, p))
				return s;
			pthread_mutex_lock(&pool->lock);
			give_back(pool, s);
		} else {
			in_time = wait_until(pool, deadline_us);
		}
		found = find(pool, &s);
	}
	pool->state.timeouts += found == FOUND_NONE;
	pthread_mutex_unlock(&pool->lock);
	return no_session(p, found == FOUND_NONE ? "every database session is busy"
	                                         : "the database cannot be reached");
}

void pool_return(struct db_pool *pool, struct db_session *s)
{
	if (s->doomed)
		session_close(s);
	pthread_mutex_lock(&pool->lock);
	pool->state.borrowed++;
	pool->state.round_trips += s->round_trips;
	s->round_trips = 0;
	give_back(pool, s);
	pthread_mutex_unlock(&pool->lock);
}
