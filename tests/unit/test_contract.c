/* The contract engine: what it compiles, what it refuses, how it routes and reads parameters. */
#include "unit.h"

#include "small_contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "contract/document.h"
#include "contract/faults.h"
#include "contract/parameters.h"

static struct buf faults = { .limit = 64 * KIB };

static void note(void *context, const char *sentence)
{
	(void)context;
	if (!buf_addf(&faults, "%s\n", sentence))
		abort();
}

static struct contract *load(const char *paths)
{
	buf_free(&faults);
	return small_contract(paths, note, NULL);
}

static void assert_stops_the_start(const char *paths, const char *sentence)
{
	assert_null(load(paths));
	if (!strstr(buf_text(&faults), sentence))
		fprintf(stderr, "wanted: %s\nhave: %s\n", sentence, buf_text(&faults));
	assert_non_null(strstr(buf_text(&faults), sentence));
	buf_free(&faults);
}

#define OK_ "\"responses\":{\"200\":{\"description\":\"x\"}}"

static void what_is_not_understood_stops_the_start(void **state)
{
	(void)state;
	assert_stops_the_start("\"/a\":{\"get\":{\"operationId\":\"a\"," OK_ "}}", "no `security`");
	assert_stops_the_start("\"/a\":{\"get\":{\"security\":[]," OK_ "}}", "no operationId");
	assert_stops_the_start(
		"\"/a\":{\"get\":{\"operationId\":\"a\",\"security\":[],\"x-odd\":1," OK_ "}}",
		"`x-odd`");
	assert_stops_the_start(
		"\"/a\":{\"get\":{\"operationId\":\"a\",\"security\":[{\"other\":[]}]," OK_ "}}",
		"names the scheme `token`");
	assert_stops_the_start("\"/{a}\":{\"get\":{\"operationId\":\"a\",\"security\":[]," OK_ "}}",
	                       "{a} is not among its parameters");
	assert_stops_the_start(
		"\"/"
		"a\":{\"post\":{\"operationId\":\"a\",\"security\":[],\"requestBody\":{\"content\":"
		"{"
		"\"application/json\":{\"schema\":{\"type\":\"object\",\"maxLenght\":3}}}}," OK_
		"}}",
		"maxLenght");
	assert_stops_the_start(
		"\"/"
		"a\":{\"post\":{\"operationId\":\"a\",\"security\":[],\"requestBody\":{\"content\":"
		"{"
		"\"application/json\":{\"schema\":{\"type\":\"object\"},\"example\":3}}}," OK_ "}}",
		"example breaks its schema");
	assert_stops_the_start("\"/"
	                       "a\":{\"get\":{\"operationId\":\"a\",\"security\":[],\"responses\":{"
	                       "\"200\":{\"description\":"
	                       "\"x\",\"x-problem\":[\"no-such-slug\"]}}}}",
	                       "no-such-slug is not in problems.def");
}

static void roles_and_costs_that_mean_nothing_stop_the_start(void **state)
{
	(void)state;
	assert_stops_the_start("\"/a\":{\"get\":{\"operationId\":\"a\",\"security\":[],"
	                       "\"x-roles\":[\"carer\"]," OK_ "}}",
	                       "a public operation has no `x-roles`");
	assert_stops_the_start("\"/a\":{\"get\":{\"operationId\":\"a\",\"security\":"
	                       "[{\"token\":[]}],\"x-roles\":[]," OK_ "}}",
	                       "`x-roles` lists one role or more");
	assert_stops_the_start("\"/a\":{\"get\":{\"operationId\":\"a\",\"security\":[],"
	                       "\"x-cost\":0," OK_ "}}",
	                       "`x-cost` is an integer from 1 to 1000");
}

#define RULED_(rest) "\"/a\":{\"post\":{\"operationId\":\"a\",\"security\":[]," rest "," OK_ "}}"
#define ABOUT_A1_    "\"x-rule\":\"A1\""
#define BODY_                                                                                  \
	"\"requestBody\":{\"content\":{\"application/json\":{\"schema\":{\"type\":\"object\"," \
	"\"additionalProperties\":false}}}}"

