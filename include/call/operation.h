/* An operation of the contract and the function that keeps it; a module is one family's table of
 * them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct call;

/* True: the call has its reply. False: it has its problem. It may run again from its beginning
 * (40001). */
typedef bool handler_fn(struct call *c);

struct operation {
	const char *id; /* operationId */
	handler_fn *handle;
};

struct module {
	const char *name;
	const struct operation *operations;
	size_t count;
};

#define MODULE(m) const struct module module_##m = { #m, m, COUNT_OF(m) }
