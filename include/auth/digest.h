/* SHA-256, for telling texts apart, and HMAC with it, for signing them; libcrypto does both. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

enum { DIGEST_BYTES = 32, DIGEST_TEXT = 2 * DIGEST_BYTES + 1, DIGEST_BASE64 = 45 };

struct digest_part {
	const void *bytes;
	size_t size;
};

/* Hash of the parts one after the other, in lower-case hexadecimal. */
must_check bool digest_hex(const struct digest_part parts[], size_t count,
                           char ret_text[static DIGEST_TEXT]);

/* HMAC-SHA-256 of the bytes, as base64 with its padding. */
must_check bool digest_hmac(struct digest_part key, struct digest_part bytes,
                            char ret_text[static DIGEST_BASE64]);
