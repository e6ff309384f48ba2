/* Strict parsing of text at the door: the whole text or nothing, no locale, no white space skipped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* Decimal digits only, no sign, no leading zero but "0" itself, within [min, max]. */
must_check bool text_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number);
/* "true" or "false". */
must_check bool text_bool(const char *text, bool *ret_value);
/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms; NUL is refused. */
bool text_utf8(const char *bytes, size_t size);
/* UTF-8 that was cut to fit loses what is left of its last character. */
void text_whole(char *text);
bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);
bool text_same_nocase(const char *a, const char *b); /* ASCII letters only */
/* Printable ASCII without space: RFC 9110's visible characters. */
bool text_visible(const char *text);
/* Compares secrets in time that depends on the lengths only. */
bool text_same_secret(const char *a, size_t a_size, const char *b, size_t b_size);
/* A copy to be freed; NULL when memory runs out or text is NULL. */
char *text_copy(const char *text);
char *text_copy_n(const char *text, size_t size);
void text_freep(char **text);
/* base64url without padding (RFC 4648). ret_bytes has room for 3/4 of size; false on any other
 * character. */
must_check bool text_base64url_decode(const char *text, size_t size, unsigned char *ret_bytes,
                                      size_t *ret_size);
/* ret_text has room for 4/3 of size, rounded up, and a NUL. */
void text_base64url_encode(const unsigned char *bytes, size_t size, char *ret_text);
/* Decodes %XX in place of `text` into ret_text (room for strlen + 1). False on a bad escape, %00,
 * or bad UTF-8. */
must_check bool text_percent_decode(const char *text, size_t size, bool plus_is_space,
                                    char *ret_text);
/* FNV-1a, 64 bits: for tables, never for secrets or untrusted floods. */
uint64_t text_hash(const char *text, size_t size);
/* A whole file, at most `limit` bytes, NUL-terminated, to be freed; NULL with errno set (EFBIG when
 * it is larger). */
char *text_file(const char *path, size_t limit, size_t *ret_size);

#define text_auto owned_by(text_freep) char
