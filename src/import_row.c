/* Rows of our CSV: columns become members of an entry. docs/import.md lists them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "import_reader.h"
#include "rules/openings.h"

enum column_kind { TEXT, NUMBER, TRUTH, LIST };

/* Where a column's value stands in ServiceCreate. */
static const struct {
	const char *name, *object, *member;
	enum column_kind kind;
} columns[] = {
	{ "name", NULL, "name", TEXT },
	{ "description", NULL, "description", TEXT },
	{ "website", NULL, "website", TEXT },
	{ "email", NULL, "email", TEXT },
	{ "alert", NULL, "alert", TEXT },
	{ "support_areas", NULL, "support_areas", LIST },
	{ "needs", NULL, "needs", LIST },
	{ "offers", NULL, "offers", LIST },
	{ "access_routes", NULL, "access_routes", LIST },
	{ "languages", NULL, "languages", LIST },
	{ "areas_served", NULL, "areas_served", LIST },
	{ "referral_accepting", NULL, "referral_accepting", TRUTH },
	{ "capacity", NULL, "capacity", TEXT },
	{ "minimum_age", "eligibility", "minimum_age", NUMBER },
	{ "maximum_age", "eligibility", "maximum_age", NUMBER },
	{ "eligibility", "eligibility", "text", TEXT },
	{ "free", "cost", "free", TRUTH },
	{ "cost", "cost", "text", TEXT },
	{ "contact", "contact", "name", TEXT },
	{ "place", "location", "name", TEXT },
	{ "postcode", "location", "postcode", TEXT },
	{ "latitude", "location", "latitude", NUMBER },
	{ "longitude", "location", "longitude", NUMBER },
	{ "address_line_1", "address", "line_1", TEXT },
	{ "address_line_2", "address", "line_2", TEXT },
	{ "town", "address", "town", TEXT },
	{ "county", "address", "county", TEXT },
	{ "days", "hours", "byday", TEXT },
	{ "opens_at", "hours", "opens_at", TEXT },
	{ "closes_at", "hours", "closes_at", TEXT },
};

static json_t *list_of(const char *text)
{
	json_auto_t *list = json_array();

	for (size_t size; *text; text += size + (text[size] == ';')) {
		size_t end;

		text += strspn(text, " ");
		end = size = strcspn(text, ";");
		while (end > 0 && text[end - 1] == ' ')
			end--;
		if (end > 0 && json_array_append_new(list, json_stringn(text, end)) < 0)
			return NULL;
	}
	return TAKE(list);
}

/* An export puts a quote before what a spreadsheet would take for a formula (csv_guarded() in
 * sql/migrations/0034_directory_export.sql); it is taken away again. */
static const char *cell(const struct csv *csv, const char *name)
{
	static const char *const formulas[] = { "=",  "+",  "-",  "@",  "\t", "\r",
		                                "\n", "＝", "＋", "－", "＠" };
	const char *text = csv_field(csv, name);
	size_t quotes = text ? strspn(text, "'") : 0;

	for (size_t i = 0; i < COUNT_OF(formulas) && quotes > 0; i++)
		if (text_starts(text + quotes, formulas[i]))
			return text + 1;
	return text;
}

/* A number or a truth that is none stays text, for the schema to refuse. */
static json_t *value_of(enum column_kind kind, const char *text)
{
	json_auto_t *value = NULL;

	if (kind == LIST)
		return list_of(text);
	if (kind == TRUTH && (strcmp(text, "yes") == 0 || strcmp(text, "no") == 0))
		return json_boolean(*text == 'y');
	if (kind == NUMBER)
		value = json_loads(text, JSON_DECODE_ANY, NULL);
	return json_is_number(value) ? TAKE(value) : json_string(text);
}

static bool put_column(json_t *body, size_t column, const char *text)
{
	json_t *into = body;

	if (columns[column].object) {
		into = json_object_get(body, columns[column].object);
		if (!into) {
			into = json_object();
			json_object_set_new(body, columns[column].object, into);
		}
	}
	return json_object_set_new(into, columns[column].member,
	                           value_of(columns[column].kind, text)) == 0;
}

