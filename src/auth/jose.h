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
	const struct alg
		*alg; /* what the header says: to be compared with the key's, never believed */
	char kid[KID_LIMIT + 1];
	bool plain_jwt;     /* typ JWT; else at+jwt */
	size_t signed_size; /* bytes of "header.payload", which the signature covers */
	json_t *claims;     /* not to be believed before the signature is */
	unsigned char signature[SIGNATURE_MAX];
	size_t signature_size;
};

/* UNAUTHENTICATED, invalid_token and a sentence on failure. */
must_check bool jose_read(const char *token, struct jose *ret_jose, struct problem *p);
void jose_done(struct jose *jose);

#define jose_auto owned_by(jose_done) struct jose

/* Refuses the token with a sentence, which never holds anything of the token. */
static inline bool token_refused(struct problem *p, const char *why)
{
	p->challenge = "invalid_token";
	return problem(p, PROBLEM_UNAUTHENTICATED, "%s", why);
}
