/* Prefer (RFC 7240): of all preferences, whether a change answers with what it made. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "call/shape.h"

static const char space[] = " \t";

/* The end of the preference that begins here: a comma outside quotes, or the end of the header. */
static const char *end_of(const char *at)
{
	bool quoted = false;

	for (; *at && (quoted || *at != ','); at++) {
		if (*at == '"')
			quoted = !quoted;
		else if (quoted && *at == '\\' && at[1])
			at++;
	}
	return at;
}

/* `word`, in quotes or not, and after it nothing but a parameter or the end. */
static bool says(const char *at, const char *word)
{
	size_t size = strlen(word);
	bool quoted = *at == '"';

	at += quoted;
	if (strncmp(at, word, size) != 0 || (quoted && at[size] != '"'))
		return false;
	at += size + quoted;
	at += strspn(at, space);
	return *at == '\0' || *at == ',' || *at == ';';
}

/* The value of `return`, or NULL when the preference is another. */
static const char *value_of(const char *at)
{
	static const char name[] = "return";

	if (strncasecmp(at, name, sizeof name - 1) != 0)
		return NULL;
	at += sizeof name - 1;
	at += strspn(at, space);
	return *at == '=' ? at + 1 + strspn(at + 1, space) : NULL;
}

enum prefer prefer_return(const char *header)
{
	for (const char *at = header; at && *at;) {
		const char *end, *value;

		at += strspn(at, " \t,");
		end = end_of(at);
		value = value_of(at);
		if (value) /* of two of one name the first counts */
			return says(value, "minimal")          ? PREFER_MINIMAL
			       : says(value, "representation") ? PREFER_REPRESENTATION
			                                       : PREFER_NOTHING;
		at = end;
	}
	return PREFER_NOTHING;
}

void call_shape_prefer(struct call *c)
{
	struct reply *r = &c->reply;
	enum prefer asked = c->endpoint->takes_prefer ? prefer_return(call_header(c, "Prefer"))
	                                              : PREFER_NOTHING;

	if (asked == PREFER_NOTHING || (r->status != 200 && r->status != 201))
		return;
	r->preference = asked == PREFER_MINIMAL ? "return=minimal" : "return=representation";
	if (asked != PREFER_MINIMAL)
		return;
	free(r->body);
	r->body = NULL;
	r->size = 0;
	r->status = 204;
}
