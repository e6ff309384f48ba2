/* The tree of a pattern as text for PCRE2. */
#pragma once

#include "jsonschema/regex_tree.h"

/* False without memory. Callouts are written wherever the match can come back to try something
 * else. */
bool js_regex_write(struct text *ret, const struct re *tree);
