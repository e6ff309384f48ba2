/* CSV, record by record. */
#include "rules/csv.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { RECORD_LINES = 100, RECORD_BYTES = MIB }; /* what one record may span */

size_t line_size(const char *at, const char *end)
{
	const char *found = memchr(at, '\n', (size_t)(end - at));
	size_t size = (size_t)((found ? found : end) - at);

	return size > 0 && at[size - 1] == '\r' ? size - 1 : size;
}

const char *line_next(const char *at, const char *end)
{
	const char *found = memchr(at, '\n', (size_t)(end - at));

	return found ? found + 1 : end;
}

const char *text_past_mark(const char *text, size_t size)
{
	return size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
}

static bool begin_field(struct csv *csv, size_t *count)
{
	if (*count == CSV_COLUMNS)
		return false;
	csv->offsets[(*count)++] = csv->memory.size;
	return true;
}

/* A quoted field from behind its first quote; NULL when it is not closed. */
static const char *take_quoted(struct csv *csv, const char *at, const char *limit)
{
	for (;;) {
		const char *quote = memchr(at, '"', (size_t)(limit - at));

		if (!quote || !buf_add_bytes(&csv->memory, at, (size_t)(quote - at)))
			return NULL;
		if (quote + 1 == limit || quote[1] != '"')
			return quote + 1;
		if (!buf_add(&csv->memory, "\""))
			return NULL;
		at = quote + 2;
	}
}

static const char *take_plain(struct csv *csv, const char *at, const char *limit)
{
	const char *from = at;

	while (at < limit && *at != ',' && *at != '\n' && *at != '"')
		at++;
	if (at < limit && *at == '"')
		return NULL;
	size_t size = (size_t)(at - from);

	if (size > 0 && from[size - 1] == '\r' && (at == limit || *at == '\n'))
		size--;
	return buf_add_bytes(&csv->memory, from, size) ? at : NULL;
}

/* The end of what a record may span. */
static const char *limit_of(const char *at, const char *end)
{
	const char *limit = at;

	for (int i = 0; i < RECORD_LINES && limit < end && limit - at < RECORD_BYTES; i++)
		limit = line_next(limit, end);
	return limit;
}

/* One record; behind it, or NULL when its quotes are wrong. */
static const char *take_record(struct csv *csv, const char *at, size_t *ret_count)
{
	const char *limit = limit_of(at, csv->end);
	size_t count = 0;

	csv->memory.size = 0;
	for (;;) {
		if (!begin_field(csv, &count))
			return NULL;
		at = at < limit && *at == '"' ? take_quoted(csv, at + 1, limit)
		                              : take_plain(csv, at, limit);
		if (!at || !buf_add_bytes(&csv->memory, "", 1))
			return NULL;
		if (at < limit && *at == '\r' && (at + 1 == limit || at[1] == '\n'))
			at++;
		if (at == limit || *at == '\n')
			break;
		if (*at++ != ',')
			return NULL;
	}
	*ret_count = count;
	return at < limit ? at + 1 : at;
}

static unsigned long lines_between(const char *from, const char *to)
{
	unsigned long lines = 0;

	for (; from < to; from = line_next(from, to))
		lines++;
	return lines;
}

static enum csv_result refuse(const char *sentence, const char **ret_sentence)
{
	*ret_sentence = sentence;
	return CSV_FAULT;
}

static enum csv_result take(struct csv *csv, size_t *ret_count, const char **ret_sentence)
{
	const char *from = csv->at;
	const char *next = take_record(csv, from, ret_count);
	const char *behind = next ? next : line_next(from, csv->end);

	csv->at = behind;
	if (!text_utf8(from, (size_t)(behind - from)))
		return refuse("is not UTF-8 (Windows-1252?): save the file as UTF-8", ret_sentence);
	if (!next)
		return refuse("has a quote that is not closed, or one in the middle of a field",
		              ret_sentence);
	for (size_t i = 0; i < *ret_count; i++)
		csv->values[i] = csv->memory.data + csv->offsets[i];
	return CSV_RECORD;
}

enum csv_result csv_open(struct csv *csv, const char *text, size_t size, const char **ret_sentence)
{
	enum csv_result result;

	csv->at = text_past_mark(text, size);
	csv->end = text + size;
	csv->line = csv->next_line = 1;
	csv->columns = 0;
	csv->memory = (struct buf){ .limit = 2 * RECORD_BYTES };
	if (csv->at == csv->end)
		return refuse("is empty: the first line names the columns", ret_sentence);
	result = take(csv, &csv->columns, ret_sentence);
	for (size_t i = 0; result == CSV_RECORD && i < csv->columns; i++)
		snprintf(csv->names[i], CSV_NAME, "%s", csv->values[i]);
	csv->next_line += lines_between(text, csv->at);
	return result;
}

enum csv_result csv_next(struct csv *csv, const char **ret_sentence)
{
	enum csv_result result;
	const char *from;
	size_t count = 0;

	while (csv->at < csv->end && line_size(csv->at, csv->end) == 0) {
		csv->at = line_next(csv->at, csv->end);
		csv->next_line++;
	}
	if (csv->at == csv->end)
		return CSV_END;
	from = csv->at;
	csv->line = csv->next_line;
	result = take(csv, &count, ret_sentence);
	if (result == CSV_RECORD && count != csv->columns)
		result = refuse("has more or fewer fields than the first line", ret_sentence);
	if (result == CSV_FAULT)
		csv->at = line_next(from, csv->end);
	csv->next_line += lines_between(from, csv->at);
	return result;
}

bool csv_has(const struct csv *csv, const char *name)
{
	for (size_t i = 0; i < csv->columns; i++)
		if (strcmp(csv->names[i], name) == 0)
			return true;
	return false;
}

const char *csv_field(const struct csv *csv, const char *name)
{
	for (size_t i = 0; i < csv->columns; i++)
		if (strcmp(csv->names[i], name) == 0)
			return *csv->values[i] ? csv->values[i] : NULL;
	return NULL;
}

void csv_done(struct csv *csv) { buf_free(&csv->memory); }
