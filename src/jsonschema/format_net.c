/* IP addresses, host names and e-mail addresses. */
#include <string.h>
#include <strings.h>

#include "jsonschema/format_label.h"

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

bool js_is_ldh_label(const char *label, size_t length)
{
	if (length == 0 || length > LABEL_LIMIT || label[0] == '-' || label[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!ascii_alnum(label[i]) && label[i] != '-')
			return false;
	}
	if (length < 4 || label[2] != '-' || label[3] != '-')
		return true;
	return strncasecmp(label, "xn", 2) == 0 && js_is_a_label(label, length);
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
		if (!js_is_ldh_label(text + start, at - start))
			return false;
		start = at + 1;
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
	return wide ? js_is_idn_name(at + 1, domain, true) : js_is_hostname(at + 1, domain);
}

bool js_is_email(const char *text, size_t length) { return is_mailbox(text, length, false); }

bool js_is_idn_email(const char *text, size_t length) { return is_mailbox(text, length, true); }
