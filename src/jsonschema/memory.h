/* What a schema is built in: an arena freed at once, growing text, and a growing list of pointers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Memory that lives as long as its owner. Zeroed, aligned for anything; NULL when there is none. */
struct arena {
	struct arena_block *blocks;
};

void *js_arena_take(struct arena *arena, size_t size);
void *js_arena_array(struct arena *arena, size_t count, size_t size); /* NULL on overflow too */
char *js_arena_copy(struct arena *arena, const char *text, size_t length);
void js_arena_release(struct arena *arena);

/* Growing text, always NUL-terminated once something was added. `broken` stays set after one
 * failure. */
struct text {
	char *data;
	size_t length;
	size_t room;
	bool broken;
};

bool js_text_add(struct text *text, const char *bytes, size_t length);
bool js_text_adds(struct text *text, const char *string);
bool js_text_print(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void js_text_cut(struct text *text, size_t length);
const char *js_text_string(const struct text *text); /* "" when nothing was added */
void js_text_free(struct text *text);
#define text_auto __attribute__((cleanup(js_text_free))) struct text

struct list {
	void **items;
	size_t count;
	size_t room;
};

bool js_list_add(struct list *list, void *item);
void js_list_free(struct list *list);
