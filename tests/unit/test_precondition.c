/* ETags and the headers that compare them. */
#include "unit.h"

#include "call/precondition.h"

static const char *versions(const char *header)
{
	static char text[MATCH_TEXT];

	match_versions(header, text);
	return text;
}

static void if_match_becomes_the_versions_it_allows(void **state)
{
	(void)state;
	assert_string_equal(versions(NULL), "");
	assert_string_equal(versions("*"), "*");
	assert_string_equal(versions("\"v7\""), "7");
	assert_string_equal(versions("\"v7\", \"v8\",\"v9\""), "7,8,9");
	assert_string_equal(versions("\"v7.gzip\", \"v8\""), "7,8");
}

static void what_is_no_etag_of_ours_matches_nothing(void **state)
{
	(void)state;
	assert_string_equal(versions("\"7\""), "-1");
	assert_string_equal(versions("W/\"v7\""), "-1");
	assert_string_equal(versions("v7"), "-1");
	assert_string_equal(versions("\"v7"), "-1");
	assert_string_equal(versions("\"v07\""), "-1");
	assert_string_equal(versions("\"v7.br\""), "-1");
	assert_string_equal(versions("\".gzip\""), "-1");
	assert_string_equal(versions("\"v7;DROP\""), "-1");
	assert_string_equal(versions(""), "-1");
}

static void if_none_match_takes_lists_stars_and_weak_tags(void **state)
{
	(void)state;
	assert_true(etag_listed("\"v7\"", "\"v7\""));
	assert_true(etag_listed("\"a\", W/\"v7\"", "\"v7\""));
	assert_true(etag_listed("*", "\"v7\""));
	assert_true(etag_listed("W/\"v7.gzip\"", "\"v7\""));
	assert_false(etag_listed("\"v70.gzip\"", "\"v7\""));
	assert_false(etag_listed("\"v70\"", "\"v7\""));
	assert_false(etag_listed(NULL, "\"v7\""));
	assert_false(etag_listed("v7", "\"v7\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(if_match_becomes_the_versions_it_allows),
		cmocka_unit_test(what_is_no_etag_of_ours_matches_nothing),
		cmocka_unit_test(if_none_match_takes_lists_stars_and_weak_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
