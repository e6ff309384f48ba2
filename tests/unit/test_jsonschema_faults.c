/* What the schema library says of an instance that is not valid: where, which keyword, which
 * sentence. */
#include "jsonschema_unit.h"

static const struct {
	const char *schema, *instance, *faults;
} cases[] = {
	{ "{\"type\": \"string\"}", "1", " type must be a string\n" },
	{ "{\"type\": [\"string\", \"null\"]}", "1", " type must be a string or null\n" },
	{ "{\"type\": \"boolean\"}", "1", " type must be true or false\n" },
	{ "{\"enum\": [\"adult\", \"parent\", \"young\"]}", "\"x\"",
	  " enum must be one of: adult, parent, young\n" },
	{ "{\"enum\": [1, null, [2]]}", "2", " enum must be one of: 1, null, [2]\n" },
	{ "{\"const\": \"yes\"}", "\"no\"", " const must be yes\n" },
	{ "{\"maximum\": 200}", "201", " maximum must be at most 200\n" },
	{ "{\"minimum\": 0.5}", "0", " minimum must be at least 0.5\n" },
	{ "{\"exclusiveMinimum\": 0}", "0", " exclusiveMinimum must be more than 0\n" },
	{ "{\"exclusiveMaximum\": 0}", "0", " exclusiveMaximum must be less than 0\n" },
	{ "{\"multipleOf\": 0.01}", "0.001", " multipleOf must be a multiple of 0.01\n" },
	{ "{\"minLength\": 1}", "\"\"", " minLength must not be empty\n" },
	{ "{\"minLength\": 2}", "\"a\"", " minLength must have at least 2 characters\n" },
	{ "{\"maxLength\": 1}", "\"ab\"", " maxLength must have at most 1 character\n" },
	{ "{\"pattern\": \"^a\"}", "\"b\"", " pattern must match the pattern ^a\n" },
	{ "{\"format\": \"date\"}", "\"b\"", " format must be a date, such as 2025-06-30\n" },
	{ "{\"minItems\": 2}", "[1]", " minItems must have at least 2 items\n" },
	{ "{\"maxItems\": 1}", "[1, 2]", " maxItems must have at most 1 item\n" },
	{ "{\"uniqueItems\": true}", "[1, 1]", " uniqueItems must not have the same item twice\n" },
	{ "{\"contains\": {\"type\": \"null\"}}", "[1]",
	  " contains must have at least 1 item of the wanted kind\n" },
	{ "{\"contains\": true, \"maxContains\": 1}", "[1, 2]",
	  " maxContains must have at most 1 item of the wanted kind\n" },
	{ "{\"items\": false}", "[1]", "/0 items is not allowed\n" },
	{ "{\"minProperties\": 1}", "{}", " minProperties must have at least 1 member\n" },
	{ "{\"required\": [\"a\", \"b\"]}", "{\"b\": 1}", " required is required: \"a\"\n" },
	{ "{\"additionalProperties\": false}", "{\"b\": 1}",
	  "/b additionalProperties is not a known field\n" },
	{ "{\"properties\": {\"a\": false}}", "{\"a\": 1}", "/a  is not allowed\n" },
	{ "{\"propertyNames\": {\"pattern\": \"^a\"}}", "{\"b\": 1}",
	  "/b pattern has a name that must match the pattern ^a\n" },
	{ "{\"dependentRequired\": {\"a\": [\"b\"]}}", "{\"a\": 1}",
	  " dependentRequired is required beside \"a\": \"b\"\n" },
	{ "{\"not\": {\"type\": \"null\"}}", "null",
	  " not must not have the form that is excluded\n" },
	{ "{\"oneOf\": [true, true]}", "1",
	  " oneOf must not have more than one of the allowed forms\n" },
	{ "false", "1", "  is not allowed\n" },
};

static void each_keyword_has_its_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(js_faults_of(cases[i].schema, cases[i].instance),
		                    cases[i].faults);
}

static void all_faults_are_told_at_once(void **state)
{
	static const char schema[] =
		"{\"required\": [\"x\"], \"properties\": {\"a\": {\"type\": \"string\"}, \"b/c\": "
		"{\"items\": {\"minimum\": 3}}}, \"additionalProperties\": false}";
	(void)state;
	assert_string_equal(
		js_faults_of(schema, "{\"a\": 1, \"b/c\": [3, 2], \"d~\": 0}"),
		"/a type must be a string\n/b~1c/1 minimum must be at least 3\n/d~0 "
		"additionalProperties is not a known field\n required is required: \"x\"\n");
}

static void branches_that_failed_harmlessly_are_silent(void **state)
{
	static const char any[] =
		"{\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"integer\"}], \"maximum\": 3}";
	static const char choice[] = "{\"if\": {\"minimum\": 10}, \"then\": {\"multipleOf\": 10}, "
				     "\"else\": {\"maximum\": 5}}";
	(void)state;
	assert_string_equal(js_faults_of(any, "4"), " maximum must be at most 3\n");
	assert_string_equal(js_faults_of(choice, "7"), " maximum must be at most 5\n");
	assert_string_equal(js_faults_of(choice, "11"), " multipleOf must be a multiple of 10\n");
}

