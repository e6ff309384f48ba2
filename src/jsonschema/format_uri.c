/* URIs and IRIs (RFC 3986, RFC 3987), and URI templates (RFC 6570). */
#include <string.h>

#include "jsonschema/formats.h"

/* What a part of a URI may consist of, besides unreserved characters and percent-escapes. */
static const char sub_delims[] = "!$&'()*+,;=";

struct reader {
	const char *at, *end;
	bool wide; /* an IRI: characters beyond ASCII too */
};

static bool is_unreserved(char c) { return ascii_alnum(c) || (c && strchr("-._~", c)); }

/* RFC 3987, section 2.2, ucschar; iprivate only in a query. */
static bool is_ucschar(uint32_t c, bool query)
{
	if (c < 0xa0 || (c >= 0xd800 && c < 0xf900 && !(query && c >= 0xe000)))
		return false;
	if (c >= 0xfdd0 && c <= 0xfdef)
		return false;
	if (c <= 0xffff)
		return c < 0xfff0;
	if ((c & 0xffff) >= 0xfffe || (c >= 0xe0000 && c < 0xe1000))
		return false;
	return c < 0xf0000 || query;
}

/* One character of a part that also allows sub-delims and `extra`; false, standing still, when it
 * is none. */
static bool take(struct reader *r, const char *extra, bool query)
{
	if (r->at == r->end)
		return false;
	char c = *r->at;
	if (c == '%') {
		if (r->end - r->at < 3 || !ascii_hex(r->at[1]) || !ascii_hex(r->at[2]))
			return false;
		r->at += 3;
		return true;
	}
	if ((unsigned char)c >= 0x80) {
		const char *next = r->at;
		if (!r->wide || !is_ucschar(js_code_point(&next, r->end), query))
			return false;
		r->at = next;
		return true;
	}
	if (!is_unreserved(c) && !(c && (strchr(sub_delims, c) || strchr(extra, c))))
		return false;
	r->at++;
	return true;
}

static void take_all(struct reader *r, const char *extra, bool query)
{
	while (take(r, extra, query))
		continue;
}

static bool next_is(const struct reader *r, char c) { return r->at < r->end && *r->at == c; }

/* "v1.x" of RFC 3986, IPvFuture. */
static bool is_future(const char *text, size_t length)
{
	size_t at = 1;
	if (length < 4 || (text[0] | 0x20) != 'v')
		return false;
	while (at < length && ascii_hex(text[at]))
		at++;
	if (at == 1 || at + 1 >= length || text[at] != '.')
		return false;
	while (++at < length) {
		bool fine = is_unreserved(text[at]) || text[at] == ':' ||
		            (text[at] && strchr(sub_delims, text[at]));
		if (!fine)
			return false;
	}
	return true;
}

static bool take_host(struct reader *r)
{
	if (!next_is(r, '[')) {
		take_all(r, "", false);
		return true;
	}
	const char *close = memchr(r->at, ']', (size_t)(r->end - r->at));
	if (!close)
		return false;
	const char *inside = r->at + 1;
	size_t length = (size_t)(close - inside);
	r->at = close + 1;
	return js_is_ipv6(inside, length) || is_future(inside, length);
}

/* [ userinfo "@" ] host [ ":" port ] */
static bool take_authority(struct reader *r)
{
	struct reader user = *r;
	take_all(&user, ":", false);
	if (next_is(&user, '@')) {
		*r = user;
		r->at++;
	}
	if (!take_host(r))
		return false;
	if (next_is(r, ':')) {
		do {
			r->at++;
		} while (r->at < r->end && ascii_digit(*r->at));
	}
	return r->at == r->end || strchr("/?#", *r->at) != NULL;
}

/* Everything behind the scheme. */
static bool take_rest(struct reader *r)
{
	if (r->end - r->at >= 2 && memcmp(r->at, "//", 2) == 0) {
		r->at += 2;
		if (!take_authority(r))
			return false;
	}
	take_all(r, ":@/", false);
	if (next_is(r, '?')) {
		r->at++;
		take_all(r, ":@/?", true);
	}
	if (next_is(r, '#')) {
		r->at++;
		take_all(r, ":@/?", false);
	}
	return r->at == r->end;
}

static bool take_scheme(struct reader *r)
{
	const char *at = r->at;
	if (at == r->end || !ascii_alpha(*at))
		return false;
	while (at < r->end && (ascii_alnum(*at) || (*at && strchr("+-.", *at))))
		at++;
	if (at == r->end || *at != ':')
		return false;
	r->at = at + 1;
	return true;
}

/* A relative reference's first segment must not look like a scheme. */
static bool colon_first(const struct reader *r)
{
	for (const char *at = r->at; at < r->end && *at && !strchr("/?#", *at); at++) {
		if (*at == ':')
			return true;
	}
	return false;
}

static bool is_uri(const char *text, size_t length, bool wide, bool relative)
{
	struct reader r = { text, text + length, wide };
	if (take_scheme(&r))
		return take_rest(&r);
	return relative && !colon_first(&r) && take_rest(&r);
}

bool js_is_uri(const char *text, size_t length) { return is_uri(text, length, false, false); }

bool js_is_uri_reference(const char *text, size_t length)
{
	return is_uri(text, length, false, true);
}

bool js_is_iri(const char *text, size_t length) { return is_uri(text, length, true, false); }

bool js_is_iri_reference(const char *text, size_t length)
{
	return is_uri(text, length, true, true);
}

/* A variable's name: varchars, with single dots between them. */
static bool take_variable(struct reader *r)
{
	bool dot = true;
	for (; r->at < r->end; r->at++) {
		if (*r->at == '.' && dot)
			return false;
		if (next_is(r, '%')) {
			if (r->end - r->at < 3 || !ascii_hex(r->at[1]) || !ascii_hex(r->at[2]))
				return false;
			r->at += 2;
		} else if (!ascii_alnum(*r->at) && *r->at != '_' && *r->at != '.') {
			break;
		}
		dot = *r->at == '.';
	}
	return !dot;
}

/* "*", or ":" and one to four digits without a leading zero. */
static bool take_modifier(struct reader *r)
{
	if (next_is(r, '*')) {
		r->at++;
		return true;
	}
	if (!next_is(r, ':'))
		return true;
	const char *start = ++r->at;
	while (r->at < r->end && ascii_digit(*r->at))
		r->at++;
	return r->at > start && r->at - start <= 4 && *start != '0';
}

/* Behind "{". */
static bool take_expression(struct reader *r)
{
	if (r->at < r->end && *r->at && strchr("+#./;?&=,!@|", *r->at))
		r->at++;
	do {
		if (!take_variable(r) || !take_modifier(r))
			return false;
	} while (next_is(r, ',') && r->at++);
	return next_is(r, '}') && r->at++;
}

/* RFC 6570 with its erratum 6937: an apostrophe is a literal too. */
static bool take_literal(struct reader *r)
{
	unsigned char c = (unsigned char)*r->at;
	if (c == '%')
		return take(r, "", false);
	if (c >= 0x80)
		return is_ucschar(js_code_point(&r->at, r->end), true);
	r->at++;
	return c > ' ' && c != 0x7f && !strchr("\"<>\\^`{|}", c);
}

bool js_is_uri_template(const char *text, size_t length)
{
	struct reader r = { text, text + length, true };
	while (r.at < r.end) {
		bool fine = next_is(&r, '{') ? r.at++ && take_expression(&r) : take_literal(&r);
		if (!fine)
			return false;
	}
	return true;
}
