/* The two ways to run a pattern: tables of our own where they suffice, PCRE2 for the rest. */
#pragma once

#include "jsonschema/regex.h"
#include "jsonschema/regex_tree.h"

struct pcre;

struct pcre *js_pcre_new(struct arena *arena, const struct re *tree, char *what, size_t size);
void js_pcre_release(struct pcre *pcre); /* takes NULL */
enum regex_answer js_pcre_match(const struct pcre *pcre, const char *text, size_t length);
