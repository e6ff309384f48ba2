/* uuid, JSON pointers, language tags, and the identifiers of English health and local government.
 */
#include <string.h>
#include <strings.h>

#include "jsonschema/formats.h"

/* Each character of the text against one of the shape: 9 a digit, A a capital, others themselves.
 */
static bool has_shape(const char *text, size_t length, const char *shape)
{
	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		switch (shape[i]) {
		case '9':
			if (!ascii_digit(c))
				return false;
			break;
		case 'A':
			if (c < 'A' || c > 'Z')
				return false;
			break;
		default:
			if (c != shape[i] || !c)
				return false;
		}
	}
	return shape[length] == '\0';
}

/* RFC 9562, section 4: 8-4-4-4-12 hexadecimal digits. */
bool js_is_uuid(const char *text, size_t length)
{
	static const uint8_t groups[] = { 8, 4, 4, 4, 12 };
	const char *at = text;

	if (length != 36)
		return false;
	for (size_t i = 0; i < sizeof(groups); i++) {
		bool fine = i == 0 || *at++ == '-';
		for (const char *end = at + groups[i]; at < end; at++)
			fine = fine && ascii_hex(*at);
		if (!fine)
			return false;
	}
	return true;
}

/* The modulus 11 check of the NHS Data Dictionary: weights 10 to 2, and 11 less the remainder. */
bool js_is_nhs_number(const char *text, size_t length)
{
	int sum = 0;

	if (length != 10 || !has_shape(text, length, "9999999999"))
		return false;
	for (int i = 0; i < 9; i++)
		sum += (text[i] - '0') * (10 - i);
	int check = 11 - sum % 11;
	return (check == 11 ? 0 : check) ==
	       text[9] - '0'; /* 10 is no digit: such numbers are not given out */
}

/* The shapes of real postcodes and of the pseudo ones (ZZ99 3VZ). */
bool js_is_postcode(const char *text, size_t length)
{
	static const char *const shapes[] = { "A9 9AA",  "A99 9AA",  "A9A 9AA",
		                              "AA9 9AA", "AA99 9AA", "AA9A 9AA" };
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		if (strlen(shapes[i]) == length && has_shape(text, length, shapes[i]))
			return true;
	}
	return false;
}

bool js_is_gss_code(const char *text, size_t length)
{
	return length == 9 && text[0] && strchr("EWSNKJLM", text[0]) &&
	       has_shape(text + 1, 8, "99999999");
}

bool js_is_json_pointer(const char *text, size_t length)
{
	if (length && text[0] != '/')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '~' &&
		    (i + 1 == length || (text[i + 1] != '0' && text[i + 1] != '1')))
			return false;
	}
	return true;
}

bool js_is_relative_json_pointer(const char *text, size_t length)
{
	size_t at = 0;
	while (at < length && ascii_digit(text[at]))
		at++;
	if (at == 0 || (text[0] == '0' && at > 1))
		return false;
	if (length - at == 1 && text[at] == '#')
		return true;
	return js_is_json_pointer(text + at, length - at);
}

/* A language tag on its way through its subtags. */
struct tag {
	const char *at; /* the subtag that is looked at; NULL: no more */
	size_t length;
	const char *end;
};

static void tag_next(struct tag *tag)
{
	const char *next = tag->at + tag->length;
	if (next == tag->end) {
		tag->at = NULL;
		return;
	}
	const char *dash = memchr(next + 1, '-', (size_t)(tag->end - next - 1));
	tag->at = next + 1;
	tag->length = (size_t)((dash ? dash : tag->end) - tag->at);
}

static bool all_of(const struct tag *tag, bool (*is)(char))
{
	for (size_t i = 0; i < tag->length; i++) {
		if (!is(tag->at[i]))
			return false;
	}
	return true;
}

static bool subtag(const struct tag *tag, size_t least, size_t most, bool (*is)(char))
{
	return tag->at && tag->length >= least && tag->length <= most && all_of(tag, is);
}

static bool is_variant(const struct tag *tag)
{
	return subtag(tag, 5, 8, ascii_alnum) ||
	       (subtag(tag, 4, 4, ascii_alnum) && ascii_digit(tag->at[0]));
}

/* "x" and its subtags, to the end. */
static bool take_private(struct tag *tag)
{
	bool any = false;
	for (tag_next(tag); tag->at; tag_next(tag)) {
		if (!subtag(tag, 1, 8, ascii_alnum))
			return false;
		any = true;
	}
	return any;
}

/* A singleton and its subtags. */
static bool take_extension(struct tag *tag)
{
	bool any = false;
	for (tag_next(tag); subtag(tag, 2, 8, ascii_alnum); tag_next(tag))
		any = true;
	return any;
}

static bool is_private(const struct tag *tag)
{
	return subtag(tag, 1, 1, ascii_alpha) && (tag->at[0] | 0x20) == 'x';
}

static bool take_language(struct tag *tag)
{
	bool may_extend = tag->length <= 3;
	if (!subtag(tag, 2, 8, ascii_alpha))
		return false;
	tag_next(tag);
	for (int i = 0; may_extend && i < 3 && subtag(tag, 3, 3, ascii_alpha); i++)
		tag_next(tag);
	return true;
}

static bool is_grandfathered(const char *text, size_t length)
{
	/* RFC 5646, `irregular`: those that do not fit the grammar otherwise. */
	static const char *const irregular[] = { "en-GB-oed",  "i-ami",    "i-bnn",     "i-default",
		                                 "i-enochian", "i-hak",    "i-klingon", "i-lux",
		                                 "i-mingo",    "i-navajo", "i-pwn",     "i-tao",
		                                 "i-tay",      "i-tsu",    "sgn-BE-FR", "sgn-BE-NL",
		                                 "sgn-CH-DE" };
	for (size_t i = 0; i < sizeof(irregular) / sizeof(*irregular); i++) {
		if (strlen(irregular[i]) == length && strncasecmp(irregular[i], text, length) == 0)
			return true;
	}
	return false;
}

/* Well-formed by BCP 47 (RFC 5646, section 2.1): the grammar, not the registry. */
bool js_is_language(const char *text, size_t length)
{
	const char *dash = memchr(text, '-', length);
	struct tag tag = { text, dash ? (size_t)(dash - text) : length, text + length };

	if (is_grandfathered(text, length))
		return true;
	if (is_private(&tag))
		return take_private(&tag);
	if (!take_language(&tag))
		return false;
	if (subtag(&tag, 4, 4, ascii_alpha)) /* script */
		tag_next(&tag);
	if (subtag(&tag, 2, 2, ascii_alpha) || subtag(&tag, 3, 3, ascii_digit)) /* region */
		tag_next(&tag);
	while (is_variant(&tag))
		tag_next(&tag);
	while (subtag(&tag, 1, 1, ascii_alnum) && !is_private(&tag)) {
		if (!take_extension(&tag))
			return false;
	}
	return !tag.at || (is_private(&tag) && take_private(&tag));
}
