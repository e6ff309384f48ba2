/* Documents by URI, and the resources and anchors that stand in them. */
#pragma once

#include "jsonschema/jsonschema.h"
#include "jsonschema/memory.h"
#include "jsonschema/regex.h"

/* Vocabularies, as bits. */
enum {
	VOCAB_CORE = 1 << 0,
	VOCAB_APPLICATOR = 1 << 1,
	VOCAB_UNEVALUATED = 1 << 2,
	VOCAB_VALIDATION = 1 << 3,
	VOCAB_META_DATA = 1 << 4,
	VOCAB_FORMAT_ANNOTATION = 1 << 5,
	VOCAB_FORMAT_ASSERTION = 1 << 6,
	VOCAB_CONTENT = 1 << 7,
	VOCAB_DEFAULT = VOCAB_CORE | VOCAB_APPLICATOR | VOCAB_UNEVALUATED | VOCAB_VALIDATION |
	                VOCAB_META_DATA | VOCAB_FORMAT_ANNOTATION | VOCAB_CONTENT,
};

struct anchor {
	struct anchor *next;
	const char *name;
	const char *pointer; /* from the resource's root */
	json_t *schema;
	bool dynamic;
};

/* A schema with an identifier of its own, or a whole document. */
struct resource {
	const char *uri; /* absolute, no fragment */
	json_t *root;
	const struct resource *parent; /* the resource it stands in; NULL for a document */
	struct anchor *anchors;
	json_int_t number; /* in the registry's list */
};

/* A place in a resource. `pointer` goes from the resource's root and belongs to the registry. */
struct place {
	struct resource *resource;
	json_t *schema;
	const char *pointer;
};

struct jsonschema_registry {
	struct arena arena;
	json_t *documents; /* array: what must be given back */
	json_t *by_uri;    /* URI to the index of a resource */
	struct list resources;
	struct places *places; /* which resource a schema object belongs to */
	struct list regexes;   /* patterns that were asked for, held */
};

void js_error(struct jsonschema_error *error, const char *where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The resource under this URI; the draft's own metaschemas are loaded when asked for. NULL if there
 * is none. */
struct resource *js_registry_find(struct jsonschema_registry *registry, const char *uri);

/* Where `reference` leads from `base` (an absolute URI); false with `ret_error` filled. */
bool js_registry_resolve(struct jsonschema_registry *registry, const char *base,
                         const char *reference, struct place *ret,
                         struct jsonschema_error *ret_error);

/* Records what identifies itself in a schema and below it. What was recorded before is left alone.
 */
bool js_registry_index(struct jsonschema_registry *registry, struct resource *resource,
                       json_t *schema, const char *pointer, struct jsonschema_error *ret_error);

/* The vocabularies in which a resource is written; false with `ret_error` filled when they are not
 * known. */
bool js_registry_vocabularies(struct jsonschema_registry *registry, const struct resource *resource,
                              unsigned *ret, struct jsonschema_error *ret_error);

/* The pattern, held for the caller. A contract has few patterns, each in many places: they are
 * compiled once. NULL with the reason in `what`. */
struct regex *js_registry_regex(struct jsonschema_registry *registry, const char *pattern,
                                size_t length, char *what, size_t size);

/* Which resource a schema object belongs to; NULL when it has not been recorded. */
struct resource *js_places_find(const struct places *places, const json_t *schema);
bool js_places_add(struct places **places, const json_t *schema, struct resource *resource);
void js_places_free(struct places *places);

/* The text of one of the draft's own metaschemas, or NULL. */
const char *js_metaschema(const char *uri);
