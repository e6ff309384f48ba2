/*
 * Any text as a recurrence rule: it is refused with a sentence, or its days are walked, ascending,
 * from the start on and not beyond the span. Input: two bytes say from which day, the rest is the
 * rule.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rules/recurrence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct recurrence *rule, int32_t from, int32_t until)
{
	struct recurrence_days days;

	recurrence_walk(rule, from, until, &days);
	for (size_t i = 0; i < days.count; i++)
		if (days.day[i] < from || days.day[i] < rule->start || days.day[i] > until ||
		    (i > 0 && days.day[i] <= days.day[i - 1]))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[2 * RECURRENCE_TEXT] = "";
	struct recurrence rule;
	problem_auto p = { 0 };

	if (size < 2 || size - 2 >= sizeof text)
		return 0;
	int32_t start = data[0] * 256 + data[1];

	memcpy(text, data + 2, size - 2);
	if (!recurrence_parse(text, start, &rule, &p)) {
		if (p.code != PROBLEM_VALIDATION_FAILED || !p.detail[0])
			abort();
		return 0;
	}
	walk(&rule, start, start + 3660);
	walk(&rule, start + 500, start + 900);
	return 0;
}
