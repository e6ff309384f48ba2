/*
 * The grammar is read here, strictly, and libical walks over the days: it is handed only what is
 * bounded. A rule that can never happen would let it search to the year 20000.
 */
#include "rules/recurrence.h"

#include <libical/ical.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { SECONDS_A_DAY = 86400, DAYS_A_YEAR = 366, PART_TEXT = 128, LIST_MOST = 62, MONTHS = 12 };
enum { LAST_START = 73049 }; /* 2170-01-01; the first is 1970-01-01 */

enum part { FREQ, INTERVAL, COUNT, UNTIL, BYMONTH, BYMONTHDAY, BYDAY, BYSETPOS, WKST, PARTS };
enum freq { DAILY, WEEKLY, MONTHLY, YEARLY, FREQS };

static const char *const parts[PARTS] = {
	[FREQ] = "FREQ",   [INTERVAL] = "INTERVAL", [COUNT] = "COUNT",
	[UNTIL] = "UNTIL", [BYMONTH] = "BYMONTH",   [BYMONTHDAY] = "BYMONTHDAY",
	[BYDAY] = "BYDAY", [BYSETPOS] = "BYSETPOS", [WKST] = "WKST",
};
static const char *const freqs[FREQS] = { "DAILY", "WEEKLY", "MONTHLY", "YEARLY" };
static const char *const weekdays[] = { "MO", "TU", "WE", "TH", "FR", "SA", "SU" };

/* A list's items: numbers, and behind them the weekday of BYDAY. */
struct list {
	int number[LIST_MOST]; /* of BYDAY, 0: every such day */
	unsigned weekday[LIST_MOST];
	size_t count; /* 0: the part is not there */
};

struct rule {
	char value[PARTS][PART_TEXT]; /* "" : the part is not there */
	enum freq freq;
	unsigned interval;
	struct list months, month_days, days, positions;
};

static bool wrong(struct problem *p, const char *sentence)
{
	return problem(p, PROBLEM_VALIDATION_FAILED, "%s", sentence);
}

static bool wrong_part(struct problem *p, const char *name, const char *sentence)
{
	return problem(p, PROBLEM_VALIDATION_FAILED, "has a %s that %s", name, sentence);
}

static size_t place_of(const char *word, const char *const *words, size_t count)
{
	size_t i = 0;

	while (i < count && strcmp(words[i], word) != 0)
		i++;
	return i;
}

/* One NAME=VALUE of the rule. */
static bool take_part(struct rule *r, const char *text, size_t size, struct problem *p)
{
	const char *equals = memchr(text, '=', size);
	char name[16] = "";
	size_t length = equals ? (size_t)(equals - text) : size, rest;

	if (!equals || length >= sizeof name || length == 0)
		return wrong(p,
		             "is no rule of RFC 5545: parts like FREQ=WEEKLY with ; between them");
	memcpy(name, text, length);
	size_t at = place_of(name, parts, PARTS);

	if (at == PARTS)
		return wrong(p, "has a part that is not taken: only FREQ, INTERVAL, COUNT, UNTIL, "
		                "BYMONTH, BYMONTHDAY, BYDAY, BYSETPOS and WKST are");
	if (r->value[at][0])
		return wrong_part(p, parts[at], "is there twice");
	rest = size - length - 1;
	if (rest == 0 || rest >= PART_TEXT)
		return wrong_part(p, parts[at], "is empty or too long");
	memcpy(r->value[at], equals + 1, rest);
	return true;
}

static bool take_parts(struct rule *r, const char *text, struct problem *p)
{
	if (strlen(text) > RECURRENCE_TEXT)
		return wrong(p, "is too long");
	for (size_t size; *text; text += size + (text[size] == ';')) {
		size = strcspn(text, ";");
		if (!take_part(r, text, size, p))
			return false;
		if (text[size] == ';' && !text[size + 1])
			return wrong(p, "ends in a semicolon");
	}
	return true;
}

/* A number with or without its sign, not 0; `most` is the largest either way. */
static bool signed_number(const char *text, unsigned most, int *ret_number)
{
	bool negative = *text == '-';
	uint64_t n;

	if (!text_number(text + (negative || *text == '+'), 1, most, &n))
		return false;
	*ret_number = negative ? -(int)n : (int)n;
	return true;
}

/* `[+-]N` or, of BYDAY, `[[+-]N]MO`. */
static bool take_item(struct list *list, char *item, bool days, unsigned most)
{
	size_t size = strlen(item);
	int *number = &list->number[list->count];

	if (list->count == LIST_MOST)
		return false;
	if (!days)
		return signed_number(item, most, number);
	if (size < 2)
		return false;
	list->weekday[list->count] =
		(unsigned)place_of(item + size - 2, weekdays, COUNT_OF(weekdays));
	item[size - 2] = '\0';
	return list->weekday[list->count] < COUNT_OF(weekdays) &&
	       (!*item || signed_number(item, most, number));
}

/* A list with commas; no item stands there twice. */
static bool take_list(const struct rule *r, enum part part, unsigned most, struct list *list,
                      struct problem *p)
{
	const char *text = r->value[part];

