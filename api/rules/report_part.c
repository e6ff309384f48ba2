/* Parts of reports. What is hidden is decided by suppression.c. */
#include "rules/report_part.h"

#include "base/json.h"
#include "base/text.h"

struct report_part report_part_begin(json_t *json)
{
	return (struct report_part){ .json = json, .suppressed = json_array(), .good = true };
}

void report_part_add(struct report_part *part, const char *name, bool hidden, json_t *value)
{
	json_auto_t *held = value;

	if (hidden)
		part->good &= json_array_append_new(part->suppressed, json_string(name)) == 0;
	else
		part->good &= json_object_set(part->json, name, held) == 0;
}

json_t *report_part_end(struct report_part *part)
{
	json_auto_t *json = part->json;

	return json_object_set_new(json, "suppressed", part->suppressed) == 0 && part->good
	               ? TAKE(json)
	               : NULL;
}

bool report_is_asked(const char *provider, const char *whose)
{
	return provider && whose ? text_same_nocase(provider, whose) : !provider && !whose;
}

json_t *report_share(uint64_t n, uint64_t total)
{
	return json_decimal((int64_t)((2000 * n + total) / (2 * total)), 3);
}

json_t *report_count(uint64_t n, uint64_t total)
{
	return total ? json_pack("{s:I, s:o}", "count", (json_int_t)n, "share",
	                         report_share(n, total))
	             : json_pack("{s:I}", "count", (json_int_t)n);
}