/* An object of the columns becomes the only item of a list of the entry. */
static bool put_list(json_t *body, const char *object, const char *list)
{
	json_t *item = json_object_get(body, object);

	return !item || (json_object_set_new(body, list, json_pack("[O]", item)) == 0 &&
	                 json_object_del(body, object) == 0);
}

static bool put_phone(json_t *body, const char *phone)
{
	json_t *contact = json_object_get(body, "contact");

	if (!phone)
		return true;
	if (!contact) {
		contact = json_object();
		json_object_set_new(body, "contact", contact);
	}
	return json_object_set_new(contact, "phones", json_pack("[{s:s}]", "number", phone)) == 0;
}

static bool put_place(json_t *body)
{
	json_t *address = json_object_get(body, "address");
	json_t *location = json_object_get(body, "location");

	if (address && !location) {
		location = json_object();
		json_object_set_new(body, "location", location);
	}
	if (address && (json_object_set(location, "address", address) < 0 ||
	                json_object_del(body, "address") < 0))
		return false;
	return !location || (json_object_set_new(location, "kind", json_string("physical")) == 0 &&
	                     put_list(body, "location", "locations"));
}

/* ServiceCreate; NULL when memory runs out. */
static json_t *body_of(const struct csv *csv)
{
	json_auto_t *body =
		json_pack("{s:s}", "organisation_id", "00000000-0000-0000-0000-000000000000");
	bool good = body != NULL;

	for (size_t i = 0; i < COUNT_OF(columns) && good; i++) {
		const char *text = cell(csv, columns[i].name);

		good = !text || put_column(body, i, text);
	}
	if (good && json_object_get(body, "hours"))
		good = json_object_set_new(json_object_get(body, "hours"), "freq",
		                           json_string("WEEKLY")) == 0;
	return good && put_phone(body, cell(csv, "phone")) && put_place(body) &&
	                       put_list(body, "contact", "contacts") &&
	                       put_list(body, "hours", "schedule")
	               ? TAKE(body)
	               : NULL;
}

static bool is_type(const char *type)
{
	static const char *const types[] = { "voluntary", "community",     "faith",
		                             "statutory", "commercial",    "social_enterprise",
		                             "volunteer", "micro_provider" };

	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return false;
}

/* What the row says besides ServiceCreate; false after a fault. */
static bool put_besides(struct reader *r, const struct csv *csv, json_t *body)
{
	const char *external = cell(csv, "external_id");
	const char *organisation = cell(csv, "organisation");
	const char *type = cell(csv, "organisation_type");
	const char *about = cell(csv, "organisation_description");
	const char *assured = cell(csv, "assured_on");

	if (!external || strlen(external) > 200)
		reader_fault(r, "/external_id", "must be 1 to 200 characters");
	if (!organisation || strlen(organisation) > 200)
		reader_fault(r, "/organisation", "must be 1 to 200 characters");
	if (type && !is_type(type))
		reader_fault(r, "/organisation_type", "is no type of organisation");
	if (assured && !jsonschema_format_valid("date", assured, strlen(assured)))
		reader_fault(r, "/assured_on", "must be a date, as 2026-11-28");
	if (r->wrong)
		return false;
	json_object_del(body, "organisation_id");
	json_object_set_new(body, "external_id", json_string(external));
	if (assured)
		json_object_set_new(body, "assured_on", json_string(assured));
	return json_object_set_new(body, "organization",
	                           json_pack("{s:s, s:s*, s:s*}", "name", organisation, "type",
	                                     type, "description", about)) == 0;
}

bool reader_row(struct reader *r, const struct csv *csv, struct problem *p)
{
	json_auto_t *body = body_of(csv);
	problem_auto why = { .code = PROBLEM_NONE };
	text_auto *hours = NULL;

	if (!body)
		return problem(p, PROBLEM_UNAVAILABLE, "there is no memory to spare");
	if (!json_object_get(body, "description") && cell(csv, "name"))
		json_object_set(body, "description", json_object_get(body, "name"));
	if (!reader_valid(r, body, KIND_ROW) || !put_besides(r, csv, body))
		return true;
	if (!openings_of(json_object_get(body, "schedule"), r->today, &hours, &why)) {
		reader_fault(r, "/days", "are none, or never come");
		return true;
	}
	const struct when when = { NULL, hours };

	return reader_put(r, KIND_ROW, body, &when, p);
}
