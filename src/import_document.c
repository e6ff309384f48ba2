/* Documents of Open Referral: what each is, whether it is good, which of its schedules happen. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "import_reader.h"
#include "rules/openings.h"

static bool has_any(const json_t *document, const char *const names[])
{
	for (size_t i = 0; names[i]; i++)
		if (json_object_get(document, names[i]))
			return true;
	return false;
}

/* By the members that only one kind has. */
static enum document_kind kind_of(const json_t *document)
{
	static const char *const service[] = { "status", "service_at_locations", "organization",
		                               NULL };
	static const char *const term[] = { "taxonomy", "taxonomy_id", "term",
		                            "term_uri", "parent_id",   NULL };
	static const char *const taxonomy[] = { "taxonomy_terms", "version", NULL };

	if (has_any(document, service))
		return KIND_SERVICE;
	if (has_any(document, term))
		return KIND_TERM;
	return has_any(document, taxonomy) ? KIND_TAXONOMY : KIND_ORGANIZATION;
}

static void warn(struct reader *r, size_t place, const char *sentence)
{
	char pointer[64];

	snprintf(pointer, sizeof pointer, "/schedules/%zu", place);
	r->sink->tell(r->sink->context, r->line, pointer, sentence, true);
}

/* The item in our words; NULL when it is none that we search by. */
static json_t *ours(const struct reader *r, const json_t *item)
{
	static const char *const members[] = {
		"id",          "freq",           "interval", "byday",         "bymonthday",
		"dtstart",     "valid_to",       "opens_at", "closes_at",     "valid_from",
		"description", "attending_type", "notes",    "schedule_link",
	};
	json_auto_t *copy = json_object();

	for (size_t i = 0; i < COUNT_OF(members); i++) {
		json_t *value = json_object_get(item, members[i]);

		if (value && json_object_set(copy, members[i], value) < 0)
			return NULL;
	}
	return jsonschema_validate(r->importer->schedule, copy, NULL, NULL) ? TAKE(copy) : NULL;
}

/* One that happens is added; another stays in the document, and is told of. */
static bool add_schedule(struct reader *r, const json_t *item, size_t place, json_t *happen)
{
	json_auto_t *mine = ours(r, item);
	json_auto_t *alone = mine ? json_pack("[O]", mine) : NULL;
	text_auto *hours = NULL;
	problem_auto why = { .code = PROBLEM_NONE };

	if (!alone)
		warn(r, place, "is kept, and not searched: its rule is not one that is read here");
	else if (!openings_of(alone, r->today, &hours, &why))
		warn(r, place, "is kept, and not searched: it never happens, or names no day");
	else
		return json_array_append(happen, mine) == 0;
	return true;
}

/* All of them, when all are ours; NULL otherwise. */
static json_t *whole_schedule(const struct reader *r, const json_t *list)
{
	json_auto_t *all = json_array();
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (json_array_append_new(all, ours(r, item)) < 0)
			return NULL;
	return TAKE(all);
}

/* Those schedules that happen, in our words, and their hours. The usual case, in which all do, is
 * tried first: working them out is most of what an item costs here. */
static bool schedule_of(struct reader *r, const json_t *document, json_t **ret_schedule,
                        char **ret_hours)
{
	const json_t *list = json_object_get(document, "schedules"), *item;
	problem_auto why = { .code = PROBLEM_NONE }, late = { .code = PROBLEM_NONE };
	size_t i;

	*ret_schedule = whole_schedule(r, list);
	if (*ret_schedule && openings_of(*ret_schedule, r->today, ret_hours, &why))
		return true;
	json_decref(*ret_schedule);
	*ret_schedule = json_array();
	json_array_foreach (list, i, item)
		if (!add_schedule(r, item, i, *ret_schedule))
			return false;
	return openings_of(*ret_schedule, r->today, ret_hours, &late);
}

static bool read_service(struct reader *r, const json_t *document, struct problem *p)
{
	json_auto_t *schedule = NULL;
	text_auto *hours = NULL;

	if (!schedule_of(r, document, &schedule, &hours)) {
		reader_fault(r, "/schedules", "has too many days");
		return true;
	}
	const struct when when = { json_array_size(schedule) ? schedule : NULL, hours };

	return reader_put(r, KIND_SERVICE, document, &when, p);
}

/* An organisation's services are written as if they stood alone, each with it. */
static bool read_services(struct reader *r, const json_t *organization, struct problem *p)
{
	const json_t *list = json_object_get(organization, "services"), *one;
	json_auto_t *alone = json_copy((json_t *)organization);
	size_t i;

	json_object_del(alone, "services");
	json_array_foreach (list, i, one) {
		json_auto_t *service = json_copy((json_t *)one);

		if (json_object_set(service, "organization", alone) < 0 ||
		    !read_service(r, service, p))
			return false;
	}
	return true;
}

static bool read_page(struct reader *r, const json_t *contents, struct problem *p)
{
	const json_t *one;
	size_t i;

	json_array_foreach (contents, i, one)
		if (!reader_document(r, one, p))
			return false;
	return true;
}

bool reader_document(struct reader *r, const json_t *document, struct problem *p)
{
	const json_t *contents = json_object_get(document, "contents");
	enum document_kind kind = kind_of(document);

	if (json_is_array(contents))
		return read_page(r, contents, p);
	if (!json_is_object(document) || json_object_get(document, "service")) {
		reader_fault(r, "",
		             "is no document that is imported: a service, an organization, a "
		             "taxonomy or a taxonomy_term");
		return true;
	}
	if (!reader_valid(r, document, kind))
		return true;
	if (kind == KIND_SERVICE)
		return read_service(r, document, p);
	return reader_put(r, kind, document, NULL, p) &&
	       (kind != KIND_ORGANIZATION || read_services(r, document, p));
}
