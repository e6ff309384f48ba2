/* The ONS Postcode Directory into its table: its columns by their names, by COPY. Rule D6. */
#include "import_postcodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "db/copy.h"
#include "rules/csv.h"
#include "session_queries.h"

enum { CHUNK = 64 * KIB, ROW = 4 * KIB, POSTCODE = 16, MILLION = 1000000 };

/* Columns of the table, in its order; where ONS has had another name for it, that too. */
static const struct {
	const char *name, *other;
} columns[] = {
	{ "pcds", "pcds" },     { "lat", "latitude" },   { "long", "longitude" },
	{ "oscty", "cty25cd" }, { "oslaua", "lad25cd" }, { "osward", "wd25cd" },
	{ "rgn", "rgn25cd" },   { "ctry", "ctry25cd" },  { "dointr", "dointr" },
	{ "doterm", "doterm" },
};

struct load {
	struct csv csv;
	struct buf chunk;
	const struct postcode_sink *sink;
	unsigned long long taken, placeless;
};

static const char *field(const struct csv *csv, size_t column)
{
	const char *value = csv_field(csv, columns[column].name);

	return value ? value : csv_field(csv, columns[column].other);
}

/* Decimal degrees as ONS writes them, in millionths; what stands behind the sixth place is left
 * out.
 */
static bool is_degrees(const char *text, int64_t bound, int64_t *ret_millionths)
{
	bool negative = text && *text == '-';
	int64_t value = 0;
	size_t places = 0;

	if (!text || !text[negative])
		return false;
	text += negative;
	for (; *text && *text != '.'; text++) {
		if (*text < '0' || *text > '9' || value > bound)
			return false;
		value = value * 10 + (*text - '0');
	}
	for (text += *text == '.'; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (places++ < 6)
			value = value * 10 + (*text - '0');
	}
	for (; places < 6; places++)
		value *= 10;
	*ret_millionths = negative ? -value : value;
	return value <= bound * MILLION;
}

/* Upper case, one space before the last three: "NR321XX" and "NR32  1XX" are NR32 1XX. */
static bool is_postcode(const char *text, char ret_postcode[static POSTCODE])
{
	size_t size = 0;

	for (; *text; text++) {
		if (*text == ' ')
			continue;
		if (size == 7 ||
		    !((*text >= 'A' && *text <= 'Z') || (*text >= '0' && *text <= '9')))
			return false;
		ret_postcode[size++] = *text;
	}
	if (size < 5)
		return false;
	memmove(ret_postcode + size - 2, ret_postcode + size - 3, 3);
	ret_postcode[size - 3] = ' ';
	ret_postcode[size + 1] = '\0';
	return ret_postcode[0] >= 'A' && ret_postcode[size - 2] <= '9';
}

static void refuse(struct load *load, const char *sentence)
{
	load->sink->tell(load->sink->context, load->csv.line, sentence);
}

/* COPY's text format; codes of ONS and dates are plain ASCII. */
static bool add_code(struct load *load, const char *code)
{
	for (const char *c = code ? code : ""; *c; c++)
		if (!((*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9')))
			code = NULL;
	return buf_addf(&load->chunk, "\t%s", code ? code : "\\N");
}

static bool add_degrees(struct load *load, int64_t millionths)
{
	long long size = millionths < 0 ? -millionths : millionths;

	return buf_addf(&load->chunk, "\t%s%lld.%06lld", millionths < 0 ? "-" : "", size / MILLION,
	                size % MILLION);
}

static bool add_row(struct load *load, const char *postcode, int64_t latitude, int64_t longitude)
{
	bool good = buf_add(&load->chunk, postcode) && add_degrees(load, latitude) &&
	            add_degrees(load, longitude);

	for (size_t i = 3; i < COUNT_OF(columns) && good; i++)
		good = add_code(load, field(&load->csv, i));
	return good && buf_add(&load->chunk, "\n");
}

static bool take_row(struct load *load, struct problem *p)
{
	char postcode[POSTCODE];
	const char *text = field(&load->csv, 0);
	int64_t latitude, longitude;

	if (!text || !is_postcode(text, postcode)) {
		refuse(load, "pcds is no postcode");
		return true;
	}
	if (!is_degrees(field(&load->csv, 1), 100, &latitude) ||
	    !is_degrees(field(&load->csv, 2), 180, &longitude)) {
		refuse(load, "lat and long are no coordinates");
		return true;
	}
	if (latitude > 90 * MILLION) { /* ONS: 99.999999 has no place */
		load->placeless++;
		return true;
	}
	load->taken++;
	return add_row(load, postcode, latitude, longitude) ||
	       problem(p, PROBLEM_UNAVAILABLE, "there is no memory to spare");
}

static bool more(void *context, const char **ret_bytes, size_t *ret_size, struct problem *p)
{
	struct load *load = context;
	enum csv_result result = CSV_RECORD;
	const char *sentence;

	load->chunk.size = 0;
	while (load->chunk.size < CHUNK && result != CSV_END) {
		result = csv_next(&load->csv, &sentence);
		if (result == CSV_FAULT)
			refuse(load, sentence);
		if (result == CSV_RECORD && !take_row(load, p))
			return false;
	}
	*ret_bytes = buf_text(&load->chunk);
	*ret_size = load->chunk.size;
	return true;
}

static bool open_load(struct load *load, const char *text, size_t size, struct problem *p)
{
	const char *sentence = "";

	if (csv_open(&load->csv, text, size, &sentence) == CSV_FAULT)
		return problem(p, PROBLEM_VALIDATION_FAILED, "the first line %s", sentence);
	for (size_t i = 0; i < 3; i++)
		if (!csv_has(&load->csv, columns[i].name) && !csv_has(&load->csv, columns[i].other))
			return problem(p, PROBLEM_VALIDATION_FAILED,
			               "the first line names no column %s", columns[i].name);
	return true;
}

bool import_postcodes(const char *conninfo, const struct import_text *file,
                      const struct postcode_sink *sink, struct postcode_result *ret_result,
                      struct problem *p)
{
	struct load *load = calloc(1, sizeof *load);
	db_rows_auto *rows = NULL;
	struct db_copy copy = { Q_POSTCODES_EMPTY(), Q_POSTCODES_COPY(), Q_POSTCODES_MERGE(), more,
		                load };
	bool good = load != NULL;
	uint64_t changed = 0;

	if (!good)
		return problem(p, PROBLEM_UNAVAILABLE, "there is no memory to spare");
	load->sink = sink;
	load->chunk.limit = CHUNK + ROW;
	good = open_load(load, file->text, file->size, p) && db_copy(conninfo, &copy, &rows, p) &&
	       text_number(db_text(rows, 0, "changed"), 0, UINT64_MAX, &changed);
	if (good)
		*ret_result = (struct postcode_result){ load->taken, load->placeless, changed };
	csv_done(&load->csv);
	buf_free(&load->chunk);
	free(load);
	return good;
}
