/* One verification key, checked before it is taken. */
#include "auth/key.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "auth/openssl_auto.h"
#include "base/text.h"

bool kid_well_formed(const char *kid)
{
	static const char signs[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-";
	size_t size = strspn(kid, signs);

	return size > 0 && size <= KID_LIMIT && kid[size] == '\0';
}

void key_done(struct key *key)
{
	if (key->material)
		explicit_bzero(key->material, key->size);
	free(key->material);
	free(key->kid);
	EVP_PKEY_free(key->public);
	*key = (struct key){ 0 };
}

static bool key_give(struct key *key, struct key *ret_key, struct problem *p)
{
	if (!key->kid || !key->material)
		return problem(p, PROBLEM_INTERNAL, "cannot be kept: memory runs out");
	*ret_key = *key;
	*key = (struct key){ 0 };
	return true;
}

bool key_from_secret(const struct key_name *name, const void *secret, size_t size,
                     struct key *ret_key, struct problem *p)
{
	key_auto key = { .alg = name->alg };

	if (name->alg->kind != ALG_HMAC)
		return problem(p, PROBLEM_INTERNAL,
		               "is a secret, but its algorithm wants a public key");
	if (size < HMAC_KEY_MIN)
		return problem(p, PROBLEM_INTERNAL, "is weak: a secret has at least %d bytes",
		               HMAC_KEY_MIN);
	if (size > HMAC_KEY_MAX)
		return problem(p, PROBLEM_INTERNAL, "is too long: a secret has at most %d bytes",
		               HMAC_KEY_MAX);
	key.kid = text_copy(name->kid);
	key.material = text_copy_n(secret, size);
	key.size = size;
	return key_give(&key, ret_key, p);
}

/* The public key as PEM, which is how libjwt takes it. */
static char *pem_of(EVP_PKEY *public, size_t *ret_size)
{
	bio_auto *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long size;

	if (!bio || PEM_write_bio_PUBKEY(bio, public) != 1)
		return NULL;
	size = BIO_get_mem_data(bio, &text);
	if (size <= 0)
		return NULL;
	*ret_size = (size_t)size;
	return text_copy_n(text, (size_t)size);
}

static bool rsa_fits(EVP_PKEY *public, struct problem *p)
{
	if (EVP_PKEY_get_base_id(public) != EVP_PKEY_RSA)
		return problem(p, PROBLEM_INTERNAL,
		               "is not an RSA key, but its algorithm wants one");
	if (EVP_PKEY_get_bits(public) < RSA_BITS_MIN)
		return problem(p, PROBLEM_INTERNAL, "is weak: RSA has at least %d bits",
		               RSA_BITS_MIN);
	if (EVP_PKEY_get_bits(public) > RSA_BITS_MAX)
		return problem(p, PROBLEM_INTERNAL, "is too long: RSA has at most %d bits",
		               RSA_BITS_MAX);
	return true;
}

static bool ec_fits(EVP_PKEY *public, const struct alg *alg, struct problem *p)
{
	char group[64];
	size_t size;

	if (EVP_PKEY_get_base_id(public) != EVP_PKEY_EC)
		return problem(p, PROBLEM_INTERNAL,
		               "is not an EC key, but its algorithm wants one");
	if (EVP_PKEY_get_utf8_string_param(public, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
	                                   &size) != 1 ||
	    strcmp(group, alg->group) != 0)
		return problem(p, PROBLEM_INTERNAL, "is on another curve than %s, which %s wants",
		               alg->crv, alg->name);
	return true;
}

/* The point is on the curve; the modulus and the exponent can be those of an RSA key. */
static bool sound(EVP_PKEY *public)
{
	pkey_ctx_auto *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, public, NULL);

	return ctx && EVP_PKEY_public_check(ctx) == 1;
}

bool key_from_public(const struct key_name *name, EVP_PKEY *public, struct key *ret_key,
                     struct problem *p)
{
	key_auto key = { .alg = name->alg, .public = public };

	if (!public)
		return problem(p, PROBLEM_INTERNAL, "is not a public key that OpenSSL reads");
	if (name->alg->kind == ALG_HMAC)
		return problem(p, PROBLEM_INTERNAL,
		               "is a public key, but its algorithm wants a secret");
	if (!(name->alg->kind == ALG_RSA ? rsa_fits(public, p) : ec_fits(public, name->alg, p)))
		return false;
	if (!sound(public))
		return problem(p, PROBLEM_INTERNAL, "is not sound: OpenSSL's check of it fails");
	key.kid = text_copy(name->kid);
	key.material = pem_of(public, &key.size);
	return key_give(&key, ret_key, p);
}

bool key_from_pem(const struct key_name *name, const char *pem, size_t size, struct key *ret_key,
                  struct problem *p)
{
	bio_auto *bio = BIO_new_mem_buf(pem, (int)size);

	if (strstr(pem, "PRIVATE KEY-----"))
		return problem(p, PROBLEM_INTERNAL,
		               "is a private key: a service that verifies holds public ones");
	if (!bio)
		return problem(p, PROBLEM_INTERNAL, "cannot be read: memory runs out");
	return key_from_public(name, PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL), ret_key, p);
}

bool key_copy(const struct key *key, struct key *ret_key)
{
	key_auto copy = { .alg = key->alg, .size = key->size };

	copy.kid = text_copy(key->kid);
	copy.material = text_copy_n(key->material, key->size);
	if (key->public && EVP_PKEY_up_ref(key->public) == 1)
		copy.public = key->public;
	if (!copy.kid || !copy.material || copy.public != key->public)
		return false;
	*ret_key = copy;
	copy = (struct key){ 0 };
	return true;
}

bool key_same(const struct key *a, const struct key *b)
{
	return a->alg == b->alg && strcmp(a->kid, b->kid) == 0 &&
	       text_same_secret(a->material, a->size, b->material, b->size);
}
