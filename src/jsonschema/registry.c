/* The registry: documents are taken in, and what identifies itself in them is recorded. */
#include "jsonschema/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsonschema/keywords.h"
#include "jsonschema/uri.h"

enum { NESTING_LIMIT = 512 }; /* schemas in schemas; each costs about half a KiB of stack */

/* A schema on the way through a document. */
struct walk {
	struct jsonschema_registry *registry;
	struct resource *resource;
	struct text pointer; /* from the resource's root */
	unsigned depth;
	struct jsonschema_error *error;
};

static bool walk_schema(struct walk *w, json_t *schema);

void js_error(struct jsonschema_error *error, const char *where, const char *format, ...)
{
	va_list args;
	snprintf(error->where, sizeof(error->where), "%s", where);
	va_start(args, format);
	vsnprintf(error->what, sizeof(error->what), format, args);
	va_end(args);
}

static bool walk_error(const struct walk *w, const char *what)
{
	text_auto where = { 0 };
	js_text_print(&where, "%s#", w->resource->uri);
	js_uri_add_fragment(&where, js_text_string(&w->pointer));
	js_error(w->error, js_text_string(&where), "%s", what);
	return false;
}

struct jsonschema_registry *jsonschema_registry_new(void)
{
	struct jsonschema_registry *registry = calloc(1, sizeof(*registry));
	if (!registry)
		return NULL;
	registry->documents = json_array();
	registry->by_uri = json_object();
	if (registry->documents && registry->by_uri)
		return registry;
	jsonschema_registry_free(registry);
	return NULL;
}

void jsonschema_registry_free(struct jsonschema_registry *registry)
{
	if (!registry)
		return;
	json_decref(registry->documents);
	json_decref(registry->by_uri);
	for (size_t i = 0; i < registry->regexes.count; i++)
		js_regex_release(registry->regexes.items[i]);
	js_list_free(&registry->regexes);
	js_list_free(&registry->resources);
	js_places_free(registry->places);
	js_arena_release(&registry->arena);
	free(registry);
}

struct regex *js_registry_regex(struct jsonschema_registry *registry, const char *pattern,
                                size_t length, char *what, size_t size)
{
	struct list *list = &registry->regexes;
	struct regex *regex;

	for (size_t i = 0; i < list->count; i++)
		if (js_regex_is(list->items[i], pattern, length))
			return js_regex_hold(list->items[i]);
	regex = js_regex_new(pattern, length, what, size);
	if (!regex || js_list_add(list, regex))
		return regex ? js_regex_hold(regex) : NULL;
	js_regex_release(regex);
	snprintf(what, size, "there is no memory");
	return NULL;
}

static struct resource *known(const struct jsonschema_registry *registry, const char *uri)
{
	const json_t *index = json_object_get(registry->by_uri, uri);
	return index ? registry->resources.items[json_integer_value(index)] : NULL;
}

/* The resource of `root` under this URI: a new one unless it has one already. NULL without memory.
 */
static struct resource *resource_new(struct jsonschema_registry *registry, const char *uri,
                                     json_t *root, const struct resource *parent)
{
	struct resource *resource = js_arena_take(&registry->arena, sizeof(*resource));
	char *copy = js_arena_copy(&registry->arena, uri, strlen(uri));
	json_t *index = json_integer((json_int_t)registry->resources.count);

	if (!resource || !copy || !js_list_add(&registry->resources, resource)) {
		json_decref(index);
		return NULL;
	}
	*resource = (struct resource){
		.uri = copy, .root = root, .parent = parent, .number = json_integer_value(index)
	};
	return json_object_set_new_nocheck(registry->by_uri, uri, index) == 0 ? resource : NULL;
}

/* "#" at the end of an identifier means nothing; any other fragment is wrong. */
static bool cut_fragment(struct text *uri)
{
	const char *fragment = strchr(js_text_string(uri), '#');
	if (!fragment)
		return true;
	if (fragment[1])
		return false;
	js_text_cut(uri, uri->length - 1);
	return true;
}

