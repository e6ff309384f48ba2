/* Operations that apply schemas in place: references, allOf, anyOf, oneOf, not, if. */
#include "jsonschema/evaluate.h"
#include "jsonschema/output.h"

bool js_op_reference(struct run *r, const struct op *op, const struct frame *f)
{
	return js_apply(r, &op->link, f, f->track);
}

/* The outermost resource in scope that has the anchor decides. */
bool js_op_dynamic_reference(struct run *r, const struct op *op, const struct frame *f)
{
	const struct dynamic *d = op->dynamic;
	struct link link = d->link;

	for (const struct scope_link *s = r->scope; s; s = s->up) {
		for (size_t i = 0; i < s->scope->count; i++) {
			if (s->scope->anchors[i].anchor == d->anchor)
				link.node = s->scope->anchors[i].node;
		}
	}
	return js_apply(r, &link, f, f->track);
}

bool js_op_all(struct run *r, const struct op *op, const struct frame *f)
{
	bool fine = true;
	for (size_t i = 0; i < op->branch->count; i++) {
		fine = js_apply(r, &op->branch->links[i], f, f->track) && fine;
		if (!fine && (!r->output || r->halted))
			return false;
	}
	return fine;
}

/* What the alternatives of one keyword have come to. */
struct alternatives {
	size_t passed;
	struct track passing; /* what those that passed have evaluated */
	struct track every;   /* what any has looked at: used when none passed, to find what none of
	                         them knows */
};

static bool apply_alternative(struct run *r, const struct link *link, const struct frame *f,
                              struct alternatives *a)
{
	struct track own;

	if (!f->track)
		return js_apply(r, link, f, NULL);
	if (!js_track_open(r, &own, f->track->words * 64))
		return js_halt(r, f, "cannot be checked: there is no memory");
	bool fine = js_apply(r, link, f, &own);
	if (fine)
		js_track_merge(&a->passing, &own);
	js_track_merge(&a->every, &own);
	js_track_close(r, &own);
	return fine;
}

/* Applies the alternatives until `limit` have passed, or all of them if anybody wants to know. */
static void apply_alternatives(struct run *r, const struct op *op, const struct frame *f,
                               size_t limit, struct alternatives *a)
{
	size_t mark = output_mark(r);

	js_output_branch(r);
	for (size_t i = 0; i < op->branch->count && !r->halted; i++) {
		a->passed += apply_alternative(r, &op->branch->links[i], f, a);
		if (a->passed == limit && !f->track && !r->output)
			break;
	}
	if (a->passed)
		js_output_drop_faults(r, mark);
	js_output_branch_end(r);
}

static bool apply_and_merge(struct run *r, const struct op *op, const struct frame *f, size_t limit,
                            struct alternatives *a)
{
	a->passed = 0;
	if (!f->track) {
		apply_alternatives(r, op, f, limit, a);
		return !r->halted;
	}
	size_t count = f->track->words * 64;
	bool opened = js_track_open(r, &a->passing, count);
	bool both = js_track_open(r, &a->every, count);
	if (opened && both) {
		apply_alternatives(r, op, f, limit, a);
		js_track_merge(f->track, a->passed ? &a->passing : &a->every);
	}
	js_track_close(r, &a->every);
	js_track_close(r, &a->passing);
	if (!opened || !both)
		return js_halt(r, f, "cannot be checked: there is no memory");
	return !r->halted;
}

bool js_op_any(struct run *r, const struct op *op, const struct frame *f)
{
	struct alternatives a;
	if (!apply_and_merge(r, op, f, 1, &a))
		return false;
	return a.passed > 0 || js_fault(r, op, f);
}

bool js_op_one(struct run *r, const struct op *op, const struct frame *f)
{
	struct alternatives a;
	if (!apply_and_merge(r, op, f, 2, &a))
		return false;
	if (a.passed > 1)
		return js_fault_as(r, f, op->path,
		                   "must not have more than one of the allowed forms");
	return a.passed == 1 || js_fault(r, op, f);
}

bool js_op_not(struct run *r, const struct op *op, const struct frame *f)
{
	struct output *output = r->output;

	r->output = NULL; /* nothing below counts, neither faults nor annotations */
	bool passed = js_apply(r, &op->branch->links[0], f, NULL);
	r->output = output;
	if (r->halted)
		return false;
	return !passed || js_fault(r, op, f);
}

/* Whether `if` passes; what it has evaluated counts only then. */
static bool passes_if(struct run *r, const struct link *link, const struct frame *f)
{
	struct output *output = r->output;
	struct track own;

	if (output)
		output->muted++;
	if (f->track && !js_track_open(r, &own, f->track->words * 64))
		return js_halt(r, f, "cannot be checked: there is no memory");
	bool passed = js_apply(r, link, f, f->track ? &own : NULL);
	if (f->track && passed)
		js_track_merge(f->track, &own);
	if (f->track)
		js_track_close(r, &own);
	if (output)
		output->muted--;
	return passed;
}

bool js_op_if(struct run *r, const struct op *op, const struct frame *f)
{
	const struct link *links = op->branch->links;
	const struct link *next = passes_if(r, &links[0], f) ? &links[1] : &links[2];
	if (r->halted)
		return false;
	return !next->node || js_apply(r, next, f, f->track);
}
