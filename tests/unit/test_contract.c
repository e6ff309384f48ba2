/* The contract engine: what it compiles, what it refuses. */
#include "unit.h"

#include "contract_unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "contract/document.h"
#include "contract/faults.h"

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

#define OPEN_                                                                                   \
	"\"/c\":{\"get\":{\"operationId\":\"list\",\"security\":[{},{\"token\":[\"a:read\"]}]," \
	"\"x-cors\":\"any\",\"x-counts\":true," OK_ "}}"

static void a_token_may_be_left_out_and_every_origin_let_in(void **state)
{
	struct contract *contract = load(OPEN_);
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
		cmocka_unit_test(a_token_may_be_left_out_and_every_origin_let_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
