/* The annotations of a node that has passed: its own words, and what its applicators have looked
 * at. */
#include "jsonschema/output.h"

static void annotate_names(struct run *r, const struct frame *f, const char *path, bool present,
                           json_t *names)
{
	if (present)
		js_annotate_one(r, f, path, names);
	else
		json_decref(names);
}

static bool matches_any(struct run *r, const struct members *m, const char *key, size_t length)
{
	bool any = false;
	for (size_t i = 0; i < m->pattern_count && !any; i++)
		any = js_regex_match(m->patterns[i].regex, key, length, &r->steps) == REGEX_YES;
	return any;
}

/* properties, patternProperties, additionalProperties: the names of the members that each applied
 * to. */
static void annotate_members(struct run *r, const struct frame *f, const struct members *m)
{
	json_t *named = json_array();
	json_t *patterned = json_array();
	json_t *additional = json_array();
	const char *key;
	size_t length;
	json_t *value;

	json_object_keylen_foreach((json_t *)f->instance, key, length, value)
	{
		uint32_t number = js_names_find(m->names, key, length, NO_NAME);
		bool is_named = number != NO_NAME && m->list[number].link.node;
		bool is_patterned = matches_any(r, m, key, length);
		json_auto_t *name = json_stringn_nocheck(key, length);
		(void)value;
		if (is_named)
			json_array_append(named, name);
		if (is_patterned)
			json_array_append(patterned, name);
		if (!is_named && !is_patterned)
			json_array_append(additional, name);
	}
	annotate_names(r, f, "/properties", m->properties, named);
	annotate_names(r, f, "/patternProperties", m->pattern_count > 0, patterned);
	annotate_names(r, f, "/additionalProperties", m->additional.node != NULL, additional);
}

/* prefixItems: the last index, or true when that was all; items: true when it applied at all. */
static void annotate_items(struct run *r, const struct frame *f, const struct items *items)
{
	size_t size = json_array_size(f->instance);

	if (items->prefix_count && size)
		js_annotate_one(r, f, "/prefixItems",
		                size <= items->prefix_count
		                        ? json_true()
		                        : json_integer((json_int_t)items->prefix_count - 1));
	if (items->rest.node && size > items->prefix_count)
		js_annotate_one(r, f, "/items", json_true());
}

void js_annotate_contains(struct run *r, const struct frame *f, size_t count, json_t *indexes)
{
	bool all = count == json_array_size(f->instance);
	if (all)
		json_decref(indexes);
	js_annotate_one(r, f, "/contains", all ? json_true() : indexes);
}

void js_annotate_unevaluated(struct run *r, const struct frame *f)
{
	const char *key;
	size_t length;
	json_t *value;
	size_t i = 0;

	if (!r->output || !r->output->annotate)
		return;
	json_t *names = json_array();
	json_object_keylen_foreach((json_t *)f->instance, key, length, value)
	{
		(void)value;
		if (!track_has(f->track, i++))
			json_array_append_new(names, json_stringn_nocheck(key, length));
	}
	js_annotate_one(r, f, "/unevaluatedProperties", names);
}

void js_annotate(struct run *r, const struct frame *f)
{
	const struct node *node = f->node;

	if (!r->output->annotate || r->halted)
		return;
	for (size_t i = 0; i < node->annotation_count; i++)
		js_annotate_one(r, f, node->annotations[i].path,
		                json_deep_copy(node->annotations[i].value));
	const struct ops *ops = &node->ops[KIND_OBJECT];
	for (uint32_t i = 0; f->type == JSON_OBJECT && i < ops->count; i++) {
		if (ops->list[i].run == js_op_members)
			annotate_members(r, f, ops->list[i].members);
	}
	ops = &node->ops[KIND_ARRAY];
	for (uint32_t i = 0; f->type == JSON_ARRAY && i < ops->count; i++) {
		if (ops->list[i].run == js_op_items)
			annotate_items(r, f, ops->list[i].items);
	}
}
