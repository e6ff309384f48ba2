/* What tests of the contract engine share: loading a few paths, and the sentences of a refusal. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "small_contract.h"

static struct buf faults = { .limit = 64 * KIB };

static inline void note(void *context, const char *sentence)
{
	(void)context;
	if (!buf_addf(&faults, "%s\n", sentence))
		abort();
}

static inline struct contract *load(const char *paths)
{
	buf_free(&faults);
	return small_contract(paths, note, NULL);
}

static inline void assert_stops_the_start(const char *paths, const char *sentence)
{
	assert_null(load(paths));
	if (!strstr(buf_text(&faults), sentence))
		fprintf(stderr, "wanted: %s\nhave: %s\n", sentence, buf_text(&faults));
	assert_non_null(strstr(buf_text(&faults), sentence));
	buf_free(&faults);
}

#define OK_ "\"responses\":{\"200\":{\"description\":\"x\"}}"

static inline const char *no_header(void *context, const char *name)
{
	(void)name;
	return context;
}
