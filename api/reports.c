/* Reports for commissioners: counts and means of a council, none of which tells of a person. */
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

/* The query's rows of one measure, instrument and area: one for each provider, then the council's.
 */
struct span {
	const struct db_rows *rows;
	size_t first, count; /* count 0: there is no result */
	size_t asked;        /* which of them is asked for; count: none */
};

/* Their counts, the total last. */
struct table {
	struct suppress_row rows[SUPPRESS_ROWS];
	size_t width;
};

static bool same(const struct span *s, size_t row, const char *column)
{
	return strcmp(db_text(s->rows, s->first, column), db_text(s->rows, row, column)) == 0;
}

/* The first span of the measure at or after a row. */
static struct span span_of(const struct call *c, const struct db_rows *rows, const char *measure,
                           size_t from)
{
	struct span s = { .rows = rows, .first = from };
	size_t end = db_count(rows);

	while (s.first < end && (!db_text(rows, s.first, "measure") ||
	                         strcmp(db_text(rows, s.first, "measure"), measure) != 0))
		s.first++;
	for (size_t r = s.first; r < end; r++, s.count++)
		if (!same(&s, r, "measure") || !same(&s, r, "instrument") || !same(&s, r, "area"))
			break;
	while (s.asked < s.count && !report_is_asked(call_query(c, "provider"),
	                                             db_text(rows, s.first + s.asked, "provider")))
		s.asked++;
	return s;
}

/* `columns`: their names, NULL at the end. */
static bool table_read(struct call *c, const struct span *s, const char *const *columns,
                       struct table *t)
{
	if (s->count > SUPPRESS_ROWS)
		return problem(&c->problem, PROBLEM_INTERNAL,
		               "the council has more providers than suppression has room for");
	for (t->width = 0; columns[t->width]; t->width++)
		for (size_t r = 0; r < s->count; r++) {
			const char *n = db_text(s->rows, s->first + r, columns[t->width]);

			if (!n || !text_number(n, 0, INT32_MAX, &t->rows[r].n[t->width]))
				return problem(&c->problem, PROBLEM_INTERNAL,
				               "a count of the report is out of range");
		}
	return true;
}

/* Where too few carers are behind a row, all of it is hidden. NULL: no other table says so. */
static void table_suppress(const struct span *s, const struct table *carers, struct table *t)
{
	for (size_t r = 0; carers && r < s->count; r++)
		for (size_t k = 0; k < t->width; k++)
			t->rows[r].hidden[k] =
				carers->rows[r].hidden[carers->width - 1] && t->rows[r].n[k] > 0;
	if (s->count)
		suppress(t->rows, s->count, t->width);
}

/* The row that is asked for, all zeros when there is none. With its total the whole row is hidden.
 */
static struct suppress_row table_answer(const struct span *s, const struct table *t)
{
	struct suppress_row row = { 0 };

	if (s->asked < s->count)
		row = t->rows[s->asked];
	for (size_t k = 0; k < t->width; k++)
		row.hidden[k] |= row.hidden[t->width - 1];
	return row;
}

/* Gives the part away; NULL with the problem when memory ran out. */
static json_t *part_end(struct call *c, struct report_part *part)
{
	json_t *json = report_part_end(part);

	if (!json)
		problem(&c->problem, PROBLEM_UNAVAILABLE, "the service has no memory to spare");
	return json;
}

/* Text of hundredths, which may be negative. */
static json_t *mean_json(const char *text)
{
	bool negative = *text == '-';
	uint64_t n;

	if (!text_number(text + negative, 0, INT32_MAX, &n))
		return NULL;
	return json_decimal(negative ? -(int64_t)n : (int64_t)n, 2);
}

/* Pairs of first and latest score. `json`: taken; what the part begins with. */
static json_t *scored(struct call *c, const struct span *s, const char *middle, json_t *json)
{
	static const char *const columns[] = { "improved", "unchanged", "deteriorated", "n", NULL };
	const char *const names[] = { "improved", middle, "deteriorated" };
	json_auto_t *begun = json;
	struct table t = { 0 };
	struct suppress_row row;
	struct report_part b;

	if (!table_read(c, s, columns, &t))
		return NULL;
	table_suppress(s, NULL, &t);
	row = table_answer(s, &t);
	b = report_part_begin(TAKE(begun));
	report_part_add(&b, "pairs", row.hidden[3], json_integer((json_int_t)row.n[3]));
	if (row.n[3])
		report_part_add(&b, "mean_change", row.hidden[3],
		                mean_json(db_text(s->rows, s->first + s->asked, "mean")));
	for (size_t k = 0; k < COUNT_OF(names); k++)
		report_part_add(&b, names[k], row.hidden[k], report_count(row.n[k], row.n[3]));
	return part_end(c, &b);
}

