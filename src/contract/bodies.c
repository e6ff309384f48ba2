/* What goes in and what comes out of one operation. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "contract/load.h"

static bool is_json(const char *media)
{
	size_t size = strlen(media);

	return strcmp(media, "application/json") == 0 ||
	       (size > 5 && strcmp(media + size - 5, "+json") == 0);
}

/* The one media type of a `content`; NULL when there is none. */
static const char *only_media(const struct spot *content)
{
	void *first = json_object_iter(content->json);

	return first ? json_object_iter_key(first) : NULL;
}

/* The schema of a `content` entry with its examples checked; NULL after a fault or without a
 * schema. */
static struct jsonschema *schema_of(struct loader *l, const struct spot *content, const char *media)
{
	struct spot entry, schema;
	struct jsonschema *compiled;

	if (!spot_child(l, content, media, &entry) || !spot_member(&entry, "schema", &schema))
		return NULL;
	compiled = load_schema(l, &schema);
	if (compiled)
		check_examples(l, &entry, compiled);
	return compiled;
}

static bool load_request(struct loader *l, const struct spot *operation, struct endpoint *endpoint)
{
	struct spot body, content;

	if (!spot_child(l, operation, "requestBody", &body))
		return true;
	if (!spot_member(&body, "content", &content) || json_object_size(content.json) != 1)
		return loader_fault(l, &body, "a body is of exactly one media type");
	endpoint->media = only_media(&content);
	endpoint->body_required = json_is_true(json_object_get(body.json, "required"));
	if (!is_json(endpoint->media))
		return true;
	endpoint->body = schema_of(l, &content, endpoint->media);
	return endpoint->body || loader_fault(l, &content, "a JSON body has a schema");
}

bool load_body_limit(struct loader *l, const struct spot *operation, struct endpoint *endpoint)
{
	const json_t *limit = json_object_get(operation->json, "x-body-limit");
	json_int_t value = json_integer_value(limit);

	if (!limit)
		return !endpoint->media || endpoint->body ||
		       loader_fault(l, operation, "a body that is not JSON has an `x-body-limit`");
	if (value < 1 || value > ENDPOINT_BODY_LIMIT || !endpoint->media)
		return loader_fault(l, operation, "`x-body-limit` is of a body, from 1 byte to %d",
		                    ENDPOINT_BODY_LIMIT);
	endpoint->body_limit = (size_t)value;
	return true;
}

/* `anyOf: [whole, some]`: what a list answers without `fields`, and with it. */
static bool load_sparse(struct loader *l, const struct spot *content, const char *media,
                        struct promise *promise)
{
	struct spot entry, schema, forms, whole, some;

	if (!spot_child(l, content, media, &entry) || !spot_member(&entry, "schema", &schema) ||
	    !spot_member(&schema, "anyOf", &forms) || json_array_size(forms.json) != 2 ||
	    !spot_item(&forms, 0, &whole) || !spot_item(&forms, 1, &some))
		return loader_fault(l, content,
		                    "a list with `fields` is anyOf: whole items, some members");
	promise->schema = load_schema(l, &whole);
	promise->sparse = load_schema(l, &some);
	if (promise->schema)
		check_examples(l, &entry, promise->schema); /* examples are whole */
	return promise->schema && promise->sparse;
}

static bool load_promise(struct loader *l, const struct spot *response, const char *status,
                         struct promise *promise, struct endpoint *endpoint)
{
	struct spot content;
	const char *media;
	uint64_t number = 0;

	if (strcmp(status, "default") != 0 && !text_number(status, 200, 599, &number))
		return loader_fault(l, response, "a response is for one status or the default");
	promise->status = (int)number;
	promise->empty =
		!spot_member(response, "content", &content) || json_object_size(content.json) == 0;
	if (promise->empty)
		return true;
	media = only_media(&content);
	if (number >= 200 && number < 300 && !endpoint->answers)
		endpoint->answers = media;
	if (!is_json(media))
		return true;
	promise->schema = schema_of(l, &content, media);
	if (!promise->schema)
		return loader_fault(l, response, "a JSON response has a schema");
	return number != 200 || !endpoint->takes_fields || load_sparse(l, &content, media, promise);
}

bool load_bodies(struct loader *l, const struct spot *operation, struct endpoint *endpoint)
{
	struct spot responses, one;
	json_t *value;
	const char *status;

	if (!load_request(l, operation, endpoint))
		return false;
	if (!spot_member(operation, "responses", &responses))
		return loader_fault(l, operation, "no `responses`");
	endpoint->promises =
		calloc(json_object_size(responses.json) + 1, sizeof *endpoint->promises);
	if (!endpoint->promises)
		return loader_fault(l, operation, "no memory");
	json_object_foreach (responses.json, status, value) {
		struct promise *promise = &endpoint->promises[endpoint->promise_count++];

		if (!spot_child(l, &responses, status, &one) ||
		    !load_promise(l, &one, status, promise, endpoint))
			return false;
	}
	if (endpoint->takes_prefer && !json_object_get(responses.json, "204"))
		return loader_fault(l, &responses, "`Prefer` needs an answer 204");
	return true;
}
