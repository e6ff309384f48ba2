/* Opening a session: libpq's connection without blocking, under a deadline, with the settings that
 * every session has. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/log.h"
#include "io.h"
#include "session.h"

/* `options` of the connection string, to be freed; NULL when there are none. */
static char *options_of(const char *conninfo)
{
	PQconninfoOption *all = PQconninfoParse(conninfo, NULL);
	char *found = NULL;

	for (PQconninfoOption *o = all; o && o->keyword && !found; o++)
		if (strcmp(o->keyword, "options") == 0 && o->val)
			found = strdup(o->val);
	PQconninfoFree(all);
	return found;
}

/* What every session is set to; the connection string's own options come last, and win. */
static bool session_options(struct buf *b, const struct session_config *config)
{
	char *own = options_of(config->conninfo);
	bool good = buf_addf(b,
	                     "-c statement_timeout=%u -c lock_timeout=%u -c "
	                     "idle_in_transaction_session_timeout=%u "
	                     "-c jit=off -c TimeZone=UTC -c DateStyle=ISO,YMD%s%s",
	                     config->statement_timeout_ms, config->lock_timeout_ms,
	                     config->idle_timeout_ms, own ? " " : "",
	                     own ? own : ""); /* no space at the end: PgBouncer would refuse it */

	free(own);
	return good;
}

/* NOTICEs go nowhere; a FATAL that comes while nothing is asked tells that the session is over. */
static void on_notice(void *context, const PGresult *notice)
{
	struct db_session *s = context;
	const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);

	if (severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0))
		s->doomed = true;
}

static PGconn *connect_start(const struct session_config *config)
{
	buf_auto options = { .limit = 8 * KIB };
	const char *keys[] = { "fallback_application_name",
		               "keepalives_idle",
		               "keepalives_interval",
		               "keepalives_count",
		               "tcp_user_timeout",
		               "dbname",
		               "options",
		               "client_encoding",
		               NULL };
	/* A peer that vanished without a word is noticed after 10 + 3 * 5 s, one that does not take
	 * our bytes after 10 s. */
	const char *values[] = { "carers-api",     "10", "5",    "3", "10000",
		                 config->conninfo, NULL, "UTF8", NULL };

	if (!session_options(&options, config))
		return NULL;
	values[6] = buf_text(&options);
	return PQconnectStartParams(keys, values, 1);
}

/* False when the deadline passed. The connection may have failed, too: PQstatus tells. */
static bool connect_finish(PGconn *conn, int64_t deadline_us)
{
	PostgresPollingStatusType wants = PGRES_POLLING_WRITING;

	while (PQstatus(conn) != CONNECTION_BAD && wants != PGRES_POLLING_OK &&
	       wants != PGRES_POLLING_FAILED) {
		if (!io_wait(PQsocket(conn), wants == PGRES_POLLING_READING ? POLLIN : POLLOUT,
		             deadline_us))
			return false;
		wants = PQconnectPoll(conn);
	}
	return true;
}

bool session_probe_hangs(const struct session_config *config, int64_t deadline_us)
{
	PGconn *conn = connect_start(config);
	bool hangs = conn && !connect_finish(conn, deadline_us);

	PQfinish(conn);
	return hangs;
}

/* libpq's words on a failed connection name hosts, users and files of the operator, and nothing of
 * a request. */
static void log_failure(PGconn *conn)
{
	char words[200] = "no answer in time";
	const char *message = conn ? PQerrorMessage(conn) : "out of memory";

	if (*message) {
		size_t size = strcspn(message, "\n");

		size = size < sizeof words ? size : sizeof words - 1;
		memcpy(words, message, size);
		words[size] = '\0';
	}
	log_event(LOG_WARNING, "database", "what", "cannot connect", "why", words, NULL);
}

bool session_open(struct db_session *s, const struct session_config *config, int64_t deadline_us,
                  struct problem *p)
{
	session_close(s);
	s->conn = connect_start(config);
	s->doomed = false;
	s->patience_ms = config->patience_ms;
	if (s->conn && connect_finish(s->conn, deadline_us) && PQstatus(s->conn) == CONNECTION_OK &&
	    PQsetnonblocking(s->conn, 1) == 0 && PQenterPipelineMode(s->conn)) {
		PQsetNoticeReceiver(s->conn, on_notice, s);
		return true;
	}
	log_failure(s->conn);
	session_close(s);
	p->retry_after = 1;
	return problem(p, PROBLEM_UNAVAILABLE, "the database cannot be reached");
}

void session_close(struct db_session *s)
{
	PQfinish(s->conn);
	s->conn = NULL;
	s->sent_count = 0;
	prepared_clear(&s->prepared);
}

/* Nothing to read is what a healthy idle session has. */
static bool is_quiet(const struct db_session *s)
{
	char byte;
	ssize_t size = recv(PQsocket(s->conn), &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);

	return size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool session_alive(struct db_session *s)
{
	if (s->doomed || PQstatus(s->conn) != CONNECTION_OK)
		return false;
	if (is_quiet(s))
		return true;
	/* A setting that was reported, a notice, a farewell, or the end of the connection. */
	if (!PQconsumeInput(s->conn) || PQisBusy(s->conn))
		return false;
	return !s->doomed && PQstatus(s->conn) == CONNECTION_OK && is_quiet(s);
}
