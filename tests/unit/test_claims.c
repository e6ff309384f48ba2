/* The claims of a token: each is checked, and what is wrong with it is said without showing it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/claims.h"
#include "forge.h"

enum { SKEW = 30 };

static const struct claims_rules rules = { FORGE_ISSUER, FORGE_AUDIENCE, FORGE_NOW, SKEW, NULL };

/* The claims of a good token with one changed to this JSON text, or taken away when it is NULL. */
static bool read_with(const char *name, const char *json, const struct principal **ret_who,
                      struct problem *p)
{
	json_t *value = json ? json_loads(json, JSON_DECODE_ANY, NULL) : NULL;
	text_auto *text = forge_claims(name, value);
	json_auto_t *claims = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(claims);
	return claims_read(claims, &rules, ret_who, p);
}

struct row {
	const char *name, *json, *sentence;
};

static void are_refused(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct principal *who = NULL;
		struct problem p = { 0 };

		assert_false(read_with(rows[i].name, rows[i].json, &who, &p));
		assert_null(who);
		assert_int_equal(p.code, PROBLEM_UNAUTHENTICATED);
		assert_string_equal(p.challenge, "invalid_token");
		assert_string_equal(p.detail, rows[i].sentence);
	}
}

static void are_taken(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		principal_auto *who = NULL;
		struct problem p = { 0 };

		if (!read_with(rows[i].name, rows[i].json, &who, &p))
			print_error("%s %s: %s\n", rows[i].name, rows[i].json, p.detail);
		assert_non_null(who);
	}
}

static void good_claims_are_a_principal(void **state)
{
	principal_auto *who = NULL;
	struct problem p = { 0 };

	(void)state;
	assert_true(read_with(NULL, NULL, &who, &p));
	assert_string_equal(who->subject, "user-1");
	assert_string_equal(who->client, "app");
	assert_string_equal(who->role, "practitioner");
	assert_string_equal(who->class, "carers_council");
	assert_string_equal(who->councils, "{E09000019}");
	assert_string_equal(who->scope, "carers:read carers:write");
	assert_string_equal(who->issuer, FORGE_ISSUER);
	assert_null(who->org);
	assert_null(who->carer);
	assert_false(who->anonymous);
	assert_int_equal(who->expires, FORGE_NOW + 600);
	assert_int_equal(who->issued, FORGE_NOW);
}

static void issuer_and_audience_must_be_ours(void **state)
{
	static const struct row bad[] = {
		{ "iss", NULL, "the token has no iss" },
		{ "iss", "7", "the token has no iss" },
		{ "iss", "\"\"", "the token is from another issuer (iss)" },
		{ "iss", "\"https://idp.example.org\"", "the token is from another issuer (iss)" },
		{ "iss", "\"https://idp.example.org/x\"",
		  "the token is from another issuer (iss)" },
		{ "aud", NULL, "the token has no aud" },
		{ "aud", "\"\"", "the token is for another audience (aud)" },
		{ "aud", "\"carers-api-2\"", "the token is for another audience (aud)" },
		{ "aud", "[]", "the token is for another audience (aud)" },
		{ "aud", "[\"a\", \"b\"]", "the token is for another audience (aud)" },
		{ "aud", "[\"carers-api\", 7]",
		  "the token's aud is neither a text nor a list of texts" },
		{ "aud", "{\"carers-api\": \"carers-api\"}",
		  "the token is for another audience (aud)" },
	};
	static const struct row good[] = {
		{ "aud", "[\"carers-api\"]", NULL },
		{ "aud", "[\"other\", \"carers-api\"]", NULL },
	};

	(void)state;
	are_refused(bad, COUNT_OF(bad));
	are_taken(good, COUNT_OF(good));
}

