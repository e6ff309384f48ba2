/* Keywords that apply schemas in place: $ref, allOf, if and the rest; and annotations. */
#include <string.h>

#include "jsonschema/compile.h"
#include "jsonschema/evaluate.h"
#include "jsonschema/keywords.h"
#include "jsonschema/uri.h"

static bool add_link(struct building *b, op_fn *run, struct link link)
{
	return js_add(b, KINDS_ALL, (struct op){ .run = run, .link = link });
}

static bool compile_ref(struct building *b)
{
	const json_t *value = js_value(b, "$ref");
	struct place place;
	struct link link;

	if (!value)
		return true;
	if (!json_is_string(value))
		return js_refuse(b, "$ref", "must be a string");
	return js_resolve(b, "$ref", json_string_value(value), &place) &&
	       js_link_place(b->c, "/$ref", &place, &link) && add_link(b, js_op_reference, link);
}

/* The dynamic anchor that a reference leads to, or NULL: then it is a plain $ref. */
static const char *dynamic_anchor(const char *reference, const struct place *place)
{
	const char *fragment = strchr(reference, '#');
	for (const struct anchor *a = place->resource->anchors; fragment && a; a = a->next) {
		if (a->dynamic && a->schema == place->schema && strcmp(a->name, fragment + 1) == 0)
			return a->name;
	}
	return NULL;
}

/* The number of a dynamic anchor's name, given when it is first asked for. */
static bool anchor_number(struct building *b, const char *name, uint32_t *ret)
{
	json_t *anchors = b->c->anchors;
	const json_t *known = json_object_get(anchors, name);

	*ret = (uint32_t)(known ? (size_t)json_integer_value(known) : json_object_size(anchors));
	return known || json_object_set_new(anchors, name, json_integer(*ret)) == 0 ||
	       js_no_memory(b);
}

static bool compile_dynamic_ref(struct building *b)
{
	const json_t *value = js_value(b, "$dynamicRef");
	struct dynamic *dynamic = js_arena_take(b->arena, sizeof(*dynamic));
	struct place place;

	if (!value)
		return true;
	if (!json_is_string(value))
		return js_refuse(b, "$dynamicRef", "must be a string");
	if (!dynamic)
		return js_no_memory(b);
	const char *reference = json_string_value(value);
	if (!js_resolve(b, "$dynamicRef", reference, &place) ||
	    !js_link_place(b->c, "/$dynamicRef", &place, &dynamic->link))
		return false;
	const char *name = dynamic_anchor(reference, &place);
	if (!name)
		return add_link(b, js_op_reference, dynamic->link);
	return anchor_number(b, name, &dynamic->anchor) &&
	       js_add(b, KINDS_ALL,
	              (struct op){ .run = js_op_dynamic_reference, .dynamic = dynamic });
}

bool js_compile_references(struct building *b) { return compile_ref(b) && compile_dynamic_ref(b); }

static bool compile_branch(struct building *b, const char *keyword, op_fn *run, const char *message)
{
	json_t *list = js_value(b, keyword);
	struct branch *branch = js_arena_take(b->arena, sizeof(*branch));
	struct link *links = js_arena_array(b->arena, json_array_size(list), sizeof(*links));
	size_t i;
	json_t *schema;

	if (!list)
		return true;
	if (!json_is_array(list) || json_array_size(list) == 0)
		return js_refuse(b, keyword, "must be an array with at least one schema");
	const char *path = js_say(b, "/%s", keyword);
	if (!branch || !links || !path)
		return js_no_memory(b);
	json_array_foreach (list, i, schema) {
		if (!js_link_item(b, keyword, i, schema, &links[i]))
			return false;
	}
	*branch = (struct branch){ links, json_array_size(list) };
	return js_add(
		b, KINDS_ALL,
		(struct op){ .run = run, .path = path, .message = message, .branch = branch });
}

static bool compile_not(struct building *b)
{
	json_t *value = js_value(b, "not");
	struct op op = { .run = js_op_not };
	struct branch *branch = js_arena_take(b->arena, sizeof(*branch));
	struct link *link = js_arena_take(b->arena, sizeof(*link));

	if (!value)
		return true;
	if (!branch || !link)
		return js_no_memory(b);
	*branch = (struct branch){ link, 1 };
	op.path = "/not";
	op.message = "must not have the form that is excluded";
	op.branch = branch;
	return js_link(b, "/not", value, link) && js_add(b, KINDS_ALL, op);
}

