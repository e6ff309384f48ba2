/* CSV: what is read, what is refused, and where reading goes on. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "rules/csv.h"

static struct csv csv;

static enum csv_result open_text(const char *text, const char **ret_sentence)
{
	csv_done(&csv);
	return csv_open(&csv, text, strlen(text), ret_sentence);
}

static void fields_stand_under_their_names(void **state)
{
	const char *sentence;

	(void)state;
	assert_int_equal(open_text("\xef\xbb\xbf"
	                           "a,b,c\r\n1,\"x, \"\"y\"\"\nz\",\r\n\r\n,,3",
	                           &sentence),
	                 CSV_RECORD);
	assert_int_equal(csv_next(&csv, &sentence), CSV_RECORD);
	assert_int_equal(csv.line, 2);
	assert_string_equal(csv_field(&csv, "a"), "1");
	assert_string_equal(csv_field(&csv, "b"), "x, \"y\"\nz");
	assert_null(csv_field(&csv, "c"));
	assert_null(csv_field(&csv, "d"));
	assert_int_equal(csv_next(&csv, &sentence), CSV_RECORD);
	assert_int_equal(csv.line, 5);
	assert_string_equal(csv_field(&csv, "c"), "3");
	assert_int_equal(csv_next(&csv, &sentence), CSV_END);
	assert_true(csv_has(&csv, "c"));
	assert_false(csv_has(&csv, "d"));
}

/* Lines of two columns, of which the middle one is wrong. */
static void a_line_that_is_wrong_costs_no_other(void **state)
{
	static const struct {
		const char *line, *sentence;
	} cases[] = {
		{ "\"open,1", "has a quote that is not closed, or one in the middle of a field" },
		{ "in the \"middle\",1",
		  "has a quote that is not closed, or one in the middle of a field" },
		{ "\"closed\" early,1",
		  "has a quote that is not closed, or one in the middle of a field" },
		{ "caf\xe9,1", "is not UTF-8 (Windows-1252?): save the file as UTF-8" },
		{ "one", "has more or fewer fields than the first line" },
		{ "1,2,3", "has more or fewer fields than the first line" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[200];
		const char *sentence = "";

		snprintf(text, sizeof text, "a,b\ngood,1\n%s\ngood,2\n", cases[i].line);
		assert_int_equal(open_text(text, &sentence), CSV_RECORD);
		assert_int_equal(csv_next(&csv, &sentence), CSV_RECORD);
		assert_int_equal(csv_next(&csv, &sentence), CSV_FAULT);
		assert_string_equal(sentence, cases[i].sentence);
		assert_int_equal(csv.line, 3);
		assert_int_equal(csv_next(&csv, &sentence), CSV_RECORD);
		assert_int_equal(csv.line, 4);
		assert_string_equal(csv_field(&csv, "b"), "2");
		assert_int_equal(csv_next(&csv, &sentence), CSV_END);
	}
}

static void a_text_without_a_first_line_is_refused(void **state)
{
	const char *sentence = "";

	(void)state;
	assert_int_equal(open_text("", &sentence), CSV_FAULT);
	assert_string_equal(sentence, "is empty: the first line names the columns");
	assert_int_equal(open_text("\"a", &sentence), CSV_FAULT);
	csv_done(&csv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_stand_under_their_names),
		cmocka_unit_test(a_line_that_is_wrong_costs_no_other),
		cmocka_unit_test(a_text_without_a_first_line_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
