/* JSON Web Keys to verification keys, through OpenSSL's parameters. */
#include "auth/jwk.h"

#include <openssl/core_names.h>
#include <stdlib.h>
#include <string.h>

#include "auth/openssl_auto.h"
#include "base/json.h"
#include "base/text.h"

enum {
	MEMBER_MAX =
		2048, /* base64url characters of a number or a secret: more than any key we take */
	POINT_MAX = 1 + 2 * 66,
};

struct bytes {
	unsigned char data[MEMBER_MAX];
	size_t size;
};

/* What only the owner of a private key has (RFC 7518, 6.2.2 and 6.3.2). */
static const char *const private_members[] = { "d", "p", "q", "dp", "dq", "qi", "oth" };

bool jwk_for_others(const json_t *jwk)
{
	const char *use = json_text(jwk, "use");

	return use && strcmp(use, "sig") != 0;
}

static bool member(const json_t *jwk, const char *name, struct bytes *ret_bytes)
{
	const char *text = json_text(jwk, name);
	size_t size = text ? strlen(text) : 0;

	return size > 0 && size <= MEMBER_MAX &&
	       text_base64url_decode(text, size, ret_bytes->data, &ret_bytes->size);
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *build)
{
	params_auto *params = OSSL_PARAM_BLD_to_param(build);
	pkey_ctx_auto *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *made = NULL;

	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &made, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return made;
}

static bool rsa_read(const json_t *jwk, const struct key_name *name, struct key *ret_key,
                     struct problem *p)
{
	param_bld_auto *build = OSSL_PARAM_BLD_new();
	bn_auto *modulus = NULL;
	bn_auto *exponent = NULL;
	struct bytes n, e;

	if (!member(jwk, "n", &n) || !member(jwk, "e", &e))
		return problem(p, PROBLEM_INTERNAL, "has no n or e in base64url");
	modulus = BN_bin2bn(n.data, (int)n.size, NULL);
	exponent = BN_bin2bn(e.data, (int)e.size, NULL);
	if (!build || !modulus || !exponent ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) != 1)
		return problem(p, PROBLEM_INTERNAL, "cannot be read: memory runs out");
	return key_from_public(name, from_params("RSA", build), ret_key, p);
}

static bool ec_read(const json_t *jwk, const struct key_name *name, struct key *ret_key,
                    struct problem *p)
{
	param_bld_auto *build = OSSL_PARAM_BLD_new();
	const struct alg *alg = name->alg;
	const char *crv = json_text(jwk, "crv");
	unsigned char point[POINT_MAX] = { 0x04 }; /* SEC 1, 2.3.3: both coordinates follow */
	struct bytes x, y;

	if (alg->kind != ALG_EC)
		return problem(p, PROBLEM_INTERNAL,
		               "is an EC key, but its algorithm wants another");
	if (!crv || strcmp(crv, alg->crv) != 0)
		return problem(p, PROBLEM_INTERNAL, "is on another curve than %s, which %s wants",
		               alg->crv, alg->name);
	if (!member(jwk, "x", &x) || !member(jwk, "y", &y) || x.size != alg->part ||
	    y.size != alg->part)
		return problem(p, PROBLEM_INTERNAL, "has no x or y of %zu bytes in base64url",
		               alg->part);
	memcpy(point + 1, x.data, alg->part);
	memcpy(point + 1 + alg->part, y.data, alg->part);
	if (!build ||
	    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, alg->group, 0) !=
	            1 ||
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
	                                     1 + 2 * alg->part) != 1)
		return problem(p, PROBLEM_INTERNAL, "cannot be read: memory runs out");
	return key_from_public(name, from_params("EC", build), ret_key, p);
}

static bool oct_read(const json_t *jwk, const struct key_name *name, struct key *ret_key,
                     struct problem *p)
{
	struct bytes k;
	bool good;

	if (!member(jwk, "k", &k))
		return problem(p, PROBLEM_INTERNAL, "has no k in base64url");
	good = key_from_secret(name, k.data, k.size, ret_key, p);
	explicit_bzero(&k, sizeof k);
	return good;
}

static const struct {
	const char *kty;
	bool (*read)(const json_t *jwk, const struct key_name *name, struct key *ret_key,
	             struct problem *p);
} types[] = {
	{ "RSA", rsa_read },
	{ "EC", ec_read },
	{ "oct", oct_read },
};

/* What the key says it may be used for (RFC 7517, 4.3), when it says so. */
static bool may_verify(const json_t *jwk)
{
	const json_t *ops = json_object_get(jwk, "key_ops");
	const json_t *op;
	size_t i;

	if (!ops)
		return true;
	json_array_foreach (ops, i, op)
		if (json_is_string(op) && strcmp(json_string_value(op), "verify") == 0)
			return true;
	return false;
}

static bool has_private(const json_t *jwk)
{
	for (size_t i = 0; i < COUNT_OF(private_members); i++)
		if (json_object_get(jwk, private_members[i]))
			return true;
	return false;
}

/* The alg as given; an EC key without one has the one that its curve has. RSA has three: it must
 * say. */
static const struct alg *alg_of(const json_t *jwk, const char *kty)
{
	const json_t *alg = json_object_get(jwk, "alg");
	const char *crv = json_text(jwk, "crv");

	if (alg)
		return json_is_string(alg) ? alg_by_name(json_string_value(alg)) : NULL;
	return crv && strcmp(kty, "EC") == 0 ? alg_by_curve(crv) : NULL;
}

bool jwk_read(const json_t *jwk, enum jwk_source source, struct key *ret_key, struct problem *p)
{
	const char *kty = json_text(jwk, "kty");
	struct key_name name = { .kid = json_text(jwk, "kid") };

	if (!name.kid || !kid_well_formed(name.kid))
		return problem(p, PROBLEM_INTERNAL, "has no kid of 1 to %d of A-Z a-z 0-9 . _ ~ -",
		               KID_LIMIT);
	if (!kty)
		return problem(p, PROBLEM_INTERNAL, "has no kty");
	if (has_private(jwk))
		return problem(p, PROBLEM_INTERNAL,
		               "is a private key: a service that verifies holds public ones");
	if (!may_verify(jwk))
		return problem(p, PROBLEM_INTERNAL, "is not for verifying, as its key_ops say");
	if (strcmp(kty, "oct") == 0 && source == JWK_PUBLISHED)
		return problem(p, PROBLEM_INTERNAL, "is a secret, which must not be published");
	name.alg = alg_of(jwk, kty);
	if (!name.alg)
		return problem(p, PROBLEM_INTERNAL, "has no alg that is known here");
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (strcmp(types[i].kty, kty) == 0)
			return types[i].read(jwk, &name, ret_key, p);
	return problem(p, PROBLEM_INTERNAL, "is of a kty that is not known here");
}
