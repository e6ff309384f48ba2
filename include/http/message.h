/* A request and a response without their library: what server.c takes from Ulfius and gives back to
 * it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "contract/parameters.h"

struct request {
	const char *method, *target; /* target: path and query, raw */
	const char *protocol;        /* HTTP/1.1; NULL: not known */
	struct headers headers;
	const char *body;
	size_t body_size;    /* of a body that was cut, one more than the largest that is read */
	const char *address; /* of the client, for counting only: never logged */
};

enum { RESPONSE_HEADERS = 24 };

struct response {
	int status;
	struct {
		const char *name; /* static text */
		char *value;      /* owned */
	} headers[RESPONSE_HEADERS];
	size_t header_count;
	char *body;        /* owned, may be NULL */
	const char *still; /* sent instead: text that lives as long as the program, never copied */
	size_t size;
	bool close; /* the connection ends with this response */
};

const char *request_header(const struct request *request, const char *name);
/* A header that finds no room or no memory is left out: nothing here is worth failing a finished
 * change for. */
void response_header(struct response *response, const char *name, const char *fmt, ...)
	printf_like(3, 4);
/* What is sent; NULL: nothing. */
const char *response_text(const struct response *response);
bool response_has(const struct response *response, const char *name);
void response_done(struct response *response);
