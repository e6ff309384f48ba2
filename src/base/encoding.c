/* base64url (RFC 4648) and percent-encoding (RFC 3986): the strict half that a server needs. */
#include <string.h>

#include "base/text.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int sextet(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

bool text_base64url_decode(const char *text, size_t size, unsigned char *ret_bytes,
                           size_t *ret_size)
{
	unsigned held = 0;
	unsigned bits = 0;
	size_t made = 0;

	if (size % 4 == 1)
		return false;
	for (size_t i = 0; i < size; i++) {
		int six = sextet(text[i]);

		if (six < 0)
			return false;
		held = (held << 6 | (unsigned)six) & 0xFFFF;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			ret_bytes[made++] = (unsigned char)(held >> bits);
		}
	}
	if (held & ((1u << bits) -
	            1)) /* bits that say nothing must be zero, or two texts mean one value */
		return false;
	*ret_size = made;
	return true;
}

void text_base64url_encode(const unsigned char *bytes, size_t size, char *ret_text)
{
	unsigned held = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < size; i++) {
		held = (held << 8 | bytes[i]) & 0xFFFF;
		bits += 8;
		while (bits >= 6) {
			bits -= 6;
			*ret_text++ = alphabet[held >> bits & 0x3F];
		}
	}
	if (bits > 0)
		*ret_text++ = alphabet[held << (6 - bits) & 0x3F];
	*ret_text = '\0';
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that %XX at `text` stands for, or -1. */
static int escaped(const char *text, size_t left)
{
	int high = left > 2 ? nibble(text[1]) : -1;
	int low = left > 2 ? nibble(text[2]) : -1;

	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool text_percent_decode(const char *text, size_t size, bool plus_is_space, char *ret_text)
{
	size_t made = 0;

	for (size_t i = 0; i < size; i++) {
		int c = (unsigned char)text[i];

		if (c == '+' && plus_is_space)
			c = ' ';
		if (c == '%') {
			c = escaped(text + i, size - i);
			i += 2;
		}
		if (c <= 0)
			return false;
		ret_text[made++] = (char)c;
	}
	ret_text[made] = '\0';
	return text_utf8(ret_text, made);
}
