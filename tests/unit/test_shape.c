/* What of an answer was asked for: members of items, and Prefer. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "call/shape.h"

static void assert_kept(const char *text, const char *asked, const char *wanted)
{
	text_auto *body = text_copy(text);
	json_auto_t *names = json_loads(asked, 0, NULL);
	json_auto_t *json = NULL;
	size_t size = fields_keep(body, names);

	assert_string_equal(body, wanted);
	assert_int_equal(size, strlen(wanted));
	json = json_loads(body, 0, NULL);
	assert_non_null(json);
}

static void only_what_is_named_and_the_id_stay(void **state)
{
	(void)state;
	assert_kept("{\"items\":[{\"id\":\"1\",\"a\":1,\"b\":2},{\"b\":3,\"id\":\"2\"}],\"next_"
	            "cursor\":\"c\"}",
	            "[\"b\"]",
	            "{\"items\":[{\"id\":\"1\",\"b\":2},{\"b\":3,\"id\":\"2\"}],\"next_cursor\":"
	            "\"c\"}");
	assert_kept("{\"found\":2,\"items\":[{\"a\":1},{\"b\":2},{}]}", "[\"b\"]",
	            "{\"found\":2,\"items\":[{},{\"b\":2},{}]}");
	assert_kept("{\"items\":[{\"a\":1,\"b\":2,\"c\":3}]}", "[\"c\",\"a\"]",
	            "{\"items\":[{\"a\":1,\"c\":3}]}");
	assert_kept("{\"items\":[],\"found\":0}", "[\"a\"]", "{\"items\":[],\"found\":0}");
	assert_kept("{}", "[\"a\"]", "{}");
}

static void values_stay_as_they_were_written(void **state)
{
	(void)state;
	assert_kept("{\"items\":[{\"a\":52.48110000000001,\"b\":1.50,\"c\":-1e-7,\"d\":null,\"e\":"
	            "true}]}",
	            "[\"a\",\"b\",\"c\",\"d\",\"e\"]",
	            "{\"items\":[{\"a\":52.48110000000001,\"b\":1.50,\"c\":-1e-7,\"d\":null,\"e\":"
	            "true}]}");
	assert_kept("{\"items\":[{\"a\":\"\\\"}],\\\\\",\"b\":\"\\u00e9\",\"c\":\"{[\"}]}",
	            "[\"b\"]", "{\"items\":[{\"b\":\"\\u00e9\"}]}");
}

static void brackets_and_names_inside_a_value_mean_nothing(void **state)
{
	(void)state;
	assert_kept(
		"{\"items\":[{\"a\":{\"b\":[1,{\"id\":2}],\"c\":\"]}\"},\"b\":[[],{}],\"d\":{}}]}",
		"[\"b\"]", "{\"items\":[{\"b\":[[],{}]}]}");
	assert_kept("{\"facets\":{\"items\":[{\"a\":1}]},\"items\":[{\"a\":1}],\"x\":[{\"a\":1}]}",
	            "[\"b\"]",
	            "{\"facets\":{\"items\":[{\"a\":1}]},\"items\":[{}],\"x\":[{\"a\":1}]}");
	assert_kept("{\"items\":[{\"ab\":1,\"b\":2,\"bc\":3}]}", "[\"b\"]",
	            "{\"items\":[{\"b\":2}]}");
}

static void white_space_between_is_no_part_of_it(void **state)
{
	(void)state;
	assert_kept("{ \"items\" : [ { \"a\" : 1 , \"b\" : [ 1 , 2 ] , \"c\" : 3 } ,\n { \"b\" : 4 "
	            "} ] , \"n\" : 1 }",
	            "[\"b\"]",
	            "{ \"items\" : [ { \"b\" : [ 1 , 2 ]} ,\n { \"b\" : 4} ] , \"n\" : 1 }");
}

/* Text of ours is whole; if it ever is not, nothing is read behind its end. */
static void text_that_breaks_off_is_not_read_behind_its_end(void **state)
{
	static const char whole[] = "{\"items\":[{\"id\":\"1\\\"\",\"a\":{\"b\":[1,2]}}],\"n\":1}";
	json_auto_t *names = json_loads("[\"a\"]", 0, NULL);

	(void)state;
	for (size_t size = 0; size < sizeof whole; size++) {
		text_auto *part = text_copy_n(whole, size);

		assert_true(fields_keep(part, names) <= size);
	}
}

static void prefer_is_read_as_rfc_7240_says(void **state)
{
	static const struct {
		const char *header;
		enum prefer asked;
	} cases[] = {
		{ NULL, PREFER_NOTHING },
		{ "", PREFER_NOTHING },
		{ "return=minimal", PREFER_MINIMAL },
		{ "Return = minimal", PREFER_MINIMAL },
		{ "return=\"minimal\"", PREFER_MINIMAL },
		{ "return=minimal; foo=\"some parameter\"", PREFER_MINIMAL },
		{ "respond-async, wait=10, return=minimal", PREFER_MINIMAL },
		{ "x=\"a, return=representation\", return=minimal", PREFER_MINIMAL },
		{ "x=\"\\\", return=representation\",return=minimal", PREFER_MINIMAL },
		{ ",, return=minimal", PREFER_MINIMAL },
		{ "return=representation", PREFER_REPRESENTATION },
		{ "return=representation, return=minimal", PREFER_REPRESENTATION },
		{ "return=other, return=minimal", PREFER_NOTHING },
		{ "return=MINIMAL", PREFER_NOTHING },
		{ "return=minimally", PREFER_NOTHING },
		{ "return=\"minimal", PREFER_NOTHING },
		{ "returns=minimal", PREFER_NOTHING },
		{ "return minimal", PREFER_NOTHING },
		{ "return", PREFER_NOTHING },
		{ "return=", PREFER_NOTHING },
		{ "handling=lenient", PREFER_NOTHING },
		{ "x=\"return=minimal", PREFER_NOTHING },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (prefer_return(cases[i].header) != cases[i].asked)
			fprintf(stderr, "Prefer: %s\n", cases[i].header);
		assert_int_equal(prefer_return(cases[i].header), cases[i].asked);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_named_and_the_id_stay),
		cmocka_unit_test(values_stay_as_they_were_written),
		cmocka_unit_test(brackets_and_names_inside_a_value_mean_nothing),
		cmocka_unit_test(white_space_between_is_no_part_of_it),
		cmocka_unit_test(text_that_breaks_off_is_not_read_behind_its_end),
		cmocka_unit_test(prefer_is_read_as_rfc_7240_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
