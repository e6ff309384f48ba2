/* Series: sessions of a break planned together, by a recurrence rule. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"
#include "rules/recurrence.h"
#include "rules/working_days.h"

enum { SERIES_MOST = 53, HOLIDAYS = 160 }; /* a year of weeks; bank holidays of ten years */
enum { DAYS_TEXT = 8 * RECURRENCE_MOST };

/* Days as array literals of PostgreSQL: those that get a session, and those that are skipped. */
struct series {
	struct buf days, skipped; /* owned */
	size_t count;             /* of days */
};

static void series_done(struct series *s)
{
	buf_free(&s->days);
	buf_free(&s->skipped);
}

static bool at_rule(struct call *c, const char *sentence)
{
	return problem_fault(&c->problem, PROBLEM_VALIDATION_FAILED, "/rule", "rrule", "%s",
	                     sentence);
}

/* The break takes sessions now; then what its days are counted from, and the bank holidays. */
static bool begin(struct call *c, struct db_rows **ret_rows)
{
	db_rows_auto *rows = NULL;

	if (!db_run(c->tx,
	            Q_SERIES_BEGIN(call_path(c, "break_id"), json_text(c->body, "starts_on")),
	            &rows, &c->problem))
		return false;
	*ret_rows = TAKE(rows);
	return true;
}

static bool read_rule(struct call *c, const struct db_rows *rows, struct recurrence *ret_rule)
{
	problem_auto fault = { 0 };
	uint64_t start;

	if (!text_number(db_text(rows, 0, "start"), 0, INT32_MAX, &start))
		return problem_fault(&c->problem, PROBLEM_VALIDATION_FAILED, "/starts_on", "rule",
		                     "is too early or too late");
	if (!recurrence_parse(json_text(c->body, "rule"), (int32_t)start, ret_rule, &fault))
		return at_rule(c, fault.detail);
	if (!ret_rule->ends)
		return problem_rule(&c->problem, "B4",
		                    "a series has an end: COUNT or UNTIL stands in its rule");
	return true;
}

static bool add_day(struct buf *list, int32_t day)
{
	return buf_addf(list, "%s%d", list->size ? "," : "{", day);
}

static bool close_list(struct buf *list) { return buf_add(list, list->size ? "}" : "{}"); }

/* Parts the days of the rule into those that are planned and those that are skipped. */
static bool part_days(struct call *c, const struct recurrence *rule, struct holidays off,
                      struct series *ret_series)
{
	struct recurrence_days days;
	bool skip = json_is_true(json_object_get(c->body, "skip_bank_holidays")), good = true;

	recurrence_walk(rule, rule->start, INT32_MAX / 2, &days);
	for (size_t i = 0; i < days.count; i++) {
		bool skipped = skip && holidays_have(off, days.day[i]);

		good &= add_day(skipped ? &ret_series->skipped : &ret_series->days, days.day[i]);
		ret_series->count += !skipped;
	}
	if (!good || !close_list(&ret_series->days) || !close_list(&ret_series->skipped))
		return problem(&c->problem, PROBLEM_UNAVAILABLE,
		               "the service has no memory to spare");
	if (ret_series->count > SERIES_MOST || days.more)
		return at_rule(
			c, "plans more than 53 sessions: end it sooner, and go on with another");
	if (ret_series->count == 0)
		return at_rule(c, "falls on bank holidays only");
	return true;
}

static bool read_series(struct call *c, struct series *ret_series)
{
	int32_t days[HOLIDAYS];
	db_rows_auto *rows = NULL;
	struct recurrence rule;

	if (!begin(c, &rows) || !read_rule(c, rows, &rule))
		return false;
	const struct holidays off = { days,
		                      holidays_read(db_text(rows, 0, "holidays"), HOLIDAYS, days) };

	return part_days(c, &rule, off, ret_series);
}

static bool answer_planned(struct call *c, const struct series *s)
{
	return call_answer(c,
	                   Q_SERIES_PLANNED(call_path(c, "break_id"), buf_text(&s->days),
	                                    json_text(c->body, "starts_time"),
	                                    json_text(c->body, "ends_time"), buf_text(&s->skipped)),
	                   NULL);
}

/* 201, and where the sessions of this series are listed. */
static bool answer_made(struct call *c, const struct series *s)
{
	const char *break_id = call_path(c, "break_id");
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	if (!db_queue(c->tx,
	              Q_SERIES_INSERT(id, break_id, buf_text(&s->days),
	                              json_text(c->body, "starts_time"),
	                              json_text(c->body, "ends_time"), json_text(c->body, "note")),
	              &c->problem) ||
	    !db_last(c->tx, Q_SERIES_MADE(break_id, id, buf_text(&s->skipped)), &rows, &c->problem))
		return false;
	snprintf(c->reply.location, sizeof c->reply.location,
	         "%s/v1/breaks/%s/sessions?series_id=%s", c->service->base_url, break_id, id);
	return call_reply(c, 201, rows);
}

static bool create_session_series(struct call *c)
{
	const char *dry = call_query(c, "dry_run");
	owned_by(series_done) struct series s = { .days = { .limit = DAYS_TEXT },
		                                  .skipped = { .limit = DAYS_TEXT } };

	if (!read_series(c, &s))
		return false;
	return dry && strcmp(dry, "true") == 0 ? answer_planned(c, &s) : answer_made(c, &s);
}

static const struct operation break_series[] = {
	{ "createSessionSeries", create_session_series },
};
MODULE(break_series);
