/* The headers Accept and Accept-Encoding (RFC 9110, 12.5), as far as one representation an
 * operation needs them. */
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

static int fit_coding(const char *range, size_t size, const char *coding)
{
	if (size == strlen(coding) && strncasecmp(range, coding, size) == 0)
		return 2;
	return size == 1 && *range == '*';
}

/* What the range that fits most closely says. */
static bool allows(const char *list, const char *what,
                   int (*fits)(const char *range, size_t size, const char *what))
{
	int best = 0;
	bool allowed = false;

	for (const char *at = list; *at;) {
		size_t whole = strcspn(at, ","), range = strcspn(at, ",; \t");
		int how = fits(at, range, what);

		if (how > best) {
			best = how;
			allowed = !refused(at + range, whole - range);
		}
		at += whole;
		at += strspn(at, ", \t");
	}
	return allowed;
}

bool accept_allows(const char *accept, const char *media)
{
	return !accept || !media || !*accept || allows(accept, media, fit);
}

bool accept_encodes(const char *accept_encoding, const char *coding)
{
	return accept_encoding && allows(accept_encoding, coding, fit_coding);
}