/* A document that says itself what it is called: it keeps the other name as well. */
static bool rename_resource(struct walk *w, const struct text *uri)
{
	struct jsonschema_registry *registry = w->registry;
	char *copy = js_arena_copy(&registry->arena, js_text_string(uri), uri->length);
	json_t *number = json_integer(w->resource->number);

	if (!copy || json_object_set_new_nocheck(registry->by_uri, copy, number) != 0)
		return walk_error(w, "there is no memory");
	w->resource->uri = copy;
	return true;
}

/* Enters the resource that `$id` opens, if there is one. */
static bool walk_identifier(struct walk *w, json_t *schema)
{
	const json_t *id = json_object_get(schema, "$id");
	text_auto uri = { 0 };

	if (!id)
		return true;
	if (!json_is_string(id))
		return walk_error(w, "$id must be a string");
	if (!js_uri_resolve(w->resource->uri, json_string_value(id), &uri))
		return walk_error(w, "there is no memory");
	if (!cut_fragment(&uri))
		return walk_error(w, "$id must not have a fragment");
	struct resource *other = known(w->registry, js_text_string(&uri));
	if (other && other->root != schema)
		return walk_error(w, "$id is taken by another schema");
	if (!other && schema == w->resource->root)
		return rename_resource(w, &uri);
	if (!other)
		other = resource_new(w->registry, js_text_string(&uri), schema, w->resource);
	if (!other)
		return walk_error(w, "there is no memory");
	w->resource = other;
	js_text_cut(&w->pointer, 0);
	return true;
}

static bool is_anchor_name(const char *name)
{
	for (const char *c = name; *c; c++) {
		bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';
		bool later = (*c >= '0' && *c <= '9') || *c == '-' || *c == '.';
		if (!letter && !(later && c > name))
			return false;
	}
	return *name != '\0';
}

static bool walk_anchor(struct walk *w, json_t *schema, const char *keyword, bool dynamic)
{
	const json_t *value = json_object_get(schema, keyword);
	if (!value)
		return true;
	const char *name = json_string_value(value);
	if (!name || !is_anchor_name(name))
		return walk_error(
			w, "an anchor must be a name of letters, digits, \"-\", \"_\" and \".\"");
	for (struct anchor *a = w->resource->anchors; a; a = a->next) {
		bool same = strcmp(a->name, name) == 0;
		if (same && a->schema != schema)
			return walk_error(w, "the anchor is used twice");
		if (same) {
			a->dynamic = a->dynamic || dynamic;
			return true;
		}
	}
	struct arena *arena = &w->registry->arena;
	struct anchor *anchor = js_arena_take(arena, sizeof(*anchor));
	if (!anchor)
		return walk_error(w, "there is no memory");
	*anchor = (struct anchor){ .next = w->resource->anchors,
		                   .schema = schema,
		                   .dynamic = dynamic };
	anchor->name = js_arena_copy(arena, name, strlen(name));
	anchor->pointer = js_arena_copy(arena, js_text_string(&w->pointer), w->pointer.length);
	w->resource->anchors = anchor;
	return (anchor->name && anchor->pointer) || walk_error(w, "there is no memory");
}

static bool walk_map(struct walk *w, json_t *map)
{
	const char *name;
	size_t length;
	json_t *value;

	json_object_keylen_foreach(map, name, length, value)
	{
		size_t before = w->pointer.length;
		js_pointer_add(&w->pointer, name, length);
		if (!walk_schema(w, value))
			return false;
		js_text_cut(&w->pointer, before);
	}
	return true;
}

static bool walk_list(struct walk *w, json_t *list)
{
	size_t i;
	json_t *value;

	json_array_foreach (list, i, value) {
		size_t before = w->pointer.length;
		js_text_print(&w->pointer, "/%zu", i);
		if (!walk_schema(w, value))
			return false;
		js_text_cut(&w->pointer, before);
	}
	return true;
}

