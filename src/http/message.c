/* A request and a response without their library. */
#include "http/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *request_header(const struct request *request, const char *name)
{
	return request->headers.get(request->headers.context, name);
}

void response_header(struct response *response, const char *name, const char *fmt, ...)
{
	char *value = NULL;
	va_list ap;
	int size;

	if (response->header_count == RESPONSE_HEADERS)
		return;
	va_start(ap, fmt);
	size = vasprintf(&value, fmt, ap);
	va_end(ap);
	if (size < 0)
		return;
	response->headers[response->header_count].name = name;
	response->headers[response->header_count++].value = value;
}

const char *response_text(const struct response *response)
{
	return response->still ? response->still : response->body;
}

bool response_has(const struct response *response, const char *name)
{
	for (size_t i = 0; i < response->header_count; i++)
		if (strcmp(response->headers[i].name, name) == 0)
			return true;
	return false;
}

void response_done(struct response *response)
{
	for (size_t i = 0; i < response->header_count; i++)
		free(response->headers[i].value);
	free(response->body);
	*response = (struct response){ 0 };
}
