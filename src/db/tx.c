/* A transaction: begun with its first statement, committed with its last, in as few round trips as
 * can be. */
#include "db/tx.h"

#include <stdlib.h>
#include <string.h>

#include "borrow.h"
#include "session_queries.h"

struct db_tx {
	struct db_pool *pool;
	struct db_session *session; /* NULL until the first statement */
	struct db_claims claims;
	const char *class; /* "" without claims: the login role itself */
	enum db_mode mode;
	bool held;
	bool commit_sent, committed;
	bool failed, retry;
	char sqlstate[6]; /* of the failure, or "" */
};

/* Six parameters, one more than the house likes: each of them is the caller's to say. */
bool db_begin(struct db_pool *pool, const struct db_claims *claims, enum db_mode mode, bool held,
              struct db_tx **ret_tx, struct problem *p)
{
	struct db_tx *tx = calloc(1, sizeof *tx);

	if (!tx) {
		p->retry_after = 1;
		return problem(p, PROBLEM_UNAVAILABLE, "the service has no memory to spare");
	}
	tx->pool = pool;
	tx->mode = mode;
	tx->held = held;
	tx->class = "";
	if (claims) {
		tx->claims = *claims;
		tx->class = claims->class ? claims->class : "none";
	}
	*ret_tx = tx;
	return true;
}

static const char *or_empty(const char *text) { return text ? text : ""; }

static bool put_claims(struct db_tx *tx, struct problem *p)
{
	const struct db_claims *c = &tx->claims;
	const char *const argv[] = {
		tx->class,           or_empty(c->role),      or_empty(c->councils),
		or_empty(c->org),    or_empty(c->carer),     or_empty(c->subject),
		or_empty(c->client), or_empty(c->operation), or_empty(c->request),
		or_empty(c->target), or_empty(c->if_match),
	};
	const struct db_query *query =
		tx->mode == DB_READ_NOTED ? &query_claims_noted : &query_claims;

	return session_put(tx->session, (struct db_call){ .query = query, .argv = argv }, "",
	                   SENT_SHORT, p);
}

/* A session, BEGIN and the claims stand before the first statement. */
static bool begin_if_first(struct db_tx *tx, struct problem *p)
{
	struct db_call begin = tx->mode == DB_READ ? Q_BEGIN_READ_ONLY() : Q_BEGIN();

	if (tx->session)
		return true;
	tx->session = pool_borrow(tx->pool, p);
	return tx->session && session_put(tx->session, begin, "", SENT_SHORT, p) &&
	       (!*tx->class || put_claims(tx, p));
}

/* COMMIT may have been done although its answer is lost. A read may be done twice; its audit row
 * then is, too. */
static bool may_run_again(const struct db_tx *tx, const struct session_answer *answer)
{
	if (answer->again)
		return true;
	if (!answer->lost)
		return false;
	return !tx->commit_sent || tx->mode != DB_WRITE ||
	       (answer->farewell && answer->answered == 0);
}

/* Takes note of the failure, and returns false. */
static bool failed(struct db_tx *tx, const struct session_answer *answer)
{
	tx->failed = true;
	tx->retry = may_run_again(tx, answer);
	memcpy(tx->sqlstate, answer->sqlstate, sizeof tx->sqlstate);
	return false;
}

static bool exchange(struct db_tx *tx, struct db_rows **ret_rows, struct problem *p)
{
	struct session_answer answer;

	if (!session_exchange(tx->session, &answer, p))
		return failed(tx, &answer);
	tx->committed = answer.committed;
	if (ret_rows)
		*ret_rows = (struct db_rows *)answer.rows;
	else
		PQclear(answer.rows);
	return true;
}

static bool put(struct db_tx *tx, struct db_call call, enum sent_kind kind, struct problem *p)
{
	const char *class = kind == SENT_COMMIT ? "" : tx->class;

	if (tx->failed || tx->committed)
		return problem(p, PROBLEM_INTERNAL, "%s comes after the end of its transaction",
		               call.query->name);
	if (!begin_if_first(tx, p) || (!session_has_room(tx->session) && !exchange(tx, NULL, p)) ||
	    !session_put(tx->session, call, class, kind, p)) {
		tx->failed = true;
		return false;
	}
	tx->commit_sent = kind == SENT_COMMIT;
	return true;
}

bool db_queue(struct db_tx *tx, struct db_call call, struct problem *p)
{
	return put(tx, call, SENT_QUIET, p);
}

bool db_run(struct db_tx *tx, struct db_call call, struct db_rows **ret_rows, struct problem *p)
{
	return put(tx, call, SENT_KEPT, p) && exchange(tx, ret_rows, p);
}

bool db_last(struct db_tx *tx, struct db_call call, struct db_rows **ret_rows, struct problem *p)
{
	return put(tx, call, SENT_KEPT, p) && (tx->held || put(tx, Q_COMMIT(), SENT_COMMIT, p)) &&
	       exchange(tx, ret_rows, p);
}

bool db_commit(struct db_tx *tx, struct problem *p)
{
	bool asked = tx->session || tx->failed;

	if (!tx->committed && asked)
		return put(tx, Q_COMMIT(), SENT_COMMIT, p) && exchange(tx, NULL, p);
	tx->committed = true;
	return true;
}

/* What was put and never sent goes out with the ROLLBACK; when it fails, ROLLBACK was skipped and
 * is sent again. */
static bool roll_back(struct db_session *s)
{
	for (int i = 0; i < 2 && !s->doomed && (s->sent_count || session_in_transaction(s)); i++) {
		problem_auto ignored = { .code = PROBLEM_NONE };
		struct session_answer answer;

		if (!session_put(s, Q_ROLLBACK(), "", SENT_QUIET, &ignored))
			return false;
		if (session_exchange(s, &answer, &ignored))
			break;
	}
	return !s->doomed && !session_in_transaction(s);
}

void db_end(struct db_tx *tx)
{
	if (tx && tx->session) {
		tx->session->doomed = !roll_back(tx->session);
		pool_return(tx->pool, tx->session);
	}
	free(tx);
}

bool db_may_retry(const struct db_tx *tx) { return tx->retry; }

bool db_refused(const struct db_tx *tx, const char *sqlstate)
{
	return strcmp(tx->sqlstate, sqlstate) == 0;
}
