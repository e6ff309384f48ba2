/* The outside of a compact token (RFC 7515): three parts, and a header that says little and nothing
 * we would not check. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "auth/alg.h"
#include "auth/key.h"
#include "base/attr.h"
#include "base/problem.h"

struct jose {
	const char *token;
	const struct alg
		*alg; /* what the header says: to be compared with the key's, never believed */
	char kid[KID_LIMIT + 1];
	bool plain_jwt;     /* typ JWT; else at+jwt */
	size_t header_size; /* characters before the first dot */
	size_t signed_size; /* characters of "header.payload", which the signature covers */
	unsigned char signature[SIGNATURE_MAX];
	size_t signature_size;
};

/* These fail with UNAUTHENTICATED, invalid_token and a sentence. The token is borrowed. */
must_check bool jose_read(const char *token, struct jose *ret_jose, struct problem *p);
/* What the token claims: to be read once its signature is known to be good. */
must_check bool jose_claims(const struct jose *jose, json_t **ret_claims, struct problem *p);

/* Refuses the token with a sentence, which never holds anything of the token. */
static inline bool token_refused(struct problem *p, const char *why)
{
	p->challenge = "invalid_token";
	return problem(p, PROBLEM_UNAUTHENTICATED, "%s", why);
}
