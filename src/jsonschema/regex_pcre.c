/* Patterns on PCRE2: those that tables cannot run. They are written out in PCRE2's dialect and run
 * on a budget. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "jsonschema/regex_private.h"
#include "jsonschema/regex_write.h"

/*
 * SCRATCH holds the match data and the first frames of PCRE2's interpreter (where there is no JIT),
 * so that nothing is allocated. A match that goes too deep for that, or for the 32 KiB that the
 * JIT's code has by itself, gets memory up to the other two limits (bytes, and KiB).
 */
enum { SCRATCH = 24 * 1024, JIT_STACK_LIMIT = 8 * 1024 * 1024, HEAP_LIMIT = 32 * 1024 };
enum { MATCH_LIMIT = 10 * 1000 * 1000, PARENTHESES_LIMIT = 1000 };

struct pcre {
	pcre2_code *code;
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

static pcre2_code *compile(const struct text *written, char *what, size_t size)
{
	uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_ALLOW_EMPTY_CLASS |
	                   PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C;
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	pcre2_code *code = NULL;
	int error = PCRE2_ERROR_NOMEMORY;
	PCRE2_SIZE offset;

	if (context) {
		pcre2_set_parens_nest_limit(context, PARENTHESES_LIMIT);
		code = pcre2_compile((PCRE2_SPTR)written->data, written->length, options, &error,
		                     &offset, context);
	}
	pcre2_compile_context_free(context);
	if (!code && pcre2_get_error_message(error, (PCRE2_UCHAR *)what, size) < 0)
		snprintf(what, size, "PCRE2 refuses it");
	return code;
}

struct pcre *js_pcre_new(struct arena *arena, const struct re *tree, char *what, size_t size)
{
	text_auto written = { 0 };
	struct pcre *pcre = js_arena_take(arena, sizeof(*pcre));

	snprintf(what, size, "there is no memory");
	if (!pcre || !js_regex_write(&written, tree))
		return NULL;
	pcre->code = compile(&written, what, size);
	if (!pcre->code)
		return NULL;
	/* Where there is no JIT, the interpreter does it. */
	(void)pcre2_jit_compile(pcre->code, PCRE2_JIT_COMPLETE);
	return pcre;
}

void js_pcre_release(struct pcre *pcre)
{
	if (pcre)
		pcre2_code_free(pcre->code);
}

/* What one match may still cost. */
struct budget {
	unsigned long *steps;
	PCRE2_SIZE last; /* where the text was looked at when it was last counted */
};

/*
 * The written pattern calls this wherever it can come back: for a step, and for the way that was
 * gone since. That bounds the time of any pattern on any text, which PCRE2's own limits (by start,
 * not in all) do not.
 */
static int count(pcre2_callout_block *block, void *data)
{
	struct budget *budget = data;
	PCRE2_SIZE now = block->current_position;
	unsigned long cost =
		1 + (now > budget->last ? now - budget->last : budget->last - now) / 16;

	budget->last = now;
	if (*budget->steps <= cost)
		return PCRE2_ERROR_CALLOUT;
	*budget->steps -= cost;
	return 0;
}

/* With a stack of its own, for a text that is long and a pattern that is nested. */
static int run_deep(const struct pcre *pcre, const char *text, size_t length,
                    pcre2_match_data *data, pcre2_match_context *context)
{
	pcre2_jit_stack *stack = pcre2_jit_stack_create(32 * 1024, JIT_STACK_LIMIT, NULL);
	if (!stack)
		return PCRE2_ERROR_NOMEMORY;
	pcre2_jit_stack_assign(context, NULL, stack);
	int found = pcre2_match(pcre->code, (PCRE2_SPTR)text, length, 0, PCRE2_NO_UTF_CHECK, data,
	                        context);
	pcre2_jit_stack_free(stack);
	return found;
}

/* No check of the UTF-8: jansson let no other text in. */
static int run(const struct pcre *pcre, const char *text, size_t length, pcre2_match_data *data,
               pcre2_match_context *context)
{
	int found = pcre2_match(pcre->code, (PCRE2_SPTR)text, length, 0, PCRE2_NO_UTF_CHECK, data,
	                        context);
	if (found == PCRE2_ERROR_JIT_STACKLIMIT)
		found = run_deep(pcre, text, length, data, context);
	return found;
}

enum regex_answer js_pcre_match(const struct pcre *pcre, const char *text, size_t length,
                                unsigned long *steps)
{
	struct scratch scratch;
	struct budget budget;
	int found = PCRE2_ERROR_NOMEMORY;

	budget.steps = steps;
	budget.last = 0;
	scratch.used = 0; /* the rest is not to be cleared: 24 KiB */
	pcre2_general_context *general =
		pcre2_general_context_create(scratch_take, scratch_return, &scratch);
	pcre2_match_data *data = general ? pcre2_match_data_create(1, general) : NULL;
	pcre2_match_context *context = general ? pcre2_match_context_create(general) : NULL;
	if (data && context) {
		pcre2_set_match_limit(context, MATCH_LIMIT);
		pcre2_set_heap_limit(context, HEAP_LIMIT);
		pcre2_set_callout(context, count, &budget);
		found = run(pcre, text, length, data, context);
	}
	pcre2_match_context_free(context);
	pcre2_match_data_free(data);
	pcre2_general_context_free(general);
	if (found >= 0)
		return REGEX_YES;
	return found == PCRE2_ERROR_NOMATCH ? REGEX_NO : REGEX_TOO_HARD;
}
