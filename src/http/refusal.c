/* struct problem -> application/problem+json (RFC 9457), with the headers that go with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "http/exchange_own.h"

static json_t *document(const struct exchange *x, const struct problem *p,
                        const struct problem_kind *kind)
{
	json_auto_t *json = NULL;
	char type[320];

	snprintf(type, sizeof type, "%s/problems/%s", x->call.service->base_url, kind->slug);
	json = json_pack("{s:s, s:s, s:i, s:s, s:s}", "type", type, "title", kind->title, "status",
	                 kind->status, "detail", p->detail, "instance", x->id);
	if (json && p->members)
		json_object_update_missing(json, p->members);
	return TAKE(json);
}

static void put_challenge(struct exchange *x, const struct problem *p)
{
	buf_auto scopes = { .limit = KIB };
	const struct endpoint *e = x->call.endpoint;

	if (!p->challenge) {
		response_header(x->response, "WWW-Authenticate", "Bearer");
		return;
	}
	for (size_t i = 0; p->code == PROBLEM_INSUFFICIENT_SCOPE && e->wants[i]; i++)
		if (!buf_addf(&scopes, "%s%s", i ? " " : "", e->wants[i]))
			return;
	if (scopes.size > 0)
		response_header(x->response, "WWW-Authenticate",
		                "Bearer error=\"%s\", scope=\"%s\"", p->challenge,
		                buf_text(&scopes));
	else
		response_header(x->response, "WWW-Authenticate",
		                "Bearer error=\"%s\", error_description=\"%s\"", p->challenge,
		                p->detail);
}

static void put_allow(struct exchange *x)
{
	char allow[ROUTE_ALLOW];

	route_allow(x->route, allow);
	response_header(x->response, "Allow", "%s", allow);
}

void refuse(struct exchange *x)
{
	struct problem *p = &x->call.problem;
	const struct problem_kind *kind;
	json_auto_t *json = NULL;

	if (p->code == PROBLEM_NONE)
		problem(p, PROBLEM_INTERNAL, "the service failed without a reason");
	kind = problem_kind(p->code);
	json = document(x, p, kind);
	x->response->status = kind->status;
	free(x->response->body);
	x->response->still = NULL;
	x->response->body = json ? json_print(json) : NULL;
	x->response->size = x->response->body ? strlen(x->response->body) : 0;
	response_header(x->response, "Content-Type", "application/problem+json");
	if (kind->status == 401 || p->challenge)
		put_challenge(x, p);
	if (p->code == PROBLEM_METHOD_NOT_ALLOWED)
		put_allow(x);
	if (p->code == PROBLEM_UNSUPPORTED_MEDIA_TYPE)
		response_header(x->response,
		                x->call.endpoint->method == METHOD_PATCH ? "Accept-Patch"
		                                                         : "Accept-Post",
		                "%s", x->call.endpoint->media);
	if (p->code == PROBLEM_UNAVAILABLE && p->retry_after == 0)
		p->retry_after = 1;
	if (p->retry_after > 0)
		response_header(x->response, "Retry-After", "%u", p->retry_after);
}
