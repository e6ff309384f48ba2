/* Patterns of ECMA-262, compiled once and matched by many threads. */
#pragma once

#include "jsonschema/memory.h"

struct regex;

enum regex_answer { REGEX_NO, REGEX_YES, REGEX_TOO_HARD };

/* NULL with the reason in `what`. The arena holds it, but js_regex_release() must be called before
 * that goes. */
struct regex *js_regex_new(struct arena *arena, const char *pattern, size_t length, char *what,
                           size_t size);
void js_regex_release(struct regex *regex); /* takes NULL */

/*
 * Whether the pattern matches anywhere in `text` (UTF-8). Takes from `steps` what it cost; when
 * nothing is left, it was too hard.
 */
enum regex_answer js_regex_match(const struct regex *regex, const char *text, size_t length,
                                 unsigned long *steps);

bool js_regex_valid(const char *pattern, size_t length); /* the format `regex` */
