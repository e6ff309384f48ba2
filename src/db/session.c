/* A session at work: statements into the pipeline, one Sync, every answer read in order. */
#include "session.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/violation.h"
#include "io.h"

enum {
	SILENCE_MS = 800,   /* an answer that takes longer is looked into */
	LOOK_AGAIN_MS = 250 /* and again */
};

static bool unavailable(struct problem *p, const char *sentence)
{
	p->retry_after = 1;
	return problem(p, PROBLEM_UNAVAILABLE, "%s", sentence);
}

bool session_has_room(const struct db_session *s) { return s->sent_count + 4 <= SESSION_PIPELINE; }

static void note_sent(struct db_session *s, enum sent_kind kind, struct statement *statement)
{
	s->sent[s->sent_count].kind = kind;
	s->sent[s->sent_count].statement = statement;
	s->sent_count++;
}

static bool send_call(struct db_session *s, const char *name, struct db_call call)
{
	int formats[DB_ARGUMENTS];

	for (int i = 0; call.sizes && i < call.query->argc; i++) {
		if (i == DB_ARGUMENTS)
			return false;
		formats[i] = call.sizes[i] > 0;
	}
	return PQsendQueryPrepared(s->conn, name, call.query->argc, call.argv, call.sizes,
	                           call.sizes ? formats : NULL, call.binary);
}

bool session_put(struct db_session *s, struct db_call call, const char *class, enum sent_kind kind,
                 struct problem *p)
{
	struct statement *statement = prepared_get(&s->prepared, call.query, class);

	if (!statement || s->sent_count + 2 > SESSION_PIPELINE)
		return problem(p, PROBLEM_INTERNAL, "the statement %s cannot be sent",
		               call.query->name);
	if (!statement->parsed) {
		if (!PQsendPrepare(s->conn, statement->name, call.query->sql, 0, NULL)) {
			s->doomed = true;
			return unavailable(p, "the database does not take a statement");
		}
		statement->parsed = true;
		note_sent(s, SENT_PARSE, statement);
	}
	if (!send_call(s, statement->name, call)) {
		s->doomed = true;
		return unavailable(p, "the database does not take a statement");
	}
	note_sent(s, kind, statement);
	return true;
}

/* Reads what there is. TLS hands out a record (at most 16 KiB) in two pieces, and poll does not see
 * the second. */
static bool take_in(PGconn *conn)
{
	return PQconsumeInput(conn) && (!PQsslInUse(conn) || PQconsumeInput(conn));
}

/* For the socket, until the deadline, or until it is known that PostgreSQL hangs. */
static bool wait_for(struct db_session *s, short events, int64_t deadline_us)
{
	int64_t look_us = s->asked_us + INT64_C(1000) * SILENCE_MS;

	while (!io_wait(PQsocket(s->conn), events, look_us < deadline_us ? look_us : deadline_us)) {
		if (look_us >= deadline_us || (s->hangs && s->hangs(s)))
			return false;
		look_us = clock_monotonic_us() + INT64_C(1000) * LOOK_AGAIN_MS;
	}
	return true;
}

/* Writes all that libpq holds, reading meanwhile, or both sides might wait for each other. */
static bool push(struct db_session *s, int64_t deadline_us)
{
	int left = PQflush(s->conn);

	while (left > 0) {
		if (!wait_for(s, POLLIN | POLLOUT, deadline_us) || !take_in(s->conn))
			return false;
		left = PQflush(s->conn);
	}
	return left == 0;
}

/* The next answer; NULL when the connection failed or the deadline passed. */
static PGresult *next_answer(struct db_session *s, int64_t deadline_us)
{
	while (PQisBusy(s->conn))
		if (!wait_for(s, POLLIN, deadline_us) || !take_in(s->conn))
			return NULL;
	return PQgetResult(s->conn);
}

static bool same(const char *text, const char *other) { return text && strcmp(text, other) == 0; }

static bool is_fatal(const PGresult *result)
{
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

	return same(severity, "FATAL") || same(severity, "PANIC");
}

/* A statement of this session is not what it was when it was prepared: a table changed, or somebody
 * threw it away. */
static bool is_stale(const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return same(sqlstate, "26000") ||
	       (same(sqlstate, "0A000") &&
	        same(PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION), "RevalidateCachedQuery"));
}

static void refused(struct db_session *s, const PGresult *result, const struct db_query *query,
                    struct session_answer *answer, struct problem *p)
{
	struct db_refusal refusal = {
		.sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE),
		.constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME),
		.column = PQresultErrorField(result, PG_DIAG_COLUMN_NAME),
		.message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
		.detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL),
		.hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT),
	};
	bool stale = is_stale(result);

	answer->refused = true;
	snprintf(answer->sqlstate, sizeof answer->sqlstate, "%s",
	         refusal.sqlstate ? refusal.sqlstate : "");
	answer->again = stale || same(refusal.sqlstate, "40001") || same(refusal.sqlstate, "40P01");
	answer->farewell = is_fatal(result);
	answer->lost = answer->farewell || PQstatus(s->conn) == CONNECTION_BAD;
	s->doomed = s->doomed || stale || answer->lost;
	if (refusal.sqlstate)
		db_violation(&refusal, query->name, p);
	else
		unavailable(p, "the connection to the database was lost");
}

