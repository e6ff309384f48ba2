/* Faults and annotations on their way out: told at once, or kept until an alternative is decided.
 */
#include "jsonschema/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsonschema/uri.h"

/* How many may wait for an alternative, or stand in an output; what comes later is not told. */
enum { FAULTS_LIMIT = 2000, ENTRIES_LIMIT = 50 * 1000 };

static void entry_free(struct entry *entry)
{
	if (!entry)
		return;
	free(entry->instance);
	free(entry->keyword_path);
	free(entry->absolute);
	free(entry->message);
	json_decref(entry->annotation);
	free(entry);
}

void js_output_free(struct output *output)
{
	for (size_t i = 0; i < output->entries.count; i++)
		entry_free(output->entries.items[i]);
	js_list_free(&output->entries);
}

/* The frames from the first to the last: recursion as deep as the validation itself. */
static void add_instance(struct text *ret, const struct frame *f)
{
	if (!f)
		return;
	add_instance(ret, f->up);
	if (f->key)
		js_pointer_add(ret, f->key, f->index);
	else if (f->index != NO_STEP)
		js_text_print(ret, "/%zu", f->index);
}

static void add_path(struct text *ret, const struct frame *f)
{
	if (!f)
		return;
	add_path(ret, f->up);
	js_text_adds(ret, f->path);
}

/* The name of a member has no value of its own that the sentence could speak of. */
static bool speaks_of_name(const struct frame *f)
{
	return f->type == JSON_STRING && !f->instance && f->text;
}

static char *taken(struct text *text)
{
	js_text_adds(text, "");
	char *data = text->broken ? NULL : text->data;
	if (text->broken)
		free(text->data);
	return data;
}

static struct entry *entry_new(const struct frame *f, const char *path, const char *message)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	struct text instance = { 0 };
	struct text keyword = { 0 };
	struct text absolute = { 0 };
	struct text said = { 0 };

	if (!entry)
		return NULL;
	add_instance(&instance, f);
	add_path(&keyword, f);
	js_text_adds(&keyword, path);
	js_text_adds(&absolute, f->node->location);
	js_uri_add_fragment(&absolute, path);
	if (message && speaks_of_name(f))
		js_text_adds(&said, "has a name that ");
	js_text_adds(&said, message ? message : "");
	entry->bare = *path == '\0';
	entry->never = f->node->never;
	entry->instance = taken(&instance);
	entry->keyword_path = taken(&keyword);
	entry->absolute = taken(&absolute);
	entry->message = taken(&said);
	if (entry->instance && entry->keyword_path && entry->absolute && entry->message)
		return entry;
	entry_free(entry);
	return NULL;
}

/*
 * The keyword is the last part of its path, but a schema that is `false` has no keyword: there the
 * path ends in a name or a number, unless the keyword itself holds the schema.
 */
static const char *keyword_of(const struct entry *entry)
{
	static const char *const direct[] = { "additionalProperties", "unevaluatedProperties",
		                              "unevaluatedItems", "items" };
	const char *slash = strrchr(entry->keyword_path, '/');
	const char *last = slash ? slash + 1 : "";

	if (!entry->bare)
		return last;
	for (size_t i = 0; entry->never && i < sizeof(direct) / sizeof(*direct); i++) {
		if (strcmp(direct[i], last) == 0)
			return last;
	}
	return "";
}

static void tell(struct output *output, const struct entry *entry)
{
	if (output->stopped || entry->annotation || !output->report)
		return;
	struct jsonschema_fault fault = { .instance = entry->instance,
		                          .keyword_path = entry->keyword_path,
		                          .absolute_keyword = entry->absolute,
		                          .keyword = keyword_of(entry),
		                          .message = entry->message };
	if (!output->report(output->context, &fault))
		output->stopped = true;
}

/* Tells everything that waits, when nothing can take it back any more. */
static void settle(struct run *r)
{
	struct output *output = r->output;

	if (!output->report || output->branches)
		return;
	for (size_t i = 0; i < output->entries.count; i++) {
		tell(output, output->entries.items[i]);
		entry_free(output->entries.items[i]);
	}
	output->entries.count = 0;
	if (output->stopped) {
		r->halted = true;
		r->steps = 0;
	}
}

