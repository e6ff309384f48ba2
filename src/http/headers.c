/* The headers that every response carries: identity, limits, CORS, caching; and the answer to
 * OPTIONS. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/uuid.h"
#include "http/exchange_own.h"

/* An id that a client may choose: letters, digits and . _ - : only, so that it may stand in a log
 * and a header. */
static bool good_id(const char *id)
{
	size_t size =
		strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-");

	return size > 0 && size < REQUEST_ID && id[size] == '\0';
}

/* W3C Trace Context: version, trace id, parent id, flags, in lower-case hexadecimal. */
static bool good_trace(const char *trace)
{
	if (strlen(trace) != TRACEPARENT - 1)
		return false;
	for (size_t i = 0; i < TRACEPARENT - 1; i++) {
		bool dash = i == 2 || i == 35 || i == 52;

		if (dash ? trace[i] != '-' : !strchr("0123456789abcdef", trace[i]))
			return false;
	}
	return true;
}

void put_identity(struct exchange *x)
{
	const char *id = request_header(x->request, "X-Request-ID");
	const char *trace = request_header(x->request, "traceparent");

	if (id && good_id(id))
		snprintf(x->id, sizeof x->id, "%s", id);
	else
		uuid_make(x->id);
	if (trace && good_trace(trace))
		snprintf(x->trace, sizeof x->trace, "%s", trace);
}

static bool origin_allowed(const char *list, const char *origin)
{
	size_t size = strlen(origin);

	for (const char *at = list; *at; at += strspn(at, ", ")) {
		size_t one = strcspn(at, ", ");

		if (one == size && strncmp(at, origin, size) == 0)
			return true;
		at += one;
	}
	return false;
}

static void allow_origin(struct exchange *x, const char *origin)
{
	response_header(x->response, "Access-Control-Allow-Origin", "%s", origin);
	response_header(x->response, "Access-Control-Expose-Headers", "%s",
	                "ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, "
	                "X-Request-ID, Idempotency-Replayed, Preference-Applied, Accept-Query");
}

/* What a preflight asks for; OPTIONS without a wish asks for the GET. */
static const struct endpoint *preflight(const struct exchange *x)
{
	const char *wish = request_header(x->request, "Access-Control-Request-Method");
	enum method method = wish ? method_parse(wish) : METHOD_GET;

	return x->route && method < METHODS ? x->route->by_method[method] : NULL;
}

/* What is open to everybody is open to everybody's browser. */
static bool any_origin(const struct exchange *x)
{
	const struct endpoint *e = x->call.endpoint ? x->call.endpoint : preflight(x);

	return e && e->any_origin;
}

static void put_cors(struct exchange *x)
{
	const char *origin = request_header(x->request, "Origin");

	if (any_origin(x)) {
		allow_origin(x, "*");
		return;
	}
	if (!origin || !origin_allowed(x->host->cors_origins, origin))
		return;
	allow_origin(x, origin);
}

/* What else than the URL decides on the response. */
static void put_vary(struct exchange *x)
{
	const struct endpoint *e = x->call.endpoint;
	const struct {
		bool decides;
		const char *name;
	} headers[] = {
		{ e && e->optional, "Authorization" },
		{ *x->host->cors_origins && !any_origin(x), "Origin" },
		{ x->codable, "Accept-Encoding" },
		{ e && e->takes_prefer, "Prefer" },
	};
	buf_auto names = { .limit = 100 };

	for (size_t i = 0; i < COUNT_OF(headers); i++)
		if (headers[i].decides &&
		    !buf_addf(&names, "%s%s", names.size ? ", " : "", headers[i].name))
			return;
	if (names.size)
		response_header(x->response, "Vary", "%s", buf_text(&names));
}

static void put_limits(struct exchange *x)
{
	const struct allowance *a = &x->allowance;

	if (!a->limited)
		return;
	response_header(x->response, "RateLimit-Policy", "\"default\";q=%llu;w=60",
	                (unsigned long long)a->quota);
	response_header(x->response, "RateLimit", "\"default\";r=%llu;t=%llu",
	                (unsigned long long)a->left, (unsigned long long)a->reset_s);
}

void put_common_headers(struct exchange *x)
{
	const struct endpoint *e = x->call.endpoint;

	response_header(x->response, "X-Request-ID", "%s", x->id);
	response_header(x->response, "X-Content-Type-Options", "nosniff");
	if (e && e->unstored)
		response_header(x->response, "Cache-Control", "no-store");
	else if (!e || !(e->public || (e->optional && x->who && x->who->anonymous)))
		response_header(x->response, "Cache-Control", "%s", "private, no-cache");
	if (x->host->tls)
		response_header(x->response, "Strict-Transport-Security", "max-age=31536000");
	if (x->route && x->route->by_method[METHOD_QUERY])
		response_header(x->response, "Accept-Query", "%s",
		                x->route->by_method[METHOD_QUERY]->media);
	put_limits(x);
	put_cors(x);
	put_vary(x);
}

/* What somebody uploaded is saved, not shown; should a browser show it all the same, it does
 * nothing there. */
static void put_file(struct response *out, const char *name)
{
	response_header(out, "Content-Disposition", "attachment; filename=\"%s\"", name);
	response_header(out, "Content-Security-Policy", "sandbox; default-src 'none'");
}

void put_reply(struct exchange *x)
{
	struct reply *r = &x->call.reply;
	struct response *out = x->response;

	out->status = r->status;
	out->body = TAKE(r->body);
	out->still = r->still;
	out->size = r->size;
	if (response_text(out))
		response_header(out, "Content-Type", "%s", r->media);
	if (*r->etag)
		response_header(out, "ETag", "%s", r->etag);
	if (*r->location)
		response_header(out, "Location", "%s", r->location);
	if (r->link)
		response_header(out, "Link", "%s", r->link);
	if (r->preference)
		response_header(out, "Preference-Applied", "%s", r->preference);
	if (r->policy) {
		response_header(out, "Content-Security-Policy", "%s", r->policy);
		response_header(out, "Referrer-Policy", "no-referrer");
	}
	if (r->replayed)
		response_header(out, "Idempotency-Replayed", "true");
	if (*r->filename)
		put_file(out, r->filename);
}

void answer_options(struct exchange *x)
{
	char allow[ROUTE_ALLOW];

	route_allow(x->route, allow);
	x->response->status = 204;
	response_header(x->response, "Allow", "%s", allow);
	if (x->route->by_method[METHOD_PATCH])
		response_header(x->response, "Accept-Patch", "application/merge-patch+json");
	if (!request_header(x->request, "Access-Control-Request-Method") ||
	    (!*x->host->cors_origins && !any_origin(x)))
		return;
	response_header(x->response, "Access-Control-Allow-Methods", "%s", allow);
	response_header(x->response, "Access-Control-Allow-Headers", "%s",
	                "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
	                "Prefer, X-Request-ID, traceparent");
	response_header(x->response, "Access-Control-Max-Age", "600");
}
