/* The machine of breaks: what each side may do, and what the other is told. */
#include "unit.h"

#include <jansson.h>
#include <string.h>

#include "base/attr.h"
#include "rules/break_states.h"

static void each_side_does_its_own(void **state)
{
	const struct {
		const char *state, *action;
		bool provider, arranger;
		const char *to; /* NULL: refused */
		enum problem_code code;
	} rows[] = {
		{ "referred", "conversation", true, false, "conversation_held", 0 },
		{ "referred", "conversation", false, true, NULL, PROBLEM_RULE_VIOLATED },
		{ "conversation_held", "agree", true, false, "agreed", 0 },
		{ "conversation_held", "agree", false, true, NULL, PROBLEM_RULE_VIOLATED },
		{ "ended", "agree", false, false, NULL, PROBLEM_RULE_VIOLATED },
		{ "referred", "agree", true, false, NULL, PROBLEM_STATE_CONFLICT },
		{ "agreed", "start", true, false, "active", 0 },
		{ "agreed", "start", false, true, NULL, PROBLEM_STATE_CONFLICT },
		{ "paused", "end", false, true, "ended", 0 },
		{ "agreed", "end", true, true, NULL, PROBLEM_STATE_CONFLICT },
		{ "active", "update", false, true, "active", 0 },
		{ "ended", "update", true, true, NULL, PROBLEM_STATE_CONFLICT },
		{ "active", "decline", true, false, NULL, PROBLEM_STATE_CONFLICT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct break_now now = { rows[i].state, rows[i].provider, rows[i].arranger };
		problem_auto p = { 0 };
		const char *to = NULL;

		assert_int_equal(break_step(&now, rows[i].action, &to, &p), rows[i].to != NULL);
		if (rows[i].to)
			assert_string_equal(to, rows[i].to);
		else
			assert_int_equal(p.code, rows[i].code);
	}
}

static void a_refusal_names_the_state_or_the_rule(void **state)
{
	const struct break_now now = { .state = "paused", .provider = true, .arranger = true };
	const struct break_now council = { .state = "conversation_held", .arranger = true };
	problem_auto p = { 0 }, q = { 0 };
	const char *to = NULL;

	(void)state;
	assert_false(break_step(&now, "start", &to, &p));
	assert_string_equal(json_string_value(json_object_get(p.members, "state")), "paused");
	assert_non_null(strstr(p.detail, "paused: it cannot be started"));
	assert_false(break_step(&council, "agree", &to, &q));
	assert_string_equal(json_string_value(json_object_get(q.members, "rule")), "B2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_side_does_its_own),
		cmocka_unit_test(a_refusal_names_the_state_or_the_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
