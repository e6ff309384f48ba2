/* Search in the directory: one statement, asked by parameters or, privately, by a body. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

/* The parameters of the GET as members of DirectorySearch. */
enum kind { TEXT, VALUE, WORDS };
static const struct {
	const char *name;
	enum kind kind;
} parameters[] = {
	{ "q", TEXT },
	{ "support_area", VALUE },
	{ "area", TEXT },
	{ "postcode", TEXT },
	{ "within_metres", VALUE },
	{ "lat", VALUE },
	{ "lon", VALUE },
	{ "access_route", TEXT },
	{ "free", VALUE },
	{ "age", VALUE },
	{ "language", TEXT },
	{ "day", TEXT },
	{ "from", TEXT },
	{ "to", TEXT },
	{ "open_now", VALUE },
	{ "referral_accepting", VALUE },
	{ "organisation_type", TEXT },
	{ "organisation_id", TEXT },
	{ "council", TEXT },
	{ "currency", TEXT },
	{ "include_stale", VALUE },
	{ "facets", WORDS },
	{ "limit", VALUE },
	{ "cursor", TEXT },
};

/* Words with commas between them, as an array. */
static json_t *words_of(const char *text)
{
	json_auto_t *words = json_array();

	for (size_t size; *text; text += size + (text[size] == ',')) {
		size = strcspn(text, ",");
		if (json_array_append_new(words, json_stringn(text, size)) < 0)
			return NULL;
	}
	return TAKE(words);
}

static json_t *value_of(enum kind kind, const char *text)
{
	switch (kind) {
	case TEXT:
		return json_string(text);
	case VALUE:
		return json_loads(text, JSON_DECODE_ANY, NULL);
	case WORDS:
		break;
	}
	return words_of(text);
}

/* NULL when memory runs out. */
static json_t *asked(const struct call *c)
{
	json_auto_t *body = json_object();

	if (json_object_set_new(body, "in_query", json_true()) < 0)
		return NULL;
	for (size_t i = 0; i < COUNT_OF(parameters); i++) {
		const char *text = call_query(c, parameters[i].name);

		if (text && json_object_set_new(body, parameters[i].name,
		                                value_of(parameters[i].kind, text)) < 0)
			return NULL;
	}
	return TAKE(body);
}

static bool search(struct call *c, const char *body)
{
	return call_list(c, Q_SERVICES_SEARCH(body));
}

static bool search_services(struct call *c)
{
	json_auto_t *body = asked(c);
	text_auto *text = body ? json_print(body) : NULL;

	return text ? search(c, text)
	            : problem(&c->problem, PROBLEM_UNAVAILABLE,
	                      "the service has no memory to spare");
}

static bool search_privately(struct call *c) { return search(c, call_body(c)); }

static bool unmet_needs(struct call *c)
{
	return call_list(c, Q_UNMET_NEEDS(call_query(c, "since"), call_query(c, "until")));
}

static const struct operation directory_search[] = {
	{ "searchServices", search_services },
	{ "searchServicesPrivately", search_privately },
	{ "getUnmetNeeds", unmet_needs },
};
MODULE(directory_search);
