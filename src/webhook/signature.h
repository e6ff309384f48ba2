/* Signatures of messages, as Standard Webhooks has them. */
#pragma once

#include "base/attr.h"
#include "base/buf.h"

/* What a message is signed with, as bytes in hexadecimal; previous: NULL, or the one that signs
 * besides. */
struct secrets {
	const char *current, *previous;
};

/* Adds "v1,<base64>" for each secret, parted by a space: HMAC-SHA-256 over "id.timestamp.body". */
must_check bool signature_write(struct secrets secrets, const char *id, const char *timestamp,
                                const char *body, struct buf *text);
