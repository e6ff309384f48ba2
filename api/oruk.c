/* Open Referral UK 3.0: pages and documents of the directory under HSDS's names. Rule D4. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool get_information(struct call *c)
{
	json_auto_t *json = json_pack(
		"{s:s, s:s, s:s}", "version", "HSDS-UK-3.0", "profile",
		"https://github.com/OpenReferralUK/uk-profile/blob/main/docs/index.md",
		"openapi_url", "https://openreferraluk.org/specifications/3.0/openapi.json");

	return call_json(c, 200, json);
}

/* The parameters besides page and per_page that the client gave, as an object; NULL when memory
 * runs out. */
static char *filters(const struct call *c)
{
	static const char *const names[] = {
		"search",      "taxonomy_term_id", "taxonomy_id", "organization_id",
		"minimum_age", "maximum_age",      "day",         "start_time",
		"end_time",    "postcode",         "proximity",
	};
	json_auto_t *given = json_object();

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *value = call_query(c, names[i]);

		if (value && json_object_set_new(given, names[i], json_string(value)) < 0)
			return NULL;
	}
	return json_print(given);
}

static bool page(struct call *c, const char *kind)
{
	text_auto *wanted = filters(c);

	if (!wanted)
		return problem(&c->problem, PROBLEM_UNAVAILABLE,
		               "the service has no memory to spare");
	return call_answer(
		c, Q_ORUK_PAGE(kind, call_query(c, "page"), call_query(c, "per_page"), wanted),
		NULL);
}

static bool item(struct call *c, const char *kind)
{
	return call_answer(c, Q_ORUK_ITEM(kind, call_path(c, "id")),
	                   "nothing in this feed has this id");
}

static bool list_services(struct call *c) { return page(c, "service"); }
static bool get_service(struct call *c) { return item(c, "service"); }
static bool list_places(struct call *c) { return page(c, "service_at_location"); }
static bool get_place(struct call *c) { return item(c, "service_at_location"); }
static bool list_organisations(struct call *c) { return page(c, "organization"); }
static bool get_organisation(struct call *c) { return item(c, "organization"); }
static bool list_taxonomies(struct call *c) { return page(c, "taxonomy"); }
static bool get_taxonomy(struct call *c) { return item(c, "taxonomy"); }
static bool list_terms(struct call *c) { return page(c, "taxonomy_term"); }
static bool get_term(struct call *c) { return item(c, "taxonomy_term"); }

static const struct operation oruk[] = {
	{ "getOrukInformation", get_information },
	{ "listOrukServices", list_services },
	{ "getOrukService", get_service },
	{ "listOrukServiceAtLocations", list_places },
	{ "getOrukServiceAtLocation", get_place },
	{ "listOrukOrganizations", list_organisations },
	{ "getOrukOrganization", get_organisation },
	{ "listOrukTaxonomies", list_taxonomies },
	{ "getOrukTaxonomy", get_taxonomy },
	{ "listOrukTaxonomyTerms", list_terms },
	{ "getOrukTaxonomyTerm", get_term },
};
MODULE(oruk);
