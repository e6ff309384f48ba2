/* Reading for the directory: from text to batches. */
#include "import.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "import_reader.h"

enum { BATCH_BYTES = 4 * MIB, ITEM_BYTES = 2 * MIB, DAY_SECONDS = 86400 };

static const char *const kind_names[KINDS] = { [KIND_SERVICE] = "service",
	                                       [KIND_ORGANIZATION] = "organization",
	                                       [KIND_TAXONOMY] = "taxonomy",
	                                       [KIND_TERM] = "taxonomy_term",
	                                       [KIND_ROW] = "service" };
static const char *const format_names[IMPORT_FORMATS] = { "ndjson", "json", "csv" };

enum import_format import_format_parse(const char *name)
{
	enum import_format format = 0;

	while (format < IMPORT_FORMATS && strcmp(format_names[format], name) != 0)
		format++;
	return format;
}

static struct jsonschema *compile(struct jsonschema_registry *registry, const char *component)
{
	static const struct jsonschema_options options = { .assert_format = true };
	struct jsonschema_error error;
	buf_auto uri = { .limit = KIB };

	return buf_addf(&uri, "https://contract.invalid/#/components/schemas/%s", component)
	               ? jsonschema_compile(registry, buf_text(&uri), &options, &error)
	               : NULL;
}

static bool compile_all(struct importer *importer, struct jsonschema_registry *registry)
{
	static const char *const components[KINDS] = { [KIND_SERVICE] = "OrukService",
		                                       [KIND_ORGANIZATION] = "OrukOrganization",
		                                       [KIND_TAXONOMY] = "OrukTaxonomy",
		                                       [KIND_TERM] = "OrukTaxonomyTerm",
		                                       [KIND_ROW] = "ServiceCreate" };
	bool good = true;

	for (enum document_kind kind = 0; kind < KINDS; kind++) {
		importer->schemas[kind] = compile(registry, components[kind]);
		good = good && importer->schemas[kind];
	}
	importer->schedule = compile(registry, "ScheduleItem");
	return good && importer->schedule;
}

struct importer *importer_new(const struct contract *contract)
{
	struct importer *importer = calloc(1, sizeof *importer);
	jsonschema_registry_auto *registry = jsonschema_registry_new();
	json_t *document = (json_t *)contract_document(contract); /* counted, and not changed */
	struct jsonschema_error error;

	if (!importer)
		return NULL;
	if (registry &&
	    jsonschema_registry_add(registry, "https://contract.invalid/", document, &error) &&
	    compile_all(importer, registry))
		return importer;
	importer_free(importer);
	return NULL;
}

void importer_free(struct importer *importer)
{
	if (!importer)
		return;
	for (enum document_kind kind = 0; kind < KINDS; kind++)
		jsonschema_free(importer->schemas[kind]);
	jsonschema_free(importer->schedule);
	free(importer);
}

void reader_fault(struct reader *r, const char *pointer, const char *sentence)
{
	r->wrong = true;
	r->sink->tell(r->sink->context, r->line, pointer, sentence, false);
}

static bool report(void *context, const struct jsonschema_fault *fault)
{
	reader_fault(context, fault->instance, fault->message);
	return true;
}

bool reader_valid(struct reader *r, const json_t *document, enum document_kind kind)
{
	return jsonschema_validate(r->importer->schemas[kind], document, report, r);
}

static bool flush(struct reader *r, struct problem *p)
{
	bool good = r->count == 0 ||
	            (buf_add(&r->batch, "]") &&
	             r->sink->send(r->sink->context, buf_text(&r->batch), r->count, p));

	r->batch.size = 0;
	r->count = 0;
	r->sink->read(r->sink->context, r->line);
	return good;
}

static bool no_memory(struct problem *p)
{
	return problem(p, PROBLEM_UNAVAILABLE, "there is no memory to spare");
}

static json_t *item_of(const struct reader *r, enum document_kind kind, const json_t *document,
                       const struct when *when)
{
	json_auto_t *item = json_pack("{s:I, s:s, s:O}", "line", (json_int_t)r->line, "kind",
	                              kind_names[kind], "document", (json_t *)document);

	if (item && when && when->schedule && json_object_set(item, "schedule", when->schedule) < 0)
		return NULL;
	if (item && when && when->hours &&
	    json_object_set_new(item, "hours", json_loads(when->hours, 0, NULL)) < 0)
		return NULL;
	return TAKE(item);
}

