/* IP addresses, host names and e-mail addresses. */
#include <idn2.h>
#include <string.h>
#include <strings.h>

#include "jsonschema/formats.h"

bool js_is_ipv4(const char *text, size_t length)
{
	size_t at = 0;

	for (int part = 0; part < 4; part++) {
		size_t start = at;
		int value = 0;
		if (part && (at == length || text[at] != '.'))
			return false;
		start = part ? ++at : at;
		while (at < length && at - start < 3 && ascii_digit(text[at]))
			value = value * 10 + (text[at++] - '0');
		bool padded = at - start > 1 && text[start] == '0';
		if (at == start || value > 255 || padded)
			return false;
	}
	return at == length;
}

/* RFC 4291, section 2.2: eight groups, one run of them left out, the last two perhaps an IPv4
 * address. */
bool js_is_ipv6(const char *text, size_t length)
{
	int groups = 0;
	bool gap = false;
	size_t at = 0;

	if (length >= 2 && text[0] == ':' && text[1] == ':') {
		gap = true;
		at = 2;
	}
	while (at < length) {
		size_t start = at;
		while (at < length && ascii_hex(text[at]))
			at++;
		if (at < length && text[at] == '.') {
			bool four = js_is_ipv4(text + start, length - start);
			return four && (gap ? groups <= 5 : groups == 6);
		}
		if (at == start || at - start > 4 || ++groups > 8)
			return false;
		if (at == length)
			break;
		if (text[at++] != ':' || at == length)
			return false;
		if (text[at] == ':') {
			if (gap)
				return false;
			gap = true;
			at++;
		}
	}
	return gap ? groups <= 7 : groups == 8;
}

enum { LABEL_LIMIT = 63, NAME_LIMIT = 253 };

/* An A-label must be what IDNA2008 makes of the U-label it stands for: libidn2 knows. */
static bool is_a_label(const char *label, size_t length)
{
	char text[LABEL_LIMIT + 1];
	char *plain = NULL;

	memcpy(text, label, length);
	text[length] = '\0';
	bool fine = idn2_to_unicode_8z8z(text, &plain, 0) == IDN2_OK && plain;
	char *again = NULL;
	fine = fine &&
	       idn2_register_u8((const uint8_t *)plain, NULL, (uint8_t **)&again, 0) == IDN2_OK &&
	       strcasecmp(again, text) == 0;
	idn2_free(again);
	idn2_free(plain);
	return fine;
}

static bool is_label(const char *label, size_t length)
{
	if (length == 0 || length > LABEL_LIMIT || label[0] == '-' || label[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!ascii_alnum(label[i]) && label[i] != '-')
			return false;
	}
	if (length < 4 || label[2] != '-' || label[3] != '-')
		return true;
	return strncasecmp(label, "xn", 2) == 0 && is_a_label(label, length);
}

/* RFC 1123, section 2.1; RFC 5891 for A-labels. */
bool js_is_hostname(const char *text, size_t length)
{
	size_t start = 0;

	if (length == 0 || length > NAME_LIMIT)
		return false;
	for (size_t at = 0; at <= length; at++) {
		if (at < length && text[at] != '.')
			continue;
		if (!is_label(text + start, at - start))
			return false;
		start = at + 1;
	}
	return true;
}

static bool is_u_label(const char *label, size_t length)
{
	char text[NAME_LIMIT * 4 + 1];
	uint8_t *found = NULL;

	memcpy(text, label, length);
	text[length] = '\0';
	bool fine = idn2_register_u8((const uint8_t *)text, NULL, &found, 0) == IDN2_OK;
	idn2_free(found);
	return fine;
}

/* The length of the label separator at `text`: a dot, or one of the three that IDNA counts as dots.
 */
static size_t separator(const char *text, size_t left)
{
	static const char *const dots[] = { "\xe3\x80\x82", "\xef\xbc\x8e", "\xef\xbd\xa1" };
	if (left && text[0] == '.')
		return 1;
	for (size_t i = 0; i < sizeof(dots) / sizeof(*dots); i++) {
		if (left >= 3 && memcmp(text, dots[i], 3) == 0)
			return 3;
	}
	return 0;
}

static bool is_ascii(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] >= 0x80)
			return false;
	}
	return true;
}

/* RFC 5890: each label is an LDH label, an A-label or a U-label. Only the last two cost an
 * allocation, in libidn2. */
bool js_is_idn_hostname(const char *text, size_t length)
{
	size_t start = 0;

	if (length == 0 || length > NAME_LIMIT * 4)
		return false;
	for (size_t at = 0; at <= length;) {
		size_t dot = separator(text + at, length - at);
		if (at < length && !dot) {
			at++;
			continue;
		}
		const char *label = text + start;
		bool fine = is_ascii(label, at - start) ? is_label(label, at - start)
		                                        : is_u_label(label, at - start);
		if (!fine)
			return false;
		at += dot ? dot : 1;
		start = at;
	}
	return true;
}

static bool is_atext(char c) { return ascii_alnum(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c)); }

/* A quoted string, the quotes included (RFC 5321, section 4.1.2). */
static bool is_quoted(const char *text, size_t length, bool wide)
{
	if (length < 2 || text[0] != '"' || text[length - 1] != '"')
		return false;
	for (size_t i = 1; i + 1 < length; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c == '\\' && ++i + 1 == length)
			return false;
		c = (unsigned char)text[i];
		if (c < 0x20 || c == 0x7f || (c >= 0x80 && !wide) ||
		    (c == '"' && text[i - 1] != '\\'))
			return false;
	}
	return true;
}

static bool is_local(const char *text, size_t length, bool wide)
{
	if (length && text[0] == '"')
		return is_quoted(text, length, wide);
	bool dot = true; /* as if one stood before */
	for (size_t i = 0; i < length; i++) {
		bool atom = is_atext(text[i]) || (wide && (unsigned char)text[i] >= 0x80);
		if (!atom && (text[i] != '.' || dot))
			return false;
		dot = text[i] == '.';
	}
	return !dot;
}

/* [127.0.0.1] or [IPv6:::1] */
static bool is_literal(const char *text, size_t length)
{
	if (length < 2 || text[length - 1] != ']')
		return false;
	text++;
	length -= 2;
	if (length > 5 && strncasecmp(text, "IPv6:", 5) == 0)
		return js_is_ipv6(text + 5, length - 5);
	return js_is_ipv4(text, length);
}

static bool is_mailbox(const char *text, size_t length, bool wide)
{
	const char *at = memrchr(text, '@', length);
	if (!at)
		return false;
	size_t local = (size_t)(at - text);
	size_t domain = length - local - 1;
	if (!is_local(text, local, wide))
		return false;
	if (domain && at[1] == '[')
		return is_literal(at + 1, domain);
	return wide ? js_is_idn_hostname(at + 1, domain) : js_is_hostname(at + 1, domain);
}

bool js_is_email(const char *text, size_t length) { return is_mailbox(text, length, false); }

bool js_is_idn_email(const char *text, size_t length) { return is_mailbox(text, length, true); }
