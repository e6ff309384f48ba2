/* Characters, escapes and classes of ECMA-262 patterns with the `u` flag. */
#include "jsonschema/regex_parser.h"

void *js_re_wrong(struct re_parser *p, const char *why)
{
	if (!p->why)
		p->why = why;
	return NULL;
}

bool js_re_refuse(struct re_parser *p, const char *why)
{
	js_re_wrong(p, why);
	return false;
}

struct re *js_re_new(struct re_parser *p, enum re_kind kind)
{
	struct re *node = p->arena ? js_arena_take(p->arena, sizeof(*node)) : &p->spare;
	if (!node)
		return NULL;
	*node = (struct re){ .kind = kind };
	return node;
}

bool js_re_set_add(struct re_parser *p, struct re_set *set, uint32_t low, uint32_t high)
{
	struct re_range *range =
		p->arena ? js_arena_take(p->arena, sizeof(*range)) : &p->spare_range;
	if (!range)
		return false;
	*range = (struct re_range){ low, high, p->arena ? set->ranges : NULL };
	set->ranges = range;
	return true;
}

/* Code points in ascending pairs, for \d \w \s; the upper-case escapes are what lies between them.
 */
static const uint32_t digits[] = { '0', '9' };
static const uint32_t words[] = { '0', '9', 'A', 'Z', '_', '_', 'a', 'z' };
static const uint32_t spaces[] = { 0x9,    0xd,    ' ',    ' ',    0xa0,   0xa0,   0x1680,
	                           0x1680, 0x2000, 0x200a, 0x2028, 0x2029, 0x202f, 0x202f,
	                           0x205f, 0x205f, 0x3000, 0x3000, 0xfeff, 0xfeff };

static const struct {
	char lower, upper;
	const uint32_t *pairs;
	size_t count;
} classes[] = {
	{ 'd', 'D', digits, sizeof(digits) / sizeof(*digits) },
	{ 'w', 'W', words, sizeof(words) / sizeof(*words) },
	{ 's', 'S', spaces, sizeof(spaces) / sizeof(*spaces) },
};

static bool set_add_class(struct re_parser *p, struct re_set *set, size_t which, bool negative)
{
	const uint32_t *pairs = classes[which].pairs;
	uint32_t next = 0;

	for (size_t i = 0; i < classes[which].count; i += 2) {
		uint32_t low = negative ? next : pairs[i];
		uint32_t high = negative ? pairs[i] - 1 : pairs[i + 1];
		if (!js_re_set_add(p, set, low, high))
			return false;
		next = pairs[i + 1] + 1;
	}
	return !negative || js_re_set_add(p, set, next, LAST_CODE_POINT);
}

static bool set_add_property(struct re_parser *p, struct re_set *set, bool negative)
{
	const char *close =
		re_more(p) && *p->at == '{' ? memchr(p->at, '}', (size_t)(p->end - p->at)) : NULL;
	if (!close)
		return js_re_refuse(p, "\\p wants a property in braces");
	const char *name = js_regex_property(p->at + 1, (size_t)(close - p->at - 1));
	if (!name)
		return js_re_refuse(p, "\\p names a property that ECMA-262 does not have");
	struct re_property *property = &p->spare_property;
	if (p->arena) {
		property = js_arena_take(p->arena, sizeof(*property));
		/* A script's name is not in our tables but in the pattern itself. */
		bool own = name == p->at + 1;
		name = own ? js_arena_copy(p->arena, name, (size_t)(close - name)) : name;
	}
	if (!property || !name)
		return false;
	*property = (struct re_property){ name, negative, p->arena ? set->properties : NULL };
	set->properties = property;
	p->at = close + 1;
	return true;
}

bool js_re_class_escape(struct re_parser *p, struct re_set *set, bool *ret_is)
{
	char c = re_more(p) ? *p->at : '\0';

	*ret_is = true;
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		if (c != classes[i].lower && c != classes[i].upper)
			continue;
		p->at++;
		return set_add_class(p, set, i, c == classes[i].upper);
	}
	if (c == 'p' || c == 'P') {
		p->at++;
		return set_add_property(p, set, c == 'P');
	}
	*ret_is = false;
	return true;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool parse_hex(struct re_parser *p, size_t count, uint32_t *ret)
{
	uint32_t value = 0;
	if ((size_t)(p->end - p->at) < count)
		return js_re_refuse(p, "an escape lacks hexadecimal digits");
	for (size_t i = 0; i < count; i++) {
		int digit = hex_value(p->at[i]);
		if (digit < 0)
			return js_re_refuse(p, "an escape lacks hexadecimal digits");
		value = value * 16 + (uint32_t)digit;
	}
	p->at += count;
	*ret = value;
	return true;
}

