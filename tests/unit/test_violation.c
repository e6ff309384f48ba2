/* What PostgreSQL refuses, in the service's words. */
#include "unit.h"

#include <string.h>

#include "base/json.h"
#include "db/violation.h"

static const char *const keys[] = {
#define X(key, symbol, pointer, keyword, sentence) key,
#include "db/violations.def"
#undef X
};

static void a_name_comes_before_a_sqlstate_and_a_sqlstate_before_its_class(void **state)
{
	static const struct {
		struct db_refusal refusal;
		enum problem_code code;
	} cases[] = {
		{ { .sqlstate = "23505", .constraint = "carer_nhs_number_key" },
		  PROBLEM_POSSIBLE_DUPLICATE },
		{ { .sqlstate = "23505", .constraint = "something_else" }, PROBLEM_CONFLICT },
		{ { .sqlstate = "23502", .constraint = NULL }, PROBLEM_VALIDATION_FAILED },
		{ { .sqlstate = "23999" }, PROBLEM_CONFLICT },
		{ { .sqlstate = "22P02" }, PROBLEM_VALIDATION_FAILED },
		{ { .sqlstate = "42501" }, PROBLEM_FORBIDDEN },
		{ { .sqlstate = "42P01" }, PROBLEM_INTERNAL },
		{ { .sqlstate = "XX000" }, PROBLEM_INTERNAL },
		{ { .sqlstate = "4" }, PROBLEM_INTERNAL },
		{ { .sqlstate = NULL }, PROBLEM_INTERNAL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		problem_auto p = { .code = PROBLEM_NONE };

		assert_false(db_violation(&cases[i].refusal, "query", &p));
		assert_int_equal(p.code, cases[i].code);
		assert_true(*p.detail);
	}
}

static void what_may_be_sent_again_says_when(void **state)
{
	static const char *const passing[] = {
		"40001", "40P01", "55P03", "57014", "57P01", "57P03",
		"53300", "53100", "08006", "CA40I", "26000", "0A000"
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(passing); i++) {
		problem_auto p = { .code = PROBLEM_NONE };
		struct db_refusal refusal = { .sqlstate = passing[i] };

		assert_false(db_violation(&refusal, "query", &p));
		assert_int_equal(p.retry_after, 1);
		assert_true(p.code == PROBLEM_UNAVAILABLE ||
		            p.code == PROBLEM_IDEMPOTENCY_IN_FLIGHT);
	}
}

static void words_of_postgresql_reach_nobody(void **state)
{
	static const char secret[] = "Key (nhs_number)=(9434765919) exists";
	struct db_refusal refusal = {
		.message = secret, .detail = "{\"secret\": 1}", .hint = secret, .column = secret
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		problem_auto p = { .code = PROBLEM_NONE };

		refusal.sqlstate = keys[i];
		refusal.constraint = keys[i];
		if (strncmp(keys[i], "CA", 2) == 0)
			continue;
		assert_false(db_violation(&refusal, "query", &p));
		assert_null(strstr(p.detail, "9434765919"));
		assert_null(p.members ? json_object_get(p.members, "secret") : NULL);
	}
}

static void our_own_words_and_members_are_told(void **state)
{
	struct db_refusal refusal = { .sqlstate = "CA40D",
		                      .message = "there is somebody",
		                      .detail = "{\"candidates\": [\"a\", \"b\"]}" };
	problem_auto p = { .code = PROBLEM_NONE };

	(void)state;
	assert_false(db_violation(&refusal, "query", &p));
	assert_int_equal(p.code, PROBLEM_POSSIBLE_DUPLICATE);
	assert_string_equal(p.detail, "there is somebody");
	assert_int_equal(json_array_size(json_object_get(p.members, "candidates")), 2);
}

static void a_detail_that_is_no_object_is_passed_over(void **state)
{
	static const char *const details[] = {
		"", "words", "[1]", "{", "{\"a\": 1} and more", "{\"a\": 1, \"a\": 2}"
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(details); i++) {
		struct db_refusal refusal = { .sqlstate = "CA409",
			                      .message = "no",
			                      .detail = details[i] };
		problem_auto p = { .code = PROBLEM_NONE };

		assert_false(db_violation(&refusal, "query", &p));
		assert_int_equal(p.code, PROBLEM_STATE_CONFLICT);
		assert_string_equal(p.detail, "no");
		assert_null(p.members);
	}
}

static void a_rule_is_named(void **state)
{
	struct db_refusal refusal = { .sqlstate = "CA422",
		                      .message = "a triage is needed",
		                      .hint = "C4" };
	problem_auto p = { .code = PROBLEM_NONE };

	(void)state;
	assert_false(db_violation(&refusal, "query", &p));
	assert_int_equal(p.code, PROBLEM_RULE_VIOLATED);
	assert_string_equal(json_text(p.members, "rule"), "C4");
}

static const struct {
	struct db_refusal refusal;
	const char *pointer, *keyword;
	enum problem_code code;
} pointed[] = {
	/* clang-format off */
	{ { .sqlstate = "CA42V", .message = "is wrong", .hint = "/gp/name" },
	  "/gp/name", "rule", PROBLEM_VALIDATION_FAILED },
	{ { .sqlstate = "CA42V", .message = "is wrong", .column = "council", .hint = "" },
	  "/council", "rule", PROBLEM_VALIDATION_FAILED },
	{ { .sqlstate = "CA42V", .message = "is wrong", .hint = "/kind", .constraint = "enum" },
	  "/kind", "enum", PROBLEM_VALIDATION_FAILED },
	{ { .sqlstate = "CA400", .message = "is wrong", .hint = "/query/cursor" },
	  "/query/cursor", "rule", PROBLEM_INVALID_PARAMETER },
	/* clang-format on */
};

static void a_constraint_can_stand_for_a_rule(void **state)
{
	const struct db_refusal refusal = { .sqlstate = "23514",
		                            .constraint = "assessment_eligibility_conditions" };
	problem_auto p = { .code = PROBLEM_NONE };

	(void)state;
	assert_false(db_violation(&refusal, "query", &p));
	assert_int_equal(p.code, PROBLEM_RULE_VIOLATED);
	assert_string_equal(json_text(p.members, "rule"), "A9");
}

static void a_field_is_pointed_at(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(pointed); i++) {
		problem_auto p = { .code = PROBLEM_NONE };
		json_t *error;

		assert_false(db_violation(&pointed[i].refusal, "query", &p));
		assert_int_equal(p.code, pointed[i].code);
		error = json_at(p.members, "/errors/0");
		assert_string_equal(json_text(error, "pointer"), pointed[i].pointer);
		assert_string_equal(json_text(error, "keyword"), pointed[i].keyword);
		assert_string_equal(json_text(error, "message"), "is wrong");
	}
}

static void a_refusal_of_ours_that_is_not_in_the_list_is_our_fault(void **state)
{
	struct db_refusal refusal = { .sqlstate = "CAXXX", .message = "words" };
	problem_auto p = { .code = PROBLEM_NONE };

	(void)state;
	assert_false(db_violation(&refusal, "query", &p));
	assert_int_equal(p.code, PROBLEM_INTERNAL);
	assert_null(strstr(p.detail, "words"));
}

static void no_key_stands_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(keys[i], keys[j]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_comes_before_a_sqlstate_and_a_sqlstate_before_its_class),
		cmocka_unit_test(what_may_be_sent_again_says_when),
		cmocka_unit_test(words_of_postgresql_reach_nobody),
		cmocka_unit_test(our_own_words_and_members_are_told),
		cmocka_unit_test(a_detail_that_is_no_object_is_passed_over),
		cmocka_unit_test(a_rule_is_named),
		cmocka_unit_test(a_constraint_can_stand_for_a_rule),
		cmocka_unit_test(a_field_is_pointed_at),
		cmocka_unit_test(a_refusal_of_ours_that_is_not_in_the_list_is_our_fault),
		cmocka_unit_test(no_key_stands_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
