/* The schema library: what it takes as a schema, what it refuses, and the corners that the official
 * suite leaves. */
#include "jsonschema_unit.h"

#include <pthread.h>

#include "jsonschema/keywords.h"

static void a_whole_real_is_an_integer(void **state)
{
	(void)state;
	assert_true(js_accepts("{\"type\": \"integer\"}", "1.0"));
	assert_true(js_accepts("{\"type\": \"integer\"}", "1e300"));
	assert_string_equal(js_faults_of("{\"type\": \"integer\"}", "1.5"),
	                    " type must be an integer\n");
}

static void equal_numbers_are_equal_however_written(void **state)
{
	(void)state;
	assert_true(js_accepts("{\"const\": 1}", "1.0"));
	assert_true(js_accepts("{\"const\": {\"a\": [1.0, 0]}}", "{\"a\": [1, -0.0]}"));
	assert_true(js_accepts("{\"enum\": [2.0]}", "2"));
	assert_false(js_accepts("{\"uniqueItems\": true}", "[1, 1.0]"));
	/* A double cannot hold the first one, and comparing as doubles would call them equal. */
	assert_true(
		js_accepts("{\"uniqueItems\": true}", "[9007199254740993, 9007199254740992.0]"));
	assert_false(js_accepts("{\"const\": 9223372036854775807}", "9223372036854775808.0"));
	assert_true(js_accepts("{\"const\": 9223372036854775808.0}", "9223372036854775808.0"));
}

static void bounds_compare_integers_and_reals_exactly(void **state)
{
	(void)state;
	assert_false(js_accepts("{\"maximum\": 9007199254740992.0}", "9007199254740993"));
	assert_true(js_accepts("{\"minimum\": 9007199254740992.0}", "9007199254740993"));
	assert_false(
		js_accepts("{\"exclusiveMinimum\": 9223372036854775807}", "9223372036854775807"));
	assert_true(
		js_accepts("{\"exclusiveMinimum\": 9223372036854775807}", "9223372036854775808.0"));
	assert_true(js_accepts("{\"minimum\": 0.5}", "1"));
	assert_false(js_accepts("{\"maximum\": -0.5}", "0"));
}

static void multiples_are_counted_in_decimals(void **state)
{
	(void)state;
	assert_true(js_accepts("{\"multipleOf\": 0.01}", "19.99"));
	assert_true(js_accepts("{\"multipleOf\": 0.01}", "4.35"));
	assert_false(js_accepts("{\"multipleOf\": 0.01}", "4.351"));
	assert_true(js_accepts("{\"multipleOf\": 0.1}", "1000000000000.3"));
	assert_true(js_accepts("{\"multipleOf\": 0.5}", "1e308"));
	assert_false(js_accepts("{\"multipleOf\": 0.123456789}", "1e308"));
	assert_false(js_accepts("{\"multipleOf\": 7}", "1e300"));
	assert_true(js_accepts("{\"multipleOf\": 1e-8}", "12391239123"));
	assert_true(js_accepts("{\"multipleOf\": 1.0}", "-3"));
	assert_true(js_accepts("{\"multipleOf\": 1e-30}", "4e-30"));
}

static void lengths_are_counted_in_code_points(void **state)
{
	(void)state;
	assert_true(
		js_accepts("{\"maxLength\": 2, \"minLength\": 2}", "\"\\ud83d\\ude00\\u00e9\""));
	assert_false(js_accepts("{\"maxLength\": 1}", "\"\\u00e9\\u00e9\""));
	assert_false(js_accepts("{\"minLength\": 3}", "\"\\ud83d\\ude00\\u00e9\""));
}

static void unique_items_are_found_in_any_number(void **state)
{
	static const char schema[] = "{\"uniqueItems\": true}";
	static const int counts[] = { 5, 12, 13, 512, 513, 20000 };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		jsonschema_auto *compiled = js_compiled(schema);
		json_auto_t *array = json_array();
		for (int k = 0; k < counts[i]; k++)
			json_array_append_new(array, json_pack("{s:i, s:s}", "n", k, "s", "same"));
		assert_true(jsonschema_validate(compiled, array, NULL, NULL));
		json_array_append_new(array, json_pack("{s:s, s:f}", "s", "same", "n", 3.0));
		assert_false(jsonschema_validate(compiled, array, NULL, NULL));
	}
}

