/* The driver of a compilation: nodes are made for places as they are met, and compiled one after
 * the other. */
#include "jsonschema/compile.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "jsonschema/keywords.h"
#include "jsonschema/quick.h"
#include "jsonschema/uri.h"

static const struct jsonschema_options plain_options = { 0 };

enum { DEPTH_DEFAULT = 256 };
/* How many subschemas one validation may evaluate: a second or so, far above any honest document of
 * megabytes. */
static const unsigned long STEPS_DEFAULT = 50 * 1000 * 1000;

bool js_refuse(struct building *b, const char *keyword, const char *what)
{
	text_auto where = { 0 };
	js_text_adds(&where, b->job->node->location);
	if (*keyword)
		js_text_print(&where, "/%s", keyword);
	js_error(b->c->error, js_text_string(&where), "%s", what);
	return false;
}

bool js_no_memory(struct building *b) { return js_refuse(b, "", "there is no memory"); }

json_t *js_value(const struct building *b, const char *keyword)
{
	const struct keyword *known = js_keyword(keyword);
	bool used = !known->vocabulary || (known->vocabulary & b->job->dialect->vocabularies);
	return used ? json_object_get(b->schema, keyword) : NULL;
}

static bool op_list_add(struct op_list *list, const struct op *op)
{
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 8;
		struct op *grown = realloc(list->list, room * sizeof(*grown));
		if (!grown)
			return false;
		list->list = grown;
		list->room = room;
	}
	list->list[list->count++] = *op;
	return true;
}

bool js_add(struct building *b, unsigned kinds, struct op op)
{
	for (int kind = 0; kind < KINDS; kind++) {
		if ((kinds & 1u << kind) && !op_list_add(&b->ops[kind], &op))
			return js_no_memory(b);
	}
	return true;
}

bool js_add_unevaluated(struct building *b, enum kind kind, struct op op)
{
	return op_list_add(&b->unevaluated[kind], &op) || js_no_memory(b);
}

/* The dialect of a resource, read when it is first met. NULL with the error filled. */
static struct dialect *dialect_of(struct compiler *c, struct resource *resource)
{
	size_t number = (size_t)resource->number;
	while (c->dialects.count <= number) {
		if (!js_list_add(&c->dialects, NULL))
			break;
	}
	bool room = number < c->dialects.count;
	struct dialect *dialect = room ? c->dialects.items[number] : NULL;
	if (dialect)
		return dialect;
	dialect = js_arena_take(&c->arena, sizeof(*dialect));
	struct scope *scope = js_arena_take(&c->schema->arena, sizeof(*scope));
	if (!dialect || !scope || number >= c->dialects.count) {
		js_error(c->error, resource->uri, "there is no memory");
		return NULL;
	}
	dialect->scope = scope;
	dialect->resource = resource;
	if (!js_registry_vocabularies(c->registry, resource, &dialect->vocabularies, c->error))
		return NULL;
	c->dialects.items[number] = dialect;
	return dialect;
}

static struct job *job_new(struct compiler *c, const struct place *place, const char *location)
{
	struct job *job = js_arena_take(&c->arena, sizeof(*job));
	struct node *node = js_arena_take(&c->schema->arena, sizeof(*node));
	if (!job || !node)
		return NULL;
	node->location = js_arena_copy(&c->schema->arena, location, strlen(location));
	node->types = TYPE_ANY;
	*job = (struct job){ .node = node, .place = *place };
	json_t *number = json_integer((json_int_t)c->jobs.count);
	bool set = json_object_set_new_nocheck(c->by_location, location, number) == 0;
	if (!node->location || !set)
		return NULL;
	return js_list_add(&c->jobs, job) ? job : NULL;
}

static struct job *job_at(const struct compiler *c, const char *location)
{
	const json_t *known = json_object_get(c->by_location, location);
	size_t number = known ? (size_t)json_integer_value(known) : c->jobs.count;
	return number < c->jobs.count ? c->jobs.items[number] : NULL;
}

bool js_link_place(struct compiler *c, const char *path, const struct place *place,
                   struct link *ret)
{
	text_auto location = { 0 };

