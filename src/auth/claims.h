/* The claims of a token (RFC 9068 and our own), each checked, to a principal. */
#pragma once

#include <jansson.h>

#include "auth/principal.h"
#include "base/problem.h"

struct claims_rules {
	const char *issuer, *audience;
	int64_t now; /* seconds since 1970 */
	unsigned skew_s;
	const char *mfa_roles; /* comma-separated: `amr` of these must have mfa; NULL: of none */
};

/* UNAUTHENTICATED, invalid_token and a sentence that names the claim on failure. */
must_check bool claims_read(const json_t *claims, const struct claims_rules *rules,
                            const struct principal **ret_principal, struct problem *p);
/* A token with this exp is dead at `now`. */
bool claims_expired(int64_t exp, int64_t now, unsigned skew_s);
