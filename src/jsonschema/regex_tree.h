/* The tree of an ECMA-262 pattern (with the `u` flag), as the parser leaves it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jsonschema/memory.h"

enum re_kind {
	RE_EMPTY,
	RE_SET,      /* one character of `set` */
	RE_SEQUENCE, /* `first` and its siblings, one after the other */
	RE_CHOICE,   /* one of `first` and its siblings */
	RE_REPEAT,   /* `first`, `min` to `max` times */
	RE_GROUP,    /* `first`, remembered as number `min` */
	RE_BACK,     /* what group `min` remembers */
	RE_START,    /* ^ */
	RE_END,      /* $ */
	RE_BOUNDARY, /* \b, or \B if `negative` */
	RE_LOOK,     /* (?= (?! (?<= (?<! */
};

static const uint32_t RE_ENDLESS = UINT32_MAX;

struct re_range {
	uint32_t low, high;
	struct re_range *next;
};

struct re_property {
	const char *name; /* as PCRE2 calls it */
	bool negative;
	struct re_property *next;
};

struct re_set {
	struct re_range *ranges;
	struct re_property *properties;
	bool negative;
};

struct re {
	enum re_kind kind;
	bool negative, behind, lazy;
	uint32_t min, max;
	struct re_set set;
	struct re *first, *next;
};

/*
 * NULL when the pattern is wrong (`*ret_why` says why) or there is no memory (`*ret_why` is NULL).
 * With `arena` NULL nothing is built and nothing allocated: the answer is only for comparing with
 * NULL.
 */
const struct re *js_regex_parse(struct arena *arena, const char *pattern, size_t length,
                                const char **ret_why);

/* How PCRE2 spells a property of \p{...}: "Letter" and "gc=L" give "L". NULL when ECMA-262 has no
 * such property. */
const char *js_regex_property(const char *name, size_t length);
