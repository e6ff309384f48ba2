/* JSON Web Keys: which are taken, and why each other one is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/jwk.h"
#include "forge.h"

static EVP_PKEY *rsa, *rsa_weak, *p256, *p384, *p521;

static int set_up(void **state)
{
	(void)state;
	rsa = forge_rsa(2048);
	rsa_weak = forge_rsa(1024);
	p256 = forge_ec("P-256");
	p384 = forge_ec("P-384");
	p521 = forge_ec("P-521");
	return 0;
}

static int take_down(void **state)
{
	EVP_PKEY *keys[] = { rsa, rsa_weak, p256, p384, p521 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		EVP_PKEY_free(keys[i]);
	return 0;
}

/* Takes `jwk`. */
static void is_taken_as(json_t *jwk, const char *alg)
{
	json_auto_t *owned = jwk;
	key_auto key = { 0 };
	struct problem p = { 0 };

	assert_true(jwk_read(owned, JWK_PUBLISHED, &key, &p));
	assert_string_equal(key.kid, "k");
	assert_string_equal(key.alg->name, alg);
}

static void is_refused(json_t *jwk, const char *sentence)
{
	json_auto_t *owned = jwk;
	key_auto key = { 0 };
	struct problem p = { 0 };

	assert_false(jwk_read(owned, JWK_PUBLISHED, &key, &p));
	assert_string_equal(p.detail, sentence);
}

/* The JWK with one member set (a NULL value takes it away). */
static json_t *with(json_t *jwk, const char *name, json_t *value)
{
	if (value)
		json_object_set_new(jwk, name, value);
	else
		json_object_del(jwk, name);
	return jwk;
}

static void rsa_and_ec_keys_are_taken(void **state)
{
	(void)state;
	is_taken_as(forge_jwk(rsa, "k", "RS256", NULL), "RS256");
	is_taken_as(forge_jwk(rsa, "k", "RS384", NULL), "RS384");
	is_taken_as(forge_jwk(rsa, "k", "RS512", NULL), "RS512");
	is_taken_as(forge_jwk(p256, "k", "ES256", "P-256"), "ES256");
	is_taken_as(forge_jwk(p384, "k", "ES384", "P-384"), "ES384");
	is_taken_as(forge_jwk(p521, "k", "ES512", "P-521"), "ES512");
	is_taken_as(with(forge_jwk(rsa, "k", "RS256", NULL), "use", json_string("sig")), "RS256");
	is_taken_as(with(forge_jwk(rsa, "k", "RS256", NULL), "key_ops", json_pack("[s]", "verify")),
	            "RS256");
}

static void a_curve_says_its_algorithm_and_rsa_does_not(void **state)
{
	(void)state;
	is_taken_as(forge_jwk(p256, "k", NULL, "P-256"), "ES256");
	is_taken_as(forge_jwk(p384, "k", NULL, "P-384"), "ES384");
	is_taken_as(forge_jwk(p521, "k", NULL, "P-521"), "ES512");
	is_refused(forge_jwk(rsa, "k", NULL, NULL), "has no alg that is known here");
}

/* What is wrong with a key like this when the members are changed as `patch` says (null takes one
 * away). */
struct fault {
	const char *patch, *sentence;
};

static void are_refused(EVP_PKEY *key, const char *crv, const struct fault *faults, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_auto_t *patch = json_loads(faults[i].patch, 0, NULL);
		json_t *jwk = forge_jwk(key, "k", crv ? "ES256" : "RS256", crv);
		const char *name;
		json_t *value;

		assert_non_null(patch);
		json_object_foreach (patch, name, value)
			with(jwk, name, json_is_null(value) ? NULL : json_incref(value));
		is_refused(jwk, faults[i].sentence);
	}
}

