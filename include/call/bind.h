/* Every role that the contract names is one that tokens carry; every operationId of the contract
 * bound to exactly one handler, and every handler to an operationId; or no start. */
#pragma once

#include "call/operation.h"
#include "contract/document.h"

/* handlers[endpoint->index]; to be freed. NULL after at least one fault. `modules` ends in NULL. */
handler_fn **bind_operations(const struct contract *contract, const struct module *const modules[],
                             contract_fault_fn *fault, void *context);