/* Three links: if, then, else; the last two may be absent. */
static bool compile_if(struct building *b)
{
	static const char *const keywords[] = { "if", "then", "else" };
	static const char *const paths[] = { "/if", "/then", "/else" };
	struct branch *branch = js_arena_take(b->arena, sizeof(*branch));
	struct link *links = js_arena_array(b->arena, 3, sizeof(*links));

	if (!js_value(b, "if"))
		return true;
	if (!branch || !links)
		return js_no_memory(b);
	for (size_t i = 0; i < 3; i++) {
		json_t *schema = js_value(b, keywords[i]);
		if (schema && !js_link(b, paths[i], schema, &links[i]))
			return false;
	}
	*branch = (struct branch){ links, 3 };
	return js_add(b, KINDS_ALL,
	              (struct op){ .run = js_op_if, .path = "/if", .branch = branch });
}

bool js_compile_applicators(struct building *b)
{
	return compile_branch(b, "allOf", js_op_all, NULL) &&
	       compile_branch(b, "anyOf", js_op_any, "must have one of the allowed forms") &&
	       compile_branch(b, "oneOf", js_op_one,
	                      "must have exactly one of the allowed forms") &&
	       compile_not(b) && compile_if(b);
}

bool js_compile_unevaluated(struct building *b)
{
	json_t *items = js_value(b, "unevaluatedItems");
	json_t *properties = js_value(b, "unevaluatedProperties");
	struct op op = { .run = js_op_unevaluated_items };

	if (items && (!js_link(b, "/unevaluatedItems", items, &op.link) ||
	              !js_add_unevaluated(b, KIND_ARRAY, op)))
		return false;
	op.run = js_op_unevaluated_properties;
	return !properties || (js_link(b, "/unevaluatedProperties", properties, &op.link) &&
	                       js_add_unevaluated(b, KIND_OBJECT, op));
}

static bool is_tolerated(const struct building *b, const char *name)
{
	const char *const *tolerated = b->c->options->tolerated;
	if (name[0] == 'x' && name[1] == '-')
		return true;
	for (; tolerated && *tolerated; tolerated++) {
		if (strcmp(*tolerated, name) == 0)
			return true;
	}
	return false;
}

/* In strict mode, schemas in $defs are looked at even when nothing refers to them. */
static bool compile_definitions(struct building *b, const char *keyword)
{
	json_t *definitions = b->c->options->strict ? js_value(b, keyword) : NULL;
	const char *text;
	size_t length;
	json_t *schema;
	struct link link;

	json_object_keylen_foreach(definitions, text, length, schema)
	{
		if (!js_link_member(b, keyword, &(struct key){ text, length }, schema, &link))
			return false;
	}
	return true;
}

static bool keep_annotation(struct building *b, struct annotation *list, const char *name,
                            size_t length, json_t *value)
{
	text_auto path = { 0 };
	struct annotation *one = &list[b->job->node->annotation_count];

	if (!js_pointer_add(&path, name, length) || !js_list_add(&b->c->schema->values, value))
		return js_no_memory(b);
	one->value = json_incref(value);
	one->path = js_arena_copy(b->arena, path.data, path.length);
	b->job->node->annotation_count++;
	return one->path || js_no_memory(b);
}

bool js_compile_annotations(struct building *b)
{
	struct annotation *list =
		js_arena_array(b->arena, json_object_size(b->schema), sizeof(*list));
	const char *name;
	size_t length;
	json_t *value;

	if (!list)
		return js_no_memory(b);
	b->job->node->annotations = list;
	json_object_keylen_foreach(b->schema, name, length, value)
	{
		const struct keyword *known = js_keyword(name);
		if (!known && b->c->options->strict && !is_tolerated(b, name))
			return js_refuse(b, name, "the keyword is not known");
		if (known && !known->annotates)
			continue;
		if (!keep_annotation(b, list, name, length, value))
			return false;
	}
	return compile_definitions(b, "$defs") && compile_definitions(b, "definitions");
}
