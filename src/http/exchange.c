/* The life of a request is the table `steps`; a step is added there and nowhere else. */
#include "http/exchange.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "call/permission.h"
#include "call/shape.h"
#include "call/transact.h"
#include "contract/faults.h"
#include "http/exchange_own.h"

typedef bool step_fn(struct exchange *x);

static bool x_admit(struct exchange *x)
{
	struct problem *p = &x->call.problem;

	if (!atomic_load_explicit(x->host->draining, memory_order_relaxed))
		return true;
	x->response->close = true;
	p->retry_after = 2;
	return problem(p, PROBLEM_UNAVAILABLE, "the service is stopping");
}

/* RFC 9112, 3.2: HTTP/1.1 names one host; repeated headers come joined. Which one is the proxy's
 * business. */
static bool x_host(struct exchange *x)
{
	const char *host = request_header(x->request, "Host");
	const char *protocol = x->request->protocol;

	if (host ? !strchr(host, ',') : !protocol || strcmp(protocol, "HTTP/1.1") != 0)
		return true;
	return problem_fault(&x->call.problem, PROBLEM_INVALID_PARAMETER, "/header/Host",
	                     host ? "maxItems" : "required", "must be there, once");
}

static bool x_route(struct exchange *x)
{
	struct call *c = &x->call;
	enum method method;

	if (!url_parse(x->request->target, &c->url, &c->problem))
		return false;
	x->route = routes_find(c->service->contract, c->url.segments, c->url.segment_count);
	if (x->route && c->url.slash && !x->route->slash)
		x->route = NULL;
	if (!x->route)
		return problem(&c->problem, PROBLEM_NOT_FOUND, "nothing is served at this path");
	x->head = strcmp(x->request->method, "HEAD") == 0;
	method = x->head ? METHOD_GET : method_parse(x->request->method);
	x->query = method == METHOD_QUERY;
	c->endpoint = method < METHODS ? x->route->by_method[method] : NULL;
	if (c->endpoint || strcmp(x->request->method, "OPTIONS") == 0)
		return true;
	return problem(&c->problem, PROBLEM_METHOD_NOT_ALLOWED,
	               "this path does not answer that method");
}

static bool x_measure(struct exchange *x)
{
	const struct endpoint *e = x->call.endpoint;
	size_t limit = e && e->body_limit ? e->body_limit : x->host->body_limit;

	if (x->request->body_size <= limit)
		return true;
	x->response->close = true;
	return problem(&x->call.problem, PROBLEM_CONTENT_TOO_LARGE,
	               "a body has %zu bytes here at most", limit);
}

static bool too_many(struct exchange *x)
{
	x->call.problem.challenge = NULL; /* of a token that was refused before */
	x->call.problem.retry_after = (unsigned)x->allowance.reset_s;
	return problem(&x->call.problem, PROBLEM_TOO_MANY_REQUESTS,
	               "this client has used up its requests for now");
}

static bool count_address(struct exchange *x)
{
	x->allowance = limits_take(x->host->limits, "address", x->request->address, NULL,
	                           x->call.endpoint->cost);
	return x->allowance.granted || too_many(x);
}

static bool x_authenticate_public(struct exchange *x)
{
	x->who = principal_hold(principal_public());
	x->call.who = x->who;
	return x->call.endpoint->uncounted || count_address(x);
}

/* A caller without a good token is counted by address, so that guessing tokens costs the guesser,
 * and nobody else behind the same address. */
static bool x_authenticate(struct exchange *x)
{
	struct call *c = &x->call;

	if (c->endpoint->public ||
	    (c->endpoint->optional && !request_header(x->request, "Authorization")))
		return x_authenticate_public(x);
	if (!tokens_verify(x->host->tokens, request_header(x->request, "Authorization"), &x->who,
	                   &c->problem)) {
		count_address(x);
		return false;
	}
	c->who = x->who;
	x->allowance = limits_take(x->host->limits, "token", x->who->client, x->who->subject,
	                           c->endpoint->cost);
	return x->allowance.granted || too_many(x);
}

static bool x_authorise(struct exchange *x)
{
	struct call *c = &x->call;

	switch (permission_of(c->who, c->endpoint)) {
	case PERMITTED:
		return true;
	case LACKS_SCOPE:
		c->problem.challenge = "insufficient_scope";
		return problem(&c->problem, PROBLEM_INSUFFICIENT_SCOPE,
		               "this operation wants scopes that the token lacks");
	case WRONG_ROLE:
		break;
	}
	return problem(&c->problem, PROBLEM_FORBIDDEN, "this operation is not for the role %s",
	               c->who->role);
}

