/* How keywords become operations: what the keyword files and the driver share. */
#pragma once

#include "jsonschema/program.h"
#include "jsonschema/registry.h"

/* What a compilation knows of a resource. */
struct dialect {
	unsigned vocabularies;
	struct scope *scope;
	struct resource *resource;
};

struct compiler {
	struct arena arena; /* for as long as the compilation takes */
	struct jsonschema_registry *registry;
	const struct jsonschema_options *options;
	struct jsonschema *schema;
	struct jsonschema_error *error;
	json_t *by_location; /* location to the number of a job */
	json_t *anchors;     /* names that a $dynamicRef asks for, to their numbers */
	struct list jobs;    /* struct job; those behind `done` are still to be compiled */
	size_t done;
	struct list dialects; /* struct dialect by the resource's number; NULL: not touched */
};

struct job {
	struct node *node;
	struct place place;
	const struct dialect *dialect;
};

enum {
	KINDS_OTHER = 1 << KIND_OTHER,
	KINDS_NUMBER = 1 << KIND_NUMBER,
	KINDS_STRING = 1 << KIND_STRING,
	KINDS_ARRAY = 1 << KIND_ARRAY,
	KINDS_OBJECT = 1 << KIND_OBJECT,
	KINDS_ALL = (1 << KINDS) - 1,
};

struct op_list {
	struct op *list;
	size_t count, room;
};

/* A node while its keywords are compiled. */
struct building {
	struct compiler *c;
	struct arena *arena;
	struct job *job;
	json_t *schema;
	struct op_list ops[KINDS];
	struct op_list unevaluated[KINDS];
};

/* Fills the error with the place of the keyword ("" for the schema itself), and is false. */
bool js_refuse(struct building *b, const char *keyword, const char *what);
bool js_no_memory(struct building *b);

/* The keyword's value; NULL when it is absent or its vocabulary is not in use. */
json_t *js_value(const struct building *b, const char *keyword);

/* Adds an operation for these kinds of instance. */
bool js_add(struct building *b, unsigned kinds, struct op op);
bool js_add_unevaluated(struct building *b, enum kind kind, struct op op);

/* A member's name. */
struct key {
	const char *text;
	size_t length;
};

/* The link to a schema below this one; `path` is the JSON pointer to it from here. */
bool js_link(struct building *b, const char *path, json_t *schema, struct link *ret);
/* The same, the path being "/keyword/name" with the name escaped. */
bool js_link_member(struct building *b, const char *keyword, const struct key *key, json_t *schema,
                    struct link *ret);
bool js_link_item(struct building *b, const char *keyword, size_t i, json_t *schema,
                  struct link *ret);
/* Where the reference at `path` below this schema leads; false with the error filled. */
bool js_resolve(struct building *b, const char *path, const char *reference, struct place *ret);
/* The link to what a place holds. */
bool js_link_place(struct compiler *c, const char *path, const struct place *place,
                   struct link *ret);

/* A non-negative integer, 2.0 too. */
bool js_count(struct building *b, const char *keyword, const json_t *value, size_t *ret);

/* A set of the strings in an array; false (with the error) when it is no array of strings. */
bool js_strings(struct building *b, const char *keyword, const json_t *array,
                const struct names **ret);

/* A pattern, which the schema gives back when it goes. */
bool js_regex(struct building *b, const char *keyword, const json_t *value, struct regex **ret);

/* The sentence of an operation. NULL without memory. */
const char *js_say(struct building *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A value as text for a sentence, at most `limit` bytes. */
void js_say_value(struct text *ret, const json_t *value, size_t limit);

/* The keywords, each file its own; the order is the order of the operations. */
bool js_compile_general(struct building *b);    /* type, enum, const, numbers, lengths */
bool js_compile_text(struct building *b);       /* minLength, pattern, format */
bool js_compile_references(struct building *b); /* $ref, $dynamicRef */
bool js_compile_objects(struct building *b);
bool js_compile_arrays(struct building *b);
bool js_compile_applicators(struct building *b); /* allOf, if, ... */
bool js_compile_unevaluated(struct building *b);
bool js_compile_annotations(struct building *b); /* and the strict mode's refusals */
