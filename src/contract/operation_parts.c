/* The parts of one operation: its parameters, its scopes, its bodies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "contract/load.h"

static const struct {
	const char *word;
	enum place place;
} places[] = { { "path", PLACE_PATH }, { "query", PLACE_QUERY }, { "header", PLACE_HEADER } };

static const struct {
	const char *word;
	enum value_type type;
} types[] = { { "string", VALUE_STRING },
	      { "integer", VALUE_INTEGER },
	      { "number", VALUE_NUMBER },
	      { "boolean", VALUE_BOOLEAN },
	      { "array", VALUE_LIST } };

static bool read_place(struct loader *l, const struct spot *at, struct parameter *parameter)
{
	const char *in = json_text(at->json, "in");

	for (size_t i = 0; in && i < COUNT_OF(places); i++) {
		if (strcmp(places[i].word, in) != 0)
			continue;
		parameter->place = places[i].place;
		return true;
	}
	return loader_fault(l, at, "a parameter stands in the path, the query or a header");
}

static bool read_type(struct loader *l, const struct spot *schema, struct parameter *parameter)
{
	const char *type = json_text(schema->json, "type");

	for (size_t i = 0; type && i < COUNT_OF(types); i++) {
		if (strcmp(types[i].word, type) != 0)
			continue;
		parameter->type = types[i].type;
		if (parameter->type != VALUE_LIST || parameter->place == PLACE_QUERY)
			return true;
		return loader_fault(l, schema, "a list stands in the query");
	}
	return loader_fault(l, schema, "a parameter is a string, a number, a boolean or an array");
}

/* The default as the text that a client would have sent. */
static char *preset_of(const json_t *schema)
{
	const json_t *preset = json_object_get(schema, "default");

	if (json_is_string(preset))
		return text_copy(json_string_value(preset));
	return preset ? json_print(preset) : NULL;
}

static bool read_parameter(struct loader *l, const struct spot *at, struct parameter *parameter)
{
	struct spot schema, target;

	parameter->name = json_text(at->json, "name");
	parameter->required = json_is_true(json_object_get(at->json, "required"));
	parameter->commas = json_is_false(json_object_get(at->json, "explode"));
	if (!parameter->name || !spot_member(at, "schema", &schema))
		return loader_fault(l, at, "a parameter has a name and a schema");
	target = schema;
	if (!read_place(l, at, parameter) || !spot_follow(l, &target) ||
	    !read_type(l, &target, parameter))
		return false;
	if (parameter->place == PLACE_PATH && !parameter->required)
		return loader_fault(l, at, "a path parameter is required");
	parameter->preset = preset_of(target.json);
	parameter->schema = load_schema(l, &schema);
	if (!parameter->schema)
		return false;
	check_examples(l, at, parameter->schema);
	return true;
}

static void mark(struct endpoint *endpoint, const struct parameter *parameter)
{
	if (parameter->place == PLACE_QUERY && parameter->commas &&
	    strcmp(parameter->name, "fields") == 0)
		endpoint->takes_fields = true;
	if (parameter->place != PLACE_HEADER)
		return;
	if (text_same_nocase(parameter->name, "Prefer"))
		endpoint->takes_prefer = true;
	if (text_same_nocase(parameter->name, "Idempotency-Key"))
		endpoint->takes_key = true;
	if (text_same_nocase(parameter->name, "If-Match") && parameter->required)
		endpoint->needs_match = true;
}

static bool read_list(struct loader *l, const struct spot *holder, struct endpoint *endpoint)
{
	struct spot list, one;
	json_t *value;
	size_t i;

	if (!spot_member(holder, "parameters", &list))
		return true;
	json_array_foreach (list.json, i, value) {
		struct parameter *parameter = &endpoint->parameters[endpoint->parameter_count];

		one = list;
		one.json = value;
		snprintf(one.pointer + strlen(one.pointer),
		         sizeof one.pointer - strlen(one.pointer), "/%zu", i);
		if (endpoint->parameter_count == ENDPOINT_PARAMETERS)
			return loader_fault(l, &list, "more than %d parameters",
			                    ENDPOINT_PARAMETERS);
		if (!spot_follow(l, &one))
			return false;
		endpoint->parameter_count++; /* counted first: what it owns is freed even if the
		                                rest of it is wrong */
		if (!read_parameter(l, &one, parameter))
			return false;
		mark(endpoint, parameter);
	}
	return true;
}

