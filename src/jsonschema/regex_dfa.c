/*
 * Patterns as tables: one look-up for each byte, whatever the pattern and the text. Made when the
 * pattern is compiled, within limits; what does not fit them is left to PCRE2.
 */
#include <stdlib.h>
#include <string.h>

#include "jsonschema/regex_nfa.h"
#include "jsonschema/regex_private.h"

/* TABLE_LIMIT: entries, so that an offset fits 16 bits. WORK_LIMIT: steps of making it, some
 * milliseconds. */
enum {
	STATES_LIMIT = 1000,
	TABLE_LIMIT = 60000,
	WORK_LIMIT = 4 * 1000 * 1000,
	WORDS = (NFA_LIMIT + 63) / 64
};
/* The first two states: nothing can match any more; it has matched. */
enum { DEAD, MATCHED, FIRST };

struct dfa {
	uint8_t class_of[256];
	const uint16_t *table; /* row by row; the value is where the next row begins */
	const bool *at_end;    /* by row: it matches if the text ends here */
	uint16_t start;
	uint16_t classes;
};

struct set {
	uint64_t bits[WORDS];
};

struct making {
	const struct nfa *nfa;
	struct set *sets; /* one for each state */
	uint64_t *hashes; /* of these sets */
	size_t words;     /* of a set, as far as it is used */
	size_t start;
	size_t count;
	size_t work;
	uint8_t representative[256]; /* a byte of each class */
	unsigned classes;
	uint8_t class_of[256];
	uint16_t *table;
	bool *at_end;
	struct set again; /* what a match that begins later is in at first */
};

static bool has(const struct set *set, uint32_t state)
{
	return set->bits[state / 64] >> (state % 64) & 1;
}

/* Adds a state and what can be reached from it without a byte. */
static void reach(struct making *m, struct set *set, uint32_t from, bool start, bool end)
{
	uint32_t stack[NFA_LIMIT];
	size_t depth = 0;

	if (!has(set, from))
		stack[depth++] = from;
	set->bits[from / 64] |= UINT64_C(1) << (from % 64);
	while (depth) {
		const struct nfa_state *s = &m->nfa->states[stack[--depth]];
		bool passes = s->kind == NFA_SPLIT || (s->kind == NFA_START && start) ||
		              (s->kind == NFA_END && end);
		const uint32_t next[] = { s->next, s->other };
		size_t ways = s->kind == NFA_SPLIT ? 2 : 1;
		m->work++;
		for (size_t i = 0; passes && i < ways; i++) {
			if (has(set, next[i]))
				continue;
			set->bits[next[i] / 64] |= UINT64_C(1) << (next[i] % 64);
			stack[depth++] = next[i];
		}
	}
}

static bool matches(const struct making *m, const struct set *set)
{
	for (uint32_t i = 0; i < m->nfa->count; i++) {
		if (m->nfa->states[i].kind == NFA_MATCH && has(set, i))
			return true;
	}
	return false;
}

static bool matches_at_end(struct making *m, const struct set *set, bool start)
{
	struct set closed = { 0 };
	for (uint32_t i = 0; i < m->nfa->count; i++) {
		if (has(set, i))
			reach(m, &closed, i, start, true);
	}
	return matches(m, &closed);
}

/* Bytes that no state tells apart share a class. */
static void classify(struct making *m)
{
	bool edge[257] = { false };
	unsigned class = 0;

	for (uint32_t i = 0; i < m->nfa->count; i++) {
		const struct nfa_state *s = &m->nfa->states[i];
		if (s->kind == NFA_BYTES && s->low <= s->high) {
			edge[s->low] = true;
			edge[s->high + 1] = true;
		}
	}
	for (unsigned byte = 0; byte < 256; byte++) {
		if (byte && edge[byte])
			class ++;
		m->class_of[byte] = (uint8_t) class;
		m->representative[class] = (uint8_t)byte;
	}
	m->classes = class + 1;
}

static bool is_empty(const struct making *m, const struct set *set)
{
	for (size_t i = 0; i < m->words; i++) {
		if (set->bits[i])
			return false;
	}
	return true;
}

static uint64_t hash_of(const struct making *m, const struct set *set, bool at_end)
{
	uint64_t hash = at_end;
	for (size_t i = 0; i < m->words; i++)
		hash = (hash ^ set->bits[i]) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
	return hash;
}

/* Only what reads a byte, or waits for the end, or matches makes a difference. */
static void strip(const struct making *m, struct set *set)
{
	for (uint32_t i = 0; i < m->nfa->count; i++) {
		enum nfa_kind kind = m->nfa->states[i].kind;
		if (kind == NFA_SPLIT || kind == NFA_START)
			set->bits[i / 64] &= ~(UINT64_C(1) << (i % 64));
	}
}

