/* Working days are counted one by one: the counts are small. */
#include "rules/working_days.h"

#include <string.h>

#include "base/text.h"

static bool weekend(int32_t day)
{
	int32_t weekday = ((day + 3) % 7 + 7) % 7; /* 0: Monday */

	return weekday > 4;
}

size_t holidays_read(const char *text, size_t room, int32_t ret_days[])
{
	size_t count = 0;

	while (text && *text && count < room) {
		size_t size = strcspn(text, ",");
		char digits[12] = "";
		uint64_t day = 0;

		if (size < sizeof digits)
			memcpy(digits, text, size);
		if (text_number(digits, 0, INT32_MAX, &day))
			ret_days[count++] = (int32_t)day;
		text += size + (text[size] == ',');
	}
	return count;
}

bool holidays_have(struct holidays holidays, int32_t day)
{
	for (size_t i = 0; i < holidays.count; i++)
		if (holidays.days[i] == day)
			return true;
	return false;
}

static bool works(int32_t day, struct holidays holidays)
{
	return !weekend(day) && !holidays_have(holidays, day);
}

int32_t working_days_add(int32_t from, unsigned count, struct holidays holidays)
{
	while (count > 0)
		if (works(++from, holidays))
			count--;
	return from;
}
