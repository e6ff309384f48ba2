/* SWEMWBS against the published table, all 29 rows of it. */
#include "unit.h"

#include <stdio.h>

#include "base/attr.h"
#include "rules/swemwbs.h"

static const struct {
	unsigned raw;
	const char *metric, *band;
} published[] = {
	{ 7, "7.00", "low" },       { 8, "9.51", "low" },       { 9, "11.25", "low" },
	{ 10, "12.40", "low" },     { 11, "13.33", "low" },     { 12, "14.08", "low" },
	{ 13, "14.75", "low" },     { 14, "15.32", "low" },     { 15, "15.84", "low" },
	{ 16, "16.36", "low" },     { 17, "16.88", "low" },     { 18, "17.43", "low" },
	{ 19, "17.98", "low" },     { 20, "18.59", "low" },     { 21, "19.25", "low" },
	{ 22, "19.98", "average" }, { 23, "20.73", "average" }, { 24, "21.54", "average" },
	{ 25, "22.35", "average" }, { 26, "23.21", "average" }, { 27, "24.11", "average" },
	{ 28, "25.03", "average" }, { 29, "26.02", "average" }, { 30, "27.03", "average" },
	{ 31, "28.13", "high" },    { 32, "29.31", "high" },    { 33, "30.70", "high" },
	{ 34, "32.55", "high" },    { 35, "35.00", "high" },
};

/* Seven answers of 1 to 5 with this sum. */
static void answers_with_sum(unsigned sum, unsigned char ret_answers[static SWEMWBS_ITEMS])
{
	for (unsigned i = 0; i < SWEMWBS_ITEMS; i++) {
		unsigned others = SWEMWBS_ITEMS - 1 - i;
		unsigned most = sum - others < 5 ? sum - others : 5;

		ret_answers[i] = (unsigned char)most;
		sum -= most;
	}
}

static void every_sum_has_its_published_metric_and_band(void **state)
{
	unsigned char answers[SWEMWBS_ITEMS];
	struct swemwbs result;
	char metric[16];

	(void)state;
	assert_int_equal(COUNT_OF(published), SWEMWBS_RAW_MAX - SWEMWBS_RAW_MIN + 1);
	for (size_t i = 0; i < COUNT_OF(published); i++) {
		answers_with_sum(published[i].raw, answers);
		result = swemwbs_score(answers);
		snprintf(metric, sizeof metric, "%u.%02u", result.metric / 100,
		         result.metric % 100);
		assert_true(result.complete);
		assert_int_equal(result.raw, published[i].raw);
		assert_string_equal(metric, published[i].metric);
		assert_string_equal(result.band, published[i].band);
	}
}

static void six_answers_have_no_score(void **state)
{
	const unsigned char answers[SWEMWBS_ITEMS] = { 5, 5, 5, 0, 5, 5, 5 };
	struct swemwbs result = swemwbs_score(answers);

	(void)state;
	assert_false(result.complete);
	assert_int_equal(result.answered, 6);
	assert_int_equal(result.raw, 0);
	assert_int_equal(result.metric, 0);
	assert_null(result.band);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sum_has_its_published_metric_and_band),
		cmocka_unit_test(six_answers_have_no_score),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