static void a_failed_choice_tells_its_branches_and_then_itself(void **state)
{
	static const char schema[] = "{\"anyOf\": [{\"type\": \"string\"}, {\"minimum\": 5}]}";
	(void)state;
	assert_string_equal(js_faults_of(schema, "4"),
	                    " type must be a string\n minimum must be at least 5\n anyOf "
	                    "must have one of the allowed forms\n");
}

static void unknown_members_are_told_beside_other_faults(void **state)
{
	static const char schema[] =
		"{\"allOf\": [{\"properties\": {\"a\": {\"type\": \"string\"}}}], \"anyOf\": "
		"[{\"properties\": {\"b\": {\"type\": \"string\"}}}], "
		"\"unevaluatedProperties\": false}";
	(void)state;
	assert_string_equal(
		js_faults_of(schema, "{\"a\": 1, \"b\": 1, \"c\": 1}"),
		"/a type must be a string\n/b type must be a string\n anyOf must have one of the "
		"allowed forms\n/c unevaluatedProperties is not a known field\n");
}

static void a_long_enum_is_not_recited(void **state)
{
	char schema[4000] = "{\"enum\": [\"word-0\"";
	(void)state;
	for (int i = 1; i < 100; i++)
		snprintf(schema + strlen(schema), sizeof(schema) - strlen(schema), ", \"word-%d\"",
		         i);
	snprintf(schema + strlen(schema), sizeof(schema) - strlen(schema), "]}");
	assert_string_equal(js_faults_of(schema, "1"),
	                    " enum must be one of the 100 values that are listed\n");
}

static bool keep_paths(void *context, const struct jsonschema_fault *fault)
{
	char(*paths)[300] = context;
	snprintf(*paths, sizeof(*paths), "%s | %s", fault->keyword_path, fault->absolute_keyword);
	return true;
}

static void the_route_and_the_place_of_a_keyword_are_told(void **state)
{
	jsonschema_auto *schema = js_compiled(
		"{\"properties\": {\"a b\": {\"$ref\": \"#/$defs/d\"}}, \"$defs\": {\"d\": "
		"{\"$id\": \"other\", \"allOf\": [{\"type\": \"null\"}]}}}");
	json_auto_t *instance = js_parse("{\"a b\": 1}");
	char paths[300];

	(void)state;
	assert_false(jsonschema_validate(schema, instance, keep_paths, &paths));
	assert_string_equal(
		paths,
		"/properties/a b/$ref/allOf/0/type | https://test.example/other#/allOf/0/type");
}

static bool count_to_three(void *context, const struct jsonschema_fault *fault)
{
	int *count = context;
	(void)fault;
	return ++*count < 3;
}

static void a_listener_can_have_enough(void **state)
{
	jsonschema_auto *schema = js_compiled("{\"items\": {\"type\": \"string\"}}");
	json_auto_t *instance = js_parse("[1, 2, 3, 4, 5]");
	int count = 0;

	(void)state;
	assert_false(jsonschema_validate(schema, instance, count_to_three, &count));
	assert_int_equal(count, 3);
}

static void basic_output_has_the_annotations_of_what_passed(void **state)
{
	jsonschema_auto *schema = js_compiled("{\"title\": \"t\", \"properties\": {\"a\": "
	                                      "{\"default\": 1}}, \"anyOf\": [{\"type\": \"null\", "
	                                      "\"title\": \"no\"}, {\"patternProperties\": "
	                                      "{\"^b\": true}}], \"unevaluatedProperties\": true}");
	json_auto_t *instance = js_parse("{\"a\": 1, \"b\": 2, \"c\": 3}");
	json_auto_t *basic = jsonschema_basic(schema, instance);
	json_auto_t *wanted = js_parse("[[\"/properties/a/default\", \"/a\", 1], "
	                               "[\"/anyOf/1/patternProperties\", \"\", [\"b\"]], "
	                               "[\"/unevaluatedProperties\", \"\", [\"c\"]], [\"/title\", "
	                               "\"\", \"t\"], [\"/properties\", \"\", [\"a\"]]]");
	json_auto_t *found = json_array();
	size_t i;
	json_t *unit;

	(void)state;
	assert_true(json_is_true(json_object_get(basic, "valid")));
	json_array_foreach (json_object_get(basic, "annotations"), i, unit)
		json_array_append_new(found, json_pack("[O, O, O]",
		                                       json_object_get(unit, "keywordLocation"),
		                                       json_object_get(unit, "instanceLocation"),
		                                       json_object_get(unit, "annotation")));
	assert_true(json_equal(found, wanted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_keyword_has_its_sentence),
		cmocka_unit_test(all_faults_are_told_at_once),
		cmocka_unit_test(branches_that_failed_harmlessly_are_silent),
		cmocka_unit_test(a_failed_choice_tells_its_branches_and_then_itself),
		cmocka_unit_test(unknown_members_are_told_beside_other_faults),
		cmocka_unit_test(a_long_enum_is_not_recited),
		cmocka_unit_test(the_route_and_the_place_of_a_keyword_are_told),
		cmocka_unit_test(a_listener_can_have_enough),
		cmocka_unit_test(basic_output_has_the_annotations_of_what_passed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
