/* Access tokens as strangers send them: each wrong one is refused with its reason and its
 * challenge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "auth/jose.h"
#include "base/clock.h"
#include "forge.h"

#define SECRET "0123456789abcdef0123456789abcdef"

enum { SKEW = 30, CACHE = 64 };

/* One key for each algorithm: the kid is the algorithm's name in small letters. */
static struct {
	const char *alg, *kid, *group;
	EVP_PKEY *key;
	char *private, *public;
} keyring[] = {
	{ .alg = "RS256", .kid = "rs256" },
	{ .alg = "RS384", .kid = "rs384" },
	{ .alg = "RS512", .kid = "rs512" },
	{ .alg = "ES256", .kid = "es256", .group = "P-256" },
	{ .alg = "ES384", .kid = "es384", .group = "P-384" },
	{ .alg = "ES512", .kid = "es512", .group = "P-521" },
};

static struct forge_folder folder;
static struct keys *keys;
static struct tokens *tokens;

static void keyring_make(struct buf *files)
{
	for (size_t i = 0; i < COUNT_OF(keyring); i++) {
		keyring[i].key = keyring[i].group ? forge_ec(keyring[i].group) : forge_rsa(2048);
		keyring[i].private = forge_pem(keyring[i].key, true);
		keyring[i].public = forge_pem(keyring[i].key, false);
		forge_write(&folder, keyring[i].kid, keyring[i].public, strlen(keyring[i].public));
		assert_true(buf_addf(files, "%s=%s:%s/%s,", keyring[i].kid, keyring[i].alg,
		                     folder.path, keyring[i].kid));
	}
	forge_write(&folder, "hs256", SECRET, strlen(SECRET));
	assert_true(buf_addf(files, "hs256=HS256:%s/hs256", folder.path));
}

static int set_up(void **state)
{
	struct tokens_config config = { FORGE_ISSUER, FORGE_AUDIENCE, SKEW, CACHE, NULL };
	buf_auto files = { .limit = 4 * KIB };
	struct problem p = { 0 };

	(void)state;
	forge_folder_make(&folder);
	keyring_make(&files);
	if (!keys_open(&(struct keys_config){ buf_text(&files), "", 3600 }, &keys, &p))
		return -1;
	tokens = tokens_new(&config, keys);
	return tokens ? 0 : -1;
}

static int take_down(void **state)
{
	(void)state;
	tokens_free(tokens);
	keys_close(keys);
	for (size_t i = 0; i < COUNT_OF(keyring); i++) {
		EVP_PKEY_free(keyring[i].key);
		free(keyring[i].private);
		free(keyring[i].public);
		forge_remove(&folder, keyring[i].kid);
	}
	forge_remove(&folder, "hs256");
	return rmdir(folder.path);
}

static int hold_clock(void **state)
{
	(void)state;
	clock_hold((instant)FORGE_NOW * 1000000);
	return 0;
}

static void is_refused(const char *authorization, const char *challenge, const char *sentence)
{
	const struct principal *who = NULL;
	struct problem p = { 0 };

	for (int again = 0; again < 2; again++) { /* a refusal is not remembered as anything else */
		assert_false(tokens_verify(tokens, authorization, &who, &p));
		assert_null(who);
		assert_int_equal(p.code, PROBLEM_UNAUTHENTICATED);
		assert_string_equal(p.detail, sentence);
		if (challenge)
			assert_string_equal(p.challenge, challenge);
		else
			assert_null(p.challenge);
	}
}

static void is_taken(const char *authorization)
{
	struct problem p = { 0 };

	for (int again = 0; again < 2; again++) {
		principal_auto *who = NULL;

		if (!tokens_verify(tokens, authorization, &who, &p))
			print_error("%s\n", p.detail);
		assert_non_null(who);
		assert_string_equal(who->subject, "user-1");
	}
}

static const char *private_of(const char *kid)
{
	for (size_t i = 0; i < COUNT_OF(keyring); i++)
		if (strcmp(keyring[i].kid, kid) == 0)
			return keyring[i].private;
	return SECRET;
}

/* A token with good claims, one changed. Takes `value`. */
static char *token_with(const char *alg, const char *kid, const char *name, json_t *value)
{
	text_auto *header = forge_header(alg, kid);
	text_auto *claims = forge_claims(name, value);

	return forge_texts(alg, private_of(kid), header, claims);
}

