/* URIs as far as schemas need them: resolving a reference (RFC 3986, section 5) and reading a
 * fragment. */
#pragma once

#include "jsonschema/memory.h"

/* Resolves `reference` against `base` into `ret` (emptied first). The fragment of the base is not
 * inherited. */
bool js_uri_resolve(const char *base, const char *reference, struct text *ret);

bool js_uri_is_absolute(const char *uri); /* has a scheme */

/* The percent-decoded fragment, without "#"; false for a broken escape or an escaped NUL. */
bool js_uri_decode_fragment(const char *fragment, struct text *ret);

/* Adds a JSON pointer as the text of a fragment: what may not stand in one is percent-encoded (RFC
 * 6901, section 6). */
bool js_uri_add_fragment(struct text *ret, const char *pointer);

/* Adds "/" and one reference token, with "~" and "/" escaped (RFC 6901, section 4). */
bool js_pointer_add(struct text *ret, const char *token, size_t length);

/*
 * Takes the next token off a JSON pointer that starts with "/", unescaped, and leaves `*at` on the
 * next "/" or the end. False for a broken escape.
 */
bool js_pointer_next(const char **at, struct text *ret);

/* An array index: digits without a leading zero. False if it is not one or is too large. */
bool js_pointer_index(const char *token, size_t *ret_index);
