/*
 * What a schema is compiled into: nodes, one for each subschema, with their keywords as lists of
 * operations sorted by the kind of instance they look at. Immutable after compilation.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "jsonschema/memory.h"
#include "jsonschema/names.h"
#include "jsonschema/number.h"
#include "jsonschema/regex.h"

struct node;
struct op;
struct run;
struct frame;

/* Kinds of instance, by what keywords look at them. */
enum kind { KIND_OTHER, KIND_NUMBER, KIND_STRING, KIND_ARRAY, KIND_OBJECT, KINDS };

/* Bits of node.types: one for each json_type, and one for a real that is an integer (1.0). */
enum {
	TYPE_OBJECT = 1 << JSON_OBJECT,
	TYPE_ARRAY = 1 << JSON_ARRAY,
	TYPE_STRING = 1 << JSON_STRING,
	TYPE_INTEGER = 1 << JSON_INTEGER,
	TYPE_REAL = 1 << JSON_REAL,
	TYPE_BOOLEAN = 1 << JSON_TRUE | 1 << JSON_FALSE,
	TYPE_NULL = 1 << JSON_NULL,
	TYPE_WHOLE_REAL = 1 << (JSON_NULL + 1),
	TYPE_ANY = TYPE_OBJECT | TYPE_ARRAY | TYPE_STRING | TYPE_INTEGER | TYPE_REAL |
	           TYPE_BOOLEAN | TYPE_NULL,
};

/* The way from a node to one below it. `path` is what the keyword location grows by:
 * "/properties/name". */
struct link {
	const struct node *node; /* NULL: the keyword is absent */
	const char *path;
};

/* True when the operation finds no fault. It may look at nothing but its kind of instance. */
typedef bool op_fn(struct run *r, const struct op *op, const struct frame *f);

struct op {
	op_fn *run;
	const char *path; /* "/minimum" */
	const char
		*message; /* what is said when it fails; NULL where the operation makes its own */
	bool last;        /* if it fails, what stands behind it is not looked at */
	union {
		size_t bound;
		struct number number;
		struct regex *regex;
		const struct format *format;
		const struct enumeration *enumeration;
		const struct branch *branch;
		const struct contains *contains;
		const struct items *items;
		const struct members *members;
		const struct dependents *dependents;
		const struct dynamic *dynamic;
		struct link link;
	};
};

struct ops {
	const struct op *list;
	uint32_t count;
};

struct annotation {
	const char *path;
	json_t *value;
};

struct node {
	uint16_t types; /* what `type` allows; TYPE_ANY without it */
	/*
	 * The quick ways, as bits of json_type: nothing but `type` looks at `plain` values,
	 * `ranged` ones need to be from `least` to `most`. The rest are NULL where there is more to
	 * look at.
	 */
	uint8_t plain, ranged;
	double least, most;
	const struct names *words;     /* a string must be one of them */
	const struct items *items;     /* all that looks at arrays */
	const struct members *members; /* and at objects */
	bool never;                    /* the schema `false` */
	bool special;                  /* has a scope or unevaluated*, which a plain node has not */
	struct ops ops[KINDS];
	struct ops quick[KINDS];       /* instead of them when only the verdict is wanted */
	struct ops unevaluated[KINDS]; /* run last */
	const char *type_message;
	const char *location; /* the schema's own URI, the fragment a JSON pointer, encoded */
	const struct scope
		*scope; /* the resource's dynamic anchors; NULL when it has none that matter */
	const struct annotation *annotations;
	size_t annotation_count;
};

/* enum and const: the strings as a set, the rest as they are. */
struct enumeration {
	const struct names *strings;
	json_t *const *others;
	size_t count; /* of the others */
};

struct branch {
	const struct link *links;
	size_t count;
};

struct contains {
	struct link link;
	size_t min, max;
	const char *path, *min_path, *max_path; /* NULL: the keyword is absent */
	const char *min_message, *max_message;
};

struct items {
	const struct link *prefix;
	size_t prefix_count;
	struct link rest;
	size_t min, max; /* how many: set for js_quick_items only */
};

struct patterned {
	struct regex *regex;
	struct link link;
};

struct member {
	struct link link; /* of `properties`; no node when the name is only required */
	bool required;
};

/* properties, patternProperties, additionalProperties and required, in one pass over the object. */
struct members {
	const struct names *names;
	const struct member *list; /* one for each name */
	size_t required;
	const struct patterned *patterns;
	size_t pattern_count;
	struct link additional;
	bool properties; /* the keyword is there */
};

struct dependent {
	const char *name;
	size_t length;
	const struct names *required; /* may be NULL */
	struct link link;             /* may be absent */
	const char *path;
};

struct dependents {
	const struct dependent *list;
	size_t count;
};

/* A $dynamicRef: the outermost resource in scope with this dynamic anchor, or the plain target. */
struct dynamic {
	struct link link;
	uint32_t anchor;
	const char *path;
};

struct scope_anchor {
	uint32_t anchor;
	const struct node *node;
};

struct scope {
	struct scope_anchor *anchors;
	size_t count;
};

/* A compiled schema. */
struct jsonschema {
	struct arena arena;
	struct link root;
	unsigned depth;
	unsigned long steps;
	uint64_t seed;
	struct list values;  /* json_t that must be given back */
	struct list regexes; /* and patterns */
};