static char *good_token(const char *alg, const char *kid)
{
	return token_with(alg, kid, NULL, NULL);
}

/* A token of HS256 with this header and good claims. */
static char *headed(const char *header)
{
	text_auto *claims = forge_claims(NULL, NULL);

	return forge_texts("HS256", SECRET, header, claims);
}

static void a_request_without_a_token_has_no_challenge_error(void **state)
{
	(void)state;
	is_refused(NULL, NULL, "this operation needs an access token");
}

static void what_is_not_bearer_is_an_invalid_request(void **state)
{
	static const char *const headers[] = {
		"",
		"Bearer",
		"Bearer ",
		"Basic dXNlcjpwYXNz",
		"BearerX a.b.c",
		"Bearer a.b.c d",
		"Bearer a.b.c ",
		"Bearer a,b.c",
		"Bearer\ta.b.c",
		"a.b.c",
		" Bearer a.b.c",
		"Bearer a.b.\xC3\xA9",
		"Bearer ==",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(headers); i++)
		is_refused(headers[i], "invalid_request",
		           "the Authorization header is not `Bearer TOKEN`");
}

static void the_scheme_has_no_case(void **state)
{
	text_auto *token = good_token("HS256", "hs256");

	(void)state;
	memcpy(token, "bEaReR", 6);
	is_taken(token);
}

static void every_algorithm_verifies_with_its_own_key(void **state)
{
	text_auto *secret = good_token("HS256", "hs256");

	(void)state;
	is_taken(secret);
	for (size_t i = 0; i < COUNT_OF(keyring); i++) {
		text_auto *token = good_token(keyring[i].alg, keyring[i].kid);

		is_taken(token);
	}
}

static void every_algorithm_verifies_a_token_of_typ_jwt_too(void **state)
{
	text_auto *claims = forge_claims(NULL, NULL);
	text_auto *plain = headed("{\"alg\":\"HS256\",\"kid\":\"hs256\",\"typ\":\"JWT\"}");

	(void)state;
	is_taken(plain);
	for (size_t i = 0; i < COUNT_OF(keyring); i++) {
		json_auto_t *json = json_pack("{s:s, s:s, s:s}", "alg", keyring[i].alg, "kid",
		                              keyring[i].kid, "typ", "JWT");
		text_auto *header = json_print(json);
		text_auto *token = forge_texts(keyring[i].alg, keyring[i].private, header, claims);

		is_taken(token);
	}
}

static void hs256_with_the_rsa_public_key_as_secret_is_refused(void **state)
{
	text_auto *claims = forge_claims(NULL, NULL);

	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		json_auto_t *json = json_pack("{s:s, s:s, s:s}", "alg", "HS256", "kid", "rs256",
		                              "typ", plain ? "JWT" : "at+jwt");
		text_auto *header = json_print(json);
		text_auto *token = forge_texts("HS256", keyring[0].public, header, claims);

		is_refused(token, "invalid_token", "the token's alg is not the one of its key");
	}
}

static void another_algorithm_of_the_same_family_is_refused(void **state)
{
	text_auto *token = good_token("RS512", "rs256");
	text_auto *small = NULL;

	(void)state;
	is_refused(token, "invalid_token", "the token's alg is not the one of its key");
	small = headed("{\"alg\":\"hs256\",\"kid\":\"hs256\",\"typ\":\"at+jwt\"}");
	is_refused(small, "invalid_token", "the token's alg is not one that is accepted here");
}

static void an_unknown_kid_is_refused(void **state)
{
	text_auto *token = headed("{\"alg\":\"HS256\",\"kid\":\"hs257\",\"typ\":\"at+jwt\"}");

	(void)state;
	is_refused(token, "invalid_token", "the token's key (kid) is not known here");
}

static void alg_none_is_refused_with_and_without_a_signature(void **state)
{
	text_auto *token = headed("{\"alg\":\"none\",\"kid\":\"rs256\",\"typ\":\"at+jwt\"}");

	(void)state;
	is_refused(token, "invalid_token", "the token's alg is not one that is accepted here");
	*(strrchr(token, '.') + 1) = '\0';
	is_refused(token, "invalid_token", "the token's alg is not one that is accepted here");
}

