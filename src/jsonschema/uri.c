/* RFC 3986 reference resolution, and JSON pointers (RFC 6901) as fragments. */
#include "jsonschema/uri.h"

#include <stdint.h>
#include <string.h>

struct span {
	const char *at;
	size_t length;
	bool present;
};

struct parts {
	struct span scheme, authority, path, query, fragment;
};

static bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static size_t scheme_length(const char *uri)
{
	if (!is_alpha(uri[0]))
		return 0;
	size_t i = 1;
	while (is_alpha(uri[i]) || is_digit(uri[i]) || (uri[i] && strchr("+-.", uri[i])))
		i++;
	return uri[i] == ':' ? i : 0;
}

bool js_uri_is_absolute(const char *uri) { return scheme_length(uri) > 0; }

static struct span take_until(const char **at, const char *stops)
{
	struct span span = { .at = *at, .length = strcspn(*at, stops), .present = true };
	*at += span.length;
	return span;
}

static struct parts split(const char *uri)
{
	struct parts parts = { 0 };
	size_t scheme = scheme_length(uri);
	if (scheme) {
		parts.scheme = (struct span){ uri, scheme, true };
		uri += scheme + 1;
	}
	if (strncmp(uri, "//", 2) == 0) {
		uri += 2;
		parts.authority = take_until(&uri, "/?#");
	}
	parts.path = take_until(&uri, "?#");
	if (*uri == '?') {
		uri++;
		parts.query = take_until(&uri, "#");
	}
	if (*uri == '#')
		parts.fragment = (struct span){ uri + 1, strlen(uri + 1), true };
	return parts;
}

/* Section 5.2.4. Works on the path that stands at the end of `ret`, from `start`. */
static void remove_dots(struct text *ret, size_t start)
{
	char *out = ret->data + start;
	const char *in = out;
	char *write = out;

	while (*in) {
		size_t length = 1 + strcspn(in + 1, "/"); /* one segment with the "/" before it */
		bool slash = *in == '/';
		const char *name = slash ? in + 1 : in;
		size_t name_length = slash ? length - 1 : length;
		bool last = in[length] == '\0';
		bool dot = name_length == 1 && name[0] == '.';
		bool dots = name_length == 2 && name[0] == '.' && name[1] == '.';

		if (dots) {
			while (write > out && *--write != '/')
				continue;
		} else if (!dot) {
			memmove(write, in, length);
			write += length;
		}
		if ((dot || dots) && last && slash)
			*write++ = '/';
		in += length;
	}
	js_text_cut(ret, (size_t)(write - ret->data));
}

static void add_lower(struct text *ret, struct span span)
{
	for (size_t i = 0; i < span.length; i++) {
		char c = span.at[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + ('a' - 'A'));
		js_text_add(ret, &c, 1);
	}
}

static void add_part(struct text *ret, const char *before, struct span span)
{
	if (!span.present)
		return;
	js_text_adds(ret, before);
	js_text_add(ret, span.at, span.length);
}

/* Section 5.2.3: the base's path without its last segment, then the reference's. */
static void add_merged(struct text *ret, const struct parts *base, struct span path)
{
	size_t keep = base->path.length;
	while (keep && base->path.at[keep - 1] != '/')
		keep--;
	if (base->authority.present && base->path.length == 0)
		js_text_adds(ret, "/");
	js_text_add(ret, base->path.at, keep);
	js_text_add(ret, path.at, path.length);
}

static void add_path(struct text *ret, const struct parts *base, const struct parts *reference)
{
	size_t start = ret->length;
	bool own = reference->scheme.present || reference->authority.present;

	if (!own && reference->path.length == 0) {
		js_text_add(ret, base->path.at, base->path.length);
		add_part(ret, "?", reference->query.present ? reference->query : base->query);
		return;
	}
	if (own || reference->path.at[0] == '/')
		js_text_add(ret, reference->path.at, reference->path.length);
	else
		add_merged(ret, base, reference->path);
	/* A path without a "/" (a URN's) has no segments to take away. */
	if (!ret->broken && strchr(ret->data + start, '/'))
		remove_dots(ret, start);
	add_part(ret, "?", reference->query);
}

bool js_uri_resolve(const char *base, const char *reference, struct text *ret)
{
	struct parts from = split(base);
	struct parts to = split(reference);
	struct span scheme = to.scheme.present ? to.scheme : from.scheme;
	bool own_authority = to.scheme.present || to.authority.present;

	js_text_cut(ret, 0);
	if (!js_text_adds(ret, ""))
		return false;
	if (scheme.present) {
		add_lower(ret, scheme);
		js_text_adds(ret, ":");
	}
	struct span authority = own_authority ? to.authority : from.authority;
	if (authority.present) {
		js_text_adds(ret, "//");
		add_lower(ret, authority);
	}
	add_path(ret, &from, &to);
	add_part(ret, "#", to.fragment);
	return !ret->broken;
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool js_uri_decode_fragment(const char *fragment, struct text *ret)
{
	js_text_cut(ret, 0);
	if (!js_text_adds(ret, ""))
		return false;
	for (const char *c = fragment; *c; c++) {
		char byte = *c;
		if (byte == '%') {
			int high = hex_value(c[1]);
			int low = high < 0 ? -1 : hex_value(c[2]);
			if (low < 0 || high * 16 + low == 0)
				return false;
			byte = (char)(high * 16 + low);
			c += 2;
		}
		if (!js_text_add(ret, &byte, 1))
			return false;
	}
	return true;
}

bool js_uri_add_fragment(struct text *ret, const char *pointer)
{
	static const char allowed[] = "-._~!$&'()*+,;=:@/?";
	for (const char *c = pointer; *c; c++) {
		bool plain = is_alpha(*c) || is_digit(*c) || strchr(allowed, *c);
		if (plain)
			js_text_add(ret, c, 1);
		else
			js_text_print(ret, "%%%02X", (unsigned)(unsigned char)*c);
	}
	return js_text_add(ret, "", 0);
}

bool js_pointer_add(struct text *ret, const char *token, size_t length)
{
	js_text_adds(ret, "/");
	for (size_t i = 0; i < length; i++) {
		if (token[i] == '~')
			js_text_adds(ret, "~0");
		else if (token[i] == '/')
			js_text_adds(ret, "~1");
		else
			js_text_add(ret, token + i, 1);
	}
	return !ret->broken;
}

bool js_pointer_next(const char **at, struct text *ret)
{
	const char *c = *at + 1;

	js_text_cut(ret, 0);
	if (!js_text_adds(ret, ""))
		return false;
	for (; *c && *c != '/'; c++) {
		char byte = *c;
		if (byte == '~') {
			if (c[1] != '0' && c[1] != '1')
				return false;
			byte = c[1] == '0' ? '~' : '/';
			c++;
		}
		if (!js_text_add(ret, &byte, 1))
			return false;
	}
	*at = c;
	return true;
}

bool js_pointer_index(const char *token, size_t *ret_index)
{
	size_t index = 0;
	if (!is_digit(token[0]) || (token[0] == '0' && token[1]))
		return false;
	for (const char *c = token; *c; c++) {
		if (!is_digit(*c) || index > (SIZE_MAX - 9) / 10)
			return false;
		index = index * 10 + (size_t)(*c - '0');
	}
	*ret_index = index;
	return true;
}
