/* Keywords for arrays. */
#include "jsonschema/compile.h"
#include "jsonschema/evaluate.h"

static bool compile_size(struct building *b, const char *keyword, op_fn *run)
{
	const json_t *value = js_value(b, keyword);
	bool least = run == js_op_min_items;
	size_t bound = 0;

	if (!value)
		return true;
	if (!js_count(b, keyword, value, &bound))
		return false;
	const char *message = js_say(b, "must have at %s %zu item%s", least ? "least" : "most",
	                             bound, bound == 1 ? "" : "s");
	if (!message)
		return js_no_memory(b);
	return js_add(b, KINDS_ARRAY,
	              (struct op){ .run = run,
	                           .path = least ? "/minItems" : "/maxItems",
	                           .message = message,
	                           .bound = bound });
}

static bool compile_prefix(struct building *b, struct items *items)
{
	json_t *prefix = js_value(b, "prefixItems");
	size_t i;
	json_t *schema;

	if (prefix && !json_is_array(prefix))
		return js_refuse(b, "prefixItems", "must be an array");
	struct link *list = js_arena_array(b->arena, json_array_size(prefix), sizeof(*list));
	if (!list)
		return js_no_memory(b);
	json_array_foreach (prefix, i, schema) {
		if (!js_link_item(b, "prefixItems", i, schema, &list[i]))
			return false;
	}
	items->prefix = list;
	items->prefix_count = json_array_size(prefix);
	return true;
}

static bool compile_items(struct building *b)
{
	json_t *rest = js_value(b, "items");
	struct items *items = js_arena_take(b->arena, sizeof(*items));

	if (!rest && !js_value(b, "prefixItems"))
		return true;
	if (!items)
		return js_no_memory(b);
	if (!compile_prefix(b, items) || (rest && !js_link(b, "/items", rest, &items->rest)))
		return false;
	return js_add(b, KINDS_ARRAY, (struct op){ .run = js_op_items, .items = items });
}

static bool compile_contains_bounds(struct building *b, struct contains *contains)
{
	const json_t *min = js_value(b, "minContains");
	const json_t *max = js_value(b, "maxContains");

	contains->min = 1;
	contains->max = SIZE_MAX;
	if (min && !js_count(b, "minContains", min, &contains->min))
		return false;
	if (max && !js_count(b, "maxContains", max, &contains->max))
		return false;
	contains->min_path = min ? "/minContains" : "/contains";
	contains->max_path = "/maxContains";
	contains->min_message = js_say(b, "must have at least %zu item%s of the wanted kind",
	                               contains->min, contains->min == 1 ? "" : "s");
	contains->max_message = js_say(b, "must have at most %zu item%s of the wanted kind",
	                               contains->max, contains->max == 1 ? "" : "s");
	return (contains->min_message && contains->max_message) || js_no_memory(b);
}

static bool compile_contains(struct building *b)
{
	json_t *value = js_value(b, "contains");
	struct contains *contains = js_arena_take(b->arena, sizeof(*contains));

	if (!value)
		return true;
	if (!contains)
		return js_no_memory(b);
	if (!js_link(b, "/contains", value, &contains->link) ||
	    !compile_contains_bounds(b, contains))
		return false;
	return js_add(b, KINDS_ARRAY, (struct op){ .run = js_op_contains, .contains = contains });
}

static bool compile_unique(struct building *b)
{
	const json_t *value = js_value(b, "uniqueItems");
	if (!value || json_is_false(value))
		return true;
	if (!json_is_true(value))
		return js_refuse(b, "uniqueItems", "must be true or false");
	return js_add(b, KINDS_ARRAY,
	              (struct op){ .run = js_op_unique,
	                           .path = "/uniqueItems",
	                           .message = "must not have the same item twice" });
}

bool js_compile_arrays(struct building *b)
{
	return compile_size(b, "minItems", js_op_min_items) &&
	       compile_size(b, "maxItems", js_op_max_items) && compile_items(b) &&
	       compile_contains(b) && compile_unique(b);
}
