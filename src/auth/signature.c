/* Signatures: made by OpenSSL, verified by OpenSSL and libjwt (signature.h says when and why). */
#include "auth/signature.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <string.h>

#include "auth/openssl_auto.h"

enum { HMAC_SIZE = 32 }; /* bytes of an HS256 signature */

static void jwt_freep(jwt_t **jwt) { jwt_free(*jwt); }

static bool by_libjwt(const char *token, const struct key *key)
{
	owned_by(jwt_freep) jwt_t *jwt = NULL;

	if (key->size > INT_MAX ||
	    jwt_decode(&jwt, token, (const unsigned char *)key->material, (int)key->size) != 0)
		return false;
	return jwt_get_alg(jwt) == key->alg->jwt; /* it believes the token's own header */
}

/* The two halves (RFC 7518, 3.4) as the DER that OpenSSL takes, or NULL. */
static unsigned char *der_of(const unsigned char *signature, size_t part, size_t *ret_size)
{
	ecdsa_sig_auto *pair = ECDSA_SIG_new();
	bn_auto *r = BN_bin2bn(signature, (int)part, NULL);
	bn_auto *s = BN_bin2bn(signature + part, (int)part, NULL);
	unsigned char *der = NULL;
	int size;

	if (!pair || !r || !s || ECDSA_SIG_set0(pair, r, s) != 1)
		return NULL;
	r = s = NULL; /* the pair has them */
	size = i2d_ECDSA_SIG(pair, &der);
	if (size <= 0)
		return NULL;
	*ret_size = (size_t)size;
	return der;
}

static bool by_public_key(const struct jose *jose, const unsigned char *signature, size_t size,
                          const struct key *key)
{
	md_ctx_auto *ctx = EVP_MD_CTX_new();

	return ctx &&
	       EVP_DigestVerifyInit_ex(ctx, NULL, key->alg->digest, NULL, NULL, key->public,
	                               NULL) == 1 &&
	       EVP_DigestVerify(ctx, signature, size, (const unsigned char *)jose->token,
	                        jose->signed_size) == 1;
}

static bool by_openssl(const struct jose *jose, const struct key *key)
{
	unsigned char made[EVP_MAX_MD_SIZE];
	der_auto *der = NULL;
	size_t der_size = 0;
	unsigned size;

	if (key->alg->kind == ALG_RSA)
		return by_public_key(jose, jose->signature, jose->signature_size, key);
	if (key->alg->kind == ALG_EC) {
		der = der_of(jose->signature, key->alg->part, &der_size);
		return der && by_public_key(jose, der, der_size, key);
	}
	return HMAC(EVP_sha256(), key->material, (int)key->size, (const unsigned char *)jose->token,
	            jose->signed_size, made, &size) &&
	       CRYPTO_memcmp(made, jose->signature, size) == 0;
}

/* Bytes that a signature with this key has. */
static size_t wanted_size(const struct key *key)
{
	if (key->alg->kind == ALG_HMAC)
		return HMAC_SIZE;
	return key->alg->kind == ALG_EC ? 2 * key->alg->part
	                                : (size_t)EVP_PKEY_get_size(key->public);
}

bool signature_good(const struct jose *jose, const struct key *key)
{
	if (jose->alg != key->alg || jose->signature_size != wanted_size(key))
		return false;
	return by_openssl(jose, key) && (!jose->plain_jwt || by_libjwt(jose->token, key));
}

/* DER to the two halves, each padded to `part` bytes. */
static bool halves_of(const unsigned char *der, size_t size, size_t part,
                      unsigned char *ret_signature)
{
	ecdsa_sig_auto *pair = d2i_ECDSA_SIG(NULL, &der, (long)size);

	return pair &&
	       BN_bn2binpad(ECDSA_SIG_get0_r(pair), ret_signature, (int)part) == (int)part &&
	       BN_bn2binpad(ECDSA_SIG_get0_s(pair), ret_signature + part, (int)part) == (int)part;
}

/* A key that wants a passphrase is not asked for on the terminal: it is refused. */
static EVP_PKEY *private_key(const struct signing *with)
{
	static char no_passphrase[] = "";
	bio_auto *bio = BIO_new_mem_buf(with->key, (int)with->key_size);
	pkey_auto *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, no_passphrase) : NULL;

	if (!key ||
	    EVP_PKEY_get_base_id(key) !=
	            (with->alg->kind == ALG_RSA ? EVP_PKEY_RSA : EVP_PKEY_EC) ||
	    EVP_PKEY_get_size(key) > SIGNATURE_MAX)
		return NULL;
	return TAKE(key);
}

static bool sign_private(const struct signing *with, const char *text, size_t size,
                         unsigned char *ret_signature, size_t *ret_size)
{
	pkey_auto *key = private_key(with);
	md_ctx_auto *ctx = EVP_MD_CTX_new();
	unsigned char made[SIGNATURE_MAX];
	size_t made_size = sizeof made;

	if (!key || !ctx ||
	    EVP_DigestSignInit_ex(ctx, NULL, with->alg->digest, NULL, NULL, key, NULL) != 1 ||
	    EVP_DigestSign(ctx, made, &made_size, (const unsigned char *)text, size) != 1)
		return false;
	*ret_size = with->alg->kind == ALG_EC ? 2 * with->alg->part : made_size;
	if (with->alg->kind == ALG_EC)
		return halves_of(made, made_size, with->alg->part, ret_signature);
	memcpy(ret_signature, made, made_size);
	return true;
}

bool signature_make(const struct signing *with, const char *text, size_t size,
                    unsigned char *ret_signature, size_t *ret_size)
{
	unsigned made;

	if (with->alg->kind != ALG_HMAC)
		return sign_private(with, text, size, ret_signature, ret_size);
	if (!HMAC(EVP_sha256(), with->key, (int)with->key_size, (const unsigned char *)text, size,
	          ret_signature, &made))
		return false;
	*ret_size = made;
	return true;
}
