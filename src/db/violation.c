/* What PostgreSQL refuses, in the service's words: a table, looked up by constraint, SQLSTATE and
 * class. */
#include "db/violation.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

struct violation {
	const char *key;
	enum problem_code code;
	const char *pointer, *keyword, *sentence;
};

static const struct violation violations[] = {
#define X(key, symbol, pointer, keyword, sentence) \
	{ key, PROBLEM_##symbol, pointer, keyword, sentence },
#include "db/violations.def"
#undef X
};

static const struct violation unknown = { "", PROBLEM_INTERNAL, "", "",
	                                  "the database refused a statement" };

static const struct violation *find(const char *key, size_t size)
{
	for (size_t i = 0; i < COUNT_OF(violations); i++)
		if (strlen(violations[i].key) == size && memcmp(violations[i].key, key, size) == 0)
			return &violations[i];
	return NULL;
}

static const struct violation *lookup(const struct db_refusal *r)
{
	const struct violation *found = NULL;

	if (r->constraint)
		found = find(r->constraint, strlen(r->constraint));
	if (!found && r->sqlstate)
		found = find(r->sqlstate, strlen(r->sqlstate));
	if (!found && r->sqlstate && strlen(r->sqlstate) > 2)
		found = find(r->sqlstate, 2);
	return found ? found : &unknown;
}

/* DETAIL's members become the problem's. What is no JSON object is passed over. */
static void add_members(struct problem *p, const char *detail)
{
	problem_auto ignored = { .code = PROBLEM_NONE };
	json_auto_t *members = NULL;
	const char *name;
	json_t *value;

	if (!detail || *detail != '{' || !json_read(detail, strlen(detail), &members, &ignored))
		return;
	json_object_foreach (members, name, value)
		problem_member(p, name, json_incref(value));
}

/* Refused by our own SQL: the words are ours. */
static bool our_own(const struct db_refusal *r, const struct violation *v, struct problem *p)
{
	const char *sentence = r->message && *r->message ? r->message : v->sentence;
	const char *keyword = r->constraint && *r->constraint ? r->constraint : v->keyword;
	const char *field = r->hint && *r->hint ? r->hint : r->column;
	char pointer[128] = "";

	add_members(p, r->detail);
	if (v->code == PROBLEM_RULE_VIOLATED)
		return problem_rule(p, r->hint ? r->hint : "", "%s", sentence);
	if (!*v->keyword || !field)
		return problem(p, v->code, "%s", sentence);
	snprintf(pointer, sizeof pointer, "%s%s", *field && *field != '/' ? "/" : "", field);
	text_whole(pointer);
	return problem_fault(p, v->code, pointer, keyword, "%s", sentence);
}

bool db_violation(const struct db_refusal *refusal, const char *query, struct problem *p)
{
	bool ours = refusal->sqlstate && text_starts(refusal->sqlstate, "CA");
	const struct violation *v = lookup(refusal);

	if (v->code == PROBLEM_UNAVAILABLE || v->code == PROBLEM_IDEMPOTENCY_IN_FLIGHT)
		p->retry_after = 1;
	if (ours && v->code != PROBLEM_INTERNAL)
		return our_own(refusal, v, p);
	log_event(LOG_WARNING, "database", "sqlstate", refusal->sqlstate, "constraint",
	          refusal->constraint, "query", query, NULL);
	if (v->code == PROBLEM_RULE_VIOLATED)
		return problem_rule(p, v->keyword, "%s", v->sentence);
	if (*v->pointer)
		return problem_fault(p, v->code, v->pointer, v->keyword, "%s", v->sentence);
	return problem(p, v->code, "%s", v->sentence);
}
