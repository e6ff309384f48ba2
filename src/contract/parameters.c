/* Path, query and header parameters: found, defaulted, validated. */
#include "contract/parameters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "contract/faults.h"

static const char *const places[] = {
	[PLACE_PATH] = "path",
	[PLACE_QUERY] = "query",
	[PLACE_HEADER] = "header",
};

enum { POINTER = 128 };

static void pointer_of(char ret_pointer[static POINTER], enum place place, const char *name)
{
	snprintf(ret_pointer, POINTER, "/%s/%s", places[place], name);
}

static bool is_match(const struct parameter *parameter)
{
	return parameter->place == PLACE_HEADER && text_same_nocase(parameter->name, "If-Match");
}

/* As JSON writes numbers: no space around it, no hexadecimal, no infinity. */
static json_t *number_of(const char *text)
{
	json_auto_t *value = NULL;

	if (strspn(text, "-0123456789.eE") == strlen(text))
		value = json_loads(text, JSON_DECODE_ANY, NULL);
	return json_is_number(value) ? TAKE(value) : NULL;
}

/* The text as the JSON value that the schema speaks of; NULL when it is not of that type. */
static json_t *value_of(const struct parameter *parameter, const char *text)
{
	uint64_t number;
	bool yes;

	switch (parameter->type) {
	case VALUE_INTEGER:
		return text_number(text, 0, INT64_MAX, &number) ? json_integer((json_int_t)number)
		                                                : NULL;
	case VALUE_NUMBER:
		return number_of(text);
	case VALUE_BOOLEAN:
		return text_bool(text, &yes) ? json_boolean(yes) : NULL;
	case VALUE_LIST:
		return json_loads(text, 0, NULL);
	case VALUE_STRING:
		break;
	}
	return json_string(text); /* NULL when it is not UTF-8 */
}

static const char *const type_words[] = {
	[VALUE_STRING] = "must be text in UTF-8", [VALUE_INTEGER] = "must be a whole number",
	[VALUE_NUMBER] = "must be a number",      [VALUE_BOOLEAN] = "must be true or false",
	[VALUE_LIST] = "must be text in UTF-8",
};

static void check(const struct parameter *parameter, const char *text, struct problem *p)
{
	char pointer[POINTER];
	json_auto_t *value = value_of(parameter, text);

	pointer_of(pointer, parameter->place, parameter->name);
	if (!value)
		problem_fault(p, PROBLEM_INVALID_PARAMETER, pointer, "type", "%s",
		              type_words[parameter->type]);
	else if (!faults_validate(parameter->schema, value, PROBLEM_INVALID_PARAMETER, pointer, p))
		return;
}

/* The path's parameters stand in the order of the template's braces. */
static const char *path_value(const struct endpoint *endpoint, const struct url *url,
                              const char *name)
{
	const char *at = endpoint->path;

	for (size_t i = 0; i < url->segment_count; i++) {
		size_t size = strcspn(++at, "/");

		if (*at == '{' && size == strlen(name) + 2 && strncmp(at + 1, name, size - 2) == 0)
			return url->segments[i];
		at += size;
	}
	return NULL;
}

static const char *query_value(const struct url *url, const char *name, struct problem *p)
{
	const char *value = NULL;
	char pointer[POINTER];

	for (size_t i = 0; i < url->pair_count; i++) {
		if (strcmp(url->pairs[i].name, name) != 0)
			continue;
		if (value) {
			pointer_of(pointer, PLACE_QUERY, name);
			problem_fault(p, PROBLEM_INVALID_PARAMETER, pointer, "maxItems",
			              "is given more than once");
			return value;
		}
		value = url->pairs[i].value;
	}
	return value;
}

/* Every value of the name, as a JSON array; NULL when there is none, or memory ran out. */
static char *query_list(const struct url *url, const char *name)
{
	json_auto_t *list = json_array();
	bool good = list != NULL;

	for (size_t i = 0; i < url->pair_count && good; i++)
		if (strcmp(url->pairs[i].name, name) == 0)
			good = json_array_append_new(list, json_string(url->pairs[i].value)) == 0;
	return good && json_array_size(list) ? json_print(list) : NULL;
}

/* The words of one value with commas between them, as a JSON array; NULL when it is absent, or
 * memory ran out. */
