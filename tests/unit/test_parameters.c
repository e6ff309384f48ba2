/* The contract engine: what a path leads to, and how parameters are read. */
#include "unit.h"

#include "contract_unit.h"

#include <string.h>

#include "base/json.h"
#include "contract/document.h"
#include "contract/parameters.h"

#define TEXT_ "{\"type\":\"string\"}"
#define UUID_ "{\"type\":\"string\",\"format\":\"uuid\"}"
#define IN_PATH_(name, schema) \
	"{\"name\":\"" name "\",\"in\":\"path\",\"required\":true,\"schema\":" schema "}"
#define GET_(id, parameters)                                                               \
	"{\"get\":{\"operationId\":\"" id "\",\"security\":[],\"parameters\":[" parameters \
	"]," OK_ "}}"
#define ITEM_A_ GET_("a", IN_PATH_("a", TEXT_))
#define ITEM_B_ GET_("b", IN_PATH_("b", TEXT_))

static void two_templates_for_one_path_stop_the_start(void **state)
{
	(void)state;
	assert_stops_the_start("\"/c/{a}\":" ITEM_A_ ",\"/c/{b}\":" ITEM_B_, "matches what");
	assert_stops_the_start("\"/c\":" GET_("a", "") ",\"/d\":" GET_("a", ""), "is there twice");
}

#define LIMIT_                                                                   \
	"{\"name\":\"limit\",\"in\":\"query\",\"schema\":{\"type\":\"integer\"," \
	"\"minimum\":1,\"maximum\":200,\"default\":50}}"
#define IF_MATCH_ "{\"name\":\"If-Match\",\"in\":\"header\",\"required\":true,\"schema\":" TEXT_ "}"
#define LIST_     GET_("list", LIMIT_ "," IF_MATCH_)
#define SEARCH_   GET_("search", "")
#define ONE_      GET_("one", IN_PATH_("id", UUID_))
#define DEEP_     GET_("deep", IN_PATH_("id", TEXT_))

static const char *const tree =
	"\"/c\":" LIST_ ",\"/c/search\":" SEARCH_ ",\"/c/{id}\":" ONE_ ",\"/c/{id}/deep\":" DEEP_;

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

#define AREA_                                                                 \
	"{\"name\":\"area\",\"in\":\"query\",\"schema\":{\"type\":\"array\"," \
	"\"maxItems\":2,\"items\":{\"type\":\"string\",\"maxLength\":3}}}"
#define LAT_                                                                  \
	"{\"name\":\"lat\",\"in\":\"query\",\"schema\":{\"type\":\"number\"," \
	"\"minimum\":-90,\"maximum\":90}}"

static const char *const lists = "\"/c\":" GET_("list", AREA_ "," LAT_);

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_templates_for_one_path_stop_the_start),
		cmocka_unit_test(literals_go_before_parameters),
		cmocka_unit_test(all_faults_of_the_parameters_come_at_once),
		cmocka_unit_test(a_default_fills_what_is_absent_and_a_missing_if_match_is_428),
		cmocka_unit_test(an_id_that_is_no_uuid_is_a_wrong_parameter),
		cmocka_unit_test(a_list_is_given_by_repeating_it),
		cmocka_unit_test(a_number_has_a_sign_and_a_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
