/* Operations on numbers and strings, and enum and const. */
#include <string.h>

#include "jsonschema/equal.h"
#include "jsonschema/evaluate.h"
#include "jsonschema/formats.h"

bool js_op_enumeration(struct run *r, const struct op *op, const struct frame *f)
{
	const struct enumeration *e = op->enumeration;
	if (f->type == JSON_STRING) {
		const char *text = f->text ? f->text : json_string_value(f->instance);
		size_t length = f->text ? f->length : json_string_length(f->instance);
		return js_names_find(e->strings, text, length, NO_NAME) != NO_NAME ||
		       js_fault(r, op, f);
	}
	bool deep = false;
	for (size_t i = 0; i < e->count; i++) {
		if (js_equal(f->instance, e->others[i], r->schema->depth, &deep))
			return true;
	}
	return deep ? js_halt(r, f, js_too_deep) : js_fault(r, op, f);
}

bool js_op_minimum(struct run *r, const struct op *op, const struct frame *f)
{
	return js_number_compare(f->instance, &op->number) >= 0 || js_fault(r, op, f);
}

bool js_op_maximum(struct run *r, const struct op *op, const struct frame *f)
{
	return js_number_compare(f->instance, &op->number) <= 0 || js_fault(r, op, f);
}

bool js_op_exclusive_minimum(struct run *r, const struct op *op, const struct frame *f)
{
	return js_number_compare(f->instance, &op->number) > 0 || js_fault(r, op, f);
}

bool js_op_exclusive_maximum(struct run *r, const struct op *op, const struct frame *f)
{
	return js_number_compare(f->instance, &op->number) < 0 || js_fault(r, op, f);
}

bool js_op_multiple(struct run *r, const struct op *op, const struct frame *f)
{
	return js_number_multiple(f->instance, &op->number) || js_fault(r, op, f);
}

static size_t code_points(const char *text, size_t length)
{
	size_t count = 0;
	for (size_t i = 0; i < length; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

/* A code point has one to four bytes: often the number of bytes decides, and nothing needs
 * counting. */
bool js_op_min_length(struct run *r, const struct op *op, const struct frame *f)
{
	if (f->length / 4 >= op->bound)
		return true;
	bool enough = f->length >= op->bound && code_points(f->text, f->length) >= op->bound;
	return enough || js_fault(r, op, f);
}

bool js_op_max_length(struct run *r, const struct op *op, const struct frame *f)
{
	return f->length <= op->bound || code_points(f->text, f->length) <= op->bound ||
	       js_fault(r, op, f);
}

bool js_op_pattern(struct run *r, const struct op *op, const struct frame *f)
{
	enum regex_answer answer = js_regex_match(op->regex, f->text, f->length, &r->steps);
	if (answer == REGEX_TOO_HARD)
		return js_halt(r, f, "takes too long to match against the pattern");
	return answer == REGEX_YES || js_fault(r, op, f);
}

bool js_op_format(struct run *r, const struct op *op, const struct frame *f)
{
	return op->format->valid(f->text, f->length) || js_fault(r, op, f);
}