	while (*text) {
		char item[8] = "";
		size_t size = strcspn(text, ","), n = list->count;

		if (size == 0 || size >= sizeof item || (text[size] && !text[size + 1]))
			return wrong_part(p, parts[part], "is no list with commas");
		memcpy(item, text, size);
		if (!take_item(list, item, part == BYDAY, most))
			return wrong_part(p, parts[part], "is out of range");
		for (size_t i = 0; i < n; i++)
			if (list->number[i] == list->number[n] &&
			    list->weekday[i] == list->weekday[n])
				return wrong_part(p, parts[part], "names the same twice");
		list->count++;
		text += size + (text[size] == ',');
	}
	return true;
}

static bool take_ceiling(const struct rule *r, enum part part, unsigned most, unsigned *ret_number,
                         struct problem *p)
{
	uint64_t n = 1;

	if (r->value[part][0] && !text_number(r->value[part], 1, most, &n))
		return problem(p, PROBLEM_VALIDATION_FAILED, "has a %s that is not from 1 to %u",
		               parts[part], most);
	*ret_number = (unsigned)n;
	return true;
}

/* A day that is there: the 31st of June would be taken for the 1st of July. */
static bool is_day(const char *text)
{
	if (strlen(text) != 8 || strspn(text, "0123456789") != 8 || *text == '0')
		return false;
	struct icaltimetype given = icaltime_from_string(text);

	return icaltime_compare(given, icaltime_normalize(given)) == 0;
}

/* What stands in each part by itself. */
static bool take_values(struct rule *r, struct problem *p)
{
	unsigned count;

	if (!r->value[FREQ][0])
		return wrong(p, "has no FREQ");
	r->freq = (enum freq)place_of(r->value[FREQ], freqs, FREQS);
	if (r->freq == FREQS)
		return wrong_part(p, "FREQ", "is not DAILY, WEEKLY, MONTHLY or YEARLY");
	if (r->value[WKST][0] &&
	    place_of(r->value[WKST], weekdays, COUNT_OF(weekdays)) == COUNT_OF(weekdays))
		return wrong_part(p, "WKST", "is no day of the week");
	if (r->value[UNTIL][0] && !is_day(r->value[UNTIL]))
		return wrong_part(p, "UNTIL",
		                  "is no day, as 20261231 is: the last that may be one");
	return take_ceiling(r, INTERVAL, 366, &r->interval, p) &&
	       take_ceiling(r, COUNT, RECURRENCE_MOST, &count, p) &&
	       take_list(r, BYMONTH, MONTHS, &r->months, p) &&
	       take_list(r, BYMONTHDAY, 31, &r->month_days, p) &&
	       take_list(r, BYDAY, r->freq == YEARLY && !r->months.count ? 52 : 5, &r->days, p) &&
	       take_list(r, BYSETPOS, 28, &r->positions, p);
}

static bool has_ordinals(const struct rule *r)
{
	for (size_t i = 0; i < r->days.count; i++)
		if (r->days.number[i])
			return true;
	return false;
}

static bool any_below(const struct list *list, int least)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->number[i] < least)
			return true;
	return false;
}

/* How many days each position of BYSETPOS can count in every month. */
static bool positions_fit(const struct rule *r)
{
	for (size_t i = 0; i < r->positions.count; i++)
		if (abs(r->positions.number[i]) > 4 * (int)r->days.count)
			return false;
	return true;
}

/* What the parts are together. */
static bool fits_together(const struct rule *r, struct problem *p)
{
	const struct {
		bool broken;
		const char *sentence;
	} rules[] = {
		{ r->value[COUNT][0] && r->value[UNTIL][0], "has both COUNT and UNTIL" },
		{ any_below(&r->months, 1), "has a BYMONTH that is out of range" },
		{ r->freq == YEARLY && r->month_days.count && !r->months.count,
		  "has BYMONTHDAY with FREQ=YEARLY and no BYMONTH" },
		{ r->freq == DAILY && any_below(&r->month_days, 1),
		  "counts days of the month from its end in BYMONTHDAY with FREQ=DAILY" },
		{ r->freq == WEEKLY && r->month_days.count, "has BYMONTHDAY with FREQ=WEEKLY" },
		{ r->freq < MONTHLY && has_ordinals(r),
		  "counts days in BYDAY without FREQ=MONTHLY or FREQ=YEARLY" },
		{ has_ordinals(r) && r->month_days.count,
		  "counts days in BYDAY and names days in BYMONTHDAY" },
		{ r->positions.count && (r->freq != MONTHLY || !r->days.count || has_ordinals(r) ||
		                         r->month_days.count),
		  "has BYSETPOS without FREQ=MONTHLY and days of the week in BYDAY" },
		{ !positions_fit(r), "has a BYSETPOS that not every month has" },
	};

	for (size_t i = 0; i < COUNT_OF(rules); i++)
		if (rules[i].broken)
			return wrong(p, rules[i].sentence);
	return true;
}

