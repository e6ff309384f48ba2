/* ETags and the headers that compare them. */
#include "call/precondition.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

void etag_of(const char *version, char ret_etag[static REPLY_ETAG])
{
	snprintf(ret_etag, REPLY_ETAG, "\"v%s\"", version);
}

static const char *skip_separators(const char *at) { return at + strspn(at, " \t,"); }

/* The size of the opaque tag at `at` with its quotes, or 0. */
static size_t tag_size(const char *at)
{
	const char *end = *at == '"' ? strchr(at + 1, '"') : NULL;

	return end ? (size_t)(end - at) + 1 : 0;
}

/* The size that the tag would have without the mark of its coding. */
static size_t plain_size(const char *tag, size_t size)
{
	size_t mark = sizeof ETAG_GZIP - 1;

	return size > mark && strncmp(tag + size - mark, ETAG_GZIP, mark) == 0 ? size - mark + 1
	                                                                       : size;
}

bool etag_listed(const char *header, const char *etag)
{
	size_t size, plain = strlen(etag);

	if (!header)
		return false;
	for (const char *at = skip_separators(header); *at; at = skip_separators(at + size)) {
		if (*at == '*')
			return true;
		at += text_starts(at, "W/") ? 2 : 0;
		size = tag_size(at);
		if (size == 0)
			return false;
		if (plain_size(at, size) == plain && strncmp(at, etag, plain - 1) == 0)
			return true;
	}
	return false;
}

/* Adds the version in the tag "v7" to the list, if it is one of ours. */
static void add_version(const char *tag, size_t size, char versions[static MATCH_TEXT])
{
	size_t have = strlen(versions);
	char number[20];
	uint64_t version;

	size = plain_size(tag, size);
	if (size < 4 || size - 3 >= sizeof number || tag[1] != 'v')
		return;
	snprintf(number, sizeof number, "%.*s", (int)(size - 3), tag + 2);
	if (text_number(number, 1, INT64_MAX, &version))
		snprintf(versions + have, MATCH_TEXT - have, "%s%s", have ? "," : "", number);
}

void match_versions(const char *header, char ret_versions[static MATCH_TEXT])
{
	size_t size;

	*ret_versions = '\0';
	if (!header)
		return;
	for (const char *at = skip_separators(header); *at; at = skip_separators(at + size)) {
		bool weak = text_starts(at, "W/");

		if (*at == '*') {
			snprintf(ret_versions, MATCH_TEXT, "*");
			return;
		}
		at += weak ? 2 : 0;
		size = tag_size(at);
		if (size == 0)
			break;
		if (!weak && strlen(ret_versions) + size < MATCH_TEXT)
			add_version(at, size, ret_versions);
	}
	if (!*ret_versions)
		snprintf(ret_versions, MATCH_TEXT, "-1");
}
