/* Every family that the service offers: a new one is one line here. */
#include "modules.h"

#include <stddef.h>

/* clang-format off */
const struct module *const modules[] = {
	&module_access,
	&module_assessment_lists,
	&module_assessments,
	&module_audit,
	&module_bank_holidays,
	&module_break_actions,
	&module_break_report,
	&module_break_schemes,
	&module_break_series,
	&module_break_sessions,
	&module_breaks,
	&module_carers,
	&module_changes,
	&module_consents,
	&module_contacts,
	&module_contingency,
	&module_council_settings,
	&module_demographics,
	&module_funding,
	&module_funding_report,
	&module_funding_schemes,
	&module_instruments,
	&module_outcomes,
	&module_passports,
	&module_platform,
	&module_referral_actions,
	&module_referral_reports,
	&module_referral_routes,
	&module_referrals,
	&module_reports,
	&module_results,
	&module_timeline,
	&module_triage,
	&module_webhook_deliveries,
	&module_webhooks,
	NULL,
};
