/* Keywords for any instance and for numbers: type, enum, const, minimum and its kin. */
#include <string.h>

#include "jsonschema/compile.h"
#include "jsonschema/evaluate.h"

static const struct {
	const char *name;
	unsigned bits;
	const char *noun;
} types[] = {
	{ "array", TYPE_ARRAY, "an array" },
	{ "boolean", TYPE_BOOLEAN, "true or false" },
	{ "integer", TYPE_INTEGER | TYPE_WHOLE_REAL, "an integer" },
	{ "null", TYPE_NULL, "null" },
	{ "number", TYPE_INTEGER | TYPE_REAL, "a number" },
	{ "object", TYPE_OBJECT, "an object" },
	{ "string", TYPE_STRING, "a string" },
};

/* Adds one type to the node and to the sentence. */
static bool add_type(struct building *b, const json_t *value, uint16_t *bits, struct text *sentence)
{
	const char *name = json_string_value(value);
	for (size_t i = 0; name && i < sizeof(types) / sizeof(*types); i++) {
		if (strcmp(types[i].name, name) != 0)
			continue;
		*bits = (uint16_t)(*bits | types[i].bits);
		js_text_print(sentence, "%s%s", sentence->length ? " or " : "", types[i].noun);
		return true;
	}
	return js_refuse(b, "type", "a type must be one of the seven that JSON Schema knows");
}

static bool compile_type(struct building *b)
{
	json_t *value = js_value(b, "type");
	text_auto sentence = { 0 };
	uint16_t bits = 0;
	size_t i;
	json_t *one;

	if (!value)
		return true;
	if (!json_is_array(value) && !add_type(b, value, &bits, &sentence))
		return false;
	json_array_foreach (value, i, one) {
		if (!add_type(b, one, &bits, &sentence))
			return false;
	}
	if (!bits)
		return js_refuse(b, "type", "the list of types is empty");
	b->job->node->types = bits;
	b->job->node->type_message = js_say(b, "must be %s", js_text_string(&sentence));
	return b->job->node->type_message || js_no_memory(b);
}

/* Splits the values: strings go into a set, the rest is compared one by one. */
static bool keep_values(struct building *b, const char *keyword, json_t *values,
                        struct enumeration *enumeration)
{
	json_t **others = js_arena_array(b->arena, json_array_size(values), sizeof(json_t *));
	json_auto_t *strings = json_array();
	size_t i;
	json_t *value;

	if (!others || !strings)
		return js_no_memory(b);
	json_array_foreach (values, i, value) {
		if (json_is_string(value)) {
			if (json_array_append(strings, value) != 0)
				return js_no_memory(b);
			continue;
		}
		if (!js_list_add(&b->c->schema->values, value))
			return js_no_memory(b);
		others[enumeration->count++] = json_incref(value);
	}
	enumeration->others = others;
	return js_strings(b, keyword, strings, &enumeration->strings);
}

static bool add_enumeration(struct building *b, const char *keyword, json_t *values,
                            const char *message)
{
	struct enumeration *enumeration = js_arena_take(b->arena, sizeof(*enumeration));
	if (!enumeration || !message)
		return js_no_memory(b);
	if (!keep_values(b, keyword, values, enumeration))
		return false;
	return js_add(b, KINDS_ALL,
	              (struct op){ .run = js_op_enumeration,
	                           .path = js_say(b, "/%s", keyword),
	                           .message = message,
	                           .enumeration = enumeration });
}

static bool compile_enum(struct building *b)
{
	enum { SENTENCE_LIMIT = 720, VALUE_LIMIT = 60 };
	json_t *values = js_value(b, "enum");
	text_auto sentence = { 0 };
	size_t i;
	json_t *value;

	if (!values)
		return true;
	if (!json_is_array(values))
		return js_refuse(b, "enum", "enum must be an array");
	js_text_adds(&sentence, json_array_size(values) ? "" : "is not allowed: nothing is");
	json_array_foreach (values, i, value) {
		js_text_adds(&sentence, i ? ", " : "must be one of: ");
		js_say_value(&sentence, value, VALUE_LIMIT);
		if (sentence.length <= SENTENCE_LIMIT)
			continue;
		js_text_cut(&sentence, 0);
		js_text_print(&sentence, "must be one of the %zu values that are listed",
		              json_array_size(values));
		break;
	}
	return add_enumeration(b, "enum", values, js_say(b, "%s", js_text_string(&sentence)));
}

static bool compile_const(struct building *b)
{
	enum { VALUE_LIMIT = 200 };
	json_t *value = js_value(b, "const");
	text_auto sentence = { 0 };
	json_auto_t *values = value ? json_array() : NULL;

	if (!value)
		return true;
	if (json_array_append(values, value) != 0)
		return js_no_memory(b);
	js_text_adds(&sentence, "must be ");
	js_say_value(&sentence, value, VALUE_LIMIT);
	return add_enumeration(b, "const", values, js_say(b, "%s", js_text_string(&sentence)));
}

static bool compile_bound(struct building *b, const char *keyword, op_fn *run, const char *words)
{
	const json_t *value = js_value(b, keyword);
	text_auto number = { 0 };

	if (!value)
		return true;
	if (!json_is_number(value))
		return js_refuse(b, keyword, "must be a number");
	if (run == js_op_multiple && !(json_number_value(value) > 0))
		return js_refuse(b, keyword, "must be more than 0");
	js_say_value(&number, value, 40);
	const char *message = js_say(b, "must be %s %s", words, js_text_string(&number));
	const char *path = js_say(b, "/%s", keyword);
	if (!message || !path)
		return js_no_memory(b);
	return js_add(b, KINDS_NUMBER,
	              (struct op){ .run = run,
	                           .path = path,
	                           .message = message,
	                           .number = js_number_of(value) });
}

bool js_compile_general(struct building *b)
{
	return compile_type(b) && compile_enum(b) && compile_const(b) &&
	       compile_bound(b, "minimum", js_op_minimum, "at least") &&
	       compile_bound(b, "maximum", js_op_maximum, "at most") &&
	       compile_bound(b, "exclusiveMinimum", js_op_exclusive_minimum, "more than") &&
	       compile_bound(b, "exclusiveMaximum", js_op_exclusive_maximum, "less than") &&
	       compile_bound(b, "multipleOf", js_op_multiple, "a multiple of");
}
