/* The machine of funding awards: what may follow what, and what a refusal tells. */
#include "unit.h"

#include <jansson.h>
#include <string.h>

#include "base/attr.h"
#include "rules/funding_states.h"

static void an_award_is_decided_on_and_then_paid(void **state)
{
	static const char *const states[] = { "applied", "approved", "refused", "paid" };
	static const char *const actions[] = { "approve", "refuse", "pay", "dance" };
	static const char *const leads[][COUNT_OF(actions)] = {
		{ "approved", "refused", NULL, NULL },
		{ NULL, "refused", "paid", NULL },
		{ NULL, NULL, NULL, NULL },
		{ NULL, NULL, NULL, NULL },
	};

	(void)state;
	for (size_t s = 0; s < COUNT_OF(states); s++)
		for (size_t a = 0; a < COUNT_OF(actions); a++) {
			problem_auto p = { 0 };
			const char *to = NULL;

			assert_int_equal(funding_step(states[s], actions[a], &to, &p),
			                 leads[s][a] != NULL);
			if (leads[s][a])
				assert_string_equal(to, leads[s][a]);
			else
				assert_int_equal(p.code, PROBLEM_STATE_CONFLICT);
		}
}

static void a_refusal_names_the_state_that_it_is_in(void **state)
{
	problem_auto p = { 0 };
	const char *to = NULL;

	(void)state;
	assert_false(funding_step("applied", "pay", &to, &p));
	assert_string_equal(json_string_value(json_object_get(p.members, "state")), "applied");
	assert_non_null(strstr(p.detail, "applied for: it cannot be paid"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_award_is_decided_on_and_then_paid),
		cmocka_unit_test(a_refusal_names_the_state_that_it_is_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
