/* The set of names: open addressing on a cheap hash of the length and the outer sixteen bytes. */
#include "jsonschema/names.h"

/*
 * The names come from the schema and are fixed, so that nobody can make the chains long with an
 * instance. That is why the hash needs no key and may look at the ends only.
 */
static inline uint32_t hash_of(const char *text, size_t length)
{
	uint64_t head = 0;
	uint64_t tail = 0;

	if (length >= 8) {
		head = js_eight(text);
		tail = js_eight(text + length - 8);
	} else if (length >= 4) {
		head = js_four(text);
		tail = js_four(text + length - 4);
	} else if (length) {
		head = (unsigned char)text[0] | (uint64_t)(unsigned char)text[length / 2] << 8;
		tail = (unsigned char)text[length - 1];
	}
	uint64_t mixed = (head ^ (tail << 29 | tail >> 35) ^ length) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(mixed >> 32);
}

static void place(struct names *names, uint32_t number)
{
	uint32_t slot = names->names[number].hash & names->mask;
	while (names->slots[slot])
		slot = (slot + 1) & names->mask;
	names->slots[slot] = (uint16_t)(number + 1);
}

struct names *js_names_new(struct arena *arena, const char *const *texts, const size_t *lengths,
                           size_t count)
{
	uint32_t room = 4;
	while (room < count * 3)
		room *= 2;
	struct names *names = count <= NAMES_LIMIT ? js_arena_take(arena, sizeof(*names)) : NULL;
	if (!names)
		return NULL;
	names->names = js_arena_array(arena, count, sizeof(*names->names));
	names->slots = js_arena_array(arena, room, sizeof(*names->slots));
	names->mask = room - 1;
	if (!names->names || !names->slots)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		char *copy =
			lengths[i] < UINT32_MAX ? js_arena_copy(arena, texts[i], lengths[i]) : NULL;
		if (!copy)
			return NULL;
		names->names[i] =
			(struct name){ copy, (uint32_t)lengths[i], hash_of(copy, lengths[i]) };
		place(names, names->count++);
	}
	return names;
}

uint32_t js_names_search(const struct names *names, const char *text, size_t length)
{
	uint32_t slot = hash_of(text, length) & names->mask;

	while (names->slots[slot]) {
		uint32_t number = names->slots[slot] - 1u;
		if (js_name_is(&names->names[number], text, length))
			return number;
		slot = (slot + 1) & names->mask;
	}
	return NO_NAME;
}
