/*
 * The quick way to a verdict, for when nobody asks for more: most values are judged without a
 * frame, since nothing needs to be said of them.
 */
#pragma once

#include "jsonschema/program.h"

/* Works out what of a compiled node has a quick way. False only without memory. */
bool js_quick_prepare(struct node *node, struct arena *arena);

/* The verdict on a value, when r->output is NULL and nobody keeps track of it. */
bool js_quick_value(struct run *r, const struct node *node, const json_t *value);
