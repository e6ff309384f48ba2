/* The keywords of the draft: their vocabulary, and where they hold schemas. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What a keyword's value holds. */
enum holds {
	HOLDS_NONE,
	HOLDS_SCHEMA,
	HOLDS_LIST,
	HOLDS_MAP,
	HOLDS_MIXED_MAP, /* `dependencies`: schemas or lists of names */
};

struct keyword {
	const char *name;
	unsigned vocabulary; /* a bit of registry.h; 0: of none, known all the same */
	enum holds holds;
	bool annotates; /* its value is an annotation as it stands */
};

extern const struct keyword js_keywords[];
extern const size_t js_keyword_count;

const struct keyword *js_keyword(const char *name); /* NULL: unknown */
