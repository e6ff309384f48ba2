/*
 * One connection to PostgreSQL, always in libpq's pipeline mode: statements are put into it, and an
 * exchange sends them with one Sync and reads every answer. Not for two threads at once.
 */
#pragma once

#include <libpq-fe.h>
#include <stdint.h>

#include "db/query.h"
#include "prepared.h"

enum { SESSION_PIPELINE = 64 }; /* commands in one exchange, Parse counted */

struct session_config {
	const char *conninfo;
	unsigned statement_timeout_ms; /* 0: none */
	unsigned lock_timeout_ms;      /* 0: none */
	unsigned idle_timeout_ms;      /* within a transaction; 0: none */
	unsigned patience_ms; /* for each statement of an exchange; what takes longer ends the
	                         session; 0: none */
};

enum sent_kind {
	SENT_PARSE,
	SENT_SHORT, /* BEGIN and the like: takes no time */
	SENT_QUIET, /* nobody wants the rows */
	SENT_KEPT,  /* session_answer.rows */
	SENT_COMMIT
};

struct db_session {
	PGconn *conn; /* NULL: not connected */
	struct prepared prepared;
	struct {
		enum sent_kind kind;
		struct statement *statement;
	} sent[SESSION_PIPELINE];
	unsigned sent_count;
	unsigned patience_ms;
	bool doomed;          /* to be closed when the transaction ends */
	uint64_t round_trips; /* exchanges so far */
	int64_t asked_us;     /* when the last exchange was sent */
	/* Asked now and then while there is no answer: whether waiting on is of no use. May be
	 * NULL. */
	bool (*hangs)(struct db_session *s);
	struct db_pool *pool;
	bool counted, opened; /* the pool's: it stands among the open ones; it once did */
};

/* What came of an exchange. */
struct session_answer {
	PGresult *rows;    /* of the SENT_KEPT statement; owned by the caller; NULL on failure */
	unsigned answered; /* commands that succeeded */
	bool committed;    /* COMMIT was answered */
	bool refused;      /* PostgreSQL, or libpq, said what was wrong */
	bool lost;         /* the connection is gone */
	bool farewell;     /* ... and PostgreSQL said so, in order, before anything that is not
	                      `answered` was done */
	char sqlstate[6];  /* of the refusal, or "" */
	bool again; /* serialisation failure, deadlock, plan out of date: nothing is wrong with the
	               request */
};

/* Connects before `deadline_us` (monotonic clock). UNAVAILABLE. */
must_check bool session_open(struct db_session *s, const struct session_config *config,
                             int64_t deadline_us, struct problem *p);
void session_close(struct db_session *s);
/* Whether a new connection gets no answer at all before `deadline_us`; a refusal is an answer. */
bool session_probe_hangs(const struct session_config *config, int64_t deadline_us);
/* Whether PostgreSQL is still there, as far as one can know without asking it. */
bool session_alive(struct db_session *s);
/* Room for one more statement and a COMMIT. */
bool session_has_room(const struct db_session *s);
/* Puts a statement behind those that wait to be sent, its Parse first if this class has not
 * prepared it yet. */
must_check bool session_put(struct db_session *s, struct db_call call, const char *class,
                            enum sent_kind kind, struct problem *p);
/* Sends all that was put and reads the answers. The first failure decides the problem. */
must_check bool session_exchange(struct db_session *s, struct session_answer *ret_answer,
                                 struct problem *p);
/* A transaction is open, or broken and not yet rolled back. */
bool session_in_transaction(const struct db_session *s);
/* Runs a text of several statements, outside the pipeline; PostgreSQL's message becomes the detail
 * (for migrations). */
must_check bool session_script(struct db_session *s, const char *name, const char *sql,
                               struct problem *p);
