/* Opening hours: schedules against the minutes and days that they mean. */
#include "unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "rules/openings.h"

enum { MONDAY = 20423 }; /* 2025-12-01 */

static char *hours(const char *schedule, struct problem *p)
{
	json_t *json = json_loads(schedule, 0, NULL);
	char *text = NULL;

	assert_non_null(json);
	if (!openings_of(json, MONDAY, &text, p))
		assert_null(text);
	json_decref(json);
	return text;
}

static void says(const char *schedule, const char *wanted)
{
	problem_auto p = { 0 };
	text_auto *text = hours(schedule, &p);

	if (!text)
		fail_msg("%s: %s", schedule, p.detail);
	assert_string_equal(text, wanted);
}

static void what_holds_every_week_is_minutes_of_the_week(void **state)
{
	(void)state;
	says("[]", "{\"weekly\":\"{}\",\"dated\":[]}");
	says("[{\"freq\":\"WEEKLY\",\"byday\":\"MO\",\"opens_at\":\"10:00\",\"closes_at\":\"12:"
	     "30\"}]",
	     "{\"weekly\":\"{[600,750)}\",\"dated\":[]}");
	says("[{\"freq\":\"WEEKLY\",\"byday\":\"TU,SU\",\"interval\":1}]",
	     "{\"weekly\":\"{[1440,2880),[8640,10080)}\",\"dated\":[]}");
}

static void after_midnight_belongs_to_the_next_day(void **state)
{
	(void)state;
	says("[{\"freq\":\"WEEKLY\",\"byday\":\"MO\",\"opens_at\":\"22:00\",\"closes_at\":\"06:"
	     "00\"}]",
	     "{\"weekly\":\"{[1320,1800)}\",\"dated\":[]}");
	says("[{\"freq\":\"WEEKLY\",\"byday\":\"SU\",\"opens_at\":\"22:00\",\"closes_at\":\"00:"
	     "00\"}]",
	     "{\"weekly\":\"{[9960,10080)}\",\"dated\":[]}");
	says("[{\"freq\":\"WEEKLY\",\"byday\":\"SU\",\"opens_at\":\"22:00\",\"closes_at\":\"01:"
	     "00\"}]",
	     "{\"weekly\":\"{[9960,10080),[0,60)}\",\"dated\":[]}");
}

static void what_has_an_end_or_skips_weeks_is_days(void **state)
{
	(void)state;
	says("[{\"freq\":\"WEEKLY\",\"byday\":\"TU\",\"valid_to\":\"2025-12-09\",\"opens_at\":\"09:"
	     "00\",\"closes_at\":\"10:00\"}]",
	     "{\"weekly\":\"{}\",\"dated\":[[20424,540,600],[20431,540,600]]}");
	says("[{\"freq\":\"WEEKLY\",\"interval\":2,\"byday\":\"MO\",\"dtstart\":\"2025-12-01\","
	     "\"valid_to\":\"2025-12-31\"}]",
	     "{\"weekly\":\"{}\",\"dated\":[[20423,0,1440],[20437,0,1440],[20451,0,1440]]}");
	says("[{\"freq\":\"MONTHLY\",\"byday\":\"2TU\",\"valid_to\":\"2026-01-31\"}]",
	     "{\"weekly\":\"{}\",\"dated\":[[20431,0,1440],[20466,0,1440]]}");
	says("[{\"freq\":\"MONTHLY\",\"bymonthday\":\"1,15\",\"dtstart\":\"2025-12-01\",\"valid_"
	     "to\":\"2025-12-31\"}]",
	     "{\"weekly\":\"{}\",\"dated\":[[20423,0,1440],[20437,0,1440]]}");
}

static void what_is_over_is_kept_and_never_open(void **state)
{
	(void)state;
	says("[{\"freq\":\"WEEKLY\",\"byday\":\"MO\",\"valid_from\":\"2020-01-01\",\"valid_to\":"
	     "\"2020-12-31\"}]",
	     "{\"weekly\":\"{}\",\"dated\":[]}");
}

static void what_cannot_be_is_named_by_its_place(void **state)
{
	static const struct {
		const char *schedule, *pointer;
	} cases[] = {
		{ "[{\"freq\":\"WEEKLY\"}]", "/schedule/0" },
		{ "[{\"freq\":\"WEEKLY\",\"byday\":\"2MO\"}]", "/schedule/0" },
		{ "[{\"freq\":\"WEEKLY\",\"byday\":\"MO\"},{\"freq\":\"MONTHLY\",\"bymonthday\":"
		  "\"31\",\"valid_from\":\"2026-02-01\",\"valid_to\":\"2026-02-28\"}]",
		  "/schedule/1" },
		{ "[{\"freq\":\"WEEKLY\",\"byday\":\"MO\",\"valid_from\":\"2026-02-01\",\"valid_"
		  "to\":\"2026-01-31\"}]",
		  "/schedule/0/valid_to" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		problem_auto p = { 0 };
		text_auto *text = hours(cases[i].schedule, &p);
		const json_t *errors = json_object_get(p.members, "errors");

		assert_null(text);
		assert_int_equal(p.code, PROBLEM_VALIDATION_FAILED);
		assert_int_equal(json_array_size(errors), 1);
		assert_string_equal(
			json_string_value(json_object_get(json_array_get(errors, 0), "pointer")),
			cases[i].pointer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_holds_every_week_is_minutes_of_the_week),
		cmocka_unit_test(after_midnight_belongs_to_the_next_day),
		cmocka_unit_test(what_has_an_end_or_skips_weeks_is_days),
		cmocka_unit_test(what_is_over_is_kept_and_never_open),
		cmocka_unit_test(what_cannot_be_is_named_by_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
