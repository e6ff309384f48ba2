/*
 * JSON Schema, draft 2020-12, over jansson: compile once, validate many.
 *
 * A registry holds documents by URI and the resources, anchors and dynamic anchors inside them. A
 * schema is compiled from any place in any of them, and what it refers to is compiled with it. A
 * compiled schema is immutable and may be used by any number of threads at once. It needs nothing
 * from the registry afterwards; values of `const`, `enum` and annotations it shares with the
 * documents, which must therefore not be changed, ever.
 *
 * Instances and schemas are taken to be valid UTF-8, which jansson's parser and json_string() see
 * to.
 *
 * Sources: JSON Schema Core and Validation, draft 2020-12; ECMA-262 for `pattern`; RFC 3986, 6901.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct jsonschema;          /* a compiled schema */
struct jsonschema_registry; /* documents by URI; not for several threads at once */

/*
 * Why a schema cannot be compiled. `where` is the schema's URI with a JSON pointer as its fragment.
 * Both are cut when they are longer.
 */
struct jsonschema_error {
	char where[256];
	char what[256];
};

struct jsonschema_options {
	/* False: `format` is an annotation only, as the draft's default says. */
	bool assert_format;
	/*
	 * An unknown keyword or an unknown format stops the compilation, unless its name starts
	 * with "x-". What is reached by no reference is not looked at, save for `$defs` beside what
	 * is.
	 */
	bool strict;
	/*
	 * How many schemas may be applied inside each other while validating; 0: 256. A level of
	 * the instance costs one for each of the applicators on the way to it ($ref, allOf,
	 * properties...), and half a KiB of stack. What goes deeper is invalid; so are values that
	 * would have to be compared (const, enum, uniqueItems) deeper than that.
	 */
	unsigned depth;
	/*
	 * Keywords that strict mode lets pass although they mean nothing to a validator;
	 * NULL-terminated, may be NULL.
	 */
	const char *const *tolerated;
	/*
	 * How much work one validation may be, in schemas applied (a pattern that is hard to match
	 * counts for many); 0: 50 million, which takes a second or so. What needs more is invalid.
	 */
	unsigned long steps;
};

/* NULL only when memory runs out. Knows the draft's own metaschemas from the start. */
struct jsonschema_registry *jsonschema_registry_new(void);
void jsonschema_registry_free(struct jsonschema_registry *registry); /* takes NULL */

/*
 * Adds a document under its URI (absolute, no fragment), and under its `$id` if it has one. The
 * registry keeps a reference to it; it must not be changed afterwards. False, with `ret_error`
 * filled, when a URI is taken or an identifier in it is wrong. The document need not be a schema:
 * identifiers are looked for where keywords hold schemas, and below what a reference leads to.
 */
bool jsonschema_registry_add(struct jsonschema_registry *registry, const char *uri,
                             json_t *document, struct jsonschema_error *ret_error)
	__attribute__((warn_unused_result));

/*
 * Compiles the schema at `uri` (absolute; a fragment may be a JSON pointer, as in
 * "https://example.org/api.json#/components/schemas/Carer", or an anchor). NULL with `ret_error`
 * filled on failure. `options` may be NULL: formats annotate, unknown keywords are annotations.
 */
struct jsonschema *jsonschema_compile(struct jsonschema_registry *registry, const char *uri,
                                      const struct jsonschema_options *options,
                                      struct jsonschema_error *ret_error)
	__attribute__((warn_unused_result));
void jsonschema_free(struct jsonschema *schema); /* takes NULL */

/*
 * One fault of an instance. Both pointers are JSON pointers (RFC 6901): `instance` into the
 * instance, `keyword_path` the route through the schema by which the keyword was reached. `keyword`
 * is its last part; "" for a schema that is `false`, unless a keyword holds it by itself
 * (additionalProperties, unevaluatedProperties, items, unevaluatedItems). `message` is a sentence
 * without its subject ("must be at most 200"), and without values or names from the instance, so
 * that it may be logged. The strings live as long as the callback runs.
 *
 * A member that is missing is a fault of the object. A member that is not known is a fault of the
 * member.
 */
struct jsonschema_fault {
	const char *instance;
	const char *keyword_path;
	const char *absolute_keyword; /* the keyword's own URI, the fragment a JSON pointer */
	const char *keyword;
	const char *message;
};

/*
 * Called for each fault: of the keywords that look at values, and of those that choose between
 * schemas (anyOf, oneOf, not, contains). Those that only lead on ($ref, allOf, properties, items,
 * then...) have no fault of their own. Returning false stops the validation.
 */
typedef bool jsonschema_fault_fn(void *context, const struct jsonschema_fault *fault);

/*
 * True when the instance is valid. With `report` NULL the first fault ends it; otherwise an
 * instance that is not valid is gone through a second time, for all of them. Faults inside a branch
 * that failed harmlessly (one arm of a passing anyOf, `not`, `if`) are not reported. Of a failed
 * anyOf or oneOf the faults of the branches are reported, then its own.
 *
 * A valid instance costs no allocation, except for: uniqueItems over more than 512 items,
 * unevaluated* on more than 65,536 members or items, the formats idn-hostname and idn-email beyond
 * ASCII, and patterns that PCRE2 has to run on long texts.
 */
bool jsonschema_validate(const struct jsonschema *schema, const json_t *instance,
                         jsonschema_fault_fn *report, void *context);

/*
 * The draft's `basic` output: {"valid": ..., "errors"|"annotations": [...]}, each unit with
 * keywordLocation, absoluteKeywordLocation, instanceLocation and error or annotation. The errors
 * are those that jsonschema_validate() reports. A new reference, or NULL without memory.
 */
json_t *jsonschema_basic(const struct jsonschema *schema, const json_t *instance);

/* The formats this library knows. True when `text` (UTF-8, `length` bytes) is of that format. */
bool jsonschema_format_known(const char *format);
bool jsonschema_format_valid(const char *format, const char *text, size_t length);

static inline void jsonschema_freep(struct jsonschema **p) { jsonschema_free(*p); }
static inline void jsonschema_registry_freep(struct jsonschema_registry **p)
{
	jsonschema_registry_free(*p);
}
#define jsonschema_auto __attribute__((cleanup(jsonschema_freep))) struct jsonschema
#define jsonschema_registry_auto \
	__attribute__((cleanup(jsonschema_registry_freep))) struct jsonschema_registry
