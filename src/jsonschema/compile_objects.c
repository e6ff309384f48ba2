/* Keywords for objects. */
#include <stdlib.h>
#include <string.h>

#include "jsonschema/compile.h"
#include "jsonschema/evaluate.h"

static bool compile_size(struct building *b, const char *keyword, op_fn *run)
{
	const json_t *value = js_value(b, keyword);
	bool least = run == js_op_min_properties;
	size_t bound = 0;

	if (!value)
		return true;
	if (!js_count(b, keyword, value, &bound))
		return false;
	const char *message = js_say(b, "must have at %s %zu member%s", least ? "least" : "most",
	                             bound, bound == 1 ? "" : "s");
	if (!message)
		return js_no_memory(b);
	return js_add(b, KINDS_OBJECT,
	              (struct op){ .run = run,
	                           .path = least ? "/minProperties" : "/maxProperties",
	                           .message = message,
	                           .bound = bound });
}

/* An array of the names that `properties` or `required` speak of, each once; NULL without memory.
 */
static json_t *member_names(const json_t *properties, const json_t *required)
{
	json_t *names = json_array();
	bool fine = names != NULL;
	const char *key;
	size_t length;
	json_t *value;
	size_t i;

	json_object_keylen_foreach((json_t *)properties, key, length, value) fine =
		json_array_append_new(names, json_stringn_nocheck(key, length)) == 0 && fine;
	json_array_foreach (required, i, value) {
		const char *name = json_string_value(value);
		if (!json_object_getn(properties, name, json_string_length(value)))
			fine = json_array_append(names, value) == 0 && fine;
	}
	if (!fine)
		json_decref(names);
	return fine ? names : NULL;
}

static bool link_members(struct building *b, json_t *properties, struct members *members,
                         struct member *list)
{
	const char *key;
	size_t length;
	json_t *schema;
	uint32_t guess = 0;

	json_object_keylen_foreach(properties, key, length, schema)
	{
		uint32_t number = js_names_find(members->names, key, length, guess++);
		if (!js_link_member(b, "properties", &(struct key){ key, length }, schema,
		                    &list[number].link))
			return false;
	}
	return true;
}

static bool compile_named(struct building *b, struct members *members)
{
	json_t *properties = js_value(b, "properties");
	const json_t *required = js_value(b, "required");
	size_t i;
	json_t *name;

	if (properties && !json_is_object(properties))
		return js_refuse(b, "properties", "must be an object");
	const struct names *checked;
	if (required && !js_strings(b, "required", required, &checked))
		return false;
	json_auto_t *names = member_names(properties, required);
	if (!names)
		return js_no_memory(b);
	if (!js_strings(b, "properties", names, &members->names))
		return false;
	struct member *list = js_arena_array(b->arena, members->names->count, sizeof(*list));
	if (!list)
		return js_no_memory(b);
	json_array_foreach (required, i, name) {
		uint32_t number = js_names_find(members->names, json_string_value(name),
		                                json_string_length(name), NO_NAME);
		members->required += !list[number].required;
		list[number].required = true;
	}
	members->list = list;
	members->properties = properties != NULL;
	return link_members(b, properties, members, list);
}

static bool compile_patterned(struct building *b, struct members *members)
{
	json_t *patterns = js_value(b, "patternProperties");
	const char *key;
	size_t length;
	json_t *schema;

	if (patterns && !json_is_object(patterns))
		return js_refuse(b, "patternProperties", "must be an object");
	struct patterned *list =
		js_arena_array(b->arena, json_object_size(patterns), sizeof(*list));
	if (!list)
		return js_no_memory(b);
	members->patterns = list;
	json_object_keylen_foreach(patterns, key, length, schema)
	{
		struct patterned *one = &list[members->pattern_count++];
		json_auto_t *text = json_stringn_nocheck(key, length);
		if (!js_regex(b, "patternProperties", text, &one->regex) ||
		    !js_link_member(b, "patternProperties", &(struct key){ key, length }, schema,
		                    &one->link))
			return false;
	}
	return true;
}

static bool compile_members(struct building *b)
{
	json_t *additional = js_value(b, "additionalProperties");
	if (!additional && !js_value(b, "properties") && !js_value(b, "patternProperties") &&
	    !js_value(b, "required"))
		return true;
	struct members *members = js_arena_take(b->arena, sizeof(*members));
	if (!members)
		return js_no_memory(b);
	if (!compile_named(b, members) || !compile_patterned(b, members))
		return false;
	if (additional && !js_link(b, "/additionalProperties", additional, &members->additional))
		return false;
	return js_add(b, KINDS_OBJECT, (struct op){ .run = js_op_members, .members = members });
}

static bool compile_property_names(struct building *b)
{
	json_t *value = js_value(b, "propertyNames");
	struct op op = { .run = js_op_property_names };

	if (!value)
		return true;
	return js_link(b, "/propertyNames", value, &op.link) && js_add(b, KINDS_OBJECT, op);
}

static bool compile_dependent(struct building *b, const char *keyword, const struct key *key,
                              json_t *value, struct dependent *ret)
{
	bool names = json_is_array(value) || strcmp(keyword, "dependentRequired") == 0;

	ret->name = js_arena_copy(b->arena, key->text, key->length);
	ret->length = key->length;
	ret->path = js_say(b, "/%s", keyword);
	if (!ret->name || !ret->path)
		return js_no_memory(b);
	if (names)
		return js_strings(b, keyword, value, &ret->required);
	return js_link_member(b, keyword, key, value, &ret->link);
}

/* dependentRequired and dependentSchemas, and what was both before: dependencies. */
static bool compile_dependents(struct building *b, const char *keyword)
{
	json_t *value = js_value(b, keyword);
	struct dependents *dependents = js_arena_take(b->arena, sizeof(*dependents));
	struct dependent *list = js_arena_array(b->arena, json_object_size(value), sizeof(*list));
	const char *key;
	size_t length;
	json_t *one;

	if (!value)
		return true;
	if (!json_is_object(value))
		return js_refuse(b, keyword, "must be an object");
	if (!dependents || !list)
		return js_no_memory(b);
	dependents->list = list;
	json_object_keylen_foreach(value, key, length, one)
	{
		if (!compile_dependent(b, keyword, &(struct key){ key, length }, one,
		                       &list[dependents->count++]))
			return false;
	}
	return js_add(b, KINDS_OBJECT,
	              (struct op){ .run = js_op_dependents, .dependents = dependents });
}

bool js_compile_objects(struct building *b)
{
	return compile_size(b, "minProperties", js_op_min_properties) &&
	       compile_size(b, "maxProperties", js_op_max_properties) && compile_members(b) &&
	       compile_property_names(b) && compile_dependents(b, "dependentRequired") &&
	       compile_dependents(b, "dependentSchemas") && compile_dependents(b, "dependencies");
}