static void a_body_that_is_not_valid_names_the_rule_that_it_is_about(void **state)
{
	static const struct {
		const char *paths, *rule;
	} cases[] = { { RULED_(ABOUT_A1_ "," BODY_), "A1" }, { RULED_(BODY_), NULL } };
	json_auto_t *good = json_object(), *bad = json_pack("{s:i}", "score", 7);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct contract *contract = load(cases[i].paths);
		problem_auto p = { 0 };

		assert_non_null(contract);
		assert_true(faults_validate_body(contract_endpoint(contract, 0), good, &p));
		assert_null(p.members);
		assert_false(faults_validate_body(contract_endpoint(contract, 0), bad, &p));
		assert_int_equal(p.code, PROBLEM_VALIDATION_FAILED);
		assert_int_equal(json_array_size(json_object_get(p.members, "errors")), 1);
		if (cases[i].rule)
			assert_string_equal(json_text(p.members, "rule"), cases[i].rule);
		else
			assert_null(json_object_get(p.members, "rule"));
		contract_free(contract);
	}
}

static void a_rule_without_a_body_stops_the_start(void **state)
{
	(void)state;
	assert_stops_the_start(RULED_(ABOUT_A1_), "`x-rule` names the rule that a body keeps");
	assert_stops_the_start(RULED_("\"x-rule\":7," BODY_),
	                       "`x-rule` names the rule that a body keeps");
}

#define PARAMETER_(name, in, schema) \
	"{\"name\":\"" name "\",\"in\":\"" in "\",\"required\":true,\"schema\":" schema "}"
#define GET_(id, parameters)                                                               \
	"{\"get\":{\"operationId\":\"" id "\",\"security\":[],\"parameters\":[" parameters \
	"]," OK_ "}}"

static void two_templates_for_one_path_stop_the_start(void **state)
{
	(void)state;
	assert_stops_the_start(
		"\"/c/{a}\":" GET_(
			"a",
			PARAMETER_("a", "path",
	                           "{\"type\":\"string\"}")) ",\"/c/{b}\":" GET_("b",
	                                                                         PARAMETER_(
											 "b",
											 "path",
											 "{\"type\""
											 ":\"string"
											 "\"}")),
		"matches what");
	assert_stops_the_start("\"/c\":" GET_("a", "") ",\"/d\":" GET_("a", ""), "is there twice");
}

static const char *const tree = "\"/c\":" GET_(
	"list",
	"{\"name\":\"limit\",\"in\":\"query\",\"schema\":{\"type\":\"integer\","
	"\"minimum\":1,\"maximum\":200,\"default\":50}},"
	"{\"name\":\"If-Match\",\"in\":\"header\",\"required\":true,\"schema\":"
	"{\"type\":\"string\"}}") ",\"/c/search\":" GET_("search",
                                                         "") ",\"/c/{id}\":" GET_("one",
                                                                                  PARAMETER_(
											  "id",
											  "path",
											  "{\"type"
											  "\":"
											  "\"string"
											  "\","
											  "\"format"
											  "\":"
											  "\"uuid\""
											  "}")) ","
												"\""
												"/c"
												"/{"
												"id"
												"}/"
												"de"
												"ep"
												"\""
												":" GET_(
													"deep",
													PARAMETER_(
														"id",
														"path",
														"{\"type\":\"string\"}"));

static const char *routed(const struct contract *contract, const char *target)
{
	url_auto url = { 0 };
	problem_auto p = { 0 };
	const struct route *route;

	if (!url_parse(target, &url, &p))
		return "unreadable";
	route = routes_find(contract, url.segments, url.segment_count);
	return route ? route->by_method[METHOD_GET]->id : "none";
}

static void literals_go_before_parameters(void **state)
{
	struct contract *contract = load(tree);

	(void)state;
	assert_non_null(contract);
	assert_string_equal(routed(contract, "/c"), "list");
	assert_string_equal(routed(contract, "/c/search"), "search");
	assert_string_equal(routed(contract, "/c/other"), "one");
	assert_string_equal(routed(contract, "/c/search/deep"), "deep");
	assert_string_equal(routed(contract, "/c/search/other"), "none");
	assert_string_equal(routed(contract, "/"), "none");
	contract_free(contract);
}

static const char *no_header(void *context, const char *name)
{
	(void)name;
	return context;
}

static void read_parameters(const struct contract *contract, const char *target, const char *header,
                            struct arguments *arguments, struct problem *p)
{
	const struct headers headers = { no_header, (void *)(uintptr_t)header };
	url_auto url = { 0 };
	problem_auto ignored = { 0 };
	const struct route *route;

