/* Strict parsing of text at the door. */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

bool text_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return false;
	for (const char *c = text; *c; c++) {
		unsigned digit = (unsigned)(*c - '0');

		if (*c < '0' || *c > '9' || number > (UINT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	if (number < min || number > max)
		return false;
	*ret_number = number;
	return true;
}

bool text_bool(const char *text, bool *ret_value)
{
	bool yes = strcmp(text, "true") == 0;

	if (!yes && strcmp(text, "false") != 0)
		return false;
	*ret_value = yes;
	return true;
}

/* Bytes of the well-formed UTF-8 sequence at s, or 0 (RFC 3629, section 4). */
static size_t utf8_sequence(const unsigned char *s, size_t left)
{
	static const struct {
		unsigned char first, last, low, high, size;
	} forms[] = {
		{ 0x01, 0x7F, 0x00, 0x00, 1 }, { 0xC2, 0xDF, 0x80, 0xBF, 2 },
		{ 0xE0, 0xE0, 0xA0, 0xBF, 3 }, { 0xE1, 0xEC, 0x80, 0xBF, 3 },
		{ 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 },
		{ 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 },
		{ 0xF4, 0xF4, 0x80, 0x8F, 4 },
	};

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		if (s[0] < forms[i].first || s[0] > forms[i].last)
			continue;
		if (forms[i].size > left)
			return 0;
		if (forms[i].size > 1 && (s[1] < forms[i].low || s[1] > forms[i].high))
			return 0;
		for (size_t k = 2; k < forms[i].size; k++)
			if (s[k] < 0x80 || s[k] > 0xBF)
				return 0;
		return forms[i].size;
	}
	return 0;
}

bool text_utf8(const char *bytes, size_t size)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t step;

	for (size_t at = 0; at < size; at += step) {
		step = utf8_sequence(s + at, size - at);
		if (step == 0)
			return false;
	}
	return true;
}

void text_whole(char *text)
{
	size_t size = strlen(text);
	size_t last = size;

	while (last > 0 && size - last < 3 && ((unsigned char)text[last - 1] & 0xC0) == 0x80)
		last--;
	if (last > 0 && utf8_sequence((const unsigned char *)text + last - 1, size - last + 1) == 0)
		text[last - 1] = '\0';
}

bool text_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
	size_t size = strlen(text), end = strlen(suffix);

	return size >= end && strcmp(text + size - end, suffix) == 0;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c; }

bool text_same_nocase(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return *a == '\0' && *b == '\0';
}

bool text_visible(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c < '!' || *c > '~')
			return false;
	return true;
}

bool text_same_secret(const char *a, size_t a_size, const char *b, size_t b_size)
{
	unsigned char different = a_size != b_size;

	for (size_t i = 0; i < a_size && i < b_size; i++)
		different |= (unsigned char)(a[i] ^ b[i]);
	return different == 0;
}

char *text_copy_n(const char *text, size_t size)
{
	char *copy = malloc(size + 1);

	if (!copy)
		return NULL;
	if (size > 0) /* text may be NULL then */
		memcpy(copy, text, size);
	copy[size] = '\0';
	return copy;
}

char *text_copy(const char *text) { return text ? text_copy_n(text, strlen(text)) : NULL; }

void text_freep(char **text) { free(*text); }

uint64_t text_hash(const char *text, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < size; i++) {
		hash ^= (unsigned char)text[i];
		hash *= 0x100000001b3u;
	}
	return hash;
}
