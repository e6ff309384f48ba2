/* Validation by a compiled schema, with its faults in a problem. */
#pragma once

#include "base/problem.h"
#include "contract/endpoint.h"

/* `prefix` goes before each fault's pointer: "" for a body, "/query/limit" for a parameter. */
must_check bool faults_validate(const struct jsonschema *schema, const json_t *json,
                                enum problem_code code, const char *prefix, struct problem *p);
/* A request body that the endpoint takes: VALIDATION_FAILED, with `rule` where the contract says
 * that this body is what a rule is about. */
must_check bool faults_validate_body(const struct endpoint *endpoint, const json_t *body,
                                     struct problem *p);
