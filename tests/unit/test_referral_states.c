/* The machine of referrals: what each side may do, and what the other is told. */
#include "unit.h"

#include <jansson.h>
#include <string.h>

#include "base/attr.h"
#include "rules/referral_states.h"

static void each_side_does_its_own(void **state)
{
	const struct {
		const char *state, *action;
		bool creator, receiver, carer;
		const char *to; /* NULL: refused */
	} rows[] = {
		{ "draft", "submit", true, false, false, "requested" },
		{ "draft", "submit", false, true, false, NULL },
		{ "requested", "accept", false, true, false, "accepted" },
		{ "requested", "accept", true, false, true, NULL },
		{ "requested", "contact", false, true, false, "requested" },
		{ "in_progress", "withdraw", false, false, true, "withdrawn" },
		{ "completed", "withdraw", true, false, true, NULL },
		{ "declined", "refer_onward", true, false, false, "declined" },
		{ "requested", "accept", false, false, false, NULL },
		{ "requested", "dance", true, true, true, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct referral_now now = { rows[i].state, rows[i].creator, rows[i].receiver,
			                          rows[i].carer };
		problem_auto p = { 0 };
		const char *to = NULL;

		assert_int_equal(referral_step(&now, rows[i].action, &to, &p), rows[i].to != NULL);
		if (rows[i].to)
			assert_string_equal(to, rows[i].to);
		else
			assert_int_equal(p.code, PROBLEM_STATE_CONFLICT);
	}
}

static void a_refusal_names_the_state_that_it_is_in(void **state)
{
	const struct referral_now now = { .state = "waitlisted", .receiver = true };
	problem_auto p = { 0 };
	const char *to = NULL;

	(void)state;
	assert_false(referral_step(&now, "start", &to, &p));
	assert_string_equal(json_string_value(json_object_get(p.members, "state")), "waitlisted");
	assert_non_null(strstr(p.detail, "on the waiting list: it cannot be started"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_side_does_its_own),
		cmocka_unit_test(a_refusal_names_the_state_that_it_is_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
