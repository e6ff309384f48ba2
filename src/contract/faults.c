/* Validation by a compiled schema, with its faults in a problem. */
#include "contract/faults.h"

#include <stdio.h>

#include "base/text.h"

struct report {
	struct problem *problem;
	enum problem_code code;
	const char *prefix;
};

static bool add(void *context, const struct jsonschema_fault *fault)
{
	struct report *r = context;
	char pointer[512];

	snprintf(pointer, sizeof pointer, "%s%s", r->prefix, fault->instance);
	text_whole(pointer);
	problem_fault(r->problem, r->code, pointer, fault->keyword, "%s", fault->message);
	return true;
}

bool faults_validate(const struct jsonschema *schema, const json_t *json, enum problem_code code,
                     const char *prefix, struct problem *p)
{
	struct report report = { .problem = p, .code = code, .prefix = prefix };

	return jsonschema_validate(schema, json, add, &report);
}

bool faults_validate_body(const struct endpoint *endpoint, const json_t *body, struct problem *p)
{
	if (faults_validate(endpoint->body, body, PROBLEM_VALIDATION_FAILED, "", p))
		return true;
	if (endpoint->rule)
		problem_member(p, "rule", json_string(endpoint->rule));
	return false;
}
