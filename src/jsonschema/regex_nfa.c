/* From the tree of a pattern to a machine over the bytes of UTF-8, built from the end to the start.
 */
#include "jsonschema/regex_nfa.h"

#include <stdlib.h>

static const uint32_t NO_STATE = UINT32_MAX;

/* Ranges of one set, and the inverse; escapes such as \W come as several ranges already. */
enum {
	RANGES_LIMIT = 64,
	LAST_CODE_POINT = 0x10ffff,
	LAST_BEFORE_SURROGATES = 0xd7ff,
	FIRST_AFTER_SURROGATES = 0xe000
};

struct span {
	uint32_t low, high;
};

struct spans {
	struct span list[RANGES_LIMIT];
	size_t count;
	bool full; /* there were too many */
};

static uint32_t build(struct nfa *nfa, const struct re *tree, uint32_t next);

static uint32_t state_new(struct nfa *nfa, struct nfa_state state)
{
	if (nfa->count == NFA_LIMIT)
		return NO_STATE;
	nfa->states[nfa->count] = state;
	return nfa->count++;
}

static uint32_t split_new(struct nfa *nfa, uint32_t next, uint32_t other)
{
	if (next == NO_STATE || other == NO_STATE)
		return NO_STATE;
	return state_new(nfa,
	                 (struct nfa_state){ .kind = NFA_SPLIT, .next = next, .other = other });
}

static void add_span(struct spans *spans, uint32_t low, uint32_t high)
{
	if (low > high)
		return;
	if (spans->count == RANGES_LIMIT) {
		spans->full = true;
		return;
	}
	spans->list[spans->count++] = (struct span){ low, high };
}

static int by_low(const void *a, const void *b)
{
	const struct span *one = a;
	const struct span *two = b;
	return (one->low > two->low) - (one->low < two->low);
}

/* Sorted and without overlaps. */
static void tidy(struct spans *spans)
{
	size_t kept = 0;
	qsort(spans->list, spans->count, sizeof(*spans->list), by_low);
	for (size_t i = 0; i < spans->count; i++) {
		struct span *last = kept ? &spans->list[kept - 1] : NULL;
		if (!last || spans->list[i].low > last->high + 1)
			spans->list[kept++] = spans->list[i];
		else if (spans->list[i].high > last->high)
			last->high = spans->list[i].high;
	}
	spans->count = kept;
}

static void invert(struct spans *spans)
{
	struct spans inverse = { .full = spans->full };
	uint32_t next = 0;
	for (size_t i = 0; i < spans->count; i++) {
		if (spans->list[i].low > next)
			add_span(&inverse, next, spans->list[i].low - 1);
		next = spans->list[i].high + 1;
	}
	add_span(&inverse, next, LAST_CODE_POINT);
	*spans = inverse;
}

/* One byte, or a state that does the same already and was made for this set. */
static uint32_t bytes_new(struct nfa *nfa, uint32_t since, uint32_t low, uint32_t high,
                          uint32_t next)
{
	for (uint32_t i = since; i < nfa->count; i++) {
		const struct nfa_state *s = &nfa->states[i];
		if (s->kind == NFA_BYTES && s->low == low && s->high == high && s->next == next)
			return i;
	}
	return state_new(nfa, (struct nfa_state){ .kind = NFA_BYTES,
	                                          .low = (uint8_t)low,
	                                          .high = (uint8_t)high,
	                                          .next = next });
}

static size_t encode(uint32_t c, uint8_t bytes[4])
{
	static const uint32_t last[] = { 0x7f, 0x7ff, 0xffff, LAST_CODE_POINT };
	static const uint8_t lead[] = { 0, 0xc0, 0xe0, 0xf0 };
	size_t length = 1;
	while (c > last[length - 1])
		length++;
	for (size_t i = length; i-- > 1; c >>= 6)
		bytes[i] = (uint8_t)(0x80 | (c & 0x3f));
	bytes[0] = (uint8_t)(lead[length - 1] | c);
	return length;
}

/* A set on its way into the machine. */
struct set_build {
	struct nfa *nfa;
	uint32_t since; /* the first state made for it */
	uint32_t next;  /* what comes behind it */
	uint32_t entry; /* so far */
};

/* Characters whose encodings differ in a range of each byte: one chain of states. */
static void add_chain(struct set_build *b, uint32_t low, uint32_t high)
{
	uint8_t lows[4] = { 0 };
	uint8_t highs[4] = { 0 };
	size_t length = encode(low, lows);
	uint32_t state = b->next;

	encode(high, highs);
	for (size_t i = length; i-- > 0 && state != NO_STATE;)
		state = bytes_new(b->nfa, b->since, lows[i], highs[i], state);
	if (state == NO_STATE || b->entry == NO_STATE)
		b->entry = state;
	else
		b->entry = split_new(b->nfa, state, b->entry);
}

