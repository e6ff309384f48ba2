/* jansson under our rules. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

void json_start(void) { json_object_seed(0); }

/* The depth of nesting by brackets outside strings; text that is not JSON fails later, in the
 * parser. */
static bool too_deep(const char *bytes, size_t size)
{
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < size; i++) {
		char c = bytes[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '[') && ++depth > JSON_DEPTH)
			return true;
		else if (!quoted && (c == '}' || c == ']') && depth > 0)
			depth--;
	}
	return false;
}

/* jansson's reason in our words: its own text quotes the input. */
static const char *reason(enum json_error_code code)
{
	static const char *const words[] = {
		[json_error_premature_end_of_input] = "it ends too early",
		[json_error_end_of_input_expected] = "something follows the end of the document",
		[json_error_invalid_utf8] = "it is not UTF-8",
		[json_error_duplicate_key] = "an object has the same key twice",
		[json_error_numeric_overflow] = "a number is out of range",
		[json_error_null_character] = "it has a NUL character",
		[json_error_null_byte_in_key] = "it has a NUL character in a key",
		[json_error_out_of_memory] = "it takes too much memory",
	};

	if ((size_t)code < COUNT_OF(words) && words[code])
		return words[code];
	return "it is not well-formed JSON";
}

bool json_read(const char *bytes, size_t size, json_t **ret_json, struct problem *p)
{
	json_error_t error;
	json_t *json;

	if (too_deep(bytes, size))
		return problem(p, PROBLEM_MALFORMED_JSON,
		               "the body is nested more than %d levels deep", JSON_DEPTH);
	if (memchr(bytes, '\0', size))
		return problem(p, PROBLEM_MALFORMED_JSON,
		               "the body cannot be read: it has a NUL character");
	json = json_loadb(bytes, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!json)
		return problem(p, PROBLEM_MALFORMED_JSON,
		               "the body cannot be read: %s (line %d, column %d)",
		               reason(json_error_code(&error)), error.line, error.column);
	*ret_json = json;
	return true;
}

/* With 15 digits (DBL_DIG) every decimal of so many comes out as it went in: 0.3, not
 * 0.29999999999999999. */
char *json_print(const json_t *json)
{
	return json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
}

json_t *json_decimal(int64_t units, unsigned places)
{
	double scale = 1;

	for (unsigned i = 0; i < places; i++)
		scale *= 10;
	return json_real((double)units / scale);
}

const char *json_text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* One token of a pointer, unescaped, into `token`; answers where the next one begins. */
static const char *next_token(const char *pointer, char *token, size_t room)
{
	size_t size = 0;

	while (*pointer && *pointer != '/') {
		char c = *pointer++;

		if (c == '~' && (*pointer == '0' || *pointer == '1'))
			c = *pointer++ == '0' ? '~' : '/';
		if (size + 1 < room)
			token[size++] = c;
	}
	token[size] = '\0';
	return pointer;
}

json_t *json_at(const json_t *json, const char *pointer)
{
	char token[256];
	json_t *at = (json_t *)(uintptr_t)
		json; /* borrowed through: const is the caller's promise, not the tree's */
	uint64_t index;

	while (at && *pointer == '/') {
		pointer = next_token(pointer + 1, token, sizeof token);
		if (json_is_array(at))
			at = text_number(token, 0, UINT32_MAX, &index)
			             ? json_array_get(at, (size_t)index)
			             : NULL;
		else
			at = json_object_get(at, token);
	}
	return *pointer ? NULL : at;
}

bool json_pointer_add(struct buf *pointer, const char *token)
{
	bool good = buf_add(pointer, "/");

	for (const char *c = token; *c && good; c++)
		good = *c == '~'   ? buf_add(pointer, "~0")
		       : *c == '/' ? buf_add(pointer, "~1")
		                   : buf_add_bytes(pointer, c, 1);
	return good;
}
