/* In test runs every response is held to the contract; a breach is a 500 and a failed test. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "http/exchange_own.h"

static bool say(void *context, const struct jsonschema_fault *fault)
{
	const struct exchange *x = context;

	log_event(LOG_ERROR, "contract-breach", "operation", x->call.endpoint->id, "pointer",
	          fault->instance, "keyword", fault->keyword, "message", fault->message,
	          "request_id", x->id, NULL);
	return true;
}

static bool breach(struct exchange *x, const char *what)
{
	log_event(LOG_ERROR, "contract-breach", "operation", x->call.endpoint->id, "message", what,
	          "request_id", x->id, NULL);
	return false;
}

static bool keeps_promise(struct exchange *x)
{
	const struct response *out = x->response;
	const struct promise *promise = endpoint_promise(x->call.endpoint, out->status);
	const struct jsonschema *schema;
	json_auto_t *json = NULL;
	json_error_t error;

	if (!promise)
		return breach(x, "a status that the contract does not name");
	if (promise->empty != (response_text(out) == NULL))
		return breach(x, promise->empty ? "a body where the contract has none"
		                                : "no body where the contract has one");
	schema = promise->sparse && call_query(&x->call, "fields") ? promise->sparse
	                                                           : promise->schema;
	if (!schema)
		return true;
	json = json_loadb(response_text(out), out->size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
	                  &error);
	if (!json)
		return breach(x, "a body that is not JSON");
	return jsonschema_validate(schema, json, say, x);
}

void check_response(struct exchange *x)
{
	int status = x->response->status;

	if (!x->call.endpoint || keeps_promise(x))
		return;
	problem_done(&x->call.problem);
	response_done(x->response);
	problem(&x->call.problem, PROBLEM_INTERNAL, "the response (%d) breaks the contract",
	        status);
	refuse(x);
}
