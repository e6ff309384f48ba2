/* The table of keywords of draft 2020-12. */
#include "jsonschema/keywords.h"

#include <string.h>

#include "jsonschema/registry.h"

const struct keyword js_keywords[] = {
	{ "$anchor", VOCAB_CORE, HOLDS_NONE, false },
	{ "$comment", VOCAB_CORE, HOLDS_NONE, false },
	{ "$defs", VOCAB_CORE, HOLDS_MAP, false },
	{ "$dynamicAnchor", VOCAB_CORE, HOLDS_NONE, false },
	{ "$dynamicRef", VOCAB_CORE, HOLDS_NONE, false },
	{ "$id", VOCAB_CORE, HOLDS_NONE, false },
	{ "$ref", VOCAB_CORE, HOLDS_NONE, false },
	{ "$schema", VOCAB_CORE, HOLDS_NONE, false },
	{ "$vocabulary", VOCAB_CORE, HOLDS_NONE, false },
	{ "additionalProperties", VOCAB_APPLICATOR, HOLDS_SCHEMA, false },
	{ "allOf", VOCAB_APPLICATOR, HOLDS_LIST, false },
	{ "anyOf", VOCAB_APPLICATOR, HOLDS_LIST, false },
	{ "const", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "contains", VOCAB_APPLICATOR, HOLDS_SCHEMA, false },
	{ "contentEncoding", VOCAB_CONTENT, HOLDS_NONE, true },
	{ "contentMediaType", VOCAB_CONTENT, HOLDS_NONE, true },
	{ "contentSchema", VOCAB_CONTENT, HOLDS_SCHEMA, true },
	{ "default", VOCAB_META_DATA, HOLDS_NONE, true },
	{ "definitions", 0, HOLDS_MAP, false },
	{ "dependencies", 0, HOLDS_MIXED_MAP, false },
	{ "dependentRequired", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "dependentSchemas", VOCAB_APPLICATOR, HOLDS_MAP, false },
	{ "deprecated", VOCAB_META_DATA, HOLDS_NONE, true },
	{ "description", VOCAB_META_DATA, HOLDS_NONE, true },
	{ "else", VOCAB_APPLICATOR, HOLDS_SCHEMA, false },
	{ "enum", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "examples", VOCAB_META_DATA, HOLDS_NONE, true },
	{ "exclusiveMaximum", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "exclusiveMinimum", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "format", VOCAB_FORMAT_ANNOTATION | VOCAB_FORMAT_ASSERTION, HOLDS_NONE, true },
	{ "if", VOCAB_APPLICATOR, HOLDS_SCHEMA, false },
	{ "items", VOCAB_APPLICATOR, HOLDS_SCHEMA, false },
	{ "maxContains", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "maxItems", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "maxLength", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "maxProperties", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "maximum", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "minContains", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "minItems", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "minLength", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "minProperties", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "minimum", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "multipleOf", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "not", VOCAB_APPLICATOR, HOLDS_SCHEMA, false },
	{ "oneOf", VOCAB_APPLICATOR, HOLDS_LIST, false },
	{ "pattern", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "patternProperties", VOCAB_APPLICATOR, HOLDS_MAP, false },
	{ "prefixItems", VOCAB_APPLICATOR, HOLDS_LIST, false },
	{ "properties", VOCAB_APPLICATOR, HOLDS_MAP, false },
	{ "propertyNames", VOCAB_APPLICATOR, HOLDS_SCHEMA, false },
	{ "readOnly", VOCAB_META_DATA, HOLDS_NONE, true },
	{ "required", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "then", VOCAB_APPLICATOR, HOLDS_SCHEMA, false },
	{ "title", VOCAB_META_DATA, HOLDS_NONE, true },
	{ "type", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "unevaluatedItems", VOCAB_UNEVALUATED, HOLDS_SCHEMA, false },
	{ "unevaluatedProperties", VOCAB_UNEVALUATED, HOLDS_SCHEMA, false },
	{ "uniqueItems", VOCAB_VALIDATION, HOLDS_NONE, false },
	{ "writeOnly", VOCAB_META_DATA, HOLDS_NONE, true },
};

const size_t js_keyword_count = sizeof(js_keywords) / sizeof(*js_keywords);

/* Binary search: a unit test checks that the table is in order. */
const struct keyword *js_keyword(const char *name)
{
	size_t low = 0;
	size_t high = js_keyword_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(js_keywords[middle].name, name);
		if (order == 0)
			return &js_keywords[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