static bool walk_keyword(struct walk *w, const struct keyword *keyword, json_t *value)
{
	switch (keyword->holds) {
	case HOLDS_SCHEMA:
		return walk_schema(w, value);
	case HOLDS_LIST:
		return walk_list(w, value);
	case HOLDS_MAP:
	case HOLDS_MIXED_MAP:
		return walk_map(w, value);
	case HOLDS_NONE:
		break;
	}
	return true;
}

static bool walk_below(struct walk *w, json_t *schema)
{
	const char *name;
	json_t *value;

	json_object_foreach (schema, name, value) {
		const struct keyword *keyword = js_keyword(name);
		size_t before = w->pointer.length;
		if (!keyword || keyword->holds == HOLDS_NONE)
			continue;
		js_pointer_add(&w->pointer, name, strlen(name));
		if (!walk_keyword(w, keyword, value))
			return false;
		js_text_cut(&w->pointer, before);
	}
	return true;
}

/* The pointer and the resource are as before when it returns. */
static bool walk_schema(struct walk *w, json_t *schema)
{
	if (!json_is_object(schema) || js_places_find(w->registry->places, schema))
		return true;
	if (w->depth == NESTING_LIMIT)
		return walk_error(w, "schemas are nested too deeply");
	struct resource *resource = w->resource;
	struct text pointer = w->pointer;
	bool opens = json_object_get(schema, "$id") != NULL;

	if (opens)
		w->pointer = (struct text){ 0 };
	w->depth++;
	bool fine = walk_identifier(w, schema) && walk_anchor(w, schema, "$anchor", false) &&
	            walk_anchor(w, schema, "$dynamicAnchor", true) &&
	            (js_places_add(&w->registry->places, schema, w->resource) ||
	             walk_error(w, "there is no memory")) &&
	            walk_below(w, schema);
	w->depth--;
	w->resource = resource;
	if (opens) {
		js_text_free(&w->pointer);
		w->pointer = pointer;
	}
	return fine && (!w->pointer.broken || walk_error(w, "there is no memory"));
}

bool js_registry_index(struct jsonschema_registry *registry, struct resource *resource,
                       json_t *schema, const char *pointer, struct jsonschema_error *ret_error)
{
	struct walk w = { .registry = registry, .resource = resource, .error = ret_error };
	js_text_adds(&w.pointer, pointer);
	bool fine = walk_schema(&w, schema);
	js_text_free(&w.pointer);
	return fine;
}

bool jsonschema_registry_add(struct jsonschema_registry *registry, const char *uri,
                             json_t *document, struct jsonschema_error *ret_error)
{
	text_auto absolute = { 0 };

	if (!js_uri_is_absolute(uri) || !js_uri_resolve(uri, uri, &absolute) ||
	    !cut_fragment(&absolute)) {
		js_error(ret_error, uri,
		         "a document's URI must be absolute and without a fragment");
		return false;
	}
	if (known(registry, js_text_string(&absolute))) {
		js_error(ret_error, uri, "the URI is taken by another document");
		return false;
	}
	struct resource *resource = NULL;
	if (json_array_append(registry->documents, document) == 0)
		resource = resource_new(registry, js_text_string(&absolute), document, NULL);
	if (!resource) {
		js_error(ret_error, uri, "there is no memory");
		return false;
	}
	return js_registry_index(registry, resource, document, "", ret_error);
}

struct resource *js_registry_find(struct jsonschema_registry *registry, const char *uri)
{
	struct resource *found = known(registry, uri);
	const char *text = found ? NULL : js_metaschema(uri);
	struct jsonschema_error error = { .where = "" };

	if (!text)
		return found;
	json_auto_t *metaschema = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!metaschema || !jsonschema_registry_add(registry, uri, metaschema, &error))
		return NULL;
	return known(registry, uri);
}
