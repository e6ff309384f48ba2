/* Machines of states. What each of them is stands in its .def. */
#include "rules/machine.h"

#include <jansson.h>
#include <string.h>

static const struct machine_state *state_named(const struct machine *m, const char *code)
{
	size_t i = 0;

	while (i < m->state_count - 1 && strcmp(m->states[i].code, code) != 0)
		i++;
	return &m->states[i];
}

static const char *code_of(const struct machine *m, unsigned bit)
{
	size_t i = 0;

	while (i < m->state_count - 1 && m->states[i].bit != bit)
		i++;
	return m->states[i].code;
}

static const char *words_of(const struct machine *m, const char *action)
{
	size_t i = 0;

	while (i < m->action_count - 1 && strcmp(m->actions[i].code, action) != 0)
		i++;
	return m->actions[i].words;
}

static bool refuse(const struct machine *m, const struct machine_state *from, const char *action,
                   bool side, struct problem *p)
{
	problem_member(p, "state", json_string(from->code));
	if (!side)
		return problem(p, PROBLEM_STATE_CONFLICT,
		               "it is not for this side of the %s that it be %s", m->thing,
		               words_of(m, action));
	return problem(p, PROBLEM_STATE_CONFLICT, "the %s is %s: it cannot be %s", m->thing,
	               from->words, words_of(m, action));
}

bool machine_step(const struct machine *machine, const char *state, const char *action,
                  unsigned sides, const char **ret_state, struct problem *p)
{
	const struct machine_state *from = state_named(machine, state);
	bool side = false; /* the caller's side does this, in other states */

	for (size_t i = 0; i < machine->step_count; i++) {
		const struct machine_step *s = &machine->steps[i];

		if (strcmp(s->action, action) != 0 || !(s->sides & sides))
			continue;
		side = true;
		if (!(s->from & from->bit))
			continue;
		*ret_state = s->to == MACHINE_SAME ? from->code : code_of(machine, s->to);
		return true;
	}
	return refuse(machine, from, action, side, p);
}