/* The number of the state that a set is, a new one if need be; STATES_LIMIT when there are too
 * many. */
static size_t state_of(struct making *m, struct set *set, bool start)
{
	if (matches(m, set))
		return MATCHED;
	bool at_end = matches_at_end(m, set, start);
	strip(m, set);
	if (is_empty(m, set) && !at_end)
		return DEAD;
	uint64_t hash = hash_of(m, set, at_end);
	for (size_t i = FIRST; i < m->count; i++) {
		/* The start is a state of its own: only there does ^ hold. */
		if (i == m->start || m->hashes[i] != hash || m->at_end[i] != at_end)
			continue;
		if (memcmp(&m->sets[i], set, sizeof(*set)) == 0)
			return i;
	}
	m->work += m->count / 4 + m->words;
	if (m->count == STATES_LIMIT || (m->count + 1) * m->classes > TABLE_LIMIT)
		return STATES_LIMIT;
	m->sets[m->count] = *set;
	m->at_end[m->count] = at_end;
	m->hashes[m->count] = hash;
	return m->count++;
}

static size_t step(struct making *m, size_t from, uint8_t byte)
{
	struct set set = m->again;
	for (uint32_t i = 0; i < m->nfa->count; i++) {
		const struct nfa_state *s = &m->nfa->states[i];
		bool reads = s->kind == NFA_BYTES && s->low <= byte && byte <= s->high;
		if (reads && has(&m->sets[from], i))
			reach(m, &set, s->next, false, false);
	}
	m->work += m->nfa->count;
	return state_of(m, &set, false);
}

/* Fills the table row by row; each row may bring new ones. */
static bool fill(struct making *m)
{
	struct set first = { 0 };

	m->count = FIRST;
	m->words = (m->nfa->count + 63) / 64;
	classify(m);
	for (unsigned c = 0; c < m->classes; c++) {
		m->table[DEAD * m->classes + c] = DEAD;
		m->table[MATCHED * m->classes + c] = (uint16_t)(MATCHED * m->classes);
	}
	reach(m, &m->again, m->nfa->entry, false, false);
	reach(m, &first, m->nfa->entry, true, false);
	m->start = state_of(m, &first, true);
	if (m->start == STATES_LIMIT)
		return false;
	for (size_t row = FIRST; row < m->count; row++) {
		for (unsigned c = 0; c < m->classes; c++) {
			size_t next = step(m, row, m->representative[c]);
			if (next == STATES_LIMIT || m->work > WORK_LIMIT)
				return false;
			m->table[row * m->classes + c] = (uint16_t)(next * m->classes);
		}
	}
	return true;
}

static struct dfa *keep(struct arena *arena, const struct making *m)
{
	struct dfa *dfa = js_arena_take(arena, sizeof(*dfa));
	uint16_t *table = js_arena_array(arena, m->count * m->classes, sizeof(*table));
	bool *at_end = js_arena_array(arena, m->count, sizeof(*at_end));

	if (!dfa || !table || !at_end)
		return NULL;
	memcpy(table, m->table, m->count * m->classes * sizeof(*table));
	memcpy(at_end, m->at_end, m->count * sizeof(*at_end));
	at_end[MATCHED] = true;
	memcpy(dfa->class_of, m->class_of, sizeof(dfa->class_of));
	dfa->table = table;
	dfa->at_end = at_end;
	dfa->classes = (uint16_t)m->classes;
	dfa->start = (uint16_t)(m->start * m->classes);
	return dfa;
}

struct dfa *js_dfa_new(struct arena *arena, const struct re *tree)
{
	struct nfa *nfa = malloc(sizeof(*nfa));
	struct making m = { .nfa = nfa };
	struct dfa *dfa = NULL;

	m.sets = malloc(STATES_LIMIT * sizeof(*m.sets));
	m.hashes = malloc(STATES_LIMIT * sizeof(*m.hashes));
	m.table = malloc((TABLE_LIMIT + 256) * sizeof(*m.table));
	m.at_end = calloc(STATES_LIMIT, sizeof(*m.at_end));
	if (nfa && m.sets && m.hashes && m.table && m.at_end && js_nfa_build(nfa, tree) && fill(&m))
		dfa = keep(arena, &m);
	free(m.at_end);
	free(m.table);
	free(m.hashes);
	free(m.sets);
	free(nfa);
	return dfa;
}

bool js_dfa_match(const struct dfa *dfa, const char *text, size_t length)
{
	const uint16_t *table = dfa->table;
	size_t row = dfa->start;
	unsigned classes = dfa->classes;

	for (size_t i = 0; i < length; i++) {
		row = table[row + dfa->class_of[(unsigned char)text[i]]];
		if (row <= MATCHED * classes)
			return row == MATCHED * classes;
	}
	return dfa->at_end[row / classes];
}
