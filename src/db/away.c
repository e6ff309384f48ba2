/* A database that is away: back-off after a failed connect, one thread that tries for all, hanging
 * told from slow. */
#include "away.h"

#include "base/clock.h"

enum {
	CONNECT_MS = 1000,      /* a server that lives answers within */
	CONNECT_LEAST_MS = 200, /* also when the wait for a session has used up nearly all time */
	BACK_OFF_MS = 250,      /* after a failed connect; doubled twice at most */
	HEARD_MS = 500,         /* an answer on another session within: PostgreSQL does not hang */
	PROBE_MS = 700          /* a new connection that takes longer: it hangs */
};

bool away_may_connect(const struct db_pool *pool)
{
	return !pool->failures || (!pool->probing && clock_monotonic_us() >= pool->closed_until_us);
}

void away_call_all(struct db_pool *pool)
{
	for (struct waiter *w = pool->first; w; w = w->next)
		pthread_cond_signal(&w->woken);
}

/* With the lock held. */
static void note_failure(struct db_pool *pool)
{
	unsigned doubled = pool->failures < 2 ? pool->failures : 2;

	pool->failures++;
	pool->closed_until_us = clock_monotonic_us() + (INT64_C(1000) * BACK_OFF_MS << doubled);
	away_call_all(pool);
}

static bool open_session(struct db_pool *pool, struct db_session *s, int64_t deadline_us)
{
	problem_auto ignored = { .code = PROBLEM_NONE };
	int64_t now = clock_monotonic_us();
	int64_t least = now + INT64_C(1000) * CONNECT_LEAST_MS;
	int64_t most = now + INT64_C(1000) * CONNECT_MS;
	bool good;

	if (deadline_us > most)
		deadline_us = most;
	good = session_open(s, &pool->config, deadline_us < least ? least : deadline_us, &ignored);
	pthread_mutex_lock(&pool->lock);
	pool->probing = false;
	if (good) {
		pool->state.open++;
		pool->state.reconnects += s->opened;
		s->counted = s->opened = true;
		pool->failures = 0;
		away_call_all(pool);
	} else {
		note_failure(pool);
	}
	pthread_mutex_unlock(&pool->lock);
	return good;
}

/* With the lock held: PostgreSQL hangs. Sessions at rest would hang as soon as they were used. */
static void close_idle(struct db_pool *pool)
{
	for (unsigned i = 0; i < pool->free_count; i++) {
		session_close(pool->free[i]);
		pool->state.open -= pool->free[i]->counted;
		pool->free[i]->counted = false;
	}
}

/* One thread looks for all. */
bool away_hangs(struct db_session *s)
{
	struct db_pool *pool = s->pool;
	int64_t now = clock_monotonic_us();
	bool hangs;

	pthread_mutex_lock(&pool->lock);
	hangs = pool->hung_us > s->asked_us;
	if (hangs || pool->looking || now - pool->heard_us < INT64_C(1000) * HEARD_MS) {
		pthread_mutex_unlock(&pool->lock);
		return hangs;
	}
	pool->looking = true;
	pthread_mutex_unlock(&pool->lock);
	hangs = session_probe_hangs(&pool->config, now + INT64_C(1000) * PROBE_MS);
	pthread_mutex_lock(&pool->lock);
	pool->looking = false;
	if (hangs) {
		pool->hung_us = clock_monotonic_us();
		close_idle(pool);
		note_failure(pool);
	} else {
		pool->heard_us = clock_monotonic_us();
	}
	pthread_mutex_unlock(&pool->lock);
	return hangs;
}

bool away_make_ready(struct db_pool *pool, struct db_session *s, int64_t deadline_us)
{
	if (!s->conn)
		return open_session(pool, s, deadline_us);
	if (session_alive(s))
		return true;
	session_close(s);
	return false;
}