/* One answer of the pipeline. False on the first failure; after it PostgreSQL skips what follows,
 * up to the Sync. */
static bool take_answer(struct db_session *s, unsigned at, PGresult *result,
                        struct session_answer *answer, struct problem *p)
{
	enum sent_kind kind = s->sent[at].kind;
	ExecStatusType status = PQresultStatus(result);
	bool good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;

	if (kind == SENT_PARSE && !good)
		s->sent[at].statement->parsed =
			false; /* refused or skipped: PostgreSQL does not have it */
	if (status == PGRES_PIPELINE_ABORTED)
		return false;
	if (!good) {
		refused(s, result, s->sent[at].statement->query, answer, p);
		return false;
	}
	if (kind == SENT_COMMIT) {
		/* COMMIT of a broken transaction succeeds as ROLLBACK. */
		answer->committed = same(PQcmdStatus(result), "COMMIT");
		if (!answer->committed)
			return problem(p, PROBLEM_INTERNAL, "the transaction was not committed");
	}
	answer->answered++;
	return true;
}

/* The connection is of no more use; the reason that is known already stands. */
static bool lose(struct db_session *s, struct session_answer *answer, struct problem *p)
{
	bool late = PQstatus(s->conn) == CONNECTION_OK;

	s->doomed = true;
	answer->lost = true;
	if (answer->refused)
		return false;
	log_event(LOG_WARNING, "database", "what", late ? "no answer in time" : "connection lost",
	          NULL);
	return unavailable(p, late ? "the database did not answer in time"
	                           : "the connection to the database was lost");
}

/* The answer of one statement, and the NULL that libpq puts behind each. */
static bool take_statement(struct db_session *s, unsigned at, int64_t deadline_us,
                           struct session_answer *answer, struct problem *p)
{
	PGresult *result = next_answer(s, deadline_us);
	PGresult *end;
	bool good;

	if (!result) {
		answer->lost = true;
		return false;
	}
	good = take_answer(s, at, result, answer, p);
	if (good && s->sent[at].kind == SENT_KEPT)
		answer->rows = result;
	else
		PQclear(result);
	if (answer->lost)
		return false;
	end = PQgetResult(s->conn);
	answer->lost = end != NULL; /* COPY: nothing that belongs here */
	PQclear(end);
	return good;
}

static bool take_sync(struct db_session *s, int64_t deadline_us)
{
	PGresult *sync = next_answer(s, deadline_us);
	bool good = PQresultStatus(sync) == PGRES_PIPELINE_SYNC;

	PQclear(sync);
	return good;
}

/* Every answer up to and with the Sync's. */
static bool take_answers(struct db_session *s, int64_t deadline_us, struct session_answer *answer,
                         struct problem *p)
{
	bool failed = false;

	for (unsigned i = 0; i < s->sent_count && !answer->lost; i++)
		failed = !take_statement(s, i, deadline_us, answer, p) || failed;
	if (!answer->lost && take_sync(s, deadline_us))
		return !failed;
	return lose(s, answer, p);
}

/* PostgreSQL ends each statement itself when it takes too long, but may answer only when it has
 * done them all. */
static int64_t deadline_of(const struct db_session *s)
{
	int64_t statements = 0;

	if (!s->patience_ms)
		return INT64_MAX;
	for (unsigned i = 0; i < s->sent_count; i++)
		statements += s->sent[i].kind != SENT_PARSE && s->sent[i].kind != SENT_SHORT;
	return s->asked_us + INT64_C(1000) * s->patience_ms * (statements ? statements : 1);
}

bool session_exchange(struct db_session *s, struct session_answer *ret_answer, struct problem *p)
{
	int64_t deadline_us;
	bool good;

	*ret_answer = (struct session_answer){ .rows = NULL };
	s->round_trips++;
	s->asked_us = clock_monotonic_us();
	deadline_us = deadline_of(s);
	if (PQpipelineSync(s->conn) && push(s, deadline_us))
		good = take_answers(s, deadline_us, ret_answer, p);
	else
		good = lose(s, ret_answer, p);
	s->sent_count = 0;
	if (good)
		return true;
	PQclear(ret_answer->rows);
	ret_answer->rows = NULL;
	return false;
}

bool session_in_transaction(const struct db_session *s)
{
	return PQtransactionStatus(s->conn) != PQTRANS_IDLE;
}

bool session_script(struct db_session *s, const char *name, const char *sql, struct problem *p)
{
	PGresult *result;
	bool good;

	if (!PQexitPipelineMode(s->conn) || PQsetnonblocking(s->conn, 0) != 0)
		return problem(p, PROBLEM_INTERNAL, "%s cannot be sent: the session is busy", name);
	result = PQexec(s->conn, sql);
	good = PQresultStatus(result) == PGRES_COMMAND_OK ||
	       PQresultStatus(result) == PGRES_TUPLES_OK;
	if (!good) {
		const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
		const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

		problem(p, PROBLEM_INTERNAL, "%s failed: %s %s", name, sqlstate ? sqlstate : "",
		        message ? message : "the connection was lost");
	}
	PQclear(result);
	if (PQsetnonblocking(s->conn, 1) != 0 || !PQenterPipelineMode(s->conn))
		s->doomed = true;
	return good;
}
