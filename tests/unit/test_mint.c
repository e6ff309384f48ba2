/* Development tokens: each role's token passes the service's own checks; what would not is not
 * signed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/mint.h"
#include "auth/scopes.h"
#include "base/clock.h"
#include "forge.h"

static const char *const roles[] = {
#define X(role, class) role,
#include "auth/roles.def"
#undef X
};

struct bench {
	struct forge_folder folder;
	char secret[256], rsa[256], ec[256];
	struct keys *keys;
	struct tokens *tokens;
};

static void write_pair(const struct forge_folder *folder, const char *name, EVP_PKEY *key)
{
	text_auto *public = forge_pem(key, false);
	text_auto *private = forge_pem(key, true);
	char file[64];

	forge_write(folder, name, private, strlen(private));
	snprintf(file, sizeof file, "%s.pub", name);
	forge_write(folder, file, public, strlen(public));
	EVP_PKEY_free(key);
}

static int set_up(void **state)
{
	static struct bench bench;
	struct tokens_config config = { FORGE_ISSUER, FORGE_AUDIENCE, 0, 16, NULL };
	struct problem p = { 0 };
	char files[1024];

	forge_folder_make(&bench.folder);
	forge_path(&bench.folder, "secret", bench.secret);
	forge_path(&bench.folder, "rsa", bench.rsa);
	forge_path(&bench.folder, "ec", bench.ec);
	forge_write(&bench.folder, "secret", "0123456789abcdef0123456789abcdef", 32);
	write_pair(&bench.folder, "rsa", forge_rsa(2048));
	write_pair(&bench.folder, "ec", forge_ec("P-384"));
	snprintf(files, sizeof files, "h=HS256:%s,r=RS256:%s.pub,e=ES384:%s.pub", bench.secret,
	         bench.rsa, bench.ec);
	if (!keys_open(&(struct keys_config){ files, "", 60 }, &bench.keys, &p))
		return -1;
	bench.tokens = tokens_new(&config, bench.keys);
	clock_hold((instant)FORGE_NOW * 1000000);
	*state = &bench;
	return bench.tokens ? 0 : -1;
}

static int take_down(void **state)
{
	static const char *const files[] = { "secret", "rsa", "rsa.pub", "ec", "ec.pub" };
	struct bench *bench = *state;

	tokens_free(bench->tokens);
	keys_close(bench->keys);
	for (size_t i = 0; i < COUNT_OF(files); i++)
		forge_remove(&bench->folder, files[i]);
	return rmdir(bench->folder.path);
}

static struct mint order(const struct bench *bench, const char *role)
{
	return (struct mint){ .key_file = bench->secret,
		              .kid = "h",
		              .alg = "HS256",
		              .issuer = FORGE_ISSUER,
		              .audience = FORGE_AUDIENCE,
		              .role = role,
		              .org = FORGE_ORG,
		              .carer = FORGE_CARER,
		              .ttl_s = 60 };
}

/* What the service makes of the token that the order gives. */
static bool verified(const struct bench *bench, const struct mint *mint,
                     const struct principal **ret, struct problem *p)
{
	text_auto *token = NULL;
	char header[TOKEN_LIMIT];

	if (!mint_token(mint, &token, p))
		return false;
	snprintf(header, sizeof header, "Bearer %s", token);
	return tokens_verify(bench->tokens, header, ret, p);
}

static void every_role_has_scopes_and_a_token_that_the_service_takes(void **state)
{
	for (size_t i = 0; i < COUNT_OF(roles); i++) {
		struct mint mint = order(*state, roles[i]);
		principal_auto *who = NULL;
		struct problem p = { 0 };

		assert_non_null(mint_scopes(roles[i]));
		assert_true(scopes_well_formed(mint_scopes(roles[i])));
		assert_true(verified(*state, &mint, &who, &p));
		assert_string_equal(who->role, roles[i]);
		assert_string_equal(who->scope, mint_scopes(roles[i]));
		assert_string_equal(who->client, "dev");
		assert_int_equal(who->issued, FORGE_NOW);
		assert_int_equal(who->expires, FORGE_NOW + 60);
	}
	assert_null(mint_scopes("nobody"));
}

