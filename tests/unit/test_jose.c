/* The outside of a token: what its header may say, and that header and claims are JSON objects in
 * base64url. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/jose.h"
#include "forge.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static const char header_sentence[] =
	"the token's header is not a JSON object in base64url without duplicate names";
static const char claims_sentence[] =
	"the token's claims are not a JSON object in base64url without duplicate names";

static bool read_token(const char *token, struct jose *ret_jose, struct problem *p)
{
	json_auto_t *claims = NULL;

	return jose_read(token, ret_jose, p) && jose_claims(ret_jose, &claims, p);
}

static void is_refused(const char *token, const char *sentence)
{
	struct problem p = { 0 };
	struct jose jose;

	assert_false(read_token(token, &jose, &p));
	assert_int_equal(p.code, PROBLEM_UNAUTHENTICATED);
	assert_string_equal(p.challenge, "invalid_token");
	assert_string_equal(p.detail, sentence);
}

/* A compact token of these very texts, to be freed. */
static char *token_of(const char *header, const char *claims)
{
	char *token = forge_texts("HS256", SECRET, header, claims);

	memmove(token, token + 7, strlen(token + 7) + 1); /* without "Bearer " */
	return token;
}

static void header_is_refused(const char *header, const char *sentence)
{
	text_auto *token = token_of(header, "{}");

	is_refused(token, sentence);
}

static void a_good_token_is_taken_apart(void **state)
{
	text_auto *token = token_of(
		"{\"alg\":\"HS256\",\"kid\":\"a-b_c.d~e\",\"typ\":\"at+jwt\",\"cty\":\"x\"}",
		"{\"a\":1}");
	json_auto_t *claims = NULL;
	struct problem p = { 0 };
	struct jose jose;

	(void)state;
	assert_true(jose_read(token, &jose, &p));
	assert_true(jose_claims(&jose, &claims, &p));
	assert_string_equal(jose.alg->name, "HS256");
	assert_string_equal(jose.kid, "a-b_c.d~e");
	assert_false(jose.plain_jwt);
	assert_int_equal(jose.signature_size, 32);
	assert_ptr_equal(jose.token + jose.signed_size, strrchr(token, '.'));
	assert_int_equal(json_integer_value(json_object_get(claims, "a")), 1);
}

static void a_token_has_three_parts(void **state)
{
	static const char *const tokens[] = {
		"", "a", "a.b", "a.b.c.d", "a.b.c.", "....", ".a.b.c"
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(tokens); i++)
		is_refused(tokens[i], "the token does not have three parts");
}

static void the_typ_says_access_token(void **state)
{
	static const struct {
		const char *typ;
		bool plain;
	} good[] = { { "at+jwt", false },
		     { "AT+JWT", false },
		     { "application/at+jwt", false },
		     { "JWT", true },
		     { "jwt", true } };
	static const char *const bad[] = { "",       "dpop+jwt",        "at+jwtx",
		                           "id+jwt", "application/jwt", "logout+jwt" };
	static const char sentence[] = "the token's typ is neither at+jwt nor JWT";
	char header[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		text_auto *token = NULL;
		struct problem p = { 0 };
		struct jose jose;

		snprintf(header, sizeof header, "{\"alg\":\"HS256\",\"kid\":\"k\",\"typ\":\"%s\"}",
		         good[i].typ);
		token = token_of(header, "{}");
		assert_true(read_token(token, &jose, &p));
		assert_int_equal(jose.plain_jwt, good[i].plain);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		snprintf(header, sizeof header, "{\"alg\":\"HS256\",\"kid\":\"k\",\"typ\":\"%s\"}",
		         bad[i]);
		header_is_refused(header, sentence);
	}
	header_is_refused("{\"alg\":\"HS256\",\"kid\":\"k\"}", sentence);
	header_is_refused("{\"alg\":\"HS256\",\"kid\":\"k\",\"typ\":1}", sentence);
}

static void an_alg_is_one_of_seven_as_it_is_written(void **state)
{
	static const char *const algs[] = { "none",  "None",  "NONE",   "nOnE",  "",
		                            "hs256", "HS384", "HS512",  "PS256", "EdDSA",
		                            "RS1",   "dir",   "ES256K", "RS256 " };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(algs); i++) {
		text_auto *header = forge_header(algs[i], "k");
		text_auto *token = token_of(header, "{}");

		is_refused(token, "the token's alg is not one that is accepted here");
		*(strrchr(token, '.') + 1) = '\0';
		is_refused(token, "the token's alg is not one that is accepted here");
	}
	header_is_refused("{\"kid\":\"k\",\"typ\":\"JWT\"}",
	                  "the token's alg is not one that is accepted here");
	header_is_refused("{\"alg\":[\"HS256\"],\"kid\":\"k\",\"typ\":\"JWT\"}",
	                  "the token's alg is not one that is accepted here");
}

