/* Scopes: space-separated words. An operation's wanted scopes must all be granted, never only one
 * of them. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

/* Every one of the `wanted` (NULL-terminated) stands in `granted` ("a b c"). */
bool scopes_cover(const char *granted, const char *const wanted[]);
/* Scope characters of RFC 6749 appendix A.4, words parted by single spaces. "" is well-formed. */
bool scopes_well_formed(const char *scope);
