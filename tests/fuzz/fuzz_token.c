/*
 * Any bytes as a token, as the header and claims of a token that is signed well, or as a JWKS. The
 * first byte says which; header and claims are parted by a line feed. corpus/token has one of each.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "auth/key_set.h"
#include "auth/signature.h"
#include "auth/token.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#define SECRET "0123456789abcdef0123456789abcdef"

enum { NOW = 1800000000, INPUT_MAX = 32 * KIB };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The service's side, made once: a secret with the kid `h`, a cache so small that it always evicts.
 */
static struct tokens *service(void)
{
	static const struct tokens_config config = { "https://idp.example.org/", "carers-api", 30,
		                                     2, NULL };
	static struct tokens *tokens;
	static struct keys *keys;
	struct problem p = { 0 };
	char files[64];
	int fd;

	if (tokens)
		return tokens;
	json_start();
	clock_hold((instant)NOW * 1000000);
	fd = memfd_create("secret", MFD_CLOEXEC);
	if (fd < 0 || write(fd, SECRET, strlen(SECRET)) != (ssize_t)strlen(SECRET))
		abort();
	snprintf(files, sizeof files, "h=HS256:/proc/self/fd/%d", fd);
	if (!keys_open(&(struct keys_config){ files, "", 3600 }, &keys, &p))
		abort();
	close(fd);
	tokens = tokens_new(&config, keys);
	return tokens;
}

/* A principal says who she is and what she may; a refusal says why. */
static void verify(const char *authorization)
{
	principal_auto *who = NULL;
	struct problem p = { 0 };

	if (!tokens_verify(service(), authorization, &who, &p)) {
		if (who || !p.detail[0] || !p.challenge)
			abort();
		return;
	}
	if (!*who->subject || !*who->role || !*who->class || who->councils[0] != '{' ||
	    who->anonymous || who->expires + 30 <= NOW)
		abort();
}

static void as_token(const char *text)
{
	buf_auto header = { .limit = INPUT_MAX };

	if (buf_add(&header, "Bearer ") && buf_add(&header, text))
		verify(buf_text(&header));
}

static bool add_part(struct buf *token, const void *bytes, size_t size)
{
	text_auto *part = malloc(size * 4 / 3 + 4);

	if (!part)
		return false;
	text_base64url_encode(bytes, size, part);
	return buf_add(token, part);
}

static void as_parts(const char *text, size_t size)
{
	const char *line = memchr(text, '\n', size);
	struct signing with = { alg_by_name("HS256"), SECRET, strlen(SECRET) };
	unsigned char signature[SIGNATURE_MAX];
	buf_auto token = { .limit = 2 * INPUT_MAX };
	size_t header, made;

	if (!line)
		return;
	header = (size_t)(line - text);
	if (!buf_add(&token, "Bearer ") || !add_part(&token, text, header) ||
	    !buf_add(&token, ".") || !add_part(&token, line + 1, size - header - 1) ||
	    !signature_make(&with, token.data + 7, token.size - 7, signature, &made) ||
	    !buf_add(&token, ".") || !add_part(&token, signature, made))
		return;
	verify(buf_text(&token));
}

static void as_jwks(const char *text, size_t size)
{
	key_set_auto *set = key_set_new();
	struct problem p = { 0 };

	if (set &&
	    !key_set_add_jwks(set, text, size, size % 2 ? JWK_PUBLISHED : JWK_PRIVATE_FILE, &p) &&
	    !p.detail[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	text_auto *text = NULL;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	service();
	text = text_copy_n((const char *)data + 1,
	                   size - 1); /* NUL-terminated, and of its very size for ASan */
	if (data[0] == 'p')
		as_parts(text, size - 1);
	else if (data[0] == 'j')
		as_jwks(text, size - 1);
	else
		as_token(text);
	return 0;
}
