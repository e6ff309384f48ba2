/* What of a node has a quick way: worked out once, when it is compiled. */
#include "jsonschema/quick.h"

#include <math.h>

#include "jsonschema/evaluate.h"

static const uint8_t types_of[KINDS] = {
	[KIND_OTHER] = TYPE_BOOLEAN | TYPE_NULL,
	[KIND_NUMBER] = TYPE_INTEGER | TYPE_REAL,
	[KIND_STRING] = TYPE_STRING,
	[KIND_ARRAY] = TYPE_ARRAY,
	[KIND_OBJECT] = TYPE_OBJECT,
};

/*
 * Below 2^53 a bound is exact as a real, and so are the integers that it could be mistaken for:
 * those that a real cannot hold are beyond it, rounded or not.
 */
static bool narrow(struct node *node, const struct op *op)
{
	double bound = op->number.real;

	if (!(fabs(bound) < 9007199254740992.0))
		return false;
	if (op->run == js_op_minimum)
		node->least = fmax(node->least, bound);
	else if (op->run == js_op_maximum)
		node->most = fmin(node->most, bound);
	else if (op->run == js_op_exclusive_minimum)
		node->least = fmax(node->least, nextafter(bound, INFINITY));
	else if (op->run == js_op_exclusive_maximum)
		node->most = fmin(node->most, nextafter(bound, -INFINITY));
	else
		return false;
	return true;
}

static bool all_bounds(struct node *node)
{
	const struct ops *ops = &node->ops[KIND_NUMBER];
	bool bounds = true;

	node->least = -INFINITY;
	node->most = INFINITY;
	for (uint32_t i = 0; i < ops->count && bounds; i++)
		bounds = narrow(node, &ops->list[i]);
	return bounds;
}

/* A number of items, as one of the operations has it. */
static void take_size(struct items *items, const struct op *op)
{
	if (op->run == js_op_min_items && op->bound > items->min)
		items->min = op->bound;
	if (op->run == js_op_max_items && op->bound < items->max)
		items->max = op->bound;
}

static const struct {
	op_fn *slow, *quick;
} ways[] = {
	{ js_op_members, js_quick_members },
	{ js_op_items, js_quick_items },
	{ js_op_any, js_quick_any },
	{ js_op_one, js_quick_one },
};

/* Makes it the operation that does the same in the quick way. */
static void quicken(struct op *op, struct items *items)
{
	if (op->run == js_op_items) {
		items->prefix = op->items->prefix;
		items->prefix_count = op->items->prefix_count;
		items->rest = op->items->rest;
		op->items = items;
	}
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		if (op->run == ways[i].slow) {
			op->run = ways[i].quick;
			return;
		}
	}
}

static bool is_size(const struct op *op)
{
	return op->run == js_op_min_items || op->run == js_op_max_items;
}

/* minItems, maxItems and items become one operation, where there is the third. */
static bool quicken_all(struct node *node, enum kind kind, struct arena *arena)
{
	const struct ops *ops = &node->ops[kind];
	struct op *list = js_arena_array(arena, ops->count, sizeof(*list));
	struct items *items = js_arena_take(arena, sizeof(*items));
	bool sized = false;
	uint32_t count = 0;

	if (!list || !items)
		return false;
	items->max = SIZE_MAX;
	for (uint32_t i = 0; i < ops->count; i++) {
		take_size(items, &ops->list[i]);
		sized = sized || ops->list[i].run == js_op_items;
	}
	for (uint32_t i = 0; i < ops->count; i++) {
		if (sized && is_size(&ops->list[i]))
			continue;
		list[count] = ops->list[i];
		quicken(&list[count++], items);
	}
	node->quick[kind] = (struct ops){ list, count };
	return true;
}

/* The only operation for this kind of instance, if it is this one, and needs no frame. */
static const struct op *only(const struct node *node, enum kind kind, op_fn *run)
{
	const struct ops *ops = &node->quick[kind];
	bool alone = !node->special && ops->count == 1 && ops->list->run == run;

	return alone ? ops->list : NULL;
}

static void find_shortcuts(struct node *node)
{
	const struct op *strings = only(node, KIND_STRING, js_op_enumeration);
	const struct op *arrays = only(node, KIND_ARRAY, js_quick_items);
	const struct op *objects = only(node, KIND_OBJECT, js_quick_members);

	for (int kind = 0; kind < KINDS; kind++) {
		if (!node->ops[kind].count && !node->unevaluated[kind].count)
			node->plain |= types_of[kind];
	}
	if (!node->unevaluated[KIND_NUMBER].count && all_bounds(node))
		node->ranged = types_of[KIND_NUMBER];
	node->words = strings ? strings->enumeration->strings : NULL;
	node->items = arrays ? arrays->items : NULL;
	node->members = objects ? objects->members : NULL;
}

bool js_quick_prepare(struct node *node, struct arena *arena)
{
	for (int kind = 0; kind < KINDS; kind++) {
		if (!quicken_all(node, kind, arena))
			return false;
	}
	if (!node->never)
		find_shortcuts(node);
	return true;
}
