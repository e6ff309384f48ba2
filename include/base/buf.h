/* Growing text with a ceiling given at birth. Always NUL-terminated once anything was added. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

struct buf {
	size_t limit; /* bytes it may hold; adding beyond fails and leaves it as it was */
	size_t size, room;
	char *data; /* NULL until something is added */
};

must_check bool buf_add(struct buf *b, const char *text);
must_check bool buf_add_bytes(struct buf *b, const void *bytes, size_t size);
must_check bool buf_addf(struct buf *b, const char *fmt, ...) printf_like(2, 3);
const char *buf_text(const struct buf *b); /* "" when empty */
char *buf_take(struct buf *b);             /* gives the text away, to be freed; NULL when empty */
void buf_free(struct buf *b);

#define buf_auto owned_by(buf_free) struct buf
