/* Walking the document: places, their pointers, and the $refs between them. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "contract/load.h"

bool loader_fault(struct loader *l, const struct spot *at, const char *fmt, ...)
{
	char sentence[1200], what[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	snprintf(sentence, sizeof sentence, "contract%s%s: %s", at ? " #" : "",
	         at ? at->pointer : "", what);
	l->failed = true;
	l->report(l->context, sentence);
	return false;
}

bool spot_member(const struct spot *from, const char *token, struct spot *ret_spot)
{
	buf_auto pointer = { .limit = SPOT_POINTER - 1 };
	json_t *json = json_object_get(from->json, token);

	if (!json || !buf_add(&pointer, from->pointer) || !json_pointer_add(&pointer, token))
		return false;
	ret_spot->json = json;
	snprintf(ret_spot->pointer, sizeof ret_spot->pointer, "%s", buf_text(&pointer));
	return true;
}

bool spot_item(const struct spot *from, size_t index, struct spot *ret_spot)
{
	struct spot item = *from;
	size_t size = strlen(item.pointer);

	item.json = json_array_get(from->json, index);
	snprintf(item.pointer + size, sizeof item.pointer - size, "/%zu", index);
	if (!item.json)
		return false;
	*ret_spot = item;
	return true;
}

bool spot_follow(struct loader *l, struct spot *spot)
{
	for (int hops = 0; hops < 8; hops++) {
		const char *ref = json_text(spot->json, "$ref");
		json_t *target;

		if (!ref)
			return true;
		target = *ref == '#' ? json_at(l->document, ref + 1) : NULL;
		if (!target)
			return loader_fault(l, spot, "$ref leads nowhere: %s", ref);
		snprintf(spot->pointer, sizeof spot->pointer, "%s", ref + 1);
		spot->json = target;
	}
	return loader_fault(l, spot, "$ref goes in a circle");
}

bool spot_child(struct loader *l, const struct spot *from, const char *token, struct spot *ret_spot)
{
	return spot_member(from, token, ret_spot) && spot_follow(l, ret_spot);
}
