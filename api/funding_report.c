/* The report on funding: awards and amounts of a council's year, none of which tells of a person.
 */
#include <string.h>

#include "base/text.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"
#include "rules/report_part.h"
#include "rules/suppression.h"

static const char note[] = "Numbers of fewer than five awards or carers are not shown, nor others "
			   "from which they could be computed. What is not shown is absent and "
			   "named in `suppressed`.";

static const char *const columns[] = { "approved", "paid", "refused", "total" };
enum { TOTAL = COUNT_OF(columns) - 1 };

/* A line for each scheme and level, and one for all of them. */
struct table {
	struct suppress_row rows[SUPPRESS_ROWS];
	uint64_t pence[SUPPRESS_ROWS][COUNT_OF(columns)];
	size_t first[SUPPRESS_ROWS]; /* the query's row that the line begins with */
	size_t count;
};

static bool same_text(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

static bool same_line(const struct db_rows *rows, size_t a, size_t b)
{
	return same_text(db_text(rows, a, "scheme"), db_text(rows, b, "scheme")) &&
	       same_text(db_text(rows, a, "level"), db_text(rows, b, "level"));
}

static size_t column_of(const char *state)
{
	size_t i = 0;

	while (i < TOTAL && !same_text(state, columns[i]))
		i++;
	return i;
}

static bool number(const struct db_rows *rows, size_t row, const char *column, uint64_t *ret_n)
{
	const char *text = db_text(rows, row, column);

	if (text)
		return text_number(text, 0, INT64_MAX, ret_n);
	*ret_n = 0; /* the sum of no awards */
	return true;
}

/* Hidden from the beginning is what fewer than five carers are behind. */
static bool cell_read(const struct db_rows *rows, size_t row, struct table *t)
{
	size_t line = t->count - 1, k = column_of(db_text(rows, row, "state"));
	uint64_t carers;

	if (!number(rows, row, "carers", &carers) ||
	    !number(rows, row, "awards", &t->rows[line].n[k]) ||
	    !number(rows, row, "pence", &t->pence[line][k]))
		return false;
	t->rows[line].hidden[k] = carers > 0 && carers < SUPPRESS_UNDER;
	return true;
}

static bool table_read(struct call *c, const struct db_rows *rows, struct table *t)
{
	for (size_t r = 0; r < db_count(rows); r++) {
		if (t->count == 0 || !same_line(rows, r - 1, r)) {
			if (t->count == SUPPRESS_ROWS)
				return problem(&c->problem, PROBLEM_INTERNAL,
				               "the council has more levels than suppression has "
				               "room for");
			t->first[t->count++] = r;
		}
		if (!cell_read(rows, r, t))
			return problem(&c->problem, PROBLEM_INTERNAL,
			               "a number of the report is out of range");
	}
	suppress(t->rows, t->count, COUNT_OF(columns));
	return true;
}

/* Takes what the line begins with, and gives it back whole. NULL: memory ran out. */
static json_t *line_json(const struct table *t, size_t line, json_t *begun)
{
	const struct suppress_row *row = &t->rows[line];
	struct report_part part = report_part_begin(begun);

	for (size_t k = 0; k < COUNT_OF(columns); k++)
		report_part_add(&part, columns[k], row->hidden[k] || row->hidden[TOTAL],
		                json_pack("{s:I, s:I}", "awards", (json_int_t)row->n[k],
		                          "amount_pence", (json_int_t)t->pence[line][k]));
	return report_part_end(&part);
}

/* The last line is that of all. */
static json_t *report_json(const struct db_rows *rows, const struct table *t)
{
	json_auto_t *schemes = json_array(), *total = NULL;

	for (size_t line = 0; line + 1 < t->count; line++) {
		json_t *begun =
			json_pack("{s:s, s:s}", "scheme", db_text(rows, t->first[line], "scheme"),
		                  "level", db_text(rows, t->first[line], "level"));

		if (json_array_append_new(schemes, line_json(t, line, begun)) < 0)
			return NULL;
	}
	total = line_json(t, t->count - 1, json_object());
	if (!schemes || !total)
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:s, s:{s:i, s:s}, s:O, s:O}", "council",
	                 db_text(rows, 0, "council"), "financial_year", db_text(rows, 0, "year"),
	                 "from", db_text(rows, 0, "begins"), "to", db_text(rows, 0, "ends"),
	                 "suppression", "under", SUPPRESS_UNDER, "note", note, "schemes", schemes,
	                 "total", total);
}

static bool get_funding_report(struct call *c)
{
	struct table table = { 0 };
	json_auto_t *report = NULL;
	db_rows_auto *rows = NULL;

	if (!db_last(c->tx,
	             Q_FUNDING_REPORT(call_query(c, "council"), call_query(c, "financial_year")),
	             &rows, &c->problem) ||
	    !table_read(c, rows, &table))
		return false;
	report = report_json(rows, &table);
	return call_json(c, 200, report);
}

static const struct operation funding_report[] = {
	{ "getFundingReport", get_funding_report },
};
MODULE(funding_report);
