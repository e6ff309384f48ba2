/* One reading: what its parts share. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "import.h"
#include "jsonschema/jsonschema.h"
#include "rules/csv.h"

enum document_kind { KIND_SERVICE, KIND_ORGANIZATION, KIND_TAXONOMY, KIND_TERM, KIND_ROW, KINDS };

struct importer {
	struct jsonschema *schemas[KINDS];
	struct jsonschema *schedule; /* one item of ours */
};

struct reader {
	const struct importer *importer;
	const struct import_sink *sink;
	int32_t today;
	unsigned long line; /* that is being read */
	bool wrong;         /* it has a fault */
	struct buf batch;
	size_t count;
};

/* A fault of the line that is being read. */
void reader_fault(struct reader *r, const char *pointer, const char *sentence);
/* Held to its schema; every fault is told. */
bool reader_valid(struct reader *r, const json_t *document, enum document_kind kind);
/* When it is open: schedules in our words, and openings_of() them; either may be NULL. */
struct when {
	json_t *schedule;
	char *hours;
};

/* Puts an item into the batch, and sends the batch when it is full. `when` may be NULL. False when
 * it could not be sent. */
must_check bool reader_put(struct reader *r, enum document_kind kind, const json_t *document,
                           const struct when *when, struct problem *p);

/* One document of Open Referral, or a page of them: into the batch, or its faults told. */
must_check bool reader_document(struct reader *r, const json_t *document, struct problem *p);
/* The record that was read last. */
must_check bool reader_row(struct reader *r, const struct csv *csv, struct problem *p);