static void each_fault_of_an_rsa_key_has_its_sentence(void **state)
{
	static const char kid[] = "has no kid of 1 to 128 of A-Z a-z 0-9 . _ ~ -";
	static const char alg[] = "has no alg that is known here";
	static const char numbers[] = "has no n or e in base64url";
	static const char private[] = "is a private key: a service that verifies holds public ones";
	static const struct fault faults[] = {
		{ "{\"kid\": null}", kid },
		{ "{\"kid\": 1}", kid },
		{ "{\"kid\": \"\"}", kid },
		{ "{\"kid\": \"../k\"}", kid },
		{ "{\"kid\": \"k' OR '1'='1\"}", kid },
		{ "{\"kty\": null}", "has no kty" },
		{ "{\"kty\": \"OKP\"}", "is of a kty that is not known here" },
		{ "{\"alg\": null}", alg },
		{ "{\"alg\": \"PS256\"}", alg },
		{ "{\"alg\": \"none\"}", alg },
		{ "{\"alg\": 256}", alg },
		{ "{\"alg\": \"HS256\"}", "is a public key, but its algorithm wants a secret" },
		{ "{\"alg\": \"ES256\"}", "is not an EC key, but its algorithm wants one" },
		{ "{\"n\": null}", numbers },
		{ "{\"n\": \"not base64url\"}", numbers },
		{ "{\"e\": \"\"}", numbers },
		{ "{\"e\": \"AQ\"}", "is not sound: OpenSSL's check of it fails" },
		{ "{\"n\": \"AQAB\"}", "is weak: RSA has at least 2048 bits" },
		{ "{\"d\": \"AQAB\"}", private },
		{ "{\"p\": \"AQAB\"}", private },
		{ "{\"key_ops\": [\"encrypt\"]}", "is not for verifying, as its key_ops say" },
	};

	(void)state;
	are_refused(rsa, NULL, faults, COUNT_OF(faults));
	is_refused(json_string("key"), kid);
	is_refused(forge_jwk(rsa_weak, "k", "RS256", NULL), "is weak: RSA has at least 2048 bits");
}

static void each_fault_of_an_ec_key_has_its_sentence(void **state)
{
	static const char curve[] = "is on another curve than P-256, which ES256 wants";
	static const char point[] = "has no x or y of 32 bytes in base64url";
	static const struct fault faults[] = {
		{ "{\"alg\": \"RS256\"}", "is an EC key, but its algorithm wants another" },
		{ "{\"alg\": \"HS256\"}", "is an EC key, but its algorithm wants another" },
		{ "{\"alg\": \"ES384\"}", "is on another curve than P-384, which ES384 wants" },
		{ "{\"crv\": null}", curve },
		{ "{\"crv\": \"P-384\"}", curve },
		{ "{\"crv\": \"secp256k1\"}", curve },
		{ "{\"alg\": null, \"crv\": \"secp256k1\"}", "has no alg that is known here" },
		{ "{\"x\": \"AAAA\"}", point },
		{ "{\"y\": \"not base64url\"}", point },
		{ "{\"y\": null}", point },
		{ "{\"d\": \"AQAB\"}",
		  "is a private key: a service that verifies holds public ones" },
	};

	(void)state;
	are_refused(p256, "P-256", faults, COUNT_OF(faults));
	is_refused(forge_jwk(p384, "k", "ES256", "P-384"), curve);
}

static void a_point_off_the_curve_is_no_key(void **state)
{
	json_t *jwk = forge_jwk(p256, "k", "ES256", "P-256");

	(void)state;
	json_object_set(jwk, "y", json_object_get(jwk, "x"));
	is_refused(jwk, "is not a public key that OpenSSL reads");
}

static void a_secret_is_taken_from_a_file_and_never_from_what_is_published(void **state)
{
	json_auto_t *jwk = json_pack("{s:s, s:s, s:s, s:s}", "kty", "oct", "kid", "k", "alg",
	                             "HS256", "k", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY");
	key_auto key = { 0 };
	struct problem p = { 0 };

	(void)state;
	assert_false(jwk_read(jwk, JWK_PUBLISHED, &key, &p));
	assert_string_equal(p.detail, "is a secret, which must not be published");
	assert_true(jwk_read(jwk, JWK_PRIVATE_FILE, &key, &p));
	assert_int_equal(key.size, 32);
}

static void a_short_secret_is_weak(void **state)
{
	json_auto_t *jwk = json_pack("{s:s, s:s, s:s, s:s}", "kty", "oct", "kid", "k", "alg",
	                             "HS256", "k", "MDEyMzQ1");
	key_auto key = { 0 };
	struct problem p = { 0 };

	(void)state;
	assert_false(jwk_read(jwk, JWK_PRIVATE_FILE, &key, &p));
	assert_string_equal(p.detail, "is weak: a secret has at least 32 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rsa_and_ec_keys_are_taken),
		cmocka_unit_test(a_curve_says_its_algorithm_and_rsa_does_not),
		cmocka_unit_test(each_fault_of_an_rsa_key_has_its_sentence),
		cmocka_unit_test(each_fault_of_an_ec_key_has_its_sentence),
		cmocka_unit_test(a_point_off_the_curve_is_no_key),
		cmocka_unit_test(a_secret_is_taken_from_a_file_and_never_from_what_is_published),
		cmocka_unit_test(a_short_secret_is_weak),
	};

	json_start();
	return cmocka_run_group_tests(tests, set_up, take_down);
}
