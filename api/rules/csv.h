/*
 * CSV (RFC 4180) in UTF-8, record by record, by the names of its first line. What is wrong with a
 * record is told, and the next one is read from the line after it, so that a quote that is never
 * closed costs one line and not the rest of the file.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"

enum { CSV_COLUMNS = 200, CSV_NAME = 64 };

struct csv {
	const char *at, *end;
	unsigned long line; /* of the record that was read last, from 1 */
	unsigned long next_line;
	size_t columns;
	char names[CSV_COLUMNS][CSV_NAME];
	const char *values[CSV_COLUMNS]; /* of that record; live until the next one is read */
	struct buf memory;               /* where they stand */
	size_t offsets[CSV_COLUMNS];
};

enum csv_result { CSV_RECORD, CSV_FAULT, CSV_END };

/* Reads the first line. CSV_FAULT with a sentence when there is none, or it cannot be read. A byte
 * order mark is passed over. The text is borrowed until csv_done(). */
enum csv_result csv_open(struct csv *csv, const char *text, size_t size, const char **ret_sentence);
/* The next record; empty lines are passed over. CSV_FAULT with a sentence: this one is not taken.
 */
enum csv_result csv_next(struct csv *csv, const char **ret_sentence);
/* The field of this name, NULL when it is empty or there is no such column. */
const char *csv_field(const struct csv *csv, const char *name);
bool csv_has(const struct csv *csv, const char *name);
void csv_done(struct csv *csv);

/* The line without its end, and where the next begins; a byte order mark at the start of a text. */
size_t line_size(const char *at, const char *end);
const char *line_next(const char *at, const char *end);
const char *text_past_mark(const char *text, size_t size);
