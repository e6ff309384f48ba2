/* SHA-256, for telling texts apart; libcrypto does it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

enum { DIGEST_BYTES = 32, DIGEST_TEXT = 2 * DIGEST_BYTES + 1 };

struct digest_part {
	const void *bytes;
	size_t size;
};

/* Hash of the parts one after the other, in lower-case hexadecimal. */
must_check bool digest_hex(const struct digest_part parts[], size_t count,
                           char ret_text[static DIGEST_TEXT]);
