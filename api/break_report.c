/* The report on breaks: how many and how long, and how long carers waited. None of it tells of a
 * person. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"
#include "rules/report_part.h"
#include "rules/suppression.h"

static const char note[] = "Where 1 to 4 breaks are behind a row it is not shown, nor are others "
			   "from which it could be "
			   "computed. What is not shown is absent and named in `suppressed`.";

/* The query's rows of one dimension. */
struct margin {
	const struct db_rows *rows;
	const char *dimension; /* NULL: the one row of all */
	size_t first, count;
};

static bool in_margin(const struct margin *m, size_t row)
{
	const char *dimension = db_text(m->rows, row, "dimension");

	return m->dimension ? dimension && strcmp(dimension, m->dimension) == 0 : !dimension;
}

static struct margin margin_of(const struct db_rows *rows, const char *dimension)
{
	struct margin m = { .rows = rows, .dimension = dimension };

	while (m.first < db_count(rows) && !in_margin(&m, m.first))
		m.first++;
	while (m.first + m.count < db_count(rows) && in_margin(&m, m.first + m.count))
		m.count++;
	return m;
}

static uint64_t count_of(const struct margin *m, size_t row, const char *column)
{
	uint64_t n = 0;
	const char *text = db_text(m->rows, m->first + row, column);

	return text && text_number(text, 0, INT64_MAX, &n) ? n : 0;
}

/* ret_hidden[row]: too few breaks are behind it, or behind another that could be told from it. */
static bool margin_suppress(struct call *c, const struct margin *m, bool ret_hidden[SUPPRESS_ROWS])
{
	struct suppress_row rows[SUPPRESS_ROWS] = { 0 };

	if (m->count >= SUPPRESS_ROWS)
		return problem(&c->problem, PROBLEM_INTERNAL,
		               "the report has more rows than suppression has room for");
	for (size_t r = 0; r < m->count; r++) {
		rows[r].n[0] = rows[r].n[1] = count_of(m, r, "n");
		rows[m->count].n[0] = rows[m->count].n[1] += rows[r].n[1];
	}
	suppress(rows, m->count + 1, 2);
	for (size_t r = 0; r < m->count; r++)
		ret_hidden[r] = rows[r].hidden[0] || rows[r].hidden[1];
	return true;
}

static json_t *line(const struct margin *m, size_t row, bool hidden)
{
	const char *value = db_text(m->rows, m->first + row, "value");
	struct report_part part =
		report_part_begin(value ? json_pack("{s:s}", m->dimension, value) : json_object());

	report_part_add(&part, "breaks", hidden, json_integer((json_int_t)count_of(m, row, "n")));
	report_part_add(&part, "sessions", hidden,
	                json_integer((json_int_t)count_of(m, row, "sessions")));
	report_part_add(&part, "hours", hidden,
	                json_decimal((int64_t)count_of(m, row, "hours"), 2));
	return report_part_end(&part);
}

/* NULL with the problem, or because memory ran out. */
static json_t *lines(struct call *c, const struct db_rows *rows, const char *dimension)
{
	struct margin m = margin_of(rows, dimension);
	bool hidden[SUPPRESS_ROWS] = { false };
	json_auto_t *list = json_array();

	if (!margin_suppress(c, &m, hidden))
		return NULL;
	for (size_t r = 0; r < m.count; r++)
		if (json_array_append_new(list, line(&m, r, hidden[r])) < 0)
			return NULL;
	return TAKE(list);
}

static json_t *total(struct call *c, const struct db_rows *rows)
{
	struct margin m = margin_of(rows, NULL);
	bool hidden[SUPPRESS_ROWS] = { false };

	return margin_suppress(c, &m, hidden) ? line(&m, 0, hidden[0]) : NULL;
}

/* Of the first sessions of breaks that a referral asked for; the last column is their total. */
static json_t *wait(const struct db_rows *rows)
{
	static const char *const columns[] = { "under_1_month", "middle", "over_3_months",
		                               "waits" };
	static const char *const names[] = { "under_1_month", "1_to_3_months", "over_3_months",
		                             "breaks" };
	enum { ALL = COUNT_OF(columns) - 1 };
	struct margin m = margin_of(rows, NULL);
	struct suppress_row row = { 0 };
	struct report_part part = report_part_begin(json_object());

	for (size_t k = 0; k <= ALL; k++)
		row.n[k] = count_of(&m, 0, columns[k]);
	suppress(&row, 1, COUNT_OF(columns));
	for (size_t k = 0; k <= ALL; k++)
		report_part_add(&part, names[k], row.hidden[k] || row.hidden[ALL],
		                json_integer((json_int_t)row.n[k]));
	if (row.n[ALL] > 0)
		report_part_add(&part, "mean_days", row.hidden[ALL],
		                json_decimal((int64_t)count_of(&m, 0, "mean_tenths"), 1));
	return report_part_end(&part);
}

static json_t *report_json(struct call *c, const struct db_rows *rows)
{
	static const char *const dimensions[] = { "purpose", "delivery", "provider", "frequency",
		                                  "month" };
	static const char *const names[] = { "by_purpose", "by_delivery", "by_provider",
		                             "by_frequency", "by_month" };
	json_auto_t *report = json_pack(
		"{s:s, s:s, s:s, s:{s:i, s:s}, s:o, s:o}", "council", db_text(rows, 0, "council"),
		"from", db_text(rows, 0, "begins"), "to", db_text(rows, 0, "ends"), "suppression",
		"under", SUPPRESS_UNDER, "note", note, "total", total(c, rows), "wait", wait(rows));

	for (size_t k = 0; report && k < COUNT_OF(dimensions); k++)
		if (json_object_set_new(report, names[k], lines(c, rows, dimensions[k])) < 0)
			return NULL;
	return TAKE(report);
}

static bool get_breaks_report(struct call *c)
{
	json_auto_t *report = NULL;
	db_rows_auto *rows = NULL;

	if (!db_last(c->tx,
	             Q_BREAKS_REPORT(call_query(c, "council"), call_query(c, "from"),
	                             call_query(c, "to")),
	             &rows, &c->problem))
		return false;
	report = report_json(c, rows);
	if (!report && c->problem.code != PROBLEM_NONE)
		return false;
	return call_json(c, 200, report);
}

static const struct operation break_report[] = {
	{ "getBreaksReport", get_breaks_report },
};
MODULE(break_report);
