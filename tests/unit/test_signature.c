/* Signatures: only the right bytes of the right key over the right text, for all seven algorithms
 * and both verifiers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forge.h"

#define TEXT   "eyJhbGciOiJ4In0.eyJzdWIiOiJ4In0"
#define SECRET "0123456789abcdef0123456789abcdef"

/* One key for each algorithm, and another of the same kind. */
static struct {
	const char *alg, *group;
	struct key key, other;
	char *private;
} ring[] = {
	{ .alg = "HS256" },
	{ .alg = "RS256" },
	{ .alg = "RS384" },
	{ .alg = "RS512" },
	{ .alg = "ES256", .group = "P-256" },
	{ .alg = "ES384", .group = "P-384" },
	{ .alg = "ES512", .group = "P-521" },
};

enum { HS256, RS256, ES256 = 4, ES384 };

static bool fill(size_t i, struct key *ret_key, char **ret_private)
{
	struct key_name name = { "k", alg_by_name(ring[i].alg) };
	EVP_PKEY *pair = NULL;
	struct problem p = { 0 };

	if (name.alg->kind == ALG_HMAC) {
		const char *secret = ret_private ? SECRET : "another secret of thirty-two bytes";

		if (ret_private)
			*ret_private = text_copy(secret);
		return key_from_secret(&name, secret, 32, ret_key, &p);
	}
	pair = ring[i].group ? forge_ec(ring[i].group) : forge_rsa(2048);
	if (ret_private)
		*ret_private = forge_pem(pair, true);
	return key_from_public(&name, pair, ret_key, &p);
}

static int set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ring); i++)
		if (!fill(i, &ring[i].key, &ring[i].private) || !fill(i, &ring[i].other, NULL))
			return -1;
	return 0;
}

static int take_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ring); i++) {
		key_done(&ring[i].key);
		key_done(&ring[i].other);
		free(ring[i].private);
	}
	return 0;
}

/* What the parser would make of a token at+jwt with this signature. */
static struct jose signed_by(size_t i)
{
	struct jose jose = { .token = TEXT, .alg = ring[i].key.alg, .signed_size = strlen(TEXT) };
	struct signing with = { jose.alg, ring[i].private, strlen(ring[i].private) };

	assert_true(
		signature_make(&with, TEXT, strlen(TEXT), jose.signature, &jose.signature_size));
	return jose;
}

static void a_signature_verifies_with_its_key_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ring); i++) {
		struct jose jose = signed_by(i);

		assert_true(signature_good(&jose, &ring[i].key));
		assert_false(signature_good(&jose, &ring[i].other));
		for (size_t k = 0; k < COUNT_OF(ring); k++)
			assert_int_equal(signature_good(&jose, &ring[k].key), k == i);
	}
}

static void a_changed_text_or_signature_does_not_verify(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ring); i++) {
		struct jose jose = signed_by(i);
		struct jose shorter = jose;

		for (size_t at = 0; at < jose.signature_size; at += 7) {
			jose.signature[at] ^= 1;
			assert_false(signature_good(&jose, &ring[i].key));
			jose.signature[at] ^= 1;
		}
		assert_true(signature_good(&jose, &ring[i].key));
		shorter.signed_size--;
		assert_false(signature_good(&shorter, &ring[i].key));
	}
}

static void a_signature_of_another_length_does_not_verify(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ring); i++) {
		struct jose jose = signed_by(i);
		size_t size = jose.signature_size;

		jose.signature_size = size - 1;
		assert_false(signature_good(&jose, &ring[i].key));
		jose.signature_size = size + 1;
		assert_false(signature_good(&jose, &ring[i].key));
		jose.signature_size = 0;
		assert_false(signature_good(&jose, &ring[i].key));
	}
}

/* Sets the halves of an EC signature of the key to these numbers. */
static bool halves_verify(size_t i, const BIGNUM *r, const BIGNUM *s)
{
	struct jose jose = signed_by(i);
	size_t part = jose.alg->part;

	assert_int_equal(BN_bn2binpad(r, jose.signature, (int)part), part);
	assert_int_equal(BN_bn2binpad(s, jose.signature + part, (int)part), part);
	return signature_good(&jose, &ring[i].key);
}

