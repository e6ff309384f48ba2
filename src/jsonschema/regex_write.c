/* Writing the tree of a pattern in PCRE2's dialect: nothing of ECMA-262's own is left to be
 * misread. */
#include "jsonschema/regex_write.h"

static void write_tree(struct text *out, const struct re *tree);

static void write_callout(struct text *out) { js_text_adds(out, "(?C)"); }

/* PCRE2 refuses surrogates, which no UTF-8 text contains. */
static void write_range(struct text *out, uint32_t low, uint32_t high)
{
	if (low < 0xd800 && high > 0xdfff) {
		js_text_print(out, "\\x{%x}-\\x{d7ff}\\x{e000}-\\x{%x}", low, high);
		return;
	}
	if (low >= 0xd800 && low <= 0xdfff)
		low = 0xe000;
	if (high >= 0xd800 && high <= 0xdfff)
		high = 0xd7ff;
	if (low <= high)
		js_text_print(out, "\\x{%x}-\\x{%x}", low, high);
}

/* PCRE2_ALLOW_EMPTY_CLASS makes [] and [^] mean nothing and anything. */
static void write_set(struct text *out, const struct re *node)
{
	js_text_adds(out, node->set.negative ? "[^" : "[");
	for (const struct re_range *r = node->set.ranges; r; r = r->next)
		write_range(out, r->low, r->high);
	for (const struct re_property *q = node->set.properties; q; q = q->next)
		js_text_print(out, "\\%c{%s}", q->negative ? 'P' : 'p', q->name);
	js_text_adds(out, "]");
}

static void write_sequence(struct text *out, const struct re *node)
{
	for (const struct re *part = node->first; part; part = part->next)
		write_tree(out, part);
}

static void write_choice(struct text *out, const struct re *node)
{
	bool several = node->first->next != NULL;

	js_text_adds(out, "(?:");
	for (const struct re *arm = node->first; arm; arm = arm->next) {
		if (several)
			write_callout(out);
		write_tree(out, arm);
		if (arm->next)
			js_text_adds(out, "|");
	}
	js_text_adds(out, ")");
}

/* A repeated set comes back behind itself, anything else inside. */
static void write_repeat(struct text *out, const struct re *node)
{
	bool set = node->first->kind == RE_SET;

	js_text_adds(out, "(?:");
	write_tree(out, node->first);
	if (!set)
		write_callout(out);
	js_text_print(out, "){%u,", node->min);
	if (node->max != RE_ENDLESS)
		js_text_print(out, "%u", node->max);
	js_text_adds(out, node->lazy ? "}?" : "}");
	if (set)
		write_callout(out);
}

static void write_group(struct text *out, const struct re *node)
{
	js_text_adds(out, "(");
	write_tree(out, node->first);
	js_text_adds(out, ")");
}

static void write_back(struct text *out, const struct re *node)
{
	js_text_print(out, "\\g{%u}", node->min);
	write_callout(out);
}

static void write_start(struct text *out, const struct re *node)
{
	(void)node;
	js_text_adds(out, "\\A");
}

static void write_end(struct text *out, const struct re *node)
{
	(void)node;
	js_text_adds(out, "\\z");
}

static void write_boundary(struct text *out, const struct re *node)
{
	js_text_adds(out, node->negative ? "\\B" : "\\b");
}

static void write_look(struct text *out, const struct re *node)
{
	js_text_print(out, "(?%s%s", node->behind ? "<" : "", node->negative ? "!" : "=");
	write_tree(out, node->first);
	js_text_adds(out, ")");
}

static void write_tree(struct text *out, const struct re *tree)
{
	static void (*const writers[])(struct text *, const struct re *) = {
		[RE_SET] = write_set,           [RE_SEQUENCE] = write_sequence,
		[RE_CHOICE] = write_choice,     [RE_REPEAT] = write_repeat,
		[RE_GROUP] = write_group,       [RE_BACK] = write_back,
		[RE_START] = write_start,       [RE_END] = write_end,
		[RE_BOUNDARY] = write_boundary, [RE_LOOK] = write_look,
	};
	writers[tree->kind](out, tree);
}

bool js_regex_write(struct text *ret, const struct re *tree)
{
	write_callout(ret); /* once for each place where it begins */
	write_tree(ret, tree);
	return !ret->broken;
}