static bool parse_braced_hex(struct re_parser *p, uint32_t *ret)
{
	uint32_t value = 0;
	const char *first = p->at;

	for (; re_more(p) && hex_value(*p->at) >= 0; p->at++) {
		value = value * 16 + (uint32_t)hex_value(*p->at);
		if (value > LAST_CODE_POINT)
			return js_re_refuse(p, "an escape is beyond the last code point");
	}
	if (p->at == first || !re_accept(p, "}"))
		return js_re_refuse(p, "\\u{ wants hexadecimal digits and a closing brace");
	*ret = value;
	return true;
}

/* Behind "\u". Two escaped surrogates are one character. */
static bool parse_unicode(struct re_parser *p, uint32_t *ret)
{
	if (re_accept(p, "{"))
		return parse_braced_hex(p, ret);
	uint32_t high, low;
	if (!parse_hex(p, 4, &high))
		return false;
	*ret = high;
	const char *after = p->at;
	if (high < 0xd800 || high > 0xdbff || !re_accept(p, "\\u") || re_next_is(p, '{'))
		return (p->at = after) != NULL;
	if (!parse_hex(p, 4, &low))
		return false;
	if (low < 0xdc00 || low > 0xdfff)
		return (p->at = after) != NULL;
	*ret = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

static bool parse_control(struct re_parser *p, uint32_t *ret)
{
	char c = re_more(p) ? (char)(*p->at | 0x20) : '\0';
	if (c < 'a' || c > 'z')
		return js_re_refuse(p, "\\c wants a letter");
	*ret = (uint32_t)(*p->at++ & 0x1f);
	return true;
}

bool js_re_character_escape(struct re_parser *p, uint32_t *ret)
{
	static const char named[] = "fnrtv";
	static const char meant[] = "\f\n\r\t\v";
	char c = re_more(p) ? *p->at++ : '\0';
	const char *found = c ? strchr(named, c) : NULL;

	if (found) {
		*ret = (uint32_t)meant[found - named];
		return true;
	}
	if (c == 'c')
		return parse_control(p, ret);
	if (c == 'x')
		return parse_hex(p, 2, ret);
	if (c == 'u')
		return parse_unicode(p, ret);
	if (c == '0' && !(re_more(p) && *p->at >= '0' && *p->at <= '9')) {
		*ret = 0;
		return true;
	}
	if (!c || !strchr("^$\\.*+?()[]{}|/", c))
		return js_re_refuse(p, "an escape that ECMA-262 does not have");
	*ret = (uint32_t)c;
	return true;
}

bool js_re_plain(struct re_parser *p, uint32_t *ret)
{
	unsigned char lead = (unsigned char)*p->at;
	size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	uint32_t value = length == 1 ? lead : lead & (0x7fu >> length);

	if ((size_t)(p->end - p->at) < length)
		return js_re_refuse(p, "the pattern is not UTF-8");
	for (size_t i = 1; i < length; i++)
		value = value << 6 | ((unsigned char)p->at[i] & 0x3f);
	p->at += length;
	*ret = value;
	return true;
}

/* One end of a range; `*ret_is_class` if it is \d and the like, which has gone into the set
 * already. */
static bool parse_class_atom(struct re_parser *p, struct re_set *set, uint32_t *ret,
                             bool *ret_is_class)
{
	*ret_is_class = false;
	if (!re_more(p))
		return js_re_refuse(p, "a class is not closed");
	if (!re_accept(p, "\\"))
		return js_re_plain(p, ret);
	bool fine = js_re_class_escape(p, set, ret_is_class);
	if (!fine || *ret_is_class)
		return fine;
	if (re_accept(p, "b")) {
		*ret = '\b';
		return true;
	}
	if (re_accept(p, "-")) {
		*ret = '-';
		return true;
	}
	return js_re_character_escape(p, ret);
}

static bool parse_class_range(struct re_parser *p, struct re_set *set)
{
	uint32_t low, high;
	bool class_low, class_high;

	if (!parse_class_atom(p, set, &low, &class_low))
		return false;
	bool range = re_next_is(p, '-') && p->end - p->at >= 2 && p->at[1] != ']';
	if (!range)
		return class_low || js_re_set_add(p, set, low, low);
	p->at++;
	if (!parse_class_atom(p, set, &high, &class_high))
		return false;
	if (class_low || class_high)
		return js_re_refuse(p, "a range cannot end in a class such as \\d");
	if (low > high)
		return js_re_refuse(p, "a range runs backwards");
	return js_re_set_add(p, set, low, high);
}

struct re *js_re_class(struct re_parser *p)
{
	struct re_set set = { .negative = re_accept(p, "^") };

	while (re_more(p) && *p->at != ']') {
		if (!parse_class_range(p, &set))
			return NULL;
	}
	if (!re_accept(p, "]"))
		return js_re_wrong(p, "a class is not closed");
	struct re *node = js_re_new(p, RE_SET);
	if (node)
		node->set = set;
	return node;
}
