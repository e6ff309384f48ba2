/* A response that breaks the contract becomes a 500 in test runs. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "http/exchange_own.h"
#include "small_contract.h"

static void abort_on(void *context, const char *sentence)
{
	(void)context;
	fprintf(stderr, "%s\n", sentence);
	abort();
}

static const char paths[] =
	"\"/a\":{\"get\":{\"operationId\":\"a\",\"security\":[],\"responses\":{"
	"\"200\":{\"description\":\"x\",\"content\":{\"application/"
	"json\":{\"schema\":{\"type\":\"object\","
	"\"required\":[\"id\"],\"properties\":{\"id\":{\"type\":\"integer\"}}}}}},"
	"\"204\":{\"description\":\"nothing\"}}}}";

/* The status that is left after the check of such a response. */
static int checked(int status, const char *body)
{
	struct contract *contract = small_contract(paths, abort_on, NULL);
	const struct service service = { .contract = contract, .base_url = "" };
	struct response response = { .status = status,
		                     .body = text_copy(body),
		                     .size = body ? strlen(body) : 0 };
	struct exchange x = { .response = &response, .id = "test" };

	x.call.service = &service;
	x.call.endpoint = contract_endpoint(contract, 0);
	check_response(&x);
	status = response.status;
	if (status == 500)
		assert_non_null(strstr(response.body, "breaks the contract"));
	response_done(&response);
	problem_done(&x.call.problem);
	contract_free(contract);
	return status;
}

static void what_keeps_the_contract_passes(void **state)
{
	(void)state;
	assert_int_equal(checked(200, "{\"id\":7}"), 200);
	assert_int_equal(checked(204, NULL), 204);
}

static void what_breaks_the_contract_is_a_500(void **state)
{
	(void)state;
	assert_int_equal(checked(200, "{\"id\":\"7\"}"), 500);
	assert_int_equal(checked(200, "{}"), 500);
	assert_int_equal(checked(200, "{\"id\":7"), 500);
	assert_int_equal(checked(200, NULL), 500);
	assert_int_equal(checked(204, "{}"), 500);
	assert_int_equal(checked(201, "{\"id\":7}"), 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_keeps_the_contract_passes),
		cmocka_unit_test(what_breaks_the_contract_is_a_500),
	};

	log_open(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
