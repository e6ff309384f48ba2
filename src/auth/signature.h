/* Signatures (RFC 7515) over the header and payload of a compact token. */
#pragma once

#include "auth/jose.h"
#include "auth/key.h"

/*
 * libjwt 1.10 refuses every `typ` but JWT, before it looks at the signature; RFC 9068 wants at+jwt.
 * So libjwt verifies tokens of typ JWT, and OpenSSL those of typ at+jwt, both with the same key
 * under the same checks.
 */
bool signature_good(const struct jose *jose, const struct key *key);
struct signing {
	const struct alg *alg;
	const char *key; /* PEM private key, or the bytes of a secret */
	size_t key_size;
};

/* ret_signature has room for SIGNATURE_MAX. */
must_check bool signature_make(const struct signing *with, const char *text, size_t size,
                               unsigned char *ret_signature, size_t *ret_size);
