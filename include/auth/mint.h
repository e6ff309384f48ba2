/* Development tokens: signed with the development key that `./dev run` made. Never used by `serve`.
 */
#pragma once

#include <stdint.h>

#include "base/problem.h"

struct mint {
	const char *key_file; /* PEM private key (RS, ES) or raw bytes (HS) */
	const char *kid, *alg;
	const char *issuer, *audience;
	const char *role, *org, *carer, *scope,
		*subject; /* org, carer, scope, subject may be NULL: scope = all of the role */
	const char *const *councils; /* NULL-terminated, may be NULL */
	int64_t ttl_s;               /* negative: a token that has expired */
};

/* The compact token, to be freed. */
must_check bool mint_token(const struct mint *mint, char **ret_token, struct problem *p);
/* The scopes that a role is given by default. NULL for an unknown role. */
const char *mint_scopes(const char *role);