static BIGNUM *order_of(size_t i)
{
	BIGNUM *order = NULL;

	assert_int_equal(
		EVP_PKEY_get_bn_param(ring[i].key.public, OSSL_PKEY_PARAM_EC_ORDER, &order), 1);
	return order;
}

static void ec_halves_of_nought_or_out_of_range_do_not_verify(void **state)
{
	(void)state;
	for (size_t i = ES256; i <= ES384; i++) {
		bn_auto *order = order_of(i);
		bn_auto *nought = BN_new();
		bn_auto *one = BN_new();

		assert_int_equal(BN_set_word(one, 1), 1);
		assert_false(
			halves_verify(i, nought, nought)); /* CVE-2022-21449 in another library */
		assert_false(halves_verify(i, nought, one));
		assert_false(halves_verify(i, one, nought));
		assert_false(halves_verify(i, order, order));
		assert_false(halves_verify(i, one, order));
	}
}

/*
 * (r, n - s) verifies wherever (r, s) does: that is ECDSA, and JOSE asks no signer for the lower of
 * the two. It gives nobody other claims; the cache takes it for another token, since it remembers
 * the whole of each.
 */
static void the_mirrored_ec_signature_is_the_same_signers(void **state)
{
	struct jose jose = signed_by(ES256);
	size_t part = jose.alg->part;
	bn_auto *order = order_of(ES256);
	bn_auto *s = BN_bin2bn(jose.signature + part, (int)part, NULL);

	(void)state;
	assert_int_equal(BN_sub(s, order, s), 1);
	assert_int_equal(BN_bn2binpad(s, jose.signature + part, (int)part), part);
	assert_true(signature_good(&jose, &ring[ES256].key));
	assert_false(signature_good(&jose, &ring[ES256].other));
}

/* A token of typ JWT, which libjwt verifies, signed by key `i`; to be freed. */
static char *plain_token(size_t i, size_t said)
{
	char header[128];
	char *token = NULL;

	snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", ring[said].alg);
	token = forge_texts(ring[i].alg, ring[i].private, header, "{\"sub\":\"x\"}");
	memmove(token, token + 7, strlen(token + 7) + 1); /* without "Bearer " */
	return token;
}

static struct jose plain_jose(const char *token, size_t i)
{
	const char *dot = strrchr(token, '.');
	struct jose jose = { .token = token, .alg = ring[i].key.alg, .plain_jwt = true };

	jose.signed_size = (size_t)(dot - token);
	assert_true(text_base64url_decode(dot + 1, strlen(dot + 1), jose.signature,
	                                  &jose.signature_size));
	return jose;
}

static void libjwt_verifies_each_algorithm_with_its_key_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ring); i++) {
		text_auto *token = plain_token(i, i);
		struct jose jose = plain_jose(token, i);

		assert_true(signature_good(&jose, &ring[i].key));
		assert_false(signature_good(&jose, &ring[i].other));
	}
}

static void what_libjwt_takes_the_header_for_must_be_the_keys_algorithm(void **state)
{
	text_auto *said =
		plain_token(RS256, HS256); /* the header says HS256, the signature is RS256's */
	struct jose jose = plain_jose(said, RS256);

	(void)state;
	assert_false(signature_good(&jose, &ring[RS256].key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_verifies_with_its_key_and_no_other),
		cmocka_unit_test(a_changed_text_or_signature_does_not_verify),
		cmocka_unit_test(a_signature_of_another_length_does_not_verify),
		cmocka_unit_test(ec_halves_of_nought_or_out_of_range_do_not_verify),
		cmocka_unit_test(the_mirrored_ec_signature_is_the_same_signers),
		cmocka_unit_test(libjwt_verifies_each_algorithm_with_its_key_and_no_other),
		cmocka_unit_test(what_libjwt_takes_the_header_for_must_be_the_keys_algorithm),
	};

	json_start();
	return cmocka_run_group_tests(tests, set_up, take_down);
}
