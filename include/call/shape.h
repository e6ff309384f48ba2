/* What of a good answer was asked for: some members of a list's items, or nothing of what was
 * changed. */
#pragma once

#include "call/call.h"

/* `fields`: of each item of the list only the members named, and `id`. */
void call_shape_fields(struct call *c);
/* `Prefer: return=minimal` (RFC 7240): 204 in place of 200 and 201, without the body. */
void call_shape_prefer(struct call *c);

/* The first `return` that a Prefer header has; what is not understood is passed over. NULL: none.
 */
enum prefer { PREFER_NOTHING, PREFER_MINIMAL, PREFER_REPRESENTATION };
enum prefer prefer_return(const char *header);
/* The JSON object `text` with only the members of its `items` that are in `names` (a JSON array of
 * texts) or `id`; in place, and its new size. Text of ours: PostgreSQL's or jansson's. */
size_t fields_keep(char *text, const json_t *names);
