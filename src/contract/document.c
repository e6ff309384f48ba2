/* The contract, loaded and compiled, or refused with everything that is wrong. */
#include "contract/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "contract/load.h"

/* What may stand in an operation; anything else would be a promise that nobody keeps. */
static const char *const operation_words[] = {
	"operationId", "summary",      "description",  "tags",     "parameters",  "requestBody",
	"responses",   "security",     "x-audit",      "x-reads",  "x-uncounted", "x-roles",
	"x-cost",      "x-rule",       "x-no-store",   "x-counts", "x-cors",      "x-query",
	"deprecated",  "externalDocs", "x-body-limit", "x-slash",
};

static bool known_word(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(operation_words); i++)
		if (strcmp(operation_words[i], word) == 0)
			return true;
	return false;
}

static bool check_words(struct loader *l, const struct spot *operation)
{
	json_t *value;
	const char *word;

	json_object_foreach (operation->json, word, value)
		if (!known_word(word))
			return loader_fault(l, operation, "`%s` means nothing to this program",
			                    word);
	return true;
}

static void load_operation(struct loader *l, const struct spot *item, const struct spot *operation,
                           struct endpoint *endpoint)
{
	const char *audit = json_text(operation->json, "x-audit");
	const char *cors = json_text(operation->json, "x-cors");

	endpoint->id = json_text(operation->json, "operationId");
	endpoint->reads = endpoint->method == METHOD_GET ||
	                  json_is_true(json_object_get(operation->json, "x-reads"));
	endpoint->noted = (audit && strcmp(audit, "read") == 0) ||
	                  json_is_true(json_object_get(operation->json, "x-counts"));
	endpoint->uncounted = json_is_true(json_object_get(operation->json, "x-uncounted"));
	endpoint->unstored = json_is_true(json_object_get(operation->json, "x-no-store"));
	endpoint->slash = json_is_true(json_object_get(operation->json, "x-slash"));
	endpoint->any_origin = json_object_get(operation->json, "x-cors") != NULL;
	if (!endpoint->id)
		loader_fault(l, operation, "no operationId");
	else if (audit && strcmp(audit, "read") != 0)
		loader_fault(l, operation,
		             "x-audit is `read` or absent: changes are always audited");
	else if (endpoint->any_origin && (!cors || strcmp(cors, "any") != 0))
		loader_fault(l, operation, "x-cors is `any` or absent");
	else if (check_words(l, operation) && load_security(l, operation, endpoint) &&
	         load_roles(l, operation, endpoint) && load_cost(l, operation, endpoint) &&
	         load_parameters(l, item, operation, endpoint) &&
	         load_bodies(l, operation, endpoint) && load_rule(l, operation, endpoint) &&
	         load_query(l, operation, endpoint))
		load_body_limit(l, operation, endpoint);
}

static bool grow(struct contract *contract)
{
	struct endpoint *list = realloc(contract->endpoints, (contract->count + 1) * sizeof *list);

	if (!list)
		return false;
	contract->endpoints = list;
	list[contract->count] = (struct endpoint){ .index = contract->count };
	contract->count++;
	return true;
}

static void load_path(struct loader *l, const struct spot *paths, const char *path,
                      struct contract *contract)
{
	struct spot item, operation;

	if (!spot_child(l, paths, path, &item))
		return;
	for (enum method m = 0; m < METHOD_QUERY; m++) { /* OpenAPI 3.1 has no word for QUERY */
		char word[8] = "";

		for (size_t i = 0; method_name(m)[i]; i++)
			word[i] = (char)(method_name(m)[i] |
			                 0x20); /* OpenAPI writes methods in lower case */
		if (!spot_member(&item, word, &operation))
			continue;
		if (!grow(contract)) {
			loader_fault(l, &item, "no memory");
			return;
		}
		contract->endpoints[contract->count - 1].method = m;
		contract->endpoints[contract->count - 1].path = path;
		load_operation(l, &item, &operation, &contract->endpoints[contract->count - 1]);
	}
}

static void check_ids(struct loader *l, const struct contract *contract)
{
	for (size_t i = 0; i < contract->count; i++)
		for (size_t k = i + 1; k < contract->count; k++)
			if (contract->endpoints[i].id && contract->endpoints[k].id &&
			    strcmp(contract->endpoints[i].id, contract->endpoints[k].id) == 0)
				loader_fault(l, NULL, "the operationId %s is there twice",
				             contract->endpoints[i].id);
}

static void load_paths(struct loader *l, struct contract *contract)
{
	struct spot root = { .json = l->document }, paths;
	json_t *value;
	const char *path;

	if (!spot_member(&root, "paths", &paths)) {
		loader_fault(l, NULL, "no `paths`");
		return;
	}
	json_object_foreach (paths.json, path, value)
		load_path(l, &paths, path, contract);
	check_ids(l, contract);
}

struct contract *contract_load(const char *json, size_t size, contract_fault_fn *fault,
                               void *context)
{
	struct contract *contract = calloc(1, sizeof *contract);
	struct loader l = { .contract = contract, .report = fault, .context = context };
	json_error_t error;

	if (!contract)
		return NULL;
	contract->document = json_loadb(json, size, JSON_REJECT_DUPLICATES, &error);
	l.document = contract->document;
	if (!l.document) {
		loader_fault(&l, NULL, "line %d: %s", error.line, error.text);
	} else {
		load_components(&l);
		load_paths(&l, contract);
		check_problems(&l);
		contract->routes = routes_new(&l, contract->endpoints, contract->count);
	}
	jsonschema_registry_free(l.registry);
	if (!l.failed)
		return contract;
	contract_free(contract);
	return NULL;
}

static bool asked_of_requests(const struct contract *contract, const struct jsonschema *schema)
{
	for (size_t i = 0; i < contract->count; i++) {
		const struct endpoint *e = &contract->endpoints[i];

		if (e->body == schema)
			return true;
		for (size_t k = 0; k < e->parameter_count; k++)
			if (e->parameters[k].schema == schema)
				return true;
	}
	return false;
}

void contract_forget_promises(struct contract *contract)
{
	size_t kept = 0;

	for (size_t i = 0; i < contract->count; i++)
		for (size_t k = 0; k < contract->endpoints[i].promise_count; k++)
			contract->endpoints[i].promises[k].schema =
				contract->endpoints[i].promises[k].sparse = NULL;
	for (size_t i = 0; i < contract->compiled_count; i++) {
		if (asked_of_requests(contract, contract->compiled[i].schema))
			contract->compiled[kept++] = contract->compiled[i];
		else
			jsonschema_free(contract->compiled[i].schema);
	}
	contract->compiled_count = kept;
}

void contract_free(struct contract *contract)
{
	if (!contract)
		return;
	for (size_t i = 0; i < contract->count; i++)
		endpoint_done(&contract->endpoints[i]);
	free(contract->endpoints);
	routes_free(contract->routes);
	for (size_t i = 0; i < contract->compiled_count; i++)
		jsonschema_free(contract->compiled[i].schema);
	free(contract->compiled);
	json_decref(contract->document);
	free(contract);
}

size_t contract_count(const struct contract *contract) { return contract->count; }

const struct endpoint *contract_endpoint(const struct contract *contract, size_t index)
{
	return &contract->endpoints[index];
}

size_t contract_body_limit(const struct contract *contract)
{
	size_t most = 0;

	for (size_t i = 0; i < contract->count; i++)
		if (contract->endpoints[i].body_limit > most)
			most = contract->endpoints[i].body_limit;
	return most;
}

const json_t *contract_document(const struct contract *contract) { return contract->document; }