static char *query_words(const struct url *url, const char *name, struct problem *p)
{
	const char *text = query_value(url, name, p);
	json_auto_t *list = text ? json_array() : NULL;
	bool good = list != NULL;

	while (good) {
		size_t size = strcspn(text, ",");

		good = json_array_append_new(list, json_stringn(text, size)) == 0;
		if (!text[size])
			break;
		text += size + 1;
	}
	return good ? json_print(list) : NULL;
}

static bool query_known(const struct endpoint *endpoint, const char *name)
{
	for (size_t i = 0; i < endpoint->parameter_count; i++)
		if (endpoint->parameters[i].place == PLACE_QUERY &&
		    strcmp(endpoint->parameters[i].name, name) == 0)
			return true;
	return false;
}

/* A misspelt parameter must not vanish. Its name is the stranger's: it is cut and never logged. */
static void refuse_unknown(const struct endpoint *endpoint, const struct url *url,
                           struct problem *p)
{
	char pointer[POINTER];

	for (size_t i = 0; i < url->pair_count; i++) {
		if (query_known(endpoint, url->pairs[i].name))
			continue;
		snprintf(pointer, sizeof pointer, "/query/%.64s", url->pairs[i].name);
		text_whole(pointer);
		problem_fault(p, PROBLEM_INVALID_PARAMETER, pointer, "additionalProperties",
		              "is not a parameter of this operation");
	}
}

static const char *find(const struct endpoint *endpoint, const struct parameter *parameter,
                        const struct url *url, const struct headers *headers, struct problem *p)
{
	switch (parameter->place) {
	case PLACE_PATH:
		return path_value(endpoint, url, parameter->name);
	case PLACE_QUERY:
		return query_value(url, parameter->name, p);
	case PLACE_HEADER:
		break;
	}
	return headers->get(headers->context, parameter->name);
}

static void missing(const struct parameter *parameter, struct problem *p)
{
	char pointer[POINTER];

	pointer_of(pointer, parameter->place, parameter->name);
	problem_fault(p, PROBLEM_INVALID_PARAMETER, pointer, "required", "is required");
}

bool parameters_read(const struct endpoint *endpoint, const struct url *url,
                     const struct headers *headers, struct arguments *ret_arguments,
                     struct problem *p)
{
	bool match_missing = false;

	for (size_t i = 0; i < endpoint->parameter_count; i++) {
		const struct parameter *parameter = &endpoint->parameters[i];
		const char *value;

		if (parameter->type == VALUE_LIST)
			value = ret_arguments->lists[i] =
				parameter->commas ? query_words(url, parameter->name, p)
						  : query_list(url, parameter->name);
		else
			value = find(endpoint, parameter, url, headers, p);
		ret_arguments->values[i] = value ? value : parameter->preset;
		if (value)
			check(parameter, value, p);
		else if (parameter->required && is_match(parameter))
			match_missing = true;
		else if (parameter->required)
			missing(parameter, p);
	}
	refuse_unknown(endpoint, url, p);
	if (p->code == PROBLEM_NONE && match_missing)
		return problem(p, PROBLEM_PRECONDITION_REQUIRED,
		               "send the ETag that you read in If-Match");
	return p->code == PROBLEM_NONE;
}

void arguments_done(struct arguments *arguments)
{
	for (size_t i = 0; i < COUNT_OF(arguments->lists); i++)
		free(arguments->lists[i]);
}

const char *arguments_get(const struct endpoint *endpoint, const struct arguments *arguments,
                          enum place place, const char *name)
{
	for (size_t i = 0; i < endpoint->parameter_count; i++)
		if (endpoint->parameters[i].place == place &&
		    strcmp(endpoint->parameters[i].name, name) == 0)
			return arguments->values[i];
	return NULL;
}

const char *arguments_target(const struct endpoint *endpoint, const struct arguments *arguments)
{
	const char *open = strrchr(endpoint->path, '{');
	size_t size = open ? strcspn(open + 1, "}") : 0;

	for (size_t i = 0; open && i < endpoint->parameter_count; i++) {
		const char *name = endpoint->parameters[i].name;

		if (endpoint->parameters[i].place == PLACE_PATH && strlen(name) == size &&
		    strncmp(open + 1, name, size) == 0)
			return arguments->values[i];
	}
	return NULL;
}