static void unevaluated_members_are_seen_through_every_applicator(void **state)
{
	static const char schema[] = "{\"allOf\": [{\"properties\": {\"a\": true}}], \"anyOf\": "
				     "[{\"required\": [\"b\"], \"properties\": "
				     "{\"b\": true}}, true], \"if\": {\"required\": [\"c\"]}, "
				     "\"then\": {\"properties\": {\"c\": true}}, "
				     "\"dependentSchemas\": {\"d\": {\"properties\": {\"d\": "
				     "true}}}, \"$ref\": \"#/$defs/e\", \"$defs\": "
				     "{\"e\": {\"patternProperties\": {\"^e\": true}}}, "
				     "\"unevaluatedProperties\": false}";
	(void)state;
	assert_true(js_accepts(schema, "{\"a\": 1, \"b\": 1, \"c\": 1, \"d\": 1, \"e1\": 1}"));
	assert_string_equal(js_faults_of(schema, "{\"a\": 1, \"f\": 1}"),
	                    "/f unevaluatedProperties is not a known field\n");
}

static void more_members_than_the_scratch_holds_are_still_tracked(void **state)
{
	jsonschema_auto *schema = js_compiled("{\"anyOf\": [{\"patternProperties\": {\"^k\": "
	                                      "true}}], \"unevaluatedProperties\": false}");
	json_auto_t *object = json_object();
	char key[20];

	(void)state;
	for (int i = 0; i < 70000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		json_object_set_new(object, key, json_null());
	}
	assert_true(jsonschema_validate(schema, object, NULL, NULL));
	json_object_set_new(object, "other", json_null());
	assert_false(jsonschema_validate(schema, object, NULL, NULL));
}

static void strict_mode_refuses_what_it_does_not_know(void **state)
{
	static const char *const tolerated[] = { "example", NULL };
	struct jsonschema_options strict = { .strict = true, .tolerated = tolerated };

	(void)state;
	jsonschema_free(
		js_compiled_as("{\"x-note\": 1, \"example\": 2, \"title\": \"t\"}", &strict));
	assert_string_equal(
		js_refusal_of("{\"properties\": {\"a\": {\"maxlength\": 3}}}", &strict),
		"https://test.example/s#/properties/a/maxlength the keyword is not known");
	assert_string_equal(js_refusal_of("{\"format\": \"datum\"}", &strict),
	                    "https://test.example/s#/format the format is not known");
	assert_string_equal(js_refusal_of("{\"$defs\": {\"unused\": {\"nul\": 1}}}", &strict),
	                    "https://test.example/s#/$defs/unused/nul the keyword is not known");
	jsonschema_free(js_compiled_as("{\"maxlength\": 3, \"format\": \"datum\"}", NULL));
}

