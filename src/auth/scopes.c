/* Scopes: words parted by single spaces (RFC 6749, 3.3). */
#include "auth/scopes.h"

#include <string.h>

static bool granted_one(const char *granted, const char *scope)
{
	size_t size = strlen(scope);

	while (*granted) {
		size_t word = strcspn(granted, " ");

		if (word == size && memcmp(granted, scope, size) == 0)
			return true;
		granted += word;
		granted += *granted == ' ';
	}
	return false;
}

bool scopes_cover(const char *granted, const char *const wanted[])
{
	for (; *wanted; wanted++)
		if (!granted_one(granted, *wanted))
			return false;
	return true;
}

/* scope-token of RFC 6749, appendix A.4: %x21 / %x23-5B / %x5D-7E */
static bool scope_sign(char c) { return c >= '!' && c <= '~' && c != '"' && c != '\\'; }

bool scopes_well_formed(const char *scope)
{
	bool in_word = false;

	if (!*scope)
		return true;
	for (; *scope; scope++) {
		if (*scope == ' ' && !in_word)
			return false;
		if (*scope != ' ' && !scope_sign(*scope))
			return false;
		in_word = *scope != ' ';
	}
	return in_word;
}
