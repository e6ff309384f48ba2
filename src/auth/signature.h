/* Signatures (RFC 7515) over the header and payload of a compact token. */
#pragma once

#include "auth/jose.h"
#include "auth/key.h"

/*
 * OpenSSL verifies every signature, with a key that was parsed once. A token of typ JWT must then
 * please libjwt too, whose own reading of the header must come to the key's algorithm. libjwt 1.10
 * cannot do it alone: it refuses every other `typ`, also the at+jwt of RFC 9068, and parses the PEM
 * at each call, which makes a forged signature dear to refuse (290 us against 22 us for RS256).
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
