/* Every family that the service offers: a new one is one line here. */
#include "modules.h"

#include <stddef.h>

const struct module *const modules[] = {
	&module_access,
	&module_carers,
	&module_platform,
	&module_triage,
	NULL,
};
