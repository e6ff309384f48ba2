/* Terms, groups and quantifiers of ECMA-262 patterns with the `u` flag: what JavaScript refuses,
 * this refuses. */
#include "jsonschema/regex_parser.h"

/* The length bounds the search for group names, which is quadratic. */
enum { NESTING_LIMIT = 200, LENGTH_LIMIT = 16 * 1024 };

static struct re *parse_choice(struct re_parser *p);

/* The length of the group name at `at` with its ">", behind "(?<"; 0 if it is none. */
static size_t group_name(const struct re_parser *p, const char *at)
{
	const char *c = at;
	for (; c < p->end && *c != '>'; c++) {
		unsigned char byte = (unsigned char)*c;
		bool letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
		bool digit = byte >= '0' && byte <= '9';
		if (!letter && byte < 0x80 && byte != '_' && byte != '$' && !(digit && c > at))
			return 0;
	}
	return c < p->end && c > at ? (size_t)(c - at) + 1 : 0;
}

/* Whether a group that remembers opens at `at`: "(" alone, or "(?<" and a name. */
static bool opens_group(const struct re_parser *p, const char *at)
{
	if (*at != '(')
		return false;
	if (p->end - at < 2 || at[1] != '?')
		return true;
	return p->end - at > 3 && at[2] == '<' && at[3] != '=' && at[3] != '!';
}

/* Where the next group that remembers opens, from `at` on; NULL if there is none. */
static const char *next_group(const struct re_parser *p, const char *at)
{
	bool class = false;
	for (; at < p->end; at++) {
		if (*at == '\\')
			at++;
		else if (*at == '[')
			class = true;
		else if (*at == ']')
			class = false;
		else if (!class && opens_group(p, at))
			return at;
	}
	return NULL;
}

/* The number of the first group with this name (`length` counts its ">"), or 0. */
static uint32_t group_called(const struct re_parser *p, const char *name, size_t length)
{
	uint32_t number = 0;
	for (const char *at = next_group(p, p->start); at; at = next_group(p, at + 1)) {
		number++;
		if (at[1] != '?')
			continue;
		if (group_name(p, at + 3) == length && memcmp(at + 3, name, length) == 0)
			return number;
	}
	return 0;
}

static struct re *back_new(struct re_parser *p, uint32_t number)
{
	struct re *node = js_re_new(p, RE_BACK);
	if (node)
		node->min = number;
	return node;
}

static struct re *parse_named_back(struct re_parser *p)
{
	size_t length = re_accept(p, "<") ? group_name(p, p->at) : 0;
	uint32_t number = length ? group_called(p, p->at, length) : 0;
	if (!number)
		return js_re_wrong(p, "\\k does not name a group");
	p->at += length;
	return back_new(p, number);
}

static struct re *parse_back(struct re_parser *p)
{
	uint32_t number = 0;
	while (re_more(p) && *p->at >= '0' && *p->at <= '9' && number <= p->groups)
		number = number * 10 + (uint32_t)(*p->at++ - '0');
	if (number > p->groups)
		return js_re_wrong(p, "a back-reference to a group that is not there");
	return back_new(p, number);
}

static struct re *character_new(struct re_parser *p, uint32_t character)
{
	struct re *node = js_re_new(p, RE_SET);
	return node && js_re_set_add(p, &node->set, character, character) ? node : NULL;
}

/* Behind the backslash; \b and \B have been dealt with. */
static struct re *parse_escape(struct re_parser *p)
{
	struct re_set set = { 0 };
	uint32_t character;
	bool class;

	if (!js_re_class_escape(p, &set, &class))
		return NULL;
	if (class) {
		struct re *node = js_re_new(p, RE_SET);
		if (node)
			node->set = set;
		return node;
	}
	if (re_accept(p, "k"))
		return parse_named_back(p);
	if (re_more(p) && *p->at >= '1' && *p->at <= '9')
		return parse_back(p);
	return js_re_character_escape(p, &character) ? character_new(p, character) : NULL;
}

static struct re *parse_dot(struct re_parser *p)
{
	static const uint32_t line_ends[] = { '\n', '\r', 0x2028, 0x2029 };
	struct re *node = js_re_new(p, RE_SET);
	if (!node)
		return NULL;
	node->set.negative = true;
	for (size_t i = 0; i < sizeof(line_ends) / sizeof(*line_ends); i++) {
		if (!js_re_set_add(p, &node->set, line_ends[i], line_ends[i]))
			return NULL;
	}
	return node;
}

/* The inside of parentheses and the closing one. */
static struct re *parse_inside(struct re_parser *p)
{
	if (p->depth == NESTING_LIMIT)
		return js_re_wrong(p, "groups are nested too deeply");
	p->depth++;
	struct re *inside = parse_choice(p);
	p->depth--;
	if (!inside)
		return NULL;
	return re_accept(p, ")") ? inside : js_re_wrong(p, "a group is not closed");
}

static struct re *parse_remembering(struct re_parser *p)
{
	uint32_t number = ++p->seen;
	if (re_accept(p, "?<")) {
		size_t length = group_name(p, p->at);
		if (!length)
			return js_re_wrong(p, "a group's name is not a name");
		if (group_called(p, p->at, length) != number)
			return js_re_wrong(p, "two groups have one name");
		p->at += length;
	}
	struct re *inside = parse_inside(p);
	struct re *node = inside ? js_re_new(p, RE_GROUP) : NULL;
	if (node) {
		node->min = number;
		node->first = inside;
	}
	return node;
}

static const struct {
	const char *token;
	bool negative, behind;
} looks[] = {
	{ "?=", false, false },
	{ "?!", true, false },
	{ "?<=", false, true },
	{ "?<!", true, true },
};

