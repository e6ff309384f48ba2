/* A request target taken apart: path and query stay apart, segments are decoded one by one, pairs
 * keep their order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/problem.h"
#include "contract/routes.h"

enum { URL_LIMIT = 8192, URL_PAIRS = 32 };

struct url {
	char *memory; /* holds every text below */
	const char *segments[ROUTE_SEGMENTS];
	size_t segment_count;
	bool slash; /* the path has one more at its end */
	struct {
		const char *name, *value;
	} pairs[URL_PAIRS];
	size_t pair_count;
};

/*
 * INVALID_PARAMETER for a bad escape, NUL, text that is not UTF-8, dot segments, too many pairs;
 * NOT_FOUND for a path that no template could fit (too many segments, empty segments).
 */
must_check bool url_parse(const char *target, struct url *ret_url, struct problem *p);
void url_free(struct url *url);
#define url_auto owned_by(url_free) struct url
