/* Who may use which operation: the one answer that the pipeline and getMe both give. */
#include "unit.h"

#include "call/permission.h"

static const struct principal worker = { .role = "support_worker",
	                                 .scope = "carers:read carers:write" };

static void all_scopes_are_wanted(void **state)
{
	const struct endpoint read = { .wants = { "carers:read" } };
	const struct endpoint both = { .wants = { "carers:read", "audit:read" } };

	(void)state;
	assert_int_equal(permission_of(&worker, &read), PERMITTED);
	assert_int_equal(permission_of(&worker, &both), LACKS_SCOPE);
}

static void one_role_of_the_list_is_enough_and_no_list_is_for_every_role(void **state)
{
	const struct endpoint every = { .wants = { NULL } };
	const struct endpoint listed = { .roles = { "practitioner", "support_worker" } };
	const struct endpoint others = { .roles = { "practitioner", "support", "carer" } };

	(void)state;
	assert_int_equal(permission_of(&worker, &every), PERMITTED);
	assert_int_equal(permission_of(&worker, &listed), PERMITTED);
	assert_int_equal(permission_of(&worker, &others), WRONG_ROLE);
}

static void a_lacking_scope_is_told_before_a_wrong_role(void **state)
{
	const struct endpoint both = { .wants = { "audit:read" }, .roles = { "council_admin" } };

	(void)state;
	assert_int_equal(permission_of(&worker, &both), LACKS_SCOPE);
}

static void what_is_public_is_for_everybody(void **state)
{
	const struct endpoint open = { .public = true, .roles = { "carer" } };

	(void)state;
	assert_int_equal(permission_of(principal_public(), &open), PERMITTED);
}

static void a_token_that_may_be_left_out_is_looked_at_when_it_is_there(void **state)
{
	const struct endpoint read = { .optional = true };
	const struct endpoint scoped = { .optional = true, .wants = { "audit:read" } };

	(void)state;
	assert_int_equal(permission_of(principal_public(), &scoped), PERMITTED);
	assert_int_equal(permission_of(&worker, &read), PERMITTED);
	assert_int_equal(permission_of(&worker, &scoped), LACKS_SCOPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_scopes_are_wanted),
		cmocka_unit_test(one_role_of_the_list_is_enough_and_no_list_is_for_every_role),
		cmocka_unit_test(a_lacking_scope_is_told_before_a_wrong_role),
		cmocka_unit_test(what_is_public_is_for_everybody),
		cmocka_unit_test(a_token_that_may_be_left_out_is_looked_at_when_it_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
