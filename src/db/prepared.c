/* Which statements a session has prepared: a hash table of (query, class). */
#include "prepared.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { FIRST_ROOM = 64 }; /* slots; always a power of two */

static size_t home_of(const struct db_query *query, const char *class, size_t room)
{
	uint64_t hash = text_hash(class, strlen(class)) ^
	                ((uintptr_t)query >> 4) * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(hash ^ hash >> 32) & (room - 1);
}

/* The slot where it stands, or the free one where it belongs. There always is a free one. */
static struct statement **slot_of(const struct prepared *prepared, const struct db_query *query,
                                  const char *class)
{
	size_t at = home_of(query, class, prepared->room);

	while (prepared->slots[at] && (prepared->slots[at]->query != query ||
	                               strcmp(prepared->slots[at]->class, class) != 0))
		at = (at + 1) & (prepared->room - 1);
	return &prepared->slots[at];
}

/* At most three quarters full. */
static bool make_room(struct prepared *prepared)
{
	struct prepared larger = { .count = prepared->count,
		                   .room = prepared->room ? 2 * prepared->room : FIRST_ROOM };

	if (prepared->count < prepared->room / 4 * 3)
		return true;
	larger.slots = calloc(larger.room, sizeof(struct statement *));
	if (!larger.slots)
		return false;
	for (size_t i = 0; i < prepared->room; i++) {
		struct statement *s = prepared->slots[i];

		if (s)
			*slot_of(&larger, s->query, s->class) = s;
	}
	free(prepared->slots);
	*prepared = larger;
	return true;
}

static struct statement *statement_new(const struct db_query *query, const char *class)
{
	struct statement *s = calloc(1, sizeof *s);
	int size;

	if (!s)
		return NULL;
	size = snprintf(s->name, sizeof s->name, "%s@%s", query->name, class);
	if (size < 0 || (size_t)size >= sizeof s->name) {
		free(s);
		return NULL;
	}
	s->query = query;
	s->class = s->name + strlen(query->name) + 1;
	return s;
}

struct statement *prepared_get(struct prepared *prepared, const struct db_query *query,
                               const char *class)
{
	struct statement **slot;

	if (!make_room(prepared))
		return NULL;
	slot = slot_of(prepared, query, class);
	if (!*slot) {
		*slot = statement_new(query, class);
		prepared->count += *slot != NULL;
	}
	return *slot;
}

void prepared_clear(struct prepared *prepared)
{
	for (size_t i = 0; i < prepared->room; i++)
		free(prepared->slots[i]);
	free(prepared->slots);
	*prepared = (struct prepared){ 0 };
}
