/*
 * A transaction under the caller's identity. Nothing travels before the first query is wanted;
 * BEGIN, the claims, the queued statements and (with db_last) COMMIT go out in one libpq pipeline:
 * one network round trip.
 */
#pragma once

#include "db/query.h"

struct db_pool;
struct db_tx;

/* What PostgreSQL is told of the caller; every policy and trigger reads it. All borrowed; NULL
 * where there is none. */
struct db_claims {
	const char *class; /* PostgreSQL role taken on: carers_council, carers_partner, carers_self
	                      ... */
	const char *role;  /* app.role */
	const char *councils;  /* app.councils: array literal, "{E09000019}" */
	const char *org;       /* app.org: uuid */
	const char *carer;     /* app.carer: uuid */
	const char *subject;   /* app.subject */
	const char *client;    /* app.client */
	const char *operation; /* app.operation: operationId */
	const char *request;   /* app.request: request id */
	const char *target;    /* app.target: id of the resource that the path names */
	const char *if_match;  /* app.if_match: comma-separated versions of which the target must
	                          have one */
};

enum db_mode {
	DB_READ,       /* READ ONLY */
	DB_READ_NOTED, /* read-write for the audit row alone, synchronous_commit off */
	DB_WRITE
};

/*
 * Takes note of who calls; borrows nothing yet: the first statement that goes out borrows a session
 * (a timed wait; UNAVAILABLE when none is free or PostgreSQL is gone), so an operation that asks
 * nothing of PostgreSQL costs none. `held`: db_last does not commit, because more is to be written
 * in the same transaction (db_commit does).
 */
must_check bool db_begin(struct db_pool *pool, const struct db_claims *claims, enum db_mode mode,
                         bool held, struct db_tx **ret_tx, struct problem *p);

/* Sends the statement with whatever goes out next; its rows are thrown away. */
must_check bool db_queue(struct db_tx *tx, struct db_call call, struct problem *p);
/* Runs and waits. The transaction stays open. */
must_check bool db_run(struct db_tx *tx, struct db_call call, struct db_rows **ret_rows,
                       struct problem *p);
/* The same, and nothing comes after it: COMMIT travels with it unless the transaction is held. */
must_check bool db_last(struct db_tx *tx, struct db_call call, struct db_rows **ret_rows,
                        struct problem *p);
/* Sends what is queued, and commits. True at once when it is committed already. */
must_check bool db_commit(struct db_tx *tx, struct problem *p);
/* Rolls back what is not committed and gives the session back. Takes NULL. */
void db_end(struct db_tx *tx);

/* The failure was 40001 or 40P01, or the session was lost before anything could have been
 * committed: the whole transaction may be run again from its beginning. */
bool db_may_retry(const struct db_tx *tx);
/* The last statement that failed was refused with this SQLSTATE. */
bool db_refused(const struct db_tx *tx, const char *sqlstate);

static inline void db_endp(struct db_tx **p) { db_end(*p); }
#define db_tx_auto owned_by(db_endp) struct db_tx
