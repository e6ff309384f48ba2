/* Opening hours: rules become minutes of the week, or days of the coming year. */
#include "rules/openings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "rules/recurrence.h"

enum {
	MINUTES_A_DAY = 1440,
	MINUTES_A_WEEK = 7 * MINUTES_A_DAY,
	AHEAD = 400,
	SOON = 40,
	POINTER = 64
};

/* One item of the schedule, read. Days are since 1970-01-01. */
struct hours {
	struct recurrence rule;
	int32_t from, until;    /* of its validity; INT32_MIN, INT32_MAX: no bound */
	unsigned opens, closes; /* minutes of the day; beyond the day: after midnight */
};

struct openings {
	struct buf *weekly, *dated; /* lists with commas */
};

static unsigned digits(const char *text, size_t size)
{
	unsigned number = 0;

	for (size_t i = 0; i < size; i++)
		number = number * 10 + (unsigned)(text[i] - '0');
	return number;
}

/* Of YYYY-MM-DD, which the contract has checked. Years begin in March, so that the leap day is the
 * last. */
static int32_t day_of(const char *date)
{
	int32_t year = (int32_t)digits(date, 4), month = (int32_t)digits(date + 5, 2);

	year -= month <= 2;
	month += month <= 2 ? 9 : -3;
	return 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 +
	       (int32_t)digits(date + 8, 2) - 1 - 719468;
}

static int32_t date_member(const json_t *item, const char *name, int32_t otherwise)
{
	const char *date = json_text(item, name);

	return date ? day_of(date) : otherwise;
}

static unsigned minute_member(const json_t *item, const char *name, unsigned otherwise)
{
	const char *time = json_text(item, name);

	return time ? digits(time, 2) * 60 + digits(time + 3, 2) : otherwise;
}

static bool rule_text(const json_t *item, struct buf *text)
{
	static const char *const names[][2] = { { "byday", "BYDAY" },
		                                { "bymonthday", "BYMONTHDAY" } };
	json_int_t interval = json_integer_value(json_object_get(item, "interval"));
	bool good = buf_addf(text, "FREQ=%s", json_text(item, "freq"));

	if (interval > 1)
		good = good && buf_addf(text, ";INTERVAL=%d", (int)interval);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (json_text(item, names[i][0]))
			good = good &&
			       buf_addf(text, ";%s=%s", names[i][1], json_text(item, names[i][0]));
	return good;
}

static bool fault(struct problem *p, size_t place, const char *name, const char *sentence)
{
	char pointer[POINTER];

	snprintf(pointer, sizeof pointer, "/schedule/%zu%s", place, name);
	return problem_fault(p, PROBLEM_VALIDATION_FAILED, pointer, "rule", "%s", sentence);
}

/* The first weeks, in which almost every rule happens: a walk of years is slow. */
static int32_t soon(int32_t start, int32_t until)
{
	return start < INT32_MAX - SOON && start + SOON < until ? start + SOON : until;
}

static bool has_days(const json_t *item)
{
	return json_text(item, "byday") || json_text(item, "bymonthday") ||
	       json_text(item, "dtstart");
}

static bool is_weekly(const json_t *item, const struct hours *h, int32_t today)
{
	const char *days = json_text(item, "byday");

	return strcmp(json_text(item, "freq"), "WEEKLY") == 0 && days && !h->rule.ends &&
	       !json_text(item, "bymonthday") && h->from <= today && h->until == INT32_MAX &&
	       h->rule.start <= today && json_integer_value(json_object_get(item, "interval")) <= 1;
}

static bool read_item(const json_t *item, int32_t today, size_t place, struct hours *h,
                      struct problem *p)
{
	struct recurrence_days days;
	problem_auto why = { .code = PROBLEM_NONE };
	buf_auto text = { .limit = RECURRENCE_TEXT };

