/* What runs a compiled schema over an instance: the state of one validation, and the operations. */
#pragma once

#include "jsonschema/jsonschema.h"
#include "jsonschema/program.h"
#include "jsonschema/quick.h"

/*
 * Which members or items some keyword has evaluated, for unevaluatedProperties and
 * unevaluatedItems. Members are counted in the object's own order.
 */
struct track {
	uint64_t *bits;
	size_t words;
	bool all;
	size_t scratch_before; /* how much of the scratch was in use */
	uint64_t *heap;        /* where it did not fit the scratch */
};

/* One schema applied to one place of the instance. Lives on the stack, linked to what led there. */
struct frame {
	const struct frame *up;
	const struct node *node;
	const char *path;       /* struct link's */
	const json_t *instance; /* NULL: a member's name, which is `text` */
	const char *key;        /* the step from the frame above: a member ... */
	size_t index;           /* ... with this length, or an item, or (NO_STEP) none */
	struct track *track;    /* NULL: nobody asks */
	const char *text;       /* of a string */
	size_t length;
	json_type type;
};

static const size_t NO_STEP = SIZE_MAX;

/* The resources that have been entered, the innermost first. */
struct scope_link {
	const struct scope_link *up;
	const struct scope *scope;
};

enum { SCRATCH_WORDS = 1024 };

/* A member of an object. */
struct member_of {
	const char *key;
	size_t length;
	const json_t *value;
	size_t number; /* in the object's own order */
};

/* One validation. */
struct run {
	const struct jsonschema *schema;
	const struct scope_link *scope;
	struct output *output; /* NULL: only the verdict is wanted, and the first fault ends it */
	unsigned long steps;   /* how many schemas may still be applied; 0: halted */
	unsigned depth;        /* how much deeper it may go */
	bool halted;           /* it gave up, so that no verdict but "invalid" is safe */
	const char *why;       /* it gave up where nobody listened; NULL: told, or not so */
	size_t scratch_used;
	uint64_t scratch[SCRATCH_WORDS];
};

/* The verdict of one node on one instance, f->node, f->instance and the step being set. */
bool js_evaluate(struct run *r, struct frame *f);

/* Applies a link to the same instance; `track` may differ from f->track. */
bool js_apply(struct run *r, const struct link *link, const struct frame *f, struct track *track);
/* Applies a link to a member or an item of f->instance, with a frame of its own. */
bool js_enter_member(struct run *r, const struct link *link, const struct frame *f,
                     const struct member_of *m);
bool js_enter_item(struct run *r, const struct link *link, const struct frame *f,
                   const json_t *value, size_t index);

/* The same, without one where nobody wants more than the verdict. */
static inline bool js_apply_member(struct run *r, const struct link *link, const struct frame *f,
                                   const struct member_of *m)
{
	return r->output ? js_enter_member(r, link, f, m) : js_quick_value(r, link->node, m->value);
}

static inline bool js_apply_item(struct run *r, const struct link *link, const struct frame *f,
                                 size_t index)
{
	const json_t *value = json_array_get(f->instance, index);

	return r->output ? js_enter_item(r, link, f, value, index)
	                 : js_quick_value(r, link->node, value);
}

/* Applies a link to the name of a member, as a string. */
bool js_apply_name(struct run *r, const struct link *link, const struct frame *f, const char *key,
                   size_t length);

/* A whole validation; `output` NULL for the verdict only. */
bool js_validate(const struct jsonschema *schema, const json_t *instance, struct output *output);

extern const char js_too_deep[], js_too_long[]; /* the sentences of what is */

/* Gives up: the validation ends as invalid with this sentence. False. */
bool js_halt(struct run *r, const struct frame *f, const char *why);

/* Records a fault of an operation, if anybody listens. False. */
bool js_fault(struct run *r, const struct op *op, const struct frame *f);
bool js_fault_as(struct run *r, const struct frame *f, const char *path, const char *message);

/* Tracks. False only without memory. */
bool js_track_open(struct run *r, struct track *track, size_t count);
void js_track_close(struct run *r, struct track *track); /* in the reverse order of opening */
void js_track_merge(struct track *into, const struct track *from);
static inline void track_mark(struct track *track, size_t i)
{
	if (!track->all)
		track->bits[i / 64] |= UINT64_C(1) << (i % 64);
}
static inline bool track_has(const struct track *track, size_t i)
{
	return track->all || (track->bits[i / 64] >> (i % 64) & 1);
}

op_fn js_op_enumeration, js_op_minimum, js_op_maximum, js_op_exclusive_minimum,
	js_op_exclusive_maximum, js_op_multiple;
op_fn js_op_min_length, js_op_max_length, js_op_pattern, js_op_format;
op_fn js_op_min_items, js_op_max_items, js_op_unique, js_op_items, js_op_contains;
op_fn js_op_min_properties, js_op_max_properties, js_op_members, js_op_property_names,
	js_op_dependents;
op_fn js_op_reference, js_op_dynamic_reference, js_op_all, js_op_any, js_op_one, js_op_not,
	js_op_if;
op_fn js_op_unevaluated_items, js_op_unevaluated_properties;
/* The same where only the verdict counts; items also have their number checked. */
op_fn js_quick_items, js_quick_members, js_quick_any, js_quick_one;
