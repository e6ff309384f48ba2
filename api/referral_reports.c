/* For commissioners: the share of referrals whose contact was made in time. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"
#include "rules/report_part.h"
#include "rules/suppression.h"

static const char note[] =
	"Counts from 1 to 4 are not shown, nor others, of all providers, from which they could be "
	"computed. What is not shown is absent and named in `suppressed`.";

enum { IN_TIME, LATE, OTHERS, SUBMITTED, CELLS };

static bool read_row(const struct db_rows *rows, size_t r, struct suppress_row *ret_row)
{
	static const char *const columns[CELLS] = { "in_time", "late", "others", "submitted" };

	for (size_t k = 0; k < CELLS; k++)
		if (!text_number(db_text(rows, r, columns[k]), 0, INT32_MAX, &ret_row->n[k]))
			return false;
	return true;
}

/* The row that is asked for, all zeros when nothing went there; the council's own row is the last.
 */
static bool row_of(struct call *c, const struct db_rows *rows, struct suppress_row *ret_row)
{
	struct suppress_row table[SUPPRESS_ROWS] = { 0 };
	size_t count = db_count(rows);

	if (count > SUPPRESS_ROWS)
		return problem(&c->problem, PROBLEM_INTERNAL,
		               "the council has more receivers than suppression has room for");
	for (size_t r = 0; r < count; r++)
		if (!read_row(rows, r, &table[r]))
			return problem(&c->problem, PROBLEM_INTERNAL,
			               "a count of the report is out of range");
	suppress(table, count, CELLS);
	for (size_t r = 0; r < count; r++)
		if (report_is_asked(call_query(c, "provider"), db_text(rows, r, "provider")))
			*ret_row = table[r];
	return true;
}

/* With its total, or either of the two that a share is made of, more than a count is hidden. */
static json_t *report_json(struct call *c, const struct db_rows *rows, struct suppress_row row)
{
	uint64_t known = row.n[IN_TIME] + row.n[LATE];
	bool either = row.hidden[IN_TIME] || row.hidden[LATE];
	struct report_part part = report_part_begin(json_pack(
		"{s:s, s:s*, s:s, s:s, s:{s:i, s:s}}", "council", db_text(rows, 0, "council"),
		"provider", call_query(c, "provider"), "from", db_text(rows, 0, "begins"), "to",
		db_text(rows, 0, "ends"), "suppression", "under", SUPPRESS_UNDER, "note", note));

	for (size_t k = 0; k < CELLS; k++)
		row.hidden[k] |= row.hidden[SUBMITTED];
	report_part_add(&part, "submitted", row.hidden[SUBMITTED],
	                json_integer((json_int_t)row.n[SUBMITTED]));
	report_part_add(&part, "contacted_in_time", row.hidden[IN_TIME],
	                report_count(row.n[IN_TIME], either ? 0 : known));
	report_part_add(&part, "late", row.hidden[LATE],
	                report_count(row.n[LATE], either ? 0 : known));
	report_part_add(&part, "others", row.hidden[OTHERS],
	                json_integer((json_int_t)row.n[OTHERS]));
	return report_part_end(&part);
}

static bool get_referral_report(struct call *c)
{
	json_auto_t *report = NULL;
	db_rows_auto *rows = NULL;
	struct suppress_row row = { 0 };

	if (!db_last(c->tx,
	             Q_REFERRAL_REPORT(call_query(c, "council"), call_query(c, "from"),
	                               call_query(c, "to")),
	             &rows, &c->problem) ||
	    !row_of(c, rows, &row))
		return false;
	report = report_json(c, rows, row);
	return call_json(c, 200, report);
}

static const struct operation referral_reports[] = {
	{ "getReferralReport", get_referral_report },
};
MODULE(referral_reports);
