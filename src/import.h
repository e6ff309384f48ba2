/* Reading for the directory: files of Open Referral documents and of our CSV become the items that
 * import_batch() of sql/migrations/0031_imports.sql takes. Knows no database. */
#pragma once

#include <stddef.h>

#include "base/problem.h"
#include "contract/document.h"

enum import_format { IMPORT_NDJSON, IMPORT_JSON, IMPORT_CSV, IMPORT_FORMATS };

/* What is to be read, borrowed. */
struct import_text {
	enum import_format format;
	const char *text;
	size_t size;
};

/* IMPORT_FORMATS when the name is none. */
enum import_format import_format_parse(const char *name);

/* The schemas that documents and rows are held to; shared by any number of readings. */
struct importer;
/* NULL when memory runs out, or the contract lacks a schema. */
struct importer *importer_new(const struct contract *contract);
void importer_free(struct importer *importer);

struct import_sink {
	/* Items as a JSON array, to be written in one transaction; `count` of them. */
	bool (*send)(void *context, const char *items, size_t count, struct problem *p);
	/* Of this line (of a JSON file: item) something is wrong. A warning: it was taken. */
	void (*tell)(void *context, unsigned long line, const char *pointer, const char *sentence,
	             bool warning);
	/* Between batches: how many lines were read. */
	void (*read)(void *context, unsigned long lines);
	size_t batch; /* items of a transaction */
	void *context;
};

/* Reads all of the text. False when a batch could not be sent, or the text is nothing of this
 * format at all. */
must_check bool importer_read(const struct importer *importer, const struct import_text *file,
                              const struct import_sink *sink, struct problem *p);
