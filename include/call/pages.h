/* What is served as it was packaged: the pages of /docs, their scripts and styles. */
#pragma once

#include <stddef.h>

struct page {
	const char *name; /* its path below /docs/; "" is /docs itself */
	const char *text;
	size_t size;
	const char *version; /* of its bytes, for the ETag */
};
