/* A handler inside its transaction. */
#include "call/transact.h"

#include <stdio.h>
#include <string.h>

#include "auth/digest.h"
#include "base/text.h"
#include "call/precondition.h"
#include "queries.h"

enum {
	ATTEMPTS = 4
}; /* a deadlock or a serialisation failure is rarely followed by a second one */

static const char idempotency_header[] = "Idempotency-Key";

static const char *key_of(const struct call *c)
{
	return c->endpoint->takes_key ? call_header(c, idempotency_header) : NULL;
}

/* What makes two requests the same: method, path with query, body; as PostgreSQL's bytea input. */
enum { FINGERPRINT = 2 + DIGEST_TEXT };
static bool fingerprint(struct call *c, char ret_text[static FINGERPRINT])
{
	const char *method = method_name(c->endpoint->method);
	const struct digest_part parts[] = {
		{ method, strlen(method) + 1 },
		{ c->target_text, strlen(c->target_text) + 1 },
		{ c->bytes ? c->bytes : call_body(c),
		  c->bytes ? c->byte_count : strlen(call_body(c)) },
	};

	ret_text[0] = '\\';
	ret_text[1] = 'x';
	return digest_hex(parts, COUNT_OF(parts), ret_text + 2) ||
	       problem(&c->problem, PROBLEM_UNAVAILABLE, "the service has no memory to spare");
}

static const char *none_if_empty(const char *text) { return *text ? text : NULL; }

/* The answer is kept in the transaction of the change: both are there, or neither is. */
static bool keep(struct call *c, const char *key, const char *print)
{
	char status[8];

	snprintf(status, sizeof status, "%d", c->reply.status);
	return db_queue(c->tx,
	                Q_IDEMPOTENCY_KEEP(key, print, status, none_if_empty(c->reply.etag),
	                                   none_if_empty(c->reply.location), c->reply.body),
	                &c->problem);
}

static bool keyed(struct call *c, handler_fn *handle, const char *key)
{
	char print[FINGERPRINT];

	return fingerprint(c, print) &&
	       db_queue(c->tx, Q_IDEMPOTENCY_CLAIM(key, print, c->service->idempotency_hours),
	                &c->problem) &&
	       handle(c) && keep(c, key, print);
}

static struct db_claims claims_of(const struct call *c, const char *versions)
{
	return (struct db_claims){
		.class = c->who->class,
		.role = c->who->role,
		.councils = c->who->councils,
		.org = c->who->org,
		.carer = c->who->carer,
		.subject = c->who->subject,
		.client = c->who->client,
		.operation = c->endpoint->id,
		.request = c->request_id,
		.target = arguments_target(c->endpoint, &c->arguments),
		.if_match = versions,
	};
}

static enum db_mode mode_of(const struct endpoint *endpoint)
{
	if (!endpoint->reads)
		return DB_WRITE;
	return endpoint->noted ? DB_READ_NOTED : DB_READ;
}

/* The first answer to this key, given again. */
static bool replay(struct call *c, const struct db_claims *claims)
{
	db_tx_auto *tx = NULL;
	db_rows_auto *rows = NULL;
	const char *body, *text;
	uint64_t status;

	if (!db_begin(c->service->pool, claims, DB_READ, false, &tx, &c->problem) ||
	    !db_last(tx, Q_IDEMPOTENCY_ANSWER(key_of(c)), &rows, &c->problem))
		return false;
	if (db_count(rows) == 0 || !text_number(db_text(rows, 0, "status"), 200, 299, &status))
		return problem(&c->problem, PROBLEM_IDEMPOTENCY_IN_FLIGHT,
		               "the first answer to this key is not at hand");
	text = db_text(rows, 0, "etag");
	snprintf(c->reply.etag, sizeof c->reply.etag, "%s", text ? text : "");
	text = db_text(rows, 0, "location");
	snprintf(c->reply.location, sizeof c->reply.location, "%s", text ? text : "");
	c->reply.replayed = true;
	body = db_text(rows, 0, "body");
	if (body)
		return call_text(c, (int)status, "application/json", body, strlen(body));
	c->reply.status = (int)status;
	return true;
}

enum outcome { DONE, REFUSED, AGAIN, ANSWERED_BEFORE };

static enum outcome attempt(struct call *c, handler_fn *handle, const struct db_claims *claims)
{
	const char *key = key_of(c);
	db_tx_auto *tx = NULL;
	bool good;

	if (!db_begin(c->service->pool, claims, mode_of(c->endpoint), key != NULL, &tx,
	              &c->problem))
		return REFUSED;
	c->tx = tx;
	good = (key ? keyed(c, handle, key) : handle(c)) && db_commit(tx, &c->problem);
	c->tx = NULL;
	if (good)
		return DONE;
	if (db_may_retry(tx))
		return AGAIN;
	return key && db_refused(tx, "CA2RP") ? ANSWERED_BEFORE : REFUSED;
}

bool call_transact(struct call *c, handler_fn *handle)
{
	char versions[MATCH_TEXT];
	struct db_claims claims;
	enum outcome outcome = AGAIN;

	match_versions(call_header(c, "If-Match"), versions);
	claims = claims_of(c, versions);
	for (int i = 0; i < ATTEMPTS && outcome == AGAIN; i++) {
		reply_done(&c->reply);
		problem_done(&c->problem);
		outcome = attempt(c, handle, &claims);
	}
	if (outcome == ANSWERED_BEFORE) {
		reply_done(&c->reply);
		problem_done(&c->problem);
		return replay(c, &claims);
	}
	return outcome == DONE;
}
