/* Handlers and operationIds, one to one. */
#include "call/bind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct binding {
	const struct contract *contract;
	handler_fn **handlers;
	contract_fault_fn *fault;
	void *context;
	bool failed;
};

static void say(struct binding *b, const char *fmt, const char *id) printf_like(2, 0);

static void say(struct binding *b, const char *fmt, const char *id)
{
	char sentence[256];

	snprintf(sentence, sizeof sentence, fmt, id);
	b->failed = true;
	b->fault(b->context, sentence);
}

static void bind_one(struct binding *b, const struct operation *operation)
{
	for (size_t i = 0; i < contract_count(b->contract); i++) {
		if (strcmp(contract_endpoint(b->contract, i)->id, operation->id) != 0)
			continue;
		if (b->handlers[i])
			say(b, "the operation %s has two handlers", operation->id);
		b->handlers[i] = operation->handle;
		return;
	}
	say(b, "the handler of %s is for no operation of the contract", operation->id);
}

handler_fn **bind_operations(const struct contract *contract, const struct module *const modules[],
                             contract_fault_fn *fault, void *context)
{
	struct binding b = { .contract = contract, .fault = fault, .context = context };

	b.handlers = calloc(contract_count(contract) + 1, sizeof *b.handlers);
	if (!b.handlers)
		return NULL;
	for (; *modules; modules++)
		for (size_t i = 0; i < (*modules)->count; i++)
			bind_one(&b, &(*modules)->operations[i]);
	for (size_t i = 0; i < contract_count(contract); i++)
		if (!b.handlers[i])
			say(&b, "the operation %s has no handler",
			    contract_endpoint(contract, i)->id);
	if (!b.failed)
		return b.handlers;
	free(b.handlers);
	return NULL;
}
