/* The evaluator: nodes are applied to instances, and what is needed for that is kept on the stack.
 */
#include "jsonschema/evaluate.h"

#include <stdlib.h>
#include <string.h>

#include "jsonschema/output.h"

static const uint8_t kinds[] = {
	[JSON_OBJECT] = KIND_OBJECT,  [JSON_ARRAY] = KIND_ARRAY, [JSON_STRING] = KIND_STRING,
	[JSON_INTEGER] = KIND_NUMBER, [JSON_REAL] = KIND_NUMBER, [JSON_TRUE] = KIND_OTHER,
	[JSON_FALSE] = KIND_OTHER,    [JSON_NULL] = KIND_OTHER,
};

const char js_too_deep[] = "is nested too deeply to be checked";
const char js_too_long[] = "takes too long to check";

bool js_halt(struct run *r, const struct frame *f, const char *why)
{
	if (!r->halted && r->output)
		js_output_halt(r, f, why);
	else if (!r->halted)
		r->why = why;
	r->halted = true;
	r->steps = 0;
	return false;
}

static inline bool type_fits(const struct node *node, const struct frame *f)
{
	if (node->types & 1u << f->type)
		return true;
	return f->type == JSON_REAL && (node->types & TYPE_WHOLE_REAL) &&
	       js_number_is_integer(json_real_value(f->instance));
}

/* All operations when faults are collected, otherwise up to the first that fails. */
static inline bool run_ops(struct run *r, const struct ops *ops, const struct frame *f)
{
	bool fine = true;
	for (uint32_t i = 0; i < ops->count; i++) {
		const struct op *op = &ops->list[i];
		if (op->run(r, op, f))
			continue;
		fine = false;
		if (!r->output || r->halted || op->last)
			break;
	}
	return fine;
}

/* What looks at this kind of instance: each for itself when faults are collected. */
static inline const struct ops *ops_of(const struct run *r, const struct node *node, enum kind kind)
{
	return r->output ? &node->ops[kind] : &node->quick[kind];
}

static bool in_scope(const struct run *r, const struct scope *scope)
{
	const struct scope_link *link = r->scope;
	while (link && link->scope != scope)
		link = link->up;
	return link != NULL;
}

static size_t size_of(const struct frame *f)
{
	return f->type == JSON_OBJECT ? json_object_size(f->instance)
	                              : json_array_size(f->instance);
}

/* A node with unevaluated*: it keeps track for itself, and tells the one above afterwards. */
static bool evaluate_tracked(struct run *r, struct frame *f, enum kind kind)
{
	struct track *outer = f->track;
	struct track own;

	if (!js_track_open(r, &own, size_of(f)))
		return js_halt(r, f, "cannot be checked: there is no memory");
	f->track = &own;
	bool fine = run_ops(r, ops_of(r, f->node, kind), f);
	/* Told to find all faults, it goes on: what no branch knows is unknown anyway. */
	if (fine || r->output)
		fine = run_ops(r, &f->node->unevaluated[kind], f) && fine;
	f->track = outer;
	if (outer)
		js_track_merge(outer, &own);
	js_track_close(r, &own);
	return fine;
}

/* Kept out of the way of the plain ones, which need no room on the stack. */
static bool __attribute__((noinline))
evaluate_special(struct run *r, struct frame *f, enum kind kind)
{
	const struct scope_link *before = r->scope;
	struct scope_link entered = { before, f->node->scope };

	if (entered.scope && !in_scope(r, entered.scope))
		r->scope = &entered;
	bool fine = f->node->unevaluated[kind].count ? evaluate_tracked(r, f, kind)
	                                             : run_ops(r, ops_of(r, f->node, kind), f);
	r->scope = before;
	return fine;
}

bool js_evaluate(struct run *r, struct frame *f)
{
	const struct node *node = f->node;
	enum kind kind = kinds[f->type];
	size_t mark = output_mark(r);

	if (r->steps == 0 || --r->steps == 0)
		return js_halt(r, f, js_too_long);
	if (node->never)
		return js_fault_as(r, f, "", "is not allowed");
	if (!type_fits(node, f))
		return js_fault_as(r, f, "/type", node->type_message);
	if (kind == KIND_STRING && !f->text && node->ops[kind].count) {
		f->text = json_string_value(f->instance);
		f->length = json_string_length(f->instance);
	}
	bool fine =
		node->special ? evaluate_special(r, f, kind) : run_ops(r, ops_of(r, node, kind), f);
	if (!r->output)
		return fine;
	if (fine)
		js_annotate(r, f);
	else
		js_output_drop_annotations(r, mark);
	return fine;
}

