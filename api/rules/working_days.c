/* Working days are counted one by one: the counts are small. */
#include "rules/working_days.h"

#include <stdbool.h>

static bool weekend(int32_t day)
{
	int32_t weekday = ((day + 3) % 7 + 7) % 7; /* 0: Monday */

	return weekday > 4;
}

static bool works(int32_t day, struct holidays holidays)
{
	for (size_t i = 0; i < holidays.count; i++)
		if (holidays.days[i] == day)
			return false;
	return !weekend(day);
}

int32_t working_days_add(int32_t from, unsigned count, struct holidays holidays)
{
	while (count > 0)
		if (works(++from, holidays))
			count--;
	return from;
}
