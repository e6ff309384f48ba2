/* The machine of a funding award's states. */
#include "rules/funding_states.h"

#include <jansson.h>
#include <string.h>

enum { APPLIED = 1, APPROVED = 2, REFUSED = 4, PAID = 8 };

static const struct {
	const char *code;
	unsigned bit;
	const char *words; /* "an award that is ..." */
} states[] = {
	{ "applied", APPLIED, "applied for" },
	{ "approved", APPROVED, "approved" },
	{ "refused", REFUSED, "refused" },
	{ "paid", PAID, "paid" },
};

static const struct {
	const char *action, *words; /* "... cannot be" */
} done[] = {
	{ "approve", "approved" },
	{ "refuse", "refused" },
	{ "pay", "paid" },
};

static const struct step {
	unsigned from;
	const char *action;
	unsigned to;
} steps[] = {
#define X(from, action, to, must) { from, #action, to },
#include "rules/funding_states.def"
#undef X
};

static size_t named(const char *code)
{
	size_t i = 0;

	while (i < COUNT_OF(states) - 1 && strcmp(states[i].code, code) != 0)
		i++;
	return i;
}

static const char *code_of(unsigned bit)
{
	size_t i = 0;

	while (i < COUNT_OF(states) - 1 && states[i].bit != bit)
		i++;
	return states[i].code;
}

static const char *words_of(const char *action)
{
	size_t i = 0;

	while (i < COUNT_OF(done) - 1 && strcmp(done[i].action, action) != 0)
		i++;
	return done[i].words;
}

bool funding_step(const char *state, const char *action, const char **ret_state, struct problem *p)
{
	size_t from = named(state);

	for (size_t i = 0; i < COUNT_OF(steps); i++)
		if (strcmp(steps[i].action, action) == 0 && steps[i].from & states[from].bit) {
			*ret_state = code_of(steps[i].to);
			return true;
		}
	problem_member(p, "state", json_string(state));
	return problem(p, PROBLEM_STATE_CONFLICT, "an award that is %s cannot be %s",
	               states[from].words, words_of(action));
}