static void scopes_councils_and_subject_can_be_chosen(void **state)
{
	static const char *const councils[] = { "E09000019", "E09000007", NULL };
	struct mint mint = order(*state, "council_admin");
	principal_auto *who = NULL;
	struct problem p = { 0 };

	mint.scope = "carers:read";
	mint.councils = councils;
	mint.subject = "someone";
	assert_true(verified(*state, &mint, &who, &p));
	assert_string_equal(who->scope, "carers:read");
	assert_string_equal(who->councils, "{E09000019,E09000007}");
	assert_string_equal(who->subject, "someone");
	assert_string_equal(who->class, "carers_council");
}

static void rsa_and_ec_keys_sign_too(void **state)
{
	struct bench *bench = *state;
	struct mint mint = order(bench, "practitioner");
	principal_auto *rsa = NULL;
	principal_auto *ec = NULL;
	struct problem p = { 0 };

	mint.key_file = bench->rsa;
	mint.kid = "r";
	mint.alg = "RS256";
	assert_true(verified(bench, &mint, &rsa, &p));
	mint.key_file = bench->ec;
	mint.kid = "e";
	mint.alg = "ES384";
	assert_true(verified(bench, &mint, &ec, &p));
}

static void two_tokens_of_one_order_differ(void **state)
{
	struct mint mint = order(*state, "practitioner");
	text_auto *first = NULL;
	text_auto *second = NULL;
	struct problem p = { 0 };

	assert_true(mint_token(&mint, &first, &p));
	assert_true(mint_token(&mint, &second, &p));
	assert_string_not_equal(first, second);
}

static void a_negative_life_gives_an_expired_token(void **state)
{
	struct mint mint = order(*state, "practitioner");
	principal_auto *who = NULL;
	struct problem p = { 0 };

	mint.ttl_s = -10;
	assert_false(verified(*state, &mint, &who, &p));
	assert_string_equal(p.detail, "the token has expired (exp)");
}

static void refused(void **state, struct mint mint, const char *sentence)
{
	text_auto *token = NULL;
	struct problem p = { 0 };

	(void)state;
	assert_false(mint_token(&mint, &token, &p));
	assert_null(token);
	assert_string_equal(p.detail, sentence);
}

static void what_the_service_would_refuse_is_not_signed(void **state)
{
	static const char *const councils[] = { "E0900001", NULL };
	struct mint mint = order(*state, "practitioner");

	mint.councils = councils;
	refused(state, mint, "the token's councils are not all GSS codes");
	mint = order(*state, "nobody");
	refused(state, mint, "the token's role is not one that is known here");
	mint = order(*state, "referrer");
	mint.org = NULL;
	refused(state, mint, "the token has no org, which its role needs");
	mint = order(*state, "carer");
	mint.carer = NULL;
	refused(state, mint, "the token has no carer_id, which its role needs");
	mint = order(*state, "practitioner");
	mint.scope = "a  b";
	refused(state, mint,
	        "the token's scope is not words parted by single spaces, at most 2048 bytes");
}

static void a_key_that_cannot_sign_is_said_to_be_one(void **state)
{
	struct bench *bench = *state;
	struct mint mint = order(bench, "practitioner");

	mint.alg = "none";
	refused(state, mint, "the signing algorithm is not known here");
	mint.alg = "RS256";
	refused(state, mint, "the signing key is not one that RS256 signs with");
	mint.key_file = bench->ec;
	refused(state, mint, "the signing key is not one that RS256 signs with");
	mint.key_file = "/nowhere";
	refused(state, mint, "the signing key cannot be read: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_role_has_scopes_and_a_token_that_the_service_takes),
		cmocka_unit_test(scopes_councils_and_subject_can_be_chosen),
		cmocka_unit_test(rsa_and_ec_keys_sign_too),
		cmocka_unit_test(two_tokens_of_one_order_differ),
		cmocka_unit_test(a_negative_life_gives_an_expired_token),
		cmocka_unit_test(what_the_service_would_refuse_is_not_signed),
		cmocka_unit_test(a_key_that_cannot_sign_is_said_to_be_one),
	};

	json_start();
	return cmocka_run_group_tests(tests, set_up, take_down);
}
