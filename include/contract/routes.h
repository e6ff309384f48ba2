/* Method + path -> endpoint. Literal segments go before parameters. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "contract/endpoint.h"

enum { ROUTE_SEGMENTS = 12 };

struct routes; /* part of a contract */
struct contract;

struct route {
	const struct endpoint *by_method[METHODS]; /* NULL where the path does not answer */
	bool slash;                                /* with a slash at its end, too */
};

/* The route whose template fits the segments, or NULL (404). */
const struct route *routes_find(const struct contract *contract, const char *const segments[],
                                size_t count);
/* "GET, HEAD, OPTIONS, PATCH" into ret_allow: the value of Allow. */
enum { ROUTE_ALLOW = 64 };
void route_allow(const struct route *route, char ret_allow[static ROUTE_ALLOW]);
