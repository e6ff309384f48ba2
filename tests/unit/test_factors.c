/* Several factors of authentication, asked of the roles that are listed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/claims.h"
#include "forge.h"

enum { SKEW = 30 };

static void several_factors_are_asked_of_the_roles_that_are_listed(void **state)
{
	const struct claims_rules strict = { FORGE_ISSUER, FORGE_AUDIENCE, FORGE_NOW, SKEW,
		                             "council_admin,practitioner" };
	static const struct {
		const char *role, *amr;
		bool good;
	} rows[] = {
		{ "practitioner", "[\"pwd\",\"mfa\"]", true },
		{ "practitioner", "[\"pwd\"]", false },
		{ "practitioner", "\"mfa\"", false },
		{ "practitioner", NULL, false },
		{ "directory_editor", NULL, true },
		{ "council_admin", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		principal_auto *who = NULL;
		struct problem p = { 0 };
		text_auto *text = forge_claims("role", json_string(rows[i].role));
		json_auto_t *claims = json_loads(text, 0, NULL);

		if (rows[i].amr)
			json_object_set_new(claims, "amr",
			                    json_loads(rows[i].amr, JSON_DECODE_ANY, NULL));
		assert_int_equal(claims_read(claims, &strict, &who, &p), rows[i].good);
		if (!rows[i].good)
			assert_string_equal(p.challenge, "insufficient_user_authentication");
	}
}

static void a_role_that_is_not_known_is_not_listed(void **state)
{
	(void)state;
	assert_true(tokens_roles_known(""));
	assert_true(tokens_roles_known("council_admin,practitioner"));
	assert_false(tokens_roles_known("council_admin,practicioner"));
	assert_false(tokens_roles_known("council_admin, practitioner"));
	assert_false(tokens_roles_known(","));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_factors_are_asked_of_the_roles_that_are_listed),
		cmocka_unit_test(a_role_that_is_not_known_is_not_listed),
	};

	json_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
