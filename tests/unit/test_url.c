/* Request targets taken apart. */
#include "unit.h"

#include <string.h>

#include "contract/url.h"

static void path_and_query_stay_apart(void **state)
{
	url_auto url = { 0 };
	problem_auto p = { 0 };

	(void)state;
	assert_true(url_parse("/c/1?id=2&id=3&q=a+b%26&flag", &url, &p));
	assert_int_equal(url.segment_count, 2);
	assert_string_equal(url.segments[1], "1");
	assert_int_equal(url.pair_count, 4);
	assert_string_equal(url.pairs[1].value, "3");
	assert_string_equal(url.pairs[2].value, "a b&");
	assert_string_equal(url.pairs[3].value, "");
}

static void a_plus_in_the_path_is_a_plus(void **state)
{
	url_auto url = { 0 };
	problem_auto p = { 0 };

	(void)state;
	assert_true(url_parse("/a+b", &url, &p));
	assert_string_equal(url.segments[0], "a+b");
}

static void a_slash_at_the_end_is_told_apart(void **state)
{
	static const struct {
		const char *target;
		size_t segments;
		bool slash;
	} cases[] = { { "/", 0, false },
		      { "/v1", 1, false },
		      { "/v1/", 1, true },
		      { "/v1/carers/?a=/", 2, true },
		      { "/v1/carers?a=/", 2, false } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		url_auto url = { 0 };
		problem_auto p = { 0 };

		assert_true(url_parse(cases[i].target, &url, &p));
		assert_int_equal(url.segment_count, cases[i].segments);
		assert_int_equal(url.slash, cases[i].slash);
	}
}

static void assert_refused(const char *target, enum problem_code code, const char *part)
{
	url_auto url = { 0 };
	problem_auto p = { 0 };

	assert_false(url_parse(target, &url, &p));
	assert_int_equal(p.code, code);
	assert_non_null(strstr(p.detail, part));
}

static void tricks_in_the_path_are_refused_by_name(void **state)
{
	(void)state;
	assert_refused("/v1/%2e%2e/livez", PROBLEM_INVALID_PARAMETER, "dot segment");
	assert_refused("/v1/../livez", PROBLEM_INVALID_PARAMETER, "dot segment");
	assert_refused("/v1/a%2Fb", PROBLEM_INVALID_PARAMETER, "escaped slash");
	assert_refused("/v1/%00", PROBLEM_INVALID_PARAMETER, "NUL");
	assert_refused("/v1/%ff", PROBLEM_INVALID_PARAMETER, "UTF-8");
	assert_refused("/v1/%4", PROBLEM_INVALID_PARAMETER, "escape");
	assert_refused("/v1?a=%00", PROBLEM_INVALID_PARAMETER, "NUL");
	assert_refused("/v1//carers", PROBLEM_NOT_FOUND, "nothing is served");
	assert_refused("/v1/carers//", PROBLEM_NOT_FOUND, "nothing is served");
	assert_refused("*", PROBLEM_NOT_FOUND, "nothing is served");
	assert_refused("/1/2/3/4/5/6/7/8/9/10/11/12/13", PROBLEM_NOT_FOUND, "nothing is served");
}

static void a_query_has_a_ceiling(void **state)
{
	char target[URL_LIMIT + 8] = "/v1?";

	(void)state;
	for (int i = 0; i <= URL_PAIRS; i++)
		memcpy(target + 4 + 4 * i, "a=1&", 4);
	assert_refused(target, PROBLEM_INVALID_PARAMETER, "more than");
	memset(target, 'a', sizeof target - 1);
	target[0] = '/';
	assert_refused(target, PROBLEM_INVALID_PARAMETER, "too long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slash_at_the_end_is_told_apart),
		cmocka_unit_test(path_and_query_stay_apart),
		cmocka_unit_test(a_plus_in_the_path_is_a_plus),
		cmocka_unit_test(tricks_in_the_path_are_refused_by_name),
		cmocka_unit_test(a_query_has_a_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
