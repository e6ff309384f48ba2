/* Where faults and annotations go while a validation is told to find all of them. */
#pragma once

#include "jsonschema/evaluate.h"

/* A fault or an annotation that waits for the verdict of a branch above it. */
struct entry {
	char *instance;
	char *keyword_path;
	char *absolute;
	char *message;
	json_t *annotation; /* NULL: a fault */
	bool bare;          /* no keyword's fault, but a schema's ... */
	bool never;         /* ... which is `false` */
};

struct output {
	bool annotate;     /* annotations are wanted too */
	unsigned muted;    /* above 0: faults do not count (`if`, `contains`) */
	unsigned branches; /* above 0: an alternative may still pass, so that entries wait */
	bool stopped;      /* the listener has had enough */
	bool broken;       /* no memory */
	jsonschema_fault_fn *report;
	void *context;
	struct list entries;
	size_t annotations; /* how many of them are not faults */
};

/* What has been collected so far. */
static inline size_t output_mark(const struct run *r)
{
	return r->output ? r->output->entries.count : 0;
}

/* Forgets the faults since `mark`: the keyword they stand below has passed. */
void js_output_drop_faults(struct run *r, size_t mark);
/* Forgets the annotations since `mark`: the schema they stand in has failed. */
void js_output_drop_annotations(struct run *r, size_t mark);

/* An alternative begins, and all alternatives have ended (what is left is told when no other is
 * open). */
void js_output_branch(struct run *r);
void js_output_branch_end(struct run *r);

/* Adds the annotations of a node that has passed. */
void js_annotate(struct run *r, const struct frame *f);
/* `contains`: which items; takes the reference to their indexes. */
void js_annotate_contains(struct run *r, const struct frame *f, size_t count, json_t *indexes);
/* unevaluatedProperties: which members, before they are marked. */
void js_annotate_unevaluated(struct run *r, const struct frame *f);
/* One annotation; takes the reference, NULL is a lack of memory. */
void js_annotate_one(struct run *r, const struct frame *f, const char *path, json_t *value);

/* The fault that a validation ended with because it gave up. */
void js_output_halt(struct run *r, const struct frame *f, const char *why);

void js_output_free(struct output *output);
