/* A file as text, with a ceiling. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

static void closep(FILE **file)
{
	if (*file)
		fclose(*file);
}

char *text_file(const char *path, size_t limit, size_t *ret_size)
{
	owned_by(closep) FILE *file = fopen(path, "rbe");
	text_auto *data = NULL;
	size_t size;

	if (!file)
		return NULL;
	data = malloc(limit + 2);
	if (!data)
		return NULL;
	size = fread(data, 1, limit + 1, file);
	if (ferror(file)) {
		errno = EIO;
		return NULL;
	}
	if (size > limit) {
		errno = EFBIG;
		return NULL;
	}
	data[size] = '\0';
	if (ret_size)
		*ret_size = size;
	return TAKE(data);
}
