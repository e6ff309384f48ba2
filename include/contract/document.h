/* The contract: the bundled OpenAPI document, compiled into endpoints, or refused with everything
 * that is wrong. */
#pragma once

#include <jansson.h>

#include "base/attr.h"
#include "contract/endpoint.h"

struct contract;

/* Called once for each fault, with a sentence. */
typedef void contract_fault_fn(void *context, const char *sentence);

/* NULL after at least one fault was reported. The text is borrowed only for the call. */
struct contract *contract_load(const char *json, size_t size, contract_fault_fn *fault,
                               void *context);
void contract_free(struct contract *contract); /* takes NULL */
/* Where no answer is held to the contract: gives back the schemas that only answers have. */
void contract_forget_promises(struct contract *contract);

size_t contract_count(const struct contract *contract);
const struct endpoint *contract_endpoint(const struct contract *contract, size_t index);
/* The largest `x-body-limit` of all operations; 0 when none has one. */
size_t contract_body_limit(const struct contract *contract);
/* The document itself, borrowed. */
const json_t *contract_document(const struct contract *contract);