	h->from = date_member(item, "valid_from", INT32_MIN);
	h->until = date_member(item, "valid_to", INT32_MAX);
	h->opens = minute_member(item, "opens_at", 0);
	h->closes = minute_member(item, "closes_at", MINUTES_A_DAY);
	if (h->closes <= h->opens)
		h->closes += MINUTES_A_DAY;
	if (h->until < h->from)
		return fault(p, place, "/valid_to", "ends before it begins");
	if (!has_days(item))
		return fault(p, place, "", "names no day: say byday, bymonthday or dtstart");
	int32_t start = date_member(item, "dtstart", h->from > INT32_MIN ? h->from : today);

	if (!rule_text(item, &text) || !recurrence_parse(buf_text(&text), start, &h->rule, &why))
		return fault(p, place, "", why.detail[0] ? why.detail : "is too long");
	if (is_weekly(item, h, today))
		return true;
	if (h->from > start)
		start = h->from;
	recurrence_walk(&h->rule, start, soon(start, h->until), &days);
	if (days.count == 0) /* seldom, or never */
		recurrence_walk(&h->rule, start, h->until, &days);
	return days.count > 0 || fault(p, place, "", "never happens while it is valid");
}

static bool comma(struct buf *list) { return list->size == 0 || buf_add(list, ","); }

/* Until Sunday's midnight, and what is beyond it on Monday. */
static bool add_weekly(struct openings *o, unsigned from, unsigned to)
{
	if (to <= MINUTES_A_WEEK)
		return comma(o->weekly) && buf_addf(o->weekly, "[%u,%u)", from, to);
	return add_weekly(o, from, MINUTES_A_WEEK) && add_weekly(o, 0, to - MINUTES_A_WEEK);
}

static bool add_weekdays(struct openings *o, const char *days, const struct hours *h)
{
	static const char names[] = "MOTUWETHFRSASU";
	bool good = true;

	for (unsigned d = 0; d < 7 && good; d++) {
		char day[3] = { names[2 * d], names[2 * d + 1], '\0' };

		if (strstr(days, day))
			good = add_weekly(o, d * MINUTES_A_DAY + h->opens,
			                  d * MINUTES_A_DAY + h->closes);
	}
	return good;
}

/* From yesterday on: it may be open after midnight. */
static bool add_dates(struct openings *o, int32_t today, const struct hours *h)
{
	struct recurrence_days days;
	int32_t first = h->from > today - 1 ? h->from : today - 1;
	bool good = true;

	recurrence_walk(&h->rule, first, h->until < today + AHEAD ? h->until : today + AHEAD,
	                &days);
	for (size_t i = 0; i < days.count && good; i++)
		good = comma(o->dated) &&
		       buf_addf(o->dated, "[%d,%u,%u]", days.day[i], h->opens, h->closes);
	return good;
}

static bool add_item(struct openings *o, const json_t *item, int32_t today, const struct hours *h)
{
	if (is_weekly(item, h, today))
		return add_weekdays(o, json_text(item, "byday"), h);
	return add_dates(o, today, h);
}

bool openings_of(const json_t *schedule, int32_t today, char **ret_hours, struct problem *p)
{
	buf_auto weekly = { .limit = 64 * KIB }, dated = { .limit = MIB },
		 all = { .limit = 2 * MIB };
	struct openings o = { &weekly, &dated };
	const json_t *item;
	size_t i;
	bool good = true;

	json_array_foreach (schedule, i, item) {
		struct hours h = { 0 };

		if (read_item(item, today, i, &h, p))
			good = good && add_item(&o, item, today, &h);
	}
	if (p->code != PROBLEM_NONE)
		return false;
	if (!good || !buf_addf(&all, "{\"weekly\":\"{%s}\",\"dated\":[%s]}", buf_text(&weekly),
	                       buf_text(&dated)))
		return problem(p, PROBLEM_VALIDATION_FAILED, "the schedule has too many days");
	*ret_hours = buf_take(&all);
	return true;
}
