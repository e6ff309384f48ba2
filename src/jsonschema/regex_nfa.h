/* A pattern as a machine over bytes, which the tables are made from. */
#pragma once

#include "jsonschema/regex_tree.h"

enum nfa_kind {
	NFA_BYTES, /* one byte from `low` to `high`, then `next` */
	NFA_SPLIT, /* `next` or `other` */
	NFA_START, /* `next`, at the start of the text only */
	NFA_END,   /* `next`, at its end only */
	NFA_MATCH,
};

struct nfa_state {
	enum nfa_kind kind;
	uint8_t low, high;
	uint32_t next, other;
};

/* Machines with more states are not made: PCRE2 runs such patterns. */
enum { NFA_LIMIT = 3000 };

struct nfa {
	struct nfa_state states[NFA_LIMIT];
	uint32_t count;
	uint32_t entry;
};

/* False when the pattern needs more than a finite machine (look-around, \b, back-references, \p) or
 * is too large. */
bool js_nfa_build(struct nfa *nfa, const struct re *tree);