/* "; charset=X" says another encoding than UTF-8. Other parameters mean nothing to JSON and are
 * passed over. */
static bool other_charset(const char *parameters)
{
	const char *charset = strcasestr(parameters, "charset=");

	if (!charset)
		return false;
	charset += strlen("charset=");
	charset += *charset == '"';
	return strncasecmp(charset, "utf-8", 5) != 0;
}

static bool is_media(const char *header, const char *media)
{
	size_t size = strlen(media);

	if (!header || strncasecmp(header, media, size) != 0 ||
	    (header[size] && !strchr("; \t", header[size])))
		return false;
	return !other_charset(header + size);
}

static bool read_json(struct exchange *x)
{
	struct call *c = &x->call;

	if (!json_read(x->request->body, x->request->body_size, &x->body, &c->problem))
		return false;
	x->body_text = text_copy_n(x->request->body, x->request->body_size);
	if (!x->body_text)
		return problem(&c->problem, PROBLEM_UNAVAILABLE,
		               "the service has no memory to spare");
	c->body = x->body;
	c->body_text = x->body_text;
	return true;
}

static bool x_read(struct exchange *x)
{
	struct call *c = &x->call;
	const struct endpoint *e = c->endpoint;

	if (!accept_allows(request_header(x->request, "Accept"), e->answers))
		return problem(&c->problem, PROBLEM_NOT_ACCEPTABLE,
		               "this operation answers with %s", e->answers);
	if (!e->media || (x->request->body_size == 0 && !e->body_required))
		return true;
	if (x->request->body_size > 0 &&
	    !is_media(request_header(x->request, "Content-Type"), e->media))
		return problem(&c->problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
		               "this operation reads %s%s", e->media, e->body ? " in UTF-8" : "");
	c->bytes = x->request->body;
	c->byte_count = x->request->body_size;
	return !e->body || read_json(x);
}

static bool x_validate(struct exchange *x)
{
	struct call *c = &x->call;

	if (!parameters_read(c->endpoint, &c->url, &x->request->headers, &c->arguments,
	                     &c->problem))
		return false;
	return !c->body || faults_validate_body(c->endpoint, c->body, &c->problem);
}

static bool x_handle(struct exchange *x)
{
	return call_transact(&x->call, x->host->handlers[x->call.endpoint->index]);
}

static bool x_shape(struct exchange *x)
{
	call_shape_fields(&x->call);
	call_shape_prefer(&x->call);
	return true;
}

/* The first step that fails decides the answer. Nothing of a body is parsed for a caller who is not
 * known. */
static const struct {
	const char *name;
	step_fn *take;
} steps[] = {
	{ "admit", x_admit },               /* 503 at the stop */
	{ "host", x_host },                 /* 400 */
	{ "route", x_route },               /* 400, 404, 405: path and method in the contract */
	{ "measure", x_measure },           /* 413: the operation's limit, or the service's */
	{ "authenticate", x_authenticate }, /* 401: the token; 429: the client's bucket */
	{ "authorise", x_authorise }, /* 403: the scopes and roles that the contract asks for */
	{ "read", x_read },           /* 406, 415, 400: media types, JSON */
	{ "validate", x_validate },   /* 400, 422, 428: parameters and body */
	{ "handle", x_handle },       /* one transaction; run again if PostgreSQL says so */
	{ "shape", x_shape },         /* 204: as much of the answer as was asked for */
};

static bool run_steps(struct exchange *x)
{
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		if (!steps[i].take(x))
			return false;
		if (x->route && !x->call.endpoint) { /* OPTIONS asks about the path, not for it */
			answer_options(x);
			return true;
		}
	}
	put_reply(x);
	return true;
}

static void exchange_done(struct exchange *x)
{
	url_free(&x->call.url);
	arguments_done(&x->call.arguments);
	reply_done(&x->call.reply);
	problem_done(&x->call.problem);
	principal_release(x->who);
	json_decref(x->body);
	free(x->body_text);
}

void exchange_serve(const struct host *host, const struct request *request,
                    struct response *ret_response)
{
	int64_t start = clock_monotonic_us(), duration;
	struct exchange x = { .host = host, .request = request, .response = ret_response };

	*ret_response = (struct response){ 0 };
	x.call.service = host->service;
	x.call.request_id = x.id;
	x.call.target_text = request->target;
	put_identity(&x);
	if (!run_steps(&x))
		refuse(&x);
	if (host->check_responses)
		check_response(&x);
	compress_response(&x);
	put_common_headers(&x);
	duration = clock_monotonic_us() - start;
	metrics_count(host->metrics, x.call.endpoint, x.query, ret_response->status, duration);
	log_exchange(&x, duration);
	exchange_done(&x);
}
