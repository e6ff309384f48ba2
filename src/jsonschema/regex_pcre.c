/* Patterns on PCRE2: the tree is written out in PCRE2's dialect and run with limits. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsonschema/regex_parser.h"
#include "jsonschema/regex_private.h"

/*
 * How hard a match may try before it counts as too hard: a tenth of a second or so on one core for
 * the worst patterns. HEAP_LIMIT is in KiB. SCRATCH holds the match data and the first frames, so
 * that nothing is allocated.
 */
enum { MATCH_LIMIT = 1000 * 1000, DEPTH_LIMIT = 5000, HEAP_LIMIT = 4096, SCRATCH = 24 * 1024 };
enum { COUNT_LIMIT = 65535 }; /* PCRE2's own */

struct pcre {
	pcre2_code *code;
	pcre2_match_context *context;
	bool jit;
};

/* Memory on the caller's stack, with the heap behind it. */
struct scratch {
	size_t used;
	_Alignas(16) char bytes[SCRATCH];
};

static void *scratch_take(size_t size, void *data)
{
	struct scratch *scratch = data;
	size = (size + 15) / 16 * 16;
	if (size > SCRATCH - scratch->used)
		return malloc(size);
	void *taken = scratch->bytes + scratch->used;
	scratch->used += size;
	return taken;
}

static void scratch_return(void *memory, void *data)
{
	struct scratch *scratch = data;
	char *at = memory;
	if (at < scratch->bytes || at >= scratch->bytes + SCRATCH)
		free(memory);
}

static void write_tree(struct text *out, const struct re *tree);

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

static void write_set(struct text *out, const struct re *node)
{
	/* ALLOW_EMPTY_CLASS makes [] and [^] mean nothing and anything. */
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
	js_text_adds(out, "(?:");
	for (const struct re *arm = node->first; arm; arm = arm->next) {
		write_tree(out, arm);
		if (arm->next)
			js_text_adds(out, "|");
	}
	js_text_adds(out, ")");
}

static void write_repeat(struct text *out, const struct re *node)
{
	js_text_adds(out, "(?:");
	write_tree(out, node->first);
	js_text_print(out, "){%u,", node->min);
	if (node->max != RE_ENDLESS)
		js_text_print(out, "%u", node->max);
	js_text_adds(out, node->lazy ? "}?" : "}");
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

static pcre2_code *compile(const struct text *written, char *what, size_t size)
{
	int error;
	PCRE2_SIZE offset;
	pcre2_code *code =
		pcre2_compile((PCRE2_SPTR)written->data, written->length,
	                      PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_ALLOW_EMPTY_CLASS |
	                              PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C,
	                      &error, &offset, NULL);
	if (!code && pcre2_get_error_message(error, (PCRE2_UCHAR *)what, size) < 0)
		snprintf(what, size, "PCRE2 refuses it");
	return code;
}

struct pcre *js_pcre_new(struct arena *arena, const struct re *tree, char *what, size_t size)
{
	text_auto written = { 0 };
	struct pcre *pcre = js_arena_take(arena, sizeof(*pcre));

	snprintf(what, size, "there is no memory");
	write_tree(&written, tree);
	if (!pcre || written.broken || !js_text_adds(&written, ""))
		return NULL;
	pcre->code = compile(&written, what, size);
	if (!pcre->code)
		return NULL;
	pcre->context = pcre2_match_context_create(NULL);
	if (!pcre->context) {
		pcre2_code_free(pcre->code);
		return NULL;
	}
	pcre2_set_match_limit(pcre->context, MATCH_LIMIT);
	pcre2_set_depth_limit(pcre->context, DEPTH_LIMIT);
	pcre2_set_heap_limit(pcre->context, HEAP_LIMIT);
	pcre->jit = pcre2_jit_compile(pcre->code, PCRE2_JIT_COMPLETE) == 0;
	return pcre;
}

void js_pcre_release(struct pcre *pcre)
{
	if (!pcre)
		return;
	pcre2_match_context_free(pcre->context);
	pcre2_code_free(pcre->code);
}

static int run(const struct pcre *pcre, const char *text, size_t length, pcre2_match_data *data)
{
	uint32_t options = PCRE2_NO_UTF_CHECK; /* jansson let no other text in */
	int found = PCRE2_ERROR_JIT_STACKLIMIT;
	if (pcre->jit)
		found = pcre2_match(pcre->code, (PCRE2_SPTR)text, length, 0, options, data,
		                    pcre->context);
	if (found == PCRE2_ERROR_JIT_STACKLIMIT)
		found = pcre2_match(pcre->code, (PCRE2_SPTR)text, length, 0, options | PCRE2_NO_JIT,
		                    data, pcre->context);
	return found;
}

enum regex_answer js_pcre_match(const struct pcre *pcre, const char *text, size_t length)
{
	struct scratch scratch;
	scratch.used = 0;
	/* The general context is taken from the scratch too, by its own functions. */
	pcre2_general_context *general =
		pcre2_general_context_create(scratch_take, scratch_return, &scratch);
	pcre2_match_data *data = general ? pcre2_match_data_create(1, general) : NULL;
	int found = data ? run(pcre, text, length, data) : PCRE2_ERROR_NOMEMORY;

	pcre2_match_data_free(data);
	pcre2_general_context_free(general);
	if (found >= 0)
		return REGEX_YES;
	return found == PCRE2_ERROR_NOMATCH ? REGEX_NO : REGEX_TOO_HARD;
}
