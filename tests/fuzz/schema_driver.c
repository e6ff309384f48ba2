/*
 * Answers for src/jsonschema in the differential run (tests/fuzz/differential). A line in is
 * {"schema": S, "instances": [I...]}; a line out is the verdicts, [true, false...], or
 * {"error": "why"}. All ways to ask must agree.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "jsonschema/jsonschema.h"

static const char uri[] = "https://differential.example/";

static json_t *error_of(const char *what) { return json_pack("{s:s}", "error", what); }

static struct jsonschema *compile(json_t *schema, struct jsonschema_error *error)
{
	jsonschema_registry_auto *registry = jsonschema_registry_new();

	if (!jsonschema_registry_add(registry, uri, schema, error))
		return NULL;
	return jsonschema_compile(registry, uri, NULL, error);
}

static bool count_fault(void *context, const struct jsonschema_fault *fault)
{
	unsigned *count = context;

	*count += fault->message[0] != '\0';
	return true;
}

/* True or false, or the sentence that says which ways to ask differ. */
static json_t *verdict(const struct jsonschema *schema, const json_t *instance)
{
	bool valid = jsonschema_validate(schema, instance, NULL, NULL);
	json_auto_t *basic = jsonschema_basic(schema, instance);
	unsigned faults = 0;

	if (jsonschema_validate(schema, instance, count_fault, &faults) != valid)
		return json_string("another verdict when faults are reported");
	if ((faults == 0) != valid)
		return json_string("the faults do not fit the verdict");
	if (json_is_true(json_object_get(basic, "valid")) != valid)
		return json_string("another verdict in the basic output");
	return json_boolean(valid);
}

static json_t *answer(const char *line, size_t length)
{
	struct jsonschema_error error = { 0 };
	json_error_t syntax;
	json_auto_t *question = json_loadb(line, length, JSON_ALLOW_NUL, &syntax);
	json_t *verdicts;
	json_t *instance;
	size_t i;

	if (!question)
		return error_of(syntax.text);
	jsonschema_auto *schema = compile(json_object_get(question, "schema"), &error);
	if (!schema)
		return error_of(error.what);
	verdicts = json_array();
	json_array_foreach (json_object_get(question, "instances"), i, instance)
		json_array_append_new(verdicts, verdict(schema, instance));
	return verdicts;
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;

	for (ssize_t length = getline(&line, &room, stdin); length > 0;
	     length = getline(&line, &room, stdin)) {
		json_auto_t *reply = answer(line, (size_t)length);

		json_dumpf(reply, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
	}
	free(line);
	return 0;
}