bool reader_put(struct reader *r, enum document_kind kind, const json_t *document,
                const struct when *when, struct problem *p)
{
	json_auto_t *item = item_of(r, kind, document, when);
	text_auto *text = item ? json_print(item) : NULL;

	if (!text)
		return no_memory(p);
	if (strlen(text) > ITEM_BYTES) {
		reader_fault(r, "", "is larger than 2 MiB");
		return true;
	}
	if (r->count > 0 && r->batch.size + strlen(text) > BATCH_BYTES && !flush(r, p))
		return false;
	if (!buf_add(&r->batch, r->count ? "," : "[") || !buf_add(&r->batch, text))
		return no_memory(p);
	return ++r->count < r->sink->batch || flush(r, p);
}

static bool read_line(struct reader *r, const char *at, size_t size, struct problem *p)
{
	json_auto_t *document = NULL;
	problem_auto why = { .code = PROBLEM_NONE };

	if (!text_utf8(at, size)) {
		reader_fault(r, "", "is not UTF-8 (Windows-1252?): save the file as UTF-8");
		return true;
	}
	if (!json_read(at, size, &document, &why)) {
		reader_fault(r, "", why.detail);
		return true;
	}
	return reader_document(r, document, p);
}

static bool read_lines(struct reader *r, const char *at, const char *end, struct problem *p)
{
	for (; at < end; at = line_next(at, end)) {
		size_t size = line_size(at, end);

		r->line++;
		r->wrong = false;
		if (size > 0 && !read_line(r, at, size, p))
			return false;
	}
	return true;
}

/* A document, a page, or an array of either; items are counted, not lines. */
static bool read_whole(struct reader *r, const char *at, const char *end, struct problem *p)
{
	json_auto_t *all = NULL;
	const json_t *list, *item;
	size_t i;

	if (!json_read(at, (size_t)(end - at), &all, p))
		return false;
	list = json_is_array(all) ? all : json_object_get(all, "contents");
	if (!json_is_array(list)) {
		r->line = 1;
		return reader_document(r, all, p);
	}
	json_array_foreach (list, i, item) {
		r->line++;
		r->wrong = false;
		if (!reader_document(r, item, p))
			return false;
	}
	return true;
}

static bool read_rows(struct reader *r, const char *at, const char *end, struct problem *p)
{
	static const char *const wanted[] = { "external_id", "organisation", "name" };
	struct csv *csv = calloc(1, sizeof *csv);
	const char *sentence = "";
	bool good = csv != NULL;
	enum csv_result result = csv ? csv_open(csv, at, (size_t)(end - at), &sentence) : CSV_END;

	if (result == CSV_FAULT)
		good = problem(p, PROBLEM_VALIDATION_FAILED, "the first line %s", sentence);
	for (size_t i = 0; good && i < COUNT_OF(wanted); i++)
		if (!csv_has(csv, wanted[i]))
			good = problem(p, PROBLEM_VALIDATION_FAILED,
			               "the first line names no column %s", wanted[i]);
	while (good && (result = csv_next(csv, &sentence)) != CSV_END) {
		r->line = csv->line;
		r->wrong = false;
		if (result == CSV_FAULT)
			reader_fault(r, "", sentence);
		else
			good = reader_row(r, csv, p);
	}
	if (csv)
		csv_done(csv);
	free(csv);
	return good;
}

static bool (*const readers[IMPORT_FORMATS])(struct reader *r, const char *at, const char *end,
                                             struct problem *p) = {
	[IMPORT_NDJSON] = read_lines,
	[IMPORT_JSON] = read_whole,
	[IMPORT_CSV] = read_rows,
};

bool importer_read(const struct importer *importer, const struct import_text *file,
                   const struct import_sink *sink, struct problem *p)
{
	const char *end = file->text + file->size;
	struct reader r = { .importer = importer,
		            .sink = sink,
		            .today = (int32_t)(clock_seconds() / DAY_SECONDS),
		            .batch = { .limit = BATCH_BYTES + ITEM_BYTES } };
	const char *at =
		file->format == IMPORT_CSV ? file->text : text_past_mark(file->text, file->size);
	bool good = readers[file->format](&r, at, end, p) && flush(&r, p);

	buf_free(&r.batch);
	return good;
}
