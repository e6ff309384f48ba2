/* Recurrence rules: what is refused, and days against calendars that were looked at by hand. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"
#include "rules/recurrence.h"

/* A date as 20261225. */
static int32_t day(int date)
{
	struct tm tm = { .tm_year = date / 10000 - 1900,
		         .tm_mon = date / 100 % 100 - 1,
		         .tm_mday = date % 100 };

	return (int32_t)(timegm(&tm) / 86400);
}

static int date(int32_t day)
{
	time_t at = (time_t)day * 86400;
	struct tm tm;

	gmtime_r(&at, &tm);
	return (tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday;
}

static struct recurrence parsed(const char *text, int start)
{
	struct recurrence rule = { .text = "" };
	problem_auto p = { 0 };

	if (!recurrence_parse(text, day(start), &rule, &p))
		fail_msg("%s: %s", text, p.detail);
	return rule;
}

/* style: one table */
static void a_rule_gives_its_days(void **state)
{
	const struct {
		const char *text;
		int start, days[8]; /* 0: the end */
	} rows[] = {
		{ "FREQ=WEEKLY;INTERVAL=2;COUNT=4",
		  20261015,
		  { 20261015, 20261029, 20261112, 20261126 } },
		{ "FREQ=WEEKLY;UNTIL=20261224;BYDAY=TH",
		  20261203,
		  { 20261203, 20261210, 20261217, 20261224 } },
		{ "FREQ=WEEKLY;BYDAY=MO,WE;COUNT=3", 20261201, { 20261202, 20261207, 20261209 } },
		{ "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU;COUNT=4",
		  19970805,
		  { 19970805, 19970817, 19970819, 19970831 } }, /* RFC 5545's example of WKST */
		{ "FREQ=WEEKLY;INTERVAL=2;WKST=MO;BYDAY=TU,SU;COUNT=4",
		  19970805,
		  { 19970805, 19970810, 19970819, 19970824 } },
		{ "FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", 20261101, { 20261127, 20261225, 20270129 } },
		{ "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3",
		  20261001,
		  { 20261030, 20261130, 20261231 } },
		{ "FREQ=MONTHLY;BYMONTHDAY=31;COUNT=3",
		  20261031,
		  { 20261031, 20261231, 20270131 } },
		{ "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3",
		  20270101,
		  { 20270131, 20270228, 20270331 } },
		{ "FREQ=MONTHLY;COUNT=2;BYMONTH=2;BYMONTHDAY=29",
		  20261001,
		  { 20280229, 20320229 } },
		{ "FREQ=YEARLY;COUNT=3;BYMONTH=12;BYMONTHDAY=25",
		  20261001,
		  { 20261225, 20271225, 20281225 } },
		{ "FREQ=YEARLY;COUNT=2", 20280229, { 20280229, 20320229 } },
		{ "FREQ=DAILY;INTERVAL=10;COUNT=3", 20261225, { 20261225, 20270104, 20270114 } },
		{ "COUNT=1;FREQ=DAILY", 20261225, { 20261225 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct recurrence rule = parsed(rows[i].text, rows[i].start);
		struct recurrence_days days;
		size_t n = 0;

		recurrence_walk(&rule, rule.start, day(20401231), &days);
		assert_true(rule.ends);
		assert_false(days.more);
		for (; rows[i].days[n]; n++) {
			assert_true(n < days.count);
			assert_int_equal(date(days.day[n]), rows[i].days[n]);
		}
		assert_int_equal(days.count, n);
	}
}

static void a_rule_without_an_end_is_walked_within_a_span(void **state)
{
	struct recurrence rule = parsed("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", 20010102);
	struct recurrence_days days;

	(void)state;
	assert_false(rule.ends);
	recurrence_walk(&rule, day(20261120), day(20261231), &days);
	assert_int_equal(days.count, 3);
	assert_int_equal(date(days.day[0]), 20261201);
	assert_int_equal((days.day[0] - rule.start) % 14, 0);
	recurrence_walk(&rule, day(19990101), day(20001231), &days);
	assert_int_equal(days.count, 0);
}

static void a_span_begins_where_the_walk_from_the_start_would_be(void **state)
{
	static const char *const rows[] = {
		"FREQ=DAILY;INTERVAL=3",
		"FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,SU;WKST=SU",
		"FREQ=MONTHLY;INTERVAL=5;BYDAY=2TU",
		"FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=1,-1",
		"FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=-1,15",
		"FREQ=YEARLY;INTERVAL=2;BYMONTH=3,10;BYDAY=-1SU",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct recurrence rule = parsed(rows[i], 20240229);
		struct recurrence_days all, late;
		size_t n = 0;

		recurrence_walk(&rule, rule.start, day(20261231), &all);
		recurrence_walk(&rule, day(20260110), day(20261231), &late);
		assert_false(all.more);
		while (all.day[n] < day(20260110))
			n++;
		assert_int_equal(late.count, all.count - n);
		assert_memory_equal(late.day, all.day + n, late.count * sizeof *late.day);
	}
}

static void a_count_is_of_all_days_not_of_the_spans(void **state)
{
	struct recurrence rule = parsed("FREQ=DAILY;COUNT=5", 20261201);
	struct recurrence_days days;

	(void)state;
	recurrence_walk(&rule, day(20261204), day(20261231), &days);
	assert_int_equal(days.count, 2);
}

static void more_than_fit_are_said_to_be_more(void **state)
{
	struct recurrence rule = parsed("FREQ=DAILY", 20261201);
	struct recurrence_days days;

	(void)state;
	recurrence_walk(&rule, rule.start, rule.start + RECURRENCE_MOST - 1, &days);
	assert_int_equal(days.count, RECURRENCE_MOST);
	assert_false(days.more);
	recurrence_walk(&rule, rule.start, rule.start + RECURRENCE_MOST, &days);
	assert_int_equal(days.count, RECURRENCE_MOST);
	assert_true(days.more);
}

/* style: one table */
static void what_is_no_rule_is_refused_with_a_sentence(void **state)
{
	const struct {
		const char *text, *word;
	} rows[] = {
		{ "", "no FREQ" },
		{ "weekly", "no rule of RFC 5545" },
		{ "RRULE:FREQ=WEEKLY", "not taken" },
		{ "FREQ=WEEKLY;", "semicolon" },
		{ "FREQ=WEEKLY;;COUNT=2", "no rule of RFC 5545" },
		{ "FREQ=WEEKLY;FREQ=DAILY", "FREQ that is there twice" },
		{ "INTERVAL=2", "no FREQ" },
		{ "FREQ=HOURLY", "not DAILY, WEEKLY" },
		{ "FREQ=weekly", "not DAILY, WEEKLY" },
		{ "FREQ=DAILY;BYHOUR=10", "not taken" },
		{ "FREQ=YEARLY;BYWEEKNO=20", "not taken" },
		{ "FREQ=YEARLY;RSCALE=CHINESE", "not taken" },
		{ "FREQ=WEEKLY;INTERVAL=0", "INTERVAL that is not from 1" },
		{ "FREQ=WEEKLY;INTERVAL=367", "INTERVAL that is not from 1" },
		{ "FREQ=WEEKLY;COUNT=-1", "COUNT that is not from 1" },
		{ "FREQ=WEEKLY;COUNT=401", "COUNT that is not from 1" },
		{ "FREQ=WEEKLY;COUNT=2 ", "COUNT that is not from 1" },
		{ "FREQ=WEEKLY;COUNT=2;UNTIL=20270101", "both COUNT and UNTIL" },
		{ "FREQ=WEEKLY;UNTIL=20260631", "UNTIL that is no day" },
		{ "FREQ=WEEKLY;UNTIL=20261231T100000Z", "UNTIL that is no day" },
		{ "FREQ=WEEKLY;BYDAY=MO,XX", "BYDAY that is out of range" },
		{ "FREQ=WEEKLY;BYDAY=MO,,TU", "BYDAY that is no list" },
		{ "FREQ=WEEKLY;BYDAY=MO,", "BYDAY that is no list" },
		{ "FREQ=WEEKLY;BYDAY=MO,MO", "names the same twice" },
		{ "FREQ=WEEKLY;BYDAY=1MO", "counts days in BYDAY" },
		{ "FREQ=MONTHLY;BYDAY=6MO", "BYDAY that is out of range" },
		{ "FREQ=MONTHLY;BYDAY=2MO;BYMONTHDAY=1", "names days in BYMONTHDAY" },
		{ "FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY with FREQ=WEEKLY" },
		{ "FREQ=DAILY;BYMONTHDAY=-1", "with FREQ=DAILY" },
		{ "FREQ=YEARLY;BYMONTHDAY=1", "FREQ=YEARLY and no BYMONTH" },
		{ "FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY that is out of range" },
		{ "FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY that is out of range" },
		{ "FREQ=MONTHLY;BYMONTH=-1", "BYMONTH that is out of range" },
		{ "FREQ=MONTHLY;BYSETPOS=1", "without FREQ=MONTHLY" },
		{ "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=5", "not every month has" },
		{ "FREQ=WEEKLY;WKST=1", "WKST" },
		{ "FREQ=MONTHLY;BYMONTHDAY=", "empty" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct recurrence rule = { .start = -7 };
		problem_auto p = { 0 };

		if (recurrence_parse(rows[i].text, day(20261201), &rule, &p))
			fail_msg("%s was taken", rows[i].text);
		assert_int_equal(p.code, PROBLEM_VALIDATION_FAILED);
		if (!strstr(p.detail, rows[i].word))
			fail_msg("%s: %s", rows[i].text, p.detail);
		assert_int_equal(rule.start, -7);
	}
}

/* Some milliseconds each, under a sanitizer too: what libical would look for to the year 20000. */
static void a_rule_that_never_happens_is_refused_and_costs_little(void **state)
{
	static const char *const rows[] = {
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=MONTHLY;BYMONTH=4,6,9,11;BYMONTHDAY=31",
		"FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31", /* Aprils */
		"FREQ=MONTHLY;INTERVAL=12;BYMONTH=5;BYDAY=MO",
		"FREQ=DAILY;INTERVAL=7;BYDAY=TU", /* Wednesdays */
		"FREQ=WEEKLY;UNTIL=20260101",
		"FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29", /* 2027, 2029 ... */
		"FREQ=YEARLY;INTERVAL=366;BYMONTH=2;BYDAY=5MO",
		"FREQ=DAILY;INTERVAL=366;BYMONTH=2;BYMONTHDAY=29;COUNT=400",
		"FREQ=MONTHLY;INTERVAL=366;BYMONTH=2;BYDAY=-5MO",
		"FREQ=MONTHLY;INTERVAL=12;BYMONTH=2;BYDAY=5SU",
		"FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYDAY=5SU,-5MO",
		"FREQ=MONTHLY;INTERVAL=8;BYMONTH=4;BYMONTHDAY=31",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct recurrence rule;
		problem_auto p = { 0 };
		clock_t before = clock();

		if (recurrence_parse(rows[i], day(20270428), &rule, &p))
			fail_msg("%s was taken", rows[i]);
		if (!strstr(p.detail, "never happens"))
			fail_msg("%s: %s", rows[i], p.detail);
		if (clock() - before > CLOCKS_PER_SEC / 2)
			fail_msg("%s took %ld us", rows[i], (long)(clock() - before));
	}
}

static void what_names_no_day_is_on_the_day_that_it_begins_on(void **state)
{
	struct recurrence rule = parsed("FREQ=MONTHLY;COUNT=3", 20270131);
	struct recurrence_days days;
	problem_auto p = { 0 };

	(void)state;
	recurrence_walk(&rule, rule.start, day(20281231), &days);
	assert_int_equal(date(days.day[1]), 20270331);
	assert_false(recurrence_parse("FREQ=MONTHLY;BYMONTH=2", day(20270131), &rule, &p));
	assert_non_null(strstr(p.detail, "no month that it comes to"));
}

static void a_long_text_is_refused(void **state)
{
	char text[RECURRENCE_TEXT + 20] = "FREQ=WEEKLY;BYDAY=";
	struct recurrence rule;
	problem_auto p = { 0 };

	(void)state;
	memset(text + strlen(text), ',', sizeof text - strlen(text) - 1);
	assert_false(recurrence_parse(text, 0, &rule, &p));
	assert_non_null(strstr(p.detail, "too long"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_gives_its_days),
		cmocka_unit_test(a_rule_without_an_end_is_walked_within_a_span),
		cmocka_unit_test(a_span_begins_where_the_walk_from_the_start_would_be),
		cmocka_unit_test(a_count_is_of_all_days_not_of_the_spans),
		cmocka_unit_test(more_than_fit_are_said_to_be_more),
		cmocka_unit_test(what_is_no_rule_is_refused_with_a_sentence),
		cmocka_unit_test(a_rule_that_never_happens_is_refused_and_costs_little),
		cmocka_unit_test(what_names_no_day_is_on_the_day_that_it_begins_on),
		cmocka_unit_test(a_long_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
