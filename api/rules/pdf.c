/* A PDF by its bytes: its header, its end, and where its end says that its contents are told of. */
#include "rules/pdf.h"

#include <stdbool.h>
#include <string.h>

#include "base/attr.h"

enum {
	TAIL = 1024,  /* readers look for the end in so many last bytes */
	ZIP_END = 22, /* the end of a ZIP archive without its comment */
	ZIP_COMMENT = 0xFFFF
};

static bool digit(char c) { return c >= '0' && c <= '9'; }

/* White space of ISO 32000, 7.2.3. */
static bool white(char c) { return c == '\0' || (c != '\0' && strchr("\t\n\f\r ", c)); }

/* The last place of `text` within the last bytes; NULL when it is not there. */
static const char *last(const char *bytes, size_t size, const char *text)
{
	size_t length = strlen(text), from = size > TAIL ? size - TAIL : 0;

	for (size_t i = size; i >= from + length; i--)
		if (memcmp(bytes + i - length, text, length) == 0)
			return bytes + i - length;
	return NULL;
}

/* "%PDF-1.4" and its like, at the very beginning, and the end of that line. */
static bool begins(const char *bytes, size_t size)
{
	return size > 9 && memcmp(bytes, "%PDF-", 5) == 0 && (bytes[5] == '1' || bytes[5] == '2') &&
	       bytes[6] == '.' && digit(bytes[7]) && white(bytes[8]);
}

/* At the place: a table of objects, or the object that is one. */
static bool has_table(const char *at, const char *end)
{
	const char *start = at;

	if (end - at > 4 && memcmp(at, "xref", 4) == 0)
		return true;
	while (at < end && digit(*at))
		at++;
	if (at == start || at == end || !white(*at))
		return false;
	for (start = ++at; at < end && digit(*at);)
		at++;
	return at > start && end - at > 4 && white(*at) && memcmp(at + 1, "obj", 3) == 0;
}

/* "startxref", the place, "%%EOF". */
static bool ends(const char *bytes, size_t size)
{
	const char *eof = last(bytes, size, "%%EOF");
	const char *at = eof ? last(bytes, (size_t)(eof - bytes), "startxref") : NULL;
	size_t place = 0;

	if (!at)
		return false;
	for (at += strlen("startxref"); at < eof && white(*at);)
		at++;
	for (; at < eof && digit(*at) && place < size; at++)
		place = place * 10 + (size_t)(*at - '0');
	for (; at < eof && white(*at);)
		at++;
	return at == eof && place < size && has_table(bytes + place, bytes + size);
}

/* An archive is read from its end, so a file can be a PDF and one of these. */
static bool is_archive(const char *bytes, size_t size)
{
	size_t most = size < ZIP_END + ZIP_COMMENT ? size : ZIP_END + ZIP_COMMENT;

	for (size_t i = ZIP_END; i <= most; i++) {
		const unsigned char *at = (const unsigned char *)bytes + size - i;

		if (memcmp(at, "PK\5\6", 4) == 0 && (size_t)(at[20] | at[21] << 8) == i - ZIP_END)
			return true;
	}
	return false;
}

const char *pdf_fault(const char *bytes, size_t size)
{
	if (size == 0)
		return "there are none";
	if (!begins(bytes, size))
		return "they do not begin as one";
	if (!ends(bytes, size))
		return "they do not end as one";
	return is_archive(bytes, size) ? "they are an archive, too" : NULL;
}

/* What runs, starts or carries something else (ISO 32000, 12.6.4, 7.11.4, 13.6). */
static const char *const active[] = { "/JavaScript", "/Launch", "/EmbeddedFile", "/RichMedia" };

static int nibble(char c)
{
	if (digit(c))
		return c - '0';
	if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
		return (c | 0x20) - 'a' + 10;
	return -1;
}

/* The name begins here; any of its characters may be written as # and two digits. */
static bool is_name(const char *at, const char *end, const char *name)
{
	for (; *name && at < end; name++) {
		int high = *at == '#' && end - at > 2 ? nibble(at[1]) : -1;
		int low = high >= 0 ? nibble(at[2]) : -1;
		int c = low >= 0 ? (char)(high << 4 | low) : *at;

		if (c != *name)
			return false;
		at += low >= 0 ? 3 : 1;
	}
	return *name == '\0';
}

const char *pdf_active(const char *bytes, size_t size)
{
	const char *end = bytes + size;

	for (const char *at = bytes; (at = memchr(at, '/', (size_t)(end - at))); at++)
		for (size_t i = 0; i < COUNT_OF(active); i++)
			if (is_name(at, end, active[i]))
				return active[i];
	return NULL;
}
