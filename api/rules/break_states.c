/* The machine of a break's states. */
#include "rules/break_states.h"

#include <jansson.h>
#include <string.h>

enum { SAME = 0 };
enum { PROVIDER = 1, ARRANGER = 2 };
enum {
	REFERRED = 1,
	CONVERSATION_HELD = 2,
	AGREED = 4,
	ACTIVE = 8,
	PAUSED = 16,
	ENDED = 32,
	DECLINED = 64,
};

static const struct {
	const char *code;
	unsigned bit;
	const char *words; /* "a break that is ..." */
} states[] = {
	{ "referred", REFERRED, "referred" },
	{ "conversation_held", CONVERSATION_HELD, "talked over" },
	{ "agreed", AGREED, "agreed" },
	{ "active", ACTIVE, "active" },
	{ "paused", PAUSED, "paused" },
	{ "ended", ENDED, "ended" },
	{ "declined", DECLINED, "declined" },
};

static const struct {
	const char *action, *words; /* "... cannot be" */
	bool word; /* rule B2: on length and frequency it is the provider's alone */
} done[] = {
	{ "update", "changed", false }, { "conversation", "talked over", true },
	{ "agree", "agreed", true },    { "start", "started", false },
	{ "pause", "paused", false },   { "resume", "resumed", false },
	{ "end", "ended", false },      { "decline", "declined", false },
};

static const struct step {
	unsigned from;
	const char *action;
	unsigned to, sides;
} steps[] = {
#define X(from, action, to, side, must) { from, #action, to, side },
#include "rules/break_states.def"
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

static size_t doing(const char *action)
{
	size_t i = 0;

	while (i < COUNT_OF(done) - 1 && strcmp(done[i].action, action) != 0)
		i++;
	return i;
}

static bool another_sides(const struct break_now *now, size_t action, struct problem *p)
{
	if (done[action].word && !now->provider)
		return problem_rule(p, "B2",
		                    "the conversation, and what was agreed in it, is recorded by "
		                    "the break's provider alone");
	problem_member(p, "state", json_string(now->state));
	return problem(p, PROBLEM_STATE_CONFLICT,
	               "it is not for this side of the break that it be %s", done[action].words);
}

bool break_step(const struct break_now *now, const char *action, const char **ret_state,
                struct problem *p)
{
	size_t from = named(now->state), does = doing(action);
	unsigned acting = (now->provider ? PROVIDER : 0) | (now->arranger ? ARRANGER : 0);
	bool side = false; /* the caller's side does this, in other states */

	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		const struct step *s = &steps[i];

		if (strcmp(s->action, action) != 0 || !(s->sides & acting))
			continue;
		side = true;
		if (!(s->from & states[from].bit))
			continue;
		*ret_state = code_of(s->to == SAME ? states[from].bit : s->to);
		return true;
	}
	if (!side)
		return another_sides(now, does, p);
	problem_member(p, "state", json_string(now->state));
	return problem(p, PROBLEM_STATE_CONFLICT, "a break that is %s cannot be %s",
	               states[from].words, done[does].words);
}
