/*
 * JSON Schema, draft 2020-12, over jansson: compile once, validate many.
 *
 * A registry holds documents by URI and the resources, anchors and dynamic anchors inside them. A schema is
 * compiled from any place in any of them, and what it refers to is compiled with it. A compiled schema is
 * immutable and may be used by any number of threads at once. It needs nothing from the registry or the
 * documents afterwards.
 *
 * Sources: JSON Schema Core and Validation, draft 2020-12; ECMA-262 for `pattern`; RFC 3986, 6901.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct jsonschema;          /* a compiled schema */
struct jsonschema_registry; /* documents by URI; not for several threads at once */

/* Why a schema cannot be compiled. `where` is the schema's URI with a JSON pointer as its fragment. */
struct jsonschema_error {
	char where[256];
	char what[256];
};

struct jsonschema_options {
	bool assert_format;  /* false: `format` is an annotation only, as the draft's default says */
	bool strict;         /* an unknown keyword or an unknown format stops the compilation, unless it starts with "x-" */
	unsigned depth;      /* how deep instances and schemas may nest while validating; 0: 256 */
	/* Keywords that strict mode lets pass although they mean nothing to a validator; NULL-terminated, may be NULL. */
	const char *const *tolerated;
};

/* NULL only when memory runs out. Knows the draft's own metaschemas from the start. */
struct jsonschema_registry *jsonschema_registry_new(void);
void jsonschema_registry_free(struct jsonschema_registry *registry); /* takes NULL */

/*
 * Adds a document under its URI (absolute, no fragment). The registry keeps a reference to it; it must not be
 * changed afterwards. False, with `ret_error` filled, when the URI is taken or an identifier in it is wrong.
 */
bool jsonschema_registry_add(struct jsonschema_registry *registry, const char *uri, json_t *document,
                             struct jsonschema_error *ret_error) __attribute__((warn_unused_result));

/*
 * Compiles the schema at `uri` (absolute; a fragment may be a JSON pointer, as in
 * "https://example.org/api.json#/components/schemas/Carer", or an anchor). NULL with `ret_error` filled on failure.
 * `options` may be NULL: formats annotate, unknown keywords are annotations.
 */
struct jsonschema *jsonschema_compile(struct jsonschema_registry *registry, const char *uri,
                                      const struct jsonschema_options *options, struct jsonschema_error *ret_error)
	__attribute__((warn_unused_result));
void jsonschema_free(struct jsonschema *schema); /* takes NULL */

/*
 * One fault of an instance. Both pointers are JSON pointers (RFC 6901): `instance` into the instance, `keyword_path`
 * the route through the schema by which the keyword was reached. `keyword` is its last part ("" for a `false`
 * schema). `message` is a sentence without values from the instance, so that it may be logged.
 * The strings live as long as the callback runs.
 */
struct jsonschema_fault {
	const char *instance;
	const char *keyword_path;
	const char *absolute_keyword; /* the keyword's own URI, the fragment a JSON pointer */
	const char *keyword;
	const char *message;
};

/* Called for each fault, leaves and the applicators above them alike; returning false stops the validation. */
typedef bool jsonschema_fault_fn(void *context, const struct jsonschema_fault *fault);

/*
 * True when the instance is valid. A valid instance costs no allocation. With `report` NULL the first fault ends it.
 * Faults inside a branch that failed harmlessly (one arm of a passing anyOf, `not`, `if`) are not reported.
 * Of a failed anyOf or oneOf the faults of the branches are reported, then its own.
 */
bool jsonschema_validate(const struct jsonschema *schema, const json_t *instance, jsonschema_fault_fn *report,
                         void *context);

/* The draft's `basic` output: {"valid": ..., "errors"|"annotations": [...]}. A new reference, or NULL without memory. */
json_t *jsonschema_basic(const struct jsonschema *schema, const json_t *instance);

/* The formats this library knows. True when `text` (UTF-8, NUL-terminated, `length` bytes) is of that format. */
bool jsonschema_format_known(const char *format);
bool jsonschema_format_valid(const char *format, const char *text, size_t length);

static inline void jsonschema_freep(struct jsonschema **p) { jsonschema_free(*p); }
static inline void jsonschema_registry_freep(struct jsonschema_registry **p) { jsonschema_registry_free(*p); }
#define jsonschema_auto __attribute__((cleanup(jsonschema_freep))) struct jsonschema
#define jsonschema_registry_auto __attribute__((cleanup(jsonschema_registry_freep))) struct jsonschema_registry
