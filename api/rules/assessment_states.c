/* The machine of an assessment's states, and what an assessment does not say of breaks. */
#include "rules/assessment_states.h"

#include <string.h>

enum { SAME = 0 };
enum { STATUTORY = 1, LIGHT_TOUCH = 2, REVIEW = 4, REASSESSMENT = 8 };
enum { COUNCIL_ADMIN = 1, PRACTITIONER = 2, ASSESSOR = 4, HOSPITAL_IN_REACH = 8, CARER = 16 };
enum {
	NONE = 1,
	OFFERED = 2,
	REQUESTED = 4,
	DUE = 8,
	SCHEDULED = 16,
	IN_PROGRESS = 32,
	COMPLETED = 64,
	DECLINED = 128,
	CANCELLED = 256,
	FULL_OFFERED = 512,
	FULL_REQUESTED = 1024,
	FULL_DECLINED = 2048,
	SETTLED = COMPLETED | FULL_OFFERED | FULL_REQUESTED | FULL_DECLINED,
};

struct name {
	const char *code;
	unsigned bit;
	const char *words;
};

static const struct name kinds[] = {
	{ "statutory", STATUTORY, "statutory assessment" },
	{ "light_touch", LIGHT_TOUCH, "light-touch assessment" },
	{ "review", REVIEW, "review" },
	{ "reassessment", REASSESSMENT, "reassessment" },
	{ 0 },
};

static const struct name states[] = {
	{ "none", NONE, "not there" },
	{ "offered", OFFERED, "offered" },
	{ "requested", REQUESTED, "requested" },
	{ "due", DUE, "due" },
	{ "scheduled", SCHEDULED, "scheduled" },
	{ "in_progress", IN_PROGRESS, "in progress" },
	{ "completed", COMPLETED, "completed" },
	{ "declined", DECLINED, "declined" },
	{ "cancelled", CANCELLED, "cancelled" },
	{ "full_offered", FULL_OFFERED, "followed by the offer of a full one" },
	{ "full_requested", FULL_REQUESTED, "followed by the request of a full one" },
	{ "full_declined", FULL_DECLINED, "not to be followed by a full one" },
	{ 0 },
};

static const struct name roles[] = {
	{ "council_admin", COUNCIL_ADMIN, "" },
	{ "practitioner", PRACTITIONER, "" },
	{ "assessor", ASSESSOR, "" },
	{ "hospital_in_reach", HOSPITAL_IN_REACH, "" },
	{ "carer", CARER, "" },
	{ 0 },
};

static const struct {
	const char *action, *words; /* "... cannot be" */
} done[] = {
	{ "create", "made" },
	{ "update", "changed" },
	{ "schedule", "scheduled" },
	{ "start", "started" },
	{ "complete", "completed" },
	{ "offer_full", "followed by the offer of a full one" },
	{ "full_response", "answered with yes or no to a full one" },
	{ "decline", "declined" },
	{ "cancel", "cancelled" },
};

static const struct step {
	unsigned kinds, from;
	const char *action;
	unsigned to, roles;
} steps[] = {
#define X(kinds, from, action, to, roles) { kinds, from, #action, to, roles },
#include "rules/assessment_states.def"
#undef X
};

/* The row of the code; the last one, without a bit, for a code that is none of ours. */
static const struct name *named(const struct name *names, const char *code)
{
	while (names->code && strcmp(names->code, code) != 0)
		names++;
	return names;
}

static const char *code_of(const struct name *names, unsigned bit)
{
	while (names->code && names->bit != bit)
		names++;
	return names->code;
}

static const char *words_of(const char *action)
{
	for (size_t i = 0; i < COUNT_OF(done); i++)
		if (strcmp(done[i].action, action) == 0)
			return done[i].words;
	return "changed";
}

static bool refuse(const struct assessment_now *now, const char *action, unsigned acting,
                   struct problem *p)
{
	const struct name *kind = named(kinds, now->kind), *state = named(states, now->state);

	if (!(acting & named(roles, now->role)->bit))
		return problem(p, PROBLEM_FORBIDDEN, "this role may not %s a %s",
		               strcmp(action, "create") == 0 ? "make" : "do this with",
		               kind->words);
	if (now->theirs)
		return problem(p, PROBLEM_FORBIDDEN, "this assessment is another assessor's");
	if (strcmp(action, "update") == 0 && (state->bit & SETTLED))
		return problem_rule(p, "A8",
		                    "a completed assessment does not change: make a reassessment "
		                    "that follows it");
	problem_member(p, "state", json_string(now->state));
	return problem(p, PROBLEM_STATE_CONFLICT, "a %s that is %s cannot be %s", kind->words,
	               state->words, words_of(action));
}

bool assessment_step(const struct assessment_now *now, const char *action, const char *wanted,
                     const char **ret_state, struct problem *p)
{
	unsigned kind = named(kinds, now->kind)->bit, from = named(states, now->state)->bit;
	unsigned role = named(roles, now->role)->bit, to = wanted ? named(states, wanted)->bit : 0;
	unsigned acting = 0; /* who may do it with this kind in any state */

	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		const struct step *s = &steps[i];

		if (!(s->kinds & kind) || strcmp(s->action, action) != 0 || (to && s->to != to))
			continue;
		acting |= s->roles;
		if (!(s->from & from) || !(s->roles & role) || now->theirs)
			continue;
		*ret_state = code_of(states, s->to == SAME ? from : s->to);
		return true;
	}
	/* An action that this kind never has is refused for its state, whoever asks. */
	return refuse(now, action, acting ? acting : role, p);
}

static const char *const break_terms[] = { "break_length", "break_hours", "break_duration",
	                                   "break_frequency" };

bool assessment_names_no_break(const json_t *body, struct problem *p)
{
	for (size_t i = 0; i < COUNT_OF(break_terms); i++)
		if (json_object_get(body, break_terms[i]))
			return problem_rule(p, "A7",
			                    "an assessment says with break_recommended that a "
			                    "break would help; how long and how often is "
			                    "agreed with the provider");
	return true;
}
