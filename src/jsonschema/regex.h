/* Patterns of ECMA-262, compiled once and matched by many threads. */
#pragma once

#include "jsonschema/memory.h"

struct regex;

enum regex_answer { REGEX_NO, REGEX_YES, REGEX_TOO_HARD };

/* Held once by who made it; it goes with its last holder. NULL with the reason in `what`. */
struct regex *js_regex_new(const char *pattern, size_t length, char *what, size_t size);
struct regex *js_regex_hold(struct regex *regex); /* gives it back */
void js_regex_release(struct regex *regex);       /* takes NULL */
bool js_regex_is(const struct regex *regex, const char *pattern, size_t length);

/*
 * Whether the pattern matches anywhere in `text` (UTF-8). Takes from `steps` what it cost; when
 * nothing is left, it was too hard.
 */
enum regex_answer js_regex_match(const struct regex *regex, const char *text, size_t length,
                                 unsigned long *steps);

bool js_regex_valid(const char *pattern, size_t length); /* the format `regex` */
