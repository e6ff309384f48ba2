/* A pattern: parsed as ECMA-262 has it, then handed to what can run it. */
#include "jsonschema/regex.h"

#include <stdio.h>

#include "jsonschema/regex_private.h"

struct regex {
	struct pcre *pcre;
};

struct regex *js_regex_new(struct arena *arena, const char *pattern, size_t length, char *what,
                           size_t size)
{
	const char *why = NULL;
	const struct re *tree = js_regex_parse(arena, pattern, length, &why);
	struct regex *regex = tree ? js_arena_take(arena, sizeof(*regex)) : NULL;

	if (!regex) {
		snprintf(what, size, "%s", why ? why : "there is no memory");
		return NULL;
	}
	regex->pcre = js_pcre_new(arena, tree, what, size);
	return regex->pcre ? regex : NULL;
}

void js_regex_release(struct regex *regex)
{
	if (regex)
		js_pcre_release(regex->pcre);
}

enum regex_answer js_regex_match(const struct regex *regex, const char *text, size_t length)
{
	return js_pcre_match(regex->pcre, text, length);
}

bool js_regex_valid(const char *pattern, size_t length)
{
	const char *why;
	return js_regex_parse(NULL, pattern, length, &why) != NULL;
}