static bool names_month(const struct rule *r, int month)
{
	for (size_t i = 0; i < r->months.count; i++)
		if (r->months.number[i] == month)
			return true;
	return r->months.count == 0;
}

/*
 * How many days a month has at least that has any of the rule's days. What names no day is on the
 * start's day of the month.
 */
static int least_length(const struct rule *r, int start_day)
{
	bool named = r->month_days.count || r->days.count || r->freq < MONTHLY;
	int least = r->month_days.count ? 31 : has_ordinals(r) ? 29 : named ? 1 : start_day;
	bool in_months = r->freq == MONTHLY || r->months.count;

	for (size_t i = 0; i < r->month_days.count; i++)
		if (abs(r->month_days.number[i]) < least)
			least = abs(r->month_days.number[i]);
	for (size_t i = 0; i < r->days.count; i++)
		if (abs(r->days.number[i]) < 5 || !in_months)
			least = 1; /* every month has four of each */
	return least;
}

/* Whether any month of ten years that the rule comes to is long enough for any of its days. */
static bool months_are_long_enough(const struct rule *r, struct icaltimetype start)
{
	int least = least_length(r, start.day), last = RECURRENCE_YEARS * MONTHS;
	int step = r->freq == MONTHLY ? (int)r->interval : 1;

	for (int i = 0; i <= last; i += step) {
		int month = start.month - 1 + i, year = start.year + month / MONTHS;

		if (r->freq == YEARLY && (year - start.year) % (int)r->interval != 0)
			continue;
		if (names_month(r, month % MONTHS + 1) &&
		    icaltime_days_in_month(month % MONTHS + 1, year) >= least)
			return true;
	}
	return false;
}

static struct icaltimetype time_of(int32_t day)
{
	return icaltime_from_timet_with_zone((time_t)day * SECONDS_A_DAY, 1, NULL);
}

static int32_t day_of(struct icaltimetype time)
{
	return (int32_t)(icaltime_as_timet(time) / SECONDS_A_DAY);
}

static void never_abort(void) { icalerror_set_errors_are_fatal(0); }

/* NULL when memory runs out, or there is no day at all. No walk goes beyond `until`. */
static icalrecur_iterator *walk_begin(const struct recurrence *rule, int32_t from, int32_t until)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct icalrecurrencetype recur;
	icalrecur_iterator *walk;

	pthread_once(&once, never_abort); /* what libical does at its own faults, unless told */
	recur = icalrecurrencetype_from_string(rule->text);
	if (icaltime_is_null_time(recur.until) || day_of(recur.until) > until)
		recur.until = time_of(until);
	walk = icalrecur_iterator_new(recur, time_of(rule->start));
	if (walk && recur.count == 0 && from > rule->start)
		icalrecur_iterator_set_start(walk, time_of(from));
	return walk;
}

static void walk_on(icalrecur_iterator *walk, int32_t from, struct recurrence_days *days)
{
	for (;;) {
		struct icaltimetype next = icalrecur_iterator_next(walk);

		if (icaltime_is_null_time(next))
			return;
		if (day_of(next) < from)
			continue;
		days->more = days->count == RECURRENCE_MOST;
		if (days->more)
			return;
		days->day[days->count++] = day_of(next);
	}
}

void recurrence_walk(const struct recurrence *rule, int32_t from, int32_t until,
                     struct recurrence_days *ret_days)
{
	int32_t first = from > rule->start ? from : rule->start;
	int32_t last = first + RECURRENCE_YEARS * DAYS_A_YEAR;
	icalrecur_iterator *walk = walk_begin(rule, first, until < last ? until : last);

	ret_days->count = 0;
	ret_days->more = false;
	if (!walk)
		return;
	walk_on(walk, first, ret_days);
	icalrecur_iterator_free(walk);
}

/* Which parts it has and what is in them, before anybody walks. */
static bool take_rule(const char *text, int32_t start, struct rule *r, struct problem *p)
{
	if (!take_parts(r, text, p) || !take_values(r, p) || !fits_together(r, p))
		return false;
	if (start < 0 || start > LAST_START)
		return wrong(p, "begins too early or too late");
	if (!months_are_long_enough(r, time_of(start)))
		return wrong(p, "never happens: no month that it comes to has such a day");
	return true;
}

bool recurrence_parse(const char *text, int32_t start, struct recurrence *ret_rule,
                      struct problem *p)
{
	struct rule r = { 0 };
	struct recurrence rule = { .start = start };
	struct recurrence_days days;

	if (!take_rule(text, start, &r, p))
		return false;
	memcpy(rule.text, text, strlen(text));
	rule.ends = r.value[COUNT][0] || r.value[UNTIL][0];
	recurrence_walk(&rule, start, start + RECURRENCE_YEARS * DAYS_A_YEAR, &days);
	if (days.count == 0)
		return problem(p, PROBLEM_VALIDATION_FAILED,
		               "never happens: on no day of the %d years after its start",
		               RECURRENCE_YEARS);
	*ret_rule = rule;
	return true;
}
