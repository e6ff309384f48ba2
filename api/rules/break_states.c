/* The machine of a break's states. */
#include "rules/break_states.h"

#include <string.h>

#include "rules/machine.h"

enum { SAME = MACHINE_SAME };
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

static const struct machine_state states[] = {
	{ "referred", REFERRED, "referred" },
	{ "conversation_held", CONVERSATION_HELD, "talked over" },
	{ "agreed", AGREED, "agreed" },
	{ "active", ACTIVE, "active" },
	{ "paused", PAUSED, "paused" },
	{ "ended", ENDED, "ended" },
	{ "declined", DECLINED, "declined" },
};

static const struct machine_action actions[] = {
	{ "update", "changed" }, { "conversation", "talked over" },
	{ "agree", "agreed" },   { "start", "started" },
	{ "pause", "paused" },   { "resume", "resumed" },
	{ "end", "ended" },      { "decline", "declined" },
};

static const struct machine_step steps[] = {
#define X(from, action, to, side, must) { from, #action, to, side },
#include "rules/break_states.def"
#undef X
};

static const struct machine machine = {
	.thing = "break",
	.states = states,
	.actions = actions,
	.steps = steps,
	.state_count = COUNT_OF(states),
	.action_count = COUNT_OF(actions),
	.step_count = COUNT_OF(steps),
};

/* What is the provider's word alone on length and frequency (rule B2). */
static bool providers_word(const char *action)
{
	return strcmp(action, "conversation") == 0 || strcmp(action, "agree") == 0;
}

bool break_step(const struct break_now *now, const char *action, const char **ret_state,
                struct problem *p)
{
	unsigned sides = (now->provider ? PROVIDER : 0) | (now->arranger ? ARRANGER : 0);

	if (!now->provider && providers_word(action))
		return problem_rule(p, "B2",
		                    "the conversation, and what was agreed in it, is recorded by "
		                    "the break's provider alone");
	return machine_step(&machine, now->state, action, sides, ret_state, p);
}