	js_text_print(&location, "%s#", place->resource->uri);
	js_uri_add_fragment(&location, place->pointer);
	struct job *job = job_at(c, js_text_string(&location));
	if (!job) {
		job = job_new(c, place, js_text_string(&location));
		if (!job) {
			js_error(c->error, js_text_string(&location), "there is no memory");
			return false;
		}
		job->dialect = dialect_of(c, place->resource);
		if (!job->dialect)
			return false;
		job->node->scope = job->dialect->scope;
	}
	*ret = (struct link){ job->node, js_arena_copy(&c->schema->arena, path, strlen(path)) };
	return ret->path != NULL;
}

bool js_resolve(struct building *b, const char *path, const char *reference, struct place *ret)
{
	struct jsonschema_error why;
	text_auto what = { 0 };

	if (js_registry_resolve(b->c->registry, b->job->place.resource->uri, reference, ret, &why))
		return true;
	js_text_print(&what, "leads to %s: %s", why.where, why.what);
	return js_refuse(b, path, js_text_string(&what));
}

/* A schema that is nothing but a $ref is passed over: the link goes to what it refers to. */
static bool link_through(struct building *b, const char *path, json_t *schema, struct link *ret)
{
	const char *reference = json_string_value(json_object_get(schema, "$ref"));
	text_auto longer = { 0 };
	struct place to;

	if (!js_text_print(&longer, "%s/$ref", path))
		return js_no_memory(b);
	return js_resolve(b, longer.data + 1, reference, &to) &&
	       js_link_place(b->c, longer.data, &to, ret);
}

bool js_link(struct building *b, const char *path, json_t *schema, struct link *ret)
{
	struct resource *own = js_places_find(b->c->registry->places, schema);
	struct place place = { .resource = b->job->place.resource, .schema = schema };
	text_auto pointer = { 0 };

	if (json_object_size(schema) == 1 && json_is_string(json_object_get(schema, "$ref")))
		return link_through(b, path, schema, ret);
	if (own && own != place.resource && own->root == schema)
		place.resource = own;
	else
		js_text_print(&pointer, "%s%s", b->job->place.pointer, path);
	place.pointer = js_arena_copy(&b->c->arena, js_text_string(&pointer), pointer.length);
	if (!place.pointer)
		return js_no_memory(b);
	return js_link_place(b->c, path, &place, ret);
}

bool js_link_member(struct building *b, const char *keyword, const struct key *key, json_t *schema,
                    struct link *ret)
{
	text_auto path = { 0 };
	js_text_print(&path, "/%s", keyword);
	if (!js_pointer_add(&path, key->text, key->length))
		return js_no_memory(b);
	return js_link(b, path.data, schema, ret);
}

bool js_link_item(struct building *b, const char *keyword, size_t i, json_t *schema,
                  struct link *ret)
{
	text_auto path = { 0 };
	if (!js_text_print(&path, "/%s/%zu", keyword, i))
		return js_no_memory(b);
	return js_link(b, path.data, schema, ret);
}

static bool keep_ops(struct building *b, struct op_list *from, struct ops *to)
{
	struct op *list = js_arena_array(b->arena, from->count, sizeof(*list));
	if (!list)
		return js_no_memory(b);
	if (from->count)
		memcpy(list, from->list, from->count * sizeof(*list));
	*to = (struct ops){ list, (uint32_t)from->count };
	return true;
}

static bool keep_all_ops(struct building *b)
{
	struct node *node = b->job->node;
	for (int kind = 0; kind < KINDS; kind++) {
		if (!keep_ops(b, &b->ops[kind], &node->ops[kind]) ||
		    !keep_ops(b, &b->unevaluated[kind], &node->unevaluated[kind]))
			return false;
		node->special = node->special || b->unevaluated[kind].count;
	}
	return true;
}

static bool compile_job(struct compiler *c, struct job *job)
{
	struct building b = {
		.c = c, .arena = &c->schema->arena, .job = job, .schema = job->place.schema
	};
	if (json_is_boolean(b.schema)) {
		job->node->never = json_is_false(b.schema);
		return true;
	}
	if (!json_is_object(b.schema))
		return js_refuse(&b, "", "a schema must be an object or a boolean");
	bool fine = js_compile_general(&b) && js_compile_text(&b) && js_compile_references(&b) &&
	            js_compile_objects(&b) && js_compile_arrays(&b) && js_compile_applicators(&b) &&
	            js_compile_unevaluated(&b) && js_compile_annotations(&b) && keep_all_ops(&b);
	for (int kind = 0; kind < KINDS; kind++) {
		free(b.ops[kind].list);
		free(b.unevaluated[kind].list);
	}
	return fine;
}

