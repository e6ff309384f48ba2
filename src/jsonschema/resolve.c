/* Following references in a registry, and the map of schema objects to the resources they belong
 * to. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jsonschema/registry.h"
#include "jsonschema/uri.h"

struct slot {
	const json_t *schema;
	struct resource *resource;
};

/* Open addressing by address; grows at half full. */
struct places {
	size_t count;
	size_t room; /* a power of two */
	struct slot slots[];
};

static size_t slot_of(const struct places *places, const json_t *schema)
{
	uint64_t mixed = (uint64_t)(uintptr_t)schema * UINT64_C(0x9e3779b97f4a7c15);
	size_t slot = (size_t)(mixed >> 32) & (places->room - 1);
	while (places->slots[slot].schema && places->slots[slot].schema != schema)
		slot = (slot + 1) & (places->room - 1);
	return slot;
}

struct resource *js_places_find(const struct places *places, const json_t *schema)
{
	return places ? places->slots[slot_of(places, schema)].resource : NULL;
}

static struct places *places_grown(const struct places *from)
{
	size_t room = from ? from->room * 2 : 64;
	struct places *to = calloc(1, sizeof(*to) + room * sizeof(struct slot));
	if (!to)
		return NULL;
	to->room = room;
	to->count = from ? from->count : 0;
	for (size_t i = 0; from && i < from->room; i++) {
		if (from->slots[i].schema)
			to->slots[slot_of(to, from->slots[i].schema)] = from->slots[i];
	}
	return to;
}

bool js_places_add(struct places **places, const json_t *schema, struct resource *resource)
{
	if (!*places || (*places)->count * 2 >= (*places)->room) {
		struct places *grown = places_grown(*places);
		if (!grown)
			return false;
		free(*places);
		*places = grown;
	}
	(*places)->slots[slot_of(*places, schema)] = (struct slot){ schema, resource };
	(*places)->count++;
	return true;
}

void js_places_free(struct places *places) { free(places); }

static bool error_at(struct jsonschema_error *error, const char *where, const char *what)
{
	js_error(error, where, "%s", what);
	return false;
}

static json_t *child(json_t *parent, const char *token)
{
	size_t index;
	if (json_is_object(parent))
		return json_object_get(parent, token);
	return js_pointer_index(token, &index) ? json_array_get(parent, index) : NULL;
}

/* If the schema at this place is the root of a resource, the place is counted from there. */
static bool enter_own(const struct jsonschema_registry *registry, struct place *place)
{
	struct resource *own = js_places_find(registry->places, place->schema);
	if (!own || own->root != place->schema || own == place->resource)
		return false;
	place->resource = own;
	place->pointer = "";
	return true;
}

/* Walks down; where a schema with an identifier is met, the place is counted from there. */
static bool follow_pointer(struct jsonschema_registry *registry, const char *pointer,
                           struct place *place, struct text *ret_rest)
{
	text_auto token = { 0 };

	while (*pointer) {
		if (*pointer != '/' || !js_pointer_next(&pointer, &token))
			return false;
		place->schema = child(place->schema, token.data);
		if (!place->schema)
			return false;
		js_pointer_add(ret_rest, token.data, token.length);
		if (enter_own(registry, place))
			js_text_cut(ret_rest, 0);
	}
	return !ret_rest->broken;
}

static bool follow_anchor(const char *name, struct place *place)
{
	for (const struct anchor *a = place->resource->anchors; a; a = a->next) {
		if (strcmp(a->name, name) != 0)
			continue;
		place->schema = a->schema;
		place->pointer = a->pointer;
		return true;
	}
	return false;
}

/* `fragment` is decoded. */
static bool follow(struct jsonschema_registry *registry, const char *fragment, struct place *place)
{
	text_auto rest = { 0 };

	if (*fragment && *fragment != '/')
		return follow_anchor(fragment, place);
	if (!js_text_adds(&rest, "") || !follow_pointer(registry, fragment, place, &rest))
		return false;
	place->pointer = js_arena_copy(&registry->arena, rest.data, rest.length);
	return place->pointer != NULL;
}

