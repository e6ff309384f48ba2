/* The contract engine: what it compiles, what it refuses, how it routes and reads parameters. */
#include "unit.h"

#include "contract_unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "contract/document.h"
#include "contract/faults.h"
#include "contract/parameters.h"

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

#define BYTES_ "\"requestBody\":{\"required\":true,\"content\":{\"application/pdf\":{}}}"

static void a_body_that_is_not_json_is_bytes_with_a_limit(void **state)
{
	struct contract *contract = load(RULED_("\"x-body-limit\":5242880," BYTES_));
	const struct endpoint *endpoint;

	(void)state;
	assert_non_null(contract);
	endpoint = contract_endpoint(contract, 0);
	assert_string_equal(endpoint->media, "application/pdf");
	assert_null(endpoint->body);
	assert_int_equal(endpoint->body_limit, 5242880);
	assert_int_equal(contract_body_limit(contract), 5242880);
	contract_free(contract);
	assert_stops_the_start(RULED_(BYTES_), "a body that is not JSON has an `x-body-limit`");
	assert_stops_the_start(RULED_("\"x-body-limit\":0," BYTES_), "`x-body-limit` is of a body");
	assert_stops_the_start(RULED_("\"x-body-limit\":67108865," BYTES_),
	                       "`x-body-limit` is of a body");
	assert_stops_the_start(RULED_("\"x-body-limit\":7"), "`x-body-limit` is of a body");
}

#define PARAMETER_(name, in, schema) \
	"{\"name\":\"" name "\",\"in\":\"" in "\",\"required\":true,\"schema\":" schema "}"
#define GET_(id, parameters)                                                               \
	"{\"get\":{\"operationId\":\"" id "\",\"security\":[],\"parameters\":[" parameters \
	"]," OK_ "}}"

/* Two operations with the same body, who promise the same. */
static struct contract *load_twins(void)
{
	struct contract *contract = load(
		"\"/"
		"a\":{\"post\":{\"operationId\":\"a\",\"security\":[],\"requestBody\":{\"content\":"
		"{"
		"\"application/json\":{\"schema\":{\"type\":\"object\"}}}},\"responses\":{\"200\":{"
		"\"description\":\"x\",\"content\":{\"application/"
		"json\":{\"schema\":{\"type\":\"array\"}"
		"}}}}}},\"/"
		"b\":{\"post\":{\"operationId\":\"b\",\"security\":[],\"requestBody\":{\"$ref\":"
		"\"#/paths/~1a/post/"
		"requestBody\"},\"responses\":{\"200\":{\"description\":\"x\",\"content\":{"
		"\"application/json\":{\"schema\":{\"$ref\":\"#/paths/~1a/post/responses/200/"
		"content/"
		"application~1json/schema\"}}}}}}}");

	assert_non_null(contract);
	return contract;
}

static void those_who_refer_to_one_schema_share_it(void **state)
{
	struct contract *contract = load_twins();
	const struct endpoint *a = contract_endpoint(contract, 0);
	const struct endpoint *b = contract_endpoint(contract, 1);

	(void)state;
	assert_non_null(a->body);
	assert_ptr_equal(a->body, b->body);
	assert_non_null(a->promises[0].schema);
	assert_ptr_equal(a->promises[0].schema, b->promises[0].schema);
	contract_free(contract);
}

static void promises_are_forgotten_and_bodies_are_not(void **state)
{
	struct contract *contract = load_twins();
	const struct endpoint *b = contract_endpoint(contract, 1);
	json_auto_t *list = json_array();
	struct problem p = { 0 };

	(void)state;
	contract_forget_promises(contract);
	assert_null(b->promises[0].schema);
	assert_false(faults_validate_body(b, list, &p));
	problem_done(&p);
	contract_free(contract);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_understood_stops_the_start),
		cmocka_unit_test(roles_and_costs_that_mean_nothing_stop_the_start),
		cmocka_unit_test(a_body_that_is_not_valid_names_the_rule_that_it_is_about),
		cmocka_unit_test(a_rule_without_a_body_stops_the_start),
		cmocka_unit_test(a_body_that_is_not_json_is_bytes_with_a_limit),
		cmocka_unit_test(those_who_refer_to_one_schema_share_it),
		cmocka_unit_test(promises_are_forgotten_and_bodies_are_not),
		cmocka_unit_test(two_templates_for_one_path_stop_the_start),
		cmocka_unit_test(literals_go_before_parameters),
		cmocka_unit_test(all_faults_of_the_parameters_come_at_once),
		cmocka_unit_test(a_default_fills_what_is_absent_and_a_missing_if_match_is_428),
		cmocka_unit_test(an_id_that_is_no_uuid_is_a_wrong_parameter),
		cmocka_unit_test(a_list_is_given_by_repeating_it),
		cmocka_unit_test(a_number_has_a_sign_and_a_point),
		cmocka_unit_test(a_token_may_be_left_out_and_every_origin_let_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
