/* https://www.standardwebhooks.com: the symmetric scheme, v1. */
#include "webhook/signature.h"

#include <stdint.h>
#include <string.h>

#include "auth/digest.h"

enum { SECRET_MOST = 64 };

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool from_hex(const char *text, uint8_t *ret_bytes, size_t *ret_size)
{
	size_t size = strlen(text) / 2;

	if (size == 0 || size > SECRET_MOST || text[2 * size] != '\0')
		return false;
	for (size_t i = 0; i < size; i++) {
		int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret_bytes[i] = (uint8_t)(high << 4 | low);
	}
	*ret_size = size;
	return true;
}

static bool sign(const char *secret, const struct buf *content, struct buf *text)
{
	uint8_t key[SECRET_MOST];
	size_t size;
	char hash[DIGEST_BASE64];

	return from_hex(secret, key, &size) &&
	       digest_hmac((struct digest_part){ key, size },
	                   (struct digest_part){ buf_text(content), content->size }, hash) &&
	       buf_addf(text, "%sv1,%s", text->size ? " " : "", hash);
}

bool signature_write(struct secrets secrets, const char *id, const char *timestamp,
                     const char *body, struct buf *text)
{
	buf_auto content = { .limit = MIB };

	return buf_addf(&content, "%s.%s.%s", id, timestamp, body) &&
	       sign(secrets.current, &content, text) &&
	       (!secrets.previous || sign(secrets.previous, &content, text));
}
