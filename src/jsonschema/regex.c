/* A pattern: parsed as ECMA-262 has it, then handed to what can run it. */
#include "jsonschema/regex.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsonschema/regex_private.h"

struct regex {
	struct arena arena; /* of all that follows */
	atomic_uint holders;
	const char *pattern;
	size_t length;
	struct dfa *dfa; /* or */
	struct pcre *pcre;
};

static bool make(struct regex *regex, const struct re *tree, char *what, size_t size)
{
	regex->dfa = js_dfa_new(&regex->arena, tree);
	if (!regex->dfa)
		regex->pcre = js_pcre_new(&regex->arena, tree, what, size);
	return regex->dfa || regex->pcre;
}

/* Without what the tree is made into. */
static struct regex *regex_of(const char *pattern, size_t length)
{
	struct regex *regex = calloc(1, sizeof(*regex));

	if (!regex)
		return NULL;
	atomic_store(&regex->holders, 1);
	regex->length = length;
	regex->pattern = js_arena_copy(&regex->arena, pattern, length);
	if (regex->pattern)
		return regex;
	js_regex_release(regex);
	return NULL;
}

struct regex *js_regex_new(const char *pattern, size_t length, char *what, size_t size)
{
	const char *why = NULL;
	struct arena trees = { 0 };
	const struct re *tree = js_regex_parse(&trees, pattern, length, &why);
	struct regex *regex = tree ? regex_of(pattern, length) : NULL;

	if (!regex) {
		snprintf(what, size, "%s", why ? why : "there is no memory");
	} else if (!make(regex, tree, what, size)) {
		js_regex_release(regex);
		regex = NULL;
	}
	js_arena_release(&trees);
	return regex;
}

struct regex *js_regex_hold(struct regex *regex)
{
	atomic_fetch_add(&regex->holders, 1);
	return regex;
}

void js_regex_release(struct regex *regex)
{
	if (!regex || atomic_fetch_sub(&regex->holders, 1) > 1)
		return;
	js_pcre_release(regex->pcre);
	js_arena_release(&regex->arena);
	free(regex);
}

bool js_regex_is(const struct regex *regex, const char *pattern, size_t length)
{
	return regex->length == length && memcmp(regex->pattern, pattern, length) == 0;
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
