/*
 * Access tokens (RFC 9068, RFC 8725): verified against the key and the one algorithm bound to their
 * kid; then typ, iss, aud, exp, nbf, iat and our own claims are checked here, because libjwt does
 * not. `typ` is at+jwt, or JWT, which most identity providers still write. Verified tokens are
 * remembered by the SHA-256 of the whole token, bounded, never beyond their exp (and the skew) nor
 * beyond the key set they were verified with; refused ones are not remembered.
 */
#pragma once

#include "auth/keys.h"
#include "auth/principal.h"

enum { TOKEN_LIMIT = 8192 }; /* bytes a token may have */

struct tokens;

struct tokens_config {
	const char *issuer, *audience;
	unsigned skew_s;
	size_t cache;          /* tokens remembered; 0: none */
	const char *mfa_roles; /* comma-separated roles whose tokens must have mfa in `amr` */
};

struct tokens_state {
	uint64_t hits, misses; /* since the start */
	size_t cached;
};

/* Every word of the comma-separated list is a role that tokens may carry. */
bool tokens_roles_known(const char *roles);
/* `keys` is borrowed and must outlive it. NULL when memory runs out. */
struct tokens *tokens_new(const struct tokens_config *config, struct keys *keys);
/* After the threads that used it have ended. Takes NULL. */
void tokens_free(struct tokens *tokens);

/*
 * The value of an Authorization header to a principal, which the caller releases. NULL
 * `authorization`: UNAUTHENTICATED without a challenge error. A bad token: UNAUTHENTICATED with
 * challenge "invalid_token" and a sentence that says which check failed, never the token. A header
 * that is not `Bearer TOKEN`: "invalid_request".
 */
must_check bool tokens_verify(struct tokens *tokens, const char *authorization,
                              const struct principal **ret_principal, struct problem *p);
struct tokens_state tokens_state(struct tokens *tokens);
