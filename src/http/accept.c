/* The Accept header (RFC 9110, 12.5.1), as far as one representation an operation needs it. */
#include <string.h>
#include <strings.h>

#include "http/exchange_own.h"

/* How closely a range fits: 3 the type itself, 2 its family, 1 anything, 0 not at all. */
static int fit(const char *range, size_t size, const char *media)
{
	size_t family = strcspn(media, "/") + 1;

	if (size == strlen(media) && strncasecmp(range, media, size) == 0)
		return 3;
	if (size == family + 1 && strncasecmp(range, media, family) == 0 && range[family] == '*')
		return 2;
	return size == 3 && strncmp(range, "*/*", 3) == 0;
}

/* ";q=0", "; q=0.000" and their like: not acceptable. */
static bool refused(const char *parameters, size_t size)
{
	const char *end = parameters + size;

	for (const char *at = parameters; at + 2 < end; at++) {
		if ((at[0] != 'q' && at[0] != 'Q') || at[1] != '=' || !strchr("; \t", at[-1]))
			continue;
		for (at += 2; at < end && (*at == '0' || *at == '.'); at++)
			;
		return at == end || strchr(" \t;", *at) != NULL;
	}
	return false;
}

bool accept_allows(const char *accept, const char *media)
{
	int best = 0;
	bool allowed = false;

	if (!accept || !media || !*accept)
		return true;
	for (const char *at = accept; *at;) {
		size_t whole = strcspn(at, ","), range;
		int how;

		range = strcspn(at, ",; \t");
		how = fit(at, range, media);
		if (how > best) {
			best = how;
			allowed = !refused(at + range, whole - range);
		}
		at += whole;
		at += strspn(at, ", \t");
	}
	return allowed;
}