	assert_true(url_parse(target, &url, &ignored));
	route = routes_find(contract, url.segments, url.segment_count);
	if (!parameters_read(route->by_method[METHOD_GET], &url, &headers, arguments, p))
		assert_int_not_equal(p->code, PROBLEM_NONE);
}

static void all_faults_of_the_parameters_come_at_once(void **state)
{
	struct contract *contract = load(tree);
	struct arguments arguments;
	problem_auto p = { 0 };
	json_t *errors;

	(void)state;
	read_parameters(contract, "/c?limit=201&limit=7&colour=red", "\"v1\"", &arguments, &p);
	errors = json_object_get(p.members, "errors");
	assert_int_equal(p.code, PROBLEM_INVALID_PARAMETER);
	assert_int_equal(json_array_size(errors), 3);
	assert_string_equal(json_text(json_array_get(errors, 0), "keyword"), "maxItems");
	assert_string_equal(json_text(json_array_get(errors, 1), "keyword"), "maximum");
	assert_string_equal(json_text(json_array_get(errors, 2), "pointer"), "/query/colour");
	contract_free(contract);
}

static void a_default_fills_what_is_absent_and_a_missing_if_match_is_428(void **state)
{
	struct contract *contract = load(tree);
	struct arguments arguments;
	problem_auto p = { 0 };

	(void)state;
	read_parameters(contract, "/c", "\"v1\"", &arguments, &p);
	assert_int_equal(p.code, PROBLEM_NONE);
	assert_string_equal(arguments.values[0], "50");
	read_parameters(contract, "/c", NULL, &arguments, &p);
	assert_int_equal(p.code, PROBLEM_PRECONDITION_REQUIRED);
	contract_free(contract);
}

static void an_id_that_is_no_uuid_is_a_wrong_parameter(void **state)
{
	struct contract *contract = load(tree);
	struct arguments arguments;
	problem_auto p = { 0 };

	(void)state;
	read_parameters(contract, "/c/7", NULL, &arguments, &p);
	assert_int_equal(p.code, PROBLEM_INVALID_PARAMETER);
	assert_non_null(strstr(p.detail, "/path/id"));
	contract_free(contract);
}

/* clang-format off */
static const char *const lists =
	"\"/c\":{\"get\":{\"operationId\":\"list\",\"security\":[{},{\"token\":[\"a:read\"]}],\"x-cors\":\"any\",\"x-counts\":true,\"parameters\":["
	"{\"name\":\"area\",\"in\":\"query\",\"schema\":{\"type\":\"array\",\"maxItems\":2,\"items\":{\"type\":\"string\",\"maxLength\":3}}},"
	"{\"name\":\"lat\",\"in\":\"query\",\"schema\":{\"type\":\"number\",\"minimum\":-90,\"maximum\":90}}]," OK_ "}}";
/* clang-format on */

/* What a target's parameters are: the list, the number; or the pointer of the first fault. */
static void says(const char *target, const char *area, const char *lat)
{
	struct contract *contract = load(lists);
	const struct headers headers = { no_header, NULL };
	struct arguments arguments = { { NULL }, { NULL } };
	problem_auto p = { 0 };
	url_auto url = { 0 };
	const json_t *first;

	assert_non_null(contract);
	assert_true(url_parse(target, &url, &p));
	if (!parameters_read(contract_endpoint(contract, 0), &url, &headers, &arguments, &p))
		assert_int_equal(p.code, PROBLEM_INVALID_PARAMETER);
	first = json_array_get(json_object_get(p.members, "errors"), 0);
	if (first) {
		assert_string_equal(json_text(first, "pointer"), area);
	} else {
		assert_true(area ? strcmp(arguments.values[0], area) == 0 : !arguments.values[0]);
		assert_true(lat ? strcmp(arguments.values[1], lat) == 0 : !arguments.values[1]);
	}
	arguments_done(&arguments);
	contract_free(contract);
}

static void a_list_is_given_by_repeating_it(void **state)
{
	(void)state;
	says("/c", NULL, NULL);
	says("/c?area=a", "[\"a\"]", NULL);
	says("/c?area=a&lat=1&area=b%22", "[\"a\",\"b\\\"\"]", "1");
	says("/c?area=a&area=b&area=c", "/query/area", NULL);
	says("/c?area=a&area=toolong", "/query/area/1", NULL);
}

