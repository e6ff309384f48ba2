/* Handlers and operationIds, one to one. */
#include "call/bind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const known_roles[] = {
#define X(role, class) role,
#include "auth/roles.def"
#undef X
};

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

static bool known_role(const char *role)
{
	for (size_t i = 0; i < COUNT_OF(known_roles); i++)
		if (strcmp(known_roles[i], role) == 0)
			return true;
	return false;
}

static void check_roles(struct binding *b, const struct endpoint *endpoint)
{
	for (size_t i = 0; endpoint->roles[i]; i++)
		if (!known_role(endpoint->roles[i]))
			say(b, "an operation is for the role %s, which no token may carry",
			    endpoint->roles[i]);
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
	for (size_t i = 0; i < contract_count(contract); i++) {
		if (!b.handlers[i])
			say(&b, "the operation %s has no handler",
			    contract_endpoint(contract, i)->id);
		check_roles(&b, contract_endpoint(contract, i));
	}
	if (!b.failed)
		return b.handlers;
	free(b.handlers);
	return NULL;
}
