/* Growing text with a ceiling. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 256 };

static bool grow(struct buf *b, size_t more)
{
	size_t room = b->room ? b->room : FIRST_ROOM;
	char *data;

	if (more > b->limit || b->size > b->limit - more)
		return false;
	if (b->data && b->size + more < b->room)
		return true;
	while (room <= b->size + more)
		room *= 2;
	data = realloc(b->data, room);
	if (!data)
		return false;
	b->data = data;
	b->room = room;
	return true;
}

bool buf_add_bytes(struct buf *b, const void *bytes, size_t size)
{
	if (!grow(b, size))
		return false;
	memcpy(b->data + b->size, bytes, size);
	b->size += size;
	b->data[b->size] = '\0';
	return true;
}

bool buf_add(struct buf *b, const char *text) { return buf_add_bytes(b, text, strlen(text)); }

bool buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int size;

	va_start(ap, fmt);
	va_copy(again, ap);
	size = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (size < 0 || !grow(b, (size_t)size)) {
		va_end(again);
		return false;
	}
	vsnprintf(b->data + b->size, (size_t)size + 1, fmt, again);
	va_end(again);
	b->size += (size_t)size;
	return true;
}

const char *buf_text(const struct buf *b) { return b->data ? b->data : ""; }

char *buf_take(struct buf *b)
{
	b->size = b->room = 0;
	return TAKE(b->data);
}

void buf_free(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->size = b->room = 0;
}