static void kid_is_refused(const char *kid)
{
	text_auto *header = forge_header("HS256", kid);

	header_is_refused(header, "the token's kid is not 1 to 128 of A-Z a-z 0-9 . _ ~ -");
}

static void a_kid_is_no_path_and_no_sql(void **state)
{
	static const char *const odd[] = {
		"../../dev/null", "/etc/passwd", "a b",     "x' OR '1'='1", "",
		"a%2Fb",          "a\\b",        "\xC3\xA9"
	};
	char longest[130] = "";

	(void)state;
	for (size_t i = 0; i < COUNT_OF(odd); i++)
		kid_is_refused(odd[i]);
	memset(longest, 'k', sizeof longest - 1);
	kid_is_refused(longest);
	header_is_refused("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", "the token's header has no kid");
	header_is_refused("{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":1}",
	                  "the token's header has no kid");
	header_is_refused("{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k\\u0000\"}",
	                  header_sentence);
}

static void a_header_that_brings_its_own_key_is_refused(void **state)
{
	static const struct {
		const char *member, *sentence;
	} rows[] = {
		{ "\"crit\":[\"exp\"]", "the token's header has crit, which is not known here" },
		{ "\"jku\":\"https://x\"",
		  "the token's header brings a key URL (jku), which is never followed" },
		{ "\"jwk\":{}",
		  "the token's header brings its own key (jwk), which is never used" },
		{ "\"x5u\":\"https://x\"",
		  "the token's header brings a certificate URL (x5u), which is never followed" },
		{ "\"x5c\":[]",
		  "the token's header brings its own certificate (x5c), which is never used" },
		{ "\"b64\":false", "the token's header has b64, which is not known here" },
		{ "\"zip\":\"DEF\"", "the token's header has zip, which is not known here" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char header[256];

		snprintf(header, sizeof header,
		         "{\"alg\":\"HS256\",\"kid\":\"k\",\"typ\":\"at+jwt\",%s}", rows[i].member);
		header_is_refused(header, rows[i].sentence);
	}
}

static void a_header_is_an_object_without_duplicate_names(void **state)
{
	(void)state;
	header_is_refused("", header_sentence);
	header_is_refused("[]", header_sentence);
	header_is_refused("\"alg\"", header_sentence);
	header_is_refused("{\"alg\":\"HS256\",\"kid\":\"k\",\"typ\":\"JWT\"}x", header_sentence);
	header_is_refused("{\"alg\":\"HS256\",\"kid\":\"k\",\"typ\":\"JWT\",\"alg\":\"HS256\"}",
	                  header_sentence);
	is_refused("e30=.e30.AA", header_sentence);
	is_refused("e3 0.e30.AA", header_sentence);
}

static void claims_are_an_object_without_duplicate_names(void **state)
{
	static const char *const texts[] = { "",
		                             "[]",
		                             "7",
		                             "\"x\"",
		                             "{",
		                             "{}x",
		                             "{\"exp\":1e999}",
		                             "{\"exp\":99999999999999999999}",
		                             "{\"a\":\"\xFF\"}",
		                             "{\"role\":\"carer\",\"role\":\"council_admin\"}",
		                             "{\"a\":{\"b\":1,\"b\":2}}" };
	text_auto *header = forge_header("HS256", "k");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		text_auto *token = token_of(header, texts[i]);

		is_refused(token, claims_sentence);
	}
}

static void a_signature_is_there_and_is_base64url(void **state)
{
	text_auto *header = forge_header("HS256", "k");
	text_auto *token = token_of(header, "{}");
	char *signature = strrchr(token, '.') + 1;

	(void)state;
	signature[0] = '+';
	is_refused(token, "the token's signature is not base64url");
	signature[0] = '\0';
	is_refused(token, "the token has no signature");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_token_is_taken_apart),
		cmocka_unit_test(a_token_has_three_parts),
		cmocka_unit_test(the_typ_says_access_token),
		cmocka_unit_test(an_alg_is_one_of_seven_as_it_is_written),
		cmocka_unit_test(a_kid_is_no_path_and_no_sql),
		cmocka_unit_test(a_header_that_brings_its_own_key_is_refused),
		cmocka_unit_test(a_header_is_an_object_without_duplicate_names),
		cmocka_unit_test(claims_are_an_object_without_duplicate_names),
		cmocka_unit_test(a_signature_is_there_and_is_base64url),
	};

	json_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
