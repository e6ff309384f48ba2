/* What the two halves of the pattern parser share: characters and classes, terms and groups. */
#pragma once

#include <string.h>

#include "jsonschema/regex_tree.h"

enum { LAST_CODE_POINT = 0x10ffff };

struct re_parser {
	struct arena *arena; /* NULL: check only */
	const char *start, *at, *end;
	const char *why;
	unsigned depth;
	uint32_t groups; /* how many there are in all */
	uint32_t seen;   /* how many have been opened so far */
	/* What is handed out when nothing is built. */
	struct re spare;
	struct re_range spare_range;
	struct re_property spare_property;
};

/* Keeps the first reason. NULL, and false, for returning. */
void *js_re_wrong(struct re_parser *p, const char *why);
bool js_re_refuse(struct re_parser *p, const char *why);

struct re *js_re_new(struct re_parser *p, enum re_kind kind);

static inline bool re_more(const struct re_parser *p) { return p->at < p->end; }

static inline bool re_next_is(const struct re_parser *p, char c)
{
	return re_more(p) && *p->at == c;
}

static inline bool re_accept(struct re_parser *p, const char *token)
{
	size_t length = strlen(token);
	if ((size_t)(p->end - p->at) < length || memcmp(p->at, token, length) != 0)
		return false;
	p->at += length;
	return true;
}

bool js_re_set_add(struct re_parser *p, struct re_set *set, uint32_t low, uint32_t high);

/* \d \D \w \W \s \S \p{} \P{}; `*ret_is` says whether it was one. `p->at` stands behind the
 * backslash. */
bool js_re_class_escape(struct re_parser *p, struct re_set *set, bool *ret_is);
/* The escapes that stand for one character, in and out of a class. Behind the backslash too. */
bool js_re_character_escape(struct re_parser *p, uint32_t *ret);
bool js_re_plain(struct re_parser *p, uint32_t *ret); /* one character of UTF-8 */
struct re *js_re_class(struct re_parser *p);          /* behind "[" */
