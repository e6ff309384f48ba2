/* A pattern: parsed as ECMA-262 has it, then handed to what can run it. */
#include "jsonschema/regex.h"

#include <stdio.h>

#include "jsonschema/regex_private.h"

struct regex {
	struct dfa *dfa; /* or */
	struct pcre *pcre;
};

static bool make(struct regex *regex, struct arena *arena, const struct re *tree, char *what,
                 size_t size)
{
	regex->dfa = js_dfa_new(arena, tree);
	if (!regex->dfa)
		regex->pcre = js_pcre_new(arena, tree, what, size);
	return regex->dfa || regex->pcre;
}

struct regex *js_regex_new(struct arena *arena, const char *pattern, size_t length, char *what,
                           size_t size)
{
	const char *why = NULL;
	struct arena trees = { 0 };
	const struct re *tree = js_regex_parse(&trees, pattern, length, &why);
	struct regex *regex = tree ? js_arena_take(arena, sizeof(*regex)) : NULL;
	bool made = regex && make(regex, arena, tree, what, size);

	if (!regex)
		snprintf(what, size, "%s", why ? why : "there is no memory");
	js_arena_release(&trees);
	return made ? regex : NULL;
}

void js_regex_release(struct regex *regex)
{
	if (regex)
		js_pcre_release(regex->pcre);
}

enum regex_answer js_regex_match(const struct regex *regex, const char *text, size_t length,
                                 unsigned long *steps)
{
	if (regex->dfa)
		return js_dfa_match(regex->dfa, text, length) ? REGEX_YES : REGEX_NO;
	return js_pcre_match(regex->pcre, text, length, steps);
}

bool js_regex_valid(const char *pattern, size_t length)
{
	const char *why;
	return js_regex_parse(NULL, pattern, length, &why) != NULL;
}
