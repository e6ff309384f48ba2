/* The quick way to a verdict: no frame but where an operation needs one, and no words for a fault.
 */
#include "jsonschema/evaluate.h"

/* What can be said at a glance. */
enum glance { GLANCE_NO, GLANCE_YES, GLANCE_LONGER };

static inline bool in_range(const struct node *node, const json_t *value)
{
	double number =
		json_is_real(value) ? json_real_value(value) : (double)json_integer_value(value);
	return number >= node->least && number <= node->most;
}

/* By the type alone, or as a number within a range. */
static inline enum glance glance(const struct node *node, const json_t *value)
{
	unsigned bit = 1u << json_typeof(value);

	if (!(node->types & bit))
		return bit == TYPE_REAL ? GLANCE_LONGER : GLANCE_NO; /* 1.0 may be an integer */
	if (node->plain & bit)
		return GLANCE_YES;
	if (node->ranged & bit)
		return in_range(node, value) ? GLANCE_YES : GLANCE_NO;
	return GLANCE_LONGER;
}

static bool look(struct run *r, const struct node *node, const json_t *value);

/* js_quick_value() for the loops below, which spend their time in it. */
static inline bool passes(struct run *r, const struct node *node, const json_t *value)
{
	if (r->depth == 0)
		return js_halt(r, NULL, js_too_deep);
	if (r->steps == 0 || --r->steps == 0)
		return js_halt(r, NULL, js_too_long);
	enum glance found = glance(node, value);
	return found == GLANCE_LONGER ? look(r, node, value) : found == GLANCE_YES;
}

static bool items_pass(struct run *r, const struct items *items, const json_t *array,
                       struct track *track)
{
	size_t count = json_array_size(array);

	if (count < items->min || count > items->max)
		return false;
	size_t first = count < items->prefix_count ? count : items->prefix_count;
	if (!items->rest.node)
		count = first;
	for (size_t i = 0; i < first; i++) {
		if (!passes(r, items->prefix[i].node, json_array_get(array, i)))
			return false;
	}
	for (size_t i = first; i < count; i++) {
		if (!passes(r, items->rest.node, json_array_get(array, i)))
			return false;
	}
	for (size_t i = 0; track && i < count; i++)
		track_mark(track, i);
	return true;
}

static bool patterns_pass(struct run *r, const struct members *m, const struct member_of *e,
                          bool *known)
{
	for (size_t i = 0; i < m->pattern_count; i++) {
		enum regex_answer answer =
			js_regex_match(m->patterns[i].regex, e->key, e->length, &r->steps);
		if (answer == REGEX_NO)
			continue;
		if (answer == REGEX_TOO_HARD)
			return js_halt(r, NULL, "has a member whose name takes too long to match");
		*known = true;
		if (!passes(r, m->patterns[i].link.node, e->value))
			return false;
	}
	return true;
}

static inline bool member_passes(struct run *r, const struct members *m, const struct member_of *e,
                                 const struct node *node, struct track *track)
{
	bool known = node != NULL;

	if (known && !passes(r, node, e->value))
		return false;
	if (m->pattern_count && !patterns_pass(r, m, e, &known))
		return false;
	if (!known && m->additional.node) {
		known = true;
		if (!passes(r, m->additional.node, e->value))
			return false;
	}
	if (known && track)
		track_mark(track, e->number);
	return true;
}

static bool members_pass(struct run *r, const struct members *m, const json_t *instance,
                         struct track *track)
{
	json_t *object = (json_t *)instance;
	size_t required = 0;
	uint32_t guess = 0;
	size_t i = 0;

	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
		struct member_of e = { json_object_iter_key(at), json_object_iter_key_len(at),
			               json_object_iter_value(at), i++ };
		uint32_t number = js_names_find(m->names, e.key, e.length, guess);
		const struct member *member = number == NO_NAME ? NULL : &m->list[number];
		guess = number + 1; /* members tend to come in the order of the schema */
		required += member && member->required;
		if (!member_passes(r, m, &e, member ? member->link.node : NULL, track))
			return false;
	}
	return required >= m->required;
}

bool js_quick_items(struct run *r, const struct op *op, const struct frame *f)
{
	return items_pass(r, op->items, f->instance, f->track);
}

bool js_quick_members(struct run *r, const struct op *op, const struct frame *f)
{
	return members_pass(r, op->members, f->instance, f->track);
}

/* How many of the alternatives pass, up to `limit`. */
static size_t count_passing(struct run *r, const struct branch *branch, const json_t *value,
                            size_t limit)
{
	size_t passed = 0;

	for (size_t i = 0; i < branch->count && passed < limit && !r->halted; i++)
		passed += passes(r, branch->links[i].node, value);
	return r->halted ? 0 : passed;
}

/* Where somebody keeps track all alternatives must be gone through, with frames; a name has no
 * value. */
bool js_quick_any(struct run *r, const struct op *op, const struct frame *f)
{
	if (f->track || !f->instance)
		return js_op_any(r, op, f);
	return count_passing(r, op->branch, f->instance, 1) == 1;
}

bool js_quick_one(struct run *r, const struct op *op, const struct frame *f)
{
	if (f->track || !f->instance)
		return js_op_one(r, op, f);
	return count_passing(r, op->branch, f->instance, 2) == 1;
}

/* Apart from look(), which needs no room for a frame. */
static bool __attribute__((noinline))
enter(struct run *r, const struct node *node, const json_t *value)
{
	struct frame f = { .node = node,
		           .path = "",
		           .instance = value,
		           .index = NO_STEP,
		           .type = json_typeof(value) };

	r->steps++; /* it is counted where it is evaluated */
	return js_evaluate(r, &f);
}

static bool deeper(struct run *r, const struct node *node, const json_t *value)
{
	json_type type = json_typeof(value);

	if (type == JSON_OBJECT && node->members)
		return members_pass(r, node->members, value, NULL);
	if (type == JSON_ARRAY && node->items)
		return items_pass(r, node->items, value, NULL);
	if (type == JSON_STRING && node->words)
		return js_names_find(node->words, json_string_value(value),
		                     json_string_length(value), 0) != NO_NAME;
	return enter(r, node, value);
}

/* What takes more than a glance. */
static bool look(struct run *r, const struct node *node, const json_t *value)
{
	r->depth--;
	bool fine = deeper(r, node, value);
	r->depth++;
	return fine;
}

bool js_quick_value(struct run *r, const struct node *node, const json_t *value)
{
	return passes(r, node, value);
}
