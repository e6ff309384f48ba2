/* Failures as values: one code, one sentence, and what the caller of the API needs besides. */
#include "base/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const struct problem_kind kinds[PROBLEM_CODES] = {
	[PROBLEM_NONE] = { .slug = "", .title = "", .advice = "", .status = 200 },
#define X(symbol, code, name, words, hint)                                           \
	[PROBLEM_##symbol] = {                                                       \
		.slug = (name), .title = (words), .advice = (hint), .status = (code) \
	},
#include "base/problems.def"
#undef X
};

const struct problem_kind *problem_kind(enum problem_code code) { return &kinds[code]; }

bool problem(struct problem *p, enum problem_code code, const char *fmt, ...)
{
	va_list ap;

	p->code = code;
	va_start(ap, fmt);
	vsnprintf(p->detail, sizeof p->detail, fmt, ap);
	va_end(ap);
	text_whole(p->detail); /* it may name a member of the client's */
	return false;
}

bool problem_rule(struct problem *p, const char *rule, const char *fmt, ...)
{
	va_list ap;

	p->code = PROBLEM_RULE_VIOLATED;
	va_start(ap, fmt);
	vsnprintf(p->detail, sizeof p->detail, fmt, ap);
	va_end(ap);
	text_whole(p->detail);
	problem_member(p, "rule", json_string(rule));
	return false;
}

void problem_member(struct problem *p, const char *name, json_t *value)
{
	if (!value)
		return;
	if (!p->members)
		p->members = json_object();
	if (!p->members) {
		json_decref(value);
		return;
	}
	json_object_set_new(p->members, name,
	                    value); /* without memory the problem has one member less */
}

static json_t *faults_of(struct problem *p)
{
	json_t *faults = p->members ? json_object_get(p->members, "errors") : NULL;

	if (faults)
		return faults;
	problem_member(p, "errors", json_array());
	return p->members ? json_object_get(p->members, "errors") : NULL;
}

static json_t *fault_new(const char *pointer, const char *keyword, const char *message)
{
	json_auto_t *fault = json_object();

	if (!fault || json_object_set_new(fault, "pointer", json_string(pointer)) < 0 ||
	    json_object_set_new(fault, "keyword", json_string(keyword)) < 0 ||
	    json_object_set_new(fault, "message", json_string(message)) < 0)
		return NULL;
	return TAKE(fault);
}

bool problem_fault(struct problem *p, enum problem_code code, const char *pointer,
                   const char *keyword, const char *fmt, ...)
{
	json_t *faults = faults_of(p);
	json_auto_t *fault = NULL;
	char message[PROBLEM_MESSAGE];
	const char *where = *pointer ? pointer : "the body";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	text_whole(message);
	fault = fault_new(pointer, keyword, message);
	if (json_array_size(faults) < PROBLEM_FAULTS)
		json_array_append(faults, fault);
	if (json_array_size(faults) > 1)
		return problem(p, code, "%zu things are wrong; `errors` names each",
		               json_array_size(faults));
	if (strlen(where) + strlen(message) + 2 > sizeof p->detail)
		return problem(p, code, "one thing is wrong; `errors` says what and where");
	return problem(p, code, "%s %s", where, message);
}

void problem_done(struct problem *p)
{
	json_decref(p->members);
	*p = (struct problem){ .code = PROBLEM_NONE };
}
