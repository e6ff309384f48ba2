/* What the contract says once and the loader keeps true: QUERY, `fields`, Prefer. */
#include "unit.h"

#include "contract_unit.h"

#include "base/json.h"
#include "contract/parameters.h"

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
	contract = load("\"/a\":{\"post\":{\"operationId\":\"a\",\"security\":[]," ASKING_ "," OK_
	                "}}");
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

#define FIELDS_                                                                    \
	"\"parameters\":[{\"name\":\"fields\",\"in\":\"query\",\"explode\":false," \
	"\"schema\":{\"type\":\"array\",\"uniqueItems\":true,"                     \
	"\"items\":{\"type\":\"string\",\"enum\":[\"id\",\"name\"]}}}]"
#define LISTED_(schema)                                                                     \
	"\"/c\":{\"get\":{\"operationId\":\"list\",\"security\":[]," FIELDS_                \
	",\"responses\":{\"200\":{\"description\":\"x\",\"content\":{\"application/json\":" \
	"{\"schema\":" schema "}}}}}}"
#define FORMS_                                                                  \
	"{\"anyOf\":[{\"type\":\"object\",\"required\":[\"items\",\"whole\"]}," \
	"{\"type\":\"object\",\"required\":[\"items\"]}]}"

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
	assert_stops_the_start(LISTED_(FORMS_ ",\"example\":{\"items\":[]}"),
	                       "example breaks its schema");
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
		cmocka_unit_test(what_is_asked_by_query_is_safe_and_the_same_endpoint),
		cmocka_unit_test(what_changes_something_is_not_asked_by_query),
		cmocka_unit_test(names_of_fields_stand_between_commas),
		cmocka_unit_test(a_list_with_fields_promises_whole_items_and_some_members),
		cmocka_unit_test(prefer_without_an_answer_204_stops_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