bool js_registry_resolve(struct jsonschema_registry *registry, const char *base,
                         const char *reference, struct place *ret,
                         struct jsonschema_error *ret_error)
{
	text_auto uri = { 0 };
	text_auto fragment = { 0 };

	if (!js_uri_resolve(base, reference, &uri))
		return error_at(ret_error, base, "there is no memory");
	size_t length = strcspn(uri.data, "#");
	if (!js_uri_decode_fragment(uri.data[length] ? uri.data + length + 1 : "", &fragment))
		return error_at(ret_error, uri.data, "the fragment is broken");
	char mark = uri.data[length];
	uri.data[length] = '\0';
	struct resource *resource = js_registry_find(registry, uri.data);
	if (!resource)
		return error_at(ret_error, uri.data, "no document has this URI");
	struct place place = { .resource = resource, .schema = resource->root };
	uri.data[length] = mark;
	if (!follow(registry, js_text_string(&fragment), &place))
		return error_at(ret_error, uri.data, "the document has nothing there");
	if (!js_registry_index(registry, place.resource, place.schema, place.pointer, ret_error))
		return false;
	/* Looked at only now, it may turn out to have an identifier of its own. */
	enter_own(registry, &place);
	*ret = place;
	return true;
}

static const struct {
	const char *name;
	unsigned bit;
} vocabularies[] = {
	{ "core", VOCAB_CORE },
	{ "applicator", VOCAB_APPLICATOR },
	{ "unevaluated", VOCAB_UNEVALUATED },
	{ "validation", VOCAB_VALIDATION },
	{ "meta-data", VOCAB_META_DATA },
	{ "format-annotation", VOCAB_FORMAT_ANNOTATION },
	{ "format-assertion", VOCAB_FORMAT_ASSERTION },
	{ "content", VOCAB_CONTENT },
};

static unsigned vocabulary_bit(const char *uri)
{
	static const char prefix[] = "https://json-schema.org/draft/2020-12/vocab/";
	if (strncmp(uri, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	for (size_t i = 0; i < sizeof(vocabularies) / sizeof(*vocabularies); i++) {
		if (strcmp(uri + sizeof(prefix) - 1, vocabularies[i].name) == 0)
			return vocabularies[i].bit;
	}
	return 0;
}

static bool read_vocabularies(const json_t *metaschema, const char *uri, unsigned *ret,
                              struct jsonschema_error *ret_error)
{
	const char *name;
	json_t *needed;
	json_t *declared = json_object_get(metaschema, "$vocabulary");

	*ret = json_is_object(declared) ? VOCAB_CORE : VOCAB_DEFAULT;
	json_object_foreach (declared, name, needed) {
		unsigned bit = vocabulary_bit(name);
		if (!bit && json_is_true(needed))
			return error_at(ret_error, uri,
			                "the metaschema needs a vocabulary that is not known");
		*ret |= bit;
	}
	return true;
}

bool js_registry_vocabularies(struct jsonschema_registry *registry, const struct resource *resource,
                              unsigned *ret, struct jsonschema_error *ret_error)
{
	const char *uri = NULL;
	for (; resource && !uri; resource = resource->parent)
		uri = json_string_value(json_object_get(resource->root, "$schema"));
	*ret = VOCAB_DEFAULT;
	if (!uri || strcmp(uri, "https://json-schema.org/draft/2020-12/schema") == 0)
		return true;
	text_auto plain = { 0 };
	if (!js_text_add(&plain, uri, strcspn(uri, "#")))
		return error_at(ret_error, uri, "there is no memory");
	const struct resource *metaschema = js_registry_find(registry, plain.data);
	if (!metaschema)
		return error_at(ret_error, uri, "the dialect that $schema names is not known");
	return read_vocabularies(metaschema->root, uri, ret, ret_error);
}
