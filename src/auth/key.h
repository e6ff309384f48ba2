/* One verification key: its kid, its one algorithm, its material. Private keys are never taken. */
#pragma once

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "auth/alg.h"
#include "base/attr.h"
#include "base/problem.h"

enum { KID_LIMIT = 128, KEY_FILE_LIMIT = 16 * 1024 };

struct key {
	char *kid;
	const struct alg *alg;
	char *material; /* PEM with the public key, or the bytes of an HMAC secret; what libjwt
	                   takes */
	size_t size;
	EVP_PKEY *public; /* NULL for HMAC */
};

/* 1 to 128 of [A-Za-z0-9._~-]: so a path, a query or SQL is no kid. */
bool kid_well_formed(const char *kid);
/* What a key is to be, before its material is looked at. */
struct key_name {
	const char *kid;
	const struct alg *alg;
};

/* These fill `ret_key` whole or leave it alone. Each sentence reads after "the key". */
must_check bool key_from_secret(const struct key_name *name, const void *secret, size_t size,
                                struct key *ret_key, struct problem *p);
/* Takes over `public`, also on failure; NULL is a failure. */
must_check bool key_from_public(const struct key_name *name, EVP_PKEY *public, struct key *ret_key,
                                struct problem *p);
must_check bool key_from_pem(const struct key_name *name, const char *pem, size_t size,
                             struct key *ret_key, struct problem *p);
must_check bool key_copy(const struct key *key, struct key *ret_key);
bool key_same(const struct key *a, const struct key *b);
void key_done(struct key *key);

#define key_auto owned_by(key_done) struct key
