/* Operations bound to handlers, one to one, or no start. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "call/bind.h"
#include "small_contract.h"

static char last[256];

static void note(void *context, const char *sentence)
{
	(void)context;
	snprintf(last, sizeof last, "%s", sentence);
}

#define PATH_(path, id)                                \
	"\"" path "\":{\"get\":{\"operationId\":\"" id \
	"\",\"security\":[],\"responses\":{\"200\":{\"description\":\"x\"}}}}"

static bool nothing(struct call *c)
{
	(void)c;
	return true;
}

/* The sentence of the last fault, or "" when all is bound. */
static const char *bind(const struct operation *operations, size_t count)
{
	struct contract *contract =
		small_contract(PATH_("/a", "one") "," PATH_("/b", "two"), note, NULL);
	const struct module module = { .name = "m", .operations = operations, .count = count };
	const struct module *const modules[] = { &module, NULL };
	handler_fn **handlers;

	assert_non_null(contract);
	*last = '\0';
	handlers = bind_operations(contract, modules, note, NULL);
	assert_int_equal(handlers == NULL, *last != '\0');
	free(handlers);
	contract_free(contract);
	return last;
}

static void a_handler_for_each_operation_is_a_start(void **state)
{
	const struct operation both[] = { { "one", nothing }, { "two", nothing } };

	(void)state;
	assert_string_equal(bind(both, 2), "");
}

static void an_operation_without_handler_stops_the_start(void **state)
{
	const struct operation one[] = { { "one", nothing } };

	(void)state;
	assert_string_equal(bind(one, 1), "the operation two has no handler");
}

static void a_handler_without_operation_stops_the_start(void **state)
{
	const struct operation three[] = { { "one", nothing },
		                           { "two", nothing },
		                           { "three", nothing } };

	(void)state;
	assert_string_equal(bind(three, 3),
	                    "the handler of three is for no operation of the contract");
}

static void two_handlers_for_one_operation_stop_the_start(void **state)
{
	const struct operation twice[] = { { "one", nothing },
		                           { "two", nothing },
		                           { "two", nothing } };

	(void)state;
	assert_string_equal(bind(twice, 3), "the operation two has two handlers");
}

static void a_role_that_no_token_carries_stops_the_start(void **state)
{
	const struct operation one[] = { { "one", nothing } };
	const struct module module = { .name = "m", .operations = one, .count = 1 };
	const struct module *const modules[] = { &module, NULL };
	struct contract *contract = small_contract(
		"\"/a\":{\"get\":{\"operationId\":\"one\",\"security\":[{\"token\":[]}],"
		"\"x-roles\":[\"carer\",\"wizard\"],"
		"\"responses\":{\"200\":{\"description\":\"x\"}}}}",
		note, NULL);

	(void)state;
	assert_non_null(contract);
	assert_null(bind_operations(contract, modules, note, NULL));
	assert_string_equal(last, "an operation is for the role wizard, which no token may carry");
	contract_free(contract);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handler_for_each_operation_is_a_start),
		cmocka_unit_test(an_operation_without_handler_stops_the_start),
		cmocka_unit_test(a_handler_without_operation_stops_the_start),
		cmocka_unit_test(two_handlers_for_one_operation_stop_the_start),
		cmocka_unit_test(a_role_that_no_token_carries_stops_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
