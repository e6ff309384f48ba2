/* What the tests of the schema library share: schemas and instances from text, faults as lines. */
#pragma once

#include "unit.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "jsonschema/jsonschema.h"

static inline json_t *js_parse(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_DECODE_ANY, &error);
	if (!json)
		print_error("%s: %s\n", error.text, text);
	assert_non_null(json);
	return json;
}

static inline struct jsonschema *js_compiled_as(const char *text,
                                                const struct jsonschema_options *options)
{
	jsonschema_registry_auto *registry = jsonschema_registry_new();
	json_auto_t *document = js_parse(text);
	struct jsonschema_error error;
	struct jsonschema *schema = NULL;

	if (jsonschema_registry_add(registry, "https://test.example/s", document, &error))
		schema = jsonschema_compile(registry, "https://test.example/s", options, &error);
	if (!schema)
		print_error("%s: %s\n", error.where, error.what);
	assert_non_null(schema);
	return schema;
}

static inline struct jsonschema *js_compiled(const char *text)
{
	static const struct jsonschema_options options = { .assert_format = true };
	return js_compiled_as(text, &options);
}

static inline bool js_add_line(void *context, const struct jsonschema_fault *fault)
{
	char(*lines)[2000] = context;
	size_t used = strlen(*lines);
	snprintf(*lines + used, sizeof(*lines) - used, "%s %s %s\n", fault->instance,
	         fault->keyword, fault->message);
	return true;
}

/* The faults as lines "pointer keyword message"; "" when the instance is valid. Good until the next
 * call. */
static inline const char *js_faults_of(const char *schema, const char *instance)
{
	static char lines[2000];
	jsonschema_auto *compiled = js_compiled(schema);
	json_auto_t *json = js_parse(instance);

	lines[0] = '\0';
	bool valid = jsonschema_validate(compiled, json, js_add_line, &lines);
	assert_int_equal(valid, jsonschema_validate(compiled, json, NULL, NULL));
	assert_int_equal(valid, lines[0] == '\0');
	return lines;
}

static inline bool js_accepts(const char *schema, const char *instance)
{
	return *js_faults_of(schema, instance) == '\0';
}

/* Why a schema is refused, as "where what". Good until the next call. */
static inline const char *js_refusal_of(const char *text, const struct jsonschema_options *options)
{
	static char line[600];
	jsonschema_registry_auto *registry = jsonschema_registry_new();
	json_auto_t *document = js_parse(text);
	struct jsonschema_error error;
	jsonschema_auto *schema = NULL;

	if (jsonschema_registry_add(registry, "https://test.example/s", document, &error))
		schema = jsonschema_compile(registry, "https://test.example/s", options, &error);
	assert_null(schema);
	snprintf(line, sizeof(line), "%s %s", error.where, error.what);
	return line;
}
