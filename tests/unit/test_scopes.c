/* Scopes: all that are wanted, never any; well-formed as RFC 6749 has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/scopes.h"

static void all_wanted_scopes_must_be_granted(void **state)
{
	static const char *const both[] = { "carers:read", "audit:read", NULL };

	(void)state;
	assert_true(scopes_cover("audit:read carers:write carers:read", both));
	assert_false(scopes_cover("carers:read", both));
	assert_false(scopes_cover("audit:read", both));
	assert_false(scopes_cover("", both));
}

static void a_part_of_a_scope_is_not_the_scope(void **state)
{
	static const char *const read[] = { "carers:read", NULL };

	(void)state;
	assert_false(scopes_cover("carers:rea", read));
	assert_false(scopes_cover("carers:reads", read));
	assert_false(scopes_cover("xcarers:read", read));
	assert_false(scopes_cover("carers carers: read :read", read));
	assert_false(scopes_cover("Carers:read", read));
	assert_true(scopes_cover("x carers:read y", read));
}

static void what_wants_nothing_is_covered_by_nothing(void **state)
{
	static const char *const nothing[] = { NULL };

	(void)state;
	assert_true(scopes_cover("", nothing));
	assert_true(scopes_cover("admin", nothing));
}

static void scopes_are_words_parted_by_single_spaces(void **state)
{
	(void)state;
	assert_true(scopes_well_formed(""));
	assert_true(scopes_well_formed("a"));
	assert_true(scopes_well_formed("carers:read carers:write !#[]~"));
	assert_false(scopes_well_formed(" a"));
	assert_false(scopes_well_formed("a "));
	assert_false(scopes_well_formed("a  b"));
	assert_false(scopes_well_formed("a\tb"));
	assert_false(scopes_well_formed("a\"b"));
	assert_false(scopes_well_formed("a\\b"));
	assert_false(scopes_well_formed("\xC3\xA9"));
	assert_false(scopes_well_formed("a\nb"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_wanted_scopes_must_be_granted),
		cmocka_unit_test(a_part_of_a_scope_is_not_the_scope),
		cmocka_unit_test(what_wants_nothing_is_covered_by_nothing),
		cmocka_unit_test(scopes_are_words_parted_by_single_spaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
