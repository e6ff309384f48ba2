/* date, time, date-time and duration: RFC 3339, section 5.6 and appendix A. */
#include "jsonschema/formats.h"

/* Two digits at `text`, or -1. */
static int two(const char *text)
{
	if (!ascii_digit(text[0]) || !ascii_digit(text[1]))
		return -1;
	return (text[0] - '0') * 10 + (text[1] - '0');
}

static int days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return month == 2 && leap ? 29 : days[month - 1];
}

bool js_is_date(const char *text, size_t length)
{
	if (length != 10 || text[4] != '-' || text[7] != '-')
		return false;
	int century = two(text);
	int year = two(text + 2);
	int month = two(text + 5);
	int day = two(text + 8);
	if (century < 0 || year < 0 || month < 1 || month > 12 || day < 1)
		return false;
	return day <= days_in(century * 100 + year, month);
}

/* "Z" or "+hh:mm"; the minutes to take off the local time. */
static bool parse_offset(const char *text, size_t length, int *ret)
{
	*ret = 0;
	if (length == 1)
		return (text[0] | 0x20) == 'z';
	if (length != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':')
		return false;
	int hour = two(text + 1);
	int minute = two(text + 4);
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
		return false;
	*ret = (hour * 60 + minute) * (text[0] == '-' ? -1 : 1);
	return true;
}

bool js_is_time(const char *text, size_t length)
{
	int offset;

	if (length < 9 || text[2] != ':' || text[5] != ':')
		return false;
	int hour = two(text);
	int minute = two(text + 3);
	int second = two(text + 6);
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
		return false;
	size_t at = 8;
	if (text[at] == '.') {
		do {
			at++;
		} while (at < length && ascii_digit(text[at]));
		if (at == 9)
			return false;
	}
	if (!parse_offset(text + at, length - at, &offset))
		return false;
	/* A leap second is the last one of a day, by UTC. */
	int utc = (hour * 60 + minute - offset + 2 * 24 * 60) % (24 * 60);
	return second < 60 || utc == 23 * 60 + 59;
}

bool js_is_date_time(const char *text, size_t length)
{
	return length > 11 && (text[10] | 0x20) == 't' && js_is_date(text, 10) &&
	       js_is_time(text + 11, length - 11);
}

/* Digits with one of `units` behind them, which must come in order and without a gap. */
static bool take_units(const char **at, const char *end, const char *units)
{
	const char *next = units;
	bool any = false;

	while (*at < end && ascii_digit(**at)) {
		while (*at < end && ascii_digit(**at))
			(*at)++;
		const char *unit = any ? next : units;
		while (!any && *unit && *at < end && *unit != **at)
			unit++;
		if (*at == end || !*unit || *unit != **at)
			return false;
		next = unit + 1;
		any = true;
		(*at)++;
	}
	return any;
}

bool js_is_duration(const char *text, size_t length)
{
	const char *at = text;
	const char *end = text + length;

	if (at == end || *at++ != 'P')
		return false;
	if (at < end && *at != 'T') {
		const char *start = at;
		if (take_units(&at, end, "W") && at == end)
			return true;
		at = start;
		if (!take_units(&at, end, "YMD"))
			return false;
	}
	if (at == end)
		return at > text + 1;
	return *at++ == 'T' && take_units(&at, end, "HMS") && at == end;
}
