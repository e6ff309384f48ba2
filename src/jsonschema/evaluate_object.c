/* Operations on objects. */
#include <stdio.h>

#include "jsonschema/evaluate.h"
#include "jsonschema/output.h"

bool js_op_min_properties(struct run *r, const struct op *op, const struct frame *f)
{
	return json_object_size(f->instance) >= op->bound || js_fault(r, op, f);
}

bool js_op_max_properties(struct run *r, const struct op *op, const struct frame *f)
{
	return json_object_size(f->instance) <= op->bound || js_fault(r, op, f);
}

/* A schema that is `false` says of a member that it is not known; any other is applied. */
static bool apply_unknown(struct run *r, const struct link *link, const struct frame *f,
                          const struct member_of *e)
{
	if (!link->node->never)
		return js_apply_member(r, link, f, e);
	struct frame member = {
		.up = f, .node = link->node, .path = link->path, .key = e->key, .index = e->length
	};
	return js_fault_as(r, &member, "", "is not a known field");
}

static bool apply_patterns(struct run *r, const struct members *m, const struct frame *f,
                           const struct member_of *e, bool *known)
{
	bool fine = true;
	for (size_t i = 0; i < m->pattern_count; i++) {
		enum regex_answer answer =
			js_regex_match(m->patterns[i].regex, e->key, e->length, &r->steps);
		if (answer == REGEX_NO)
			continue;
		if (answer == REGEX_TOO_HARD)
			return js_halt(r, f, "has a member whose name takes too long to match");
		*known = true;
		fine = js_apply_member(r, &m->patterns[i].link, f, e) && fine;
		if (!fine && !r->output)
			return false;
	}
	return fine;
}

/*
 * All of this keyword family that looks at one member; `number` is that of its name. Tells the
 * track, if there is one.
 */
static bool apply_entry(struct run *r, const struct members *m, const struct frame *f,
                        const struct member_of *e, uint32_t number)
{
	bool known = number != NO_NAME && m->list[number].link.node;
	bool fine = !known || js_apply_member(r, &m->list[number].link, f, e);

	if (m->pattern_count && (fine || r->output))
		fine = apply_patterns(r, m, f, e, &known) && fine;
	if (!known && m->additional.node) {
		known = true;
		fine = apply_unknown(r, &m->additional, f, e) && fine;
	}
	if (known && f->track)
		track_mark(f->track, e->number);
	return fine;
}

static bool missing(struct run *r, const struct members *m, const struct frame *f)
{
	char message[200];

	for (uint32_t i = 0; r->output && i < m->names->count; i++) {
		const struct name *name = &m->names->names[i];
		if (!m->list[i].required || json_object_getn(f->instance, name->text, name->length))
			continue;
		snprintf(message, sizeof(message), "is required: \"%s\"", name->text);
		js_fault_as(r, f, "/required", message);
	}
	return false;
}

bool js_op_members(struct run *r, const struct op *op, const struct frame *f)
{
	const struct members *m = op->members;
	json_t *object = (json_t *)f->instance;
	size_t required = 0;
	uint32_t guess = 0;
	size_t i = 0;
	bool fine = true;

	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
		struct member_of e = { json_object_iter_key(at), json_object_iter_key_len(at),
			               json_object_iter_value(at), i++ };
		uint32_t number = js_names_find(m->names, e.key, e.length, guess);
		guess = number + 1; /* members tend to come in the order of the schema */
		required += number != NO_NAME && m->list[number].required;
		fine = apply_entry(r, m, f, &e, number) && fine;
		if (!fine && (!r->output || r->halted))
			return false;
	}
	return required >= m->required ? fine : missing(r, m, f);
}

bool js_op_property_names(struct run *r, const struct op *op, const struct frame *f)
{
	bool fine = true;
	const char *key;
	size_t length;
	json_t *value;

	json_object_keylen_foreach((json_t *)f->instance, key, length, value)
	{
		(void)value;
		fine = js_apply_name(r, &op->link, f, key, length) && fine;
		if (!fine && (!r->output || r->halted))
			return false;
	}
	return fine;
}

static bool dependent_required(struct run *r, const struct dependent *d, const struct frame *f)
{
	char message[400];
	bool fine = true;

	for (uint32_t i = 0; i < d->required->count; i++) {
		const struct name *name = &d->required->names[i];
		if (json_object_getn(f->instance, name->text, name->length))
			continue;
		fine = false;
		if (!r->output)
			return false;
		snprintf(message, sizeof(message), "is required beside \"%.150s\": \"%.150s\"",
		         d->name, name->text);
		js_fault_as(r, f, d->path, message);
	}
	return fine;
}

bool js_op_dependents(struct run *r, const struct op *op, const struct frame *f)
{
	bool fine = true;

	for (size_t i = 0; i < op->dependents->count; i++) {
		const struct dependent *d = &op->dependents->list[i];
		if (!json_object_getn(f->instance, d->name, d->length))
			continue;
		fine = (d->required ? dependent_required(r, d, f)
		                    : js_apply(r, &d->link, f, f->track)) &&
		       fine;
		if (!fine && (!r->output || r->halted))
			return false;
	}
	return fine;
}

bool js_op_unevaluated_properties(struct run *r, const struct op *op, const struct frame *f)
{
	json_t *object = (json_t *)f->instance;
	size_t i = 0;
	bool fine = true;

	if (f->track->all)
		return true;
	js_annotate_unevaluated(r, f);
	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at), i++) {
		struct member_of e = { json_object_iter_key(at), json_object_iter_key_len(at),
			               json_object_iter_value(at), i };
		if (track_has(f->track, i))
			continue;
		fine = apply_unknown(r, &op->link, f, &e) && fine;
		if (!fine && (!r->output || r->halted))
			return false;
	}
	if (fine)
		f->track->all = true;
	return fine;
}