/* Every {name} of the template is a path parameter. */
static bool check_template(struct loader *l, const struct spot *operation,
                           const struct endpoint *endpoint)
{
	size_t named = 0;

	for (const char *at = endpoint->path; (at = strchr(at, '{')); at++) {
		size_t size = strcspn(at + 1, "}");
		bool found = false;

		for (size_t i = 0; i < endpoint->parameter_count; i++)
			found |= endpoint->parameters[i].place == PLACE_PATH &&
			         strlen(endpoint->parameters[i].name) == size &&
			         strncmp(endpoint->parameters[i].name, at + 1, size) == 0;
		if (!found)
			return loader_fault(l, operation, "{%.*s} is not among its parameters",
			                    (int)size, at + 1);
		named++;
	}
	for (size_t i = 0; i < endpoint->parameter_count; i++)
		named -= endpoint->parameters[i].place == PLACE_PATH;
	return named == 0 || loader_fault(l, operation, "a path parameter is not in the path");
}

bool load_parameters(struct loader *l, const struct spot *path_item, const struct spot *operation,
                     struct endpoint *endpoint)
{
	return read_list(l, path_item, endpoint) && read_list(l, operation, endpoint) &&
	       check_template(l, operation, endpoint);
}

/* The scopes of the scheme `token` and nothing else; NULL after a fault. */
static const json_t *token_scopes(struct loader *l, const struct spot *operation, const json_t *one)
{
	const json_t *scopes = json_object_get(one, "token");

	if (json_is_array(scopes) && json_object_size(one) == 1 &&
	    json_array_size(scopes) <= ENDPOINT_SCOPES)
		return scopes;
	loader_fault(l, operation,
	             "`security` names the scheme `token` and its scopes, %d at most, once",
	             ENDPOINT_SCOPES);
	return NULL;
}

/* `[]`: nobody needs a token. `[{}, {token}]`: who has none is the public. */
bool load_security(struct loader *l, const struct spot *operation, struct endpoint *endpoint)
{
	const json_t *security = json_object_get(operation->json, "security");
	const json_t *first = json_array_get(security, 0), *scopes, *scope;
	size_t i;

	if (!json_is_array(security))
		return loader_fault(l, operation,
		                    "no `security`: a public operation says `security: []`");
	endpoint->public = json_array_size(security) == 0;
	if (endpoint->public)
		return true;
	endpoint->optional = json_is_object(first) && json_object_size(first) == 0;
	if (json_array_size(security) != (endpoint->optional ? 2 : 1))
		return loader_fault(l, operation, "`security` has one way in, or {} before it");
	scopes = token_scopes(l, operation, json_array_get(security, endpoint->optional));
	if (!scopes)
		return false;
	json_array_foreach (scopes, i, scope)
		endpoint->wants[i] = json_string_value(scope);
	return true;
}

bool load_roles(struct loader *l, const struct spot *operation, struct endpoint *endpoint)
{
	const json_t *roles = json_object_get(operation->json, "x-roles");
	const json_t *role;
	size_t i;

	if (!roles)
		return true;
	if (endpoint->public)
		return loader_fault(l, operation, "a public operation has no `x-roles`");
	if (json_array_size(roles) == 0 || json_array_size(roles) > ENDPOINT_ROLES)
		return loader_fault(l, operation, "`x-roles` lists one role or more, %d at most",
		                    ENDPOINT_ROLES);
	json_array_foreach (roles, i, role) {
		if (!json_is_string(role))
			return loader_fault(l, operation, "`x-roles` lists names of roles");
		endpoint->roles[i] = json_string_value(role);
	}
	return true;
}

bool load_cost(struct loader *l, const struct spot *operation, struct endpoint *endpoint)
{
	const json_t *cost = json_object_get(operation->json, "x-cost");
	json_int_t value = cost ? json_integer_value(cost) : 1;

	if (value < 1 || value > ENDPOINT_COST)
		return loader_fault(l, operation, "`x-cost` is an integer from 1 to %d",
		                    ENDPOINT_COST);
	endpoint->cost = (unsigned)value;
	return true;
}

bool load_rule(struct loader *l, const struct spot *operation, struct endpoint *endpoint)
{
	const json_t *rule = json_object_get(operation->json, "x-rule");

	endpoint->rule = json_string_value(rule);
	if (rule && (!endpoint->rule || !endpoint->body))
		return loader_fault(l, operation,
		                    "`x-rule` names the rule that a body keeps: there is no body, "
		                    "or no name");
	return true;
}

/* QUERY is safe and idempotent: a client or a proxy repeats it without asking. */
bool load_query(struct loader *l, const struct spot *operation, struct endpoint *endpoint)
{
	const json_t *query = json_object_get(operation->json, "x-query");

	endpoint->query = json_is_true(query);
	if (query && !endpoint->query)
		return loader_fault(l, operation, "`x-query` is `true` or absent");
	if (endpoint->query && (endpoint->method != METHOD_POST || !endpoint->reads))
		return loader_fault(
			l, operation,
			"`x-query` is for a POST that changes nothing (`x-reads: true`)");
	if (endpoint->query && (!endpoint->body || !endpoint->body_required || endpoint->takes_key))
		return loader_fault(l, operation,
		                    "`x-query` needs a required body, and no Idempotency-Key");
	return true;
}
