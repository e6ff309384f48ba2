/* What a handler asks of its call. */
#include "call/call.h"

const char *call_path(const struct call *c, const char *name)
{
	return arguments_get(c->endpoint, &c->arguments, PLACE_PATH, name);
}

const char *call_query(const struct call *c, const char *name)
{
	return arguments_get(c->endpoint, &c->arguments, PLACE_QUERY, name);
}

const char *call_header(const struct call *c, const char *name)
{
	return arguments_get(c->endpoint, &c->arguments, PLACE_HEADER, name);
}

const char *call_body(const struct call *c) { return c->body_text ? c->body_text : "{}"; }