static void no_token_is_from_an_issuer_that_is_not_configured(void **state)
{
	const struct claims_rules open = { "", FORGE_AUDIENCE, FORGE_NOW, 0, NULL };
	json_auto_t *claims = json_pack("{s:s}", "iss", "");
	const struct principal *who = NULL;
	struct problem p = { 0 };

	(void)state;
	assert_false(claims_read(claims, &open, &who, &p));
	assert_string_equal(p.detail, "the token is from another issuer (iss)");
}

/* FORGE_NOW is 1800000000; the skew is 30 s. */
static void a_token_is_good_from_nbf_to_exp_give_or_take_the_skew(void **state)
{
	static const struct row bad[] = {
		{ "exp", NULL, "the token has no exp" },
		{ "exp", "1799999970", "the token has expired (exp)" },
		{ "exp", "0", "the token has expired (exp)" },
		{ "nbf", "1800000031", "the token is not valid yet (nbf)" },
		{ "iat", "1800000031", "the token is issued in the future (iat)" },
	};
	static const struct row good[] = {
		{ "exp", "1799999971", NULL }, { "exp", "253402300799", NULL },
		{ "nbf", "1800000030", NULL }, { "nbf", "0", NULL },
		{ "iat", "1800000030", NULL }, { "iat", NULL, NULL },
	};

	(void)state;
	are_refused(bad, COUNT_OF(bad));
	are_taken(good, COUNT_OF(good));
}

static void dates_are_whole_seconds_within_reason(void **state)
{
	static const char exp[] = "the token's exp is not a date in whole seconds";
	static const struct row bad[] = {
		{ "exp", "\"1800000600\"", exp },
		{ "exp", "1800000600.5", exp },
		{ "exp", "-1", exp },
		{ "exp", "253402300800", exp },
		{ "exp", "9223372036854775807", exp },
		{ "exp", "1e300", exp },
		{ "exp", "-1e300", exp },
		{ "exp", "null", exp },
		{ "exp", "true", exp },
		{ "exp", "[1800000600]", exp },
		{ "nbf", "\"now\"", "the token's nbf is not a date in whole seconds" },
		{ "nbf", "-5", "the token's nbf is not a date in whole seconds" },
		{ "iat", "{}", "the token's iat is not a date in whole seconds" },
		{ "iat", "1.5", "the token's iat is not a date in whole seconds" },
	};
	static const struct row good[] = { { "exp", "1.8000006e9", NULL },
		                           { "exp", "1800000600.0", NULL } };

	(void)state;
	are_refused(bad, COUNT_OF(bad));
	are_taken(good, COUNT_OF(good));
}

static void names_are_visible_and_not_too_long(void **state)
{
	static const char sub[] = "the token's sub is not 1 to 255 visible ASCII characters";
	static const struct row bad[] = {
		{ "sub", NULL, "the token has no sub" },
		{ "sub", "\"\"", sub },
		{ "sub", "7", sub },
		{ "sub", "\"a b\"", sub },
		{ "sub", "\"a\\nb\"", sub },
		{ "sub", "\"\\u00e9\"", sub },
		{ "client_id", "\"\"",
		  "the token's client_id is not 1 to 255 visible ASCII characters" },
		{ "client_id", "null",
		  "the token's client_id is not 1 to 255 visible ASCII characters" },
	};
	char longest[300] = "\"";
	struct row edge = { "sub", longest, NULL };

	(void)state;
	are_refused(bad, COUNT_OF(bad));
	memset(longest + 1, 'x', 256);
	memcpy(longest + 256, "\"", 2);
	are_taken(&edge, 1);
	memcpy(longest + 256, "x\"", 3);
	edge.sentence = sub;
	are_refused(&edge, 1);
}

