/* The life of a request, from what the client sent to what it gets. */
#pragma once

#include "auth/token.h"
#include "call/bind.h"
#include "call/service.h"
#include "http/forwarded.h"
#include "http/limits.h"
#include "http/message.h"
#include "http/metrics.h"

/* What every exchange of one server shares; all borrowed. */
struct host {
	const struct service *service;
	handler_fn **handlers; /* by endpoint index */
	struct tokens *tokens;
	struct limits *limits;
	struct metrics *metrics;
	size_t body_limit;        /* of an operation that does not say another */
	const char *cors_origins; /* comma-separated */
	struct proxies proxies;
	bool tls;
	bool check_responses;
	const _Atomic bool *draining; /* refuse what comes */
};

/* Always fills the response. */
void exchange_serve(const struct host *host, const struct request *request,
                    struct response *ret_response);
