/* Working days around week-ends, Easter, Christmas and a coronation. */
#include "unit.h"

#include "base/attr.h"
#include "rules/working_days.h"

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar (H. Hinnant,
 * days_from_civil). */
static int32_t day(int32_t year, unsigned month, unsigned of_month)
{
	year -= month <= 2;
	int32_t era = year / 400;
	unsigned of_era = (unsigned)(year - era * 400);
	unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + of_month - 1;

	return era * 146097 + (int32_t)(of_era * 365 + of_era / 4 - of_era / 100 + of_year) -
	       719468;
}

static void days_are_counted_from_1970(void **state)
{
	(void)state;
	assert_int_equal(day(1970, 1, 1), 0);
	assert_int_equal(day(2023, 5, 8), 19485);
}

static void five_working_days_pass_over_what_is_none(void **state)
{
	const int32_t off[] = { day(2023, 4, 7), day(2023, 4, 10),  day(2023, 5, 1),
		                day(2023, 5, 8), day(2021, 12, 27), day(2021, 12, 28),
		                day(2022, 1, 3), day(2026, 12, 25), day(2026, 12, 28),
		                day(2027, 1, 1) };
	const struct {
		int32_t from, due;
	} rows[] = {
		{ day(2026, 11, 23), day(2026, 11, 30) }, /* Monday to Monday */
		{ day(2026, 11, 27), day(2026, 12, 4) },  /* Friday to Friday */
		{ day(2026, 11, 28), day(2026, 12, 4) },  /* a Saturday is no first day */
		{ day(2026, 11, 29), day(2026, 12, 4) },  /* nor a Sunday */
		{ day(2023, 4, 5), day(2023, 4, 14) },    /* over Good Friday and Easter Monday */
		{ day(2023, 4, 28),
		  day(2023, 5, 9) }, /* over the early May holiday and 8 May 2023 */
		{ day(2021, 12, 23),
		  day(2022, 1,
		      4) }, /* Christmas on a Saturday, both substitute days, New Year's too */
		{ day(2026, 12, 22), day(2026, 12, 31) }, /* Boxing Day on a Saturday */
		{ day(2026, 3, 27), day(2026, 4, 3) },    /* the clocks go forward in between */
		{ day(2026, 10, 23), day(2026, 10, 30) }, /* and back */
	};
	const struct holidays holidays = { off, COUNT_OF(off) };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(working_days_add(rows[i].from, 5, holidays), rows[i].due);
}

static void no_days_lead_nowhere(void **state)
{
	(void)state;
	assert_int_equal(working_days_add(day(2026, 11, 28), 0, (struct holidays){ 0 }),
	                 day(2026, 11, 28));
	assert_int_equal(working_days_add(-3, 1, (struct holidays){ 0 }),
	                 -2); /* 1969-12-30, a Tuesday */
}

static void holidays_are_read_from_a_list(void **state)
{
	int32_t days[3];

	(void)state;
	assert_int_equal(holidays_read(NULL, 3, days), 0);
	assert_int_equal(holidays_read("", 3, days), 0);
	assert_int_equal(holidays_read("19485", 3, days), 1);
	assert_int_equal(holidays_read("19485,x,0,7,8", 3, days), 3);
	assert_int_equal(days[0], 19485);
	assert_int_equal(days[2], 7);
	assert_true(holidays_have((struct holidays){ days, 3 }, 7));
	assert_false(holidays_have((struct holidays){ days, 2 }, 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_are_counted_from_1970),
		cmocka_unit_test(five_working_days_pass_over_what_is_none),
		cmocka_unit_test(no_days_lead_nowhere),
		cmocka_unit_test(holidays_are_read_from_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
