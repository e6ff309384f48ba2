/* The table of signature algorithms. */
#include "auth/alg.h"

#include <string.h>

#include "base/attr.h"

static const struct alg algs[] = {
	{ .name = "HS256", .jwt = JWT_ALG_HS256, .kind = ALG_HMAC, .digest = "SHA256" },
	{ .name = "RS256", .jwt = JWT_ALG_RS256, .kind = ALG_RSA, .digest = "SHA256" },
	{ .name = "RS384", .jwt = JWT_ALG_RS384, .kind = ALG_RSA, .digest = "SHA384" },
	{ .name = "RS512", .jwt = JWT_ALG_RS512, .kind = ALG_RSA, .digest = "SHA512" },
	{ .name = "ES256",
	  .jwt = JWT_ALG_ES256,
	  .kind = ALG_EC,
	  .digest = "SHA256",
	  .group = "prime256v1",
	  .crv = "P-256",
	  .part = 32 },
	{ .name = "ES384",
	  .jwt = JWT_ALG_ES384,
	  .kind = ALG_EC,
	  .digest = "SHA384",
	  .group = "secp384r1",
	  .crv = "P-384",
	  .part = 48 },
	{ .name = "ES512",
	  .jwt = JWT_ALG_ES512,
	  .kind = ALG_EC,
	  .digest = "SHA512",
	  .group = "secp521r1",
	  .crv = "P-521",
	  .part = 66 },
};

const struct alg *alg_by_name(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(algs); i++)
		if (strcmp(algs[i].name, name) == 0)
			return &algs[i];
	return NULL;
}

const struct alg *alg_by_curve(const char *crv)
{
	for (size_t i = 0; i < COUNT_OF(algs); i++)
		if (algs[i].crv && strcmp(algs[i].crv, crv) == 0)
			return &algs[i];
	return NULL;
}