/* Behind "(". `*ret_repeats` says whether a quantifier may follow. */
static struct re *parse_group(struct re_parser *p, bool *ret_repeats)
{
	for (size_t i = 0; i < sizeof(looks) / sizeof(*looks); i++) {
		if (!re_accept(p, looks[i].token))
			continue;
		*ret_repeats = false;
		struct re *inside = parse_inside(p);
		struct re *node = inside ? js_re_new(p, RE_LOOK) : NULL;
		if (node) {
			node->first = inside;
			node->negative = looks[i].negative;
			node->behind = looks[i].behind;
		}
		return node;
	}
	if (re_accept(p, "?:"))
		return parse_inside(p);
	if (re_next_is(p, '?') && !(p->end - p->at > 1 && p->at[1] == '<'))
		return js_re_wrong(p, "a kind of group that ECMA-262 does not have");
	return parse_remembering(p);
}

static struct re *parse_boundary(struct re_parser *p, bool negative)
{
	struct re *node = js_re_new(p, RE_BOUNDARY);
	if (node)
		node->negative = negative;
	return node;
}

static struct re *parse_atom(struct re_parser *p, bool *ret_repeats)
{
	uint32_t character;

	*ret_repeats = true;
	if (re_accept(p, "("))
		return parse_group(p, ret_repeats);
	if (re_accept(p, "["))
		return js_re_class(p);
	if (re_accept(p, "."))
		return parse_dot(p);
	*ret_repeats = false;
	if (re_accept(p, "^"))
		return js_re_new(p, RE_START);
	if (re_accept(p, "$"))
		return js_re_new(p, RE_END);
	if (re_accept(p, "\\b"))
		return parse_boundary(p, false);
	if (re_accept(p, "\\B"))
		return parse_boundary(p, true);
	*ret_repeats = true;
	if (re_accept(p, "\\"))
		return parse_escape(p);
	if (strchr("*+?{}]", *p->at) && *p->at)
		return js_re_wrong(p, "a quantifier or bracket stands where it cannot");
	return js_re_plain(p, &character) ? character_new(p, character) : NULL;
}

static bool parse_count(struct re_parser *p, uint32_t *ret)
{
	const char *first = p->at;
	uint32_t count = 0;
	for (; re_more(p) && *p->at >= '0' && *p->at <= '9'; p->at++)
		count = count > 100000000 ? count : count * 10 + (uint32_t)(*p->at - '0');
	*ret = count;
	return p->at > first || js_re_refuse(p, "braces want a count");
}

/* A quantifier, if one stands here; `*ret_is` says so. */
static bool parse_quantifier(struct re_parser *p, struct re *repeat, bool *ret_is)
{
	*ret_is = true;
	repeat->max = RE_ENDLESS;
	if (re_accept(p, "*"))
		return true;
	if (re_accept(p, "+")) {
		repeat->min = 1;
		return true;
	}
	if (re_accept(p, "?")) {
		repeat->max = 1;
		return true;
	}
	*ret_is = re_accept(p, "{");
	if (!*ret_is)
		return true;
	if (!parse_count(p, &repeat->min))
		return false;
	if (!re_accept(p, ","))
		repeat->max = repeat->min;
	else if (!re_next_is(p, '}') && !parse_count(p, &repeat->max))
		return false;
	if (repeat->min > repeat->max)
		return js_re_refuse(p, "a count runs backwards");
	return re_accept(p, "}") || js_re_refuse(p, "a count is not closed");
}

static struct re *parse_term(struct re_parser *p)
{
	struct re repeat = { .kind = RE_REPEAT };
	bool repeats, quantified;

	struct re *atom = parse_atom(p, &repeats);
	if (!atom || !parse_quantifier(p, &repeat, &quantified))
		return NULL;
	if (!quantified)
		return atom;
	if (!repeats)
		return js_re_wrong(p, "an assertion cannot be repeated");
	repeat.lazy = re_accept(p, "?");
	repeat.first = atom;
	struct re *node = js_re_new(p, RE_REPEAT);
	if (node)
		*node = repeat;
	return node;
}

static struct re *parse_sequence(struct re_parser *p)
{
	struct re *sequence = js_re_new(p, RE_SEQUENCE);
	struct re **last = sequence ? &sequence->first : NULL;

	while (sequence && re_more(p) && *p->at != '|' && *p->at != ')') {
		struct re *term = parse_term(p);
		if (!term)
			return NULL;
		if (!p->arena)
			continue;
		*last = term;
		last = &term->next;
	}
	return sequence;
}

static struct re *parse_choice(struct re_parser *p)
{
	struct re *choice = js_re_new(p, RE_CHOICE);
	struct re **last = choice ? &choice->first : NULL;

	do {
		struct re *sequence = choice ? parse_sequence(p) : NULL;
		if (!sequence)
			return NULL;
		if (!p->arena)
			continue;
		*last = sequence;
		last = &sequence->next;
	} while (re_accept(p, "|"));
	return choice;
}

const struct re *js_regex_parse(struct arena *arena, const char *pattern, size_t length,
                                const char **ret_why)
{
	struct re_parser p = {
		.arena = arena, .start = pattern, .at = pattern, .end = pattern + length
	};
	static const struct re fine = { .kind = RE_EMPTY };

	if (length > LENGTH_LIMIT) {
		*ret_why = "the pattern is longer than 16 KiB";
		return NULL;
	}
	for (const char *at = next_group(&p, p.at); at; at = next_group(&p, at + 1))
		p.groups++;
	const struct re *tree = parse_choice(&p);
	if (tree && re_more(&p))
		tree = js_re_wrong(&p, "a group is closed that was not opened");
	*ret_why = p.why;
	if (!tree)
		return NULL;
	return arena ? tree : &fine;
}
