/* The two ways to run a pattern: tables of our own where they suffice, PCRE2 for the rest. */
#pragma once

#include "jsonschema/regex.h"
#include "jsonschema/regex_tree.h"

struct dfa;
struct pcre;

/* NULL when tables do not suffice (or there is no memory): then PCRE2 is asked. */
struct dfa *js_dfa_new(struct arena *arena, const struct re *tree);
bool js_dfa_match(const struct dfa *dfa, const char *text, size_t length);

struct pcre *js_pcre_new(struct arena *arena, const struct re *tree, char *what, size_t size);
void js_pcre_release(struct pcre *pcre); /* takes NULL */
enum regex_answer js_pcre_match(const struct pcre *pcre, const char *text, size_t length,
                                unsigned long *steps);
