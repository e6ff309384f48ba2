/* Every family that the service offers. */
#pragma once

#include "call/operation.h"

extern const struct module module_carers;
extern const struct module module_instruments;
extern const struct module module_platform;
extern const struct module module_results;

extern const struct module *const modules[]; /* ends in NULL */
