/*
 * An instance against a schema, asked in every way: all ways must agree. Input: an array of a
 * schema and instances.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jsonschema/jsonschema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reporting goes through more than the verdict does: it may run out of steps where the verdict did
 * not. */
enum { STEPS = 20000 };

static bool check_fault(void *context, const struct jsonschema_fault *fault)
{
	size_t *count = context;
	if (!fault->instance || !fault->keyword_path || !fault->absolute_keyword || !fault->keyword)
		abort();
	if (!fault->message || !fault->message[0])
		abort();
	++*count;
	return true;
}

static void ask(const struct jsonschema *schema, const json_t *instance)
{
	size_t faults = 0;
	bool valid = jsonschema_validate(schema, instance, NULL, NULL);
	bool again = jsonschema_validate(schema, instance, check_fault, &faults);

	if (valid != again || valid != (faults == 0))
		abort();
	json_auto_t *basic = jsonschema_basic(schema, instance);
	if (basic && json_is_true(json_object_get(basic, "valid")) && !valid)
		abort();
	if (basic && !valid && json_array_size(json_object_get(basic, "errors")) == 0)
		abort();
}

static void ask_all(json_t *input)
{
	static const struct jsonschema_options options = { .assert_format = true, .steps = STEPS };
	jsonschema_registry_auto *registry = jsonschema_registry_new();
	jsonschema_auto *schema = NULL;
	struct jsonschema_error error;

	if (!registry || !jsonschema_registry_add(registry, "https://f.example/s",
	                                          json_array_get(input, 0), &error))
		return;
	schema = jsonschema_compile(registry, "https://f.example/s", &options, &error);
	for (size_t i = 1; schema && i < json_array_size(input) && i < 20; i++)
		ask(schema, json_array_get(input, i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_auto_t *input = json_loadb((const char *)data, size, JSON_ALLOW_NUL, NULL);

	if (json_array_size(input) > 1)
		ask_all(input);
	return 0;
}
