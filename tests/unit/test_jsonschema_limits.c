/* What a hostile schema or instance can make the library do: end, within its limits. */
#include "jsonschema_unit.h"

/* `count` times `open`, then `middle`, then `count` times `close`. The caller frees it. */
static char *nested(const char *open, const char *middle, const char *close, size_t count)
{
	size_t size = count * (strlen(open) + strlen(close)) + strlen(middle) + 1;
	char *text = malloc(size);
	size_t used = 0;

	assert_non_null(text);
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, size - used, "%s", open);
	used += (size_t)snprintf(text + used, size - used, "%s", middle);
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, size - used, "%s", close);
	return text;
}

static void a_reference_to_itself_ends(void **state)
{
	static const char *const schemas[] = {
		"{\"$ref\": \"#\"}",
		"{\"allOf\": [{\"$ref\": \"#\"}, {\"$ref\": \"#\"}]}",
		"{\"anyOf\": [{\"$ref\": \"#\"}, {\"$ref\": \"#\"}]}",
		"{\"not\": {\"$ref\": \"#\"}}",
		"{\"if\": {\"$ref\": \"#\"}, \"else\": true}",
		"{\"$dynamicAnchor\": \"a\", \"$dynamicRef\": \"#a\"}",
		"{\"$defs\": {\"a\": {\"$ref\": \"#/$defs/b\"}, \"b\": {\"$ref\": \"#/$defs/a\"}}, "
		"\"oneOf\": [{\"$ref\": "
		"\"#/$defs/a\"}, true]}",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(schemas) / sizeof(*schemas); i++)
		assert_non_null(strstr(js_faults_of(schemas[i], "1"),
		                       "is nested too deeply to be checked\n"));
}

static void an_instance_may_nest_as_deep_as_the_limit(void **state)
{
	static const struct jsonschema_options options = { .depth = 100 };
	jsonschema_auto *schema = js_compiled_as("{\"items\": {\"$ref\": \"#\"}}", &options);

	(void)state;
	for (size_t depth = 99; depth <= 101; depth++) {
		char *text = nested("[", "", "]", depth);
		json_auto_t *instance = js_parse(text);
		assert_int_equal(jsonschema_validate(schema, instance, NULL, NULL), depth <= 100);
		free(text);
	}
}

static void too_deep_is_told_where_it_is(void **state)
{
	static const struct jsonschema_options options = { .depth = 3 };
	jsonschema_auto *schema = js_compiled_as(
		"{\"anyOf\": [{\"items\": {\"items\": {\"items\": true}}}, true]}", &options);
	json_auto_t *instance = js_parse("[[[1]]]");
	char lines[2000] = "";

	(void)state;
	/* Not even `true` beside it saves the instance: nobody knows what the first branch would
	 * have said. */
	assert_false(jsonschema_validate(schema, instance, js_add_line, &lines));
	assert_string_equal(lines, "/0/0  is nested too deeply to be checked\n");
}

/* Neither equal nor different: nobody has looked to the end. */
static void values_too_deep_to_compare_are_not_guessed_at(void **state)
{
	char *deep = nested("[", "", "]", 300);
	char schema[1000];
	char instance[2000];

	(void)state;
	snprintf(schema, sizeof(schema), "{\"not\": {\"const\": %s}}", deep);
	assert_string_equal(js_faults_of(schema, deep), "  is nested too deeply to be checked\n");
	snprintf(instance, sizeof(instance), "[%s, %s]", deep, deep);
	assert_string_equal(js_faults_of("{\"uniqueItems\": true}", instance),
	                    "  is nested too deeply to be checked\n");
	free(deep);
}

