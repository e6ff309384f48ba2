/* Principals: one block of memory each, counted, never changed after they were made. */
#include "auth/principal.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The words a principal borrows: copied into its block, one after the other. */
static const size_t words[] = {
	offsetof(struct principal, subject),  offsetof(struct principal, client),
	offsetof(struct principal, role),     offsetof(struct principal, class),
	offsetof(struct principal, councils), offsetof(struct principal, org),
	offsetof(struct principal, carer),    offsetof(struct principal, scope),
	offsetof(struct principal, issuer),
};

struct counted {
	struct principal principal; /* first: a pointer to it is a pointer to the block */
	atomic_uint holders;
	char text[];
};

static const struct principal public = {
	.subject = "",
	.role = "public",
	.class = "carers_public",
	.councils = "{}",
	.scope = "",
	.issuer = "",
	.anonymous = true,
};

const struct principal *principal_public(void) { return &public; }

static struct counted *counted(const struct principal *principal)
{
	return (struct counted *)(uintptr_t)
		principal; /* const is for those who hold it; the count is ours */
}

static const char **word(struct principal *principal, size_t which)
{
	return (const char **)(void *)((char *)principal + words[which]);
}

static size_t text_size(struct principal *says)
{
	size_t size = 0;

	for (size_t i = 0; i < COUNT_OF(words); i++)
		size += *word(says, i) ? strlen(*word(says, i)) + 1 : 0;
	return size;
}

const struct principal *principal_new(const struct principal *says)
{
	struct principal copy = *says;
	struct counted *made = malloc(sizeof *made + text_size(&copy));
	char *at;

	if (!made)
		return NULL;
	at = made->text;
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		const char **from = word(&copy, i);
		size_t size = *from ? strlen(*from) + 1 : 0;

		if (!*from)
			continue;
		memcpy(at, *from, size);
		*from = at;
		at += size;
	}
	made->principal = copy;
	atomic_init(&made->holders, 1);
	return &made->principal;
}

const struct principal *principal_hold(const struct principal *principal)
{
	if (principal != &public)
		atomic_fetch_add_explicit(&counted(principal)->holders, 1, memory_order_relaxed);
	return principal;
}

void principal_release(const struct principal *principal)
{
	if (!principal || principal == &public)
		return;
	if (atomic_fetch_sub_explicit(&counted(principal)->holders, 1, memory_order_acq_rel) == 1)
		free(counted(principal));
}
