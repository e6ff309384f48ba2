/* One request in the service's own words: all that a handler sees. */
#pragma once

#include <jansson.h>

#include "auth/principal.h"
#include "base/problem.h"
#include "call/answer.h"
#include "call/operation.h"
#include "call/reply.h"
#include "call/service.h"
#include "contract/parameters.h"
#include "db/tx.h"

struct call {
	const struct service *service;
	const struct endpoint *endpoint;
	const struct principal *who;
	const char *request_id;
	const char *target_text; /* path and query as they were sent */
	struct url url;
	struct arguments arguments;
	json_t *body;          /* already valid against the contract; NULL when there is none */
	const char *body_text; /* the same as text */
	const char *bytes;     /* the body as it was sent, whatever its media type; borrowed */
	size_t byte_count;
	struct db_tx *tx; /* commits when the handler returns true */
	struct reply reply;
	struct problem problem;
};

/* NULL for a parameter that the contract calls optional and the client left out; lives as long as
 * the call. */
const char *call_path(const struct call *c, const char *name);
const char *call_query(const struct call *c, const char *name);
const char *call_header(const struct call *c, const char *name);
/* The body as text, for a query to take apart; "{}" when there is none. */
const char *call_body(const struct call *c);
