/*
 * JSON Schema in sixty lines: validates files against a schema and prints every fault.
 *
 *     L=build-release/libjsonschema.a
 *     cc -Iinclude docs/examples/jsonschema.c $L -ljansson -lpcre2-8 -lidn2 -lm -o check
 *     ./check schema.json document.json ...
 */
#include <stdio.h>

#include "jsonschema/jsonschema.h"

static json_t *load(const char *path)
{
	json_error_t error;
	json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!json)
		fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
	return json;
}

/* Once, when the program starts. The schema may then be used by any number of threads. */
static struct jsonschema *compile(json_t *document)
{
	static const struct jsonschema_options options = { .assert_format = true };
	static const char uri[] =
		"file:///schema.json"; /* any absolute URI: what $ref is resolved against */
	jsonschema_registry_auto *registry = jsonschema_registry_new();
	struct jsonschema *schema = NULL;
	struct jsonschema_error error;

	if (registry && jsonschema_registry_add(registry, uri, document, &error))
		schema = jsonschema_compile(registry, uri, &options, &error);
	if (!schema)
		fprintf(stderr, "%s: %s\n", error.where, error.what);
	return schema;
}

static bool print_fault(void *context, const struct jsonschema_fault *fault)
{
	const char *path = context;
	printf("%s: %s %s (%s)\n", path, *fault->instance ? fault->instance : "(all of it)",
	       fault->message, fault->keyword_path);
	return true; /* and on to the next */
}

int main(int argc, char **argv)
{
	json_auto_t *document = argc > 1 ? load(argv[1]) : NULL;
	jsonschema_auto *schema = document ? compile(document) : NULL;
	int invalid = 0;

	if (!schema)
		return 2;
	for (int i = 2; i < argc; i++) {
		json_auto_t *instance = load(argv[i]);
		if (!instance || !jsonschema_validate(schema, instance, print_fault, argv[i]))
			invalid = 1;
	}
	return invalid;
}