static void a_wrong_keyword_stops_the_compilation(void **state)
{
	static const struct {
		const char *schema, *refusal;
	} cases[] = {
		{ "{\"type\": \"text\"}",
		  "#/type a type must be one of the seven that JSON Schema knows" },
		{ "{\"minLength\": -1}", "#/minLength must be an integer, 0 or more" },
		{ "{\"minLength\": 1.5}", "#/minLength must be an integer, 0 or more" },
		{ "{\"maximum\": \"3\"}", "#/maximum must be a number" },
		{ "{\"multipleOf\": 0}", "#/multipleOf must be more than 0" },
		{ "{\"required\": [1]}", "#/required must be an array of strings" },
		{ "{\"properties\": []}", "#/properties must be an object" },
		{ "{\"allOf\": []}", "#/allOf must be an array with at least one schema" },
		{ "{\"not\": 3}", "#/not a schema must be an object or a boolean" },
		{ "{\"enum\": 3}", "#/enum enum must be an array" },
		{ "{\"pattern\": \"(\"}",
		  "#/pattern is not a pattern that can be used: a group is not closed" },
		{ "{\"$ref\": \"#/$defs/none\"}",
		  "s#/$ref leads to https://test.example/s#/$defs/none: the document has nothing "
		  "there" },
		{ "{\"not\": {\"$ref\": \"other.json\"}}",
		  "s#/not/$ref leads to https://test.example/other.json: no document has this "
		  "URI" },
		{ "{\"$dynamicRef\": \"#none\"}",
		  "s#/$dynamicRef leads to https://test.example/s#none: the document has nothing "
		  "there" },
		{ "{\"$id\": \"#part\"}", "# $id must not have a fragment" },
		{ "{\"$anchor\": \"1\"}",
		  "# an anchor must be a name of letters, digits, \"-\", \"_\" and \".\"" },
		{ "{\"$schema\": \"http://json-schema.org/draft-07/schema#\"}",
		  " the dialect that $schema names is not known" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_non_null(strstr(js_refusal_of(cases[i].schema, NULL), cases[i].refusal));
}

static void a_schema_is_compiled_from_any_place(void **state)
{
	jsonschema_registry_auto *registry = jsonschema_registry_new();
	json_auto_t *api = js_parse(
		"{\"openapi\": \"3.1.0\", \"components\": {\"schemas\": {\"Id\": {\"type\": "
		"\"integer\"}, \"Ids\": {\"items\": {\"$ref\": "
		"\"#/components/schemas/Id\"}}}}}");
	json_auto_t *good = js_parse("[1]");
	json_auto_t *bad = js_parse("[\"1\"]");
	struct jsonschema_error error;

	(void)state;
	assert_true(jsonschema_registry_add(registry, "https://a.example/api", api, &error));
	jsonschema_auto *ids = jsonschema_compile(
		registry, "https://a.example/api#/components/schemas/Ids", NULL, &error);
	assert_non_null(ids);
	assert_true(jsonschema_validate(ids, good, NULL, NULL));
	assert_false(jsonschema_validate(ids, bad, NULL, NULL));
	assert_false(jsonschema_registry_add(registry, "https://a.example/api", api, &error));
	assert_string_equal(error.what, "the URI is taken by another document");
	assert_false(jsonschema_registry_add(registry, "api.json", api, &error));
	assert_string_equal(error.what, "a document's URI must be absolute and without a fragment");
}

static void an_identifier_counts_wherever_a_reference_leads(void **state)
{
	jsonschema_registry_auto *registry = jsonschema_registry_new();
	json_auto_t *api = js_parse("{\"schemas\": {\"A\": {\"$id\": \"https://b.example/dir/a\", "
	                            "\"$ref\": \"#/$defs/n\", "
	                            "\"not\": {\"$ref\": \"b\"}, \"$defs\": {\"n\": {\"type\": "
	                            "\"integer\"}, \"b\": {\"$id\": \"b\", "
	                            "\"const\": 3}}}}}");
	json_auto_t *two = json_integer(2);
	json_auto_t *three = json_integer(3);
	struct jsonschema_error error;

	(void)state;
	assert_true(jsonschema_registry_add(registry, "https://a.example/api", api, &error));
	jsonschema_auto *schema =
		jsonschema_compile(registry, "https://a.example/api#/schemas/A", NULL, &error);
	assert_non_null(schema);
	assert_true(jsonschema_validate(schema, two, NULL, NULL));
	assert_false(jsonschema_validate(schema, three, NULL, NULL));
}

static void a_compiled_schema_outlives_its_registry(void **state)
{
	jsonschema_auto *schema =
		js_compiled("{\"$ref\": \"https://json-schema.org/draft/2020-12/schema\"}");
	json_auto_t *good = js_parse("{\"properties\": {\"a\": {\"type\": \"string\"}}}");
	json_auto_t *bad = js_parse("{\"properties\": {\"a\": {\"type\": \"text\"}}}");

	(void)state;
	assert_true(jsonschema_validate(schema, good, NULL, NULL));
	assert_false(jsonschema_validate(schema, bad, NULL, NULL));
}

struct shared {
	const struct jsonschema *schema;
	json_t *good, *bad;
};

/* How many of the verdicts were wrong, as a pointer. */
static void *ask_often(void *argument)
{
	const struct shared *shared = argument;
	char lines[2000];
	uintptr_t wrong = 0;

	for (int i = 0; i < 500; i++) {
		lines[0] = '\0';
		wrong += !jsonschema_validate(shared->schema, shared->good, NULL, NULL);
		wrong += jsonschema_validate(shared->schema, shared->bad, js_add_line, &lines);
	}
	return (void *)wrong;
}

static void many_threads_share_a_schema(void **state)
{
	jsonschema_auto *schema = js_compiled("{\"items\": {\"format\": \"idn-hostname\", "
	                                      "\"pattern\": \"^\\\\p{L}\"}, \"uniqueItems\": "
	                                      "true, \"contains\": {\"enum\": [\"a\", 1]}}");
	json_auto_t *good = js_parse("[\"a\", \"b\u00fccher.example\"]");
	json_auto_t *bad = js_parse("[\"a\", \"1\", \"1\"]");
	struct shared shared = { schema, good, bad };
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &shared), 0);
	for (size_t i = 0; i < 4; i++) {
		void *wrong = NULL;
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
}

static void a_needed_vocabulary_that_is_unknown_is_refused(void **state)
{
	jsonschema_registry_auto *registry = jsonschema_registry_new();
	json_auto_t *meta = js_parse(
		"{\"$vocabulary\": {\"https://json-schema.org/draft/2020-12/vocab/core\": true, "
		"\"https://m.example/vocab\": true}}");
	json_auto_t *schema = js_parse("{\"$schema\": \"https://m.example/meta\"}");
	struct jsonschema_error error;

	(void)state;
	assert_true(jsonschema_registry_add(registry, "https://m.example/meta", meta, &error));
	assert_true(jsonschema_registry_add(registry, "https://m.example/s", schema, &error));
	assert_null(jsonschema_compile(registry, "https://m.example/s", NULL, &error));
	assert_string_equal(error.what, "the metaschema needs a vocabulary that is not known");
}

static void the_table_of_keywords_is_in_order(void **state)
{
	(void)state;
	for (size_t i = 1; i < js_keyword_count; i++)
		assert_true(strcmp(js_keywords[i - 1].name, js_keywords[i].name) < 0);
	for (size_t i = 0; i < js_keyword_count; i++)
		assert_ptr_equal(js_keyword(js_keywords[i].name), &js_keywords[i]);
	assert_null(js_keyword("maxlength"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_real_is_an_integer),
		cmocka_unit_test(equal_numbers_are_equal_however_written),
		cmocka_unit_test(bounds_compare_integers_and_reals_exactly),
		cmocka_unit_test(multiples_are_counted_in_decimals),
		cmocka_unit_test(lengths_are_counted_in_code_points),
		cmocka_unit_test(unique_items_are_found_in_any_number),
		cmocka_unit_test(unevaluated_members_are_seen_through_every_applicator),
		cmocka_unit_test(more_members_than_the_scratch_holds_are_still_tracked),
		cmocka_unit_test(strict_mode_refuses_what_it_does_not_know),
		cmocka_unit_test(a_wrong_keyword_stops_the_compilation),
		cmocka_unit_test(a_schema_is_compiled_from_any_place),
		cmocka_unit_test(an_identifier_counts_wherever_a_reference_leads),
		cmocka_unit_test(a_compiled_schema_outlives_its_registry),
		cmocka_unit_test(many_threads_share_a_schema),
		cmocka_unit_test(a_needed_vocabulary_that_is_unknown_is_refused),
		cmocka_unit_test(the_table_of_keywords_is_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