/* The number under which a dynamic anchor is asked for, or -1. */
static json_int_t asked_for(const struct compiler *c, const struct anchor *anchor)
{
	const json_t *number = anchor->dynamic ? json_object_get(c->anchors, anchor->name) : NULL;
	return number ? json_integer_value(number) : -1;
}

/* Adds the dynamic anchors of a resource to its scope, which may bring new schemas into play. */
static bool fill_scope(struct compiler *c, struct dialect *dialect)
{
	struct scope *scope = dialect->scope;
	size_t count = 0;
	for (const struct anchor *a = dialect->resource->anchors; a; a = a->next)
		count += asked_for(c, a) >= 0;
	if (count == scope->count)
		return true;
	scope->anchors = js_arena_array(&c->schema->arena, count, sizeof(*scope->anchors));
	scope->count = 0;
	for (const struct anchor *a = dialect->resource->anchors; a && scope->anchors;
	     a = a->next) {
		struct place place = { dialect->resource, a->schema, a->pointer };
		struct link link;
		if (asked_for(c, a) < 0)
			continue;
		if (!js_link_place(c, "", &place, &link))
			return false;
		scope->anchors[scope->count++] =
			(struct scope_anchor){ (uint32_t)asked_for(c, a), link.node };
	}
	return scope->anchors != NULL;
}

static bool compile_pending(struct compiler *c)
{
	while (c->done < c->jobs.count) {
		if (!compile_job(c, c->jobs.items[c->done++]))
			return false;
	}
	return true;
}

/* Schemas bring dynamic anchors into scope, and these bring schemas: until nothing is new. */
static bool compile_all(struct compiler *c)
{
	do {
		if (!compile_pending(c))
			return false;
		for (size_t i = 0; i < c->dialects.count; i++) {
			if (c->dialects.items[i] && !fill_scope(c, c->dialects.items[i]))
				return false;
		}
	} while (c->done < c->jobs.count);
	for (size_t i = 0; i < c->jobs.count; i++) {
		struct node *node = ((struct job *)c->jobs.items[i])->node;
		if (!node->scope->count)
			node->scope = NULL;
		node->special = node->special || node->scope;
		if (!js_quick_prepare(node, &c->schema->arena)) {
			js_error(c->error, node->location, "there is no memory");
			return false;
		}
	}
	return true;
}

static bool compile_root(struct compiler *c, const char *uri)
{
	struct place place;
	return js_registry_resolve(c->registry, uri, uri, &place, c->error) &&
	       js_link_place(c, "", &place, &c->schema->root) && compile_all(c);
}

struct jsonschema *jsonschema_compile(struct jsonschema_registry *registry, const char *uri,
                                      const struct jsonschema_options *options,
                                      struct jsonschema_error *ret_error)
{
	struct compiler c = { .registry = registry, .error = ret_error };
	struct jsonschema *schema = calloc(1, sizeof(*schema));

	js_error(ret_error, uri, "there is no memory");
	c.options = options ? options : &plain_options;
	c.schema = schema;
	c.by_location = json_object();
	c.anchors = json_object();
	bool fine = schema && c.by_location && c.anchors && compile_root(&c, uri);
	if (fine) {
		schema->depth = c.options->depth ? c.options->depth : DEPTH_DEFAULT;
		schema->steps = c.options->steps ? c.options->steps : STEPS_DEFAULT;
		if (getrandom(&schema->seed, sizeof(schema->seed), GRND_NONBLOCK) < 0)
			schema->seed = (uint64_t)(uintptr_t)schema;
	}
	json_decref(c.by_location);
	json_decref(c.anchors);
	js_list_free(&c.jobs);
	js_arena_release(&c.arena);
	js_list_free(&c.dialects);
	if (fine)
		return schema;
	jsonschema_free(schema);
	return NULL;
}

void jsonschema_free(struct jsonschema *schema)
{
	if (!schema)
		return;
	for (size_t i = 0; i < schema->values.count; i++)
		json_decref(schema->values.items[i]);
	for (size_t i = 0; i < schema->regexes.count; i++)
		js_regex_release(schema->regexes.items[i]);
	js_list_free(&schema->values);
	js_list_free(&schema->regexes);
	js_arena_release(&schema->arena);
	free(schema);
}
