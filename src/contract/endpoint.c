/* Endpoints: methods, promises, and the end of one. */
#include "contract/endpoint.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[METHODS] = {
	[METHOD_GET] = "GET",     [METHOD_POST] = "POST",     [METHOD_PUT] = "PUT",
	[METHOD_PATCH] = "PATCH", [METHOD_DELETE] = "DELETE", [METHOD_QUERY] = "QUERY",
};

const char *method_name(enum method method) { return names[method]; }

enum method method_parse(const char *text)
{
	for (enum method m = 0; m < METHODS; m++)
		if (strcmp(names[m], text) == 0)
			return m;
	return METHODS;
}

const struct promise *endpoint_promise(const struct endpoint *endpoint, int status)
{
	const struct promise *preset = NULL;

	for (size_t i = 0; i < endpoint->promise_count; i++) {
		if (endpoint->promises[i].status == status)
			return &endpoint->promises[i];
		if (endpoint->promises[i].status == 0)
			preset = &endpoint->promises[i];
	}
	return preset;
}

void endpoint_done(struct endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->parameter_count; i++)
		free(endpoint->parameters[i].preset);
	free(endpoint->promises);
}
