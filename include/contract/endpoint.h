/* One operation of the contract, as the server understands it: compiled once, read by every
 * request. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "jsonschema/jsonschema.h"

/* QUERY asks what the POST of an `x-query` operation asks. */
enum method {
	METHOD_GET,
	METHOD_POST,
	METHOD_PUT,
	METHOD_PATCH,
	METHOD_DELETE,
	METHOD_QUERY,
	METHODS
};
enum place { PLACE_PATH, PLACE_QUERY, PLACE_HEADER };
/* A list is given by repeating the parameter, or once with commas (`explode: false`), and is a JSON
 * array of strings. */
enum value_type { VALUE_STRING, VALUE_INTEGER, VALUE_NUMBER, VALUE_BOOLEAN, VALUE_LIST };

enum { ENDPOINT_PARAMETERS = 32, ENDPOINT_SCOPES = 8, ENDPOINT_ROLES = 16, ENDPOINT_COST = 1000 };
enum { ENDPOINT_BODY_LIMIT = 64 * 1024 * 1024 };

struct parameter {
	const char *name;
	enum place place;
	enum value_type type;
	bool required;
	bool commas;  /* of a list: `explode: false` */
	char *preset; /* the schema's default as text, or NULL */
	struct jsonschema *schema;
};

/* What the contract promises for one status (0: `default`). `schema` is NULL where the body is not
 * JSON or empty. */
struct promise {
	int status;
	bool empty;
	struct jsonschema *schema;
	struct jsonschema *sparse; /* of an answer that `fields` was asked of; or NULL */
};

struct endpoint {
	const char *id; /* operationId */
	const char *path;
	enum method method;
	size_t index; /* its place in the contract, from 0 */

	const char *wants[ENDPOINT_SCOPES + 1]; /* scopes, all of them; NULL-terminated */
	const char *roles[ENDPOINT_ROLES + 1];  /* `x-roles`: one of them; none listed: any role */
	bool public;                            /* `security: []` */
	bool optional;     /* `security: [{}, {token: [...]}]`: a token is read if there is one */
	bool reads;        /* GET, or marked `x-reads: true`: READ ONLY */
	bool query;        /* `x-query: true`: asked by the method QUERY, too */
	bool noted;        /* `x-audit: read`, or `x-counts: true`: reading leaves a row */
	bool uncounted;    /* `x-uncounted: true`: no rate limit */
	bool unstored;     /* `x-no-store: true`: no cache keeps an answer, not even the client's */
	bool slash;        /* `x-slash: true`: its path is answered with a slash at its end, too */
	bool any_origin;   /* `x-cors: any`: browser apps of every origin may read the answers */
	unsigned cost;     /* `x-cost`: as how many requests it counts in the rate limit */
	bool takes_key;    /* has an Idempotency-Key parameter */
	bool needs_match;  /* If-Match is required */
	bool takes_fields; /* has a parameter `fields`: what a list's items show */
	bool takes_prefer; /* has a parameter Prefer: a change may answer without a body */

	struct parameter parameters[ENDPOINT_PARAMETERS];
	size_t parameter_count;

	const char *media; /* of the request body; NULL: none is taken */
	bool body_required;
	size_t body_limit; /* `x-body-limit`: bytes it may have; 0: as many as the service reads */
	struct jsonschema *body; /* NULL: its bytes are handed on as they are */
	const char *rule;        /* `x-rule`: what a body that is not valid breaks; NULL: no rule */

	const char *answers; /* media type of the good answer; NULL: none */
	struct promise *promises;
	size_t promise_count;
};

const char *method_name(enum method method);
/* METHODS when the text is none of ours. */
enum method method_parse(const char *text);
/* The promise for a status: its own, or the default's, or NULL. */
const struct promise *endpoint_promise(const struct endpoint *endpoint, int status);
void endpoint_done(struct endpoint *endpoint);
