/* Opening hours, worked out anew: api/rules/openings.c looks 400 days ahead. */
#include "hours.h"

#include <jansson.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "db/tx.h"
#include "queries.h"
#include "rules/openings.h"

enum { DAY_SECONDS = 86400 };

static bool ask(struct db_pool *pool, struct db_call call, struct db_rows **ret_rows,
                struct problem *p)
{
	const struct db_claims ours = { .operation = "renew-hours" };
	db_tx_auto *tx = NULL;

	return db_begin(pool, &ours, DB_WRITE, false, &tx, p) && db_last(tx, call, ret_rows, p);
}

/* A schedule that never happens any more keeps the hours that it has. */
static bool put_item(const struct db_rows *rows, size_t row, json_t *items)
{
	json_auto_t *schedule = json_loads(db_text(rows, row, "schedule"), 0, NULL), *hours = NULL;
	text_auto *text = NULL;
	problem_auto never = { .code = PROBLEM_NONE };

	if (!schedule)
		return false;
	if (!openings_of(schedule, (int32_t)(clock_seconds() / DAY_SECONDS), &text, &never))
		return true;
	hours = text ? json_loads(text, 0, NULL) : NULL;
	return hours && json_array_append_new(items, json_pack("{s:s, s:O, s:O}", "id",
	                                                       db_text(rows, row, "id"), "schedule",
	                                                       schedule, "hours", hours)) == 0;
}

bool hours_renew(struct db_pool *pool, struct problem *p)
{
	db_rows_auto *rows = NULL, *renewed = NULL;
	json_auto_t *items = json_array();
	text_auto *text = NULL;
	bool good = items != NULL;

	if (!ask(pool, Q_HOURS_PAGE(), &rows, p))
		return false;
	for (size_t i = 0; i < db_count(rows) && good; i++)
		good = put_item(rows, i, items);
	text = good ? json_print(items) : NULL;
	if (!text)
		return problem(p, PROBLEM_UNAVAILABLE, "there is no memory to spare");
	if (json_array_size(items) == 0)
		return true;
	if (!ask(pool, Q_HOURS_RENEW(text), &renewed, p))
		return false;
	log_event(LOG_INFO, "hours-renewed", "entries", db_text(renewed, 0, "renewed"), NULL);
	return true;
}
