/* Reads a JWKS from where it stands: a file, or a URL by libcurl with ceilings on time and size. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/problem.h"

enum {
	FETCH_LIMIT = 256 * 1024, /* bytes */
	FETCH_CONNECT_MS = 2000,
	FETCH_TOTAL_MS = 5000,
};

bool fetch_is_url(const char *where);
/* https; http on the loopback only; no user or password in it. */
must_check bool fetch_url_allowed(const char *url, struct problem *p);
/* Once before and after all fetches of URLs. */
must_check bool fetch_start(void);
void fetch_stop(void);
/* Text to be freed. Ends early when `*ending` becomes true. */
must_check bool fetch_text(const char *where, const atomic_bool *ending, char **ret_text,
                           size_t *ret_size, struct problem *p);