static void add_entry(struct run *r, struct entry *entry)
{
	struct output *output = r->output;

	if (!entry || !js_list_add(&output->entries, entry)) {
		output->broken = true;
		entry_free(entry);
		return;
	}
	settle(r);
}

bool js_fault_as(struct run *r, const struct frame *f, const char *path, const char *message)
{
	struct output *output = r->output;
	bool full = output && output->entries.count - output->annotations >= FAULTS_LIMIT;
	if (output && !output->muted && !r->halted && !full)
		add_entry(r, entry_new(f, path, message));
	return false;
}

bool js_fault(struct run *r, const struct op *op, const struct frame *f)
{
	return js_fault_as(r, f, op->path, op->message);
}

void js_output_halt(struct run *r, const struct frame *f, const char *why)
{
	struct output *output = r->output;
	/* It counts wherever it happens: nothing else that waits does. */
	for (size_t i = 0; i < output->entries.count; i++)
		entry_free(output->entries.items[i]);
	output->entries.count = 0;
	output->annotations = 0;
	output->branches = 0;
	add_entry(r, entry_new(f, "", why));
}

static void drop(struct run *r, size_t mark, bool annotations)
{
	struct list *entries = &r->output->entries;
	size_t kept = mark;

	for (size_t i = mark; i < entries->count; i++) {
		struct entry *entry = entries->items[i];
		if ((entry->annotation != NULL) != annotations) {
			entries->items[kept++] = entry;
			continue;
		}
		r->output->annotations -= annotations;
		entry_free(entry);
	}
	entries->count = kept < entries->count ? kept : entries->count;
}

void js_output_drop_faults(struct run *r, size_t mark)
{
	if (r->output)
		drop(r, mark, false);
}

void js_output_drop_annotations(struct run *r, size_t mark)
{
	if (r->output && r->output->annotate)
		drop(r, mark, true);
}

void js_output_branch(struct run *r)
{
	if (r->output)
		r->output->branches++;
}

void js_output_branch_end(struct run *r)
{
	struct output *output = r->output;
	if (!output || r->halted)
		return;
	output->branches--;
	settle(r);
}

void js_annotate_one(struct run *r, const struct frame *f, const char *path, json_t *value)
{
	bool room = r->output->entries.count < ENTRIES_LIMIT;
	struct entry *entry = value && room ? entry_new(f, path, NULL) : NULL;

	if (entry) {
		entry->annotation = value;
		r->output->annotations++;
		add_entry(r, entry);
		return;
	}
	json_decref(value);
	r->output->broken = r->output->broken || room;
}

static json_t *unit_of(const struct entry *entry)
{
	json_t *unit = json_object();
	json_object_set_new(unit, "valid", json_boolean(entry->annotation != NULL));
	json_object_set_new(unit, "keywordLocation", json_string(entry->keyword_path));
	json_object_set_new(unit, "absoluteKeywordLocation", json_string(entry->absolute));
	json_object_set_new(unit, "instanceLocation", json_string(entry->instance));
	if (entry->annotation)
		json_object_set(unit, "annotation", entry->annotation);
	else
		json_object_set_new(unit, "error", json_string(entry->message));
	return unit;
}

/* The root's own unit, with all the others below it. */
static json_t *basic_of(const struct jsonschema *schema, const struct output *output, bool valid)
{
	json_t *units = json_array();
	for (size_t i = 0; i < output->entries.count; i++) {
		const struct entry *entry = output->entries.items[i];
		if (valid == (entry->annotation != NULL))
			json_array_append_new(units, unit_of(entry));
	}
	return json_pack("{s:b, s:s, s:s, s:s, s:o}", "valid", valid, "keywordLocation", "",
	                 "absoluteKeywordLocation", schema->root.node->location, "instanceLocation",
	                 "", valid ? "annotations" : "errors", units);
}

json_t *jsonschema_basic(const struct jsonschema *schema, const json_t *instance)
{
	struct output output = { .annotate = true };
	bool valid = js_validate(schema, instance, &output);
	json_t *basic = output.broken ? NULL : basic_of(schema, &output, valid);
	js_output_free(&output);
	return basic;
}
