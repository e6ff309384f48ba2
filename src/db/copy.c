/* A bulk load by COPY, on a connection of its own outside the pipeline. */
#include "db/copy.h"

#include "base/clock.h"
#include "session.h"
#include "session_queries.h"

enum { CONNECT_US = 5000000 };

static bool failed(const struct db_session *s, const char *name, struct problem *p)
{
	return problem(p, PROBLEM_UNAVAILABLE, "%s failed: %s", name, PQerrorMessage(s->conn));
}

/* A statement on its own; its result, or NULL with a problem. */
static PGresult *ask(const struct db_session *s, struct db_call call, ExecStatusType wanted,
                     struct problem *p)
{
	PGresult *result = PQexec(s->conn, call.query->sql);

	if (PQresultStatus(result) == wanted)
		return result;
	failed(s, call.query->name, p);
	PQclear(result);
	return NULL;
}

static bool tell(const struct db_session *s, struct db_call call, ExecStatusType wanted,
                 struct problem *p)
{
	PGresult *result = ask(s, call, wanted, p);

	PQclear(result);
	return result != NULL;
}

static bool send_rows(const struct db_session *s, const struct db_copy *copy, struct problem *p)
{
	const char *bytes;
	size_t size = 1;

	while (size > 0) {
		if (!copy->more(copy->context, &bytes, &size, p))
			return false;
		if (size > 0 && PQputCopyData(s->conn, bytes, (int)size) != 1)
			return failed(s, copy->copy.query->name, p);
	}
	return PQputCopyEnd(s->conn, NULL) == 1 || failed(s, copy->copy.query->name, p);
}

static bool end_copy(const struct db_session *s, const struct db_copy *copy, struct problem *p)
{
	PGresult *result = PQgetResult(s->conn);
	bool good =
		PQresultStatus(result) == PGRES_COMMAND_OK || failed(s, copy->copy.query->name, p);

	for (; result; result = PQgetResult(s->conn))
		PQclear(result);
	return good;
}

static bool run(const struct db_session *s, const struct db_copy *copy, struct db_rows **ret_rows,
                struct problem *p)
{
	PGresult *rows;

	if (!PQexitPipelineMode(s->conn) || PQsetnonblocking(s->conn, 0) != 0)
		return failed(s, "the session", p);
	if (!tell(s, Q_BEGIN(), PGRES_COMMAND_OK, p) ||
	    !tell(s, copy->before, PGRES_COMMAND_OK, p) || !tell(s, copy->copy, PGRES_COPY_IN, p) ||
	    !send_rows(s, copy, p) || !end_copy(s, copy, p))
		return false;
	rows = ask(s, copy->after, PGRES_TUPLES_OK, p);
	if (rows && tell(s, Q_COMMIT(), PGRES_COMMAND_OK, p)) {
		*ret_rows = (struct db_rows *)rows;
		return true;
	}
	PQclear(rows);
	return false;
}

bool db_copy(const char *conninfo, const struct db_copy *copy, struct db_rows **ret_rows,
             struct problem *p)
{
	struct session_config config = { .conninfo = conninfo };
	struct db_session s = { .conn = NULL };
	bool good = session_open(&s, &config, clock_monotonic_us() + CONNECT_US, p) &&
	            run(&s, copy, ret_rows, p);

	session_close(&s);
	return good;
}