static void expired_and_early_tokens_are_refused(void **state)
{
	text_auto *expired = token_with("RS256", "rs256", "exp", json_integer(FORGE_NOW - SKEW));
	text_auto *early = token_with("RS256", "rs256", "nbf", json_integer(FORGE_NOW + SKEW + 1));

	(void)state;
	is_refused(expired, "invalid_token", "the token has expired (exp)");
	is_refused(early, "invalid_token", "the token is not valid yet (nbf)");
}

static void a_token_of_8192_bytes_is_the_longest(void **state)
{
	text_auto *token = malloc(TOKEN_LIMIT + 16);

	(void)state;
	memset(token, 'a', TOKEN_LIMIT + 16);
	memcpy(token, "Bearer ", 7);
	token[7 + TOKEN_LIMIT + 1] = '\0';
	is_refused(token, "invalid_token", "the token is longer than 8192 bytes");
	token[7 + TOKEN_LIMIT] = '\0';
	is_refused(token, "invalid_token", "the token does not have three parts");
}

static void a_token_cut_anywhere_is_refused(void **state)
{
	static const char *const algs[] = { "HS256", "ES256", "RS256" };
	static const char *const kids[] = { "hs256", "es256", "rs256" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(algs); i++) {
		text_auto *token = good_token(algs[i], kids[i]);

		for (size_t size = strlen(token) - 1; size > 6; size--) {
			const struct principal *who = NULL;
			struct problem p = { 0 };

			token[size] = '\0';
			assert_false(tokens_verify(tokens, token, &who, &p));
			assert_string_equal(p.challenge,
			                    size == 7 ? "invalid_request" : "invalid_token");
		}
	}
}

static void a_token_changed_anywhere_is_refused(void **state)
{
	static const char *const kids[] = { "hs256", "es256" };
	static const char *const algs[] = { "HS256", "ES256" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kids); i++) {
		text_auto *token = good_token(algs[i], kids[i]);

		is_taken(token);
		for (size_t at = 7; token[at]; at++) {
			const struct principal *who = NULL;
			struct problem p = { 0 };
			char was = token[at];

			token[at] = was == 'A' ? 'B' : 'A';
			assert_false(tokens_verify(tokens, token, &who, &p));
			assert_string_equal(p.challenge, "invalid_token");
			token[at] = was;
		}
		is_taken(token);
	}
}

static void changed_claims_do_not_verify(void **state)
{
	text_auto *token = good_token("RS256", "rs256");
	text_auto *other = token_with("RS256", "rs256", "role", json_string("council_admin"));
	buf_auto mixed = { .limit = 8 * KIB };

	(void)state;
	assert_true(buf_add_bytes(&mixed, other, (size_t)(strrchr(other, '.') - other)));
	assert_true(buf_add(&mixed, strrchr(token, '.')));
	is_refused(buf_text(&mixed), "invalid_token", "the token's signature does not verify");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_request_without_a_token_has_no_challenge_error,
		                       hold_clock),
		cmocka_unit_test_setup(what_is_not_bearer_is_an_invalid_request, hold_clock),
		cmocka_unit_test_setup(the_scheme_has_no_case, hold_clock),
		cmocka_unit_test_setup(every_algorithm_verifies_with_its_own_key, hold_clock),
		cmocka_unit_test_setup(every_algorithm_verifies_a_token_of_typ_jwt_too, hold_clock),
		cmocka_unit_test_setup(alg_none_is_refused_with_and_without_a_signature,
		                       hold_clock),
		cmocka_unit_test_setup(hs256_with_the_rsa_public_key_as_secret_is_refused,
		                       hold_clock),
		cmocka_unit_test_setup(another_algorithm_of_the_same_family_is_refused, hold_clock),
		cmocka_unit_test_setup(an_unknown_kid_is_refused, hold_clock),
		cmocka_unit_test_setup(alg_none_is_refused_with_and_without_a_signature,
		                       hold_clock),
		cmocka_unit_test_setup(expired_and_early_tokens_are_refused, hold_clock),
		cmocka_unit_test_setup(a_token_of_8192_bytes_is_the_longest, hold_clock),
		cmocka_unit_test_setup(a_token_cut_anywhere_is_refused, hold_clock),
		cmocka_unit_test_setup(a_token_changed_anywhere_is_refused, hold_clock),
		cmocka_unit_test_setup(changed_claims_do_not_verify, hold_clock),
	};

	json_start();
	return cmocka_run_group_tests(tests, set_up, take_down);
}
