/* The bounded pool of PostgreSQL sessions: last in, first out; a timed wait; replaced with back-off
 * when they fail. */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/problem.h"

struct db_pool;

struct db_config {
	const char *conninfo;          /* libpq connection string of the service role */
	unsigned sessions;             /* at most so many */
	unsigned wait_ms;              /* how long db_begin waits for one */
	unsigned statement_timeout_ms; /* set on every session */
};

struct db_pool_state {
	unsigned sessions, open, busy, waiting; /* sessions: the ceiling; waiting: threads */
	uint64_t borrowed, timeouts, reconnects,
		round_trips; /* since the start, of transactions that have ended */
};

/* Opens no session yet: a service may start before its database answers. NULL when memory runs out.
 */
struct db_pool *db_pool_new(const struct db_config *config);
void db_pool_free(struct db_pool *pool); /* waits for nothing: every transaction must have ended */
struct db_pool_state db_pool_state(struct db_pool *pool);
/* UNAVAILABLE unless a session answers and the migrations applied are `expected`'s (see
 * migrate.h). */
struct db_migrations;
must_check bool db_pool_ready(struct db_pool *pool, const struct db_migrations *expected,
                              struct problem *p);