static void a_number_has_a_sign_and_a_point(void **state)
{
	static const char *const wrong[] = { "/c?lat=",     "/c?lat=x",   "/c?lat=0x10",
		                             "/c?lat=+1",   "/c?lat=1,5", "/c?lat=NaN",
		                             "/c?lat=%201", "/c?lat=90.5" };

	(void)state;
	says("/c?lat=-51.5", NULL, "-51.5");
	says("/c?lat=5e1", NULL, "5e1");
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		says(wrong[i], "/query/lat", NULL);
}

static void a_token_may_be_left_out_and_every_origin_let_in(void **state)
{
	struct contract *contract = load(lists);
	const struct endpoint *e;

	(void)state;
	assert_non_null(contract);
	e = contract_endpoint(contract, 0);
	assert_true(e->optional && !e->public && e->any_origin && e->noted);
	assert_string_equal(e->wants[0], "a:read");
	contract_free(contract);
	assert_stops_the_start("\"/a\":{\"get\":{\"operationId\":\"a\",\"security\":[{}]," OK_ "}}",
	                       "one way in");
	assert_stops_the_start("\"/a\":{\"get\":{\"operationId\":\"a\",\"security\":[],\"x-cors\":"
	                       "\"some\"," OK_ "}}",
	                       "x-cors is `any`");
}

#define ASKED_(rest)                                                                             \
	"\"/a\":{\"post\":{\"operationId\":\"a\",\"security\":[],\"x-query\":true," rest "," OK_ \
	"}}"
#define ASKING_ "\"requestBody\":{\"required\":true," ANY_ "}"
#define ANY_    "\"content\":{\"application/json\":{\"schema\":{\"type\":\"object\"}}}"
#define READS_  "\"x-reads\":true,"

static void what_is_asked_by_query_is_safe_and_the_same_endpoint(void **state)
{
	struct contract *contract = load(ASKED_(READS_ ASKING_));
	const char *const segments[] = { "a" };
	const struct route *route;
	char allow[ROUTE_ALLOW];

	(void)state;
	assert_non_null(contract);
	route = routes_find(contract, segments, 1);
	assert_ptr_equal(route->by_method[METHOD_QUERY], route->by_method[METHOD_POST]);
	assert_int_equal(contract_count(contract), 1);
	route_allow(route, allow);
	assert_string_equal(allow, "OPTIONS, POST, QUERY");
	contract_free(contract);
	contract = load(RULED_(BODY_));
	assert_null(routes_find(contract, segments, 1)->by_method[METHOD_QUERY]);
	contract_free(contract);
}

static void what_changes_something_is_not_asked_by_query(void **state)
{
	(void)state;
	assert_stops_the_start(ASKED_(ASKING_), "`x-query` is for a POST that changes nothing");
	assert_stops_the_start("\"/a\":{\"get\":{\"operationId\":\"a\",\"security\":[],"
	                       "\"x-query\":true," OK_ "}}",
	                       "`x-query` is for a POST that changes nothing");
	assert_stops_the_start(ASKED_("\"x-reads\":true"), "`x-query` needs a required body");
	assert_stops_the_start(ASKED_(READS_ "\"requestBody\":{" ANY_ "}"),
	                       "`x-query` needs a required body");
	assert_stops_the_start(ASKED_(READS_ ASKING_
	                              ",\"parameters\":[{\"name\":\"Idempotency-Key\",\"in\":"
	                              "\"header\",\"schema\":{\"type\":\"string\"}}]"),
	                       "no Idempotency-Key");
	assert_stops_the_start("\"/a\":{\"post\":{\"operationId\":\"a\",\"security\":[],"
	                       "\"x-query\":1," ASKING_ "," OK_ "}}",
	                       "`x-query` is `true` or absent");
}

/* clang-format off */
#define FIELDS_ "\"parameters\":[{\"name\":\"fields\",\"in\":\"query\",\"explode\":false,\"schema\":" \
	"{\"type\":\"array\",\"uniqueItems\":true,\"items\":{\"type\":\"string\",\"enum\":[\"id\",\"name\"]}}}]"
#define LISTED_(schema) "\"/c\":{\"get\":{\"operationId\":\"list\",\"security\":[]," FIELDS_ \
	",\"responses\":{\"200\":{\"description\":\"x\",\"content\":{\"application/json\":{\"schema\":" schema "}}}}}}"
