/*
 * Verification keys, each bound to exactly one algorithm and found by its kid. They come from files
 * and from a JWKS (file or URL); a set is immutable and counted, and the current one is swapped
 * whole.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/problem.h"

struct keys;    /* the place where the current set stands; safe for several threads */
struct key_set; /* immutable */

struct keys_config {
	const char *files;  /* "KID=ALG:FILE,..." or "" */
	const char *jwks;   /* file or https URL (http only on loopback), or "" */
	unsigned refresh_s; /* how often the JWKS is read again */
};

/*
 * Reads the files and the JWKS; starts the thread that refreshes it. A file that cannot be read, a
 * weak or private key in the files, an unknown algorithm or a kid given twice is a failure; a JWKS
 * URL that gives no JWKS is not (it is tried again, and what it gave before stays). A key of a JWKS
 * that cannot be used is passed over with a line in the log. No keys at all is no failure here.
 */
must_check bool keys_open(const struct keys_config *config, struct keys **ret_keys,
                          struct problem *p);
void keys_close(struct keys *keys); /* takes NULL */
/* Reads everything again now (SIGHUP; up to 5 s for a URL). On failure the old set stays. */
must_check bool keys_reload(struct keys *keys, struct problem *p);
/* Changes with every swap, and only then: a cache that remembers it knows when to forget. */
uint64_t keys_generation(const struct keys *keys);
size_t keys_count(const struct keys *keys);
