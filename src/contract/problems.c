/* The slugs that the contract promises against the one list in problems.def. */
#include <string.h>

#include "base/json.h"
#include "base/problem.h"
#include "contract/load.h"

static enum problem_code code_of(const char *slug)
{
	enum problem_code code = PROBLEM_NONE + 1;

	while (code < PROBLEM_CODES && strcmp(problem_kind(code)->slug, slug) != 0)
		code++;
	return code;
}

static void take(struct loader *l, const json_t *slugs, bool seen[PROBLEM_CODES + 1])
{
	const json_t *slug;
	size_t i;

	json_array_foreach (slugs, i, slug) {
		enum problem_code code =
			code_of(json_string_value(slug) ? json_string_value(slug) : "");

		if (code == PROBLEM_CODES)
			loader_fault(l, NULL, "the slug %s is not in problems.def",
			             json_string_value(slug));
		seen[code] = true;
	}
}

/* The document is ours and small: every object is looked at. */
static void walk(struct loader *l, json_t *json, bool seen[PROBLEM_CODES + 1])
{
	json_t *value;
	const char *name;
	size_t i;

	json_array_foreach (json, i, value)
		walk(l, value, seen);
	json_object_foreach (json, name, value) {
		if (strcmp(name, "x-problem") == 0)
			take(l, value, seen);
		walk(l, value, seen);
	}
}

void check_problems(struct loader *l)
{
	bool seen[PROBLEM_CODES + 1] = { 0 };

	walk(l, l->document, seen);
	for (enum problem_code code = PROBLEM_NONE + 1; code < PROBLEM_CODES; code++)
		if (!seen[code])
			loader_fault(l, NULL,
			             "no response has the x-problem %s, which is in problems.def",
			             problem_kind(code)->slug);
}
