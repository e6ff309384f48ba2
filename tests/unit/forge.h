/* Keys, tokens and JWKS made by the tests themselves: the identity provider, and those who would
 * like to be one. */
#pragma once

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/alg.h"
#include "auth/openssl_auto.h"
#include "auth/signature.h"
#include "auth/token.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"

#define FORGE_ISSUER   "https://idp.example.org/"
#define FORGE_AUDIENCE "carers-api"
#define FORGE_ORG      "018f0000-0000-7000-8000-000000000001"
#define FORGE_CARER    "018f0000-0000-7000-8000-000000000002"

enum { FORGE_NOW = 1800000000 }; /* seconds since 1970 at which the tests hold the clock */

/* A folder of this test alone, under TMPDIR. */
struct forge_folder {
	char path[128];
};

static inline void forge_folder_make(struct forge_folder *folder)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder->path, sizeof folder->path, "%s/carers-auth-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder->path))
		abort();
}

static inline const char *forge_path(const struct forge_folder *folder, const char *name,
                                     char ret_path[static 256])
{
	snprintf(ret_path, 256, "%s/%s", folder->path, name);
	return ret_path;
}

static inline void forge_write(const struct forge_folder *folder, const char *name,
                               const char *data, size_t size)
{
	char path[256];
	FILE *file = fopen(forge_path(folder, name, path), "wb");

	if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
		abort();
}

static inline void forge_remove(const struct forge_folder *folder, const char *name)
{
	char path[256];

	unlink(forge_path(folder, name, path));
}

static inline EVP_PKEY *forge_rsa(size_t bits)
{
	return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits);
}
static inline EVP_PKEY *forge_ec(const char *group)
{
	return EVP_PKEY_Q_keygen(NULL, NULL, "EC", group);
}

/* PEM text to be freed. */
static inline char *forge_pem(EVP_PKEY *key, bool private)
{
	bio_auto *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long size;
	int good = private ? PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)
	                   : PEM_write_bio_PUBKEY(bio, key);

	if (good != 1)
		abort();
	size = BIO_get_mem_data(bio, &text);
	return text_copy_n(text, (size_t)size);
}

static inline char *forge_base64url(const void *bytes, size_t size)
{
	char *text = malloc(size * 4 / 3 + 4);

	if (text)
		text_base64url_encode(bytes, size, text);
	return text;
}

static inline void forge_jwk_number(json_t *jwk, const char *name, EVP_PKEY *key, const char *param,
                                    int size)
{
	unsigned char bytes[1024];
	bn_auto *number = NULL;
	text_auto *text = NULL;
	int made;

	if (EVP_PKEY_get_bn_param(key, param, &number) != 1)
		abort();
	made = size > 0 ? BN_bn2binpad(number, bytes, size) : BN_bn2bin(number, bytes);
	text = forge_base64url(bytes, (size_t)made);
	json_object_set_new(jwk, name, json_string(text));
}

/* The public key as a JWK; a NULL alg is left out. */
static inline json_t *forge_jwk(EVP_PKEY *key, const char *kid, const char *alg, const char *crv)
{
	const struct alg *of = crv ? alg_by_curve(crv) : NULL;
	json_t *jwk = json_pack("{s:s, s:s*, s:s*, s:s}", "kid", kid, "alg", alg, "crv", crv, "kty",
	                        crv ? "EC" : "RSA");

	if (of) {
		forge_jwk_number(jwk, "x", key, OSSL_PKEY_PARAM_EC_PUB_X, (int)of->part);
		forge_jwk_number(jwk, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y, (int)of->part);
	} else {
		forge_jwk_number(jwk, "n", key, OSSL_PKEY_PARAM_RSA_N, 0);
		forge_jwk_number(jwk, "e", key, OSSL_PKEY_PARAM_RSA_E, 0);
	}
	return jwk;
}

/* Writes {"keys": [...]}; takes the reference of `keys`. */
static inline void forge_jwks(const struct forge_folder *folder, const char *name, json_t *keys)
{
	json_auto_t *document = json_pack("{s:o}", "keys", keys);
	text_auto *text = json_print(document);

	forge_write(folder, name, text, strlen(text));
}

/* "Bearer " and the compact token of these very texts, signed as `alg` says with PEM or secret; to
 * be freed. */
static inline char *forge_texts(const char *alg, const char *key, const char *header,
                                const char *claims)
{
	buf_auto token = { .limit = 64 * KIB };
	text_auto *first = forge_base64url(header, strlen(header));
	text_auto *second = forge_base64url(claims, strlen(claims));
	text_auto *third = NULL;
	unsigned char signature[SIGNATURE_MAX];
	struct signing with = { alg_by_name(alg), key, strlen(key) };
	size_t size;

	if (!buf_addf(&token, "Bearer %s.%s", first, second) ||
	    !signature_make(&with, token.data + 7, token.size - 7, signature, &size))
		abort();
	third = forge_base64url(signature, size);
	if (!buf_addf(&token, ".%s", third))
		abort();
	return buf_take(&token);
}

/* The header of a good token. */
static inline char *forge_header(const char *alg, const char *kid)
{
	json_auto_t *header = json_pack("{s:s, s:s, s:s}", "alg", alg, "kid", kid, "typ", "at+jwt");

	return json_print(header);
}

/* The claims of a good token of a practitioner, with one changed: a NULL `value` takes it away.
 * Takes `value`. */
static inline char *forge_claims(const char *name, json_t *value)
{
	json_auto_t *claims = json_pack(
		"{s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:[s]}", "iss", FORGE_ISSUER, "aud",
		FORGE_AUDIENCE, "exp", (json_int_t)FORGE_NOW + 600, "iat", (json_int_t)FORGE_NOW,
		"sub", "user-1", "client_id", "app", "scope", "carers:read carers:write", "role",
		"practitioner", "councils", "E09000019");

	if (name && value)
		json_object_set_new(claims, name, value);
	else if (name)
		json_object_del(claims, name);
	return json_print(claims);
}
