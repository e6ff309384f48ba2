/* A contract made from a few lines of paths, for tests of what stands above it. */
#pragma once

#include <stdlib.h>

#include "base/buf.h"
#include "base/problem.h"
#include "contract/document.h"

/* Every slug of problems.def, so that only what a test is about is wrong. */
static inline bool small_slugs(struct buf *text)
{
	bool good = buf_add(
		text,
		"\"components\":{\"responses\":{\"P\":{\"description\":\"p\",\"x-problem\":[");

	for (enum problem_code code = PROBLEM_NONE + 1; code < PROBLEM_CODES && good; code++)
		good = buf_addf(text, "%s\"%s\"", code > 1 ? "," : "", problem_kind(code)->slug);
	return good && buf_add(text, "]}}}");
}

/* `paths`: the members of `paths`. NULL when the contract is refused. */
static inline struct contract *small_contract(const char *paths, contract_fault_fn *fault,
                                              void *context)
{
	buf_auto text = { .limit = 64 * KIB };

	if (!buf_addf(&text, "{\"openapi\":\"3.1.0\",\"paths\":{%s},", paths) ||
	    !small_slugs(&text) || !buf_add(&text, "}"))
		abort();
	return contract_load(buf_text(&text), text.size, fault, context);
}