/* Depth is counted here, where one schema leads to another. */
static inline bool descend(struct run *r, struct frame *f)
{
	if (r->depth == 0)
		return js_halt(r, f, js_too_deep);
	r->depth--;
	bool fine = js_evaluate(r, f);
	r->depth++;
	return fine;
}

bool js_apply(struct run *r, const struct link *link, const struct frame *f, struct track *track)
{
	if (!r->output && !track && f->instance)
		return js_quick_value(r, link->node, f->instance);
	struct frame next = *f;
	next.up = f;
	next.node = link->node;
	next.path = link->path;
	next.key = NULL;
	next.index = NO_STEP;
	next.track = track;
	return descend(r, &next);
}

bool js_enter_member(struct run *r, const struct link *link, const struct frame *f,
                     const struct member_of *m)
{
	struct frame next = { .up = f,
		              .node = link->node,
		              .path = link->path,
		              .instance = m->value,
		              .key = m->key,
		              .index = m->length,
		              .type = json_typeof(m->value) };
	return descend(r, &next);
}

bool js_enter_item(struct run *r, const struct link *link, const struct frame *f,
                   const json_t *value, size_t index)
{
	struct frame next = { .up = f,
		              .node = link->node,
		              .path = link->path,
		              .instance = value,
		              .index = index,
		              .type = json_typeof(value) };
	return descend(r, &next);
}

bool js_apply_name(struct run *r, const struct link *link, const struct frame *f, const char *key,
                   size_t length)
{
	struct frame next = { .up = f,
		              .node = link->node,
		              .path = link->path,
		              .key = key,
		              .index = length,
		              .text = key,
		              .length = length,
		              .type = JSON_STRING };
	return descend(r, &next);
}

bool js_track_open(struct run *r, struct track *track, size_t count)
{
	size_t words = (count + 63) / 64;

	*track = (struct track){ .words = words, .scratch_before = r->scratch_used };
	if (words <= SCRATCH_WORDS - r->scratch_used) {
		track->bits = r->scratch + r->scratch_used;
		r->scratch_used += words;
		memset(track->bits, 0, words * sizeof(*track->bits));
		return true;
	}
	track->heap = calloc(words, sizeof(*track->heap));
	track->bits = track->heap;
	return track->heap != NULL;
}

void js_track_close(struct run *r, struct track *track)
{
	r->scratch_used = track->scratch_before;
	free(track->heap);
}

void js_track_merge(struct track *into, const struct track *from)
{
	into->all = into->all || from->all;
	for (size_t i = 0; i < from->words; i++)
		into->bits[i] |= from->bits[i];
}

static bool start(struct run *r, const struct jsonschema *schema, const json_t *instance,
                  struct output *output)
{
	struct frame root = { .node = schema->root.node,
		              .path = "",
		              .instance = instance,
		              .index = NO_STEP,
		              .type = json_typeof(instance) };
	r->schema = schema;
	r->scope = NULL;
	r->output = output;
	r->steps = schema->steps;
	r->depth = schema->depth;
	r->halted = false;
	r->scratch_used = 0;
	r->why = NULL;
	bool fine = descend(r, &root) && !r->halted;
	if (output && r->why)
		js_output_halt(r, &root, r->why);
	return fine;
}

bool js_validate(const struct jsonschema *schema, const json_t *instance, struct output *output)
{
	struct run r; /* the scratch is not to be cleared: this is the quick path */
	return start(&r, schema, instance, output);
}

bool jsonschema_validate(const struct jsonschema *schema, const json_t *instance,
                         jsonschema_fault_fn *report, void *context)
{
	if (js_validate(schema, instance, NULL))
		return true;
	if (!report)
		return false;
	/* The quick pass has found a fault: a second one finds them all. */
	struct output output = { .report = report, .context = context };
	js_validate(schema, instance, &output);
	js_output_free(&output);
	return false;
}