/* Cuts a range where the length of the encoding or the shape of its bytes changes. */
static void add_range(struct set_build *b, uint32_t low, uint32_t high)
{
	static const uint32_t lengths[] = { 0x7f, 0x7ff, 0xffff };
	for (size_t i = 0; i < 3; i++) {
		if (low <= lengths[i] && high > lengths[i]) {
			add_range(b, low, lengths[i]);
			add_range(b, lengths[i] + 1, high);
			return;
		}
	}
	for (unsigned bits = 6; bits <= 18 && high > 0x7f; bits += 6) {
		uint32_t mask = (UINT32_C(1) << bits) - 1;
		if ((low & ~mask) == (high & ~mask))
			break;
		if (low & mask) {
			add_range(b, low, low | mask);
			add_range(b, (low | mask) + 1, high);
			return;
		}
		if ((high & mask) != mask) {
			add_range(b, low, (high & ~mask) - 1);
			add_range(b, high & ~mask, high);
			return;
		}
	}
	add_chain(b, low, high);
}

static uint32_t build_set(struct nfa *nfa, const struct re *tree, uint32_t next)
{
	struct spans spans = { .count = 0 };
	struct set_build b = { nfa, nfa->count, next, NO_STATE };

	if (tree->set.properties)
		return NO_STATE;
	for (const struct re_range *r = tree->set.ranges; r; r = r->next)
		add_span(&spans, r->low, r->high);
	tidy(&spans);
	if (tree->set.negative)
		invert(&spans);
	if (spans.full)
		return NO_STATE;
	for (size_t i = 0; i < spans.count; i++) {
		struct span s = spans.list[i];
		uint32_t before = s.high < LAST_BEFORE_SURROGATES ? s.high : LAST_BEFORE_SURROGATES;
		uint32_t after = s.low > FIRST_AFTER_SURROGATES ? s.low : FIRST_AFTER_SURROGATES;
		if (s.low <= before)
			add_range(&b, s.low, before);
		if (after <= s.high)
			add_range(&b, after, s.high);
	}
	if (b.entry == NO_STATE && nfa->count < NFA_LIMIT) /* an empty set: no byte is above 255 */
		return state_new(nfa, (struct nfa_state){ .kind = NFA_BYTES, .low = 1, .high = 0 });
	return b.entry;
}

/* The parts from the last to the first; there are never many more than states. */
static uint32_t build_sequence(struct nfa *nfa, const struct re *first, uint32_t next)
{
	const struct re *parts[NFA_LIMIT];
	size_t count = 0;

	for (; first && count < NFA_LIMIT; first = first->next)
		parts[count++] = first;
	if (first)
		return NO_STATE;
	while (count && next != NO_STATE)
		next = build(nfa, parts[--count], next);
	return next;
}

static uint32_t build_choice(struct nfa *nfa, const struct re *arm, uint32_t next)
{
	uint32_t entry = build(nfa, arm, next);
	for (arm = arm->next; arm && entry != NO_STATE; arm = arm->next)
		entry = split_new(nfa, build(nfa, arm, next), entry);
	return entry;
}

static uint32_t build_loop(struct nfa *nfa, const struct re *body, uint32_t next)
{
	uint32_t loop = split_new(nfa, next, next);
	uint32_t entry = loop == NO_STATE ? loop : build(nfa, body, loop);
	if (entry == NO_STATE)
		return entry;
	nfa->states[loop].other = entry;
	return loop;
}

static uint32_t build_repeat(struct nfa *nfa, const struct re *tree, uint32_t next)
{
	uint32_t entry = next;
	if (tree->max == RE_ENDLESS)
		entry = build_loop(nfa, tree->first, next);
	for (uint32_t i = tree->min; tree->max != RE_ENDLESS && i < tree->max && entry != NO_STATE;
	     i++)
		entry = split_new(nfa, build(nfa, tree->first, entry), next);
	for (uint32_t i = 0; i < tree->min && entry != NO_STATE; i++)
		entry = build(nfa, tree->first, entry);
	return entry;
}

/* The state that begins `tree`, when `next` follows it. */
static uint32_t build(struct nfa *nfa, const struct re *tree, uint32_t next)
{
	switch (tree->kind) {
	case RE_EMPTY:
		return next;
	case RE_SET:
		return build_set(nfa, tree, next);
	case RE_SEQUENCE:
		return build_sequence(nfa, tree->first, next);
	case RE_CHOICE:
		return build_choice(nfa, tree->first, next);
	case RE_REPEAT:
		return build_repeat(nfa, tree, next);
	case RE_GROUP:
		return build(nfa, tree->first, next);
	case RE_START:
		return state_new(nfa, (struct nfa_state){ .kind = NFA_START, .next = next });
	case RE_END:
		return state_new(nfa, (struct nfa_state){ .kind = NFA_END, .next = next });
	case RE_BACK:
	case RE_BOUNDARY:
	case RE_LOOK:
		break;
	}
	return NO_STATE;
}

bool js_nfa_build(struct nfa *nfa, const struct re *tree)
{
	nfa->count = 0;
	uint32_t match = state_new(nfa, (struct nfa_state){ .kind = NFA_MATCH });
	nfa->entry = build(nfa, tree, match);
	return nfa->entry != NO_STATE;
}
