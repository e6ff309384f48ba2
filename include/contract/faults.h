/* Validation by a compiled schema, with its faults in a problem. */
#pragma once

#include "base/problem.h"
#include "jsonschema/jsonschema.h"

/* `prefix` goes before each fault's pointer: "" for a body, "/query/limit" for a parameter. */
must_check bool faults_validate(const struct jsonschema *schema, const json_t *json,
                                enum problem_code code, const char *prefix, struct problem *p);
