/* The machine of an assessment's states: what it refuses, and in whose words. */
#include "unit.h"

#include "base/json.h"
#include "rules/assessment_states.h"

static const char *refused(struct assessment_now now, const char *action, struct problem *p)
{
	const char *state = "untouched";

	assert_false(assessment_step(&now, action, NULL, &state, p));
	assert_string_equal(state, "untouched");
	return problem_kind(p->code)->slug;
}

static void an_action_leads_to_its_state(void **state)
{
	const struct assessment_now offered = { "light_touch", "full_offered", "carer", false };
	problem_auto p = { 0 };
	const char *to;

	(void)state;
	assert_true(assessment_step(&offered, "full_response", "full_declined", &to, &p));
	assert_string_equal(to, "full_declined");
	assert_true(assessment_step(&(struct assessment_now){ "review", "due", "assessor", false },
	                            "update", NULL, &to, &p));
	assert_string_equal(to, "due");
}

static const struct {
	struct assessment_now now;
	const char *action, *slug, *detail;
} refusals[] = {
	{ { "review", "completed", "carer", true },
	  "cancel",
	  "forbidden",
	  "this role may not do this with a review" },
	{ { "statutory", "none", "hospital_in_reach", false },
	  "create",
	  "forbidden",
	  "this role may not make a statutory assessment" },
	{ { "review", "completed", "assessor", true },
	  "cancel",
	  "forbidden",
	  "this assessment is another assessor's" },
	{ { "review", "completed", "assessor", false },
	  "update",
	  "rule-violated",
	  "a completed assessment does not change: make a reassessment that follows it" },
	{ { "statutory", "cancelled", "assessor", false },
	  "update",
	  "state-conflict",
	  "a statutory assessment that is cancelled cannot be changed" },
	{ { "light_touch", "in_progress", "practitioner", false },
	  "schedule",
	  "state-conflict",
	  "a light-touch assessment that is in progress cannot be scheduled" },
};

static void a_refusal_names_role_owner_rule_or_state_in_this_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		problem_auto p = { 0 };

		assert_string_equal(refused(refusals[i].now, refusals[i].action, &p),
		                    refusals[i].slug);
		assert_string_equal(p.detail, refusals[i].detail);
		if (p.code == PROBLEM_STATE_CONFLICT)
			assert_string_equal(json_text(p.members, "state"), refusals[i].now.state);
		if (p.code == PROBLEM_RULE_VIOLATED)
			assert_string_equal(json_text(p.members, "rule"), "A8");
	}
}

static void a_length_or_frequency_of_a_break_is_refused_even_as_null(void **state)
{
	static const char *const names[] = { "break_length", "break_hours", "break_duration",
		                             "break_frequency" };
	json_auto_t *plain = json_pack("{s:b}", "break_recommended", 1);
	problem_auto none = { 0 };

	(void)state;
	assert_true(assessment_names_no_break(plain, &none));
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		json_auto_t *body = json_pack("{s:n}", names[i]);
		problem_auto p = { 0 };

		assert_false(assessment_names_no_break(body, &p));
		assert_int_equal(p.code, PROBLEM_RULE_VIOLATED);
		assert_string_equal(json_text(p.members, "rule"), "A7");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_action_leads_to_its_state),
		cmocka_unit_test(a_refusal_names_role_owner_rule_or_state_in_this_order),
		cmocka_unit_test(a_length_or_frequency_of_a_break_is_refused_even_as_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