/* What is behind the report's part on I-statements: carers, and statements of their latest and
 * first results. */
struct statements {
	struct table carers, latest, first;
};

static bool statements_read(struct call *c, const struct span *s, struct statements *st)
{
	static const char *const carers[] = { "n", "n", NULL };
	static const char *const latest[] = { "met", "partially_met", "not_met", "rated", NULL };
	static const char *const first[] = { "first_met", "first_unmet", "first_rated", NULL };

	if (!table_read(c, s, carers, &st->carers) || !table_read(c, s, latest, &st->latest) ||
	    !table_read(c, s, first, &st->first))
		return false;
	table_suppress(s, NULL, &st->carers);
	table_suppress(s, &st->carers, &st->latest);
	table_suppress(s, &st->carers, &st->first);
	return true;
}

static json_t *statements_json(struct call *c, const struct span *s)
{
	struct statements st = { 0 };
	struct suppress_row carers, latest, first;
	struct report_part b;

	if (!statements_read(c, s, &st))
		return NULL;
	carers = table_answer(s, &st.carers);
	latest = table_answer(s, &st.latest);
	first = table_answer(s, &st.first);
	b = report_part_begin(json_object());
	report_part_add(&b, "carers", carers.hidden[1], json_integer((json_int_t)carers.n[1]));
	report_part_add(&b, "rated", latest.hidden[3], json_integer((json_int_t)latest.n[3]));
	report_part_add(&b, "met", latest.hidden[0], json_integer((json_int_t)latest.n[0]));
	report_part_add(&b, "partially_met", latest.hidden[1],
	                json_integer((json_int_t)latest.n[1]));
	report_part_add(&b, "not_met", latest.hidden[2], json_integer((json_int_t)latest.n[2]));
	if (latest.n[3])
		report_part_add(&b, "share_met", latest.hidden[0],
		                report_share(latest.n[0], latest.n[3]));
	if (first.n[2])
		report_part_add(&b, "first_share_met", first.hidden[0] || first.hidden[1],
		                report_share(first.n[0], first.n[2]));
	return part_end(c, &b);
}

/* One part for each area of each instrument that somebody was rated by. NULL with the problem. */
static json_t *ratings_json(struct call *c, const struct db_rows *rows)
{
	json_auto_t *ratings = json_array();

	for (struct span s = span_of(c, rows, "rating", 0); s.count;
	     s = span_of(c, rows, "rating", s.first + s.count)) {
		json_t *begun =
			json_pack("{s:s, s:s}", "instrument", db_text(rows, s.first, "instrument"),
		                  "area", db_text(rows, s.first, "area"));

		if (json_array_append_new(ratings, scored(c, &s, "unchanged", begun)) < 0)
			return NULL;
	}
	return TAKE(ratings);
}

static json_t *report_json(struct call *c, const struct db_rows *rows)
{
	struct span swemwbs = span_of(c, rows, "swemwbs", 0);
	struct span statements = span_of(c, rows, "i_statements", 0);
	json_auto_t *scores = scored(c, &swemwbs, "no_reliable_change", json_object());
	json_auto_t *met = statements_json(c, &statements);
	json_auto_t *ratings = ratings_json(c, rows);

	if (!scores || !met || !ratings)
		return NULL;
	return json_pack("{s:s, s:s*, s:s, s:s, s:{s:i, s:s}, s:O, s:O, s:O}", "council",
	                 db_text(rows, 0, "council"), "provider", call_query(c, "provider"), "from",
	                 db_text(rows, 0, "begins"), "to", db_text(rows, 0, "ends"), "suppression",
	                 "under", SUPPRESS_UNDER, "note", note, "swemwbs", scores, "i_statements",
	                 met, "ratings", ratings);
}

static bool get_wellbeing_report(struct call *c)
{
	json_auto_t *report = NULL;
	db_rows_auto *rows = NULL;

	if (!db_last(c->tx,
	             Q_WELLBEING_REPORT(call_query(c, "council"), call_query(c, "from"),
	                                call_query(c, "to")),
	             &rows, &c->problem))
		return false;
	report = report_json(c, rows);
	if (!report && c->problem.code != PROBLEM_NONE)
		return false;
	return call_json(c, 200, report);
}

static const struct operation reports[] = {
	{ "getWellbeingReport", get_wellbeing_report },
};
MODULE(reports);
