/* Schemas of the contract: compiled strictly where they stand, and their examples held to them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "contract/load.h"

/* Where the document stands in the registry; nobody ever fetches it. */
static const char base_uri[] = "https://contract.invalid/openapi.json";

/* OpenAPI's words inside a schema, which say nothing to a validator. */
static const char *const tolerated[] = { "example", "discriminator", "externalDocs", "xml", NULL };

static bool fragment_safe(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~!$&'()*+,;=:@/?", c));
}

static bool uri_of(const struct spot *spot, struct buf *uri)
{
	bool good = buf_addf(uri, "%s#", base_uri);

	for (const char *c = spot->pointer; *c && good; c++)
		good = fragment_safe(*c) ? buf_add_bytes(uri, c, 1)
		                         : buf_addf(uri, "%%%02X", (unsigned char)*c);
	return good;
}

static struct jsonschema *compile(struct loader *l, const struct spot *schema)
{
	static const struct jsonschema_options options = { .assert_format = true,
		                                           .strict = true,
		                                           .tolerated = tolerated };
	buf_auto uri = { .limit = 2 * KIB };
	struct jsonschema_error error;
	struct jsonschema *compiled;

	if (!l->registry) {
		l->registry = jsonschema_registry_new();
		if (!l->registry ||
		    !jsonschema_registry_add(l->registry, base_uri, l->document, &error)) {
			loader_fault(l, NULL, "the schema registry does not take the document");
			return NULL;
		}
	}
	if (!uri_of(schema, &uri)) {
		loader_fault(l, schema, "the pointer is too long");
		return NULL;
	}
	compiled = jsonschema_compile(l->registry, buf_text(&uri), &options, &error);
	if (!compiled)
		loader_fault(l, schema, "%s (%s)", error.what, error.where);
	return compiled;
}

/* What is nothing but a $ref is what it refers to. */
static void pass_over(const struct loader *l, struct spot *spot)
{
	for (int hops = 0; hops < 8 && json_object_size(spot->json) == 1; hops++) {
		const char *ref = json_text(spot->json, "$ref");
		json_t *target = ref && *ref == '#' ? json_at(l->document, ref + 1) : NULL;

		if (!target)
			return;
		snprintf(spot->pointer, sizeof spot->pointer, "%s", ref + 1);
		spot->json = target;
	}
}

static struct jsonschema *remember(struct contract *contract, const json_t *json,
                                   struct jsonschema *schema)
{
	struct compiled *list =
		realloc(contract->compiled, (contract->compiled_count + 1) * sizeof *list);

	if (!list) {
		jsonschema_free(schema);
		return NULL;
	}
	contract->compiled = list;
	list[contract->compiled_count++] = (struct compiled){ json, schema };
	return schema;
}

/* Operations promise the same problems, and many the same body: each compiled by itself, they would
 * take ten times the memory of all the rest. */
struct jsonschema *load_schema(struct loader *l, const struct spot *schema)
{
	struct contract *contract = l->contract;
	struct jsonschema *compiled;
	struct spot at = *schema;

	pass_over(l, &at);
	for (size_t i = 0; i < contract->compiled_count; i++)
		if (contract->compiled[i].json == at.json)
			return contract->compiled[i].schema;
	compiled = compile(l, &at);
	return compiled ? remember(contract, at.json, compiled) : NULL;
}

struct finding {
	struct loader *loader;
	const struct spot *at;
};

static bool report(void *context, const struct jsonschema_fault *fault)
{
	struct finding *finding = context;

	loader_fault(finding->loader, finding->at, "the example breaks its schema at %s: %s %s",
	             *fault->instance ? fault->instance : "its root", fault->keyword,
	             fault->message);
	return true;
}

static void check_one(struct loader *l, const struct spot *at, const json_t *value,
                      const struct jsonschema *schema)
{
	struct finding finding = { .loader = l, .at = at };

	if (value && !jsonschema_validate(schema, value, report, &finding))
		l->failed = true;
}

void check_examples(struct loader *l, const struct spot *holder, const struct jsonschema *schema)
{
	const json_t *example = json_object_get(holder->json, "example");
	struct spot named, one;
	json_t *value;
	const char *name;
	size_t i;

	check_one(l, holder, example, schema);
	if (!spot_member(holder, "examples", &named))
		return;
	json_array_foreach (named.json, i, value)
		check_one(l, &named, value, schema);
	json_object_foreach (named.json, name, value)
		if (spot_child(l, &named, name, &one))
			check_one(l, &one, json_object_get(one.json, "value"), schema);
}

void load_components(struct loader *l)
{
	struct spot root = { .json = l->document }, components, schemas, one;
	json_t *value;
	const char *name;

	if (!spot_member(&root, "components", &components) ||
	    !spot_member(&components, "schemas", &schemas))
		return;
	json_object_foreach (schemas.json, name, value) {
		jsonschema_auto *schema = NULL;

		if (!spot_member(&schemas, name, &one))
			continue;
		schema = compile(l, &one);
		if (schema)
			check_examples(l, &one, schema);
	}
}
