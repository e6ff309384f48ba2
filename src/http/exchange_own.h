/* Private to http: one exchange on its way through the steps. */
#pragma once

#include "call/call.h"
#include "http/exchange.h"

enum { REQUEST_ID = 129, TRACEPARENT = 56 };

struct exchange {
	const struct host *host;
	const struct request *request;
	const struct route *route;
	struct call call;
	const struct principal *who; /* held */
	json_t *body;                /* owned */
	char *body_text;             /* owned */
	struct allowance allowance;
	char id[REQUEST_ID];
	char trace[TRACEPARENT]; /* "" when the client sent none that is well-formed */
	bool codable;            /* another Accept-Encoding might have had another answer */
	bool head;               /* HEAD: a GET whose body is not sent */
	bool query;              /* asked by QUERY instead of POST */
	struct response *response;
};

/* refusal.c: the only writer of application/problem+json. */
void refuse(struct exchange *x);
/* headers.c: what every response carries. */
void put_identity(struct exchange *x); /* reads or makes the request id, reads traceparent */
void put_common_headers(struct exchange *x);
void put_reply(struct exchange *x); /* status, body and headers of a good answer */
void answer_options(struct exchange *x);
/* accept.c: the media type is among those that the Accept header allows; no header allows all. */
bool accept_allows(const char *accept, const char *media);
/* The coding is among those that the Accept-Encoding header allows; no header allows none. */
bool accept_encodes(const char *accept_encoding, const char *coding);
/* compress.c: the response as gzip, when the client reads it and it is worth it. */
void compress_response(struct exchange *x);
/* check.c: the response against the contract; replaces it by a 500 when it breaks it. */
void check_response(struct exchange *x);
/* access_log.c: one line a request. */
void log_exchange(const struct exchange *x, int64_t duration_us);
