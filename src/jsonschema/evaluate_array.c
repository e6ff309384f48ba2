/* Operations on arrays. */
#include <stdlib.h>

#include "jsonschema/equal.h"
#include "jsonschema/evaluate.h"
#include "jsonschema/output.h"

bool js_op_min_items(struct run *r, const struct op *op, const struct frame *f)
{
	return json_array_size(f->instance) >= op->bound || js_fault(r, op, f);
}

bool js_op_max_items(struct run *r, const struct op *op, const struct frame *f)
{
	return json_array_size(f->instance) <= op->bound || js_fault(r, op, f);
}

bool js_op_items(struct run *r, const struct op *op, const struct frame *f)
{
	const struct items *items = op->items;
	size_t count = json_array_size(f->instance);
	bool fine = true;

	if (!items->rest.node && count > items->prefix_count)
		count = items->prefix_count;
	for (size_t i = 0; i < count; i++) {
		const struct link *link =
			i < items->prefix_count ? &items->prefix[i] : &items->rest;
		fine = js_apply_item(r, link, f, i) && fine;
		if (f->track)
			track_mark(f->track, i);
		if (!fine && (!r->output || r->halted))
			return false;
	}
	return fine;
}

static size_t count_contained(struct run *r, const struct contains *c, const struct frame *f,
                              json_t *indexes)
{
	size_t size = json_array_size(f->instance);
	size_t count = 0;

	for (size_t i = 0; i < size && !r->halted; i++) {
		if (!js_apply_item(r, &c->link, f, i))
			continue;
		count++;
		if (indexes)
			json_array_append_new(indexes, json_integer((json_int_t)i));
		if (f->track)
			track_mark(f->track, i);
		bool enough = count >= c->min && c->max == SIZE_MAX;
		if (enough && !f->track && !r->output)
			break;
	}
	return count;
}

bool js_op_contains(struct run *r, const struct op *op, const struct frame *f)
{
	const struct contains *c = op->contains;
	struct output *output = r->output;
	bool annotate = output && output->annotate;
	json_t *indexes = annotate ? json_array() : NULL;

	if (output)
		output->muted++;
	size_t count = count_contained(r, c, f, indexes);
	if (output)
		output->muted--;
	if (annotate)
		js_annotate_contains(r, f, count, indexes);
	if (r->halted)
		return false;
	if (count < c->min)
		return js_fault_as(r, f, c->min_path, c->min_message);
	return count <= c->max || js_fault_as(r, f, c->max_path, c->max_message);
}

/* How many items are compared pair by pair, and how many get their table from the stack. */
enum { PAIRS_LIMIT = 12, STACK_LIMIT = 512 };

/* What a search for equal items knows. */
struct search {
	const json_t *array;
	size_t count;
	unsigned depth;
	uint64_t seed;
	bool deep; /* two items could not be compared to the end */
};

static bool unique_pairs(struct search *s)
{
	for (size_t i = 1; i < s->count; i++) {
		const json_t *item = json_array_get(s->array, i);
		for (size_t k = 0; k < i; k++) {
			if (js_equal(item, json_array_get(s->array, k), s->depth, &s->deep))
				return false;
		}
	}
	return true;
}

struct seat {
	uint32_t hash;
	uint32_t item; /* its number plus one; 0: free */
};

/*
 * Every item is looked for among those before it. `seats` is zeroed; `room` is a power of two and
 * at least twice the number of items.
 */
static bool unique_hashed(struct search *s, struct seat *seats, size_t room)
{
	for (size_t i = 0; i < s->count; i++) {
		const json_t *item = json_array_get(s->array, i);
		uint64_t hash = js_hash(item, s->seed, s->depth);
		size_t slot = (size_t)hash & (room - 1);
		uint32_t high = (uint32_t)(hash >> 32);
		for (; seats[slot].item; slot = (slot + 1) & (room - 1)) {
			const json_t *other = json_array_get(s->array, seats[slot].item - 1);
			if (seats[slot].hash == high && js_equal(item, other, s->depth, &s->deep))
				return false;
		}
		seats[slot] = (struct seat){ high, (uint32_t)i + 1 };
	}
	return true;
}

static bool unique_few(struct search *s)
{
	struct seat seats[STACK_LIMIT * 2] = { 0 };
	return unique_hashed(s, seats, STACK_LIMIT * 2);
}

/* False, with `*ret_memory` false, when there is none. */
static bool unique_many(struct search *s, bool *ret_memory)
{
	size_t room = STACK_LIMIT * 2;
	while (room < s->count * 2)
		room *= 2;
	struct seat *seats = s->count < UINT32_MAX ? calloc(room, sizeof(*seats)) : NULL;
	*ret_memory = seats != NULL;
	bool unique = seats && unique_hashed(s, seats, room);
	free(seats);
	return unique;
}

bool js_op_unique(struct run *r, const struct op *op, const struct frame *f)
{
	struct search s = { f->instance, json_array_size(f->instance), r->schema->depth,
		            r->schema->seed, false };
	bool memory = true;
	bool unique;

	if (s.count <= PAIRS_LIMIT)
		unique = unique_pairs(&s);
	else if (s.count <= STACK_LIMIT)
		unique = unique_few(&s);
	else
		unique = unique_many(&s, &memory);
	if (!memory)
		return js_halt(r, f, "cannot be checked: there is no memory");
	if (s.deep)
		return js_halt(r, f, js_too_deep);
	return unique || js_fault(r, op, f);
}

bool js_op_unevaluated_items(struct run *r, const struct op *op, const struct frame *f)
{
	size_t count = f->track->all ? 0 : json_array_size(f->instance);
	bool fine = true;

	for (size_t i = 0; i < count; i++) {
		if (track_has(f->track, i))
			continue;
		fine = js_apply_item(r, &op->link, f, i) && fine;
		if (!fine && (!r->output || r->halted))
			return false;
	}
	if (!fine)
		return false;
	if (r->output && r->output->annotate && count)
		js_annotate_one(r, f, "/unevaluatedItems", json_true());
	f->track->all = true;
	return true;
}
