/* The arena, the growing text and the growing list: the only place of this folder that allocates
 * for a schema. */
#include "jsonschema/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 1024, BLOCK_SIZE = 16 * 1024, ALIGNMENT = 16 };

struct arena_block {
	struct arena_block *next;
	size_t used;
	size_t size;
	_Alignas(ALIGNMENT) char bytes[];
};

/* Doubles up to BLOCK_SIZE: most schemas are small, and there are many. */
static struct arena_block *block_new(struct arena *arena, size_t size)
{
	size_t room = arena->blocks ? 2 * arena->blocks->size : FIRST_SIZE;

	if (room > BLOCK_SIZE)
		room = BLOCK_SIZE;
	if (room < size)
		room = size;
	if (room > SIZE_MAX - sizeof(struct arena_block))
		return NULL;
	struct arena_block *block = calloc(1, sizeof(*block) + room);
	if (!block)
		return NULL;
	block->size = room;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *js_arena_take(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX - ALIGNMENT)
		return NULL;
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	struct arena_block *block = arena->blocks;
	if (!block || block->size - block->used < size)
		block = block_new(arena, size);
	if (!block)
		return NULL;
	void *taken = block->bytes + block->used;
	block->used += size;
	return taken;
}

void *js_arena_array(struct arena *arena, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		return NULL;
	return js_arena_take(arena, count * size);
}

char *js_arena_copy(struct arena *arena, const char *text, size_t length)
{
	char *copy = length < SIZE_MAX ? js_arena_take(arena, length + 1) : NULL;
	if (copy && length)
		memcpy(copy, text, length);
	return copy;
}

void js_arena_release(struct arena *arena)
{
	struct arena_block *block = arena->blocks;
	while (block) {
		struct arena_block *next = block->next;
		free(block);
		block = next;
	}
	arena->blocks = NULL;
}

/* Doubles, so that adding is linear over all. */
static bool js_text_reserve(struct text *text, size_t more)
{
	if (text->broken || more >= SIZE_MAX / 2 - text->length)
		return !(text->broken = true);
	size_t need = text->length + more + 1;
	if (need <= text->room)
		return true;
	size_t room = text->room ? text->room : 64;
	while (room < need)
		room *= 2;
	char *data = realloc(text->data, room);
	if (!data)
		return !(text->broken = true);
	text->data = data;
	text->room = room;
	return true;
}

bool js_text_add(struct text *text, const char *bytes, size_t length)
{
	if (!js_text_reserve(text, length))
		return false;
	if (length)
		memcpy(text->data + text->length, bytes, length);
	text->length += length;
	text->data[text->length] = '\0';
	return true;
}

bool js_text_adds(struct text *text, const char *string)
{
	return js_text_add(text, string, strlen(string));
}

bool js_text_print(struct text *text, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0 || !js_text_reserve(text, (size_t)length))
		return !(text->broken = true);
	va_start(args, format);
	vsnprintf(text->data + text->length, (size_t)length + 1, format, args);
	va_end(args);
	text->length += (size_t)length;
	return true;
}

void js_text_cut(struct text *text, size_t length)
{
	if (length >= text->length)
		return;
	text->length = length;
	text->data[length] = '\0';
}

const char *js_text_string(const struct text *text) { return text->data ? text->data : ""; }

void js_text_free(struct text *text)
{
	free(text->data);
	*text = (struct text){ 0 };
}

bool js_list_add(struct list *list, void *item)
{
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 16;
		void **items = realloc(list->items, room * sizeof(*items));
		if (!items)
			return false;
		list->items = items;
		list->room = room;
	}
	list->items[list->count++] = item;
	return true;
}

void js_list_free(struct list *list)
{
	free(list->items);
	*list = (struct list){ 0 };
}
