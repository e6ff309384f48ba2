/* A transaction: begun with its first statement, committed with its last, in as few round trips as
 * can be. */
#include "db/tx.h"

#include <string.h>

#include "borrow.h"
#include "session_queries.h"

bool db_begin(struct db_pool *pool, const struct db_claims *claims, enum db_mode mode, bool held,
              struct db_tx **ret_tx, struct problem *p)
{
	struct db_session *s = pool_borrow(pool, p);

	if (!s)
		return false;
	s->tx = (struct db_tx){
		.pool = pool, .session = s, .mode = mode, .held = held, .anonymous = !claims
	};
	if (claims)
		s->tx.claims = *claims;
	s->tx.class = claims ? (claims->class ? claims->class : "none") : "";
	*ret_tx = &s->tx;
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

	return session_put(tx->session, (struct db_call){ query, argv }, "", SENT_QUIET, p);
}

/* BEGIN and the claims stand before the first statement. */
static bool begin_if_first(struct db_tx *tx, struct problem *p)
{
	if (tx->begun)
		return true;
	tx->begun = true;
	if (!session_put(tx->session, tx->mode == DB_READ ? Q_BEGIN_READ_ONLY() : Q_BEGIN(), "",
	                 SENT_QUIET, p))
		return false;
	return tx->anonymous || put_claims(tx, p);
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

static bool exchange(struct db_tx *tx, struct db_rows **ret_rows, struct problem *p)
{
	struct session_answer answer;

	if (!session_exchange(tx->session, &answer, p)) {
		tx->failed = true;
		tx->retry = may_run_again(tx, &answer);
		return false;
	}
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
	tx->failed = !begin_if_first(tx, p) ||
	             (!session_has_room(tx->session) && !exchange(tx, NULL, p)) ||
	             !session_put(tx->session, call, class, kind, p);
	tx->commit_sent = kind == SENT_COMMIT;
	return !tx->failed;
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
	if (!put(tx, call, SENT_KEPT, p))
		return false;
	if (!tx->held && !put(tx, Q_COMMIT(), SENT_COMMIT, p))
		return false;
	return exchange(tx, ret_rows, p);
}

bool db_commit(struct db_tx *tx, struct problem *p)
{
	if (tx->committed)
		return true;
	if (!tx->begun && !tx->failed) {
		tx->committed = true; /* nothing was asked */
		return true;
	}
	return put(tx, Q_COMMIT(), SENT_COMMIT, p) && exchange(tx, NULL, p);
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
	if (!tx)
		return;
	if (!tx->session->doomed && !roll_back(tx->session))
		tx->session->doomed = true;
	pool_return(tx->pool, tx->session);
}

bool db_may_retry(const struct db_tx *tx) { return tx->retry; }
