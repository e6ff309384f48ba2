/* The seven signature algorithms (RFC 7518, 3.1) that this service knows, and what each asks of a
 * key. */
#pragma once

#include <jwt.h>
#include <stddef.h>

enum alg_kind { ALG_HMAC, ALG_RSA, ALG_EC };

enum {
	HMAC_KEY_MIN = 32,    /* bytes: RFC 7518, 3.2, a key as long as the hash */
	HMAC_KEY_MAX = 1024,  /* bytes */
	RSA_BITS_MIN = 2048,  /* RFC 7518, 3.3 */
	RSA_BITS_MAX = 8192,  /* a check of more takes too long */
	SIGNATURE_MAX = 1024, /* bytes: RSA of RSA_BITS_MAX */
};

struct alg {
	const char *name;
	jwt_alg_t jwt;
	enum alg_kind kind;
	const char *digest; /* OpenSSL's name */
	const char *group;  /* EC: OpenSSL's name of the only curve */
	const char *crv;    /* EC: the JWK's name of it */
	size_t part;        /* EC: bytes of a coordinate, and of each half of a signature */
};

/* NULL for any other name; names are case-sensitive. */
const struct alg *alg_by_name(const char *name);
/* The algorithm that an EC key on this JWK curve has (there is only one), or NULL. */
const struct alg *alg_by_curve(const char *crv);