#define FORMS_ "{\"anyOf\":[{\"type\":\"object\",\"required\":[\"items\",\"whole\"]},{\"type\":\"object\",\"required\":[\"items\"]}]}"
/* clang-format on */

static void assert_fields(const char *target, const char *value, const char *pointer)
{
	struct contract *contract = load(LISTED_(FORMS_));
	const struct headers headers = { no_header, NULL };
	struct arguments arguments = { { NULL }, { NULL } };
	problem_auto p = { 0 };
	url_auto url = { 0 };

	assert_non_null(contract);
	assert_true(url_parse(target, &url, &p));
	if (parameters_read(contract_endpoint(contract, 0), &url, &headers, &arguments, &p))
		assert_null(pointer);
	else
		assert_string_equal(
			json_text(json_array_get(json_object_get(p.members, "errors"), 0),
		                  "pointer"),
			pointer);
	if (value)
		assert_string_equal(arguments.values[0], value);
	arguments_done(&arguments);
	contract_free(contract);
}

static void names_of_fields_stand_between_commas(void **state)
{
	(void)state;
	assert_fields("/c", NULL, NULL);
	assert_fields("/c?fields=id", "[\"id\"]", NULL);
	assert_fields("/c?fields=name,id", "[\"name\",\"id\"]", NULL);
	assert_fields("/c?fields=name%2Cid", "[\"name\",\"id\"]", NULL);
	assert_fields("/c?fields=name,colour", NULL, "/query/fields/1");
	assert_fields("/c?fields=", NULL, "/query/fields/0");
	assert_fields("/c?fields=,", NULL, "/query/fields/0");
	assert_fields("/c?fields=id&fields=name", NULL, "/query/fields");
}

static void a_list_with_fields_promises_whole_items_and_some_members(void **state)
{
	struct contract *contract = load(LISTED_(FORMS_));
	const struct promise *promise;
	json_auto_t *some = json_pack("{s:[]}", "items");

	(void)state;
	assert_non_null(contract);
	assert_true(contract_endpoint(contract, 0)->takes_fields);
	promise = endpoint_promise(contract_endpoint(contract, 0), 200);
	assert_false(jsonschema_validate(promise->schema, some, NULL, NULL));
	assert_true(jsonschema_validate(promise->sparse, some, NULL, NULL));
	contract_free(contract);
	assert_stops_the_start(LISTED_("{\"type\":\"object\"}"),
	                       "a list with `fields` is anyOf: whole items, some members");
}

static void prefer_without_an_answer_204_stops_the_start(void **state)
{
	(void)state;
	assert_stops_the_start(
		"\"/a\":{\"post\":{\"operationId\":\"a\",\"security\":[],\"parameters\":[{\"name\":"
		"\"Prefer\",\"in\":\"header\",\"schema\":{\"type\":\"string\"}}]," OK_ "}}",
		"`Prefer` needs an answer 204");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_understood_stops_the_start),
		cmocka_unit_test(roles_and_costs_that_mean_nothing_stop_the_start),
		cmocka_unit_test(a_body_that_is_not_valid_names_the_rule_that_it_is_about),
		cmocka_unit_test(a_rule_without_a_body_stops_the_start),
		cmocka_unit_test(two_templates_for_one_path_stop_the_start),
		cmocka_unit_test(literals_go_before_parameters),
		cmocka_unit_test(all_faults_of_the_parameters_come_at_once),
		cmocka_unit_test(a_default_fills_what_is_absent_and_a_missing_if_match_is_428),
		cmocka_unit_test(an_id_that_is_no_uuid_is_a_wrong_parameter),
		cmocka_unit_test(a_list_is_given_by_repeating_it),
		cmocka_unit_test(a_number_has_a_sign_and_a_point),
		cmocka_unit_test(a_token_may_be_left_out_and_every_origin_let_in),
		cmocka_unit_test(what_is_asked_by_query_is_safe_and_the_same_endpoint),
		cmocka_unit_test(what_changes_something_is_not_asked_by_query),
		cmocka_unit_test(names_of_fields_stand_between_commas),
		cmocka_unit_test(a_list_with_fields_promises_whole_items_and_some_members),
		cmocka_unit_test(prefer_without_an_answer_204_stops_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
