/* Path, query and header parameters: found, defaulted, validated; all faults at once. */
#pragma once

#include "base/problem.h"
#include "contract/endpoint.h"
#include "contract/url.h"

/* Values as text in the order of endpoint->parameters; NULL: absent. Borrowed from the URL, the
 * headers, the contract; a list is a JSON array of its own, kept in `lists`. */
struct arguments {
	const char *values[ENDPOINT_PARAMETERS];
	char *lists[ENDPOINT_PARAMETERS];
};
/* Frees what they own; they were all zeros before parameters_read(). */
void arguments_done(struct arguments *arguments);

/* Where a request's headers are found. `get`: the value, or NULL; case does not matter. */
struct headers {
	const char *(*get)(void *context, const char *name);
	void *context;
};

/* INVALID_PARAMETER with a fault for each; PRECONDITION_REQUIRED when only a required If-Match is
 * missing. */
must_check bool parameters_read(const struct endpoint *endpoint, const struct url *url,
                                const struct headers *headers, struct arguments *ret_arguments,
                                struct problem *p);
/* The value of the parameter, or NULL when it is absent or not in the contract. */
const char *arguments_get(const struct endpoint *endpoint, const struct arguments *arguments,
                          enum place place, const char *name);
/* The value of the last path parameter: the id of what the path names. NULL when the path has none.
 */
const char *arguments_target(const struct endpoint *endpoint, const struct arguments *arguments);
