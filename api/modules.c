/* Every family that the service offers: a new one is one line here. */
#include "modules.h"

#include <stddef.h>

/* clang-format off */
const struct module *const modules[] = {
	&module_access,
	&module_audit,
	&module_carers,
	&module_contingency,
	&module_contacts,
	&module_consents,
	&module_demographics,
	&module_changes,
	&module_passports,
	&module_platform,
	&module_timeline,
	&module_triage,
	NULL,
};
/* clang-format on */