static void a_role_is_one_of_ours(void **state)
{
	static const struct row bad[] = {
		{ "role", NULL, "the token has no role" },
		{ "role", "\"\"", "the token's role is not one that is known here" },
		{ "role", "\"root\"", "the token's role is not one that is known here" },
		{ "role", "\"Practitioner\"", "the token's role is not one that is known here" },
		{ "role", "\"carers_council\"", "the token's role is not one that is known here" },
		{ "role", "[\"practitioner\"]", "the token's role is not one that is known here" },
	};

	(void)state;
	are_refused(bad, COUNT_OF(bad));
}

static void scopes_are_well_formed(void **state)
{
	static const char scope[] =
		"the token's scope is not words parted by single spaces, at most 2048 bytes";
	static const struct row bad[] = {
		{ "scope", "\"a  b\"", scope }, { "scope", "\" a\"", scope },
		{ "scope", "[\"a\"]", scope },  { "scope", "\"a\\\"b\"", scope },
		{ "scope", "7", scope },
	};
	static const struct row good[] = { { "scope", NULL, NULL }, { "scope", "\"\"", NULL } };
	char longest[2100] = "\"";
	struct row edge = { "scope", longest, NULL };

	(void)state;
	are_refused(bad, COUNT_OF(bad));
	are_taken(good, COUNT_OF(good));
	memset(longest + 1, 'x', 2049);
	memcpy(longest + 2049, "\"", 2);
	are_taken(&edge, 1);
	memcpy(longest + 2049, "x\"", 3);
	edge.sentence = scope;
	are_refused(&edge, 1);
}

static void councils_are_gss_codes_without_repetition(void **state)
{
	static const char list[] = "the token's councils are not a list of at most 200 GSS codes";
	static const char codes[] = "the token's councils are not all GSS codes";
	static const struct row bad[] = {
		{ "councils", "\"E09000019\"", list },
		{ "councils", "{}", list },
		{ "councils", "[\"E0900001\"]", codes },
		{ "councils", "[\"E090000190\"]", codes },
		{ "councils", "[\"e09000019\"]", codes },
		{ "councils", "[\"X09000019\"]", codes },
		{ "councils", "[\"E09000019\", 7]", codes },
		{ "councils", "[\"E0900001,\"]", codes },
		{ "councils", "[\"E0900001}\"]", codes },
		{ "councils", "[\"\"]", codes },
		{ "councils", "[\"E0900001\\\"\"]", codes },
		{ "councils", "null", list },
	};
	static const struct {
		const char *json, *literal;
	} good[] = {
		{ NULL, "{}" },
		{ "[]", "{}" },
		{ "[\"E09000019\", \"W06000015\"]", "{E09000019,W06000015}" },
		{ "[\"E09000019\", \"S12000036\", \"E09000019\", \"N09000003\"]",
		  "{E09000019,S12000036,N09000003}" },
	};

	(void)state;
	are_refused(bad, COUNT_OF(bad));
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		principal_auto *who = NULL;
		struct problem p = { 0 };

		assert_true(read_with("councils", good[i].json, &who, &p));
		assert_string_equal(who->councils, good[i].literal);
	}
}

static void two_hundred_councils_are_the_most(void **state)
{
	buf_auto text = { .limit = 4 * KIB };
	principal_auto *who = NULL;
	const struct principal *none = NULL;
	struct problem p = { 0 };

	(void)state;
	for (int i = 0; i < 200; i++)
		assert_true(buf_addf(&text, "%s\"E%08d\"", i ? "," : "[", i));
	assert_true(buf_add(&text, "]"));
	assert_true(read_with("councils", buf_text(&text), &who, &p));
	assert_int_equal(strlen(who->councils), 200 * 10 + 1);
	text.size--;
	assert_true(buf_add(&text, ",\"E09999999\"]"));
	assert_false(read_with("councils", buf_text(&text), &none, &p));
	assert_string_equal(p.detail,
	                    "the token's councils are not a list of at most 200 GSS codes");
}