static void work_is_counted_and_limited(void **state)
{
	static const struct jsonschema_options options = { .steps = 10000 };
	char text[4000] = "{\"$defs\": {\"a0\": true";
	char lines[2000] = "";

	(void)state;
	/* Twice the work at each step down: 2^30 at the top. */
	for (int i = 1; i <= 30; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		         ", \"a%d\": {\"allOf\": [{\"$ref\": \"#/$defs/a%d\"}, {\"$ref\": "
		         "\"#/$defs/a%d\"}]}",
		         i, i - 1, i - 1);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "}, \"$ref\": \"#/$defs/a30\"}");
	jsonschema_auto *schema = js_compiled_as(text, &options);
	json_auto_t *instance = json_null();
	assert_false(jsonschema_validate(schema, instance, js_add_line, &lines));
	assert_non_null(strstr(lines, "takes too long to check\n"));
}

static void a_hard_pattern_is_a_fault_and_not_a_hang(void **state)
{
	static const struct jsonschema_options options = { .steps = 100000 };
	jsonschema_auto *schema = js_compiled_as("{\"anyOf\": [{\"pattern\": \"^(?=a)(a+)+$\"}, "
	                                         "{\"not\": {\"pattern\": \"^(?=a)(a+)+$\"}}]}",
	                                         &options);
	json_auto_t *instance = json_string("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
	char lines[2000] = "";

	(void)state;
	assert_false(jsonschema_validate(schema, instance, js_add_line, &lines));
	assert_string_equal(lines, "  takes too long to match against the pattern\n");
}

static void schemas_that_nest_without_end_are_refused(void **state)
{
	char *text = nested("{\"not\": ", "true", "}", 600);
	(void)state;
	assert_non_null(strstr(js_refusal_of(text, NULL), "schemas are nested too deeply"));
	free(text);
}

static void a_pattern_that_nests_without_end_is_refused(void **state)
{
	char *text = nested("(", "a", ")", 300);
	char schema[1000];
	(void)state;
	snprintf(schema, sizeof(schema), "{\"pattern\": \"%s\"}", text);
	assert_non_null(strstr(js_refusal_of(schema, NULL), "groups are nested too deeply"));
	free(text);
}

/* The faults of branches wait for the verdict; they must not wait in any number. */
static void what_waits_for_a_verdict_is_limited(void **state)
{
	jsonschema_auto *schema = js_compiled("{\"anyOf\": [{\"items\": {\"type\": \"string\"}}]}");
	json_auto_t *instance = json_array();
	json_t *errors;

	(void)state;
	for (int i = 0; i < 10000; i++)
		json_array_append_new(instance, json_integer(i));
	json_auto_t *basic = jsonschema_basic(schema, instance);
	errors = json_object_get(basic, "errors");
	assert_in_range(json_array_size(errors), 1000, 3000);
}

static bool ignore(void *context, const struct jsonschema_fault *fault)
{
	(void)context;
	(void)fault;
	return true;
}

/* A table whose hash can be foreseen would take 20,000 x 20,000 comparisons of long texts. */
static void long_texts_that_differ_at_the_end_are_told_apart(void **state)
{
	jsonschema_auto *schema = js_compiled("{\"uniqueItems\": true}");
	json_auto_t *array = json_array();
	char text[300];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (int i = 0; i < 20000; i++) {
		snprintf(text + 280, 20, "%d", i);
		json_array_append_new(array, json_string(text));
	}
	assert_true(jsonschema_validate(schema, array, ignore, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reference_to_itself_ends),
		cmocka_unit_test(an_instance_may_nest_as_deep_as_the_limit),
		cmocka_unit_test(too_deep_is_told_where_it_is),
		cmocka_unit_test(values_too_deep_to_compare_are_not_guessed_at),
		cmocka_unit_test(work_is_counted_and_limited),
		cmocka_unit_test(a_hard_pattern_is_a_fault_and_not_a_hang),
		cmocka_unit_test(schemas_that_nest_without_end_are_refused),
		cmocka_unit_test(a_pattern_that_nests_without_end_is_refused),
		cmocka_unit_test(what_waits_for_a_verdict_is_limited),
		cmocka_unit_test(long_texts_that_differ_at_the_end_are_told_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
