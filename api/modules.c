/* Every family that the service offers: a new one is one line here. */
#include "modules.h"

#include <stddef.h>

const struct module *const modules[] = {
	&module_carers,
	&module_instruments,
	&module_platform,
	&module_results,
	NULL,
};