/* Reads claims of this role with this org and carer_id, each of which may be NULL. */
static bool read_role(const char *role, const char *org, const char *carer,
                      const struct principal **ret_who, struct problem *p)
{
	text_auto *text = forge_claims("role", json_string(role));
	json_auto_t *claims = json_loads(text, 0, NULL);

	if (org)
		json_object_set_new(claims, "org", json_string(org));
	if (carer)
		json_object_set_new(claims, "carer_id", json_string(carer));
	return claims_read(claims, &rules, ret_who, p);
}

static void roles_of_organisations_need_their_organisation(void **state)
{
	static const char *const roles[] = { "assessor",          "support_worker",
		                             "hospital_in_reach", "break_provider",
		                             "referrer",          "vcfse_editor" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(roles); i++) {
		const struct principal *none = NULL;
		principal_auto *who = NULL;
		struct problem p = { 0 };

		assert_false(read_role(roles[i], NULL, NULL, &none, &p));
		assert_string_equal(p.detail, "the token has no org, which its role needs");
		assert_false(read_role(roles[i], "not-a-uuid", NULL, &none, &p));
		assert_string_equal(p.detail, "the token's org is not a UUID");
		assert_true(read_role(roles[i], "018F0000-0000-7000-8000-00000000000A", NULL, &who,
		                      &p));
		assert_string_equal(who->org, "018f0000-0000-7000-8000-00000000000a");
	}
}

static void no_other_role_acts_for_an_organisation(void **state)
{
	static const char *const roles[] = { "council_admin", "practitioner", "commissioner",
		                             "directory_editor", "carer" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(roles); i++) {
		const struct principal *none = NULL;
		principal_auto *who = NULL;
		struct problem p = { 0 };

		assert_false(read_role(roles[i], "not-a-uuid", FORGE_CARER, &none, &p));
		assert_string_equal(p.detail, "the token's org is not a UUID");
		assert_true(read_role(roles[i], "018f0000-0000-7000-8000-00000000000a", FORGE_CARER,
		                      &who, &p));
		assert_null(who->org);
	}
}

static void a_carer_needs_her_own_record_and_nobody_else_has_one(void **state)
{
	const struct principal *none = NULL;
	principal_auto *carer = NULL;
	principal_auto *other = NULL;
	struct problem p = { 0 };

	(void)state;
	assert_false(read_role("carer", NULL, NULL, &none, &p));
	assert_string_equal(p.detail, "the token has no carer_id, which its role needs");
	assert_false(read_role("carer", NULL, "018f0000", &none, &p));
	assert_string_equal(p.detail, "the token's carer_id is not a UUID");
	assert_false(read_role("practitioner", NULL, "x", &none, &p));
	assert_string_equal(p.detail, "the token's carer_id is not a UUID");
	assert_true(read_role("carer", NULL, FORGE_CARER, &carer, &p));
	assert_string_equal(carer->carer, FORGE_CARER);
	assert_string_equal(carer->class, "carers_self");
	assert_true(read_role("practitioner", NULL, FORGE_CARER, &other, &p));
	assert_null(other->carer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_claims_are_a_principal),
		cmocka_unit_test(issuer_and_audience_must_be_ours),
		cmocka_unit_test(no_token_is_from_an_issuer_that_is_not_configured),
		cmocka_unit_test(a_token_is_good_from_nbf_to_exp_give_or_take_the_skew),
		cmocka_unit_test(dates_are_whole_seconds_within_reason),
		cmocka_unit_test(names_are_visible_and_not_too_long),
		cmocka_unit_test(a_role_is_one_of_ours),
		cmocka_unit_test(scopes_are_well_formed),
		cmocka_unit_test(councils_are_gss_codes_without_repetition),
		cmocka_unit_test(two_hundred_councils_are_the_most),
		cmocka_unit_test(roles_of_organisations_need_their_organisation),
		cmocka_unit_test(no_other_role_acts_for_an_organisation),
		cmocka_unit_test(a_carer_needs_her_own_record_and_nobody_else_has_one),
	};

	json_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
