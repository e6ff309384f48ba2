/*
 * Any JSON as a schema: it is compiled or refused, and what is compiled is held against the schema
 * itself. Input: JSON; its first byte says which options.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jsonschema/jsonschema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Few steps: an input that takes long is found by libFuzzer's timeout, one that takes memory by its
 * limit. */
enum { STEPS = 20000 };

static void try_schema(json_t *document, const struct jsonschema_options *options)
{
	jsonschema_registry_auto *registry = jsonschema_registry_new();
	jsonschema_auto *schema = NULL;
	struct jsonschema_error error;

	if (!registry ||
	    !jsonschema_registry_add(registry, "https://f.example/s", document, &error))
		return;
	schema = jsonschema_compile(registry, "https://f.example/s", options, &error);
	if (schema)
		jsonschema_validate(schema, document, NULL, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jsonschema_options options = { .steps = STEPS };
	json_auto_t *document = NULL;

	if (!size)
		return 0;
	options.assert_format = data[0] & 1;
	options.strict = (data[0] & 3) == 3;
	document = json_loadb((const char *)data + 1, size - 1, JSON_DECODE_ANY | JSON_ALLOW_NUL,
	                      NULL);
	if (document)
		try_schema(document, &options);
	return 0;
}
