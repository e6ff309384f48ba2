/* Keywords for strings, and what the keyword files share: counts, sets of strings, sentences. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsonschema/compile.h"
#include "jsonschema/evaluate.h"
#include "jsonschema/formats.h"

bool js_count(struct building *b, const char *keyword, const json_t *value, size_t *ret)
{
	double real = json_number_value(value);
	if (!json_is_number(value) || real < 0 || !js_number_is_integer(real))
		return js_refuse(b, keyword, "must be an integer, 0 or more");
	*ret = real < 9e18 ? (size_t)real : SIZE_MAX;
	return true;
}

bool js_strings(struct building *b, const char *keyword, const json_t *array,
                const struct names **ret)
{
	size_t count = json_array_size(array);
	const char **texts = calloc(count + 1, sizeof(*texts));
	size_t *lengths = calloc(count + 1, sizeof(*lengths));
	bool fine = json_is_array(array);
	size_t used = 0;
	size_t i;
	json_t *value;

	json_array_foreach (array, i, value) {
		fine = fine && json_is_string(value);
		if (!fine || !texts || !lengths)
			break;
		texts[used] = json_string_value(value);
		lengths[used++] = json_string_length(value);
	}
	*ret = fine && texts && lengths ? js_names_new(b->arena, texts, lengths, used) : NULL;
	free(texts);
	free(lengths);
	if (!fine)
		return js_refuse(b, keyword, "must be an array of strings");
	return *ret || js_refuse(b, keyword, "has too many strings");
}

const char *js_say(struct building *b, const char *format, ...)
{
	char said[1024];
	va_list args;

	va_start(args, format);
	int length = vsnprintf(said, sizeof(said), format, args);
	va_end(args);
	if (length < 0)
		return NULL;
	return js_arena_copy(b->arena, said, strlen(said));
}

/* Cuts between characters, never inside one. */
static size_t shortened(const char *text, size_t length, size_t limit)
{
	if (length <= limit)
		return length;
	while (limit && ((unsigned char)text[limit] & 0xc0) == 0x80)
		limit--;
	return limit;
}

void js_say_value(struct text *ret, const json_t *value, size_t limit)
{
	char *dumped = json_is_string(value)
	                       ? NULL
	                       : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	const char *text = dumped ? dumped : json_string_value(value);
	size_t length = text ? strlen(text) : 0;
	size_t kept = shortened(text ? text : "", length, limit);

	js_text_add(ret, text, kept);
	if (kept < length)
		js_text_adds(ret, "...");
	free(dumped);
}

static bool compile_length(struct building *b, const char *keyword, op_fn *run)
{
	const json_t *value = js_value(b, keyword);
	bool least = run == js_op_min_length;
	size_t bound = 0;

	if (!value)
		return true;
	if (!js_count(b, keyword, value, &bound))
		return false;
	const char *message = js_say(b, "must have at %s %zu character%s", least ? "least" : "most",
	                             bound, bound == 1 ? "" : "s");
	if (least && bound == 1)
		message = "must not be empty";
	if (!message)
		return js_no_memory(b);
	return js_add(b, KINDS_STRING,
	              (struct op){ .run = run,
	                           .path = least ? "/minLength" : "/maxLength",
	                           .message = message,
	                           .last = !least, /* a pattern is not run on what is too long */
	                           .bound = bound });
}

static bool compile_pattern(struct building *b)
{
	const json_t *value = js_value(b, "pattern");
	const char *message =
		value ? js_say(b, "must match the pattern %s", json_string_value(value)) : NULL;
	struct regex *regex;

	if (!value)
		return true;
	if (!js_regex(b, "pattern", value, &regex))
		return false;
	if (!message)
		return js_no_memory(b);
	return js_add(b, KINDS_STRING,
	              (struct op){ .run = js_op_pattern,
	                           .path = "/pattern",
	                           .message = message,
	                           .regex = regex });
}

bool js_regex(struct building *b, const char *keyword, const json_t *value, struct regex **ret)
{
	char what[160];
	text_auto sentence = { 0 };

	if (!json_is_string(value))
		return js_refuse(b, keyword, "must be a string");
	struct regex *regex = js_registry_regex(b->c->registry, json_string_value(value),
	                                        json_string_length(value), what, sizeof(what));
	if (!regex) {
		js_text_print(&sentence, "is not a pattern that can be used: %s", what);
		return js_refuse(b, keyword, js_text_string(&sentence));
	}
	if (!js_list_add(&b->c->schema->regexes, regex)) {
		js_regex_release(regex);
		return js_no_memory(b);
	}
	*ret = regex;
	return true;
}

static bool compile_format(struct building *b)
{
	const json_t *value = js_value(b, "format");
	bool declared = b->job->dialect->vocabularies & VOCAB_FORMAT_ASSERTION;

	if (!value)
		return true;
	if (!json_is_string(value))
		return js_refuse(b, "format", "must be a string");
	const struct format *format = js_format(json_string_value(value));
	if (!format && b->c->options->strict)
		return js_refuse(b, "format", "the format is not known");
	if (!format || !(declared || b->c->options->assert_format))
		return true;
	return js_add(b, KINDS_STRING,
	              (struct op){ .run = js_op_format,
	                           .path = "/format",
	                           .message = format->message,
	                           .format = format });
}

bool js_compile_text(struct building *b)
{
	/* The lengths come first: a pattern need not be run on what is too long anyway. */
	return compile_length(b, "minLength", js_op_min_length) &&
	       compile_length(b, "maxLength", js_op_max_length) && compile_pattern(b) &&
	       compile_format(b);
}
